#include "cli/energy_meter.hpp"

#include <thread>

namespace packseq::cli {
namespace {

constexpr std::chrono::milliseconds idle_time{500};

}  // namespace

EnergyMeter::EnergyMeter(const std::filesystem::path& directory) {
  try {
    counters_.emplace(directory);
    if (counters_->packages() == 0) return;
    metering_.packages = counters_->packages();
    find_idle_watts();
  } catch (const Unmeasurable& error) {
    fail(error.what());
  }
}

void EnergyMeter::begin() {
  if (!metering_.measured()) return;
  try {
    start();
  } catch (const Unmeasurable& error) {
    fail(error.what());
  }
}

std::optional<double> EnergyMeter::end() {
  if (!metering_.measured()) return {};
  try {
    const Interval interval = elapsed();
    return interval.joules - metering_.idle_watts * interval.seconds;
  } catch (const Unmeasurable& error) {
    fail(error.what());
    return {};
  }
}

void EnergyMeter::start() {
  time_ = Clock::now();
  reading_ = counters_->read();
}

EnergyMeter::Interval EnergyMeter::elapsed() const {
  const EnergyCounters::Reading reading = counters_->read();
  const double seconds = std::chrono::duration<double>(Clock::now() - time_).count();
  return {counters_->joules(reading_, reading, seconds), seconds};
}

void EnergyMeter::find_idle_watts() {
  start();
  std::this_thread::sleep_for(idle_time);
  const Interval interval = elapsed();
  if (interval.joules == 0) throw Unmeasurable("the counters stand still, as in some virtual machines");
  metering_.idle_watts = interval.joules / interval.seconds;
}

}  // namespace packseq::cli
