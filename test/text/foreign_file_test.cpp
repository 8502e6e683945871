// Files that are no text, known by their first bytes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>
#include <string>

#include "packseq/text/document_reader.hpp"

namespace packseq {
namespace {

using namespace std::string_literals;
using ::testing::ThrowsMessage;

void read_first(const std::string& bytes, InvalidUtf8 invalid_utf8) {
  std::istringstream stream(bytes);
  DocumentReader reader(stream, "notes", {.invalid_utf8 = invalid_utf8});
  reader.next();
}

struct Foreign {
  std::string bytes, what, command;
};

TEST(ForeignFile, IsNamedWithTheNextStep) {
  for (const Foreign& foreign : {
           Foreign{"\x1F\x8B\x08\0\0"s, "compressed by gzip", "zcat FILE"},
           Foreign{"\x28\xB5\x2F\xFD\x04"s, "compressed by zstd", "zstdcat FILE"},
           Foreign{"BZh91AY&SY\0"s, "compressed by bzip2", "bzcat FILE"},
           Foreign{"BZh11AY&SY\0"s, "compressed by bzip2", "bzcat FILE"},
           Foreign{"\xFD\x37zXZ\0\0"s, "compressed by xz", "xzcat FILE"},
           Foreign{"PK\x03\x04\x14\0"s, "a zip archive", "unzip -p FILE"},
           Foreign{"%PDF-1.7\n%\xE2\xE3"s, "a PDF document", "pdftotext FILE -"},
           Foreign{"\xFF\xFEg\0o\0\n\0"s, "UTF-16, as its mark tells", "iconv -f UTF-16 -t UTF-8 FILE"},
           Foreign{"\xFF\xFE\n\0g\0"s, "UTF-16, as its mark tells", "iconv -f UTF-16 -t UTF-8 FILE"},
           Foreign{"g\0o\0\n\0"s, "UTF-16 without a mark", "iconv -f UTF-16LE -t UTF-8 FILE"},
           Foreign{"\0g\0o\0\n"s, "UTF-16 without a mark", "iconv -f UTF-16BE -t UTF-8 FILE"},
           Foreign{"\xFE\xFF\0\n\0g"s, "UTF-16, as its mark tells", "iconv -f UTF-16 -t UTF-8 FILE"},
           Foreign{"\xFF\xFE\0\0g\0\0\0"s, "UTF-32, as its mark tells", "iconv -f UTF-32 -t UTF-8 FILE"},
           Foreign{"\0\0\xFE\xFF\0\0\0g"s, "UTF-32, as its mark tells", "iconv -f UTF-32 -t UTF-8 FILE"},
       }) {
    const std::string message =
        "notes: is " + foreign.what + ", and no UTF-8: read what this writes, " + foreign.command;
    for (const auto invalid_utf8 : {InvalidUtf8::refuse, InvalidUtf8::replace}) {
      EXPECT_THAT([&] { read_first(foreign.bytes, invalid_utf8); }, ThrowsMessage<std::runtime_error>(message));
      EXPECT_THAT([&] { read_first(foreign.bytes + std::string(1'000'000, 'x'), invalid_utf8); },
                  ThrowsMessage<std::runtime_error>(message));
    }
  }
}

TEST(ForeignFile, IsNotOneThatOnlyLooksSoLater) {
  for (const auto* const text :
       {"PK", "go\nPK\x03\x04\n", "1 2\n1AY&SY\n", "BZh\n", "BZhang 1AY&SY\n", "%PDF\n", "\x1F\n"}) {
    EXPECT_NO_THROW(read_first(text, InvalidUtf8::refuse)) << text;
  }
}

}  // namespace
}  // namespace packseq
