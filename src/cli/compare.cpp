#include "cli/compare.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <thread>

namespace packseq::cli {
namespace {

constexpr std::int64_t default_batch = 32;

std::runtime_error refusal_of(const TooLong& refused, const CompareOptions& options) {
  const std::int64_t batch = options.batch.value_or(default_batch);
  const auto bytes =
      cost::activation_bytes(options.network, at::full({batch}, refused.tokens, at::kLong), options.modes.back());
  return std::runtime_error(
      fmt::format("{} has {}, more than --max-tokens-per-document {}; a padded batch of up to {} would need {}B",
                  refused.document, counted(refused.tokens, "token"), options.text.max_tokens_per_document, batch,
                  with_prefix(static_cast<double>(bytes))));
}

/// The text, and as many of its documents as are run.
Corpus read(const CompareOptions& options, const std::function<void(const std::string&)>& report) {
  const SampleOptions sample = {.order = options.order,
                                .documents = options.batch.value_or(default_batch) * options.max_batches,
                                .seed = options.measure.seed};
  try {
    return read_corpus(options.files, options.text, sample, report);
  } catch (const TooLong& refused) {
    throw refusal_of(refused, options);
  }
}

std::int64_t batch_size(const Corpus& corpus, const std::optional<std::int64_t>& asked) {
  const std::int64_t documents = corpus.lengths.documents();
  if (asked && *asked > documents) {
    throw UsageError(
        fmt::format("--batch: {} is more than the text has: {}", grouped(*asked), counted(documents, "document")));
  }
  return asked ? *asked : std::min(default_batch, documents);
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

Consumption Comparison::at_scale(const Result& result) const {
  const double tokens_of_all = static_cast<double>(options.scale.documents_or_default()) * mean_length();
  return consumption(result, tokens_of_all / static_cast<double>(tokens_run), busy_cores, options.scale);
}

Comparison compare(CompareOptions options, Progress& progress) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  options.threads = at::get_num_threads();
  const auto report = [&](const std::string& text) { progress.show(text); };

  report("reading");
  const Corpus corpus = read(options, report);
  options.batch = batch_size(corpus, options.batch);

  at::manual_seed(options.measure.seed);
  Model model(options.network, corpus.vocab_size);
  const auto chosen = options.order == Order::sorted ? longest_first(corpus)
                      : options.order == Order::text ? by_text(corpus)
                                                     : in_order(corpus);
  const Contenders contenders = make_contenders(model, corpus, chosen, *options.batch, options.precisions);

  Comparison comparison{};
  comparison.documents = corpus.lengths.documents();
  comparison.tokens = corpus.lengths.tokens();
  comparison.distinct_tokens = corpus.distinct_tokens;
  comparison.lengths = corpus.lengths;
  comparison.batches = static_cast<std::int64_t>(contenders.front()->batches().size());
  comparison.batches_in_text = (comparison.documents + *options.batch - 1) / *options.batch;
  count_cells(*contenders.front(), comparison);
  comparison.has_bfloat16_instructions = engine::has_bfloat16_instructions();
  const int cores = static_cast<int>(std::thread::hardware_concurrency());  // 0 if it is not known
  comparison.busy_cores = cores > 0 ? std::min(cores, options.threads) : options.threads;
  report("power of the idle machine");
  EnergyMeter meter(options.counters);
  comparison.agreements = check(model, corpus, contenders, options.modes, report);
  comparison.results = measure(model, contenders, options.modes, options.measure, meter, report);
  comparison.metering = meter.metering();
  comparison.options = std::move(options);
  return comparison;
}

}  // namespace packseq::cli
