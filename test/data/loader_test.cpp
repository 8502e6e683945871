// Samplers and datasets in LibTorch's data loader, without and with background workers.

#include <gtest/gtest.h>
#include <torch/data/dataloader.h>
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "data/text_files.hpp"
#include "packseq/data/batch_sampler.hpp"
#include "packseq/data/collate.hpp"
#include "packseq/data/documents.hpp"
#include "packseq/data/text_stream.hpp"
#include "support/sequences.hpp"

namespace packseq::data {
namespace {

/// Documents of 0 to 12 tokens, with labels.
Documents documents() {
  torch::manual_seed(1);
  const auto lengths = torch::randint(0, 13, {200}, torch::kLong);
  const auto ids = torch::randint(0, 100, {lengths.sum().item<std::int64_t>()}, torch::kLong);
  return {Jagged::from_values(ids, lengths), torch::arange(200, torch::kLong)};
}

/// The batches of some epochs, end to end.
template <class Loader>
std::vector<PackedBatch> batches_of(Loader& loader, int epochs = 2) {
  std::vector<PackedBatch> batches;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (const auto& batch : loader) batches.push_back(batch);
  }
  return batches;
}

void expect_same(const std::vector<PackedBatch>& actual, const std::vector<PackedBatch>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_SAME(actual[i].input.data(), expected[i].input.data());
    EXPECT_SAME(actual[i].input.batch_sizes(), expected[i].input.batch_sizes());
    EXPECT_SAME(actual[i].target, expected[i].target);
    EXPECT_SAME(actual[i].documents, expected[i].documents);
  }
}

TEST(Loader, WorkersChangeNothing) {
  const auto all = documents();
  for (const Batching& batching : {Batching(FixedSize{7}), Batching(Bucketed{7, 3}), Batching(TokenBudget{40})}) {
    const auto batches = [&](std::size_t workers) {
      auto loader = torch::data::make_data_loader(DocumentDataset(all).map(Pack()),
                                                  BatchSampler(all.sequences.lengths(), batching, {.seed = 2}),
                                                  torch::data::DataLoaderOptions().workers(workers));
      return batches_of(*loader);
    };
    const auto alone = batches(0);
    expect_same(batches(1), alone);
    expect_same(batches(2), alone);

    // And they are those of the sampler.
    BatchSampler sampler(all.sequences.lengths(), batching, {.seed = 2});
    for (std::size_t i = 0; const auto batch = sampler.next(); ++i) {
      const auto some = select(all, *batch);
      EXPECT_SAME(alone[i].target, some.labels);
      EXPECT_SAME(alone[i].documents, some.documents);
      EXPECT_SAME(alone[i].input.data(), pack_sequence(some.sequences).data());
    }
  }
}

TEST(Loader, CopiesOfADatasetShareTheDocuments) {
  const auto all = documents();
  const DocumentDataset dataset(all);
  const auto count = all.sequences.values().use_count();
  const std::vector<DocumentDataset> copies(4, dataset);
  EXPECT_EQ(all.sequences.values().use_count(), count);
  all.sequences.values().fill_(7);  // in place: every copy sees it
  for (auto copy : copies) EXPECT_TRUE(copy.get_batch({0, 1, 199}).sequences.values().eq(7).all().item<bool>());
}

/// A place in training that is rebuilt gives what the uninterrupted run would, however far its workers had fetched.
TEST(Loader, GoesOnWhereTrainingWasInterrupted) {
  const auto all = documents();
  const auto batches = [&](const Position& start, std::size_t workers, int epochs) {
    auto loader = torch::data::make_data_loader(DocumentDataset(all).map(Pack()),
                                                BatchSampler(all.sequences.lengths(), Bucketed{7, 3}, {.start = start}),
                                                torch::data::DataLoaderOptions().workers(workers));
    return batches_of(*loader, epochs);
  };
  const auto whole = batches({}, 2, 2);
  for (const std::size_t workers : {0U, 2U}) {
    expect_same(batches({0, 5}, workers, 2), {whole.begin() + 5, whole.end()});
    expect_same(batches({1, 28}, workers, 1), {whole.end() - 1, whole.end()});
    EXPECT_TRUE(batches({1, 29}, workers, 1).empty());
  }
}

class LoaderTest : public test::TextFilesTest {
 protected:
  /// A file of forty documents, of which this is the last.
  std::filesystem::path text(const std::string& last) const {
    std::string lines;
    for (int i = 1; i < 40; ++i) lines += "ham\ta b a\n";
    return file("text", lines + "spam\t" + last + '\n');
  }

  static auto loader(const std::filesystem::path& text, std::size_t workers) {
    return torch::data::make_data_loader(
        EncodeDataset(Vocab::build({"a a b"}, {.specials = {}}), Vocab::build({"ham ham spam"}, {.specials = {}}))
            .map(Pack()),
        TextStream({text}, {.label = LabelSource::column}, {.batch_size = 3, .shuffle_buffer = 10}),
        torch::data::DataLoaderOptions().workers(workers));
  }
};

TEST_F(LoaderTest, StreamsTheSameWithWorkers) {
  const auto alone = batches_of(*loader(text("b"), 0));
  EXPECT_EQ(alone.size(), 28U);
  // The last document of the file is the only one whose label is 1.
  for (const auto& batch : alone) EXPECT_TRUE(at::equal(batch.documents.eq(39), batch.target.eq(1)));
  expect_same(batches_of(*loader(text("b"), 2)), alone);
}

TEST_F(LoaderTest, AnErrorInAWorkerReachesTheCaller) {
  const auto path = text("unheard");
  EXPECT_THROWS(batches_of(*loader(path, 0)), c10::ValueError, "text, line 40");
  EXPECT_THROWS(batches_of(*loader(path, 2)), torch::data::WorkerException, "text, line 40");
}

TEST_F(LoaderTest, AnErrorInReadingReachesTheCaller) {
  for (const std::size_t workers : {0U, 2U}) {
    const auto path = text("b");
    auto batches = loader(path, workers);
    std::filesystem::remove(path);
    EXPECT_THROWS(batches->begin(), std::runtime_error, "text: is gone");
  }
}

}  // namespace
}  // namespace packseq::data
