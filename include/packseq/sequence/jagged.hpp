#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/TensorOptions.h>

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "packseq/export.hpp"

namespace packseq {

/// Sequences of different length, end to end in one tensor: the form in which a batch of documents is kept.
///
/// `values` [N, *] holds the elements of all sequences, N the sum of `lengths` [B], which is int64 on the CPU. A
/// sequence may be empty. As with a tensor, a copy shares the values; the layout never changes once it is made, and
/// many threads may read it at once.
/// @code
/// const packseq::Jagged ids = {torch::tensor({1, 2, 3}), torch::tensor({4, 5}), torch::tensor({6})};
/// ids.values();    // 1 2 3 4 5 6
/// ids.lengths();   // 3 2 1
/// ids[1];          // 4 5
/// @endcode
class PACKSEQ_EXPORT Jagged {
 public:
  /// Puts sequences, each [L_i, *], end to end; not explicit, so that a list of tensors goes wherever sequences go.
  /// @throws c10::ValueError if `sequences` is empty.
  /// @throws c10::ValueError if a sequence is undefined or has no dimension.
  /// @throws c10::ValueError if a sequence differs from the first one in its sizes after the first dimension.
  /// @throws c10::TypeError if a sequence is sparse or nested, or differs from the first one in dtype or device.
  Jagged(const std::vector<at::Tensor>& sequences);  // NOLINT(google-explicit-constructor)

  /// The same for sequences listed in braces.
  Jagged(std::initializer_list<at::Tensor> sequences) : Jagged(std::vector<at::Tensor>(sequences)) {}

  /// Takes elements that already lie end to end: `values` [N, *] and int64 `lengths` [B], on the CPU, of sum N.
  /// @throws c10::ValueError if `values` is undefined or has no dimension.
  /// @throws c10::TypeError if `values` is sparse or nested, or `lengths` is not int64 on the CPU.
  /// @throws c10::ValueError if `lengths` is not of one dimension, is empty, has a negative entry, or has not the sum
  ///   N.
  /// @code
  /// const auto ids = packseq::Jagged::from_values(torch::tensor({1, 2, 3, 4, 5, 6}), torch::tensor({3, 2, 1}));
  /// @endcode
  static Jagged from_values(at::Tensor values, const at::Tensor& lengths);

  /// The elements of all sequences, [N, *].
  const at::Tensor& values() const noexcept { return values_; }

  /// The length of each sequence, int64 [B] on the CPU.
  const at::Tensor& lengths() const noexcept { return lengths_; }

  /// Where each sequence begins among the values, and the end of the last: [B + 1].
  const std::vector<std::int64_t>& offsets() const noexcept { return offsets_; }

  /// The number of sequences, B.
  std::int64_t size() const noexcept { return static_cast<std::int64_t>(offsets_.size()) - 1; }

  /// Sequence `index`, [L_index, *], a view of `values`.
  /// @throws c10::IndexError if `index` is not in 0 ... size() - 1.
  at::Tensor operator[](std::int64_t index) const;

  /// All sequences as tensors, views of `values`; the name is that of `torch.Tensor.unbind` on a nested tensor.
  std::vector<at::Tensor> unbind() const;

  /// The same sequences in the dtype and on the device of `options`, where it sets them; lengths stay on the CPU.
  /// @throws c10::ValueError if `options` sets anything but dtype and device.
  /// @code
  /// const auto narrow = ids.to(at::kInt);
  /// @endcode
  Jagged to(const at::TensorOptions& options) const;

 private:
  Jagged() = default;

  at::Tensor values_;
  at::Tensor lengths_;
  std::vector<std::int64_t> offsets_;
};

}  // namespace packseq
