#include "cli/corpus.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/program.hpp"

namespace packseq::cli {
namespace {

using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::Pair;

Corpus read(const std::vector<std::string>& files, const TextOptions& text, const SampleOptions& sample) {
  return read_corpus({files.begin(), files.end()}, text, sample, [](const std::string&) {});
}

TEST(Corpus, KnowsAllDocumentsAndHoldsThoseThatAreRun) {
  const TemporaryDirectory directory;
  const std::string first = directory.write("a.txt", "b c b\n\nb\n");
  const std::string second = directory.write("b.txt", "d\nb e f\n");
  const Corpus corpus = read({first, second}, {}, {.order = Order::as_is, .documents = 3});
  EXPECT_THAT(corpus.lengths.counts(), ElementsAre(Pair(1, 2), Pair(3, 2)));
  EXPECT_EQ(corpus.lengths.documents(), 4);
  EXPECT_EQ(corpus.lengths.tokens(), 8);
  EXPECT_EQ(corpus.distinct_tokens, 5);
  EXPECT_EQ(corpus.vocab_size, 6);
  EXPECT_TRUE(at::equal(corpus.ids.values(), at::tensor({1, 2, 1, 1, 3})));
  EXPECT_TRUE(at::equal(corpus.ids.lengths(), at::tensor({3, 1, 1})));
  EXPECT_EQ(corpus.name(0), "document 1 (" + first + ", line 1)");
  EXPECT_EQ(corpus.name(2), "document 3 (" + second + ", line 1)");
}

TEST(Corpus, NamesDocumentsByTheirPlaceInTheText) {
  const TemporaryDirectory directory;
  std::string text;
  for (int line = 1; line <= 500; ++line) text += fmt::format("w{}\n", line);
  const std::string file = directory.write("text.txt", text);
  const Corpus corpus = read({file}, {}, {.order = Order::shuffled, .documents = 7});
  EXPECT_EQ(corpus.ids.size(), 7);
  for (std::int64_t document = 0; document < 7; ++document) {
    const std::int64_t line = corpus.ids[document].item<std::int64_t>();  // ids are given in order of appearance
    EXPECT_EQ(corpus.name(document), fmt::format("document {0} ({1}, line {0})", line, file));
  }
}

TEST(Corpus, CountsTheWordThatStandsForPadding) {
  const TemporaryDirectory directory;
  EXPECT_EQ(read({directory.write("a.txt", "a <pad>\nb\n")}, {}, {}).distinct_tokens, 3);
  EXPECT_EQ(read({directory.write("a.txt", "a\nb\n")}, {}, {}).distinct_tokens, 2);
}

TEST(Corpus, SortsWhatIsRunStably) {
  const TemporaryDirectory directory;
  const Corpus corpus =
      read({directory.write("a.txt", "a\nb b\nc\nd d\n")}, {}, {.order = Order::as_is, .documents = 4});
  EXPECT_THAT(in_order(corpus), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(longest_first(corpus), ElementsAre(1, 3, 0, 2));
  const Corpus alike =
      read({directory.write("b.txt", "b a\nb b\nb\na\n")}, {}, {.order = Order::as_is, .documents = 4});
  EXPECT_THAT(by_text(alike), ElementsAre(2, 1, 0, 3));  // b, the most frequent word, comes first
}

}  // namespace
}  // namespace packseq::cli
