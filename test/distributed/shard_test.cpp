#include "packseq/distributed/shard.hpp"

#include <gtest/gtest.h>
#include <torch/data/dataloader.h>
#include <torch/serialize.h>
#include <torch/types.h>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <random>

#include "data/text_files.hpp"
#include "distributed/deal.hpp"
#include "distributed/ranks.hpp"
#include "packseq/data/collate.hpp"
#include "support/throws.hpp"

namespace packseq::distributed {
namespace {

using data::BatchSampler;
using data::TextDocument;
using data::TextStream;

/// Lengths as texts have them: most documents short, a few very long.
std::vector<std::int64_t> log_normal_lengths(std::size_t documents) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal(std::log(39.), 0.9);
  std::vector<std::int64_t> lengths(documents);
  for (auto& length : lengths) length = 1 + static_cast<std::int64_t>(std::exp(normal(random)));
  return lengths;
}

/// The tokens of the rank that has most, over the mean.
double imbalance(const std::vector<std::int64_t>& lengths, const std::vector<std::int64_t>& rank_of,
                 std::int64_t ranks) {
  std::vector<std::int64_t> tokens(static_cast<std::size_t>(ranks));
  for (std::size_t i = 0; i < lengths.size(); ++i) tokens[static_cast<std::size_t>(rank_of[i])] += lengths[i];
  const auto all = std::accumulate(tokens.begin(), tokens.end(), std::int64_t{0});
  return static_cast<double>(*std::max_element(tokens.begin(), tokens.end()) * ranks) / static_cast<double>(all);
}

TEST(Deal, KeepsRanksAsBusyAsEachOther) {
  std::cout << "max / mean tokens of a rank     dealt by documents   by tokens   longest document\n";
  for (const std::int64_t per_rank : {16, 64}) {
    for (std::int64_t ranks = 2; ranks <= 1024; ranks *= 2) {
      const auto lengths = log_normal_lengths(static_cast<std::size_t>(ranks * per_rank));
      std::vector<std::int64_t> by_documents(lengths.size());
      for (std::size_t i = 0; i < lengths.size(); ++i) by_documents[i] = static_cast<std::int64_t>(i) % ranks;
      const double documents = imbalance(lengths, by_documents, ranks);
      const double tokens = imbalance(lengths, detail::deal(lengths, ranks), ranks);
      const double mean = static_cast<double>(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})) /
                          static_cast<double>(ranks);
      const double longest = static_cast<double>(*std::max_element(lengths.begin(), lengths.end())) / mean;
      std::cout << std::setw(5) << ranks << " ranks, " << per_rank << " documents each" << std::fixed
                << std::setprecision(3) << std::setw(15) << documents << std::setw(15) << tokens << std::setw(12)
                << longest << '\n';
      // No rank can have less than the longest document, which is not cut.
      EXPECT_LE(tokens, std::max(1.01, longest + 1e-9));
      EXPECT_LE(tokens, documents);
    }
  }
}

TEST(Deal, SpreadsDocumentsWithoutTokens) {
  EXPECT_EQ(detail::deal(std::vector<std::int64_t>{0, 0, 0, 0}, 3), (std::vector<std::int64_t>{0, 1, 2, 0}));
  EXPECT_EQ(detail::deal(std::vector<std::int64_t>{1, 5, 2, 2}, 2), (std::vector<std::int64_t>{1, 0, 1, 1}));
  EXPECT_EQ(detail::deal({}, 2), std::vector<std::int64_t>());
}

/// What is left of the epoch that runs.
template <class Sampler>
auto rest_of_epoch(Sampler sampler) {
  std::vector<typename Sampler::BatchRequestType> batches;
  while (auto batch = sampler.next()) batches.push_back(*std::move(batch));
  return batches;
}

/// The parts of all ranks make up the global batches, in their order.
template <class MakeSampler, class Name>
void expect_parts_of_batches(const MakeSampler& make, const Name& name) {
  for (const int epochs : {1, 2}) {
    auto sampler = make();
    for (int i = 0; i < epochs; ++i) sampler.reset();
    const auto batches = rest_of_epoch(sampler);
    for (const std::int64_t ranks : {1, 2, 3, 50}) {
      std::vector<std::vector<std::string>> joined(batches.size());
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        test::LonelyRank communicator(rank, ranks);
        Shard shard(make(), communicator);
        for (int i = 0; i < epochs; ++i) shard.reset();
        const auto parts = rest_of_epoch(shard);
        ASSERT_EQ(parts.size(), batches.size());
        for (std::size_t i = 0; i < parts.size(); ++i) {
          std::size_t place = 0;
          for (const auto& document : parts[i].documents) {
            joined[i].push_back(name(document));
            // What a rank has is in the order of the batch.
            while (place < batches[i].size() && name(batches[i][place]) != name(document)) ++place;
            EXPECT_LT(place, batches[i].size());
          }
        }
      }
      for (std::size_t i = 0; i < batches.size(); ++i) {
        std::vector<std::string> whole;
        for (const auto& document : batches[i]) whole.push_back(name(document));
        EXPECT_THAT(joined[i], testing::UnorderedElementsAreArray(whole));
      }
    }
  }
}

TEST(Shard, DealsTheBatchesOfEverySampler) {
  torch::manual_seed(1);
  const auto lengths = torch::randint(0, 30, {200}, torch::kLong);
  for (const data::Batching& batching :
       std::vector<data::Batching>{data::FixedSize{7}, data::Bucketed{7, 10}, data::TokenBudget{64},
                                   data::TokenBudget{.max_tokens = 64, .count = data::TokenCount::padded},
                                   data::TokenBudget{.max_tokens = 20, .longer_alone = true}}) {
    for (const std::int64_t start : {0, 3}) {
      expect_parts_of_batches(
          [&] { return BatchSampler(lengths, batching, {.seed = 1, .start = {.epoch = 2, .batches = start}}); },
          [](std::size_t document) { return std::to_string(document); });
    }
  }
}

class ShardTextTest : public test::TextFilesTest {};

TEST_F(ShardTextTest, DealsTheBatchesOfAStream) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::string(static_cast<std::size_t>(i * 7 % 31 + 1), 'a') + '\n';
  const auto path = file("text", text);
  for (const std::int64_t start : {0, 3}) {
    expect_parts_of_batches(
        [&] {
          return TextStream(
              {path}, {}, {.batch_size = 9, .shuffle_buffer = 30, .seed = 1, .start = {.epoch = 1, .batches = start}});
        },
        [](const TextDocument& document) { return std::to_string(document.line); });
  }
}

TEST_F(ShardTextTest, WeighsTextByItsBytesOrAsToldElse) {
  const auto path = file("text", "aaaaaa\nb c d\ne f\n");
  const auto lines_of_rank_0 = [&](const Shard<TextStream>::Tokens& tokens) {
    test::LonelyRank communicator(0, 2);
    Shard shard(TextStream({path}, {}, {.shuffle_buffer = 1}), communicator, tokens);
    std::vector<std::string> lines;
    const auto part = shard.next();
    for (const auto& document : part.value().documents) lines.push_back(document.text);
    return lines;
  };
  const auto words = [](const TextDocument& document) {
    return 1 + std::count(document.text.begin(), document.text.end(), ' ');
  };
  EXPECT_EQ(lines_of_rank_0({}), std::vector<std::string>{"aaaaaa"});
  EXPECT_EQ(lines_of_rank_0(words), std::vector<std::string>{"b c d"});
  EXPECT_THROWS(lines_of_rank_0([](const TextDocument&) { return -1; }), c10::ValueError,
                "text, line 1 is -1, and must");
}

TEST(Shard, GivesARankWithoutDocumentsABatchWithoutTokens) {
  const data::Documents documents{{torch::tensor({1, 2}, torch::kLong), torch::tensor({3}, torch::kLong)},
                                  torch::tensor({0, 1}, torch::kLong)};
  for (const std::size_t workers : {0U, 2U}) {
    test::LonelyRank communicator(2, 3);
    const auto loader =
        torch::data::make_data_loader(data::DocumentDataset(documents).map(data::Pack()),
                                      Shard(BatchSampler(documents.ids.lengths(), data::FixedSize{2}), communicator),
                                      torch::data::DataLoaderOptions().workers(workers));
    int batches = 0;
    for (const auto& batch : *loader) {
      ++batches;
      EXPECT_EQ(batch.input.data().sizes(), at::IntArrayRef({0}));
      EXPECT_EQ(batch.target.item<std::int64_t>(), data::ignored_label);
    }
    EXPECT_EQ(batches, 1);
  }
}

TEST_F(ShardTextTest, GivesARankWithoutTextABatchWithoutTokens) {
  const auto path = file("text", "a b\n");
  const data::TextReaderOptions text = {.label = data::LabelSource::file};
  test::LonelyRank communicator(1, 2);
  const auto loader = torch::data::make_data_loader(
      data::EncodeDataset(data::build_vocab({path}, text), data::build_labels({path}, text)).map(data::PackNextToken()),
      Shard(TextStream({path}, text), communicator), torch::data::DataLoaderOptions().workers(2));
  for (const auto& batch : *loader) EXPECT_EQ(batch.target.data().sizes(), at::IntArrayRef({0}));
}

TEST(Shard, RefusesRanksThatBeginWithOtherBatches) {
  const auto lengths = torch::tensor({3, 1, 2}, torch::kLong);
  const auto errors = [&](const auto& of_rank) {
    return test::run_ranks(3, [&](Communicator& communicator) {
      Shard shard(of_rank(communicator.rank()), communicator);
      for (int epoch = 0; epoch < 2; ++epoch) {
        shard.reset();
        while (shard.next()) continue;
      }
    });
  };
  const data::FixedSize one{1};
  EXPECT_THAT(errors([&](std::int64_t) { return BatchSampler(lengths, one); }), testing::Each(""));
  const std::string message = "Shard: the epoch begins with other documents on rank 2: ";
  const auto expect_refused = [&](const auto& of_rank) {
    EXPECT_THAT(errors(of_rank), testing::Each(testing::HasSubstr(message)));
  };
  expect_refused([&](std::int64_t rank) { return BatchSampler(lengths + rank / 2, one); });
  expect_refused([&](std::int64_t rank) { return BatchSampler(lengths, data::FixedSize{1 + rank / 2}); });
  expect_refused([&](std::int64_t rank) {
    return BatchSampler(lengths, one, {.start = {.batches = rank == 2 ? 3 : 0}});  // the epoch is over there
  });
}

TEST(Shard, CannotBeStored) {
  Alone alone;
  Shard shard(BatchSampler(torch::tensor({1}, torch::kLong), data::FixedSize{1}), alone);
  torch::serialize::OutputArchive archive;
  EXPECT_THROWS(shard.save(archive), c10::NotImplementedError, "BatchSampler: cannot be stored");
  torch::serialize::InputArchive stored;
  EXPECT_THROWS(shard.load(stored), c10::NotImplementedError, "BatchSampler: cannot be stored");
}

}  // namespace
}  // namespace packseq::distributed
