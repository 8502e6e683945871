#include "packseq/distributed/mpi.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <csignal>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "distributed/training.hpp"
#include "support/throws.hpp"

// Every rank runs these tests. What is expected of one that may fail must not keep it from what others wait for.

namespace packseq::distributed {
namespace {

std::unique_ptr<MpiCommunicator> ranks;

TEST(Mpi, SumsOverAllRanks) {
  const auto size = ranks->size();
  for (const auto dtype : {at::kFloat, at::kDouble, at::kLong}) {
    const auto tensor = torch::full({3, 2}, ranks->rank() + 1, dtype);
    ranks->sum(tensor);
    EXPECT_TRUE(tensor.eq(size * (size + 1) / 2).all().item<bool>()) << dtype;
  }
  ranks->sum(torch::empty({0}));
  const auto large = torch::full({(1 << 24) + 5}, ranks->rank() + 1, at::kFloat);  // in more than one message
  ranks->sum(large);
  EXPECT_TRUE(large.eq(size * (size + 1) / 2).all().item<bool>());
}

TEST(Mpi, SumsLargeTensorsToTheSameBits) {
  torch::manual_seed(static_cast<std::uint64_t>(ranks->rank()));
  const auto tensor = torch::randn({1'000'003});
  ranks->sum(tensor);
  const auto of_first = tensor.clone();
  ranks->broadcast(of_first);
  EXPECT_TRUE(tensor.equal(of_first));
}

TEST(Mpi, BroadcastsEveryDtype) {
  for (const auto dtype : {at::kBool, at::kChar, at::kLong, at::kHalf, at::kFloat, at::kComplexDouble}) {
    const auto tensor = torch::full({5}, ranks->rank() == 0, at::kLong).to(dtype);
    ranks->broadcast(tensor);
    EXPECT_TRUE(tensor.eq(1).all().item<bool>()) << dtype;
  }
}

TEST(Mpi, GathersTextsOfAnyLength) {
  const auto texts = ranks->gather(std::string(static_cast<std::size_t>(ranks->rank()), 'a'));
  ASSERT_EQ(static_cast<std::int64_t>(texts.size()), ranks->size());
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], std::string(i, 'a'));
}

TEST(Mpi, RefusesTensorsThatItCannotSend) {
  EXPECT_THROWS(ranks->sum(torch::ones({1}, at::kHalf)), c10::TypeError,
                "tensor is Half, and must be float, double or");
  EXPECT_THROWS(ranks->sum(torch::ones({2, 3}).t()), c10::TypeError, "not contiguous on the CPU");
  EXPECT_THROWS(ranks->broadcast(at::Tensor()), c10::TypeError, "tensor is undefined or not contiguous");
}

TEST(Mpi, StandsBesideAnotherCommunicator) {
  MpiCommunicator second;  // MPI goes on when it ends
  EXPECT_EQ(second.size(), ranks->size());
}

TEST(Mpi, TrainsAsOneProcessDoes) { test::expect_trains_as_alone(*ranks); }

TEST(Mpi, RefusesARankWithAnotherModel) {
  torch::nn::Linear model(4, ranks->rank() + 1 == ranks->size() ? 2 : 3);
  const auto replicate = [&] { const Replica replica(*model, *ranks); };
  if (ranks->size() == 1) return replicate();
  EXPECT_THROWS(replicate(), c10::ValueError,
                "is not that of rank 0: first different is parameter weight, Float [2, 4]");
}

/// The ends of a job that is not well, in the place of tests: `mpi_test killed` and `mpi_test throws`.
int end_badly(std::string_view how) {
  try {
    MpiCommunicator communicator;
    communicator.gather("all are here");
    if (communicator.rank() == 1 && how == "killed") raise(SIGKILL);
    if (communicator.rank() == 1) throw std::runtime_error("no more");
    communicator.sum(torch::ones({1000}));
    std::cout << "rank " << communicator.rank() << " has not noticed\n";
  } catch (const std::exception&) {
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace packseq::distributed

int main(int argc, char** argv) {
  using packseq::distributed::ranks;
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1) return packseq::distributed::end_badly(argv[1]);
  ranks = std::make_unique<packseq::distributed::MpiCommunicator>();
  const int failures = RUN_ALL_TESTS();
  ranks.reset();
  // MPI cannot begin again in this process.
  try {
    packseq::distributed::MpiCommunicator again;
    return 1;
  } catch (const std::runtime_error&) {
    return failures;
  }
}
