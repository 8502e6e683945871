#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nn/pickle_value.hpp"

namespace packseq::nn::detail {

/// Some of what is told one by one, and how many more there are: a file may have millions of it.
class Listing {
 public:
  /// `words` makes the text, if it is among those that are told.
  template <class Words>
  void add(const Words& words) {
    if (count_ < most) text_ += (count_ > 0 ? ", " : "") + words();
    ++count_;
  }

  bool empty() const { return count_ == 0; }
  std::string text() const { return count_ > most ? text_ + " and " + std::to_string(count_ - most) + " more" : text_; }

 private:
  static constexpr std::size_t most = 10;
  std::size_t count_ = 0;
  std::string text_;
};

/// Calls `action(key, index, value)` for whatever is in a dict, or in a list, where `key` is null.
template <class Action>
void for_each_part(const PickleValue& value, const Action& action) {
  std::size_t index = 0;
  if (const auto* dict = value.as<PickleDict>()) {
    for (const auto& [key, part] : dict->items) action(key, index++, *part);
  } else if (const auto* list = value.as<PickleList>()) {
    for (const auto* part : list->items) action(nullptr, index++, *part);
  }
}

/// How a part is called in ReadOptions::key: a text is itself, a number its digits, in a list the index. Others have no
/// name there.
std::optional<std::string> part_name(const PickleValue* key, std::size_t index);

/// The same for errors: "weight" in quotes, or what its key is, which has no name.
std::string quoted_part(const PickleValue* key, std::size_t index);

/// As it is written in C++: {"optimizer", "state"}.
std::string quoted(const std::vector<std::string>& key);

/// How many tensors a dict holds itself.
std::size_t tensors_in(const PickleValue& value);

/// Where dicts with tensors are below the top, those nearest to it first; each once, however often it is referred to.
Listing places_of_tensors(const PickleValue& top);

}  // namespace packseq::nn::detail
