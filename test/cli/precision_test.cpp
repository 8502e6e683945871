#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "cli/compare.hpp"
#include "cli/program.hpp"
#include "cli/report.hpp"
#include "cli/results.hpp"
#include "support/precision.hpp"

// `--precision`: what the engine's contenders round, and what is said of it.

namespace packseq::cli {
namespace {

using engine::Precision;
using test::json_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::vector<Precision> both = {Precision::float32, Precision::bfloat16};

/// A comparison of documents in which words repeat.
Comparison compare_in(const std::vector<Precision>& precisions, cost::Kind kind = cost::Kind::lstm) {
  const test::TemporaryDirectory directory;
  CompareOptions options;
  options.files = {directory.write("text.txt", "a b a c a b\nb a\na c b b a\nc\nd a b c a a b d\n")};
  options.precisions = precisions;
  options.batch = 3;
  options.network = {.kind = kind, .input_size = 9, .hidden_size = 7, .num_layers = 2};
  options.threads = 1;
  options.measure.repeats = 1;
  Progress progress(stderr);
  return compare(options, progress);
}

std::vector<std::string> contenders_of(const nlohmann::json& json, const std::string& mode) {
  std::vector<std::string> names;
  for (const auto& result : json["results"]) {
    if (result["mode"] == mode) names.push_back(result["contender"]);
  }
  return names;
}

const Result& find(const Comparison& comparison, const std::string& contender, cost::Mode mode) {
  const auto found = std::find_if(comparison.results.begin(), comparison.results.end(), [&](const Result& candidate) {
    return candidate.contender == contender && candidate.mode == mode;
  });
  if (found == comparison.results.end()) throw std::runtime_error(contender + " was not run");
  return *found;
}

TEST(ComparePrecision, IsFloatUnlessAskedFor) {
  const Comparison comparison = compare_in(CompareOptions().precisions);
  const auto json = json_of(comparison);
  EXPECT_EQ(json["precision"], "float32");
  EXPECT_FALSE(json.contains("bfloat16"));
  for (const auto& result : json["results"]) EXPECT_EQ(result["precision"], "float32");
  EXPECT_THAT(contenders_of(json, "training"),
              ElementsAre("padded", "packed", "fused", "fused+dedup", "fused+shared", "bucketed"));
  EXPECT_THAT(report(comparison, Theme(false)), Not(HasSubstr("bfloat16")));
}

TEST(ComparePrecision, IsThatOfTheEnginesContenders) {
  const auto rounded = json_of(compare_in({Precision::bfloat16}));
  EXPECT_EQ(rounded["precision"], "bfloat16");
  EXPECT_THAT(contenders_of(rounded, "inference"), ElementsAre("padded", "packed", "bfloat16", "bfloat16+dedup",
                                                               "bfloat16+shared", "bfloat16+frozen", "bucketed"));
  const auto of_both = json_of(compare_in(both));
  EXPECT_EQ(of_both["precision"], "both");
  EXPECT_THAT(contenders_of(of_both, "training"),
              ElementsAre("padded", "packed", "fused", "fused+dedup", "fused+shared", "bfloat16", "bfloat16+dedup",
                          "bfloat16+shared", "bucketed"));
  for (const auto& result : of_both["results"]) {
    const bool is_rounded = result["contender"].get<std::string>().starts_with("bfloat16");
    EXPECT_EQ(result["precision"], is_rounded ? "bfloat16" : "float32");
  }
}

TEST(ComparePrecision, RoundsTheFactorsOfThoseContendersAlone) {
  for (const auto kind : {cost::Kind::lstm, cost::Kind::gru, cost::Kind::rnn}) {
    const Comparison comparison = compare_in(both, kind);
    const Agreement& exact = comparison.agreements.at(Precision::float32);
    const Agreement& rounded = comparison.agreements.at(Precision::bfloat16);
    EXPECT_LT(exact.max_abs_difference, 1e-6);
    EXPECT_LT(exact.max_gradient_difference, 1e-5);
    EXPECT_GT(rounded.max_abs_difference, 1e-4);
    EXPECT_GT(rounded.max_gradient_difference, 1e-4);
    const auto json = json_of(comparison);
    EXPECT_EQ(json["max_abs_difference"], exact.max_abs_difference);
    EXPECT_EQ(json["bfloat16"]["max_abs_difference"], rounded.max_abs_difference);
    EXPECT_EQ(json["bfloat16"]["max_gradient_difference"], rounded.max_gradient_difference);
  }
}

/// Sharing products changes no bit, so that one rounds as the others do.
TEST(ComparePrecision, IsThatOfEachOfThem) {
  at::manual_seed(1);
  const Corpus text = {Jagged({at::tensor({1, 2, 1}), at::tensor({1, 1}), at::tensor({2, 2})}), {}, {}, 3, 2};
  Model model({.input_size = 9, .hidden_size = 7}, text.vocab_size);
  const Contenders contenders = make_contenders(model, text, {0, 1, 2}, 3, both);
  const torch::NoGradGuard no_grad;
  std::map<Precision, at::Tensor> outputs;
  for (const auto& contender : contenders) {
    if (contender->name().starts_with("fused") || contender->name().starts_with("bfloat16")) {
      const at::Tensor output = contender->forward(0).output;
      const auto& first = outputs.try_emplace(contender->precision(), output).first->second;
      EXPECT_TRUE(at::equal(output, first)) << contender->name();
    }
  }
  EXPECT_FALSE(at::equal(outputs.at(Precision::float32), outputs.at(Precision::bfloat16)));
}

/// A table of words that is frozen in one precision is not lost by the other's.
TEST(ComparePrecision, ChangesNeitherFlopsNorTensors) {
  const Comparison comparison = compare_in(both);
  for (const cost::Mode mode : comparison.options.modes) {
    for (const std::string way : {"", "+dedup", "+shared", "+frozen"}) {
      if (mode == cost::Mode::training && way == "+frozen") continue;
      const Result& exact = find(comparison, "fused" + way, mode);
      const Result& rounded = find(comparison, "bfloat16" + way, mode);
      EXPECT_EQ(rounded.executed_flops, exact.executed_flops);
      EXPECT_EQ(rounded.activation_bytes, exact.activation_bytes);
    }
  }
  EXPECT_LT(find(comparison, "bfloat16+frozen", cost::Mode::inference).executed_flops,
            find(comparison, "bfloat16+dedup", cost::Mode::inference).executed_flops);
}

TEST(ComparePrecision, IsNotThatOfLibTorchsSwitch) {
  const test::SwitchGuard guard(at::Float32Precision::BF16);
  const Comparison comparison = compare_in({Precision::float32});
  EXPECT_LT(comparison.agreements.at(Precision::float32).max_abs_difference, 1e-6);
}

TEST(ComparePrecision, SaysWhereTheCpuGainsNothing) {
  const bool has_instructions = engine::has_bfloat16_instructions();
  for (const bool off : {false, true}) {
    const test::InstructionsOff switched(off);
    const Comparison comparison = compare_in(both);
    EXPECT_EQ(comparison.has_bfloat16_instructions, has_instructions && !off);
    EXPECT_EQ(json_of(comparison)["bfloat16"]["has_instructions"], has_instructions && !off);
    const std::string text = report(comparison, Theme(false));
    EXPECT_EQ(text.find("This CPU does not multiply bfloat16") == std::string::npos, has_instructions && !off) << text;
  }
}

TEST(ComparePrecision, IsReportedInEightyColumns) {
  for (const auto& precisions : {both, {Precision::bfloat16}}) {
    const Comparison comparison = compare_in(precisions);
    const std::string text = report(comparison, Theme(false));
    EXPECT_THAT(text, HasSubstr("with products of bfloat16 within "));
    EXPECT_THAT(text, HasSubstr("\n  bfloat16+frozen "));
    for (const std::string& line : test::lines(text)) EXPECT_LE(width(line), 80) << line;
    const bool tells_gain = text.find("With products of bfloat16, fused ") != std::string::npos;
    EXPECT_EQ(tells_gain, precisions.size() == 2) << text;
  }
}

TEST(ComparePrecision, IsReadFromTheCommandLine) {
  const test::TemporaryDirectory directory;
  const std::string results = directory.path() / "results.json";
  const std::string rest = " --hidden 4 --repeats 1 --json " + results + " " + directory.write("text.txt", "a b\na\n");
  for (const std::string precision : {"float32", "bfloat16", "both"}) {
    const test::ProgramRun run = test::run_packseq("compare --threads 1 --precision " + precision + rest);
    ASSERT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(nlohmann::json::parse(test::read_file(results))["precision"], precision);
  }
}

}  // namespace
}  // namespace packseq::cli
