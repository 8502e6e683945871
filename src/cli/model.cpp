#include "cli/model.hpp"

#include <tuple>
#include <type_traits>

namespace packseq::cli {
namespace {

nn::Embedding make_embedding(const cost::Network& shape, std::int64_t vocab_size) {
  // A dense gradient would be as large as the vocabulary, and take most of the time of a small network.
  return nn::Embedding(torch::nn::EmbeddingOptions(vocab_size, shape.input_size).sparse(true));
}

template <class Module, class Options>
Module make(const cost::Network& shape) {
  return Module(Options(shape.input_size, shape.hidden_size)
                    .num_layers(shape.num_layers)
                    .bidirectional(shape.bidirectional)
                    .batch_first(true));
}

std::variant<nn::LSTM, nn::GRU, nn::RNN> make_network(const cost::Network& shape) {
  switch (shape.kind) {
    case cost::Kind::lstm:
      return make<nn::LSTM, torch::nn::LSTMOptions>(shape);
    case cost::Kind::gru:
      return make<nn::GRU, torch::nn::GRUOptions>(shape);
    case cost::Kind::rnn:
      break;
  }
  return make<nn::RNN, torch::nn::RNNOptions>(shape);
}

const at::Tensor& hidden_state(const at::Tensor& state) { return state; }
const at::Tensor& hidden_state(const std::tuple<at::Tensor, at::Tensor>& state) { return std::get<0>(state); }

// packseq's modules take packed batches; LibTorch's, which they derive from, padded ones.
auto forward_padded(torch::nn::LSTMImpl& network, const at::Tensor& input) { return network.forward(input); }
auto forward_padded(torch::nn::GRUImpl& network, const at::Tensor& input) { return network.forward(input); }
auto forward_padded(torch::nn::RNNImpl& network, const at::Tensor& input) { return network.forward(input); }

}  // namespace

Model::Model(const cost::Network& shape, std::int64_t vocab_size)
    : shape_(shape), embedding_(make_embedding(shape, vocab_size)), network_(make_network(shape)) {
  register_module("embedding", embedding_);
  std::visit([this](auto& network) { register_module("network", network); }, network_);
}

NetworkResult Model::run_padded(const at::Tensor& ids) {
  const at::Tensor embedded = embedding_->torch::nn::EmbeddingImpl::forward(ids);
  return std::visit(
      [&](auto& network) {
        const auto result = forward_padded(*network, embedded);
        return NetworkResult{std::get<0>(result), hidden_state(std::get<1>(result))};
      },
      network_);
}

NetworkResult Model::run_packed(const PackedSequence& ids) {
  const PackedSequence embedded = embedding_->forward(ids);
  return std::visit(
      [&](auto& network) {
        const auto result = network->forward_with_packed_input(embedded);
        return NetworkResult{std::get<0>(result).data(), hidden_state(std::get<1>(result))};
      },
      network_);
}

NetworkResult Model::run_fused(const PackedSequence& ids, engine::Precision precision) {
  const PackedSequence embedded = embedding_->forward(ids);
  return std::visit(
      [&](auto& network) {
        network->precision = precision;
        const nn::Result result = network->forward(embedded);
        return NetworkResult{result.output.data(), result.state.h};
      },
      network_);
}

std::variant<nn::EmbeddedLSTM, nn::EmbeddedGRU, nn::EmbeddedRNN> Model::embedded() const {
  return std::visit(
      [this](const auto& network) -> std::variant<nn::EmbeddedLSTM, nn::EmbeddedGRU, nn::EmbeddedRNN> {
        return nn::Embedded<std::decay_t<decltype(network)>>(embedding_, network);
      },
      network_);
}

at::Tensor Model::last_layer(const at::Tensor& hidden) const {
  return hidden.narrow(0, hidden.size(0) - directions(), directions()).transpose(0, 1).flatten(1);
}

}  // namespace packseq::cli
