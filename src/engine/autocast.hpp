#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "engine/network.hpp"

namespace packseq::engine {

/// Whether LibTorch's autocast is on here, for the CPU.
bool is_autocast_on();

/// Whether it changes the dtype of something in a network that is supported: not where all is Double or BFloat16.
bool is_cast(const Network& network);

/// The dtypes of what comes out of a network; c of an LSTM. Where it is cast, those that LibTorch's operators for
/// padded batches give, which depend on no lengths: autocast's of an LSTM and RNN; but cell states beside a projection,
/// and all of a GRU, keep that of the initial state.
struct ResultDtypes {
  c10::ScalarType h;
  c10::ScalarType c;
};
ResultDtypes result_dtypes(const Network& network);

/// A network that is cast, as the engine runs it: tensors of Float, of which products round the factors to bfloat16.
/// Weights of Float stay the same tensors, so that frozen ones are found, gradients of weights are not rounded, and
/// autocast's cache of rounded weights gets nothing to keep.
class CastNetwork {
 public:
  explicit CastNetwork(const Network& original);
  CastNetwork(const CastNetwork&) = delete;
  CastNetwork& operator=(const CastNetwork&) = delete;

  /// It lives as long as this.
  const Network& network() const { return network_; }

  /// What comes out of the original, from what came out of `network`.
  NetworkResult cast(NetworkResult result) const;

 private:
  ResultDtypes dtypes_;
  std::vector<at::Tensor> states_;
  std::vector<at::Tensor> parameters_;
  Network network_;
};

}  // namespace packseq::engine
