#include "packseq/engine/install.hpp"

#include <torch/library.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <new>

#include "engine/network.hpp"

namespace packseq::engine {
namespace {

std::atomic<bool> is_installed = false;
std::atomic<int> guards = 0;

NetworkResult run_where_it_applies(const Network& network) {
  const bool applies =
      installed() && supports_tensors(network.data, network.states, network.parameters) && is_well_formed(network);
  return applies ? run_network(network) : run_network_in_libtorch(network);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> lstm(const at::Tensor& data, const at::Tensor& batch_sizes,
                                                    at::TensorList states, at::TensorList parameters, bool has_biases,
                                                    std::int64_t num_layers, double dropout, bool train,
                                                    bool bidirectional) {
  return run_where_it_applies(
      {Cell::lstm, data, batch_sizes, states, parameters, has_biases, num_layers, dropout, train, bidirectional});
}

template <Cell cell>
std::tuple<at::Tensor, at::Tensor> without_cell_state(const at::Tensor& data, const at::Tensor& batch_sizes,
                                                      const at::Tensor& h_0, at::TensorList parameters, bool has_biases,
                                                      std::int64_t num_layers, double dropout, bool train,
                                                      bool bidirectional) {
  const auto [output, h_n, none] = run_where_it_applies(
      {cell, data, batch_sizes, h_0, parameters, has_biases, num_layers, dropout, train, bidirectional});
  return {output, h_n};
}

/// Registers the engine for the life of the process: to take a kernel away while another thread runs it would crash
/// LibTorch, so that nobody destroys these libraries.
void register_kernels() {
  // On the CPU alone, LibTorch would think that there is no gradient; there is where inference mode arrives.
  constexpr std::array keys = {c10::DispatchKey::CPU, c10::DispatchKey::AutogradCPU};
  alignas(torch::Library) static std::array<std::byte, sizeof(torch::Library)> memory[keys.size()];
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto* const library =
        new (memory[i].data()) torch::Library(torch::Library::IMPL, "aten", keys[i], __FILE__, __LINE__);
    library->impl("lstm.data", lstm);
    library->impl("gru.data", without_cell_state<Cell::gru>);
    library->impl("rnn_tanh.data", without_cell_state<Cell::rnn_tanh>);
    library->impl("rnn_relu.data", without_cell_state<Cell::rnn_relu>);
  }
}

void register_once() { [[maybe_unused]] static const bool registered = (register_kernels(), true); }

}  // namespace

void install() {
  register_once();
  is_installed.store(true, std::memory_order_relaxed);
}

void uninstall() { is_installed.store(false, std::memory_order_relaxed); }

bool installed() noexcept {
  return is_installed.load(std::memory_order_relaxed) || guards.load(std::memory_order_relaxed) > 0;
}

InstallGuard::InstallGuard() {
  register_once();
  guards.fetch_add(1, std::memory_order_relaxed);
}

InstallGuard::~InstallGuard() { guards.fetch_sub(1, std::memory_order_relaxed); }

}  // namespace packseq::engine
