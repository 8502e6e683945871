#include "cli/sample.hpp"

#include <utility>

namespace packseq::cli {

void Sample::pass(std::string_view text, std::string_view file, std::int64_t line) {
  const std::int64_t number = passed_++;
  SampledDocument* place = nullptr;
  if (number < options_.documents) {
    place = &documents_.emplace_back();
  } else if (options_.order != Order::as_is) {
    const std::size_t drawn = random_.below(static_cast<std::size_t>(number) + 1);
    if (drawn < documents_.size()) place = &documents_[drawn];
  }
  if (place != nullptr) *place = {std::string(text), number, std::string(file), line};
}

std::vector<SampledDocument> Sample::take() {
  if (options_.order != Order::as_is) random_.shuffle(documents_);
  return std::move(documents_);
}

}  // namespace packseq::cli
