#include <string>
#include <vector>

#include "nn/beginnings.hpp"
#include "nn/embedded_fixture.hpp"
#include "nn/tries.hpp"
#include "packseq/sequence/map.hpp"
#include "support/precision.hpp"

namespace packseq::test {
namespace {

template <class Network>
class EmbeddedBeginningsTest : public EmbeddedTest<Network> {
 protected:
  /// A given state that is the same for every second document, and records no gradient.
  nn::State make_state(const EmbeddedCase& of, const PackedSequence& ids) {
    nn::State state = EmbeddedTest<Network>::make_state(of, ids);
    for (at::Tensor* tensor : {&state.h, &state.c}) {
      if (!tensor->defined()) continue;
      *tensor = tensor->detach();
      tensor->slice(1, 0, c10::nullopt, 2).copy_(tensor->narrow(1, 0, 1).clone());
    }
    return state;
  }
};

TYPED_TEST_SUITE(EmbeddedBeginningsTest, EmbeddedNetworks);

/// As the modules, but for the gradients of a state that records none.
TYPED_TEST(EmbeddedBeginningsTest, AreComputedAsTheyAreAlone) {
  for (const auto& of : all_embedded_cases()) {
    auto embedded = this->make(of);
    for (const auto& text : all_texts()) {
      const auto ids = pack_text(text);
      const auto state = this->make_state(of, ids);
      for (const bool train : {true, false}) {
        embedded->train(train);
        for (const int threads : {1, 2}) {
          at::set_num_threads(threads);
          this->expect_as_modules(embedded, ids, state);
        }
      }
    }
  }
}

TYPED_TEST(EmbeddedBeginningsTest, HoldWithAProjectionAndWithWhatIsKept) {
  if (!this->is_lstm) return;
  for (const bool bidirectional : {false, true}) {
    for (const std::int64_t proj_size : {0, 2}) {
      const EmbeddedCase of = {.layers = 2, .bidirectional = bidirectional, .proj_size = proj_size};
      auto embedded = this->make(of);
      for (const auto& text : all_texts()) {
        const auto ids = pack_text(text);
        const nn::Keep keep = {.c = true, .lower_layers = true};
        const auto all = [](const nn::Result& result) {
          Tensors tensors = EmbeddedTest<TypeParam>::results(result);
          for (const auto& [h, c] : result.layers) tensors.insert(tensors.end(), {h.data(), c->data()});
          return tensors;
        };
        torch::manual_seed(1);
        const auto actual = all(embedded->forward(ids, {}, keep));
        torch::manual_seed(1);
        const auto expected = all(embedded->network->forward(embedded->embedding->forward(ids), {}, keep));
        this->expect_same(actual, expected);
        const auto inputs = embedded->parameters();
        this->expect_same_gradients(gradients(actual, inputs), gradients(expected, inputs));
      }
    }
  }
}

/// So many weights that threads share the first steps, and more nodes than the backward pass takes at a time.
TYPED_TEST(EmbeddedBeginningsTest, HoldForManyTokensAndWeights) {
  const auto ids = pack_text(random_text(150, 40, 9, 10));
  for (const std::int64_t hidden : {4, 400}) {
    auto embedded = this->make({.hidden = hidden});
    Tensors inputs = embedded->parameters();
    std::vector<Tensors> of_threads;
    for (const int threads : {1, 2}) {
      at::set_num_threads(threads);
      const auto actual = this->run(embedded, ids);
      const auto expected = this->run_modules(embedded, ids);
      this->expect_same(actual, expected);
      of_threads.push_back(gradients(actual, inputs));
      expect_near(of_threads.back(), gradients(expected, inputs), 1e-3);
    }
    this->expect_same(of_threads[0], of_threads[1]);
  }
}

TYPED_TEST(EmbeddedBeginningsTest, HoldWithFrozenWordsAndWithProductsOfBfloat16) {
  const torch::NoGradGuard no_grad;
  for (const bool bidirectional : {false, true}) {
    for (const auto& text : all_texts()) {
      const auto ids = pack_text(text);
      auto embedded = this->make({.layers = 2, .bidirectional = bidirectional});
      embedded->eval();
      in_every_precision(at::kFloat, [&] {
        const auto expected = this->run_modules(embedded, ids);
        this->expect_same(this->run(embedded, ids), expected);
        embedded->freeze();
        EXPECT_EQ(embedded->frozen_words(), word_count);
        this->expect_same(this->run(embedded, ids), expected);
        embedded->unfreeze();
      });
    }
  }
}

TYPED_TEST(EmbeddedBeginningsTest, HoldForTensorsOfBfloat16) {
  for (const bool bidirectional : {false, true}) {
    auto embedded = this->make({.layers = 2, .bidirectional = bidirectional, .dtype = at::kBFloat16});
    embedded->eval();
    const auto inputs = embedded->parameters();
    for (const auto& text : all_texts()) {
      const auto ids = pack_text(text);
      const auto actual = this->run(embedded, ids);
      const auto expected = this->run_modules(embedded, ids);
      this->expect_same(actual, expected);
      expect_near(gradients(actual, inputs), gradients(expected, inputs), .2);
    }
  }
}

/// So many like gradients that a sum of bfloat16 stops growing.
TYPED_TEST(EmbeddedBeginningsTest, AddGradientsOfBfloat16InFloat) {
  auto embedded = this->make({.dtype = at::kBFloat16});
  const auto inputs = embedded->network->parameters();
  const auto ids = pack_text(Text(1024, {4, 2, 7}));
  const auto gradients_of = [&](const at::Tensor& output) {
    return torch::autograd::grad({output.to(at::kFloat).sum()}, inputs);
  };
  const auto actual = gradients_of(embedded->forward(ids).output.data());
  const auto expected = gradients_of(embedded->network->forward(embedded->embedding->forward(ids)).output.data());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const at::Tensor right = expected[i].to(at::kFloat);
    EXPECT_LE((actual[i] - right).norm().template item<float>(), .05F * right.norm().template item<float>()) << i;
  }
}

/// States are views of nothing, wherever programs cut off gradients or change them in place.
TYPED_TEST(EmbeddedBeginningsTest, LeaveStatesToTheProgram) {
  auto embedded = this->make({});
  const auto indexed = pack_text({{4, 2, 7}, {4, 2, 7}, {4, 2, 1}});
  const PackedSequence ids(indexed.data(), indexed.batch_sizes());
  embedded->forward(ids).state.h.detach_();
  const auto state = [&] {
    const torch::NoGradGuard no_grad;
    return embedded->forward(ids).state;
  }();
  state.h.mul_(torch::ones({1}, at::requires_grad()));
  EXPECT_TRUE(state.h.requires_grad());
}

TYPED_TEST(EmbeddedBeginningsTest, KeepTheLastLayerOnce) {
  auto embedded = this->make({.layers = 2});
  embedded->eval();
  const auto result = embedded->forward(pack_text({{4, 2, 7}, {4, 2, 7}}), {}, {.lower_layers = true});
  EXPECT_TRUE(result.layers.back().h.data().is_same(result.output.data()));
}

TYPED_TEST(EmbeddedBeginningsTest, HaveAGradientAsTheModules) {
  for (const bool bidirectional : {false, true}) {
    auto embedded = this->make({.layers = 2, .bidirectional = bidirectional, .dtype = at::kDouble});
    const auto inputs = embedded->parameters();
    const auto second = [&](const Tensors& outputs) {
      return gradients(gradients(outputs, inputs, /*create_graph=*/true), inputs);
    };
    for (const bool train : {true, false}) {
      embedded->train(train);
      const auto ids = pack_text(random_text(12, 5, 2, 2));
      this->expect_same_gradients(second(this->run(embedded, ids)), second(this->run_modules(embedded, ids)));
    }
  }
}

TYPED_TEST(EmbeddedBeginningsTest, NeedNotBeShared) {
  auto embedded = this->make();
  embedded->most_beginnings = 0;
  const auto copy = std::dynamic_pointer_cast<nn::EmbeddedImpl<TypeParam>>(embedded->clone());
  EXPECT_EQ(copy->most_beginnings, 0);
  for (const auto& text : all_texts()) this->expect_as_modules(embedded, pack_text(text));
}

TYPED_TEST(EmbeddedBeginningsTest, GiveGradientsToStatesThatRecordThem) {
  const EmbeddedCase of = {.layers = 2, .with_state = true};
  auto embedded = this->make(of);
  for (const auto& text : all_texts()) {
    const auto ids = pack_text(text);
    this->expect_as_modules(embedded, ids, EmbeddedTest<TypeParam>::make_state(of, ids));
  }
}

/// How many nodes a network's tries have.
std::vector<std::int64_t> nodes_of(const Text& text, const Tensors& states, const EmbeddedCase& of, bool is_state_given,
                                   double dropout = 0, double most = .9) {
  const auto ids = pack_text(text);
  const at::Tensor sizes = ids.batch_sizes();
  const Tensors weights;
  engine::Network network = {engine::Cell::gru, ids.data(),      sizes, states, weights, true, of.layers, dropout,
                             /*train=*/true,    of.bidirectional};
  network.index = ids.data().to(at::kInt);
  std::vector<std::int64_t> nodes;
  for (const auto& trie : nn::detail::find_tries(network, is_state_given, most)) nodes.push_back(trie.paths.size(0));
  return nodes;
}

TEST(FindTries, SharesWhatBeginsAlikeFromTheSameState) {
  using Nodes = std::vector<std::int64_t>;
  const Text text = {{1, 2, 3}, {1, 2, 3}, {1, 2}, {4, 2}};
  const Tensors zeros = {torch::zeros({1, 4, 2})};
  EXPECT_EQ(nodes_of(text, zeros, {}, false), (Nodes{5}));
  EXPECT_EQ(nodes_of(text, zeros, {}, true), (Nodes{5}));
  EXPECT_EQ(nodes_of(text, {torch::zeros({2, 4, 2})}, {.bidirectional = true}, true), (Nodes{5, 6}));
  Tensors states = {torch::zeros({2, 4, 2})};
  states[0][1][1][1] = -0.0F;  // another bit
  EXPECT_EQ(nodes_of(text, states, {.layers = 2}, true), (Nodes{8}));
  EXPECT_EQ(nodes_of(text, states, {.layers = 2}, true, .5), (Nodes{5}));  // it is of the second layer
  states[0][1][1][1] = 0.0F;
  states[0][0][0][0] = NAN;
  states[0][0][1][0] = NAN;
  EXPECT_EQ(nodes_of(text, states, {.layers = 2}, true), (Nodes{7}));
  EXPECT_EQ(nodes_of(text, {zeros[0].clone().requires_grad_()}, {}, true), Nodes());
  EXPECT_EQ(nodes_of({{1, 2, 3}, {2, 3}, {3, 1}}, {torch::zeros({1, 3, 2})}, {}, false), Nodes());
}

TEST(FindTries, FindsAsManyNodesAsItIsTold) {
  using Nodes = std::vector<std::int64_t>;
  const Text text = {{1, 2}, {1, 2}};
  const Tensors zeros = {torch::zeros({1, 2, 2})};
  EXPECT_EQ(nodes_of(text, zeros, {}, false, 0, .5), Nodes{2});
  EXPECT_EQ(nodes_of(text, zeros, {}, false, 0, .49), Nodes());
  EXPECT_EQ(nodes_of(text, zeros, {}, false, 0, 0), Nodes());
}

/// A wide network saves more than finding them costs.
TYPED_TEST(EmbeddedBeginningsTest, AreComputedOnceWhereThatSavesTime) {
  const auto most = [](std::int64_t hidden, bool bidirectional) {
    return nn::Embedded<TypeParam>(nn::Embedding(word_count, word_width),
                                   TestFixture::make_network({.bidirectional = bidirectional, .hidden = hidden}))
        ->most_beginnings;
  };
  EXPECT_EQ(most(4, false), 0);
  EXPECT_EQ(most(1024, false), .9);
  EXPECT_GT(most(256, false), .8);
  EXPECT_LT(most(32, false), .7);
  EXPECT_LT(most(80, true), most(80, false));
}

}  // namespace
}  // namespace packseq::test
