#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/two_directions.hpp"

// A direction of a layer by the formulas of LibTorch's documentation, in double, number after number: slow, and
// independent of the kernels.

namespace packseq::kernels {

using Numbers = std::vector<double>;

struct Results {
  Numbers output, h_n, c_n, cells;
};

class Formulas {
 public:
  Formulas(const Case& of, const Sizes& sizes, const Tensors<double>& tensors)
      : of_(of), sizes_(sizes), tensors_(tensors), output_size_(sizes.output(of)) {}

  Results run(bool reverse) const {
    Results results = {Numbers(rows * output_size_), {}, {}, Numbers(rows * sizes_.hidden)};
    for (std::size_t rank = 0; rank < batch; ++rank) {
      Numbers h = row_of(tensors_.h_0, rank, output_size_);
      Numbers c = row_of(tensors_.c_0, rank, sizes_.hidden);
      std::vector<std::size_t> sequence = rows_of(rank);
      if (reverse) std::reverse(sequence.begin(), sequence.end());
      for (const std::size_t row : sequence) {
        step(row_of(tensors_.input, of_.indexed ? index(row) : row, sizes_.input), h, c);
        std::copy(h.begin(), h.end(), results.output.begin() + static_cast<std::ptrdiff_t>(row * output_size_));
        std::copy(c.begin(), c.end(), results.cells.begin() + static_cast<std::ptrdiff_t>(row * sizes_.hidden));
      }
      results.h_n.insert(results.h_n.end(), h.begin(), h.end());
      results.c_n.insert(results.c_n.end(), c.begin(), c.end());
    }
    return results;
  }

 private:
  static Numbers row_of(const Numbers& matrix, std::size_t row, std::size_t size) {
    const auto begin = matrix.begin() + static_cast<std::ptrdiff_t>(row * size);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
  }
  static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

  std::size_t index(std::size_t row) const { return static_cast<std::size_t>(tensors_.index[row]); }

  /// Where the tokens of a sequence lie.
  static std::vector<std::size_t> rows_of(std::size_t rank) {
    std::vector<std::size_t> result;
    std::size_t first = 0;
    for (const auto size : batch_sizes) {
      if (rank < static_cast<std::size_t>(size)) result.push_back(first + rank);
      first += static_cast<std::size_t>(size);
    }
    return result;
  }

  /// Row `line` of W x + b.
  double sum(const Numbers& weights, const Numbers& biases, std::size_t line, const Numbers& x) const {
    double result = of_.has_biases ? biases[line] : 0.0;
    for (std::size_t k = 0; k < x.size(); ++k) result += weights[line * x.size() + k] * x[k];
    return result;
  }

  void step(const Numbers& x, Numbers& h, Numbers& c) const {
    const std::size_t hidden = sizes_.hidden;
    Numbers next(hidden);
    for (std::size_t unit = 0; unit < hidden; ++unit) {
      const auto of_input = [&](std::size_t gate) {
        return sum(tensors_.weight_ih, tensors_.bias_ih, gate * hidden + unit, x);
      };
      const auto of_hidden = [&](std::size_t gate) {
        return sum(tensors_.weight_hh, tensors_.bias_hh, gate * hidden + unit, h);
      };
      const auto both = [&](std::size_t gate) { return of_input(gate) + of_hidden(gate); };
      if (of_.cell == Cell::lstm) {
        c[unit] = sigmoid(both(1)) * c[unit] + sigmoid(both(0)) * std::tanh(both(2));
        next[unit] = sigmoid(both(3)) * std::tanh(c[unit]);
      } else if (of_.cell == Cell::gru) {
        const double n = std::tanh(of_input(2) + sigmoid(both(0)) * of_hidden(2));
        const double z = sigmoid(both(1));
        next[unit] = (1 - z) * n + z * h[unit];
      } else {
        next[unit] = of_.cell == Cell::rnn_tanh ? std::tanh(both(0)) : std::max(both(0), 0.0);
      }
    }
    h = of_.has_projection ? projected(next) : next;
  }

  Numbers projected(const Numbers& h) const {
    Numbers result(output_size_);
    for (std::size_t i = 0; i < output_size_; ++i) {
      for (std::size_t k = 0; k < h.size(); ++k) result[i] += tensors_.weight_hr[i * h.size() + k] * h[k];
    }
    return result;
  }

  const Case& of_;
  const Sizes& sizes_;
  const Tensors<double>& tensors_;
  std::size_t output_size_;
};

}  // namespace packseq::kernels
