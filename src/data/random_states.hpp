#pragma once

#include <ATen/core/Dict.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace torch::nn {
class Module;
}

namespace packseq::data::detail {

/// How far the random numbers of each device are, by its name, "cpu" or "cuda:0".
using RandomStates = c10::Dict<std::string, at::Tensor>;

/// Those that the training of this model may use: of the CPU, and of each CUDA device that the model is on.
RandomStates random_states(const torch::nn::Module& model);

/// A generator of random numbers, and a state that it can take.
class SavedGenerator {
 public:
  /// @throws c10::Error if the state is not one of this generator.
  SavedGenerator(at::Generator generator, at::Tensor state);

  void restore();

 private:
  at::Generator generator_;
  at::Tensor state_;
};

/// Those of `states` whose devices this model may use.
/// @throws c10::Error if one is not a state of its device's generator.
std::vector<SavedGenerator> saved_random_states(const RandomStates& states, const torch::nn::Module& model);

}  // namespace packseq::data::detail
