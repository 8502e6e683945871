#include "packseq/data/text_stream.hpp"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <utility>

#include "data/encode_text.hpp"
#include "data/nothing_to_learn.hpp"
#include "data/sampler.hpp"
#include "data/shuffle.hpp"

namespace packseq::data {

struct TextStream::State {
  TextReader reader;
  TextStreamOptions options;
  std::int64_t epoch;  // the one that runs or comes first
  bool begun = false;
  detail::EpochRandom random = {0, 0};
  std::vector<TextDocument> buffer = {};

  void begin_epoch(std::int64_t next);
  TextDocument draw();
  std::vector<TextDocument> batch();
};

/// Fills the buffer from the beginning of the files.
void TextStream::State::begin_epoch(std::int64_t next) {
  reader.rewind();
  random = {options.seed, next};
  buffer.clear();
  while (static_cast<std::int64_t>(buffer.size()) < options.shuffle_buffer) {
    auto document = reader.next();
    if (!document) break;
    buffer.push_back(*std::move(document));
  }
  TORCH_CHECK_VALUE(!buffer.empty(), "TextStream: there is no document in the files");
  epoch = next;
}

/// One of the documents in the buffer, which is not empty; the next of the files takes its place.
TextDocument TextStream::State::draw() {
  TextDocument& place = buffer[random.below(buffer.size())];
  TextDocument drawn = std::move(place);
  if (auto document = reader.next()) {
    place = *std::move(document);
  } else {
    if (&place != &buffer.back()) place = std::move(buffer.back());
    buffer.pop_back();
  }
  return drawn;
}

std::vector<TextDocument> TextStream::State::batch() {
  std::vector<TextDocument> documents;
  while (!buffer.empty() && static_cast<std::int64_t>(documents.size()) < options.batch_size) {
    documents.push_back(draw());
  }
  return documents;
}

TextStream::TextStream(const std::vector<std::filesystem::path>& files, const TextReaderOptions& text,
                       const TextStreamOptions& options)
    : state_(std::make_shared<State>(State{TextReader(files, text), options, options.start.epoch})) {
  detail::check_positive("TextStream", "batch_size", options.batch_size);
  detail::check_positive("TextStream", "shuffle_buffer", options.shuffle_buffer);
  detail::check_start("TextStream", options.start);
}

void TextStream::reset(std::optional<std::size_t> new_size) {
  TORCH_CHECK_VALUE(!new_size, "TextStream: new_size is ", *new_size,
                    ", but a stream has as many documents as its files");
  if (state_->begun) return state_->begin_epoch(state_->epoch + 1);
  state_->begin_epoch(state_->epoch);
  for (std::int64_t done = 0; done < state_->options.start.batches; ++done) {
    if (state_->batch().empty()) detail::check_start_within("TextStream", state_->options.start, done);
  }
  state_->begun = true;
}

std::optional<std::vector<TextDocument>> TextStream::next(std::size_t batch_size) {
  detail::check_loader_batch_size("TextStream", batch_size);
  if (!state_->begun) reset();
  auto documents = state_->batch();
  if (documents.empty()) return std::nullopt;
  return documents;
}

void TextStream::save(torch::serialize::OutputArchive&) const { detail::refuse_archive("TextStream"); }

void TextStream::load(torch::serialize::InputArchive&) { detail::refuse_archive("TextStream"); }

EncodeDataset::EncodeDataset(Vocab vocab, std::optional<Vocab> labels)
    : vocab_(std::move(vocab)), labels_(std::move(labels)) {}

Documents EncodeDataset::get_batch(std::vector<TextDocument> documents) {
  if (documents.empty()) {
    const at::Tensor none = at::empty({0}, at::kLong);
    Documents like{.sequences = {none}};
    if (labels_) like.labels = none;
    if (labels_) like.token_labels = Jagged({none});
    return detail::nothing_to_learn(like);
  }
  return detail::encode_text(documents, vocab_, labels_);
}

std::optional<std::size_t> EncodeDataset::size() const { return std::nullopt; }

}  // namespace packseq::data
