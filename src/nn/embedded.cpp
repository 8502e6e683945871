#include "packseq/nn/embedded.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/autograd.hpp"
#include "engine/check.hpp"
#include "engine/dtypes.hpp"
#include "engine/network.hpp"
#include "engine/origin.hpp"
#include "nn/distinct.hpp"
#include "nn/packed_run.hpp"

namespace packseq::nn {
namespace {

using engine::Cell;
using engine::Choice;

Cell cell_of(const LSTM&) { return Cell::lstm; }
Cell cell_of(const GRU&) { return Cell::gru; }
Cell cell_of(const RNN& network) { return detail::cell_of(network->options); }

std::string name_of(Cell cell) { return cell == Cell::lstm ? "lstm" : cell == Cell::gru ? "gru" : "rnn"; }

std::string function_of(Cell cell, const std::string& function) {
  const auto* const network = cell == Cell::lstm ? "LSTM" : cell == Cell::gru ? "GRU" : "RNN";
  return std::string("Embedded") + network + "::" + function;
}

void check_ids(const char* function, const PackedSequence& ids, const at::Tensor& weight) {
  const at::Tensor& data = ids.data();
  const bool is_integer = data.scalar_type() == at::kLong || data.scalar_type() == at::kInt;
  TORCH_CHECK_TYPE(is_integer && data.device() == weight.device(), function, ": the data of ids is ",
                   data.scalar_type(), " on ", data.device(), ", and must be int64 (Long) or int32 (Int) on ",
                   weight.device());
  TORCH_CHECK_VALUE(data.dim() == 1, function, ": the data of ids has sizes ", data.sizes(), ", and must be [N]");
}

/// What the engine is given besides the embedding: states may be undefined.
engine::Support supports(const at::Tensor& embedded, const State& state, const std::vector<at::Tensor>& weights) {
  std::vector<at::Tensor> states;
  for (const at::Tensor& tensor : {state.h, state.c}) {
    if (tensor.defined()) states.push_back(tensor);
  }
  return engine::supports_tensors(embedded, states, weights);
}

/// What a pass reads besides the ids: states may be undefined.
std::vector<at::Tensor> inputs_of(const at::Tensor& embedded, const State& state, std::vector<at::Tensor> weights) {
  for (const at::Tensor& tensor : {embedded, state.h, state.c}) {
    if (tensor.defined()) weights.push_back(tensor);
  }
  return weights;
}

/// What the gates of the first layer start from for each of these rows of an embedding.
at::Tensor project_words(const char* function, Cell cell, const at::Tensor& rows,
                         const torch::nn::detail::RNNOptionsBase& options, const std::vector<at::Tensor>& weights,
                         engine::Precision precision) {
  const std::int64_t of_states = options.num_layers() * (options.bidirectional() ? 2 : 1);
  // Nothing depends on the states but for their sizes.
  const auto state = [&](std::int64_t size) { return at::zeros({of_states, 1, size}, rows.options()); };
  std::vector<at::Tensor> states = {state(options.proj_size() > 0 ? options.proj_size() : options.hidden_size())};
  if (cell == Cell::lstm) states.push_back(state(options.hidden_size()));
  const at::Tensor one_document = at::ones({1}, at::kLong);
  const auto network = [&](const at::Tensor& data) {
    return engine::Network{cell,
                           data,
                           one_document,
                           states,
                           weights,
                           options.bias(),
                           options.num_layers(),
                           /*dropout=*/0,
                           /*train=*/false,
                           options.bidirectional(),
                           /*batch_first=*/false,
                           /*index=*/{},
                           /*known_sums=*/{},
                           precision};
  };
  const at::Tensor row = rows.narrow(0, 0, 1);
  const bool is_taken = engine::check_arguments(network(row), {function, "a row of the embedding", {"h_0", "c_0"}}, 1);
  TORCH_CHECK_VALUE(is_taken, function, ": the biases have not the sizes that the options tell");
  return engine::project_input(network(rows));
}

/// Up to which part of the tokens it saves time to compute each beginning once.
///
/// To find beginnings and to copy what they share takes as long per token as to multiply so many rows of weights (those
/// of gate blocks, as the engine has them): with AVX-512, for 6,000 tokens, one layer and 16 to 256 hidden units, 10 to
/// 30 in training and 20 to 30 in inference on one thread, and up to 100 on two, which do not divide all of it. 48 of
/// them lose little on either. A bidirectional network copies its two halves once more, side by side.
double most_beginnings_of(Cell cell, const torch::nn::detail::RNNOptionsBase& options) {
  const double copied_rows = options.bidirectional() ? 96 : 48;
  const double rows = static_cast<double>(engine::gate_blocks(cell)) * static_cast<double>(options.hidden_size());
  return std::clamp(1 - copied_rows / rows, 0.0, 0.9);
}

}  // namespace

namespace detail {

/// What `freeze` has computed, and of which weights.
struct Frozen {
  at::Tensor known_sums;  // [D, K, *]
  engine::Precision precision;
  std::vector<engine::Origin> origins;

  bool is_of(const std::vector<at::Tensor>& weights) const {
    return std::ranges::equal(origins, weights,
                              [](const auto& origin, const auto& weight) { return origin.is_unchanged(weight); });
  }
};

}  // namespace detail

template <class Network>
EmbeddedImpl<Network>::EmbeddedImpl(Embedding of_ids, Network of_vectors)
    : embedding(std::move(of_ids)), network(std::move(of_vectors)), most_beginnings(0) {
  TORCH_CHECK_VALUE(!embedding.is_empty() && !network.is_empty(), "Embedded: embedding or network is empty");
  const std::int64_t width = embedding->options.embedding_dim();
  const std::int64_t input = network->options_base.input_size();
  TORCH_CHECK_VALUE(width == input, "Embedded: the embedding_dim of embedding is ", width,
                    ", but the input_size of network is ", input);
  register_module("embedding", embedding);
  register_module(name_of(cell_of(network)), network);
  most_beginnings = most_beginnings_of(cell_of(network), network->options_base);
}

template <class Network>
Result EmbeddedImpl<Network>::forward(const PackedSequence& ids, const State& state, const Keep& keep) {
  const Cell cell = cell_of(network);
  const std::string function = function_of(cell, "forward");
  check_ids(function.c_str(), ids, embedding->weight);
  const std::vector<at::Tensor> weights = network->all_weights();
  const bool records = engine::records_gradients(inputs_of(embedding->weight, state, weights));
  // What comes next may be an optimizer; LibTorch's SGD changes weights without its being counted.
  if (records) is_trained_ = true;
  // Gradients that are scaled by how often an id comes must see it come.
  const bool counts_ids = records && embedding->options.scale_grad_by_freq();
  if (network->engine == Choice::libtorch || counts_ids || !supports(embedding->weight, state, weights)) {
    return network->forward(embedding->forward(ids), state, keep);
  }
  const auto precision = engine::resolved(network->precision, embedding->weight.scalar_type());
  const std::int64_t known = known_words(weights, precision);
  const auto distinct =
      detail::find_distinct(function.c_str(), ids.data().to(at::kLong), embedding->weight.size(0), known);
  if (static_cast<double>(distinct.ids.size(0)) > most_distinct * static_cast<double>(ids.data().size(0))) {
    return network->forward(embedding->forward(ids), state, keep);
  }
  const detail::Input input = {ids, embedding->torch::nn::EmbeddingImpl::forward(distinct.ids), distinct.index,
                               known > 0 ? frozen_->known_sums : at::Tensor(), most_beginnings};
  return detail::run_packed(function.c_str(), cell, input, state, network->options_base, weights,
                            {network->engine, precision, keep}, network->is_training());
}

template <class Network>
void EmbeddedImpl<Network>::freeze(std::int64_t max_bytes) {
  const at::NoGradGuard no_grad;
  const Cell cell = cell_of(network);
  const std::string function = function_of(cell, "freeze");
  TORCH_CHECK_VALUE(!embedding->options.max_norm(), function, ": the embedding has a max_norm, with which it changes");
  const std::vector<at::Tensor> weights = network->all_weights();
  detail::check_fused(function, embedding->weight, weights, network->engine);
  const auto& options = network->options_base;
  const std::int64_t directions = options.bidirectional() ? 2 : 1;
  const c10::ScalarType dtype = engine::computed_dtype(embedding->weight.scalar_type());
  const std::int64_t word_bytes = directions * static_cast<std::int64_t>(engine::gate_blocks(cell)) *
                                  options.hidden_size() * static_cast<std::int64_t>(c10::elementSize(dtype));
  TORCH_CHECK_VALUE(max_bytes >= word_bytes, function, ": max_bytes is ", max_bytes, ", and must be at least ",
                    word_bytes, ", what one word takes");
  const std::int64_t words = std::min(max_bytes / word_bytes, embedding->weight.size(0));
  const at::Tensor rows = embedding->weight.narrow(0, 0, words);
  const auto precision = engine::resolved(network->precision, embedding->weight.scalar_type());
  detail::Frozen frozen = {project_words(function.c_str(), cell, rows, options, weights, precision), precision, {}};
  for (const at::Tensor& weight : first_weights(weights)) frozen.origins.emplace_back(weight);
  frozen_ = std::make_shared<const detail::Frozen>(std::move(frozen));
  is_trained_ = false;
  network->freeze();
}

template <class Network>
void EmbeddedImpl<Network>::unfreeze() {
  if (frozen_ != nullptr) network->unfreeze();
  frozen_ = nullptr;
}

template <class Network>
std::int64_t EmbeddedImpl<Network>::frozen_words() const {
  return known_words(network->all_weights(), engine::resolved(network->precision, embedding->weight.scalar_type()));
}

template <class Network>
std::int64_t EmbeddedImpl<Network>::known_words(const std::vector<at::Tensor>& weights,
                                                packseq::engine::Precision precision) const {
  const bool knows =
      frozen_ != nullptr && !is_trained_ && frozen_->precision == precision && frozen_->is_of(first_weights(weights));
  return knows ? frozen_->known_sums.size(1) : 0;
}

/// Those that a table is made of: the first layer's, and the embedding's.
template <class Network>
std::vector<at::Tensor> EmbeddedImpl<Network>::first_weights(std::vector<at::Tensor> weights) const {
  weights.resize(weights.size() / static_cast<std::size_t>(network->options_base.num_layers()));
  weights.push_back(embedding->weight);
  return weights;
}

template <class Network>
std::shared_ptr<torch::nn::Module> EmbeddedImpl<Network>::clone(const std::optional<at::Device>& device) const {
  const auto copy = [&](const auto& holder) {
    using Impl = typename std::decay_t<decltype(holder)>::ContainedType;
    return std::dynamic_pointer_cast<Impl>(holder->clone(device));
  };
  auto cloned = std::make_shared<EmbeddedImpl>(Embedding(copy(embedding)), Network(copy(network)));
  cloned->most_beginnings = most_beginnings;
  cloned->train(is_training());
  cloned->embedding->train(embedding->is_training());
  cloned->network->train(network->is_training());
  return cloned;
}

template class EmbeddedImpl<LSTM>;
template class EmbeddedImpl<GRU>;
template class EmbeddedImpl<RNN>;

}  // namespace packseq::nn
