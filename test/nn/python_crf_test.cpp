// What pytorch-crf has made of batches, done again in C++, and weights for it to read.
#include "packseq/nn/crf.hpp"
#include "packseq/nn/state_dict.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"
#include "weights.hpp"

namespace packseq::nn {
namespace {

using test::python_file;

void expect_as_python(const at::Tensor& actual, const at::Tensor& expected, const std::string& name) {
  EXPECT_TRUE(at::allclose(actual, expected, 1e-10, 1e-10)) << name << '\n' << actual << '\n' << expected;
}

void expect_as_in_python(const std::string& name, engine::Choice engine) {
  const auto expected = read_state_dict(python_file("crf_" + name + ".pt"));
  const auto lengths = expected["lengths"];
  CRF crf(expected["scores"].size(1));
  crf->to(at::kDouble);
  crf->engine = engine;
  load_state_dict(*crf, expected, {.prefix = "model."});

  const auto packed = pack_sequence(Jagged::from_values(expected["scores"], lengths));
  const auto scores = with_data(packed, packed.data().requires_grad_());
  const auto tags = pack_sequence(Jagged::from_values(expected["labels"], lengths));
  const auto likelihood = [&](Reduction reduction) { return crf->log_likelihood(scores, tags, reduction); };
  expect_as_python(likelihood(Reduction::none), expected["likelihood.none"], name);
  expect_as_python(likelihood(Reduction::sum), expected["likelihood.sum"], name);
  expect_as_python(likelihood(Reduction::mean), expected["likelihood.mean"], name);
  expect_as_python(likelihood(Reduction::token_mean), expected["likelihood.token_mean"], name);
  likelihood(Reduction::sum).backward();
  expect_as_python(unpack_sequence(with_data(packed, scores.data().grad())).values(), expected["gradient.scores"],
                   name);
  for (const auto& parameter : crf->named_parameters()) {
    expect_as_python(parameter.value().grad(), expected["gradient." + parameter.key()], parameter.key());
  }
  EXPECT_TRUE(at::equal(unpack_sequence(crf->decode(scores).tags).values(), expected["decoded"])) << name;

  // Other weights, for pytorch-crf.
  const at::NoGradGuard no_grad;
  torch::manual_seed(1);
  crf->reset_parameters();
  StateDict written = {{"likelihood", likelihood(Reduction::none)}};
  for (const auto& weight : state_dict(*crf)) written.insert("model." + weight.key(), weight.value());
  write_state_dict(python_file("cpp_crf_" + name + ".pt"), written);
}

TEST(PythonCrf, DoesTheSame) {
  if (!std::filesystem::exists(python_file("crf_small.pt"))) GTEST_SKIP() << "Python lacks pytorch-crf";
  for (const auto engine : {engine::Choice::fused, engine::Choice::libtorch}) {
    for (const auto* name : {"one_tag", "small", "nine", "many"}) expect_as_in_python(name, engine);
  }
}

}  // namespace
}  // namespace packseq::nn
