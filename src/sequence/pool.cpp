#include "packseq/sequence/pool.hpp"

#include <ATen/OpMathType.h>
#include <c10/util/Exception.h>

#include <limits>

#include "sequence/layout.hpp"
#include "sequence/reduce.hpp"

namespace packseq {
namespace {

/// A tensor of numbers, one for each row of `like`, that broadcasts over the rows' elements.
at::Tensor column(const at::Tensor& numbers, const at::Tensor& like) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(like.dim()), 1);
  sizes[0] = numbers.size(0);
  return numbers.to(like.device()).view(sizes);
}

/// The sums of the documents that are not empty, in a dtype that loses little.
at::Tensor wide_sums(const detail::Layout& layout, const at::Tensor& data) {
  const bool integral = c10::isIntegralType(data.scalar_type(), /*includeBool=*/true);
  return detail::sums(layout.batch_sizes, data.to(integral ? at::kLong : at::toOpMathType(data.scalar_type())));
}

}  // namespace

at::Tensor sum_pool(const PackedSequence& packed) {
  const auto layout = detail::checked_layout("sum_pool", packed);
  const at::Tensor pooled = detail::in_callers_order(layout, wide_sums(layout, packed.data()));
  return pooled.scalar_type() == at::kLong ? pooled : pooled.to(packed.data().scalar_type());
}

at::Tensor mean_pool(const PackedSequence& packed) {
  const auto layout = detail::checked_layout("mean_pool", packed);
  const at::Tensor& data = packed.data();
  TORCH_CHECK_TYPE(data.is_floating_point() || data.is_complex(), "mean_pool: data is ", data.scalar_type(),
                   ", and must be floating-point or complex: convert it first");
  std::vector<std::int64_t> lengths;  // of the documents that are not empty, longest first
  for (std::int64_t rank = 0; rank < layout.batch_sizes.front(); ++rank) {
    lengths.push_back(layout.lengths[static_cast<std::size_t>(layout.order[static_cast<std::size_t>(rank)])]);
  }
  const at::Tensor means = wide_sums(layout, data) / column(detail::to_tensor(lengths), data);
  return detail::in_callers_order(layout, means).to(data.scalar_type());
}

at::Tensor max_pool(const PackedSequence& packed) {
  const auto layout = detail::checked_layout("max_pool", packed);
  const at::Tensor& data = packed.data();
  TORCH_CHECK_TYPE(!data.is_complex(), "max_pool: data is ", data.scalar_type(),
                   ": complex numbers have no order, and so no largest one");
  TORCH_CHECK_TYPE(detail::is_computed_with(data.scalar_type()), "max_pool: data is ", data.scalar_type(),
                   ", which LibTorch does not compare: convert it first");
  // LibTorch lets an initial value that equals the maximum share the gradient, included or not: NaN equals nothing.
  const c10::Scalar initial = data.is_floating_point() ? c10::Scalar(std::numeric_limits<double>::quiet_NaN()) : 0;
  return detail::in_callers_order(layout, detail::largest(layout.batch_sizes, data, initial));
}

}  // namespace packseq
