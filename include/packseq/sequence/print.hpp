#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq {

/// How a packed batch is drawn.
struct PrintOptions {
  /// What stands in a cell instead of its number; cut to 10 columns. A vocabulary's token, say.
  std::function<std::string(std::int64_t)> name = {};
  std::size_t columns = 80;     ///< How wide a line may be, at least 40: later steps share one column.
  std::int64_t documents = 20;  ///< How many are drawn at most, the longest ones.
};

/// Draws a packed batch: a row for each document, the longest first, under it `batch_sizes`, `sorted_indices` and
/// `data`, step by step.
///
/// A cell holds a document's number at a step: the integer in `data` [N], or the row of any other `data` [N, *] that
/// belongs to it. What is left out is counted. UTF-8; characters are as wide as terminals draw them.
/// @throws c10::ValueError or c10::TypeError if `packed` is malformed (see `lengths`).
/// @throws c10::ValueError if `options.columns` is less than 40 or `options.documents` less than 1.
/// @code
/// packseq::print(std::cout, packed, {.name = [&](auto id) { return std::string(vocab.token(id)); }});
/// // step             0     1      2
/// //                ┌─────┬──────┬──────┐
/// // document 0     │ on  │ your │ mark │
/// // document 1     │ get │ set  ├──────┘
/// // document 2     │ go  ├──────┘
/// //                └─────┘
/// // batch_sizes      3     2      1
/// // sorted_indices   0 1 2
/// // data             on get go │ your set │ mark
/// //                  1  4   6  │ 2    5   │ 3
/// @endcode
PACKSEQ_EXPORT void print(std::ostream& stream, const PackedSequence& packed, const PrintOptions& options = {});

}  // namespace packseq
