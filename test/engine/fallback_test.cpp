#include <ATen/ops/_efficientzerotensor.h>
#include <ATen/ops/_make_dual.h>
#include <ATen/ops/_neg_view.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/forward_grad.h>

#include <vector>

#include "engine/recurrent.hpp"
#include "engine/vmap.hpp"
#include "support/autocast.hpp"
#include "support/sequences.hpp"

// What LibTorch runs although the engine is installed.

namespace packseq::test {
namespace {

/// A packed and a padded batch.
std::vector<Arguments> both_arguments(const Recurrent& r) {
  return {random_arguments(r, four_lengths), random_padded_arguments(r, 3, 4)};
}

/// Whatever LibTorch makes of these arguments, bit for bit, it makes in spite of the engine.
void expect_runs_in_libtorch(const Recurrent& r, const Arguments& arguments) {
  const auto expected = run(r, arguments);
  const engine::InstallGuard guard;
  const auto actual = run_in_libtorch(r, arguments);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_SAME(actual[i], expected[i]);
}

TEST(Fallback, RunsOtherDtypes) {
  for (const auto cell : all_cells) {
    const Recurrent r = {.cell = cell, .dtype = at::kFloat};
    for (const auto& arguments : both_arguments(r)) {
      expect_runs_in_libtorch(r, arguments.with([](const auto& tensor) { return tensor.to(at::kHalf); }));
    }
  }
}

TEST(Fallback, RunsOtherDevices) {
  for (const auto cell : {engine::Cell::lstm, engine::Cell::gru, engine::Cell::rnn_tanh}) {
    const Recurrent r = {.cell = cell};
    const auto arguments =
        random_arguments(r, four_lengths).with([](const auto& tensor) { return tensor.to(at::kMeta); });
    const engine::InstallGuard guard;
    const auto outputs = run(r, arguments);
    EXPECT_TRUE(outputs.front().is_meta());
    EXPECT_EQ(outputs.front().sizes(), at::IntArrayRef({11, 5}));
  }
}

/// Of a packed batch: oneDNN, which has the padded ones of an LSTM, multiplies it on some CPUs alone.
TEST(Fallback, RunsUnderAutocastToHalf) {
  const Autocast autocast(at::kHalf);
  for (const auto cell : all_cells) {
    const Recurrent r = {.cell = cell, .dtype = at::kFloat};
    expect_runs_in_libtorch(r, random_arguments(r, four_lengths));
  }
}

TEST(Fallback, RunsTensorsWithoutMemory) {
  const Recurrent r;
  for (auto& arguments : both_arguments(r)) {
    arguments.data = at::_efficientzerotensor(arguments.data.sizes(), arguments.data.options());
    expect_runs_in_libtorch(r, arguments);
  }
}

TEST(Fallback, RunsNegatedViews) {
  const Recurrent r;
  for (auto& arguments : both_arguments(r)) {
    arguments.data = at::_neg_view(arguments.data);
    expect_runs_in_libtorch(r, arguments);
  }
}

TEST(Fallback, ComputesForwardGradients) {
  const auto level = torch::autograd::ForwardADLevel::get_next_idx();
  for (const auto cell : all_cells) {
    const Recurrent r = {.cell = cell};
    for (const auto& arguments : both_arguments(r)) {
      const auto inputs = arguments.all().size();
      for (std::size_t i = 0; i < inputs; ++i) {
        std::size_t next = 0;
        const auto dual = arguments.with([&](const at::Tensor& tensor) {
          return next++ == i ? at::_make_dual(tensor, tensor.sin(), static_cast<std::int64_t>(level)) : tensor;
        });
        const auto expected = run(r, dual).front()._fw_grad(level);
        const engine::InstallGuard guard;
        EXPECT_SAME(run_in_libtorch(r, dual).front()._fw_grad(level), expected);
      }
    }
  }
  torch::autograd::ForwardADLevel::release_idx(level);
}

TEST(Fallback, RunsUnderFunctorch) {
  for (const auto cell : all_cells) {
    const Recurrent r = {.cell = cell};
    for (const auto& arguments : both_arguments(r)) {
      const auto expected = run(r, arguments);
      const engine::InstallGuard guard;
      const Vmap vmap(3);
      expect_near(run(r, arguments), expected, 1e-12);  // nothing depends on the slice
      auto sliced = arguments;
      sliced.data = vmap.slice_of(at::stack({arguments.data, arguments.data, arguments.data}));
      EXPECT_THROWS(run(r, sliced), c10::Error, "Batching rule not implemented for aten::");
    }
  }
}

TEST(Fallback, ComputesGradientsUnderFunctorch) {
  for (const auto cell : all_cells) {
    const Recurrent r = {.cell = cell};
    const auto arguments = random_arguments(r, four_lengths).as_variables();
    const auto outputs = run_fused(r, arguments);
    const auto directions = torch::randn({3, outputs[0].size(0), outputs[0].size(1)}, at::kDouble);
    std::vector<Tensors> expected(arguments.all().size());
    for (std::int64_t i = 0; i < 3; ++i) {
      const auto one = torch::autograd::grad({outputs[0]}, arguments.all(), {directions[i]}, /*retain_graph=*/true);
      for (std::size_t k = 0; k < one.size(); ++k) expected[k].push_back(one[k]);
    }
    Tensors all;
    {
      const Vmap vmap(3);
      for (const auto& tensor : torch::autograd::grad({outputs[0]}, arguments.all(), {vmap.slice_of(directions)})) {
        all.push_back(Vmap::slices_of(tensor));
      }
    }
    for (std::size_t k = 0; k < all.size(); ++k) expect_near({all[k]}, {at::stack(expected[k])}, 1e-10);
  }
}

}  // namespace
}  // namespace packseq::test
