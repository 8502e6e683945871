#pragma once

#include <hwy/targets.h>

#include <cstdint>
#include <vector>

namespace packseq::test {

/// The CPU targets that the kernels are compiled for and this machine has, the best one first.
inline std::vector<std::int64_t> targets() {
  std::vector<std::int64_t> found;
  for (std::int64_t rest = HWY_TARGETS & hwy::SupportedTargets(); rest != 0; rest &= rest - 1) {
    found.push_back(rest & -rest);
  }
  return found;
}

/// The kernels run on a CPU target while this lives.
class TargetGuard {
 public:
  explicit TargetGuard(std::int64_t target) {
    hwy::DisableTargets(~target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
  ~TargetGuard() {
    hwy::DisableTargets(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
  TargetGuard(const TargetGuard&) = delete;
  TargetGuard& operator=(const TargetGuard&) = delete;

  /// The place of the target in the kernels' tables of functions.
  std::size_t index() const { return hwy::GetChosenTarget().GetIndex(); }
};

}  // namespace packseq::test
