#pragma once

#include <filesystem>
#include <string>

namespace packseq::bench {

/// The same word vectors as text and in binary, in files that last as long as the value: 20,000 words, 300 numbers for
/// each, as word2vec writes them.
class VectorFiles {
 public:
  VectorFiles();
  ~VectorFiles();
  VectorFiles(const VectorFiles&) = delete;
  VectorFiles& operator=(const VectorFiles&) = delete;

  /// Writes and checks the files, if they are not there yet: a run that leaves them out is spared it.
  /// @throws std::runtime_error if they cannot be written, or the contenders do not read the same.
  void write();

  const std::filesystem::path& text() const { return text_; }
  const std::filesystem::path& binary() const { return binary_; }
  const std::string& text_in_memory() const { return text_in_memory_; }

 private:
  std::filesystem::path text_, binary_;
  std::string text_in_memory_;
};

/// Registers what reading word vectors takes, in bytes of the file per second: `WordVectorReader` against a bare loop
/// of std::from_chars over the same text in memory, and against reading a binary file in blocks, whatever it holds.
/// `files` must outlive the run.
void add_vectors(VectorFiles& files);

}  // namespace packseq::bench
