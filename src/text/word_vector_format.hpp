#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace packseq::detail {

constexpr std::int64_t most_dimensions = 1'000'000;

/// The form in which a file holds word vectors.
struct WordVectorFormat {
  bool is_binary = false;
  /// Of a binary file: after each vector. Nothing if the first vector ends beyond the first block.
  std::optional<bool> has_newlines = {};
  std::size_t header_size = 0;                 ///< In bytes, its line end and a byte-order mark included; 0: no header.
  std::optional<std::int64_t> announced = {};  ///< How many vectors, by the header.
  std::size_t dimension = 0;
};

/// The form of a file whose first block is `head`; `is_whole` if nothing follows. `dimension` is what the caller asked
/// for.
/// @throws std::runtime_error that begins with `name`, as the constructor of `WordVectorReader`.
WordVectorFormat word_vector_format(std::string_view head, bool is_whole, std::optional<std::int64_t> dimension,
                                    const std::string& name);

}  // namespace packseq::detail
