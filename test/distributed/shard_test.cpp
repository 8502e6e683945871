#include "packseq/distributed/shard.hpp"

#include <gtest/gtest.h>
#include <torch/data/dataloader.h>
#include <torch/serialize.h>
#include <torch/types.h>

#include <algorithm>
#include <iostream>
#include <numeric>
#include <random>

#include "data/text_files.hpp"
#include "distributed/lengths.hpp"
#include "distributed/ranks.hpp"
#include "packseq/data/collate.hpp"
#include "support/throws.hpp"

namespace packseq::distributed {
namespace {

using data::BatchSampler;
using data::TextDocument;
using data::TextStream;

/// What is left of the epoch that runs.
template <class Sampler>
auto rest_of_epoch(Sampler sampler) {
  std::vector<typename Sampler::BatchRequestType> batches;
  while (auto batch = sampler.next()) batches.push_back(*std::move(batch));
  return batches;
}

/// The batches of a later epoch, or of the first.
template <class Sampler>
auto batches_of_epoch(Sampler sampler, int epoch) {
  for (int i = 0; i <= epoch; ++i) sampler.reset();
  return rest_of_epoch(sampler);
}

/// Whether a part has its documents in the order in which they are in the batch.
template <class Documents, class Name>
bool is_in_order(const Documents& part, const Documents& batch, const Name& name) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < batch.size() && found < part.size(); ++i) found += name(batch[i]) == name(part[found]);
  return found == part.size();
}

/// The parts of all ranks make up the global batches, each document in one of them.
template <class MakeSampler, class Name>
void expect_parts_of_batches(const MakeSampler& make, int epoch, std::int64_t ranks, const Name& name) {
  const auto batches = batches_of_epoch(make(), epoch);
  std::vector<std::vector<std::string>> joined(batches.size());
  for (std::int64_t rank = 0; rank < ranks; ++rank) {
    test::LonelyRank communicator(rank, ranks);
    const auto parts = batches_of_epoch(Shard(make(), communicator), epoch);
    ASSERT_EQ(parts.size(), batches.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      EXPECT_TRUE(is_in_order(parts[i].documents, batches[i], name));
      for (const auto& document : parts[i].documents) joined[i].push_back(name(document));
    }
  }
  for (std::size_t i = 0; i < batches.size(); ++i) {
    std::vector<std::string> whole;
    for (const auto& document : batches[i]) whole.push_back(name(document));
    EXPECT_THAT(joined[i], testing::UnorderedElementsAreArray(whole));
  }
}

/// The same in two epochs, for some numbers of ranks.
template <class MakeSampler, class Name>
void expect_parts_of_batches(const MakeSampler& make, const Name& name) {
  for (const int epoch : {0, 1}) {
    for (const std::int64_t ranks : {1, 2, 3, 50}) expect_parts_of_batches(make, epoch, ranks, name);
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
        [](const TextDocument& document) { return std::to_string(document.number); });
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

/// A document of so many words of 1 to 12 letters.
std::string random_text(std::mt19937& random, std::int64_t words) {
  std::string text;
  for (std::int64_t i = 0; i < words; ++i) text += std::string(1 + random() % 12, 'a') + ' ';
  return text;
}

TEST_F(ShardTextTest, BalancesTheTokensOfAStreamByItsBytes) {
  std::mt19937 random(1);
  std::string text;
  for (const auto length : test::log_normal_lengths(64 * 16)) text += random_text(random, length) + '\n';
  const auto path = file("text", text);
  std::vector<std::int64_t> tokens;
  for (std::int64_t rank = 0; rank < 16; ++rank) {
    test::LonelyRank communicator(rank, 16);
    Shard shard(TextStream({path}, {}, {.batch_size = 64 * 16}), communicator);
    tokens.push_back(0);
    const auto part = shard.next();
    for (const auto& document : part->documents) {
      tokens.back() += std::count(document.text.begin(), document.text.end(), ' ');
    }
  }
  const auto all = static_cast<double>(std::accumulate(tokens.begin(), tokens.end(), std::int64_t{0}));
  const double most = static_cast<double>(*std::max_element(tokens.begin(), tokens.end())) * 16 / all;
  std::cout << "max / mean tokens of 16 ranks, dealt by bytes: " << most << '\n';
  EXPECT_LE(most, 1.05);
}

template <class Loader>
void expect_one_batch_without_tokens(Loader& loader) {
  int batches = 0;
  for (const auto& batch : loader) {
    ++batches;
    EXPECT_EQ(batch.input.data().sizes(), at::IntArrayRef({0}));
    EXPECT_EQ(batch.target.template item<std::int64_t>(), data::ignored_label);
    EXPECT_EQ(batch.documents.template item<std::int64_t>(), -1);
  }
  EXPECT_EQ(batches, 1);
}

TEST(Shard, GivesARankWithoutDocumentsABatchWithoutTokens) {
  const data::Documents documents{{torch::tensor({1, 2}, torch::kLong), torch::tensor({3}, torch::kLong)},
                                  torch::tensor({0, 1}, torch::kLong)};
  for (const std::size_t workers : {0U, 2U}) {
    test::LonelyRank communicator(2, 3);
    const auto loader = torch::data::make_data_loader(
        data::DocumentDataset(documents).map(data::Pack()),
        Shard(BatchSampler(documents.sequences.lengths(), data::FixedSize{2}), communicator),
        torch::data::DataLoaderOptions().workers(workers));
    expect_one_batch_without_tokens(*loader);
  }
}

TEST_F(ShardTextTest, GivesARankWithoutTextABatchWithoutTokens) {
  const auto path = file("text", "a b\n");
  const data::TextReaderOptions text = {.label = data::LabelSource::file};
  test::LonelyRank communicator(1, 2);
  const auto loader = torch::data::make_data_loader(
      data::EncodeDataset(data::build_vocab({path}, text), data::build_labels({path}, text)).map(data::Pack()),
      Shard(TextStream({path}, text), communicator), torch::data::DataLoaderOptions().workers(2));
  expect_one_batch_without_tokens(*loader);
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
