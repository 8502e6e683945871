#include "packseq/data/checkpoint.hpp"

#include <ATen/core/ivalue.h>
#include <c10/util/Exception.h>
#include <c10/util/Type.h>
#include <torch/nn/module.h>
#include <torch/optim/lbfgs.h>
#include <torch/serialize/archive.h>
#include <torch/version.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "data/checked_file.hpp"
#include "data/optimizer_rollback.hpp"
#include "data/random_states.hpp"
#include "nn/fits.hpp"
#include "packseq/nn/state_dict.hpp"

namespace packseq::data {
namespace {

using torch::nn::Module;
using torch::optim::Optimizer;
using Names = std::vector<std::string>;
using Tensors = c10::Dict<std::string, at::Tensor>;

std::string kind_of(const Optimizer& optimizer) { return c10::demangle(typeid(optimizer).name()); }

/// The parameters of each group of an optimizer, by their names in the model.
std::vector<Names> groups_of(const Optimizer& optimizer, const Module& model) {
  const auto parameters = model.named_parameters();
  std::vector<Names> groups;
  for (const auto& group : optimizer.param_groups()) {
    Names& names = groups.emplace_back();
    for (const at::Tensor& trained : group.params()) {
      const auto same = [&trained](const auto& parameter) { return parameter.value().is_same(trained); };
      const auto found = std::find_if(parameters.begin(), parameters.end(), same);
      TORCH_CHECK_VALUE(found != parameters.end(), "Checkpoint: parameter ", names.size(), " of the optimizer's group ",
                        groups.size() - 1, ", ", trained.sizes(),
                        ", is none of the model's: its numbers would be lost");
      names.push_back(found->key());
    }
  }
  return groups;
}

/// An LBFGS that has stepped keeps room for products of its next step, undefined tensors, which LibTorch cannot write;
/// it makes the room anew where there is none.
void make_writable(Optimizer& optimizer) {
  if (typeid(optimizer) != typeid(torch::optim::LBFGS)) return;
  for (auto& entry : optimizer.state()) {
    static_cast<torch::optim::LBFGSParamState&>(*entry.second).al(std::nullopt);
  }
}

/// What a checkpoint's payload holds.
struct Saved {
  std::vector<std::int64_t> progress;
  nn::StateDict weights;
  detail::RandomStates random;
  std::string optimizer_kind;
  std::vector<Names> optimizer_groups;
  torch::serialize::InputArchive optimizer;
};

/// Where an optimizer's numbers belong: beside the model, which may be elsewhere than it was; or where they were, if it
/// is on several devices.
std::optional<c10::Device> device_for(const Module& model) {
  const auto parameters = model.parameters();
  for (const at::Tensor& parameter : parameters) {
    if (parameter.device() != parameters.front().device()) return {};
  }
  return parameters.empty() ? at::kCPU : parameters.front().device();
}

nn::StateDict weights_in(const Tensors& tensors) {
  nn::StateDict weights;
  for (const auto& entry : tensors) weights.insert(entry.key(), entry.value());
  return weights;
}

Saved parse(const std::string& payload, std::optional<c10::Device> device) {
  torch::serialize::InputArchive archive;
  archive.load_from(payload.data(), payload.size(), device);
  const auto read = [&archive](const std::string& key) {
    c10::IValue value;
    archive.read(key, value);
    return value;
  };
  Saved saved{.progress = read("progress").to<std::vector<std::int64_t>>(),
              .weights = weights_in(read("model").to<Tensors>()),
              .random = read("random").to<detail::RandomStates>(),
              .optimizer_kind = read("optimizer_kind").toStringRef(),
              .optimizer_groups = read("optimizer_groups").to<std::vector<Names>>(),
              .optimizer = {}};
  archive.read("optimizer", saved.optimizer);
  return saved;
}

void check_optimizer(const Saved& saved, const Optimizer& optimizer, const Module& model) {
  TORCH_CHECK_VALUE(kind_of(optimizer) == saved.optimizer_kind, "the optimizer is a ", kind_of(optimizer),
                    ", and must be a ", saved.optimizer_kind);
  const auto groups = groups_of(optimizer, model);
  TORCH_CHECK_VALUE(groups.size() == saved.optimizer_groups.size(), "the optimizer has ", groups.size(),
                    " groups of parameters, and must have ", saved.optimizer_groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    TORCH_CHECK_VALUE(groups[i] == saved.optimizer_groups[i], "the optimizer's group ", i, " has the parameters ",
                      groups[i], ", and must have ", saved.optimizer_groups[i]);
  }
}

void restore(Saved saved, Module& model, Optimizer& optimizer) {
  nn::detail::check_fits(model, saved.weights);
  check_optimizer(saved, optimizer, model);
  auto random = detail::saved_random_states(saved.random, model);
  detail::OptimizerRollback rollback(optimizer);
  optimizer.load(saved.optimizer);
  nn::load_state_dict(model, saved.weights);
  rollback.forget();
  for (auto& generator : random) generator.restore();
}

/// What `action` makes of a checkpoint's payload; all that it throws names the file.
template <class Action>
auto reading(const std::filesystem::path& file, const Action& action) {
  const std::string payload = detail::read_checked_file(file);
  try {
    return action(payload);
  } catch (const c10::ValueError& error) {
    TORCH_CHECK_VALUE(false, file.string(), ": ", error.what_without_backtrace());
  } catch (const std::exception& error) {  // what a content gives that has our checksum, but is none of ours
    const auto* const of_torch = dynamic_cast<const c10::Error*>(&error);
    const std::string reason = of_torch != nullptr ? of_torch->what_without_backtrace() : error.what();
    throw std::runtime_error(file.string() +
                             ": LibTorch " TORCH_VERSION " cannot read it: " + reason.substr(0, reason.find('\n')));
  }
}

}  // namespace

Checkpoint::Checkpoint(std::filesystem::path file, Module& model, Optimizer& optimizer)
    : file_(std::move(file)), model_(model), optimizer_(optimizer) {}

bool Checkpoint::exists() const {
  std::error_code error;
  return std::filesystem::exists(file_, error) || error;
}

void Checkpoint::save(const Progress& progress) const {
  Tensors weights;
  for (const auto& entry : nn::state_dict(model_)) weights.insert(entry.key(), entry.value());
  torch::serialize::OutputArchive archive;
  archive.write("progress", std::vector{static_cast<std::int64_t>(progress.seed), progress.position.epoch,
                                        progress.position.batches});
  archive.write("model", weights);
  archive.write("random", detail::random_states(model_));
  archive.write("optimizer_kind", kind_of(optimizer_));
  archive.write("optimizer_groups", groups_of(optimizer_, model_));
  make_writable(optimizer_);
  torch::serialize::OutputArchive optimizer(archive.compilation_unit());
  optimizer_.save(optimizer);
  archive.write("optimizer", optimizer);

  std::string payload;
  archive.save_to([&payload](const void* bytes, std::size_t size) {
    payload.append(static_cast<const char*>(bytes), size);
    return size;
  });
  detail::write_checked_file(file_, payload);
}

Progress Checkpoint::load() const {
  return reading(file_, [this](const std::string& payload) {
    Saved saved = parse(payload, device_for(model_));
    const Progress progress{.seed = static_cast<std::uint64_t>(saved.progress.at(0)),
                            .position = {.epoch = saved.progress.at(1), .batches = saved.progress.at(2)}};
    restore(std::move(saved), model_, optimizer_);
    return progress;
  });
}

nn::StateDict Checkpoint::weights(const std::filesystem::path& file) {
  return reading(file, [](const std::string& payload) { return parse(payload, at::kCPU).weights; });
}

}  // namespace packseq::data
