#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>

#include "cli/program.hpp"

namespace packseq::test {

/// A directory laid out as /sys/class/powercap.
class Powercap {
 public:
  static constexpr std::uint64_t range = 65'532'610'987;  ///< Microjoules, as AMD's have it.

  const std::filesystem::path& path() const { return directory_.path(); }

  /// A zone and what its counter stands at, in microjoules.
  void set(const std::string& zone, const std::string& name, const std::string& counter,
           std::uint64_t its_range = range) const {
    std::filesystem::create_directories(path() / zone);
    write(zone + "/name", name);
    write(zone + "/max_energy_range_uj", std::to_string(its_range));
    write(zone + "/energy_uj", counter);
  }
  void set(const std::string& zone, const std::string& name, std::uint64_t microjoules) const {
    set(zone, name, std::to_string(microjoules));
  }

 private:
  /// In one step, as others may be reading.
  void write(const std::string& file, const std::string& line) const {
    std::filesystem::rename(directory_.write("new", line + "\n"), path() / file);
  }

  TemporaryDirectory directory_;
};

/// One package whose counter moves.
class MovingPowercap {
 public:
  /// It takes `watts`, and each second `more` than in the one before.
  explicit MovingPowercap(double watts, double more = 0) : watts_(watts), more_(more) {
    set(0);
    thread_ = std::thread([this] { move(); });
  }
  ~MovingPowercap() {
    ends_ = true;
    thread_.join();
  }
  MovingPowercap(const MovingPowercap&) = delete;
  MovingPowercap& operator=(const MovingPowercap&) = delete;

  const std::filesystem::path& path() const { return directory_.path(); }

  /// From now on it takes this much.
  void take(double watts) { watts_ = watts; }

 private:
  void move() {
    double microjoules = 0;
    auto time = std::chrono::steady_clock::now();
    while (!ends_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      const auto now = std::chrono::steady_clock::now();
      const double seconds = std::chrono::duration<double>(now - time).count();
      time = now;
      watts_ = std::max(1.0, watts_ + more_ * seconds);
      microjoules += 1e6 * watts_ * seconds;
      set(microjoules);
    }
  }

  /// With a range that no pause of the test ends.
  void set(double microjoules) const {
    const auto counter = static_cast<std::uint64_t>(microjoules);
    directory_.set("intel-rapl:0", "package-0", std::to_string(counter), 1'000'000'000'000'000'000);
  }

  Powercap directory_;
  std::atomic<double> watts_;
  double more_;
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

}  // namespace packseq::test
