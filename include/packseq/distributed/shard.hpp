#pragma once

#include <ATen/core/Tensor.h>
#include <torch/data/samplers/base.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "packseq/data/batch_sampler.hpp"
#include "packseq/data/text_stream.hpp"
#include "packseq/distributed/communicator.hpp"
#include "packseq/export.hpp"

namespace packseq::distributed {

/// One rank's documents of a global batch; it may have none. Datasets take it for a list of documents; those that make
/// something of an empty one are `data::DocumentDataset` and `data::EncodeDataset`.
template <class Document>
struct Part {
  std::vector<Document> documents = {};  ///< Indices into a dataset, or documents themselves.

  /// LibTorch's data loader refuses a request of size 0, and asks for the size to no other end.
  std::size_t size() const { return std::max<std::size_t>(documents.size(), 1); }

  /// What a dataset's `get_batch` takes.
  operator at::ArrayRef<Document>() const { return documents; }  // NOLINT(google-explicit-constructor)

  /// Likewise.
  operator std::vector<Document>() && { return std::move(documents); }  // NOLINT(google-explicit-constructor)
};

/// Gives each rank its part of every global batch, which a sampler of all ranks makes: a `data::BatchSampler` or a
/// `data::TextStream`.
///
/// A batch is dealt by tokens, not by documents: the longest document first, each to the rank with the fewest tokens so
/// far (Graham, Bounds on Multiprocessing Timing Anomalies, 1969). Global batches, their number and their order do not
/// depend on the number of ranks, nor does the place at which training goes on; every document comes once in an epoch.
/// A rank that gets no document of a batch still gets a batch, of one document without tokens (see
/// `data::DocumentDataset` and `data::EncodeDataset`), so that all ranks take the same steps. Its `documents` is -1: no
/// row for `index_copy_`.
///
/// A sampler for LibTorch's data loader like the one that it is made of, of which it is a copy. In each epoch the first
/// global batch is compared between the ranks, so each must begin as many epochs as the others. A difference further
/// on, in the text or in `tokens`, is not noticed: ranks that have not the same number of batches wait for each other.
/// @code
/// packseq::distributed::Alone ranks;   // or an MpiCommunicator
/// const packseq::data::BatchSampler sampler(ids.lengths(), packseq::data::FixedSize{.batch_size = 64}, {.seed = 1});
/// auto loader = torch::data::make_data_loader(packseq::data::DocumentDataset({ids}).map(packseq::data::Pack()),
///                                             packseq::distributed::Shard(sampler, ranks),
///                                             torch::data::DataLoaderOptions().workers(2));
/// for (const auto& batch : *loader) lstm->forward(packseq::map(batch.input, embedding));
/// @endcode
template <class Sampler>
class PACKSEQ_EXPORT Shard
    : public torch::data::samplers::Sampler<Part<typename Sampler::BatchRequestType::value_type>> {
 public:
  /// An index into a dataset, or a `data::TextDocument`.
  using Document = typename Sampler::BatchRequestType::value_type;

  /// Tells how long a document is.
  using Tokens = std::function<std::int64_t(const Document&)>;

  /// The communicator must outlive the sampler. `tokens` tells how long a document is, not less than 0; the same on
  /// every rank. Without it that is its length for a `BatchSampler`, and its bytes for a `TextStream`, whose documents
  /// are split into tokens later, and only by the rank that gets them.
  Shard(Sampler sampler, Communicator& communicator, Tokens tokens = {});

  /// Begins the next epoch; the first call begins at the start. Called by the loader.
  /// The same conditions throw as in the sampler of all ranks.
  void reset(std::optional<std::size_t> new_size = {}) override;

  /// This rank's documents of the next global batch, or nothing at the end of the epoch. Called by the loader.
  /// @throws c10::ValueError on every rank, if the ranks have not the same global batch at the beginning of an epoch.
  /// @throws c10::ValueError if `tokens` of a document is negative. Otherwise as the sampler of all ranks.
  std::optional<Part<Document>> next(std::size_t batch_size = 1) override;

  /// @throws c10::NotImplementedError always, as the sampler of all ranks.
  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive) override;  ///< Likewise.

 private:
  Sampler sampler_;
  Communicator& communicator_;
  Tokens tokens_;
  bool compared_ = false;  // the first global batch of this epoch
};

extern template class Shard<data::BatchSampler>;
extern template class Shard<data::TextStream>;

}  // namespace packseq::distributed
