#include "packseq/data/span_metrics.hpp"

#include <c10/util/Exception.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "data/spans.hpp"
#include "packseq/data/documents.hpp"
#include "text/tag_parts.hpp"

namespace packseq::data {
namespace {

using detail::Span;
using detail::SpanCounts;
using detail::Tag;

double share(std::int64_t part, std::int64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

SpanScore score_of(const SpanCounts& counts) {
  SpanScore score{.precision = share(counts.correct, counts.predicted),
                  .recall = share(counts.correct, counts.support),
                  .predicted = counts.predicted,
                  .support = counts.support,
                  .correct = counts.correct};
  const double sum = score.precision + score.recall;
  score.f1 = sum == 0 ? 0 : 2 * score.precision * score.recall / sum;
  return score;
}

packseq::detail::TagParts parts_of(std::string_view tag, std::optional<TagScheme> scheme) {
  try {
    return packseq::detail::parts_of_tag(tag, scheme);
  } catch (const std::invalid_argument& error) {
    TORCH_CHECK_VALUE(false, "SpanMetrics: ", error.what(),
                      "; build the vocabulary of tags alone, with .specials = {}");
  }
}

void check_tags(const char* name, const Jagged& tags) {
  const at::Tensor& values = tags.values();
  TORCH_CHECK_TYPE(values.scalar_type() == at::kLong, "SpanMetrics::add: ", name, " is ", values.scalar_type(),
                   ", and must be int64 (Long), an id for each token");
  TORCH_CHECK_VALUE(values.dim() == 1 && values.size(0) == tags.offsets().back(), "SpanMetrics::add: the values of ",
                    name, " have sizes ", values.sizes(), ", and must have [", tags.offsets().back(),
                    "], an id for each token: of scores take argmax");
}

void check_same_lengths(const Jagged& predicted, const Jagged& truth) {
  TORCH_CHECK_VALUE(predicted.size() == truth.size(), "SpanMetrics::add: predicted has ", predicted.size(),
                    " sequences, but truth ", truth.size());
  for (std::size_t i = 0; i + 1 < truth.offsets().size(); ++i) {
    const auto length = [i](const Jagged& tags) { return tags.offsets()[i + 1] - tags.offsets()[i]; };
    TORCH_CHECK_VALUE(length(predicted) == length(truth), "SpanMetrics::add: sequence ", i, " has ", length(predicted),
                      " predicted tags, but ", length(truth), " true ones");
  }
}

}  // namespace

struct SpanMetrics::State {
  std::optional<TagScheme> scheme;
  std::vector<Tag> tags = {};           // of each id
  std::vector<std::string> types = {};  // of each number of a type
  std::vector<SpanCounts> counts = {};  // likewise
  std::int64_t tokens = 0;
  std::int64_t right_tokens = 0;

  Tag tag_of(const char* name, std::int64_t id, std::size_t sequence, std::int64_t token) const;
  void compare(const std::vector<Tag>& predicted, const std::vector<Tag>& truth);
  SpanCounts all() const;
};

Tag SpanMetrics::State::tag_of(const char* name, std::int64_t id, std::size_t sequence, std::int64_t token) const {
  TORCH_CHECK_INDEX(id >= 0 && id < static_cast<std::int64_t>(tags.size()), "SpanMetrics::add: ", name, " has ", id,
                    " in sequence ", sequence, ", token ", token, ", and must be in 0 ... ", tags.size() - 1);
  return tags[static_cast<std::size_t>(id)];
}

void SpanMetrics::State::compare(const std::vector<Tag>& predicted, const std::vector<Tag>& truth) {
  const auto found = detail::spans_of(predicted, scheme);
  const auto wanted = detail::spans_of(truth, scheme);
  for (const Span& span : found) ++counts[span.type].predicted;
  for (const Span& span : wanted) ++counts[span.type].support;
  auto place = found.begin();
  for (const Span& span : wanted) {
    place = std::find_if(place, found.end(), [&](const Span& other) { return other.begin >= span.begin; });
    if (place != found.end() && *place == span) ++counts[span.type].correct;
  }
}

SpanCounts SpanMetrics::State::all() const {
  SpanCounts sum;
  for (const SpanCounts& of_type : counts) {
    sum.predicted += of_type.predicted;
    sum.support += of_type.support;
    sum.correct += of_type.correct;
  }
  return sum;
}

SpanMetrics::SpanMetrics(const Vocab& tags, std::optional<TagScheme> scheme)
    : state_(std::make_unique<State>(State{.scheme = scheme})) {
  auto& types = state_->types;
  for (std::int64_t id = 0; id < tags.size(); ++id) {
    const auto [letter, name] = parts_of(tags.token(id), scheme);
    const std::string_view type = name.empty() ? "_" : name;
    auto place = std::find(types.begin(), types.end(), type);
    if (letter != 'O' && place == types.end()) place = types.emplace(types.end(), type);
    state_->tags.push_back({letter, static_cast<std::size_t>(place - types.begin())});
  }
  state_->counts.resize(types.size());
}

SpanMetrics::SpanMetrics(const SpanMetrics& other) : state_(std::make_unique<State>(*other.state_)) {}

SpanMetrics& SpanMetrics::operator=(const SpanMetrics& other) {
  *state_ = *other.state_;
  return *this;
}

SpanMetrics::~SpanMetrics() = default;

void SpanMetrics::add(const Jagged& predicted, const Jagged& truth) {
  check_tags("predicted", predicted);
  check_tags("truth", truth);
  check_same_lengths(predicted, truth);
  const at::Tensor predicted_ids = predicted.values().cpu().contiguous();
  const at::Tensor true_ids = truth.values().cpu().contiguous();
  const auto* const found = predicted_ids.const_data_ptr<std::int64_t>();
  const auto* const wanted = true_ids.const_data_ptr<std::int64_t>();

  State next = *state_;  // what throws leaves the old one
  std::vector<Tag> found_tags;
  std::vector<Tag> wanted_tags;
  for (std::size_t i = 0; i + 1 < truth.offsets().size(); ++i) {
    found_tags.clear();
    wanted_tags.clear();
    const std::int64_t first = truth.offsets()[i];
    for (std::int64_t at = first; at < truth.offsets()[i + 1]; ++at) {
      if (wanted[at] == ignored_label) continue;
      found_tags.push_back(next.tag_of("predicted", found[at], i, at - first));
      wanted_tags.push_back(next.tag_of("truth", wanted[at], i, at - first));
      ++next.tokens;
      if (found[at] == wanted[at]) ++next.right_tokens;
    }
    next.compare(found_tags, wanted_tags);
  }
  *state_ = std::move(next);
}

void SpanMetrics::add(const PackedSequence& predicted, const PackedSequence& truth) {
  add(unpack_sequence(predicted), unpack_sequence(truth));
}

double SpanMetrics::token_accuracy() const { return share(state_->right_tokens, state_->tokens); }

SpanScore SpanMetrics::micro() const { return score_of(state_->all()); }

SpanScore SpanMetrics::macro() const {
  SpanScore mean = score_of(state_->all());
  mean.precision = mean.recall = mean.f1 = 0;
  const auto scores = per_type();
  const auto types = static_cast<double>(scores.size());
  for (const auto& entry : scores) {
    mean.precision += entry.second.precision / types;
    mean.recall += entry.second.recall / types;
    mean.f1 += entry.second.f1 / types;
  }
  return mean;
}

std::map<std::string, SpanScore> SpanMetrics::per_type() const {
  std::map<std::string, SpanScore> scores;
  for (std::size_t type = 0; type < state_->types.size(); ++type) {
    const SpanCounts& counts = state_->counts[type];
    if (counts.predicted + counts.support > 0) scores.emplace(state_->types[type], score_of(counts));
  }
  return scores;
}

}  // namespace packseq::data
