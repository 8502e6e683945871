#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <random>
#include <span>
#include <vector>

#include "kernels/passes.hpp"
#include "kernels/plan.hpp"
#include "kernels/threads.hpp"

namespace packseq::kernels {

struct Case {
  Cell cell = Cell::lstm;
  bool has_projection = false;
  bool has_biases = true;
  bool keeps = true;     ///< What a backward pass reads; then there is one.
  bool shared = false;   ///< Steps of few sequences are shared by hidden units.
  bool indexed = false;  ///< Tokens have their input in common.
  Precision precision = Precision::float32;
};

inline std::ostream& operator<<(std::ostream& stream, const Case& of) {
  return stream << "cell " << static_cast<int>(of.cell) << ", projection " << of.has_projection << ", biases "
                << of.has_biases << ", keeps " << of.keeps << ", shared " << of.shared << ", indexed " << of.indexed
                << ", bfloat16 " << (of.precision == Precision::bfloat16);
}

inline std::vector<Case> all_cases(Precision precision = Precision::float32) {
  std::vector<Case> all;
  for (const auto cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh, Cell::rnn_relu}) {
    for (const bool has_projection : {false, true}) {
      for (const bool keeps : {false, true}) {
        for (const bool shared : {false, true}) {
          if (has_projection && cell != Cell::lstm) continue;
          for (const bool indexed : {false, true}) {
            const bool has_biases = !indexed || shared;  // not crossed with the others, which it has nothing to do with
            all.push_back({cell, has_projection, has_biases, keeps, shared, indexed, precision});
          }
        }
      }
    }
  }
  return all;
}

inline std::vector<Case> cases_of_both_precisions() {
  std::vector<Case> all = all_cases();
  for (const Case& of : all_cases(Precision::bfloat16)) all.push_back(of);
  return all;
}

struct Sizes {
  std::size_t input = 5;
  std::size_t hidden = 155;
  std::size_t projection = 33;
  std::size_t output(const Case& of) const { return of.has_projection ? projection : hidden; }
};

/// The batch of all cases: [T], the number of its rows and sequences, and what an index refers to.
inline const std::vector<std::int64_t> batch_sizes = {52, 52, 9, 7, 7, 3, 2, 2, 1, 1};
constexpr std::size_t rows = 136, batch = 52, distinct_rows = 31;

/// As tensors hold it; a number of bfloat16 is cut.
template <class T>
T held(float number) {
  if constexpr (is_narrow<T>) {
    return {static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(number) >> 16)};
  } else {
    return number;
  }
}

/// The tensors of one direction, filled with small random numbers: the same of a seed in float and double.
template <class T>
struct Tensors {
  Tensors(const Sizes& sizes, std::size_t output_size, std::uint32_t seed)
      : random(seed),
        weight_ih(numbers<T>(4 * sizes.hidden * sizes.input)),
        weight_hh(numbers<T>(4 * sizes.hidden * output_size)),
        bias_ih(numbers<T>(4 * sizes.hidden)),
        bias_hh(numbers<T>(4 * sizes.hidden)),
        weight_hr(numbers<T>(output_size * sizes.hidden)),
        input(numbers<T>(rows * sizes.input)),
        h_0(numbers<T>(batch * output_size)),
        c_0(numbers<T>(batch * sizes.hidden)),
        d_output(numbers<T>(rows * output_size)),
        d_h(numbers<Computed<T>>(batch * output_size)),
        d_c(numbers<Computed<T>>(batch * sizes.hidden)),
        d_cells(numbers<T>(rows * sizes.hidden)),
        output(rows * output_size),
        gates(rows * 4 * sizes.hidden),
        cells(rows * sizes.hidden),
        h_n(h_0.size()),
        c_n(c_0.size()),
        d_input(input.size()),
        d_weight_ih(weight_ih.size()),
        d_weight_hh(weight_hh.size()),
        d_bias_ih(bias_ih.size()),
        d_bias_hh(bias_hh.size()),
        d_weight_hr(weight_hr.size()) {
    for (std::size_t row = 0; row < rows; ++row) index.push_back(static_cast<std::int32_t>(row * 7 % distinct_rows));
  }

  template <class N>
  std::vector<N> numbers(std::size_t count) {
    std::vector<N> all(count);
    std::uniform_real_distribution<float> number(-.2F, .2F);
    for (N& one : all) one = held<N>(number(random));
    return all;
  }

  std::mt19937 random;
  std::vector<T> weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, input, h_0, c_0, d_output;
  std::vector<Computed<T>> d_h, d_c;
  std::vector<T> d_cells;
  std::vector<std::int32_t> index;
  std::vector<T> output;
  std::vector<Computed<T>> gates, cells;
  std::vector<T> h_n, c_n, d_input, d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh, d_weight_hr;
};

/// Both directions of a layer.
template <class T>
class TwoDirections {
 public:
  explicit TwoDirections(const Case& of, const Sizes& sizes = {}) : of_(of), sizes_(sizes) {
    for (const std::uint32_t d : {0U, 1U}) tensors_.emplace_back(sizes, sizes.output(of), d);
  }

  Tensors<T>& operator[](std::size_t direction) { return tensors_[direction]; }

  /// From now on so many rows that tokens have in common are projected ahead.
  void know(std::size_t distinct) { known_ = distinct; }

  /// From now on the inputs lie apart. Tokens have no index, and there is no backward pass.
  void scatter() {
    const std::size_t between_sequences = 3 * sizes_.input + 1;
    const std::size_t between_steps = batch * between_sequences;
    strides_ = {between_steps, between_sequences};
    for (Tensors<T>& tensors : tensors_) {
      std::vector<T> scattered(batch_sizes.size() * between_steps);
      auto from = tensors.input.cbegin();
      for (std::size_t step = 0; step < batch_sizes.size(); ++step) {
        for (std::int64_t rank = 0; rank < batch_sizes[step]; ++rank) {
          T* const to = &scattered[step * between_steps + static_cast<std::size_t>(rank) * between_sequences];
          std::copy_n(from, sizes_.input, to);
          from += static_cast<std::ptrdiff_t>(sizes_.input);
        }
      }
      tensors.input = scattered;
    }
  }

  /// The forward pass and, where it keeps what that reads, the backward pass.
  void run_on(std::size_t threads, const Executor& executor = on_threads) {
    const PlanOptions options = {
        .threads = threads, .directions = 2, .weight_bytes = of_.shared ? std::size_t{1} << 30 : 0};
    const auto plan = make_plan(batch_sizes, options);
    EXPECT_EQ(plan.shared_steps() > 0, of_.shared && threads > 1);
    EXPECT_GT(plan.dealt.end, 0U);
    std::vector<Forward<T>> forwards = {forward(0), forward(1)};
    std::vector<std::vector<Computed<T>>> sums(
        2, std::vector<Computed<T>>(known_ * gate_blocks(of_.cell) * sizes_.hidden));
    for (const std::size_t d : {0U, 1U}) {
      forwards[d].input_rows = known_;
      if (known_ > 0) project(forwards[d], sums[d].data(), threads, executor);
      forwards[d].known_sums = sums[d].data();
      forwards[d].known_rows = known_;
      forwards[d].input += known_ * sizes_.input;
      forwards[d].input_rows = rows_of_input() - known_;
    }
    run(std::span<const Forward<T>>(forwards), plan, executor);
    if (!of_.keeps) return;
    const std::vector<Backward<T>> backwards = {backward(0), backward(1)};
    // In parts, of which the first ones have no steps to share.
    run(std::span<const Backward<T>>(backwards), make_plans(batch_sizes, options, 20), executor);
  }

  /// Everything that the passes leave.
  std::vector<std::vector<Computed<T>>> results() const {
    std::vector<std::vector<Computed<T>>> all;
    const auto add = [&](const auto&... parts) { (add_computed(parts, all), ...); };
    for (const Tensors<T>& t : tensors_) {
      add(t.output, t.h_n, t.c_n, t.d_h, t.d_c, t.d_input, t.d_weight_ih, t.d_weight_hh, t.d_bias_ih, t.d_bias_hh,
          t.d_weight_hr);
    }
    return all;
  }

 private:
  template <class N>
  static void add_computed(const std::vector<N>& numbers, std::vector<std::vector<Computed<T>>>& to) {
    to.emplace_back();
    for (const N& number : numbers) to.back().push_back(computed(number));
  }

  Forward<T> forward(std::size_t d) {
    Forward<T> result;
    set(result, d);
    result.input_strides = strides_;
    result.h_n = tensors_[d].h_n.data();
    result.c_n = tensors_[d].c_n.data();
    return result;
  }

  Backward<T> backward(std::size_t d) {
    Tensors<T>& tensors = tensors_[d];
    Backward<T> result;
    set(result, d);
    result.d_output = tensors.d_output.data();
    result.d_output_stride = result.output_size;
    result.d_h = tensors.d_h.data();
    result.d_c = tensors.d_c.data();
    if (of_.cell == Cell::lstm) result.d_cells = tensors.d_cells.data();
    result.d_input = tensors.d_input.data();
    result.d_weight_ih = tensors.d_weight_ih.data();
    result.d_weight_hh = tensors.d_weight_hh.data();
    if (of_.has_biases) {
      result.d_bias_ih = tensors.d_bias_ih.data();
      result.d_bias_hh = tensors.d_bias_hh.data();
    }
    if (of_.has_projection) result.d_weight_hr = tensors.d_weight_hr.data();
    return result;
  }

  std::size_t rows_of_input() const { return of_.indexed ? distinct_rows : rows; }

  void set(Direction<T>& to, std::size_t d) {
    Tensors<T>& tensors = tensors_[d];
    to.cell = of_.cell;
    to.precision = of_.precision;
    to.reverse = d == 1;
    to.input_size = sizes_.input;
    to.hidden_size = sizes_.hidden;
    to.output_size = sizes_.output(of_);
    to.weight_ih = tensors.weight_ih.data();
    to.weight_hh = tensors.weight_hh.data();
    if (of_.has_biases) {
      to.bias_ih = tensors.bias_ih.data();
      to.bias_hh = tensors.bias_hh.data();
    }
    if (of_.has_projection) to.weight_hr = tensors.weight_hr.data();
    to.input = tensors.input.data();
    to.input_rows = rows_of_input();
    if (of_.indexed) to.index = tensors.index.data();
    to.h_0 = tensors.h_0.data();
    to.c_0 = tensors.c_0.data();
    to.output = tensors.output.data();
    to.output_stride = to.output_size;
    if (of_.keeps) to.gates = tensors.gates.data();
    if (of_.keeps && of_.cell == Cell::lstm) {
      to.cells = tensors.cells.data();
      to.cells_stride = sizes_.hidden;
    }
  }

  Case of_;
  Sizes sizes_;
  std::vector<Tensors<T>> tensors_;
  std::size_t known_ = 0;
  std::optional<Strides> strides_;
};

}  // namespace packseq::kernels
