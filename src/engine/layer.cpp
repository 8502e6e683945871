#include "engine/layer.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/macros/Macros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>

#include "engine/autograd.hpp"
#include "engine/layer_passes.hpp"
#include "engine/network.hpp"

namespace packseq::engine {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;
using torch::autograd::AutogradContext;

/// The tensors of a layer that can have gradients, in one list, and back.
Tensors variables(const Layer& layer) {
  Tensors all = {layer.data, layer.h_0};
  if (layer.c_0.defined()) all.push_back(layer.c_0);
  all.insert(all.end(), layer.parameters.begin(), layer.parameters.end());
  return all;
}

Layer with_variables(Layer layer, at::TensorList variables) {
  const bool has_cells = layer.cell == Cell::lstm;
  layer.data = variables[0];
  layer.h_0 = variables[1];
  layer.c_0 = has_cells ? variables[2] : Tensor();
  layer.parameters.assign(variables.begin() + (has_cells ? 3 : 2), variables.end());
  return layer;
}

Tensors results(const LayerResult& result) {
  Tensors all = {result.output};
  if (result.h_n.defined()) all.push_back(result.h_n);
  if (result.c_n.defined()) all.push_back(result.c_n);
  if (result.cells.defined()) all.push_back(result.cells);
  return all;
}

/// And back, from those of a layer.
LayerResult as_result(const Layer& layer, const Tensors& all) {
  if (layer.has_trie()) return {all[0], {}, {}, all.size() > 1 ? all[1] : Tensor()};
  return {all[0], all[1], all.size() > 2 ? all[2] : Tensor(), all.size() > 3 ? all[3] : Tensor()};
}

/// A tensor without memory that has the version of another.
Tensor sharing_version_of(const Tensor& tensor) {
  Tensor result = at::empty({0});
  result.unsafeGetTensorImpl()->set_version_counter(tensor.unsafeGetTensorImpl()->version_counter());
  return result;
}

class LayerFunction : public torch::autograd::Function<LayerFunction> {
 public:
  static Tensors forward(AutogradContext* context, at::TensorList inputs, const Layer& original) {
    const Layer layer = contiguous(original);
    context->set_materialize_grads(false);  // else whatever results nobody uses have zeros for every token
    const Kept kept = make_kept(layer);
    const LayerResult result = run_forward(layer, kept);
    Tensors saved = inputs.vec();
    // Results without their version, which would refuse what programs may do with LibTorch's: to change them in place.
    saved.insert(saved.end(), {layer.trie.batch_sizes, layer.trie.paths, layer.trie.nodes, layer.trie.tokens});
    saved.insert(saved.end(), {savable(layer.index), savable(layer.batch_sizes), result.output.variable_data(),
                               kept.gates, layer.keeps_cells ? kept.cells.variable_data() : kept.cells});
    context->save_for_backward(std::move(saved));
    context->saved_data["output_version"] = sharing_version_of(result.output);
    if (layer.keeps_cells) context->saved_data["cells_version"] = sharing_version_of(result.cells);
    context->saved_data["keeps_cells"] = layer.keeps_cells;
    // The rest as plain values: compiled autograd hashes what is saved.
    context->saved_data["cell"] = static_cast<std::int64_t>(layer.cell);
    context->saved_data["has_biases"] = layer.has_biases;
    context->saved_data["bidirectional"] = layer.bidirectional;
    context->saved_data["batch_first"] = layer.batch_first;
    context->saved_data["precision"] = static_cast<std::int64_t>(layer.precision);
    return results(result);
  }

  static Tensors backward(AutogradContext* context, Tensors gradients) {
    // The forward pass ran without autocast, and so must the products here.
    const c10::impl::ExcludeDispatchKeyGuard without_autocast(c10::autocast_dispatch_keyset);
    Tensors saved = context->get_saved_variables();
    Kept kept = {saved[saved.size() - 2], saved[saved.size() - 1]};
    Tensor output = saved[saved.size() - 3];
    Layer layer;
    layer.batch_sizes = saved[saved.size() - 4];
    layer.index = saved[saved.size() - 5];
    layer.trie = {saved[saved.size() - 9], saved[saved.size() - 8], saved[saved.size() - 7], saved[saved.size() - 6]};
    layer.cell = static_cast<Cell>(context->saved_data["cell"].toInt());
    layer.has_biases = context->saved_data["has_biases"].toBool();
    layer.bidirectional = context->saved_data["bidirectional"].toBool();
    layer.batch_first = context->saved_data["batch_first"].toBool();
    layer.precision = static_cast<Precision>(context->saved_data["precision"].toInt());
    layer.keeps_cells = context->saved_data["keeps_cells"].toBool();
    saved.resize(saved.size() - 9);
    layer = with_variables(std::move(layer), saved);
    Tensors result;
    if (std::ranges::none_of(gradients, &Tensor::defined)) {
      result.resize(saved.size());
    } else if (at::GradMode::is_enabled() || are_beyond_the_engine(gradients)) {
      const auto run = [&layer](const Tensors& inputs) {
        return results(run_layer_in_libtorch(with_variables(layer, inputs)));
      };
      result = gradients_in_libtorch(variables(layer), run, gradients);
    } else {
      std::vector<bool> needed;
      for (std::size_t i = 0; i < saved.size(); ++i) needed.push_back(context->needs_input_grad(i));
      layer = contiguous(std::move(layer));
      // What has been changed since is computed once more.
      const auto changed = [&](const char* version) { return context->saved_data[version].toTensor()._version() > 0; };
      const bool is_changed = changed("output_version") || (layer.keeps_cells && changed("cells_version"));
      if (is_changed) {
        if (layer.keeps_cells) kept.cells = at::empty_like(kept.cells);
        output = run_forward(layer, {{}, layer.keeps_cells ? kept.cells : Tensor()}).output;
      }
      result = run_backward(layer, output, kept, gradients, needed);
    }
    result.emplace_back();  // of the layer
    return result;
  }
};

// LibTorch's `apply` reserves an empty vector of bool, and gcc 14 warns of how its contents are moved.
C10_DIAGNOSTIC_PUSH_AND_IGNORED_IF_DEFINED("-Warray-bounds")
C10_DIAGNOSTIC_PUSH_AND_IGNORED_IF_DEFINED("-Wstringop-overflow")
Tensors apply_function(const Tensors& inputs, const Layer& layer) {
  return LayerFunction::apply(at::TensorList(inputs), layer);
}
C10_DIAGNOSTIC_POP()
C10_DIAGNOSTIC_POP()

}  // namespace

LayerResult run_layer(Layer layer) {
  if (!records_gradients(variables(layer))) return run_forward(layer, {});
  // As LibTorch saves a copy of what is not [T, B, I] in memory, programs may change their own.
  layer.data = layer.data.contiguous();
  const Tensors inputs = variables(layer);
  if (has_inference_tensors(inputs)) return run_layer_in_libtorch(layer);
  return as_result(layer, apply_function(inputs, layer));
}

}  // namespace packseq::engine
