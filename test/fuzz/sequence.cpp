// Documents of any lengths come back from every form, and lengths that fit nothing are refused.

#include <torch/types.h>

#include <vector>

#include "input.hpp"
#include "packseq/sequence/mask.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/reverse.hpp"
#include "refusal.hpp"

namespace packseq::fuzz {
namespace {

void check_round_trips(Input& input) {
  const UnpadOptions form{.batch_first = input.flag(),
                          .padding_side = input.flag() ? PaddingSide::left : PaddingSide::right};
  std::vector<at::Tensor> documents(1 + input.below(8U));
  for (at::Tensor& document : documents) document = at::arange(input.below(10)).unsqueeze(1);
  const Jagged whole(documents);
  const auto same = [&](const Jagged& back) {
    require(at::equal(back.values(), whole.values()) && at::equal(back.lengths(), whole.lengths()),
            "other documents come back");
  };
  const auto packed = pack_sequence(documents);
  same(unpack_sequence(packed));
  same(unpack_sequence(reverse(reverse(packed))));
  const auto padded = pad_sequence(documents, {.batch_first = form.batch_first, .padding_side = form.padding_side});
  same(unpad_sequence(padded, whole.lengths(), form));
  same(unpack_sequence(pack_padded_sequence(padded, whole.lengths(),
                                            {.batch_first = form.batch_first, .padding_side = form.padding_side})));
  require(mask(whole.lengths()).sum().item<std::int64_t>() == packed.data().size(0), "the mask has other cells");
}

void check_any_lengths(Input& input) {
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
  if (input.flag()) {
    check_round_trips(input);
  } else {
    check_any_lengths(input);
  }
  return 0;
}
