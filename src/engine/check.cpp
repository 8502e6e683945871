#include "engine/check.hpp"

#include <ATen/ExpandUtils.h>
#include <ATen/autocast_mode.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <optional>
#include <string>

#include "sequence/check.hpp"

namespace packseq::engine {
namespace {

std::int64_t weight_blocks(Cell cell) { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }

/// Checks one argument after the other, since each says what sizes the next must have.
class Check {
 public:
  Check(const Network& network, const Caller& caller)
      : network_(network), caller_(caller), directions_(network.bidirectional ? 2 : 1) {}

  bool run(std::optional<std::int64_t> documents) {
    check_parameters();
    check_data();
    if (!has_other_rank()) check_states(documents ? *documents : documents_of_batch());
    check_types();
    return takes_;
  }

 private:
  /// A parameter as modules call it: "weight_ih_l0_reverse".
  std::string name(std::size_t parameter) const {
    constexpr std::array kinds = {"weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"};
    const std::size_t per_direction = parameters_per_direction();
    const std::size_t kind = parameter % per_direction;
    const std::size_t row = parameter / per_direction;
    const auto directions = static_cast<std::size_t>(directions_);
    return std::string(kinds[kind == 2 && !network_.has_biases ? 4 : kind]) + "_l" + std::to_string(row / directions) +
           (row % directions == 1 ? "_reverse" : "");
  }

  std::size_t parameters_per_direction() const {
    return network_.parameters.size() / static_cast<std::size_t>(network_.num_layers * directions_);
  }

  void check_defined(const at::Tensor& tensor, const char* name) const {
    TORCH_CHECK_VALUE(tensor.defined(), caller_.function, ": ", name, " is undefined");
  }

  void check_parameter_count() {
    const auto count = static_cast<std::int64_t>(network_.parameters.size());
    constexpr std::int64_t most = std::int64_t{1} << 59;  // else products overflow
    TORCH_CHECK_VALUE(network_.num_layers >= 1 && network_.num_layers <= most, caller_.function, ": num_layers is ",
                      network_.num_layers, ", and must be in 1 ... ", most);
    const std::int64_t without_projection = network_.has_biases ? 4 : 2;
    const std::int64_t layers = network_.num_layers * directions_;
    const std::int64_t per_direction = count / layers;
    has_projection_ = network_.cell == Cell::lstm && per_direction == without_projection + 1;
    const auto of_projection = [&] { return c10::str(", or with a projection ", layers * (without_projection + 1)); };
    TORCH_CHECK_VALUE(count == layers * per_direction && (per_direction == without_projection || has_projection_),
                      caller_.function, ": there are ", count, " parameters, and must be ", layers * without_projection,
                      network_.cell == Cell::lstm ? of_projection() : std::string(), ": num_layers is ",
                      network_.num_layers, ", with ", directions_,
                      directions_ == 1 ? " direction and " : " directions and ",
                      network_.has_biases ? "biases" : "no biases");
    for (std::size_t i = 0; i < network_.parameters.size(); ++i) {
      if (!network_.parameters[i].defined()) check_defined(network_.parameters[i], name(i).c_str());
    }
  }

  /// The sizes of the first layer's weights are those of all others.
  void take_sizes() {
    const auto matrix = [&](std::size_t i) -> const at::Tensor& {
      const at::Tensor& weight = network_.parameters[i];
      TORCH_CHECK_VALUE(weight.dim() == 2, caller_.function, ": ", name(i), " has sizes ", weight.sizes(),
                        ", and must be a matrix");
      return weight;
    };
    input_ = matrix(0).size(1);
    output_ = matrix(1).size(1);
    hidden_ = has_projection_ ? matrix(parameters_per_direction() - 1).size(1) : output_;
    takes_ = takes_ && hidden_ > 0 && output_ > 0;
    TORCH_CHECK_VALUE(!has_projection_ || hidden_ != output_, caller_.function, ": a projection is from ", hidden_,
                      " to ", output_, " units, and LibTorch knows none that keeps their number");
  }

  /// LibTorch's own code expands what it computes with, and raises where it cannot. oneDNN's, which runs LSTMs but for
  /// these, reads what is not there.
  bool expands() const {
    return caller_.is_operator &&
           (network_.cell != Cell::lstm || has_projection_ || network_.parameters[0].scalar_type() == at::kDouble);
  }

  bool is_expanded_bias(std::size_t parameter, std::int64_t rows) const {
    const at::Tensor& bias = network_.parameters[parameter];
    if (bias.dim() == 0 || (bias.size(-1) != rows && bias.size(-1) != 1)) return false;
    const at::Tensor& other =
        network_.parameters[parameter % parameters_per_direction() == 2 ? parameter + 1 : parameter - 1];
    return expands() || bias.numel() == rows || (bias.numel() == 1 && other.numel() == rows);
  }

  void check_sizes(std::size_t parameter, at::IntArrayRef sizes) {
    const at::Tensor& tensor = network_.parameters[parameter];
    if (tensor.sizes() == sizes) return;
    TORCH_CHECK_VALUE(sizes.size() == 1 && is_expanded_bias(parameter, sizes[0]), caller_.function, ": ",
                      name(parameter), " has sizes ", tensor.sizes(), ", and must be ", sizes);
    takes_ = false;
  }

  void check_parameters() {
    check_parameter_count();
    take_sizes();
    const std::int64_t rows = weight_blocks(network_.cell) * hidden_;
    std::size_t next = 0;
    for (std::int64_t i = 0; i < network_.num_layers * directions_; ++i) {
      check_sizes(next++, {rows, i < directions_ ? input_ : directions_ * output_});
      check_sizes(next++, {rows, output_});
      for (int bias = 0; network_.has_biases && bias < 2; ++bias) check_sizes(next++, rows);
      if (has_projection_) check_sizes(next++, {output_, hidden_});
    }
  }

  /// Who forgets the embedding has ids where vectors should be.
  const char* hint() const {
    return at::isIntegralType(network_.data.scalar_type(), /*includeBool=*/false) ? "; did you forget the embedding?"
                                                                                  : "";
  }

  /// An RNN's cell has no need of three dimensions in LibTorch.
  bool has_other_rank() const {
    return expands() && network_.is_padded() && network_.data.dim() >= 2 && network_.data.dim() != 3 &&
           (network_.cell == Cell::rnn_tanh || network_.cell == Cell::rnn_relu);
  }

  void check_data() {
    const at::Tensor& data = network_.data;
    check_defined(data, caller_.data);
    const char* const sizes = !network_.is_padded() ? "[N, " : network_.batch_first ? "[B, T, " : "[T, B, ";
    const bool has_rank = data.dim() == (network_.is_padded() ? 3 : 2) || has_other_rank();
    TORCH_CHECK_VALUE(has_rank && data.size(-1) == input_, caller_.function, ": ", caller_.data, " has sizes ",
                      data.sizes(), ", and must be ", sizes, input_, "]", hint());
    takes_ = takes_ && !has_other_rank();
  }

  std::int64_t documents_of_batch() {
    const at::Tensor& data = network_.data;
    if (network_.is_padded()) {
      takes_ = takes_ && data.size(0) > 0 && data.size(1) > 0;
      return data.size(network_.batch_first ? 0 : 1);
    }
    const auto sizes = packseq::detail::checked_batch_sizes(caller_.function, network_.batch_sizes, data.size(0));
    takes_ = takes_ && sizes.back() > 0;
    return sizes.front();
  }

  void check_states(std::int64_t documents) {
    TORCH_CHECK_VALUE(network_.cell != Cell::lstm || network_.states.size() == 2, caller_.function, ": hx has ",
                      network_.states.size(), " tensors, and must have 2, h_0 and c_0");
    for (std::size_t i = 0; i < network_.states.size(); ++i) {
      const at::Tensor& state = network_.states[i];
      check_defined(state, caller_.states[i]);
      // One padded input for the states of many.
      if (i == 0 && expands() && network_.is_padded() && documents == 1 && state.dim() == 3 && state.size(1) > 1) {
        documents = state.size(1);
        takes_ = false;
      }
      const std::array<std::int64_t, 3> sizes = {network_.num_layers * directions_, documents,
                                                 i == 0 ? output_ : hidden_};
      if (state.sizes() == at::IntArrayRef(sizes)) continue;
      const bool is_expanded = expands() && i == 1 && state.dim() == 3 && state.size(0) == sizes[0] &&
                               at::is_expandable_to(state.sizes(), sizes);
      TORCH_CHECK_VALUE(is_expanded, caller_.function, ": ", caller_.states[i], " has sizes ", state.sizes(),
                        ", and must be ", at::IntArrayRef(sizes), ": layers times directions, documents, size");
      takes_ = false;
    }
  }

  bool is_of_type(const at::Tensor& tensor) const {
    const at::Tensor& weight = network_.parameters[0];
    if (tensor.device() != weight.device()) return false;
    return tensor.scalar_type() == weight.scalar_type() ||
           (at::autocast::is_autocast_enabled(weight.device().type()) && tensor.is_floating_point() &&
            tensor.scalar_type() != at::kDouble && weight.scalar_type() != at::kDouble);
  }

  void check_type(const at::Tensor& tensor, const char* name, const char* but, const char* hint = "") const {
    const at::Tensor& weight = network_.parameters[0];
    TORCH_CHECK_TYPE(is_of_type(tensor), caller_.function, ": ", name, " is ", tensor.scalar_type(), " on ",
                     tensor.device(), ", but ", but, " ", weight.scalar_type(), " on ", weight.device(), hint);
  }

  void check_types() const {
    const bool mixes = caller_.is_operator && network_.cell == Cell::lstm;  // in oneDNN; else LibTorch refuses that
    for (std::size_t i = 1; i < network_.parameters.size(); ++i) {
      const at::Tensor& parameter = network_.parameters[i];
      if (is_of_type(parameter) || (mixes && parameter.dim() != 2 && parameter.is_floating_point())) continue;
      check_type(parameter, name(i).c_str(), "weight_ih_l0 is");
    }
    constexpr const char* but = "the parameters are";
    check_type(network_.data, caller_.data, but, hint());
    check_type(network_.states[0], caller_.states[0], but);
    if (network_.states.size() > 1 && !mixes) check_type(network_.states[1], caller_.states[1], but);
  }

  const Network& network_;
  const Caller& caller_;
  std::int64_t directions_;
  std::int64_t input_ = 0;
  std::int64_t output_ = 0;
  std::int64_t hidden_ = 0;
  bool has_projection_ = false;
  bool takes_ = true;
};

}  // namespace

bool check_arguments(const Network& network, const Caller& caller) { return Check(network, caller).run(std::nullopt); }

bool check_arguments(const Network& network, const Caller& caller, std::int64_t documents) {
  return Check(network, caller).run(documents);
}

}  // namespace packseq::engine
