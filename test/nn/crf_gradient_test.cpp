#include <c10/core/InferenceMode.h>

#include <limits>

#include "crf_fixture.hpp"

// Gradients of CRFs: once and twice, of both engines, and where numbers are very large or none.

namespace packseq::nn {
namespace {

using test::both_engines, test::infinity, test::make_crf, test::make_documents, test::Tensors;

/// A CRF's tensors that can have gradients, and what is computed from them.
struct Variables {
  Variables(CRF of, const test::CrfDocuments& documents)
      : crf(std::move(of)), packed(documents.packed_scores()), tags(documents.packed_tags()) {
    all = {packed.data().requires_grad_(), crf->start_transitions, crf->end_transitions, crf->transitions};
  }

  PackedSequence scores() const { return with_data(packed, all[0]); }
  at::Tensor likelihood() { return crf->log_likelihood(scores(), tags, Reduction::none); }
  at::Tensor marginals() { return crf->marginals(scores()).data(); }

  CRF crf;
  PackedSequence packed, tags;
  Tensors all;
};

/// The gradients by finite differences.
Tensors differences(const std::function<double()>& value, const Tensors& variables) {
  const at::NoGradGuard no_grad;
  constexpr double step = 1e-6;
  Tensors result;
  for (const at::Tensor& variable : variables) {
    result.push_back(at::zeros_like(variable));
    const at::Tensor numbers = variable.detach().view(-1);
    for (std::int64_t i = 0; i < numbers.numel(); ++i) {
      const at::Tensor number = numbers[i];
      const double before = number.item<double>();
      number.fill_(before + step);
      const double above = value();
      number.fill_(before - step);
      result.back().view(-1)[i] = (above - value()) / (2 * step);
      number.fill_(before);
    }
  }
  return result;
}

void for_both_engines(const std::function<void(Variables&)>& expect) {
  for (const auto engine : both_engines) {
    for (const std::int64_t tags : {1, 2, 5}) {
      torch::manual_seed(static_cast<std::uint64_t>(tags));
      Variables variables(make_crf(tags), make_documents({3, 0, 5, 1, 2, 2, 2, 4}, tags));
      variables.crf->engine = engine;
      expect(variables);
    }
  }
}

TEST(CrfGradient, IsWhatFiniteDifferencesShow) {
  for_both_engines([](Variables& of) {
    const auto value = [&] { return test::weighted_sum({of.likelihood()}); };
    test::expect_near(torch::autograd::grad({value()}, of.all),
                      differences([&] { return value().item<double>(); }, of.all), 1e-7);
  });
}

TEST(CrfGradient, HasAGradientAsFiniteDifferencesShow) {
  for_both_engines([](Variables& of) {
    const auto value = [&](bool create_graph) {
      const at::AutoGradMode with_graph(true);
      return test::weighted_sum(test::gradients({of.likelihood()}, of.all, create_graph));
    };
    const auto actual = torch::autograd::grad({value(true)}, of.all, {}, std::nullopt, false, /*allow_unused=*/true);
    const auto expected = differences([&] { return value(false).item<double>(); }, of.all);
    for (std::size_t i = 0; i < actual.size(); ++i) {
      test::expect_near({actual[i].defined() ? actual[i] : at::zeros_like(expected[i])}, {expected[i]}, 1e-6);
    }
  });
}

TEST(CrfGradient, OfMarginalsIsWhatFiniteDifferencesShow) {
  for_both_engines([](Variables& of) {
    const auto value = [&] { return test::weighted_sum({of.marginals()}); };
    test::expect_near(torch::autograd::grad({value()}, of.all),
                      differences([&] { return value().item<double>(); }, of.all), 1e-7);
    const auto twice = [&] {
      const at::AutoGradMode with_graph(true);
      return test::weighted_sum(torch::autograd::grad({value()}, {of.all[0]}, {}, std::nullopt, true));
    };
    test::expect_near(torch::autograd::grad({twice()}, {of.all[0]}),
                      differences([&] { return twice().item<double>(); }, {of.all[0]}), 1e-6);
  });
}

TEST(CrfGradient, ByScoresIsLabelsLessMarginals) {
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    for (const std::int64_t tags : {1, 9, 45}) {
      Variables of(make_crf(tags, dtype), make_documents({3, 40, 1, 7, 7, 7, 7, 7, 12}, tags, dtype));
      const auto gradient = torch::autograd::grad({of.likelihood().sum()}, {of.all[0]})[0];
      const auto expected = at::one_hot(of.tags.data(), tags) - of.marginals();
      EXPECT_TRUE(at::allclose(gradient, expected, 0, dtype == at::kFloat ? 2e-6 : 1e-14));
    }
  }
}

TEST(CrfGradient, IsTheSameByBothEngines) {
  for (const std::int64_t tags : {1, 9, 45}) {
    const auto documents = make_documents({3, 0, 40, 1, 7, 7, 7, 7, 7, 12}, tags, at::kDouble, 5);
    Variables of(make_crf(tags, at::kDouble, 3), documents);
    const auto gradients = [&](engine::Choice engine) {
      of.crf->engine = engine;
      return test::gradients({of.likelihood()}, of.all);
    };
    test::expect_near(gradients(engine::Choice::fused), gradients(engine::Choice::libtorch), 1e-12);
  }
}

/// They cannot be saved for a backward pass, but copies of them can.
TEST(CrfGradient, IsOfLabelsThatWereMadeInInference) {
  const auto documents = make_documents({3, 0, 5, 1}, 4);
  Variables of(make_crf(4), documents);
  of.crf->engine = engine::Choice::fused;
  const auto expected = test::gradients({of.likelihood()}, of.all);
  {
    const c10::InferenceMode inference;
    of.packed = documents.packed_scores();
    of.tags = documents.packed_tags();
  }
  ASSERT_TRUE(of.tags.data().is_inference() && of.packed.batch_sizes().is_inference());
  test::expect_near(test::gradients({of.likelihood()}, of.all), expected, 1e-13);
}

TEST(CrfGradient, IsOneOfManyDirectionsAtOnce) {
  Variables of(make_crf(3), make_documents({3, 1}, 3));
  const auto identity = at::eye(2, at::kDouble);
  const auto output = of.likelihood();
  const auto batched = torch::autograd::grad({output}, of.all, {identity.select(0, 0)}, /*retain_graph=*/true);
  of.crf->engine = engine::Choice::libtorch;
  test::expect_near(batched, torch::autograd::grad({of.likelihood()}, of.all, {identity.select(0, 0)}), 1e-13);
}

TEST(CrfGradient, IsComputedOnlyWhereItIsNeeded) {
  Variables of(make_crf(3), make_documents({3, 1}, 3));
  const auto expected = test::gradients({of.likelihood()}, of.all);
  for (std::size_t i = 0; i < of.all.size(); ++i) {
    for (std::size_t k = 0; k < of.all.size(); ++k) of.all[k].requires_grad_(k == i);
    test::expect_near(test::gradients({of.likelihood()}, {of.all[i]}), {expected[i]}, 0);
  }
}

TEST(CrfGradient, IsExactForLargeScoresAndForbiddenOnes) {
  for (const double scale : {100.0, 1e4}) {
    for (const bool forbids : {false, true}) {
      torch::manual_seed(3);
      const auto documents = make_documents({7, 3, 3, 9, 2, 1}, 4, at::kDouble, scale);
      Variables of(make_crf(4, at::kDouble, scale), documents);
      if (forbids) {
        const at::NoGradGuard no_grad;
        of.crf->transitions.select(1, 2).fill_(-infinity);
        of.crf->start_transitions[1] = -infinity;
        of.crf->end_transitions[3] = -infinity;
        of.all[0].select(1, 0)[2] = -infinity;
      }
      const auto run = [&](engine::Choice engine) {
        of.crf->engine = engine;
        const auto likelihood = of.likelihood();
        Tensors results = torch::autograd::grad({likelihood.sum()}, of.all);
        results.push_back(likelihood.exp());
        results.push_back(of.marginals());
        for (const at::Tensor& result : results) EXPECT_TRUE(result.isfinite().all().item<bool>());
        return results;
      };
      test::expect_near(run(engine::Choice::fused), run(engine::Choice::libtorch), 1e-9);
    }
  }
}

/// Expects NaN for some documents, and for no others.
void expect_nan_of(Variables& of, const at::Tensor& is_bad) {
  EXPECT_SAME(of.likelihood().isnan(), is_bad);
  const auto gradient = torch::autograd::grad({of.likelihood().sum()}, {of.all[0]})[0];
  for (const auto& data : {gradient, of.marginals()}) {
    const auto each = unpack_sequence(with_data(of.packed, data.isnan()));
    for (std::int64_t i = 0; i < is_bad.numel(); ++i) {
      EXPECT_TRUE((each[i] == is_bad[i]).all().item<bool>()) << i;
    }
  }
}

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(CrfGradient, IsNaNOfNaNInItsDocumentAlone) {
  for (const auto engine : both_engines) {
    for (const double bad : {nan, infinity}) {
      for (const std::int64_t label : {0, 2}) {
        for (const std::int64_t at : {0, 1, 2, 3}) {
          auto documents = make_documents({4, 3, 1}, 3);
          const std::int64_t document = at == 3 ? 2 : 1;
          documents.scores[static_cast<std::size_t>(document)][at % 3][2] = bad;
          for (auto& tags : documents.tags) tags.fill_(label);
          Variables of(make_crf(3), documents);
          of.crf->engine = engine;
          expect_nan_of(of, at::arange(3) == document);
        }
      }
    }
  }
}

TEST(CrfGradient, IsNaNOfNaNInParametersWhereTheyAreUsed) {
  for (const auto engine : both_engines) {
    for (const double bad : {nan, infinity}) {
      for (const std::int64_t label : {0, 1}) {
        for (const auto* const name : {"start_transitions", "end_transitions", "transitions"}) {
          auto documents = make_documents({4, 3, 1}, 3);
          for (auto& tags : documents.tags) tags.fill_(label);
          Variables of(make_crf(3), documents);
          of.crf->engine = engine;
          of.crf->named_parameters()[name].detach().view(-1)[1] = bad;
          expect_nan_of(of, torch::tensor({true, true, std::string(name) != "transitions"}));
        }
      }
    }
  }
}

TEST(CrfGradient, IsNaNOfADocumentOfWhichAllTagsAreForbidden) {
  for (const auto engine : both_engines) {
    auto documents = make_documents({4, 3, 2}, 3);
    documents.scores[1][1].fill_(-infinity);
    Variables of(make_crf(3), documents);
    of.crf->engine = engine;
    EXPECT_SAME(of.likelihood().isnan(), torch::tensor({false, true, false}));
    const auto marginals = unpack_sequence(with_data(of.packed, of.marginals()));
    EXPECT_TRUE(marginals[1].isnan().all().item<bool>());
    EXPECT_TRUE(marginals[2].isfinite().all().item<bool>());
    const auto best = of.crf->decode(of.scores());
    EXPECT_EQ(best.scores[1].item<double>(), -infinity);
    EXPECT_TRUE(best.scores[0].isfinite().item<bool>());
  }
}

}  // namespace
}  // namespace packseq::nn
