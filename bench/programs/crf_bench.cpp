// A CRF over documents of different length: packseq's kernels over the packed batch, and LibTorch's operators over the
// padded one.

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "contenders/inputs.hpp"
#include "contenders/measure.hpp"
#include "packseq/nn/crf.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"
#include "programs/padded_crf.hpp"

namespace packseq::bench {
namespace {

using Tensors = std::vector<at::Tensor>;

struct CrfCase {
  bool trains = false;  ///< The log-likelihood and its gradients; else the best tags.
  std::int64_t documents = 64;
  std::int64_t longest = 100;
  std::int64_t tags = 9;
  int threads = 1;
};

/// What all contenders start from.
struct CrfInputs {
  nn::CRF crf;
  Jagged scores;  ///< [N, K]
  Jagged tags;    ///< int64 [N]

  const at::Tensor& lengths() const { return scores.lengths(); }
};

/// The same for the same case, at every call.
CrfInputs make_inputs(const CrfCase& subject) {
  at::manual_seed(0);
  const auto lengths = draw_lengths("uniform60", subject.documents, subject.longest);
  const std::int64_t tokens = lengths.sum().item<std::int64_t>();
  return {.crf = nn::CRF(subject.tags),
          .scores = Jagged::from_values(at::randn({tokens, subject.tags}), lengths),
          .tags = Jagged::from_values(at::randint(subject.tags, {tokens}, at::kLong), lengths)};
}

/// One contender on the inputs of one case, in its layout.
class CrfRun {
 public:
  CrfRun(std::string_view contender, const CrfCase& subject)
      : CrfRun(contender == "padded_crf", subject, make_inputs(subject)) {}

  /// The best tags; or the gradients of scores and parameters, and the log-likelihood.
  Tensors operator()() {
    if (!trains_) {
      const at::NoGradGuard no_grad;
      return {is_padded_ ? padded_.decode(padded_scores_, mask_) : crf_->decode(packed_scores_).tags.data()};
    }
    const auto likelihood = is_padded_ ? padded_.log_likelihood(padded_scores_, padded_tags_, mask_)
                                       : crf_->log_likelihood(packed_scores_, packed_tags_);
    Tensors results = torch::autograd::grad({likelihood}, variables_);
    results.push_back(likelihood.detach());
    return results;
  }

  /// The same, tokens document after document.
  Tensors comparable_results() {
    Tensors results = (*this)();
    results[0] = is_padded_ ? unpad_sequence(results[0], lengths_).values()
                            : unpack_sequence(with_data(packed_scores_, results[0])).values();
    return results;
  }

  double tokens() const { return lengths_.sum().item<double>(); }

 private:
  CrfRun(bool is_padded, const CrfCase& subject, const CrfInputs& inputs)
      : is_padded_(is_padded),
        trains_(subject.trains),
        crf_(inputs.crf),
        padded_(inputs.crf),
        lengths_(inputs.lengths()),
        packed_scores_(pack_sequence(inputs.scores)),
        packed_tags_(pack_sequence(inputs.tags)),
        padded_scores_(pad_sequence(inputs.scores)),
        padded_tags_(pad_sequence(inputs.tags)),
        mask_(at::arange(subject.longest).unsqueeze(1) < lengths_.unsqueeze(0)),
        variables_(crf_->parameters()) {
    at::Tensor scores = is_padded ? padded_scores_ : packed_scores_.data();
    variables_.insert(variables_.begin(), scores.requires_grad_(trains_));
  }

  bool is_padded_;
  bool trains_;
  nn::CRF crf_;
  PaddedCrf padded_;
  at::Tensor lengths_;
  PackedSequence packed_scores_, packed_tags_;
  at::Tensor padded_scores_, padded_tags_, mask_;
  Tensors variables_;
};

/// @throws std::runtime_error if results differ by more than rounding.
void check_equal(const CrfCase& subject) {
  const auto expected = CrfRun("padded_crf", subject).comparable_results();
  const auto actual = CrfRun("fused", subject).comparable_results();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto error = (actual[i] - expected[i]).abs().max().item<double>();
    if (error <= 1e-4 * std::max(1.0, expected[i].abs().max().item<double>())) continue;
    throw std::runtime_error("fused: result " + std::to_string(i) + " is off by " + std::to_string(error));
  }
}

void register_crf(const CrfCase& subject, const std::vector<std::string_view>& contenders) {
  const auto checked = std::make_shared<bool>(contenders.size() == 1);
  for (const auto contender : contenders) {
    const auto measure = [=](benchmark::State& state) {
      at::set_num_threads(subject.threads);
      if (!*checked) check_equal(subject);
      *checked = true;
      CrfRun run(contender, subject);
      run();  // its first touch of memory and caches is nobody's speed
      for (auto _ : state) benchmark::DoNotOptimize(run());
      state.counters["fill"] = run.tokens() / static_cast<double>(subject.documents * subject.longest);
      state.counters["tokens_per_second"] =
          benchmark::Counter(run.tokens(), benchmark::Counter::kIsIterationInvariantRate);
    };
    std::string name = subject.trains ? "crf/training/" : "crf/decode/";
    name.append(contender);
    add_parameter(name, "B", subject.documents);
    add_parameter(name, "T", subject.longest);
    add_parameter(name, "K", subject.tags);
    add_parameter(name, "threads", subject.threads);
    benchmark::RegisterBenchmark(name.c_str(), measure)->UseRealTime()->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace
}  // namespace packseq::bench

int main(int argc, char** argv) {
  using packseq::bench::register_crf;
  for (const bool trains : {true, false}) {
    for (const std::int64_t tags : {9, 45}) {
      for (const int threads : {1, 2}) {
        register_crf({.trains = trains, .tags = tags, .threads = threads}, {"fused", "padded_crf"});
      }
      for (const std::int64_t longest : {10, 1000, 10'000}) {  // how it grows with the length
        register_crf({.trains = trains, .longest = longest, .tags = tags}, {"fused"});
      }
    }
  }
  return packseq::bench::run_benchmarks(argc, argv);
}
