#include "packseq/cost/shared_steps.hpp"

#include <vector>

#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/reverse.hpp"
#include "support/sequences.hpp"

namespace packseq::cost {
namespace {

using c10::TypeError, c10::ValueError;

PackedSequence pack(const std::vector<std::vector<std::int64_t>>& documents) {
  std::vector<at::Tensor> ids;
  for (const auto& document : documents) ids.push_back(torch::tensor(document, at::kLong));
  return pack_sequence(ids);
}

TEST(SharedSteps, AreTheDistinctBeginnings) {
  EXPECT_SAME(shared_steps(pack({{1, 2, 3}, {1, 2}, {1, 4}})), torch::tensor({1, 2, 1}, at::kLong));
  EXPECT_SAME(shared_steps(pack({{5, 5}, {}, {5, 5}, {6}, {5, 5}})), torch::tensor({2, 1}, at::kLong));
  EXPECT_SAME(shared_steps(pack({{}, {}})), torch::tensor({0}, at::kLong));
  const auto different = pack({{1, 2, 3}, {2, 2}, {3}});
  EXPECT_SAME(shared_steps(different), different.batch_sizes());
}

TEST(SharedSteps, TakeSmallIntegers) {
  const auto ids = pack({{1, 2, 3}, {1, 2}});
  EXPECT_SAME(shared_steps(with_data(ids, ids.data().to(at::kInt))), torch::tensor({1, 1, 1}, at::kLong));
}

TEST(SharedSteps, OfReversedDocumentsAreTheDistinctEnds) {
  EXPECT_SAME(shared_steps(reverse(pack({{1, 2, 3}, {4, 3}, {3}}))), torch::tensor({1, 2, 1}, at::kLong));
}

TEST(SharedSteps, RefuseWhatIsNoBatchOfIds) {
  EXPECT_THROWS(shared_steps(pack_sequence({torch::ones({3})})), TypeError, "the data of ids is Float on cpu");
  EXPECT_THROWS(shared_steps(pack_sequence({torch::ones({3, 2}, at::kLong)})), ValueError, "sizes [3, 2]");
  EXPECT_THROWS(shared_steps(PackedSequence(torch::ones({3}, at::kLong), torch::tensor({1, 1}, at::kLong))), ValueError,
                "shared_steps: ");
}

}  // namespace
}  // namespace packseq::cost
