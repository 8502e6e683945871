#include "cli/contender.hpp"

#include <ATen/ops/arange.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "cli/embedded_contender.hpp"
#include "cli/packed_contender.hpp"
#include "packseq/sequence/mask.hpp"
#include "packseq/sequence/pad.hpp"

namespace packseq::cli {
namespace {

/// LibTorch's path for padded batches; the loss is masked.
class PaddedContender : public Contender {
 public:
  // The reverse direction of a bidirectional network begins with the padding: it answers another question.
  PaddedContender(std::string name, Model& model, const Corpus& corpus, Batches batches)
      : Contender(std::move(name), !model.shape().bidirectional, std::move(batches)), model_(model) {
    for (const auto& documents : this->batches()) {
      const Jagged ids = select(corpus, documents);
      const at::Tensor is_real = mask(ids.lengths(), {.batch_first = true});
      padded_.push_back({pad_sequence(ids, {.batch_first = true}), ids.lengths(), is_real.unsqueeze(2).to(at::kFloat)});
    }
  }

  NetworkResult forward(std::size_t batch) const override { return model_.run_padded(padded_[batch].ids); }

  at::Tensor sum_of_squares(std::size_t batch, const at::Tensor& output) const override {
    return (output.square() * padded_[batch].mask).sum();
  }

  Outcome outcome(std::size_t batch, const NetworkResult& result) const override {
    const at::Tensor& lengths = padded_[batch].lengths;
    // The network's own final state has gone on through the padding.
    const at::Tensor last_states = result.output.index({at::arange(lengths.size(0), at::kLong), lengths - 1});
    return {unpad_sequence(result.output, lengths, {.batch_first = true}), last_states};
  }

  at::Tensor lengths(std::size_t batch) const override { return padded_[batch].lengths; }
  at::Tensor executed_lengths(std::size_t batch) const override { return cost::padded_lengths(padded_[batch].lengths); }

 private:
  struct Batch {
    at::Tensor ids;      // [B, T]
    at::Tensor lengths;  // [B]
    at::Tensor mask;     // [B, T, 1], 1 for real tokens, else 0
  };

  Model& model_;
  std::vector<Batch> padded_;
};

/// packseq's fused engine.
class FusedContender : public PackedContender {
 public:
  using PackedContender::PackedContender;

  NetworkResult forward(std::size_t batch) const override { return model().run_fused(ids(batch), precision()); }
};

}  // namespace

std::int64_t flops(const cost::Network& network, const at::Tensor& lengths, cost::Mode mode) {
  const std::int64_t forward = cost::forward_flops(network, lengths);
  return mode == cost::Mode::inference ? forward : forward + cost::backward_flops(network, lengths, {.input = true});
}

std::int64_t Contender::executed_flops(const cost::Network& network, std::size_t batch, cost::Mode mode) const {
  return flops(network, executed_lengths(batch), mode) - cost::repeated_flops(network, repeated_tokens(batch), mode);
}

std::int64_t Contender::activation_bytes(const cost::Network& network, std::size_t batch, cost::Mode mode) const {
  return cost::activation_bytes(network, executed_lengths(batch), mode);
}

Contenders make_contenders(Model& model, const Corpus& corpus, const std::vector<std::int64_t>& documents,
                           std::int64_t batch, const std::vector<engine::Precision>& precisions) {
  const Batches batches = cut(documents, batch);
  // What a careful user of padding does: documents of like length share a batch.
  const Batches like_length = cut(longest_first(corpus), batch);
  Contenders contenders;
  contenders.push_back(std::make_unique<PaddedContender>("padded", model, corpus, batches));
  contenders.push_back(std::make_unique<PackedContender>("packed", model, corpus, batches));
  for (const engine::Precision precision : precisions) {
    const std::string name = precision == engine::Precision::bfloat16 ? "bfloat16" : "fused";
    contenders.push_back(std::make_unique<FusedContender>(name, model, corpus, batches, precision));
    std::ranges::move(make_embedded_contenders(name, model, corpus, batches, precision),
                      std::back_inserter(contenders));
  }
  contenders.push_back(std::make_unique<PaddedContender>("bucketed", model, corpus, like_length));
  return contenders;
}

}  // namespace packseq::cli
