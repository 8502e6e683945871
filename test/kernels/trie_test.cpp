#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <span>
#include <vector>

#include "kernels/kernel_multiply_adds.hpp"
#include "kernels/passes.hpp"
#include "kernels/threads.hpp"
#include "kernels/trie_batch.hpp"
#include "kernels/two_directions.hpp"

// A pass over the trie of some sequences computes what one over each of them does: forward to the last bit, and back
// the same sums.

namespace packseq::kernels {
namespace {

const Sizes small = {.input = 5, .hidden = 21, .projection = 9};

/// The weights of a layer and their gradients.
template <class T>
struct Weights {
  Weights(const Case& of, std::mt19937& random) {
    const std::size_t output = small.output(of);
    for (const std::size_t count : {4 * small.hidden * small.input, 4 * small.hidden * output, 4 * small.hidden,
                                    4 * small.hidden, output * small.hidden}) {
      std::uniform_real_distribution<float> number(-.3F, .3F);
      std::vector<T> all(count);
      for (T& one : all) one = number(random);
      numbers.push_back(all);
      gradients.emplace_back(count);
    }
  }
  std::vector<std::vector<T>> numbers, gradients;
};

/// What goes into some rows, and what comes out.
template <class T>
struct Layer {
  std::vector<std::int64_t> batch_sizes;
  std::vector<std::int32_t> paths;  // of a trie
  std::vector<std::int32_t> index;
  std::vector<T> input, h_0, c_0, d_output, d_cells;
  std::vector<T> output, cells, gates, h_n, c_n, d_h, d_c, d_input;
  Weights<T> weights;

  std::size_t rows() const { return index.size(); }
  std::size_t paths_or_sequences() const {
    return paths.empty() ? static_cast<std::size_t>(batch_sizes.front())
                         : static_cast<std::size_t>(*std::ranges::max_element(paths)) + 1;
  }

  void set(const Case& of, Direction<T>& to) {
    const std::size_t width = small.output(of);
    to.cell = of.cell;
    to.precision = of.precision;
    to.input_size = small.input;
    to.hidden_size = small.hidden;
    to.output_size = width;
    to.weight_ih = weights.numbers[0].data();
    to.weight_hh = weights.numbers[1].data();
    to.bias_ih = weights.numbers[2].data();
    to.bias_hh = weights.numbers[3].data();
    if (of.has_projection) to.weight_hr = weights.numbers[4].data();
    to.input = input.data();
    to.input_rows = input.size() / small.input;
    if (of.indexed) to.index = index.data();
    to.h_0 = h_0.data();
    to.c_0 = c_0.data();
    to.output = output.data();
    to.output_stride = width;
    if (of.keeps) to.gates = gates.data();
    to.cells = cells.data();
    to.cells_stride = small.hidden;
  }

  void run(const Case& of, std::size_t threads) {
    const std::size_t width = small.output(of);
    output.assign(rows() * width, 0);
    cells.assign(rows() * small.hidden, 0);
    gates.assign(rows() * 4 * small.hidden, 0);
    h_n.assign(h_0.size(), 0);
    c_n.assign(c_0.size(), 0);
    d_h.assign(paths_or_sequences() * width, 0);
    d_c.assign(paths_or_sequences() * small.hidden, 0);
    d_input.assign(input.size(), 0);
    const PlanOptions options = {.threads = threads, .weight_bytes = of.shared ? std::size_t{1} << 30 : 0};
    Forward<T> forward;
    set(of, forward);
    forward.h_n = h_n.data();
    forward.c_n = c_n.data();
    const std::vector<Forward<T>> forwards = {forward};
    kernels::run(std::span<const Forward<T>>(forwards), make_plan(batch_sizes, options, paths), on_threads);
    if (!of.keeps) return;
    Backward<T> backward;
    set(of, backward);
    backward.d_output = d_output.data();
    backward.d_output_stride = width;
    if (of.cell == Cell::lstm) backward.d_cells = d_cells.data();
    backward.needs_d_h_0 = paths.empty();
    backward.d_h = d_h.data();
    backward.d_c = d_c.data();
    backward.d_input = d_input.data();
    backward.d_weight_ih = weights.gradients[0].data();
    backward.d_weight_hh = weights.gradients[1].data();
    backward.d_bias_ih = weights.gradients[2].data();
    backward.d_bias_hh = weights.gradients[3].data();
    if (of.has_projection) backward.d_weight_hr = weights.gradients[4].data();
    const std::vector<Backward<T>> backwards = {backward};
    kernels::run(std::span<const Backward<T>>(backwards), make_plans(batch_sizes, options, 30, paths), on_threads);
  }
};

template <class T>
std::vector<T> gathered(const std::vector<T>& rows, std::size_t width, const std::vector<std::int32_t>& index) {
  std::vector<T> result;
  for (const auto row : index) {
    const auto first = rows.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(row) * width);
    result.insert(result.end(), first, first + static_cast<std::ptrdiff_t>(width));
  }
  return result;
}

template <class T>
std::vector<T> summed(const std::vector<T>& rows, std::size_t width, const std::vector<std::int32_t>& index,
                      std::size_t count) {
  std::vector<T> result(count * width);
  for (std::size_t i = 0; i < index.size(); ++i) {
    for (std::size_t k = 0; k < width; ++k)
      result[static_cast<std::size_t>(index[i]) * width + k] += rows[i * width + k];
  }
  return result;
}

template <class T>
std::vector<T> random_rows(std::mt19937& random, std::size_t count) {
  std::uniform_real_distribution<float> number(-.5F, .5F);
  std::vector<T> all(count);
  for (T& one : all) one = number(random);
  return all;
}

/// The batch as sequences, and as their trie. Each id has a vector, and a state that sequences begin with whose first
/// id it is.
template <class T>
std::pair<Layer<T>, Layer<T>> as_sequences_and_as_trie(const Case& of, const TrieBatch& batch) {
  constexpr int ids = 1000;
  std::mt19937 random(1);
  const std::size_t width = small.output(of);
  const auto vectors = random_rows<T>(random, ids * small.input);
  const auto h_0 = random_rows<T>(random, ids * width);
  const auto c_0 = random_rows<T>(random, ids * small.hidden);
  std::vector<std::int32_t> id_of_token, firsts;
  for (std::size_t step = 0; step < batch.batch_sizes.size(); ++step) {
    for (std::int64_t rank = 0; rank < batch.batch_sizes[step]; ++rank) {
      id_of_token.push_back(batch.documents[static_cast<std::size_t>(rank)][step]);
    }
  }
  const std::size_t tokens = id_of_token.size(), nodes = batch.paths.size();
  const auto d_output = random_rows<T>(random, tokens * width);
  const auto d_cells = random_rows<T>(random, tokens * small.hidden);
  const Weights<T> weights(of, random);
  const auto layer = [&](const auto& sizes, const auto& paths, const std::vector<std::int32_t>& id_of_row) {
    const std::vector<std::int32_t> roots(id_of_row.begin(), id_of_row.begin() + sizes.front());
    return Layer<T>{sizes,
                    paths,
                    id_of_row,
                    of.indexed ? vectors : gathered(vectors, small.input, id_of_row),
                    gathered(h_0, width, roots),
                    gathered(c_0, small.hidden, roots),
                    d_output,
                    d_cells,
                    {},
                    {},
                    {},
                    {},
                    {},
                    {},
                    {},
                    {},
                    weights};
  };
  std::vector<std::int32_t> id_of_node;
  for (const auto token : batch.tokens) id_of_node.push_back(id_of_token[static_cast<std::size_t>(token)]);
  auto trie = layer(batch.node_batch_sizes, batch.paths, id_of_node);
  trie.d_output = summed(d_output, width, batch.nodes, nodes);
  trie.d_cells = summed(d_cells, small.hidden, batch.nodes, nodes);
  return {layer(batch.batch_sizes, std::vector<std::int32_t>{}, id_of_token), trie};
}

template <class T>
void expect_near(const std::vector<T>& actual, const std::vector<T>& expected, const char* what) {
  ASSERT_EQ(actual.size(), expected.size());
  const double tolerance = sizeof(T) == sizeof(float) ? 2e-4 : 1e-12;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], tolerance) << what << '[' << i << ']';
  }
}

std::vector<std::int32_t> first_of(const std::vector<std::int32_t>& all, std::int64_t count) {
  return {all.begin(), all.begin() + count};
}

template <class T>
void expect_gradients(const Case& of, const TrieBatch& batch, const Layer<T>& trie, const Layer<T>& expected) {
  for (std::size_t i = 0; i < trie.weights.gradients.size(); ++i) {
    expect_near(trie.weights.gradients[i], expected.weights.gradients[i], "gradients of weights");
  }
  const std::size_t nodes = batch.paths.size();
  const auto d_input = of.indexed ? expected.d_input : summed(expected.d_input, small.input, batch.nodes, nodes);
  expect_near(trie.d_input, d_input, "d_input");
  if (of.cell != Cell::lstm) return;
  // That of the cell state of a root stands where its path's is.
  const auto roots = first_of(batch.paths, batch.node_batch_sizes.front());
  const auto root_of_rank = first_of(batch.nodes, batch.batch_sizes.front());
  expect_near(gathered(trie.d_c, small.hidden, roots), summed(expected.d_c, small.hidden, root_of_rank, roots.size()),
              "d_c");
}

template <class T>
void expect_as_sequences(const Case& of, const TrieBatch& batch) {
  auto [expected, trie] = as_sequences_and_as_trie<T>(of, batch);
  expected.run(of, 1);
  Layer<T> alone = trie;
  alone.run(of, 1);
  for (const std::size_t threads : {2U, 3U}) {
    if (of.shared && threads > 2) continue;  // a team of more threads than there are cores waits for long
    SCOPED_TRACE(testing::Message() << threads << " threads");
    Layer<T> computed = trie;
    computed.run(of, threads);
    ASSERT_EQ(gathered(computed.output, small.output(of), batch.nodes), expected.output);
    if (of.cell == Cell::lstm) {
      ASSERT_EQ(gathered(computed.cells, small.hidden, batch.nodes), expected.cells);
    }
    if (!of.keeps) continue;
    expect_gradients(of, batch, computed, expected);
    ASSERT_EQ(computed.weights.gradients, alone.weights.gradients);
    ASSERT_EQ(computed.d_input, alone.d_input);
  }
}

TEST(Trie, ComputesWhatItsSequencesDo) {
  const auto batches = trie_batches();
  for (const Case& of : all_cases()) {
    for (std::size_t i = 0; i < batches.size(); ++i) {
      SCOPED_TRACE(testing::Message() << of << ", batch " << i);
      expect_as_sequences<float>(of, batches[i]);
      expect_as_sequences<double>(of, batches[i]);
    }
  }
}

/// What is executed for so many rows, of the input and of the network; from so many of these others go on.
std::size_t multiply_adds(const Case& of, std::size_t inputs, std::size_t rows, std::size_t gone_on_from) {
  const std::size_t gates = of.cell == Cell::lstm ? 4 : of.cell == Cell::gru ? 3 : 1;
  const std::size_t input = gates * small.hidden * small.input;
  const std::size_t recurrent = gates * small.hidden * small.output(of);
  const std::size_t projection = of.has_projection ? small.hidden * small.projection : 0;
  const std::size_t forward = inputs * input + rows * (recurrent + projection);
  const std::size_t backward = 2 * inputs * input + rows * (recurrent + 2 * projection) + gone_on_from * recurrent;
  return of.keeps ? forward + backward : forward;
}

/// Of the recurrent products what is left are nodes, in the place of tokens; backward, where siblings are added up
/// first, those that others go on from.
TEST(Trie, MultipliesNoBeginningTwice) {
  for (const Case& of : all_cases()) {
    for (const TrieBatch& batch : trie_batches()) {
      auto layers = as_sequences_and_as_trie<float>(of, batch);
      auto& sequences = layers.first;
      auto& trie = layers.second;
      const std::set<std::int32_t> parents(batch.parents.begin() + batch.node_batch_sizes.front(), batch.parents.end());
      for (const std::size_t threads : {1U, 2U}) {
        const auto executed = [&](Layer<float>& layer) {
          const test::KernelMultiplyAdds multiply_adds;
          layer.run(of, threads);
          return multiply_adds.count();
        };
        const std::size_t nodes = trie.rows(), tokens = sequences.rows();
        const auto inputs = [&](std::size_t rows) { return of.indexed ? trie.input.size() / small.input : rows; };
        ASSERT_EQ(executed(trie), multiply_adds(of, inputs(nodes), nodes, parents.size())) << of;
        ASSERT_EQ(executed(sequences), multiply_adds(of, inputs(tokens), tokens, tokens)) << of;
      }
    }
  }
}

}  // namespace
}  // namespace packseq::kernels
