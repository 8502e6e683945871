#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>

#include "packseq/engine/supports.hpp"
#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/text/tag_scheme.hpp"
#include "packseq/text/vocab.hpp"

namespace packseq::nn {

namespace detail {
class ForbiddenTags;
}

/// What becomes of the log-likelihoods of a batch's documents; the names are pytorch-crf's.
enum class Reduction {
  none,        ///< One for each document, [B].
  sum,         ///< Their sum.
  mean,        ///< Their mean over documents.
  token_mean,  ///< Their sum over the number of tokens; NaN where there is none.
};

/// What a CRF is over.
struct PACKSEQ_EXPORT CRFOptions {
  /// Tags 0 ... `count` - 1, each of which may follow each.
  CRFOptions(std::int64_t count) : num_tags(count) {}  // NOLINT(google-explicit-constructor)

  /// The tags of a vocabulary, which follow each other as `rules` allow.
  CRFOptions(const Vocab& names, TagScheme rules) : num_tags(names.size()), tags(names), scheme(rules) {}

  std::int64_t num_tags;                 ///< K
  std::optional<Vocab> tags = {};        ///< The tags' names, in the order of ids; where there is a scheme.
  std::optional<TagScheme> scheme = {};  ///< What forbids transitions; without it, nothing does.
};

/// The best tags of a batch.
struct Decoded {
  PackedSequence tags;  ///< Of every token, data int64 [N], in the layout of the scores.
  at::Tensor scores;    ///< Of each document's tags, [B], in the caller's order.
};

/// A linear-chain conditional random field over packed batches: what stands behind a network that scores each token's
/// tags, so that whole sequences of tags are learned and found. K is the number of tags.
///
/// A sequence of tags has the score start[y_1] + sum of scores[t, y_t] + sum of transitions[y_(t - 1), y_t] + end[y_T];
/// its likelihood is e^score over the sum of e^score of all sequences (Lafferty, McCallum and Pereira, 2001). The
/// parameters, their names, sizes, initial range and meaning are those of pytorch-crf 0.7.2, so that weights move both
/// ways. A document without tokens has one sequence of tags, the empty one, of score 0 and log-likelihood 0.
///
/// Scores and parameters may be -infinity, which forbids. NaN and +infinity make the log-likelihood, marginals and
/// gradients of their document NaN, and of no other (the parameters' gradients are of all documents together); `decode`
/// refuses them. NaN is also the log-likelihood of a document of which all sequences are forbidden.
///
/// On a CPU kernels of packseq run it, over real tokens alone. They compute in the dtype of the scores, float or
/// double; with scores of bfloat16 in float, and round results and gradients to bfloat16 at the end. What they make of
/// a document is the same, to the bit, in any batch and on any number of threads. They count the scores of a document
/// from the best ones of each step, so that long documents lose no digits. LibTorch's operators run the rest, and
/// second derivatives. As with LibTorch's modules, many threads may run one CRF at once as long as none changes it.
/// @code
/// const std::vector<std::string> spans = {"B-PER I-PER O", "O O", "O"};
/// const auto labels = packseq::Vocab::build(spans, {.specials = {}});       // O, B-PER, I-PER
/// const auto tags = packseq::pack_sequence(packseq::encode(spans, labels));
///
/// packseq::nn::CRF crf(labels, packseq::TagScheme::iob2);
/// packseq::nn::Linear linear(5, labels.size());
/// const auto scores = linear->forward(output);              // of an LSTM: data [6, 5] to [6, 3]
/// const auto loss = -crf->log_likelihood(scores, tags, packseq::nn::Reduction::token_mean);
/// loss.backward();
/// const auto best = crf->decode(scores);                    // best.tags.data() [6], best.scores [3]
/// const auto probabilities = crf->marginals(scores);        // data [6, 3]
/// @endcode
class PACKSEQ_EXPORT CRFImpl : public torch::nn::Module {
 public:
  /// @throws c10::ValueError if `of.num_tags` is less than 1: where there is a vocabulary, if it is empty.
  /// @throws c10::ValueError if it is not the vocabulary's size, or there is a scheme and no vocabulary.
  /// @throws c10::ValueError if a tag of the vocabulary is not of the scheme, as "<pad>": build it with
  ///   `.specials = {}`.
  explicit CRFImpl(const CRFOptions& of);

  /// The same, of the tags of a vocabulary.
  CRFImpl(const Vocab& tags, TagScheme scheme) : CRFImpl(CRFOptions(tags, scheme)) {}

  /// The log-likelihood of `tags`, int64 or int32 [N], under `scores`, [N, K]: to be made as large as can be. The
  /// gradient can be differentiated again.
  ///
  /// The default is pytorch-crf's. Tags that the scheme forbids cannot be learned, and are refused; where scores or
  /// parameters of -infinity forbid them, their log-likelihood is -infinity.
  /// @throws c10::ValueError or c10::TypeError if a batch is malformed (see `lengths`).
  /// @throws c10::ValueError if the data of `scores` is not [N, K], or that of `tags` not [N].
  /// @throws c10::ValueError if the two differ in `batch_sizes` or in the order of their documents.
  /// @throws c10::TypeError if `scores` differs from the parameters in dtype or device; under autocast, floating-point
  ///   numbers may, and are brought to the parameters' dtype.
  /// @throws c10::TypeError if `tags` is neither int64 nor int32, or not on the parameters' device.
  /// @throws c10::IndexError if a tag is not in 0 ... K - 1.
  /// @throws c10::ValueError if the scheme forbids a document's tags.
  /// @throws c10::ValueError if parameters were given other sizes, or `engine` is `Choice::fused` and the kernels do
  ///   not run this.
  at::Tensor log_likelihood(const PackedSequence& scores, const PackedSequence& tags,
                            Reduction reduction = Reduction::sum);

  /// The tags of the highest score, by the algorithm of Viterbi (1967); of several the one whose last tag is smallest,
  /// then the one before it, and so on. Gradients do not flow.
  ///
  /// Where all sequences of a document are forbidden its score is -infinity, and its tags say nothing.
  /// @throws c10::ValueError if a score or a parameter is NaN or +infinity. Otherwise as `log_likelihood`.
  Decoded decode(const PackedSequence& scores);

  /// The probability of each tag for each token, given all of its document's scores: data [N, K]. That is the gradient
  /// of the normaliser's logarithm by the scores (the forward-backward algorithm). Gradients flow, also twice.
  ///
  /// Throws as `log_likelihood`.
  PackedSequence marginals(const PackedSequence& scores);

  /// Draws all parameters anew, uniformly from -0.1 ... 0.1.
  void reset_parameters();

  /// A deep copy, of this class.
  std::shared_ptr<torch::nn::Module> clone(const std::optional<at::Device>& device = {}) const override;

  /// Writes what it is, and the number of tags.
  void pretty_print(std::ostream& stream) const override;

  const CRFOptions options;      ///< What it was made with.
  at::Tensor start_transitions;  ///< The score of each tag as a document's first, [K].
  at::Tensor end_transitions;    ///< The score of each tag as a document's last, [K].
  at::Tensor transitions;        ///< In row i and column j the score of tag j behind tag i, [K, K].

  /// Who runs it. The kernels' results differ from LibTorch's by rounding alone.
  packseq::engine::Choice engine = packseq::engine::Choice::automatic;

 private:
  std::shared_ptr<const detail::ForbiddenTags> forbidden_;
};

/// A module holder for `CRFImpl`: a shared pointer with constructors and `operator()`.
TORCH_MODULE(CRF);

}  // namespace packseq::nn
