#include "packseq/data/span_metrics.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "packseq/data/documents.hpp"
#include "packseq/sequence/encode.hpp"
#include "support/throws.hpp"

namespace packseq::data {
namespace {

const Vocab tags_of_spans = Vocab::build({"O B-LOC I-LOC B-PER I-PER"}, {.specials = {}});

Jagged ids_of(const std::vector<std::string>& rows) { return encode(rows, tags_of_spans); }

SpanMetrics compared(const std::vector<std::string>& predicted, const std::vector<std::string>& truth,
                     std::optional<TagScheme> scheme = {}) {
  SpanMetrics metrics(tags_of_spans, scheme);
  metrics.add(ids_of(predicted), ids_of(truth));
  return metrics;
}

/// Rows of tags, and what seqeval says of them.
struct SeqevalCase {
  std::string counting = {};
  std::vector<std::string> truth = {};
  std::vector<std::string> predicted = {};
  std::map<std::string, std::vector<double>> scores = {};  // "micro", "macro", "accuracy", or a type's
};

std::vector<SeqevalCase> read_cases(const std::filesystem::path& file) {
  std::ifstream lines(file);
  std::vector<SeqevalCase> cases;
  for (std::string line, key; std::getline(lines, line);) {
    std::istringstream rest_of_line(line);
    rest_of_line >> key;
    const auto rest = line.substr(key.size());
    if (key == "case") {
      cases.emplace_back();
      rest_of_line >> cases.back().counting;
    } else if (key == "true" || key == "predicted") {
      (key == "true" ? cases.back().truth : cases.back().predicted).push_back(rest);
    } else {
      for (double number = 0; rest_of_line >> number;) cases.back().scores[key].push_back(number);
    }
  }
  return cases;
}

const std::map<std::string, std::optional<TagScheme>> seqeval_countings = {{"lenient", std::nullopt},
                                                                           {"lenient_iobes", std::nullopt},
                                                                           {"strict_iob1", TagScheme::iob1},
                                                                           {"strict_iob2", TagScheme::iob2},
                                                                           {"strict_iobes", TagScheme::iobes}};

void expect_score(const SpanScore& score, const std::vector<double>& expected) {
  ASSERT_EQ(expected.size(), 4U);
  EXPECT_NEAR(score.precision, expected[0], 1e-12);
  EXPECT_NEAR(score.recall, expected[1], 1e-12);
  EXPECT_NEAR(score.f1, expected[2], 1e-12);
  EXPECT_EQ(static_cast<double>(score.support), expected[3]);
}

void expect_what_seqeval_says(SeqevalCase& of) {
  auto rows = of.truth;
  rows.insert(rows.end(), of.predicted.begin(), of.predicted.end());
  const auto tags = Vocab::build(rows, {.specials = {}});
  SpanMetrics metrics(tags, seqeval_countings.at(of.counting));
  metrics.add(encode(of.predicted, tags), encode(of.truth, tags));
  EXPECT_DOUBLE_EQ(metrics.token_accuracy(), of.scores.at("accuracy").at(0));
  expect_score(metrics.micro(), of.scores.at("micro"));
  expect_score(metrics.macro(), of.scores.at("macro"));
  for (const auto* key : {"accuracy", "micro", "macro"}) of.scores.erase(key);
  const auto per_type = metrics.per_type();
  EXPECT_EQ(per_type.size(), of.scores.size());
  for (const auto& entry : of.scores) {
    SCOPED_TRACE(entry.first);
    ASSERT_TRUE(per_type.contains(entry.first));
    expect_score(per_type.at(entry.first), entry.second);
  }
}

void expect_all_as_seqeval(const std::filesystem::path& file, std::size_t cases) {
  auto all = read_cases(file);
  ASSERT_EQ(all.size(), cases) << file;
  for (std::size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(file.string() + ", case " + std::to_string(i) + ", " + all[i].counting);
    expect_what_seqeval_says(all[i]);
  }
}

// Written by span_metrics.py with seqeval 1.2.2.
TEST(SpanMetrics, SaysWhatSeqevalSaid) {
  expect_all_as_seqeval(std::filesystem::path(__FILE__).parent_path() / "span_metrics.txt", 40);
}

TEST(SpanMetrics, SaysWhatSeqevalSays) {
  const char* const file = std::getenv("PACKSEQ_SEQEVAL_FILE");
  if (file == nullptr || !std::filesystem::exists(file)) GTEST_SKIP() << "the Python of LibTorch has no seqeval 1.2.2";
  expect_all_as_seqeval(file, 1500);
}

TEST(SpanMetrics, NamesWhatItCounts) {
  const auto metrics = compared({"B-LOC I-LOC O B-PER", "I-PER O"}, {"B-LOC I-LOC O B-LOC", "B-PER I-PER"});
  EXPECT_DOUBLE_EQ(metrics.token_accuracy(), 3. / 6);
  const auto all = metrics.micro();
  EXPECT_EQ(all.predicted, 3);
  EXPECT_EQ(all.support, 3);
  EXPECT_EQ(all.correct, 1);
  const auto per_type = metrics.per_type();
  EXPECT_EQ(per_type.at("LOC").precision, 1);
  EXPECT_EQ(per_type.at("LOC").recall, .5);
  EXPECT_EQ(per_type.at("PER").f1, 0);
  EXPECT_DOUBLE_EQ(metrics.macro().f1, (2. / 3 + 0) / 2);
}

TEST(SpanMetrics, DividesByNothingToZero) {
  const SpanMetrics none(tags_of_spans);
  EXPECT_EQ(none.token_accuracy(), 0);
  EXPECT_EQ(none.micro().f1, 0);
  EXPECT_EQ(none.macro().precision, 0);
  EXPECT_TRUE(none.per_type().empty());
  const auto outside = compared({"O O", ""}, {"O B-LOC", ""});
  EXPECT_EQ(outside.micro().precision, 0);
  EXPECT_EQ(outside.per_type().at("LOC").precision, 0);
  EXPECT_EQ(outside.token_accuracy(), .5);
}

TEST(SpanMetrics, AddsBatchesOfAnyLayout) {
  const std::vector<std::string> truth = {"B-LOC", "B-PER I-PER O", "", "O B-LOC I-LOC"};
  const std::vector<std::string> predicted = {"O", "B-PER I-PER O", "", "B-LOC I-LOC I-LOC"};
  const auto at_once = compared(predicted, truth);
  SpanMetrics added(tags_of_spans);
  added.add(pack_sequence(ids_of({predicted[0], predicted[1]})), pack_sequence(ids_of({truth[0], truth[1]})));
  const auto before = added;
  added.add(pack_sequence(ids_of({predicted[2], predicted[3]})), pack_sequence(ids_of({truth[2], truth[3]})));
  EXPECT_EQ(added.micro().f1, at_once.micro().f1);
  EXPECT_EQ(added.token_accuracy(), at_once.token_accuracy());
  EXPECT_EQ(before.micro().support, 2);
  auto assigned = at_once;
  assigned = before;
  EXPECT_EQ(assigned.micro().support, 2);
}

TEST(SpanMetrics, PassesOverTokensWithoutALabel) {
  auto truth = ids_of({"B-LOC O I-LOC", "O"});
  truth.values()[1] = ignored_label;
  truth.values()[3] = ignored_label;
  SpanMetrics metrics(tags_of_spans);
  metrics.add(ids_of({"B-LOC O I-LOC", "B-PER"}), truth);
  EXPECT_EQ(metrics.token_accuracy(), 1);
  EXPECT_EQ(metrics.micro().correct, 1);
  EXPECT_EQ(metrics.micro().predicted, 1);
}

TEST(SpanMetrics, RefusesVocabulariesOfOtherThanTags) {
  const auto expect_refusal = [](const std::string& tag, std::optional<TagScheme> scheme, const std::string& text) {
    const auto tags = Vocab::build({}, {.specials = {"O", tag}});
    EXPECT_THROWS(SpanMetrics(tags, scheme), c10::ValueError, "SpanMetrics: the tag \"" + tag + "\" is not of " + text);
  };
  for (const auto* tag : {"<unk>", "B-", "BLOC", "O-LOC", "NOUN", "b-LOC", "L-LOC"}) {
    expect_refusal(tag, {}, "IOB1, IOB2 or IOBES: it must be \"O\", or one of the letters BIES, alone");
  }
  expect_refusal("E-LOC", TagScheme::iob1, "the scheme IOB1: it must be \"O\", or one of the letters BI, alone");
  expect_refusal("S-LOC", TagScheme::iob2, "the scheme IOB2");
  expect_refusal("L-LOC", TagScheme::iobes, "the scheme IOBES");
  EXPECT_THROWS(SpanMetrics(Vocab::build({"B-LOC"})), c10::ValueError,
                "; build the vocabulary of tags alone, with .specials = {}");
}

TEST(SpanMetrics, RefusesTagsThatDoNotFit) {
  const auto truth = ids_of({"O", "B-LOC I-LOC"});
  const auto expect_index_error = [&](const at::Tensor& predicted, const std::string& text) {
    SpanMetrics metrics(tags_of_spans);
    EXPECT_THROWS(metrics.add(Jagged::from_values(predicted, truth.lengths()), truth), c10::IndexError, text);
    EXPECT_EQ(metrics.micro().support, 0);
  };
  expect_index_error(torch::tensor({0, 1, 5}), "predicted has 5 in sequence 1, token 1, and must be in 0 ... 4");
  expect_index_error(torch::tensor({-100, 1, 2}), "predicted has -100 in sequence 0, token 0");
  SpanMetrics metrics(tags_of_spans);
  EXPECT_THROWS(metrics.add(truth.to(at::kInt), truth), c10::TypeError, "predicted is Int, and must be int64");
  EXPECT_THROWS(metrics.add(truth, truth.to(at::kFloat)), c10::TypeError, "truth is Float, and must be int64");
  const auto scores = Jagged::from_values(at::zeros({3, 5}, at::kLong), truth.lengths());
  EXPECT_THROWS(metrics.add(scores, truth), c10::ValueError, "the values of predicted have sizes [3, 5]");
  EXPECT_THROWS(metrics.add(ids_of({"O"}), truth), c10::ValueError, "predicted has 1 sequences, but truth 2");
  EXPECT_THROWS(metrics.add(ids_of({"O O", "O"}), truth), c10::ValueError, "sequence 0 has 2 predicted tags, but 1");
  EXPECT_THROWS(metrics.add(PackedSequence(at::zeros({2}, at::kLong), torch::tensor({1})), pack_sequence(truth)),
                c10::ValueError, "batch_sizes");
}

}  // namespace
}  // namespace packseq::data
