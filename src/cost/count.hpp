#pragma once

#include <c10/util/Exception.h>
#include <c10/util/safe_numerics.h>

#include <cstdint>

namespace packseq::cost::detail {

/// A count that knows whether it, or one that it was made of, has outgrown an int64.
class Count {
 public:
  Count(std::int64_t value) : value_(value) {}  // NOLINT(google-explicit-constructor)

  friend Count operator+(const Count& a, const Count& b) {
    Count sum(a, b);
    if (c10::add_overflows(a.value_, b.value_, &sum.value_)) sum.overflown_ = true;
    return sum;
  }

  /// `b` is no larger than `a`.
  friend Count operator-(const Count& a, const Count& b) {
    Count difference(a, b);
    if (!difference.overflown_) difference.value_ -= b.value_;
    return difference;
  }

  friend Count operator*(const Count& a, const Count& b) {
    Count product(a, b);
    if (c10::mul_overflows(a.value_, b.value_, &product.value_)) product.overflown_ = true;
    return product;
  }

  /// The count, unless it has outgrown an int64.
  std::int64_t checked(const char* function) const {
    TORCH_CHECK_VALUE(!overflown_, function,
                      ": the count is 2^63 or more, which an int64 does not hold: are all sizes ",
                      "and lengths meant to be so large?");
    return value_;
  }

 private:
  Count(const Count& a, const Count& b) : value_(a.value_), overflown_(a.overflown_ || b.overflown_) {}

  std::int64_t value_;
  bool overflown_ = false;
};

}  // namespace packseq::cost::detail
