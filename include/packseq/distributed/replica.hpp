#pragma once

#include <ATen/core/Tensor.h>
#include <torch/ordered_dict.h>

#include <cstdint>
#include <string>
#include <vector>

#include "packseq/distributed/communicator.hpp"
#include "packseq/export.hpp"

namespace torch::nn {
class Module;
}

namespace packseq::distributed {

/// One rank's copy of a model that all ranks train together.
///
/// Each rank runs its part of a global batch backward from the *sum* of its losses; `reduce` then makes of all ranks'
/// gradients those of the mean over the whole global batch. (A mean of the ranks' means is another number, wherever one
/// has more tokens than another.) Optimizers with the same options so take the same steps on every rank, and weights
/// stay the same to the last bit.
/// @code
/// torch::nn::Sequential model(packseq::nn::Embedding(vocab.size(), 4), packseq::nn::LSTM(4, 5),
///                             packseq::nn::TakeOutput(), packseq::nn::Linear(5, vocab.size()));
/// torch::nn::CrossEntropyLoss sum(torch::nn::CrossEntropyLossOptions().reduction(torch::kSum));
/// torch::optim::Adam optimizer(model->parameters());
/// packseq::distributed::Alone ranks;                               // or an MpiCommunicator
/// packseq::distributed::Replica replica(*model, ranks);            // after the checkpoint, if there is one, is loaded
/// // Where training begins; or dropout is the same on every rank.
/// at::manual_seed(static_cast<std::uint64_t>(1 + ranks.rank()));
///
/// const auto batch = packseq::data::PackNextToken().apply_batch({ids});   // and so on for each batch of this rank
/// optimizer.zero_grad();
/// const auto scores = model->forward<packseq::PackedSequence>(batch.input);
/// const auto loss = packseq::data::token_loss(scores, batch.token_target, sum);
/// loss.backward();
/// const double mean = replica.reduce(loss.item<double>(), batch.token_target.data().size(0));
/// optimizer.step();
/// @endcode
class PACKSEQ_EXPORT Replica {
 public:
  /// Gives the model on every rank the parameters and buffers of rank 0. The communicator must outlive the replica, and
  /// the model must keep its tensors, and which of them are trained. Buffers that training changes are each rank's own
  /// afterwards.
  /// @throws c10::ValueError on every rank, naming the first difference, if the model of a rank has not the names,
  ///   sizes, dtypes and trained parameters of that of rank 0.
  /// @throws c10::TypeError if a trained parameter is neither float nor double.
  Replica(torch::nn::Module& model, Communicator& communicator);

  /// Makes the gradients those of the mean loss over all ranks, which is returned.
  ///
  /// `loss` is the sum of the losses that this rank ran backward since gradients were zero, `count` how many they are:
  /// tokens or documents, what the loss counts. A rank without any gives 0 and 0. Where no rank has any, nothing is
  /// divided. A parameter that has no gradient on any rank keeps none.
  /// @throws c10::ValueError on every rank, naming the rank and the problem, if the `count` of a rank is negative, or a
  ///   gradient sparse.
  double reduce(double loss, std::int64_t count);

 private:
  std::vector<double> sum_up(double loss, std::int64_t count);

  Communicator& communicator_;
  std::vector<torch::OrderedDict<std::string, at::Tensor>::Item> trained_;  // each once, also if it has several names
  at::Tensor floats_ = {};  // gradients end to end, kept from step to step
  at::Tensor doubles_ = {};
};

}  // namespace packseq::distributed
