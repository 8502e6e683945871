#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace packseq::kernels {

/// A packed batch read down its columns: a document of E numbers a token has E of them, as high as it is long. They
/// stand longest first, and a step holds the next number of those that reach it.
struct Columns {
  std::vector<std::size_t> widths;  ///< How many columns reach each step; never increasing.
  std::vector<std::size_t> begins;  ///< Where each step's numbers begin.
};

/// The columns of a batch with these numbers of documents in each step, of `elements` numbers for each token.
Columns make_columns(std::span<const std::int64_t> batch_sizes, std::size_t elements);

/// One of so many threads' parts of the columns; a part without any is nothing to do.
struct Part {
  std::size_t number = 0;
  std::size_t of = 1;
};

/// e^x over the sum of e^x down each column, the largest x subtracted from all, which changes nothing but what is out
/// of the dtype's range. A column with NaN or +infinity, or nothing but -infinity, is all NaN.
void softmax(const Columns& columns, const float* input, float* output, const Part& part);
void softmax(const Columns& columns, const double* input, double* output, const Part& part);

/// The gradient of the input where `output` has the gradient g: output (g - the sum of output g down the column).
void softmax_gradient(const Columns& columns, const float* output, const float* gradient, float* input_gradient,
                      const Part& part);
void softmax_gradient(const Columns& columns, const double* output, const double* gradient, double* input_gradient,
                      const Part& part);

}  // namespace packseq::kernels
