#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/compare.hpp"
#include "cli/powercap.hpp"
#include "cli/program.hpp"
#include "cli/report.hpp"
#include "cli/results.hpp"
#include "cli/scale.hpp"
#include "cli/terminal.hpp"

// What many documents take: hours of cores, energy and money.

namespace packseq::cli {
namespace {

using nlohmann::json;
using test::json_of;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

Result result_of(const char* contender, cost::Mode mode, double seconds, std::optional<double> joules = {}) {
  return {contender, mode, engine::Precision::float32, true, {seconds, seconds, seconds}, 10, 5, 100, 1000, joules};
}

/// Of 1000 documents of 20 tokens, of which 200 were run, on 2 threads. A million of them take 5000 passes.
Comparison comparison_of(const ScaleOptions& options, std::vector<Result> results) {
  Comparison comparison{};
  comparison.options.files = {"text.txt"};
  comparison.options.batch = 10;
  comparison.busy_cores = 2;
  comparison.options.scale = options;
  comparison.documents = 1000;
  comparison.tokens = 20'000;
  for (int document = 0; document < 1000; ++document) comparison.lengths.add(document % 2 == 0 ? 10 : 30);
  comparison.documents_run = 200;
  comparison.tokens_run = 4'000;
  comparison.padded_cells = 6'000;
  comparison.agreements[engine::Precision::float32] = {};
  comparison.results = std::move(results);
  if (comparison.results.back().mode == cost::Mode::inference) comparison.options.modes = {cost::Mode::inference};
  return comparison;
}

std::vector<Result> results_of_both_modes() {
  return {result_of("padded", cost::Mode::inference, 0.72), result_of("packed", cost::Mode::inference, 0.36),
          result_of("fused+frozen", cost::Mode::inference, 0.18), result_of("padded", cost::Mode::training, 7.2),
          result_of("packed", cost::Mode::training, 14.4)};
}

std::string screen(const Comparison& comparison) { return report(comparison, Theme(false)); }

TEST(Scale, ProjectsFromCoreHours) {
  const Comparison comparison =
      comparison_of({.documents = 1'000'000, .watts = 5, .price = 0.04}, results_of_both_modes());
  const Consumption padded = comparison.at_scale(comparison.results.front());
  EXPECT_DOUBLE_EQ(padded.core_hours, 5000 * 0.72 * 2 / 3600);
  EXPECT_DOUBLE_EQ(padded.energy.projected.value(), 5000 * 0.72 * 2 * 5);
  EXPECT_DOUBLE_EQ(padded.cost.value(), 2 * 0.04);
  EXPECT_EQ(padded.energy.measured, std::nullopt);
  EXPECT_DOUBLE_EQ(comparison.in_pass(comparison.results.front()).energy.projected.value(), 0.72 * 2 * 5);
}

TEST(Scale, TakesWhatIsMeasuredFirst) {
  Comparison comparison = comparison_of(
      {.documents = 1'000'000, .watts = 5},
      {result_of("padded", cost::Mode::inference, 0.72, 30), result_of("packed", cost::Mode::inference, 0.36, 10)});
  comparison.metering = {.packages = 2, .idle_watts = 34.25};
  const Consumption padded = comparison.at_scale(comparison.results.front());
  EXPECT_DOUBLE_EQ(padded.energy.measured.value(), 5000 * 30);
  EXPECT_DOUBLE_EQ(padded.energy.best().value(), 5000 * 30);
  EXPECT_TRUE(padded.energy.projected.has_value());
  EXPECT_EQ(padded.cost, std::nullopt);
  EXPECT_THAT(screen(comparison), AllOf(HasSubstr("\n  padded                 2.00  150,000\n"),
                                        HasSubstr("measured by the counters of 2\nprocessors"), HasSubstr("34.2 W"),
                                        Not(HasSubstr("projected"))));
}

TEST(Scale, IsNotOnTheScreenUnlessAskedForOrMeasured) {
  const std::string text = screen(comparison_of({}, results_of_both_modes()));
  EXPECT_THAT(text, AllOf(Not(HasSubstr("cale")), Not(HasSubstr("nergy")), Not(HasSubstr("cost"))));
}

TEST(Scale, TellsInOneNoteWhyCountersWereNotRead) {
  Comparison comparison = comparison_of({}, results_of_both_modes());
  comparison.metering.failure = "the counters stand still";
  EXPECT_THAT(screen(comparison),
              AllOf(HasSubstr("\nEnergy is not measured: the counters stand still.\n"), Not(HasSubstr("At scale"))));
  comparison.options.scale.documents = 1'000;
  EXPECT_THAT(screen(comparison), HasSubstr("Or\ngive --watts."));
  comparison.options.scale.watts = 7.5;
  EXPECT_THAT(screen(comparison),
              AllOf(HasSubstr("stand still."), Not(HasSubstr("Or give")), HasSubstr("projected: 7.5 W")));
}

TEST(Scale, TableHasTheColumnsThatAreKnown) {
  const auto header_of = [](const ScaleOptions& options) {
    const std::vector<std::string> lines = test::lines(screen(comparison_of(options, results_of_both_modes())));
    const auto title =
        std::find_if(lines.begin(), lines.end(), [](const auto& line) { return line.starts_with("At"); });
    return *(title + 1);
  };
  EXPECT_EQ(header_of({.documents = 5}), std::string(17, ' ') + "  core-hours  core-hours");
  EXPECT_EQ(header_of({.price = 2}), std::string(17, ' ') + "  core-hours     cost  core-hours     cost");
  EXPECT_EQ(header_of({.documents = 1, .watts = 2}),
            std::string(17, ' ') + "  core-hours        J  core-hours        J");
  EXPECT_EQ(header_of({.watts = 2}), std::string(17, ' ') + "  core-hours      kWh  core-hours      kWh");
}

TEST(Scale, TableHasARowForEachContender) {
  const std::string text = screen(comparison_of({.watts = 5, .price = 0.04}, results_of_both_modes()));
  EXPECT_THAT(text, HasSubstr("At scale                              Inference                      Training\n"
                              "                   core-hours      kWh     cost  core-hours      kWh     cost\n"
                              "  padded                2,000     10.0     80.0      20,000      100      800\n"
                              "  packed                1,000     5.00     40.0      40,000      200    1,600\n"
                              "  fused+frozen            500     2.50     20.0           -        -        -\n"));
  EXPECT_THAT(text, HasSubstr("At scale: 1,000,000,000 documents of this text's mean length, 20.0 tokens, in\n"
                              "the median time, with 2 busy cores. Energy is projected: 5 W for a busy core"));
}

TEST(Scale, FitsInEightyColumnsAtBothEndsOfTheRange) {
  for (const ScaleOptions& options : {ScaleOptions{.documents = 1, .watts = 1e-9, .price = 1e-9},
                                      ScaleOptions{.documents = 1'000'000'000'000'000, .watts = 1e3, .price = 1e9}}) {
    for (const std::string& line : test::lines(screen(comparison_of(options, results_of_both_modes())))) {
      EXPECT_LE(width(line), 80) << line;
    }
  }
}

TEST(Scale, LeavesABlankBetweenColumns) {
  for (std::int64_t documents = 1; documents < 1'000'000'000'000'000; documents *= 3) {
    const ScaleOptions options = {.documents = documents, .watts = 5, .price = 0.05};
    for (const std::string& line : test::lines(screen(comparison_of(options, results_of_both_modes())))) {
      if (!line.starts_with("  padded ")) continue;
      EXPECT_THAT(line, Not(ContainsRegex("[0-9.,]{9}"))) << documents;
    }
  }
}

TEST(Scale, MarksWhatIsNotEquivalent) {
  std::vector<Result> results = results_of_both_modes();
  results.front().equivalent = false;
  EXPECT_THAT(screen(comparison_of({.price = 1}, std::move(results))), HasSubstr("  padded*               2,000"));
}

TEST(Scale, JsonHasAllThatIsKnown) {
  Comparison comparison = comparison_of(
      {.documents = 1'000'000, .watts = 5, .price = 0.04},
      {result_of("padded", cost::Mode::inference, 0.75, 30), result_of("packed", cost::Mode::inference, 0.375, 10)});
  comparison.metering = {.packages = 2, .idle_watts = 34.25};
  const json all = json_of(comparison);
  EXPECT_EQ(all["counters"], json({{"packages", 2}, {"idle_watts", 34.25}, {"failure", nullptr}}));
  EXPECT_EQ(all["scale"], json({{"documents", 1'000'000},
                                {"tokens_per_document", 20.0},
                                {"watts_per_core", 5.0},
                                {"price_per_core_hour", 0.04}}));
  const json& packed = all["results"][1];
  EXPECT_EQ(packed["joules"], json({{"measured", 10.0}, {"projected", 3.75}}));
  EXPECT_EQ(packed["at_scale"], json({{"core_hours", 3750.0 / 3600},
                                      {"joules", {{"measured", 50'000.0}, {"projected", 18'750.0}}},
                                      {"cost", 3750.0 / 3600 * 0.04}}));
  const json nothing = json_of(comparison_of({}, results_of_both_modes()));
  EXPECT_EQ(nothing["counters"], json({{"packages", 0}, {"idle_watts", nullptr}, {"failure", nullptr}}));
  EXPECT_EQ(nothing["scale"]["documents"], 1'000'000'000);
  EXPECT_EQ(nothing["results"][0]["joules"], json({{"measured", nullptr}, {"projected", nullptr}}));
  EXPECT_EQ(nothing["results"][0]["at_scale"]["cost"], nullptr);
}

/// 64 documents of 50 words, with the counters of `powercap`.
Comparison compare_with(const std::filesystem::path& powercap, std::int64_t hidden_size) {
  const test::TemporaryDirectory directory;
  std::string text;
  for (int document = 0; document < 64; ++document) {
    for (int token = 0; token < 50; ++token) text += fmt::format("w{} ", (document * 7 + token * 3) % 90);
    text += "\n";
  }
  CompareOptions options;
  options.files = {directory.write("text.txt", text)};
  options.network = {.input_size = 64, .hidden_size = hidden_size};
  options.modes = {cost::Mode::inference};
  options.threads = 1;
  options.measure.repeats = 1;
  options.counters = powercap;
  Progress progress(stderr);
  return compare(options, progress);
}

/// The fake machine takes more and more, so that any pass takes more than the idle machine did.
TEST(Scale, IsMeasuredWhereCountersMove) {
  const test::MovingPowercap powercap(10, 50);
  const Comparison comparison = compare_with(powercap.path(), 512);
  ASSERT_EQ(comparison.metering.failure, "");
  EXPECT_EQ(comparison.metering.packages, 1);
  for (const Result& result : comparison.results) EXPECT_GT(result.joules.value_or(0), 0) << result.contender;
  EXPECT_THAT(screen(comparison), HasSubstr("Energy is measured by the counters of"));
}

TEST(Scale, OfTooShortPassesIsNotMeasured) {
  const test::MovingPowercap powercap(10, 50);
  const Comparison comparison = compare_with(powercap.path(), 1);
  EXPECT_THAT(comparison.metering.failure, HasSubstr("the counters hardly move; more --max-batches"));
  for (const Result& result : comparison.results) EXPECT_EQ(result.joules, std::nullopt);
}

TEST(Scale, OfAMachineThatWasNotIdleIsNotMeasured) {
  const test::MovingPowercap powercap(300, -50);
  const Comparison comparison = compare_with(powercap.path(), 512);
  EXPECT_THAT(comparison.metering.failure, HasSubstr("took no more power than the"));
  for (const Result& result : comparison.results) EXPECT_EQ(result.joules, std::nullopt);
}

TEST(Scale, IsAskedForOnTheCommandLine) {
  const test::TemporaryDirectory directory;
  const std::string text = directory.write("text.txt", "a b c\nd e f\n");
  const std::string path = directory.path() / "results.json";
  const test::ProgramRun run = test::run_packseq(
      "compare --embedding 2 --hidden 2 --repeats 1 --threads 1 --documents 1e6 --watts 4.5 --price 3e-2 --json " +
      path + " " + text);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const json scale = json::parse(test::read_file(path))["scale"];
  EXPECT_EQ(scale, json({{"documents", 1'000'000},
                         {"tokens_per_document", 3.0},
                         {"watts_per_core", 4.5},
                         {"price_per_core_hour", 0.03}}));
  EXPECT_THAT(run.out,
              AllOf(HasSubstr("1,000,000 documents of this"), HasSubstr("Cost is projected: 0.03 for an hour")));
}

}  // namespace
}  // namespace packseq::cli
