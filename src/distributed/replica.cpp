#include "packseq/distributed/replica.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/Exception.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <numeric>
#include <sstream>

#include "distributed/agree.hpp"

namespace packseq::distributed {
namespace {

using Named = torch::OrderedDict<std::string, at::Tensor>::Item;

/// A line for each tensor of a model, under all its names.
std::string description_of(const torch::nn::Module& model) {
  std::ostringstream text;
  std::vector<Named> described;
  const auto describe = [&](const char* kind, const auto& entry) {
    const at::Tensor& tensor = entry.value();
    text << kind << ' ' << entry.key() << ", " << tensor.scalar_type() << ' ' << tensor.sizes()
         << (tensor.requires_grad() ? ", trained" : "");
    const auto same = std::find_if(described.begin(), described.end(),
                                   [&](const auto& other) { return other.value().is_same(tensor); });
    if (same != described.end()) text << ", the same as " << same->key();
    text << '\n';
    described.push_back(entry);
  };
  for (const auto& entry : model.named_parameters()) describe("parameter", entry);
  for (const auto& entry : model.named_buffers()) describe("buffer", entry);
  return text.str();
}

/// The first line in which two descriptions differ.
std::string difference(std::int64_t rank, const std::string& own, const std::string& first) {
  std::istringstream own_lines(own);
  std::istringstream first_lines(first);
  std::string own_line;
  std::string first_line;
  do {  // A line that is missing is read as an empty one.
    own_line.clear();
    first_line.clear();
    std::getline(own_lines, own_line);
    std::getline(first_lines, first_line);
  } while (own_line == first_line);
  const auto shown = [](const std::string& line) { return line.empty() ? std::string("nothing more") : line; };
  return c10::str("Replica: the model of rank ", rank, " is not that of rank 0: first different is ", shown(own_line),
                  "; on rank 0 it is ", shown(first_line));
}

void broadcast(Communicator& communicator, const torch::OrderedDict<std::string, at::Tensor>& tensors) {
  for (const auto& entry : tensors) {
    const at::Tensor numbers = at::empty_like(entry.value(), at::device(at::kCPU), at::MemoryFormat::Contiguous);
    numbers.copy_(entry.value());
    communicator.broadcast(numbers);
    entry.value().copy_(numbers);
  }
}

/// What keeps this rank from reducing; empty if nothing does.
std::string problem_of(const std::vector<Named>& trained, std::int64_t count) {
  if (count < 0) return c10::str("count is ", count, ", and must not be negative");
  for (const auto& parameter : trained) {
    const at::Tensor& gradient = parameter.value().grad();
    if (gradient.defined() && gradient.layout() != at::kStrided) {
      return c10::str("the gradient of ", parameter.key(), " is ", gradient.layout(),
                      ", and must be dense: make the embedding with sparse(false)");
    }
  }
  return {};
}

/// Replaces the gradients of parameters of one dtype by their sums over all ranks, in one message.
///
/// They are copied to one tensor and back: that costs little, and leaves optimizers and `zero_grad` free to do with
/// them what they like.
void sum_gradients(Communicator& communicator, const std::vector<at::Tensor>& parameters, at::Tensor& flat) {
  if (parameters.empty()) return;
  std::vector<std::int64_t> sizes;
  for (const at::Tensor& parameter : parameters) sizes.push_back(parameter.numel());
  const std::int64_t elements = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  if (!flat.defined() || flat.numel() != elements) flat = at::empty({elements}, parameters[0].scalar_type());
  const std::vector<at::Tensor> parts = flat.split_with_sizes(sizes);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    at::Tensor& gradient = parameters[i].mutable_grad();
    if (!gradient.defined()) gradient = at::zeros_like(parameters[i]);
    parts[i].view(gradient.sizes()).copy_(gradient);
  }
  communicator.sum(flat);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    at::Tensor& gradient = parameters[i].mutable_grad();
    gradient.copy_(parts[i].view(gradient.sizes()));
  }
}

}  // namespace

Replica::Replica(torch::nn::Module& model, Communicator& communicator) : communicator_(communicator) {
  detail::check_same(communicator, description_of(model), [&](const std::string& own, const std::string& first) {
    return difference(communicator.rank(), own, first);
  });
  for (const auto& entry : model.named_parameters()) {
    const at::Tensor& tensor = entry.value();
    const auto known = [&tensor](const auto& parameter) { return parameter.value().is_same(tensor); };
    if (!tensor.requires_grad() || std::any_of(trained_.begin(), trained_.end(), known)) continue;
    TORCH_CHECK_TYPE(tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble, "Replica: parameter ",
                     entry.key(), " is ", tensor.scalar_type(), ", and must be float or double to be trained");
    trained_.push_back(entry);
  }
  if (communicator.size() == 1) return;
  const at::NoGradGuard no_grad;
  broadcast(communicator, model.named_parameters());
  broadcast(communicator, model.named_buffers());
}

/// The sums over all ranks of losses, counts, and of how many ranks have a gradient of each trained parameter. Refuses,
/// on every rank, what keeps one of them from reducing.
std::vector<double> Replica::sum_up(double loss, std::int64_t count) {
  const std::string problem = problem_of(trained_, count);
  std::vector<double> sums = {loss, static_cast<double>(count)};  // doubles hold every count that occurs
  for (const auto& parameter : trained_) sums.push_back(parameter.value().grad().defined() ? 1 : 0);
  sums.push_back(problem.empty() ? 0 : 1);
  communicator_.sum(at::from_blob(sums.data(), {static_cast<std::int64_t>(sums.size())}, at::kDouble));
  if (sums.back() > 0) {
    const std::string message = c10::str("Replica: on rank ", communicator_.rank(), " ", problem);
    detail::check_problems(communicator_, problem.empty() ? problem : message);
  }
  return sums;
}

double Replica::reduce(double loss, std::int64_t count) {
  const at::NoGradGuard no_grad;
  const std::vector<double> sums = sum_up(loss, count);
  const double total = std::max(sums[1], 1.);
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    std::vector<at::Tensor> parameters;
    for (std::size_t i = 0; i < trained_.size(); ++i) {
      const at::Tensor& parameter = trained_[i].value();
      if (sums[2 + i] > 0 && parameter.scalar_type() == dtype) parameters.push_back(parameter);
    }
    if (communicator_.size() > 1) sum_gradients(communicator_, parameters, dtype == at::kFloat ? floats_ : doubles_);
    for (const at::Tensor& parameter : parameters) parameter.mutable_grad().div_(total);
  }
  return sums[0] / total;
}

}  // namespace packseq::distributed
