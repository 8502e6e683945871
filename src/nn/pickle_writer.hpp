#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nn/pickle_value.hpp"

namespace packseq::nn::detail {

/// Writes the pickle of a dict of tensors, in protocol 2, with the names alone that `torch.load` takes for weights.
class PickleWriter {
 public:
  PickleWriter();

  /// The next entry of the dict; conjugation and negation must have been carried out.
  void add(std::string_view key, const PickledTensor& tensor);

  /// The whole pickle; nothing can be added then.
  std::string finish();

 private:
  std::string bytes_;

  void text(std::string_view text);
  void integer(std::int64_t number);
  void integers(const std::vector<std::int64_t>& numbers);
  void name(std::string_view module, std::string_view name);
  void storage(const PickledStorage& storage);
};

}  // namespace packseq::nn::detail
