#pragma once

#include <ATen/core/Tensor.h>
#include <torch/data/samplers/base.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "packseq/export.hpp"

namespace packseq::data {

/// A place in training: so many batches of this epoch are done.
struct Position {
  std::int64_t epoch = 0;    ///< Counted from 0.
  std::int64_t batches = 0;  ///< Those of the epoch that are done.
};

/// The same number of documents in every batch, the last one excepted; in random order, or in order.
struct FixedSize {
  std::int64_t batch_size;  ///< Documents in a batch.
};

/// The same number of documents in every batch, one of them excepted; those of a batch are of like length, so that
/// padding them wastes little.
///
/// All documents are shuffled; each run of `batches_per_bucket` batches is sorted by length and cut into batches; then
/// the batches are shuffled. The method is that of torchtext's BucketIterator, but that the batch of fewer documents is
/// any one of the last run, else it would always hold the longest. In order, nothing is shuffled: the first
/// `batches_per_bucket` batches hold the first documents, those of like length together, and so on.
struct Bucketed {
  std::int64_t batch_size;                ///< Documents in a batch.
  std::int64_t batches_per_bucket = 100;  ///< The more, the liker the lengths, and the less random the batches.
  bool short_last = false;                ///< Let the batch of fewer documents come last, as it does in order.
};

/// What counts as a batch's tokens.
enum class TokenCount {
  packed,  ///< The tokens of its documents.
  padded,  ///< Its longest document times the number of its documents.
};

/// As many documents in a batch as fit a number of tokens. In random order, or in order, if tokens are counted packed,
/// since then nothing is gained by another one; else bucketed, each bucket of `documents_per_bucket` documents. Empty
/// documents take no room, but no batch has more than `max_tokens` documents.
struct TokenBudget {
  std::int64_t max_tokens;                ///< The budget.
  TokenCount count = TokenCount::packed;  ///< What counts as a token.
  /// Let a document that is longer than the budget have a batch of its own; else it is refused.
  bool longer_alone = false;
  std::int64_t documents_per_bucket = 10'000;  ///< Where tokens are counted padded.
};

/// How documents are dealt to batches.
using Batching = std::variant<FixedSize, Bucketed, TokenBudget>;

/// How a sampler shuffles, and where it begins.
struct BatchSamplerOptions {
  std::uint64_t seed = 0;  ///< Each epoch has its own order, which depends on the seed and on nothing else.
  Position start = {};     ///< To go on where training was interrupted.
  /// If not set, all epochs are the same, and documents come in the dataset's order; where they are bucketed, those of
  /// a bucket come shortest first. Which ones a batch holds, its `documents` tell.
  bool shuffle = true;
};

/// Deals the documents of a dataset to batches, each document once in every epoch, for LibTorch's data loader.
///
/// A loader takes the sampler and begins an epoch each time that its `begin` is called: at `options.start`, and then
/// those after it. Leave the loader's own `batch_size` at 1; so its `drop_last` can drop nothing. Copies are one
/// sampler: who keeps one can ask it about the epoch that the loader runs. Only one thread may use them at a time.
/// @code
/// packseq::data::BatchSampler sampler(ids.lengths(), packseq::data::TokenBudget{.max_tokens = 4096}, {.seed = 1});
/// std::cout << sampler.batches() << " batches, " << sampler.fill() << " of a padded one are tokens\n";
///
/// // To predict: the dataset's own order is as good as any, unless batches are to be padded.
/// packseq::data::BatchSampler in_order(ids.lengths(), packseq::data::FixedSize{64}, {.shuffle = false});
/// @endcode
class PACKSEQ_EXPORT BatchSampler : public torch::data::samplers::Sampler<> {
 public:
  /// `lengths` is int64 [B] on the CPU.
  /// @throws c10::TypeError if `lengths` is not dense int64 on the CPU.
  /// @throws c10::ValueError if `lengths` is undefined, is not of one dimension, is empty, or has a negative entry.
  /// @throws c10::ValueError if a number of `batching` is less than 1.
  /// @throws c10::ValueError that names the document, if one is longer than a token budget, unless that lets it stand
  ///   alone.
  /// @throws c10::ValueError if `options.start` is negative or beyond the batches of its epoch.
  BatchSampler(const at::Tensor& lengths, const Batching& batching, const BatchSamplerOptions& options = {});

  /// The number of batches in the epoch that runs, or comes first.
  std::int64_t batches() const;

  /// The length of a document.
  /// @throws c10::IndexError if `document` is not one of the `lengths`.
  std::int64_t length(std::size_t document) const;

  /// The tokens of that epoch over the cells of its batches if they are padded, 0 ... 1; 1 if there are none.
  double fill() const;

  /// Begins the next epoch; the first call begins at the start. Called by the loader.
  /// @throws c10::ValueError if `new_size` is set and not the number of documents.
  void reset(std::optional<std::size_t> new_size = {}) override;

  /// The documents of the next batch, or nothing at the end of the epoch. Called by the loader.
  /// @throws c10::ValueError if the loader's `batch_size` is not 1.
  std::optional<std::vector<std::size_t>> next(std::size_t batch_size = 1) override;

  /// LibTorch's way to store a sampler is refused: a loader with workers has fetched ahead of what training has seen.
  /// Keep a `Checkpoint` and rebuild the sampler from its position.
  /// @throws c10::NotImplementedError always.
  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive) override;  ///< Likewise.

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace packseq::data
