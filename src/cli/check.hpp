#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <vector>

#include "cli/contender.hpp"

namespace packseq::cli {

/// How far the contenders are from the reference: every document run alone, in a batch of one, never padded.
struct Agreement {
  double max_abs_difference = 0;  ///< Of outputs and last states, all of which lie in -1 ... 1, and of gradients.
  /// Of gradients, as a part of the largest one of their parameter; with products of bfloat16, of a tenth of the
  /// largest one of all if that is more.
  double max_gradient_difference = 0;
};

/// Of the contenders of each precision.
using Agreements = std::map<engine::Precision, Agreement>;

/// A contender does not compute what it should.
class Disagreement : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The largest differences that rounding can explain.
///
/// With products of bfloat16: a number is rounded to 8 bits, and a product of two of them is off by less than 2^-8 of
/// itself, in the root of the mean square. The gates sum input_size + hidden_size products, of weights that LibTorch
/// draws uniformly up to hidden_size^(-1/2), mean square 1 / (3 hidden_size), with vectors of words, mean square 1, and
/// states, less. So their deviation is up to 2^-8 ((input_size + hidden_size) / (3 hidden_size))^(1/2). The largest of
/// millions is 6 times as far off, and allowed is twice that, since steps and layers hand on what comes to them.
/// Outputs take a fourth of it in practice; gradients, parts of the largest one, somewhat more.
Agreement tolerance(const cost::Network& network, engine::Precision precision);

/// The factor that makes the loss of a pass the mean over all outputs of all its batches.
double loss_scale(const Model& model, const Contender& contender);

/// Compares every equivalent contender with the reference, in each mode. @param report is called with the name of
/// what is being checked, for those who wait.
/// @throws Disagreement, naming contender and document or parameter, if a difference exceeds `tolerance`.
Agreements check(Model& model, const Corpus& corpus, const Contenders& contenders, const std::vector<cost::Mode>& modes,
                 const std::function<void(const std::string&)>& report);

}  // namespace packseq::cli
