#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/version.h>

#include "cli/program.hpp"
#include "packseq/version.hpp"

namespace packseq::test {
namespace {

/// The program refuses with this exit code and one line, and says nothing else.
void expect_refusal(const std::string& arguments, int exit_code, const std::string& message) {
  SCOPED_TRACE(arguments);
  const ProgramRun run = run_packseq(arguments);
  EXPECT_EQ(run.exit_code, exit_code);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, "packseq: " + message + "\n");
}

TEST(Help, IsPrintedForEveryCommand) {
  for (const std::string command : {"", "show ", "compare "}) {
    const ProgramRun run = run_packseq(command + "--help");
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_THAT(run.out, testing::HasSubstr("Usage: packseq"));
    EXPECT_THAT(lines(run.out), testing::Each(testing::SizeIs(testing::Le(80))));
  }
}

TEST(Help, NamesVersions) {
  const ProgramRun run = run_packseq("--version");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out, "packseq " PACKSEQ_VERSION ", LibTorch " TORCH_VERSION "\n");
}

TEST(Refusal, OfWrongUse) {
  expect_refusal("", 2, "which command? show or compare; packseq --help tells more");
  expect_refusal("compare", 2, "compare: no text given: packseq compare FILE..., - is standard input");
  expect_refusal("compare - x -", 2, "compare: - is given twice: standard input can be read once");
  for (const std::string command : {"show x", "compare x"}) {
    expect_refusal(command + " --json-field ''", 2, "--json-field: '' names no field");
    expect_refusal(command + " --json-field text --split paragraph", 2,
                   "--json-field: an object of JSON is a line, and --split is paragraph");
  }
  expect_refusal("show --documents 0", 2, "--documents: 0 is not a whole number in 1 ... 100");
  for (const std::string value : {"-3", "1.5", "65537", "99999999999999999999"}) {
    expect_refusal("compare x --hidden " + value, 2, "--hidden: " + value + " is not a whole number in 1 ... 65536");
  }
  for (const std::string value : {"0", "-1", "1.5", "nan", "inf", "1e16", "many", "1e9x"}) {
    expect_refusal("compare x --documents " + value, 2,
                   "--documents: " + value + " is not a whole number in 1 ... 1000000000000000");
  }
  for (const std::string value : {"0", "-5", "nan", "inf", "1e999", "1e4", "5W", "five"}) {
    expect_refusal("compare x --watts " + value, 2, "--watts: " + value + " is not a number above 0, up to 1000");
  }
  expect_refusal("compare x --price -0.04", 2, "--price: -0.04 is not a number above 0, up to 1000000000");
  expect_refusal("compare x --price 0,04", 2, "--price: 0,04 is not a number above 0, up to 1000000000");
  expect_refusal("compare x --kind LSTM", 2, "--kind: LSTM is not one of lstm|gru|rnn");
  expect_refusal("compare x --precision half", 2, "--precision: half is not one of float32|bfloat16|both");
  expect_refusal("show --tokenizer bpe", 2, "--tokenizer: bpe is not one of whitespace|words|characters");
  expect_refusal("compare x --invalid-utf8 drop", 2, "--invalid-utf8: drop is not one of refuse|replace");
  expect_refusal("compare x --colour", 2, "The following argument was not expected: --colour");
  expect_refusal("tell", 2, "The following argument was not expected: tell");
}

TEST(Refusal, OfAJsonPathThatWouldCostAText) {
  const TemporaryDirectory directory;
  const std::string text = directory.write("text.txt", "get set\n");
  expect_refusal("compare --json " + text + " " + text, 2,
                 "--json: " + text + " is one of the texts, and would be overwritten");
  EXPECT_EQ(read_file(text), "get set\n");
  expect_refusal("compare --json '' " + text, 2, "--json: '' names no file");
}

TEST(Refusal, OfFiles) {
  const TemporaryDirectory directory;
  const std::string none = directory.path() / "none.txt";
  const std::string blank = directory.write("blank.txt", "\n  \n\t\n");
  for (const std::string command : {"show ", "compare "}) {
    expect_refusal(command + none, 1, none + ": no such file");
    expect_refusal(command + blank, 1, blank + ": no documents: all is empty or blank");
  }
  expect_refusal("compare " + blank + " " + blank, 1, "the files: no documents: all is empty or blank");
  const std::string empty = directory.write("empty.txt", "");
  expect_refusal("compare " + empty, 1, empty + ": no documents: all is empty or blank");
  expect_refusal("compare " + directory.path().string(), 1, directory.path().string() + ": is a directory");
  const std::string latin = directory.write("latin.txt", "fine\nna\xEFve\n");
  expect_refusal("compare " + latin, 1,
                 latin +
                     ", line 2, byte 3 (0xef): not valid UTF-8; if it is in Latin-1 or Windows-1252: iconv -f "
                     "WINDOWS-1252 -t UTF-8 " +
                     latin + " | packseq compare -; or --invalid-utf8 replace");
  const std::string binary = directory.write("binary", std::string("a\0b", 3));
  expect_refusal("compare " + binary, 1, binary + ", line 1, byte 2 (0x00): a binary file, not text");
}

TEST(Refusal, OfFilesThatAreNoTextTellsWhatToRun) {
  const TemporaryDirectory directory;
  const std::string gzip = directory.write("notes.gz", "\x1F\x8B\x08...");
  expect_refusal("compare " + gzip, 1, gzip + ": is compressed by gzip: zcat " + gzip + " | packseq compare -");
  expect_refusal("show " + gzip, 1, gzip + ": is compressed by gzip: zcat " + gzip + " | packseq show -");
  const std::string wide = directory.write("it's.txt", "\xFF\xFEg");
  std::string quoted = "'";
  quoted.append(directory.path().string()).append("/it'\\''s.txt'");
  expect_refusal("compare " + quoted, 1,
                 wide + ": is UTF-16, as its mark tells: iconv -f UTF-16 -t UTF-8 " + quoted + " | packseq compare -");
  const ProgramRun run = run_packseq("compare -", gzip);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.err, "packseq: standard input: is compressed by gzip: zcat FILE | packseq compare -\n");
}

TEST(Refusal, OfALongLineNamesTheOptionThatAllowsIt) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("text.txt", "a\nb b b\n");
  expect_refusal("show --max-document-bytes 4 " + file, 1,
                 file + ", line 2: the document is longer than 4 bytes, see --max-document-bytes");
  EXPECT_EQ(run_packseq("show --max-document-bytes 5 " + file).exit_code, 0);
}

TEST(Refusal, OfLinesWithoutTheFieldOfJson) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("text.jsonl", "{\"text\": \"a\"}\n{\"body\": \"b\"}\n");
  expect_refusal("compare --json-field text " + file, 1, file + ", line 2: --json-field: no field 'text', but 'body'");
}

TEST(Refusal, OfABatchLargerThanTheText) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("text.txt", "a\nb\nc\n");
  expect_refusal("compare --batch 4 " + file, 2, "--batch: 4 is more than the text has: 3 documents");
}

TEST(Refusal, OfALongDocument) {
  const TemporaryDirectory directory;
  const std::string first = directory.write("first.txt", "a b\n");
  const std::string second = directory.write("second.txt", "c\n\nd e f\n");
  // Training keeps input, output, 4 gates and cell state of 2 documents of 3 tokens: 6 * (1 + 6 * 2) floats.
  expect_refusal("compare --max-tokens-per-document 2 --batch 2 --embedding 1 --hidden 2 " + first + " " + second, 1,
                 "document 3 (" + second +
                     ", line 3) has 3 tokens, more than --max-tokens-per-document 2; a padded batch of up to 2 would "
                     "need 312 B");
}

TEST(Refusal, OfAFileOfResultsThatCannotBeWritten) {
  const TemporaryDirectory directory;
  const std::string prefix = directory.path().string();
  const std::string text = directory.write("text.txt", "a\nb c\n");
  expect_refusal("compare --json " + prefix + "/none/results.json " + text, 1,
                 "--json " + prefix + "/none/results.json: cannot be written (No such file or directory)");
  expect_refusal("compare --json " + prefix + " " + text, 1,
                 "--json " + prefix + ": cannot be written (it is no regular file)");
}

}  // namespace
}  // namespace packseq::test
