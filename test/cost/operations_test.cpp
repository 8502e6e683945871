#include "packseq/cost/operations.hpp"

#include "support/sequences.hpp"

namespace packseq::cost {
namespace {

using c10::TypeError, c10::ValueError;

TEST(MatrixProduct, CountsMultiplicationsAndAdditionsApart) {
  const auto padded = matrix_product(torch::tensor({3, 3, 3}));
  EXPECT_EQ(padded.multiplications, 9);
  EXPECT_EQ(padded.additions, 6);

  const auto packed = matrix_product(torch::tensor({3, 2, 1}));
  EXPECT_EQ(packed.multiplications, 6);
  EXPECT_EQ(packed.additions, 3);
}

TEST(MatrixProduct, GrowsWithTheColumns) {
  const auto operations = matrix_product(torch::tensor({3, 2, 1}), 10);
  EXPECT_EQ(operations.multiplications, 60);
  EXPECT_EQ(operations.additions, 30);
  EXPECT_EQ(matrix_product(torch::tensor({3, 2, 1}), 0).multiplications, 0);
  EXPECT_EQ(matrix_product(torch::tensor({3, 2, 1}), 0).additions, 0);
}

TEST(MatrixProduct, TakesNothingForAnEmptyRow) {
  const auto operations = matrix_product(torch::tensor({0, 2, 0}));
  EXPECT_EQ(operations.multiplications, 2);
  EXPECT_EQ(operations.additions, 1);
  EXPECT_EQ(matrix_product(torch::tensor({0})).additions, 0);
}

TEST(MatrixProduct, ReadsLengthsThatAreNotContiguous) {
  EXPECT_EQ(matrix_product(torch::tensor({3, 100, 1, 100}).slice(0, 0, 4, 2)).multiplications, 4);
}

TEST(MatrixProduct, RefusesRowLengthsThatAreNotLengths) {
  EXPECT_THROWS(matrix_product(torch::tensor({3, 2}, at::kInt)), TypeError,
                "matrix_product: row_lengths is Int on cpu, and must be int64 (Long) on cpu");
  EXPECT_THROWS(matrix_product(torch::tensor({1.5})), TypeError, "matrix_product: row_lengths is Float on cpu");
  EXPECT_THROWS(matrix_product(torch::tensor(3)), ValueError, "matrix_product: row_lengths has sizes []");
  EXPECT_THROWS(matrix_product(torch::empty({0}, at::kLong)), ValueError, "matrix_product: row_lengths is empty");
  EXPECT_THROWS(matrix_product(torch::tensor({3, -2})), ValueError,
                "matrix_product: row_lengths[1] is -2, and must not be negative");
}

TEST(MatrixProduct, RefusesACountThatOutgrowsAnInt64) {
  constexpr auto huge = std::int64_t{1} << 62;
  EXPECT_THROWS(matrix_product(torch::tensor({2}), huge), ValueError, "matrix_product: the count is 2^63 or more");
  EXPECT_THROWS(matrix_product(torch::tensor({huge, huge})), ValueError, "matrix_product: the count is 2^63 or more");
  EXPECT_EQ(matrix_product(torch::tensor({1}), huge).multiplications, huge);
}

TEST(MatrixProduct, RefusesANegativeNumberOfColumns) {
  EXPECT_THROWS(matrix_product(torch::tensor({3, 2, 1}), -1), ValueError,
                "matrix_product: columns is -1, and must not be negative");
}

}  // namespace
}  // namespace packseq::cost
