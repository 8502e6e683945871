#include "nn/crf_scheme.hpp"

#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "packseq/text/tag_scheme.hpp"

namespace packseq::nn::detail {
namespace {

std::size_t at_number(std::int64_t i) { return static_cast<std::size_t>(i); }

}  // namespace

TokenPlace place_of(const packseq::detail::Layout& layout, std::int64_t row) {
  std::int64_t step = 0;
  while (row >= layout.batch_sizes[at_number(step)]) row -= layout.batch_sizes[at_number(step++)];
  return {layout.order[at_number(row)], step};
}

ForbiddenTags::ForbiddenTags(const CRFOptions& options) {
  TORCH_CHECK_VALUE(options.num_tags >= 1, "CRF: num_tags is ", options.num_tags, ", and must be at least 1",
                    options.tags ? ": the vocabulary of tags is empty" : "");
  TORCH_CHECK_VALUE(!options.tags || options.tags->size() == options.num_tags, "CRF: num_tags is ", options.num_tags,
                    ", but the vocabulary of tags has ", options.tags ? options.tags->size() : 0);
  if (!options.scheme) return;
  TORCH_CHECK_VALUE(options.tags, "CRF: there is a scheme, but no vocabulary of tags, whose names it is about");
  const std::int64_t count = options.num_tags;
  const TagScheme scheme = *options.scheme;
  const auto tag = [&](std::int64_t id) { return options.tags->token(id); };
  try {
    start_ = at::zeros({count}, at::kBool);
    end_ = at::zeros({count}, at::kBool);
    transitions_ = at::zeros({count, count}, at::kBool);
    bool* const start = start_.mutable_data_ptr<bool>();
    bool* const end = end_.mutable_data_ptr<bool>();
    bool* transition = transitions_.mutable_data_ptr<bool>();
    for (std::int64_t i = 0; i < count; ++i) {
      start[i] = !may_follow(scheme, std::nullopt, tag(i));
      end[i] = !may_follow(scheme, tag(i), std::nullopt);
      for (std::int64_t j = 0; j < count; ++j) *transition++ = !may_follow(scheme, tag(i), tag(j));
    }
  } catch (const std::invalid_argument& error) {
    TORCH_CHECK_VALUE(false, "CRF: ", error.what(), "; build the vocabulary of tags alone, with .specials = {}");
  }
}

at::Tensor ForbiddenTags::filled(const at::Tensor& parameter, const at::Tensor& forbidden) {
  if (!forbidden.defined()) return parameter;
  return parameter.masked_fill(forbidden.to(parameter.device()), -std::numeric_limits<double>::infinity());
}

void ForbiddenTags::check(const char* function, const Vocab& tags, const packseq::detail::Layout& layout,
                          const at::Tensor& labels) const {
  const auto* const label = labels.const_data_ptr<std::int64_t>();
  const auto name = [&](std::int64_t row) { return tags.token(label[row]); };
  constexpr const char* way_out = ", which the scheme forbids: correct them, or make the CRF without a scheme";
  std::int64_t before = 0;  // the first row of the step before
  std::int64_t row = 0;
  for (std::size_t step = 0; step < layout.batch_sizes.size(); ++step) {
    const std::int64_t first = row;
    const std::int64_t going_on = step + 1 < layout.batch_sizes.size() ? layout.batch_sizes[step + 1] : 0;
    for (std::int64_t rank = 0; rank < layout.batch_sizes[step]; ++rank, ++row) {
      const std::int64_t document = layout.order[at_number(rank)];
      TORCH_CHECK_VALUE(step > 0 || !start_.const_data_ptr<bool>()[label[row]], function, ": the tags of document ",
                        document, " begin with \"", name(row), '"', way_out);
      TORCH_CHECK_VALUE(
          step == 0 || !transitions_.const_data_ptr<bool>()[label[before + rank] * transitions_.size(0) + label[row]],
          function, ": the tags of document ", document, " go from \"", name(before + rank), "\" to \"", name(row),
          "\" at token ", step, way_out);
      TORCH_CHECK_VALUE(rank < going_on || !end_.const_data_ptr<bool>()[label[row]], function,
                        ": the tags of document ", document, " end with \"", name(row), '"', way_out);
    }
    before = first;
  }
}

}  // namespace packseq::nn::detail
