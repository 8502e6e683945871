#include "cli/contender.hpp"

#include <ATen/ops/arange.h>
#include <fmt/format.h>

#include "packseq/engine/install.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/mask.hpp"
#include "packseq/sequence/pack.hpp"
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

/// LibTorch's path for packed batches.
class PackedContender : public Contender {
 public:
  PackedContender(std::string name, Model& model, const Corpus& corpus, Batches batches)
      : Contender(std::move(name), true, std::move(batches)), model_(model) {
    for (const auto& documents : this->batches()) packed_.push_back(pack_sequence(select(corpus, documents)));
  }

  NetworkResult forward(std::size_t batch) const override { return model_.run_packed(packed_[batch]); }

  at::Tensor sum_of_squares(std::size_t /*batch*/, const at::Tensor& output) const override {
    return output.square().sum();
  }

  Outcome outcome(std::size_t batch, const NetworkResult& result) const override {
    return {unpack_sequence(with_data(packed_[batch], result.output)), model_.last_layer(result.hidden)};
  }

  at::Tensor lengths(std::size_t batch) const override { return packseq::lengths(packed_[batch]); }
  at::Tensor executed_lengths(std::size_t batch) const override { return lengths(batch); }

 private:
  Model& model_;
  std::vector<PackedSequence> packed_;
};

/// packseq's fused engine, under the same call.
class FusedContender : public PackedContender {
 public:
  using PackedContender::PackedContender;

  NetworkResult forward(std::size_t batch) const override {
    const engine::InstallGuard guard;
    return PackedContender::forward(batch);
  }
};

}  // namespace

Contenders make_contenders(Model& model, const Corpus& corpus, const std::vector<std::int64_t>& documents,
                           std::int64_t batch) {
  const Batches batches = cut(documents, batch);
  // What a careful user of padding does: documents of like length share a batch.
  const Batches like_length = cut(longest_first(corpus, documents), batch);
  Contenders contenders;
  contenders.push_back(std::make_unique<PaddedContender>("padded", model, corpus, batches));
  contenders.push_back(std::make_unique<PackedContender>("packed", model, corpus, batches));
  contenders.push_back(std::make_unique<FusedContender>("fused", model, corpus, batches));
  contenders.push_back(std::make_unique<PaddedContender>("bucketed", model, corpus, like_length));
  return contenders;
}

}  // namespace packseq::cli
