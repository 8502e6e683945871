#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

#include "kernels/arena.hpp"
#include "kernels/crf_batch.hpp"
#include "kernels/two_directions.hpp"

// A pass that finds no memory ends with an exception, wherever that is, and nobody waits for it: all that it needs is
// taken before its workers begin.

namespace {

thread_local bool may_allocate = true;
constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
thread_local std::size_t allocations_left = unlimited;

void* allocate(std::size_t size, std::size_t alignment) {
  if (!may_allocate || allocations_left == 0) throw std::bad_alloc();
  --allocations_left;
  void* memory = nullptr;
  if (posix_memalign(&memory, std::max(alignment, sizeof(void*)), size) != 0) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace packseq::kernels {
namespace {

/// As `on_threads`, whose own allocations do not count; those of the work fail.
void without_memory(std::size_t parts, const Work& work) {
  const std::size_t left = std::exchange(allocations_left, unlimited);
  on_threads(parts, [&](std::size_t begin, std::size_t end) {
    may_allocate = false;
    work(begin, end);
    may_allocate = true;
  });
  allocations_left = left;
}

const Sizes small = {.hidden = 21, .projection = 9};

/// Whether so many allocations are enough.
bool runs_with(std::size_t allocations, TwoDirections<float>& layer) {
  allocations_left = allocations;
  bool has_run = true;
  try {
    layer.run_on(2, without_memory);
  } catch (const std::bad_alloc&) {
    has_run = false;
  }
  allocations_left = unlimited;
  return has_run;
}

TEST(NoMemory, IsWhatWorkersGetAlongWith) {
  for (const Case& of : cases_of_both_precisions()) {
    for (const std::size_t threads : {1U, 2U, 4U}) {
      TwoDirections<float> layer(of, small);
      layer.run_on(threads, without_memory);
    }
  }
}

TEST(NoMemory, IsWhatWorkersOfACrfGetAlongWith) {
  for (const std::size_t threads : {1U, 2U, 4U}) {
    CrfBatch<float> batch({.tags = 9, .lengths = std::vector<std::size_t>(50, 20), .scale = 60});
    batch.run_on(threads, without_memory);
    EXPECT_FALSE(batch.results().empty());
  }
}

TEST(NoMemory, EndsAPassWhereverItIs) {
  for (const Case& of : cases_of_both_precisions()) {
    TwoDirections<float> expected(of, small);
    expected.run_on(2);
    release_memory();
    for (std::size_t place = 0;; ++place) {
      TwoDirections<float> layer(of, small);
      if (runs_with(place, layer)) {
        EXPECT_EQ(layer.results(), expected.results()) << of;
        EXPECT_GT(place, 10U);
        break;
      }
      release_memory();
    }
  }
}

TEST(NoMemory, IsLeftBehindByAnExecutorThatFails) {
  const Case of = {.shared = true};
  for (std::size_t calls = 0;; ++calls) {
    std::size_t left = calls;
    TwoDirections<float> layer(of, small);
    try {
      layer.run_on(2, [&](std::size_t parts, const Work& work) {
        if (left-- == 0) throw std::runtime_error("no threads");
        on_threads(parts, work);
      });
      EXPECT_GT(calls, 4U);
      return;
    } catch (const std::runtime_error&) {
    }
    EXPECT_GT(kept_memory(), 0U);
  }
}

}  // namespace
}  // namespace packseq::kernels
