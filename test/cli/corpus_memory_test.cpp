#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <utility>

#include "cli/program.hpp"

namespace packseq::cli {
namespace {

using test::TemporaryDirectory;

/// A kibibyte is a kilobyte here, since Linux counts so.
std::int64_t largest_child() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_maxrss;
}

/// Lines of ten words, and of one letter, of which a string is mostly its own size.
TEST(Corpus, TakesAsMuchMemoryForALargeTextAsForASmallOne) {
  const TemporaryDirectory directory;
  const std::string command = "compare --embedding 2 --hidden 2 --batch 2 --max-batches 1 --repeats 1 ";
  std::string words;
  for (int word = 0; word < 100; ++word) words += fmt::format("word{}{}", word, word % 10 == 9 ? '\n' : ' ');
  std::string letters;
  for (int line = 0; line < 200; ++line) letters += "a\n";
  const std::string small = directory.write("small.txt", words);
  ASSERT_EQ(test::run_packseq(command + small).exit_code, 0);
  const std::int64_t before = largest_child();
  for (const auto& [text, times] : {std::pair(words, 120'000), std::pair(letters, 40'000)}) {
    const std::string large = directory.path() / "large.txt";
    std::ofstream file(large);
    for (int i = 0; i < times; ++i) file << text;
    file.close();
    ASSERT_EQ(test::run_packseq(command + large).exit_code, 0);
    EXPECT_LT(largest_child() - before, 48 << 10) << "of " << before;
  }
}

}  // namespace
}  // namespace packseq::cli
