// Of any lengths, numbers and beginnings, each document is in one batch of an epoch, or an error of LibTorch's says why
// not.

#include "packseq/data/batch_sampler.hpp"

#include <torch/types.h>

#include <numeric>
#include <vector>

#include "input.hpp"
#include "refusal.hpp"

namespace packseq::fuzz {
namespace {

using data::BatchSampler;

data::Batching any_batching(Input& input) {
  const auto kind = input.below(3);
  if (kind == 0) return data::FixedSize{input.number()};
  if (kind == 1) return data::Bucketed{input.number(), input.number(), input.flag()};
  return data::TokenBudget{.max_tokens = input.number(),
                           .count = input.flag() ? data::TokenCount::packed : data::TokenCount::padded,
                           .longer_alone = input.flag(),
                           .documents_per_bucket = input.number()};
}

/// Runs an epoch to its end.
std::vector<int> times_seen(BatchSampler& sampler, std::int64_t documents) {
  std::vector<int> seen(static_cast<std::size_t>(documents), 0);
  std::int64_t batches = 0;
  for (; const auto batch = sampler.next(); ++batches) {
    require(!batch->empty(), "a batch is empty");
    for (const auto document : *batch) ++seen.at(document);
  }
  require(batches <= sampler.batches(), "there are more batches than batches() tells");
  return seen;
}

void check(BatchSampler& sampler, std::int64_t documents, bool from_the_start) {
  const double fill = sampler.fill();
  require(0 <= fill && fill <= 1 + 1e-9, "fill() is not in 0 ... 1");
  sampler.reset();
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (const int times : times_seen(sampler, documents)) {
      require(times == 1 || (times == 0 && epoch == 0 && !from_the_start), "a document is not in one batch");
    }
    sampler.reset();
  }
}

}  // namespace
}  // namespace packseq::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace packseq;
  fuzz::Input input(bytes, size);
  const auto batching = fuzz::any_batching(input);
  data::BatchSamplerOptions options{
      .seed = input.byte(),
      .start = {.epoch = input.flag() ? input.number() : 0, .batches = input.flag() ? input.number() : 0}};
  const auto lengths = input.numbers(64);
  options.shuffle = input.flag();
  fuzz::may_refuse([&] {
    data::BatchSampler sampler(torch::tensor(lengths), batching, options);
    fuzz::check(sampler, static_cast<std::int64_t>(lengths.size()), options.start.batches == 0);
  });
  return 0;
}
