// A CRF does what all sequences of tags say, each looked at by itself, in many small random batches.

#include <cmath>
#include <limits>
#include <vector>

#include "nn/crf_fixture.hpp"
#include "packseq/nn/crf.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"
#include "support/batches.hpp"

namespace packseq::test {
namespace {

using Numbers = std::vector<double>;
using Path = std::vector<std::size_t>;

/// Whole numbers: sums have no rounding, and different sequences may have the same one. Some are forbidden.
struct RandomCrf {
  std::size_t tags;
  Numbers start, end, transitions;
  std::vector<Numbers> scores;  ///< Of each document.

  explicit RandomCrf(Choices& choices) : tags(static_cast<std::size_t>(choices.between(1, 4))) {
    const bool forbids = choices.once_in(3);
    const std::int64_t most = choices.once_in(8) ? 1'000 : 3;
    const auto draw = [&](std::size_t count, bool may_forbid) {
      Numbers numbers(count);
      for (double& number : numbers) {
        number = may_forbid && choices.once_in(6) ? -infinity : static_cast<double>(choices.between(-most, most));
      }
      return numbers;
    };
    start = draw(tags, forbids);
    end = draw(tags, forbids);
    transitions = draw(tags * tags, forbids);
    scores.resize(static_cast<std::size_t>(choices.between(1, 6)));
    for (Numbers& document : scores) {
      document = draw(static_cast<std::size_t>(choices.between(0, 4)) * tags, forbids && choices.once_in(2));
    }
  }

  std::size_t length(std::size_t document) const { return scores[document].size() / tags; }

  double score_of(std::size_t document, const Path& path) const {
    if (path.empty()) return 0;
    double sum = start[path.front()] + end[path.back()];
    for (std::size_t t = 0; t < path.size(); ++t) sum += scores[document][t * tags + path[t]];
    for (std::size_t t = 1; t < path.size(); ++t) sum += transitions[path[t - 1] * tags + path[t]];
    return sum;
  }
};

/// The next sequence of tags, in the order in which the first of the best ones is the one that is decoded: by its last
/// tag, then by the one before it. False behind the last one.
bool advance(Path& path, std::size_t tags) {
  for (std::size_t& tag : path) {
    if (++tag < tags) return true;
    tag = 0;
  }
  return false;
}

/// What all sequences of tags of a document say.
struct Enumerated {
  Path best;
  double best_score = -infinity;
  double normaliser = -infinity;
  Numbers marginals;

  Enumerated(const RandomCrf& of, std::size_t document) : marginals(of.scores[document].size()) {
    const auto for_each_path = [&](auto&& visit) {
      Path path(of.length(document));
      do visit(path, of.score_of(document, path));
      while (advance(path, of.tags));
    };
    for_each_path([&](const Path& path, double score) {
      if (score <= best_score) return;
      best_score = score;
      best = path;
    });
    if (best_score == -infinity) return;
    double sum = 0;
    for_each_path([&](const Path&, double score) { sum += std::exp(score - best_score); });
    normaliser = best_score + std::log(sum);
    for_each_path([&](const Path& path, double score) {
      for (std::size_t t = 0; t < path.size(); ++t) marginals[t * of.tags + path[t]] += std::exp(score - normaliser);
    });
  }
};

/// The same CRF, documents and labels as tensors.
struct Batch {
  nn::CRF crf;
  CrfDocuments documents;
  std::vector<Path> labels;

  Batch(const RandomCrf& of, Choices& choices, c10::ScalarType dtype) : crf(static_cast<std::int64_t>(of.tags)) {
    const auto tags = static_cast<std::int64_t>(of.tags);
    crf->to(dtype);
    const at::NoGradGuard no_grad;
    crf->start_transitions.copy_(torch::tensor(of.start, at::kDouble));
    crf->end_transitions.copy_(torch::tensor(of.end, at::kDouble));
    crf->transitions.copy_(torch::tensor(of.transitions, at::kDouble).view({tags, tags}));
    for (std::size_t i = 0; i < of.scores.size(); ++i) {
      documents.scores.push_back(torch::tensor(of.scores[i], dtype).view({-1, tags}));
      Path& path = labels.emplace_back(of.length(i));
      for (std::size_t& tag : path) tag = static_cast<std::size_t>(choices.between(0, tags - 1));
      documents.tags.push_back(torch::tensor(std::vector<std::int64_t>(path.begin(), path.end()), at::kLong));
    }
  }
};

void expect_close(const at::Tensor& actual, const Numbers& expected, double bound) {
  const at::Tensor numbers = actual.to(at::kDouble).contiguous().view(-1);
  ASSERT_EQ(numbers.numel(), static_cast<std::int64_t>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double number = numbers.const_data_ptr<double>()[i];
    if (number == expected[i]) continue;  // also where both are infinite
    ASSERT_LE(std::abs(number - expected[i]), bound * std::max(1.0, std::abs(expected[i]))) << "number " << i;
  }
}

/// That of all scores: what the labels say, less the marginals.
Numbers gradient_of(const Enumerated& all, const Path& labels, std::size_t tags) {
  Numbers gradient = all.marginals;
  for (double& number : gradient) number = -number;
  for (std::size_t t = 0; t < labels.size(); ++t) gradient[t * tags + labels[t]] += 1;
  return gradient;
}

void check(const RandomCrf& of, Batch& batch, double bound) {
  const auto packed = batch.documents.packed_scores();
  const auto scores = with_data(packed, packed.data().detach().requires_grad_());
  const auto likelihood = batch.crf->log_likelihood(scores, batch.documents.packed_tags(), nn::Reduction::none);
  const auto gradients =
      unpack_sequence(with_data(packed, torch::autograd::grad({likelihood.sum()}, {scores.data()})[0]));
  const auto marginals = unpack_sequence(batch.crf->marginals(packed));
  const auto best = batch.crf->decode(packed);
  const auto best_tags = unpack_sequence(best.tags);
  for (std::size_t i = 0; i < of.scores.size(); ++i) {
    SCOPED_TRACE("document " + std::to_string(i));
    const auto number = static_cast<std::int64_t>(i);
    const Enumerated all(of, i);
    ASSERT_EQ(best.scores[number].item<double>(), all.best_score);
    if (all.best_score == -infinity) {
      ASSERT_TRUE(likelihood[number].isnan().item<bool>());
      continue;
    }
    const double score = of.score_of(i, batch.labels[i]);
    expect_close(likelihood[number], {score - all.normaliser}, bound * std::max(1.0, std::abs(all.normaliser)));
    expect_close(best_tags[number], Numbers(all.best.begin(), all.best.end()), 0);
    expect_close(marginals[number], all.marginals, bound);
    if (score != -infinity) expect_close(gradients[number], gradient_of(all, batch.labels[i], of.tags), bound);
  }
}

TEST(CrfInManyBatches, DoesWhatAllSequencesSay) {
  for_many_batches(2'000, [](std::int64_t number) {
    Choices choices(number);
    const RandomCrf of(choices);
    const bool is_double = choices.once_in(2);
    Batch batch(of, choices, is_double ? at::kDouble : at::kFloat);
    batch.crf->engine = choices.once_in(16) ? engine::Choice::libtorch : engine::Choice::automatic;
    check(of, batch, is_double ? 1e-12 : 5e-5);
  });
}

}  // namespace
}  // namespace packseq::test
