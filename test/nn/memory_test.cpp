// Training must not take more memory the longer it goes on, nor files of weights and of word vectors more than these.

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "packseq/engine/install.hpp"
#include "packseq/nn/crf.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/nn/safetensors.hpp"
#include "packseq/nn/state_dict.hpp"
#include "packseq/nn/vector_table.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"
#include "support/resident_memory.hpp"
#include "support/sequences.hpp"

namespace packseq::test {
namespace {

constexpr std::int64_t features = 4;

/// Between 1 and 8 documents of up to 40 tokens, none below `shortest`, the first one not empty.
PackedSequence random_batch(std::mt19937& random, std::int64_t shortest) {
  std::vector<at::Tensor> documents(std::uniform_int_distribution<std::size_t>(1, 8)(random));
  for (std::int64_t least = 1; at::Tensor & document : documents) {
    document = torch::rand({std::uniform_int_distribution<std::int64_t>(least, 40)(random), features});
    least = shortest;
  }
  return pack_sequence(documents);
}

/// Trains `lstm`, whose output for a batch is `output`, on 10,000 batches. Memory may grow in the first ones, until
/// LibTorch and the heap have what they keep; a megabyte more is 110 bytes for each later one.
void expect_flat_memory(torch::nn::Module& lstm, std::int64_t shortest,
                        const std::function<at::Tensor(const PackedSequence&)>& output) {
  std::mt19937 random(1);
  std::int64_t before = 0;
  for (int batch = 0; batch < 10'000; ++batch) {
    if (batch == 1'000) before = resident_kib();
    lstm.zero_grad();
    output(random_batch(random, shortest)).square().mean().backward();
    const at::NoGradGuard no_gradients;
    for (at::Tensor& parameter : lstm.parameters()) parameter.sub_(parameter.grad(), .01);
  }
  if (before == 0) GTEST_SKIP() << "the system does not tell how much memory a process holds";
  EXPECT_LT(resident_kib() - before, 1024) << "KiB more after 10,000 batches than after 1,000, " << before;
}

TEST(Memory, StaysFlatWhereOurModuleIsTrained) {
  nn::LSTM lstm(torch::nn::LSTMOptions(features, 8).num_layers(2).bidirectional(true));
  expect_flat_memory(*lstm, 0, [&](const auto& batch) { return lstm->forward(batch).output.data(); });
}

TEST(Memory, StaysFlatWhereLibTorchsModuleIsTrainedWithTheEngineInstalled) {
  const engine::InstallGuard guard;
  torch::nn::LSTM lstm(torch::nn::LSTMOptions(features, 8).num_layers(2).bidirectional(true));
  expect_flat_memory(*lstm, 1,
                     [&](const auto& batch) { return std::get<0>(lstm->forward_with_packed_input(batch)).data(); });
}

/// Passes of all kinds over batches of all sizes, some of weights that are frozen for this pass alone.
class Passes {
 public:
  void run(std::mt19937& random) {
    const auto batch = random_batch(random, 1);
    switch (std::uniform_int_distribution<int>(0, 3)(random)) {
      case 0: {
        const at::NoGradGuard no_gradients;
        frozen_->forward(batch);
        return;
      }
      case 1: {
        const at::NoGradGuard no_gradients;
        nn::LSTM gone(torch::nn::LSTMOptions(features, 16));
        gone->precision = engine::Precision::bfloat16;
        gone->freeze();
        gone->forward(batch);
        return;
      }
      case 2:
        std::get<0>(padded_->forward(std::get<0>(packseq::pad_packed_sequence(batch)))).sum().backward();
        return;
      default: {
        const auto best = crf_->decode(batch);
        crf_->log_likelihood(batch, best.tags).backward();
      }
    }
  }

 private:
  nn::LSTM frozen_ = [] {
    nn::LSTM lstm(torch::nn::LSTMOptions(features, 16).num_layers(2));
    lstm->freeze();
    return lstm;
  }();
  torch::nn::GRU padded_ = torch::nn::GRU(torch::nn::GRUOptions(features, 24).bidirectional(true));
  nn::CRF crf_ = nn::CRF(features);
};

/// They share the list of what passes have left, and each thread ends with some of it in its hands. What the heap keeps
/// for so many threads goes up and down by some megabytes; four that one kind of pass loses each time are more.
TEST(Memory, StaysFlatWhereThreadsRunPassesOfAllSizes) {
  constexpr int rounds = 50;
  constexpr int threads = 4;
  const engine::InstallGuard guard;
  std::vector<Passes> passes(threads);  // one for each, which have gradients
  std::int64_t before = 0;
  for (int round = 0; round < rounds; ++round) {
    if (round == rounds / 5) before = resident_kib();
    std::vector<std::thread> all;
    for (unsigned i = 0; i < threads; ++i) {
      all.emplace_back([&passes, i, round] {
        std::mt19937 random(static_cast<unsigned>(threads * round) + i);
        for (int pass = 0; pass < 50; ++pass) passes[i].run(random);
      });
    }
    for (std::thread& thread : all) thread.join();
  }
  if (before == 0) GTEST_SKIP() << "the system does not tell how much memory a process holds";
  EXPECT_LT(resident_kib() - before, 8 * 1024) << "KiB more after 10,000 passes than after 2,000, " << before;
}

TEST(Memory, HoldsOfAFileOfWeightsTheWeightsAndLittleMore) {
  constexpr std::int64_t tensors = 2;
  constexpr std::int64_t kib_of_each = 36 * 1024;  // so much is never taken from what the heap has kept
  constexpr std::int64_t little = 1024;
  const auto file = std::filesystem::path(::testing::TempDir()) / "packseq_memory_weights";
  nn::StateDict state;
  for (std::int64_t i = 0; i < tensors; ++i) state.insert(std::to_string(i), at::rand(kib_of_each * 256));
  const auto expect_reading_takes_them = [&file] {
    nn::StateDict read;
    const auto peak = peak_kib([&] { read = nn::read_state_dict(file); });
    EXPECT_LT(*peak, tensors * kib_of_each + little);
    EXPECT_GT(*peak, tensors * kib_of_each - little);
  };
  const auto write_torch = peak_kib([&] { nn::write_state_dict(file, state); });
  if (!write_torch) GTEST_SKIP() << "the system does not tell how much memory a process held";
  EXPECT_LT(*write_torch, little);
  expect_reading_takes_them();
  EXPECT_LT(*peak_kib([&] { nn::write_safetensors(file, state); }), little);
  expect_reading_takes_them();
  std::filesystem::remove(file);
}

// Half of the words are in the file, which is as large as the table in binary, and half as large in text.
TEST(Memory, HoldsOfAFileOfWordVectorsTheTableAndABlock) {
  constexpr std::int64_t dimension = 1024;
  constexpr std::int64_t kib_of_table = 64 * 1024;        // and a row has 4
  constexpr std::int64_t most = kib_of_table + 6 * 1024;  // the first block, and 16,384 words
  const auto file = std::filesystem::path(::testing::TempDir()) / "packseq_memory_vectors";
  std::vector<std::string> words;
  for (std::int64_t i = 0; i < kib_of_table / 4; ++i) words.push_back(std::to_string(i).append("th"));
  const auto vocab = Vocab::build(words, {.specials = {}});
  for (const bool is_binary : {false, true}) {
    std::ofstream stream(file, std::ios::binary);
    std::string numbers;
    for (std::int64_t i = 0; i < dimension; ++i) numbers += is_binary ? std::string("\0\0\x80\x3F", 4) : " 1";
    if (is_binary) stream << words.size() << ' ' << dimension << '\n';
    for (std::size_t i = 0; i < words.size(); ++i) {
      stream << words[i] << (i % 2 == 0 ? "" : "x") << (is_binary ? " " : "") << numbers << (is_binary ? "" : "\n");
    }
    stream.close();
    for (const auto missing : {nn::Missing::zeros, nn::Missing::normal}) {
      nn::VectorTable table;
      const auto peak = peak_kib([&] {
        WordVectorReader vectors(file);
        table = nn::read_vector_table(vectors, vocab, {.missing = missing});
      });
      EXPECT_EQ(2 * table.found_exactly, vocab.size());
      if (!peak) GTEST_SKIP() << "the system does not tell how much memory a process held";
      EXPECT_LT(*peak, most);
    }
  }
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace packseq::test
