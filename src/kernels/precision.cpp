#include "kernels/precision.hpp"

#include <hwy/targets.h>

#include <atomic>

#if defined(__x86_64__)
#include <cpuid.h>
#elif PACKSEQ_HAS_BFDOT
#include <asm/hwcap.h>
#include <sys/auxv.h>
#ifndef HWCAP2_BF16  // as before Linux 5.6
#define HWCAP2_BF16 (1UL << 14)
#endif
#endif

namespace packseq::kernels {
namespace {

std::atomic<bool> is_switched_off = false;

/// AVX512-BF16, or BF16 of ARM. Whether the system knows AVX-512 Highway finds out; of its targets, better ones have
/// lower numbers.
bool cpu_has_bfloat16() noexcept {
#if defined(__x86_64__)
  if ((HWY_TARGETS & hwy::SupportedTargets() & (2 * HWY_AVX3 - 1)) == 0) return false;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & (1U << 5)) != 0;
#elif PACKSEQ_HAS_BFDOT
  return (getauxval(AT_HWCAP2) & HWCAP2_BF16) != 0;
#else
  return false;
#endif
}

}  // namespace

bool has_bfloat16_instructions() noexcept {
  // Once: every pass asks, and a virtual machine takes microseconds to answer.
  static const bool has = cpu_has_bfloat16();
  return has && !is_switched_off.load(std::memory_order_relaxed);
}

void switch_off_bfloat16_instructions(bool off) noexcept { is_switched_off.store(off, std::memory_order_relaxed); }

}  // namespace packseq::kernels
