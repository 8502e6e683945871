#include "packseq/cost/network_cost.hpp"

#include <ATen/ops/full.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <numeric>

#include "cost/count.hpp"
#include "sequence/check.hpp"

namespace packseq::cost {
namespace {

using detail::Count;

// G, D and P of the formulas.
Count gates(const Network& network) { return static_cast<std::int64_t>(network.kind); }
Count directions(const Network& network) { return network.bidirectional ? 2 : 1; }
Count output_size(const Network& network) { return network.proj_size > 0 ? network.proj_size : network.hidden_size; }

void check_positive(const char* function, const char* name, std::int64_t value) {
  TORCH_CHECK_VALUE(value > 0, function, ": network.", name, " is ", value, ", and must be positive");
}

void check_network(const char* function, const Network& network) {
  check_positive(function, "input_size", network.input_size);
  check_positive(function, "hidden_size", network.hidden_size);
  check_positive(function, "num_layers", network.num_layers);
  TORCH_CHECK_VALUE(network.proj_size >= 0 && network.proj_size < network.hidden_size, function,
                    ": network.proj_size is ", network.proj_size, ", and must be in 0 ... ", network.hidden_size - 1,
                    ", less than hidden_size");
  TORCH_CHECK_VALUE(network.proj_size == 0 || network.kind == Kind::lstm, function, ": network.proj_size is ",
                    network.proj_size, ", and must be 0: only an LSTM has a projection");
}

/// What the formulas ask of a batch of documents.
struct Batch {
  Count tokens;         // N
  Count in_first_step;  // b_0: the documents that are not empty
  Count in_last_step;   // those that are as long as the longest
};

Batch checked_batch(const char* function, const at::Tensor& lengths) {
  const auto entries = packseq::detail::checked_lengths(function, "lengths", lengths);
  const auto longest = *std::max_element(entries.begin(), entries.end());
  if (longest == 0) return {0, 0, 0};
  const auto empty = std::count(entries.begin(), entries.end(), 0);
  return {std::accumulate(entries.begin(), entries.end(), Count(0)), static_cast<std::int64_t>(entries.size()) - empty,
          std::count(entries.begin(), entries.end(), longest)};
}

/// Multiply-adds per token of a forward pass.
Count multiply_adds(const Network& network) {
  const Count hidden = network.hidden_size;
  const Count output = output_size(network);
  const auto of_layer = [&](const Count& input) {
    const Count projection = network.proj_size > 0 ? hidden * output : 0;
    return directions(network) * (gates(network) * hidden * (input + output) + projection);
  };
  return of_layer(network.input_size) + Count(network.num_layers - 1) * of_layer(directions(network) * output);
}

/// Elements per token, layer and direction that backward reads, besides the output.
Count read_again(const Network& network) {
  if (network.kind == Kind::lstm) return Count(5) * network.hidden_size;  // the gates and the cell state
  if (network.kind == Kind::gru) return Count(4) * network.hidden_size;   // the gates and the new one's hidden part
  return 0;
}

}  // namespace

at::Tensor padded_lengths(const at::Tensor& lengths) {
  const auto entries = packseq::detail::checked_lengths("padded_lengths", "lengths", lengths);
  return at::full(lengths.sizes(), *std::max_element(entries.begin(), entries.end()), lengths.options());
}

std::int64_t forward_flops(const Network& network, const at::Tensor& lengths) {
  check_network("forward_flops", network);
  const Count count = multiply_adds(network) * checked_batch("forward_flops", lengths).tokens;
  return (2 * count).checked("forward_flops");
}

std::int64_t backward_flops(const Network& network, const at::Tensor& lengths, const Gradients& gradients) {
  check_network("backward_flops", network);
  const Batch batch = checked_batch("backward_flops", lengths);
  Count count = 2 * multiply_adds(network) * batch.tokens;
  const Count gate_rows = gates(network) * network.hidden_size;
  if (!gradients.input) count = count - directions(network) * gate_rows * network.input_size * batch.tokens;
  if (!gradients.initial_state) {
    // The reverse direction begins in the last step.
    const Count first_rows = batch.in_first_step + (network.bidirectional ? batch.in_last_step : 0);
    count = count - network.num_layers * gate_rows * output_size(network) * first_rows;
  }
  return (2 * count).checked("backward_flops");
}

std::int64_t repeated_flops(const Network& network, std::int64_t repeated, Mode mode) {
  check_network("repeated_flops", network);
  TORCH_CHECK_VALUE(repeated >= 0, "repeated_flops: repeated is ", repeated, ", and must not be negative");
  const Count products = mode == Mode::inference ? 1 : 3;
  const Count per_token = directions(network) * gates(network) * network.hidden_size * network.input_size;
  return (2 * products * per_token * repeated).checked("repeated_flops");
}

std::int64_t activation_bytes(const Network& network, const at::Tensor& lengths, Mode mode, std::int64_t element_size) {
  check_network("activation_bytes", network);
  TORCH_CHECK_VALUE(element_size > 0, "activation_bytes: element_size is ", element_size, ", and must be positive");
  const Count bytes = element_size * checked_batch("activation_bytes", lengths).tokens;
  const Count output = directions(network) * output_size(network);
  if (mode == Mode::inference) {
    const Count above_first = bytes * (network.num_layers > 1 ? output + output : 0);
    const Count first = bytes * (network.input_size + output);
    return std::max(first.checked("activation_bytes"), above_first.checked("activation_bytes"));
  }
  const Count kept = output + directions(network) * read_again(network);
  return (bytes * (network.input_size + network.num_layers * kept)).checked("activation_bytes");
}

}  // namespace packseq::cost
