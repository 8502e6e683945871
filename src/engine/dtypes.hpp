#pragma once

#include <c10/core/ScalarType.h>

namespace packseq::engine {

/// Of what dtypes networks are that the engine runs; and as messages say it.
constexpr bool is_dtype_of_engine(c10::ScalarType dtype) {
  return dtype == c10::kFloat || dtype == c10::kDouble || dtype == c10::kBFloat16;
}
constexpr const char* dtypes_of_engine = "Float, Double and BFloat16";

/// In what it computes for them: float where tensors are of bfloat16.
constexpr c10::ScalarType computed_dtype(c10::ScalarType dtype) {
  return dtype == c10::kBFloat16 ? c10::kFloat : dtype;
}

}  // namespace packseq::engine
