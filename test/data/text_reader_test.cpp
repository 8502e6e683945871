#include "packseq/data/text_reader.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "data/text_files.hpp"
#include "support/throws.hpp"
#include "support/vocab.hpp"

namespace packseq::data {
namespace {

class TextReaderTest : public test::TextFilesTest {
 protected:
  /// All documents, each as "label|text|file:line".
  static std::vector<std::string> all_of(TextReader& reader) {
    std::vector<std::string> all;
    while (const auto document = reader.next()) {
      all.push_back(document->label + '|' + document->text + '|' +
                    std::filesystem::path(*document->file).filename().string() + ':' + std::to_string(document->line));
    }
    return all;
  }

  std::vector<std::string> read(const std::string& text, const TextReaderOptions& options) const {
    TextReader reader({file("text", text)}, options);
    return all_of(reader);
  }
};

using Strings = std::vector<std::string>;
const TextReaderOptions with_columns{.label = LabelSource::column};

TEST_F(TextReaderTest, ReadsFileAfterFile) {
  TextReader reader({file("b", "one\n\ntwo\n"), file("empty", ""), file("a", "three")});
  EXPECT_EQ(all_of(reader), (Strings{"|one|b:1", "|two|b:3", "|three|a:1"}));
  EXPECT_FALSE(reader.next());
}

TEST_F(TextReaderTest, ReadsAllAgainAfterARewind) {
  TextReader reader({file("a", "one\ntwo\n"), file("b", "three\n")});
  ASSERT_TRUE(reader.next());
  reader.rewind();
  const Strings all{"|one|a:1", "|two|a:2", "|three|b:1"};
  EXPECT_EQ(all_of(reader), all);
  reader.rewind();
  EXPECT_EQ(all_of(reader), all);
}

TEST_F(TextReaderTest, GoesOnWhereItWasAfterAMove) {
  TextReader first({file("a", "one\ntwo\n")});
  ASSERT_TRUE(first.next());
  TextReader second({file("b", "three\n")});
  second = std::move(first);
  EXPECT_EQ(all_of(second), (Strings{"|two|a:2"}));
}

TEST_F(TextReaderTest, LabelsByFile) {
  const auto spam = file("spam", "buy\nnow\n");
  TextReader reader({spam, file("ham", "hello\n")}, {.label = LabelSource::file});
  EXPECT_EQ(reader.next()->label, spam.string());
  EXPECT_EQ(reader.next()->label, spam.string());
  EXPECT_EQ(reader.next()->label, (directory_ / "ham").string());
}

TEST_F(TextReaderTest, LabelsByColumn) {
  EXPECT_EQ(read("spam\tbuy now\r\nham\thello\nham\t\n", with_columns),
            (Strings{"spam|buy now|text:1", "ham|hello|text:2", "ham||text:3"}));
  EXPECT_EQ(read("ham\ta\n\t\n \t\t \nspam\tb\n", with_columns), (Strings{"ham|a|text:1", "spam|b|text:4"}));
  EXPECT_EQ(read("1\thello\tham\n2\tbuy\tspam\n", {.label = LabelSource::column, .label_column = 3}),
            (Strings{"ham|hello|text:1", "spam|buy|text:2"}));
}

TEST_F(TextReaderTest, EachFileMayHaveItsOwnNumberOfColumns) {
  TextReader reader({file("two", "a\tb\n"), file("three", "c\td\te\n")}, with_columns);
  EXPECT_EQ(all_of(reader), (Strings{"a|b|two:1", "c|d|three:1"}));
}

TEST_F(TextReaderTest, PassesTextOptionsOn) {
  EXPECT_EQ(read("one\ntwo\n\nthree\n", {.text = {.split = Split::paragraph}}),
            (Strings{"|one\ntwo|text:1", "|three|text:4"}));
  EXPECT_THROWS(read("a long line\n", {.text = {.max_document_bytes = 4}}), std::runtime_error, "text, line 1");
}

TEST_F(TextReaderTest, RefusesLinesWithoutTheirColumns) {
  EXPECT_THROWS(read("a\tb\nalone\n", with_columns), std::runtime_error,
                "text, line 2: 1 columns, and column 2 is to be read");
  EXPECT_THROWS(read("a\tb\n\nc\td\te\n", with_columns), std::runtime_error,
                "text, line 3: 3 columns, but the lines before have 2");
  EXPECT_THROWS(read("a\tb\n\td\n", with_columns), std::runtime_error, "text, line 2: the label, column 1, is empty");
}

const TextReaderOptions with_fields{.label = LabelSource::field, .json_field = "text", .label_field = "class"};

TEST_F(TextReaderTest, ReadsJsonLines) {
  const TextReaderOptions json{.json_field = "text"};
  EXPECT_EQ(read(R"({"id": 1, "text": "get \u00e9\ud83d\ude00\n\"set\"", "more": {"text": "no"}, "text2": ["text"]})"
                 "\r\n\n {\"text\":\"\"} \n",
                 json),
            (Strings{"|get \u00E9\U0001F600\n\"set\"|text:1", "||text:3"}));
  auto by_file = json;
  by_file.label = LabelSource::file;
  const auto path = file("one", R"({"text": "go"})");
  EXPECT_EQ(TextReader({path}, by_file).next()->label, path.string());
}

TEST_F(TextReaderTest, LabelsByField) {
  EXPECT_EQ(
      read(R"({"class": "spam", "text": "a"}
{"text": "b", "class": -3}
{"text": "c", "class": 18446744073709551615}
{"text": "d", "class": 0.10}
{"text": "e", "class": true})",
           with_fields),
      (Strings{"spam|a|text:1", "-3|b|text:2", "18446744073709551615|c|text:3", "0.10|d|text:4", "true|e|text:5"}));
}

TEST_F(TextReaderTest, RefusesLinesThatAreNotTheirJson) {
  const auto expect_refusal = [&](const std::string& line, const std::string& problem) {
    EXPECT_THROWS(read(R"({"text": "a", "class": 1})"
                       "\n" +
                           line + "\n",
                       with_fields),
                  std::runtime_error, "text, line 2: " + problem);
  };
  expect_refusal(R"({"body": "b", "class": 1})", "no field 'text', but 'body', 'class'");
  expect_refusal("{}", "no field 'text', but none at all");
  expect_refusal(R"({"text": "b"})", "no field 'class', but 'text'");
  expect_refusal(R"({"text": null, "class": 1})", "the field 'text' is null, and must be a string");
  expect_refusal(R"({"text": 3, "class": 1})", "the field 'text' is a number, and must be a string");
  expect_refusal(R"({"text": ["b"], "class": 1})", "the field 'text' is an array, and must be a string");
  expect_refusal(R"({"text": "b", "class": {}})", "the field 'class' is an object, and must be a string");
  expect_refusal(R"({"text": "b", "class": ""})", "the label, field 'class', is empty");
  expect_refusal(R"({"text": "b", "class": 1, "text": "c"})", "the field 'text' comes twice");
  expect_refusal(R"({"text": "\u0000", "class": 1})", "a zero byte in the field 'text'");
  expect_refusal(R"([{"text": "b", "class": 1}])", "a JSON array, and each line must be an object: jq -c '.[]' FILE");
  expect_refusal("3", "a JSON value, and each line must be an object");
  expect_refusal("\"text\"", "a JSON value, and each line must be an object");
  expect_refusal("null", "a JSON value, and each line must be an object");
  expect_refusal("{", "byte 2: no JSON object on one line (");
  expect_refusal(R"({"text": "b", "class": 1} {})", "byte 27: no JSON object on one line (");
  expect_refusal(R"({"text": "b", "class": null})",
                 "the field 'class' is null, and must be a string, a number or a truth value");
  expect_refusal(R"({"text": "\ud800", "class": 1})", "byte 17: no JSON object on one line (");
  expect_refusal("text", "byte 2: no JSON object on one line (");
  expect_refusal(R"({"text": 1e999})", "byte 14: no JSON object on one line (number overflow parsing '1e999')");
}

// A line may be as long as `max_document_bytes`.
TEST_F(TextReaderTest, RefusesLongJsonInFewWords) {
  const std::string many(1'000'000, '9');
  for (const std::string& line : {R"({"text": ")" + many, R"({"text": )" + many + 'x', R"({"text": )" + many + "e9}",
                                  R"({")" + many + R"(": "a"})"}) {
    try {
      read(line, {.json_field = "text"});
      ADD_FAILURE() << line.substr(0, 20);
    } catch (const std::runtime_error& error) {
      EXPECT_LT(std::string_view(error.what()).size(), 500 + directory_.string().size());
    }
  }
}

TEST_F(TextReaderTest, RefusesOptionsOfJsonThatDoNotFit) {
  const auto expect_refusal = [&](const TextReaderOptions& options, const std::string& problem) {
    EXPECT_THROWS(read("", options), std::invalid_argument, problem);
  };
  expect_refusal({.label = LabelSource::field}, "label is field, but json_field is empty");
  expect_refusal({.label = LabelSource::field, .json_field = "a", .label_field = ""}, "label_field is empty");
  expect_refusal({.label = LabelSource::field, .json_field = "a", .label_field = "a"}, "are both 'a'");
  expect_refusal({.label = LabelSource::column, .json_field = "a"}, "label is column, but json_field is 'a'");
  expect_refusal({.json_field = "a", .text = {.split = Split::paragraph}}, "with json_field a document is a line");
}

TEST_F(TextReaderTest, RefusesOptionsOutOfRange) {
  EXPECT_THROWS(read("", {.label_column = 0}), std::invalid_argument, "label_column is 0, and must be at least 1");
  EXPECT_THROWS(read("", {.document_column = -3}), std::invalid_argument, "document_column is -3");
  EXPECT_THROWS(read("", {.text = {.max_document_bytes = 0}}), std::invalid_argument, "text.max_document_bytes is 0");
  EXPECT_THROWS(read("", {.label_column = 2}), std::invalid_argument, "label_column and document_column are both 2");
  EXPECT_THROWS(read("", {.label = LabelSource::column, .text = {.split = Split::paragraph}}), std::invalid_argument,
                "text.split is not line");
}

TEST_F(TextReaderTest, RefusesFilesThatItCannotRead) {
  const auto here = file("here", "text\n");
  EXPECT_THROWS(TextReader({}), std::invalid_argument, "files is empty");
  EXPECT_THROWS(TextReader({here, directory_ / "." / "here"}), std::invalid_argument, "is the same file as files[0]");
  EXPECT_THROWS(TextReader({here, directory_ / "nowhere"}), std::runtime_error, "nowhere: no such file");
  EXPECT_THROWS(TextReader({directory_}), std::runtime_error, "is no regular file");
}

TEST_F(TextReaderTest, RefusesAFileThatVanishes) {
  const auto first = file("first", "one\n");
  const auto second = file("second", "two\n");
  TextReader reader({first, second});
  std::filesystem::remove(second);
  ASSERT_TRUE(reader.next());
  EXPECT_THROWS(reader.next(), std::runtime_error, "second: is gone since the reader was made");
}

TEST_F(TextReaderTest, RefusesAFileThatGrowsBeforeItIsOpened) {
  const auto path = file("text", "one\n");
  TextReader reader({path});
  file("text", "one\ntwo\n");
  EXPECT_THROWS(reader.next(), std::runtime_error, "it had 4 bytes, and has 8");
}

TEST_F(TextReaderTest, RefusesAFileThatChangesWhileItIsRead) {
  const auto path = file("text", "one\ntwo\n");
  TextReader reader({path});
  ASSERT_TRUE(reader.next());
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(1));
  EXPECT_THROWS(while (reader.next()){}, std::runtime_error, "it was written to again");
}

TEST_F(TextReaderTest, RefusesAFileThatIsCutShortWhileItIsRead) {
  std::string text;
  for (int i = 0; i < 1 << 18; ++i) text += "line after line\n";
  const auto path = file("text", text);
  TextReader reader({path});
  ASSERT_TRUE(reader.next());
  std::filesystem::resize_file(path, 16);
  EXPECT_THROWS(while (reader.next()){}, std::runtime_error, "has changed since the reader was made");
}

class BuildVocabTest : public TextReaderTest {};

TEST_F(BuildVocabTest, CountsTheDocumentsAndNotTheLabels) {
  const auto vocab = build_vocab({file("text", "x\tb a\nx\tb\n")}, with_columns, {.specials = {"<unk>"}});
  EXPECT_EQ(test::tokens(vocab), (Strings{"<unk>", "b", "a"}));
}

TEST_F(BuildVocabTest, CountsLabelsAsTheyAre) {
  const auto labels = build_labels({file("text", "to be\tx\nnot\ty\nto be\tz\n")}, with_columns);
  EXPECT_EQ(test::tokens(labels), (Strings{"to be", "not"}));
}

TEST_F(BuildVocabTest, RefusesToCountLabelsThatAreNotThere) {
  EXPECT_THROWS(build_labels({file("text", "")}, {}), std::invalid_argument, "text.label is none");
}

}  // namespace
}  // namespace packseq::data
