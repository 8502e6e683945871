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

}  // namespace

Documents encode_text(std::span<const TextDocument> documents, const Vocab& vocab, const std::optional<Vocab>& labels) {
  std::vector<std::string_view> texts;
  texts.reserve(documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) {
    texts.emplace_back(documents[i].text);
    TORCH_CHECK_VALUE(labels || documents[i].label.empty(), "encode: the document in ", place_of(documents, i),
                      " has the label '", documents[i].label, "', but labels is not set: see build_labels");
  }
  Documents encoded{packseq::detail::encode_views(texts, vocab, [&](std::size_t i) { return place_of(documents, i); })};
  if (std::all_of(documents.begin(), documents.end(), [](const auto& document) { return document.number >= 0; })) {
    encoded.documents = numbers_of(documents, [&](std::size_t i) { return documents[i].number; });
  }
  if (labels) encoded.labels = numbers_of(documents, [&](std::size_t i) { return label_id(documents, i, *labels); });
  return encoded;
}

}  // namespace packseq::data::detail
