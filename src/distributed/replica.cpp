#include "packseq/distributed/replica.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/Exception.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <numeric>
#include <sstream>

#include "distributed/same.hpp"

namespace packseq::distributed {
namespace {

/// A line for each tensor of a model, under all its names.
std::string description_of(const torch::nn::Module& model) {
  std::ostringstream text;
  const auto describe = [&text](const char* kind, const auto& entry) {
    const at::Tensor& tensor = entry.value();
    text << kind << ' ' << entry.key() << ", " << tensor.scalar_type() << ' ' << tensor.sizes()
         << (tensor.requires_grad() ? ", trained" : "") << '\n';
  };
  for (const auto& entry : model.named_parameters()) describe("parameter", entry);
  for (const auto& entry : model.named_buffers()) describe("buffer", entry);
  return text.str();
}

/// The first line in which two descriptions differ.
std::string difference(std::size_t rank, const std::string& other, const std::string& first) {
  std::istringstream lines_of_other(other);
  std::istringstream lines_of_first(first);
  std::string line_of_other;
  std::string line_of_first;
  do {  // A line that is missing is read as an empty one.
    line_of_other.clear();
    line_of_first.clear();
    std::getline(lines_of_other, line_of_other);
    std::getline(lines_of_first, line_of_first);
  } while (line_of_other == line_of_first);
  const auto shown = [](const std::string& line) { return line.empty() ? std::string("nothing more") : line; };
  return c10::str("Replica: the model of rank ", rank, " is not that of rank 0: first different is ",
                  shown(line_of_other), "; on rank 0 it is ", shown(line_of_first));
}

void broadcast(Communicator& communicator, const torch::OrderedDict<std::string, at::Tensor>& tensors) {
  for (const auto& entry : tensors) {
    const at::Tensor numbers = entry.value().detach().cpu().clone(at::MemoryFormat::Contiguous);
    communicator.broadcast(numbers);
    entry.value().copy_(numbers);
  }
}

/// What keeps this rank from reducing; empty if nothing does.
template <class Parameters>
std::string problem_of(const Parameters& trained, std::int64_t count) {
  if (count < 0) return c10::str("count is ", count, ", and must not be negative");
  for (const auto& parameter : trained) {
    const at::Tensor& gradient = parameter.tensor.grad();
    if (gradient.defined() && gradient.layout() != at::kStrided) {
      return c10::str("the gradient of ", parameter.name, " is ", gradient.layout(),
                      ", and must be dense: make the embedding with sparse(false)");
    }
  }
  return {};
}

/// Replaces the gradients of parameters of one dtype by their sums over all ranks, in one message.
///
/// They are copied to one tensor and back: that costs little, and leaves optimizers and `zero_grad` free to do with them
/// what they like.
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

Replica::Replica(const torch::nn::Module& model, Communicator& communicator) : communicator_(communicator) {
  detail::check_same(communicator, description_of(model), difference);
  for (const auto& entry : model.named_parameters()) {
    const at::Tensor& tensor = entry.value();
    const auto known = [&tensor](const Parameter& parameter) { return parameter.tensor.is_same(tensor); };
    if (!tensor.requires_grad() || std::any_of(trained_.begin(), trained_.end(), known)) continue;
    TORCH_CHECK_TYPE(tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble, "Replica: parameter ",
                     entry.key(), " is ", tensor.scalar_type(), ", and must be float or double to be trained");
    trained_.push_back({entry.key(), tensor});
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
  for (const Parameter& parameter : trained_) sums.push_back(parameter.tensor.grad().defined() ? 1 : 0);
  sums.push_back(problem.empty() ? 0 : 1);
  communicator_.sum(at::from_blob(sums.data(), {static_cast<std::int64_t>(sums.size())}, at::kDouble));
  if (sums.back() > 0) {
    const auto problems = communicator_.gather(problem);
    const auto first = std::find_if(problems.begin(), problems.end(), [](const auto& text) { return !text.empty(); });
    TORCH_CHECK_VALUE(false, "Replica: on rank ", first - problems.begin(), " ", *first);
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
      if (sums[2 + i] > 0 && trained_[i].tensor.scalar_type() == dtype) parameters.push_back(trained_[i].tensor);
    }
    if (communicator_.size() > 1) sum_gradients(communicator_, parameters, dtype == at::kFloat ? floats_ : doubles_);
    for (const at::Tensor& parameter : parameters) parameter.mutable_grad().div_(total);
  }
  return sums[0] / total;
}

}  // namespace packseq::distributed
