// For what reads sizes from a file.

#include <cstddef>
#include <cstdlib>
#include <new>

// A size may ask for more memory than there is. That is an exception, but the sanitizer's own `new` would end the
// process.
void* operator new(std::size_t size) {
  void* const memory = std::malloc(size);
  return memory != nullptr ? memory : throw std::bad_alloc();
}

// LibTorch also leaks its reader where an archive is none.
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1:max_allocation_size_mb=256:alloc_dealloc_mismatch=0:detect_leaks=0";
}
