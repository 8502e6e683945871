#include "engine/switch.hpp"

#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/util/Exception.h>
#include <torch/library.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <thread>

#if __has_include(<dlfcn.h>)
#include <dlfcn.h>
#endif

namespace packseq::engine {
namespace {

// Copies of packseq, of other versions perhaps, know nothing of each other but these operators: () -> int, the address
// of the switch, which is defined by the first copy alone; and one that is there once the engine is registered. With
// another layout of `Switch` they must have other names.
constexpr auto* operator_space = "packseq_engine";
constexpr auto* operator_name = "switch";
constexpr auto* full_name = "packseq_engine::switch";
constexpr auto* ready_name = "packseq_engine::switch_is_ready";

Switch own_switch;
std::atomic<Switch*> found_switch = nullptr;

/// LibTorch keeps the addresses of what is registered.
void keep_this_library_loaded() {
#if __has_include(<dlfcn.h>)
  Dl_info library = {};
  if (dladdr(&own_switch, &library) != 0) dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

/// Registers the engine of this copy and its switch, unless another copy has been first.
void register_own_switch(void (*register_kernels)()) {
  alignas(torch::Library) static std::byte memory[sizeof(torch::Library)];
  // Nobody destroys it: see register_kernels.
  auto* const library =
      new (memory) torch::Library(torch::Library::FRAGMENT, operator_space, std::nullopt, __FILE__, __LINE__);
  try {
    library->def(operator_name, [] { return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(&own_switch)); });
  } catch (const c10::Error&) {  // there is one of this name
    return;
  }
  keep_this_library_loaded();
  register_kernels();
  library->def("switch_is_ready() -> ()");
}

}  // namespace

Switch* find_switch() noexcept {
  auto* found = found_switch.load(std::memory_order_acquire);
  if (found != nullptr) return found;
  auto& dispatcher = c10::Dispatcher::singleton();
  if (!dispatcher.findOp({ready_name, ""})) return nullptr;  // which takes LibTorch's lock
  const auto handle = dispatcher.findSchema({full_name, ""});
  // Nobody's modes, of Python's for instance, have a say in this.
  const c10::impl::ForceDispatchKeyGuard plain({}, {});
  found = reinterpret_cast<Switch*>(static_cast<std::intptr_t>(handle->typed<std::int64_t()>().call()));
  found_switch.store(found, std::memory_order_release);
  return found;
}

Switch& process_switch(void (*register_kernels)()) {
  static Switch& known = [=]() -> Switch& {
    if (find_switch() == nullptr) register_own_switch(register_kernels);
    while (find_switch() == nullptr) std::this_thread::yield();  // a thread of another copy is at it
    return *find_switch();
  }();
  return known;
}

}  // namespace packseq::engine
