#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <ios>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/report_json.hpp"
#include "packseq/version.hpp"

namespace packseq::cli {
namespace {

constexpr int success = 0;
constexpr int failure = 1;
constexpr int wrong_use = 2;

/// What a terminal may be given: names and words may hold anything.
std::string without_controls(std::string_view text) { return clipped(text, std::string_view::npos); }

/// Errors are one line.
int fail(std::string_view message, int exit_code) {
  tell(stderr, fmt::format("packseq: {}\n", without_controls(message.substr(0, message.find('\n')))));
  return exit_code;
}

/// Prints to stdout; what is not all there is an error.
void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw std::runtime_error(fmt::format("the output cannot be written ({})", std::generic_category().message(errno)));
  }
}

void check_text(const TextOptions& options) {
  if (!options.json_field.empty() && options.reader.split != Split::line) {
    throw UsageError("--json-field: an object of JSON is a line, and --split is paragraph");
  }
}

void run_show(ShowOptions options) {
  options.text.command = "show";
  check_text(options.text);
  print(show(options, terminal_of(stdout)));
}

/// The file of `--json` is replaced: it must not be one of the texts.
void check_json_path(const CompareOptions& options) {
  if (options.json->filename().empty())
    throw UsageError(fmt::format("--json: '{}' names no file", options.json->string()));
  for (const std::filesystem::path& file : options.files) {
    std::error_code ignored;  // a file that does not exist is no text
    if (std::filesystem::equivalent(*options.json, file, ignored)) {
      throw UsageError(fmt::format("--json: {} is one of the texts, and would be overwritten", file.string()));
    }
  }
}

/// A line on stderr, in place of the progress that may stand there.
void note(const std::string& text) {
  const char* const in_place = terminal_of(stderr).interactive ? "\r\x1b[K" : "";
  tell(stderr, fmt::format("{}packseq: {}\n", in_place, without_controls(text)));
}

void run_compare(CompareOptions options) {
  options.text.note = note;
  if (options.files.empty()) throw UsageError("compare: no text given: packseq compare FILE..., - is standard input");
  if (std::count(options.files.begin(), options.files.end(), standard_input) > 1) {
    throw UsageError("compare: - is given twice: standard input can be read once");
  }
  check_text(options.text);
  std::optional<JsonFile> json;
  if (options.json) {
    check_json_path(options);
    json.emplace(*options.json);
  }
  const Comparison comparison = [&] {
    Progress progress(stderr);
    return compare(options, progress);
  }();
  if (json) json->write(comparison);  // first, since whoever reads stdout may leave before its end
  print(report(comparison, Theme(terminal_of(stdout).colour)));
}

/// CLI11's, with one blank line between groups instead of two.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(34); }

  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override {
    const bool is_first = is_positional || group == "Options";
    return Formatter::make_group(std::move(group), is_positional, std::move(options)).substr(is_first ? 0 : 1);
  }
};

int run(int argc, char** argv) {
  CLI::App app("Packed sequences for LibTorch: see what padding costs, and what packing saves.");
  app.name("packseq");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "print this help");
  app.set_version_flag("--version", "packseq " PACKSEQ_VERSION ", LibTorch " TORCH_VERSION, "print the versions");
  app.footer("For a start: packseq show, then packseq compare FILE --split paragraph");
  ShowOptions show_options;
  CompareOptions compare_options;
  CLI::App& show_command = *app.add_subcommand("show", "draw documents, padded and packed");
  CLI::App& compare_command = *app.add_subcommand("compare", "time padded against packed on your own text");
  add_show_options(show_command, show_options);
  add_compare_options(compare_command, compare_options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != success) return fail(error.what(), wrong_use);
    std::ostringstream help_or_version;
    app.exit(error, help_or_version, help_or_version);
    print(help_or_version.str());
    return success;
  }
  if (app.get_subcommands().empty()) throw UsageError("which command? show or compare; packseq --help tells more");
  if (show_command) run_show(show_options);
  if (compare_command) run_compare(compare_options);
  return success;
}

}  // namespace
}  // namespace packseq::cli

int main(int argc, char** argv) {
  using namespace packseq::cli;
  std::ios::sync_with_stdio(false);  // else standard input is read a byte at a time
  try {
    return run(argc, argv);
  } catch (const UsageError& error) {
    return fail(error.what(), wrong_use);
  } catch (const c10::Error& error) {
    return fail(error.what_without_backtrace(), failure);
  } catch (const std::bad_alloc&) {
    return fail("not enough memory", failure);
  } catch (const std::exception& error) {
    return fail(error.what(), failure);
  }
}
