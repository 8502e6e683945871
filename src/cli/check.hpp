#pragma once

#include <functional>
#include <stdexcept>
#include <vector>

#include "cli/contender.hpp"

namespace packseq::cli {

/// How far the contenders are from the reference: every document run alone, in a batch of one, never padded.
struct Agreement {
  double max_abs_difference = 0;       ///< Of outputs and last states, all of which lie in -1 ... 1, and of gradients.
  double max_gradient_difference = 0;  ///< Of gradients, as a part of the largest one of their parameter.
};

/// A contender does not compute what it should.
class Disagreement : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The largest differences that rounding can explain.
inline constexpr Agreement tolerance{.max_abs_difference = 1e-4, .max_gradient_difference = 1e-4};

/// The factor that makes the loss of a pass the mean over all outputs of all its batches.
double loss_scale(const Model& model, const Contender& contender);

/// Compares every equivalent contender with the reference, in each mode. @param report is called with the name of
/// what is being checked, for those who wait.
/// @throws Disagreement, naming contender and document or parameter, if a difference exceeds `tolerance`.
Agreement check(Model& model, const Corpus& corpus, const Contenders& contenders, const std::vector<cost::Mode>& modes,
                const std::function<void(const std::string&)>& report);

}  // namespace packseq::cli
