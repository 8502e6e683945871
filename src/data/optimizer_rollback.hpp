#pragma once

#include <torch/optim/optimizer.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace packseq::data::detail {

/// Takes from an optimizer all that it has learnt, and gives it back unless told to forget it.
class OptimizerRollback {
 public:
  /// The optimizer has no state then, and what is loaded does not mix with it: `load` leaves the state of each
  /// parameter for which the archive has none.
  explicit OptimizerRollback(torch::optim::Optimizer& optimizer) : optimizer_(optimizer) {
    for (const auto& group : std::as_const(optimizer).param_groups()) options_.push_back(group.options().clone());
    state_ = std::exchange(optimizer.state(), {});
  }

  ~OptimizerRollback() {
    if (forgotten_) return;
    optimizer_.state() = std::move(state_);
    for (std::size_t i = 0; i < options_.size(); ++i) {
      optimizer_.param_groups()[i].set_options(std::move(options_[i]));
    }
  }

  OptimizerRollback(const OptimizerRollback&) = delete;
  OptimizerRollback& operator=(const OptimizerRollback&) = delete;

  void forget() { forgotten_ = true; }

 private:
  torch::optim::Optimizer& optimizer_;
  ska::flat_hash_map<void*, std::unique_ptr<torch::optim::OptimizerParamState>> state_;
  std::vector<std::unique_ptr<torch::optim::OptimizerOptions>> options_;
  bool forgotten_ = false;
};

}  // namespace packseq::data::detail
