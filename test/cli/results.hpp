#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/program.hpp"
#include "cli/report_json.hpp"

namespace packseq::test {

/// What is written to the file of results.
inline nlohmann::json json_of(const cli::Comparison& comparison) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "results.json";
  cli::JsonFile(path).write(comparison);
  return nlohmann::json::parse(read_file(path));
}

}  // namespace packseq::test
