// What comes of dealing documents to batches in different ways: how much of a padded batch is real, and how long an
// epoch takes, padded, packed and in the fused engine. Prints a table in Markdown for texts of your own.

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "contenders/run.hpp"
#include "packseq/data/batch_sampler.hpp"
#include "packseq/data/documents.hpp"

namespace packseq::bench {
namespace {

constexpr std::int64_t batch_size = 32;
constexpr std::int64_t network_size = 128;
const std::array contenders = {padded, packed, fused};
using Seconds = std::array<double, contenders.size()>;

/// At most so many documents of a file, drawn at random.
data::Documents some_documents(const std::filesystem::path& file, std::int64_t most) {
  const auto vocab = data::build_vocab({file}, {}, {.tokenizer = split_words});
  const auto documents = data::read_documents({file}, {}, vocab);
  if (documents.sequences.size() <= most) return documents;
  const double fraction = static_cast<double>(most) / static_cast<double>(documents.sequences.size());
  return data::split(documents, fraction, /*seed=*/1).first;
}

/// The seconds that each contender takes over one batch; by turns, so that what else the machine does hits all alike.
Seconds run_batch(const Model& model, cost::Mode mode, const at::Tensor& lengths) {
  const auto tokens = lengths.sum().item<std::int64_t>();
  const Inputs inputs{.model = model,
                      .documents = Jagged::from_values(at::randn({tokens, network_size}), lengths),
                      .output_gradient = Jagged::from_values(at::randn({tokens, network_size}), lengths)};
  Seconds seconds{};
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    const Run run(contenders[i], mode, inputs);
    const auto start = std::chrono::steady_clock::now();
    run();
    seconds[i] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return seconds;
}

void print_row(std::string_view name, const data::Batching& batching, const data::Documents& documents,
               cost::Mode mode) {
  at::manual_seed(0);
  const Model model = torch::nn::LSTM(network_size, network_size);
  const auto lengths = documents.sequences.lengths();
  run_batch(model, mode, lengths.narrow(0, 0, 1));  // the first touch of code and memory is nobody's speed
  data::BatchSampler sampler(lengths, batching, {.seed = 1});
  Seconds seconds{};
  sampler.reset();
  while (const auto batch = sampler.next()) {
    const auto batch_seconds = run_batch(model, mode, data::select(documents, *batch).sequences.lengths());
    for (std::size_t i = 0; i < seconds.size(); ++i) seconds[i] += batch_seconds[i];
  }
  std::cout << "| " << name << " | " << sampler.batches() << " | " << std::setprecision(0) << 100 * sampler.fill()
            << " %" << std::setprecision(2);
  for (const double of_contender : seconds) std::cout << " | " << of_contender;
  std::cout << " |" << std::endl;
}

void print_table(const std::filesystem::path& file, cost::Mode mode, std::int64_t most) {
  const auto documents = some_documents(file, most);
  const auto tokens = documents.sequences.values().size(0);
  std::cout << '\n'
            << file.filename().string() << ": " << documents.sequences.size() << " documents, " << tokens << " tokens; "
            << (mode == cost::Mode::training ? "training" : "inference") << ", seconds for an epoch\n\n"
            << "| batches | number | fill | padded | packed | fused |\n|---|---:|---:|---:|---:|---:|\n"
            << std::fixed;
  const auto budget = batch_size * tokens / documents.sequences.size();
  print_row("random", data::FixedSize{batch_size}, documents, mode);
  print_row("bucketed", data::Bucketed{batch_size}, documents, mode);
  print_row("token budget, packed", data::TokenBudget{.max_tokens = budget, .longer_alone = true}, documents, mode);
  print_row("token budget, padded",
            data::TokenBudget{.max_tokens = budget, .count = data::TokenCount::padded, .longer_alone = true}, documents,
            mode);
}

}  // namespace
}  // namespace packseq::bench

int main(int argc, char** argv) {
  using namespace packseq;
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (argc < 4 || (mode != "inference" && mode != "training") || std::atoll(argv[2]) < 1) {
    std::cerr << "Usage: batching_bench inference|training DOCUMENTS FILE...\n"
                 "Of each file, a document a line, so many documents at most, drawn at random.\n";
    return EXIT_FAILURE;
  }
  try {
    at::set_num_threads(1);
    for (int i = 3; i < argc; ++i) {
      bench::print_table(argv[i], mode == "training" ? cost::Mode::training : cost::Mode::inference,
                         std::atoll(argv[2]));
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "batching_bench: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
