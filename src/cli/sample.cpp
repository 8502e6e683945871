#include "cli/sample.hpp"

#include <algorithm>
#include <utility>

namespace packseq::cli {

void Sample::pass(std::string_view text, std::string_view file, std::int64_t line) {
  const std::int64_t number = passed_++;
  SampledDocument* place = nullptr;
  if (number < options_.documents) {
    place = &documents_.emplace_back();
  } else if (options_.order != Order::as_is) {
    const std::int64_t drawn = std::uniform_int_distribution<std::int64_t>(0, number)(random_);
    if (drawn < options_.documents) place = &documents_[static_cast<std::size_t>(drawn)];
  }
  if (place != nullptr) *place = {std::string(text), number, std::string(file), line};
}

std::vector<SampledDocument> Sample::take() {
  if (options_.order != Order::as_is) std::shuffle(documents_.begin(), documents_.end(), random_);
  return std::move(documents_);
}

}  // namespace packseq::cli
