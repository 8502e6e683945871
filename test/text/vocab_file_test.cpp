// A vocabulary in a file: what is written, what is read back, and what is refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "packseq/text/vocab.hpp"
#include "support/directory.hpp"
#include "support/full_disk.hpp"
#include "support/killed.hpp"

namespace packseq {
namespace {

namespace fs = std::filesystem;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::ThrowsMessage;

class VocabFile : public test::DirectoryTest {
 protected:
  VocabFile() : DirectoryTest("packseq_vocab_file_test", "vocab.txt") {}

  void expect_refusal(const std::string& text, const std::string& message) const {
    write(text);
    EXPECT_THAT([&] { Vocab::load(file_); }, ThrowsMessage<std::runtime_error>(file_.string() + message)) << text;
  }
};

/// Takes a document for one token.
void keep_whole(std::string_view document, const TokenSink& emit) { emit(document); }

void expect_same(const Vocab& actual, const Vocab& expected) {
  EXPECT_EQ(actual.unknown_id(), expected.unknown_id());
  ASSERT_EQ(actual.size(), expected.size());
  for (std::int64_t id = 0; id < actual.size(); ++id) {
    ASSERT_EQ(actual.token(id), expected.token(id));
    ASSERT_THAT(actual.find(expected.token(id)), Optional(id));
  }
}

/// A vocabulary of so many tokens, and padding.
Vocab vocab_of(int tokens) {
  std::string document;
  for (int i = 0; i < tokens; ++i) document += std::to_string(i) + ' ';
  return Vocab::build({document});
}

const std::string small_file =
    "packseq vocabulary 1\nspecials 2\nunknown <unk>\ntokens 4\n<pad>\n<unk>\ngo\nend\nend\n";

TEST_F(VocabFile, IsPlainText) {
  Vocab::build({"go end"}, {.specials = {"<pad>", "<unk>"}, .unknown = "<unk>"}).save(file_);
  EXPECT_EQ(content(), small_file);
  Vocab::build({}, {.specials = {}}).save(file_);
  EXPECT_EQ(content(), "packseq vocabulary 1\nspecials 0\nunknown\ntokens 0\nend\n");
}

TEST_F(VocabFile, EscapesWhatALineCannotHold) {
  const std::vector<std::string> tokens = {"a\nb\r\t\x01\x7F", "\\", " a b ", " ", "", "\u20AC\xE2\x82!\xFF"};
  const auto vocab = Vocab::build(tokens, {.specials = {" "}, .unknown = " ", .tokenizer = keep_whole});
  vocab.save(file_);
  EXPECT_EQ(content(),
            "packseq vocabulary 1\nspecials 1\nunknown \\x20\ntokens 6\n\\x20\na\\x0ab\\x0d\\x09\\x01\\x7f\n\\x5c\n"
            "\\x20a b\\x20\n\n\u20AC\\xe2\\x82!\\xff\nend\n");
  expect_same(Vocab::load(file_), vocab);
}

TEST_F(VocabFile, GivesBackTokensOfAnyBytes) {
  std::mt19937 random(1);
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  for (int i = 0; i < 20'000; ++i) {
    std::string token(random() % 7, ' ');
    for (char& c : token) c = static_cast<char>(random());
    tokens.push_back(token);
  }
  for (const std::string unknown : {"", "<pad>", "\\\n"}) {
    const auto vocab =
        Vocab::build(tokens, {.specials = {"<pad>", "\\\n"}, .unknown = unknown, .tokenizer = keep_whole});
    vocab.save(file_);
    expect_same(Vocab::load(file_), vocab);
  }
}

TEST_F(VocabFile, GivesBackTheRanksOfSpecials) {
  const VocabOptions options = {.specials = {"<pad>", "<s>", "<unk>"}, .unknown = "<unk>"};
  Vocab::build({"b a a"}, options).save(file_);
  const auto loaded = Vocab::load(file_);
  EXPECT_THAT(loaded.unknown_id(), Optional(2));
  loaded.save(file_);
  expect_same(Vocab::load(file_), Vocab::build({"b a a"}, options));
}

TEST_F(VocabFile, TakesTheTokenizerThatItIsGiven) {
  write(small_file);
  std::vector<std::string> tokens;
  const TokenSink collect = [&tokens](std::string_view token) { tokens.emplace_back(token); };
  Vocab::load(file_).tokenizer()("a b", collect);
  Vocab::load(file_, keep_whole).tokenizer()("a b", collect);
  EXPECT_THAT(tokens, ::testing::ElementsAre("a", "b", "a b"));
}

TEST_F(VocabFile, MayHaveOtherLineEnds) {
  std::string text = "\xEF\xBB\xBF";
  for (const char c : small_file) text += c == '\n' ? "\r\n" : std::string(1, c);
  write(text);
  EXPECT_EQ(Vocab::load(file_).token(2), "go");
}

TEST_F(VocabFile, ReplacesAnOldFileAndKeepsItsPermissions) {
  write("old");
  fs::permissions(file_, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  Vocab::build({"go"}).save(file_);
  EXPECT_EQ(Vocab::load(file_).token(1), "go");
  EXPECT_EQ(fs::status(file_).permissions(), fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  expect_files(1);
}

TEST_F(VocabFile, FollowsASymbolicLink) {
  write("old");
  fs::create_directory(directory_ / "other");
  const auto link = directory_ / "other" / "link.txt";
  fs::create_symlink("../vocab.txt", link);
  Vocab::build({"go"}).save(link);
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(Vocab::load(file_).token(1), "go");
}

TEST_F(VocabFile, MayBeNamedWithoutADirectory) {
  const auto before = fs::current_path();
  fs::current_path(directory_);
  Vocab::build({"go"}).save("vocab.txt");
  fs::current_path(before);
  EXPECT_EQ(Vocab::load(file_).token(1), "go");
}

TEST_F(VocabFile, RefusesWhatCannotBeWritten) {
  const auto vocab = Vocab::build({"go"});
  const auto missing = directory_ / "none" / "vocab.txt";
  EXPECT_THAT([&] { vocab.save(missing); },
              ThrowsMessage<std::runtime_error>(missing.string() + ": cannot be written (No such file or directory)"));
  EXPECT_THAT([&] { vocab.save(directory_); },
              ThrowsMessage<std::runtime_error>(directory_.string() + ": cannot be written (it is no regular file)"));
  EXPECT_THAT([&] { vocab.save("/dev/null"); },
              ThrowsMessage<std::runtime_error>("/dev/null: cannot be written (it is no regular file)"));
  expect_files(0);
}

TEST_F(VocabFile, LeavesTheOldFileWhereTheDiskIsFull) {
  write("old");
  {
    const test::FullDisk full_disk(50);
    EXPECT_THAT([&] { Vocab::build({"on your mark"}).save(file_); },
                ThrowsMessage<std::runtime_error>(file_.string() + ": cannot be written (File too large)"));
  }
  EXPECT_EQ(content(), "old");
  expect_files(1);
}

TEST_F(VocabFile, IsAWholeOneHoweverSavingIsKilled) {
  const std::vector<Vocab> vocabs = {vocab_of(1'000), vocab_of(10'000)};
  vocabs[0].save(file_);
  // Until it was certainly killed while it saved: then it leaves what it wrote behind.
  const auto files = [this] { return std::distance(fs::directory_iterator(directory_), fs::directory_iterator()); };
  for (int kill_after = 0; kill_after < 40 || files() < 6; ++kill_after) {
    ASSERT_LT(kill_after, 400);
    std::size_t i = 0;
    test::do_until_killed(kill_after * std::chrono::microseconds(500), [&] { vocabs[i++ % 2].save(file_); });
    const auto found = Vocab::load(file_);
    expect_same(found, vocabs[found.size() == vocabs[1].size()]);
  }
}

TEST_F(VocabFile, RefusesAnEmptyTokenizer) {
  write(small_file);
  EXPECT_THAT([&] { Vocab::load(file_, nullptr); },
              ThrowsMessage<std::invalid_argument>("Vocab::load: tokenizer is empty"));
}

TEST_F(VocabFile, RefusesAFileThatCannotBeRead) {
  EXPECT_THAT([&] { Vocab::load(file_); }, ThrowsMessage<std::runtime_error>(file_.string() + ": no such file"));
  expect_refusal("packseq vocabulary 1\nspecials 0\nunknown\ntokens 1\n\xFF\nend\n",
                 ", line 5, byte 1 (0xff): not valid UTF-8");
}

TEST_F(VocabFile, RefusesAFileThatIsNoVocabulary) {
  expect_refusal("", ", line 1: it does not begin with 'packseq vocabulary '");
  expect_refusal("the\nof\n", ", line 1: it does not begin with 'packseq vocabulary '");
  expect_refusal("packseq vocabulary 2\n", ", line 1: this is version 2, and must be version 1");
}

TEST_F(VocabFile, RefusesABadHead) {
  const std::string begin = "packseq vocabulary 1\n";
  expect_refusal(begin + "special 2\n", ", line 2: it does not begin with 'specials '");
  expect_refusal(begin + "specials two\n", ", line 2: 'two' is not a number of specials");
  expect_refusal(begin + "specials -1\n", ", line 2: '-1' is not a number of specials");
  expect_refusal(begin + "specials 0\ntokens 0\nend\n", ", line 3: it does not begin with 'unknown'");
  expect_refusal(begin + "specials 0\nunknown\ntokens \nend\n", ", line 4: '' is not a number of tokens");
  expect_refusal(begin + "specials 2\nunknown\ntokens 1\n<pad>\nend\n", ", line 4: there are 2 specials among them");
  expect_refusal(begin + "specials 1\nunknown b\ntokens 2\na\nb\nend\n",
                 ", line 3: the unknown token 'b' is none of the specials");
  expect_refusal(begin + "specials 1\nunknown c\ntokens 2\na\nb\nend\n",
                 ", line 3: the unknown token 'c' is none of the specials");
}

TEST_F(VocabFile, RefusesBadTokens) {
  const std::string begin = "packseq vocabulary 1\nspecials 1\nunknown\ntokens 2\n";
  expect_refusal(begin + "\na\nend\n", ", line 5: the special is empty");
  expect_refusal(begin + "a\na\nend\n", ", line 6: the token 'a' is listed twice");
  expect_refusal(begin + "\\\n\\x5c\nend\n", ", line 5: '\\' is not '\\x' and two hexadecimal digits");
  for (const std::string escape : {"\\", "\\x", "\\x5", "\\n", "\\xg0", "\\x0g", "\\x-1", "\\X5c", "\\x 5"}) {
    expect_refusal(begin + "a\nb" + escape + "\nend\n",
                   ", line 6: '" + escape + "' is not '\\x' and two hexadecimal digits");
  }
}

TEST_F(VocabFile, RefusesAFileThatIsTooLong) {
  const std::string begin = "packseq vocabulary 1\nspecials 1\nunknown\ntokens 2\n";
  expect_refusal(begin + "a\nb\nc\nend\n", ", line 7: after the last token comes 'end'");
  expect_refusal(begin + "a\nb\nend\n\n", ", line 8: nothing comes after 'end'");
}

TEST_F(VocabFile, RefusesAFileThatIsCutShortAnywhere) {
  write(small_file);
  const auto whole = Vocab::load(file_);
  for (std::size_t size = 0; size + 1 < small_file.size(); ++size) {  // the last line needs no end
    write(small_file.substr(0, size));
    EXPECT_THAT([&] { Vocab::load(file_); }, ThrowsMessage<std::runtime_error>(HasSubstr(file_.string() + ", line ")))
        << size;
  }
  expect_refusal(small_file.substr(0, small_file.size() - 4), ", line 9: the file is cut short");
}

}  // namespace
}  // namespace packseq
