#include "packseq/data/column_reader.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "data/text_files.hpp"
#include "packseq/text/tokenizer.hpp"
#include "support/throws.hpp"

namespace packseq::data {
namespace {

using Sentences = std::vector<std::string>;

std::string between_bars(std::string_view lines) {
  std::string all;
  split_lines(lines, [&](std::string_view line) { all.append(all.empty() ? "" : "|").append(line); });
  return all;
}

/// All sentences, each as "line: words = labels".
Sentences sentences_of(const std::string& text, const TokenColumns& columns,
                       const DocumentReaderOptions& options = {}) {
  std::istringstream input(text);
  ColumnReader reader(input, "text", columns, options);
  Sentences all;
  while (const auto sentence = reader.next()) {
    all.push_back(std::to_string(reader.line()) + ": " + between_bars(sentence->words) + " = " +
                  between_bars(sentence->labels));
  }
  const auto last = reader.line();
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.line(), last);
  return all;
}

const TokenColumns conll_2003{.word = 1, .label = 4};
const TokenColumns conll_u{.word = 2, .label = 4, .format = ColumnFormat::conll_u};

TEST(ColumnReader, ReadsConll2003) {
  const std::string text =
      "-DOCSTART- -X- -X- O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n. . O O\n\n\n"
      "-DOCSTART-\n# NN I-NP O\n1 CD I-NP O\n-DOCSTART- -X- O O\n-DOCSTART-s NN I-NP O";
  const Sentences expected = {"3: EU|rejects|. = I-ORG|O|O", "9: #|1 = O|O", "12: -DOCSTART-s = O"};
  EXPECT_EQ(sentences_of(text, conll_2003), expected);
  EXPECT_EQ(sentences_of(text + "\n", conll_2003), expected);
  EXPECT_EQ(sentences_of(text + "\n \t\n\n", conll_2003), expected);
}

TEST(ColumnReader, ReadsConll2000And2002) {
  EXPECT_EQ(sentences_of("He PRP B-NP\nis VBZ B-VP\n\nSo RB O\n", {.word = 1, .label = 3}),
            (Sentences{"1: He|is = B-NP|B-VP", "4: So = O"}));
  EXPECT_EQ(sentences_of("Melbourne NP B-LOC\n( Fpa O\n \n", {.label = 3}), (Sentences{"1: Melbourne|( = B-LOC|O"}));
  EXPECT_EQ(sentences_of("  Wij   Pron  O  \n", {.label = 3}), (Sentences{"1: Wij = O"}));
}

TEST(ColumnReader, ReadsConllU) {
  const std::string rest = "\t_\t_\t_\t_\t_\t_\n";
  const std::string text = "# newdoc id = 1\n# text = vámonos al 10 000\n1-2\tvámonos\t_\t_" + rest +
                           "1\tvamos\tir\tVERB" + rest + "2\tnos\tnosotros\tPRON" + rest + "8.1\tel\tel\tDET" + rest +
                           "3\t10  000\t10000\tNUM" + rest + "\n# text = #\n0.1\tno\tno\tADV" + rest + "1\t#\t#\tSYM" +
                           rest;
  EXPECT_EQ(sentences_of(text, conll_u), (Sentences{"4: vamos|nos|10  000 = VERB|PRON|NUM", "11: # = SYM"}));
}

// Sentences of these have a column for each of their predicates.
TEST(ColumnReader, ReadsSentencesOfDifferentColumns) {
  const std::string conll_2012 =
      "#begin document (wb/a2e); part 000\nwb/a2e 0 0 Yes UH (TOP* * -\nwb/a2e 0 1 . . *) * -\n\n"
      "wb/a2e 0 0 Go VB (TOP* * (V*) -\nwb/a2e 0 1 #end # *) * * -\n#end document\n"
      "#begin document (wb/b); part 000\nwb/b 0 0 No UH * * (0)\n\n#end document\n";
  const Sentences expected = {"2: Yes|. = UH|.", "5: Go|#end = VB|#", "9: No = UH"};
  EXPECT_EQ(sentences_of(conll_2012, {.word = 4, .label = 5, .format = ColumnFormat::conll_2012}), expected);
  EXPECT_EQ(sentences_of("# - *\n\ngo go (V*)\n\non - * *\n", {.label = 3, .format = ColumnFormat::conll_2012}),
            (Sentences{"1: # = *", "3: go = (V*)", "5: on = *"}));
  EXPECT_EQ(sentences_of("1\ton\tIN\n\n1-2\tit's\t_\t_\n1\tit\tPRP\tA0\n2\t's\tVBZ\t_\n",
                         {.word = 2, .label = 3, .format = ColumnFormat::conll_u}),
            (Sentences{"1: on = IN", "4: it|'s = PRP|VBZ"}));
  EXPECT_THROWS(sentences_of("a b\nc d\n\ne f g\nh i\n", {.label = 2, .format = ColumnFormat::conll_2012}),
                std::runtime_error, "text, line 5: 2 columns between blanks, but the lines before have 3");
  EXPECT_THROWS(sentences_of("a b\n\nc\n", {.label = 2, .format = ColumnFormat::conll_2012}), std::runtime_error,
                "text, line 3: 1 column between blanks, and column 2 is to be read");
  EXPECT_THROWS(sentences_of(conll_2012, {.word = 4, .label = 5}), std::runtime_error,
                "text, line 5: 9 columns between blanks, but the lines before have 8: is it a file of documents? They "
                "are read without token_columns; or do its sentences differ in columns? Then it is of "
                "ColumnFormat::conll_2012");
}

TEST(ColumnReader, KeepsBlanksAndHashesBetweenTabs) {
  EXPECT_EQ(sentences_of("#now\tO\n New York \tB-LOC\n\t\n2-3\tO\n\u2028\u00A0\tO\n", {.label = 2}),
            (Sentences{"1: #now| New York  = O|B-LOC", "4: 2-3|\u2028\u00A0 = O|O"}));
}

TEST(ColumnReader, ReadsWordsAlone) {
  EXPECT_EQ(sentences_of("get\nset\n\ngo", {}), (Sentences{"1: get|set = ", "4: go = "}));
  EXPECT_EQ(sentences_of("", {}), (Sentences{}));
  EXPECT_EQ(sentences_of("\n \n# one\n\n# two\n", conll_u), (Sentences{}));
  EXPECT_EQ(sentences_of("1\tgo\t_\tVERB\n\n# two\n1-2\ton\t_\t_\n", conll_u), (Sentences{"1: go = VERB"}));
}

TEST(ColumnReader, CountsFromTheEnd) {
  EXPECT_EQ(sentences_of("He PRP B-NP\nis VBZ B-VP\n", {.label = -1}), (Sentences{"1: He|is = B-NP|B-VP"}));
  EXPECT_EQ(sentences_of("He\tPRP\tB-NP\n", {.word = -3, .label = -2}), (Sentences{"1: He = PRP"}));
  EXPECT_EQ(sentences_of("PRP He\n", {.word = -1, .label = 1}), (Sentences{"1: He = PRP"}));
  EXPECT_EQ(sentences_of("1\tgo\tgo\tVERB\n", {.word = 2, .label = -1, .format = ColumnFormat::conll_u}),
            (Sentences{"1: go = VERB"}));
  EXPECT_EQ(sentences_of("go * (0)\n\ngo (V*) * -\nnow * * (1)\n", {.label = -1, .format = ColumnFormat::conll_2012}),
            (Sentences{"1: go = (0)", "3: go|now = -|(1)"}));
}

TEST(ColumnReader, TakesOffMarkAndCarriageReturns) {
  EXPECT_EQ(sentences_of("\xEF\xBB\xBFgo\tO\r\non\tO\r\n\r\nget\tO\r\nset\tB-x\r", {.label = 2}),
            (Sentences{"1: go|on = O|O", "4: get|set = O|B-x"}));
  EXPECT_EQ(sentences_of("caf\xE9 O\n", {.label = 2}, {.invalid_utf8 = InvalidUtf8::replace}),
            (Sentences{"1: caf\uFFFD = O"}));
  EXPECT_THROWS(sentences_of("go O\ncaf\xE9 O\n", {.label = 2}), std::runtime_error, "text, line 2, byte 4 (0xe9)");
}

TEST(ColumnReader, RefusesLinesWithoutTheirColumns) {
  const auto expect_refusal = [](const std::string& text, const TokenColumns& columns, const std::string& problem) {
    EXPECT_THROWS(sentences_of(text, columns), std::runtime_error, "text, line " + problem);
  };
  expect_refusal("EU NNP I-NP I-ORG\nrejects VBZ\n", conll_2003,
                 "2: 2 columns between blanks, and column 4 is to be read");
  expect_refusal("EU\tNNP\n", conll_2003, "1: 2 columns between tabs, and column 4 is to be read");
  expect_refusal("# text\n", conll_2003,
                 "1: 2 columns between blanks, and column 4 is to be read; lines that begin with #");
  expect_refusal("#\n", {.word = 2}, "1: 1 column between blanks, and column 2 is to be read; lines that begin with #");
  expect_refusal("a b\nc d\n\ne f g\n", {.label = 2},
                 "4: 3 columns between blanks, but the lines before have 2: is it");
  expect_refusal("a\tb\nc d\n", {.label = 2}, "2: 1 column between tabs, and column 2 is to be read");
  expect_refusal("a b\nc\td\n", {.label = 2}, "2: a tab, but the lines before have blanks between their columns");
  expect_refusal("a\tb\n\tO\n", {.label = 2}, "2: the word, column 1, is empty");
  expect_refusal("a\t\t\n", {.label = 2}, "1: the label, column 2, is empty");
  expect_refusal("1\ta\t_\tNOUN\nEU\tb\t_\tNOUN\n", conll_u,
                 "2: column 1 is 'EU', and in ColumnFormat::conll_u must be the number of a token");
  for (const auto* number : {"", "-", "1-", "1.", "1-2-3", "a1", "1 ", "-1", "1.2.3"}) {
    expect_refusal(number + std::string("\tb\t_\tNOUN\n"), conll_u,
                   std::string("1: column 1 is '") + number + "', and");
  }
  std::string clipped;
  std::string number;
  for (int i = 0; i < 100; ++i) number += "é";
  for (int i = 0; i < 59; ++i) clipped += "é";
  expect_refusal(number + "\tb\t_\tNOUN\n", conll_u, "1: column 1 is '" + clipped + "…', and");
  expect_refusal("1 a _ NOUN\n", conll_u, "1: 1 column between tabs, and column 4 is to be read");
  expect_refusal("a b\n", {.label = -3}, "1: 2 columns between blanks, and column -3 is to be read");
  expect_refusal("go\n", {.label = -1}, "1: 1 column between blanks, so that word and label are the same one");
  expect_refusal("1\tgo\n", {.word = 2, .label = -2, .format = ColumnFormat::conll_u},
                 "1: 2 columns between tabs, so that word or label is the first one, the token's number");
}

TEST(ColumnReader, RefusesFilesWithOtherLineEnds) {
  for (const auto* text : {"go O\ron O\r", "-DOCSTART- O\r\rgo O\r", "go\tO\ron\tO\r", "\xEF\xBB\xBFgo\rO\n"}) {
    EXPECT_THROWS(sentences_of(text, {}), std::runtime_error,
                  "text, line 1: a carriage return within the line, but lines end in \"\\n\" or \"\\r\\n\"");
  }
  EXPECT_THROWS(sentences_of("# one\r1\tgo\t_\tVERB\r", conll_u), std::runtime_error,
                "text, line 1: a carriage return");
  EXPECT_THROWS(sentences_of("go O\non O\rnow O\n", {.label = 2}), std::runtime_error,
                "text, line 2: a carriage return");
  EXPECT_THROWS(sentences_of("1\tgo\t_\tVERB\n\n# one\r1\ton\t_\tADP\n", conll_u), std::runtime_error,
                "text, line 3: a carriage return");
  EXPECT_EQ(sentences_of("go O\r\r\non O\r\r\n", {.label = 2}), (Sentences{"1: go|on = O|O"}));
}

TEST(ColumnReader, NoticesAFileOfDocuments) {
  const auto expect_noticed = [](const std::string& text, const TokenColumns& columns, const std::string& problem) {
    EXPECT_THROWS(sentences_of(text, columns), std::runtime_error,
                  "text, line " + problem + ": is it a file of documents? They are read without token_columns");
  };
  expect_noticed("the cat sat\n\nit sat on the mat\n", {}, "3: 5 columns between blanks, but the lines before have 3");
  expect_noticed("the cat sat\tham\nget rich\tspam\nnow\tspam\n\non the mat\tham\n", {.word = 2, .label = 1},
                 "1: the label, column 1, holds a blank");
  std::string lines;
  for (int i = 0; i < 4; ++i) lines += "get rich\tspam\n";
  expect_noticed(lines, {.label = 2}, "1: all of the first 4 words hold blanks");
  expect_noticed(lines + "\n" + lines + lines, {.label = 2}, "11: all of the first 10 words hold blanks");
  EXPECT_EQ(sentences_of("a b\tO\nc d\tO\ne f\tO\n", {.label = 2}).size(), 1U);
  EXPECT_EQ(sentences_of(lines + "go\tO\n" + lines, {.label = 2}).size(), 1U);
}

TEST(ColumnReader, RefusesSentencesThatAreTooLong) {
  const auto read = [](const std::string& text, std::int64_t most) {
    return sentences_of(text, {.label = 2}, {.max_document_bytes = most});
  };
  EXPECT_EQ(read("\ngo O\non O\n\ngo O\non O", 9), (Sentences{"2: go|on = O|O", "5: go|on = O|O"}));
  EXPECT_THROWS(read("\ngo O\non O\n", 8), std::runtime_error, "text, line 2: the document is longer than 8 bytes");
  EXPECT_THROWS(read("go O\n          \n", 8), std::runtime_error, "the document is longer than 8 bytes");
  EXPECT_THROWS(read("go OOOOOOOOOOOO\n", 8), std::runtime_error, "text, line 1: the document is longer than 8 bytes");
}

TEST(ColumnReader, RefusesOptionsThatDoNotFit) {
  const auto expect_refusal = [](const TokenColumns& columns, const DocumentReaderOptions& text,
                                 const std::string& problem) {
    EXPECT_THROWS(sentences_of("", columns, text), std::invalid_argument, "ColumnReader: " + problem);
  };
  expect_refusal({.word = 0}, {}, "word is 0, but columns are counted from 1, or from -1, which is the last one");
  expect_refusal({.label = 0}, {}, "label is 0, but");
  expect_refusal({.word = 2, .label = 2}, {}, "word and label are both 2");
  expect_refusal({.word = -1, .label = -1}, {}, "word and label are both -1");
  expect_refusal({.format = ColumnFormat::conll_u}, {}, "word is 1, but in ColumnFormat::conll_u that is the token's");
  expect_refusal({.word = 2, .label = 1, .format = ColumnFormat::conll_u}, {}, "label is 1, but");
  expect_refusal({}, {.split = Split::paragraph}, "text.split is not line, but in a column file a token is a line");
  expect_refusal({}, {.max_document_bytes = 0}, "max_document_bytes is 0, and must be at least 1");
}

class ColumnFileTest : public test::TextFilesTest {};

TEST_F(ColumnFileTest, OpensFilesAndMoves) {
  ColumnReader reader(file("one", "go O\n\non O\n"), {.label = 2});
  ASSERT_TRUE(reader.next());
  ColumnReader moved(file("two", "no O\n"), {.label = 2});
  moved = std::move(reader);
  EXPECT_EQ(moved.next()->words, "on");
  EXPECT_THROWS(ColumnReader(directory_ / "nowhere"), std::runtime_error, "nowhere: no such file");
}

}  // namespace
}  // namespace packseq::data
