#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "packseq/export.hpp"
#include "packseq/sequence/jagged.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/text/tag_scheme.hpp"
#include "packseq/text/vocab.hpp"

namespace packseq::data {

/// How well spans were found. What is divided by nothing is 0, as in seqeval; conlleval gives 1 for the precision where
/// nothing is predicted.
struct SpanScore {
  double precision = 0;        ///< correct / predicted
  double recall = 0;           ///< correct / support
  double f1 = 0;               ///< Their harmonic mean.
  std::int64_t predicted = 0;  ///< Spans in the predicted tags,
  std::int64_t support = 0;    ///< in the true ones,
  std::int64_t correct = 0;    ///< and in both: of the same first and last token, and the same type.
};

/// Compares predicted with true tags, "B-LOC" or "O", batch by batch, by the spans that they mark.
///
/// Spans are counted in one of two ways. A tag *continues* a span if it is I or E, and the tag before it is B or I of
/// the same type.
/// - *Lenient*, without a scheme: whatever a tagger writes is a span, well formed or not; a tag that is not "O" and
///   continues none begins one. For IOB1, IOB2 and IOBES; equal to seqeval 1.2.2's default, which is that of conlleval.
/// - *Strict*, by a scheme: only what is well formed is a span, equal to seqeval 1.2.2's `mode="strict"` with that
///   scheme. `TagScheme::iob2`: B and all that continue it. `iobes`: S, or B, any number of I, and E. `iob1`: B begins
///   a span only behind a tag of the same type, I any that it does not continue; so a span of B alone is none before a
///   B of another type, and after a B that begins none, I begins one.
/// @code
/// const auto tags = packseq::Vocab::build({"O B-LOC I-LOC"}, {.specials = {}});
/// packseq::data::SpanMetrics metrics(tags);
/// const packseq::Jagged truth = {torch::tensor({1, 2, 0}), torch::tensor({0, 1})};       // B-LOC I-LOC O, O B-LOC
/// const packseq::Jagged predicted = {torch::tensor({1, 2, 0}), torch::tensor({1, 0})};   // B-LOC I-LOC O, B-LOC O
/// metrics.add(predicted, truth);
/// const double f1 = metrics.micro().f1;              // .5
/// const double accuracy = metrics.token_accuracy();   // .6
/// packseq::data::SpanMetrics strict(tags, packseq::TagScheme::iob2);
/// @endcode
class PACKSEQ_EXPORT SpanMetrics {
 public:
  /// Tags are ids in this vocabulary, as of `build_labels`. Tags without a type are of the type "_".
  /// @throws c10::ValueError that names it, if one is not of the scheme or, without one, of any: build the vocabulary
  ///   of tags alone, with `.specials = {}`.
  explicit SpanMetrics(const Vocab& tags, std::optional<TagScheme> scheme = {});

  SpanMetrics(const SpanMetrics& other);             ///< The copy goes on by itself.
  SpanMetrics& operator=(const SpanMetrics& other);  ///< Likewise.
  ~SpanMetrics();

  /// Adds sequences of tags, values int64 [N], on any device. Tokens whose true tag is `ignored_label` are passed over,
  /// as if the sequence were without them. If it throws, nothing is added.
  /// @throws c10::TypeError if `predicted` or `truth` is not int64.
  /// @throws c10::ValueError if one of them is not [N], or they differ in the lengths of their sequences.
  /// @throws c10::IndexError that names sequence and token, if a tag is not in 0 ... tags.size() - 1.
  void add(const Jagged& predicted, const Jagged& truth);

  /// The same for packed batches, each in any layout.
  /// @throws c10::ValueError or c10::TypeError if a batch is malformed (see `lengths`). Otherwise as above.
  void add(const PackedSequence& predicted, const PackedSequence& truth);

  /// The share of tokens whose predicted tag is the true one; 0 if there are none.
  double token_accuracy() const;

  /// Of all spans.
  SpanScore micro() const;

  /// The means of precision, recall and F1 over the types that have a span, predicted or true; 0 if none has. Counts
  /// are those of all spans.
  SpanScore macro() const;

  /// Of the spans of each type that has one, predicted or true.
  std::map<std::string, SpanScore> per_type() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace packseq::data
