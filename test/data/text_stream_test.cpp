#include "packseq/data/text_stream.hpp"

#include <gtest/gtest.h>
#include <torch/serialize.h>
#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/text_files.hpp"
#include "support/sequences.hpp"

namespace packseq::data {
namespace {

using TextBatches = std::vector<std::vector<std::string>>;

class TextStreamTest : public test::TextFilesTest {
 protected:
  void SetUp() override {
    TextFilesTest::SetUp();
    numbers_ = {file("first", lines(0, 30)), file("second", lines(30, 50))};
  }

  static std::string lines(int begin, int end) {
    std::string text;
    for (int i = begin; i < end; ++i) text += std::to_string(i) + '\n';
    return text;
  }

  static TextBatches next_epoch(TextStream& stream) {
    stream.reset();
    TextBatches batches;
    while (const auto documents = stream.next()) {
      batches.emplace_back();
      for (const auto& document : *documents) batches.back().push_back(document.text);
    }
    return batches;
  }

  TextBatches first_epoch(const TextStreamOptions& options) const {
    TextStream stream(numbers_, {}, options);
    return next_epoch(stream);
  }

  static std::vector<int> in_order(const TextBatches& batches) {
    std::vector<int> all;
    for (const auto& batch : batches) {
      for (const auto& text : batch) all.push_back(std::stoi(text));
    }
    return all;
  }

  /// Two files of 30 and 20 documents, each of them its number.
  std::vector<std::filesystem::path> numbers_;
};

TEST_F(TextStreamTest, ReadsEveryDocumentOnceInAnEpoch) {
  std::vector<int> expected(50);
  for (int i = 0; i < 50; ++i) expected[static_cast<std::size_t>(i)] = i;
  for (const std::int64_t buffer : {1, 2, 7, 50, 10'000}) {
    TextStream stream(numbers_, {}, {.batch_size = 8, .shuffle_buffer = buffer});
    for (int epoch = 0; epoch < 3; ++epoch) {
      const auto batches = next_epoch(stream);
      ASSERT_EQ(batches.size(), 7U);
      for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(batches[i].size(), i < 6 ? 8U : 2U);
      auto documents = in_order(batches);
      EXPECT_EQ(documents == expected, buffer == 1);
      std::sort(documents.begin(), documents.end());
      EXPECT_EQ(documents, expected);
    }
  }
}

TEST_F(TextStreamTest, NoDocumentComesBeforeItIsInTheBuffer) {
  const auto documents = in_order(first_epoch({.shuffle_buffer = 5}));
  for (std::size_t place = 0; place < documents.size(); ++place) {
    EXPECT_LT(documents[place], static_cast<int>(place) + 5);
  }
}

TEST_F(TextStreamTest, OrderDependsOnSeedAndEpochAlone) {
  TextStream stream(numbers_, {}, {.seed = 1});
  TextStream same(numbers_, {}, {.seed = 1});
  const auto first = next_epoch(stream);
  EXPECT_EQ(next_epoch(same), first);
  EXPECT_NE(first_epoch({.seed = 2}), first);
  const auto second = next_epoch(stream);
  EXPECT_NE(second, first);
  EXPECT_EQ(next_epoch(same), second);
  EXPECT_EQ(first_epoch({.seed = 1, .start = {.epoch = 1}}), second);
}

TEST_F(TextStreamTest, GoesOnWhereTrainingWasInterrupted) {
  const TextStreamOptions options{.batch_size = 8, .shuffle_buffer = 9, .seed = 4};
  TextStream whole(numbers_, {}, options);
  next_epoch(whole);
  const auto second = next_epoch(whole);
  const auto third = next_epoch(whole);
  for (std::int64_t done = 0; done <= 7; ++done) {
    auto from = options;
    from.start = {1, done};
    TextStream resumed(numbers_, {}, from);
    EXPECT_EQ(next_epoch(resumed), TextBatches(second.begin() + done, second.end()));
    EXPECT_EQ(next_epoch(resumed), third);
  }
}

/// Each document is its number.
TEST_F(TextStreamTest, NumbersTheDocumentsOfAllFiles) {
  for (const std::int64_t done : {0, 3}) {
    TextStream stream(numbers_, {}, {.batch_size = 8, .shuffle_buffer = 9, .start = {1, done}});
    for (int epoch = 0; epoch < 2; ++epoch) {
      stream.reset();
      while (const auto documents = stream.next()) {
        for (const auto& document : *documents) EXPECT_EQ(std::to_string(document.number), document.text);
      }
    }
  }
}

TEST_F(TextStreamTest, RefusesFilesWithoutDocuments) {
  TextStream stream({file("empty", ""), file("blank", " \n\n")}, {});
  EXPECT_THROWS(stream.reset(), c10::ValueError, "there is no document in the files");
  EXPECT_THROWS(stream.next(), c10::ValueError, "there is no document in the files");
}

TEST_F(TextStreamTest, RefusesOptionsOutOfRange) {
  const auto expect_refused = [&](const TextStreamOptions& options, const std::string& text) {
    EXPECT_THROWS(TextStream(numbers_, {}, options), c10::ValueError, "TextStream: " + text);
  };
  expect_refused({.batch_size = 0}, "batch_size is 0, and must be at least 1");
  expect_refused({.shuffle_buffer = 0}, "shuffle_buffer is 0");
  expect_refused({.start = {-1, 0}}, "start.epoch is -1");
  expect_refused({.start = {0, -1}}, "start.batches is -1");
  EXPECT_THROWS(TextStream({}, {}), std::invalid_argument, "files is empty");
}

TEST_F(TextStreamTest, RefusesAStartBeyondItsEpoch) {
  TextStream stream(numbers_, {}, {.batch_size = 8, .start = {2, 8}});
  EXPECT_THROWS(stream.reset(), c10::ValueError, "start.batches is 8, but epoch 2 has 7 batches");
}

TEST_F(TextStreamTest, RefusesALoaderThatMakesBatches) {
  TextStream stream(numbers_, {});
  EXPECT_THROWS(stream.next(2), c10::ValueError, "batch_size is 2, and must be left at 1");
  EXPECT_THROWS(stream.reset(3), c10::ValueError, "new_size is 3");
}

TEST_F(TextStreamTest, RefusesToBeStored) {
  TextStream stream(numbers_, {});
  torch::serialize::OutputArchive out;
  torch::serialize::InputArchive in;
  EXPECT_THROWS(stream.save(out), c10::NotImplementedError, "packseq::data::Checkpoint");
  EXPECT_THROWS(stream.load(in), c10::NotImplementedError, "packseq::data::Checkpoint");
}

TEST_F(TextStreamTest, PassesTheReadersErrorsOn) {
  TextStream stream(numbers_, {}, {.batch_size = 5, .shuffle_buffer = 1});
  ASSERT_TRUE(stream.next());
  std::filesystem::remove(numbers_[1]);
  EXPECT_THROWS(while (stream.next()){}, std::runtime_error, "second: is gone since the reader was made");
}

TEST(EncodeDataset, EncodesDocumentsAndLabels) {
  const auto vocab = Vocab::build({"a a b"}, {.specials = {}});
  EncodeDataset dataset(vocab, Vocab::build({"ham ham spam"}, {.specials = {}}));
  const auto batch = dataset.get_batch({{.text = "b a", .label = "spam"}, {.text = "", .label = "ham"}});
  EXPECT_SAME(batch.sequences.values(), torch::tensor({1, 0}, torch::kLong));
  EXPECT_SAME(batch.sequences.lengths(), torch::tensor({2, 0}, torch::kLong));
  EXPECT_SAME(batch.labels, torch::tensor({1, 0}, torch::kLong));
  EXPECT_FALSE(batch.documents.defined());  // of no file
  const std::vector<TextDocument> seventh = {{.text = "a", .label = "ham", .number = 7}};
  EXPECT_SAME(dataset.get_batch(seventh).documents, torch::tensor({7}, torch::kLong));
  EXPECT_FALSE(dataset.size());
}

TEST(EncodeDataset, GivesForNoDocumentOneThatTeachesNothing) {
  const auto vocab = Vocab::build({"a"}, {.specials = {}});
  EXPECT_FALSE(EncodeDataset(vocab).get_batch({}).labels.defined());
  const auto batch = EncodeDataset(vocab, vocab).get_batch({});
  EXPECT_SAME(batch.sequences.values(), torch::empty({0}, torch::kLong));
  EXPECT_SAME(batch.sequences.lengths(), torch::tensor({0}, torch::kLong));
  EXPECT_SAME(batch.labels, torch::tensor({ignored_label}, torch::kLong));
  EXPECT_SAME(batch.documents, torch::tensor({-1}, torch::kLong));
}

TEST(EncodeDataset, RefusesWhatHasNoId) {
  EncodeDataset dataset(Vocab::build({"a"}, {.specials = {}}));
  EXPECT_THROWS(dataset.get_batch({{.text = "a"}, {.text = "b"}}), c10::ValueError, "documents[1]");
  const auto file = std::make_shared<const std::string>("notes.txt");
  EXPECT_THROWS(dataset.get_batch({{.text = "b", .label = "", .file = file, .line = 3}}), c10::ValueError,
                "notes.txt, line 3");
}

}  // namespace
}  // namespace packseq::data
