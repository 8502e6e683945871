#include "text/token_counter.hpp"

#include <algorithm>
#include <future>
#include <numeric>
#include <utility>

#include "text/shards.hpp"

namespace packseq::detail {

void TokenCounts::add(const Tokenizer& tokenizer, std::span<const std::string> documents, std::size_t first_number) {
  std::size_t document = first_number;
  const TokenSink count = [&](std::string_view token) {
    const std::size_t number = table_.insert(token);
    if (number == counts_.size()) {
      counts_.push_back(0);
      first_.push_back({document, number});
    }
    ++counts_[number];
  };
  for (const std::string& text : documents) {
    tokenizer(text, count);
    ++document;
  }
}

void TokenCounts::add(const TokenCounts& other) {
  for (std::size_t i = 0; i < other.table_.size(); ++i) {
    const std::size_t number = table_.insert(other.table_[i]);
    if (number == counts_.size()) {
      counts_.push_back(0);
      first_.push_back(other.first_[i]);
    }
    counts_[number] += other.counts_[i];
    first_[number] = std::min(first_[number], other.first_[i]);
  }
}

std::vector<std::string_view> TokenCounts::ranked(std::int64_t min_frequency) const {
  std::vector<std::size_t> numbers;
  for (std::size_t number = 0; number < counts_.size(); ++number) {
    if (counts_[number] >= min_frequency) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end(), [this](std::size_t a, std::size_t b) {
    return counts_[a] != counts_[b] ? counts_[a] > counts_[b] : first_[a] < first_[b];
  });
  std::vector<std::string_view> tokens;
  tokens.reserve(numbers.size());
  for (const std::size_t number : numbers) tokens.push_back(table_[number]);
  return tokens;
}

void TokenCounter::add(std::span<const std::string> documents) {
  const auto bounds = shard_bounds(documents, threads());
  const auto count = [&](std::size_t shard) {
    const std::size_t begin = bounds[shard];
    counts_[shard].add(tokenizer_, documents.subspan(begin, bounds[shard + 1] - begin), documents_ + begin);
  };
  // Futures keep exceptions; taken in the order of the shards, that of the first document is the one that gets out.
  // Their destructors wait for the others.
  std::vector<std::future<void>> others;
  for (std::size_t shard = 1; shard + 1 < bounds.size(); ++shard) {
    others.push_back(std::async(std::launch::async, count, shard));
  }
  count(0);
  for (std::future<void>& other : others) other.get();
  documents_ += documents.size();
}

TokenCounts TokenCounter::take() {
  TokenCounts all = std::move(counts_.front());
  for (std::size_t thread = 1; thread < counts_.size(); ++thread) {
    all.add(counts_[thread]);
    counts_[thread] = {};
  }
  return all;
}

}  // namespace packseq::detail
