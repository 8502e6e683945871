#include "cli/corpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "cli/terminal.hpp"
#include "packseq/sequence/encode.hpp"
#include "packseq/text/vocab.hpp"

namespace packseq::cli {
namespace {

constexpr std::string_view padding_word = "<pad>";

std::string name_of(std::int64_t number, std::string_view file, std::int64_t line) {
  return fmt::format("document {} ({}, line {})", number + 1, file, line);
}

/// Counts what a tokenizer makes of documents, in any number of threads.
class TokenCount {
 public:
  /// The tokenizer, watched. This must outlive it.
  Tokenizer watch(const Tokenizer& tokenizer) {
    return [this, &tokenizer](std::string_view document, const TokenSink& emit) {
      std::int64_t tokens = 0;
      bool pads = false;
      tokenizer(document, [&](std::string_view token) {
        ++tokens;
        pads = pads || token == padding_word;
        emit(token);
      });
      const std::lock_guard lock(mutex_);
      lengths_.add(tokens);
      has_padding_ = has_padding_ || pads;
    };
  }

  Lengths take_lengths() { return std::move(lengths_); }
  /// Whether the text itself has the word that stands for padding.
  bool has_padding() const noexcept { return has_padding_; }

 private:
  std::mutex mutex_;
  Lengths lengths_;
  bool has_padding_ = false;
};

/// The documents of some files, one at a time.
class Documents {
 public:
  Documents(const std::vector<std::filesystem::path>& files, const TextOptions& options, Sample& sample,
            const std::function<void(const std::string&)>& report)
      : files_(files), options_(options), sample_(sample), report_(report) {}

  std::optional<std::string_view> next() {
    while (true) {
      if (!input_.has_value()) {
        if (file_ == files_.size()) return std::nullopt;
        input_.emplace(files_[file_], options_);
        name_ = text_name(files_[file_++]);
      }
      if (const auto document = input_->next()) {
        check_length(*document);
        sample_.pass(*document, name_, input_->line());
        tell(document->size());
        return document;
      }
      input_.reset();
    }
  }

 private:
  /// No token is shorter than a byte: few documents are so long that their tokens need to be counted here.
  void check_length(std::string_view document) const {
    if (document.size() <= static_cast<std::size_t>(options_.max_tokens_per_document)) return;
    std::int64_t tokens = 0;
    options_.tokenizer(document, [&](std::string_view /*token*/) { ++tokens; });
    if (tokens > options_.max_tokens_per_document) {
      throw TooLong{name_of(sample_.passed(), name_, input_->line()), tokens};
    }
  }

  void tell(std::size_t bytes) {
    constexpr std::size_t step = 8 << 20;
    if (bytes_ / step != (bytes_ + bytes) / step) {
      report_(fmt::format("reading: {}B", with_prefix(static_cast<double>(bytes_ + bytes))));
    }
    bytes_ += bytes;
  }

  const std::vector<std::filesystem::path>& files_;
  const TextOptions& options_;
  Sample& sample_;
  const std::function<void(const std::string&)>& report_;
  std::size_t file_ = 0;  // the next one
  std::optional<TextInput> input_;
  std::string name_;
  std::size_t bytes_ = 0;
};

}  // namespace

std::string Corpus::name(std::int64_t document) const {
  const Origin& origin = origins[static_cast<std::size_t>(document)];
  return name_of(origin.number, origin.file, origin.line);
}

Corpus read_corpus(const std::vector<std::filesystem::path>& files, const TextOptions& options,
                   const SampleOptions& sample_options, const std::function<void(const std::string&)>& report) {
  Sample sample(sample_options);
  Documents documents(files, options, sample, report);
  TokenCount count;
  DocumentSource source = [&] { return documents.next(); };
  const Vocab vocab =
      Vocab::build(source, {.specials = {std::string(padding_word)}, .tokenizer = count.watch(options.tokenizer)});
  if (sample.passed() == 0) {
    throw std::runtime_error(fmt::format("{}: no documents: all is empty or blank",
                                         files.size() == 1 ? text_name(files.front()) : "the files"));
  }
  Lengths lengths = count.take_lengths();  // before the tokenizer, which is watched, encodes
  std::vector<std::string> texts;
  std::vector<Origin> origins;
  for (SampledDocument& document : sample.take()) {
    texts.push_back(std::move(document.text));
    origins.push_back({std::move(document.file), document.line, document.number});
  }
  const std::int64_t distinct_tokens = vocab.size() - (count.has_padding() ? 0 : 1);
  return {encode(texts, vocab), std::move(origins), std::move(lengths), vocab.size(), distinct_tokens};
}

std::vector<std::int64_t> in_order(const Corpus& corpus) {
  std::vector<std::int64_t> documents(static_cast<std::size_t>(corpus.ids.size()));
  std::iota(documents.begin(), documents.end(), 0);
  return documents;
}

std::vector<std::int64_t> longest_first(const Corpus& corpus) {
  std::vector<std::int64_t> documents = in_order(corpus);
  const std::int64_t* lengths = corpus.ids.lengths().const_data_ptr<std::int64_t>();
  std::stable_sort(documents.begin(), documents.end(),
                   [&](std::int64_t a, std::int64_t b) { return lengths[a] > lengths[b]; });
  return documents;
}

std::vector<std::int64_t> by_text(const Corpus& corpus) {
  std::vector<std::int64_t> documents = in_order(corpus);
  const auto ids = [&](std::int64_t document) {
    const at::Tensor tensor = corpus.ids[document];
    return std::span(tensor.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(tensor.size(0)));
  };
  std::stable_sort(documents.begin(), documents.end(), [&](std::int64_t a, std::int64_t b) {
    return std::ranges::lexicographical_compare(ids(a), ids(b));
  });
  return documents;
}

Batches cut(const std::vector<std::int64_t>& documents, std::int64_t batch) {
  Batches batches;
  for (auto begin = documents.begin(); begin != documents.end();) {
    const auto end = begin + std::min<std::ptrdiff_t>(batch, documents.end() - begin);
    batches.emplace_back(begin, end);
    begin = end;
  }
  return batches;
}

Jagged select(const Corpus& corpus, const std::vector<std::int64_t>& documents) {
  std::vector<at::Tensor> sequences;
  for (const std::int64_t document : documents) sequences.push_back(corpus.ids[document]);
  return sequences;
}

}  // namespace packseq::cli
