#pragma once

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "packseq/nn/state_dict.hpp"
#include "support/throws.hpp"

namespace packseq::test {

/// A file of python_weights.py.
inline std::filesystem::path python_file(const std::string& name) {
  const char* folder = std::getenv("PACKSEQ_PYTHON_FILES");
  if (folder == nullptr) throw std::runtime_error("set PACKSEQ_PYTHON_FILES to the folder of the Python scripts");
  return std::filesystem::path(folder) / name;
}

/// The bits of a tensor's numbers, in their order.
inline at::Tensor bits(const at::Tensor& tensor) {
  return tensor.detach().cpu().resolve_conj().resolve_neg().contiguous().flatten().view(at::kByte);
}

/// The same names in the same order, and under each the same dtype, sizes and bits.
inline void expect_same_state(const nn::StateDict& actual, const nn::StateDict& expected) {
  ASSERT_EQ(actual.keys(), expected.keys());
  for (const auto& entry : expected) {
    const at::Tensor& other = actual[entry.key()];
    EXPECT_EQ(other.scalar_type(), entry.value().scalar_type()) << entry.key();
    EXPECT_EQ(other.sizes(), entry.value().sizes()) << entry.key();
    EXPECT_TRUE(at::equal(bits(other), bits(entry.value()))) << entry.key();
    EXPECT_FALSE(other.requires_grad()) << entry.key();
  }
}

/// As python_weights.py makes it: any bits, two by three elements.
inline at::Tensor pattern(c10::ScalarType dtype, std::int64_t number) {
  const auto size = 6 * static_cast<std::int64_t>(c10::elementSize(dtype));
  const at::Tensor numbers = (at::arange(size) * 37 + 11 * number + 5).remainder(dtype == at::kBool ? 2 : 251);
  return numbers.to(at::kByte).view(dtype).view({2, 3});
}

/// A tensor of each dtype that Python and LibTorch can write, under Python's name for it.
inline nn::StateDict every_dtype() {
  nn::StateDict state;
  for (const auto* name : {"float64",        "float32",         "float16",     "bfloat16",        "int64",
                           "int32",          "int16",           "int8",        "uint8",           "bool",
                           "complex64",      "complex128",      "complex32",   "uint16",          "uint32",
                           "uint64",         "float8_e4m3fn",   "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
                           "float8_e8m0fnu", "float4_e2m1fn_x2"}) {
    const auto dtype = c10::getStringToDtypeMap().at(name);
    state.insert(name, pattern(dtype, static_cast<std::int64_t>(state.size())));
  }
  return state;
}

/// Views of one tensor, and what else is special; as python_weights.py makes them.
inline nn::StateDict views() {
  const at::Tensor base = at::arange(24, at::kFloat).view({4, 6});
  const at::Tensor numbers = at::complex(at::arange(3, at::kFloat), at::ones(3));
  return {{"base", base},
          {"row", base[1]},
          {"column", base.select(1, 2)},
          {"transposed", base.t()},
          {"expanded", base[2].slice(0, 0, 1).expand(5)},
          {"again", base},
          {"scalar", torch::tensor(3.F)},
          {"empty", at::zeros({0, 3})},
          {"conjugate", numbers.conj()},
          {"negative", at::imag(numbers.clone().conj())}};
}

}  // namespace packseq::test
