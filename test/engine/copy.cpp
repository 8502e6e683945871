// A library that links packseq for itself and hides it, as a plug-in does. See copies_test.cpp.
#include "engine/copy.hpp"

#include <ATen/core/grad_mode.h>
#include <torch/utils.h>

#include "packseq/engine/install.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::test {
namespace {

at::Tensor run(const std::vector<at::Tensor>& sequences) {
  const at::NoGradGuard no_gradients;
  torch::manual_seed(7);
  nn::LSTM lstm(torch::nn::LSTMOptions(3, 4));
  return lstm->forward(pack_sequence(sequences)).output.data();
}

}  // namespace
}  // namespace packseq::test

extern "C" __attribute__((visibility("default"))) packseq::test::Copy packseq_copy() {
  using namespace packseq;
  return {engine::install, engine::uninstall, [] { return engine::installed(); }, test::run};
}
