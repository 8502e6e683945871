#pragma once

#include <string>
#include <vector>

#include "cli/measure.hpp"

namespace packseq::cli {

/// How one contender's time compares with another's.
enum class Speed { faster, same, slower };

/// The same if the medians differ by 5 % at most, or if each lies within the range of the other's rounds.
Speed speed(const Seconds& seconds, const Seconds& other);

/// One plain sentence about the results of one mode, whichever way they went; and one about what products of bfloat16
/// gain, where the engine ran with them and without.
std::string conclusion(const std::vector<Result>& results);

}  // namespace packseq::cli
