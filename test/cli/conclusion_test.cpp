#include "cli/conclusion.hpp"

#include <gtest/gtest.h>

namespace packseq::cli {
namespace {

constexpr auto inference = cost::Mode::inference;
constexpr auto training = cost::Mode::training;

Result result(const char* contender, cost::Mode mode, std::int64_t flops, const Seconds& seconds,
              bool equivalent = true) {
  return {contender, mode, engine::Precision::float32, equivalent, seconds, flops, 0, 0, 0, {}};
}

TEST(Speed, IsTheSameUpToFivePercent) {
  EXPECT_EQ(speed({1.04, 1.04, 1.04}, {1, 1, 1}), Speed::same);
  EXPECT_EQ(speed({1.06, 1.06, 1.06}, {1, 1, 1}), Speed::slower);
  EXPECT_EQ(speed({0.94, 0.94, 0.94}, {1, 1, 1}), Speed::faster);
}

TEST(Speed, IsTheSameWithinTheSpreadOfBoth) {
  EXPECT_EQ(speed({1.2, 0.9, 1.4}, {1, 0.8, 1.3}), Speed::same);
  EXPECT_EQ(speed({1.2, 1.1, 1.4}, {1, 0.8, 1.3}), Speed::slower);
  EXPECT_EQ(speed({1, 0.8, 1.3}, {1.2, 1.1, 1.4}), Speed::faster);
}

TEST(Conclusion, SaysThatPackingIsFaster) {
  EXPECT_EQ(conclusion({result("padded", inference, 1000, {2, 2, 2}), result("packed", inference, 481, {1, 1, 1})}),
            "In inference, packing skips 51 % of the multiplications and is 2.0 times as fast as padded.");
}

TEST(Conclusion, SaysThatPackingIsSlower) {
  EXPECT_EQ(conclusion({result("padded", training, 1000, {1, 1, 1}), result("packed", training, 480, {12, 12, 12})}),
            "In training, packing skips 52 % of the multiplications, yet LibTorch's packed path takes 12 times as "
            "long as its padded one.");
}

TEST(Conclusion, SaysThatPackingMakesNoDifference) {
  EXPECT_EQ(conclusion({result("padded", training, 1000, {1, 0.9, 1.2}), result("packed", training, 999, {1, 1, 1})}),
            "In training, packing skips less than 1 % of the multiplications, yet takes about as long as padded.");
}

TEST(Conclusion, KnowsTextsWithoutPadding) {
  const Result padded = result("padded", inference, 1000, {1, 1, 1});
  EXPECT_EQ(conclusion({padded, result("packed", inference, 1000, {1, 1, 1})}),
            "In inference, there is no padding to skip, and packed takes about as long as padded.");
  EXPECT_EQ(conclusion({padded, result("packed", inference, 1000, {1.5, 1.5, 1.5})}),
            "In inference, there is no padding to skip, and LibTorch's packed path takes 1.5 times as long as its "
            "padded one.");
  EXPECT_EQ(conclusion({padded, result("packed", inference, 1000, {0.5, 0.5, 0.5})}),
            "In inference, there is no padding to skip, yet packed is 2.0 times as fast as padded.");
}

TEST(Conclusion, SaysWhereSharingPays) {
  const std::string packing = "In inference, there is no padding to skip, and packed takes about as long as padded";
  const Result padded = result("padded", inference, 1000, {1, 1, 1});
  const Result packed = result("packed", inference, 1000, {1, 1, 1});
  const Result dedup = result("fused+dedup", inference, 900, {1, 1, 1});
  EXPECT_EQ(conclusion({padded, packed, dedup, result("fused+shared", inference, 400, {0.5, 0.5, 0.5})}),
            packing +
                "; fastest is fused+shared, 2.0 times as fast as padded. Documents begin alike: where each "
                "beginning is computed once, fused+shared is 2.0 times as fast as fused+dedup.");
  EXPECT_EQ(conclusion({padded, packed, dedup, result("fused+shared", inference, 900, {1, 1, 1})}), packing + ".");
}

TEST(Conclusion, NamesAThirdContenderThatBeatsBoth) {
  const Result padded = result("padded", inference, 1000, {3, 3, 3});
  const Result packed = result("packed", inference, 400, {2, 2, 2});
  const std::string of_both =
      "In inference, packing skips 60 % of the multiplications and is 1.5 times as fast as padded";
  EXPECT_EQ(conclusion({padded, packed, result("bucketed", inference, 500, {1.5, 1.5, 1.5})}),
            of_both + "; fastest is bucketed, 2.0 times as fast as padded.");
  EXPECT_EQ(conclusion({padded, packed, result("bucketed", inference, 500, {1.5, 1.5, 1.5}),
                        result("other", inference, 400, {1, 1, 1})}),
            of_both + "; fastest is other, 3.0 times as fast as padded.");
  EXPECT_EQ(conclusion({padded, packed, result("bucketed", inference, 500, {1.96, 1.96, 1.96})}), of_both + ".");
}

TEST(Conclusion, DoesNotRecommendWhatComputesSomethingElse) {
  EXPECT_EQ(
      conclusion({result("padded", inference, 1000, {3, 3, 3}, false), result("packed", inference, 400, {2, 2, 2}),
                  result("bucketed", inference, 500, {1, 1, 1}, false)}),
      "In inference, packing skips 60 % of the multiplications and is 1.5 times as fast as padded.");
}

TEST(Conclusion, SaysWhatProductsOfBfloat16Gain) {
  const Result padded = result("padded", inference, 1000, {3, 3, 3});
  const Result packed = result("packed", inference, 1000, {3, 3, 3});
  const Result fused = result("fused", inference, 1000, {3, 3, 3});
  const auto gain = [&](const Seconds& seconds) {
    const std::string all = conclusion({padded, packed, fused, result("bfloat16", inference, 1000, seconds)});
    return all.substr(all.find("With"));
  };
  EXPECT_EQ(gain({2, 2, 2}), "With products of bfloat16, fused is 1.5 times as fast.");
  EXPECT_EQ(gain({3, 3, 3}), "With products of bfloat16, fused takes about as long.");
  EXPECT_EQ(gain({6, 6, 6}), "With products of bfloat16, fused takes 2.0 times as long.");
  EXPECT_EQ(conclusion({padded, packed, result("bfloat16", inference, 1000, {3, 3, 3})}),
            "In inference, there is no padding to skip, and packed takes about as long as padded.");
}

}  // namespace
}  // namespace packseq::cli
