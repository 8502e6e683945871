// From text to ids: reading, building a vocabulary and encoding, in bytes of text per second, against the way that
// first comes to mind, a std::unordered_map of std::string. `text_bench FILE` takes a text of your own. Besides,
// reading word vectors (vectors_bench.hpp).

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "contenders/measure.hpp"
#include "packseq/sequence/encode.hpp"
#include "packseq/text/document_reader.hpp"
#include "packseq/text/vocab.hpp"
#include "programs/english.hpp"
#include "programs/vectors_bench.hpp"

namespace packseq::bench {
namespace {

constexpr std::size_t text_bytes = 8 << 20;

/// What all contenders read.
struct Text {
  std::vector<std::string> documents;
  std::string lines;  ///< The same documents, one on each line.
};

Text make_text(std::vector<std::string> documents) {
  Text text{.documents = std::move(documents), .lines = {}};
  for (const std::string& document : text.documents) text.lines += document + '\n';
  return text;
}

/// What one writes without a library; words are numbered as by `Vocab::build`.
struct NaiveVocab {
  std::vector<std::string> tokens;
  std::unordered_map<std::string, std::int64_t> ids;  // while words are counted, their counts

  NaiveVocab(const std::vector<std::string>& documents, const Tokenizer& tokenizer) {
    for (const std::string& document : documents) {
      tokenizer(document, [&](std::string_view token) {
        if (++ids[std::string(token)] == 1) tokens.emplace_back(token);
      });
    }
    std::vector<std::pair<std::int64_t, std::size_t>> ranks;  // by count, negative, and first appearance
    for (const std::string& token : tokens) ranks.emplace_back(-ids[token], ranks.size());
    std::sort(ranks.begin(), ranks.end());
    std::vector<std::string> sorted = {"<pad>"};
    for (const auto& rank : ranks) sorted.push_back(tokens[rank.second]);
    tokens = sorted;
    for (std::size_t id = 0; id < tokens.size(); ++id) ids[tokens[id]] = static_cast<std::int64_t>(id);
  }

  std::vector<std::int64_t> encode(const std::vector<std::string>& documents, const Tokenizer& tokenizer) const {
    std::vector<std::int64_t> result;
    for (const std::string& document : documents) {
      tokenizer(document, [&](std::string_view token) { result.push_back(ids.at(std::string(token))); });
    }
    return result;
  }
};

std::size_t read_with_packseq(const std::string& text) {
  std::istringstream stream(text);
  DocumentReader reader(stream, "text");
  std::size_t bytes = 0;
  while (const auto document = reader.next()) bytes += document->size();
  return bytes;
}

/// Checks nothing of what it reads.
std::size_t read_with_getline(const std::string& text) {
  std::istringstream stream(text);
  std::size_t bytes = 0;
  for (std::string line; std::getline(stream, line);) bytes += line.size();
  return bytes;
}

void check(bool equal, const std::string& what) {
  if (!equal) throw std::runtime_error("text_bench: the contenders differ in " + what);
}

void check_equal(const Text& text, const Tokenizer& tokenizer) {
  const auto vocab = Vocab::build(text.documents, {.tokenizer = tokenizer});
  const NaiveVocab naive(text.documents, tokenizer);
  check(vocab.size() == static_cast<std::int64_t>(naive.tokens.size()), "their number of tokens");
  for (const auto& [token, id] : naive.ids) check(vocab.find(token) == id, "the id of " + token);
  const auto values = encode(text.documents, vocab).values();
  const auto ids = naive.encode(text.documents, tokenizer);
  check(std::equal(ids.begin(), ids.end(), values.const_data_ptr<std::int64_t>(),
                   values.const_data_ptr<std::int64_t>() + values.size(0)),
        "the ids of the documents");
}

void add(const std::string& name, const Text& text, const std::function<void()>& work) {
  const auto measure = [&text, work](benchmark::State& state) {
    for (auto _ : state) work();
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.lines.size()));
  };
  benchmark::RegisterBenchmark(name.c_str(), measure)->UseRealTime()->Unit(benchmark::kMillisecond);
}

void add_tokenizer(const std::string& name, const Text& text, const Tokenizer& tokenizer) {
  check_equal(text, tokenizer);
  const auto& documents = text.documents;
  add("build/naive/" + name, text, [=, &documents] { NaiveVocab(documents, tokenizer); });
  add("encode/naive/" + name, text, [=, &documents, vocab = NaiveVocab(documents, tokenizer)] {
    benchmark::DoNotOptimize(vocab.encode(documents, tokenizer));
  });
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  for (const int threads : std::set{1, cores}) {
    const std::string end = name + "/threads:" + std::to_string(threads);
    add("build/packseq/" + end, text,
        [=, &documents] { Vocab::build(documents, {.tokenizer = tokenizer, .threads = threads}); });
    add("encode/packseq/" + end, text, [=, &documents, vocab = Vocab::build(documents, {.tokenizer = tokenizer})] {
      at::set_num_threads(threads);
      benchmark::DoNotOptimize(encode(documents, vocab));
    });
  }
}

void add_all(const Text& text) {
  check(read_with_packseq(text.lines) == read_with_getline(text.lines), "what they read");
  add("read/getline", text, [&text] { benchmark::DoNotOptimize(read_with_getline(text.lines)); });
  add("read/packseq", text, [&text] { benchmark::DoNotOptimize(read_with_packseq(text.lines)); });
  add_tokenizer("whitespace", text, split_whitespace);
  add_tokenizer("words", text, split_words);
}

}  // namespace
}  // namespace packseq::bench

int main(int argc, char** argv) {
  using namespace packseq::bench;
  try {
    const int file = argc > 1 && argv[1][0] != '-' ? 1 : 0;
    const Text text = make_text(file == 1 ? packseq::read_documents(argv[file]) : english_like_documents(text_bytes));
    add_all(text);
    VectorFiles vectors;
    add_vectors(vectors);
    return run_benchmarks(argc - file, argv + file);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
