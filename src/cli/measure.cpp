#include "cli/measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "cli/check.hpp"

namespace packseq::cli {
namespace {

void infer(const Contender& contender) {
  const torch::NoGradGuard no_grad;
  for (std::size_t batch = 0; batch < contender.batches().size(); ++batch) contender.forward(batch);
}

/// All of a training step that depends on the contender: the optimiser's part is the same for all of them.
void train(Model& model, const Contender& contender, double loss_scale) {
  for (std::size_t batch = 0; batch < contender.batches().size(); ++batch) {
    model.zero_grad();
    const NetworkResult result = contender.forward(batch);
    (contender.sum_of_squares(batch, result.output) * loss_scale).backward();
  }
}

struct Pass {
  double seconds;
  std::optional<double> joules;
};

Pass run_pass(Model& model, const Contender& contender, cost::Mode mode, EnergyMeter& meter) {
  const double scale = loss_scale(model, contender);
  meter.begin();
  const auto begin = std::chrono::steady_clock::now();
  if (mode == cost::Mode::inference) {
    infer(contender);
  } else {
    train(model, contender, scale);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return {seconds, meter.end()};
}

Seconds summary(const std::vector<Pass>& rounds) {
  std::vector<double> seconds;
  for (const Pass& pass : rounds) seconds.push_back(pass.seconds);
  std::sort(seconds.begin(), seconds.end());
  const std::size_t middle = seconds.size() / 2;
  const double median = seconds.size() % 2 == 1 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2;
  return {median, seconds.front(), seconds.back()};
}

/// A counter moves about once a millisecond, so that a pass gets up to that too much or too little: the mean of the
/// rounds evens that out, and their median does not.
std::optional<double> mean_joules(const std::vector<Pass>& rounds) {
  double sum = 0;
  for (const Pass& pass : rounds) {
    if (!pass.joules) return {};
    sum += *pass.joules;
  }
  return sum / static_cast<double>(rounds.size());
}

/// Joules of all contenders, or of none: they are there to be compared.
void check_joules(std::vector<Result>& results, EnergyMeter& meter) {
  constexpr double shortest_pass = 0.01;  // seconds, in which a counter moves ten times
  for (const Result& result : results) {
    if (!meter.metering().measured()) break;
    if (result.seconds.median < shortest_pass) {
      meter.fail(
          fmt::format("a pass of {} takes {:.2f} ms, in which the counters hardly move; more --max-batches make "
                      "it longer",
                      result.contender, 1000 * result.seconds.median));
    } else if (!(result.joules > 0.0)) {
      meter.fail(
          fmt::format("{} took no more power than the {:.1f} W before it, when the machine should have been idle",
                      result.contender, meter.metering().idle_watts));
    }
  }
  if (meter.metering().measured()) return;
  for (Result& result : results) result.joules.reset();
}

Result result_of(const Model& model, const Contender& contender, cost::Mode mode, const std::vector<Pass>& rounds) {
  Result result{contender.name(),   mode, contender.precision(), contender.equivalent(), summary(rounds), 0, 0, 0, 0,
                mean_joules(rounds)};
  std::int64_t tokens = 0;
  for (std::size_t batch = 0; batch < contender.batches().size(); ++batch) {
    const at::Tensor lengths = contender.lengths(batch);
    tokens += lengths.sum().item<std::int64_t>();
    result.useful_flops += flops(model.shape(), lengths, mode);
    result.executed_flops += contender.executed_flops(model.shape(), batch, mode);
    result.activation_bytes = std::max(result.activation_bytes, contender.activation_bytes(model.shape(), batch, mode));
  }
  result.tokens_per_second = static_cast<double>(tokens) / result.seconds.median;
  return result;
}

}  // namespace

std::vector<Result> measure(Model& model, const Contenders& contenders, const std::vector<cost::Mode>& modes,
                            const MeasureOptions& options, EnergyMeter& meter,
                            const std::function<void(const std::string&)>& report) {
  std::vector<Result> results;
  std::mt19937_64 random(options.seed);
  for (const cost::Mode mode : modes) {
    std::vector<std::size_t> order;
    for (std::size_t index = 0; index < contenders.size(); ++index) {
      if (contenders[index]->runs(mode)) order.push_back(index);
    }
    std::vector<std::vector<Pass>> rounds(contenders.size());
    for (std::int64_t round = 0; round <= options.repeats; ++round) {
      std::shuffle(order.begin(), order.end(), random);
      for (const std::size_t index : order) {
        report(fmt::format("{}: {}, {}", mode == cost::Mode::inference ? "inference" : "training",
                           round == 0 ? "warming up" : fmt::format("round {} of {}", round, options.repeats),
                           contenders[index]->name()));
        const Pass pass = run_pass(model, *contenders[index], mode, meter);
        if (round > 0) rounds[index].push_back(pass);
      }
    }
    model.zero_grad();
    std::sort(order.begin(), order.end());
    for (const std::size_t index : order) {
      results.push_back(result_of(model, *contenders[index], mode, rounds[index]));
    }
  }
  check_joules(results, meter);
  return results;
}

}  // namespace packseq::cli
