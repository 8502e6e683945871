// Any bytes are a file of word vectors: what is read can be written in every form and read again, or an error names the
// file.

#include "packseq/text/word_vectors.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "file.hpp"
#include "text/utf8.hpp"

namespace packseq::fuzz {
namespace {

using Rows = std::vector<std::pair<std::string, std::vector<float>>>;

/// Nothing if the file is refused.
std::optional<Rows> read(std::string_view bytes, const WordVectorOptions& options) {
  std::istringstream stream{std::string(bytes)};
  Rows rows;
  const bool whole = succeeds("input", [&] {
    WordVectorReader reader(stream, "input", options);
    while (const auto row = reader.next()) {
      require(std::ssize(row->vector) == reader.dimension(), "a row is of another width");
      require(detail::valid_utf8_prefix(row->word) == row->word.size(), "a word is not UTF-8");
      rows.emplace_back(row->word, std::vector<float>(row->vector.begin(), row->vector.end()));
      require(std::ssize(rows) == reader.count(), "count() does not count");
    }
  });
  return whole ? std::optional(rows) : std::nullopt;
}

std::string header(const Rows& rows) {
  return std::to_string(rows.size()) + ' ' + std::to_string(rows.front().second.size()) + '\n';
}

std::string as_text(const Rows& rows) {
  std::string text = header(rows);
  for (const auto& [word, vector] : rows) {
    text += word;
    for (const float value : vector) {
      std::array<char, 64> digits{};
      text.append(1, ' ').append(digits.data(), std::to_chars(digits.data(), digits.data() + 64, value).ptr);
    }
    text += '\n';
  }
  return text;
}

/// Bit for bit; all that is no number is alike.
bool same(const Rows& a, const Rows& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].first != b[i].first || a[i].second.size() != b[i].second.size()) return false;
    for (std::size_t j = 0; j < a[i].second.size(); ++j) {
      const float x = a[i].second[j];
      const float y = b[i].second[j];
      if (std::memcmp(&x, &y, sizeof x) != 0 && !(x != x && y != y)) return false;
    }
  }
  return true;
}

/// A word with a line end cannot be in a text, nor can one whose end reads as a number too many.
bool fits_text(const Rows& rows) {
  for (const auto& row : rows) {
    if (row.first.find_first_of("\n\r \t") != std::string::npos) return false;
  }
  return true;
}

}  // namespace
}  // namespace packseq::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq;
  fuzz::Input input(data, size);
  WordVectorOptions options;
  if (const auto dimension = input.below(5)) options.dimension = dimension;
  if (input.flag()) options.invalid_utf8 = InvalidUtf8::replace;
  const auto rows = fuzz::read(input.rest(), options);
  if (!rows || rows->empty() || !fuzz::fits_text(*rows)) return 0;
  const auto again = fuzz::read(fuzz::as_text(*rows), {});
  fuzz::require(again && fuzz::same(*again, *rows), "as text, it is read as something else");
  return 0;
}
