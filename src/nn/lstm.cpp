#include "packseq/nn/lstm.hpp"

#include "nn/packed_run.hpp"
#include "packseq/nn/detail/cloned.hpp"

namespace packseq::nn {

Result LSTMImpl::forward(const PackedSequence& input, const State& state) {
  const detail::PackedRun run("LSTM::forward", input, options_base, flat_weights_);
  const std::int64_t output_size = options.proj_size() > 0 ? options.proj_size() : options.hidden_size();
  const at::Tensor h = run.initial("state.h", state.h, output_size);
  const at::Tensor c = run.initial("state.c", state.c, options.hidden_size());
  if (!run.has_tokens()) return run.result_of_nothing(output_size, {h, c});
  const auto [output, h_n, c_n] =
      run.run(engine::Cell::lstm, {run.of_input(h), run.of_input(c)}, engine, is_training());
  return {run.output(output), {run.final(h_n, h), run.final(c_n, c)}};
}

std::shared_ptr<torch::nn::Module> LSTMImpl::clone(const std::optional<at::Device>& device) const {
  return detail::cloned(*this, device);
}

}  // namespace packseq::nn
