#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>

#include "cli/energy_counters.hpp"
#include "cli/energy_meter.hpp"
#include "cli/powercap.hpp"

// Energy from counters, in directories laid out as Linux has them.

namespace packseq::cli {
namespace {

using test::Powercap;
using testing::HasSubstr;
using testing::StartsWith;

/// What `action` says of why it cannot measure.
std::string reason(const std::function<void()>& action) {
  try {
    action();
  } catch (const Unmeasurable& error) {
    return error.what();
  }
  return "none";
}

TEST(EnergyCounters, AddsPackagesAndNeitherPartsNorTheWhole) {
  const Powercap powercap;
  const auto set_all = [&](std::uint64_t microjoules) {
    powercap.set("intel-rapl:0", "package-0", microjoules);
    powercap.set("intel-rapl:0:0", "core", microjoules);
    powercap.set("intel-rapl:0:1", "dram", microjoules);
    powercap.set("intel-rapl:1", "package-1-die-0", 3 * microjoules);
    powercap.set("intel-rapl:1:0", "package-1-core", microjoules);
    powercap.set("intel-rapl:2", "psys", microjoules);
    powercap.set("intel-rapl-mmio:0", "package-0", microjoules);
  };
  std::filesystem::create_directory(powercap.path() / "intel-rapl");  // the kind of zones, which has no counter
  set_all(1'000'000);
  const EnergyCounters counters(powercap.path());
  EXPECT_EQ(counters.packages(), 2);
  const auto begin = counters.read();
  set_all(1'500'000);
  EXPECT_DOUBLE_EQ(counters.joules(begin, counters.read(), 1), 0.5 + 1.5);
  EXPECT_EQ(counters.joules(begin, begin, 1), 0);
}

TEST(EnergyCounters, GoesOnWhereACounterBeginsAnew) {
  const Powercap powercap;
  powercap.set("intel-rapl:0", "package-0", Powercap::range - 250'000);
  powercap.set("intel-rapl:1", "package-1", 5);
  const EnergyCounters counters(powercap.path());
  const auto begin = counters.read();
  powercap.set("intel-rapl:0", "package-0", 500'000);
  powercap.set("intel-rapl:1", "package-1", 1'000'005);
  EXPECT_DOUBLE_EQ(counters.joules(begin, counters.read(), 60), 0.75 + 1);
}

TEST(EnergyCounters, RefusesATimeInWhichOneMayBeginAnewTwice) {
  const Powercap powercap;
  powercap.set("intel-rapl:0", "package-0", 5);
  const EnergyCounters counters(powercap.path());
  const auto begin = counters.read();
  EXPECT_EQ(reason([&] { counters.joules(begin, begin, 70); }),
            "in the 70 s of a pass, a counter that begins anew after 65.5 kJ may do so twice; fewer --max-batches make "
            "it shorter");
}

TEST(EnergyCounters, AreNoneWhereThereAreNoPackages) {
  EXPECT_EQ(EnergyCounters("/no/such/directory").packages(), 0);
  const Powercap powercap;
  EXPECT_EQ(EnergyCounters(powercap.path()).packages(), 0);
  powercap.set("intel-rapl:0", "psys", 1);
  EXPECT_EQ(EnergyCounters(powercap.path()).packages(), 0);
}

/// For a while, this is a user who is not root.
class AsNobody {
 public:
  AsNobody() : is_root_(geteuid() == 0), works_(!is_root_ || seteuid(65'534) == 0) {}
  ~AsNobody() {
    if (is_root_ && works_ && seteuid(0) != 0) std::abort();
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

  bool works() const { return works_; }

 private:
  bool is_root_;
  bool works_;
};

TEST(EnergyCounters, TellsHowToOpenWhatIsRootsAlone) {
  const Powercap powercap;
  powercap.set("intel-rapl:0", "package-0", 1);
  ASSERT_EQ(chmod(powercap.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod((powercap.path() / "intel-rapl:0" / "energy_uj").c_str(), 0), 0);
  const AsNobody nobody;
  if (!nobody.works()) GTEST_SKIP() << "root cannot be somebody else here, and reads everything";
  EXPECT_EQ(reason([&] { EnergyCounters{powercap.path()}; }),
            "the counters are root's alone, since 2020; sudo chmod a+r " + powercap.path().string() +
                "/intel-rapl:*/energy_uj opens them until the next start");
}

TEST(EnergyCounters, TellsWhatIsWrongWithOne) {
  const Powercap powercap;
  for (const std::string wrong : {"", "-5", "12 W", "1e6", "99999999999999999999"}) {
    powercap.set("intel-rapl:0", "package-0", wrong);
    EXPECT_THAT(reason([&] { EnergyCounters{powercap.path()}; }),
                testing::EndsWith("/intel-rapl:0/energy_uj holds '" + wrong + "', not a number of microjoules"));
  }
  std::filesystem::remove(powercap.path() / "intel-rapl:0" / "energy_uj");
  EXPECT_THAT(reason([&] { EnergyCounters{powercap.path()}; }),
              HasSubstr("/intel-rapl:0/energy_uj cannot be read (No such file or directory)"));
  std::filesystem::create_directory(powercap.path() / "intel-rapl:0" / "energy_uj");
  EXPECT_THAT(reason([&] { EnergyCounters{powercap.path()}; }), HasSubstr("cannot be read (Is a directory)"));
}

TEST(EnergyMeter, KnowsNothingWhereThereAreNoCounters) {
  EnergyMeter meter("/no/such/directory");
  meter.begin();
  EXPECT_EQ(meter.end(), std::nullopt);
  EXPECT_FALSE(meter.metering().measured());
  EXPECT_EQ(meter.metering().failure, "");
}

TEST(EnergyMeter, TellsThatCountersStandStill) {
  const Powercap powercap;
  powercap.set("intel-rapl:0", "package-0", 7);
  EnergyMeter meter(powercap.path());
  EXPECT_FALSE(meter.metering().measured());
  EXPECT_THAT(meter.metering().failure, StartsWith("the counters stand still"));
  meter.begin();
  EXPECT_EQ(meter.end(), std::nullopt);
}

TEST(EnergyMeter, SubtractsWhatTheIdleMachineTakes) {
  test::MovingPowercap powercap(100);
  EnergyMeter meter(powercap.path());
  EXPECT_EQ(meter.metering().packages, 1);
  EXPECT_NEAR(meter.metering().idle_watts, 100, 20);
  powercap.take(300);
  const auto begin = std::chrono::steady_clock::now();
  meter.begin();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const auto joules = meter.end();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  ASSERT_TRUE(joules.has_value()) << meter.metering().failure;
  EXPECT_NEAR(*joules / seconds, 200, 60);
}

TEST(EnergyMeter, StopsWhereACounterIsGone) {
  auto powercap = std::make_unique<test::MovingPowercap>(100);
  EnergyMeter meter(powercap->path());
  ASSERT_TRUE(meter.metering().measured()) << meter.metering().failure;
  meter.begin();
  powercap.reset();
  EXPECT_EQ(meter.end(), std::nullopt);
  EXPECT_THAT(meter.metering().failure, HasSubstr("cannot be read (No such file or directory)"));
}

}  // namespace
}  // namespace packseq::cli
