#include "packseq/sequence/encode.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <utility>

#include "sequence/encode_views.hpp"
#include "text/shards.hpp"

namespace packseq {
namespace {

using detail::EncodeViews;
using Views = std::span<const std::string_view>;

/// Calls `take` for each line that is not empty, as `split_lines`, but without a call by address for each token.
template <class Take>
void for_each_line(std::string_view text, const Take& take) {
  const char* const end = text.data() + text.size();
  for (const char* begin = text.data(); begin < end;) {
    const auto* behind = static_cast<const char*>(std::memchr(begin, '\n', static_cast<std::size_t>(end - begin)));
    if (behind == nullptr) behind = end;
    if (behind != begin) take(std::string_view(begin, static_cast<std::size_t>(behind - begin)));
    begin = behind + 1;
  }
}

/// Appends the ids of documents `begin` up to `end`, and puts down how many each has.
void encode_range(Views documents, const EncodeViews& how, std::size_t begin, std::size_t end, const Vocab& vocab,
                  std::vector<std::int64_t>& ids, std::int64_t* lengths) {
  std::size_t document = begin;
  std::size_t first = 0;  // of the document, in ids
  const auto append = [&](std::string_view token) {
    const auto id = vocab.find(token);
    TORCH_CHECK_VALUE(id || vocab.unknown_id(), "encode: unknown ", how.token, " '", token, "' in ",
                      how.place(document), ", token ", ids.size() - first,
                      ": build the vocabulary on it, or set VocabOptions::unknown");
    ids.push_back(id ? *id : *vocab.unknown_id());
  };
  // Labels are few, and the same one often comes many times in a row.
  std::string_view last;
  const auto append_line = [&](std::string_view token) {
    if (token == last) return ids.push_back(ids.back());
    append(token);
    last = token;
  };
  const TokenSink sink = [&append](std::string_view token) { append(token); };
  for (; document < end; ++document) {
    if (how.tokenizer) {
      how.tokenizer(documents[document], sink);
    } else {
      for_each_line(documents[document], append_line);
    }
    lengths[document] = static_cast<std::int64_t>(ids.size() - first);
    first = ids.size();
  }
}

/// Runs `work(s)` for each shard on LibTorch's threads. Of several exceptions that of the first shard comes through.
template <class Work>
void for_each_shard(std::size_t shards, const Work& work) {
  std::vector<std::exception_ptr> errors(shards);
  at::parallel_for(0, static_cast<std::int64_t>(shards), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto shard = static_cast<std::size_t>(begin); shard < static_cast<std::size_t>(end); ++shard) {
      try {
        work(shard);
      } catch (...) {
        errors[shard] = std::current_exception();
      }
    }
  });
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace

Jagged encode(const std::vector<std::string>& documents, const Vocab& vocab) {
  const std::vector<std::string_view> views(documents.begin(), documents.end());
  const auto place = [](std::size_t i) { return c10::str("documents[", i, "]"); };
  return detail::encode_views(views, vocab, {.tokenizer = vocab.tokenizer(), .place = place});
}

Jagged detail::encode_views(Views documents, const Vocab& vocab, const EncodeViews& how) {
  TORCH_CHECK_VALUE(!documents.empty(), "encode: documents is empty: a batch has at least one document");
  const auto bounds = shard_bounds(documents, static_cast<std::size_t>(at::get_num_threads()));
  const at::Tensor lengths = at::empty({static_cast<std::int64_t>(documents.size())}, at::kLong);
  auto* const length = lengths.mutable_data_ptr<std::int64_t>();
  std::vector<std::vector<std::int64_t>> ids(bounds.size() - 1);
  for_each_shard(ids.size(), [&](std::size_t shard) {
    encode_range(documents, how, bounds[shard], bounds[shard + 1], vocab, ids[shard], length);
  });

  std::vector<std::int64_t> begins = {0};  // of each shard in the values, and their end
  for (const auto& part : ids) begins.push_back(begins.back() + static_cast<std::int64_t>(part.size()));
  at::Tensor values = at::empty({begins.back()}, at::kLong);
  auto* const value = values.mutable_data_ptr<std::int64_t>();
  for_each_shard(ids.size(), [&](std::size_t shard) {
    std::copy(ids[shard].begin(), ids[shard].end(), value + begins[shard]);
    ids[shard] = {};
  });
  return Jagged::from_values(std::move(values), lengths);
}

}  // namespace packseq
