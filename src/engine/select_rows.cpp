#include "engine/select_rows.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <span>

#include "engine/autograd.hpp"
#include "engine/dtypes.hpp"
#include "engine/tensor_numbers.hpp"
#include "engine/threads.hpp"
#include "kernels/add_rows.hpp"

namespace packseq::engine {
namespace {

using at::Tensor;
using Tensors = torch::autograd::variable_list;
using torch::autograd::AutogradContext;

/// Adds each row of the gradient to the row of `sums` that the index names; these are of the dtype computed in.
void add_by_kernel(const Tensor& gradient, const Tensor& index, const Tensor& sums) {
  const std::span numbers(index.const_data_ptr<std::int32_t>(), size(index.size(0)));
  with_number(gradient.scalar_type(), [&](auto number) {
    using T = decltype(number);
    kernels::add_rows(pointer<T>(gradient), size(gradient.size(-1)), numbers,
                      sums.mutable_data_ptr<kernels::Computed<T>>(), threads(), parallel);
  });
}

class SelectFunction : public torch::autograd::Function<SelectFunction> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& rows, std::int64_t dim, const Tensor& index) {
    context->save_for_backward({index});
    context->saved_data["dim"] = dim;
    context->saved_data["sizes"] = rows.sizes();
    return rows.index_select(dim, index);
  }

  static Tensors backward(AutogradContext* context, const Tensors& gradients) {
    const Tensor index = context->get_saved_variables().front();
    const Tensor& gradient = gradients.front();
    const c10::ScalarType dtype = gradient.scalar_type();
    Tensor sums =
        at::zeros(context->saved_data["sizes"].toIntVector(), gradient.options().dtype(computed_dtype(dtype)));
    // A gradient that is to have gradients itself is made of operators that have.
    if (at::GradMode::is_enabled() || are_beyond_the_engine(gradients)) {
      sums = sums.index_add(context->saved_data["dim"].toInt(), index, gradient.to(sums.scalar_type()));
    } else {
      add_by_kernel(gradient.contiguous(), index, sums);
    }
    return {sums.to(dtype), Tensor(), Tensor()};
  }
};

}  // namespace

at::Tensor select_rows(const at::Tensor& rows, std::int64_t dim, const at::Tensor& index) {
  return records_gradients(rows) ? SelectFunction::apply(rows, dim, index) : rows.index_select(dim, index);
}

}  // namespace packseq::engine
