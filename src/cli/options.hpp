#pragma once

#include <CLI/App.hpp>

#include "cli/compare.hpp"
#include "cli/show.hpp"

namespace packseq::cli {

/// Adds what `packseq show` understands; parsing fills `options`, which must outlive `app`.
void add_show_options(CLI::App& app, ShowOptions& options);

/// Adds what `packseq compare` understands; parsing fills `options`, which must outlive `app`.
void add_compare_options(CLI::App& app, CompareOptions& options);

}  // namespace packseq::cli
