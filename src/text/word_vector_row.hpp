#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace packseq::detail {

// A row of word vectors in text: a word, a blank or tab, and numbers between blanks.

constexpr bool is_separator(char c) noexcept { return c == ' ' || c == '\t'; }

/// The word of a row whose numbers fill `vector`, or nothing if it is no such row.
std::optional<std::string_view> read_row(std::string_view line, std::span<float> vector) noexcept;

/// How many numbers end the line, without its first token, which is a word or a part of one.
std::size_t trailing_numbers(std::string_view line) noexcept;

/// How many of the line's last `most` tokens are numbers.
std::size_t numbers_at_end(std::string_view line, std::size_t most) noexcept;

/// "1 number", "2 numbers".
std::string counted_numbers(std::size_t count);

/// Why `read_row` finds no row of so many numbers in the line.
std::string row_problem(std::string_view line, std::size_t dimension);

}  // namespace packseq::detail
