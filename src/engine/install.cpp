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
#include <utility>

#include "engine/check.hpp"
#include "engine/network.hpp"

namespace packseq::engine {
namespace {

std::atomic<bool> is_installed = false;
std::atomic<int> guards = 0;

/// As LibTorch's operators call their arguments; `hx` is a list for an LSTM alone.
Caller caller_of(const Network& network) {
  constexpr std::array functions = {"lstm", "gru", "rnn_tanh", "rnn_relu"};
  const bool is_lstm = network.cell == Cell::lstm;
  return {.function = functions[static_cast<std::size_t>(network.cell)],
          .data = network.batch_sizes.defined() ? "data" : "input",
          .states = {is_lstm ? "hx[0]" : "hx", "hx[1]"},
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

NetworkResult run_where_it_applies(const Network& network) {
  const bool applies = installed() && are_plain(network) && check_arguments_of_operator(network) &&
                       supports_tensors(network.data, network.states, network.parameters);
  return applies ? run_network(network) : run_network_in_libtorch(network);
}

using Output = std::tuple<at::Tensor, at::Tensor>;

Output without_cell_state(const Network& network) {
  auto [output, h_n, none] = run_where_it_applies(network);
  return {std::move(output), std::move(h_n)};
}

NetworkResult packed_lstm(const at::Tensor& data, const at::Tensor& batch_sizes, at::TensorList hx,
                          at::TensorList params, bool has_biases, std::int64_t num_layers, double dropout, bool train,
                          bool bidirectional) {
  return run_where_it_applies(
      {Cell::lstm, data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional});
}

NetworkResult padded_lstm(const at::Tensor& input, at::TensorList hx, at::TensorList params, bool has_biases,
                          std::int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first) {
  return run_where_it_applies(
      {Cell::lstm, input, {}, hx, params, has_biases, num_layers, dropout, train, bidirectional, {}, {}, batch_first});
}

template <Cell cell>
Output packed(const at::Tensor& data, const at::Tensor& batch_sizes, const at::Tensor& hx, at::TensorList params,
              bool has_biases, std::int64_t num_layers, double dropout, bool train, bool bidirectional) {
  return without_cell_state(
      {cell, data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional});
}

template <Cell cell>
Output padded(const at::Tensor& input, const at::Tensor& hx, at::TensorList params, bool has_biases,
              std::int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first) {
  return without_cell_state(
      {cell, input, {}, hx, params, has_biases, num_layers, dropout, train, bidirectional, {}, {}, batch_first});
}

template <Cell cell>
void register_cell(torch::Library& library, const std::string& name) {
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
    library->impl("lstm.data", packed_lstm);
    library->impl("lstm.input", padded_lstm);
    register_cell<Cell::gru>(*library, "gru");
    register_cell<Cell::rnn_tanh>(*library, "rnn_tanh");
    register_cell<Cell::rnn_relu>(*library, "rnn_relu");
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
