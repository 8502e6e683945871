#include "sequence/picture.hpp"

#include <ATen/ops/arange.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <utility>

#include "text/columns.hpp"

namespace packseq::detail {
namespace {

constexpr std::size_t widest_cell = 10;

/// The ids of a batch, or the rows of its data if there are none.
at::Tensor numbers_of(const at::Tensor& data) {
  const bool ids = data.dim() == 1 && c10::isIntegralType(data.scalar_type(), /*includeBool=*/true);
  return ids ? data.to(at::kCPU, at::kLong).contiguous() : at::arange(data.size(0), at::kLong);
}

std::string more(std::int64_t count) { return c10::str(" … ", grouped(count), " more"); }

}  // namespace

PackedPicture::PackedPicture(const PackedSequence& packed, PrintOptions options, Paint paint)
    : layout_(checked_layout("print", packed)),
      position_(layout_),
      indexed_(packed.sorted_indices().defined()),
      numbers_(numbers_of(packed.data())),
      options_(std::move(options)),
      paint_(std::move(paint)),
      steps_(layout_.lengths[static_cast<std::size_t>(layout_.order.front())]),
      shown_steps_(std::min(steps_, static_cast<std::int64_t>(options_.columns / 4))) {
  while (width(table()) > options_.columns && narrow()) {
  }
}

std::string PackedPicture::draw() const { return detail::draw(table(), paint_) + sorted_indices() + data(); }

bool PackedPicture::narrow() {
  if (shown_steps_ <= 1) return false;
  --shown_steps_;
  return true;
}

std::vector<std::string> PackedPicture::header() const {
  std::vector<std::string> header;
  for (std::int64_t step = 0; step < shown_steps_; ++step) header.push_back(std::to_string(step));
  if (shown_steps_ < steps_) header.push_back(std::to_string(shown_steps_) + "…" + std::to_string(steps_ - 1));
  return header;
}

TableRow PackedPicture::row(std::int64_t document) const {
  TableRow row{.label = "document " + std::to_string(document), .cells = {}, .document = document};
  const std::int64_t length = layout_.lengths[static_cast<std::size_t>(document)];
  for (std::int64_t step = 0; step < std::min(length, shown_steps_); ++step) {
    row.cells.push_back(cell(position_(document, step)));
  }
  if (length > shown_steps_) row.cells.push_back("+" + std::to_string(length - shown_steps_));
  return row;
}

std::string PackedPicture::number(std::int64_t packed_row) const {
  return std::to_string(numbers_.const_data_ptr<std::int64_t>()[packed_row]);
}

std::string PackedPicture::cell(std::int64_t packed_row) const {
  if (!options_.name) return number(packed_row);
  return clipped(options_.name(numbers_.const_data_ptr<std::int64_t>()[packed_row]), widest_cell);
}

Table PackedPicture::table() const {
  Table table{.rows = {}, .header = header(), .header_label = left("step", picture_label_columns)};
  const auto documents = static_cast<std::int64_t>(layout_.order.size());
  const std::int64_t shown = std::min(documents, options_.documents);
  for (std::int64_t rank = 0; rank < shown; ++rank) {
    table.rows.push_back(row(layout_.order[static_cast<std::size_t>(rank)]));
  }
  const std::int64_t hidden = documents - shown;
  if (hidden > 0) table.remark = c10::str("… ", grouped(hidden), " more document", hidden == 1 ? "" : "s");
  table.footer_label = "batch_sizes";
  const auto& sizes = layout_.batch_sizes;
  for (std::int64_t step = 0; step < std::max<std::int64_t>(shown_steps_, 1); ++step) {  // {0} where there are no steps
    table.footer.push_back(std::to_string(sizes[static_cast<std::size_t>(step)]));
  }
  if (shown_steps_ < steps_) table.footer.push_back("…" + std::to_string(sizes.back()));
  return table;
}

std::string PackedPicture::sorted_indices() const {
  std::string line = left("sorted_indices", picture_label_columns) + "  ";
  if (!indexed_) return line + " none\n";
  for (std::size_t rank = 0; rank < layout_.order.size(); ++rank) {
    const std::string rest = more(static_cast<std::int64_t>(layout_.order.size() - rank));
    if (width(line) + 4 + width(rest) > options_.columns) return line + rest + "\n";
    line.append(" ").append(std::to_string(layout_.order[rank]));
  }
  return line + "\n";
}

/// Step by step, as many tokens as one line holds; if they have names, those above the numbers.
std::string PackedPicture::data() const {
  std::string cells = left("data", picture_label_columns) + "  ";
  std::string numbers(width(cells), ' ');
  std::size_t used = width(cells);
  const auto finished = [&](const std::string& rest) {
    const std::string line = without_end_blanks(cells + rest) + "\n";
    return options_.name ? line + without_end_blanks(numbers) + "\n" : line;
  };
  std::int64_t token = 0;
  for (std::size_t step = 0; step < layout_.batch_sizes.size(); ++step) {
    for (std::int64_t rank = 0; rank < layout_.batch_sizes[step]; ++rank, ++token) {
      const std::size_t columns = std::max(width(cell(token)), number(token).size());
      const std::string rest = more(numbers_.size(0) - token);
      if (used + columns + 3 + width(rest) > options_.columns) return finished(rest);
      const char* separator = rank == 0 && step > 0 ? " │ " : " ";
      cells += separator + painted(paint_, left(cell(token), columns), layout_.order[static_cast<std::size_t>(rank)]);
      numbers +=
          separator + painted(paint_, left(number(token), columns), layout_.order[static_cast<std::size_t>(rank)]);
      used += columns + width(separator);
    }
  }
  return finished("");
}

}  // namespace packseq::detail
