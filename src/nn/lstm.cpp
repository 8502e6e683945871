#include "packseq/nn/lstm.hpp"

#include <tuple>

#include "nn/packed_run.hpp"

namespace packseq::nn {

LSTMResult LSTMImpl::forward(const PackedSequence& input, std::optional<LSTMState> state) {
  const detail::PackedRun run("LSTM::forward", input, options_base, flat_weights_.front());
  const std::int64_t output_size = options.proj_size() > 0 ? options.proj_size() : options.hidden_size();
  const at::Tensor h = run.sorted("state.h", state ? state->h : at::Tensor(), output_size);
  const at::Tensor c = run.sorted("state.c", state ? state->c : at::Tensor(), options.hidden_size());
  if (!run.has_tokens()) {
    const std::int64_t directions = options.bidirectional() ? 2 : 1;
    return {run.empty_output(directions * output_size), {run.output_state({}, h), run.output_state({}, c)}};
  }
  const auto [output, final] =
      forward_with_packed_input(run.input(), std::tuple(run.input_state(h), run.input_state(c)));
  return {run.output(output.data()),
          {run.output_state(std::get<0>(final), h), run.output_state(std::get<1>(final), c)}};
}

std::shared_ptr<torch::nn::Module> LSTMImpl::clone(const std::optional<at::Device>& device) const {
  return detail::cloned(*this, device);
}

}  // namespace packseq::nn
