#pragma once

#include <torch/csrc/autograd/autograd.h>

#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"
#include "support/sequences.hpp"

// The tests that every network over packed sequences passes. A `Network` tells how one is made and run:
//   Ours, Theirs   the module and LibTorch's
//   options(...)   the options of both
//   state_names    of the tensors that make up its state, and state_sizes(...) their last dimension
//   ours, theirs   run a module: output data first, then the final state's tensors

namespace packseq::test {

using Tensors = std::vector<at::Tensor>;

/// One combination of options; the input is always 3 wide, the hidden state 4.
struct NetworkOptions {
  std::int64_t layers = 1;
  bool bidirectional = false;
  bool bias = true;
  double dropout = 0;
  std::int64_t proj_size = 0;  ///< Only an LSTM knows it.
};

inline std::vector<NetworkOptions> all_network_options() {
  std::vector<NetworkOptions> all;
  for (const std::int64_t layers : {1, 2}) {
    for (const bool bidirectional : {false, true}) {
      for (const bool bias : {false, true}) {
        for (const std::int64_t proj_size : {0, 2}) {
          all.push_back({layers, bidirectional, bias, layers > 1 ? 0.5 : 0.0, proj_size});
        }
      }
    }
  }
  return all;
}

/// The gradient of every tensor in `inputs` of a weighted sum of all `outputs`.
inline Tensors gradients(const Tensors& outputs, const Tensors& inputs) {
  at::Tensor sum = torch::zeros({}, outputs[0].options());
  for (const auto& output : outputs) sum = sum + (output * torch::arange(output.numel()).view_as(output).cos()).sum();
  return torch::autograd::grad({sum}, inputs);
}

inline void expect_close(const Tensors& actual, const Tensors& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(actual[i].sizes(), expected[i].sizes());
    EXPECT_TRUE(at::allclose(actual[i], expected[i], 1e-12, 1e-12)) << i << "\n" << actual[i] << "\n" << expected[i];
  }
}

template <class Network>
class Conformance : public testing::Test {
 protected:
  /// Our module and LibTorch's with the same parameters, in double precision.
  static auto make(const NetworkOptions& options, c10::Device device = at::kCPU) {
    torch::manual_seed(0);
    typename Network::Ours ours(Network::options(options));
    torch::manual_seed(0);
    typename Network::Theirs theirs(Network::options(options));
    ours->to(device, at::kDouble);
    theirs->to(device, at::kDouble);
    return std::pair(ours, theirs);
  }

  static Tensors random_state(const NetworkOptions& options, std::int64_t batch, c10::Device device = at::kCPU) {
    Tensors state;
    for (const auto size : Network::state_sizes(options)) {
      const auto rows = options.layers * (options.bidirectional ? 2 : 1);
      state.push_back(torch::rand({rows, batch, size}, at::dtype(at::kDouble).device(device)).requires_grad_());
    }
    return state;
  }

  static Jagged random_input(std::mt19937& random, std::int64_t min_length, c10::Device device = at::kCPU) {
    const Jagged ids =
        random_sequences(random, {.min_length = min_length, .max_length = 6, .trailing = {3}, .device = device});
    return Jagged::from_values(torch::rand(ids.values().sizes(), at::dtype(at::kDouble).device(device)), ids.lengths());
  }
};
TYPED_TEST_SUITE_P(Conformance);

TYPED_TEST_P(Conformance, StartsFromTheNumbersOfLibTorch) {
  const auto [ours, theirs] = this->make({.layers = 2, .bidirectional = true});
  const auto our_parameters = ours->named_parameters();
  const auto their_parameters = theirs->named_parameters();
  ASSERT_EQ(our_parameters.keys(), their_parameters.keys());
  for (const auto& key : our_parameters.keys()) EXPECT_SAME(our_parameters[key], their_parameters[key]);
}

TYPED_TEST_P(Conformance, DoesAsLibTorchWithEveryOption) {
  std::mt19937 random(0);
  for (const auto device : devices()) {
    for (const auto& options : all_network_options()) {
      for (const bool with_state : {false, true}) {
        auto [ours, theirs] = this->make(options, device);
        const auto sequences = this->random_input(random, 1, device);
        const auto packed = pack_sequence(sequences);
        const auto input = packed.data().clone().requires_grad_();
        auto inputs = with_state ? this->random_state(options, sequences.size(), device) : Tensors();
        const auto state = inputs;
        torch::manual_seed(1);  // for dropout
        const auto our_output = TypeParam::ours(ours, with_data(packed, input), state);
        torch::manual_seed(1);
        const auto their_output = TypeParam::theirs(theirs, with_data(packed, input), state);
        expect_close(our_output, their_output);

        inputs.push_back(input);
        auto our_inputs = inputs;
        auto their_inputs = inputs;
        for (const auto& parameter : ours->parameters()) our_inputs.push_back(parameter);
        for (const auto& parameter : theirs->parameters()) their_inputs.push_back(parameter);
        expect_close(gradients(our_output, our_inputs), gradients(their_output, their_inputs));
      }
    }
  }
}

TYPED_TEST_P(Conformance, RunsEachDocumentAsIfItWereAlone) {
  std::mt19937 random(1);
  for (const auto& options : {NetworkOptions{}, NetworkOptions{.layers = 2, .bidirectional = true}}) {
    auto [ours, theirs] = this->make(options);
    for (int round = 0; round < 10; ++round) {
      const auto sequences = this->random_input(random, 0);
      const auto packed = pack_sequence(sequences);
      const auto state = this->random_state(options, sequences.size());
      const auto output = TypeParam::ours(ours, packed, state);
      const auto outputs = unpack_sequence(with_data(packed, output[0]));
      for (std::int64_t i = 0; i < sequences.size(); ++i) {
        Tensors alone_state;
        for (const auto& tensor : state) alone_state.push_back(tensor.narrow(1, i, 1));
        Tensors actual = {outputs[i]};
        for (std::size_t s = 1; s < output.size(); ++s) actual.push_back(output[s].narrow(1, i, 1));
        if (sequences[i].size(0) == 0) {
          // An empty document has no output, and keeps its state.
          alone_state.insert(alone_state.begin(), outputs[i].new_empty({0, outputs[i].size(1)}));
          expect_close(actual, alone_state);
        } else {
          expect_close(actual, TypeParam::theirs(theirs, pack_sequence({sequences[i]}), alone_state));
        }
      }
    }
  }
}

TYPED_TEST_P(Conformance, GivesGradientsToTheStatesOfEmptyDocuments) {
  auto [ours, theirs] = this->make({});
  const auto packed = pack_sequence({torch::empty({0, 3}, at::kDouble), torch::rand({2, 3}, at::kDouble)});
  const auto state = this->random_state({}, 2);
  TypeParam::ours(ours, packed, state)[1].sum().backward();
  EXPECT_SAME(state[0].grad().select(1, 0), torch::ones({1, 4}, at::kDouble));
}

TYPED_TEST_P(Conformance, RunsABatchOfNothingButEmptyDocuments) {
  auto [ours, theirs] = this->make({.layers = 2, .bidirectional = true});
  const auto packed = pack_sequence({torch::empty({0, 3}, at::kDouble), torch::empty({0, 3}, at::kDouble)});
  const auto state = this->random_state({.layers = 2, .bidirectional = true}, 2);
  const auto output = TypeParam::ours(ours, packed, state);
  EXPECT_EQ(output[0].sizes(), at::IntArrayRef({0, 8}));
  for (std::size_t i = 0; i < state.size(); ++i) EXPECT_SAME(output[i + 1], state[i]);
  EXPECT_SAME(TypeParam::ours(ours, packed, {})[1], torch::zeros({4, 2, 4}, at::kDouble));
  output[0].sum().backward();  // as for any other batch
  for (const auto& parameter : ours->parameters()) EXPECT_SAME(parameter.grad(), torch::zeros_like(parameter));
}

TYPED_TEST_P(Conformance, TakesBatchSizesAndStatesThatAreNotContiguous) {
  const NetworkOptions options = {.layers = 2};
  auto [ours, theirs] = this->make(options);
  const auto data = torch::rand({6, 3}, at::kDouble);
  const auto state = this->random_state(options, 3);
  Tensors strided_state;
  for (const auto& tensor : state) strided_state.push_back(tensor.transpose(0, 2).contiguous().transpose(0, 2));
  expect_close(TypeParam::ours(ours, PackedSequence(data, torch::full({1}, 3).expand({2})), strided_state),
               TypeParam::theirs(theirs, PackedSequence(data, torch::tensor({3, 3})), state));
}

TYPED_TEST_P(Conformance, ClonesToItsOwnClass) {
  auto [ours, theirs] = this->make({.layers = 2, .bidirectional = true});
  ours->eval();
  ours->parameters()[0].set_requires_grad(false);
  const auto copy = std::dynamic_pointer_cast<typename TypeParam::Ours::ContainedType>(ours->clone());
  ASSERT_NE(copy, nullptr);
  EXPECT_FALSE(copy->is_training());
  EXPECT_FALSE(copy->parameters()[0].requires_grad());
  typename TypeParam::Ours copied(copy);
  const auto packed = pack_sequence({torch::rand({2, 3}, at::kDouble)});
  expect_close(TypeParam::ours(copied, packed, {}), TypeParam::ours(ours, packed, {}));
  {
    const torch::NoGradGuard no_grad;
    copy->parameters()[0].zero_();
  }
  EXPECT_FALSE(at::equal(copy->parameters()[0], ours->parameters()[0]));
}

TYPED_TEST_P(Conformance, RefusesInputThatDoesNotFit) {
  auto [ours, theirs] = this->make({});
  const std::string name = TypeParam::name;
  const auto run = [&ours = ours](at::Tensor data, const Tensors& state = {}) {
    return TypeParam::ours(ours, PackedSequence(data, torch::tensor({2, 1})), state);
  };
  EXPECT_THROWS(run(torch::rand({4, 3}, at::kDouble)), c10::ValueError,
                name + "::forward: batch_sizes has the sum 3, but data has 4 rows");
  EXPECT_THROWS(run(torch::rand({3, 2}, at::kDouble)), c10::ValueError, "has sizes [3, 2], and must be [N, 3]");
  EXPECT_THROWS(run(torch::rand({3}, at::kDouble)), c10::ValueError, "has sizes [3], and must be [N, 3]");
  EXPECT_THROWS(run(torch::rand({3, 3})), c10::TypeError, "is Float on cpu, but the parameters are Double on cpu");
}

TYPED_TEST_P(Conformance, RefusesAStateThatDoesNotFit) {
  auto ours = this->make({}).first;
  const PackedSequence packed(torch::rand({3, 3}, at::kDouble), torch::tensor({2, 1}));
  for (std::size_t i = 0; i < TypeParam::state_names.size(); ++i) {
    const std::string name = TypeParam::state_names[i];
    auto state = this->random_state({}, 2);
    state[i] = torch::rand({1, 3, 4}, at::kDouble);
    EXPECT_THROWS(TypeParam::ours(ours, packed, state), c10::ValueError,
                  name + " has sizes [1, 3, 4], and must be [1, 2, 4]");
    state[i] = torch::rand({1, 2, 4});
    EXPECT_THROWS(TypeParam::ours(ours, packed, state), c10::TypeError, name + " is Float on cpu");
  }
}

REGISTER_TYPED_TEST_SUITE_P(Conformance, StartsFromTheNumbersOfLibTorch, DoesAsLibTorchWithEveryOption,
                            RunsEachDocumentAsIfItWereAlone, GivesGradientsToTheStatesOfEmptyDocuments,
                            RunsABatchOfNothingButEmptyDocuments, TakesBatchSizesAndStatesThatAreNotContiguous,
                            ClonesToItsOwnClass, RefusesInputThatDoesNotFit, RefusesAStateThatDoesNotFit);

}  // namespace packseq::test
