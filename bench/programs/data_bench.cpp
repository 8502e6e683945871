// Batches of documents: how fast they are made, beside a network that reads them; of column files, beside plain text;
// how long it takes to deal very many documents to batches; and what spreading rows over a batch, sums and softmax take
// (spread_bench.hpp).

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>
#include <torch/data/dataloader.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include "contenders/measure.hpp"
#include "packseq/data/batch_sampler.hpp"
#include "packseq/data/collate.hpp"
#include "packseq/data/documents.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/sequence/encode.hpp"
#include "packseq/sequence/map.hpp"
#include "programs/english.hpp"
#include "programs/spread_bench.hpp"

namespace packseq::bench {
namespace {

constexpr std::size_t text_bytes = 512 << 10;
constexpr std::int64_t batch_size = 32;
constexpr std::int64_t network_size = 128;

void check(bool right, const std::string& problem) {
  if (!right) throw std::runtime_error("data_bench: " + problem);
}

/// Documents in memory to packed batches, as training takes them, without workers; and the fused engine's inference
/// over each of them, I = H = 128. Counters: tokens per second of both, and how many times as fast the batches are.
void make_and_run(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  at::set_num_threads(1);
  at::manual_seed(0);
  const auto text = english_like_documents(text_bytes);
  const data::Documents documents{encode(text, Vocab::build(text))};
  const auto all_tokens = documents.sequences.values().size(0);
  const data::BatchSampler sampler(documents.sequences.lengths(), data::Bucketed{.batch_size = batch_size});
  const auto loader = torch::data::make_data_loader(data::DocumentDataset(documents).map(data::Pack()), sampler,
                                                    torch::data::DataLoaderOptions());
  nn::LSTM lstm(torch::nn::LSTMOptions(network_size, network_size));
  const auto embedded = at::randn({all_tokens, network_size});

  const c10::InferenceMode guard;
  std::chrono::duration<double> making{0};
  std::chrono::duration<double> running{0};
  for (auto _ : state) {
    std::int64_t tokens = 0;
    auto start = Clock::now();
    for (const auto& batch : *loader) {
      const auto made = Clock::now();
      const auto size = batch.input.data().size(0);
      benchmark::DoNotOptimize(lstm->forward(with_data(batch.input, embedded.narrow(0, 0, size))));
      tokens += size;
      making += made - start;
      running += Clock::now() - made;
      start = Clock::now();
    }
    making += Clock::now() - start;
    check(tokens == all_tokens, "the batches of an epoch do not hold all tokens");
  }
  const auto tokens = static_cast<double>(state.iterations() * all_tokens);
  state.counters["batches_tokens_per_second"] = tokens / making.count();
  state.counters["network_tokens_per_second"] = tokens / running.count();
  state.counters["ratio"] = running / making;
}

/// Two files of the same text in a directory of their own: a document on each line; and its tokens, one on each line,
/// with columns as in CoNLL 2003.
class SameText {
 public:
  SameText() {
    std::filesystem::create_directory(directory_);
    std::ofstream of_documents(documents);
    std::ofstream of_tokens(tokens);
    for (const std::string& document : english_like_documents(text_bytes)) {
      of_documents << document << '\n';
      split_whitespace(document, [&](std::string_view word) {
        constexpr std::array labels = {"O", "O", "O", "O", "O", "O", "B-PER", "B-LOC"};
        of_tokens << word << " NN B-NP " << labels[std::hash<std::string_view>()(word) % labels.size()] << '\n';
      });
      of_tokens << '\n';
    }
    if (of_documents.flush() && of_tokens.flush()) return;
    std::filesystem::remove_all(directory_);
    throw std::runtime_error("data_bench: the files of " + directory_.string() + " cannot be written");
  }
  ~SameText() { std::filesystem::remove_all(directory_); }
  SameText(const SameText&) = delete;
  SameText& operator=(const SameText&) = delete;

 private:
  const std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("packseq_data_bench_" + std::to_string(getpid()));

 public:
  const std::filesystem::path documents = directory_ / "documents";
  const std::filesystem::path tokens = directory_ / "tokens";
};

/// A file to packed batches, as training takes them; how many tokens they hold.
std::int64_t read_and_pack(const std::filesystem::path& file, const data::TextReaderOptions& text, const Vocab& vocab,
                           const std::optional<Vocab>& labels) {
  const auto documents = data::read_documents({file}, text, vocab, labels);
  const data::BatchSampler sampler(documents.sequences.lengths(), data::Bucketed{.batch_size = batch_size});
  const auto loader = torch::data::make_data_loader(data::DocumentDataset(documents).map(data::Pack()), sampler,
                                                    torch::data::DataLoaderOptions());
  std::int64_t tokens = 0;
  for (const auto& batch : *loader) tokens += (labels ? batch.token_target : batch.input).data().size(0);
  return tokens;
}

/// A column file to packed batches of words and labels, in turns with plain documents of the same text to batches of
/// words. Counters: tokens per second of both, and their ratio.
void read_columns(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  at::set_num_threads(1);
  const SameText files;
  const data::TextReaderOptions columns{.token_columns = {{.word = 1, .label = 4}}};
  const auto vocab = data::build_vocab({files.documents}, {});
  const auto labels = data::build_labels({files.tokens}, columns);
  check(data::build_vocab({files.tokens}, columns).size() == vocab.size(), "the files hold different words");
  std::chrono::duration<double> of_documents{0};
  std::chrono::duration<double> of_columns{0};
  std::int64_t tokens = 0;
  for (auto _ : state) {
    const auto start = Clock::now();
    const auto words = read_and_pack(files.documents, {}, vocab, {});
    const auto middle = Clock::now();
    check(read_and_pack(files.tokens, columns, vocab, labels) == words, "the files hold different numbers of tokens");
    of_documents += middle - start;
    of_columns += Clock::now() - middle;
    tokens += words;
  }
  state.counters["documents_tokens_per_second"] = static_cast<double>(tokens) / of_documents.count();
  state.counters["columns_tokens_per_second"] = static_cast<double>(tokens) / of_columns.count();
  state.counters["ratio"] = of_documents / of_columns;
}

/// As many lengths as sentences might have: median 20, some of several hundreds.
at::Tensor many_lengths(std::int64_t documents) {
  at::manual_seed(0);
  return at::empty({documents}, at::kDouble).log_normal_(std::log(20), 0.6).round_().clamp_(1, 500).to(at::kLong);
}

/// Deals all documents to batches, once in each iteration.
void add_epoch(const std::string& name, const data::Batching& batching, std::int64_t documents) {
  const auto measure = [batching, documents](benchmark::State& state) {
    data::BatchSampler sampler(many_lengths(documents), batching);
    sampler.reset();  // that epoch was planned as the sampler was made; those below are planned while they are timed
    for (auto _ : state) {
      std::int64_t dealt = 0;
      sampler.reset();
      while (const auto batch = sampler.next()) dealt += static_cast<std::int64_t>(batch->size());
      check(dealt == documents, "an epoch does not deal each document once");
    }
    state.counters["fill"] = sampler.fill();
  };
  const auto full_name = "epoch/" + name + "/documents:" + std::to_string(documents);
  benchmark::RegisterBenchmark(full_name.c_str(), measure)->UseRealTime()->Unit(benchmark::kMillisecond);
}

void add_all() {
  benchmark::RegisterBenchmark("make_and_run/workers:0/I:128/H:128", make_and_run)
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("read_columns/workers:0", read_columns)->UseRealTime()->Unit(benchmark::kMillisecond);
  for (const std::int64_t documents : {10'000, 10'000'000}) {
    add_epoch("fixed", data::FixedSize{.batch_size = 64}, documents);
    add_epoch("bucketed", data::Bucketed{.batch_size = 64}, documents);
    add_epoch("token_budget", data::TokenBudget{.max_tokens = 2000}, documents);
    add_epoch("padded_budget", data::TokenBudget{.max_tokens = 2000, .count = data::TokenCount::padded}, documents);
  }
}

}  // namespace
}  // namespace packseq::bench

int main(int argc, char** argv) {
  packseq::bench::add_all();
  packseq::bench::add_spread_benchmarks();
  return packseq::bench::run_benchmarks(argc, argv);
}
