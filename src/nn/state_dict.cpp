#include "packseq/nn/state_dict.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <c10/util/Exception.h>
#include <torch/nn/module.h>

#include <string>
#include <vector>

#include "nn/fits.hpp"

namespace packseq::nn {
namespace {

/// The tensors of a module themselves.
StateDict tensors_of(const torch::nn::Module& module) {
  StateDict tensors = module.named_parameters();
  tensors.update(module.named_buffers());
  return tensors;
}

/// What of a `StateDict` does not fit a module, a line for each.
class Misfits {
 public:
  void add(const auto&... words) { lines_ += c10::str("\n  ", words...); }

  /// Compares `value`, the tensor of this key, with the one in the module.
  void compare(const std::string& key, const at::Tensor& value, const at::Tensor& target) {
    if (!value.defined()) return add(key, " is undefined");
    if (value.sizes() != target.sizes()) add(key, " has sizes ", value.sizes(), ", and must be ", target.sizes());
    const auto dtype = value.scalar_type();
    const auto wanted = target.scalar_type();
    if (dtype != wanted) {
      add(key, " is ", dtype, ", and must be ", wanted, ": convert it by .to(at::k", wanted,
          ") or the module by ->to(at::k", dtype, ")");
    }
  }

  bool empty() const { return lines_.empty(); }

  void check(const std::string& suggestion = {}) const {
    TORCH_CHECK_VALUE(empty(), "load_state_dict: nothing is loaded, since state does not fit the module:", lines_,
                      suggestion);
  }

 private:
  std::string lines_;
};

Misfits misfits_of(const StateDict& targets, const StateDict& state, const std::string& prefix) {
  Misfits misfits;
  for (const auto& target : targets) {
    const std::string key = prefix + target.key();
    if (const at::Tensor* value = state.find(key)) {
      misfits.compare(key, *value, target.value());
    } else {
      misfits.add(key, " is missing");
    }
  }
  for (const auto& entry : state) {
    const std::string& key = entry.key();
    if (key.starts_with(prefix) && !targets.contains(key.substr(prefix.size()))) {
      misfits.add(key, " is left over: the module has no ", key.substr(prefix.size()));
    }
  }
  return misfits;
}

/// What to say of the prefixes with which `state` fits; the module is often a part of the one that was saved.
std::string suggest_prefix(const StateDict& targets, const StateDict& state) {
  if (targets.is_empty()) return {};
  const std::string& first = targets.front().key();
  std::string prefixes;
  for (const auto& entry : state) {
    if (!entry.key().ends_with(first)) continue;
    const std::string prefix = entry.key().substr(0, entry.key().size() - first.size());
    if (!prefix.empty() && !prefix.ends_with('.')) continue;
    if (misfits_of(targets, state, prefix).empty()) prefixes += (prefixes.empty() ? "\"" : " or \"") + prefix + '"';
  }
  return prefixes.empty() ? "" : "\nIt fits with the prefix " + prefixes;
}

}  // namespace

void detail::check_fits(const torch::nn::Module& module, const StateDict& state, const std::string& prefix) {
  const StateDict targets = tensors_of(module);
  const Misfits misfits = misfits_of(targets, state, prefix);
  if (!misfits.empty()) misfits.check(suggest_prefix(targets, state));
}

StateDict state_dict(const torch::nn::Module& module) {
  StateDict state = tensors_of(module);
  for (auto& entry : state) entry.value() = entry.value().detach();
  return state;
}

void load_state_dict(torch::nn::Module& module, const StateDict& state, const LoadOptions& options) {
  const at::NoGradGuard no_grad;
  detail::check_fits(module, state, options.prefix);
  const StateDict targets = tensors_of(module);
  // First to where they go: what fails there changes nothing yet, and `state` may hold the module's own tensors.
  std::vector<at::Tensor> values;
  for (const auto& target : targets) {
    values.push_back(at::empty_like(target.value()).copy_(state[options.prefix + target.key()]));
  }
  Misfits misfits;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (targets[i].value().is_same(targets[j].value()) && !at::equal(values[i], values[j])) {
        misfits.add(options.prefix, targets[j].key(), " and ", options.prefix, targets[i].key(),
                    " differ, but are one tensor in the module");
      }
    }
  }
  misfits.check();
  for (std::size_t i = 0; i < values.size(); ++i) targets[i].value().copy_(values[i]);
}

}  // namespace packseq::nn
