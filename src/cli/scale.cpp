#include "cli/scale.hpp"

namespace packseq::cli {

Consumption consumption(const Result& result, double passes, int busy_cores, const ScaleOptions& options) {
  const double core_seconds = passes * result.seconds.median * busy_cores;
  Consumption consumption{.core_hours = core_seconds / 3600, .energy = {}, .cost = {}};
  if (result.joules) consumption.energy.measured = passes * *result.joules;
  if (options.watts) consumption.energy.projected = core_seconds * *options.watts;
  if (options.price) consumption.cost = consumption.core_hours * *options.price;
  return consumption;
}

}  // namespace packseq::cli
