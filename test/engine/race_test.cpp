#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include "engine/kernels.hpp"
#include "engine/plan.hpp"

// Many threads compute the same numbers as one, without races that a sanitizer of threads could see.

namespace packseq::engine {
namespace {

/// Every part on a thread of its own.
void on_threads(std::size_t parts, const Work& work) {
  std::vector<std::thread> threads;
  for (std::size_t part = 0; part < parts; ++part) threads.emplace_back([&work, part] { work(part, part + 1); });
  for (auto& thread : threads) thread.join();
}

using Numbers = std::vector<float>;

constexpr std::size_t input_size = 5, hidden_size = 155, projection_size = 33;
const std::vector<std::int64_t> batch_sizes = {52, 52, 9, 7, 7, 3, 2, 2, 1, 1};
constexpr std::size_t rows = 136, batch = 52, distinct_rows = 31;

/// The memory of one direction, whose outputs are `width` wide.
struct Memory {
  Memory(std::size_t width, std::uint32_t seed)
      : random(seed),
        weight_ih(numbers(4 * hidden_size * input_size)),
        weight_hh(numbers(4 * hidden_size * width)),
        bias_ih(numbers(4 * hidden_size)),
        bias_hh(numbers(4 * hidden_size)),
        weight_hr(numbers(width * hidden_size)),
        data(numbers(rows * input_size)),
        h_0(numbers(batch * width)),
        c_0(numbers(batch * hidden_size)),
        d_output(numbers(rows * width)),
        d_h(numbers(batch * width)),
        d_c(numbers(batch * hidden_size)),
        output(rows * width),
        gates(rows * 4 * hidden_size),
        cells(rows * hidden_size),
        h_n(batch * width),
        c_n(batch * hidden_size),
        d_input(rows * input_size),
        d_weight_ih(weight_ih.size()),
        d_weight_hh(weight_hh.size()),
        d_bias_ih(bias_ih.size()),
        d_bias_hh(bias_hh.size()),
        d_weight_hr(weight_hr.size()) {
    for (std::size_t row = 0; row < rows; ++row) index.push_back(static_cast<std::int32_t>(row * 7 % distinct_rows));
  }

  Numbers numbers(std::size_t count) {
    Numbers all(count);
    std::uniform_real_distribution<float> number(-.2F, .2F);
    for (float& one : all) one = number(random);
    return all;
  }

  std::mt19937 random;
  Numbers weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, data, h_0, c_0, d_output, d_h, d_c;
  std::vector<std::int32_t> index;
  Numbers output, gates, cells, h_n, c_n, d_input, d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh, d_weight_hr;
};

struct Case {
  Cell cell;
  bool has_projection;
  bool keeps;            ///< What a backward pass reads; then there is one.
  bool shared;           ///< Steps of few sequences are shared by hidden units.
  bool indexed = false;  ///< Tokens have their input in common.
};

std::size_t output_size(const Case& of) { return of.has_projection ? projection_size : hidden_size; }

void set(Direction<float>& to, Memory& memory, const Case& of, bool reverse) {
  to.cell = of.cell;
  to.reverse = reverse;
  to.input_size = input_size;
  to.hidden_size = hidden_size;
  to.output_size = output_size(of);
  to.weight_ih = memory.weight_ih.data();
  to.weight_hh = memory.weight_hh.data();
  to.bias_ih = memory.bias_ih.data();
  to.bias_hh = memory.bias_hh.data();
  to.weight_hr = of.has_projection ? memory.weight_hr.data() : nullptr;
  to.input = memory.data.data();
  to.input_rows = of.indexed ? distinct_rows : rows;
  if (of.indexed) to.index = memory.index.data();
  to.h_0 = memory.h_0.data();
  to.c_0 = memory.c_0.data();
  to.output = memory.output.data();
  to.output_stride = to.output_size;
  if (of.keeps) to.gates = memory.gates.data();
  if (of.keeps && of.cell == Cell::lstm) to.cells = memory.cells.data();
}

/// Runs both directions; everything that this leaves.
std::vector<Numbers> run_both(const Case& of, std::size_t threads) {
  std::vector<Memory> memories;
  std::vector<Forward<float>> forwards(2);
  std::vector<Backward<float>> backwards(2);
  for (const std::uint32_t d : {0U, 1U}) memories.emplace_back(output_size(of), d);
  for (const std::size_t d : {0U, 1U}) {
    Memory& memory = memories[d];
    set(forwards[d], memory, of, d == 1);
    forwards[d].h_n = memory.h_n.data();
    forwards[d].c_n = memory.c_n.data();
    set(backwards[d], memory, of, d == 1);
    backwards[d].d_output = memory.d_output.data();
    backwards[d].d_output_stride = output_size(of);
    backwards[d].d_h = memory.d_h.data();
    backwards[d].d_c = memory.d_c.data();
    backwards[d].d_input = memory.d_input.data();
    backwards[d].d_weight_ih = memory.d_weight_ih.data();
    backwards[d].d_weight_hh = memory.d_weight_hh.data();
    backwards[d].d_bias_ih = memory.d_bias_ih.data();
    backwards[d].d_bias_hh = memory.d_bias_hh.data();
    if (of.has_projection) backwards[d].d_weight_hr = memory.d_weight_hr.data();
  }
  const PlanOptions options = {
      .threads = threads, .directions = 2, .weight_bytes = of.shared ? std::size_t{1} << 30 : 0};
  const auto plan = make_plan(batch_sizes, options);
  EXPECT_EQ(plan.shared_from < plan.steps(), of.shared && threads > 1);
  EXPECT_GT(plan.shared_from, 0U);
  run(std::span<const Forward<float>>(forwards), plan, on_threads);
  // In parts, of which the first ones have no steps to share.
  const auto parts = make_plans(batch_sizes, options, 20);
  if (of.keeps) run(std::span<const Backward<float>>(backwards), parts, on_threads);
  std::vector<Numbers> results;
  for (const Memory& m : memories) {
    for (const auto* part : {&m.output, &m.h_n, &m.c_n, &m.d_h, &m.d_c, &m.d_input, &m.d_weight_ih, &m.d_weight_hh,
                             &m.d_bias_ih, &m.d_bias_hh, &m.d_weight_hr}) {
      results.push_back(*part);
    }
  }
  return results;
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const auto cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh, Cell::rnn_relu}) {
    for (const bool has_projection : {false, true}) {
      for (const bool keeps : {false, true}) {
        for (const bool shared : {false, true}) {
          if (has_projection && cell != Cell::lstm) continue;
          for (const bool indexed : {false, true}) all.push_back({cell, has_projection, keeps, shared, indexed});
        }
      }
    }
  }
  return all;
}

TEST(Race, IsNoneBetweenThreads) {
  for (const Case& of : all_cases()) {
    const auto expected = run_both(of, 1);
    for (const std::size_t threads : {2U, 4U, 8U}) {
      EXPECT_EQ(run_both(of, threads), expected)
          << "cell " << static_cast<int>(of.cell) << ", projection " << of.has_projection << ", keeps " << of.keeps
          << ", shared " << of.shared << ", indexed " << of.indexed;
    }
  }
}

}  // namespace
}  // namespace packseq::engine
