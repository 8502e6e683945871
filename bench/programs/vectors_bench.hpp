#pragma once

#include <filesystem>

namespace packseq::bench {

/// The same word vectors as text and in binary, in files that last as long as the value: 20,000 words, 300 numbers for
/// each, as word2vec writes them.
class VectorFiles {
 public:
  VectorFiles();
  ~VectorFiles();
  VectorFiles(const VectorFiles&) = delete;
  VectorFiles& operator=(const VectorFiles&) = delete;

  const std::filesystem::path& text() const { return text_; }
  const std::filesystem::path& binary() const { return binary_; }

 private:
  std::filesystem::path text_, binary_;
};

/// Registers what reading word vectors takes, in bytes of the file per second: `WordVectorReader` against a bare loop
/// of std::from_chars over the same text in memory, and against reading a binary file in blocks, whatever it holds.
/// @throws std::runtime_error if they do not read the same.
void add_vectors(const VectorFiles& files);

}  // namespace packseq::bench
