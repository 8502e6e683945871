#include "packseq/data/documents.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>

#include "data/encode_text.hpp"
#include "data/nothing_to_learn.hpp"
#include "data/shuffle.hpp"

namespace packseq::data {
namespace {

void check_ids(const char* function, const Documents& documents) {
  const at::Tensor& ids = documents.ids.values();
  TORCH_CHECK_TYPE(ids.scalar_type() == at::kLong && ids.is_cpu(), function, ": ids is ", ids.scalar_type(), " on ",
                   ids.device(), ", and must be int64 (Long) on cpu");
  // Both are true of every Jagged of ids until somebody resizes its values.
  TORCH_CHECK_VALUE(ids.dim() == 1 && ids.size(0) == documents.ids.offsets().back(), function,
                    ": the values of ids have sizes ", ids.sizes(), ", and must have [", documents.ids.offsets().back(),
                    "]");
}

void check_labels(const char* function, const Documents& documents) {
  const at::Tensor& labels = documents.labels;
  if (!labels.defined()) return;
  TORCH_CHECK_TYPE(labels.scalar_type() == at::kLong && labels.is_cpu(), function, ": labels is ", labels.scalar_type(),
                   " on ", labels.device(), ", and must be int64 (Long) on cpu");
  TORCH_CHECK_VALUE(labels.dim() == 1 && labels.size(0) == documents.ids.size(), function, ": labels has sizes ",
                    labels.sizes(), ", and must have [", documents.ids.size(), "], a label for each document");
}

/// The next documents, of about so many bytes; none at the end.
std::vector<TextDocument> read_block(TextReader& reader, std::size_t bytes) {
  std::vector<TextDocument> block;
  for (std::size_t read = 0; read < bytes; read += sizeof(TextDocument) + block.back().text.size()) {
    auto document = reader.next();
    if (!document) break;
    block.push_back(*std::move(document));
  }
  return block;
}

/// The lengths of these documents, int64 on the CPU.
at::Tensor lengths_of(const Jagged& ids, at::ArrayRef<std::size_t> indices) {
  const auto& offsets = ids.offsets();
  at::Tensor lengths = at::empty({static_cast<std::int64_t>(indices.size())}, at::kLong);
  auto* length = lengths.mutable_data_ptr<std::int64_t>();
  for (const std::size_t index : indices) *length++ = offsets[index + 1] - offsets[index];
  return lengths;
}

/// Copies these documents: ten times as fast as by a tensor for each.
Jagged gathered(const Jagged& ids, at::ArrayRef<std::size_t> indices) {
  const at::Tensor lengths = lengths_of(ids, indices);
  const std::span<const std::int64_t> all(lengths.const_data_ptr<std::int64_t>(), indices.size());
  at::Tensor values = at::empty({std::accumulate(all.begin(), all.end(), std::int64_t{0})}, at::kLong);
  const at::Tensor contiguous = ids.values().contiguous();
  const auto* const from = contiguous.const_data_ptr<std::int64_t>();
  auto* to = values.mutable_data_ptr<std::int64_t>();
  for (const std::size_t index : indices) {
    to = std::copy(from + ids.offsets()[index], from + ids.offsets()[index + 1], to);
  }
  return Jagged::from_values(std::move(values), lengths);
}

at::Tensor gathered(const at::Tensor& labels, at::ArrayRef<std::size_t> indices) {
  if (!labels.defined()) return {};
  at::Tensor some = at::empty({static_cast<std::int64_t>(indices.size())}, at::kLong);
  const at::Tensor contiguous = labels.contiguous();
  const auto* const from = contiguous.const_data_ptr<std::int64_t>();
  auto* to = some.mutable_data_ptr<std::int64_t>();
  for (const std::size_t index : indices) *to++ = from[index];
  return some;
}

}  // namespace

Documents read_documents(const std::vector<std::filesystem::path>& files, const TextReaderOptions& text,
                         const Vocab& vocab, const std::optional<Vocab>& labels) {
  constexpr std::size_t block_bytes = 32 << 20;  // of text in memory at a time, beside the ids
  TextReader reader(files, text);
  std::vector<at::Tensor> values;
  std::vector<at::Tensor> lengths;
  std::vector<at::Tensor> label_ids;
  for (auto block = read_block(reader, block_bytes); !block.empty(); block = read_block(reader, block_bytes)) {
    const Documents encoded = detail::encode_text(block, vocab, labels);
    values.push_back(encoded.ids.values());
    lengths.push_back(encoded.ids.lengths());
    if (labels) label_ids.push_back(encoded.labels);
  }
  TORCH_CHECK_VALUE(!values.empty(), "read_documents: no document in ", files.size(), " files, the first of them ",
                    files.front().string());
  return {Jagged::from_values(at::cat(values), at::cat(lengths)), labels ? at::cat(label_ids) : at::Tensor()};
}

Documents select(const Documents& documents, at::ArrayRef<std::size_t> indices) {
  check_ids("select", documents);
  check_labels("select", documents);
  TORCH_CHECK_VALUE(!indices.empty(), "select: indices is empty: a batch has at least one document");
  const auto size = static_cast<std::size_t>(documents.ids.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    TORCH_CHECK_INDEX(indices[i] < size, "select: indices[", i, "] is ", indices[i], ", and must be in 0 ... ",
                      size - 1);
  }
  return {gathered(documents.ids, indices), gathered(documents.labels, indices)};
}

std::pair<Documents, Documents> split(const Documents& documents, double fraction, std::uint64_t seed) {
  TORCH_CHECK_VALUE(fraction >= 0 && fraction <= 1, "split: fraction is ", fraction, ", and must be in 0 ... 1");
  std::vector<std::size_t> order(static_cast<std::size_t>(documents.ids.size()));
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
  check_ids("DocumentDataset", documents);
  check_labels("DocumentDataset", documents);
  // Else each batch would make a copy of all of them that is.
  if (!documents.ids.values().is_contiguous()) {
    documents.ids = Jagged::from_values(documents.ids.values().contiguous(), documents.ids.lengths());
  }
  if (documents.labels.defined()) documents.labels = documents.labels.contiguous();
  documents_ = std::make_shared<const Documents>(std::move(documents));
}

Documents DocumentDataset::get_batch(at::ArrayRef<std::size_t> indices) {
  return indices.empty() ? detail::nothing_to_learn(documents_->labels.defined()) : select(*documents_, indices);
}

std::optional<std::size_t> DocumentDataset::size() const { return static_cast<std::size_t>(documents_->ids.size()); }

}  // namespace packseq::data
