#include "packseq/nn/result.hpp"

namespace packseq::nn {

PackedSequence TakeOutputImpl::forward(const Result& result) { return result.output; }

}  // namespace packseq::nn
