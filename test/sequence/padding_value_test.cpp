// What src/sequence/padding_value.cpp refuses, seen through pad_sequence and pad_packed_sequence.
#include <limits>

#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"
#include "support/sequences.hpp"

namespace packseq {
namespace {

using c10::ValueError;

constexpr auto int64_min = std::numeric_limits<std::int64_t>::min();
constexpr auto int64_max = std::numeric_limits<std::int64_t>::max();

/// The padding of a batch of this dtype.
at::Tensor pad(c10::ScalarType dtype, const c10::Scalar& value) {
  return packseq::pad_sequence({torch::empty({0}, dtype), torch::ones(1, dtype)}, {.padding_value = value})[0][0];
}

TEST(PaddingValue, IsRefusedIfAnIntegerDtypeDoesNotHoldIt) {
  EXPECT_THROWS(pad(at::kLong, 0.5), ValueError,
                "pad_sequence: padding_value is 0.5, which the dtype of the sequences, Long, cannot hold exactly; an "
                "integer in -9223372036854775808 ... 9223372036854775807 is needed");
  EXPECT_THROWS(pad(at::kLong, 0x1p63), ValueError, "padding_value is 9223372036854775808");
  EXPECT_THROWS(pad(at::kLong, INFINITY), ValueError, "padding_value is inf");
  EXPECT_THROWS(pad(at::kLong, NAN), ValueError, "padding_value is nan");
  EXPECT_THROWS(pad(at::kByte, 256), ValueError, "padding_value is 256");
  EXPECT_THROWS(pad(at::kByte, -1), ValueError, "an integer in 0 ... 255 is needed");
  EXPECT_THROWS(pad(at::kChar, 128.0), ValueError, "an integer in -128 ... 127 is needed");
  EXPECT_THROWS(pad(at::kBool, 2), ValueError, "an integer in 0 ... 1 is needed");
}

TEST(PaddingValue, IsRefusedIfAFloatingPointDtypeDoesNotHoldItExactly) {
  EXPECT_THROWS(pad(at::kFloat, 0.1), ValueError,
                "padding_value is 0.1, which the dtype of the sequences, Float, cannot hold exactly; the nearest value "
                "that it holds is 0.10000000149011612");
  EXPECT_THROWS(pad(at::kHalf, 0.1F), ValueError, "the nearest value that it holds is 0.0999755859375");
  EXPECT_THROWS(pad(at::kBFloat16, 257), ValueError, "the nearest value that it holds is 256");
  EXPECT_THROWS(pad(at::kFloat, (1 << 24) + 1), ValueError, "padding_value is 16777217");
  EXPECT_THROWS(pad(at::kDouble, (std::int64_t{1} << 53) + 1), ValueError, "padding_value is 9007199254740993");
  EXPECT_THROWS(pad(at::kDouble, int64_max), ValueError, "padding_value is 9223372036854775807");
  EXPECT_THROWS(pad(at::kFloat, 1e300), ValueError, "the nearest value that it holds is 3.4028234663852886e+38");
  EXPECT_THROWS(pad(at::kHalf, -70000), ValueError, "the nearest value that it holds is -65504");
  EXPECT_THROWS(pad(at::kFloat8_e4m3fn, INFINITY), ValueError, "the nearest value that it holds is 448");
}

TEST(PaddingValue, IsRefusedIfAPartOfAComplexNumberIsNotHeld) {
  EXPECT_THROWS(pad(at::kComplexFloat, c10::complex<double>(0.1, 1)), ValueError,
                "padding_value is (0.1,1), which the dtype of the sequences, ComplexFloat, cannot hold exactly; the "
                "nearest value that it holds is (0.10000000149011612,1)");
  EXPECT_THROWS(pad(at::kComplexFloat, c10::complex<double>(0, 0.1)), ValueError, "padding_value is (0,0.1)");
  EXPECT_THROWS(pad(at::kFloat, c10::complex<double>(2, 1)), ValueError, "the nearest value that it holds is 2");
}

TEST(PaddingValue, MayBeWhatTheDtypeHolds) {
  EXPECT_EQ(pad(at::kLong, int64_min).item<std::int64_t>(), int64_min);
  EXPECT_EQ(pad(at::kLong, int64_max).item<std::int64_t>(), int64_max);
  EXPECT_EQ(pad(at::kLong, -0x1p63).item<std::int64_t>(), int64_min);
  EXPECT_EQ(pad(at::kLong, 42.0).item<std::int64_t>(), 42);
  EXPECT_EQ(pad(at::kDouble, 0.1).item<double>(), 0.1);
  EXPECT_EQ(pad(at::kDouble, int64_min).item<double>(), -0x1p63);
  EXPECT_EQ(pad(at::kFloat, 0.1F).item<float>(), 0.1F);
  EXPECT_EQ(pad(at::kFloat, -INFINITY).item<float>(), -INFINITY);
  EXPECT_TRUE(pad(at::kHalf, NAN).isnan().item<bool>());
  EXPECT_EQ(pad(at::kHalf, 65504).item<float>(), 65504.F);
  EXPECT_EQ(pad(at::kBFloat16, 0x1p100).item<float>(), 0x1p100F);
  EXPECT_TRUE(pad(at::kBool, true).item<bool>());
  EXPECT_EQ(pad(at::kComplexFloat, 3).item<c10::complex<float>>(), c10::complex<float>(3, 0));
  EXPECT_EQ(pad(at::kComplexDouble, c10::complex<double>(0.1, -0.1)).item<c10::complex<double>>(),
            c10::complex<double>(0.1, -0.1));
}

TEST(PaddingValue, IsRefusedForAPackedBatchToo) {
  const auto packed = pack_sequence({torch::tensor({1, 2})});
  EXPECT_THROWS(packseq::pad_packed_sequence(packed, {.padding_value = 0.5}), ValueError,
                "pad_packed_sequence: padding_value is 0.5");
}

TEST(PaddingValue, MayBeAnUnsignedNumberBeyondInt64) {
  const auto largest = std::numeric_limits<std::uint64_t>::max();
  EXPECT_THROWS(pad(at::kLong, largest), ValueError, "padding_value is 18446744073709551615");
  EXPECT_THROWS(pad(at::kDouble, largest), ValueError, "padding_value is 18446744073709551615");
  const auto power = std::uint64_t{1} << 63;
  EXPECT_EQ(pad(at::kDouble, power).item<double>(), 0x1p63);
}

}  // namespace
}  // namespace packseq
