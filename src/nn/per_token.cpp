#include "packseq/nn/per_token.hpp"

#include <c10/util/Exception.h>

namespace packseq::nn {

template class PerTokenImpl<torch::nn::EmbeddingImpl>;
template class PerTokenImpl<torch::nn::LinearImpl>;
template class PerTokenImpl<torch::nn::DropoutImpl>;

Embedding Embedding::from_pretrained(const at::Tensor& embeddings,
                                     const torch::nn::EmbeddingFromPretrainedOptions& options) {
  TORCH_CHECK_VALUE(embeddings.defined(), "Embedding::from_pretrained: embeddings is undefined");
  TORCH_CHECK_VALUE(embeddings.dim() == 2 && embeddings.is_floating_point(),
                    "Embedding::from_pretrained: embeddings is ", embeddings.scalar_type(), embeddings.sizes(),
                    ", and must be floating-point [num_embeddings, embedding_dim]");
  Embedding embedding(torch::nn::EmbeddingOptions(embeddings.size(0), embeddings.size(1))
                          ._weight(embeddings)
                          .padding_idx(options.padding_idx())
                          .max_norm(options.max_norm())
                          .norm_type(options.norm_type())
                          .scale_grad_by_freq(options.scale_grad_by_freq())
                          .sparse(options.sparse()));
  embedding->weight.set_requires_grad(!options.freeze());
  return embedding;
}

}  // namespace packseq::nn
