#include "kernels/plan.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "kernels/trie_deal.hpp"

namespace packseq::kernels {
namespace {

// Steps of fewer rows than these for each thread are shared by hidden units, if there are so many weights that they do
// not stay in a core's own cache: reading them then takes as long as multiplying so many rows, and each thread of a
// team reads but its part. That is worth waiting for the others at every step.
constexpr std::size_t rows_worth_dealing = 6;
constexpr std::size_t weight_bytes_worth_sharing = 512 << 10;

/// Where the last steps begin that all have too few rows to be dealt.
std::size_t first_step_worth_sharing(const Plan& plan) {
  std::size_t step = plan.range.end;
  while (step > plan.range.begin && plan.batch_sizes[step - 1] < rows_worth_dealing * plan.threads) --step;
  return step;
}

/// How many steps of a range each sequence has.
std::vector<std::size_t> lengths_within(const Plan& plan, const Range& steps) {
  std::vector<std::size_t> lengths(steps.size() > 0 ? plan.batch_sizes[steps.begin] : 0);
  std::size_t rank = lengths.size();
  for (std::size_t step = steps.begin + 1; step <= steps.end; ++step) {
    const std::size_t going_on = step < steps.end ? plan.batch_sizes[step] : 0;
    while (rank > going_on) lengths[--rank] = step - steps.begin;
  }
  return lengths;
}

/// Twice the time of some sequences, longest first, in units of a row of a full tile. A step of one or two rows takes
/// as long as one of two and a half, since it waits for weights.
std::size_t cost(std::span<const std::size_t> lengths, std::size_t rows) {
  const auto length = [&](std::size_t rank) { return rank < lengths.size() ? lengths[rank] : 0; };
  return 2 * rows + 3 * (length(0) - length(1)) + (length(1) - length(2));
}

/// Cuts the sequences into ranges of about the same cost.
std::vector<Range> deal(std::span<const std::size_t> lengths, std::size_t shares) {
  std::vector<Range> dealt;
  std::size_t rest = std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
  for (std::size_t begin = 0; begin < lengths.size(); --shares) {
    const std::size_t target = cost(lengths.subspan(begin), rest) / shares;
    std::size_t end = begin;
    std::size_t rows = 0;
    do {
      rows += lengths[end++];
    } while (end < lengths.size() && (shares == 1 || cost(lengths.subspan(begin, end - begin), rows) < target));
    dealt.push_back({begin, end});
    begin = end;
    rest -= rows;
  }
  return dealt;
}

/// Decides who computes what of `plan.range`.
void deal_range(Plan& plan, const PlanOptions& options) {
  plan.threads = options.threads;
  const bool are_shared = options.threads > 1 && options.weight_bytes >= weight_bytes_worth_sharing;
  plan.team = are_shared ? options.threads : 1;
  plan.dealt = {plan.range.begin, are_shared ? first_step_worth_sharing(plan) : plan.range.end};
  // No more than there are threads: of one more, LibTorch gives two to every second thread.
  const std::size_t shares = std::max<std::size_t>(options.threads / options.directions, 1);
  if (plan.has_trie()) {
    deal_trie(plan, shares);
  } else {
    plan.shares = deal(lengths_within(plan, plan.dealt), shares);
  }
}

/// Which row of the step before each row goes on from: the last one whose path has no higher number, since there the
/// rows of all paths between the two have ended, or not yet begun.
std::vector<std::int32_t> rows_before(std::span<const std::size_t> offsets, std::span<const std::int32_t> paths) {
  if (paths.empty()) return {};
  std::vector<std::int32_t> before(paths.size());
  for (std::size_t step = 1; step + 1 < offsets.size(); ++step) {
    std::size_t from = offsets[step - 1];
    for (std::size_t row = offsets[step]; row < offsets[step + 1]; ++row) {
      while (from + 1 < offsets[step] && paths[from + 1] <= paths[row]) ++from;
      before[row] = static_cast<std::int32_t>(from);
    }
  }
  return before;
}

/// A plan of all steps in which nothing is dealt yet.
Plan make_undealt(std::span<const std::int64_t> batch_sizes, std::span<const std::int32_t> paths) {
  struct Steps {
    std::vector<std::size_t> batch_sizes;
    std::vector<std::size_t> offsets = {0};
    std::vector<std::int32_t> before;
  };
  const auto steps = std::make_shared<Steps>();
  steps->batch_sizes.assign(batch_sizes.begin(), batch_sizes.end());
  std::partial_sum(steps->batch_sizes.begin(), steps->batch_sizes.end(), std::back_inserter(steps->offsets));
  steps->before = rows_before(steps->offsets, paths);
  Plan plan;
  plan.batch_sizes = steps->batch_sizes;
  plan.offsets = steps->offsets;
  plan.before = steps->before;
  plan.memory = steps;
  plan.paths = paths;
  plan.path_count = paths.empty() ? plan.batch_sizes.front() : count_paths(paths);
  plan.range = {0, plan.steps()};
  return plan;
}

}  // namespace

Range Plan::rows_in_trie(const Range& share, std::size_t step) const noexcept {
  const auto place_of = [&](std::size_t path) {
    const auto begin = paths.begin() + static_cast<std::ptrdiff_t>(offsets[step]);
    const auto end = begin + static_cast<std::ptrdiff_t>(batch_sizes[step]);
    return static_cast<std::size_t>(std::lower_bound(begin, end, static_cast<std::int32_t>(path)) - paths.begin());
  };
  return {place_of(share.begin), place_of(share.end)};
}

std::size_t Plan::most_rows(const Range& share, const Range& steps) const noexcept {
  std::size_t most = 0;
  for (std::size_t step = steps.begin; step < steps.end; ++step) most = std::max(most, rows(share, step).size());
  return most;
}

std::size_t Plan::most_rows() const noexcept { return *std::max_element(batch_sizes.begin(), batch_sizes.end()); }

std::size_t Plan::reads() const noexcept {
  std::size_t count = shared_steps();
  for (const Range& share : shares) {
    for (std::size_t step = dealt.begin; step < dealt.end && rows(share, step).size() > 0; ++step) ++count;
  }
  return count;
}

std::size_t count_paths(std::span<const std::int32_t> paths) {
  return static_cast<std::size_t>(*std::max_element(paths.begin(), paths.end())) + 1;
}

Plan make_plan(std::span<const std::int64_t> batch_sizes, const PlanOptions& options,
               std::span<const std::int32_t> paths) {
  Plan plan = make_undealt(batch_sizes, paths);
  deal_range(plan, options);
  return plan;
}

std::vector<Plan> make_plans(std::span<const std::int64_t> batch_sizes, const PlanOptions& options, std::size_t rows,
                             std::span<const std::int32_t> paths) {
  Plan part = make_undealt(batch_sizes, paths);
  std::vector<Plan> parts;
  for (std::size_t begin = 0; begin < part.steps(); begin = part.range.end) {
    std::size_t end = begin + 1;
    while (end < part.steps() && part.offsets[end] - part.offsets[begin] < rows) ++end;
    part.range = {begin, end};
    deal_range(part, options);
    parts.push_back(part);
  }
  return parts;
}

}  // namespace packseq::kernels
