#include "packseq/data/documents.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <utility>

#include "data/check_documents.hpp"
#include "data/encode_text.hpp"
#include "data/gather.hpp"
#include "data/nothing_to_learn.hpp"
#include "data/shuffle.hpp"

namespace packseq::data {
namespace {

std::size_t bytes_of(const TextDocument& document) {
  return sizeof(document) + document.text.size() + document.label.size();
}

/// The next documents, of about so many bytes; none at the end.
std::vector<TextDocument> read_block(TextReader& reader, std::size_t bytes) {
  std::vector<TextDocument> block;
  for (std::size_t read = 0; read < bytes; read += bytes_of(block.back())) {
    auto document = reader.next();
    if (!document) break;
    block.push_back(*std::move(document));
  }
  return block;
}

/// A tensor of each block, one behind the other.
template <class Part>
at::Tensor concatenated(const std::vector<Documents>& blocks, const Part& part) {
  std::vector<at::Tensor> parts;
  for (const Documents& block : blocks) parts.push_back(part(block));
  return at::cat(parts);
}

/// The sequences of all blocks.
template <class Part>
Jagged joined(const std::vector<Documents>& blocks, const Part& part) {
  return Jagged::from_values(concatenated(blocks, [&](const Documents& block) { return part(block).values(); }),
                             concatenated(blocks, [&](const Documents& block) { return part(block).lengths(); }));
}

/// In memory as it reads, so that a batch can be copied from it.
Jagged contiguous(const Jagged& jagged) {
  return jagged.values().is_contiguous() ? jagged : Jagged::from_values(jagged.values().contiguous(), jagged.lengths());
}

at::Tensor numbers(at::ArrayRef<std::size_t> indices) {
  at::Tensor numbers = at::empty({static_cast<std::int64_t>(indices.size())}, at::kLong);
  std::copy(indices.begin(), indices.end(), numbers.mutable_data_ptr<std::int64_t>());
  return numbers;
}

/// `select` without a look at the lengths of each document's parts, which never change once a dataset has seen them;
/// its numbers are the places among these documents.
Documents some_of(const Documents& documents, at::ArrayRef<std::size_t> indices) {
  detail::check_parts("select", documents);
  TORCH_CHECK_VALUE(!indices.empty(), "select: indices is empty: a batch has at least one document");
  const auto size = static_cast<std::size_t>(documents.sequences.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    TORCH_CHECK_INDEX(indices[i] < size, "select: indices[", i, "] is ", indices[i], ", and must be in 0 ... ",
                      size - 1);
  }
  Documents some{.sequences = detail::gather(documents.sequences, indices),
                 .labels = detail::gather(documents.labels, indices),
                 .documents = numbers(indices)};
  if (documents.token_labels) some.token_labels = detail::gather(*documents.token_labels, indices);
  for (const Jagged& feature : documents.features) some.features.push_back(detail::gather(feature, indices));
  return some;
}

}  // namespace

Documents read_documents(const std::vector<std::filesystem::path>& files, const TextReaderOptions& text,
                         const Vocab& vocab, const std::optional<Vocab>& labels) {
  constexpr std::size_t block_bytes = 32 << 20;  // of text in memory at a time, beside the ids
  TextReader reader(files, text);
  std::vector<Documents> blocks;
  for (auto block = read_block(reader, block_bytes); !block.empty(); block = read_block(reader, block_bytes)) {
    blocks.push_back(detail::encode_text(block, vocab, labels));
  }
  TORCH_CHECK_VALUE(!blocks.empty(), "read_documents: no document in ", files.size(), " files, the first of them ",
                    files.front().string());
  Documents all{.sequences = joined(blocks, [](const Documents& block) { return block.sequences; })};
  if (!labels) return all;
  if (blocks.front().token_labels) {
    all.token_labels = joined(blocks, [](const Documents& block) { return *block.token_labels; });
  } else {
    all.labels = concatenated(blocks, [](const Documents& block) { return block.labels; });
  }
  return all;
}

Documents select(const Documents& documents, at::ArrayRef<std::size_t> indices) {
  Documents some = some_of(documents, indices);
  if (documents.documents.defined()) some.documents = detail::gather(documents.documents, indices);
  detail::check_lengths("select", documents, indices);
  return some;
}

std::pair<Documents, Documents> split(const Documents& documents, double fraction, std::uint64_t seed) {
  TORCH_CHECK_VALUE(fraction >= 0 && fraction <= 1, "split: fraction is ", fraction, ", and must be in 0 ... 1");
  std::vector<std::size_t> order(static_cast<std::size_t>(documents.sequences.size()));
  const auto first = static_cast<std::size_t>(std::llround(fraction * static_cast<double>(order.size())));
  TORCH_CHECK_VALUE(first > 0 && first < order.size(), "split: fraction is ", fraction, ", which of ", order.size(),
                    " documents leaves one part empty");
  std::iota(order.begin(), order.end(), 0);
  detail::EpochRandom(seed, 0).shuffle(order);
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(first);
  // What is random is where a document goes; in its part it stays among its neighbours.
  std::sort(order.begin(), middle);
  std::sort(middle, order.end());
  const at::ArrayRef<std::size_t> all(order);
  return {select(documents, all.slice(0, first)), select(documents, all.slice(first))};
}

DocumentDataset::DocumentDataset(Documents documents) {
  detail::check_documents("DocumentDataset", documents);
  // Else each batch would be gathered row by row.
  documents.sequences = contiguous(documents.sequences);
  if (documents.token_labels) documents.token_labels = contiguous(*documents.token_labels);
  for (Jagged& feature : documents.features) feature = contiguous(feature);
  if (documents.labels.defined()) documents.labels = documents.labels.contiguous();
  documents_ = std::make_shared<const Documents>(std::move(documents));
}

Documents DocumentDataset::get_batch(at::ArrayRef<std::size_t> indices) {
  return indices.empty() ? detail::nothing_to_learn(*documents_) : some_of(*documents_, indices);
}

std::optional<std::size_t> DocumentDataset::size() const {
  return static_cast<std::size_t>(documents_->sequences.size());
}

}  // namespace packseq::data
