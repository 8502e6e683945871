// Batches from a text that need not fit into memory: how fast, and how much memory the process has near the beginning
// and near the end.

#include <torch/data/dataloader.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "packseq/data/collate.hpp"
#include "packseq/data/text_stream.hpp"
#include "programs/english.hpp"
#include "programs/process_memory.hpp"

namespace packseq::bench {
namespace {

constexpr std::int64_t megabyte = 1'000'000;

/// A text of so many bytes or a few more, gone at the end.
class Text {
 public:
  Text(std::filesystem::path file, std::int64_t bytes) : file_(std::move(file)) {
    std::ofstream stream(file_);
    const auto sentences = english_like_documents(megabyte);
    for (std::int64_t written = 0; written < bytes;) {
      for (const std::string& sentence : sentences) {
        stream << sentence << '\n';
        written += static_cast<std::int64_t>(sentence.size()) + 1;
        ++documents_;
      }
    }
    if (stream.flush()) return;
    std::filesystem::remove(file_);
    throw std::runtime_error(file_.string() + " cannot be written");
  }
  ~Text() { std::filesystem::remove(file_); }
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;

  const std::filesystem::path& file() const { return file_; }
  std::int64_t documents() const { return documents_; }

 private:
  std::filesystem::path file_;
  std::int64_t documents_ = 0;
};

void print_memory(int percent) {
  std::cout << percent << " % of the documents read: " << process_memory("VmRSS") / megabyte << " MB in memory"
            << std::endl;
}

void run(std::int64_t megabytes, const std::filesystem::path& folder) {
  const Text text(folder / "packseq_stream_bench.txt", megabytes * megabyte);
  const auto vocab = data::build_vocab({text.file()}, {});
  const data::TextStream stream({text.file()}, {}, {.batch_size = 64, .seed = 1});
  const auto loader = torch::data::make_data_loader(data::EncodeDataset(vocab).map(data::Pack()), stream,
                                                    torch::data::DataLoaderOptions());

  const auto start = std::chrono::steady_clock::now();
  std::int64_t documents = 0;
  std::int64_t tokens = 0;
  for (const auto& batch : *loader) {
    const auto before = documents * 10 / text.documents();
    documents += packseq::lengths(batch.input).size(0);
    tokens += batch.input.data().size(0);
    const auto tenths = documents * 10 / text.documents();
    if (before < 1 && tenths >= 1) print_memory(10);
    if (before < 9 && tenths >= 9) print_memory(90);
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (documents != text.documents()) throw std::runtime_error("not each document came once");
  std::cout << megabytes << " MB, " << documents << " documents, " << tokens << " tokens: " << std::setprecision(3)
            << elapsed.count() << " s, " << static_cast<double>(megabytes) / elapsed.count() << " MB/s\n";
}

}  // namespace
}  // namespace packseq::bench

int main(int argc, char** argv) {
  if (argc != 3 || std::atoll(argv[1]) < 1) {
    std::cerr << "Usage: stream_bench MEGABYTES FOLDER\nThe folder needs so much room for a while.\n";
    return EXIT_FAILURE;
  }
  try {
    packseq::bench::run(std::atoll(argv[1]), argv[2]);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "stream_bench: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
