#pragma once

#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <iomanip>
#include <optional>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "packseq/packseq.hpp"

// What labels say of themselves.

/// All tokens of a vocabulary, in the order of their ids.
inline std::vector<std::string> tokens_of(const packseq::Vocab& vocab) {
  std::vector<std::string> tokens;
  for (std::int64_t id = 0; id < vocab.size(); ++id) tokens.emplace_back(vocab.token(id));
  return tokens;
}

/// The scheme of spans that all sentences' labels keep to, if there is one.
inline std::optional<packseq::TagScheme> find_scheme(const packseq::Vocab& labels, const packseq::Jagged& sentences) {
  constexpr std::int64_t outside = -1;  // of a sentence
  std::set<std::pair<std::int64_t, std::int64_t>> pairs;
  for (const auto& sentence : sentences.unbind()) {
    std::int64_t previous = outside;
    const auto* const label = sentence.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < sentence.numel(); previous = label[i++]) pairs.emplace(previous, label[i]);
    pairs.emplace(previous, outside);
  }
  const auto name = [&labels](std::int64_t id) -> std::optional<std::string_view> {
    if (id == outside) return std::nullopt;
    return labels.token(id);
  };
  for (const auto scheme : {packseq::TagScheme::iob2, packseq::TagScheme::iobes, packseq::TagScheme::iob1}) {
    try {
      const auto is_allowed = [&](const auto& pair) {
        return packseq::may_follow(scheme, name(pair.first), name(pair.second));
      };
      if (std::all_of(pairs.begin(), pairs.end(), is_allowed)) return scheme;
    } catch (const std::invalid_argument&) {  // a label is not of this scheme
    }
  }
  return std::nullopt;
}

/// Whether a label is a tag of spans, by any scheme.
inline bool is_tag(std::string_view label) {
  try {
    packseq::may_follow(packseq::TagScheme::iobes, std::nullopt, label);  // which has the letters of all schemes
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

/// Metrics of spans if labels keep to a scheme; else each token counts as a span of its label.
inline packseq::data::SpanMetrics make_metrics(const packseq::Vocab& labels, std::optional<packseq::TagScheme> scheme) {
  if (scheme) return packseq::data::SpanMetrics(labels);  // lenient: a tagger's spans count however they are written
  std::vector<std::string> spans;
  for (const auto& label : tokens_of(labels)) spans.push_back("S-" + label);
  return packseq::data::SpanMetrics(packseq::Vocab::build(std::vector<std::string>(), {.specials = spans}));
}

/// Writes them as train_tagger's last line has them.
inline std::ostream& operator<<(std::ostream& output, const packseq::data::SpanMetrics& metrics) {
  return output << std::fixed << std::setprecision(4) << "dev accuracy " << metrics.token_accuracy() << ", macro F1 "
                << metrics.macro().f1;
}
