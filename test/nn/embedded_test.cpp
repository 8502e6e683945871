#include "packseq/nn/embedded.hpp"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/optim/sgd.h>

#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "packseq/nn/state_dict.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"
#include "support/gradients.hpp"
#include "support/multiply_adds.hpp"
#include "support/sequences.hpp"

namespace packseq::test {
namespace {

constexpr std::int64_t word_count = 9, word_width = 3;

/// What makes a network, and how it is used.
struct EmbeddedCase {
  std::int64_t layers = 1;
  bool bidirectional = false;
  bool bias = true;
  bool with_state = false;
  c10::ScalarType dtype = at::kFloat;
  std::int64_t hidden = 4;
  std::int64_t proj_size = 0;  ///< Only an LSTM knows it.
};

std::vector<EmbeddedCase> all_embedded_cases() {
  std::vector<EmbeddedCase> all;
  for (const std::int64_t layers : {1, 2}) {
    for (const bool bidirectional : {false, true}) {
      for (const bool bias : {false, true}) {
        for (const bool with_state : {false, true}) {
          for (const auto dtype : {at::kFloat, at::kDouble}) {
            all.push_back({layers, bidirectional, bias, with_state, dtype});
          }
        }
      }
    }
  }
  return all;
}

template <class Network>
class EmbeddedTest : public testing::Test {
 protected:
  static constexpr bool is_lstm = std::is_same_v<Network, nn::LSTM>;

  void SetUp() override { torch::manual_seed(0); }
  void TearDown() override { at::set_num_threads(1); }

  template <class Given>
  static auto with_all(Given given, const EmbeddedCase& of) {
    return given.num_layers(of.layers).bidirectional(of.bidirectional).bias(of.bias).dropout(of.layers > 1 ? 0.5 : 0.0);
  }

  static Network make_network(const EmbeddedCase& of = {}) {
    if constexpr (is_lstm)
      return Network(with_all(torch::nn::LSTMOptions(word_width, of.hidden).proj_size(of.proj_size), of));
    if constexpr (std::is_same_v<Network, nn::GRU>)
      return Network(with_all(torch::nn::GRUOptions(word_width, of.hidden), of));
    if constexpr (std::is_same_v<Network, nn::RNN>) {
      return Network(with_all(torch::nn::RNNOptions(word_width, of.hidden).nonlinearity(torch::kReLU), of));
    }
  }

  static nn::Embedded<Network> make(const EmbeddedCase& of = {},
                                    const torch::nn::EmbeddingOptions& options = {word_count, word_width}) {
    nn::Embedded<Network> embedded(nn::Embedding(options), make_network(of));
    embedded->to(of.dtype);
    return embedded;
  }

  /// Documents of many words that come again, some of them empty.
  static PackedSequence make_ids(std::int64_t documents = 7, std::int64_t longest = 12) {
    std::vector<at::Tensor> ids;
    for (std::int64_t i = 0; i < documents; ++i) {
      ids.push_back(torch::randint(0, word_count, {i % 4 == 3 ? 0 : 1 + (i * 5) % longest}, at::kLong));
    }
    return pack_sequence(ids);
  }

  static nn::State make_state(const EmbeddedCase& of, const PackedSequence& ids) {
    if (!of.with_state) return {};
    const std::int64_t rows = of.layers * (of.bidirectional ? 2 : 1);
    const auto draw = [&](std::int64_t size) {
      return torch::randn({rows, lengths(ids).size(0), size}, at::dtype(of.dtype)).requires_grad_();
    };
    return {draw(of.proj_size > 0 ? of.proj_size : of.hidden), is_lstm ? draw(of.hidden) : at::Tensor()};
  }

  static Tensors results(const nn::Result& result) {
    Tensors all = {result.output.data(), result.state.h};
    if (result.state.c.defined()) all.push_back(result.state.c);
    return all;
  }

  /// The two modules one after the other, which is what is expected.
  static Tensors run_modules(nn::Embedded<Network>& embedded, const PackedSequence& ids, const nn::State& state = {}) {
    torch::manual_seed(1);  // for dropout
    return results(embedded->network->forward(embedded->embedding->forward(ids), state));
  }

  static Tensors run(nn::Embedded<Network>& embedded, const PackedSequence& ids, const nn::State& state = {}) {
    torch::manual_seed(1);
    const MultiplyAdds multiply_adds;
    auto all = results(embedded->forward(ids, state));
    EXPECT_EQ(multiply_adds.count(), 0);
    return all;
  }

  static void expect_same(const Tensors& actual, const Tensors& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_SAME(actual[i], expected[i]);
  }

  static void expect_same_gradients(const Tensors& actual, const Tensors& expected) {
    expect_near(actual, expected, actual[0].scalar_type() == at::kDouble ? 1e-10 : 1e-5);
  }

  /// Both ways to the results, and both ways back.
  static void expect_as_modules(nn::Embedded<Network>& embedded, const PackedSequence& ids,
                                const nn::State& state = {}) {
    auto inputs = embedded->parameters();
    for (const auto& tensor : {state.h, state.c}) {
      if (tensor.defined()) inputs.push_back(tensor);
    }
    const auto actual = run(embedded, ids, state);
    const auto expected = run_modules(embedded, ids, state);
    expect_same(actual, expected);
    expect_same_gradients(gradients(actual, inputs), gradients(expected, inputs));
  }
};

using EmbeddedNetworks = testing::Types<nn::LSTM, nn::GRU, nn::RNN>;
TYPED_TEST_SUITE(EmbeddedTest, EmbeddedNetworks);

TYPED_TEST(EmbeddedTest, IsTheTwoModulesOneAfterTheOther) {
  for (const auto& of : all_embedded_cases()) {
    auto embedded = this->make(of);
    const auto ids = this->make_ids();
    for (const int threads : {1, 3}) {
      at::set_num_threads(threads);
      this->expect_as_modules(embedded, ids, this->make_state(of, ids));
    }
  }
}

TYPED_TEST(EmbeddedTest, TakesSmallIntegers) {
  auto embedded = this->make();
  this->expect_as_modules(embedded, map(this->make_ids(), [](const at::Tensor& ids) { return ids.to(at::kInt); }));
}

TYPED_TEST(EmbeddedTest, HoldsForEveryNumberOfDistinctWords) {
  for (const bool bidirectional : {false, true}) {
    auto embedded = this->make({.bidirectional = bidirectional});
    for (const std::int64_t distinct : {1, 2, 5, 6, 9}) {
      for (const std::int64_t documents : {1, 6, 20}) {
        this->expect_as_modules(
            embedded, map(this->make_ids(documents), [&](const at::Tensor& ids) { return ids.remainder(distinct); }));
      }
    }
  }
}

/// More tokens, and more distinct words, than the backward pass takes at a time.
TYPED_TEST(EmbeddedTest, HoldsForManyTokens) {
  constexpr std::int64_t many = 3000;
  std::vector<at::Tensor> documents;
  for (std::int64_t i = 0; i < 100; ++i) documents.push_back(torch::randint(0, many, {20 + i}, at::kLong));
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    auto embedded = this->make({.bidirectional = true}, {many, word_width});
    this->expect_as_modules(embedded, pack_sequence(documents));
  }
}

/// So many weights that threads share the steps of few documents.
TYPED_TEST(EmbeddedTest, HoldsWhereThreadsShareSteps) {
  at::set_num_threads(3);
  const EmbeddedCase of = {.layers = 2, .bidirectional = true, .hidden = 410};
  auto embedded = this->make(of);
  const auto ids = this->make_ids();
  this->expect_as_modules(embedded, ids);
  const torch::NoGradGuard no_grad;
  const auto expected = this->run_modules(embedded, ids);
  embedded->freeze();
  this->expect_same(this->run(embedded, ids), expected);
}

TYPED_TEST(EmbeddedTest, HoldsWithAProjection) {
  if (!this->is_lstm) return;
  for (const bool bidirectional : {false, true}) {
    const EmbeddedCase of = {.bidirectional = bidirectional, .with_state = true, .proj_size = 2};
    auto embedded = this->make(of);
    const auto ids = this->make_ids();
    this->expect_as_modules(embedded, ids, this->make_state(of, ids));
  }
}

TYPED_TEST(EmbeddedTest, HasAGradientAsTheModules) {
  const EmbeddedCase of = {.layers = 2, .bidirectional = true, .dtype = at::kDouble};
  auto embedded = this->make(of);
  const auto ids = this->make_ids();
  const auto second = [&](const Tensors& outputs) {
    const auto inputs = embedded->parameters();
    return gradients(gradients(outputs, inputs, /*create_graph=*/true), inputs);
  };
  this->expect_same_gradients(second(this->run(embedded, ids)), second(this->run_modules(embedded, ids)));
}

TYPED_TEST(EmbeddedTest, KnowsTheOptionsOfEmbeddings) {
  using torch::nn::EmbeddingOptions;
  const auto ids = this->make_ids();
  for (const auto& options : {EmbeddingOptions(word_count, word_width).padding_idx(2),
                              EmbeddingOptions(word_count, word_width).max_norm(.5)}) {
    auto embedded = this->make({}, options);
    this->expect_as_modules(embedded, ids);
  }
  // LibTorch multiplies for these.
  auto scaled = this->make({}, EmbeddingOptions(word_count, word_width).scale_grad_by_freq(true));
  const auto inputs = scaled->parameters();
  this->expect_same_gradients(gradients(this->results(scaled->forward(ids)), inputs),
                              gradients(this->run_modules(scaled, ids), inputs));
}

TYPED_TEST(EmbeddedTest, GivesSparseGradients) {
  auto embedded = this->make({}, torch::nn::EmbeddingOptions(word_count, word_width).sparse(true));
  const auto ids = map(this->make_ids(), [](const at::Tensor& all) { return all.remainder(5); });
  const auto gradient = [&](const Tensors& outputs) {
    embedded->zero_grad();
    weighted_sum(outputs).backward();
    return embedded->embedding->weight.grad();
  };
  const at::Tensor actual = gradient(this->run(embedded, ids));
  const at::Tensor expected = gradient(this->run_modules(embedded, ids));
  ASSERT_TRUE(actual.is_sparse());
  EXPECT_EQ(actual._nnz(), 5);
  expect_near({actual.to_dense()}, {expected.to_dense()}, 1e-5);
}

TYPED_TEST(EmbeddedTest, TrainsWhatIsNotFrozen) {
  auto embedded = this->make();
  const auto ids = this->make_ids();
  for (const bool embedding : {false, true}) {
    embedded->embedding->weight.set_requires_grad(embedding);
    embedded->network->named_parameters()["weight_ih_l0"].set_requires_grad(!embedding);
    Tensors inputs;
    for (const auto& parameter : embedded->parameters()) {
      if (parameter.requires_grad()) inputs.push_back(parameter);
    }
    this->expect_same_gradients(gradients(this->run(embedded, ids), inputs),
                                gradients(this->run_modules(embedded, ids), inputs));
  }
}

TYPED_TEST(EmbeddedTest, RunsWhereTheEngineDoesNot) {
  auto embedded = this->make();
  const auto ids = this->make_ids();
  embedded->network->engine = engine::Choice::libtorch;
  const MultiplyAdds multiply_adds;
  expect_near(this->results(embedded->forward(ids)), this->run_modules(embedded, ids), 1e-6);
  EXPECT_GT(multiply_adds.count(), 0);
  embedded->to(at::kBFloat16);
  embedded->network->engine = engine::Choice::automatic;
  EXPECT_EQ(embedded->forward(ids).output.data().scalar_type(), at::kBFloat16);
}

TYPED_TEST(EmbeddedTest, IsAFewWordsLongButForEmptyDocuments) {
  auto embedded = this->make();
  const auto ids = pack_sequence({torch::empty({0}, at::kLong), torch::empty({0}, at::kLong)});
  this->expect_same(this->run(embedded, ids), this->run_modules(embedded, ids));
}

TYPED_TEST(EmbeddedTest, FreezesToTheSameNumbers) {
  for (const auto& of : all_embedded_cases()) {
    const torch::NoGradGuard no_grad;
    auto embedded = this->make(of);
    embedded->eval();
    const auto ids = this->make_ids();
    const auto state = this->make_state(of, ids);
    const auto expected = this->run_modules(embedded, ids, state);
    embedded->freeze();
    EXPECT_EQ(embedded->frozen_words(), word_count);
    this->expect_same(this->run(embedded, ids, state), expected);
    // With room for some of the words; what one of them takes a message tells.
    const std::int64_t blocks = std::is_same_v<TypeParam, nn::RNN> ? 1 : 4;
    const auto bytes = (of.bidirectional ? 2 : 1) * blocks * of.hidden * (of.dtype == at::kFloat ? 4 : 8);
    embedded->freeze(3 * bytes + 1);
    EXPECT_EQ(embedded->frozen_words(), 3);
    this->expect_same(this->run(embedded, ids, state), expected);
    EXPECT_THROWS(embedded->freeze(bytes - 1), c10::ValueError, "and must be at least " + std::to_string(bytes));
  }
}

TYPED_TEST(EmbeddedTest, IsNotFrozenWhileItTrains) {
  auto embedded = this->make();
  embedded->freeze();
  this->expect_as_modules(embedded, this->make_ids());
  EXPECT_EQ(embedded->frozen_words(), 0);
}

TYPED_TEST(EmbeddedTest, LeavesTheTableOnceAWeightChanges) {
  const auto ids = this->make_ids();
  const auto expect_left = [&](const auto& change) {
    auto embedded = this->make();
    embedded->freeze();
    change(embedded);
    EXPECT_EQ(embedded->frozen_words(), 0);
    const torch::NoGradGuard no_grad;
    this->expect_same(this->run(embedded, ids), this->run_modules(embedded, ids));
  };
  expect_left([&](auto& embedded) {
    torch::optim::SGD optimizer(embedded->parameters(), .1);
    weighted_sum(this->run(embedded, ids)).backward();
    optimizer.step();
  });
  for (const auto* name : {"weight_ih_l0", "bias_ih_l0", "bias_hh_l0"}) {
    expect_left([&](auto& embedded) {
      const torch::NoGradGuard no_grad;
      embedded->network->named_parameters()[name].add_(1);
    });
  }
  // A pass that LibTorch's own code runs, too.
  expect_left([&](auto& embedded) {
    torch::optim::SGD optimizer(embedded->parameters(), .1);
    embedded->network->engine = engine::Choice::libtorch;
    weighted_sum(this->results(embedded->forward(ids))).backward();
    optimizer.step();
    embedded->network->engine = engine::Choice::automatic;
  });
  expect_left([](auto& embedded) { embedded->to(at::kDouble); });
  expect_left([](auto& embedded) { embedded->embedding->weight.set_data(torch::zeros({word_count, word_width})); });
  expect_left([&](auto& embedded) {
    auto other = this->make();
    nn::load_state_dict(*embedded, nn::state_dict(*other));
  });
  expect_left([](auto& embedded) { embedded->unfreeze(); });
}

TYPED_TEST(EmbeddedTest, RefusesWeightsOfOtherSizesBesideATable) {
  const torch::NoGradGuard no_grad;
  auto embedded = this->make({.layers = 2});
  embedded->freeze();
  embedded->network->named_parameters()["weight_ih_l1"].set_data(torch::zeros({1, 1}));
  EXPECT_THROWS(embedded->forward(this->make_ids()), c10::ValueError, "the parameters have not the sizes");
}

TYPED_TEST(EmbeddedTest, KnowsWordsThatAreAddedLater) {
  auto embedded = this->make();
  embedded->embedding->weight.set_data(torch::randn({word_count + 2, word_width}));
  this->expect_as_modules(embedded, map(this->make_ids(), [](const at::Tensor& ids) { return ids + 2; }));
}

/// What the header says of changes that LibTorch does not count.
TYPED_TEST(EmbeddedTest, NeedsToBeToldOfHiddenChanges) {
  const torch::NoGradGuard no_grad;
  const auto ids = this->make_ids();
  auto embedded = this->make();
  embedded->freeze();
  const auto before = this->run(embedded, ids);
  embedded->embedding->weight.data().add_(1);
  this->expect_same(this->run(embedded, ids), before);
  embedded->unfreeze();
  this->expect_same(this->run(embedded, ids), this->run_modules(embedded, ids));

  const c10::InferenceMode inference;
  auto unversioned = this->make();
  unversioned->freeze();
  EXPECT_EQ(unversioned->frozen_words(), word_count);
  this->expect_same(this->run(unversioned, ids), this->run_modules(unversioned, ids));
  unversioned->embedding->weight.add_(1);
  unversioned->unfreeze();
  this->expect_same(this->run(unversioned, ids), this->run_modules(unversioned, ids));
}

TYPED_TEST(EmbeddedTest, RefusesToFreezeWhatItCannot) {
  auto changing = this->make({}, torch::nn::EmbeddingOptions(word_count, word_width).max_norm(1));
  EXPECT_THROWS(changing->freeze(), c10::ValueError, "max_norm");
  auto half = this->make();
  half->to(at::kHalf);
  EXPECT_THROWS(half->freeze(), c10::ValueError, "the fused engine does not run this: data is Half");
  auto wide = this->make();
  wide->embedding->weight.set_data(torch::zeros({word_count, word_width + 1}));
  EXPECT_THROWS(wide->freeze(), c10::ValueError, "the weights have not the sizes that the options tell");
  auto plain = this->make();
  plain->network->engine = engine::Choice::libtorch;
  EXPECT_THROWS(plain->freeze(), c10::ValueError, "engine is Choice::libtorch");
}

TYPED_TEST(EmbeddedTest, ServesManyThreads) {
  auto embedded = this->make({.layers = 2, .bidirectional = true});
  embedded->eval();
  const auto ids = this->make_ids();
  const torch::NoGradGuard no_grad;
  const auto expected = this->results(embedded->forward(ids));
  embedded->freeze();
  std::vector<Tensors> actual(8);
  std::vector<std::thread> threads;
  for (auto& result : actual) {
    threads.emplace_back([&] {
      const torch::NoGradGuard of_thread;
      for (int i = 0; i < 20; ++i) result = this->results(embedded->forward(ids));
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& result : actual) this->expect_same(result, expected);
}

TYPED_TEST(EmbeddedTest, HasTheNamesAndWeightsOfItsModules) {
  auto embedded = this->make();
  std::vector<std::string> names;
  for (const auto& entry : nn::state_dict(*embedded)) names.push_back(entry.key());
  const std::string kind = this->is_lstm ? "lstm" : std::is_same_v<TypeParam, nn::GRU> ? "gru" : "rnn";
  EXPECT_EQ(names, (std::vector<std::string>{"embedding.weight", kind + ".weight_ih_l0", kind + ".weight_hh_l0",
                                             kind + ".bias_ih_l0", kind + ".bias_hh_l0"}));
  torch::nn::Embedding theirs(word_count, word_width);
  nn::load_state_dict(*theirs, nn::state_dict(*embedded), {.prefix = "embedding."});
  EXPECT_SAME(theirs->weight, embedded->embedding->weight);
}

TYPED_TEST(EmbeddedTest, ClonesDeeplyAndStandsInASequential) {
  auto embedded = this->make();
  embedded->eval();
  const auto ids = this->make_ids();
  const auto copy = std::dynamic_pointer_cast<nn::EmbeddedImpl<TypeParam>>(embedded->clone());
  ASSERT_TRUE(copy);
  EXPECT_FALSE(copy->is_training());
  embedded->train();
  embedded->network->eval();
  const auto mixed = std::dynamic_pointer_cast<nn::EmbeddedImpl<TypeParam>>(embedded->clone());
  EXPECT_TRUE(mixed->is_training() && mixed->embedding->is_training() && !mixed->network->is_training());
  this->expect_same(this->results(copy->forward(ids)), this->run(embedded, ids));
  const torch::NoGradGuard no_grad;
  copy->embedding->weight.zero_();
  EXPECT_FALSE(embedded->embedding->weight.eq(0).any().template item<bool>());
  torch::nn::Sequential network(embedded, nn::TakeOutput());
  EXPECT_SAME(network->forward<PackedSequence>(ids).data(), this->run(embedded, ids)[0]);
}

TYPED_TEST(EmbeddedTest, RefusesIdsThatAreNone) {
  auto embedded = this->make();
  const auto pack = [](const at::Tensor& ids) { return pack_sequence({ids}); };
  EXPECT_THROWS(embedded->forward(pack(torch::ones({3}))), c10::TypeError, "the data of ids is ");
  EXPECT_THROWS(embedded->forward(pack(torch::ones({3}, at::kShort))), c10::TypeError,
                "is Short on cpu, and must be int64 (Long) or int32 (Int) on cpu");
  EXPECT_THROWS(embedded->forward(pack(torch::ones({3, 2}, at::kLong))), c10::ValueError, "sizes [3, 2]");
  for (const std::int64_t id : {std::int64_t{-1}, word_count, std::int64_t{1} << 40}) {
    EXPECT_THROWS(embedded->forward(pack(torch::tensor(std::vector<std::int64_t>{0, 1, 1, 1, id}))), c10::IndexError,
                  "the data of ids has " + std::to_string(id) + " at 4, and must be in 0 ... 8");
  }
}

TYPED_TEST(EmbeddedTest, RefusesModulesThatDoNotFit) {
  EXPECT_THROWS(nn::Embedded<TypeParam>(nn::Embedding(word_count, word_width + 1), this->make_network()),
                c10::ValueError, "the embedding_dim of embedding is 4, but the input_size of network is 3");
  EXPECT_THROWS(nn::Embedded<TypeParam>(nn::Embedding(nullptr), this->make_network()), c10::ValueError, "is empty");
}

}  // namespace
}  // namespace packseq::test
