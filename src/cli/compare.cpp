#include "cli/compare.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <fmt/format.h>

#include <algorithm>

namespace packseq::cli {
namespace {

constexpr std::int64_t default_batch = 32;

/// A document is never cut: a comparison over cut documents would not be about this text.
void check_lengths(const Corpus& corpus, const CompareOptions& options) {
  const std::int64_t* lengths = corpus.ids.lengths().const_data_ptr<std::int64_t>();
  const std::int64_t* const end = lengths + corpus.documents();
  const std::int64_t* const too_long =
      std::find_if(lengths, end, [&](std::int64_t length) { return length > options.max_tokens_per_document; });
  if (too_long == end) return;
  const at::Tensor padded = at::full({*options.batch}, *too_long, at::kLong);
  const auto bytes = cost::activation_bytes(options.network, padded, options.modes.back());
  throw std::runtime_error(
      fmt::format("{} has {}, more than --max-tokens-per-document {}; its padded batch of {} would need {}B",
                  corpus.name(too_long - lengths), counted(*too_long, "token"), options.max_tokens_per_document,
                  *options.batch, with_prefix(static_cast<double>(bytes))));
}

std::int64_t batch_size(const Corpus& corpus, const std::optional<std::int64_t>& asked) {
  if (asked && *asked > corpus.documents()) {
    throw UsageError(fmt::format("--batch: {} is more than the text has: {}", grouped(*asked),
                                 counted(corpus.documents(), "document")));
  }
  return asked ? *asked : std::min(default_batch, corpus.documents());
}

/// Counts what the batches of padded input hold.
void count_cells(const Contender& padded, Comparison& comparison) {
  for (std::size_t batch = 0; batch < padded.batches().size(); ++batch) {
    comparison.documents_run += static_cast<std::int64_t>(padded.batches()[batch].size());
    comparison.tokens_run += padded.lengths(batch).sum().item<std::int64_t>();
    comparison.padded_cells += padded.executed_lengths(batch).sum().item<std::int64_t>();
  }
}

}  // namespace

Comparison compare(CompareOptions options, Progress& progress) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  options.threads = at::get_num_threads();
  const auto report = [&](const std::string& text) { progress.show(text); };

  report("reading");
  const Corpus corpus = read_corpus(options.files, options.text);
  options.batch = batch_size(corpus, options.batch);
  check_lengths(corpus, options);
  const auto chosen =
      choose_documents(corpus, options.order, *options.batch * options.max_batches, options.measure.seed);

  at::manual_seed(options.measure.seed);
  Model model(options.network, corpus.vocab_size);
  const Contenders contenders = make_contenders(model, corpus, chosen, *options.batch, options.precisions);

  Comparison comparison{};
  comparison.documents = corpus.documents();
  comparison.tokens = corpus.tokens();
  comparison.distinct_tokens = corpus.distinct_tokens;
  comparison.lengths = sorted_lengths(corpus);
  comparison.batches = static_cast<std::int64_t>(contenders.front()->batches().size());
  comparison.batches_in_text = (corpus.documents() + *options.batch - 1) / *options.batch;
  count_cells(*contenders.front(), comparison);
  comparison.has_bfloat16_instructions = engine::has_bfloat16_instructions();
  comparison.agreements = check(model, corpus, contenders, options.modes, report);
  comparison.results = measure(model, contenders, options.modes, options.measure, report);
  comparison.options = std::move(options);
  return comparison;
}

}  // namespace packseq::cli
