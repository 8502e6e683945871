#include <tuple>

#include "contenders/contender.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::bench {

namespace {

Prepared prepare_packed(const Inputs& inputs) {
  const auto layout = packseq::pack_sequence(inputs.documents);
  return {
      .executed_lengths = inputs.documents.lengths(),
      .arrange = [](const Jagged& documents) { return packseq::pack_sequence(documents).data(); },
      .forward =
          [model = inputs.model, layout](const at::Tensor& data) mutable {
            const auto input = packseq::with_data(layout, data);
            return std::visit(
                [&](auto& module) { return std::get<0>(module->forward_with_packed_input(input)).data(); }, model);
          },
      .real_tokens =
          [layout](const at::Tensor& data) {
            return packseq::unpack_sequence(packseq::with_data(layout, data)).values();
          },
  };
}

}  // namespace

const Contender packed{"packed", prepare_packed};

}  // namespace packseq::bench
