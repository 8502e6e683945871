#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "cli/contender.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::cli {

/// LibTorch's path for packed batches.
class PackedContender : public Contender {
 public:
  PackedContender(std::string name, Model& model, const Corpus& corpus, Batches batches,
                  engine::Precision precision = engine::Precision::float32)
      : Contender(std::move(name), true, std::move(batches), precision), model_(model) {
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

 protected:
  const PackedSequence& ids(std::size_t batch) const { return packed_[batch]; }
  Model& model() const { return model_; }

 private:
  Model& model_;
  std::vector<PackedSequence> packed_;
};

}  // namespace packseq::cli
