#include "packseq/data/span_metrics.hpp"

#include <c10/util/Exception.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "data/spans.hpp"
#include "packseq/data/documents.hpp"

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

/// Splits "B-LOC" into its prefix and its label; "_" for one without.
std::pair<char, std::string_view> parts_of(std::string_view tag, SpanCounting counting) {
  const auto prefixes = detail::known_prefixes(counting);
  const bool is_known =
      tag == "O" || (!tag.empty() && tag[0] != 'O' && prefixes.find(tag[0]) != std::string_view::npos &&
                     (tag.size() == 1 || (tag.size() > 2 && tag[1] == '-')));
  TORCH_CHECK_VALUE(is_known, "SpanMetrics: the label '", tag, "' is no tag: with this SpanCounting they are 'O', or ",
                    prefixes.substr(1), " with '-' and a label, as 'B-LOC'");
  return {tag[0], tag.size() > 2 ? tag.substr(2) : "_"};
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
  SpanCounting counting;
  std::vector<Tag> tags = {};            // of each id
  std::vector<std::string> labels = {};  // of each number of a label
  std::vector<SpanCounts> counts = {};   // likewise
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
  const auto found = detail::spans_of(predicted, counting);
  const auto wanted = detail::spans_of(truth, counting);
  for (const Span& span : found) ++counts[span.label].predicted;
  for (const Span& span : wanted) ++counts[span.label].support;
  auto place = found.begin();
  for (const Span& span : wanted) {
    place = std::find_if(place, found.end(), [&](const Span& other) { return other.begin >= span.begin; });
    if (place != found.end() && *place == span) ++counts[span.label].correct;
  }
}

SpanCounts SpanMetrics::State::all() const {
  SpanCounts sum;
  for (const SpanCounts& of_label : counts) {
    sum.predicted += of_label.predicted;
    sum.support += of_label.support;
    sum.correct += of_label.correct;
  }
  return sum;
}

SpanMetrics::SpanMetrics(const Vocab& labels, SpanCounting counting)
    : state_(std::make_unique<State>(State{.counting = counting})) {
  for (std::int64_t id = 0; id < labels.size(); ++id) {
    const auto [prefix, label] = parts_of(labels.token(id), counting);
    auto& known = state_->labels;
    auto place = std::find(known.begin(), known.end(), label);
    if (prefix != 'O' && place == known.end()) place = known.emplace(known.end(), label);
    state_->tags.push_back({prefix, static_cast<std::size_t>(place - known.begin())});
  }
  state_->counts.resize(state_->labels.size());
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
  const auto scores = per_label();
  const auto labels = static_cast<double>(scores.size());
  for (const auto& entry : scores) {
    mean.precision += entry.second.precision / labels;
    mean.recall += entry.second.recall / labels;
    mean.f1 += entry.second.f1 / labels;
  }
  return mean;
}

std::map<std::string, SpanScore> SpanMetrics::per_label() const {
  std::map<std::string, SpanScore> scores;
  for (std::size_t label = 0; label < state_->labels.size(); ++label) {
    const SpanCounts& counts = state_->counts[label];
    if (counts.predicted + counts.support > 0) scores.emplace(state_->labels[label], score_of(counts));
  }
  return scores;
}

}  // namespace packseq::data
