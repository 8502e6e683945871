// Step 1. A network reads numbers, not words: each word gets an index, each document becomes a LongTensor.
#include <torch/types.h>

#include <cstdint>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "packseq/packseq.hpp"

int main() {
  const std::vector<std::string> documents = {"on your mark", "get set", "go"};

  // By hand. Index 0 is kept for padding; words are numbered as they first appear.
  std::map<std::string, std::int64_t> word_to_index = {{"<pad>", 0}};
  std::vector<torch::Tensor> sequences;
  for (const auto& document : documents) {
    std::vector<std::int64_t> indices;
    std::istringstream words(document);
    for (std::string word; words >> word;) {
      word_to_index.emplace(word, word_to_index.size());  // does nothing if the word is known
      indices.push_back(word_to_index[word]);
    }
    sequences.push_back(torch::tensor(indices));
  }

  // The same with packseq.
  const auto vocab = packseq::Vocab::build(documents);
  const auto ids = packseq::encode(documents, vocab);

  std::cout << "The vocabulary\n";
  for (std::int64_t id = 0; id < vocab.size(); ++id) std::cout << id << ' ' << vocab.token(id) << '\n';

  std::cout << "\nOne LongTensor for each document\n";
  for (std::size_t i = 0; i < documents.size(); ++i) {
    std::cout << '"' << documents[i] << "\":\n" << sequences[i] << '\n';
  }

  // packseq keeps all documents end to end in one tensor, and knows how long each is.
  std::cout << "\nThe same documents in packseq\nvalues:\n" << ids.values() << '\n';
  std::cout << "lengths:\n" << ids.lengths() << '\n';
  std::cout << std::boolalpha;
  std::cout << "By hand the same: " << torch::equal(torch::cat(sequences), ids.values()) << '\n';
  std::cout << "ids[1] is the second document: " << torch::equal(ids[1], sequences[1]) << '\n';
}
