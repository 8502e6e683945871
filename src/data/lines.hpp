#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace packseq::data::detail {

/// Lines, each with its end. They are appended much faster than by a string.
class Lines {
 public:
  void clear() { size_ = 0; }
  bool empty() const { return size_ == 0; }

  void add(std::string_view line) {
    if (bytes_.size() - size_ <= line.size()) bytes_.resize(2 * (size_ + line.size() + 1));
    std::memcpy(&bytes_[size_], line.data(), line.size());
    size_ += line.size();
    bytes_[size_++] = '\n';
  }

  /// All of them, without the end of the last.
  std::string_view text() const { return {bytes_.data(), size_ == 0 ? 0 : size_ - 1}; }

 private:
  std::string bytes_;
  std::size_t size_ = 0;
};

}  // namespace packseq::data::detail
