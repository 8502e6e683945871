// Lengths that fit nothing are refused, whatever they are.

#include <torch/types.h>

#include "input.hpp"
#include "packseq/sequence/mask.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"
#include "refusal.hpp"

namespace packseq::fuzz {
namespace {

void check(Input& input) {
  const auto lengths = torch::tensor(input.numbers(6));
  const auto padded = at::ones({input.below(5), input.below(5), 2});
  // One step too many for two sequences; what is less is memory's to refuse.
  const auto steps = input.flag() ? input.below(99) : std::int64_t{1} << 62;
  may_refuse([&] { Jagged::from_values(at::ones({input.below(32)}), lengths); });
  may_refuse([&] { pack_padded_sequence(padded, lengths, {.enforce_sorted = input.flag()}); });
  may_refuse([&] { unpad_sequence(padded, lengths, {.batch_first = input.flag()}); });
  if (lengths.numel() != 1 || steps < 99) may_refuse([&] { mask(lengths, {.total_length = steps}); });
}

}  // namespace
}  // namespace packseq::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq::fuzz;
  Input input(data, size);
  check(input);
  return 0;
}
