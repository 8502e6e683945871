#include <numeric>

#include "engine/recurrent.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"
#include "support/precision.hpp"
#include "support/sequences.hpp"

// What a document comes out as is the same bit for bit, whatever documents are beside it and whoever computes it.

namespace packseq::test {
namespace {

/// Documents of 1 ... 6 tokens, each with its initial states.
struct Documents {
  Tensors tokens;
  std::vector<Tensors> states;
};

Documents random_documents(const Recurrent& r, std::size_t count, std::mt19937& random) {
  Documents documents;
  std::uniform_int_distribution<std::int64_t> length(1, 6);
  for (std::size_t i = 0; i < count; ++i) {
    documents.tokens.push_back(torch::randn({length(random), r.input_size}, r.dtype));
    documents.states.push_back(random_states(r, 1));
  }
  return documents;
}

/// Runs some documents in one batch: the output, h_n and, of an LSTM, c_n of each.
std::vector<Tensors> run_batch(const Recurrent& r, const Documents& documents, const std::vector<std::size_t>& order,
                               const Tensors& parameters) {
  Tensors tokens;
  std::vector<Tensors> states(documents.states.front().size());
  for (const std::size_t i : order) {
    tokens.push_back(documents.tokens[i]);
    for (std::size_t s = 0; s < states.size(); ++s) states[s].push_back(documents.states[i][s]);
  }
  const auto packed = pack_sequence(tokens);
  Arguments arguments = {packed.data(), packed.batch_sizes(), {}, parameters};
  for (const auto& state : states)
    arguments.states.push_back(at::cat(state, 1).index_select(1, packed.sorted_indices()));
  const auto outputs = run_fused(r, arguments);
  const auto unpacked = unpack_sequence(with_data(packed, outputs[0].detach()));
  std::vector<Tensors> results(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    results[i] = {unpacked[static_cast<std::int64_t>(i)]};
    const auto place = packed.unsorted_indices()[static_cast<std::int64_t>(i)].item<std::int64_t>();
    for (std::size_t s = 1; s < outputs.size(); ++s) results[i].push_back(outputs[s].detach().narrow(1, place, 1));
  }
  return results;
}

class Exactness : public testing::TestWithParam<Recurrent> {
 protected:
  ~Exactness() override { at::set_num_threads(threads_); }

 private:
  int threads_ = at::get_num_threads();
};
INSTANTIATE_TEST_SUITE_P(Networks, Exactness, testing::ValuesIn(all_recurrents()));

/// Of many documents, with as many hidden units.
void expect_the_same_in_every_batch(const Recurrent& r, std::mt19937& random) {
  const auto documents = random_documents(r, 64, random);
  const auto parameters = random_parameters(r);
  at::set_num_threads(1);
  std::vector<Tensors> alone;
  for (std::size_t i = 0; i < 64; ++i) alone.push_back(run_batch(r, documents, {i}, parameters).front());

  std::vector<std::size_t> order(64);
  std::iota(order.begin(), order.end(), std::size_t{0});
  int round = 0;
  for (const std::size_t batch : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 10U, 11U, 12U, 13U, 14U, 64U}) {
    std::ranges::shuffle(order, random);
    at::set_num_threads(1 + round % 8);
    for (const auto& parameter : parameters) parameter.set_requires_grad(round % 3 == 0);
    const std::vector<std::size_t> chosen(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(batch));
    const auto together = run_batch(r, documents, chosen, parameters);
    for (std::size_t i = 0; i < batch; ++i) {
      for (std::size_t k = 0; k < together[i].size(); ++k) {
        ASSERT_TRUE(at::equal(together[i][k], alone[chosen[i]][k]))
            << r << ", batch " << batch << ", threads " << 1 + round % 8;
      }
    }
    ++round;
  }
}

TEST_P(Exactness, OfADocumentInEveryBatch) {
  in_every_precision(GetParam().dtype, [] {
    std::mt19937 random(0);
    torch::manual_seed(0);
    for (const std::int64_t hidden_size : {1, 5, 8, 31, 33, 300}) {
      Recurrent r = GetParam();
      if (r.proj_size >= hidden_size) continue;
      r.hidden_size = hidden_size;
      expect_the_same_in_every_batch(r, random);
    }
  });
}

void expect_the_same_step_by_step(const Recurrent& r, std::int64_t documents) {
  const std::int64_t steps = 6;
  const auto whole = random_arguments(r, std::vector<std::int64_t>(static_cast<std::size_t>(documents), steps));
  const auto expected = run_fused(r, whole);
  Arguments step = whole;
  step.batch_sizes = whole.batch_sizes.narrow(0, 0, 1);
  for (std::int64_t i = 0; i < steps; ++i) {
    step.data = whole.data.narrow(0, i * documents, documents);
    const auto outputs = run_fused(r, step);
    expect_as_in_whole(r, outputs[0], expected[0].narrow(0, i * documents, documents));
    step.states.assign(outputs.begin() + 1, outputs.end());
  }
  for (std::size_t i = 1; i < expected.size(); ++i) expect_as_in_whole(r, step.states[i - 1], expected[i]);
}

TEST_P(Exactness, OfADocumentThatComesStepByStep) {
  in_every_precision(GetParam().dtype, [] {
    torch::manual_seed(0);
    for (const std::int64_t hidden_size : {1, 5, 16, 33, 200}) {
      Recurrent r = GetParam();
      if (r.proj_size >= hidden_size || r.bidirectional) continue;
      r.layers = 2;
      r.hidden_size = hidden_size;
      for (const std::int64_t documents : {1, 2, 3, 5, 8}) expect_the_same_step_by_step(r, documents);
    }
  });
}

}  // namespace
}  // namespace packseq::test
