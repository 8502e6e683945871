#include "packseq/nn/state_dict.hpp"

#include "packseq/nn/lstm.hpp"
#include "support/sequences.hpp"

namespace packseq::nn {
namespace {

using test::devices;

torch::nn::LSTMOptions every_option() {
  return torch::nn::LSTMOptions(3, 4).num_layers(2).bidirectional(true).proj_size(2);
}

void expect_same(const StateDict& actual, const StateDict& expected) {
  ASSERT_EQ(actual.keys(), expected.keys());
  for (const auto& key : expected.keys()) EXPECT_SAME(actual[key].cpu(), expected[key].cpu());
}

/// The same tensors, in memory of their own.
StateDict copied(const StateDict& state) {
  StateDict copy;
  for (const auto& entry : state) copy.insert(entry.key(), entry.value().clone());
  return copy;
}

/// `load_state_dict` must fail with this text, and change nothing.
void expect_refused(torch::nn::Module& module, const StateDict& state, const std::string& text,
                    const LoadOptions& options = {}) {
  const StateDict before = copied(state_dict(module));
  EXPECT_THROWS(load_state_dict(module, state, options), c10::ValueError, text);
  expect_same(state_dict(module), before);
}

TEST(StateDict, HoldsParametersAndBuffersWithoutGradients) {
  torch::nn::Sequential module(torch::nn::Linear(2, 3), torch::nn::BatchNorm1d(3));
  const auto state = state_dict(*module);
  EXPECT_EQ(state.keys(), (std::vector<std::string>{"0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean",
                                                    "1.running_var", "1.num_batches_tracked"}));
  for (const auto& entry : state) EXPECT_FALSE(entry.value().requires_grad());
  state["0.bias"].zero_();
  EXPECT_SAME(module->parameters()[1].detach(), torch::zeros(3));
}

TEST(StateDict, LeavesOutWhatIsUndefined) {
  torch::nn::Sequential module(
      torch::nn::Linear(torch::nn::LinearOptions(2, 3).bias(false)),
      torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(3).affine(false).track_running_stats(false)));
  EXPECT_EQ(state_dict(*module).keys(), std::vector<std::string>{"0.weight"});
  load_state_dict(*module, state_dict(*module));
}

TEST(StateDict, LoadsTheWeightsOfLibTorchsNetworks) {
  for (const auto device : devices()) {
    torch::nn::LSTM theirs(every_option());
    LSTM ours(every_option());
    ours->to(device);
    load_state_dict(*ours, state_dict(*theirs));
    expect_same(state_dict(*ours), state_dict(*theirs));
    const auto packed = pack_sequence({torch::rand({2, 3}), torch::rand({4, 3})});
    const auto expected = std::get<0>(theirs->forward_with_packed_input(packed)).data();
    EXPECT_TRUE(at::allclose(ours(packed.to(device)).output.data().cpu(), expected, 1e-5, 1e-6));
  }
}

TEST(StateDict, LoadsUnderAPrefix) {
  torch::nn::Linear linear(2, 3);
  const auto weight = torch::rand({3, 2});
  const StateDict state = {{"a.weight", weight}, {"a.bias", torch::ones(3)}, {"b.scale", torch::ones(1)}};
  load_state_dict(*linear, state, {.prefix = "a."});
  EXPECT_SAME(linear->weight.detach(), weight);
  expect_refused(*linear, state, "bias is missing");
  expect_refused(*linear, state, "b.weight is missing", {.prefix = "b."});
  expect_refused(*linear, state, "a.bias is left over: the module has no .bias", {.prefix = "a"});
}

TEST(StateDict, LoadsIntoTheTensorsThatAreThere) {
  LSTM lstm(every_option());
  lstm->parameters()[0].set_requires_grad(false);
  const auto before = lstm->parameters();
  LSTM other(every_option());
  auto state = state_dict(*other);
  state["weight_ih_l0"].requires_grad_();
  load_state_dict(*lstm, state);
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(lstm->parameters()[i].is_same(before[i]));
    EXPECT_EQ(before[i].requires_grad(), i > 0);
    EXPECT_TRUE(before[i].is_leaf());
  }
  state["weight_ih_l0"].detach().zero_();
  EXPECT_FALSE(at::equal(before[0], state["weight_ih_l0"]));
}

TEST(StateDict, LoadsBuffers) {
  torch::nn::BatchNorm1d norm(3);
  torch::nn::BatchNorm1d trained(3);
  trained(torch::rand({4, 3}));
  load_state_dict(*norm, state_dict(*trained));
  expect_same(state_dict(*norm), state_dict(*trained));
}

TEST(StateDict, LoadsTheModulesOwnTensorsUnderOtherNames) {
  torch::nn::Sequential module(torch::nn::Linear(2, 2), torch::nn::Linear(2, 2));
  const auto before = copied(state_dict(*module));
  const auto own = state_dict(*module);
  load_state_dict(*module, {{"0.weight", own["1.weight"]},
                            {"0.bias", own["1.bias"]},
                            {"1.weight", own["0.weight"]},
                            {"1.bias", own["0.bias"]}});
  EXPECT_SAME(own["0.weight"], before["1.weight"]);
  EXPECT_SAME(own["1.weight"], before["0.weight"]);
}

TEST(StateDict, LoadsATensorThatHasTwoNames) {
  torch::nn::Linear shared(2, 2);
  torch::nn::Sequential module(shared, shared);
  auto state = copied(state_dict(*module));
  for (auto& entry : state) entry.value().fill_(7);
  load_state_dict(*module, state);
  EXPECT_SAME(shared->weight.detach(), torch::full({2, 2}, 7.F));
  state["1.bias"].fill_(8);
  expect_refused(*module, state, "0.bias and 1.bias differ, but are one tensor in the module");
}

TEST(StateDict, ListsAllThatDoesNotFitAndLoadsNothing) {
  LSTM lstm(3, 4);
  StateDict state = copied(state_dict(*lstm));
  state.erase("bias_hh_l0");
  state.insert("weight_hr_l0", torch::ones({2, 4}));
  state["weight_ih_l0"] = torch::ones({16, 4});
  state["weight_hh_l0"] = state["weight_hh_l0"].to(at::kDouble);
  state["bias_ih_l0"] = at::Tensor();
  expect_refused(*lstm, state, R"(load_state_dict: nothing is loaded, since state does not fit the module:
  weight_ih_l0 has sizes [16, 4], and must be [16, 3]
  weight_hh_l0 is Double, and must be Float: convert it by .to(at::kFloat) or the module by ->to(at::kDouble)
  bias_ih_l0 is undefined
  bias_hh_l0 is missing
  weight_hr_l0 is left over: the module has no weight_hr_l0)");
}

TEST(StateDict, SuggestsPrefixesThatFit) {
  LSTM lstm(3, 4);
  const auto under = [&](const std::vector<std::string>& prefixes) {
    StateDict state;
    for (const auto& prefix : prefixes) {
      for (const auto& entry : state_dict(*lstm)) state.insert(prefix + entry.key(), entry.value());
    }
    return state;
  };
  expect_refused(*lstm, under({"module.lstm."}), "\nIt fits with the prefix \"module.lstm.\"");
  expect_refused(*lstm, under({"a.", "b.c."}), "\nIt fits with the prefix \"a.\" or \"b.c.\"");
  expect_refused(*lstm, under({""}), "\nIt fits with the prefix \"\"", {.prefix = "lstm."});
  const auto expect_no_suggestion = [&](const StateDict& state) {
    EXPECT_THAT([&] { load_state_dict(*lstm, state); },
                testing::Throws<c10::ValueError>(
                    testing::ResultOf(packseq::test::message_of, testing::Not(testing::HasSubstr("with the prefix")))));
  };
  expect_no_suggestion(under({"my"}));  // not a module's name
  auto wide = under({"lstm."});
  wide["lstm.weight_ih_l0"] = torch::ones({16, 4});
  expect_no_suggestion(wide);
  expect_no_suggestion(StateDict());
}

TEST(StateDict, LoadsNothingIfACopyFails) {
  torch::nn::Linear linear(2, 3);
  const StateDict before = copied(state_dict(*linear));
  const StateDict state = {{"weight", torch::ones({3, 2})}, {"bias", torch::empty(3, at::kMeta)}};
  EXPECT_ANY_THROW(load_state_dict(*linear, state));
  expect_same(state_dict(*linear), before);
}

}  // namespace
}  // namespace packseq::nn
