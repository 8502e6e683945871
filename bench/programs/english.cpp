#include "programs/english.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <random>
#include <string_view>
#include <unordered_set>

namespace packseq::bench {
namespace {

constexpr std::size_t different_words = 50'000;

std::string make_word(std::size_t syllables, std::mt19937& random) {
  constexpr std::array<std::string_view, 20> onsets = {"",  "b", "c", "d", "f",  "g",  "h",  "l",  "m",  "n",
                                                       "p", "r", "s", "t", "st", "tr", "th", "sh", "ch", "w"};
  constexpr std::array<std::string_view, 7> nuclei = {"a", "e", "i", "o", "u", "ou", "ea"};
  constexpr std::array<std::string_view, 8> codas = {"", "", "", "n", "r", "s", "t", "ng"};
  std::string word;
  for (; syllables > 0; --syllables) {
    word += onsets[random() % onsets.size()];
    word += nuclei[random() % nuclei.size()];
  }
  word += codas[random() % codas.size()];
  return word;
}

/// All words, most frequent first.
std::vector<std::string> make_words(std::mt19937& random) {
  std::unordered_set<std::string> seen;
  std::vector<std::string> words;
  while (words.size() < different_words) {
    const std::size_t rank = words.size();
    const std::string word = make_word(rank < 200 ? 1 : rank < 5000 ? 2 : 3, random);
    if (seen.insert(word).second) words.push_back(word);
  }
  return words;
}

}  // namespace

std::vector<std::string> english_like_documents(std::size_t bytes) {
  std::mt19937 random(1);
  const auto words = make_words(random);
  std::vector<double> up_to(words.size());  // how often the words up to each rank occur, in all
  for (std::size_t rank = 0; rank < words.size(); ++rank) up_to[rank] = 1 / (static_cast<double>(rank) + 2.7);
  std::partial_sum(up_to.begin(), up_to.end(), up_to.begin());
  std::uniform_real_distribution<double> draw(0, up_to.back());
  std::poisson_distribution<std::size_t> length(20);

  std::vector<std::string> documents;
  for (std::size_t made = 0; made < bytes; made += documents.back().size()) {
    std::string document;
    for (std::size_t word = length(random) + 1; word > 0; --word) {
      const auto rank = std::lower_bound(up_to.begin(), up_to.end(), draw(random)) - up_to.begin();
      document += words[static_cast<std::size_t>(rank)];
      document += word == 1 ? "." : random() % 12 == 0 ? ", " : " ";
    }
    document.front() = static_cast<char>(document.front() - 'a' + 'A');
    documents.push_back(document);
  }
  return documents;
}

}  // namespace packseq::bench
