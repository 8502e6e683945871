#include "crf_fixture.hpp"
#include "packseq/sequence/encode.hpp"

// What CRFs refuse, and what a scheme forbids.

namespace packseq::nn {
namespace {

using test::both_engines, test::infinity, test::make_crf, test::make_documents;

Vocab tags_of(const std::string& tags) { return Vocab::build(std::vector<std::string>{tags}, {.specials = {}}); }

TEST(CrfScheme, LetsNoForbiddenTagsBeDecoded) {
  const auto tags = tags_of("O B-x I-x E-x S-x B-y I-y E-y S-y");
  for (const auto engine : both_engines) {
    torch::manual_seed(0);
    CRF crf(tags, TagScheme::iobes);
    crf->engine = engine;
    const auto documents = make_documents({1, 2, 3, 9, 30}, tags.size(), at::kFloat, 5);
    const auto decoded = unpack_sequence(crf->decode(documents.packed_scores()).tags).unbind();
    for (const auto& document : decoded) {
      std::optional<std::string_view> before;
      for (std::int64_t t = 0; t < document.size(0); ++t) {
        const auto tag = tags.token(document[t].item<std::int64_t>());
        EXPECT_TRUE(may_follow(TagScheme::iobes, before, tag));
        before = tag;
      }
      EXPECT_TRUE(may_follow(TagScheme::iobes, before, std::nullopt));
    }
    const auto marginals = crf->marginals(documents.packed_scores());
    EXPECT_TRUE(marginals.data().isfinite().all().item<bool>());
    EXPECT_EQ(unpack_sequence(marginals)[0][0][1].item<float>(), 0);  // B-x, the whole document
  }
}

TEST(CrfScheme, IsAsParametersOfMinusInfinity) {
  const auto tags = tags_of("O B I E");  // no S: what comes to a tag may be nothing at all
  CRF crf(tags, TagScheme::iobes);
  CRF by_hand(4);
  crf->to(at::kDouble);
  by_hand->to(at::kDouble);
  {
    const at::NoGradGuard no_grad;
    by_hand->start_transitions.copy_(crf->start_transitions);
    by_hand->end_transitions.copy_(crf->end_transitions);
    by_hand->transitions.copy_(crf->transitions);
    for (const int i : {2, 3}) by_hand->start_transitions[i] = -infinity;
    for (const int i : {1, 2}) by_hand->end_transitions[i] = -infinity;
    for (const auto& [i, j] :
         std::vector<std::pair<int, int>>{{0, 2}, {0, 3}, {3, 2}, {3, 3}, {1, 0}, {1, 1}, {2, 0}, {2, 1}}) {
      by_hand->transitions[i][j] = -infinity;
    }
  }
  const auto documents = make_documents({3, 4}, 4);
  const auto labels = pack_sequence({torch::tensor({0, 1, 3}), torch::tensor({1, 2, 3, 0})});
  for (const auto engine : both_engines) {
    crf->engine = by_hand->engine = engine;
    const auto expected = by_hand->log_likelihood(documents.packed_scores(), labels);
    const auto actual = crf->log_likelihood(documents.packed_scores(), labels);
    EXPECT_SAME(actual, expected);
    const auto gradients = torch::autograd::grad({actual}, crf->parameters());
    test::expect_near(gradients, torch::autograd::grad({expected}, by_hand->parameters()), 1e-15);
    EXPECT_EQ(gradients[2][0][2].item<double>(), 0);
  }
}

TEST(CrfScheme, RefusesLabelsThatItForbids) {
  CRF crf(tags_of("O B-x I-x"), TagScheme::iob2);
  const auto scores = make_documents({1, 3}, 3, at::kFloat).packed_scores();
  const auto refused = [&](const at::Tensor& first, const at::Tensor& second, const std::string& text) {
    EXPECT_THROWS(crf->log_likelihood(scores, pack_sequence({first, second})), c10::ValueError,
                  "CRF::log_likelihood: the tags of document " + text +
                      ", which the scheme forbids: correct them, or make the CRF without a scheme");
  };
  refused(torch::tensor({0}), torch::tensor({1, 0, 2}), "1 go from \"O\" to \"I-x\" at token 2");
  refused(torch::tensor({2}), torch::tensor({1, 0, 0}), "0 begin with \"I-x\"");
  CRF other(tags_of("O B-x I-x"), TagScheme::iobes);
  EXPECT_THROWS(other->log_likelihood(scores, pack_sequence({torch::tensor({1}), torch::tensor({0, 0, 0})})),
                c10::ValueError, "the tags of document 0 end with \"B-x\"");
}

TEST(CrfScheme, RefusesOtherVocabularies) {
  const std::vector<std::string> none;
  EXPECT_THROWS(CRF(Vocab::build(none, {.specials = {}}), TagScheme::iob2), c10::ValueError,
                "CRF: num_tags is 0, and must be at least 1: the vocabulary of tags is empty");
  const std::vector<std::string> spans = {"O B-x I-x"};
  EXPECT_THROWS(
      CRF(Vocab::build(spans), TagScheme::iob2), c10::ValueError,
      "CRF: the tag \"<pad>\" is not of the scheme IOB2: it must be \"O\", or one of the letters BI, alone or with "
      "\"-\" and a type behind it; build the vocabulary of tags alone, with .specials = {}");
  EXPECT_THROWS(CRF(tags_of("O NOUN"), TagScheme::iobes), c10::ValueError,
                "the tag \"NOUN\" is not of the scheme IOBES");
  EXPECT_THROWS(CRF(0), c10::ValueError, "CRF: num_tags is 0, and must be at least 1");
  EXPECT_THROWS(CRF(-1), c10::ValueError, "CRF: num_tags is -1, and must be at least 1");
}

TEST(CrfScheme, RefusesOptionsThatDoNotFitEachOther) {
  CRFOptions options(3);
  options.scheme = TagScheme::iob2;
  EXPECT_THROWS(CRF{options}, c10::ValueError, "CRF: there is a scheme, but no vocabulary of tags");
  options.tags = tags_of("O B-x I-x");
  const CRF crf(options);
  options.num_tags = 4;
  EXPECT_THROWS(CRF{options}, c10::ValueError, "CRF: num_tags is 4, but the vocabulary of tags has 3");
}

class CrfRefusal : public testing::Test {
 protected:
  CRF crf = make_crf(3);
  test::CrfDocuments documents = make_documents({2, 3}, 3);
  PackedSequence scores = documents.packed_scores();
  PackedSequence tags = documents.packed_tags();

  template <class Error>
  void refuses_scores(const PackedSequence& bad, const std::string& text) {
    EXPECT_THROWS(crf->log_likelihood(bad, tags), Error, "CRF::log_likelihood: " + text);
    EXPECT_THROWS(crf->decode(bad), Error, "CRF::decode: " + text);
    EXPECT_THROWS(crf->marginals(bad), Error, "CRF::marginals: " + text);
  }
  template <class Error>
  void refuses_tags(const PackedSequence& bad, const std::string& text) {
    EXPECT_THROWS(crf->log_likelihood(scores, bad), Error, "CRF::log_likelihood: " + text);
  }
};

TEST_F(CrfRefusal, OfScores) {
  const auto data = scores.data();
  refuses_scores<c10::ValueError>(with_data(scores, data.slice(1, 0, 2)),
                                  "the data of scores has sizes [5, 2], and must be [N, 3], a score for each tag");
  refuses_scores<c10::ValueError>(with_data(scores, data.unsqueeze(2)), "the data of scores has sizes [5, 3, 1], and");
  refuses_scores<c10::ValueError>(with_data(scores, data.select(1, 0)), "the data of scores has sizes [5], and");
  refuses_scores<c10::TypeError>(with_data(scores, data.to(at::kFloat)),
                                 "scores are Float on cpu, but the parameters Double on cpu");
  refuses_scores<c10::TypeError>(with_data(scores, data.to(at::kLong)), "scores are Long on cpu, but");
  refuses_scores<c10::ValueError>(PackedSequence(data, torch::tensor({2, 4})), "batch_sizes");
}

TEST_F(CrfRefusal, OfTags) {
  const auto data = tags.data();
  const auto with = [&](std::int64_t row, std::int64_t tag) {
    const auto changed = data.clone();
    changed[row] = tag;
    return with_data(tags, changed);
  };
  refuses_tags<c10::IndexError>(with(2, 3), "the tag of token 1 of document 1 is 3, and must be in 0 ... 2");
  refuses_tags<c10::IndexError>(with(1, -1), "the tag of token 0 of document 0 is -1, and must be in 0 ... 2");
  refuses_tags<c10::TypeError>(with_data(tags, data.to(at::kDouble)), "tags are Double, and must be Long or Int");
  refuses_tags<c10::ValueError>(with_data(tags, data.unsqueeze(1)),
                                "the data of tags has sizes [5, 1], and must be [N]");
  refuses_tags<c10::ValueError>(make_documents({2, 2, 1}, 3).packed_tags(),
                                "the second batch has 2 steps, but the first 3");
  refuses_tags<c10::ValueError>(make_documents({3, 2}, 3).packed_tags(), "sorted_indices[0] of the second batch is 0");
}

TEST_F(CrfRefusal, OfParameters) {
  crf->transitions = torch::zeros({3, 2}, at::kDouble);
  refuses_scores<c10::ValueError>(scores, "transitions has sizes [3, 2], and must be [3, 3]");
  crf->transitions = torch::zeros({3, 3}, at::kDouble);
  crf->start_transitions = torch::zeros({4}, at::kDouble);
  refuses_scores<c10::ValueError>(scores, "start_transitions has sizes [4], and must be [3]");
  crf->start_transitions = torch::zeros({3});
  refuses_scores<c10::TypeError>(scores, "start_transitions is Float on cpu, but transitions is Double on cpu");
}

/// A device that has no autocast, and no numbers.
TEST_F(CrfRefusal, OfNoDevice) {
  for (at::Tensor* parameter : {&crf->start_transitions, &crf->end_transitions, &crf->transitions}) {
    *parameter = parameter->to(at::kMeta);
  }
  refuses_scores<c10::TypeError>(scores, "scores are Double on cpu, but the parameters Double on meta");
  const PackedSequence without_numbers(scores.data().to(at::kMeta), scores.batch_sizes());
  EXPECT_EQ(crf->marginals(without_numbers).data().sizes(), at::IntArrayRef({5, 3}));
  const auto other = with_data(without_numbers, without_numbers.data().to(at::kFloat));
  EXPECT_THROWS(crf->marginals(other), c10::TypeError, "scores are Float on meta, but the parameters Double on meta");
}

TEST_F(CrfRefusal, OfWhatCannotBeDecoded) {
  for (const auto engine : both_engines) {
    crf->engine = engine;
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), infinity}) {
      const auto data = scores.data().clone();
      data[2][1] = bad;
      EXPECT_THROWS(crf->decode(with_data(scores, data)), c10::ValueError,
                    "CRF::decode: the scores of token 1 of document 1 hold NaN or infinity, of which there is no best");
      for (const auto& parameter : crf->named_parameters()) {
        const at::NoGradGuard no_grad;
        const auto before = parameter.value().clone();
        parameter.value().view(-1)[1] = bad;
        EXPECT_THROWS(crf->decode(scores), c10::ValueError,
                      "CRF::decode: " + parameter.key() + " holds NaN or infinity, of which there is no best");
        parameter.value().copy_(before);
      }
    }
    // Also where no document has a transition.
    const auto short_scores = make_documents({1, 1}, 3).packed_scores();
    crf->transitions.detach()[2][1] = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROWS(crf->decode(short_scores), c10::ValueError, "CRF::decode: transitions holds NaN or infinity");
    crf->transitions.detach()[2][1] = -infinity;
    crf->decode(short_scores);
    const auto huge = at::full_like(scores.data(), 1e308);
    EXPECT_THROWS(crf->decode(with_data(scores, huge)), c10::ValueError,
                  "CRF::decode: sums of scores are larger than Double holds");
  }
}

}  // namespace
}  // namespace packseq::nn
