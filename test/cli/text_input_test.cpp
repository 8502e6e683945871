#include "cli/text_input.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "cli/looks_like.hpp"
#include "cli/program.hpp"

namespace packseq::test {
namespace {

using testing::HasSubstr;
using testing::Optional;

std::optional<std::string> what_it_looks_like(const std::vector<std::string>& lines) {
  const auto looks = cli::what_it_looks_like(lines);
  return looks ? std::optional(looks->text) : std::nullopt;
}

constexpr auto small = " --batch 2 --embedding 2 --hidden 2 --repeats 1 --mode inference --threads 1 ";

TEST(StandardInput, IsATextForBothCommands) {
  const TemporaryDirectory directory;
  const std::string text = directory.write("text.txt", "get set\n\ngo\n");
  const ProgramRun shown = run_packseq("show -", text);
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_EQ(shown.out, run_packseq("show " + text).out);
  const ProgramRun compared = run_packseq("compare -" + std::string(small), text);
  EXPECT_EQ(compared.exit_code, 0) << compared.err;
  EXPECT_THAT(lines(compared.out).front(), HasSubstr("standard input, each line a document"));
  EXPECT_EQ(compared.err, "");
  const ProgramRun both = run_packseq("compare - " + text + small, text);
  EXPECT_THAT(both.out, HasSubstr("4 documents, 6 tokens"));
  const ProgramRun empty = run_packseq("compare -");
  EXPECT_EQ(empty.err, "packseq: standard input: no documents: all is empty or blank\n");
}

TEST(JsonField, IsTheDocument) {
  const TemporaryDirectory directory;
  const std::string objects =
      directory.write("text.jsonl", "{\"text\": \"get set\", \"id\": \"one\"}\n{\"id\": \"two\", \"text\": \"go\"}\n");
  const std::string text = directory.write("text.txt", "get set\ngo\n");
  EXPECT_EQ(run_packseq("show --json-field text " + objects).out, run_packseq("show " + text).out);
  const ProgramRun run = run_packseq("compare --json-field text " + objects + small);
  EXPECT_THAT(run.out, HasSubstr("2 documents, 3 tokens, 3 different words"));
  EXPECT_EQ(run.err, "");
}

// LibTorch's networks refuse a batch of which all documents are empty.
TEST(JsonField, IsNoDocumentWhereItIsBlank) {
  const TemporaryDirectory directory;
  const std::string some = directory.write("some.jsonl", "{\"t\": \"\"}\n{\"t\": \"go\"}\n{\"t\": \" \\n\"}\n");
  const ProgramRun run =
      run_packseq("compare --embedding 2 --hidden 2 --repeats 1 --mode inference --threads 1 --json-field t " + some);
  EXPECT_THAT(run.out, HasSubstr("1 document, 1 token"));
  const std::string none = directory.write("none.jsonl", "{\"t\": \"\"}\n");
  EXPECT_EQ(run_packseq("show --json-field t " + none).err,
            "packseq: " + none + ": no documents: all is empty or blank\n");
}

TEST(Note, SaysThatATextLooksLikeSomethingElse) {
  const TemporaryDirectory directory;
  const std::string objects = directory.write("text.jsonl", "{\"text\": \"a\", \"n\": 1}\n{\"text\": \"b\"}\n");
  const ProgramRun run = run_packseq("compare " + objects + small);
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.err,
            "packseq: " + objects + " looks like JSON lines: --json-field NAME reads a field alone (here text)\n");
  EXPECT_EQ(run_packseq("show " + objects).err, "");
  std::string rows = "id,text\n";
  for (int i = 0; i < 20; ++i) rows += "7,\"one, two\"\n";
  const std::string csv = directory.write("text.csv", rows);
  EXPECT_THAT(run_packseq("compare - --split paragraph --max-tokens-per-document 100" + std::string(small), csv).err,
              HasSubstr("packseq: standard input looks like CSV"));
  const std::string tagged =
      directory.write("text.conll", "EU NNP B-ORG\nrejects VBZ O\nGerman JJ B-MISC\ncall NN O\n");
  EXPECT_THAT(run_packseq("compare " + tagged + small).err,
              HasSubstr(" looks like a column file, a token on each line"));
}

TEST(Note, GivesACommandThatCanBeCopied) {
  const TemporaryDirectory directory;
  const std::string table = directory.write("my table.tsv", "1\ta\n2\tb\n3\tc\n4\td\n");
  EXPECT_EQ(run_packseq("compare '" + table + "'" + small).err,
            "packseq: " + table +
                " looks like columns between tabs, which are all taken for text; N the text's column: cut -f N '" +
                table + "' | packseq compare -\n");
  EXPECT_THAT(run_packseq("compare -" + std::string(small), table).err,
              HasSubstr("column: cut -f N FILE | packseq compare -\n"));
}

TEST(Note, IsOneShortLine) {
  std::string object = "{\"a\\nb\\u001b[31m\": \"\"";
  for (int field = 0; field < 2000; ++field) object += ", \"field" + std::to_string(field) + "\": \"text\"";
  const auto looks = what_it_looks_like({object + "}"});
  ASSERT_TRUE(looks.has_value());
  EXPECT_THAT(*looks, HasSubstr("(here a\uFFFDb\uFFFD[31m, field0"));
  EXPECT_THAT(*looks, HasSubstr(" and more)"));
  EXPECT_LT(looks->size(), 300);
}

TEST(Note, IsNotForLongLines) {
  const TemporaryDirectory directory;
  std::string object = "{\"text\": \"" + std::string(80 << 10, 'a') + "\"}\n";
  EXPECT_EQ(run_packseq("compare " + directory.write("long.jsonl", object + object) + small).err, "");
  object.erase(20, 70 << 10);
  EXPECT_THAT(run_packseq("compare " + directory.write("short.jsonl", object + object) + small).err,
              HasSubstr("JSON lines"));
}

TEST(Errors, HoldNothingThatATerminalObeys) {
  const TemporaryDirectory directory;
  const std::string objects = directory.write("o.jsonl", R"({"te\u001b[31mxt\nb": 1})");
  EXPECT_EQ(run_packseq("compare --json-field text " + objects).err,
            "packseq: " + objects + ", line 1: --json-field: no field 'text', but 'te\uFFFD[31mxt\uFFFDb'\n");
}

TEST(StandardInput, IsNoFileOfItsName) {
  const TemporaryDirectory directory;
  const std::string text = directory.write("-", "get set\ngo\n");
  EXPECT_THAT(run_packseq("compare " + text + small).out, HasSubstr("Text      -, each line"));
}

TEST(Note, IsNotForProse) {
  EXPECT_THAT(what_it_looks_like({"{\"a\": \"b\", \"c\": 1}"}), Optional(HasSubstr("JSON lines")));
  EXPECT_THAT(what_it_looks_like({"a\tb", "c\td", "e\tf", "g h\t"}), Optional(HasSubstr("between tabs")));
  EXPECT_THAT(what_it_looks_like({"a;b", "c;d", "\"e;e\";f", "g h;"}), Optional(HasSubstr("CSV")));
  EXPECT_EQ(what_it_looks_like({}), std::nullopt);
  EXPECT_EQ(what_it_looks_like({"{\"a\": 1}", "no object"}), std::nullopt);
  EXPECT_EQ(what_it_looks_like({"3", "4", "5", "6"}), std::nullopt);
  EXPECT_EQ(what_it_looks_like({"a, b", "c, d", "e, f"}), std::nullopt);
  EXPECT_EQ(what_it_looks_like({"red, blue", "sweet, you", "sky, sea", "a, b", "c, d"}), std::nullopt);
  EXPECT_EQ(what_it_looks_like({"on, your", "mark", "get, set", "go"}), std::nullopt);
}

}  // namespace
}  // namespace packseq::test
