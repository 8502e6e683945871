#include <tuple>

#include "contenders/contender.hpp"
#include "packseq/sequence/pad.hpp"

namespace packseq::bench {

namespace {

Prepared prepare_padded(const Inputs& inputs) {
  const auto lengths = inputs.documents.lengths();
  return {
      .executed_lengths = cost::padded_lengths(lengths),
      .arrange = [](const Jagged& documents) { return packseq::pad_sequence(documents); },
      .forward =
          [model = inputs.model](const at::Tensor& input) mutable {
            return std::visit([&](auto& module) { return std::get<0>(module->forward(input)); }, model);
          },
      .real_tokens =
          [lengths](const at::Tensor& padded_batch) { return packseq::unpad_sequence(padded_batch, lengths).values(); },
  };
}

}  // namespace

const Contender padded{"padded", prepare_padded, /*reads_padding=*/true};

}  // namespace packseq::bench
