#include <ATen/core/grad_mode.h>

#include <vector>

#include "nn/embedded_fixture.hpp"
#include "packseq/sequence/map.hpp"
#include "support/autocast.hpp"

// Networks over packed sequences under autocast; what it makes of their numbers, the engine's tests say.

namespace packseq::test {
namespace {

template <class Network>
class AutocastTest : public EmbeddedTest<Network> {
 protected:
  static constexpr bool is_gru = std::is_same_v<Network, nn::GRU>;
  static constexpr c10::ScalarType dtype = is_gru ? at::kFloat : at::kBFloat16;

  /// Output, final state, and of an LSTM with a projection a cell state that stays as it was.
  static void expect_dtypes(const nn::Result& result, bool is_projected = false) {
    EXPECT_EQ(result.output.data().scalar_type(), dtype);
    EXPECT_EQ(result.state.h.scalar_type(), dtype);
    const auto of_cells = is_projected ? at::kFloat : dtype;
    if (result.state.c.defined()) {
      EXPECT_EQ(result.state.c.scalar_type(), of_cells);
    }
    for (const auto& layer : result.layers) {
      EXPECT_EQ(layer.h.data().scalar_type(), dtype);
      if (layer.c) {
        EXPECT_EQ(layer.c->data().scalar_type(), of_cells);
      }
    }
  }

  static PackedSequence vectors(const std::vector<std::int64_t>& lengths) {
    std::vector<at::Tensor> documents;
    for (const auto length : lengths) documents.push_back(torch::randn({length, word_width}));
    return pack_sequence(documents);
  }
};
TYPED_TEST_SUITE(AutocastTest, EmbeddedNetworks);

/// Also of batches in which some documents or all are empty.
TYPED_TEST(AutocastTest, HasOneDtypeWhateverTheLengths) {
  for (const std::int64_t proj_size : {0, 2}) {
    if (proj_size > 0 && !this->is_lstm) continue;
    auto network = this->make_network({.layers = 2, .bidirectional = true, .proj_size = proj_size});
    for (const auto& lengths : std::vector<std::vector<std::int64_t>>{{3, 1, 4}, {2, 2}, {3}, {0, 2, 0}, {0, 0}}) {
      const Autocast autocast;
      const nn::Keep keep = {.c = this->is_lstm, .lower_layers = true};
      const auto result = network->forward(this->vectors(lengths), {}, keep);
      EXPECT_EQ(result.layers.size(), 2U);
      this->expect_dtypes(result, proj_size > 0);
      const auto from_there = network->forward(this->vectors(lengths), result.state, keep);
      this->expect_dtypes(from_there, proj_size > 0);
      result.output.data().sum().backward();
      for (const auto& weight : network->parameters()) EXPECT_EQ(weight.grad().scalar_type(), at::kFloat);
    }
  }
}

TYPED_TEST(AutocastTest, IsRunByTheEngineWhateverThePrecision) {
  const torch::NoGradGuard no_grad;
  auto network = this->make_network();
  network->engine = engine::Choice::fused;
  const auto input = this->vectors({3, 1, 4});
  const Autocast autocast;
  network->precision = engine::Precision::float32;
  const auto expected = this->results(network->forward(input));
  network->precision = engine::Precision::bfloat16;
  this->expect_same(this->results(network->forward(input)), expected);
}

/// What it keeps of layers is what the next ones get, and the output is the last one's.
TYPED_TEST(AutocastTest, KeepsWhatItPutsOut) {
  auto network = this->make_network({.layers = 2, .bidirectional = true});
  network->eval();
  const Autocast autocast;
  const auto input = this->vectors({3, 1, 4});
  const auto result = network->forward(input, {}, {.c = this->is_lstm, .lower_layers = true});
  EXPECT_SAME(result.layers[1].h.data(), result.output.data());
  this->expect_same(this->results(result), this->results(network->forward(input)));
}

/// Gradients of a word are summed before they are rounded.
TYPED_TEST(AutocastTest, RunsWithItsEmbeddingAsWithout) {
  for (const auto of_embedding : {at::kFloat, at::kBFloat16}) {
    auto embedded = this->make();
    embedded->embedding->to(of_embedding);
    const auto ids = this->make_ids();
    const Autocast autocast;
    const auto actual = this->run(embedded, ids);
    const auto expected = this->run_modules(embedded, ids);
    this->expect_same(actual, expected);
    const auto inputs = embedded->network->parameters();
    expect_near(gradients(actual, inputs), gradients(expected, inputs), 1e-2);
  }
}

/// A table is of the products that it was made of.
TYPED_TEST(AutocastTest, FreezesWithItsEmbedding) {
  const torch::NoGradGuard no_grad;
  for (const auto of_embedding : {at::kFloat, at::kBFloat16}) {
    auto embedded = this->make();
    embedded->eval();
    embedded->embedding->to(of_embedding);
    const auto ids = this->make_ids();
    {
      const Autocast autocast;
      const auto expected = this->run(embedded, ids);
      embedded->freeze();
      EXPECT_EQ(embedded->frozen_words(), word_count);
      this->expect_same(this->run(embedded, ids), expected);
    }
    if (of_embedding != at::kFloat) continue;
    EXPECT_EQ(embedded->frozen_words(), 0);
    this->expect_same(this->run(embedded, ids), this->run_modules(embedded, ids));
  }
}

}  // namespace
}  // namespace packseq::test
