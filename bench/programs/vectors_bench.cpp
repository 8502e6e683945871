#include "programs/vectors_bench.hpp"

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "packseq/text/word_vectors.hpp"

namespace packseq::bench {
namespace {

constexpr std::size_t words = 20'000;
constexpr std::size_t dimension = 300;

/// What a reader saw: as long as numbers are read in order, the sum is the same to the last bit.
struct Seen {
  std::size_t vectors = 0;
  float sum = 0;
  bool operator==(const Seen&) const = default;
};

Seen read_with_packseq(const std::filesystem::path& file) {
  WordVectorReader reader(file);
  Seen seen;
  while (const auto row = reader.next()) {
    ++seen.vectors;
    seen.sum += row->vector.front();
  }
  return seen;
}

/// Knows where numbers are: behind the first blank of a line, one blank apart, and checks nothing.
Seen parse_in_memory(const std::string& text) {
  std::vector<float> vector(dimension);
  Seen seen;
  const char* at = text.data() + text.find('\n') + 1;  // behind the header
  const char* const end = text.data() + text.size();
  while (at != end) {
    while (*at != ' ') ++at;
    for (float& value : vector) at = std::from_chars(at + 1, end, value).ptr;
    while (*at++ != '\n') {
    }
    ++seen.vectors;
    seen.sum += vector.front();
  }
  return seen;
}

std::size_t read_in_blocks(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string block(64 << 10, '\0');
  std::size_t bytes = 0;
  while (stream.read(block.data(), static_cast<std::streamsize>(block.size())), stream.gcount() > 0) {
    bytes += static_cast<std::size_t>(stream.gcount());
  }
  return bytes;
}

std::string content(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void add(const std::string& name, VectorFiles& files, const std::filesystem::path& file,
         const std::function<void()>& work) {
  const auto measure = [&files, &file, work](benchmark::State& state) {
    files.write();
    for (auto _ : state) work();
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(std::filesystem::file_size(file)));
  };
  benchmark::RegisterBenchmark(name.c_str(), measure)->UseRealTime()->Unit(benchmark::kMillisecond);
}

}  // namespace

VectorFiles::VectorFiles() {
  const auto prefix = std::filesystem::temp_directory_path() / ("packseq_bench_" + std::to_string(getpid()));
  text_ = prefix.string() + ".txt";
  binary_ = prefix.string() + ".bin";
}

void VectorFiles::write() {
  if (!text_in_memory_.empty()) return;
  std::ofstream text(text_, std::ios::binary);
  std::ofstream binary(binary_, std::ios::binary);
  const std::string header = std::to_string(words) + ' ' + std::to_string(dimension) + '\n';
  text << header;
  binary << header;
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.4F);
  for (std::size_t i = 0; i < words; ++i) {
    const std::string word = std::to_string(i).append("th ");
    text << word;
    binary << word;
    for (std::size_t j = 0; j < dimension; ++j) {
      std::array<char, 32> digits{};
      const auto end = std::to_chars(digits.data(), digits.end(), normal(random), std::chars_format::fixed, 6).ptr;
      float value = 0;
      std::from_chars(digits.data(), end, value);
      text.write(digits.data(), end - digits.data()).put(' ');
      const auto bytes = std::bit_cast<std::array<char, sizeof value>>(value);
      binary.write(bytes.data(), sizeof value);
    }
    text << '\n';
    binary << '\n';
  }
  if (!text.flush() || !binary.flush()) {
    throw std::runtime_error("text_bench: cannot write " + text_.string() + " and " + binary_.string());
  }
  text_in_memory_ = content(text_);
  const Seen expected = parse_in_memory(text_in_memory_);
  if (expected.vectors != words || read_with_packseq(text_) != expected || read_with_packseq(binary_) != expected) {
    throw std::runtime_error("text_bench: the contenders differ in the vectors that they read");
  }
}

VectorFiles::~VectorFiles() {
  std::error_code ignored;
  std::filesystem::remove(text_, ignored);
  std::filesystem::remove(binary_, ignored);
}

void add_vectors(VectorFiles& files) {
  const auto& text = files.text();
  const auto& binary = files.binary();
  add("vectors/from_chars/text", files, text,
      [&] { benchmark::DoNotOptimize(parse_in_memory(files.text_in_memory())); });
  add("vectors/packseq/text", files, text, [&] { benchmark::DoNotOptimize(read_with_packseq(text)); });
  add("vectors/read/binary", files, binary, [&] { benchmark::DoNotOptimize(read_in_blocks(binary)); });
  add("vectors/packseq/binary", files, binary, [&] { benchmark::DoNotOptimize(read_with_packseq(binary)); });
}

}  // namespace packseq::bench
