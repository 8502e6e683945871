#pragma once

#include <stdexcept>
#include <string>

#include "packseq/export.hpp"

namespace packseq::detail {

/// A text that cannot be read. What it says ends with the next step of who calls the library; who has another, such as
/// a program with options of its own, adds that to `problem`.
class PACKSEQ_EXPORT TextError : public std::runtime_error {
 public:
  enum class Kind {
    foreign,       ///< It is no text, but `command` makes one of it.
    invalid_utf8,  ///< Bytes are not UTF-8.
    too_long,      ///< A document is longer than it may be.
  };

  TextError(Kind kind, std::string problem, const std::string& next_step, std::string command = {})
      : std::runtime_error(problem + next_step),
        kind_(kind),
        problem_(std::move(problem)),
        command_(std::move(command)) {}

  Kind kind() const noexcept { return kind_; }
  const std::string& problem() const noexcept { return problem_; }  ///< With the place.
  const std::string& command() const noexcept { return command_; }  ///< "zcat FILE".

 private:
  Kind kind_;
  std::string problem_;
  std::string command_;
};

}  // namespace packseq::detail
