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

// Copies of packseq, of other versions perhaps, know nothing of each other but this operator: () -> int, the address of
// the switch. With another layout of `Switch` it must have another name.
constexpr auto* operator_space = "packseq_engine";
constexpr auto* operator_name = "switch";
constexpr auto* full_name = "packseq_engine::switch";

Switch own_switch;
std::atomic<Switch*> found_switch = nullptr;

/// LibTorch keeps the addresses of what is registered.
void keep_this_library_loaded() {
#if __has_include(<dlfcn.h>)
  Dl_info library = {};
  if (dladdr(&own_switch, &library) != 0) dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

/// Whether this copy was the first one.
bool register_own_switch() {
  alignas(torch::Library) static std::byte memory[sizeof(torch::Library)];
  // Nobody destroys it: see register_kernels.
  auto* const library =
      new (memory) torch::Library(torch::Library::FRAGMENT, operator_space, std::nullopt, __FILE__, __LINE__);
  try {
    library->def(operator_name, [] { return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(&own_switch)); });
    return true;
  } catch (const c10::Error&) {  // there is one of this name
    return false;
  }
}

}  // namespace

Switch* find_switch() noexcept {
  auto* found = found_switch.load(std::memory_order_acquire);
  if (found != nullptr) return found;
  const auto handle = c10::Dispatcher::singleton().findSchema({full_name, ""});
  // A copy that is just being registered may have a name, and no kernel yet.
  if (!handle || !handle->hasKernelForDispatchKey(c10::DispatchKey::CompositeImplicitAutograd)) return nullptr;
  // Nobody's modes, of Python's for instance, have a say in this.
  const c10::impl::ForceDispatchKeyGuard plain({}, {});
  found = reinterpret_cast<Switch*>(static_cast<std::intptr_t>(handle->typed<std::int64_t()>().call()));
  found_switch.store(found, std::memory_order_release);
  return found;
}

Switch& process_switch(void (*register_kernels)()) {
  static Switch& known = [=]() -> Switch& {
    if (find_switch() == nullptr && register_own_switch()) {
      keep_this_library_loaded();
      register_kernels();
    }
    while (find_switch() == nullptr) std::this_thread::yield();  // a thread of another copy is at it
    return *find_switch();
  }();
  return known;
}

}  // namespace packseq::engine
