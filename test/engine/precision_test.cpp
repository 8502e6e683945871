#include "packseq/engine/precision.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include "engine/recurrent.hpp"
#include "kernels/precision.hpp"
#include "packseq/engine/freeze.hpp"
#include "packseq/nn/gru.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/nn/rnn.hpp"
#include "packseq/sequence/pack.hpp"
#include "support/precision.hpp"
#include "support/sequences.hpp"

namespace packseq::test {
namespace {

/// The rms of the differences over the rms of what is expected.
double difference(const at::Tensor& actual, const at::Tensor& expected) {
  return ((actual - expected).norm() / expected.norm()).item<double>();
}

class PrecisionOf : public testing::TestWithParam<Recurrent> {
 protected:
  void SetUp() override { torch::manual_seed(0); }
};
INSTANTIATE_TEST_SUITE_P(Networks, PrecisionOf, testing::ValuesIn(all_recurrents()));

Recurrent deep_network(Recurrent r) {
  r.layers = 2;
  r.input_size = 33;
  r.hidden_size = 70;
  if (r.proj_size > 0) r.proj_size = 21;
  return r;
}

TEST_P(PrecisionOf, RoundsFactorsAlone) {
  in_both_ways([&] {
    const Recurrent r = deep_network(GetParam());
    for (const auto& fitting : {random_arguments(r, {9, 9, 7, 5, 5, 4, 3, 1}), random_padded_arguments(r, 7, 3)}) {
      const auto arguments = fitting.as_variables();
      const auto exact = run_fused(r, arguments);
      const auto exact_gradients = gradients(exact, arguments.all());
      const SwitchGuard guard(at::Float32Precision::BF16);
      const auto rounded = run_fused(r, arguments);
      const auto rounded_gradients = gradients_in_engine(rounded, arguments);
      const bool is_rounded = r.dtype == at::kFloat;
      EXPECT_EQ(at::equal(rounded[0], exact[0]), !is_rounded);
      for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_LT(difference(rounded[i], exact[i]), 0.01);
      const double bound = r.cell == engine::Cell::rnn_relu ? 0.2 : 0.02;
      for (std::size_t i = 0; i < exact_gradients.size(); ++i) {
        EXPECT_LT(difference(rounded_gradients[i], exact_gradients[i]), bound) << "gradient " << i;
      }
    }
  });
}

TEST_P(PrecisionOf, GivesADocumentTheSameBitsInAnyBatch) {
  in_both_ways([&] {
    const SwitchGuard guard(at::Float32Precision::BF16);
    const Recurrent r = deep_network(GetParam());
    const auto padded = random_padded_arguments(r, 6, 7);
    const auto all = run_fused(r, padded);
    for (std::int64_t document = 0; document < 7; ++document) {
      auto alone = padded;
      alone.data = padded.data.narrow(1, document, 1);
      for (auto& state : alone.states) state = state.narrow(1, document, 1);
      const auto one = run_fused(r, alone);
      EXPECT_SAME(one[0].squeeze(1), all[0].select(1, document));
    }
  });
}

TEST_P(PrecisionOf, ComesToTheSameWithFrozenWeights) {
  in_both_ways([&] {
    const Recurrent r = deep_network(GetParam());
    const auto arguments = random_padded_arguments(r, 2, 3);
    const auto exact = run_fused(r, arguments);
    Tensors rounded;
    {
      const SwitchGuard guard(at::Float32Precision::BF16);
      rounded = run_fused(r, arguments);
    }
    engine::freeze(arguments.parameters);
    for (int pass = 0; pass < 2; ++pass) {
      EXPECT_SAME(run_fused(r, arguments)[0], exact[0]);
      const SwitchGuard guard(at::Float32Precision::BF16);
      EXPECT_SAME(run_fused(r, arguments)[0], rounded[0]);
    }
    engine::unfreeze(arguments.parameters);
  });
}

/// Whether an LSTM's factors are rounded here and now.
bool are_rounded(engine::Precision precision = engine::Precision::automatic) {
  torch::manual_seed(0);
  nn::LSTM lstm(3, 4);
  const auto packed = pack_sequence({torch::randn({4, 3})});
  const auto run = [&](engine::Precision how) {
    lstm->precision = how;
    return lstm->forward(packed).output.data();
  };
  return !at::equal(run(precision), run(engine::Precision::float32));
}

TEST(Precision, FollowsLibTorchsSwitch) {
  EXPECT_FALSE(are_rounded());
  EXPECT_TRUE(are_rounded(engine::Precision::bfloat16));
  for (const auto precision : {at::Float32Precision::IEEE, at::Float32Precision::TF32, at::Float32Precision::NONE}) {
    const SwitchGuard guard(precision);
    EXPECT_FALSE(are_rounded());
  }
  {
    const SwitchGuard guard(at::Float32Precision::BF16);
    EXPECT_TRUE(are_rounded());
    EXPECT_FALSE(are_rounded(engine::Precision::float32));
  }
  {
    const SwitchGuard of_all(at::Float32Precision::BF16, at::Float32Op::ALL);
    EXPECT_TRUE(are_rounded());
    const SwitchGuard own(at::Float32Precision::IEEE);
    EXPECT_FALSE(are_rounded());
  }
  {
    const SwitchGuard generic(at::Float32Precision::BF16, at::Float32Op::ALL, at::Float32Backend::GENERIC);
    EXPECT_TRUE(are_rounded());
  }
  {
    const SwitchGuard of_products(at::Float32Precision::BF16, at::Float32Op::MATMUL);
    EXPECT_FALSE(are_rounded());
  }
  EXPECT_FALSE(are_rounded());
}

/// The switch and a network's own member come to the same bits.
template <class Module, class Options>
void expect_same_of_both(const Options& options) {
  torch::manual_seed(0);
  Module module(options);
  const auto packed = pack_sequence({torch::randn({4, 33}), torch::randn({7, 33}), torch::randn({1, 33})});
  const auto run = [&](engine::Precision precision) {
    module->precision = precision;
    const auto [output, state] = module->forward(packed);
    Tensors results = {output.data(), state.h};
    if (state.c.defined()) results.push_back(state.c);
    const auto of_parameters = gradients(results, module->parameters());
    results.insert(results.end(), of_parameters.begin(), of_parameters.end());
    return results;
  };
  const auto of_member = run(engine::Precision::bfloat16);
  const SwitchGuard guard(at::Float32Precision::BF16);
  const auto of_switch = run(engine::Precision::automatic);
  for (std::size_t i = 0; i < of_member.size(); ++i) EXPECT_SAME(of_switch[i], of_member[i]);
}

TEST(Precision, IsTheSameWhoeverAsks) {
  in_both_ways([] {
    for (const bool bidirectional : {false, true}) {
      const auto deep = [&](auto options) { return options.num_layers(2).bidirectional(bidirectional); };
      expect_same_of_both<nn::LSTM>(deep(torch::nn::LSTMOptions(33, 70)));
      expect_same_of_both<nn::LSTM>(deep(torch::nn::LSTMOptions(33, 70).proj_size(21)));
      expect_same_of_both<nn::GRU>(deep(torch::nn::GRUOptions(33, 70)));
      expect_same_of_both<nn::RNN>(deep(torch::nn::RNNOptions(33, 70)));
      expect_same_of_both<nn::RNN>(deep(torch::nn::RNNOptions(33, 70).nonlinearity(torch::kReLU)));
    }
  });
}

/// What LibTorch's switch says in the forward pass holds in the backward pass.
TEST(Precision, IsThatOfTheForwardPass) {
  torch::manual_seed(0);
  nn::GRU gru(33, 70);
  const auto packed = pack_sequence({torch::randn({4, 33})});
  const auto run = [&](at::Float32Precision forward, at::Float32Precision backward) {
    const auto output = [&] {
      const SwitchGuard guard(forward);
      return gru->forward(packed).output.data();
    }();
    const SwitchGuard guard(backward);
    return gradients({output}, gru->parameters());
  };
  const auto ieee = at::Float32Precision::IEEE;
  const auto bf16 = at::Float32Precision::BF16;
  const auto rounded = run(bf16, bf16);
  const auto exact = run(ieee, ieee);
  const auto rounded_forward = run(bf16, ieee);
  const auto exact_forward = run(ieee, bf16);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    EXPECT_FALSE(at::equal(rounded[i], exact[i]));
    EXPECT_SAME(rounded_forward[i], rounded[i]);
    EXPECT_SAME(exact_forward[i], exact[i]);
  }
}

TEST(Precision, IsCopied) {
  nn::RNN rnn(3, 4);
  rnn->precision = engine::Precision::bfloat16;
  EXPECT_EQ(std::dynamic_pointer_cast<nn::RNNImpl>(rnn->clone())->precision, engine::Precision::bfloat16);
}

/// As the system tells, where it does.
TEST(Precision, KnowsTheInstructionsOfTheCpu) {
  std::ifstream file("/proc/cpuinfo");
  const std::string cpu(std::istreambuf_iterator<char>(file), {});
  const bool is_x86 = cpu.find("flags\t") != std::string::npos;
  if (!is_x86 && cpu.find("Features\t") == std::string::npos) GTEST_SKIP() << "no /proc/cpuinfo with features";
  EXPECT_EQ(engine::has_bfloat16_instructions(), cpu.find(is_x86 ? " avx512_bf16" : " bf16") != std::string::npos);
}

}  // namespace
}  // namespace packseq::test
