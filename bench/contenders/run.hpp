#pragma once

#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <variant>
#include <vector>

#include "contenders/contender.hpp"

namespace packseq::bench {

/// One contender on the inputs of one case.
class Run {
 public:
  Run(const Contender& contender, cost::Mode mode, const Inputs& inputs)
      : mode_(mode),
        prepared_(contender.prepare(inputs)),
        input_(prepared_.arrange(inputs.documents)),
        output_gradient_(prepared_.arrange(inputs.output_gradient)) {
    variables_ = std::visit([](const auto& module) { return module->parameters(); }, inputs.model);
    // Below a recurrent network there is usually an embedding to be trained.
    input_.requires_grad_(mode == cost::Mode::training);
    variables_.insert(variables_.begin(), input_);
  }

  /// The output; after it, in training, the gradients of the input and of the parameters.
  std::vector<at::Tensor> operator()() const {
    if (mode_ == cost::Mode::inference) {
      const c10::InferenceMode guard;
      return {prepared_.forward(input_)};
    }
    const auto output = prepared_.forward(input_);
    auto results = torch::autograd::grad({output}, variables_, {output_gradient_});
    results.insert(results.begin(), output.detach());
    return results;
  }

  /// The same, in the layout that all contenders share.
  std::vector<at::Tensor> comparable_results() const {
    auto results = (*this)();
    results[0] = prepared_.real_tokens(results[0]);
    if (mode_ == cost::Mode::training) results[1] = prepared_.real_tokens(results[1]);
    return results;
  }

  const at::Tensor& executed_lengths() const { return prepared_.executed_lengths; }

 private:
  cost::Mode mode_;
  Prepared prepared_;
  at::Tensor input_;
  at::Tensor output_gradient_;
  std::vector<at::Tensor> variables_;
};

}  // namespace packseq::bench
