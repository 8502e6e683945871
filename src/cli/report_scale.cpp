#include "cli/report_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace packseq::cli {
namespace {

constexpr std::size_t name_columns = 17;
constexpr double joules_per_kwh = 3.6e6;

/// A column of the table, for each mode.
struct ScaleColumn {
  std::string name;
  std::size_t columns;
  double (*of)(const Consumption&);
};

/// With three digits or more, in up to 8 columns: one less than a column has.
std::string amount(double number) {
  if (number >= 999.5e15) return fmt::format("{:.2e}", number);
  if (number >= 999'500) return with_prefix(number);
  if (number >= 99.95) return grouped(std::llround(number));
  return number == 0 ? "0" : fmt::format("{:#.3g}", number);
}

bool has_energy(const Comparison& comparison) {
  return comparison.options.scale.watts || comparison.metering.measured();
}

bool has_scale(const Comparison& comparison) {
  const ScaleOptions& options = comparison.options.scale;
  return options.documents || options.price || has_energy(comparison);
}

/// Small ones are given in joules.
bool in_kwh(const Comparison& comparison) {
  return std::any_of(comparison.results.begin(), comparison.results.end(), [&](const Result& result) {
    return comparison.at_scale(result).energy.best().value_or(0) >= joules_per_kwh;
  });
}

std::vector<ScaleColumn> scale_columns(const Comparison& comparison) {
  std::vector<ScaleColumn> columns = {{"core-hours", 12, [](const Consumption& all) { return all.core_hours; }}};
  if (has_energy(comparison) && in_kwh(comparison)) {
    columns.push_back({"kWh", 9, [](const Consumption& all) { return all.energy.best().value() / joules_per_kwh; }});
  } else if (has_energy(comparison)) {
    columns.push_back({"J", 9, [](const Consumption& all) { return all.energy.best().value(); }});
  }
  if (comparison.options.scale.price) {
    columns.push_back({"cost", 9, [](const Consumption& all) { return all.cost.value(); }});
  }
  return columns;
}

/// The results of a contender, one in each mode that it runs in.
using ResultsOfOne = std::map<cost::Mode, const Result*>;

/// By contender, in their order.
std::vector<ResultsOfOne> by_contender(const Comparison& comparison) {
  std::vector<ResultsOfOne> all;
  for (const Result& result : comparison.results) {
    const auto known = std::find_if(all.begin(), all.end(), [&](const ResultsOfOne& one) {
      return one.begin()->second->contender == result.contender;
    });
    (known == all.end() ? all.emplace_back() : *known)[result.mode] = &result;
  }
  return all;
}

std::string scale_row(const Comparison& comparison, const ResultsOfOne& results,
                      const std::vector<ScaleColumn>& columns) {
  const Result& first = *results.begin()->second;
  std::string text = left("  " + first.contender + (first.equivalent ? "" : "*"), name_columns);
  for (const cost::Mode mode : comparison.options.modes) {
    const auto result = results.find(mode);
    for (const ScaleColumn& column : columns) {
      const bool runs = result != results.end();
      text += right(runs ? amount(column.of(comparison.at_scale(*result->second))) : "-", column.columns);
    }
  }
  return text + "\n";
}

}  // namespace

std::string scale_table(const Comparison& comparison, const Theme& theme) {
  if (!has_scale(comparison)) return {};
  const std::vector<ScaleColumn> columns = scale_columns(comparison);
  std::size_t mode_columns = 0;
  std::string names;
  for (const ScaleColumn& column : columns) {
    mode_columns += column.columns;
    names += right(column.name, column.columns);
  }
  std::string modes = left("At scale", name_columns);
  std::string header(name_columns, ' ');
  for (const cost::Mode mode : comparison.options.modes) {
    modes += right(mode == cost::Mode::inference ? "Inference" : "Training", mode_columns);
    header += names;
  }
  std::string text = fmt::format("\n{}\n{}\n", fmt::styled(modes, theme.heading), fmt::styled(header, theme.heading));
  for (const ResultsOfOne& results : by_contender(comparison)) text += scale_row(comparison, results, columns);
  return text;
}

std::string scale_legend(const Comparison& comparison) {
  const ScaleOptions& options = comparison.options.scale;
  const Metering& metering = comparison.metering;
  std::string text;
  if (has_scale(comparison)) {
    text = fmt::format("At scale: {} of this text's mean length, {:.1f} tokens, in the median time, with {}. ",
                       counted(options.documents_or_default(), "document"), comparison.mean_length(),
                       counted(comparison.busy_cores, "busy core"));
  }
  if (metering.measured()) {
    text += fmt::format(
        "Energy is measured by the counters of {}, less the {:.1f} W that the idle machine takes; "
        "memory, fans and losses of the power supply are not in it. ",
        counted(static_cast<std::int64_t>(metering.packages), "processor"), metering.idle_watts);
  } else if (options.watts) {
    text += fmt::format("Energy is projected: {} W for a busy core (--watts). ", *options.watts);
  }
  if (!metering.failure.empty()) {
    text += fmt::format("Energy is not measured: {}.{} ", metering.failure,
                        has_scale(comparison) && !options.watts ? " Or give --watts." : "");
  } else if (has_scale(comparison) && !has_energy(comparison)) {
    text += "Energy is not known: no counters of it can be read here; --watts projects it. ";
  }
  if (options.price) text += fmt::format("Cost is projected: {} for an hour of a core (--price).", *options.price);
  return text;
}

}  // namespace packseq::cli
