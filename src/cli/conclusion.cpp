#include "cli/conclusion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace packseq::cli {
namespace {

/// Null if it was not run.
const Result* find(const std::vector<Result>& results, const char* contender) {
  const auto found =
      std::find_if(results.begin(), results.end(), [&](const Result& result) { return result.contender == contender; });
  return found == results.end() ? nullptr : &*found;
}

bool within(double value, const Seconds& range) { return range.min <= value && value <= range.max; }

std::string times(double ratio) { return fmt::format("{:.{}f} times", ratio, ratio < 9.95 ? 1 : 0); }

/// What packing leaves out, as the beginning of the sentence.
std::string skipped(const Result& padded, const Result& packed) {
  if (packed.executed_flops == padded.executed_flops) return "there is no padding to skip";
  const double part = 1 - static_cast<double>(packed.executed_flops) / static_cast<double>(padded.executed_flops);
  const std::string percent = part < 0.01 ? "less than 1" : fmt::format("{:.0f}", std::floor(100 * part));
  return fmt::format("packing skips {} % of the multiplications", percent);
}

/// What that does to the time, as the rest of the sentence.
std::string effect(const Result& padded, const Result& packed) {
  const bool skips = packed.executed_flops < padded.executed_flops;
  const double ratio = packed.seconds.median / padded.seconds.median;
  switch (speed(packed.seconds, padded.seconds)) {
    case Speed::faster:
      return fmt::format("{} {} as fast as padded", skips ? " and is" : ", yet packed is", times(1 / ratio));
    case Speed::slower:
      return fmt::format(", {} LibTorch's packed path takes {} as long as its padded one", skips ? "yet" : "and",
                         times(ratio));
    case Speed::same:
      break;
  }
  return skips ? ", yet takes about as long as padded" : ", and packed takes about as long as padded";
}

/// A third contender that beats both, if there is one that computes the same.
const Result* better_than_both(const std::vector<Result>& results, const Result& padded, const Result& packed) {
  const Result* best = nullptr;
  for (const Result& result : results) {
    const bool beats_both = speed(result.seconds, padded.seconds) == Speed::faster &&
                            speed(result.seconds, packed.seconds) == Speed::faster;
    if (!result.equivalent || !beats_both) continue;
    if (best == nullptr || result.seconds.median < best->seconds.median) best = &result;
  }
  return best;
}

/// What the engine gains, or loses, by rounding factors; nothing where it did not run both.
std::string gain_of_bfloat16(const Result* fused, const Result* bfloat16) {
  if (fused == nullptr || bfloat16 == nullptr) return {};
  const double ratio = bfloat16->seconds.median / fused->seconds.median;
  switch (speed(bfloat16->seconds, fused->seconds)) {
    case Speed::faster:
      return fmt::format(" With products of bfloat16, fused is {} as fast.", times(1 / ratio));
    case Speed::slower:
      return fmt::format(" With products of bfloat16, fused takes {} as long.", times(ratio));
    case Speed::same:
      break;
  }
  return " With products of bfloat16, fused takes about as long.";
}

/// What it gains to compute common beginnings once, where it does.
std::string gain_of_sharing(const Result* dedup, const Result* shared) {
  if (dedup == nullptr || shared == nullptr || speed(shared->seconds, dedup->seconds) != Speed::faster) return {};
  return fmt::format(
      " Documents begin alike: where each beginning is computed once, fused+shared is {} as fast as "
      "fused+dedup.",
      times(dedup->seconds.median / shared->seconds.median));
}

}  // namespace

Speed speed(const Seconds& seconds, const Seconds& other) {
  const double ratio = seconds.median / other.median;
  if (std::abs(ratio - 1) <= 0.05) return Speed::same;
  if (within(seconds.median, other) && within(other.median, seconds)) return Speed::same;
  return ratio < 1 ? Speed::faster : Speed::slower;
}

std::string conclusion(const std::vector<Result>& results) {
  const Result& padded = *find(results, "padded");
  const Result& packed = *find(results, "packed");
  std::string sentence = fmt::format("In {}, {}{}", padded.mode == cost::Mode::inference ? "inference" : "training",
                                     skipped(padded, packed), effect(padded, packed));
  if (const Result* best = better_than_both(results, padded, packed)) {
    sentence += fmt::format("; fastest is {}, {} as fast as padded", best->contender,
                            times(padded.seconds.median / best->seconds.median));
  }
  return sentence + "." + gain_of_sharing(find(results, "fused+dedup"), find(results, "fused+shared")) +
         gain_of_bfloat16(find(results, "fused"), find(results, "bfloat16"));
}

}  // namespace packseq::cli
