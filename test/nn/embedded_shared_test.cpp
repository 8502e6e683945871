#include <ATen/record_function.h>
#include <c10/util/accumulate.h>
#include <torch/nn/utils/rnn.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels/kernel_multiply_adds.hpp"
#include "nn/beginnings.hpp"
#include "nn/embedded_fixture.hpp"
#include "packseq/cost/shared_steps.hpp"
#include "packseq/sequence/map.hpp"
#include "support/operator_calls.hpp"

// Documents that begin alike, and do share, as counters show: beside LibTorch's own modules, whatever they are made of.

namespace packseq::test {
namespace {

/// What the backward pass of `outputs` is given of tensors of zeros of so many numbers or more.
class TensorsOfZeros {
 public:
  explicit TensorsOfZeros(std::int64_t least) {
    least_ = least;
    count_ = 0;
  }
  std::int64_t count() const { return count_; }

 private:
  static std::unique_ptr<at::ObserverContext> add(const at::RecordFunction& function) {
    if (function.name() != std::string_view("aten::zeros")) return nullptr;
    const auto sizes = function.inputs()[0].toDimVector();
    if (c10::multiply_integers(sizes) >= least_) ++count_;
    return nullptr;
  }

  inline static std::atomic<std::int64_t> least_ = 0;
  inline static std::atomic<std::int64_t> count_ = 0;
  OperatorCalls calls_{&add};
};

template <class Network>
class EmbeddedSharedTest : public EmbeddedTest<Network> {
 protected:
  /// What a pass executes, and, where it trains, the way back.
  static std::size_t executed(nn::Embedded<Network>& embedded, const PackedSequence& ids) {
    const KernelMultiplyAdds multiply_adds;
    const auto results = EmbeddedTest<Network>::results(embedded->forward(ids));
    if (results[0].requires_grad()) gradients(results, embedded->network->parameters());
    return multiply_adds.count();
  }

  /// By how much less than the tokens' that is where beginnings are shared.
  static std::size_t saved(nn::Embedded<Network>& embedded, const PackedSequence& ids) {
    const std::size_t shared = executed(embedded, ids);
    const double most = std::exchange(embedded->most_beginnings, 0);
    const std::size_t alone = executed(embedded, ids);
    embedded->most_beginnings = most;
    return alone - shared;
  }

  static std::int64_t count_nodes(const PackedSequence& ids) {
    return cost::shared_steps(ids).sum().item<std::int64_t>();
  }

  /// LibTorch's embedding and network, over a batch without empty documents: what is to come out, and the gradients.
  static Tensors run_in_libtorch(nn::Embedded<Network>& embedded, const PackedSequence& ids) {
    const at::Tensor vectors = embedded->embedding->torch::nn::EmbeddingImpl::forward(ids.data());
    using Theirs = std::conditional_t<
        std::is_same_v<Network, nn::LSTM>, torch::nn::LSTMImpl,
        std::conditional_t<std::is_same_v<Network, nn::GRU>, torch::nn::GRUImpl, torch::nn::RNNImpl>>;
    Theirs& network = *embedded->network;
    const auto [output, state] = network.forward_with_packed_input(with_data(ids, vectors));
    if constexpr (std::is_same_v<Network, nn::LSTM>) {
      return {output.data(), std::get<0>(state), std::get<1>(state)};
    } else {
      return {output.data(), state};
    }
  }

  static void expect_as_in_libtorch(nn::Embedded<Network>& embedded, const PackedSequence& ids) {
    const auto inputs = embedded->parameters();
    const auto theirs = std::dynamic_pointer_cast<nn::EmbeddedImpl<Network>>(embedded->clone());
    nn::Embedded<Network> copy(theirs);
    const auto expected = run_in_libtorch(copy, ids);
    const auto actual = EmbeddedTest<Network>::run(embedded, ids);
    expect_near(actual, expected, 1e-5);
    const auto all_gradients = [](nn::Embedded<Network>& of, const Tensors& outputs) {
      of->zero_grad();
      weighted_sum(outputs).backward();
      Tensors all;
      for (const auto& parameter : of->parameters()) all.push_back(parameter.grad().to_dense());
      return all;
    };
    expect_near(all_gradients(embedded, actual), all_gradients(copy, expected), 1e-5);
    expect_near(embedded->parameters(), copy->parameters(), 1e-6);  // which max_norm changes
    EXPECT_GT(saved(embedded, ids), 0U);
  }
};

TYPED_TEST_SUITE(EmbeddedSharedTest, EmbeddedNetworks);

/// Documents of which none is empty: LibTorch's have to be so.
std::vector<PackedSequence> all_nonempty() {
  std::vector<PackedSequence> all;
  for (Text text : all_texts()) {
    std::erase_if(text, [](const auto& document) { return document.empty(); });
    all.push_back(pack_text(text));
  }
  return all;
}

/// A node's part of the recurrent products, and of those of later layers with their input, is executed once, forward
/// and back; but of what goes back to the state before nothing for nodes that nobody goes on from, and that of siblings
/// once.
TYPED_TEST(EmbeddedSharedTest, ExecutesTheProductsOfNodes) {
  constexpr std::int64_t hidden = 4;
  const std::int64_t gates = this->is_lstm ? 4 : std::is_same_v<TypeParam, nn::GRU> ? 3 : 1;
  const auto product = static_cast<std::size_t>(gates * hidden * hidden);
  for (const std::int64_t layers : {1, 2}) {
    auto embedded = this->make({.layers = layers, .hidden = hidden});
    for (const auto& ids : all_nonempty()) {
      const auto repeated = static_cast<std::size_t>(ids.data().size(0) - this->count_nodes(ids));
      const auto products = static_cast<std::size_t>(2 * layers - 1);
      embedded->eval();
      {
        const torch::NoGradGuard no_grad;
        EXPECT_EQ(this->saved(embedded, ids), repeated * products * product);
      }
      EXPECT_GE(this->saved(embedded, ids), 2 * repeated * products * product);
    }
  }
}

TYPED_TEST(EmbeddedSharedTest, IsAsLibTorchsModules) {
  for (const bool bidirectional : {false, true}) {
    for (const std::int64_t proj_size : {0, 2}) {
      if (proj_size > 0 && !this->is_lstm) continue;
      auto embedded = this->make({.layers = 2, .bidirectional = bidirectional, .proj_size = proj_size});
      embedded->eval();
      for (const auto& ids : all_nonempty()) this->expect_as_in_libtorch(embedded, ids);
    }
  }
}

TYPED_TEST(EmbeddedSharedTest, TakesPacksOfLibTorch) {
  auto embedded = this->make();
  for (const auto& ids : all_nonempty()) {
    const auto [padded, lengths] = torch::nn::utils::rnn::pad_packed_sequence(ids, /*batch_first=*/true);
    for (const bool enforce_sorted : {false, true}) {
      const auto order = std::get<1>(lengths.sort(/*stable=*/true, /*dim=*/0, /*descending=*/true));
      const auto theirs = enforce_sorted
                              ? torch::nn::utils::rnn::pack_padded_sequence(padded.index_select(0, order),
                                                                            lengths.index_select(0, order), true, true)
                              : torch::nn::utils::rnn::pack_padded_sequence(padded, lengths, true, false);
      EXPECT_EQ(theirs.sorted_indices().defined(), !enforce_sorted);
      this->expect_as_in_libtorch(embedded, theirs);
    }
  }
}

TYPED_TEST(EmbeddedSharedTest, TakesSmallIntegers) {
  auto embedded = this->make();
  for (const auto& ids : all_nonempty()) {
    this->expect_as_in_libtorch(embedded, map(ids, [](const at::Tensor& all) { return all.to(at::kInt); }));
  }
}

TYPED_TEST(EmbeddedSharedTest, KnowsTheOptionsOfEmbeddings) {
  using torch::nn::EmbeddingOptions;
  for (const auto& options :
       {EmbeddingOptions(word_count, word_width).sparse(true), EmbeddingOptions(word_count, word_width).padding_idx(2),
        EmbeddingOptions(word_count, word_width).max_norm(.5)}) {
    for (const auto& ids : all_nonempty()) {
      auto embedded = this->make({}, options);
      const at::Tensor before = embedded->embedding->weight.detach().clone();
      this->expect_as_in_libtorch(embedded, ids);
      EXPECT_EQ(before.equal(embedded->embedding->weight), !options.max_norm().has_value());
      EXPECT_EQ(embedded->embedding->weight.grad().is_sparse(), options.sparse());
    }
  }
}

/// Whatever a program uses of the results: nothing is made for the others.
TYPED_TEST(EmbeddedSharedTest, GoesBackFromEachResultAlone) {
  for (const bool bidirectional : {false, true}) {
    auto embedded = this->make({.bidirectional = bidirectional, .dtype = at::kDouble});
    const auto inputs = embedded->parameters();
    const auto ids = pack_text(random_text(30, 8, 3, 5));
    const auto numbers = this->count_nodes(ids) * 4;
    for (std::size_t i = 0; i < (this->is_lstm ? 3 : 2); ++i) {
      const Tensors actual = {this->run(embedded, ids)[i]};
      const Tensors expected = {this->run_in_libtorch(embedded, ids)[i]};
      const at::Tensor sum = weighted_sum(actual);
      const TensorsOfZeros zeros(numbers);
      const auto of_one = torch::autograd::grad({sum}, inputs, {}, /*retain_graph=*/true);
      EXPECT_EQ(zeros.count(), bidirectional ? 2 : 1) << "result " << i;  // that the sums of nodes begin with
      expect_near(of_one, torch::autograd::grad({weighted_sum(expected)}, inputs, {}, /*retain_graph=*/true), 1e-10);
      expect_near(second_gradients(actual, inputs), second_gradients(expected, inputs), 1e-10);
    }
  }
}

}  // namespace
}  // namespace packseq::test
