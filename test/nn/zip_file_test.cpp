// Archives that are wrong in one place. Where an archive lies about sizes, they are small: none is handed to any other
// reader.
#include "nn/zip_file.hpp"

#include <caffe2/serialize/inline_container.h>

#include "nn/refusal.hpp"
#include "support/directory.hpp"
#include "support/throws.hpp"
#include "zip_archive.hpp"

namespace packseq::nn {
namespace {

using detail::Refusal;
using detail::ZipFile;
using test::zip_archive;

class ZipFileTest : public test::DirectoryTest {
 protected:
  ZipFileTest() : DirectoryTest("packseq_zip_file", "model.pt") {}

  ZipFile opened(const std::string& bytes) const {
    write(bytes);
    return ZipFile(file_, bytes.size());
  }

  void expect_refused(const std::string& bytes, const std::string& text) const {
    EXPECT_THROWS(opened(bytes), Refusal, text);
  }

  void expect_unreadable(const std::string& bytes, const std::string& record, const std::string& text) const {
    EXPECT_THROWS(opened(bytes).text(record), Refusal, text);
  }
};

const std::string two_records = zip_archive({{"m/data.pkl", "pickle"}, {"m/data/0", std::string(40, '\1')}});
const auto end_of_archive = two_records.size() - 22;

/// `bytes` with this number at this place.
std::string with(std::string bytes, std::size_t at, std::uint64_t number, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<char>(number >> (8 * i) & 0xFF);
  return bytes;
}

/// The archive with this number in the header or in the list's entry of a record.
std::string with_header(const std::string& record, std::size_t at, std::uint64_t number, std::size_t size = 2) {
  return with(two_records, two_records.find(record) - 30 + at, number, size);
}
std::string with_entry(const std::string& record, std::size_t at, std::uint64_t number, std::size_t size) {
  return with(two_records, two_records.rfind(record) - 46 + at, number, size);
}

TEST_F(ZipFileTest, ReadsRecords) {
  for (const bool large : {false, true}) {
    auto file = opened(zip_archive({{"m/b", "one"}, {"m/a", ""}, {"m/data/0", "two"}, {"other", "x"}}, large));
    EXPECT_EQ(file.text("b"), "one");
    EXPECT_EQ(file.text("a"), "");
    EXPECT_EQ(file.text("data/0"), "two");
    EXPECT_EQ(file.size_of("data/0"), 3U);
    EXPECT_TRUE(file.has("b"));
    EXPECT_FALSE(file.has("B"));  // LibTorch takes both for the same
    EXPECT_FALSE(file.has("other"));
    EXPECT_THROWS(file.text("c"), Refusal, "is a zip archive without the record c: torch.save did not write it");
  }
  EXPECT_FALSE(opened(zip_archive({})).has("data.pkl"));
}

TEST_F(ZipFileTest, ReadsWhatLibTorchWrites) {
  const std::string pickle(1000, 'p');
  {
    caffe2::serialize::PyTorchStreamWriter writer(file_.string());
    writer.writeRecord("data.pkl", pickle.data(), pickle.size());
    writer.writeRecord("compressed", pickle.data(), pickle.size(), true);
    writer.writeEndOfFile();
  }
  ZipFile file(file_, std::filesystem::file_size(file_));
  EXPECT_EQ(file.text("data.pkl"), pickle);
  EXPECT_THROWS(file.text("compressed"), Refusal, "has a record compressed that is compressed or encrypted, which tor");
}

TEST_F(ZipFileTest, RefusesWhatIsCut) {
  for (std::size_t size = 0; size < two_records.size(); ++size) {
    expect_refused(two_records.substr(0, size), "is a zip archive that is cut short: it has " + std::to_string(size));
  }
  expect_refused(with(two_records, end_of_archive + 20, 1, 2), "the last ones are not its end. Copy or download it ag");
}

TEST_F(ZipFileTest, ReadsArchivesWithMoreBehindThem) {
  const auto commented = [](const std::string& archive, const std::string& comment) {
    return with(archive, archive.size() - 2, comment.size(), 2) + comment;
  };
  // Within them, what is no end, since its own comment would reach beyond the file.
  const auto other = "PK\5\6" + std::string(16, '\0') + "\7";
  for (const bool large : {false, true}) {
    const auto archive = zip_archive({{"m/data.pkl", "pickle"}}, large);
    for (const auto& behind : {std::string("x"), std::string(65'535, '\0'), other}) {
      EXPECT_EQ(opened(archive + behind).text("data.pkl"), "pickle");
      EXPECT_EQ(opened(commented(archive, behind)).text("data.pkl"), "pickle");
    }
    expect_refused(archive + std::string(65'536, '\0'), "the last ones are not its end");
  }
}

TEST_F(ZipFileTest, RefusesAListOfRecordsThatIsNone) {
  expect_refused(with(two_records, end_of_archive + 16, two_records.size(), 4),
                 "it refers to what would be behind its end");
  expect_refused(with(two_records, end_of_archive + 12, two_records.size(), 4),
                 "it refers to what would be behind its end");
  expect_refused(with(two_records, end_of_archive + 16, 1, 4), "its list of records is none");
  expect_refused(with(two_records, end_of_archive + 10, 3, 2), "its list of records is none");
  expect_refused(with(two_records, end_of_archive + 10, 1, 2), "its list has more than 1 records");
  for (const std::size_t at : {28U, 30U, 32U}) {
    expect_refused(with_entry("m/data/0", at, 0xFFFF, 2), "its list of records is cut");
  }
  const auto large = zip_archive({{"m/a", "x"}}, true);
  expect_refused(with(large, large.size() - 22 - 12, large.size(), 8), "it refers to what would be behind its end");
  expect_refused(with(large, large.size() - 22 - 12, ~0ULL, 8), "it refers to what would be behind its end");
  expect_refused(with(large, large.size() - 22 - 12, 0, 8), "its end has no list of records");
}

TEST_F(ZipFileTest, RefusesRecordsThatAreNotWithinTheFile) {
  // Both sizes, so that it is not taken for compressed.
  const auto sized = [](std::uint64_t size) {
    return with(with_entry("m/data/0", 20, size, 4), two_records.rfind("m/data/0") - 46 + 24, size, 4);
  };
  expect_refused(sized(1000), "its record m/data/0 would have 1000 bytes at ");
  expect_refused(sized(41), "its record m/data/0 at 46 reaches into what begins at ");
  expect_refused(with_entry("m/data/0", 42, 10'000, 4), "its record m/data/0 would have 40 bytes at 10000");
  expect_refused(with_entry("m/data/0", 42, 45, 4), "its record m/data.pkl at 0 reaches into what begins at 45");
}

TEST_F(ZipFileTest, RefusesTwoRecordsInOnePlaceOrOfOneName) {
  // Both may be read, and each takes memory of its own: one record would be copied under many names.
  expect_refused(with_entry("m/data/0", 42, 0, 4), "its record m/data");
  expect_refused(zip_archive({{"m/a", "x"}, {"m/a", "y"}}), "it has two records m/a");
}

TEST_F(ZipFileTest, RefusesRecordsWhoseHeadersAreElsewhere) {
  expect_unreadable(with_header("m/data/0", 0, 0), "data/0", "its record data/0 is not at 46");
  expect_unreadable(with_header("m/data/0", 26, 0xFFFF), "data/0", "its record data/0 is not at 46");
  expect_unreadable(with_header("m/data/0", 28, 1), "data/0", "its record data/0 is not at 46");
}

TEST_F(ZipFileTest, RefusesWhatIsCompressedOrEncrypted) {
  const auto told =
      "has a record data/0 that is compressed or encrypted, which torch.save does to none: in Python, read";
  expect_unreadable(with_entry("m/data/0", 10, 8, 2), "data/0", told);
  expect_unreadable(with_entry("m/data/0", 8, 1, 2), "data/0", told);
  expect_unreadable(with_entry("m/data/0", 20, 39, 4), "data/0", told);
  expect_unreadable(with_entry("m/data/0", 24, 0xFFFFFFF0, 4), "data/0", told);
  EXPECT_EQ(opened(with_entry("m/data/0", 10, 8, 2)).text("data.pkl"), "pickle");
}

TEST_F(ZipFileTest, ComparesChecksumsThatThereAre) {
  auto altered = two_records;
  altered[altered.find('\1', altered.find("m/data/0"))] = '\3';
  expect_unreadable(altered, "data/0", "the checksum of its record data/0 is not that of what was written");
  EXPECT_EQ(opened(altered).text("data.pkl"), "pickle");
  // torch.serialization.set_crc32_options(False)
  const auto without = with(altered, altered.rfind("m/data/0") - 46 + 16, 0, 4);
  EXPECT_EQ(opened(without).text("data/0"), "\3" + std::string(39, '\1'));
}

}  // namespace
}  // namespace packseq::nn
