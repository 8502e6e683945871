#include "packseq/data/documents.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "data/text_files.hpp"
#include "packseq/data/text_reader.hpp"
#include "support/sequences.hpp"

namespace packseq::data {
namespace {

const TextReaderOptions labeled{.label = LabelSource::column};
const Vocab closed = Vocab::build({"a a a b b c"}, {.specials = {}});
const Vocab two_labels = Vocab::build({"ham ham spam"}, {.specials = {}});

/// Documents of 0, 1, 2, ... tokens, of which the first says which document it is; labels are ten times that.
Documents numbered(std::int64_t count) {
  std::vector<at::Tensor> ids;
  for (std::int64_t i = 0; i < count; ++i) ids.push_back(torch::full({i}, i, torch::kLong));
  return {Jagged(ids), 10 * torch::arange(count, torch::kLong)};
}

class ReadDocumentsTest : public test::TextFilesTest {};

TEST_F(ReadDocumentsTest, EncodesTheDocumentsOfAllFiles) {
  const auto documents = read_documents({file("one", "ham\ta b\nspam\tc\n"), file("two", "ham\t\nspam\tb a\n")},
                                        labeled, closed, two_labels);
  EXPECT_SAME(documents.sequences.lengths(), torch::tensor({2, 1, 0, 2}, torch::kLong));
  EXPECT_SAME(documents.sequences.values(), torch::tensor({0, 1, 2, 1, 0}, torch::kLong));
  EXPECT_SAME(documents.labels, torch::tensor({0, 1, 0, 1}, torch::kLong));
}

TEST_F(ReadDocumentsTest, ReadsMoreThanOneBlock) {
  std::string text;
  for (int i = 0; i < 400'000; ++i) text += i % 3 == 0 ? "a b c\n" : "c\n";
  const auto documents = read_documents({file("text", text)}, {}, closed);
  EXPECT_EQ(documents.sequences.size(), 400'000);
  EXPECT_EQ(documents.sequences.values().size(0), 400'000 + 2 * 133'334);
  EXPECT_FALSE(documents.labels.defined());
}

TEST_F(ReadDocumentsTest, RefusesAWordOutsideTheVocabulary) {
  EXPECT_THROWS(read_documents({file("text", "a\n\nb x\n")}, {}, closed), c10::ValueError, "text, line 3");
  EXPECT_THROWS(read_documents({file("text", "a\n\nb x\n")}, {}, closed), c10::ValueError, "'x'");
  const auto open = Vocab::build({"a b"}, {.specials = {"<unk>"}, .unknown = "<unk>"});
  EXPECT_SAME(read_documents({directory_ / "text"}, {}, open).sequences.values(),
              torch::tensor({1, 2, 0}, torch::kLong));
}

TEST_F(ReadDocumentsTest, RefusesAnUnknownLabel) {
  const auto text = file("text", "ham\ta\neggs\tb\n");
  EXPECT_THROWS(read_documents({text}, labeled, closed, two_labels), c10::ValueError,
                "the label 'eggs' of the document in " + text.string() + ", line 2 is none of the 2 in labels");
  const auto open = Vocab::build({"ham"}, {.specials = {"other"}, .unknown = "other"});
  EXPECT_SAME(read_documents({text}, labeled, closed, open).labels, torch::tensor({1, 0}, torch::kLong));
}

TEST_F(ReadDocumentsTest, RefusesLabelsOnOneSideOnly) {
  const auto text = file("text", "ham\ta\n");
  EXPECT_THROWS(read_documents({text}, labeled, closed), c10::ValueError, "has the label 'ham', but labels is not set");
  EXPECT_THROWS(read_documents({file("plain", "a\n")}, {}, closed, two_labels), c10::ValueError,
                "plain, line 1 has no label");
}

TEST_F(ReadDocumentsTest, RefusesFilesWithoutDocuments) {
  EXPECT_THROWS(read_documents({file("text", "\n \n")}, {}, closed), c10::ValueError, "no document in 1 files");
}

TEST(Select, TakesDocumentsInTheOrderOfTheIndices) {
  const auto some = select(numbered(5), {4, 0, 2, 4});
  EXPECT_SAME(some.sequences.lengths(), torch::tensor({4, 0, 2, 4}, torch::kLong));
  EXPECT_SAME(some.sequences.values(), torch::tensor({4, 4, 4, 4, 2, 2, 4, 4, 4, 4}, torch::kLong));
  EXPECT_SAME(some.labels, torch::tensor({40, 0, 20, 40}, torch::kLong));
  EXPECT_SAME(some.documents, torch::tensor({4, 0, 2, 4}, torch::kLong));
  EXPECT_FALSE(select({numbered(3).sequences}, {1}).labels.defined());
}

TEST(Select, TakesValuesAndLabelsThatAreNotContiguous) {
  const auto apart = [](const at::Tensor& tensor) { return torch::stack({tensor, tensor + 1}, 1).select(1, 0); };
  const auto all = numbered(4);
  const Documents documents{Jagged::from_values(apart(all.sequences.values()), all.sequences.lengths()),
                            apart(all.labels)};
  for (const auto& some : {select(documents, {3, 1}), DocumentDataset(documents).get_batch({3, 1})}) {
    EXPECT_SAME(some.sequences.values(), torch::tensor({3, 3, 3, 1}, torch::kLong));
    EXPECT_SAME(some.labels, torch::tensor({30, 10}, torch::kLong));
  }
}

TEST(Select, RefusesIndicesOutOfRange) {
  EXPECT_THROWS(select(numbered(3), {}), c10::ValueError, "select: indices is empty");
  EXPECT_THROWS(select(numbered(3), {0, 3}), c10::IndexError, "indices[1] is 3, and must be in 0 ... 2");
}

/// `select` and `DocumentDataset` take the same documents.
void expect_refused(const Documents& documents, const std::string& text) {
  EXPECT_THROWS(select(documents, {0}), c10::Error, "select: " + text);
  EXPECT_THROWS(DocumentDataset{documents}, c10::Error, "DocumentDataset: " + text);
}

TEST(Select, RefusesPartsThatDoNotBelongTogether) {
  const auto sequences = numbered(3).sequences;  // of 0, 1 and 2 tokens
  const auto rows = [](std::int64_t count) { return torch::ones({count}); };
  expect_refused({sequences, rows(2)}, "labels has sizes [2], and must have 3 rows, one for each document");
  expect_refused({sequences, torch::ones({2, 3})}, "labels has sizes [2, 3], and must have 3 rows");
  expect_refused({sequences, torch::tensor(1)}, "labels is a scalar");
  expect_refused({sequences, torch::ones({3, 3}).to_sparse()}, "labels is a Sparse tensor, and must be a dense one");
  const auto with_token_labels = [&](const Jagged& labels) { return Documents{sequences, {}, labels}; };
  expect_refused(with_token_labels({rows(0), rows(1)}), "token_labels is of 2 documents, but sequences of 3");
  const auto with_feature = [&](const Jagged& feature) { return Documents{sequences, {}, {}, {sequences, feature}}; };
  expect_refused(with_feature({rows(3)}), "features[1] is of 1 documents, but sequences of 3");
  expect_refused({sequences, {}, {}, {}, rows(3)}, "documents is Float on cpu, and must be int64 (Long) on cpu");
  expect_refused({sequences, {}, {}, {}, torch::arange(2)}, "documents has sizes [2], and must have [3]");
}

TEST(Select, RefusesTokenLabelsAndFeaturesOfOtherLengths) {
  const auto sequences = numbered(3).sequences;
  const auto rows = [](std::int64_t count) { return torch::ones({count}); };
  const Jagged other = {rows(0), rows(2), rows(1)};
  const auto expect_one_refused = [](const Documents& documents, const std::string& name) {
    const std::string text = name + " has 2 rows for document 1, which has 1 tokens";
    EXPECT_THROWS(select(documents, {0, 1}), c10::ValueError, "select: " + text);
    EXPECT_THROWS(DocumentDataset{documents}, c10::ValueError, "DocumentDataset: " + text);
    EXPECT_EQ(select(documents, {0}).sequences.size(), 1);  // that one is right
  };
  expect_one_refused({sequences, {}, other}, "token_labels");
  expect_one_refused({sequences, {}, {}, {other}}, "features[0]");
}

TEST(Select, RefusesValuesThatWereResized) {
  const auto documents = numbered(3);
  documents.sequences.values().resize_({2});
  expect_refused(documents, "the values of sequences have 2 rows, and its lengths the sum 3");
}

TEST(Split, DealsEachDocumentToOnePart) {
  const auto all = numbered(50);
  const auto [first, second] = split(all, .7, 1);
  EXPECT_EQ(first.sequences.size(), 35);
  EXPECT_EQ(second.sequences.size(), 15);
  EXPECT_SAME(std::get<0>(torch::cat({first.labels, second.labels}).sort()), all.labels);
  // Each part in order, its documents with their labels.
  for (const auto& part : {first, second}) {
    EXPECT_SAME(std::get<0>(part.labels.sort()), part.labels);
    EXPECT_SAME(part.sequences.lengths() * 10, part.labels);
    EXPECT_SAME(part.sequences.lengths(), part.documents);
  }
}

TEST(Split, KeepsTheNumbersOfDocuments) {
  const auto part = split(split(numbered(50), .7, 1).first, .5, 2).second;
  EXPECT_SAME(part.documents * 10, part.labels);
  const auto batch = DocumentDataset(part).get_batch({16, 0});
  EXPECT_SAME(batch.documents, torch::tensor({16, 0}, torch::kLong));  // in the part
  EXPECT_SAME(part.documents.index_select(0, batch.documents) * 10, batch.labels);
}

TEST(Split, IsTheSameForASeed) {
  const auto all = numbered(50);
  const auto part = [&](std::uint64_t seed) { return split(all, .5, seed).first.labels; };
  EXPECT_SAME(part(1), part(1));
  EXPECT_FALSE(at::equal(part(1), part(2)));
  EXPECT_FALSE(at::equal(part(1), all.labels.slice(0, 0, 25)));
}

TEST(Split, RefusesAnEmptyPart) {
  EXPECT_THROWS(split(numbered(9), 1.5, 1), c10::ValueError, "split: fraction is 1.5, and must be in 0 ... 1");
  EXPECT_THROWS(split(numbered(9), std::nan(""), 1), c10::ValueError, "split: fraction is nan");
  EXPECT_THROWS(split(numbered(9), 1, 1), c10::ValueError, "which of 9 documents leaves one part empty");
  EXPECT_THROWS(split(numbered(9), .01, 1), c10::ValueError, "which of 9 documents leaves one part empty");
}

TEST(DocumentDataset, GivesBatchesOfItsDocuments) {
  DocumentDataset dataset(numbered(5));
  EXPECT_EQ(dataset.size(), 5U);
  const auto batch = dataset.get_batch({2, 1});
  EXPECT_SAME(batch.sequences.values(), torch::tensor({2, 2, 1}, torch::kLong));
  EXPECT_SAME(batch.labels, torch::tensor({20, 10}, torch::kLong));
  EXPECT_SAME(batch.documents, torch::tensor({2, 1}, torch::kLong));
  // Of a part of other documents, these are the places in the part.
  EXPECT_SAME(DocumentDataset(select(numbered(5), {4, 3})).get_batch({1}).documents, torch::tensor({1}, torch::kLong));
}

TEST(DocumentDataset, GivesForNoDocumentOneThatTeachesNothing) {
  auto documents = numbered(5);
  const auto batch = DocumentDataset(documents).get_batch({});
  EXPECT_SAME(batch.sequences.values(), torch::empty({0}, torch::kLong));
  EXPECT_SAME(batch.sequences.lengths(), torch::tensor({0}, torch::kLong));
  EXPECT_SAME(batch.labels, torch::tensor({ignored_label}, torch::kLong));
  EXPECT_SAME(batch.documents, torch::tensor({-1}, torch::kLong));
  documents.labels = torch::Tensor();
  EXPECT_FALSE(DocumentDataset(documents).get_batch({}).labels.defined());
}

}  // namespace
}  // namespace packseq::data
