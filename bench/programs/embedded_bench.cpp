// Embedding and network over batches of real text: padded and packed in LibTorch, in the fused engine, and with each
// distinct word multiplied once, in a batch or, frozen, for good; these also with products of bfloat16. Texts are
// files, a document a line. One more is made here, of documents that begin alike: with each beginning computed once.

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "contenders/measure.hpp"
#include "packseq/cost/network_cost.hpp"
#include "packseq/cost/shared_steps.hpp"
#include "packseq/data/batch_sampler.hpp"
#include "packseq/data/documents.hpp"
#include "packseq/data/text_reader.hpp"
#include "packseq/nn/embedded.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"
#include "programs/process_memory.hpp"

namespace packseq::bench {
namespace {

constexpr std::int64_t batch_size = 128;

/// A text's words, and a batch of its documents.
struct Text {
  std::string name;
  std::int64_t words;
  Jagged batch;
  bool begins_alike = false;  ///< So that it is worth it to compute beginnings once.
  std::int64_t distinct = std::get<0>(at::_unique(batch.values())).size(0);  ///< Words in the batch.
  at::Tensor beginnings = cost::shared_steps(pack_sequence(batch));          ///< Distinct ones, by their length.
};

/// Lines drawn at random.
Text read_text(const std::filesystem::path& file) {
  const auto vocab = data::build_vocab({file}, {}, {.tokenizer = split_words});
  const auto documents = data::read_documents({file}, {}, vocab);
  data::BatchSampler sampler(documents.sequences.lengths(), data::FixedSize{batch_size}, {.seed = 1});
  return {file.stem().string(), vocab.size(), data::select(documents, *sampler.next()).sequences};
}

/// Documents of characters, which begin as files' paths do: each for three fifths of its length as one before it.
Text make_text() {
  constexpr std::int64_t characters = 96;
  std::mt19937 random(1);
  const auto draw = [&](std::size_t least, std::size_t most) { return least + random() % (most - least + 1); };
  std::vector<std::vector<std::int64_t>> documents(batch_size);
  std::vector<at::Tensor> ids;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::size_t length = draw(30, 90);
    if (i > 0) documents[i] = documents[draw(0, i - 1)];
    documents[i].resize(std::min(documents[i].size(), length * 3 / 5));
    while (documents[i].size() < length) documents[i].push_back(static_cast<std::int64_t>(draw(1, characters)));
    ids.push_back(torch::tensor(documents[i], at::kLong));
  }
  return {"alike", characters + 1, ids, /*begins_alike=*/true};
}

struct Case {
  std::shared_ptr<const Text> text;
  cost::Mode mode;
  std::int64_t size;  ///< Of the embedding and the hidden state.
  int threads;
};

/// Whether a contender rounds the factors of its products.
bool is_rounded(std::string_view contender) { return contender.starts_with("bfloat16+"); }

/// One contender on a case; all have the same network.
class Run {
 public:
  Run(std::string_view contender, const Case& subject)
      : contender_(contender),
        mode_(subject.mode),
        batch_(subject.text->batch),
        padded_ids_(pad_sequence(batch_, {.batch_first = true})),
        packed_ids_(pack_sequence(batch_)) {
    at::manual_seed(0);
    // A dense gradient would have a row for every word of the text, whoever computes it.
    const auto embedding = torch::nn::EmbeddingOptions(subject.text->words, subject.size).sparse(true);
    const auto lstm = torch::nn::LSTMOptions(subject.size, subject.size).batch_first(true);
    network_ = nn::EmbeddedLSTM(nn::Embedding(embedding), nn::LSTM(lstm));
    const auto gradient = Jagged::from_values(at::randn({batch_.values().size(0), subject.size}), batch_.lengths());
    output_gradient_ = is_padded() ? pad_sequence(gradient, {.batch_first = true}) : pack_sequence(gradient).data();
    if (!contender.ends_with("+shared")) network_->most_beginnings = 0;
    if (contender == "packed") network_->network->engine = engine::Choice::libtorch;
    if (is_rounded(contender)) network_->network->precision = engine::Precision::bfloat16;
    if (contender.ends_with("+frozen")) network_->freeze(std::int64_t{1} << 40);
  }

  /// The output; after it, in training, the gradients of the parameters.
  std::vector<at::Tensor> operator()() const {
    if (mode_ == cost::Mode::inference) {
      const c10::InferenceMode guard;
      return {forward()};
    }
    const at::Tensor output = forward();
    auto results = torch::autograd::grad({output}, network_->parameters(), {output_gradient_});
    results.insert(results.begin(), output.detach());
    return results;
  }

  /// The same, the output in the layout that all contenders share.
  std::vector<at::Tensor> comparable_results() const {
    auto results = (*this)();
    results[0] = is_padded() ? unpad_sequence(results[0], batch_.lengths(), {.batch_first = true}).values()
                             : unpack_sequence(with_data(packed_ids_, results[0])).values();
    for (at::Tensor& result : results) result = result.to_dense();
    return results;
  }

  bool is_padded() const { return contender_ == "padded"; }

 private:
  at::Tensor forward() const {
    if (is_padded()) {
      const at::Tensor vectors = network_->embedding->torch::nn::EmbeddingImpl::forward(padded_ids_);
      return std::get<0>(network_->network->torch::nn::LSTMImpl::forward(vectors));
    }
    if (contender_.find('+') != std::string_view::npos) return network_->forward(packed_ids_).output.data();
    return network_->network->forward(network_->embedding->forward(packed_ids_)).output.data();
  }

  std::string_view contender_;
  cost::Mode mode_;
  Jagged batch_;
  at::Tensor padded_ids_;
  PackedSequence packed_ids_;
  mutable nn::EmbeddedLSTM network_{nullptr};  // a module's forward is not const
  at::Tensor output_gradient_;
};

/// @throws std::runtime_error if a contender's results differ from the first one's by more than rounding: that of sums,
/// or, of bfloat16, of factors.
void check_equal(const Case& subject, const std::vector<std::string_view>& contenders) {
  const auto expected = Run(contenders[0], subject).comparable_results();
  for (const auto contender : contenders) {
    const auto actual = Run(contender, subject).comparable_results();
    const double tolerance = is_rounded(contender) ? 0.05 : 1e-4;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto error = (actual[i] - expected[i]).abs().max().item<double>();
      if (error <= tolerance * std::max(1.0, expected[i].abs().max().item<double>())) continue;
      throw std::runtime_error(std::string(contender) + ": result " + std::to_string(i) + " is off by " +
                               std::to_string(error));
    }
  }
}

/// Tokens that are computed whose products with the input are not.
std::int64_t repeated(std::string_view contender, const Text& text) {
  const std::int64_t tokens = text.batch.values().size(0);
  if (contender.ends_with("+frozen")) return tokens;
  if (contender.ends_with("+shared")) return text.beginnings.sum().item<std::int64_t>() - text.distinct;
  const auto most = nn::most_distinct * static_cast<double>(tokens);
  return contender.ends_with("+dedup") && static_cast<double>(text.distinct) <= most ? tokens - text.distinct : 0;
}

void set_counters(benchmark::State& state, std::string_view contender, const Case& subject) {
  const Text& text = *subject.text;
  const cost::Network network{.input_size = subject.size, .hidden_size = subject.size};
  const auto flops = [&](const at::Tensor& lengths) {
    const auto forward = cost::forward_flops(network, lengths);
    return subject.mode == cost::Mode::inference ? forward : forward + cost::backward_flops(network, lengths);
  };
  const auto lengths = text.batch.lengths();
  const auto padded_lengths = cost::padded_lengths(lengths);
  const auto executed = flops(contender == "padded"            ? padded_lengths
                              : contender.ends_with("+shared") ? text.beginnings
                                                               : lengths);
  const auto tokens = static_cast<double>(text.batch.values().size(0));
  state.counters["executed_flops"] =
      static_cast<double>(executed - cost::repeated_flops(network, repeated(contender, text), subject.mode));
  state.counters["useful_flops"] = static_cast<double>(flops(lengths));
  state.counters["fill"] = tokens / padded_lengths.sum().item<double>();
  state.counters["distinct"] = static_cast<double>(text.distinct) / tokens;
  state.counters["beginnings"] = text.beginnings.sum().item<double>() / tokens;
  state.counters["tokens_per_second"] = benchmark::Counter(tokens, benchmark::Counter::kIsIterationInvariantRate);
}

void register_case(const Case& subject) {
  std::vector<std::string_view> contenders = {"padded", "packed", "fused", "fused+dedup", "bfloat16+dedup"};
  if (subject.text->begins_alike) contenders.push_back("fused+shared");
  if (subject.mode == cost::Mode::inference) contenders.insert(contenders.end(), {"fused+frozen", "bfloat16+frozen"});
  const auto checked = std::make_shared<bool>(false);
  for (const auto contender : contenders) {
    const auto measure = [=](benchmark::State& state) {
      at::set_num_threads(subject.threads);
      if (!*checked) check_equal(subject, contenders);
      *checked = true;
      const Run run(contender, subject);
      // The first touch of memory and caches is nobody's speed.
      state.counters["growth_bytes"] = static_cast<double>(growth([&] { run(); }));
      for (auto _ : state) benchmark::DoNotOptimize(run());
      set_counters(state, contender, subject);
    };
    const auto name = "lstm/" + std::string(subject.mode == cost::Mode::inference ? "inference" : "training") + '/' +
                      std::string(contender) + "/text:" + subject.text->name + "/B:" + std::to_string(batch_size) +
                      "/I:" + std::to_string(subject.size) + "/H:" + std::to_string(subject.size) +
                      "/threads:" + std::to_string(subject.threads);
    benchmark::RegisterBenchmark(name.c_str(), measure)->UseRealTime()->Unit(benchmark::kMillisecond);
  }
}

void register_text(Text of) {
  const auto text = std::make_shared<const Text>(std::move(of));
  for (const auto mode : {cost::Mode::inference, cost::Mode::training}) {
    for (const std::int64_t size : {256, 512}) {
      for (const int threads : {1, 2}) register_case({text, mode, size, threads});
    }
  }
}

}  // namespace
}  // namespace packseq::bench

int main(int argc, char** argv) {
  std::vector<char*> flags = {argv[0]};
  try {
    for (int i = 1; i < argc; ++i) {
      if (argv[i][0] == '-') {
        flags.push_back(argv[i]);
      } else {
        packseq::bench::register_text(packseq::bench::read_text(argv[i]));
      }
    }
    if (flags.size() == static_cast<std::size_t>(argc)) throw std::invalid_argument("no text is given");
    packseq::bench::register_text(packseq::bench::make_text());
    return packseq::bench::run_benchmarks(static_cast<int>(flags.size()), flags.data());
  } catch (const std::exception& error) {
    std::cerr << "embedded_bench: " << error.what() << "\nUsage: embedded_bench FILE... [--benchmark_FLAG...]\n";
    return EXIT_FAILURE;
  }
}
