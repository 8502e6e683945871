#include "packseq/engine/install.hpp"

#include <ATen/TensorSubclassLikeUtils.h>
#include <c10/util/Exception.h>
#include <torch/library.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <new>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "engine/check.hpp"
#include "engine/network.hpp"
#include "engine/switch.hpp"

namespace packseq::engine {
namespace {

constexpr std::array operators = {"lstm", "gru", "rnn_tanh", "rnn_relu"};  // by their cells

/// As LibTorch's operators call their arguments; `hx` is a list for an LSTM alone.
Caller caller_of(const Network& network) {
  return {.function = operators[static_cast<std::size_t>(network.cell)],
          .data = network.is_padded() ? "input" : "data",
          .states = {network.cell == Cell::lstm ? "hx[0]" : "hx", "hx[1]"},
          .is_operator = true};
}

/// Of tensor subclasses, only LibTorch knows what their sizes mean.
bool are_plain(const Network& network) {
  return !at::isTensorSubclassLike(network.data) && !at::areAnyTensorSubclassLike(network.states) &&
         !at::areAnyTensorSubclassLike(network.parameters);
}

/// As the function of this name, but with LibTorch's one exception, RuntimeError in Python, since programs handle that.
bool check_arguments_of_operator(const Network& network) {
  try {
    return check_arguments(network, caller_of(network));
  } catch (const c10::Error& error) {
    TORCH_CHECK(false, error.what_without_backtrace());
  }
}

NetworkResult run_where_it_applies(Network network) {
  const bool applies = installed() && are_plain(network) && check_arguments_of_operator(network) &&
                       supports_tensors(network.data, network.states, network.parameters);
  if (!applies) return run_network_in_libtorch(network);
  network.precision = resolved(Precision::automatic, network.data.scalar_type());
  return run_network(network);
}

/// An LSTM has a list of states, and a cell state among its results.
template <Cell cell>
using States = std::conditional_t<cell == Cell::lstm, at::TensorList, const at::Tensor&>;

template <Cell cell>
auto results_of(const Network& network) {
  auto [output, h_n, c_n, layers] = run_where_it_applies(network);
  if constexpr (cell == Cell::lstm) {
    return std::make_tuple(std::move(output), std::move(h_n), std::move(c_n));
  } else {
    return std::make_tuple(std::move(output), std::move(h_n));
  }
}

template <Cell cell>
auto packed(const at::Tensor& data, const at::Tensor& batch_sizes, States<cell> hx, at::TensorList params,
            bool has_biases, std::int64_t num_layers, double dropout, bool train, bool bidirectional) {
  return results_of<cell>({cell, data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional});
}

template <Cell cell>
auto padded(const at::Tensor& input, States<cell> hx, at::TensorList params, bool has_biases, std::int64_t num_layers,
            double dropout, bool train, bool bidirectional, bool batch_first) {
  return results_of<cell>(
      {cell, input, {}, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first});
}

template <Cell cell>
void register_cell(torch::Library& library) {
  const std::string name = operators[static_cast<std::size_t>(cell)];
  library.impl((name + ".data").c_str(), packed<cell>);
  library.impl((name + ".input").c_str(), padded<cell>);
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
    register_cell<Cell::lstm>(*library);
    register_cell<Cell::gru>(*library);
    register_cell<Cell::rnn_tanh>(*library);
    register_cell<Cell::rnn_relu>(*library);
  }
}

}  // namespace

void install() { process_switch(register_kernels).is_installed.store(true, std::memory_order_relaxed); }

void uninstall() {
  if (auto* const found = find_switch()) found->is_installed.store(false, std::memory_order_relaxed);
}

bool installed() noexcept {
  const auto* const found = find_switch();
  return found != nullptr &&
         (found->is_installed.load(std::memory_order_relaxed) || found->guards.load(std::memory_order_relaxed) > 0);
}

InstallGuard::InstallGuard() { process_switch(register_kernels).guards.fetch_add(1, std::memory_order_relaxed); }

InstallGuard::~InstallGuard() { find_switch()->guards.fetch_sub(1, std::memory_order_relaxed); }

}  // namespace packseq::engine
