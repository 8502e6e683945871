#include "packseq/text/vocab.hpp"

#include <algorithm>
#include <stdexcept>

namespace packseq {

Vocab Vocab::build(const std::vector<std::string>& documents, const VocabOptions& options) {
  if (!options.tokenizer) throw std::invalid_argument("Vocab::build: tokenizer is empty");
  Vocab vocab;
  vocab.tokenizer_ = options.tokenizer;
  for (const std::string& special : options.specials) {
    const std::string name = "Vocab::build: specials[" + std::to_string(vocab.size()) + "]";
    if (special.empty()) throw std::invalid_argument(name + " is empty");
    const bool is_new = vocab.ids_.emplace(special, vocab.size()).second;
    if (!is_new) throw std::invalid_argument(name + ", '" + special + "', is listed twice");
    vocab.tokens_.push_back(special);
  }
  if (!options.unknown.empty()) {
    vocab.unknown_id_ = vocab.find(options.unknown);
    if (!vocab.unknown_id_) {
      throw std::invalid_argument("Vocab::build: unknown is '" + options.unknown +
                                  "', and must be one of the specials");
    }
  }
  vocab.add_words(documents);
  return vocab;
}

void Vocab::add_words(const std::vector<std::string>& documents) {
  using Entry = decltype(ids_)::value_type;  // of the hash table, which never moves its entries
  std::vector<Entry*> words;                 // in order of first appearance
  // While words are counted, the table holds their counts in place of ids: one look-up for each token is enough.
  const TokenSink count = [&](std::string_view token) {
    auto entry = ids_.find(token);
    if (entry == ids_.end()) {
      entry = ids_.emplace(token, 0).first;
      words.push_back(&*entry);
    }
    ++entry->second;
  };
  for (const std::string& document : documents) tokenizer_(document, count);

  std::stable_sort(words.begin(), words.end(), [](const Entry* a, const Entry* b) { return a->second > b->second; });
  tokens_.reserve(tokens_.size() + words.size());
  for (const Entry* word : words) tokens_.push_back(word->first);
  std::int64_t id = 0;
  for (const std::string& token : tokens_) ids_.find(token)->second = id++;
}

std::int64_t Vocab::size() const noexcept { return static_cast<std::int64_t>(tokens_.size()); }

std::optional<std::int64_t> Vocab::find(std::string_view token) const {
  const auto entry = ids_.find(token);
  if (entry == ids_.end()) return std::nullopt;
  return entry->second;
}

std::int64_t Vocab::id(std::string_view token) const {
  const auto entry = ids_.find(token);
  if (entry != ids_.end()) return entry->second;
  if (unknown_id_) return *unknown_id_;
  throw std::out_of_range("Vocab::id: unknown token '" + std::string(token) + "': the vocabulary has " +
                          std::to_string(size()) + " tokens and no unknown token (see VocabOptions::unknown)");
}

const std::string& Vocab::token(std::int64_t id) const {
  if (id < 0 || id >= size()) {
    throw std::out_of_range("Vocab::token: id " + std::to_string(id) + " is not in 0 ... " +
                            std::to_string(size() - 1));
  }
  return tokens_[static_cast<std::size_t>(id)];
}

std::optional<std::int64_t> Vocab::unknown_id() const noexcept { return unknown_id_; }

const Tokenizer& Vocab::tokenizer() const noexcept { return tokenizer_; }

}  // namespace packseq
