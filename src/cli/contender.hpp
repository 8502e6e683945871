#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cli/corpus.hpp"
#include "cli/model.hpp"
#include "packseq/engine/precision.hpp"
#include "packseq/sequence/jagged.hpp"

namespace packseq::cli {

/// What came out for the documents of a batch, in whatever form they were run.
struct Outcome {
  Jagged outputs;          ///< The last layer's output for each real token, [N, D * H].
  at::Tensor last_states;  ///< The last layer's hidden state at each document's last real step, [B, D * H].
};

/// One way to run documents through a model.
///
/// To add one, derive from this class and make it in `make_contenders`.
class Contender {
 public:
  /// `equivalent`: whether its results must be those of each document run alone.
  Contender(std::string name, bool equivalent, Batches batches,
            engine::Precision precision = engine::Precision::float32)
      : name_(std::move(name)), equivalent_(equivalent), batches_(std::move(batches)), precision_(precision) {}
  virtual ~Contender() = default;
  Contender(const Contender&) = delete;
  Contender& operator=(const Contender&) = delete;

  const std::string& name() const noexcept { return name_; }
  bool equivalent() const noexcept { return equivalent_; }
  const Batches& batches() const noexcept { return batches_; }
  engine::Precision precision() const noexcept { return precision_; }  ///< Of its products.

  /// Runs embedding and network over batch `batch`; with the next one, what the clock sees.
  virtual NetworkResult forward(std::size_t batch) const = 0;

  /// Whether it is there for this mode.
  virtual bool runs(cost::Mode /*mode*/) const { return true; }

  /// The sum over all real tokens of the squares of the output, from which training derives its loss.
  virtual at::Tensor sum_of_squares(std::size_t batch, const at::Tensor& output) const = 0;

  /// Takes a result apart, document by document.
  virtual Outcome outcome(std::size_t batch, const NetworkResult& result) const = 0;

  /// The real tokens of each document of a batch, int64 [B].
  virtual at::Tensor lengths(std::size_t batch) const = 0;

  /// The steps that are computed for each document of a batch, int64 [B].
  virtual at::Tensor executed_lengths(std::size_t batch) const = 0;

  /// The tokens of a batch that share the first layer's products with others.
  virtual std::int64_t repeated_tokens(std::size_t /*batch*/) const { return 0; }

  /// FLOPs that are executed for a batch.
  virtual std::int64_t executed_flops(const cost::Network& network, std::size_t batch, cost::Mode mode) const;

  /// Bytes of what is in memory at once for a batch: `cost::activation_bytes`, and what tokens share.
  virtual std::int64_t activation_bytes(const cost::Network& network, std::size_t batch, cost::Mode mode) const;

 private:
  std::string name_;
  bool equivalent_;
  Batches batches_;
  engine::Precision precision_;
};

/// FLOPs of a pass over documents of these lengths. The embedding is trained, so the network's input needs a gradient.
std::int64_t flops(const cost::Network& network, const at::Tensor& lengths, cost::Mode mode);

/// The form in which every contender of this program comes.
using Contenders = std::vector<std::unique_ptr<Contender>>;

/// All contenders over the same `documents`, batched by `batch`; `model` and `corpus` must outlive them. Those of the
/// engine are there in each of these precisions: "fused", "fused+dedup", "fused+shared" and "fused+frozen" in
/// float, "bfloat16" and so on with products of that.
Contenders make_contenders(Model& model, const Corpus& corpus, const std::vector<std::int64_t>& documents,
                           std::int64_t batch, const std::vector<engine::Precision>& precisions);

}  // namespace packseq::cli
