#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstddef>
#include <optional>
#include <tuple>
#include <vector>

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::nn {

/// The state of a recurrent network before the first or after the last token of each document, in the caller's order;
/// D = 2 if bidirectional, else 1.
///
/// A network starts from zeros where a tensor is undefined. As with a tensor, a copy shares the numbers, and many
/// threads may read one state at once.
struct State {
  at::Tensor h = {};  ///< Hidden state, [layers * D, B, P], P the projection size of an LSTM that has one, else H.
  at::Tensor c = {};  ///< Cell state, [layers * D, B, H]; only an LSTM has one.
};

/// What a network is to keep of every token besides the last layer's output. What is not asked for costs nothing.
///
/// In the fused engine cell states take their memory in inference, and all else nothing: training keeps them anyway,
/// and what a lower layer puts out is the next one's input. LibTorch runs its layers one by one, and for cell states
/// step by step, which takes it longer; the numbers are the same but for rounding.
/// @code
/// packseq::nn::LSTM deep(torch::nn::LSTMOptions(4, 5).num_layers(2));
/// const auto result = deep->forward(embedded, {}, {.c = true, .lower_layers = true});
/// result.layers[0].h.data();   // the first layer's output, [6, 5]
/// result.layers[1].c->data();  // the last layer's cell states, [6, 5]
/// @endcode
///
/// A network that starts anew inside a trajectory runs over its pieces, each from the state that was stored where it
/// begins. They come back in the order in which they were given, and so every state at its step:
/// @code
/// const auto steps = torch::rand({6, 4});       // of a trajectory
/// const auto lengths = torch::tensor({2, 4});   // an episode begins with step 2: two pieces
/// const packseq::nn::State stored = {torch::rand({1, 2, 5}), torch::rand({1, 2, 5})};
/// const auto pieces = packseq::pack_sequence(packseq::Jagged::from_values(steps, lengths));
/// const auto result = lstm->forward(pieces, stored, {.c = true});
/// packseq::unpack_sequence(result.output).values();             // h after each step, [6, 5]
/// packseq::unpack_sequence(*result.layers.back().c).values();   // c, likewise
/// @endcode
struct Keep {
  bool c = false;             ///< The cell states, which only an LSTM has.
  bool lower_layers = false;  ///< The states of all layers, not of the last one alone.
};

/// The states of a layer after every token, in the layout of the network's output, with gradients as that has them.
///
/// As in the output, both directions lie side by side, the second one having read a document from its end.
struct LayerStates {
  PackedSequence h;                      ///< The layer's output, data [N, D * P], before there is dropout on it.
  std::optional<PackedSequence> c = {};  ///< Data [N, D * H], if `Keep::c` asked for it.
};

/// What a recurrent network makes of a packed batch; as with `State`, many threads may read one result at once.
///
/// A structured binding takes the first two: `const auto [output, state] = lstm->forward(embedded);`.
struct Result {
  PackedSequence output;  ///< The last layer's output for every token, data [N, D * P].
  State state;            ///< The state after the last token of each document.
  /// What `Keep` asked for: of all layers, the first one first, or of the last one alone. Empty if for nothing.
  std::vector<LayerStates> layers = {};

  /// `output` is 0, `state` is 1.
  template <std::size_t I>
  auto& get() {
    if constexpr (I == 0) {
      return output;
    } else {
      return state;
    }
  }

  /// The same of a result that is not to change.
  template <std::size_t I>
  const auto& get() const {
    if constexpr (I == 0) {
      return output;
    } else {
      return state;
    }
  }
};

/// Passes on the output of a recurrent network and drops its final state: what stands behind it in a `Sequential`.
///
/// Its functions may be called from many threads at once.
/// @code
/// torch::nn::Sequential network(packseq::nn::LSTM(4, 5), packseq::nn::TakeOutput(), packseq::nn::GRU(5, 6));
/// const auto result = network->forward<packseq::nn::Result>(embedded);
/// @endcode
class PACKSEQ_EXPORT TakeOutputImpl : public torch::nn::Cloneable<TakeOutputImpl> {
 public:
  /// Nothing: there are no parameters.
  void reset() override {}

  /// `result.output`.
  PackedSequence forward(const Result& result);
};

/// A module holder for `TakeOutputImpl`: a shared pointer with constructors and `operator()`.
TORCH_MODULE(TakeOutput);

}  // namespace packseq::nn

// A `Result` falls into two: what most programs want of it. (Doxygen knows no scope of specializations written so.)
/// @cond
template <>
struct std::tuple_size<packseq::nn::Result> : std::integral_constant<std::size_t, 2> {};

template <std::size_t I>
struct std::tuple_element<I, packseq::nn::Result>
    : std::tuple_element<I, std::tuple<packseq::PackedSequence, packseq::nn::State>> {};
/// @endcond
