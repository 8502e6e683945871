#include "contenders/inputs.hpp"

#include <ATen/Context.h>
#include <ATen/Functions.h>

#include <cmath>
#include <utility>

namespace packseq::bench {

namespace {

std::string_view kind_name(cost::Kind kind) {
  switch (kind) {
    case cost::Kind::lstm:
      return "lstm";
    case cost::Kind::gru:
      return "gru";
    case cost::Kind::rnn:
      return "rnn";
  }
  TORCH_INTERNAL_ASSERT(false);
}

at::Tensor draw(std::string_view distribution, std::int64_t documents, double longest) {
  const auto lengths = at::empty({documents}, at::kDouble);
  if (distribution == "equal") return lengths.fill_(longest);
  if (distribution == "uniform60") return lengths.uniform_(0.2 * longest, longest);
  if (distribution == "uniform30") return lengths.uniform_(0, 0.6 * longest);
  if (distribution == "lognormal") return lengths.log_normal_(std::log(0.2 * longest), 0.6);
  if (distribution == "outlier") return lengths.fill_(0.1 * longest);
  TORCH_CHECK_VALUE(false, "distribution is \"", distribution,
                    "\", but must be one of equal, uniform60, uniform30, lognormal, outlier");
}

template <class Module, class Options>
Module make_module(const Case& subject) {
  const auto& network = subject.network;
  Module module(Options(network.input_size, network.hidden_size)
                    .num_layers(network.num_layers)
                    .bidirectional(network.bidirectional));
  module->train(subject.mode == cost::Mode::training);
  return module;
}

Model make_model(const Case& subject) {
  switch (subject.network.kind) {
    case cost::Kind::lstm:
      return make_module<torch::nn::LSTM, torch::nn::LSTMOptions>(subject);
    case cost::Kind::gru:
      return make_module<torch::nn::GRU, torch::nn::GRUOptions>(subject);
    case cost::Kind::rnn:
      return make_module<torch::nn::RNN, torch::nn::RNNOptions>(subject);
  }
  TORCH_INTERNAL_ASSERT(false);
}

}  // namespace

void add_parameter(std::string& name, std::string_view key, std::int64_t value) {
  name.append("/").append(key).append(":").append(std::to_string(value));
}

std::string benchmark_name(const Case& subject, std::string_view contender) {
  const auto& network = subject.network;
  std::string name(kind_name(network.kind));
  name += subject.mode == cost::Mode::training ? "/training/" : "/inference/";
  name += contender;
  add_parameter(name, "B", subject.documents);
  add_parameter(name, "T", subject.longest);
  add_parameter(name, "I", network.input_size);
  add_parameter(name, "H", network.hidden_size);
  if (network.num_layers > 1) add_parameter(name, "layers", network.num_layers);
  if (network.bidirectional) add_parameter(name, "directions", 2);
  name.append("/lengths:").append(subject.lengths);
  add_parameter(name, "threads", subject.threads);
  return name;
}

at::Tensor draw_lengths(std::string_view distribution, std::int64_t documents, std::int64_t longest) {
  auto lengths = draw(distribution, documents, static_cast<double>(longest)).round_().clamp_(1, longest).to(at::kLong);
  lengths[0] = longest;
  return lengths;
}

Inputs make_inputs(const Case& subject) {
  at::manual_seed(0);
  const auto& network = subject.network;
  const auto lengths = draw_lengths(subject.lengths, subject.documents, subject.longest);
  const auto tokens = lengths.sum().item<std::int64_t>();
  const auto output_size = network.hidden_size * (network.bidirectional ? 2 : 1);
  return {.model = make_model(subject),
          .documents = Jagged::from_values(at::randn({tokens, network.input_size}), lengths),
          .output_gradient = Jagged::from_values(at::randn({tokens, output_size}), lengths)};
}

}  // namespace packseq::bench
