#include "engine/check.hpp"

#include <ATen/autocast_mode.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/recurrent.hpp"
#include "support/throws.hpp"

// Arguments of networks that do not fit each other. Through LibTorch's operators only those are tried that LibTorch
// answers with an error of its own: with others it reads memory that is not the network's.

namespace packseq::test {
namespace {

engine::Network network_of(const Recurrent& r, const Arguments& a) {
  return {r.cell,   a.data,    a.batch_sizes,  a.states,        a.parameters, r.bias,
          r.layers, r.dropout, /*train=*/true, r.bidirectional, r.batch_first};
}

bool check(const Recurrent& r, const Arguments& arguments, bool is_operator = false) {
  return engine::check_arguments(network_of(r, arguments), {"run", "data", {"h_0", "c_0"}, is_operator});
}

/// What is changed in a network that fits, and what is said of it.
struct Misfit {
  std::function<void(Recurrent&, Arguments&)> change;
  std::string message;
  bool is_refused_by_libtorch = true;
};

/// Of an LSTM of 5 units over vectors of 3 numbers, two layers, two directions.
const std::vector<Misfit> misfits = {
    {[](Recurrent&, Arguments& a) { a.states.pop_back(); }, "hx has 1 tensors, and must have 2, h_0 and c_0"},
    {[](Recurrent&, Arguments& a) { a.states.push_back(a.states[0]); }, "hx has 3 tensors, and must have 2"},
    {[](Recurrent& r, Arguments&) { r.layers = 0; }, "num_layers is 0, and must be in 1 ... "},
    {[](Recurrent& r, Arguments&) { r.layers = std::int64_t{1} << 62; }, "num_layers is 4611686018427387904"},
    {[](Recurrent& r, Arguments&) { r.layers = 1; }, "there are 16 parameters, and must be 8, or with a projection 10"},
    {[](Recurrent& r, Arguments&) { r.bias = false; },
     "there are 16 parameters, and must be 8, or with a projection 12: num_layers is 2, with 2 directions and no "
     "biases",
     false},
    {[](Recurrent&, Arguments& a) { a.parameters.clear(); },
     "there are 0 parameters, and must be 16, or with a projection 20"},
    {[](Recurrent&, Arguments& a) { a.parameters.pop_back(); }, "there are 15 parameters"},
    {[](Recurrent&, Arguments& a) { a.parameters[0] = at::Tensor(); }, "weight_ih_l0 is undefined", false},
    {[](Recurrent&, Arguments& a) { a.parameters[6] = at::Tensor(); }, "bias_ih_l0_reverse is undefined", false},
    {[](Recurrent&, Arguments& a) { a.parameters[1] = a.parameters[1][0]; },
     "weight_hh_l0 has sizes [5], and must be a matrix"},
    {[](Recurrent&, Arguments& a) { a.parameters[0] = a.parameters[0].narrow(0, 0, 19); },
     "weight_ih_l0 has sizes [19, 3], and must be [20, 3]", false},
    {[](Recurrent&, Arguments& a) { a.parameters[5] = a.parameters[5].narrow(1, 0, 4); },
     "weight_hh_l0_reverse has sizes [20, 4], and must be [20, 5]", false},
    {[](Recurrent&, Arguments& a) { a.parameters[8] = a.parameters[8].narrow(1, 0, 5); },
     "weight_ih_l1 has sizes [20, 5], and must be [20, 10]", false},
    {[](Recurrent&, Arguments& a) { a.parameters[15] = a.parameters[15].narrow(0, 0, 19); },
     "bias_hh_l1_reverse has sizes [19], and must be [20]", false},
    {[](Recurrent&, Arguments& a) { a.states[0] = at::Tensor(); }, "h_0 is undefined", false},
    {[](Recurrent&, Arguments& a) { a.states[0] = a.states[0].narrow(0, 0, 2); },
     "h_0 has sizes [2, 4, 5], and must be [4, 4, 5]"},
    {[](Recurrent&, Arguments& a) { a.states[0] = a.states[0].narrow(1, 0, 1); },
     "h_0 has sizes [4, 1, 5], and must be [4, 4, 5]", false},
    {[](Recurrent&, Arguments& a) { a.states[0] = a.states[0][0]; }, "h_0 has sizes [4, 5], and must be [4, 4, 5]"},
    {[](Recurrent&, Arguments& a) {
       a.states[1] = torch::randn({4, 4, 6}, at::kDouble);
     },
     "c_0 has sizes [4, 4, 6], and must be [4, 4, 5]: layers times directions, documents, size"},
    {[](Recurrent&, Arguments& a) { a.data = at::Tensor(); }, "data is undefined", false},
    {[](Recurrent&, Arguments& a) { a.data = a.data.to(at::kFloat); },
     "data is Float on cpu, but the parameters are Double on cpu"},
    {[](Recurrent&, Arguments& a) { a.data = a.data.to(at::kLong); },
     "data is Long on cpu, but the parameters are Double on cpu; did you forget the embedding?"},
    {[](Recurrent&, Arguments& a) { a.states[0] = a.states[0].to(at::kFloat); },
     "h_0 is Float on cpu, but the parameters are Double"},
    {[](Recurrent&, Arguments& a) { a.states[1] = a.states[1].to(at::kFloat); },
     "c_0 is Float on cpu, but the parameters are Double", false},
    {[](Recurrent&, Arguments& a) { a.parameters[13] = a.parameters[13].to(at::kFloat); },
     "weight_hh_l1_reverse is Float on cpu, but weight_ih_l0 is Double on cpu"},
    {[](Recurrent&, Arguments& a) { a.parameters[0] = a.parameters[0].to(at::kMeta); },
     "weight_hh_l0 is Double on cpu, but weight_ih_l0 is Double on meta", false},
};

const std::vector<Misfit> packed_misfits = {
    {[](Recurrent&, Arguments& a) { a.data = a.data.unsqueeze(0); }, "data has sizes [1, 11, 3], and must be [N, 3]"},
    {[](Recurrent&, Arguments& a) { a.data = a.data.narrow(1, 0, 2); }, "data has sizes [11, 2], and must be [N, 3]"},
    {[](Recurrent&, Arguments& a) { a.data = torch::ones({11}, at::kLong); },
     "data has sizes [11], and must be [N, 3]; did you forget the embedding?"},
    {[](Recurrent&, Arguments& a) { a.data = a.data.narrow(0, 0, 10); },
     "batch_sizes has a sum of more than 10, the rows of data"},
    {[](Recurrent&, Arguments& a) {
       a.data = torch::randn({12, 3}, at::kDouble);
     },
     "batch_sizes has the sum 11, but data has 12 rows", false},
    {[](Recurrent&, Arguments& a) {
       a.batch_sizes = torch::tensor({4.0, 3.0, 3.0, 1.0});
     },
     "batch_sizes is Float on cpu, and must be int64 (Long) on cpu"},
    {[](Recurrent&, Arguments& a) {
       a.batch_sizes = torch::tensor({{4, 3}, {3, 1}});
     },
     "batch_sizes has sizes [2, 2], and must have one dimension, [T]", false},
    {[](Recurrent&, Arguments& a) { a.batch_sizes = torch::empty({0}, at::kLong); },
     "batch_sizes is empty: a batch has at least one step", false},
    {[](Recurrent&, Arguments& a) {
       a.batch_sizes = torch::tensor({4, 3, 4});
     },
     "batch_sizes[2] is 4, more than the 3 before it"},
    {[](Recurrent&, Arguments& a) {
       a.batch_sizes = torch::tensor({4, 3, 5, -1});
     },
     "batch_sizes[3] is -1, and must not be negative"},
    {[](Recurrent&, Arguments& a) {
       a.batch_sizes = torch::tensor({4, 4, 4, -1});
     },
     "batch_sizes[3] is -1, and must not be negative", false},
    {[](Recurrent&, Arguments& a) { a.batch_sizes = torch::tensor({12}); },
     "batch_sizes has a sum of more than 11, the rows of data"},
};

const std::vector<Misfit> padded_misfits = {
    {[](Recurrent&, Arguments& a) { a.data = a.data[0]; }, "data has sizes [4, 3], and must be [T, B, 3]", false},
    {[](Recurrent&, Arguments& a) { a.data = a.data.narrow(2, 0, 2); },
     "data has sizes [2, 4, 2], and must be [T, B, 3]", false},
    {[](Recurrent&, Arguments& a) {
       a.data = torch::ones({2, 4}, at::kLong);
     },
     "data has sizes [2, 4], and must be [T, B, 3]; did you forget the embedding?"},
    {[](Recurrent& r, Arguments& a) {
       r.batch_first = true;
       a.data = a.data.narrow(2, 0, 2);
     },
     "data has sizes [2, 4, 2], and must be [B, T, 3]", false},
    {[](Recurrent& r, Arguments&) { r.batch_first = true; }, "h_0 has sizes [4, 4, 5], and must be [4, 2, 5]", false},
};

const Recurrent lstm_of_two = {.layers = 2, .bidirectional = true};

void expect_refused(const std::vector<Misfit>& all, const Arguments& fitting) {
  for (const Misfit& misfit : all) {
    SCOPED_TRACE(misfit.message);
    Recurrent r = lstm_of_two;
    Arguments arguments = fitting;
    misfit.change(r, arguments);
    EXPECT_THROWS(check(r, arguments), c10::Error, "run: " + misfit.message);
    if (!misfit.is_refused_by_libtorch) continue;
    EXPECT_ANY_THROW(run(r, arguments));
    const engine::InstallGuard guard;
    EXPECT_THROWS(run(r, arguments), c10::Error, "lstm: ");
  }
}

TEST(Check, RefusesWhatDoesNotFit) {
  const auto packed = random_arguments(lstm_of_two, four_lengths);
  const auto padded = random_padded_arguments(lstm_of_two, 2, 4);
  for (const auto& fitting : {packed, padded}) {
    EXPECT_TRUE(check(lstm_of_two, fitting));
    expect_refused(misfits, fitting);
  }
  expect_refused(packed_misfits, packed);
  expect_refused(padded_misfits, padded);
}

TEST(Check, TellsSizesFromTypes) {
  auto arguments = random_arguments(lstm_of_two, four_lengths);
  arguments.data = arguments.data.to(at::kFloat);
  EXPECT_THROWS(check(lstm_of_two, arguments), c10::TypeError, "data is Float");
  arguments.data = arguments.data.narrow(1, 0, 2);
  EXPECT_THROWS(check(lstm_of_two, arguments), c10::ValueError, "data has sizes");
}

/// As LibTorch's own: programs handle them.
TEST(Check, IsARuntimeErrorOfOperators) {
  auto arguments = random_arguments(lstm_of_two, four_lengths);
  arguments.data = arguments.data.narrow(1, 0, 2);
  const engine::InstallGuard guard;
  try {
    run(lstm_of_two, arguments);
    FAIL();
  } catch (const c10::ValueError&) {
    FAIL();
  } catch (const c10::Error& error) {
    EXPECT_STREQ(error.what_without_backtrace(), "lstm: data has sizes [11, 2], and must be [N, 3]");
  }
}

TEST(Check, KnowsProjectionsAndNetworksWithoutBiases) {
  for (const bool bias : {false, true}) {
    const Recurrent r = {.layers = 2, .bidirectional = true, .bias = bias, .proj_size = 2};
    auto arguments = random_arguments(r, four_lengths);
    EXPECT_TRUE(check(r, arguments));
    const std::size_t last = arguments.parameters.size() - 1;
    arguments.parameters[last] = arguments.parameters[last].t();
    EXPECT_THROWS(check(r, arguments), c10::ValueError, "weight_hr_l1_reverse has sizes [5, 2], and must be [2, 5]");
  }
  for (const auto cell : all_cells) {
    const Recurrent r = {.cell = cell, .bias = false};
    auto arguments = random_arguments(r, four_lengths);
    EXPECT_TRUE(check(r, arguments));
    arguments.parameters.push_back(arguments.parameters[0]);
    EXPECT_THROWS(check(r, arguments), c10::ValueError,
                  cell == engine::Cell::lstm ? "weight_ih_l0 has sizes [20, 3], and must be [12, 3]"
                                             : "there are 3 parameters, and must be 2: num_layers is 1");
  }
}

TEST(Check, RefusesAProjectionToAsManyUnits) {
  Recurrent r = {.proj_size = 2};
  auto arguments = random_arguments(r, four_lengths);
  arguments.parameters[1] = torch::randn({20, 5}, at::kDouble);
  arguments.parameters[4] = torch::randn({5, 5}, at::kDouble);
  EXPECT_THROWS(check(r, arguments), c10::ValueError, "a projection is from 5 to 5 units");
}

/// The engine does not take this, and LibTorch computes it rightly, whether the engine is installed or not.
void expect_left(const Recurrent& r, const Arguments& arguments) {
  SCOPED_TRACE(testing::Message() << r << ", data " << arguments.data.sizes());
  EXPECT_FALSE(check(r, arguments, /*is_operator=*/true));
  const auto expected = run(r, arguments);
  const engine::InstallGuard guard;
  const auto actual = run(r, arguments);
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_TRUE(at::equal(actual[i], expected[i]));
}

TEST(Check, LeavesBatchesOfNothingToLibTorch) {
  const Recurrent r;
  expect_left(
      r, {torch::empty({0, 3}, at::kDouble), torch::zeros({1}, at::kLong), random_states(r, 0), random_parameters(r)});
  auto arguments = random_arguments(r, four_lengths);
  arguments.batch_sizes = torch::tensor({4, 3, 3, 1, 0});
  expect_left(r, arguments);
  EXPECT_FALSE(check(r, random_padded_arguments(r, 3, 0)));
  EXPECT_FALSE(check(r, random_padded_arguments(r, 0, 3)));
}

TEST(Check, LeavesBiasesThatAreExpandedToLibTorch) {
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    const Recurrent r = {.dtype = dtype};
    const auto fitting = random_arguments(r, four_lengths);
    auto arguments = fitting;
    arguments.parameters[2] = arguments.parameters[2].narrow(0, 0, 1);
    expect_left(r, arguments);
    arguments = fitting;
    arguments.parameters[3] = arguments.parameters[3].unsqueeze(0);
    expect_left(r, arguments);
  }
  Recurrent r = {.dtype = at::kFloat};
  auto arguments = random_arguments(r, four_lengths);
  for (const std::size_t i : {2U, 3U}) arguments.parameters[i] = arguments.parameters[i].narrow(0, 0, 1);
  EXPECT_THROWS(check(r, arguments, true), c10::ValueError, "bias_ih_l0 has sizes [1], and must be [20]");
  r.dtype = at::kDouble;
  expect_left(r, arguments.with([](const auto& tensor) { return tensor.to(at::kDouble); }));
}

TEST(Check, LeavesWhatIsExpandedToLibTorch) {
  for (const auto cell : all_cells) {
    Recurrent r = {.cell = cell};
    auto arguments = random_padded_arguments(r, 3, 4);
    arguments.data = arguments.data.narrow(1, 0, 1);
    expect_left(r, arguments);
    EXPECT_THROWS(check(r, arguments), c10::ValueError, "h_0 has sizes [1, 4, 5], and must be [1, 1, 5]");
    arguments = random_padded_arguments(r, 3, 4);
    arguments.states[0] = arguments.states[0].narrow(1, 0, 1);
    EXPECT_THROWS(check(r, arguments, true), c10::ValueError, "h_0 has sizes [1, 1, 5], and must be [1, 4, 5]");
    arguments = random_padded_arguments(r, 3, 1);
    arguments.data = arguments.data.squeeze(1);
    arguments.states[0] = arguments.states[0].squeeze(1);
    if (cell == engine::Cell::rnn_tanh || cell == engine::Cell::rnn_relu) {
      expect_left(r, arguments);
    } else {
      EXPECT_THROWS(check(r, arguments, true), c10::ValueError, "data has sizes [3, 3], and must be [T, B, 3]");
    }
  }
  const Recurrent r;
  auto arguments = random_arguments(r, four_lengths);
  arguments.states[1] = arguments.states[1].narrow(1, 0, 1);
  expect_left(r, arguments);
  EXPECT_THROWS(check(r, arguments), c10::ValueError, "c_0 has sizes [1, 1, 5], and must be [1, 4, 5]");
}

/// LibTorch computes an LSTM whose biases and cell state are of another dtype.
TEST(Check, LeavesSomeDtypesOfAnLstmToLibTorch) {
  Recurrent r = {.dtype = at::kBFloat16};
  auto arguments = random_padded_arguments(r, 3, 2);
  arguments.states[1] = arguments.states[1].to(at::kFloat);
  EXPECT_TRUE(check(r, arguments, /*is_operator=*/true));
  EXPECT_THROWS(check(r, arguments), c10::TypeError, "c_0 is Float on cpu");
  const auto expected = run(r, arguments);
  {
    const engine::InstallGuard guard;
    EXPECT_TRUE(at::equal(run(r, arguments)[0], expected[0]));
  }
  r.dtype = at::kFloat;
  arguments = random_padded_arguments(r, 3, 2);
  arguments.parameters[2] = arguments.parameters[2].to(at::kBFloat16);
  EXPECT_TRUE(check(r, arguments, /*is_operator=*/true));
  EXPECT_THROWS(check(r, arguments), c10::TypeError, "bias_ih_l0 is BFloat16 on cpu, but weight_ih_l0 is Float on cpu");
  const auto of_libtorch = run(r, arguments);
  const engine::InstallGuard guard;
  EXPECT_TRUE(at::equal(run(r, arguments)[0], of_libtorch[0]));
}

TEST(Check, KnowsThatAutocastMixesDtypes) {
  const Recurrent r = {.dtype = at::kFloat};
  auto arguments = random_arguments(r, four_lengths);
  arguments.data = arguments.data.to(at::kBFloat16);
  EXPECT_THROWS(check(r, arguments), c10::TypeError, "data is BFloat16 on cpu");
  at::autocast::set_autocast_enabled(at::kCPU, true);
  EXPECT_TRUE(check(r, arguments));
  arguments.data = arguments.data.to(at::kDouble);
  EXPECT_THROWS(check(r, arguments), c10::TypeError, "data is Double on cpu");
  at::autocast::set_autocast_enabled(at::kCPU, false);
}

/// Some of them may have no tokens.
TEST(Check, IsToldHowManyDocumentsThereAre) {
  const Recurrent r;
  auto arguments = random_arguments(r, four_lengths);
  arguments.states = random_states(r, 6);
  const engine::Caller caller = {"run", "data", {"h_0", "c_0"}};
  EXPECT_TRUE(engine::check_arguments(network_of(r, arguments), caller, 6));
  EXPECT_THROWS(engine::check_arguments(network_of(r, arguments), caller, 5), c10::ValueError, "must be [1, 5, 5]");
}

}  // namespace
}  // namespace packseq::test
