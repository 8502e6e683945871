#include "packseq/distributed/replica.hpp"

#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>

#include "distributed/ranks.hpp"
#include "distributed/training.hpp"

namespace packseq::distributed {
namespace {

using testing::Each;
using testing::HasSubstr;
using Texts = std::vector<std::string>;

const Texts no_errors = {"", ""};

/// A module with a parameter of these sizes.
struct Plain : torch::nn::Module {
  explicit Plain(const at::Tensor& value, const std::string& name = "weight", bool trained = true)
      : weight(register_parameter(name, value, trained)) {}
  at::Tensor weight;
};

/// Makes a replica of this model on rank 0 and that one on rank 1; what both say.
Texts errors_of(torch::nn::Module&& model, torch::nn::Module&& other) {
  return test::run_ranks(2, [&](Communicator& communicator) {
    const Replica replica(communicator.rank() == 0 ? model : other, communicator);
  });
}

TEST(Replica, TrainsAsOneProcessDoes) {
  for (const std::size_t ranks : {1U, 2U, 3U, 20U}) {
    EXPECT_THAT(test::run_ranks(ranks, test::expect_trains_as_alone), Each(""));
  }
}

TEST(Replica, TakesTheMeanOverAllLossesNotOfMeans) {
  EXPECT_EQ(test::run_ranks(2,
                            [](Communicator& communicator) {
                              Plain model(torch::ones({2}));
                              Replica replica(model, communicator);
                              // Three losses of 2 here, one of 10 there: the mean is 4, that of means 6.
                              const bool first = communicator.rank() == 0;
                              const auto loss = model.weight.sum() * (first ? 3 : 5);
                              loss.backward();
                              EXPECT_EQ(replica.reduce(loss.item<double>(), first ? 3 : 1), 4);
                              EXPECT_TRUE(model.weight.grad().equal(torch::full({2}, 2.)));
                            }),
            no_errors);
}

TEST(Replica, GivesAllRanksTheNumbersOfTheFirst) {
  const auto expect_given = [](Communicator& communicator) {
    torch::nn::BatchNorm1d model(2);
    const auto rank = static_cast<double>(communicator.rank());
    torch::NoGradGuard no_grad;
    model->weight.fill_(rank);
    model->running_mean.fill_(rank + 1);
    model->num_batches_tracked.fill_(rank + 2);
    const Replica replica(*model, communicator);
    EXPECT_TRUE(model->weight.eq(0).all().item<bool>());
    EXPECT_TRUE(model->running_mean.eq(1).all().item<bool>());
    EXPECT_EQ(model->num_batches_tracked.item<std::int64_t>(), 2);
  };
  EXPECT_THAT(test::run_ranks(3, expect_given), Each(""));
}

TEST(Replica, NamesTheFirstDifferenceBetweenModels) {
  const auto model = [] { return Plain(torch::ones({2})); };
  EXPECT_EQ(errors_of(model(), Plain(torch::zeros({2}))), no_errors);
  EXPECT_THAT(errors_of(model(), Plain(torch::ones({3}))),
              Each(HasSubstr("Replica: the model of rank 1 is not that of rank 0: first different is parameter weight, "
                             "Float [3], trained; on rank 0 it is parameter weight, Float [2], trained")));
  EXPECT_THAT(errors_of(model(), Plain(torch::ones({2}), "bias")), Each(HasSubstr("parameter bias, Float [2]")));
  EXPECT_THAT(errors_of(model(), Plain(torch::ones({2}, torch::kDouble))), Each(HasSubstr("weight, Double [2], tr")));
  EXPECT_THAT(errors_of(model(), Plain(torch::ones({2}), "weight", false)),
              Each(HasSubstr("is parameter weight, Float [2];")));
  EXPECT_THAT(errors_of(model(), torch::nn::Module()),
              Each(HasSubstr("first different is nothing more; on rank 0 it is p")));
  EXPECT_THAT(errors_of(torch::nn::Module(), model()), Each(HasSubstr("on rank 0 it is nothing more")));
  Plain with_buffer(torch::ones({2}));
  with_buffer.register_buffer("count", torch::ones({1}, torch::kLong));
  EXPECT_THAT(errors_of(model(), std::move(with_buffer)), Each(HasSubstr("buffer count, Long [1]")));
  Plain two(torch::ones({2}));
  two.register_parameter("other", torch::ones({2}));
  Plain tied(torch::ones({2}));
  tied.register_parameter("other", tied.weight);
  EXPECT_THAT(errors_of(std::move(two), std::move(tied)),
              Each(HasSubstr("parameter other, Float [2], trained, the same as weight; on rank 0")));
}

TEST(Replica, RefusesDtypesThatItCannotSum) {
  const auto model = [] { return Plain(torch::ones({2}, torch::kHalf)); };
  EXPECT_THAT(errors_of(model(), model()),
              Each(HasSubstr("Replica: parameter weight is Half, and must be float or double")));
}

TEST(Replica, RefusesANegativeCountOnAllRanks) {
  EXPECT_THAT(test::run_ranks(3,
                              [](Communicator& communicator) {
                                Plain model(torch::ones({2}));
                                Replica(model, communicator).reduce(0, 1 - communicator.rank());
                              }),
              Each(HasSubstr("Replica: on rank 2 count is -1, and must not be negative")));
}

TEST(Replica, RefusesSparseGradientsOnAllRanks) {
  EXPECT_THAT(test::run_ranks(2,
                              [](Communicator& communicator) {
                                torch::nn::Embedding embedding(torch::nn::EmbeddingOptions(3, 2).sparse(true));
                                Replica replica(*embedding, communicator);
                                if (communicator.rank() == 1) embedding(torch::tensor({1})).sum().backward();
                                replica.reduce(0, 1);
                              }),
              Each(HasSubstr("Replica: on rank 1 the gradient of weight is Sparse, and must be dense")));
}

TEST(Replica, SumsAParameterOfTwoNamesOnce) {
  EXPECT_EQ(test::run_ranks(2,
                            [](Communicator& communicator) {
                              Plain model(torch::ones({2}));
                              model.register_parameter("again", model.weight);
                              const auto last = model.register_parameter("last", torch::ones({3}));
                              Replica replica(model, communicator);
                              const auto times = static_cast<double>(1 + communicator.rank());
                              (times * (model.weight.sum() + last.sum())).backward();
                              replica.reduce(5, 1);
                              EXPECT_TRUE(model.weight.grad().equal(torch::full({2}, 1.5)));
                              EXPECT_TRUE(last.grad().equal(torch::full({3}, 1.5)));
                            }),
            no_errors);
}

TEST(Replica, LeavesAParameterWithoutAGradientOnlyWhereNoRankHasOne) {
  EXPECT_EQ(test::run_ranks(2,
                            [](Communicator& communicator) {
                              Plain model(torch::ones({2}, torch::kDouble));
                              const auto unused = model.register_parameter("unused", torch::ones({3}));
                              const auto rare = model.register_parameter("rare", torch::ones({2, 2}));
                              Replica replica(model, communicator);
                              auto loss = model.weight.sum();
                              if (communicator.rank() == 1) loss = loss + rare.sum();
                              loss.backward();
                              replica.reduce(0, 1);
                              EXPECT_FALSE(unused.grad().defined());
                              EXPECT_TRUE(rare.grad().equal(torch::full({2, 2}, .5)));
                              EXPECT_TRUE(model.weight.grad().equal(torch::ones({2}, torch::kDouble)));
                            }),
            no_errors);
}

TEST(Replica, TakesNoStepWhereThereIsNothingToLearn) {
  Alone alone;
  Plain model(torch::ones({2}));
  Replica replica(model, alone);
  (model.weight.sum() * 0).backward();
  EXPECT_EQ(replica.reduce(0, 0), 0);
  EXPECT_TRUE(model.weight.grad().equal(torch::zeros({2})));
}

}  // namespace
}  // namespace packseq::distributed
