#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/contender.hpp"
#include "cli/energy_meter.hpp"

namespace packseq::cli {

/// The seconds that passes took.
struct Seconds {
  double median;
  double min;
  double max;
};

/// What a contender did in a mode, in one pass over all its batches.
struct Result {
  std::string contender;
  cost::Mode mode;
  engine::Precision precision;  ///< Of its products.
  bool equivalent;
  Seconds seconds;
  std::int64_t executed_flops;
  std::int64_t useful_flops;      ///< Those of real tokens.
  std::int64_t activation_bytes;  ///< Of the batch that needs most.
  double tokens_per_second;       ///< Real ones.
  std::optional<double> joules;   ///< The mean of the rounds, above the idle machine, where it can be measured.
};

/// How often, and with what random numbers.
struct MeasureOptions {
  std::int64_t repeats = 5;
  std::uint64_t seed = 1;
};

/// Times every contender in every mode, mode by mode in the given order.
///
/// After one pass to warm up, each of `repeats` rounds runs every contender once, in an order drawn anew, so that
/// what else the machine does falls on all of them alike. The `meter` is told to fail if what it measured is nothing.
/// @param report is called with what is being timed, for those who wait.
std::vector<Result> measure(Model& model, const Contenders& contenders, const std::vector<cost::Mode>& modes,
                            const MeasureOptions& options, EnergyMeter& meter,
                            const std::function<void(const std::string&)>& report);

}  // namespace packseq::cli
