// What a packed batch says of itself, and what is refused as none: the function lengths of pack.hpp.
#include "packseq/sequence/pack.hpp"
#include "support/sequences.hpp"

namespace packseq {
namespace {

using c10::TypeError, c10::ValueError;

TEST(PackedSequence, MovesToAnotherDtypeAndDevice) {
  for (const auto device : test::devices()) {
    for (const bool enforce_sorted : {false, true}) {
      const auto packed = pack_sequence({torch::ones(2), torch::ones(1)}, {.enforce_sorted = enforce_sorted});
      const auto moved = packed.to(at::TensorOptions(at::kHalf).device(device));
      EXPECT_EQ(moved.data().scalar_type(), at::kHalf);
      EXPECT_EQ(moved.data().device().type(), device.type());
      EXPECT_SAME(lengths(moved), lengths(packed));
      EXPECT_SAME(unpack_sequence(moved).values().cpu(), torch::ones(3, at::kHalf));
    }
    const auto empty = pack_sequence({torch::ones(0)}).to(at::TensorOptions(at::kHalf).device(device));
    EXPECT_SAME(lengths(empty), torch::tensor({0}));
  }
}

TEST(Lengths, AreInTheCallersOrder) {
  EXPECT_SAME(lengths(pack_sequence({torch::ones(1), torch::ones(0), torch::ones(4), torch::ones(4)})),
              torch::tensor({1, 0, 4, 4}));
  EXPECT_SAME(lengths(PackedSequence(torch::ones(5), torch::tensor({3, 2}))), torch::tensor({2, 2, 1}));
}

TEST(Lengths, RefusesAMalformedPackAndSaysWhatIsWrong) {
  const auto check = [](at::Tensor data, at::Tensor batch_sizes, at::Tensor sorted = {}, at::Tensor unsorted = {}) {
    return lengths(PackedSequence(data, batch_sizes, sorted, unsorted));
  };
  const auto data = torch::ones(3);
  const auto sizes = torch::tensor({2, 1});
  EXPECT_THROWS(check({}, sizes), ValueError, "data is undefined");
  EXPECT_THROWS(check(data.to_sparse(), sizes), TypeError, "data is a Sparse tensor");
  EXPECT_THROWS(check(torch::_nested_tensor_from_tensor_list({data, data}), torch::tensor({2})), TypeError,
                "data is a nested tensor, and must be a dense one");
  EXPECT_THROWS(check(torch::tensor(1), torch::tensor({1})), ValueError, "data is a scalar");
  EXPECT_THROWS(check(data, torch::tensor({2.0, 1.0})), TypeError, "batch_sizes is Float on cpu");
  EXPECT_THROWS(check(data, torch::empty({0}, at::kLong)), ValueError, "batch_sizes is empty");
  EXPECT_THROWS(check(data, torch::tensor({{3}})), ValueError, "batch_sizes has sizes [1, 1]");
  EXPECT_THROWS(check(data, torch::tensor({1, 2})), ValueError, "batch_sizes[1] is 2, more than the 1 before it");
  EXPECT_THROWS(check(data, torch::tensor({3, 0})), ValueError, "batch_sizes[1] is 0");
  EXPECT_THROWS(check(data, torch::tensor({4, -1})), ValueError, "batch_sizes[1] is -1");
  const auto huge = std::int64_t{1} << 62;
  EXPECT_THROWS(check(data, torch::tensor({huge, huge, huge, huge})), ValueError, "a sum of more than 3");
  EXPECT_THROWS(check(torch::ones(3, at::kMeta), sizes, torch::tensor({0, 1}), torch::tensor({0, 1})), TypeError,
                "sorted_indices is on cpu, but data is on meta");
  EXPECT_THROWS(check(data, torch::tensor({2, 2})), ValueError,
                "batch_sizes has a sum of more than 3, the rows of data");
  EXPECT_THROWS(check(torch::ones(0), torch::tensor({0})), ValueError, "no sorted_indices tell how many");
  EXPECT_THROWS(check(data, sizes, {}, torch::tensor({0, 1})), ValueError, "only one of sorted_indices");
  EXPECT_THROWS(check(data, sizes, torch::tensor({0.0, 1.0}), torch::tensor({0, 1})), TypeError,
                "sorted_indices is Float");
  EXPECT_THROWS(check(data, sizes, torch::tensor({0, 2}), torch::tensor({0, 1})), ValueError,
                "sorted_indices[1] is 2: not a permutation of 0 ... 1");
  EXPECT_THROWS(check(data, sizes, torch::tensor({0, 1}), torch::tensor({1, 1})), ValueError,
                "unsorted_indices[1] is 1: not a permutation of 0 ... 1");
  EXPECT_THROWS(check(data, sizes, torch::tensor({0}), torch::tensor({0})), ValueError,
                "sorted_indices has 1 entries, fewer than batch_sizes[0], 2");
  EXPECT_THROWS(check(data, sizes, torch::tensor({0, 1, 2}), torch::tensor({0, 1})), ValueError,
                "unsorted_indices has 2 entries, and sorted_indices 3");
  EXPECT_THROWS(check(data, sizes, torch::tensor({1, 2, 0}), torch::tensor({1, 2, 0})), ValueError,
                "unsorted_indices[1] is 2, and must be 0, the inverse of sorted_indices");
}

}  // namespace
}  // namespace packseq
