#pragma once

#include "packseq/sequence/pack.hpp"
#include "support/gradients.hpp"
#include "support/sequences.hpp"

// What the tests of all networks over packed sequences have in common. A `Network` tells how one is made and run:
//   Ours, Theirs   the module and LibTorch's
//   options(...)   the options of both
//   state_names    of the tensors that make up its state, and state_sizes(...) their last dimension
//   ours, theirs   run a module: output data first, then the final state's tensors

namespace packseq::test {

/// One combination of options; the input is always 3 wide, the hidden state 4.
struct NetworkOptions {
  std::int64_t layers = 1;
  bool bidirectional = false;
  bool bias = true;
  double dropout = 0;
  std::int64_t proj_size = 0;  ///< Only an LSTM knows it.
  bool batch_first = false;    ///< Says nothing about packed batches.
};

inline std::vector<NetworkOptions> all_network_options() {
  std::vector<NetworkOptions> all;
  for (const std::int64_t layers : {1, 2}) {
    for (const bool bidirectional : {false, true}) {
      for (const bool bias : {false, true}) {
        for (const std::int64_t proj_size : {0, 2}) {
          all.push_back({layers, bidirectional, bias, layers > 1 ? 0.5 : 0.0, proj_size, bias});
        }
      }
    }
  }
  return all;
}

inline void expect_close(const Tensors& actual, const Tensors& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(actual[i].sizes(), expected[i].sizes());
    // cuDNN multiplies floats as TF32, with ten bits after the point.
    const double tolerance = actual[i].scalar_type() == at::kDouble ? 1e-12 : actual[i].is_cuda() ? 1e-3 : 1e-5;
    EXPECT_TRUE(at::allclose(actual[i], expected[i], tolerance, tolerance)) << i << "\n"
                                                                            << actual[i] << "\n"
                                                                            << expected[i];
  }
}

/// Double precision on the CPU, what tests run in that say nothing else.
inline const at::TensorOptions doubles = at::dtype(at::kDouble);

/// Both floating-point dtypes on every device.
inline std::vector<at::TensorOptions> all_tensor_options() {
  std::vector<at::TensorOptions> all;
  for (const auto device : devices()) {
    for (const auto dtype : {at::kFloat, at::kDouble}) all.push_back(at::dtype(dtype).device(device));
  }
  return all;
}

/// Makes both modules, and random input and states for them.
template <class Network>
class NetworkTest : public testing::Test {
 protected:
  /// Our module and LibTorch's with the same parameters.
  static auto make(const NetworkOptions& options, const at::TensorOptions& tensors = doubles) {
    torch::manual_seed(0);
    typename Network::Ours ours(Network::options(options));
    torch::manual_seed(0);
    typename Network::Theirs theirs(Network::options(options));
    ours->to(tensors.device(), c10::typeMetaToScalarType(tensors.dtype()));
    theirs->to(tensors.device(), c10::typeMetaToScalarType(tensors.dtype()));
    return std::pair(ours, theirs);
  }

  static Tensors random_state(const NetworkOptions& options, std::int64_t batch,
                              const at::TensorOptions& tensors = doubles) {
    Tensors state;
    for (const auto size : Network::state_sizes(options)) {
      const auto rows = options.layers * (options.bidirectional ? 2 : 1);
      state.push_back(torch::rand({rows, batch, size}, tensors).requires_grad_());
    }
    return state;
  }

  static Jagged random_input(std::mt19937& random, std::int64_t min_length,
                             const at::TensorOptions& tensors = doubles) {
    const Jagged ids = random_sequences(random, {.min_length = min_length, .max_length = 6, .trailing = {3}});
    return Jagged::from_values(torch::rand(ids.values().sizes(), tensors), ids.lengths());
  }
};

}  // namespace packseq::test
