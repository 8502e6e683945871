// Files that python_weights.py has written, and files for it to read.
#include "packseq/nn/gru.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/nn/per_token.hpp"
#include "packseq/nn/rnn.hpp"
#include "packseq/nn/safetensors.hpp"
#include "packseq/nn/state_dict.hpp"
#include "weights.hpp"

namespace packseq::nn {
namespace {

using test::expect_same_state;
using test::python_file;
using Key = std::vector<std::string>;

/// A layer whose weight is another's.
struct Tied : torch::nn::Module {
  explicit Tied(const at::Tensor& weight) { register_parameter("weight", weight); }
};

/// The model of python_weights.py.
struct Model : torch::nn::Module {
  Model() {
    register_module("embedding", embedding);
    register_module("lstm", lstm);
    register_module("gru", gru);
    register_module("rnn", rnn);
    register_module("norm", norm);
    register_module("linear", linear);
  }

  Embedding embedding{5, 4};
  LSTM lstm{torch::nn::LSTMOptions(4, 3).num_layers(2).bidirectional(true).proj_size(2)};
  GRU gru{4, 3};
  RNN rnn{torch::nn::RNNOptions(4, 3).nonlinearity(torch::kReLU)};
  torch::nn::BatchNorm1d norm{3};
  std::shared_ptr<Tied> linear = std::make_shared<Tied>(embedding->weight);
};

/// The state of Python's model, in its order.
StateDict model_state(const StateDict& order) {
  const Model model;
  StateDict state;
  std::int64_t number = 0;
  for (const auto& key : order.keys()) {
    const at::Tensor like = state_dict(model)[key];
    const at::Tensor numbers = at::arange(like.numel()).view(like.sizes()) + number++;
    state.insert(key, numbers.to(like.scalar_type()));
  }
  // Tied: what was written last holds for both.
  state["embedding.weight"].copy_(state["linear.weight"]);
  return state;
}

TEST(PythonWeights, ReadsAWholeModelInEveryForm) {
  const auto expected = model_state(read_state_dict(python_file("dict.pt")));
  EXPECT_EQ(expected.size(), state_dict(Model()).size());
  for (const auto* name :
       {"state.pt", "dict.pt", "protocol_3.pt", "protocol_4.pt", "protocol_5.pt", "from_cuda.pt", "unchecked.pt"}) {
    SCOPED_TRACE(name);
    const auto state = read_state_dict(python_file(name));
    expect_same_state(state, expected);
    EXPECT_TRUE(state["linear.weight"].is_alias_of(state["embedding.weight"]));
    EXPECT_FALSE(state["norm.weight"].is_alias_of(state["norm.bias"]));
    Model model;
    load_state_dict(model, state);
    for (const auto& entry : state_dict(model)) EXPECT_TRUE(at::equal(entry.value(), expected[entry.key()]));
  }
  const auto parameters = read_state_dict(python_file("parameters.pt"));
  EXPECT_EQ(parameters.size(), Model().named_parameters().size() - 1);  // Python names a tied one once
  for (const auto& entry : parameters) EXPECT_TRUE(at::equal(entry.value(), expected[entry.key()]));
  EXPECT_TRUE(read_state_dict(python_file("empty.pt")).is_empty());
}

TEST(PythonWeights, ReadsEveryDtypeInBothByteOrders) {
  expect_same_state(read_state_dict(python_file("every_dtype.pt")), test::every_dtype());
  expect_same_state(read_state_dict(python_file("big_endian.pt")), test::every_dtype());
}

TEST(PythonWeights, ReadsViewsAsTheyWere) {
  const auto state = read_state_dict(python_file("views.pt"));
  const auto expected = test::views();
  expect_same_state(state, expected);
  for (const auto& entry : expected) EXPECT_EQ(state[entry.key()].strides(), entry.value().strides()) << entry.key();
  state["base"].fill_(7);
  for (const auto* name : {"row", "column", "transposed", "expanded", "again"}) {
    EXPECT_TRUE(state[name].eq(7).all().item<bool>()) << name;
  }
}

TEST(PythonWeights, ReadsTensorsWithAttributes) {
  const StateDict expected = {{"parameter", at::ones(2)},
                              {"tensor", at::ones(2).to(at::kUInt16)},
                              {"buffer", at::ones(2)},
                              {"plain", at::ones(2)}};
  expect_same_state(read_state_dict(python_file("attributes.pt")), expected);
}

TEST(PythonWeights, ReadsWhereAKeyLeads) {
  const auto file = python_file("checkpoint.pt");
  const auto read = [&file](const Key& key) { return read_state_dict(file, {.key = key}); };
  const auto state = read({"model_state_dict"});
  expect_same_state(state, model_state(state));
  const auto adam = read({"optimizer_state_dict", "state", "0"});
  EXPECT_EQ(adam.keys(), (Key{"step", "exp_avg", "exp_avg_sq"}));
  EXPECT_EQ(adam["step"].item<float>(), 1);
  expect_same_state(read({"5"}), {{"weight", at::full(2, 5.F)}});
  expect_same_state(read({"models", "1"}), {{"weight", at::ones(2)}});
  expect_same_state(read({"models", "0"}), {{"0", at::zeros(1)}});
  expect_same_state(read_state_dict(python_file("mixed.pt"), {.tensors_only = true}), {{"weight", at::ones(2)}});
}

TEST(PythonWeights, TellsWhereWeightsAre) {
  const auto file = python_file("checkpoint.pt");
  const auto refused = [&file](const Key& key, const std::string& text) {
    EXPECT_THROWS(read_state_dict(file, {.key = key}), c10::ValueError, text);
  };
  const auto places =
      "; give as ReadOptions::key where the weights are: tensors lie under {\"model_state_dict\"} (35 tensors), "
      "{\"5\"} (1 tensor), {\"models\", \"0\"} (1 tensor), {\"models\", \"1\"} (1 tensor), "
      "{\"optimizer_state_dict\", \"state\", \"0\"} (3 tensors)";
  refused({},
          "checkpoint.pt\" holds under these keys what is no tensor: \"epoch\" (the integer 1099511627776), "
          "\"seeds\" (a list), \"model_state_dict\" (a dict), \"optimizer_state_dict\" (a dict), \"arguments\" (an "
          "object of Python's argparse.Namespace), \"python\" (a list), \"losses\" (a dict), \"models\" (a list), "
          "\"5\" (a dict)");
  refused({}, places);
  refused({"model"}, "has no key \"model\" under {}, where a dict is with the keys \"epoch\", \"seeds\", ");
  refused({"model"}, places);
  refused({"models", "2"}, "has no key \"2\" under {\"models\"}, where a list is with the keys \"0\", \"1\"");
  refused({"epoch", "x"}, "has no key \"x\" under {\"epoch\"}, where the integer 1099511627776 is; give");
  refused({"epoch"}, "holds under {\"epoch\"} the integer 1099511627776, not a dict of tensors");
  refused({"random"}, "holds under {\"random\"} a tensor, not a dict of tensors");
  refused({"losses"}, "holds under {\"losses\"} no tensors");
}

TEST(PythonWeights, RefusesEveryOtherFile) {
  const std::vector<std::pair<std::string, std::string>> texts = {
      {"model.pt",
       "holds an object of Python's __main__.Model, not a dict of tensors; in Python, write "
       "torch.save(model.state_dict(), file)"},
      {"model_in_dict.pt", "\"epoch\" (the integer 3), \"model\" (an object of Python's __main__.Model); in Python"},
      {"legacy.pt", "is in the format that torch.save wrote before PyTorch 1.6: in Python, read it with torch.load"},
      {"script.pt", "is a TorchScript archive: read it with torch::jit::load, or in Python"},
      {"tensor.pt", "holds a tensor, not a dict of tensors; in Python"},
      {"numbered.pt", "has a tensor under the integer 5, and its key must be a text"},
      {"mixed.pt",
       "no tensor: \"epoch\" (the integer 3), \"args\" (an object of Python's argparse.Namespace); to read"},
      {"deflated.pt", "has a record data.pkl that is compressed or encrypted"},
      {"quantized.pt", "holds under the key \"a\" a quantized tensor: save its .dequantize()"},
      {"sparse.pt", "holds under the key \"a\" a sparse tensor: save its .to_dense()"},
      {"meta.pt", "holds under the key \"a\" a tensor of the device meta, which has no numbers"},
      {"subclass.pt", "a tensor of the class __main__.Subclass: save its .as_subclass(torch.Tensor)"},
      {"jagged.pt", "holds under the key \"a\" a nested tensor: save its .unbind(), or its .to_padded_tensor()"}};
  for (const auto& entry : texts) {
    const auto file = python_file(entry.first);
    EXPECT_THROWS(read_state_dict(file), c10::ValueError, "read_state_dict: \"" + file.string() + "\" ");
    EXPECT_THROWS(read_state_dict(file), c10::ValueError, entry.second);
  }
}

TEST(PythonWeights, ReadsSafetensors) {
  if (!std::filesystem::exists(python_file("every_dtype.safetensors"))) GTEST_SKIP() << "Python lacks safetensors";
  const auto [state, metadata] = read_safetensors(python_file("every_dtype.safetensors"));
  EXPECT_EQ(metadata, (std::map<std::string, std::string>{{"format", "pt"}}));
  auto expected = test::every_dtype();
  expected.insert("scalar", torch::tensor(3.F));
  expected.insert("empty", at::zeros({0, 3}));
  expected.insert("ü \"\\\n\x01\x7f", at::ones(1));
  EXPECT_EQ(state.size(), expected.size() - 2);
  for (const auto& entry : state) expect_same_state({{"", entry.value()}}, {{"", expected[entry.key()]}});
  EXPECT_TRUE(read_safetensors(python_file("empty.safetensors")).state.is_empty());
  EXPECT_THROWS(read_safetensors(python_file("state.pt")), c10::ValueError, "read_state_dict reads it");

  const auto tied = read_state_dict(python_file("tied.safetensors"));
  EXPECT_TRUE(tied["linear.weight"].is_same(tied["embedding.weight"]));
  Model model;
  load_state_dict(model, tied);
  for (const auto& entry : model_state(read_state_dict(python_file("state.pt")))) {
    EXPECT_TRUE(at::equal(state_dict(model)[entry.key()], entry.value())) << entry.key();
  }
}

TEST(PythonWeights, WritesForPython) {
  write_state_dict(python_file("cpp_every_dtype.pt"), test::every_dtype());
  write_state_dict(python_file("cpp_views.pt"), test::views());
  Model model;
  load_state_dict(model, read_state_dict(python_file("state.pt")));
  write_state_dict(python_file("cpp_state.pt"), state_dict(model));
  write_safetensors(python_file("cpp_tied.safetensors"), state_dict(model));
  write_safetensors(python_file("cpp_empty.safetensors"), StateDict());
  auto state = test::every_dtype();
  state.erase("complex128");
  state.erase("complex32");
  state.insert("scalar", torch::tensor(3.F));
  state.insert("empty", at::zeros({0, 3}));
  state.insert("ü \"\\\n\x01\x7f", at::ones(1));
  write_safetensors(python_file("cpp_every_dtype.safetensors"), state, {{"format", "pt"}});
}

}  // namespace
}  // namespace packseq::nn
