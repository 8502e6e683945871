#pragma once

#include <array>
#include <cstdint>

#include "engine/network.hpp"

namespace packseq::engine {

/// What whoever runs a network calls its arguments.
struct Caller {
  const char* function;
  const char* data;
  std::array<const char*, 2> states;
  bool is_operator = false;  ///< Of LibTorch: a cell state may have a dtype of its own, since LibTorch computes that.
};

/// Refuses arguments of a network that do not fit each other: sizes, batch sizes, dtypes, devices. Besides those of
/// the batch, `states` are of so many documents without tokens.
///
/// Returns whether the engine takes arguments of these sizes. LibTorch computes some more: a batch without documents
/// or steps, steps without tokens at its end, biases that are to be expanded.
/// @throws c10::ValueError if something has not the sizes that the first layer's weights ask for, or batch sizes are
///   not those of a packed batch.
/// @throws c10::TypeError if something differs from the parameters in dtype or device; under autocast, which brings
///   floating-point numbers to one dtype, all but Double may.
bool check_arguments(const Network& network, const Caller& caller, std::int64_t empty_documents = 0);

}  // namespace packseq::engine
