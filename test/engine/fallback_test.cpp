#include <ATen/autocast_mode.h>
#include <ATen/ops/_efficientzerotensor.h>
#include <ATen/ops/_make_dual.h>
#include <ATen/ops/_neg_view.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/forward_grad.h>

#include <string>

#include "engine/recurrent.hpp"
#include "engine/vmap.hpp"
#include "support/sequences.hpp"

// What LibTorch runs although the engine is installed.

namespace packseq::test {
namespace {

/// Whatever LibTorch makes of these arguments, bit for bit, it makes in spite of the engine.
void expect_runs_in_libtorch(const Recurrent& r, const Arguments& arguments) {
  const auto expected = run(r, arguments);
  const engine::InstallGuard guard;
  const auto actual = run_in_libtorch(r, arguments);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_SAME(actual[i], expected[i]);
}

TEST(Fallback, RunsOtherDtypes) {
  for (const auto cell : all_cells) {
    for (const auto dtype : {at::kHalf, at::kBFloat16}) {
      const Recurrent r = {.cell = cell, .dtype = at::kFloat};
      const auto arguments =
          random_arguments(r, four_lengths).with([&](const auto& tensor) { return tensor.to(dtype); });
      expect_runs_in_libtorch(r, arguments);
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

TEST(Fallback, RunsUnderAutocast) {
  at::autocast::set_autocast_enabled(at::kCPU, true);
  for (const auto cell : all_cells) {
    const Recurrent r = {.cell = cell, .dtype = at::kFloat};
    expect_runs_in_libtorch(r, random_arguments(r, four_lengths));
  }
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::clear_cache();
}

TEST(Fallback, RunsTensorsWithoutMemory) {
  const Recurrent r;
  auto arguments = random_arguments(r, four_lengths);
  arguments.data = at::_efficientzerotensor(arguments.data.sizes(), arguments.data.options());
  expect_runs_in_libtorch(r, arguments);
}

TEST(Fallback, RunsNegatedViews) {
  const Recurrent r;
  auto arguments = random_arguments(r, four_lengths);
  arguments.data = at::_neg_view(arguments.data);
  expect_runs_in_libtorch(r, arguments);
}

TEST(Fallback, ComputesForwardGradients) {
  const auto level = torch::autograd::ForwardADLevel::get_next_idx();
  for (const auto cell : all_cells) {
    const Recurrent r = {.cell = cell};
    const auto arguments = random_arguments(r, four_lengths);
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
  torch::autograd::ForwardADLevel::release_idx(level);
}

TEST(Fallback, RunsUnderFunctorch) {
  for (const auto cell : all_cells) {
    const Recurrent r = {.cell = cell};
    const auto arguments = random_arguments(r, four_lengths);
    const auto expected = run(r, arguments);
    const engine::InstallGuard guard;
    const Vmap vmap(3);
    expect_near(run(r, arguments), expected, 1e-12);  // nothing depends on the slice
    auto sliced = arguments;
    sliced.data = vmap.slice_of(at::stack({arguments.data, arguments.data, arguments.data}));
    EXPECT_THROWS(run(r, sliced), c10::Error, "Batching rule not implemented for aten::");
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

/// What is thrown, if anything.
template <class Function>
std::string error(Function function) {
  try {
    function();
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  return "";
}

TEST(Fallback, LeavesMalformedArgumentsToLibTorch) {
  const auto change = [](auto&& how) { return std::function<void(Arguments&)>(how); };
  const std::vector<std::function<void(Arguments&)>> changes = {
      change([](Arguments& a) {
        a.batch_sizes = torch::tensor({4.0, 3.0, 3.0, 1.0});
      }),
      change([](Arguments& a) {
        a.batch_sizes = torch::tensor({4, 3, 3, 2});
      }),
      change([](Arguments& a) {
        a.batch_sizes = torch::tensor({3, 4, 3, 1});
      }),
      change([](Arguments& a) {
        a.batch_sizes = torch::tensor({{4, 3}, {3, 1}});
      }),
      change([](Arguments& a) {
        a.batch_sizes = torch::tensor({4, 3, 4});
      }),
      change([](Arguments& a) {
        a.batch_sizes = torch::tensor({4, 3, 0, 4});
      }),
      change([](Arguments& a) { a.data = a.data.unsqueeze(0); }),
      change([](Arguments& a) { a.data = a.data.narrow(1, 0, 2); }),
      change([](Arguments& a) { a.data = a.data.to(at::kFloat); }),
      change([](Arguments& a) { a.states.pop_back(); }),
      change([](Arguments& a) { a.states[0] = a.states[0].narrow(1, 0, 3); }),
      change([](Arguments& a) { a.states[1] = a.states[1].narrow(2, 0, 3); }),
      change([](Arguments& a) { a.states[0] = a.states[0].squeeze(0); }),
      change([](Arguments& a) {
        for (auto& state : a.states) state = state.repeat({2, 1, 1});
      }),
      change([](Arguments& a) { a.parameters.pop_back(); }),
      change([](Arguments& a) { a.parameters[0] = a.parameters[0].narrow(0, 0, 4); }),
      change([](Arguments& a) { a.parameters[1] = a.parameters[1].narrow(1, 0, 4); }),
      change([](Arguments& a) { a.parameters[3] = a.parameters[3].narrow(0, 0, 7); }),
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Recurrent r;
    auto arguments = random_arguments(r, four_lengths);
    changes[i](arguments);
    SCOPED_TRACE(testing::Message() << "change " << i);
    const auto expected = error([&] { run(r, arguments); });
    if (expected.empty()) {  // where LibTorch does not mind
      expect_runs_in_libtorch(r, arguments);
      continue;
    }
    const engine::InstallGuard guard;
    EXPECT_EQ(error([&] { run(r, arguments); }), expected);
  }
}

TEST(Fallback, IgnoresRowsBeyondTheLastStepAsLibTorchDoes) {
  const Recurrent r;
  auto arguments = random_arguments(r, four_lengths);
  arguments.data = torch::randn({15, 3}, at::kDouble);
  expect_runs_in_libtorch(r, arguments);
}

}  // namespace
}  // namespace packseq::test
