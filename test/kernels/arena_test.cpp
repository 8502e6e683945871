#include "kernels/arena.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "support/forked.hpp"

namespace packseq::kernels {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

class ArenaTest : public testing::Test {
 protected:
  void SetUp() override { release_memory(); }
  void TearDown() override { release_memory(); }
};

/// A pass that takes some pieces, and writes in all of them.
void run_pass(const std::vector<std::size_t>& sizes) {
  Arena arena;
  std::vector<std::byte*> pieces;
  for (const std::size_t size : sizes) {
    pieces.push_back(arena.take<std::byte>(size));
    std::fill_n(pieces.back(), size, static_cast<std::byte>(pieces.size()));
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    for (std::size_t at = 0; at < sizes[i]; ++at) ASSERT_EQ(pieces[i][at], static_cast<std::byte>(i + 1));
  }
}

TEST_F(ArenaTest, GivesPiecesThatAreApartAndAligned) {
  run_pass({1, 100, 0, mebibyte, 3, 5 * mebibyte, 64});
  Arena arena;
  for (const std::size_t size : {1U, 65U, 128U, 1U}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(arena.take<std::byte>(size)) % 64, 0U);
  }
}

TEST_F(ArenaTest, IsThereForTheNextPass) {
  EXPECT_EQ(kept_memory(), 0U);
  run_pass({mebibyte, 2 * mebibyte});
  EXPECT_EQ(kept_memory(), 3 * mebibyte);
  const std::byte* first = nullptr;
  for (int pass = 0; pass < 3; ++pass) {
    Arena arena;
    EXPECT_EQ(kept_memory(), 0U);
    const std::byte* const piece = arena.take<std::byte>(mebibyte);
    if (pass == 0) first = piece;
    EXPECT_EQ(piece, first);
    EXPECT_EQ(arena.take<std::byte>(2 * mebibyte), first + mebibyte);
  }
}

TEST_F(ArenaTest, KeepsAtMostTwiceWhatTheLargestPassTook) {
  std::vector<std::unique_ptr<Arena>> passes;
  for (int pass = 0; pass < 10; ++pass) {
    passes.push_back(std::make_unique<Arena>());
    passes.back()->take<std::byte>(mebibyte);
  }
  passes.clear();
  EXPECT_EQ(kept_memory(), 2 * mebibyte);
  run_pass({10 * mebibyte});
  EXPECT_GE(kept_memory(), 10 * mebibyte);
  EXPECT_LE(kept_memory(), 20 * mebibyte);
  release_memory();
  EXPECT_EQ(kept_memory(), 0U);
  run_pass({mebibyte});
  EXPECT_EQ(kept_memory(), mebibyte);
}

TEST_F(ArenaTest, ServesManyThreads) {
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < 8; ++thread) {
    threads.emplace_back([thread] {
      for (std::size_t pass = 0; pass < 50; ++pass) run_pass({thread * 1000 + pass, 5000, pass * 100});
    });
  }
  threads.emplace_back([] {
    for (int i = 0; i < 100; ++i) release_memory();
  });
  for (auto& thread : threads) thread.join();
  EXPECT_LE(kept_memory(), 2 * (8000 + 50 + 5000 + 5000 + 3 * 64));
}

TEST_F(ArenaTest, ServesAProcessThatWasForkedMeanwhile) {
  // The list's lock is held most of the time.
  test::expect_forks_end(
      50, [] { kept_memory(); }, [] { Arena().take<std::byte>(1000); });
}

}  // namespace
}  // namespace packseq::kernels
