#include "packseq/engine/precision.hpp"

#include <ATen/Context.h>

#include "engine/autocast.hpp"
#include "engine/network.hpp"
#include "kernels/precision.hpp"

namespace packseq::engine {

bool has_bfloat16_instructions() noexcept { return kernels::has_bfloat16_instructions(); }

Precision resolved(Precision precision, c10::ScalarType dtype) {
  if (dtype != at::kFloat) return Precision::float32;
  if (is_autocast_on()) return Precision::bfloat16;
  if (precision != Precision::automatic) return precision;
  const auto of_libtorch = at::globalContext().float32Precision(at::Float32Backend::MKLDNN, at::Float32Op::RNN);
  return of_libtorch == at::Float32Precision::BF16 ? Precision::bfloat16 : Precision::float32;
}

}  // namespace packseq::engine
