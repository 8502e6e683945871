#include "cli/contender.hpp"

#include <ATen/ops/_unique.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bincount.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

#include "packseq/sequence/map.hpp"
#include "packseq/sequence/mask.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"
#include "packseq/sequence/reverse.hpp"
#include "sequence/beginnings.hpp"
#include "sequence/layout.hpp"

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

/// packseq's fused engine.
class FusedContender : public PackedContender {
 public:
  using PackedContender::PackedContender;

  NetworkResult forward(std::size_t batch) const override { return model().run_fused(ids(batch), precision()); }
};

/// packseq's modules, which multiply each distinct word of a batch once.
class DedupContender : public PackedContender {
 public:
  DedupContender(std::string name, Model& model, const Corpus& corpus, Batches batches, engine::Precision precision,
                 bool shares_beginnings = false)
      : PackedContender(std::move(name), model, corpus, std::move(batches), precision),
        shape_(model.shape()),
        network_(model.embedded()) {
    if (!shares_beginnings) std::visit([](auto& network) { network->most_beginnings = 0; }, network_);
  }

  NetworkResult forward(std::size_t batch) const override {
    return std::visit(
        [&](auto& network) {
          const nn::Result result = network->forward(ids(batch));
          return NetworkResult{result.output.data(), result.state.h};
        },
        network());
  }

  std::int64_t repeated_tokens(std::size_t batch) const override {
    const std::int64_t tokens = ids(batch).data().size(0);
    const std::int64_t words = multiplied_words(batch);
    const bool worth_it = static_cast<double>(words) <= nn::most_distinct * static_cast<double>(tokens);
    return worth_it ? tokens - words : 0;
  }

  std::int64_t activation_bytes(const cost::Network& network, std::size_t batch, cost::Mode mode) const override {
    return Contender::activation_bytes(network, batch, mode) + table_bytes(batch);
  }

 protected:
  /// Multiplies all words of the text, as far as they fit into a table, now and never again.
  void freeze() {
    std::visit([](auto& network) { network->freeze(); }, network());
  }

  /// Bytes of what the first layer's gates start from.
  std::int64_t table_bytes(std::size_t batch) const {
    const std::int64_t repeated = repeated_tokens(batch);
    if (repeated == 0) return 0;
    const bool has_gates = shape_.kind != cost::Kind::rnn;
    const std::int64_t row = 4 * (has_gates ? 4 : 1) * shape_.hidden_size * (shape_.bidirectional ? 2 : 1);
    return row * (known_words() + ids(batch).data().size(0) - repeated);
  }

  std::int64_t multiplied_words(std::size_t batch) const {
    const at::Tensor& words = ids(batch).data();
    return std::get<0>(at::_unique(words.masked_select(words >= known_words()))).size(0);
  }

  double most_beginnings() const {
    return std::visit([](const auto& network) { return network->most_beginnings; }, network());
  }

 private:
  using Network = std::variant<nn::EmbeddedLSTM, nn::EmbeddedGRU, nn::EmbeddedRNN>;

  /// What it runs is every contender's, and takes the precision of the one that uses it.
  Network& network() const {
    std::visit([this](auto& network) { network->network->precision = precision(); }, network_);
    return network_;
  }

  std::int64_t known_words() const {
    return std::visit([](const auto& network) { return network->frozen_words(); }, network());
  }

  cost::Network shape_;
  mutable Network network_;  // a module's forward is not const
};

/// The same, which computes each beginning that documents have in common once, too.
class SharedContender : public DedupContender {
 public:
  SharedContender(std::string name, Model& model, const Corpus& corpus, Batches batches, engine::Precision precision)
      : DedupContender(std::move(name), model, corpus, std::move(batches), precision, /*shares_beginnings=*/true) {
    const bool bidirectional = model.shape().bidirectional;
    for (std::size_t batch = 0; batch < this->batches().size(); ++batch) {
      shared_.push_back({lengths_of_paths(ids(batch))});
      if (bidirectional) shared_.back().push_back(lengths_of_paths(reverse(ids(batch))));
      if (!is_worth_it(batch)) shared_.back().clear();
    }
  }

  std::int64_t executed_flops(const cost::Network& network, std::size_t batch, cost::Mode mode) const override {
    if (shared_[batch].empty()) return DedupContender::executed_flops(network, batch, mode);
    const cost::Network first = over_nodes(network);
    std::int64_t sum = 0;
    for (const at::Tensor& lengths : shared_[batch]) {
      const std::int64_t repeated = lengths.sum().item<std::int64_t>() - multiplied_words(batch);
      sum += flops(first, lengths, mode) - cost::repeated_flops(first, repeated, mode);
    }
    const auto others = over_tokens(network);
    return others ? sum + flops(*others, lengths(batch), mode) : sum;
  }

  /// Of nodes in the place of tokens, whose output comes on top.
  std::int64_t activation_bytes(const cost::Network& network, std::size_t batch, cost::Mode mode) const override {
    if (shared_[batch].empty()) return DedupContender::activation_bytes(network, batch, mode);
    const cost::Network first = over_nodes(network);
    constexpr std::int64_t number = sizeof(float);
    std::int64_t sum = table_bytes(batch);
    for (const at::Tensor& lengths : shared_[batch]) {
      sum += cost::activation_bytes(first, lengths, mode);
      // Cell states of all nodes, since others go on from any. A backward pass reads them anyway.
      const bool keeps_cells = network.kind == cost::Kind::lstm && mode == cost::Mode::inference;
      if (keeps_cells) sum += number * network.hidden_size * lengths.sum().item<std::int64_t>();
    }
    const std::int64_t of_tokens = number * model().output_size() * ids(batch).data().size(0);
    const auto others = over_tokens(network);
    if (!others) return sum + of_tokens;
    const std::int64_t of_others = cost::activation_bytes(*others, lengths(batch), mode);
    return mode == cost::Mode::training ? sum + of_others : std::max(sum + of_tokens, of_others);
  }

 private:
  /// What is run over the nodes of each trie.
  static cost::Network over_nodes(cost::Network network) {
    if (network.bidirectional) network.num_layers = 1;
    network.bidirectional = false;
    return network;
  }

  /// What is run over tokens after it, if anything.
  static std::optional<cost::Network> over_tokens(cost::Network network) {
    if (!network.bidirectional || network.num_layers == 1) return {};
    network.input_size = 2 * network.hidden_size;
    --network.num_layers;
    return network;
  }

  /// The sequences that make up a trie of the documents: what each has after those before it.
  static at::Tensor lengths_of_paths(const PackedSequence& ids) {
    const auto paths =
        packseq::detail::Beginnings(ids.data(), packseq::detail::checked_layout("shared", ids).batch_sizes)
            .trie()
            .paths;
    return at::bincount(paths);
  }

  bool is_worth_it(std::size_t batch) const {
    std::int64_t beginnings = 0;
    for (const at::Tensor& lengths : shared_[batch]) beginnings += lengths.sum().item<std::int64_t>();
    const std::int64_t tokens = static_cast<std::int64_t>(shared_[batch].size()) * ids(batch).data().size(0);
    const bool saves_time = static_cast<double>(beginnings) <= most_beginnings() * static_cast<double>(tokens);
    return repeated_tokens(batch) > 0 && saves_time;
  }

  std::vector<std::vector<at::Tensor>> shared_;  // of each batch, and of each direction; none where nothing is shared
};

/// The distinct words for good: for inference with weights that stay as they are.
class FrozenContender : public DedupContender {
 public:
  FrozenContender(std::string name, Model& model, const Corpus& corpus, Batches batches, engine::Precision precision)
      : DedupContender(std::move(name), model, corpus, std::move(batches), precision) {
    freeze();
  }

  bool runs(cost::Mode mode) const override { return mode == cost::Mode::inference; }
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
    contenders.push_back(std::make_unique<DedupContender>(name + "+dedup", model, corpus, batches, precision));
    contenders.push_back(std::make_unique<SharedContender>(name + "+shared", model, corpus, batches, precision));
    contenders.push_back(std::make_unique<FrozenContender>(name + "+frozen", model, corpus, batches, precision));
  }
  contenders.push_back(std::make_unique<PaddedContender>("bucketed", model, corpus, like_length));
  return contenders;
}

}  // namespace packseq::cli
