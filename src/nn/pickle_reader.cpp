#include "nn/pickle_reader.hpp"

#include <bit>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "nn/pickle_bytes.hpp"
#include "nn/pickle_calls.hpp"
#include "nn/pickle_stack.hpp"
#include "nn/refusal.hpp"

namespace packseq::nn::detail {
namespace {

/// The instructions' machine: a stack, marks in it, and a memo of values that are used again. Instructions are grouped;
/// each group tells whether this one is its own.
class Machine {
 public:
  Machine(std::string_view bytes, std::deque<PickleValue>& values) : bytes_(bytes), values_(values) {}

  PickleValue* run() {
    if (bytes_.byte() != 0x80) refuse("it does not begin as one of protocol 2 or later: save with pickle_protocol=2");
    const auto protocol = bytes_.byte();
    if (protocol < 2 || protocol > 5) refuse("its protocol is ", int{protocol}, ", and must be 2 to 5");
    for (auto code = bytes_.byte(); code != '.'; code = bytes_.byte()) {
      if (!number(code) && !text(code) && !sequence(code) && !dict(code) && !memo(code) && !call(code)) {
        refuse("it has the instruction ", int{code}, ", which torch.save does not write");
      }
    }
    return stack_.pop();
  }

  std::size_t position() const { return bytes_.position(); }

 private:
  PickleBytes bytes_;
  std::deque<PickleValue>& values_;
  PickleStack stack_;
  std::unordered_map<std::uint64_t, PickleValue*> memo_;

  bool push(auto value) {
    values_.push_back({std::move(value)});
    stack_.push(&values_.back());
    return true;
  }

  bool number(unsigned char code) {
    switch (code) {
      case 'N':
        return push(std::monostate());
      case 0x88:
        return push(true);
      case 0x89:
        return push(false);
      case 'J':
        return push(std::int64_t{static_cast<std::int32_t>(bytes_.number(4))});
      case 'K':
        return push(static_cast<std::int64_t>(bytes_.number(1)));
      case 'M':
        return push(static_cast<std::int64_t>(bytes_.number(2)));
      case 0x8a:
        return integer(bytes_.take(bytes_.number(1)));
      case 0x8b:
        return integer(bytes_.take(bytes_.number(4)));
      case 'G': {
        std::uint64_t bits = 0;
        for (const char byte : bytes_.take(8)) bits = bits << 8 | static_cast<unsigned char>(byte);
        return push(std::bit_cast<double>(bits));
      }
      default:
        return false;
    }
  }

  /// Of any size, in two's complement, the lowest byte first.
  bool integer(std::string_view bytes) {
    if (bytes.size() > 8) return push(PickleObject{"an integer beyond 64 bits"});
    const bool negative = !bytes.empty() && static_cast<signed char>(bytes.back()) < 0;
    std::uint64_t number = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = bytes.size(); i > 0; --i) number = number << 8 | static_cast<unsigned char>(bytes[i - 1]);
    return push(static_cast<std::int64_t>(number));
  }

  bool text(unsigned char code) {
    const auto text_of = [this](std::size_t size) { return std::string(bytes_.take(bytes_.number(size))); };
    const auto skipped = [this](std::size_t size, const char* what) {
      bytes_.take(bytes_.number(size));
      return push(PickleObject{what});
    };
    switch (code) {
      case 'X':
        return push(text_of(4));
      case 0x8c:
        return push(text_of(1));
      case 0x8d:
        return push(text_of(8));
      case 'B':
        return skipped(4, "bytes");
      case 'C':
        return skipped(1, "bytes");
      case 0x8e:
        return skipped(8, "bytes");
      case 0x96:
        return skipped(8, "a bytearray");
      default:
        return false;
    }
  }

  bool sequence(unsigned char code) {
    switch (code) {
      case '(':
        stack_.mark();
        return true;
      case ')':
        return push(PickleList{{}, true});
      case ']':
        return push(PickleList());
      case 0x8f:
        return push(PickleObject{"a set"});
      case 't':
        return push(PickleList{stack_.pop_mark(), true});
      case 0x85:
        return push(PickleList{stack_.pop_many(1), true});
      case 0x86:
        return push(PickleList{stack_.pop_many(2), true});
      case 0x87:
        return push(PickleList{stack_.pop_many(3), true});
      case 0x91:
        stack_.pop_mark();
        return push(PickleObject{"a frozenset"});
      case 0x90:  // what a set holds is not asked for
      case '1':
        stack_.pop_mark();
        return true;
      case '0':
        stack_.pop();
        return true;
      case 'a':
        return append(stack_.pop_many(1));
      case 'e':
        return append(stack_.pop_mark());
      default:
        return false;
    }
  }

  bool append(const std::vector<PickleValue*>& items) {
    PickleValue& target = *stack_.top();
    if (auto* list = std::get_if<PickleList>(&target.value); list != nullptr && !list->tuple) {
      list->items.insert(list->items.end(), items.begin(), items.end());
    } else if (!target.as<PickleObject>()) {
      refuse("it appends to ", describe(target));
    }
    return true;
  }

  bool dict(unsigned char code) {
    switch (code) {
      case '}':
        return push(PickleDict());
      case 's':
        return set_items(stack_.pop_many(2));
      case 'u':
        return set_items(stack_.pop_mark());
      default:
        return false;
    }
  }

  bool set_items(const std::vector<PickleValue*>& items) {
    PickleValue& target = *stack_.top();
    if (items.size() % 2 != 0) refuse("a key lacks its value");
    if (auto* dict = std::get_if<PickleDict>(&target.value)) {
      for (std::size_t i = 0; i < items.size(); i += 2) dict->items.emplace_back(items[i], items[i + 1]);
    } else if (!target.as<PickleObject>()) {
      refuse("it sets an item of ", describe(target));
    }
    return true;
  }

  bool memo(unsigned char code) {
    switch (code) {
      case 'q':
        memo_[bytes_.number(1)] = stack_.top();
        return true;
      case 'r':
        memo_[bytes_.number(4)] = stack_.top();
        return true;
      case 0x94:
        memo_[memo_.size()] = stack_.top();
        return true;
      case 'h':
        return recall(bytes_.number(1));
      case 'j':
        return recall(bytes_.number(4));
      case 0x95:
        bytes_.number(8);
        return true;  // a frame: how far a reader may read ahead
      default:
        return false;
    }
  }

  bool recall(std::uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) refuse("it recalls value ", index, ", which it has not kept");
    stack_.push(found->second);
    return true;
  }

  bool call(unsigned char code) {
    switch (code) {
      case 'c': {
        const auto module = std::string(bytes_.line());
        return push(PickleName{module + '.' + std::string(bytes_.line())});
      }
      case 0x93: {
        const auto parts = stack_.pop_many(2);
        const auto* module = parts[0]->as<std::string>();
        const auto* name = parts[1]->as<std::string>();
        if (module == nullptr || name == nullptr) refuse("a name is no text");
        return push(PickleName{*module + '.' + *name});
      }
      case 'R':
        return reduce(stack_.pop_many(2));
      case 0x81:
        return make(stack_.pop_many(2));
      case 0x92:
        return make(stack_.pop_many(3));
      case 'b':
        return build(stack_.pop());
      case 'Q':
        return push(pickled_storage(*stack_.pop()));
      default:
        return false;
    }
  }

  bool reduce(const std::vector<PickleValue*>& call) {
    const auto* arguments = call[1]->as<PickleList>();
    if (arguments == nullptr) refuse("a call lacks its arguments");
    if (const auto* name = call[0]->as<PickleName>()) {
      stack_.push(pickled_call(values_, name->name, *arguments));
      return true;
    }
    return make(call);
  }

  /// An object of a Python class, which comes first.
  bool make(const std::vector<PickleValue*>& call) {
    const auto* name = call[0]->as<PickleName>();
    return push(PickleObject{name != nullptr ? "an object of Python's " + name->name : describe(*call[0])});
  }

  /// Gives an object its attributes; those of dicts and tensors are no weights: `_metadata` for instance.
  bool build(const PickleValue* /*attributes*/) {
    stack_.top();
    return true;
  }
};

}  // namespace

Pickle::Pickle(std::string_view bytes) {
  Machine machine(bytes, values_);
  try {
    top_ = machine.run();
  } catch (const Refusal& refusal) {
    refuse("its pickle is damaged, or none that torch.save writes: at byte ", machine.position(), ", ", refusal.what());
  }
}

}  // namespace packseq::nn::detail
