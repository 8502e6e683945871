#pragma once

#include <torch/nn/modules/rnn.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "packseq/cost/network_cost.hpp"
#include "packseq/sequence/jagged.hpp"

namespace packseq::bench {

/// What is timed: a pass of a network over a batch of documents.
struct Case {
  cost::Network network;  ///< Without projection.
  cost::Mode mode = cost::Mode::inference;
  std::int64_t documents = 1;  ///< B
  std::int64_t longest = 1;    ///< T, the length of the first document.
  std::string_view lengths;    ///< The name of their distribution, see `draw_lengths`.
  int threads = 1;
};

/// The name under which a contender's times for a case are reported:
/// "lstm/inference/packed/B:32/T:100/I:128/H:128/lengths:uniform60/threads:1".
std::string benchmark_name(const Case& subject, std::string_view contender);

/// Puts "/key:value" behind such a name.
void add_parameter(std::string& name, std::string_view key, std::int64_t value);

/// Lengths between 1 and T, int64 [B], the first one T; from torch's generator.
///
/// "equal": all T. "uniform60": from 0.2 T to T, mean 0.6 T. "uniform30": up to 0.6 T, mean 0.3 T. "lognormal": as
/// sentences are, median 0.2 T with a long tail. "outlier": all T / 10 but the first.
/// @throws c10::ValueError if there is no such distribution.
at::Tensor draw_lengths(std::string_view distribution, std::int64_t documents, std::int64_t longest);

using Model = std::variant<torch::nn::LSTM, torch::nn::GRU, torch::nn::RNN>;

/// What all contenders for a case start from.
struct Inputs {
  Model model;
  Jagged documents;        ///< [N, I]
  Jagged output_gradient;  ///< [N, D * H]: where training's backward pass begins.
};

/// The same inputs for the same case, at every call.
Inputs make_inputs(const Case& subject);

}  // namespace packseq::bench
