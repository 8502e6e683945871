#pragma once

#include <cstddef>
#include <vector>

#include "nn/pickle_value.hpp"
#include "nn/refusal.hpp"

namespace packseq::nn::detail {

/// The stack of values that a pickle's instructions work on, and the marks in it. What is below the last mark is not to
/// be had.
class PickleStack {
 public:
  void push(PickleValue* value) { values_.push_back(value); }
  void mark() { marks_.push_back(values_.size()); }

  PickleValue* top() {
    if (values_.size() <= bottom()) refuse("an instruction lacks a value");
    return values_.back();
  }

  PickleValue* pop() {
    PickleValue* const value = top();
    values_.pop_back();
    return value;
  }

  /// The `count` topmost values.
  std::vector<PickleValue*> pop_many(std::size_t count) {
    if (values_.size() - bottom() < count) refuse("an instruction lacks a value");
    const auto first = values_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<PickleValue*> values(first, values_.end());
    values_.erase(first, values_.end());
    return values;
  }

  /// All values behind the last mark, and the mark.
  std::vector<PickleValue*> pop_mark() {
    if (marks_.empty()) refuse("an instruction lacks its mark");
    auto values = pop_many(values_.size() - bottom());
    marks_.pop_back();
    return values;
  }

 private:
  std::vector<PickleValue*> values_;
  std::vector<std::size_t> marks_;

  /// Where the values begin that an instruction may take: behind the last mark.
  std::size_t bottom() const { return marks_.empty() ? 0 : marks_.back(); }
};

}  // namespace packseq::nn::detail
