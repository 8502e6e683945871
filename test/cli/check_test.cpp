#include "cli/check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace packseq::cli {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

/// Three documents of 3, 1 and 2 tokens.
Corpus corpus() {
  Lengths lengths;
  for (const std::int64_t length : {3, 1, 2}) lengths.add(length);
  return {Jagged({at::tensor({1, 2, 3}), at::tensor({1}), at::tensor({4, 2})}),
          {{"a.txt", 1, 0}, {"a.txt", 5, 1}, {"b.txt", 2, 2}},
          lengths,
          5,
          4};
}

/// What is wrong with a contender.
struct Fault {
  double output = 0;  ///< Is added to one number of the last document's output.
  double state = 0;   ///< Is added to one number of the last document's last state.
  double loss = 1;    ///< Is a factor of the loss.
};

/// A contender that runs like another one, but wrongly.
class FaultyContender : public Contender {
 public:
  FaultyContender(std::unique_ptr<Contender> contender, const Fault& fault)
      : Contender("faulty", contender->equivalent(), contender->batches()),
        contender_(std::move(contender)),
        fault_(fault) {}

  NetworkResult forward(std::size_t batch) const override { return contender_->forward(batch); }
  at::Tensor sum_of_squares(std::size_t batch, const at::Tensor& output) const override {
    return contender_->sum_of_squares(batch, output) * fault_.loss;
  }
  Outcome outcome(std::size_t batch, const NetworkResult& result) const override {
    const Outcome outcome = contender_->outcome(batch, result);
    const at::Tensor outputs = outcome.outputs.values().clone();
    outputs[-1][0] += fault_.output;
    const at::Tensor states = outcome.last_states.clone();
    states[-1][0] += fault_.state;
    return {Jagged::from_values(outputs, outcome.outputs.lengths()), states};
  }
  at::Tensor lengths(std::size_t batch) const override { return contender_->lengths(batch); }
  at::Tensor executed_lengths(std::size_t batch) const override { return contender_->executed_lengths(batch); }

 private:
  std::unique_ptr<Contender> contender_;
  Fault fault_;
};

Agreement check_faulty(const Fault& fault, bool bidirectional = false) {
  at::manual_seed(1);
  const Corpus text = corpus();
  Model model({.input_size = 2, .hidden_size = 3, .bidirectional = bidirectional}, text.vocab_size);
  Contenders contenders = make_contenders(model, text, {0, 1, 2}, 3);
  contenders[1] = std::make_unique<FaultyContender>(std::move(contenders[1]), fault);
  return check(model, text, contenders, {cost::Mode::inference, cost::Mode::training}, [](const std::string&) {});
}

std::string message_of(const Fault& fault, bool bidirectional = false) {
  try {
    check_faulty(fault, bidirectional);
  } catch (const Disagreement& error) {
    return error.what();
  }
  return "no disagreement";
}

TEST(Check, PassesContendersThatAgree) {
  for (const bool bidirectional : {false, true}) {
    const Agreement agreement = check_faulty({}, bidirectional);
    EXPECT_LT(agreement.max_abs_difference, 1e-6);
    EXPECT_LT(agreement.max_gradient_difference, 1e-5);
  }
}

TEST(Check, ReportsTheLargestDifference) {
  EXPECT_NEAR(check_faulty({.output = 5e-5}).max_abs_difference, 5e-5, 1e-6);
  EXPECT_NEAR(check_faulty({.loss = 1.00005}).max_gradient_difference, 5e-5, 1e-5);
}

TEST(Check, NamesContenderAndDocumentOfAWrongOutput) {
  EXPECT_EQ(message_of({.output = 0.01}),
            "faulty: the output differs by 1.0e-02 from that of document 3 (b.txt, line 2) run alone, more "
            "than the "
            "1e-04 allowed");
  EXPECT_THAT(message_of({.output = std::numeric_limits<double>::quiet_NaN()}),
              ContainsRegex("the output differs by -?nan"));
}

TEST(Check, NamesContenderAndDocumentOfAWrongState) {
  for (const bool bidirectional : {false, true}) {
    EXPECT_THAT(message_of({.state = 0.01}, bidirectional),
                AllOf(HasSubstr("faulty: the last state differs by 1.0e-02"), HasSubstr("document 3 (b.txt, line 2)")));
  }
}

TEST(Check, NamesContenderAndParameterOfAWrongGradient) {
  EXPECT_THAT(message_of({.loss = 1.01}), HasSubstr("faulty: the gradient of embedding.weight differs by "
                                                    "1.0e-02 from that of the documents run alone"));
}

}  // namespace
}  // namespace packseq::cli
