#pragma once

#include <cstddef>
#include <istream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>
#include <utility>

namespace packseq::detail {

/// The bytes of a stream, which must outlive it, read in blocks. What they begin with can be looked at.
///
/// All that reads throws std::runtime_error, naming the stream, if it cannot be read further.
class BlockBuffer : public std::streambuf {
 public:
  BlockBuffer(std::istream& input, std::string name)
      : input_(&input), name_(std::move(name)), block_(head_size, '\0'), head_(fill()) {}

  /// The first bytes: all of them, or a MiB. Valid until more is read.
  std::string_view head() const noexcept { return {block_.data(), head_}; }

  /// There is nothing behind the head.
  bool is_whole() const noexcept { return head_ < head_size; }

  /// Takes all bytes before the next `end`, and drops that one. False if they are more than `most`, or there is no
  /// further `end`.
  bool take_until(char end, std::size_t most, std::string& bytes) {
    bytes.clear();
    while (sgetc() != traits_type::eof()) {
      const std::string_view rest(gptr(), static_cast<std::size_t>(egptr() - gptr()));
      const std::size_t size = rest.find(end);
      bytes.append(rest.substr(0, size));
      if (bytes.size() > most) return false;
      setg(eback(), size == std::string_view::npos ? egptr() : gptr() + size + 1, egptr());
      if (size != std::string_view::npos) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t head_size = std::size_t{1} << 20;
  static constexpr std::size_t block_size = std::size_t{64} << 10;  // stays in the cache

  std::istream* input_;
  std::string name_;
  std::string block_;
  std::size_t head_;

  std::size_t fill() {
    std::size_t count = 0;
    if (input_->good()) {
      input_->read(block_.data(), static_cast<std::streamsize>(block_.size()));
      count = static_cast<std::size_t>(input_->gcount());
    }
    if (input_->bad() || (input_->fail() && !input_->eof())) throw std::runtime_error(name_ + ": reading failed");
    setg(block_.data(), block_.data(), block_.data() + count);
    return count;
  }

  int_type underflow() override {
    if (!input_->good()) return traits_type::eof();
    if (block_.size() > block_size) {
      block_.resize(block_size);
      block_.shrink_to_fit();
    }
    return fill() == 0 ? traits_type::eof() : traits_type::to_int_type(*gptr());
  }
};

}  // namespace packseq::detail
