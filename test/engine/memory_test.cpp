#include "packseq/engine/memory.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "engine/recurrent.hpp"
#include "kernels/arena.hpp"
#include "packseq/engine/freeze.hpp"
#include "support/resident_memory.hpp"

// Passes find the memory of those before them: they do not wait for the system to give them pages once more. A program
// of its own, since the heap is told to give back at once what is free at its end.

namespace packseq::test {
namespace {

/// What the system has given this thread.
std::int64_t page_faults() {
  rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt;
}

std::int64_t pages(const Tensors& tensors) {
  std::int64_t count = 0;
  for (const at::Tensor& tensor : tensors) {
    count += static_cast<std::int64_t>(tensor.nbytes()) / sysconf(_SC_PAGESIZE) + 2;  // it need not begin with one
  }
  return count;
}

/// The least of some passes: what the heap does now and then besides is not the engine's.
std::int64_t least_page_faults(const std::function<void()>& pass) {
  for (int warm_up = 0; warm_up < 3; ++warm_up) pass();
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < 5; ++i) {
    const std::int64_t before = page_faults();
    pass();
    least = std::min(least, page_faults() - before);
  }
  return least;
}

class EngineMemory : public testing::TestWithParam<Recurrent> {
 protected:
  void SetUp() override {
    mallopt(M_TRIM_THRESHOLD, 0);
    at::set_num_threads(1);
  }
  at::NoGradGuard no_grad;
};
INSTANTIATE_TEST_SUITE_P(Networks, EngineMemory, testing::ValuesIn(all_recurrents()));

TEST_P(EngineMemory, StaysFromPassToPass) {
  for (const std::int64_t size : {64, 256, 1024}) {
    for (const std::int64_t documents : {1, 8, 32}) {
      for (const std::int64_t steps : {1, 10}) {
        Recurrent r = GetParam();
        r.input_size = r.hidden_size = size;
        const auto arguments =
            random_arguments(r, std::vector<std::int64_t>(static_cast<std::size_t>(documents), steps));
        const Tensors tensors = run_fused(r, arguments);
        EXPECT_LE(least_page_faults([&] { run_fused(r, arguments); }), pages(tensors))
            << r << ", documents " << documents << ", steps " << steps;
      }
    }
  }
}

TEST_P(EngineMemory, StaysFromPassToPassInTraining) {
  const at::AutoGradMode with_gradients(true);
  for (const std::int64_t size : {64, 512}) {
    Recurrent r = GetParam();
    r.input_size = r.hidden_size = size;
    const auto arguments = random_arguments(r, std::vector<std::int64_t>(8, 10)).as_variables();
    const auto outputs = run_fused(r, arguments);
    // LibTorch's, besides results: for the backward pass gates and cells of each token, and as much again as there are
    // gradients, which begin as zeros.
    const std::int64_t kept = r.directions() * 80 * 5 * size * 8 / sysconf(_SC_PAGESIZE);
    EXPECT_LE(least_page_faults([&] { gradients_in_engine(run_fused(r, arguments), arguments); }),
              pages(outputs) + 2 * pages(arguments.all()) + kept)
        << r << ", size " << size;
  }
}

TEST_P(EngineMemory, IsReleased) {
  Recurrent r = GetParam();
  r.input_size = r.hidden_size = 256;
  run_fused(r, random_arguments(r, std::vector<std::int64_t>(8, 10)));
  EXPECT_GT(kernels::kept_memory(), 0U);
  engine::release_memory();
  EXPECT_EQ(kernels::kept_memory(), 0U);
}

TEST_P(EngineMemory, IsNotKeptForWeightsThatAreGone) {
  Recurrent r = GetParam();
  r.input_size = r.hidden_size = 128;
  std::int64_t before = 0;
  std::int64_t bytes = 0;  // of a network's weights
  for (int i = 0; i < 60; ++i) {
    if (i == 10) before = resident_kib();
    const auto arguments = random_arguments(r, {1});
    bytes = 0;
    for (const at::Tensor& weight : arguments.parameters) bytes += static_cast<std::int64_t>(weight.nbytes());
    engine::freeze(arguments.parameters);
    run_fused(r, arguments);
  }
  EXPECT_LT(1024 * (resident_kib() - before), 25 * bytes) << r;
}

}  // namespace
}  // namespace packseq::test
