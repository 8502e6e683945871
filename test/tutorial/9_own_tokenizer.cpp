// Step 9. Your own tokenizer. A word that no vocabulary has seen still has parts that it knows: subwords.
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "packseq/packseq.hpp"

// Splits each word into pieces, from left to right, always the longest that is in the list; like BERT's WordPiece,
// which marks the pieces after the first by "##". Where no piece fits, the rest of the word is one token.
void split_pieces(std::string_view document, const packseq::TokenSink& emit) {
  static const std::set<std::string, std::less<>> pieces = {"un",  "pack",  "pad",  "sequence", "##pack",
                                                            "##d", "##ing", "##ed", "##s"};
  packseq::split_words(document, [&](std::string_view word) {
    std::string mark;
    while (!word.empty()) {
      std::size_t size = word.size();
      while (size > 0 && !pieces.contains(mark + std::string(word.substr(0, size)))) --size;
      if (size == 0) size = word.size();
      emit(mark + std::string(word.substr(0, size)));
      word.remove_prefix(size);
      mark = "##";
    }
  });
}

int main() {
  const std::vector<std::string> documents = {"Packing packs sequences.", "Unpacking unpacks packed sequences.",
                                              "Padding pads a sequence."};

  // Any callable is a tokenizer. What occurs only once is left out, and becomes "<unk>".
  const auto vocab = packseq::Vocab::build(
      documents, {.specials = {"<pad>", "<unk>"}, .unknown = "<unk>", .tokenizer = split_pieces, .min_frequency = 2});

  // The file is plain text. It does not hold the tokenizer: whoever loads it gives the same one.
  const auto file = std::filesystem::temp_directory_path() / "packseq_own_tokenizer.txt";
  vocab.save(file);
  std::cout << "The vocabulary's file\n" << std::ifstream(file).rdbuf();
  const auto loaded = packseq::Vocab::load(file, split_pieces);
  std::filesystem::remove(file);

  // None of the documents has these words, but most of their pieces. "##ed" is in one, once, and "!" in none.
  const std::vector<std::string> unseen = {"Unpacked packings!"};
  const auto ids = packseq::encode(unseen, loaded).values();
  std::cout << "\n\"" << unseen[0] << "\"\n";
  for (std::int64_t i = 0; i < ids.size(0); ++i) {
    const auto id = ids[i].item<std::int64_t>();
    std::cout << id << ' ' << loaded.token(id) << '\n';
  }
}
