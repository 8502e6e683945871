#include "data/epoch_plan.hpp"

#include <c10/util/Exception.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>
#include <variant>

#include "data/sampler.hpp"

namespace packseq::data::detail {
namespace {

using Lengths = std::vector<std::int64_t>;

/// The random numbers of an epoch; none, where documents come in order.
using Random = std::optional<EpochRandom>;

/// Sorts each run of `bucket` documents by length. Those of one length stay in the order that they are in.
void sort_buckets(const Lengths& lengths, std::size_t bucket, std::vector<std::size_t>& order) {
  struct Entry {
    std::int64_t length;
    std::size_t document;
  };
  std::vector<Entry> entries;
  for (std::size_t begin = 0; begin < order.size(); begin += entries.size()) {
    const std::size_t count = std::min(bucket, order.size() - begin);
    entries.resize(count);
    for (std::size_t i = 0; i < count; ++i) entries[i] = {lengths[order[begin + i]], order[begin + i]};
    std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.length < b.length; });
    for (std::size_t i = 0; i < count; ++i) order[begin + i] = entries[i].document;
  }
}

/// Cuts the order into batches of one size; what is left over of the documents is batch number `short_batch`.
void cut_by_count(std::size_t batch_size, std::size_t short_batch, EpochPlan& plan) {
  const std::size_t documents = plan.order.size();
  for (std::size_t begin = 0, end = 0; begin < documents; begin = end) {
    const bool is_short = plan.batches.size() == short_batch && documents % batch_size != 0;
    end = begin + (is_short ? documents % batch_size : batch_size);
    plan.batches.push_back({begin, end});
  }
}

/// A batch in the making that must not exceed a budget.
class Filling {
 public:
  explicit Filling(const TokenBudget& budget) : budget_(budget) {}

  bool has_room(std::int64_t length) const {
    if (documents_ == 0) return true;
    // No batch of other documents has more; one of empty documents would have no end.
    if (documents_ == budget_.max_tokens) return false;
    if (budget_.count == TokenCount::packed) return length <= budget_.max_tokens - tokens_;
    const std::int64_t longest = std::max(longest_, length);
    return longest == 0 || documents_ + 1 <= budget_.max_tokens / longest;
  }

  void add(std::int64_t length) {
    ++documents_;
    if (budget_.count == TokenCount::packed) tokens_ += length;
    longest_ = std::max(longest_, length);
  }

 private:
  TokenBudget budget_;
  std::int64_t documents_ = 0;
  std::int64_t tokens_ = 0;
  std::int64_t longest_ = 0;
};

/// Cuts a range of the order into batches that are as full as the order allows.
void cut_by_tokens(const Lengths& lengths, const TokenBudget& budget, EpochPlan::Batch range, EpochPlan& plan) {
  Filling batch(budget);
  std::size_t begin = range.begin;
  for (std::size_t i = range.begin; i < range.end; ++i) {
    const std::int64_t length = lengths[plan.order[i]];
    if (!batch.has_room(length)) {
      plan.batches.push_back({std::exchange(begin, i), i});
      batch = Filling(budget);
    }
    batch.add(length);
  }
  plan.batches.push_back({begin, range.end});
}

void deal(const Lengths& lengths, const FixedSize& batching, Random&, EpochPlan& plan) {
  const auto batch_size = static_cast<std::size_t>(batching.batch_size);
  cut_by_count(batch_size, (lengths.size() - 1) / batch_size, plan);
}

void deal(const Lengths& lengths, const Bucketed& batching, Random& random, EpochPlan& plan) {
  const auto batch_size = static_cast<std::size_t>(batching.batch_size);
  const auto batches = static_cast<std::size_t>(batching.batches_per_bucket);
  const std::size_t documents = lengths.size();
  const std::size_t bucket = batches > documents / batch_size ? documents : batches * batch_size;
  sort_buckets(lengths, bucket, plan.order);
  const bool has_short = documents % batch_size != 0;
  const std::size_t last = (documents - 1) / batch_size;
  std::size_t short_batch = last;
  // Any one of the last bucket: its last one would always be of the longest documents.
  if (random && has_short) short_batch -= random->below(last - (documents - 1) / bucket * bucket / batch_size + 1);
  cut_by_count(batch_size, short_batch, plan);
  if (!random) return;
  if (!batching.short_last || !has_short) return random->shuffle(plan.batches);
  const auto kept = std::exchange(plan.batches[short_batch], plan.batches.back());
  plan.batches.pop_back();
  random->shuffle(plan.batches);
  plan.batches.push_back(kept);
}

void deal(const Lengths& lengths, const TokenBudget& batching, Random& random, EpochPlan& plan) {
  const std::size_t documents = lengths.size();
  if (batching.count == TokenCount::packed) return cut_by_tokens(lengths, batching, {0, documents}, plan);
  const auto bucket = static_cast<std::size_t>(batching.documents_per_bucket);
  sort_buckets(lengths, bucket, plan.order);
  for (std::size_t begin = 0, end = 0; begin < documents; begin = end) {
    end = begin + std::min(bucket, documents - begin);
    cut_by_tokens(lengths, batching, {begin, end}, plan);
  }
  if (random) random->shuffle(plan.batches);
}

void check(const Lengths&, const FixedSize& batching) {
  check_positive("BatchSampler", "batch_size", batching.batch_size);
}

void check(const Lengths&, const Bucketed& batching) {
  check_positive("BatchSampler", "batch_size", batching.batch_size);
  check_positive("BatchSampler", "batches_per_bucket", batching.batches_per_bucket);
}

void check(const Lengths& lengths, const TokenBudget& batching) {
  check_positive("BatchSampler", "max_tokens", batching.max_tokens);
  check_positive("BatchSampler", "documents_per_bucket", batching.documents_per_bucket);
  if (batching.longer_alone) return;
  for (std::size_t document = 0; document < lengths.size(); ++document) {
    TORCH_CHECK_VALUE(lengths[document] <= batching.max_tokens, "BatchSampler: lengths[", document, "] is ",
                      lengths[document], ", more than max_tokens, ", batching.max_tokens,
                      ": raise that, cut the document, or set longer_alone");
  }
}

}  // namespace

void check_batching(const Lengths& lengths, const Batching& batching) {
  std::visit([&](const auto& kind) { check(lengths, kind); }, batching);
}

EpochPlan plan_epoch(const Lengths& lengths, const Batching& batching, std::optional<EpochRandom> random) {
  EpochPlan plan;
  plan.order.resize(lengths.size());
  std::iota(plan.order.begin(), plan.order.end(), 0);
  if (random) random->shuffle(plan.order);
  std::visit([&](const auto& kind) { deal(lengths, kind, random, plan); }, batching);
  return plan;
}

}  // namespace packseq::data::detail
