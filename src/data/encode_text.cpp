#include "data/encode_text.hpp"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "sequence/encode_views.hpp"

namespace packseq::data::detail {
namespace {

/// Documents that were not read from a file have no name.
std::string place_of(std::span<const TextDocument> documents, std::size_t i) {
  const TextDocument& document = documents[i];
  return document.file ? c10::str(*document.file, ", line ", document.line) : c10::str("documents[", i, "]");
}

std::int64_t label_id(std::span<const TextDocument> documents, std::size_t i, const Vocab& labels) {
  const std::string& label = documents[i].label;
  TORCH_CHECK_VALUE(!label.empty(), "encode: labels is set, but the document in ", place_of(documents, i),
                    " has no label: set TextReaderOptions::label");
  auto id = labels.find(label);
  if (!id) id = labels.unknown_id();
  TORCH_CHECK_VALUE(id, "encode: the label '", label, "' of the document in ", place_of(documents, i),
                    " is none of the ", labels.size(),
                    " in labels: build those with its file, or with an unknown token");
  return *id;
}

/// A number for each document, int64.
template <class Number>
at::Tensor numbers_of(std::span<const TextDocument> documents, const Number& number) {
  at::Tensor all = at::empty({static_cast<std::int64_t>(documents.size())}, at::kLong);
  auto* const first = all.mutable_data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < documents.size(); ++i) first[i] = number(i);
  return all;
}

/// A view of one part of each document.
std::vector<std::string_view> views_of(std::span<const TextDocument> documents, std::string TextDocument::*part) {
  std::vector<std::string_view> views;
  views.reserve(documents.size());
  for (const TextDocument& document : documents) views.emplace_back(document.*part);
  return views;
}

void check_same_kind(std::span<const TextDocument> documents) {
  for (std::size_t i = 0; i < documents.size(); ++i) {
    TORCH_CHECK_VALUE(documents[i].is_sentence == documents[0].is_sentence, "encode: the document in ",
                      place_of(documents, i), documents[0].is_sentence ? " is no sentence" : " is a sentence",
                      " of a column file, unlike those before it");
  }
}

/// The label of each token of sentences.
Jagged token_labels(std::span<const TextDocument> documents, const at::Tensor& lengths, const Vocab& labels,
                    const packseq::detail::DocumentPlace& place) {
  for (std::size_t i = 0; i < documents.size(); ++i) {
    TORCH_CHECK_VALUE(!documents[i].label.empty() || documents[i].text.empty(),
                      "encode: labels is set, but the sentence in ", place_of(documents, i),
                      " has none: set TokenColumns::label");
  }
  auto encoded = packseq::detail::encode_views(views_of(documents, &TextDocument::label), labels,
                                               {.tokenizer = {}, .place = place, .token = "label"});
  const auto* const tokens = lengths.const_data_ptr<std::int64_t>();
  const auto* const found = encoded.lengths().const_data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < documents.size(); ++i) {
    TORCH_CHECK_VALUE(tokens[i] == found[i], "encode: the sentence in ", place(i), " has ", tokens[i], " words, but ",
                      found[i], " labels");
  }
  return encoded;
}

}  // namespace

Documents encode_text(std::span<const TextDocument> documents, const Vocab& vocab, const std::optional<Vocab>& labels) {
  for (std::size_t i = 0; i < documents.size(); ++i) {
    TORCH_CHECK_VALUE(labels || documents[i].label.empty(), "encode: the document in ", place_of(documents, i),
                      " has the label '", documents[i].label.substr(0, documents[i].label.find('\n')),
                      "', but labels is not set: see build_labels");
  }
  check_same_kind(documents);
  const bool are_sentences = !documents.empty() && documents[0].is_sentence;
  const auto place = [&](std::size_t i) { return place_of(documents, i); };
  Documents encoded{
      packseq::detail::encode_views(views_of(documents, &TextDocument::text), vocab,
                                    {.tokenizer = are_sentences ? Tokenizer() : vocab.tokenizer(), .place = place})};
  if (std::all_of(documents.begin(), documents.end(), [](const auto& document) { return document.number >= 0; })) {
    encoded.documents = numbers_of(documents, [&](std::size_t i) { return documents[i].number; });
  }
  if (!labels) return encoded;
  if (are_sentences) {
    encoded.token_labels = token_labels(documents, encoded.sequences.lengths(), *labels, place);
  } else {
    encoded.labels = numbers_of(documents, [&](std::size_t i) { return label_id(documents, i, *labels); });
  }
  return encoded;
}

}  // namespace packseq::data::detail
