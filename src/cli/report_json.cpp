#include "cli/report_json.hpp"

#include <fmt/format.h>
#include <torch/version.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "packseq/version.hpp"
#include "text/replaced_file.hpp"

namespace packseq::cli {
namespace {

using Json = nlohmann::ordered_json;

const char* name(cost::Kind kind) {
  switch (kind) {
    case cost::Kind::lstm:
      return "lstm";
    case cost::Kind::gru:
      return "gru";
    case cost::Kind::rnn:
      break;
  }
  return "rnn";
}

const char* name(Order order) {
  switch (order) {
    case Order::shuffled:
      return "shuffled";
    case Order::as_is:
      return "as-is";
    case Order::text:
      return "text";
    case Order::sorted:
      break;
  }
  return "sorted";
}

const char* name(engine::Precision precision) {
  return precision == engine::Precision::bfloat16 ? "bfloat16" : "float32";
}

/// Null where it is not known.
Json known(const std::optional<double>& number) { return number ? Json(*number) : Json(); }

Json to_json(const Energy& energy) {
  return {{"measured", known(energy.measured)}, {"projected", known(energy.projected)}};
}

Json to_json(const Consumption& consumption) {
  return {{"core_hours", consumption.core_hours},
          {"joules", to_json(consumption.energy)},
          {"cost", known(consumption.cost)}};
}

Json to_json(const Metering& metering) {
  return {{"packages", metering.packages},
          {"idle_watts", metering.measured() ? Json(metering.idle_watts) : Json()},
          {"failure", metering.failure.empty() ? Json() : Json(metering.failure)}};
}

Json to_json(const Comparison& comparison, const Result& result) {
  return {{"contender", result.contender},
          {"mode", result.mode == cost::Mode::inference ? "inference" : "training"},
          {"precision", name(result.precision)},
          {"equivalent", result.equivalent},
          {"seconds", {{"median", result.seconds.median}, {"min", result.seconds.min}, {"max", result.seconds.max}}},
          {"executed_flops", result.executed_flops},
          {"useful_flops", result.useful_flops},
          {"activation_bytes", result.activation_bytes},
          {"tokens_per_second", result.tokens_per_second},
          {"joules", to_json(comparison.in_pass(result).energy)},
          {"at_scale", to_json(comparison.at_scale(result))}};
}

Json to_json(const Comparison& comparison) {
  const CompareOptions& options = comparison.options;
  const Agreement& exact = comparison.agreements.at(engine::Precision::float32);
  Json json = {
      {"text",
       {{"documents", comparison.documents},
        {"tokens", comparison.tokens},
        {"vocabulary", comparison.distinct_tokens}}},
      {"batches", comparison.batches},
      {"batch", *options.batch},
      {"order", name(options.order)},
      {"seed", options.measure.seed},
      {"repeats", options.measure.repeats},
      {"fill", comparison.fill()},
      {"model",
       {{"kind", name(options.network.kind)},
        {"embedding", options.network.input_size},
        {"hidden", options.network.hidden_size},
        {"layers", options.network.num_layers},
        {"bidirectional", options.network.bidirectional}}},
      {"precision", options.precisions.size() > 1 ? "both" : name(options.precisions.front())},
      {"threads", options.threads},
      {"versions", {{"packseq", PACKSEQ_VERSION}, {"libtorch", TORCH_VERSION}, {"compiler", PACKSEQ_COMPILER}}},
      {"max_abs_difference", exact.max_abs_difference},
      {"max_gradient_difference", exact.max_gradient_difference},
      {"counters", to_json(comparison.metering)},
      {"scale",
       {{"documents", options.scale.documents_or_default()},
        {"tokens_per_document", comparison.mean_length()},
        {"watts_per_core", known(options.scale.watts)},
        {"price_per_core_hour", known(options.scale.price)}}},
      {"results", Json::array()}};
  if (const auto rounded = comparison.agreements.find(engine::Precision::bfloat16);
      rounded != comparison.agreements.end()) {
    json["bfloat16"] = {{"has_instructions", comparison.has_bfloat16_instructions},
                        {"max_abs_difference", rounded->second.max_abs_difference},
                        {"max_gradient_difference", rounded->second.max_gradient_difference}};
  }
  for (const Result& result : comparison.results) json["results"].push_back(to_json(comparison, result));
  return json;
}

/// A write of the file, whose errors tell which option names it.
template <class Write>
void replace(const std::filesystem::path& path, const Write& write) {
  try {
    packseq::detail::ReplacedFile file(path);
    write(file);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("--json {}", error.what()));
  }
}

}  // namespace

JsonFile::JsonFile(const std::filesystem::path& path) : path_(path) {
  replace(path_, [](const auto&) {});  // which leaves it as it is
}

void JsonFile::write(const Comparison& comparison) const {
  replace(path_, [&](auto& file) {
    file.write(to_json(comparison).dump(2) + '\n');
    file.commit();
  });
}

}  // namespace packseq::cli
