// Packing, padding and back: packseq against LibTorch, and packing against a plain copy of as many bytes.

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "contenders/inputs.hpp"
#include "contenders/measure.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"

namespace {

namespace rnn = torch::nn::utils::rnn;
using packseq::Jagged, packseq::PackedSequence;
using Tensors = std::vector<at::Tensor>;

constexpr std::int64_t documents = 1024;
constexpr std::int64_t longest = 150;

/// One batch in every form that a function here takes.
struct Batch {
  Tensors sequences;
  at::Tensor values;      ///< The same end to end, [N, *].
  PackedSequence packed;  ///< By LibTorch.
};

/// The same batch at every call: ids, int64 [L], if `width` is 0, else floats [L, width].
Batch make_batch(std::int64_t width) {
  at::manual_seed(0);
  const auto lengths = packseq::bench::draw_lengths("lognormal", documents, longest);
  const auto tokens = lengths.sum().item<std::int64_t>();
  const auto values = width == 0 ? at::randint(30000, {tokens}, at::kLong) : at::randn({tokens, width});
  Tensors sequences;
  for (const auto& sequence : Jagged::from_values(values, lengths).unbind()) sequences.push_back(sequence.clone());
  return {sequences, values, rnn::pack_sequence(sequences, /*enforce_sorted=*/false)};
}

/// One way to do what an operation is for.
struct Contender {
  std::string name;
  std::function<Tensors(const Batch&)> run;
};

struct Operation {
  std::string name;
  std::vector<Contender> contenders;
  /// From what a contender returns to what must be the same for all; where it is not set, nothing need be.
  std::function<Tensors(const Tensors&)> comparable = {};
};

Tensors parts(const PackedSequence& packed) {
  return {packed.data(), packed.batch_sizes(), packed.sorted_indices(), packed.unsorted_indices()};
}

Tensors unpacked_by_libtorch(const PackedSequence& packed) {
  const auto [padded, lengths] = rnn::pad_packed_sequence(packed, /*batch_first=*/true);
  Tensors sequences;
  for (std::int64_t i = 0; i < padded.size(0); ++i) {
    sequences.push_back(padded[i].narrow(0, 0, lengths[i].item<std::int64_t>()));
  }
  return sequences;
}

Tensors both(const std::tuple<at::Tensor, at::Tensor>& tensors) { return {std::get<0>(tensors), std::get<1>(tensors)}; }

const std::vector<Operation> operations = {
    {.name = "pack_sequence",
     .contenders = {{"libtorch", [](const Batch& batch) { return parts(rnn::pack_sequence(batch.sequences, false)); }},
                    {"packseq", [](const Batch& batch) { return parts(packseq::pack_sequence(batch.sequences)); }}},
     // LibTorch leaves open in which order documents of one length are packed.
     .comparable =
         [](const Tensors& packed) {
           return unpacked_by_libtorch(PackedSequence(packed[0], packed[1], packed[2], packed[3]));
         }},
    {.name = "copy", .contenders = {{"libtorch", [](const Batch& batch) { return Tensors{batch.values.clone()}; }}}},
    {.name = "pad_sequence",
     .contenders = {{"libtorch", [](const Batch& batch) { return Tensors{rnn::pad_sequence(batch.sequences)}; }},
                    {"packseq", [](const Batch& batch) { return Tensors{packseq::pad_sequence(batch.sequences)}; }}},
     .comparable = [](const Tensors& padded) { return padded; }},
    {.name = "pad_packed_sequence",
     .contenders = {{"libtorch", [](const Batch& batch) { return both(rnn::pad_packed_sequence(batch.packed)); }},
                    {"packseq", [](const Batch& batch) { return both(packseq::pad_packed_sequence(batch.packed)); }}},
     .comparable = [](const Tensors& padded) { return padded; }},
    // LibTorch has no such function in C++: whoever wants one pads and cuts.
    {.name = "unpack_sequence",
     .contenders = {{"libtorch", [](const Batch& batch) { return unpacked_by_libtorch(batch.packed); }},
                    {"packseq", [](const Batch& batch) { return packseq::unpack_sequence(batch.packed).unbind(); }}},
     .comparable = [](const Tensors& sequences) { return sequences; }}};

/// @throws std::runtime_error unless all contenders come to the same result, bit for bit.
void check_equal(const Operation& operation, const Batch& batch) {
  if (!operation.comparable) return;
  const auto expected = operation.comparable(operation.contenders.front().run(batch));
  for (const auto& contender : operation.contenders) {
    const auto actual = operation.comparable(contender.run(batch));
    bool equal = actual.size() == expected.size();
    for (std::size_t i = 0; equal && i < actual.size(); ++i) equal = at::equal(actual[i], expected[i]);
    if (!equal) throw std::runtime_error(operation.name + ": the result of " + contender.name + " differs");
  }
}

void register_operation(const Operation& operation, std::int64_t width, int threads) {
  const auto checked = std::make_shared<bool>(false);
  for (const auto& contender : operation.contenders) {
    const auto measure = [&operation, &contender, width, threads, checked](benchmark::State& state) {
      at::set_num_threads(threads);
      const auto batch = make_batch(width);
      if (!*checked) check_equal(operation, batch);
      *checked = true;
      contender.run(batch);  // its first touch of memory is nobody's speed
      for (auto _ : state) benchmark::DoNotOptimize(contender.run(batch));
      state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch.values.nbytes()));
    };
    const auto row = width == 0 ? std::string("id") : std::to_string(width);
    const auto name = operation.name + "/" + contender.name + "/B:" + std::to_string(documents) +
                      "/T:" + std::to_string(longest) + "/row:" + row + "/threads:" + std::to_string(threads);
    benchmark::RegisterBenchmark(name.c_str(), measure)->UseRealTime()->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (const std::int64_t width : {0, 256}) {
    for (const int threads : {1, 2}) {
      for (const auto& operation : operations) register_operation(operation, width, threads);
    }
  }
  return packseq::bench::run_benchmarks(argc, argv);
}
