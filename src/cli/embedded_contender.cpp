#include "cli/embedded_contender.hpp"

#include <ATen/ops/_unique.h>
#include <ATen/ops/bincount.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

#include "cli/packed_contender.hpp"
#include "nn/tries.hpp"
#include "packseq/sequence/reverse.hpp"
#include "sequence/beginnings.hpp"
#include "sequence/layout.hpp"

namespace packseq::cli {
namespace {

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
    // Two directions' are put side by side.
    const std::int64_t on_top = network.bidirectional ? 2 * of_tokens : of_tokens;
    const auto others = over_tokens(network);
    if (!others) return sum + on_top;
    const std::int64_t of_others = cost::activation_bytes(*others, lengths(batch), mode);
    return mode == cost::Mode::training ? sum + of_others : std::max(sum + on_top, of_others);
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
    return repeated_tokens(batch) > 0 && nn::detail::is_worth_sharing(beginnings, tokens, most_beginnings());
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

Contenders make_embedded_contenders(const std::string& name, Model& model, const Corpus& corpus, const Batches& batches,
                                    engine::Precision precision) {
  Contenders contenders;
  contenders.push_back(std::make_unique<DedupContender>(name + "+dedup", model, corpus, batches, precision));
  contenders.push_back(std::make_unique<SharedContender>(name + "+shared", model, corpus, batches, precision));
  contenders.push_back(std::make_unique<FrozenContender>(name + "+frozen", model, corpus, batches, precision));
  return contenders;
}

}  // namespace packseq::cli
