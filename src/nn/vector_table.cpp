#include "packseq/nn/vector_table.hpp"

#include <ATen/Functions.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/ascii.hpp"

namespace packseq::nn {
namespace {

/// Where a row comes from; the later ones replace those before them.
enum class Origin : std::uint8_t { none, lower_case, exact };

/// Words that become the same one in lower case.
struct Others {
  std::vector<std::int64_t> ids = {};
  bool is_seen = false;  ///< Whether that one has come.
};

std::unordered_map<std::string, Others> others_by_lower_case(const Vocab& vocab) {
  std::unordered_map<std::string, Others> others;
  for (std::int64_t id = 0; id < vocab.size(); ++id) {
    std::string lower(vocab.token(id));
    std::transform(lower.begin(), lower.end(), lower.begin(), packseq::detail::to_lower);
    if (lower != vocab.token(id)) others[std::move(lower)].ids.push_back(id);
  }
  return others;
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
    if (options.lower_case) by_lower_case_ = others_by_lower_case(vocab);
    weight_ = at::zeros({vocab.size(), dimension}, at::kFloat);
  }

  void take(const WordVector& row) {
    bool is_repeated = false;
    if (const auto id = vocab_.find(row.word)) is_repeated = !set(*id, Origin::exact, row.vector);
    if (!by_lower_case_.empty()) {
      key_ = row.word;
      const auto others = by_lower_case_.find(key_);
      if (others != by_lower_case_.end()) {
        is_repeated = std::exchange(others->second.is_seen, true);
        for (const std::int64_t id : others->second.ids) set(id, Origin::lower_case, row.vector);
      }
    }
    if (is_repeated) ++repeated_;
  }

  VectorTable finish(const VectorTableOptions& options) {
    if (padding_) origins_[static_cast<std::size_t>(*padding_)] = Origin::none;
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
  std::unordered_map<std::string, Others> by_lower_case_;
  at::Tensor weight_;
  std::string key_;
  std::int64_t repeated_ = 0;

  bool set(std::int64_t id, Origin origin, std::span<const float> vector) {
    Origin& before = origins_[static_cast<std::size_t>(id)];
    if (before >= origin) return false;
    before = origin;
    std::copy(vector.begin(), vector.end(), row(id).begin());
    return true;
  }

  std::span<float> row(std::int64_t id) {
    const std::int64_t dimension = weight_.size(1);
    return {weight_.mutable_data_ptr<float>() + id * dimension, static_cast<std::size_t>(dimension)};
  }

  /// The mean of a function of all finite numbers that were found; nan if there are none.
  template <class Function>
  double mean_of_found(const Function& function) {
    double sum = 0;
    std::int64_t count = 0;
    for (std::int64_t id = 0; id < vocab_.size(); ++id) {
      if (origins_[static_cast<std::size_t>(id)] == Origin::none) continue;
      for (const float value : row(id)) {
        if (!std::isfinite(value)) continue;
        sum += function(static_cast<double>(value));
        ++count;
      }
    }
    return sum / static_cast<double>(count);
  }

  void fill_missing(const VectorTableOptions& options, const at::Tensor& found) {
    if (options.missing == Missing::zeros) return;
    if (options.missing == Missing::vector) {
      weight_.index_put_({found.logical_not()}, options.missing_vector.detach().to(at::kFloat));
      return;
    }
    const double mean = mean_of_found([](double value) { return value; });
    TORCH_CHECK_VALUE(!std::isnan(mean),
                      "read_vector_table: options.missing is Missing::normal, but the vectors have no finite number "
                      "for any of the vocabulary's ",
                      vocab_.size(), " words: there is no spread to draw from");
    const double deviation = std::sqrt(mean_of_found([&](double value) { return (value - mean) * (value - mean); }));
    // Not LibTorch's generator, which is the caller's.
    std::mt19937_64 random(options.seed);
    std::normal_distribution<double> normal;
    for (std::int64_t id = 0; id < vocab_.size(); ++id) {
      if (origins_[static_cast<std::size_t>(id)] != Origin::none) continue;
      for (float& value : row(id)) value = static_cast<float>(mean + deviation * normal(random));
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
