#include "packseq/distributed/shard.hpp"

#include <c10/util/Exception.h>

#include <filesystem>
#include <string>
#include <utility>

#include "distributed/agree.hpp"
#include "distributed/deal.hpp"

namespace packseq::distributed {
namespace {

std::int64_t length_of(const data::BatchSampler& sampler, std::size_t document) { return sampler.length(document); }

std::int64_t length_of(const data::TextStream&, const data::TextDocument& document) {
  return static_cast<std::int64_t>(document.text.size());
}

/// What tells a document from others. Ranks may keep their files in different folders.
std::string name_of(std::size_t document) { return "document " + std::to_string(document); }

std::string name_of(const data::TextDocument& document) {
  const std::string file = document.file ? std::filesystem::path(*document.file).filename().string() : "document";
  return file + ", line " + std::to_string(document.line);
}

/// A global batch in a line, so that it can be compared: a number that depends on all of it, and its beginning.
template <class Document>
std::string description_of(const std::vector<Document>& batch, const std::vector<std::int64_t>& lengths) {
  if (batch.empty()) return "no batch";
  std::uint64_t digest = 14695981039346656037U;  // FNV-1a
  const auto add = [&digest](const std::string& text) {
    for (const char c : text) digest = (digest ^ static_cast<unsigned char>(c)) * 1099511628211U;
  };
  for (std::size_t i = 0; i < batch.size(); ++i) add(name_of(batch[i]) + ' ' + std::to_string(lengths[i]) + ' ');
  return c10::str(batch.size(), " documents, the first of them ", name_of(batch[0]), " with ", lengths[0],
                  " tokens (digest ", digest, ")");
}

/// Refuses, on every rank, an epoch's first batch that is not on all of them the same.
void compare(Communicator& communicator, const std::string& batch) {
  detail::check_same(communicator, batch, [&communicator](const std::string& own, const std::string& first) {
    return c10::str("Shard: the epoch begins with other documents on rank ", communicator.rank(), ": ", own,
                    "; and on rank 0: ", first, ": are text, batching, seed and start the same on all ranks?");
  });
}

}  // namespace

template <class Sampler>
Shard<Sampler>::Shard(Sampler sampler, Communicator& communicator, Tokens tokens)
    : sampler_(std::move(sampler)), communicator_(communicator), tokens_(std::move(tokens)) {}

template <class Sampler>
void Shard<Sampler>::reset(std::optional<std::size_t> new_size) {
  sampler_.reset(new_size);
  compared_ = false;
}

template <class Sampler>
auto Shard<Sampler>::next(std::size_t batch_size) -> std::optional<Part<Document>> {
  auto batch = sampler_.next(batch_size);
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 0; batch && i < batch->size(); ++i) {
    lengths.push_back(tokens_ ? tokens_((*batch)[i]) : length_of(sampler_, (*batch)[i]));
    TORCH_CHECK_VALUE(lengths[i] >= 0, "Shard: tokens of ", name_of((*batch)[i]), " is ", lengths[i],
                      ", and must not be negative");
  }
  if (!std::exchange(compared_, true)) {
    compare(communicator_, description_of(batch.value_or(std::vector<Document>()), lengths));
  }
  if (!batch) return std::nullopt;
  const auto rank_of = detail::deal(lengths, communicator_.size());
  Part<Document> part;
  for (std::size_t i = 0; i < batch->size(); ++i) {
    if (rank_of[i] == communicator_.rank()) part.documents.push_back(std::move((*batch)[i]));
  }
  return part;
}

template <class Sampler>
void Shard<Sampler>::save(torch::serialize::OutputArchive& archive) const {
  sampler_.save(archive);
}

template <class Sampler>
void Shard<Sampler>::load(torch::serialize::InputArchive& archive) {
  sampler_.load(archive);
}

template class Shard<data::BatchSampler>;
template class Shard<data::TextStream>;

}  // namespace packseq::distributed
