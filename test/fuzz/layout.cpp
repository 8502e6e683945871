// Of any numbers in the place of a pack's layout, a function gives what was asked, or refuses them in documented
// errors.

#include <torch/nn/utils/rnn.h>
#include <torch/types.h>

#include <optional>

#include "input.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pool.hpp"
#include "packseq/sequence/reverse.hpp"
#include "packseq/sequence/softmax.hpp"
#include "packseq/sequence/spread.hpp"
#include "packseq/sequence/step.hpp"
#include "refusal.hpp"

namespace packseq::fuzz {
namespace {

/// Undefined, or of any numbers.
at::Tensor indices(Input& input) { return input.below(4) == 0 ? at::Tensor() : torch::tensor(input.numbers(6)); }

/// LibTorch itself refuses some, as it inverts their indices.
std::optional<PackedSequence> any_pack(Input& input) {
  const auto data = at::ones({input.below(32), 2}, input.flag() ? at::kFloat : at::kLong);
  const auto batch_sizes = torch::tensor(input.numbers(6));
  const auto sorted = indices(input);
  try {
    return PackedSequence(data, batch_sizes, sorted, indices(input));
  } catch (const c10::Error&) {
    return std::nullopt;
  }
}

void check(const PackedSequence& packed, std::int64_t total_length, bool bidirectional) {
  const auto& data = packed.data();
  const std::int64_t documents = packed.sorted_indices().defined() ? packed.sorted_indices().numel() : data.size(0) / 2;
  may_refuse([&] { require(lengths(packed).sum().item<std::int64_t>() == data.size(0), "lengths() has another sum"); });
  may_refuse([&] { require(at::equal(reverse(packed).data(), data), "reverse() changes the data"); });
  may_refuse([&] { unpack_sequence(packed); });
  may_refuse([&] { pad_packed_sequence(packed, {.total_length = total_length}); });
  may_refuse([&] { first_step(packed); });
  may_refuse([&] { last_step(packed, {.bidirectional = bidirectional}); });
  may_refuse([&] { spread(packed, at::ones({documents, 2})); });
  may_refuse([&] { pack_like(packed, unpack_sequence(packed)); });
  may_refuse([&] { softmax(packed); });
  may_refuse([&] { sum_pool(packed); });
  may_refuse([&] { mean_pool(packed); });
  may_refuse([&] { max_pool(packed); });
}

}  // namespace
}  // namespace packseq::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq::fuzz;
  Input input(data, size);
  const auto packed = any_pack(input);
  // Few steps, or too many for any batch; what is between is memory's to refuse.
  const auto total_length = input.flag() ? input.below(99) : std::int64_t{1} << 62;
  if (packed) check(*packed, total_length, input.flag());
  return 0;
}
