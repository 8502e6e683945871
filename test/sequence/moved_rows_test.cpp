// All that puts rows elsewhere, for the dtypes in which LibTorch does not.

#include <functional>
#include <string>
#include <vector>

#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pad.hpp"
#include "packseq/sequence/reverse.hpp"
#include "packseq/sequence/spread.hpp"
#include "packseq/sequence/step.hpp"
#include "support/sequences.hpp"

namespace packseq {
namespace {

/// From data [6, 2] to rows of it, in other places.
struct Mover {
  std::string name;
  std::function<at::Tensor(const at::Tensor& data)> move;
};

const auto lengths_1_3_0_2 = torch::tensor({1, 3, 0, 2});

Jagged sequences_of(const at::Tensor& data) { return Jagged::from_values(data, lengths_1_3_0_2); }

PackedSequence packed_of(const at::Tensor& data) {
  return with_data(pack_sequence(sequences_of(torch::arange(data.size(0)))), data);
}

const std::vector<Mover> movers = {
    {"pack_sequence", [](const auto& data) { return pack_sequence(sequences_of(data)).data(); }},
    {"pack_sequence of a list",
     [](const auto& data) {
       return pack_sequence({data.narrow(0, 1, 2), data}).data();
     }},
    {"pack_padded_sequence",
     [](const auto& data) {
       return pack_padded_sequence(data.unflatten(0, {3, 2}), torch::tensor({1, 3})).data();
     }},
    {"pad_packed_sequence",
     [](const auto& data) { return std::get<0>(pad_packed_sequence(packed_of(data), {.padding_value = 1})); }},
    {"unpack_sequence", [](const auto& data) { return unpack_sequence(packed_of(data)).values(); }},
    {"pad_sequence", [](const auto& data) { return pad_sequence(sequences_of(data), {.padding_value = 1}); }},
    {"pad_sequence of a list",
     [](const auto& data) {
       return pad_sequence({data.narrow(0, 1, 2), data}, {.padding_value = 1});
     }},
    {"unpad_sequence",
     [](const auto& data) {
       return unpad_sequence(data.unflatten(0, {3, 2}), torch::tensor({1, 3})).values();
     }},
    {"reverse", [](const auto& data) { return reverse(packed_of(data)).data(); }},
    {"spread", [](const auto& data) { return spread(packed_of(data), data.narrow(0, 0, 4)).data(); }},
    {"pack_like", [](const auto& data) { return pack_like(packed_of(torch::ones(6)), sequences_of(data)).data(); }},
    {"first_step", [](const auto& data) { return first_step(packed_of(data)); }},
    {"last_step", [](const auto& data) { return last_step(packed_of(data)); }},
};

const auto powers_of_two = torch::tensor({1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8}).view({6, 2}).to(at::kFloat);

TEST(MovedRows, KeepTheirNumbersInDtypesThatLibTorchDoesNotComputeWith) {
  for (const auto& [name, move] : movers) {
    for (const auto dtype :
         {at::kUInt16, at::kUInt32, at::kUInt64, at::kFloat8_e4m3fn, at::kFloat8_e5m2, at::kFloat8_e5m2fnuz}) {
      SCOPED_TRACE(c10::str(name, " of ", dtype));
      const auto moved = move(powers_of_two.to(dtype));
      EXPECT_EQ(moved.scalar_type(), dtype);
      EXPECT_SAME(moved.to(at::kFloat), move(powers_of_two));
    }
  }
}

TEST(MovedRows, AreRefusedIfTheyWouldLoseTheirGradient) {
  for (const auto& mover : movers) {
    SCOPED_TRACE(mover.name);
    const auto data = powers_of_two.to(at::kFloat8_e4m3fn).set_requires_grad(true);
    EXPECT_THROWS(mover.move(data), c10::TypeError,
                  "rows of Float8_e4m3fn are moved as bits, and would lose their gradient: detach() them, or take a "
                  "wider dtype");
    const torch::NoGradGuard no_grad;
    EXPECT_EQ(mover.move(data).scalar_type(), at::kFloat8_e4m3fn);
  }
}

}  // namespace
}  // namespace packseq
