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
  bool is_operator = false;  ///< Of LibTorch: what that computes rightly is not refused.
};

/// Refuses arguments of a network that do not fit each other. Returns whether the engine takes arguments of these
/// sizes; others are LibTorch's to compute or to refuse: nothing in the batch, steps without tokens at its end, no
/// hidden units, and of its operators what it expands by itself.
/// @throws c10::ValueError if something is undefined or has not the sizes that the first layer's weights ask for, there
///   are more or fewer layers, parameters or states than belong together, or `batch_sizes` is none of a packed batch.
/// @throws c10::TypeError if `batch_sizes` is not int64 on the CPU.
/// @throws c10::TypeError if something differs from the parameters in dtype or device; under autocast, which brings
///   floating-point numbers to one dtype, all but Double may.
bool check_arguments(const Network& network, const Caller& caller);

/// The same for a batch that is known to be well formed; states are of so many documents.
bool check_arguments(const Network& network, const Caller& caller, std::int64_t documents);

}  // namespace packseq::engine
