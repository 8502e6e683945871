#include "packseq/nn/vector_table.hpp"

#include <ATen/Functions.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace packseq::nn {
namespace {

/// Where a row comes from; the later ones replace those before them.
enum class Origin : std::uint8_t { none, lower_case, exact };

std::string in_lower_case(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

/// The ids of the words that others become in lower case.
std::unordered_map<std::string, std::vector<std::int64_t>> ids_by_lower_case(const Vocab& vocab) {
  std::unordered_map<std::string, std::vector<std::int64_t>> ids;
  for (std::int64_t id = 0; id < vocab.size(); ++id) {
    std::string lower = in_lower_case(vocab.token(id));
    if (lower != vocab.token(id)) ids[std::move(lower)].push_back(id);
  }
  return ids;
}

std::optional<std::int64_t> padding_of(const VectorTableOptions& options, const Vocab& vocab) {
  if (!options.padding_idx) return vocab.find("<pad>");
  TORCH_CHECK_VALUE(*options.padding_idx >= 0 && *options.padding_idx < vocab.size(),
                    "read_vector_table: options.padding_idx is ", *options.padding_idx, ", and must be in 0 ... ",
                    vocab.size() - 1);
  return options.padding_idx;
}

void check_missing_vector(const VectorTableOptions& options, std::int64_t dimension) {
  const at::Tensor& vector = options.missing_vector;
  if (options.missing != Missing::vector) {
    TORCH_CHECK_VALUE(!vector.defined(),
                      "read_vector_table: options.missing_vector is set, but options.missing is not "
                      "Missing::vector");
    return;
  }
  TORCH_CHECK_VALUE(vector.defined(),
                    "read_vector_table: options.missing is Missing::vector, but "
                    "options.missing_vector is not set");
  TORCH_CHECK_VALUE(
      vector.is_floating_point() && vector.device().is_cpu() && vector.sizes() == at::IntArrayRef(dimension),
      "read_vector_table: options.missing_vector is ", vector.scalar_type(), vector.sizes(), " on ", vector.device(),
      ", and must be floating-point [", dimension, "] on the CPU");
}

/// A table that is being filled.
class Filling {
 public:
  Filling(const Vocab& vocab, std::int64_t dimension, const VectorTableOptions& options)
      : vocab_(vocab), padding_(padding_of(options, vocab)), origins_(static_cast<std::size_t>(vocab.size())) {
    check_missing_vector(options, dimension);
    if (options.lower_case) by_lower_case_ = ids_by_lower_case(vocab);
    weight_ = at::zeros({vocab.size(), dimension}, at::kFloat);
  }

  void take(const WordVector& row) {
    bool is_used = false;
    bool is_known = false;
    const auto use = [&](std::int64_t id, Origin origin) {
      is_known = true;
      is_used = set(id, origin, row.vector) || is_used;
    };
    if (const auto id = vocab_.find(row.word)) use(*id, Origin::exact);
    if (!by_lower_case_.empty()) {
      key_ = row.word;
      const auto others = by_lower_case_.find(key_);
      if (others != by_lower_case_.end()) {
        for (const std::int64_t id : others->second) use(id, Origin::lower_case);
      }
    }
    if (is_known && !is_used) ++repeated_;
  }

  VectorTable finish(const VectorTableOptions& options) {
    at::Tensor found = at::empty({vocab_.size()}, at::kBool);
    std::transform(origins_.begin(), origins_.end(), found.mutable_data_ptr<bool>(),
                   [](Origin origin) { return origin != Origin::none; });
    fill_missing(options, found);
    if (padding_) weight_[*padding_].zero_();
    const auto count = [this](Origin origin) { return std::count(origins_.begin(), origins_.end(), origin); };
    return {weight_, found, count(Origin::exact), count(Origin::lower_case), repeated_, padding_};
  }

 private:
  const Vocab& vocab_;
  std::optional<std::int64_t> padding_;
  std::vector<Origin> origins_;
  std::unordered_map<std::string, std::vector<std::int64_t>> by_lower_case_;
  at::Tensor weight_;
  std::string key_;
  std::int64_t repeated_ = 0;

  bool set(std::int64_t id, Origin origin, std::span<const float> vector) {
    Origin& before = origins_[static_cast<std::size_t>(id)];
    if (id == padding_ || before >= origin) return false;
    before = origin;
    std::copy(vector.begin(), vector.end(), weight_.mutable_data_ptr<float>() + id * weight_.size(1));
    return true;
  }

  void fill_missing(const VectorTableOptions& options, const at::Tensor& found) {
    if (options.missing == Missing::zeros) return;
    const at::Tensor missing = found.logical_not().nonzero().squeeze(1);
    if (options.missing == Missing::vector) {
      weight_.index_put_({missing}, options.missing_vector.detach().to(at::kFloat));
      return;
    }
    const at::Tensor numbers = weight_.index({found});
    const at::Tensor finite = numbers.index({numbers.isfinite()}).to(at::kDouble);
    TORCH_CHECK_VALUE(finite.numel() > 0,
                      "read_vector_table: options.missing is Missing::normal, but none of the "
                      "vocabulary's ",
                      vocab_.size(),
                      " words is among the vectors: there is no "
                      "spread to draw from");
    // Not LibTorch's generator, which is the caller's.
    std::mt19937_64 random(options.seed);
    std::normal_distribution<double> normal(finite.mean().item<double>(), finite.std(false).item<double>());
    for (std::int64_t i = 0; i < missing.numel(); ++i) {
      const std::int64_t id = missing[i].item<std::int64_t>();
      float* const row = weight_.mutable_data_ptr<float>() + id * weight_.size(1);
      std::generate(row, row + weight_.size(1), [&] { return static_cast<float>(normal(random)); });
    }
  }
};

}  // namespace

std::int64_t VectorTable::found_tokens(const at::Tensor& ids) const {
  TORCH_CHECK_TYPE(ids.scalar_type() == at::kLong || ids.scalar_type() == at::kInt,
                   "VectorTable::found_tokens: ids are ", ids.scalar_type(), ", and must be int64 or int32");
  if (ids.numel() == 0) return 0;
  const at::Tensor flat = ids.detach().to(at::kCPU).flatten();
  const auto [least, most] = at::aminmax(flat);
  TORCH_CHECK_INDEX(least.item<std::int64_t>() >= 0 && most.item<std::int64_t>() < found.size(0),
                    "VectorTable::found_tokens: ids are in ", least.item<std::int64_t>(), " ... ",
                    most.item<std::int64_t>(), ", and must be in 0 ... ", found.size(0) - 1);
  return found.index_select(0, flat).sum().item<std::int64_t>();
}

VectorTable read_vector_table(WordVectorReader& vectors, const Vocab& vocab, const VectorTableOptions& options) {
  Filling filling(vocab, vectors.dimension(), options);
  while (const auto row = vectors.next()) filling.take(*row);
  return filling.finish(options);
}

}  // namespace packseq::nn
