// Step 12. Attention pooling: a classifier that learns which words of a document to look at.
#include <ATen/Context.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adam.h>

#include <cmath>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

#include "packseq/packseq.hpp"

// A vector for each word, their mean over a document, weighted by what the classifier has learned, and a score for each
// class. A recurrent network may stand between words and pool.
struct Classifier : torch::nn::Module {
  Classifier(std::int64_t words, std::int64_t classes) : embedding(words, 8), score(8, 1), linear(8, classes) {
    register_module("embedding", embedding);
    register_module("score", score);
    register_module("linear", linear);
  }

  // How much each word counts, data [N, 1]: the weights of a document's words have the sum 1.
  packseq::PackedSequence weigh(const packseq::PackedSequence& words) { return packseq::softmax(score(words)); }

  torch::Tensor forward(const packseq::PackedSequence& ids) {
    const auto words = embedding(ids);
    const auto weighted = packseq::map(words, weigh(words), [](const auto& a, const auto& b) { return a * b; });
    return linear(packseq::sum_pool(weighted));
  }

  packseq::nn::Embedding embedding;
  packseq::nn::Linear score;
  torch::nn::Linear linear;
};

int main() {
  // One word tells whether a document is glad, 1, or sad, 0; the others stand in documents of both.
  const std::vector<std::string> documents = {"what a lovely day it is",
                                              "what a dreadful day it is",
                                              "lovely",
                                              "it is dreadful",
                                              "it is lovely",
                                              "dreadful day"};
  const auto classes = torch::tensor({1, 0, 1, 0, 1, 0});
  const auto vocab = packseq::Vocab::build(documents);
  const auto ids = packseq::encode(documents, vocab);
  const auto packed = packseq::pack_sequence(ids);

  at::manual_seed(1);
  Classifier model(vocab.size(), 2);
  torch::optim::Adam optimizer(model.parameters(), torch::optim::AdamOptions(0.03));
  for (int step = 0; step < 200; ++step) {
    optimizer.zero_grad();
    torch::nn::functional::cross_entropy(model.forward(packed), classes).backward();
    optimizer.step();
  }

  const torch::NoGradGuard no_grad;
  const auto found = model.forward(packed).argmax(1);
  std::cout << "Every document's class is found: " << std::boolalpha << torch::equal(found, classes) << '\n';

  // Where does it look?
  const auto words = model.embedding(packed);
  const auto packed_weights = model.weigh(words);
  const auto weights = packseq::unpack_sequence(packed_weights);
  std::cout << "\nThe word that counts most, and the sum of all words' weights\n" << std::fixed << std::setprecision(2);
  for (std::int64_t i = 0; i < ids.size(); ++i) {
    const auto most = weights[i].argmax().item<std::int64_t>();
    std::cout << documents[static_cast<std::size_t>(i)] << ": " << vocab.token(ids[i][most].item<std::int64_t>())
              << ", " << weights[i].sum().item<float>() << '\n';
  }

  // By hand, on a padded batch: the scores of padding must become -infinity, or it takes its part of the weight.
  const auto [scores, lengths] = packseq::pad_packed_sequence(model.score(words), {.batch_first = true});  // [B, T, 1]
  const auto real = packseq::mask(lengths, {.batch_first = true}).unsqueeze(2);
  const auto by_hand = scores.masked_fill(real.logical_not(), -INFINITY).softmax(1);
  const auto padded_weights = std::get<0>(packseq::pad_packed_sequence(packed_weights, {.batch_first = true}));
  std::cout << "\nBy hand the same: " << torch::allclose(padded_weights, by_hand, 1e-4, 1e-6) << '\n';
  const auto forgotten = scores.softmax(1)[4].narrow(0, 0, 3).sum().item<float>();
  std::cout << "Forgetting that, the words of \"it is lovely\" share less than half of the weight: "
            << (forgotten < 0.5F) << '\n';
}
