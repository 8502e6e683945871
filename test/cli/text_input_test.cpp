#include "cli/text_input.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/looks_like.hpp"
#include "cli/program.hpp"

namespace packseq::test {
namespace {

using cli::what_it_looks_like;
using testing::HasSubstr;
using testing::Optional;

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
  EXPECT_EQ(empty.err, "packseq: standard input: no documents: nothing but blank lines\n");
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
            "packseq: " + none + ": no documents: nothing but blank lines\n");
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
