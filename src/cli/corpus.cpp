#include "cli/corpus.hpp"

#include <ATen/ops/_unique.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <stdexcept>

#include "packseq/sequence/encode.hpp"
#include "packseq/text/vocab.hpp"

namespace packseq::cli {

std::string Corpus::name(std::int64_t document) const {
  const Origin& origin = origins[static_cast<std::size_t>(document)];
  return fmt::format("document {} ({}, line {})", document + 1, origin.file, origin.line);
}

Corpus read_corpus(const std::vector<std::filesystem::path>& files, const TextOptions& options) {
  std::vector<std::string> documents;
  std::vector<Origin> origins;
  for (const std::filesystem::path& file : files) {
    DocumentReader reader(file, options.reader);
    while (const auto document = reader.next()) {
      documents.emplace_back(*document);
      origins.push_back({file.string(), reader.line()});
    }
  }
  if (documents.empty()) {
    throw std::runtime_error(fmt::format("{}: no documents: nothing but blank lines",
                                         files.size() == 1 ? files.front().string() : "the files"));
  }
  const Vocab vocab = Vocab::build(documents, {.tokenizer = options.tokenizer});
  Jagged ids = encode(documents, vocab);
  const std::int64_t distinct_tokens = std::get<0>(at::_unique(ids.values())).size(0);
  return {std::move(ids), std::move(origins), vocab.size(), distinct_tokens};
}

std::vector<std::int64_t> choose_documents(const Corpus& corpus, Order order, std::int64_t count, std::uint64_t seed) {
  std::vector<std::int64_t> documents(static_cast<std::size_t>(corpus.documents()));
  std::iota(documents.begin(), documents.end(), 0);
  if (order != Order::as_is) std::shuffle(documents.begin(), documents.end(), std::mt19937_64(seed));
  documents.resize(static_cast<std::size_t>(std::min(count, corpus.documents())));
  return order == Order::sorted ? longest_first(corpus, std::move(documents)) : documents;
}

std::vector<std::int64_t> longest_first(const Corpus& corpus, std::vector<std::int64_t> documents) {
  const std::int64_t* lengths = corpus.ids.lengths().const_data_ptr<std::int64_t>();
  std::stable_sort(documents.begin(), documents.end(),
                   [&](std::int64_t a, std::int64_t b) { return lengths[a] > lengths[b]; });
  return documents;
}

Batches cut(const std::vector<std::int64_t>& documents, std::int64_t batch) {
  Batches batches;
  for (auto begin = documents.begin(); begin != documents.end();) {
    const auto end = begin + std::min<std::ptrdiff_t>(batch, documents.end() - begin);
    batches.emplace_back(begin, end);
    begin = end;
  }
  return batches;
}

Jagged select(const Corpus& corpus, const std::vector<std::int64_t>& documents) {
  std::vector<at::Tensor> sequences;
  for (const std::int64_t document : documents) sequences.push_back(corpus.ids[document]);
  return sequences;
}

std::vector<std::int64_t> sorted_lengths(const Corpus& corpus) {
  const std::int64_t* lengths = corpus.ids.lengths().const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> sorted(lengths, lengths + corpus.documents());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace packseq::cli
