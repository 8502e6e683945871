#pragma once

#include <ATen/core/Tensor.h>
#include <torch/data/datasets/base.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "packseq/data/text_reader.hpp"
#include "packseq/export.hpp"
#include "packseq/sequence/jagged.hpp"
#include "packseq/text/vocab.hpp"

namespace packseq::data {

/// The label of a document or token that has none to learn, as in LibTorch's losses, whose default `ignore_index` it
/// is.
inline constexpr std::int64_t ignored_label = -100;

/// B documents of N tokens, or any other sequences of steps: all of a dataset, or a batch of them. Everything that is
/// set belongs to the same documents, and may be of any dtype.
/// @code
/// const packseq::Jagged movements = {torch::rand({30, 3}), torch::rand({20, 3})};   // 30 and 20 steps in space,
/// const packseq::Jagged steep = {torch::rand({30}), torch::rand({20})};             // and what is to be told of each
/// const packseq::data::Documents walks = {.sequences = movements, .token_labels = steep};
/// @endcode
struct Documents {
  using value_type = Documents;             ///< LibTorch's `map` asks for it, though it has no use for it.
  Jagged sequences;                         ///< The tokens: ids [N], or numbers of each, [N, *].
  at::Tensor labels = {};                   ///< One for each document, [B] or [B, *]; undefined where there are none.
  std::optional<Jagged> token_labels = {};  ///< One for each token, [N] or [N, *]; of the lengths of `sequences`.
  std::vector<Jagged> features = {};        ///< More about each token, as its part of speech; each of those lengths.
  /// Which documents of a dataset or of files these are, int64 [B] on the CPU, counted from 0; undefined where they are
  /// all of them, in order.
  at::Tensor documents = {};
};

/// Reads all documents of some files into memory, or all sentences of column files. Labels, of documents or of tokens,
/// are looked up in `labels`.
/// @throws c10::ValueError that names file and line, if a word or a label is not in its vocabulary and that has no
///   unknown token.
/// @throws c10::ValueError if there is no document, or only one of the documents and `labels` has labels.
/// @throws std::invalid_argument or std::runtime_error as `TextReader` and its `next`.
/// @code
/// const std::vector<std::filesystem::path> files = {"spam.txt", "ham.txt"};
/// const packseq::data::TextReaderOptions text = {.label = packseq::data::LabelSource::file};
/// const auto vocab = packseq::data::build_vocab(files, text);
/// const auto labels = packseq::data::build_labels(files, text);
/// const auto documents = packseq::data::read_documents(files, text, vocab, labels);
///
/// const packseq::data::TextReaderOptions columns = {.token_columns = {{.word = 1, .label = 4}}};
/// const auto words = packseq::data::build_vocab({"tagged.conll"}, columns);
/// const auto tags = packseq::data::build_labels({"tagged.conll"}, columns);
/// const auto sentences = packseq::data::read_documents({"tagged.conll"}, columns, words, tags);   // token_labels
/// @endcode
PACKSEQ_EXPORT Documents read_documents(const std::vector<std::filesystem::path>& files, const TextReaderOptions& text,
                                        const Vocab& vocab, const std::optional<Vocab>& labels = {});

/// Some of the documents, in the order of `indices`; one may come several times. They keep their numbers, `documents`;
/// where there are none, `indices` become those.
/// @throws c10::ValueError if `indices` is empty.
/// @throws c10::IndexError if an index is not in 0 ... B - 1.
/// @throws c10::ValueError if `labels` has not B rows, or token labels or features have not the lengths of `sequences`.
/// @throws c10::TypeError if `labels` is sparse or nested, or token labels or features are on another device than
///   `sequences`.
/// @throws c10::TypeError if `documents.documents` is not int64 on the CPU.
/// @throws c10::ValueError if `documents.documents` is not [B].
/// @throws c10::ValueError if values were resized since their `Jagged` was made.
/// @throws c10::TypeError if values or labels with a gradient are of float8, whose rows are moved as bits.
/// @code
/// const auto last_and_first = packseq::data::select({ids}, {2, 0});   // sequences 6 1 2 3, documents 2 0
/// @endcode
PACKSEQ_EXPORT Documents select(const Documents& documents, at::ArrayRef<std::size_t> indices);

/// Two random parts of all documents, of about `fraction` and the rest, the same for a seed: one to train, one to test.
/// Those of a part stay in order, and keep their numbers, as by `select`.
/// @throws c10::ValueError if `fraction` is not in 0 ... 1, or a part would be empty. Otherwise as `select`.
/// @code
/// const auto [training, test] = packseq::data::split({ids}, .5, 1);
/// @endcode
PACKSEQ_EXPORT std::pair<Documents, Documents> split(const Documents& documents, double fraction, std::uint64_t seed);

/// Documents in memory, for LibTorch's data loader. Copies, as each background worker has one, share the documents.
/// @code
/// packseq::data::DocumentDataset dataset({ids});
/// packseq::data::BatchSampler sampler(ids.lengths(), packseq::data::Bucketed{.batch_size = 64});
/// auto loader = torch::data::make_data_loader(dataset.map(packseq::data::Pack()), std::move(sampler),
///                                             torch::data::DataLoaderOptions().workers(2));
/// for (const auto& batch : *loader) lstm->forward(packseq::map(batch.input, embedding));
/// @endcode
class PACKSEQ_EXPORT DocumentDataset : public torch::data::datasets::BatchDataset<DocumentDataset, Documents> {
 public:
  /// The same conditions throw as in `select`.
  explicit DocumentDataset(Documents documents);

  /// `select` of these documents; the same conditions throw. `documents` are their places in this dataset, also where
  /// it holds a part of others: the numbers there are `part.documents.index_select(0, batch.documents)`.
  ///
  /// Of none, for a process that has no document of a batch, one without tokens, which runs through networks; its
  /// number in `documents` is -1. Labels of signed integers are then `ignored_label`, which cross_entropy and
  /// nll_loss pass over. Those of floating point are NaN and others 0, which no loss passes over: give it the rows
  /// alone of which `documents >= 0` is true.
  Documents get_batch(at::ArrayRef<std::size_t> indices) override;

  /// The number of documents.
  std::optional<std::size_t> size() const override;

 private:
  std::shared_ptr<const Documents> documents_;
};

}  // namespace packseq::data
