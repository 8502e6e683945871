#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "packseq/export.hpp"

namespace packseq::cost {

/// The kind of a recurrent network; the value is its number of gates, G.
enum class Kind : std::int64_t { rnn = 1, gru = 3, lstm = 4 };

/// A recurrent network, in the terms of `torch::nn::LSTMOptions`; D = 2 if bidirectional, else 1.
struct Network {
  Kind kind = Kind::lstm;        ///< G
  std::int64_t input_size = 0;   ///< I
  std::int64_t hidden_size = 0;  ///< H
  std::int64_t proj_size = 0;    ///< P of an LSTM with projection; 0: none, and P = H in the formulas.
  std::int64_t num_layers = 1;   ///< Each but the first has the output of the one below for its input.
  bool bidirectional = false;    ///< D
};

/// Which gradients a backward pass computes besides those of the parameters.
struct Gradients {
  bool input = true;           ///< That of the input data.
  bool initial_state = false;  ///< That of the initial state.
};

/// The lengths of a batch once it is padded: each as long as the longest, int64 [B].
///
/// What a padded batch executes is `forward_flops(network, padded_lengths(lengths))`; what of it is useful,
/// `forward_flops(network, lengths)`. The same conditions throw as in `forward_flops`.
/// @code
/// packseq::cost::padded_lengths(torch::tensor({3, 2, 1}));   // 3 3 3
/// @endcode
PACKSEQ_EXPORT at::Tensor padded_lengths(const at::Tensor& lengths);

/// FLOPs of the matrix products of one forward pass over documents of these `lengths`, int64 [B] on the CPU.
///
/// A multiply-add counts as 2 FLOPs. Per token, layer and direction: 2 G H (I + P), and 2 H P more with projection; the
/// input of a layer above the first is D * P wide.
/// @throws c10::TypeError if `lengths` is not int64 on the CPU.
/// @throws c10::ValueError if `lengths` is not of one dimension, is empty, or has a negative entry.
/// @throws c10::ValueError if a size or the number of layers of `network` is not positive, if `proj_size` is not in 0
///   ... hidden_size - 1, or if it is set for another kind than an LSTM.
/// @throws c10::ValueError if the count is 2^63 or more.
/// @code
/// const packseq::cost::Network lstm{.input_size = 4, .hidden_size = 5};
/// packseq::cost::forward_flops(lstm, torch::tensor({3, 2, 1}));   // 2 * 4 * 5 * (4 + 5) * 6 = 2160
/// @endcode
PACKSEQ_EXPORT std::int64_t forward_flops(const Network& network, const at::Tensor& lengths);

/// FLOPs of the matrix products of one backward pass, from a loss that depends on every output to all parameters:
/// twice the forward's, less those of gradients nobody asks for.
///
/// Where the input needs no gradient, the first layer saves 2 D G H I N. Where the initial state needs none, each
/// layer saves 2 G H P (b_0 + b_last) if bidirectional, else 2 G H P b_0: the documents of the step in which a
/// direction begins, b_0 those that are not empty, b_last those as long as the longest. LibTorch executes exactly
/// this for a packed batch, unless oneDNN runs it, as it does for an LSTM whose documents are all of one length. The
/// same conditions throw as in `forward_flops`.
/// @code
/// const packseq::cost::Network lstm{.input_size = 4, .hidden_size = 5};
/// packseq::cost::backward_flops(lstm, torch::tensor({3, 2, 1}), {.input = false});   // 2760
/// @endcode
PACKSEQ_EXPORT std::int64_t backward_flops(const Network& network, const at::Tensor& lengths,
                                           const Gradients& gradients = {});

/// What a pass is run for.
enum class Mode { inference, training };

/// FLOPs of a forward and, in training, a backward pass that are not executed where `repeated` tokens share the first
/// layer's products with others. In `packseq::nn::Embedded` these are all but one for each distinct word that is in no
/// frozen table.
///
/// 2 D G H I per token in the forward pass, and twice that in the backward pass, whose gradients of weights and input
/// are products over the distinct words.
/// @throws c10::ValueError if `repeated` is negative, or the count 2^63 or more; for `network` as in `forward_flops`.
/// @code
/// const packseq::cost::Network lstm{.input_size = 4, .hidden_size = 5};
/// packseq::cost::repeated_flops(lstm, 2, packseq::cost::Mode::inference);   // 2 * 4 * 5 * 4 * 2 = 320
/// @endcode
PACKSEQ_EXPORT std::int64_t repeated_flops(const Network& network, std::int64_t repeated, Mode mode);

/// Bytes of the activations that must exist at once, for elements of `element_size` bytes.
///
/// Inference: input and output of the layer that is widest in both. Training: the input, the output of each layer,
/// and per layer, direction and token what backward reads again: 5 H of an LSTM, its 4 gates and cell state; 4 H of a
/// GRU, its 3 gates and the hidden part of its new gate; nothing more of an RNN. An implementation may keep more.
/// Products of bfloat16 (`packseq::engine::Precision`) change nothing here: tensors stay of Float, and only packed
/// weights and a few rows of factors, which are not counted, take half the bytes. Of a module of dtype BFloat16, with
/// elements of 2 bytes, the engine keeps gates and cell states in Float, twice what is counted. The same conditions
/// throw as in `forward_flops`.
/// @throws c10::ValueError if `element_size` is not positive.
/// @code
/// const packseq::cost::Network lstm{.input_size = 4, .hidden_size = 5};
/// packseq::cost::activation_bytes(lstm, torch::tensor({3, 2, 1}), packseq::cost::Mode::training);   // 816
/// @endcode
PACKSEQ_EXPORT std::int64_t activation_bytes(const Network& network, const at::Tensor& lengths, Mode mode,
                                             std::int64_t element_size = 4);

}  // namespace packseq::cost
