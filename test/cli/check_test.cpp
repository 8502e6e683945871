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
      : Contender("faulty", contender->equivalent(), contender->batches(), contender->precision()),
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

/// `precision` is that of the engine, whose contender has the fault; the other contenders are in float.
Agreements check_faulty(const Fault& fault, bool bidirectional = false,
                        engine::Precision precision = engine::Precision::float32) {
  at::manual_seed(1);
  const Corpus text = corpus();
  Model model({.input_size = 2, .hidden_size = 3, .bidirectional = bidirectional}, text.vocab_size);
  Contenders contenders = make_contenders(model, text, {0, 1, 2}, 3, {precision});
  contenders[2] = std::make_unique<FaultyContender>(std::move(contenders[2]), fault);
  return check(model, text, contenders, {cost::Mode::inference, cost::Mode::training}, [](const std::string&) {});
}

std::string message_of(const Fault& fault, bool bidirectional = false,
                       engine::Precision precision = engine::Precision::float32) {
  try {
    check_faulty(fault, bidirectional, precision);
  } catch (const Disagreement& error) {
    return error.what();
  }
  return "no disagreement";
}

TEST(Check, PassesContendersThatAgree) {
  for (const bool bidirectional : {false, true}) {
    const Agreement agreement = check_faulty({}, bidirectional).at(engine::Precision::float32);
    EXPECT_LT(agreement.max_abs_difference, 1e-6);
    EXPECT_LT(agreement.max_gradient_difference, 1e-5);
  }
}

TEST(Check, ReportsTheLargestDifference) {
  const auto agreement = [](const Fault& fault) { return check_faulty(fault).at(engine::Precision::float32); };
  EXPECT_NEAR(agreement({.output = 5e-5}).max_abs_difference, 5e-5, 1e-6);
  EXPECT_NEAR(agreement({.loss = 1.00005}).max_gradient_difference, 5e-5, 1e-5);
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

/// A gate sums 2 + 3 products: off by 12 times 2^-8 (5 / 9)^(1/2) at most, 0.035.
TEST(Check, AllowsProductsOfBfloat16WhatRoundingExplains) {
  const auto rounded = engine::Precision::bfloat16;
  for (const bool bidirectional : {false, true}) {
    const Agreements agreements = check_faulty({}, bidirectional, rounded);
    EXPECT_LT(agreements.at(engine::Precision::float32).max_abs_difference, 1e-6);
    EXPECT_GT(agreements.at(rounded).max_abs_difference, 1e-5);
    EXPECT_LT(agreements.at(rounded).max_abs_difference, 0.01);
    EXPECT_EQ(message_of({.output = 0.02, .state = 0.02, .loss = 1.02}, bidirectional, rounded), "no disagreement");
    EXPECT_THAT(message_of({.output = 0.05}, bidirectional, rounded),
                ContainsRegex("faulty: the output differs by [45]..e-02 .*, more than the 3e-02 allowed"));
    EXPECT_THAT(message_of({.state = 0.05}, bidirectional, rounded), HasSubstr("faulty: the last state differs by"));
    EXPECT_THAT(message_of({.loss = 1.05}, bidirectional, rounded), HasSubstr("faulty: the gradient of "));
    EXPECT_THAT(message_of({.output = std::numeric_limits<double>::quiet_NaN()}, bidirectional, rounded),
                ContainsRegex("the output differs by -?nan"));
  }
}

/// What products of bfloat16 come to, of many words and few units, where sums are large, and of many layers.
TEST(Check, AllowsProductsOfBfloat16InAnyNetwork) {
  const auto passes = [](const cost::Network& network) {
    at::manual_seed(1);
    const Corpus text = corpus();
    Model model(network, text.vocab_size);
    const Contenders contenders = make_contenders(model, text, {0, 1, 2}, 3, {engine::Precision::bfloat16});
    check(model, text, contenders, {cost::Mode::inference, cost::Mode::training}, [](const std::string&) {});
  };
  for (const auto kind : {cost::Kind::lstm, cost::Kind::gru, cost::Kind::rnn}) {
    EXPECT_NO_THROW(passes({.kind = kind, .input_size = 2048, .hidden_size = 4}));
    EXPECT_NO_THROW(passes({.kind = kind, .input_size = 4, .hidden_size = 256}));
    EXPECT_NO_THROW(passes({.kind = kind, .input_size = 1, .hidden_size = 1}));
    EXPECT_NO_THROW(passes({.kind = kind, .input_size = 8, .hidden_size = 8, .num_layers = 6, .bidirectional = true}));
  }
}

}  // namespace
}  // namespace packseq::cli
