#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "packseq/export.hpp"
#include "packseq/sequence/print.hpp"
#include "sequence/layout.hpp"
#include "sequence/position.hpp"
#include "sequence/table.hpp"

namespace packseq::detail {

/// The columns of the longest label that a picture has.
inline constexpr std::size_t picture_label_columns = std::string_view("sorted_indices").size();

/// A packed batch, drawn.
class PACKSEQ_EXPORT PackedPicture {
 public:
  PackedPicture(const PackedSequence& packed, PrintOptions options, Paint paint = {});

  /// The table, `sorted_indices` and `data`.
  std::string draw() const;

  /// Draws one step less in a column of its own, if there are two or more.
  bool narrow();

  /// The steps, counted from 0, above the columns.
  std::vector<std::string> header() const;

  /// A document's cells.
  TableRow row(std::int64_t document) const;

 private:
  std::string number(std::int64_t packed_row) const;
  std::string cell(std::int64_t packed_row) const;
  Table table() const;
  std::string sorted_indices() const;
  std::string data() const;

  Layout layout_;
  PackedPosition position_;
  bool indexed_;        // whether the batch has indices
  at::Tensor numbers_;  // what its cells hold, int64 [N] on the CPU
  PrintOptions options_;
  Paint paint_;
  std::int64_t steps_;
  std::int64_t shown_steps_;  // the others share one column
};

}  // namespace packseq::detail
