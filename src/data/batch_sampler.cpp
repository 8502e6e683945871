#include "packseq/data/batch_sampler.hpp"

#include <c10/util/Exception.h>

#include <algorithm>
#include <utility>

#include "data/epoch_plan.hpp"
#include "data/sampler.hpp"
#include "sequence/check.hpp"

namespace packseq::data {

/// The epoch that runs or comes first, and how far it is.
struct BatchSampler::State {
  std::vector<std::int64_t> lengths;
  Batching batching;
  std::uint64_t seed;
  bool shuffle;
  Position position;
  bool begun = false;
  detail::EpochPlan plan = {};

  void plan_epoch() {
    std::optional<detail::EpochRandom> random;
    if (shuffle) random.emplace(seed, position.epoch);
    plan = detail::plan_epoch(lengths, batching, std::move(random));
  }
};

BatchSampler::BatchSampler(const at::Tensor& lengths, const Batching& batching, const BatchSamplerOptions& options)
    : state_(std::make_shared<State>(State{packseq::detail::checked_lengths("BatchSampler", "lengths", lengths),
                                           batching, options.seed, options.shuffle, options.start})) {
  detail::check_batching(state_->lengths, batching);
  detail::check_start("BatchSampler", options.start);
  state_->plan_epoch();
  detail::check_start_within("BatchSampler", options.start, batches());
}

std::int64_t BatchSampler::batches() const { return static_cast<std::int64_t>(state_->plan.batches.size()); }

std::int64_t BatchSampler::length(std::size_t document) const {
  TORCH_CHECK_INDEX(document < state_->lengths.size(), "BatchSampler: document is ", document,
                    ", and must be in 0 ... ", state_->lengths.size() - 1);
  return state_->lengths[document];
}

double BatchSampler::fill() const {
  double tokens = 0;
  double cells = 0;
  for (const auto& batch : state_->plan.batches) {
    std::int64_t longest = 0;
    for (std::size_t i = batch.begin; i < batch.end; ++i) {
      const std::int64_t length = state_->lengths[state_->plan.order[i]];
      tokens += static_cast<double>(length);
      longest = std::max(longest, length);
    }
    cells += static_cast<double>(longest) * static_cast<double>(batch.end - batch.begin);
  }
  return cells > 0 ? tokens / cells : 1;
}

void BatchSampler::reset(std::optional<std::size_t> new_size) {
  TORCH_CHECK_VALUE(!new_size || *new_size == state_->lengths.size(), "BatchSampler: new_size is ", *new_size,
                    ", but there are ", state_->lengths.size(), " documents: make a sampler for others");
  if (!std::exchange(state_->begun, true)) return;
  state_->position = {.epoch = state_->position.epoch + 1, .batches = 0};
  state_->plan_epoch();
}

std::optional<std::vector<std::size_t>> BatchSampler::next(std::size_t batch_size) {
  detail::check_loader_batch_size("BatchSampler", batch_size);
  state_->begun = true;
  if (state_->position.batches == batches()) return std::nullopt;
  const auto& [begin, end] = state_->plan.batches[static_cast<std::size_t>(state_->position.batches++)];
  const auto order = state_->plan.order.begin();
  return std::vector<std::size_t>(order + static_cast<std::ptrdiff_t>(begin), order + static_cast<std::ptrdiff_t>(end));
}

void BatchSampler::save(torch::serialize::OutputArchive&) const { detail::refuse_archive("BatchSampler"); }

void BatchSampler::load(torch::serialize::InputArchive&) { detail::refuse_archive("BatchSampler"); }

}  // namespace packseq::data
