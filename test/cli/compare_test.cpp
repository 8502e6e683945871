#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <set>

#include "cli/program.hpp"
#include "cli/terminal.hpp"
#include "support/full_disk.hpp"

namespace packseq::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using Lengths = std::vector<std::int64_t>;

/// A text of which the test knows all there is to know.
struct Text {
  std::string content;
  Lengths lengths;
  std::set<std::string> words;

  std::int64_t tokens() const { return std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0}); }
};

Text random_text(std::size_t documents, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::int64_t> length(1, 12);
  std::uniform_int_distribution<int> word(0, 40);
  Text text;
  for (std::size_t document = 0; document < documents; ++document) {
    text.lengths.push_back(length(random));
    for (std::int64_t token = 0; token < text.lengths.back(); ++token) {
      const std::string spelling = fmt::format("w{}", word(random));
      text.words.insert(spelling);
      text.content += spelling + " ";
    }
    text.content += "\n";
  }
  return text;
}

/// The beginning of a command that takes no time; the number of repeats follows.
std::string compare_with(int hidden) {
  return fmt::format("compare --threads 1 --embedding 3 --hidden {} --repeats ", hidden);
}
const std::string tiny = compare_with(5);

/// A small comparison that must succeed, and its results.
json compare(const std::string& content, const std::string& arguments, int repeats = 1, int hidden = 5) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("text.txt", content);
  const std::string results = directory.path() / "results.json";
  const ProgramRun run =
      run_packseq(fmt::format("{}{} --json {} {} {}", compare_with(hidden), repeats, results, arguments, file));
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  return run.exit_code == 0 ? json::parse(read_file(results)) : json();
}

const json& result(const json& comparison, std::string_view contender, std::string_view mode) {
  const json& results = comparison["results"];
  return *std::find_if(results.begin(), results.end(), [&](const json& candidate) {
    return candidate["contender"] == contender && candidate["mode"] == mode;
  });
}

std::vector<Lengths> batches(const Lengths& lengths, std::size_t batch) {
  std::vector<Lengths> batches;
  for (std::size_t document = 0; document < lengths.size(); ++document) {
    if (document % batch == 0) batches.emplace_back();
    batches.back().push_back(lengths[document]);
  }
  return batches;
}

/// Cells of the padded batches.
std::int64_t cells(const std::vector<Lengths>& batches) {
  std::int64_t cells = 0;
  for (const Lengths& batch : batches) {
    cells += *std::max_element(batch.begin(), batch.end()) * static_cast<std::int64_t>(batch.size());
  }
  return cells;
}

/// FLOPs of a forward pass of a network of one direction, for one token.
std::int64_t forward_flops(std::int64_t gates, std::int64_t embedding, std::int64_t hidden, std::int64_t layers) {
  return 2 * gates * hidden * (embedding + hidden) + (layers - 1) * 2 * gates * hidden * (hidden + hidden);
}

TEST(Compare, CountsTextBatchesAndFill) {
  const Text text = random_text(23, 1);
  const json comparison = compare(text.content, "--order as-is --batch 5");
  EXPECT_EQ(comparison["text"]["documents"], 23);
  EXPECT_EQ(comparison["text"]["tokens"], text.tokens());
  EXPECT_EQ(comparison["text"]["vocabulary"], text.words.size());
  EXPECT_EQ(comparison["batches"], 5);
  const auto expected = static_cast<double>(text.tokens()) / static_cast<double>(cells(batches(text.lengths, 5)));
  EXPECT_NEAR(comparison["fill"], expected, 1e-12);
}

TEST(Compare, ReadsTheTextAsItIsAskedTo) {
  const json comparison = compare("Go, \xFF go!\n", "--tokenizer words --invalid-utf8 replace");
  EXPECT_EQ(comparison["text"]["tokens"], 5);
  EXPECT_EQ(comparison["text"]["vocabulary"], 4);  // go , ! and U+FFFD
}

TEST(Compare, TellsHowItWasRun) {
  const json comparison = compare("a b\nc\n", "--kind gru --layers 2 --bidirectional --seed 7 --order sorted");
  EXPECT_EQ(comparison["model"],
            json({{"kind", "gru"}, {"embedding", 3}, {"hidden", 5}, {"layers", 2}, {"bidirectional", true}}));
  EXPECT_EQ(comparison["threads"], 1);
  EXPECT_EQ(comparison["seed"], 7);
  EXPECT_EQ(comparison["order"], "sorted");
  EXPECT_EQ(comparison["batch"], 2);
  EXPECT_EQ(comparison["repeats"], 1);
  for (const char* part : {"packseq", "libtorch", "compiler"}) EXPECT_NE(comparison["versions"].value(part, ""), "");
}

TEST(Compare, CountsFlopsOfEveryContender) {
  const Text text = random_text(23, 2);
  Lengths longest_first = text.lengths;
  std::sort(longest_first.rbegin(), longest_first.rend());
  for (const auto& [kind, gates] : {std::pair("lstm", 4), std::pair("gru", 3), std::pair("rnn", 1)}) {
    SCOPED_TRACE(kind);
    const json comparison = compare(text.content, std::string("--order as-is --batch 4 --layers 2 --kind ") + kind);
    const std::int64_t per_token = forward_flops(gates, 3, 5, 2);
    // Nobody asks for the gradient of the initial state: one product less per document and layer.
    const std::int64_t initial_states = 2 * gates * 5 * 5 * 23 * 2;
    for (const auto& [contender, steps] :
         {std::pair("padded", cells(batches(text.lengths, 4))), std::pair("packed", text.tokens()),
          std::pair("fused", text.tokens()), std::pair("bucketed", cells(batches(longest_first, 4)))}) {
      SCOPED_TRACE(contender);
      const json& inference = result(comparison, contender, "inference");
      EXPECT_EQ(inference["executed_flops"], per_token * steps);
      EXPECT_EQ(inference["useful_flops"], per_token * text.tokens());
      const json& training = result(comparison, contender, "training");
      EXPECT_EQ(training["executed_flops"], 3 * per_token * steps - initial_states);
      EXPECT_EQ(training["useful_flops"], 3 * per_token * text.tokens() - initial_states);
    }
  }
}

/// Documents of words that come again in each batch of four, and one batch of words that do not.
TEST(Compare, CountsRepeatedWordsOnce) {
  const std::string content = "a b a\na b\nb\nb a\nc d\ne f\ng h i\nj\n";
  const json comparison = compare(content, "--order as-is --batch 4 --kind gru");
  const std::int64_t per_token = forward_flops(3, 3, 5, 1);
  const std::int64_t per_input = 2 * 3 * 5 * 3;  // of a token
  const auto& dedup = result(comparison, "fused+dedup", "inference");
  EXPECT_EQ(dedup["executed_flops"], 16 * per_token - (8 - 2) * per_input);
  EXPECT_EQ(dedup["useful_flops"], 16 * per_token);
  EXPECT_EQ(result(comparison, "fused+frozen", "inference")["executed_flops"], 16 * (per_token - per_input));
  // In training the gradients of weights and input, too.
  EXPECT_EQ(result(comparison, "fused+dedup", "training")["executed_flops"],
            result(comparison, "fused", "training")["executed_flops"].get<std::int64_t>() - (8 - 2) * 3 * per_input);
}

/// Batches of documents that begin or end alike, and one of documents that do not.
TEST(Compare, CountsCommonBeginningsOnce) {
  const std::string content = "a b a\na b\na b c\na b a\nc d\ne f\ng h i\nj\n";
  const int wide = 80;  // enough for a batch to share
  const json comparison = compare(content, "--order as-is --batch 4 --kind gru", 1, wide);
  const std::int64_t per_token = forward_flops(3, 3, wide, 1);
  const std::int64_t per_input = 2 * 3 * wide * 3;  // of a token
  // 4 of 11 tokens end another beginning, and 3 are another word; of the other batch all 8.
  const auto& shared = result(comparison, "fused+shared", "inference");
  EXPECT_EQ(shared["executed_flops"], (4 + 8) * per_token - (4 - 3) * per_input);
  EXPECT_EQ(shared["useful_flops"], 19 * per_token);
  const std::int64_t table = 4 * (3 * 4 * wide);  // bytes
  EXPECT_EQ(shared["activation_bytes"], table + 4 * (4 * (3 + wide) + 11 * wide));
  const json lstm = compare(content, "--order as-is --batch 4 --mode inference", 1, wide);
  EXPECT_EQ(result(lstm, "fused+shared", "inference")["activation_bytes"],
            table + 4 * (4 * (3 + wide + wide) + 11 * wide));
  // 4 beginnings in one direction, 8 ends in the other; the other batch has 8 tokens in either.
  const json both = compare(content, "--order as-is --batch 4 --kind gru --bidirectional --layers 2", 1, wide);
  const std::int64_t per_hidden = 2 * 3 * wide * wide;
  const std::int64_t of_second_layer = 2 * (2 * 3 * wide * (2 * wide + wide));
  EXPECT_EQ(result(both, "fused+shared", "inference")["executed_flops"],
            (4 + 8 + 8 + 8) * per_hidden + (3 + 8) * 2 * per_input + 19 * of_second_layer);
  EXPECT_EQ(result(both, "fused+shared", "inference")["activation_bytes"],
            2 * table + 4 * ((4 + 8) * (3 + wide) + 2 * 11 * 2 * wide));
  EXPECT_EQ(result(both, "fused+shared", "training")["activation_bytes"],
            2 * table + 4 * ((4 + 8) * (3 + wide + 4 * wide) + 11 * (2 * wide + 2 * wide + 2 * 4 * wide)));
}

TEST(Compare, ReportsTimeMemoryAndAgreementOfEveryContender) {
  const Text text = random_text(20, 3);
  for (const std::string mode : {"inference", "training"}) {
    SCOPED_TRACE(mode);
    const json comparison = compare(text.content, "--batch 6 --mode " + mode, 3);
    ASSERT_EQ(comparison["results"].size(), mode == "inference" ? 7 : 6);
    EXPECT_GT(comparison["max_abs_difference"], 0);
    EXPECT_LT(comparison["max_abs_difference"], 1e-5);
    for (const json& entry : comparison["results"]) {
      EXPECT_EQ(entry["mode"], mode);
      EXPECT_EQ(entry["equivalent"], true);
      const json& seconds = entry["seconds"];
      EXPECT_GT(seconds["min"], 0);
      EXPECT_LE(seconds["min"], seconds["median"]);
      EXPECT_LE(seconds["median"], seconds["max"]);
      EXPECT_NEAR(entry["tokens_per_second"].get<double>() * seconds["median"].get<double>(),
                  static_cast<double>(text.tokens()), 1e-6);
    }
    EXPECT_LT(result(comparison, "packed", mode)["activation_bytes"],
              result(comparison, "padded", mode)["activation_bytes"]);
  }
}

TEST(Compare, MarksPaddedBatchesOfABidirectionalNetwork) {
  for (const std::string kind : {"lstm", "gru", "rnn"}) {
    const json comparison = compare(random_text(11, 4).content, "--bidirectional --layers 2 --batch 4 --kind " + kind);
    EXPECT_LT(comparison["max_abs_difference"], 1e-5);
    for (const json& entry : comparison["results"]) {
      const std::string contender = entry["contender"];
      EXPECT_EQ(entry["equivalent"], contender == "packed" || contender.starts_with("fused"));
    }
  }
}

TEST(Compare, LosesNoDocumentInAnyOrder) {
  const Text text = random_text(17, 5);
  for (const std::string order : {"as-is", "shuffled", "sorted"}) {
    const json comparison = compare(text.content, "--mode inference --batch 4 --order " + order);
    EXPECT_EQ(comparison["batches"], 5) << order;
    const json& packed = result(comparison, "packed", "inference");
    EXPECT_EQ(packed["executed_flops"], forward_flops(4, 3, 5, 1) * text.tokens()) << order;
  }
}

TEST(Compare, SortsLongestFirst) {
  const json comparison = compare(random_text(17, 6).content, "--mode inference --batch 4 --order sorted");
  EXPECT_EQ(result(comparison, "padded", "inference")["executed_flops"],
            result(comparison, "bucketed", "inference")["executed_flops"]);
}

TEST(Compare, RunsTheFirstBatchesOfALongText) {
  const Text text = random_text(50, 7);
  const TemporaryDirectory directory;
  const ProgramRun run = run_packseq(tiny + "1 --mode inference --order as-is --batch 4 " +
                                     ("--max-batches 2 " + directory.write("text.txt", text.content)));
  EXPECT_THAT(run.out, HasSubstr("2 of 13 batches of 4 documents, as they stand in the text"));
  const std::int64_t tokens = std::accumulate(text.lengths.begin(), text.lengths.begin() + 8, std::int64_t{0});
  EXPECT_THAT(run.out, HasSubstr(std::to_string(tokens) + " tokens in "));
  EXPECT_THAT(run.out, HasSubstr("50 documents, " + std::to_string(text.tokens()) + " tokens"));
}

TEST(Compare, IsTheSameForTheSameSeed) {
  const std::string content = random_text(60, 8).content;
  const auto without_times = [&](const std::string& seed) {
    json comparison = compare(content, "--batch 4 --max-batches 2 --seed " + seed);
    for (json& entry : comparison["results"]) {
      entry.erase("seconds");
      entry.erase("tokens_per_second");
      entry.erase("joules");
      entry.erase("at_scale");
    }
    comparison.erase("counters");
    return comparison;
  };
  const json comparison = without_times("3");
  EXPECT_EQ(without_times("3"), comparison);
  EXPECT_NE(without_times("4")["fill"], comparison["fill"]);
}

TEST(Compare, PutsFilesEndToEnd) {
  const TemporaryDirectory directory;
  const std::string first = directory.write("first.txt", "a b c\n\nd\n");
  const std::string blank = directory.write("blank.txt", "\n \n");
  const std::string second = directory.write("second.txt", "d e\nf\n");
  const ProgramRun run = run_packseq(tiny + "1 --split paragraph " + first + " " + blank + " " + second);
  EXPECT_THAT(run.out, HasSubstr("first.txt and 2 more files, each paragraph a document"));
  EXPECT_THAT(run.out, HasSubstr("3 documents, 7 tokens, 6 different words"));
  EXPECT_THAT(run.out, HasSubstr("1 batch of all 3 documents"));
}

TEST(Compare, ReportFitsInEightyColumnsAndHasNoEscapeCodes) {
  const TemporaryDirectory directory;
  const ProgramRun run =
      run_packseq(tiny + "1 --bidirectional " + directory.write("text.txt", random_text(40, 9).content));
  EXPECT_THAT(run.out, Not(HasSubstr("\x1b")));
  EXPECT_EQ(run.err, "");
  EXPECT_THAT(run.out, HasSubstr("padded*"));
  EXPECT_THAT(run.out, HasSubstr("In training, packing skips "));
  for (const std::string& line : lines(run.out)) EXPECT_LE(cli::width(line), 80) << line;
}

TEST(Compare, WritesProgressAndColoursToATerminal) {
  const TemporaryDirectory directory;
  const std::string arguments = tiny + "1 " + directory.write("text.txt", "a b c\nd\n");
  EXPECT_THAT(run_packseq_on_terminal(arguments),
              testing::AllOf(HasSubstr("\rtraining: round 1 of 1, packed"), HasSubstr("\x1b[1mCheck")));
  EXPECT_THAT(run_packseq_on_terminal(arguments, "TERM=dumb"), Not(HasSubstr("\x1b")));
}

std::ptrdiff_t files_in(const TemporaryDirectory& directory) {
  return std::distance(std::filesystem::directory_iterator(directory.path()), {});
}

TEST(Compare, ReplacesTheFileOfResultsAndLeavesNothingElse) {
  const TemporaryDirectory directory;
  const std::string text = directory.write("text.txt", "a b\nc\n");
  const std::string results = directory.write("results.json", "old");
  EXPECT_EQ(run_packseq(tiny + "1 --json " + results + " " + text).exit_code, 0);
  EXPECT_EQ(json::parse(read_file(results))["text"]["tokens"], 3);
  EXPECT_EQ(files_in(directory), 2);
}

TEST(Compare, LeavesTheOldFileOfResultsWhereTheDiskIsFull) {
  const TemporaryDirectory directory;
  const std::string text = directory.write("text.txt", "a b\nc\n");
  const std::string results = directory.write("results.json", "old");
  const ProgramRun run = [&] {
    const FullDisk full_disk(1000);
    return run_packseq(tiny + "1 --json " + results + " " + text);
  }();
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, "packseq: --json " + results + ": cannot be written (File too large)\n");
  EXPECT_EQ(read_file(results), "old");
  EXPECT_EQ(files_in(directory), 2);
}

TEST(Program, FailsWhereItsOutputCannotBeWritten) {
  const TemporaryDirectory directory;
  const std::string text = directory.write("text.txt", "a b\nc\n");
  for (const std::string& arguments : {std::string("--help"), std::string("--version"), std::string("compare --help"),
                                       "show " + text, tiny + "1 " + text}) {
    SCOPED_TRACE(arguments);
    const std::string beginning = "packseq: the output";  // the rest finds no place either
    const FullDisk full_disk(beginning.size());
    const ProgramRun run = run_packseq(arguments);
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_EQ(run.err, beginning);
  }
}

}  // namespace
}  // namespace packseq::test
