#pragma once

#include <torch/data/datasets/base.h>
#include <torch/data/samplers/base.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "packseq/data/batch_sampler.hpp"
#include "packseq/data/documents.hpp"
#include "packseq/data/text_reader.hpp"
#include "packseq/export.hpp"

namespace packseq::data {

/// How a stream shuffles and batches documents.
struct TextStreamOptions {
  std::int64_t batch_size = 64;  ///< Documents in a batch.
  /// Documents held in memory, of which each next one is drawn at random; 1 keeps the order of the files. The larger,
  /// the better documents that lie far apart are mixed. Files that are sorted need about as many as they hold.
  std::int64_t shuffle_buffer = 10'000;
  std::uint64_t seed = 0;  ///< As in `BatchSamplerOptions`.
  Position start = {};     ///< Likewise; documents up to there are read and passed over.
};

/// Batches of documents from files that may be larger than memory, one pass through the files in an epoch.
///
/// A sampler for LibTorch's data loader, with `EncodeDataset`: the loader's caller reads, in an order that does not
/// depend on workers, and workers split and encode. Otherwise as `BatchSampler`.
/// @code
/// const std::vector<std::filesystem::path> files = {"spam.txt", "ham.txt"};
/// const packseq::data::TextReaderOptions text = {.label = packseq::data::LabelSource::file};
/// const auto vocab = packseq::data::build_vocab(files, text);
/// const auto labels = packseq::data::build_labels(files, text);
/// packseq::data::TextStream stream(files, text, {.batch_size = 64, .seed = 1});
/// auto loader = torch::data::make_data_loader(packseq::data::EncodeDataset(vocab, labels).map(packseq::data::Pack()),
///                                             std::move(stream), torch::data::DataLoaderOptions().workers(2));
/// for (const auto& batch : *loader) std::cout << batch.target.sizes() << '\n';
/// @endcode
class PACKSEQ_EXPORT TextStream : public torch::data::samplers::Sampler<std::vector<TextDocument>> {
 public:
  /// @throws c10::ValueError if `options.batch_size` or `options.shuffle_buffer` is less than 1, or `options.start` is
  ///   negative.
  /// @throws std::invalid_argument or std::runtime_error as `TextReader`.
  TextStream(const std::vector<std::filesystem::path>& files, const TextReaderOptions& text,
             const TextStreamOptions& options = {});

  /// Begins the next epoch; the first call begins at the start. Called by the loader.
  /// @throws c10::ValueError if `new_size` is set, the files hold no document, or the epoch of `options.start` has
  ///   fewer batches. Otherwise as `TextReader::next`.
  void reset(std::optional<std::size_t> new_size = {}) override;

  /// The documents of the next batch, or nothing at the end of the files. Called by the loader.
  /// @throws c10::ValueError if the loader's `batch_size` is not 1. Otherwise as `TextReader::next`.
  std::optional<std::vector<TextDocument>> next(std::size_t batch_size = 1) override;

  /// @throws c10::NotImplementedError always, as `BatchSampler`.
  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive) override;  ///< Likewise.

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Splits and encodes the documents that a `TextStream` reads. Copies share the vocabularies.
/// @code
/// packseq::data::EncodeDataset dataset(vocab);
/// const auto batch = dataset.get_batch({{.text = "get set"}, {.text = "go"}});   // ids 4 5 6, lengths 2 1
/// @endcode
class PACKSEQ_EXPORT EncodeDataset
    : public torch::data::datasets::BatchDataset<EncodeDataset, Documents, std::vector<TextDocument>> {
 public:
  /// Labels, where documents or the tokens of sentences have them, are looked up in `labels`.
  explicit EncodeDataset(Vocab vocab, std::optional<Vocab> labels = {});

  /// What `read_documents` makes of these documents, with their numbers as `documents` if all of them have one; the
  /// same conditions throw. Of none, one document without tokens, as `DocumentDataset::get_batch`; with `labels`, it
  /// has both a label and labels of its tokens.
  /// @throws c10::ValueError if some of the documents are sentences of column files, and others are not, or a
  ///   sentence has not as many labels as words.
  Documents get_batch(std::vector<TextDocument> documents) override;

  /// Nothing: how many documents there are is not known before they are read.
  std::optional<std::size_t> size() const override;

 private:
  Vocab vocab_;
  std::optional<Vocab> labels_;
};

}  // namespace packseq::data
