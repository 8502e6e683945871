// Step 14. Sequences of numbers with a label at each step: is a door open? Its two sensors say when it moves.
#include <torch/data/dataloader.h>
#include <torch/nn/modules/loss.h>
#include <torch/optim/adam.h>

#include <cstdint>
#include <iostream>
#include <vector>

#include "packseq/packseq.hpp"

namespace data = packseq::data;

namespace {

// Two numbers at each step, noise but for a peak of the first when the door opens, and of the second when it shuts; and
// whether it is open then, which no single step tells.
data::Documents watch_doors(std::int64_t doors) {
  std::vector<torch::Tensor> readings;
  std::vector<torch::Tensor> states;
  for (std::int64_t door = 0; door < doors; ++door) {
    const auto steps = torch::randint(1, 60, {1}).item<std::int64_t>();
    readings.push_back(0.1 * torch::randn({steps, 2}));
    states.push_back(torch::zeros({steps}, torch::kLong));
    bool open = false;
    for (std::int64_t step = 0; step < steps; ++step) {
      if (torch::rand({1}).item<double>() < 0.15) {
        open = !open;
        readings.back()[step][open ? 0 : 1] += 1;
      }
      states.back()[step] = open ? 1 : 0;
    }
  }
  return {.sequences = readings, .token_labels = states};
}

struct Model {
  packseq::PackedSequence forward(const packseq::PackedSequence& readings) {
    return linear(lstm(readings).output);  // two scores at each step: shut, open
  }
  packseq::nn::LSTM lstm{torch::nn::LSTMOptions(2, 16)};
  packseq::nn::Linear linear{16, 2};
};

// Packed batches of doors, with their labels in the same layout.
auto make_loader(const data::Documents& doors, const data::BatchSampler& sampler) {
  return torch::data::make_data_loader(data::DocumentDataset(doors).map(data::Pack()), sampler,
                                       torch::data::DataLoaderOptions());
}

void train(Model& model, const data::Documents& doors) {
  auto parameters = model.lstm->parameters();
  for (const auto& parameter : model.linear->parameters()) parameters.push_back(parameter);
  torch::optim::Adam optimizer(parameters, torch::optim::AdamOptions(0.02));
  const data::BatchSampler sampler(doors.sequences.lengths(), data::TokenBudget{.max_tokens = 500}, {.seed = 1});
  const auto loader = make_loader(doors, sampler);
  for (int epoch = 0; epoch < 10; ++epoch) {
    for (auto& batch : *loader) {
      optimizer.zero_grad();
      const auto scores = model.forward(batch.input);
      data::token_loss(scores, batch.token_target, torch::nn::CrossEntropyLoss()).backward();
      optimizer.step();
    }
  }
}

// What the model says of each door, in the order of the doors, though batches hold doors of like length.
packseq::Jagged predict(Model& model, const data::Documents& doors) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> states(static_cast<std::size_t>(doors.sequences.size()));
  const data::BatchSampler sampler(doors.sequences.lengths(), data::Bucketed{.batch_size = 16}, {.shuffle = false});
  const auto loader = make_loader(doors, sampler);
  for (auto& batch : *loader) {
    const auto of_batch = packseq::unpack_sequence(model.forward(batch.input));
    for (std::int64_t i = 0; i < of_batch.size(); ++i) {
      const auto door = static_cast<std::size_t>(batch.documents[i].item<std::int64_t>());
      states[door] = of_batch[i].argmax(1);
    }
  }
  return states;
}

}  // namespace

int main() {
  at::manual_seed(1);
  const auto doors = watch_doors(200);
  const auto [training, test] = data::split(doors, 0.8, /*seed=*/1);
  std::cout << "Training: " << training.sequences.size() << " doors. Test: " << test.sequences.size() << " doors\n";

  const auto batch = data::Pack().apply_batch(data::select(training, {0, 1, 2}));
  std::cout << std::boolalpha << "A packed batch has two numbers at each step: " << (batch.input.data().size(1) == 2)
            << ",\nand as many labels as steps: " << (batch.token_target.data().size(0) == batch.input.data().size(0))
            << '\n';

  Model model;
  train(model, training);
  const auto states = predict(model, test);
  const auto& expected = *test.token_labels;
  std::cout << "\nThe answers are as long as the questions: " << torch::equal(states.lengths(), expected.lengths())
            << '\n';
  const auto right = states.values().eq(expected.values()).to(torch::kDouble).mean().item<double>();
  std::cout << "Right at more than 95 % of the steps: " << (right > 0.95) << '\n';

  // The same without a memory: which of the two numbers is larger at this step.
  const auto guess = test.sequences.values().select(1, 0).gt(test.sequences.values().select(1, 1));
  const auto guessed = guess.eq(expected.values()).to(torch::kDouble).mean().item<double>();
  std::cout << "A guess from the step alone, at fewer than 75 %: " << (guessed < 0.75) << '\n';
}
