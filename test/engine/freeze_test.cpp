#include "packseq/engine/freeze.hpp"

#include <c10/core/InferenceMode.h>

#include <thread>
#include <vector>

#include "engine/recurrent.hpp"
#include "support/forked.hpp"
#include "support/precision.hpp"
#include "support/sequences.hpp"
#include "support/throws.hpp"

namespace packseq::test {
namespace {

using engine::freeze;
using engine::frozen;
using engine::unfreeze;

at::Tensor clone(const at::Tensor& tensor) { return tensor.clone(); }

class Freeze : public testing::TestWithParam<Recurrent> {
 protected:
  void SetUp() override { torch::manual_seed(0); }
};
INSTANTIATE_TEST_SUITE_P(Networks, Freeze, testing::ValuesIn(all_recurrents()));

TEST_P(Freeze, ChangesNoBit) {
  for (const std::int64_t hidden_size : {3, 16, 70}) {
    Recurrent r = GetParam();
    r.layers = 2;
    r.hidden_size = hidden_size;
    for (const std::vector<std::int64_t>& lengths : {std::vector<std::int64_t>{1}, four_lengths}) {
      const auto arguments = random_arguments(r, lengths);
      in_every_precision(r.dtype, [&] {
        const auto expected = run_fused(r, arguments);
        freeze(arguments.parameters);
        for (int pass = 0; pass < 2; ++pass) expect_same(run_fused(r, arguments), expected);
        EXPECT_TRUE(frozen(arguments.parameters));
        unfreeze(arguments.parameters);
        expect_same(run_fused(r, arguments), expected);
      });
    }
  }
}

/// That is how one sees whether a pass reads the packed form: it does not know of changes that LibTorch does not count.
bool reads_packed_form(const Recurrent& r, const Arguments& arguments, const at::Tensor& weight) {
  const auto before = run_fused(r, arguments);
  weight.data().add_(1);
  const bool result = at::equal(run_fused(r, arguments)[0], before[0]);
  weight.data().sub_(1);
  return result;
}

TEST_P(Freeze, KeepsThePackedForms) {
  Recurrent r = GetParam();
  r.layers = 2;
  const auto arguments = random_arguments(r, four_lengths);
  const auto expect_packed = [&](bool expected) {
    for (const at::Tensor& weight : arguments.parameters) {
      if (weight.dim() != 2) continue;
      EXPECT_EQ(reads_packed_form(r, arguments, weight), expected) << weight.sizes();
    }
  };
  expect_packed(false);
  freeze(arguments.parameters);
  expect_packed(true);
  unfreeze(arguments.parameters);
  expect_packed(false);
}

TEST(FreezeOf, KeepsThePackedFormOfAWeightThatIsNotContiguous) {
  const Recurrent r;
  auto arguments = random_arguments(r, four_lengths);
  arguments.parameters[0] = arguments.parameters[0].t().contiguous().t();
  freeze(arguments.parameters);
  EXPECT_TRUE(reads_packed_form(r, arguments, arguments.parameters[0]));
}

/// As it does where a network is trained in a way that the engine does not see, by an optimizer that counts no changes.
TEST(FreezeOf, EndsWhereAWeightGetsAGradient) {
  const Recurrent r;
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  const auto give_gradient = [&] { arguments.parameters[1].square().sum().backward(); };
  freeze(arguments.parameters);
  give_gradient();
  EXPECT_FALSE(frozen(arguments.parameters));
  freeze(arguments.parameters);  // what it has by now says nothing
  EXPECT_TRUE(frozen(arguments.parameters));
  give_gradient();
  EXPECT_FALSE(frozen(arguments.parameters));
  freeze(arguments.parameters);
  arguments.parameters[1].mutable_grad().reset();
  EXPECT_TRUE(frozen(arguments.parameters));
}

TEST(FreezeOf, ServesAProcessThatWasForkedMeanwhile) {
  const Recurrent r = {.dtype = at::kFloat};
  const auto weights = random_parameters(r);
  expect_forks_end(
      30, [&] { freeze(weights); }, [&] { frozen(weights); });
}

TEST_P(Freeze, EndsWhereWeightsAreTrained) {
  const auto arguments = random_arguments(GetParam(), four_lengths).as_variables();
  {
    const at::NoGradGuard no_grad;
    freeze(arguments.parameters);
    run_fused(GetParam(), arguments);
  }
  EXPECT_TRUE(frozen(arguments.parameters));
  run_fused(GetParam(), arguments);
  EXPECT_FALSE(frozen(arguments.parameters));
  // And where LibTorch runs the network in the engine's place.
  freeze(arguments.parameters);
  auto ended = arguments;
  ended.batch_sizes = at::cat({ended.batch_sizes, torch::zeros({1}, at::kLong)});  // a step without tokens
  const engine::InstallGuard guard;
  run_in_libtorch(GetParam(), ended);
  EXPECT_FALSE(frozen(arguments.parameters));
}

TEST_P(Freeze, EndsWhereAWeightChanges) {
  for (std::size_t i = 0; i < 2; ++i) {
    const auto arguments = random_arguments(GetParam(), four_lengths);
    freeze(arguments.parameters);
    run_fused(GetParam(), arguments);
    arguments.parameters[i].add_(1);
    EXPECT_FALSE(frozen(arguments.parameters));
    expect_same(run_fused(GetParam(), arguments), run_fused(GetParam(), arguments.with(clone)));
  }
}

/// LibTorch's memory may come again at the same address, and with the same version.
TEST(FreezeOf, EndsWhereAWeightGetsOtherMemory) {
  const Recurrent r = {.dtype = at::kFloat};
  auto arguments = random_arguments(r, four_lengths);
  freeze(arguments.parameters);
  run_fused(r, arguments);
  for (int i = 0; i < 3; ++i) {
    for (at::Tensor& parameter : arguments.parameters) parameter.set_data(parameter.to(at::kDouble));
    for (at::Tensor& parameter : arguments.parameters) parameter.set_data(torch::rand_like(parameter, at::kFloat));
    expect_same(run_fused(r, arguments), run_fused(r, arguments.with(clone)));
  }
  EXPECT_FALSE(frozen(arguments.parameters));
}

TEST(FreezeOf, DoesNotKeepWeightsAlive) {
  const Recurrent r;
  for (int i = 0; i < 10; ++i) {
    const auto arguments = random_arguments(r, four_lengths);
    EXPECT_FALSE(frozen(arguments.parameters));
    freeze(arguments.parameters);
    run_fused(r, arguments);
    EXPECT_EQ(arguments.parameters[0].use_count(), 1U);
    EXPECT_EQ(arguments.parameters[0].storage().use_count(), 1U);
  }
}

TEST(FreezeOf, IsOfEachTensorOnItsOwn) {
  const at::Tensor a = torch::rand({8, 3});
  const at::Tensor b = torch::rand({8, 3});
  freeze({a, torch::rand({5})});
  EXPECT_TRUE(frozen({a}));
  EXPECT_FALSE(frozen({b}));
  EXPECT_FALSE(frozen({a, b}));
  EXPECT_FALSE(frozen({a, at::Tensor()}));
  unfreeze({b, at::Tensor()});
  EXPECT_TRUE(frozen({a}));
  unfreeze({a});
  EXPECT_FALSE(frozen({a}));
}

/// A GRU reads its input's weight in another order than an RNN.
TEST(FreezeOf, ServesAWeightInTheFirstOfTwoRoles) {
  const Recurrent gru = {.cell = engine::Cell::gru, .bias = false, .input_size = 4, .hidden_size = 4};
  auto arguments = random_arguments(gru, four_lengths);
  arguments.parameters[1] = arguments.parameters[0];
  const auto expected = run_fused(gru, arguments);
  freeze(arguments.parameters);
  for (int pass = 0; pass < 2; ++pass) expect_same(run_fused(gru, arguments), expected);
}

TEST(FreezeOf, WorksInInferenceMode) {
  const c10::InferenceMode guard;
  const Recurrent r;
  const auto arguments = random_arguments(r, four_lengths);
  const auto expected = run_fused(r, arguments);
  freeze(arguments.parameters);
  for (int pass = 0; pass < 2; ++pass) expect_same(run_fused(r, arguments), expected);
  EXPECT_TRUE(frozen(arguments.parameters));
}

TEST(FreezeOf, ServesManyThreads) {
  const Recurrent r = {.dtype = at::kFloat, .input_size = 20, .hidden_size = 30};
  const auto arguments = random_arguments(r, four_lengths);
  const engine::InstallGuard guard;
  const auto expected = run(r, arguments);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      const Recurrent small;
      for (int i = 0; i < 50; ++i) {
        if (thread == 0) freeze(arguments.parameters);
        if (thread == 1) unfreeze(arguments.parameters);
        expect_same(run(r, arguments), expected);
        const auto own = random_arguments(small, {2, 1});
        freeze(own.parameters);
        run(small, own);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(FreezeOf, RefusesWhatTheEngineDoesNotRun) {
  const at::Tensor good = torch::rand({2, 2});
  EXPECT_THROWS(freeze({good, at::Tensor()}), c10::ValueError, "weight 1 is undefined");
  EXPECT_THROWS(freeze({good, good, good.to(at::kHalf)}), c10::ValueError, "weight 2 is Half on cpu");
  EXPECT_THROWS(freeze({good.to_sparse()}), c10::ValueError, "weight 0 is Float on cpu, Sparse");
  EXPECT_FALSE(frozen({good}));
}

}  // namespace
}  // namespace packseq::test
