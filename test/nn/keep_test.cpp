#include <ATen/core/grad_mode.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <torch/nn/modules/container/any.h>
#include <torch/nn/modules/container/sequential.h>

#include <memory>
#include <tuple>
#include <utility>

#include "nn/embedded_fixture.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/step.hpp"
#include "support/autocast.hpp"

// The states that a network keeps of every token: who gets them, and how. What they are, the engine's tests say.

namespace packseq::test {
namespace {

template <class Network>
class KeepTest : public EmbeddedTest<Network> {
 protected:
  /// All that this network can keep.
  static constexpr nn::Keep all = {.c = KeepTest::is_lstm, .lower_layers = true};

  static std::vector<EmbeddedCase> all_cases() {
    auto cases = all_embedded_cases();
    for (const bool bidirectional : {false, true}) {
      if (!KeepTest::is_lstm) break;
      cases.push_back({.layers = 2, .bidirectional = bidirectional, .with_state = true, .proj_size = 2});
    }
    return cases;
  }

  static Network make_network_of(const EmbeddedCase& of) {
    Network network = KeepTest::make_network(of);
    network->to(of.dtype);
    return network;
  }

  /// Documents in an order of their own, some of them empty.
  static PackedSequence make_input(const EmbeddedCase& of) {
    return map(KeepTest::make_ids(), [&](const at::Tensor& ids) {
      return torch::randn({ids.size(0), word_width}, of.dtype).requires_grad_();
    });
  }

  static Tensors all_results(const nn::Result& result) {
    Tensors tensors = KeepTest::results(result);
    for (const nn::LayerStates& layer : result.layers) {
      tensors.push_back(layer.h.data());
      if (layer.c) tensors.push_back(layer.c->data());
    }
    return tensors;
  }

  template <class Module>
  static nn::Result run_keeping(Module& module, const PackedSequence& input, const nn::State& state,
                                const nn::Keep& keep) {
    torch::manual_seed(1);  // for dropout
    return module->forward(input, state, keep);
  }
};
TYPED_TEST_SUITE(KeepTest, EmbeddedNetworks);

TYPED_TEST(KeepTest, IsTheSameWhoeverRunsTheNetwork) {
  for (const auto& of : this->all_cases()) {
    auto network = this->make_network_of(of);
    const auto input = this->make_input(of);
    const auto state = this->make_state(of, input);
    auto inputs = network->parameters();
    inputs.push_back(input.data());
    network->engine = engine::Choice::fused;
    const auto fused = this->all_results(this->run_keeping(network, input, state, this->all));
    network->engine = engine::Choice::libtorch;
    const auto plain = this->all_results(this->run_keeping(network, input, state, this->all));
    expect_near(fused, plain, tolerance_of(of.dtype));
    // Of a ReLU that rounding opens in one and closes in the other, all behind it differs.
    if (of.dtype == at::kBFloat16 && std::is_same_v<TypeParam, nn::RNN>) continue;
    expect_near(gradients(fused, inputs), gradients(plain, inputs), 10 * tolerance_of(of.dtype));
  }
}

TYPED_TEST(KeepTest, HasTheLayoutOfTheOutputAndEndsWithTheFinalState) {
  const torch::NoGradGuard no_grad;
  for (const auto choice : {engine::Choice::fused, engine::Choice::libtorch}) {
    for (const auto& of : this->all_cases()) {
      auto network = this->make_network_of(of);
      network->engine = choice;
      const auto input = this->make_input(of);
      const auto result = this->run_keeping(network, input, this->make_state(of, input), this->all);
      ASSERT_EQ(result.layers.size(), static_cast<std::size_t>(of.layers));
      EXPECT_SAME(result.layers.back().h.data(), result.output.data());
      const std::int64_t directions = of.bidirectional ? 2 : 1;
      const auto not_empty = lengths(input).gt(0).nonzero().squeeze(1);
      const auto expect_ends = [&](const PackedSequence& states, const at::Tensor& final, std::int64_t layer) {
        const auto last = last_step(states, {.bidirectional = of.bidirectional});
        const auto both = final.narrow(0, layer * directions, directions).unbind();
        EXPECT_SAME(last.index_select(0, not_empty), torch::cat(both, 1).index_select(0, not_empty));
      };
      for (std::int64_t layer = 0; layer < of.layers; ++layer) {
        const nn::LayerStates& states = result.layers[static_cast<std::size_t>(layer)];
        expect_ends(states.h, result.state.h, layer);
        ASSERT_EQ(states.c.has_value(), this->is_lstm);
        if (states.c) expect_ends(*states.c, result.state.c, layer);
      }
    }
  }
}

TYPED_TEST(KeepTest, IsWhatIsAskedFor) {
  const EmbeddedCase of = {.layers = 3};
  const auto input = this->make_input(of);
  for (const auto choice : {engine::Choice::fused, engine::Choice::libtorch}) {
    auto network = this->make_network_of(of);
    network->engine = choice;
    EXPECT_TRUE(network->forward(input).layers.empty());
    const auto layers = network->forward(input, {}, {.lower_layers = true}).layers;
    EXPECT_EQ(layers.size(), 3U);
    EXPECT_FALSE(layers[0].c || layers[1].c || layers[2].c);
    if (!this->is_lstm) continue;
    const auto last = network->forward(input, {}, {.c = true}).layers;
    ASSERT_EQ(last.size(), 1U);
    EXPECT_TRUE(last[0].c);
  }
}

TYPED_TEST(KeepTest, IsTheSameOfAnEmbeddedNetwork) {
  for (const auto& of : this->all_cases()) {
    auto embedded = this->make(of);
    const auto ids = this->make_ids();
    const auto state = this->make_state(of, ids);
    const auto as_one = this->all_results(this->run_keeping(embedded, ids, state, this->all));
    const auto run_both = [&](auto& modules, const nn::State& from) {
      return this->all_results(this->run_keeping(modules->network, modules->embedding->forward(ids), from, this->all));
    };
    const auto as_two = run_both(embedded, state);
    this->expect_same(as_one, as_two);
    this->expect_gradients_of_modules(as_one, embedded, state, run_both);
    embedded->network->engine = engine::Choice::libtorch;
    expect_near(this->all_results(this->run_keeping(embedded, ids, state, this->all)), as_two, tolerance_of(of.dtype));
  }
}

TYPED_TEST(KeepTest, IsOfAFrozenNetworkWhatItWas) {
  const torch::NoGradGuard no_grad;
  auto embedded = this->make({.layers = 2, .bidirectional = true});
  embedded->eval();
  const auto ids = this->make_ids();
  const auto expected = this->all_results(embedded->forward(ids, {}, this->all));
  embedded->freeze();
  EXPECT_GT(embedded->frozen_words(), 0);
  this->expect_same(this->all_results(embedded->forward(ids, {}, this->all)), expected);
}

TYPED_TEST(KeepTest, IsEmptyOfDocumentsWithoutTokens) {
  const EmbeddedCase of = {.layers = 2, .bidirectional = true};
  auto network = this->make_network_of(of);
  const auto nothing = torch::empty({0, word_width});
  const auto result = network->forward(pack_sequence({nothing, nothing}), {}, this->all);
  ASSERT_EQ(result.layers.size(), 2U);
  for (const auto& [h, c] : result.layers) {
    EXPECT_EQ(h.data().sizes(), at::IntArrayRef({0, 8}));
    ASSERT_EQ(c.has_value(), this->is_lstm);
    if (c) {
      EXPECT_EQ(c->data().sizes(), at::IntArrayRef({0, 8}));
    }
  }
  gradients(this->all_results(result), network->parameters());  // as for any other batch
  EXPECT_TRUE(network->forward(pack_sequence({nothing})).layers.empty());
}

TYPED_TEST(KeepTest, RefusesCellStatesWhereThereAreNone) {
  if (this->is_lstm) return;
  auto network = this->make_network_of({});
  EXPECT_THROWS(network->forward(this->make_input({}), {}, {.c = true}), c10::ValueError,
                "::forward: keep.c is set, but only an LSTM has cell states; h is the output");
  EXPECT_THROWS(this->make()->forward(this->make_ids(), {}, {.c = true}), c10::ValueError, "keep.c is set");
}

TYPED_TEST(KeepTest, GoesThroughModulesOfAnyKind) {
  const torch::NoGradGuard no_grad;
  const EmbeddedCase of = {.layers = 2};
  auto network = this->make_network_of(of);
  network->eval();
  const auto input = this->make_input(of);
  const auto expected = network->forward(input, {}, this->all);
  torch::nn::AnyModule any(network);
  this->expect_same(this->results(any.forward<nn::Result>(input)), this->results(expected));
  torch::nn::Sequential sequential(network);
  const auto state = this->make_state({.layers = 2, .with_state = true}, input);
  this->expect_same(this->results(sequential->forward<nn::Result>(input, state)),
                    this->results(network->forward(input, state)));
  this->expect_same(this->all_results(sequential->forward<nn::Result>(input, nn::State(), nn::Keep(this->all))),
                    this->all_results(expected));
  torch::nn::AnyModule any_embedded(this->make(of));
  EXPECT_EQ(any_embedded.forward<nn::Result>(this->make_ids(), nn::State(), nn::Keep(this->all)).layers.size(), 2U);
}

/// LibTorch runs half, and an LSTM step by step.
TYPED_TEST(KeepTest, HoldsInOtherDtypesAndUnderAutocast) {
  const torch::NoGradGuard no_grad;
  for (const auto dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const EmbeddedCase of = {.layers = 2, .bidirectional = true};
    auto network = this->make_network_of(of);
    network->eval();
    const auto input = this->make_input(of);
    const auto expected = this->all_results(network->forward(input, {}, this->all));
    network->to(dtype);
    const Autocast autocast(at::kBFloat16, /*on=*/dtype == at::kFloat);
    auto actual = this->all_results(network->forward(input.to(dtype), {}, this->all));
    for (auto& tensor : actual) tensor = tensor.to(at::kFloat);
    expect_near(actual, expected, 3e-2);
  }
}

TYPED_TEST(KeepTest, RoundsAsTheNetworkDoes) {
  const torch::NoGradGuard no_grad;
  const EmbeddedCase of = {.layers = 2, .bidirectional = true};
  auto network = this->make_network_of(of);
  network->eval();
  const auto input = this->make_input(of);
  const auto exact = this->all_results(network->forward(input, {}, this->all));
  network->precision = engine::Precision::bfloat16;
  const auto result = network->forward(input, {}, this->all);
  const auto rounded = this->all_results(result);
  expect_near(rounded, exact, 3e-2);
  for (std::size_t i = 0; i < rounded.size(); ++i) EXPECT_FALSE(at::equal(rounded[i], exact[i])) << i;
  const auto plain = this->results(network->forward(input));
  this->expect_same(this->results(result), plain);
}

/// Adds up what LibTorch takes from the heap of this thread while it lives.
class Allocations : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t, c10::Device) override {
    if (size > 0) bytes += size;
  }
  bool memoryProfilingEnabled() const override { return true; }

  std::int64_t bytes = 0;
};

template <class Pass>
std::int64_t allocated_bytes(const Pass& pass) {
  pass();  // what is made once
  const auto allocations = std::make_shared<Allocations>();
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, allocations);
    pass();
  }
  return allocations->bytes;
}

/// The cell states of inference, if they are asked for, and nothing else: training has them anyway, and every layer's
/// output is the next one's input.
TYPED_TEST(KeepTest, CostsWhatIsNotThereAnyway) {
  for (const std::int64_t layers : {1, 2}) {
    const EmbeddedCase of = {.layers = layers, .bidirectional = true, .hidden = 64};
    auto network = this->make_network_of(of);
    const auto input = this->make_input(of);
    const auto bytes = [&](const nn::Keep& keep) {
      return allocated_bytes([&] { return network->forward(input, {}, keep); });
    };
    const std::int64_t of_cells = this->is_lstm ? input.data().size(0) * 2 * of.hidden * 4 : 0;
    EXPECT_EQ(bytes(this->all), bytes({}));
    const torch::NoGradGuard no_grad;
    EXPECT_EQ(bytes({.lower_layers = true}), bytes({}));
    EXPECT_EQ(bytes(this->all), bytes({}) + layers * of_cells);
    if (!this->is_lstm) continue;
    EXPECT_EQ(bytes({.c = true}), bytes({}) + of_cells);
  }
}

TYPED_TEST(KeepTest, MayBeLeftOutOfABinding) {
  auto network = this->make_network_of({});
  const auto input = this->make_input({});
  nn::Result result = network->forward(input, {}, this->all);
  const auto& [output, state] = std::as_const(result);
  EXPECT_EQ(&output, &result.output);
  EXPECT_EQ(&state, &result.state);
  auto& [changed_output, changed_state] = result;
  changed_state.h = at::Tensor();
  EXPECT_FALSE(result.state.h.defined());
  EXPECT_EQ(&changed_output, &result.output);
  auto [own_output, own_state] = std::move(result);
  own_state.h = own_output.data();
  EXPECT_TRUE(own_state.h.defined());
}

}  // namespace
}  // namespace packseq::test
