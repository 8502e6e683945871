#include "packseq/data/loss.hpp"

#include <c10/util/Exception.h>

#include "packseq/sequence/map.hpp"

namespace packseq::data {

at::Tensor token_loss(const PackedSequence& scores, const PackedSequence& targets, const TokenLoss& loss) {
  TORCH_CHECK_VALUE(loss, "token_loss: loss is empty");
  TORCH_CHECK_VALUE(targets.data().defined(),
                    "token_loss: targets has no data: the batch's documents have no token_labels");
  packseq::detail::check_same_layout("token_loss", scores, targets);
  return loss(scores.data(), targets.data());
}

}  // namespace packseq::data
