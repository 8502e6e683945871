#include "packseq/nn/lstm.hpp"

#include <tuple>

#include "nn/packed_run.hpp"
#include "packseq/nn/detail/cloned.hpp"

namespace packseq::nn {

Result LSTMImpl::forward(const PackedSequence& input, const State& state) {
  const detail::PackedRun run("LSTM::forward", input, options_base, flat_weights_);
  const std::int64_t output_size = options.proj_size() > 0 ? options.proj_size() : options.hidden_size();
  const at::Tensor h = run.initial("state.h", state.h, output_size);
  const at::Tensor c = run.initial("state.c", state.c, options.hidden_size());
  if (!run.has_tokens()) return run.result_of_nothing(output_size, {h, c});
  const auto [output, final] = forward_with_packed_input(run.input(), std::tuple(run.of_input(h), run.of_input(c)));
  const auto& [final_h, final_c] = final;
  return {run.output(output.data()), {run.final(final_h, h), run.final(final_c, c)}};
}

std::shared_ptr<torch::nn::Module> LSTMImpl::clone(const std::optional<at::Device>& device) const {
  return detail::cloned(*this, device);
}

}  // namespace packseq::nn
