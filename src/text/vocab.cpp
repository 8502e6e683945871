#include "packseq/text/vocab.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>
#include <utility>

#include "packseq/text/document_reader.hpp"
#include "packseq/text/word_vectors.hpp"
#include "text/token_counter.hpp"
#include "text/vocab_of_lines.hpp"
#include "text/vocab_state.hpp"

namespace packseq {
namespace {

[[noreturn]] void refuse(const std::string& problem) { throw std::invalid_argument("Vocab::build: " + problem); }

void check_numbers(const VocabOptions& options) {
  const auto check = [](const std::string& name, std::int64_t value, std::int64_t min) {
    if (value >= min) return;
    refuse(name + " is " + std::to_string(value) + ", and must be at least " + std::to_string(min));
  };
  check("min_frequency", options.min_frequency, 1);
  check("threads", options.threads, 0);
  const auto specials = static_cast<std::int64_t>(options.specials.size());
  if (options.max_size && *options.max_size < specials) {
    refuse("max_size is " + std::to_string(*options.max_size) + ", and must be at least " + std::to_string(specials) +
           ", the number of specials");
  }
}

std::size_t thread_count(int asked) {
  constexpr std::size_t most = 256;  // each of them has a table and a batch of its own
  const auto wanted = asked > 0 ? static_cast<std::size_t>(asked) : std::thread::hardware_concurrency();
  return std::clamp<std::size_t>(wanted, 1, most);
}

/// The next documents, which take at least so many bytes of memory unless the text ends before.
void read_batch(DocumentSource& source, std::size_t bytes, std::vector<std::string>& batch) {
  batch.clear();
  for (std::size_t read = 0; read < bytes; read += batch.back().size() + sizeof(std::string)) {
    const auto document = source();
    if (!document) return;
    batch.emplace_back(*document);
  }
}

std::optional<std::int64_t> to_id(std::optional<std::size_t> number) noexcept {
  if (!number) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

}  // namespace

Vocab::Vocab(std::shared_ptr<const State> state) noexcept : state_(std::move(state)) {}

Vocab Vocab::build(const std::vector<std::string>& documents, const VocabOptions& options) {
  State state = State::of_specials(options);
  detail::TokenCounter counter(options.tokenizer, thread_count(options.threads));
  counter.add(documents);
  state.add_words(counter.take(), options);
  return Vocab(std::make_shared<const State>(std::move(state)));
}

Vocab Vocab::build(DocumentReader& reader, const VocabOptions& options) {
  DocumentSource rest = [&reader] { return reader.next(); };
  return build(rest, options);
}

Vocab Vocab::build(DocumentSource& source, const VocabOptions& options) {
  return build(source, options, options.tokenizer);
}

Vocab Vocab::build(DocumentSource& source, const VocabOptions& options, const Tokenizer& splits_source) {
  constexpr std::size_t bytes_per_thread = 4 << 20;
  if (!source) refuse("source is empty");
  State state = State::of_specials(options);
  detail::TokenCounter counter(splits_source, thread_count(options.threads));
  std::vector<std::string> batch;
  do {
    read_batch(source, bytes_per_thread * counter.threads(), batch);
    counter.add(batch);
  } while (!batch.empty());
  state.add_words(counter.take(), options);
  return Vocab(std::make_shared<const State>(std::move(state)));
}

Vocab detail::vocab_of_lines(DocumentSource& source, const VocabOptions& options) {
  return Vocab::build(source, options, split_lines);
}

Vocab Vocab::build(WordVectorReader& vectors, const VocabOptions& options) {
  State state = State::of_specials(options);
  if (options.min_frequency != 1) {
    refuse("min_frequency is " + std::to_string(options.min_frequency) +
           ", and must be 1: a file of vectors does not tell how often words occur");
  }
  const auto max_size = options.max_size ? static_cast<std::size_t>(*options.max_size) : SIZE_MAX;
  while (state.table.size() < max_size) {
    const auto row = vectors.next();
    if (!row) break;
    state.table.insert(row->word);
  }
  return Vocab(std::make_shared<const State>(std::move(state)));
}

Vocab::State Vocab::State::of_specials(const VocabOptions& options) {
  check_numbers(options);
  if (!options.tokenizer) refuse("tokenizer is empty");
  State state{.table = {}, .specials = options.specials.size(), .unknown = {}, .tokenizer = options.tokenizer};
  for (std::size_t i = 0; i < options.specials.size(); ++i) {
    const std::string& special = options.specials[i];
    const std::string name = "specials[" + std::to_string(i) + "]";
    if (special.empty()) refuse(name + " is empty");
    if (state.table.insert(special) != i) refuse(name + ", '" + special + "', is listed twice");
  }
  if (!options.unknown.empty()) {
    state.unknown = state.table.find(options.unknown);
    if (!state.unknown) refuse("unknown is '" + options.unknown + "', and must be one of the specials");
  }
  return state;
}

void Vocab::State::add_words(const detail::TokenCounts& counts, const VocabOptions& options) {
  const auto max_size = options.max_size ? static_cast<std::size_t>(*options.max_size) : SIZE_MAX;
  for (const std::string_view word : counts.ranked(options.min_frequency)) {
    if (table.size() == max_size) break;
    table.insert(word);  // does nothing for a word that is spelled like a special
  }
}

std::int64_t Vocab::size() const noexcept { return static_cast<std::int64_t>(state_->table.size()); }

std::optional<std::int64_t> Vocab::find(std::string_view token) const noexcept {
  return to_id(state_->table.find(token));
}

std::int64_t Vocab::id(std::string_view token) const {
  if (const auto id = find(token)) return *id;
  if (const auto id = unknown_id()) return *id;
  throw std::out_of_range("Vocab::id: unknown word '" + std::string(token) + "': the vocabulary has " +
                          std::to_string(size()) + " tokens and no unknown token (see VocabOptions::unknown)");
}

std::string_view Vocab::token(std::int64_t id) const {
  if (id < 0 || id >= size()) {
    throw std::out_of_range("Vocab::token: id " + std::to_string(id) + " is not in 0 ... " +
                            std::to_string(size() - 1));
  }
  return state_->table[static_cast<std::size_t>(id)];
}

std::optional<std::int64_t> Vocab::unknown_id() const noexcept { return to_id(state_->unknown); }

const Tokenizer& Vocab::tokenizer() const noexcept { return state_->tokenizer; }

}  // namespace packseq
