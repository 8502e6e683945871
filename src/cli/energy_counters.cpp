#include "cli/energy_counters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "cli/terminal.hpp"

namespace packseq::cli {
namespace {

/// More than any package takes: what a counter's range is held against.
constexpr double most_watts = 1000;

/// The first line, or nothing where `error` is set.
std::string first_line(const std::filesystem::path& file, int& error) {
  errno = 0;
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  error = stream.fail() ? errno : 0;
  return line;
}

std::uint64_t microjoules(const std::filesystem::path& file) {
  int error = 0;
  const std::string text = first_line(file, error);
  if (error == EACCES || error == EPERM) {
    throw Unmeasurable(
        fmt::format("the counters are root's alone, since 2020; sudo chmod a+r {}/intel-rapl:*/energy_uj opens them "
                    "until the next start",
                    file.parent_path().parent_path().string()));
  }
  if (error != 0) {
    throw Unmeasurable(fmt::format("{} cannot be read ({})", file.string(), std::generic_category().message(error)));
  }
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, wrong] = std::from_chars(text.data(), end, number);
  if (wrong != std::errc{} || rest != end) {
    throw Unmeasurable(fmt::format("{} holds '{}', not a number of microjoules", file.string(), clipped(text, 20)));
  }
  return number;
}

/// Zones are intel-rapl:0, of AMD, too; their parts intel-rapl:0:0. The platform's zone is named psys, and the same
/// packages come once more as intel-rapl-mmio:0.
bool is_package(const std::filesystem::path& zone) {
  constexpr std::string_view prefix = "intel-rapl:";
  const std::string name = zone.filename().string();
  if (!name.starts_with(prefix) || name.find(':', prefix.size()) != std::string::npos) return false;
  int ignored = 0;  // without a name it is not known to be one
  return first_line(zone / "name", ignored).starts_with("package");
}

}  // namespace

EnergyCounters::EnergyCounters(const std::filesystem::path& directory) {
  std::error_code error;  // where there is no such directory there are no counters
  for (std::filesystem::directory_iterator zone(directory, error), end; zone != end; zone.increment(error)) {
    if (!is_package(zone->path())) continue;
    counters_.push_back({zone->path() / "energy_uj", microjoules(zone->path() / "max_energy_range_uj")});
  }
  std::sort(counters_.begin(), counters_.end(),
            [](const Counter& one, const Counter& other) { return one.file < other.file; });
  read();
}

EnergyCounters::Reading EnergyCounters::read() const {
  Reading reading;
  for (const Counter& counter : counters_) reading.push_back(microjoules(counter.file));
  return reading;
}

double EnergyCounters::joules(const Reading& begin, const Reading& end, double seconds) const {
  double sum = 0;
  for (std::size_t index = 0; index < counters_.size(); ++index) {
    const std::uint64_t range = counters_[index].range;
    if (static_cast<double>(range) < seconds * most_watts * 1e6) {
      throw Unmeasurable(
          fmt::format("in the {:.0f} s of a pass, a counter that begins anew after {}J may do so twice; fewer "
                      "--max-batches make it shorter",
                      seconds, with_prefix(static_cast<double>(range) / 1e6)));
    }
    const bool began_anew = end[index] < begin[index];
    sum += static_cast<double>(end[index] - begin[index] + (began_anew ? range : 0)) / 1e6;
  }
  return sum;
}

}  // namespace packseq::cli
