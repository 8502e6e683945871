#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/program.hpp"
#include "cli/terminal.hpp"

namespace packseq::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string show(const std::string& content, const std::string& arguments = "") {
  const TemporaryDirectory directory;
  const ProgramRun run = run_packseq("show " + arguments + " " + directory.write("text.txt", content));
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  return run.out;
}

/// The first line that begins with `label`.
std::string line_with(const std::string& text, const std::string& label) {
  for (const std::string& line : lines(text)) {
    if (line.starts_with(label)) return line;
  }
  return "no line begins with " + label;
}

TEST(Show, DrawsThreeDocuments) {
  const ProgramRun run = run_packseq("show");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(run.out, R"(Vocabulary: each different word gets an id
   0 <pad>   1 on   2 your   3 mark   4 get   5 set   6 go

Padded: 3 documents x 3 steps = 9 cells, 3 of them padding (░, id 0)
step             0     1      2
               ┌─────┬──────┬──────┐
document 0     │ on  │ your │ mark │ 3 tokens
document 1     │ get │ set  │░░░░░░│ 2 tokens
document 2     │ go  │░░░░░░│░░░░░░│ 1 token
               └─────┴──────┴──────┘

Packed: 6 cells, no padding; the longest document first
step             0     1      2
               ┌─────┬──────┬──────┐
document 0     │ on  │ your │ mark │
document 1     │ get │ set  ├──────┘
document 2     │ go  ├──────┘
               └─────┘
batch_sizes      3     2      1
sorted_indices   0 1 2
data             on get go │ your set │ mark
                 1  4   6  │ 2    5   │ 3

Multiplied by a vector with one number per step, the padded matrix takes 9
multiplications and 6 additions, the packed one 6 and 3.
)");
}

TEST(Show, SortsTheDocumentsOfAFile) {
  const std::string out = show("go\non your mark\n\nget set\nnever shown\n", "--documents 3");
  EXPECT_THAT(out, AllOf(HasSubstr("sorted_indices   1 2 0\n"),
                         HasSubstr("data             on get go │ your set │ mark\n"), Not(HasSubstr("never"))));
  EXPECT_EQ(line_with(out, "document 1"), "document 1     │ on  │ your │ mark │ 3 tokens");
}

TEST(Show, SplitsByParagraph) {
  EXPECT_THAT(show("a b\nc\n\nd\n", "--split paragraph"),
              AllOf(HasSubstr("2 documents x 3 steps = 6 cells, 2 of them padding"), HasSubstr("│ a │ b │ c │")));
}

TEST(Show, SplitsIntoTheTokensThatAreAskedFor) {
  EXPECT_THAT(show("Go, go!\n", "--tokenizer whitespace"), HasSubstr("│ Go, │ go! │ 2 tokens"));
  EXPECT_THAT(show("Go, go!\n", "--tokenizer words"), HasSubstr("│ go │ , │ go │ ! │ 4 tokens"));
  EXPECT_THAT(show("Né a\n", "--tokenizer characters"), HasSubstr("│ N │ é │   │ a │ 4 tokens"));
}

TEST(Show, ReplacesWhatIsNotUtf8WhereItIsAskedTo) {
  EXPECT_THAT(show("na\xEFve\n", "--invalid-utf8 replace"), HasSubstr("│ na\uFFFDve │ 1 token"));
}

TEST(Show, SaysThatNothingIsPadded) {
  EXPECT_THAT(show("a b\nc d\n"), AllOf(HasSubstr("2 documents x 2 steps = 4 cells, none of them padding\n"),
                                        HasSubstr("multiplications and 2 additions, the packed one 4 and 2.")));
}

TEST(Show, SaysHowMuchIsNotDrawn) {
  std::string content;
  for (int document = 0; document < 40; ++document) {
    for (int token = 0; token <= 3 * document; ++token) content += "dæmonisch" + std::to_string(token % 40) + " ";
    content += "\n";
  }
  const std::string out = show(content, "--documents 100");
  for (const std::string& line : lines(out)) EXPECT_LE(cli::width(line), 80) << line;
  EXPECT_THAT(out, HasSubstr("40 documents x 118 steps"));
  EXPECT_THAT(out, HasSubstr("3…117"));  // the steps that share the last column
  EXPECT_THAT(line_with(out, "document 39"), HasSubstr("│ +115  │ 118 tokens"));
  EXPECT_THAT(line_with(out, "batch_sizes"), testing::EndsWith("…1"));
  EXPECT_THAT(line_with(out, "sorted_indices"), testing::ContainsRegex(" … [0-9]+ more$"));
  EXPECT_THAT(line_with(out, "data"), testing::ContainsRegex(" … 2,3[0-9]+ more$"));
  const std::string vocabulary = out.substr(0, out.find("\n\nPadded"));
  EXPECT_EQ(lines(vocabulary).size(), 4);
  EXPECT_THAT(vocabulary, testing::ContainsRegex(" … [0-9]+ more$"));
}

TEST(Show, ClipsLongWordsBetweenCodePoints) {
  const std::string out = show("日本語日本語日本語日本語 naïve\n\x1b[31mred x\n");
  EXPECT_EQ(line_with(out, "document 0"), "document 0     │ 日本語日… │ naïve │ 2 tokens");
  EXPECT_EQ(line_with(out, "document 1"), "document 1     │ \uFFFD[31mred  │ x     │ 2 tokens");
}

TEST(Show, HasColoursOnATerminalOnly) {
  const std::string coloured = run_packseq_on_terminal("show");
  EXPECT_THAT(coloured, AllOf(HasSubstr("\x1b[36mon "), HasSubstr("\x1b[33mget"), HasSubstr("\x1b[90m░░░░░░")));
  EXPECT_THAT(run_packseq_on_terminal("show", "NO_COLOR=1 TERM=xterm"), AllOf(HasSubstr("░"), Not(HasSubstr("\x1b"))));
  EXPECT_THAT(run_packseq_on_terminal("show", "TERM=dumb"), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace packseq::test
