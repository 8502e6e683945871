#pragma once

#include <mutex>

#if __has_include(<pthread.h>)
#include <pthread.h>
#endif

namespace packseq::kernels {

/// Keeps a mutex of the whole process usable in processes that are forked while another thread holds it: that thread is
/// not in them, and they would wait for it for ever.
template <std::mutex& (*mutex)()>
void keep_usable_in_forks() {
#if __has_include(<pthread.h>)
  pthread_atfork([] { mutex().lock(); }, [] { mutex().unlock(); }, [] { mutex().unlock(); });
#endif
}

}  // namespace packseq::kernels
