#include "packseq/sequence/softmax.hpp"

#include <ATen/Dispatch.h>
#include <ATen/OpMathType.h>
#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "kernels/softmax.hpp"
#include "packseq/sequence/map.hpp"
#include "sequence/layout.hpp"
#include "sequence/plain.hpp"
#include "sequence/reduce.hpp"

namespace packseq {
namespace {

using torch::autograd::AutogradContext;
using Tensors = torch::autograd::variable_list;

/// Calls `body(columns, part)` for each of as many parts of the columns of `data` [N, *] as there are threads for.
template <class Body>
void for_parts(std::span<const std::int64_t> batch_sizes, const at::Tensor& data, const Body& body) {
  if (data.numel() == 0) return;
  const auto columns = kernels::make_columns(batch_sizes, static_cast<std::size_t>(data.numel() / data.size(0)));
  const std::int64_t parts =
      std::clamp<std::int64_t>(data.numel() / at::internal::GRAIN_SIZE, 1, at::get_num_threads());
  at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto part = static_cast<std::size_t>(begin); part < static_cast<std::size_t>(end); ++part) {
      body(columns, kernels::Part{part, static_cast<std::size_t>(parts)});
    }
  });
}

at::Tensor softmax_by_kernel(std::span<const std::int64_t> batch_sizes, const at::Tensor& input) {
  const at::Tensor contiguous = input.contiguous();
  at::Tensor output = at::empty_like(contiguous);
  AT_DISPATCH_FLOATING_TYPES(input.scalar_type(), "softmax", [&] {
    for_parts(batch_sizes, contiguous, [&](const kernels::Columns& columns, const kernels::Part& part) {
      kernels::softmax(columns, contiguous.const_data_ptr<scalar_t>(), output.mutable_data_ptr<scalar_t>(), part);
    });
  });
  return output;
}

at::Tensor gradient_by_kernel(std::span<const std::int64_t> batch_sizes, const at::Tensor& output,
                              const at::Tensor& gradient) {
  const at::Tensor contiguous = gradient.contiguous();
  at::Tensor result = at::empty_like(output);
  AT_DISPATCH_FLOATING_TYPES(output.scalar_type(), "softmax", [&] {
    for_parts(batch_sizes, output, [&](const kernels::Columns& columns, const kernels::Part& part) {
      kernels::softmax_gradient(columns, output.const_data_ptr<scalar_t>(), contiguous.const_data_ptr<scalar_t>(),
                                result.mutable_data_ptr<scalar_t>(), part);
    });
  });
  return result;
}

/// What the kernel does, in LibTorch's operators.
at::Tensor softmax_by_operators(std::span<const std::int64_t> batch_sizes, const at::Tensor& input) {
  const at::Tensor ranks = detail::ranks_of_tokens(batch_sizes).to(input.device());
  const c10::Scalar lowest = -std::numeric_limits<double>::infinity();
  const at::Tensor largest = detail::largest(batch_sizes, input.detach(), lowest);
  const at::Tensor powers = (input - largest.index_select(0, ranks)).exp();
  return powers / detail::sums(batch_sizes, powers).index_select(0, ranks);
}

at::Tensor gradient_by_operators(std::span<const std::int64_t> batch_sizes, const at::Tensor& output,
                                 const at::Tensor& gradient) {
  const at::Tensor ranks = detail::ranks_of_tokens(batch_sizes).to(output.device());
  const at::Tensor sums = detail::sums(batch_sizes, output * gradient);
  return output * (gradient - sums.index_select(0, ranks));
}

class SoftmaxFunction : public torch::autograd::Function<SoftmaxFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const std::vector<std::int64_t>& batch_sizes) {
    at::Tensor output = softmax_by_kernel(batch_sizes, input);
    context->save_for_backward({output});
    context->saved_data["batch_sizes"] = batch_sizes;
    return output;
  }

  static Tensors backward(AutogradContext* context, const Tensors& gradients) {
    const at::Tensor output = context->get_saved_variables().front();
    const auto batch_sizes = context->saved_data["batch_sizes"].toIntVector();
    // A gradient that is to have gradients itself is made of operators that have.
    const bool by_kernel = !at::GradMode::is_enabled() && !detail::is_watched() && detail::is_plain(gradients[0]);
    const auto gradient_of = by_kernel ? gradient_by_kernel : gradient_by_operators;
    return {gradient_of(batch_sizes, output, gradients[0]), at::Tensor()};
  }
};

}  // namespace

PackedSequence softmax(const PackedSequence& packed) {
  const auto layout = detail::checked_layout("softmax", packed);
  const at::Tensor& data = packed.data();
  TORCH_CHECK_TYPE(data.is_floating_point(), "softmax: data is ", data.scalar_type(),
                   ", and must be floating-point: convert it first");
  const at::Tensor input = data.to(at::toOpMathType(data.scalar_type()));
  const at::Tensor output = !detail::is_watched() && detail::is_plain(input)
                                ? SoftmaxFunction::apply(input, layout.batch_sizes)
                                : softmax_by_operators(layout.batch_sizes, input);
  return with_data(packed, output.to(data.scalar_type()));
}

}  // namespace packseq
