#pragma once

#include <vector>

#include "engine/recurrent.hpp"
#include "support/autocast.hpp"

// What the tests of networks under autocast have in common.

namespace packseq::test {

/// Every cell, an LSTM with and without a projection; two layers, two directions.
inline std::vector<Recurrent> all_kinds() {
  std::vector<Recurrent> all;
  for (const auto cell : all_cells) {
    all.push_back({.cell = cell, .dtype = at::kFloat, .layers = 2, .bidirectional = true, .hidden_size = 6});
  }
  all.push_back(all.front());
  all.back().proj_size = 2;
  return all;
}

struct Dtypes {
  c10::ScalarType data;
  c10::ScalarType states;
  c10::ScalarType parameters;
};

inline Arguments of_dtypes(Arguments arguments, const Dtypes& dtypes) {
  arguments.data = arguments.data.to(dtypes.data);
  for (auto& state : arguments.states) state = state.to(dtypes.states);
  for (auto& parameter : arguments.parameters) parameter = parameter.to(dtypes.parameters);
  return arguments;
}

inline Tensors run_cast(const Recurrent& r, const Arguments& arguments) {
  const Autocast autocast;
  return run_fused(r, arguments);
}

}  // namespace packseq::test
