#pragma once

#include <cstdint>
#include <optional>

#include "cli/energy_meter.hpp"
#include "cli/measure.hpp"

namespace packseq::cli {

/// How many documents there are to run, and what the user knows of a core.
struct ScaleOptions {
  std::optional<std::int64_t> documents = {};  ///< If not set, a billion.
  std::optional<double> watts = {};            ///< That a busy core takes.
  std::optional<double> price = {};            ///< Of an hour of a core, in any currency.

  std::int64_t documents_or_default() const { return documents.value_or(1'000'000'000); }
};

/// In joules.
struct Energy {
  std::optional<double> measured;   ///< By the machine's counters.
  std::optional<double> projected;  ///< From the time of busy cores.

  /// The measured one, if there is one.
  std::optional<double> best() const { return measured ? measured : projected; }
};

/// What running something takes.
struct Consumption {
  double core_hours;
  Energy energy;
  std::optional<double> cost;  ///< In the currency of the price.
};

/// What a contender takes for `passes` passes on `busy_cores` cores: hours are those of the median pass, measured
/// joules those of the mean one, and the rest follows from core-hours.
Consumption consumption(const Result& result, double passes, int busy_cores, const ScaleOptions& options);

}  // namespace packseq::cli
