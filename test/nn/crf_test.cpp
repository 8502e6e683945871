#include "packseq/nn/crf.hpp"

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <numeric>

#include "crf_fixture.hpp"
#include "packseq/nn/state_dict.hpp"

namespace packseq::nn {
namespace {

using test::both_engines, test::infinity, test::make_crf, test::make_documents, test::Tensors;

double tolerance_of(const at::Tensor& tensor) { return tensor.scalar_type() == at::kDouble ? 1e-11 : 2e-5; }

#define EXPECT_CLOSE(actual, expected)                                                              \
  EXPECT_TRUE(at::allclose(actual, expected, tolerance_of(expected), tolerance_of(expected), true)) \
      << (actual) << (expected)

const std::vector<std::int64_t> some_lengths = {2, 0, 5, 1, 3, 0, 3, 4};

TEST(Crf, ComputesWhatAllSequencesSay) {
  for (const auto device : test::devices()) {
    for (const auto dtype : {at::kFloat, at::kDouble}) {
      for (const std::int64_t tags : {1, 2, 3, 4}) {
        torch::manual_seed(static_cast<std::uint64_t>(tags));
        const auto options = at::dtype(dtype).device(device);
        auto crf = make_crf(tags, options);
        const auto documents = make_documents(some_lengths, tags, options);
        for (const auto engine : both_engines) {
          crf->engine = engine;
          const auto likelihood =
              crf->log_likelihood(documents.packed_scores(), documents.packed_tags(), Reduction::none);
          const auto best = crf->decode(documents.packed_scores());
          const auto best_tags = unpack_sequence(best.tags);
          const auto marginals = unpack_sequence(crf->marginals(documents.packed_scores()));
          for (std::size_t i = 0; i < some_lengths.size(); ++i) {
            const auto number = static_cast<std::int64_t>(i);
            if (some_lengths[i] == 0) {
              EXPECT_EQ(likelihood[number].item<double>(), 0);
              EXPECT_EQ(best.scores[number].item<double>(), 0);
              continue;
            }
            const test::CrfEnumerated all(crf, documents.scores[i]);
            EXPECT_CLOSE(likelihood[number],
                         test::score_of(crf, documents.scores[i], documents.tags[i]) - all.normaliser);
            EXPECT_CLOSE(best.scores[number], all.path_scores.max());
            EXPECT_SAME(best_tags[number], all.paths[all.path_scores.argmax()]);
            EXPECT_CLOSE(marginals[number], all.marginals());
          }
        }
      }
    }
  }
}

TEST(Crf, Reduces) {
  auto crf = make_crf(3);
  const auto documents = make_documents(some_lengths, 3);
  const auto run = [&](Reduction reduction) {
    return crf->log_likelihood(documents.packed_scores(), documents.packed_tags(), reduction);
  };
  const at::Tensor each = run(Reduction::none);
  EXPECT_EQ(each.sizes(), at::IntArrayRef({8}));
  EXPECT_SAME(run(Reduction::sum), each.sum());
  EXPECT_SAME(run(Reduction::mean), each.sum() / 8);
  EXPECT_SAME(run(Reduction::token_mean), each.sum() / 18);
  EXPECT_SAME(crf->log_likelihood(documents.packed_scores(), documents.packed_tags()), each.sum());
  EXPECT_THROWS(run(static_cast<Reduction>(9)), c10::ValueError, "CRF::log_likelihood: reduction is 9, which is none");
}

TEST(Crf, TakesABatchWithoutTokens) {
  auto crf = make_crf(3);
  crf->engine = engine::Choice::fused;
  const auto documents = make_documents({0, 0}, 3);
  const auto scores = with_data(documents.packed_scores(), documents.packed_scores().data().requires_grad_());
  const auto likelihood = crf->log_likelihood(scores, documents.packed_tags(), Reduction::none);
  EXPECT_SAME(likelihood, at::zeros(2, at::kDouble));
  likelihood.sum().backward();
  EXPECT_SAME(crf->transitions.grad(), at::zeros({3, 3}, at::kDouble));
  EXPECT_SAME(scores.data().grad(), at::zeros({0, 3}, at::kDouble));
  const auto best = crf->decode(scores);
  EXPECT_SAME(best.tags.data(), at::empty({0}, at::kLong));
  EXPECT_SAME(best.scores, at::zeros(2, at::kDouble));
  EXPECT_EQ(crf->marginals(scores).data().sizes(), at::IntArrayRef({0, 3}));
  const auto mean = crf->log_likelihood(scores, documents.packed_tags(), Reduction::token_mean);
  EXPECT_TRUE(mean.isnan().item<bool>());
}

TEST(Crf, TakesPacksOfLibTorchAndTagsOfInt) {
  auto crf = make_crf(3);
  const auto documents = make_documents({4, 2, 2}, 3);
  const auto expected = crf->log_likelihood(documents.packed_scores(), documents.packed_tags());
  const auto scores = torch::nn::utils::rnn::pack_sequence(documents.scores);
  const auto tags = torch::nn::utils::rnn::pack_sequence(documents.tags);
  EXPECT_FALSE(scores.sorted_indices().defined());
  EXPECT_SAME(crf->log_likelihood(scores, with_data(tags, tags.data().to(at::kInt))), expected);
  // Not in one piece.
  const auto turned = with_data(scores, scores.data().t().contiguous().t());
  EXPECT_SAME(crf->log_likelihood(turned, tags), expected);
}

/// What comes of a document: its log-likelihood, the gradient of its scores, marginals, best tags and score.
Tensors results(CRF& crf, const test::CrfDocuments& documents, const std::vector<std::size_t>& order,
                std::size_t which) {
  test::CrfDocuments batch;
  for (const std::size_t i : order) {
    batch.scores.push_back(documents.scores[i]);
    batch.tags.push_back(documents.tags[i]);
  }
  const auto place = std::find(order.begin(), order.end(), which) - order.begin();
  const auto packed = batch.packed_scores();
  const auto scores = with_data(packed, packed.data().detach().requires_grad_());
  const auto likelihood = crf->log_likelihood(scores, batch.packed_tags(), Reduction::none);
  const auto gradient = torch::autograd::grad({likelihood.sum()}, {scores.data()})[0];
  const auto best = crf->decode(scores);
  return {likelihood[place].detach(), unpack_sequence(with_data(packed, gradient))[place],
          unpack_sequence(crf->marginals(scores))[place].detach(), unpack_sequence(best.tags)[place],
          best.scores[place]};
}

TEST(Crf, MakesOfADocumentTheSameBitsInAnyBatchAndOnAnyThreads) {
  std::mt19937 random(1);
  for (const std::int64_t tags : {1, 9, 45}) {
    auto crf = make_crf(tags, at::kFloat);
    std::vector<std::int64_t> lengths(30);
    for (auto& length : lengths) length = std::uniform_int_distribution<std::int64_t>(1, 40)(random);
    const auto documents = make_documents(lengths, tags, at::kFloat, 3);
    std::vector<std::size_t> order(lengths.size());
    std::iota(order.begin(), order.end(), 0);
    for (const std::size_t which : {0U, 7U, 29U}) {
      const Tensors expected = results(crf, documents, {which}, which);
      for (const int threads : {1, 2, 5}) {
        at::set_num_threads(threads);
        std::shuffle(order.begin(), order.end(), random);
        const Tensors actual = results(crf, documents, order, which);
        for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_SAME(actual[i], expected[i]);
      }
      at::set_num_threads(1);
    }
  }
}

TEST(Crf, GivesParametersTheSameGradientsOnAnyThreads) {
  const auto documents = make_documents(std::vector<std::int64_t>(50, 30), 9, at::kFloat);
  auto crf = make_crf(9, at::kFloat);
  Tensors expected;
  for (const int threads : {1, 2, 5}) {
    at::set_num_threads(threads);
    const auto loss = crf->log_likelihood(documents.packed_scores(), documents.packed_tags());
    const auto gradients = torch::autograd::grad({loss}, crf->parameters());
    if (expected.empty()) expected = gradients;
    for (std::size_t i = 0; i < gradients.size(); ++i) EXPECT_SAME(gradients[i], expected[i]);
  }
  at::set_num_threads(1);
}

TEST(Crf, HasTheParametersOfPytorchCrf) {
  torch::manual_seed(0);
  const CRF crf(20);
  EXPECT_EQ(state_dict(*crf).keys(), (std::vector<std::string>{"start_transitions", "end_transitions", "transitions"}));
  EXPECT_EQ(crf->start_transitions.sizes(), at::IntArrayRef({20}));
  EXPECT_EQ(crf->end_transitions.sizes(), at::IntArrayRef({20}));
  EXPECT_EQ(crf->transitions.sizes(), at::IntArrayRef({20, 20}));
  // The same numbers from the same seed, in the order in which pytorch-crf draws them.
  torch::manual_seed(0);
  for (const auto& parameter : crf->parameters()) {
    EXPECT_TRUE(parameter.requires_grad());
    const at::Tensor drawn = at::empty(parameter.sizes()).uniform_(-0.1, 0.1);
    EXPECT_SAME(parameter.detach(), drawn);
  }
  std::ostringstream printed;
  printed << *crf;
  EXPECT_EQ(printed.str(), "packseq::nn::CRF(num_tags=20)");
}

TEST(Crf, IsClonedWithItsSchemeAndEngine) {
  const std::vector<std::string> spans = {"O B-x I-x"};
  CRF crf(Vocab::build(spans, {.specials = {}}), TagScheme::iob2);
  crf->engine = engine::Choice::libtorch;
  const auto copy = std::dynamic_pointer_cast<CRFImpl>(crf->clone());
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(copy->engine, engine::Choice::libtorch);
  EXPECT_SAME(copy->transitions, crf->transitions);
  EXPECT_FALSE(copy->transitions.is_alias_of(crf->transitions));
  const auto scores = pack_sequence({torch::tensor({{0.F, 0.F, 9.F}})});
  EXPECT_NE(copy->decode(scores).tags.data().item<std::int64_t>(), 2);
}

TEST(Crf, RunsInLibTorchWhatKernelsDoNot) {
  const auto documents = make_documents({4, 2, 1}, 3);
  auto crf = make_crf(3);
  const auto expected = crf->log_likelihood(documents.packed_scores(), documents.packed_tags()).item<double>();
  const auto best = crf->decode(documents.packed_scores());
  {
    const c10::InferenceMode inference;
    EXPECT_NEAR(crf->log_likelihood(documents.packed_scores(), documents.packed_tags()).item<double>(), expected,
                1e-12);
    EXPECT_SAME(crf->decode(documents.packed_scores()).tags.data(), best.tags.data());
  }
  crf->to(at::kHalf);
  const auto scores = documents.packed_scores();
  const auto rounded = with_data(scores, scores.data().to(at::kHalf));
  EXPECT_NEAR(crf->log_likelihood(rounded, documents.packed_tags()).item<double>(), expected, 0.05);
  EXPECT_EQ(crf->decode(rounded).scores.scalar_type(), at::kHalf);
  EXPECT_EQ(crf->marginals(rounded).data().scalar_type(), at::kHalf);
  crf->engine = engine::Choice::fused;
  EXPECT_THROWS(crf->decode(rounded), c10::ValueError,
                "CRF::decode: engine is Choice::fused, but the kernels do not run this: data is Half, and the engine "
                "runs Float, Double and BFloat16");
}

/// Numbers of bfloat16 are computed with in float, and results rounded once; so are gradients, and theirs.
TEST(Crf, RoundsWhatIsOfBFloat16Once) {
  const auto documents = make_documents({40, 7, 0, 1, 12}, 5, at::kFloat, 3);
  const auto scores = documents.packed_scores();
  auto crf = make_crf(5, at::kFloat);
  crf->to(at::kBFloat16);
  auto wide = make_crf(5, at::kFloat);
  {
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < 3; ++i) wide->parameters()[i].copy_(crf->parameters()[i]);
  }
  crf->engine = engine::Choice::fused;
  const auto run = [&](nn::CRF& of, at::ScalarType dtype) {
    const auto rounded = scores.data().to(at::kBFloat16).to(dtype).requires_grad_();
    const auto input = with_data(scores, rounded);
    const auto likelihood = of->log_likelihood(input, documents.packed_tags(), nn::Reduction::none);
    const auto marginals = of->marginals(input).data();
    Tensors inputs = of->parameters();
    inputs.push_back(rounded);
    Tensors results = {likelihood, marginals, of->decode(input).scores};
    const auto first = torch::autograd::grad({likelihood.sum()}, inputs, {}, std::nullopt, /*create_graph=*/true);
    const auto second = torch::autograd::grad({first.back().square().sum()}, inputs);
    results.insert(results.end(), first.begin(), first.end());
    results.insert(results.end(), second.begin(), second.end());
    return results;
  };
  const auto actual = run(crf, at::kBFloat16);
  const auto expected = run(wide, at::kFloat);
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_EQ(actual[i].scalar_type(), at::kBFloat16);
    // The second ones are of gradients that are rounded themselves.
    const double tolerance = i < 7 ? 4e-3 : 4e-2;
    EXPECT_TRUE(at::allclose(actual[i].to(at::kFloat), expected[i], tolerance, tolerance)) << i;
    if (i >= 3) continue;
    EXPECT_SAME(actual[i], expected[i].to(at::kBFloat16));
  }
}

TEST(Crf, RunsInItsParametersDtypeUnderAutocast) {
  const auto documents = make_documents({4, 2, 1}, 3, at::kFloat);
  auto crf = make_crf(3, at::kFloat);
  crf->engine = engine::Choice::fused;
  const auto scores = with_data(documents.packed_scores(), documents.packed_scores().data().to(at::kBFloat16));
  EXPECT_THROWS(crf->decode(scores), c10::TypeError,
                "CRF::decode: scores are BFloat16 on cpu, but the parameters Float on cpu");
  const auto expected = crf->log_likelihood(with_data(scores, scores.data().to(at::kFloat)), documents.packed_tags());
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const auto actual = crf->log_likelihood(scores, documents.packed_tags());
  at::autocast::set_autocast_enabled(at::kCPU, false);
  EXPECT_SAME(actual, expected);
}

}  // namespace
}  // namespace packseq::nn
