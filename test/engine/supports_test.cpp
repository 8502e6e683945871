#include "packseq/engine/supports.hpp"

#include <ATen/ops/_efficientzerotensor.h>
#include <ATen/ops/_make_dual.h>
#include <ATen/ops/_neg_view.h>
#include <torch/csrc/autograd/forward_grad.h>
#include <torch/nn/modules/linear.h>

#include "engine/vmap.hpp"
#include "packseq/nn/gru.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/nn/rnn.hpp"
#include "packseq/sequence/pack.hpp"
#include "support/autocast.hpp"
#include "support/sequences.hpp"

namespace packseq::test {
namespace {

PackedSequence packed_batch() { return pack_sequence({torch::rand({2, 3}), torch::rand({0, 3}), torch::rand({4, 3})}); }

TEST(Supports, FloatDoubleAndBFloat16) {
  const auto packed = packed_batch();
  nn::LSTM lstm(3, 4);
  EXPECT_TRUE(engine::supports(*lstm, packed));
  EXPECT_TRUE(engine::supports(*nn::GRU(3, 4), packed));
  EXPECT_TRUE(engine::supports(*nn::RNN(3, 4), packed));
  EXPECT_TRUE(engine::supports(*torch::nn::LSTM(3, 4), packed));
  EXPECT_EQ(engine::supports(*lstm, packed).reason, "");
  for (const auto dtype : {at::kDouble, at::kBFloat16}) {
    lstm->to(dtype);
    EXPECT_TRUE(engine::supports(*lstm, packed.to(dtype)));
  }
}

/// The reason why an LSTM of floats does not run on such data; empty if it does. What is said there is true.
std::string reason(const at::Tensor& data) {
  nn::LSTM lstm(3, 4);
  const PackedSequence packed(data, torch::tensor({2, 2, 1, 1}));
  const auto support = engine::supports(*lstm, packed);
  EXPECT_EQ(support.supported, support.reason.empty());
  lstm->engine = engine::Choice::fused;
  if (!support && data.scalar_type() == at::kFloat && data.is_cpu() && data.layout() == at::kStrided) {
    EXPECT_THROWS(lstm->forward(packed), c10::ValueError,
                  "LSTM::forward: engine is Choice::fused, but the fused engine does not run this: " + support.reason);
  }
  return support.reason;
}

TEST(Supports, NoOtherDtypesOrDevices) {
  const auto data = torch::rand({6, 3});
  EXPECT_EQ(reason(data.to(at::kHalf)), "data is Half, and the engine runs Float, Double and BFloat16");
  EXPECT_EQ(reason(data.to(at::kBFloat16)), "parameter 0 is Float, but data is BFloat16");
  EXPECT_EQ(reason(data.to(at::kDouble)), "parameter 0 is Float, but data is Double");
  EXPECT_EQ(reason(data.to(at::kMeta)), "data is on meta, and the engine runs dense tensors on the CPU");
  EXPECT_EQ(reason(data.to_sparse()), "data is on cpu and not strided, and the engine runs dense tensors on the CPU");
}

TEST(Supports, NoTensorsThatStandForOthers) {
  const auto data = torch::rand({6, 3});
  EXPECT_EQ(reason(at::_neg_view(data)), "data is a view with its negative bit set");
  EXPECT_EQ(reason(at::_efficientzerotensor({6, 3}, data.options())), "data is a tensor of zeros without memory");
}

TEST(Supports, NoForwardGradients) {
  const auto level = torch::autograd::ForwardADLevel::get_next_idx();
  const auto with_gradient = [&](const at::Tensor& tensor) {
    return at::_make_dual(tensor, tensor, static_cast<std::int64_t>(level));
  };
  EXPECT_EQ(reason(with_gradient(torch::rand({6, 3}))), "data has a forward-mode gradient");
  nn::LSTM lstm(3, 4);
  lstm->engine = engine::Choice::fused;
  const auto state = torch::rand({1, 3, 4});
  EXPECT_THROWS(lstm->forward(packed_batch(), {with_gradient(state), state}), c10::ValueError,
                "the fused engine does not run this: the hidden state has a forward-mode gradient");
  EXPECT_THROWS(lstm->forward(packed_batch(), {state, with_gradient(state)}), c10::ValueError,
                "the fused engine does not run this: the cell state has a forward-mode gradient");
  torch::autograd::ForwardADLevel::release_idx(level);
}

TEST(Supports, AutocastToBFloat16Alone) {
  const auto data = torch::rand({6, 3});
  EXPECT_EQ(reason(data.to(at::kBFloat16)), "parameter 0 is Float, but data is BFloat16");
  {
    const Autocast autocast;
    EXPECT_EQ(reason(data), "");
    EXPECT_EQ(reason(data.to(at::kBFloat16)), "");
    EXPECT_EQ(reason(data.to(at::kDouble)), "parameter 0 is Float, but data is Double");
    EXPECT_EQ(reason(data.to(at::kHalf)), "data is Half, and the engine runs Float, Double and BFloat16");
  }
  const Autocast autocast(at::kHalf);
  EXPECT_EQ(reason(data), "autocast to Half is on");
}

TEST(Supports, NoFunctorch) {
  const nn::LSTM lstm(3, 4);
  const auto packed = packed_batch();
  const Vmap vmap(2);
  EXPECT_EQ(engine::supports(*lstm, packed).reason, "a functorch transform is active");
}

TEST(Supports, NoOtherModules) {
  EXPECT_EQ(engine::supports(*torch::nn::Linear(3, 4), packed_batch()).reason,
            "network is a torch::nn::LinearImpl, and the engine runs LSTM, GRU and RNN");
}

/// A state_dict may bring other sizes than the network was made with.
TEST(Choice, LeavesParametersThatDoNotFitToLibTorch) {
  for (const auto choice : {engine::Choice::automatic, engine::Choice::fused, engine::Choice::libtorch}) {
    nn::LSTM lstm(3, 4);
    lstm->engine = choice;
    lstm->parameters()[1].set_data(torch::rand({16, 2}));
    EXPECT_THROW(lstm->forward(packed_batch()), c10::Error);
  }
}

}  // namespace
}  // namespace packseq::test
