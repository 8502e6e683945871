#pragma once

#include "nn/network.hpp"
#include "packseq/sequence/map.hpp"

// The tests that every network over packed sequences passes: what it makes of a batch.

namespace packseq::test {

template <class Network>
class Conformance : public NetworkTest<Network> {};
TYPED_TEST_SUITE_P(Conformance);

TYPED_TEST_P(Conformance, DoesAsLibTorchWithEveryOption) {
  std::mt19937 random(0);
  for (const auto& tensors : all_tensor_options()) {
    for (const auto& options : all_network_options()) {
      for (const bool with_state : {false, true}) {
        auto [ours, theirs] = this->make(options, tensors);
        const auto sequences = this->random_input(random, 1, tensors);
        const auto packed = pack_sequence(sequences);
        const auto input = packed.data().clone().requires_grad_();
        auto inputs = with_state ? this->random_state(options, sequences.size(), tensors) : Tensors();
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

/// What a document must come out as: as LibTorch runs it alone. An empty one has no output, and keeps its state.
template <class Network>
Tensors run_alone(typename Network::Theirs& theirs, const at::Tensor& document, Tensors state, std::int64_t width) {
  if (document.size(0) > 0) return Network::theirs(theirs, pack_sequence({document}), state);
  state.insert(state.begin(), document.new_empty({0, width}));
  return state;
}

TYPED_TEST_P(Conformance, RunsEachDocumentAsIfItWereAlone) {
  std::mt19937 random(1);
  for (const auto& tensors : all_tensor_options()) {
    for (const auto& options : all_network_options()) {
      auto [ours, theirs] = this->make(options, tensors);
      ours->eval();
      theirs->eval();
      const auto sequences = this->random_input(random, 0, tensors);
      const auto packed = pack_sequence(sequences);
      const auto state = this->random_state(options, sequences.size(), tensors);
      const auto output = TypeParam::ours(ours, packed, state);
      const auto outputs = unpack_sequence(with_data(packed, output[0]));
      for (std::int64_t i = 0; i < sequences.size(); ++i) {
        Tensors own_state;
        for (const auto& tensor : state) own_state.push_back(tensor.narrow(1, i, 1));
        Tensors actual = {outputs[i]};
        for (std::size_t s = 1; s < output.size(); ++s) actual.push_back(output[s].narrow(1, i, 1));
        expect_close(actual, run_alone<TypeParam>(theirs, sequences[i], own_state, output[0].size(1)));
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

TYPED_TEST_P(Conformance, StartsFromZerosWhereAStateIsUndefined) {
  auto ours = this->make({}).first;
  const auto packed = pack_sequence({torch::rand({2, 3}, doubles), torch::rand({4, 3}, doubles)});
  for (std::size_t i = 0; i < TypeParam::state_names.size(); ++i) {
    auto zeros = this->random_state({}, 2);
    auto undefined = zeros;
    zeros[i] = torch::zeros_like(zeros[i]);
    undefined[i] = at::Tensor();
    expect_close(TypeParam::ours(ours, packed, undefined), TypeParam::ours(ours, packed, zeros));
  }
}

TYPED_TEST_P(Conformance, TakesTensorsThatAreNotContiguous) {
  const NetworkOptions options = {.layers = 2};
  for (const auto& tensors : all_tensor_options()) {
    auto [ours, theirs] = this->make(options, tensors);
    const auto data = torch::rand({6, 3}, tensors);
    const auto strided_data = data.t().contiguous().t();
    const auto state = this->random_state(options, 3, tensors);
    Tensors strided_state;
    for (const auto& tensor : state) strided_state.push_back(tensor.transpose(0, 2).contiguous().transpose(0, 2));
    expect_close(TypeParam::ours(ours, PackedSequence(strided_data, torch::full({1}, 3).expand({2})), strided_state),
                 TypeParam::theirs(theirs, PackedSequence(data, torch::tensor({3, 3})), state));
  }
}

TYPED_TEST_P(Conformance, RefusesInputThatDoesNotFit) {
  auto ours = this->make({}).first;
  const std::string name = TypeParam::name;
  const auto run = [&](at::Tensor data, const Tensors& state = {}) {
    return TypeParam::ours(ours, PackedSequence(data, torch::tensor({2, 1})), state);
  };
  EXPECT_THROWS(run(torch::rand({4, 3}, at::kDouble)), c10::ValueError,
                name + "::forward: batch_sizes has the sum 3, but data has 4 rows");
  EXPECT_THROWS(run(torch::rand({3, 2}, at::kDouble)), c10::ValueError, "has sizes [3, 2], and must be [N, 3]");
  EXPECT_THROWS(run(torch::rand({3}, at::kDouble)), c10::ValueError, "has sizes [3], and must be [N, 3]");
  EXPECT_THROWS(run(torch::rand({3, 3})), c10::TypeError, "is Float on cpu, but the parameters are Double on cpu");
  EXPECT_THROWS(run(torch::ones({3, 3}, at::kLong)), c10::TypeError, "is Long on cpu");
  EXPECT_THROWS(run(torch::rand({3, 3}, doubles.device(at::kMeta))), c10::TypeError, "is Double on meta");
}

TYPED_TEST_P(Conformance, RefusesParametersThatDoNotFit) {
  const PackedSequence packed(torch::rand({3, 3}, at::kDouble), torch::tensor({2, 1}));
  const auto expect_refused = [&](const char* parameter, const at::Tensor& other, const std::string& message) {
    auto ours = this->make({}).first;
    ours->named_parameters()[parameter].set_data(other);
    EXPECT_THROWS(TypeParam::ours(ours, packed, {}), c10::Error,
                  std::string(TypeParam::name) + "::forward: " + message);
  };
  expect_refused("weight_hh_l0", torch::rand({1, 4}, doubles), "weight_hh_l0 has sizes [1, 4], and must be [");
  expect_refused("bias_hh_l0", torch::rand({1}, doubles), "the biases have not the sizes that the options tell");
}

TYPED_TEST_P(Conformance, RefusesAStateThatDoesNotFit) {
  auto ours = this->make({}).first;
  const PackedSequence packed(torch::rand({3, 3}, at::kDouble), torch::tensor({2, 1}));
  for (std::size_t i = 0; i < TypeParam::state_names.size(); ++i) {
    const std::string name = TypeParam::state_names[i];
    auto state = this->random_state({}, 2);
    for (const auto& sizes : std::vector<std::vector<std::int64_t>>{{1, 3, 4}, {2, 2, 4}, {1, 2, 5}, {2, 4}, {0}}) {
      state[i] = torch::rand(sizes, doubles);
      EXPECT_THROWS(TypeParam::ours(ours, packed, state), c10::ValueError,
                    c10::str(name, " has sizes ", at::IntArrayRef(sizes), ", and must be [1, 2, 4]"));
    }
    state[i] = torch::rand({1, 2, 4});
    EXPECT_THROWS(TypeParam::ours(ours, packed, state), c10::TypeError, name + " is Float on cpu");
    state[i] = torch::rand({1, 2, 4}, doubles.device(at::kMeta));
    EXPECT_THROWS(TypeParam::ours(ours, packed, state), c10::TypeError, name + " is Double on meta");
  }
}

REGISTER_TYPED_TEST_SUITE_P(Conformance, DoesAsLibTorchWithEveryOption, RunsEachDocumentAsIfItWereAlone,
                            GivesGradientsToTheStatesOfEmptyDocuments, RunsABatchOfNothingButEmptyDocuments,
                            StartsFromZerosWhereAStateIsUndefined, TakesTensorsThatAreNotContiguous,
                            RefusesInputThatDoesNotFit, RefusesParametersThatDoNotFit, RefusesAStateThatDoesNotFit);

}  // namespace packseq::test
