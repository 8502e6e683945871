#include "data/random_states.hpp"

#include <ATen/Context.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <mutex>

#include "packseq/nn/state_dict.hpp"

namespace packseq::data::detail {
namespace {

std::vector<c10::Device> devices_of(const torch::nn::Module& model) {
  std::vector<c10::Device> devices = {at::kCPU};
  for (const auto& entry : nn::state_dict(model)) {
    const auto device = entry.value().device();
    if (device.is_cuda() && std::find(devices.begin(), devices.end(), device) == devices.end()) {
      devices.push_back(device);
    }
  }
  return devices;
}

}  // namespace

RandomStates random_states(const torch::nn::Module& model) {
  RandomStates states;
  for (const c10::Device device : devices_of(model)) {
    at::Generator generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard lock(generator.mutex());
    states.insert(device.str(), generator.get_state());
  }
  return states;
}

SavedGenerator::SavedGenerator(at::Generator generator, at::Tensor state)
    : generator_(std::move(generator)), state_(std::move(state)) {
  generator_.clone().set_state(state_);
}

void SavedGenerator::restore() {
  const std::lock_guard lock(generator_.mutex());
  generator_.set_state(state_);
}

std::vector<SavedGenerator> saved_random_states(const RandomStates& states, const torch::nn::Module& model) {
  std::vector<SavedGenerator> generators;
  for (const c10::Device device : devices_of(model)) {
    if (!states.contains(device.str())) continue;
    generators.emplace_back(at::globalContext().defaultGenerator(device), states.at(device.str()).cpu());
  }
  return generators;
}

}  // namespace packseq::data::detail
