#include "kernels/trie_deal.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace packseq::kernels {
namespace {

/// What there is to be computed: so many rows, over so many steps.
struct Work {
  std::size_t rows = 0;
  std::size_t steps = 0;

  Work with(const Work& other) const { return {rows + other.rows, std::max(steps, other.steps)}; }
  /// Twice its time in units of a row of a full tile. A step of one or two rows takes as long as one of two and a half,
  /// since it waits for weights.
  std::size_t cost() const { return std::max(2 * rows, 5 * steps); }
};

/// What those wait for each other in a step that share it, in the same unit.
constexpr std::size_t cost_of_meeting = 4;

std::size_t shared_cost(const Plan& plan, std::size_t step) {
  const std::size_t cost = Work{plan.batch_sizes[step], 1}.cost();
  return plan.team > 1 ? cost / plan.team + cost_of_meeting : cost;
}

/// Rows of a step that are dealt as one: all that go on from the same row, since a backward pass adds them up. `paths`
/// are those of all that goes on from them, `work` is all of it and they themselves.
struct Siblings {
  Range paths;
  Work work;
};

/// Shares of the steps from one on.
struct Shares {
  std::vector<Range> paths;
  std::size_t cost = 0;  ///< Of the largest.
};

class TrieDeal {
 public:
  TrieDeal(const Plan& plan, std::size_t shares)
      : plan_(plan), shares_(shares), first_row_(plan.offsets[plan.dealt.begin]) {
    const Range& steps = plan.dealt;
    works_.resize(plan.offsets[steps.end] - first_row_);
    for (std::size_t step = steps.end; step-- > steps.begin;) {
      for (std::size_t row = plan.offsets[step]; row < plan.offsets[step + 1]; ++row) {
        Work& work = works_[row - first_row_];
        work = {work.rows + 1, work.steps + 1};
        if (step == steps.begin) continue;
        Work& before = works_[static_cast<std::size_t>(plan.before[row]) - first_row_];
        before = before.with(work);
      }
    }
  }

  /// Cuts the rows of a step, and what goes on from them, into ranges of about the same cost.
  Shares deal(std::size_t step) const {
    const std::vector<Siblings> all = siblings(step);
    Work rest;
    for (const Siblings& one : all) rest = rest.with(one.work);
    Shares dealt;
    std::size_t left = shares_;
    for (std::size_t next = 0; next < all.size(); --left) {
      const std::size_t target = rest.cost() / left;
      const std::size_t begin = all[next].paths.begin;
      Work work;
      do {
        work = work.with(all[next++].work);
      } while (next < all.size() && (left == 1 || work.cost() + work.with(all[next].work).cost() <= 2 * target));
      dealt.paths.push_back({begin, all[next - 1].paths.end});
      dealt.cost = std::max(dealt.cost, work.cost());
      rest.rows -= work.rows;
    }
    return dealt;
  }

 private:
  std::vector<Siblings> siblings(std::size_t step) const {
    std::vector<Siblings> all;
    for (std::size_t row = plan_.offsets[step]; row < plan_.offsets[step + 1]; ++row) {
      const auto path = static_cast<std::size_t>(plan_.paths[row]);
      const bool has_elder = step > 0 && row > plan_.offsets[step] && plan_.before[row] == plan_.before[row - 1];
      if (!has_elder) {
        if (!all.empty()) all.back().paths.end = path;
        all.push_back({{path, plan_.path_count}, {}});
      }
      all.back().work = all.back().work.with(works_[row - first_row_]);
    }
    return all;
  }

  const Plan& plan_;
  std::size_t shares_;
  std::size_t first_row_;
  std::vector<Work> works_;  // of each row and what goes on from it, as far as it is dealt
};

}  // namespace

void deal_trie(Plan& plan, std::size_t shares) {
  const TrieDeal trie(plan, shares);
  std::size_t least = std::numeric_limits<std::size_t>::max();
  std::size_t shared = 0;  // the cost of the steps before
  const Range steps = plan.dealt;
  for (std::size_t step = steps.begin; step < steps.end; ++step) {
    Shares dealt = trie.deal(step);
    if (shared + dealt.cost < least) {
      least = shared + dealt.cost;
      plan.dealt.begin = step;
      plan.shares = std::move(dealt.paths);
    }
    if (shares == 1) break;
    shared += shared_cost(plan, step);
  }
  if (plan.team > 1 && shared < least) {
    plan.dealt.begin = steps.end;
    plan.shares.clear();
  }
}

}  // namespace packseq::kernels
