#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kernels/executor.hpp"
#include "kernels/numbers.hpp"
#include "kernels/plan.hpp"
#include "kernels/precision.hpp"

namespace packseq::kernels {

enum class Cell { lstm, gru, rnn_tanh, rnn_relu };

/// Blocks of hidden size in a gate row, the form in which gates lie in memory; see the cells' files for their order.
constexpr std::size_t gate_blocks(Cell cell) noexcept { return cell == Cell::lstm || cell == Cell::gru ? 4 : 1; }

/// Which of a direction's weights.
enum class Role { ih, hh, hr };

/// Weights in the form in which the kernels of this CPU read them; null where they are not packed.
template <class T>
using PackedWeights = std::array<const Computed<T>*, 3>;

/// How far apart the rows of tokens lie that follow on each other in a sequence, and in a step.
struct Strides {
  std::size_t between_steps = 0;
  std::size_t between_sequences = 0;
};

/// One direction of one layer, in LibTorch's terms: I = input_size, H = hidden_size, P = output_size; G weight blocks
/// of H rows each. All matrices are dense, row after row. T is float, double or BFloat16.
template <class T>
struct Direction {
  Cell cell = Cell::lstm;
  Precision precision = Precision::float32;  ///< Of BFloat16 it is bfloat16, whatever it says.
  bool reverse = false;
  std::size_t input_size = 0;
  std::size_t hidden_size = 0;
  std::size_t output_size = 0;
  const T* weight_ih = nullptr;  ///< [G * H, I]
  const T* weight_hh = nullptr;  ///< [G * H, P]
  const T* bias_ih = nullptr;    ///< [G * H], or null.
  const T* bias_hh = nullptr;    ///< [G * H], or null.
  const T* weight_hr = nullptr;  ///< [P, H], or null: no projection, and P = H.
  PackedWeights<T> packed = {};  ///< The weights once more, by `Role`, where they were packed for good.
  const T* input = nullptr;      ///< [N, I], or, where tokens have an index, [U, I].
  std::size_t input_rows = 0;    ///< N, or U.
  /// Which row of `input` each token has, [N], counted from `known_rows`; null: token i has row i.
  const std::int32_t* index = nullptr;
  std::size_t known_rows = 0;  ///< Indices below are of input that is known to a forward pass already.
  const T* h_0 = nullptr;      ///< [B, P]
  const T* c_0 = nullptr;      ///< [B, H] of an LSTM.
  T* output = nullptr;         ///< [N, P], its rows `output_stride` apart.
  std::size_t output_stride = 0;
  Computed<T>* gates = nullptr;  ///< [N, gate_blocks * H]: what backward reads; null: nothing is kept.
  /// [N, H] of an LSTM, its rows `cells_stride` apart: the cell states of all tokens. Null where `gates` is, unless
  /// they are wanted.
  Computed<T>* cells = nullptr;
  std::size_t cells_stride = 0;
};

/// A forward pass through a direction.
template <class T>
struct Forward : Direction<T> {
  std::optional<Strides> input_strides = {};  ///< Of tokens without an index, where their rows are not [N, I].
  const Computed<T>* known_sums = nullptr;    ///< What `project` made of it, [known_rows, gate_blocks * H].
  T* h_n = nullptr;                           ///< [B, P]
  T* c_n = nullptr;                           ///< [B, H] of an LSTM.
};

/// A backward pass. Gradients that are null are not computed.
template <class T>
struct Backward : Direction<T> {
  const T* d_output = nullptr;  ///< [N, P], its rows `d_output_stride` apart.
  std::size_t d_output_stride = 0;
  const T* d_cells = nullptr;  ///< As `cells`: gradients of cell states by other ways than the network; null: none.
  bool needs_d_h_0 = true;     ///< Else d_h is left as it comes. Of a trie it is false.
  Computed<T>* d_h = nullptr;  ///< [B, P]: the gradient of h_n; afterwards that of h_0.
  Computed<T>* d_c = nullptr;  ///< [B, H] of an LSTM: the gradient of c_n; afterwards that of c_0.
  T* d_input = nullptr;        ///< As `input`.
  bool adds_to_d_input = false;
  // These are added to what is there; their sizes are those of the weights.
  T* d_weight_ih = nullptr;
  T* d_weight_hh = nullptr;
  T* d_bias_ih = nullptr;
  T* d_bias_hh = nullptr;
  T* d_weight_hr = nullptr;
};

/// How many numbers the packed form of a weight takes.
template <class T>
std::size_t packed_size(const Direction<T>& direction, Role role);

/// Packs a weight into `to`, at a multiple of 64 bytes. A forward pass that is given it does not read the weight.
template <class T>
void pack(const Direction<T>& direction, Role role, Computed<T>* to, std::size_t threads, const Executor& executor);

/// What the gates of each row of `direction.input` start from, whatever the state: [input_rows, gate_blocks * H].
template <class T>
void project(const Forward<T>& direction, Computed<T>* sums, std::size_t threads, const Executor& executor);

/// Runs the directions of a layer.
template <class T>
void run(std::span<const Forward<T>> directions, const Plan& plan, const Executor& executor);

/// The same backward: part by part, so that what follows from the gate gradients of some rows, products over all of
/// them at once, finds them in the cache.
template <class T>
void run(std::span<const Backward<T>> directions, std::span<const Plan> parts, const Executor& executor);

}  // namespace packseq::kernels
