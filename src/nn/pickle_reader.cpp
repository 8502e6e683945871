#include "nn/pickle_reader.hpp"

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "nn/pickle_bytes.hpp"
#include "nn/pickle_calls.hpp"
#include "nn/pickle_literals.hpp"
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
      if (auto literal = pickle_literal(code, bytes_)) {
        push(std::move(*literal));
      } else if (!arrange(code) && !collect(code) && !fill(code) && !memo(code) && !call(code)) {
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

  bool push(PickleValue value) {
    values_.push_back(std::move(value));
    stack_.push(&values_.back());
    return true;
  }

  /// What changes nothing but the stack.
  bool arrange(unsigned char code) {
    switch (code) {
      case '(':
        stack_.mark();
        return true;
      case '0':
        stack_.pop();
        return true;
      case '1':
        stack_.pop_mark();
        return true;
      case 0x95:
        bytes_.number(8);
        return true;  // a frame: how far a reader may read ahead
      default:
        return false;
    }
  }

  /// Values of the stack become one.
  bool collect(unsigned char code) {
    switch (code) {
      case 't':
        return push({PickleList{stack_.pop_mark(), true}});
      case 0x85:
        return push({PickleList{stack_.pop_many(1), true}});
      case 0x86:
        return push({PickleList{stack_.pop_many(2), true}});
      case 0x87:
        return push({PickleList{stack_.pop_many(3), true}});
      case 0x91:
        stack_.pop_mark();
        return push({PickleObject{{"a frozenset"}}});
      default:
        return false;
    }
  }

  /// Values of the stack go into what is below them.
  bool fill(unsigned char code) {
    switch (code) {
      case 'a':
        return append(stack_.pop_many(1));
      case 'e':
        return append(stack_.pop_mark());
      case 's':
        return set_items(stack_.pop_many(2));
      case 'u':
        return set_items(stack_.pop_mark());
      case 0x90:  // what a set holds is not asked for
        stack_.pop_mark();
        return true;
      case 'b':  // attributes of dicts and tensors are no weights: `_metadata` for instance
        stack_.pop();
        stack_.top();
        return true;
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
      case 0x93:
        return push({joined_name(stack_.pop_many(2))});
      case 'R':
        return reduce(stack_.pop_many(2));
      case 0x81:
        return make(stack_.pop_many(2));
      case 0x92:
        return make(stack_.pop_many(3));
      case 'Q':
        return push(pickled_storage(*stack_.pop()));
      default:
        return false;
    }
  }

  static PickleName joined_name(const std::vector<PickleValue*>& parts) {
    const auto* module = parts[0]->as<std::string_view>();
    const auto* name = parts[1]->as<std::string_view>();
    if (module == nullptr || name == nullptr) refuse("a name is no text");
    return pickle_name(*module, *name);
  }

  bool reduce(const std::vector<PickleValue*>& call) {
    const auto* arguments = call[1]->as<PickleList>();
    if (arguments == nullptr) refuse("a call lacks its arguments");
    if (const auto* name = call[0]->as<PickleName>()) {
      stack_.push(pickled_call(values_, *name, *arguments));
      return true;
    }
    return make(call);
  }

  /// An object of a Python class, which comes first.
  bool make(const std::vector<PickleValue*>& call) {
    if (const auto* object = call[0]->as<PickleObject>()) return push({*object});
    const auto* name = call[0]->as<PickleName>();
    return push({name != nullptr ? PickleObject{{"an object of Python's ", *name}} : PickleObject{{"an object"}}});
  }
};

}  // namespace

Pickle::Pickle(std::string bytes) : bytes_(std::move(bytes)) {
  Machine machine(bytes_, values_);
  try {
    top_ = machine.run();
  } catch (const Refusal& refusal) {
    refuse("is damaged, or none that torch.save writes: at byte ", machine.position(), " of its pickle, ",
           refusal.what());
  }
}

}  // namespace packseq::nn::detail
