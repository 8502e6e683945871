// Step 15. Trajectories in which a network starts anew: its states, put back to the steps that they belong to.
#include <ATen/core/grad_mode.h>
#include <torch/nn/modules/rnn.h>

#include <cstdint>
#include <iostream>

#include "packseq/packseq.hpp"

namespace {

// What a robot sees in eight steps, and the state of its network before each of them, as it is stored when acting.
struct Trajectory {
  torch::Tensor seen;    // [8, 3]
  torch::Tensor begins;  // [8], true where an episode begins, of which the network must not remember the one before
  torch::Tensor h, c;    // [8, 5]
};

// Acting is one step a call, each from the state that the last one left, or from zeros. The first episode was begun
// before these steps, and the last one goes on beyond them.
Trajectory act(packseq::nn::LSTM& lstm) {
  const torch::NoGradGuard no_grad;
  Trajectory acted = {torch::rand({8, 3}), torch::zeros({8}, torch::kBool), torch::empty({8, 5}), torch::empty({8, 5})};
  acted.begins[3] = true;
  acted.begins[7] = true;
  packseq::nn::State state = {torch::rand({1, 1, 5}), torch::rand({1, 1, 5})};
  for (std::int64_t step = 0; step < 8; ++step) {
    if (acted.begins[step].item<bool>()) state = {torch::zeros({1, 1, 5}), torch::zeros({1, 1, 5})};
    acted.h[step] = state.h.view(5);
    acted.c[step] = state.c.view(5);
    state = lstm->forward(packseq::pack_sequence({acted.seen.narrow(0, step, 1)}), state).state;
  }
  return acted;
}

// The network starts anew with each piece: at the first step, and where an episode begins.
torch::Tensor find_pieces(const torch::Tensor& begins) {
  auto first = begins.clone();
  first[0] = true;
  return first.nonzero().squeeze(1);
}

}  // namespace

int main() {
  at::manual_seed(1);
  packseq::nn::LSTM lstm(torch::nn::LSTMOptions(3, 5));
  const auto acted = act(lstm);

  // Training reads all steps at once: each piece is a sequence of its own, and begins in the state that was stored.
  const auto first = find_pieces(acted.begins);
  const auto lengths = torch::cat({first.slice(0, 1), torch::tensor({8})}) - first;
  const auto pieces = packseq::pack_sequence(packseq::Jagged::from_values(acted.seen, lengths));
  const packseq::nn::State stored = {acted.h.index_select(0, first).unsqueeze(0),
                                     acted.c.index_select(0, first).unsqueeze(0)};
  const auto result = lstm->forward(pieces, stored, {.c = true});
  std::cout << "Pieces of so many steps\n" << lengths << '\n';
  std::cout << "So many of them reach each step of the batch\n" << pieces.batch_sizes() << '\n';

  // Pieces come back in the order of the trajectory: row i is what the network has after step i.
  const auto h_after = packseq::unpack_sequence(result.output).values();
  const auto c_after = packseq::unpack_sequence(*result.layers.back().c).values();
  std::cout << "\nh and c after each step: " << h_after.sizes() << ' ' << c_after.sizes() << '\n';
  const auto goes_on = torch::logical_not(acted.begins.slice(0, 1)).unsqueeze(1);
  const auto is_as_acted = [&](const torch::Tensor& after, const torch::Tensor& before) {
    return torch::allclose(after.slice(0, 0, 7) * goes_on, before.slice(0, 1) * goes_on);
  };
  std::cout << std::boolalpha << "They are what was stored before the step that followed: "
            << (is_as_acted(h_after, acted.h) && is_as_acted(c_after, acted.c)) << '\n';

  // The trap: in a padded batch of pieces all final states seem to belong to the last step, which short pieces do not
  // have, and are lost with the padding. They belong to the last step of each piece.
  const auto last = torch::cumsum(lengths, 0) - 1;
  std::cout << "\nFinal states belong to the steps\n" << last << '\n';
  std::cout << "They are those that were kept there: " << torch::equal(c_after.index_select(0, last), result.state.c[0])
            << '\n';

  // The other one: over the trajectory as one sequence, the network remembers what it must not.
  const packseq::nn::State at_start = {acted.h[0].view({1, 1, 5}), acted.c[0].view({1, 1, 5})};
  const auto as_one = lstm->forward(packseq::pack_sequence({acted.seen}), at_start).output.data();
  const auto is_wrong = torch::logical_not(torch::isclose(as_one, h_after, 1e-5, 1e-6)).any(1);
  std::cout << "\nAs one sequence it is wrong from the second episode on\n" << is_wrong << '\n';

  // Whatever is computed from states inside a piece trains the network.
  c_after[5].sum().backward();
  const auto gradient = lstm->named_parameters()["weight_hh_l0"].grad();
  std::cout << "\nc after step 5 has gradients: " << (gradient.abs().max().item<double>() > 0) << '\n';
}
