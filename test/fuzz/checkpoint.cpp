// Whatever a checkpoint's payload is, behind a right checksum: it is loaded, or an error names the file and nothing
// changes.

#include "packseq/data/checkpoint.hpp"

#include <ATen/Context.h>
#include <c10/util/Exception.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>

#include <vector>

#include "data/checked_file.hpp"
#include "file.hpp"
#include "packseq/nn/state_dict.hpp"

namespace packseq::fuzz {
namespace {

/// A model and an optimizer that have stepped once.
struct Training {
  torch::nn::Linear model{1, 1};
  torch::optim::SGD optimizer{model->parameters(), torch::optim::SGDOptions(.1).momentum(.9)};

  Training() {
    model(at::ones({1, 1})).sum().backward();
    optimizer.step();
  }

  /// All that `load` may change.
  std::vector<at::Tensor> numbers() {
    std::vector<at::Tensor> all = {at::globalContext().defaultGenerator(at::kCPU).get_state(),
                                   torch::tensor(optimizer.param_groups()[0].options().get_lr())};
    for (const at::Tensor& parameter : model->parameters()) {
      const auto& state = *optimizer.state().at(parameter.unsafeGetTensorImpl());
      all.push_back(parameter.detach().clone());
      all.push_back(static_cast<const torch::optim::SGDParamState&>(state).momentum_buffer().clone());
    }
    return all;
  }
};

void load(const InputFile& file, Training& training) {
  const auto before = training.numbers();
  try {
    data::Checkpoint(file.path(), *training.model, training.optimizer).load();
    return;
  } catch (const c10::ValueError& error) {
    require_names(error, file.path());
  } catch (const std::runtime_error& error) {
    require_names(error, file.path());
  }
  const auto after = training.numbers();
  for (std::size_t i = 0; i < before.size(); ++i) {
    require(at::equal(after[i], before[i]), "a checkpoint that is refused changes something");
  }
}

}  // namespace
}  // namespace packseq::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq;
  static const fuzz::InputFile file;
  static const std::string payload = [] {
    fuzz::Training training;
    data::Checkpoint(file.path(), *training.model, training.optimizer).save({});
    return data::detail::read_checked_file(file.path());
  }();
  at::manual_seed(1);
  fuzz::Input input(data, size);
  const bool ours = input.flag();
  data::detail::write_checked_file(file.path(), ours ? fuzz::altered(payload, input) : std::string(input.rest()));
  fuzz::Training training;
  fuzz::load(file, training);
  return 0;
}
