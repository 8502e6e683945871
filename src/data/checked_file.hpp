#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace packseq::data::detail {

/// Replaces `file` as a whole by one that holds `payload`, behind a line that says what the file is, the payload's
/// length and its checksum.
/// @throws std::runtime_error, naming file and reason, if it cannot be written, or is there and is no regular file.
void write_checked_file(const std::filesystem::path& file, std::string_view payload);

/// The payload of such a file, bit for bit as it was written.
/// @throws std::runtime_error, naming the file, if it cannot be read, is no checkpoint, of another version, cut short,
///   longer than written, or altered.
std::string read_checked_file(const std::filesystem::path& file);

}  // namespace packseq::data::detail
