#include "packseq/nn/per_token.hpp"

namespace packseq::nn {

template class PerTokenImpl<torch::nn::EmbeddingImpl>;
template class PerTokenImpl<torch::nn::LinearImpl>;
template class PerTokenImpl<torch::nn::DropoutImpl>;

}  // namespace packseq::nn
