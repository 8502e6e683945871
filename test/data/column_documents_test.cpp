// Column files on their way to batches, and files of documents and of columns taken for each other.

#include <gtest/gtest.h>
#include <torch/data/dataloader.h>
#include <torch/types.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "data/text_files.hpp"
#include "packseq/data/batch_sampler.hpp"
#include "packseq/data/collate.hpp"
#include "packseq/data/documents.hpp"
#include "packseq/data/text_reader.hpp"
#include "packseq/data/text_stream.hpp"
#include "packseq/sequence/encode.hpp"
#include "support/sequences.hpp"
#include "support/throws.hpp"
#include "support/vocab.hpp"

namespace packseq::data {
namespace {

const TextReaderOptions tagged{.token_columns = {{.word = 1, .label = 2}}};

class ColumnDocumentsTest : public test::TextFilesTest {
 protected:
  void SetUp() override {
    TextFilesTest::SetUp();
    files_ = {file("first", "in\tO\nNew York\tB-LOC\n\nNew York\tB-LOC\n"), file("second", "go\tO\nin\tO\nrain\tO\n")};
  }

  /// Reads all of a new file as documents.
  void read(const std::string& text, const TextReaderOptions& options) const {
    TextReader reader({file("text", text)}, options);
    while (reader.next()) {
    }
  }

  std::vector<std::filesystem::path> files_;
};

TEST_F(ColumnDocumentsTest, AreReadFileByFile) {
  TextReader reader(files_, tagged);
  for (int pass = 0; pass < 2; ++pass, reader.rewind()) {
    const auto first = reader.next();
    EXPECT_EQ(first->text, "in\nNew York");
    EXPECT_EQ(first->label, "O\nB-LOC");
    EXPECT_TRUE(first->is_sentence);
    EXPECT_EQ(first->line, 1);
    EXPECT_EQ(reader.next()->line, 4);
    const auto third = reader.next();
    EXPECT_EQ(*third->file, files_[1].string());
    EXPECT_EQ(third->number, 2);
    EXPECT_FALSE(reader.next());
  }
}

TEST_F(ColumnDocumentsTest, HaveVocabulariesOfWordsAndLabels) {
  const auto words = build_vocab(files_, tagged);
  EXPECT_EQ(test::tokens(words), (std::vector<std::string>{"<pad>", "in", "New York", "go", "rain"}));
  EXPECT_EQ(test::tokens(build_labels(files_, tagged)), (std::vector<std::string>{"O", "B-LOC"}));
  // Other text is split as the options say.
  EXPECT_SAME(encode({"go in"}, words).values(), torch::tensor({3, 1}, torch::kLong));
  const TextReaderOptions words_alone{.token_columns = TokenColumns{}};
  EXPECT_THROWS(build_labels(files_, words_alone), std::invalid_argument, "text.token_columns->label is not set");
}

TEST_F(ColumnDocumentsTest, AreReadIntoMemory) {
  const auto words = build_vocab(files_, tagged);
  const auto labels = build_labels(files_, tagged);
  const auto documents = read_documents(files_, tagged, words, labels);
  EXPECT_SAME(documents.sequences.values(), torch::tensor({1, 2, 2, 3, 1, 4}, torch::kLong));
  EXPECT_SAME(documents.sequences.lengths(), torch::tensor({2, 1, 3}, torch::kLong));
  EXPECT_SAME(documents.token_labels->values(), torch::tensor({0, 1, 1, 0, 0, 0}, torch::kLong));
  EXPECT_FALSE(documents.labels.defined());
  const auto batch = Pack().apply_batch(select(documents, {0, 2}));
  EXPECT_SAME(batch.input.data(), torch::tensor({3, 1, 1, 2, 4}, torch::kLong));
  EXPECT_SAME(batch.token_target.data(), torch::tensor({0, 0, 0, 1, 0}, torch::kLong));

  const auto unlabelled = read_documents(files_, {.token_columns = TokenColumns{}}, words);
  EXPECT_SAME(unlabelled.sequences.values(), documents.sequences.values());
  EXPECT_FALSE(unlabelled.token_labels);
}

TEST_F(ColumnDocumentsTest, StreamWhatIsInMemory) {
  const auto words = build_vocab(files_, tagged);
  const auto labels = build_labels(files_, tagged);
  const auto documents = read_documents(files_, tagged, words, labels);
  for (const std::size_t workers : {0U, 2U}) {
    auto loader = torch::data::make_data_loader(EncodeDataset(words, labels).map(Pack()),
                                                TextStream(files_, tagged, {.batch_size = 2, .shuffle_buffer = 2}),
                                                torch::data::DataLoaderOptions().workers(workers));
    std::int64_t seen = 0;
    for (const auto& batch : *loader) {
      std::vector<std::size_t> indices;
      for (std::int64_t i = 0; i < batch.documents.size(0); ++i) {
        indices.push_back(static_cast<std::size_t>(batch.documents[i].item<std::int64_t>()));
      }
      const auto expected = Pack().apply_batch(select(documents, indices));
      EXPECT_SAME(batch.input.data(), expected.input.data());
      EXPECT_SAME(batch.token_target.data(), expected.token_target.data());
      seen += batch.documents.size(0);
    }
    EXPECT_EQ(seen, 3);
  }
  const auto nothing = EncodeDataset(words, labels).get_batch({});
  EXPECT_SAME(nothing.token_labels->values(), torch::empty({0}, torch::kLong));
  EXPECT_SAME(nothing.labels, torch::tensor({ignored_label}, torch::kLong));
  EXPECT_FALSE(EncodeDataset(words).get_batch({}).token_labels);
}

TEST_F(ColumnDocumentsTest, RefuseWhatHasNoId) {
  const auto words = build_vocab({files_[0]}, tagged);
  const auto labels = build_labels({files_[1]}, tagged);
  EXPECT_THROWS(read_documents(files_, tagged, words, labels), c10::ValueError, "encode: unknown ");
  EXPECT_THROWS(read_documents({files_[1]}, tagged, words, labels), c10::ValueError,
                "encode: unknown word 'go' in " + files_[1].string() + ", line 1, token 0");
  EXPECT_THROWS(read_documents({files_[0]}, tagged, words, labels), c10::ValueError,
                "encode: unknown label 'B-LOC' in " + files_[0].string() + ", line 1, token 1");
  EXPECT_THROWS(read_documents(files_, tagged, words), c10::ValueError, "has the label 'O', but labels is not set");
  EXPECT_THROWS(
      read_documents({files_[0]}, {.token_columns = TokenColumns{}}, words, labels), c10::ValueError,
      "labels is set, but the sentence in " + files_[0].string() + ", line 1 has none: set TokenColumns::label");
}

TEST_F(ColumnDocumentsTest, RefuseSentencesThatDoNotFit) {
  const auto words = build_vocab(files_, tagged);
  EncodeDataset dataset(words, build_labels(files_, tagged));
  EXPECT_THROWS(dataset.get_batch({{.text = "in\ngo", .label = "O", .is_sentence = true}}), c10::ValueError,
                "the sentence in documents[0] has 2 words, but 1 labels");
  EXPECT_THROWS(dataset.get_batch({{.text = "in", .label = "O", .is_sentence = true}, {.text = "in", .label = "O"}}),
                c10::ValueError,
                "the document in documents[1] is no sentence of a column file, unlike those before it");
}

TEST_F(ColumnDocumentsTest, RefuseOptionsThatDoNotFit) {
  const auto expect_refusal = [this](const TextReaderOptions& options, const std::string& problem) {
    EXPECT_THROWS(read("", options), std::invalid_argument, problem);
  };
  const std::optional<TokenColumns> columns = TokenColumns{};
  expect_refusal({.label = LabelSource::file, .token_columns = columns}, "label is not none, but token_columns is set");
  expect_refusal({.json_field = "text", .token_columns = columns}, "token_columns and json_field are both set");
  expect_refusal({.token_columns = TokenColumns{.word = 0}}, "ColumnReader: word is 0");
  expect_refusal({.token_columns = columns, .text = {.split = Split::paragraph}}, "text.split is not line");
}

TEST_F(ColumnDocumentsTest, AreNoticedWhereTheyAreReadAsDocuments) {
  const std::string conll_2003 = "EU NNP I-NP B-ORG\nrejects VBZ I-VP O\nGerman JJ I-NP B-MISC\n. . O O\n";
  const std::string rest = "\t_\t_\t_\t_\t_\t_\n";
  const std::string conll_u = "# text = go\n1\tGo\tgo\tVERB" + rest + "2-3\tit's\t_\t_" + rest + "2\tit\tit\tPRON" +
                              rest + "3\t's\tbe\tAUX" + rest;
  const std::string parts = "The\tDT\ndog\tNN\nbarks\tVBZ\n.\t.\n\nIt\tPRP\nsleeps\tVBZ\n";
  const TextReaderOptions paragraphs{.text = {.split = Split::paragraph}};
  const TextReaderOptions columns{.label = LabelSource::column, .label_column = 2, .document_column = 1};
  const std::string looks =
      "looks like a column file, a token on each line and blank lines between sentences: set "
      "TextReaderOptions::token_columns; or";
  for (const auto& options : {TextReaderOptions(), paragraphs, columns}) {
    EXPECT_THROWS(read(parts, options), std::runtime_error, looks);
  }
  for (const auto& options : {TextReaderOptions(), paragraphs}) {
    EXPECT_THROWS(read(conll_2003, options), std::runtime_error, looks);
    EXPECT_THROWS(read(conll_2003 + "\n" + conll_2003, options), std::runtime_error, "text, line ");
    EXPECT_THROWS(read("-DOCSTART- -X- -X- O\n\nEU NNP I-NP B-ORG\n", options), std::runtime_error, looks);
    EXPECT_THROWS(read(conll_u, options), std::runtime_error, looks);
    EXPECT_THROWS(read("#begin document (wb/b); part 000\nwb/b 0 0 No UH * * (0)\n", options), std::runtime_error,
                  looks);
  }
  EXPECT_THROWS(read("EU\tB-ORG\nand\tO\nits\tO\nrules\tO\n", columns), std::runtime_error, looks);
}

TEST_F(ColumnDocumentsTest, AreNotSuspectedInTexts) {
  const TextReaderOptions columns{.label = LabelSource::column, .label_column = 2, .document_column = 1};
  for (const auto* text : {"on your mark\nget set\ngo\n", "get set\ngo on\nbe gone\nsee you\n\nand so\nto bed\n",
                           "GO ON\nBE GONE\nSEE YOU\nAT NOON\n\nAND SO\n", "# 1\n# 2\n\n# 3\n# 4\n# 5\n# 6\n",
                           "Ann A\nBob A\nCal A\nDan A\n\nAnn A\nBob A\n", "Ann 12\nBob 9\nCal 7\nDan 3\n\nEve 1\n",
                           "Go on .\nGo in !\nBe off !\nSo what ?\n\nOh no !\n", "go on A\ngo B\nso C\nor D\n\nand E\n",
                           "1 2\n3 4\n5 6\n7 8\n\n9 10\n", "1\t2\t3\t4\t5\t6\t7\t8\t9\tgo\n"}) {
    EXPECT_NO_THROW(read(text, {})) << text;
    EXPECT_NO_THROW(read(text, {.text = {.split = Split::paragraph}})) << text;
  }
  for (const auto* text : {"Ackerman\tDE\nBianchi\tIT\nCorti\tIT\nDoe\tEN\n",
                           "great film\tPOS\nbad\tNEG\nso so\tNEG\n"
                           "fine\tPOS\n\nnice one\tPOS\n",
                           "Abe\tEN\nBob\tEN\nCal\tEN\nDan\tEN\n\nAdam\tDE\nBert\tDE\n"}) {
    EXPECT_NO_THROW(read(text, columns)) << text;
  }
}

}  // namespace
}  // namespace packseq::data
