#include "packseq/sequence/softmax.hpp"

#include <torch/csrc/autograd/forward_grad.h>

#include <functional>

#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pool.hpp"
#include "support/sequences.hpp"

namespace packseq {
namespace {

using c10::TypeError, c10::ValueError;

/// LibTorch's softmax of each document, packed in the same layout.
PackedSequence softmax_of_each(const PackedSequence& packed) {
  std::vector<at::Tensor> documents;
  for (const auto& document : unpack_sequence(packed).unbind()) documents.push_back(document.softmax(0));
  const auto layout = with_data(packed, torch::arange(packed.data().size(0)).to(packed.data().device()));
  const auto rows = unpack_sequence(layout).values();
  return with_data(packed, torch::cat(documents).index_select(0, rows.argsort()));
}

void expect_same_weights(const at::Tensor& actual, const at::Tensor& expected) {
  ASSERT_EQ(actual.dtype(), expected.dtype());
  const double tolerance = expected.element_size() > 4 ? 1e-13 : expected.element_size() > 2 ? 1e-5 : 1e-2;
  EXPECT_TRUE(torch::allclose(actual, expected, tolerance, tolerance / 10, /*equal_nan=*/true))
      << actual << "\nis not\n"
      << expected;
}

PackedSequence random_packed(std::int64_t documents, at::IntArrayRef trailing, const at::TensorOptions& options) {
  const auto lengths = torch::randint(0, 12, {documents});
  std::vector<std::int64_t> sizes = trailing.vec();
  sizes.insert(sizes.begin(), lengths.sum().item<std::int64_t>());
  return pack_sequence(Jagged::from_values(torch::randn(sizes, at::kDouble).mul(4).to(options), lengths));
}

TEST(Softmax, SumsToOneOverEachDocument) {
  const auto scores = pack_sequence({torch::tensor({7.F}), torch::tensor({1.F, 1.F, 1.F, 1.F}), torch::empty({0}),
                                     torch::tensor({std::log(3.F), 0.F})});
  const auto weights = softmax(scores);
  expect_same_weights(unpack_sequence(weights).values(), torch::tensor({1.F, .25F, .25F, .25F, .25F, .75F, .25F}));
  EXPECT_SAME(weights.batch_sizes(), scores.batch_sizes());
  EXPECT_SAME(weights.sorted_indices(), scores.sorted_indices());
  expect_same_weights(sum_pool(weights), torch::tensor({1.F, 1.F, 0.F, 1.F}));
}

TEST(Softmax, DoesAsLibTorchDocumentByDocument) {
  torch::manual_seed(0);
  for (const auto device : test::devices()) {
    for (const auto dtype : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16}) {
      const auto options = at::TensorOptions(dtype).device(device);
      for (const auto& trailing : std::vector<std::vector<std::int64_t>>{{}, {1}, {3}, {2, 0}, {5, 31}, {256}}) {
        for (const std::int64_t documents : {1, 7, 150}) {
          const auto packed = random_packed(documents, trailing, options);
          expect_same_weights(softmax(packed).data(), softmax_of_each(packed).data());
        }
      }
    }
  }
}

TEST(Softmax, ReadsPacksThatLibTorchMade) {
  torch::manual_seed(1);
  std::vector<at::Tensor> sequences;
  for (int i = 0; i < 40; ++i) sequences.push_back(torch::randn({2 + i % 2, 3}));
  const auto unsorted = torch::nn::utils::rnn::pack_sequence(sequences, /*enforce_sorted=*/false);
  expect_same_weights(softmax(unsorted).data(), softmax_of_each(unsorted).data());
  const PackedSequence sorted(torch::randn(6), torch::tensor({3, 2, 1}));  // without indices
  expect_same_weights(softmax(sorted).data(), softmax_of_each(sorted).data());
}

TEST(Softmax, ReadsDataThatIsNotContiguous) {
  const PackedSequence packed(torch::randn({4, 6}).t(), torch::tensor({3, 2, 1}));
  expect_same_weights(softmax(packed).data(), softmax_of_each(packed).data());
}

TEST(Softmax, TakesABatchOfNothingButEmptyDocuments) {
  const auto data = torch::rand({0, 3}).requires_grad_();
  const PackedSequence empty(data, torch::tensor({0}), torch::tensor({0, 1}), torch::tensor({0, 1}));
  const auto weights = softmax(empty);
  EXPECT_EQ(weights.data().sizes(), at::IntArrayRef({0, 3}));
  weights.data().sum().backward();
  EXPECT_EQ(data.grad().sizes(), at::IntArrayRef({0, 3}));
}

TEST(Softmax, IsThatOfLibTorchForNumbersOfAnySize) {
  for (const auto device : test::devices()) {
    for (const auto dtype : {at::kFloat, at::kDouble, at::kHalf}) {
      const auto column = torch::tensor({{65504.F, -INFINITY, INFINITY, NAN, -INFINITY, 0.F, 1e3F},
                                         {65504.F, 1.F, 1.F, 1.F, -INFINITY, -60000.F, 1e3F}})
                              .to(device, dtype);
      const PackedSequence packed(column, torch::tensor({1, 1}));
      expect_same_weights(softmax(packed).data(), softmax_of_each(packed).data());
    }
  }
}

TEST(Softmax, DoesNotDependOnThreadsOrOnTheBatchToTheBit) {
  torch::manual_seed(2);
  const auto packed = random_packed(150, {256}, at::kFloat);
  const auto weights = softmax(packed);
  const int threads = at::get_num_threads();
  at::set_num_threads(3);
  EXPECT_SAME(softmax(packed).data(), weights.data());
  at::set_num_threads(threads);
  const auto documents = unpack_sequence(packed).unbind();
  for (std::size_t i = 0; i < documents.size(); i += 50) {
    EXPECT_SAME(softmax(pack_sequence({documents[i]})).data(), unpack_sequence(weights)[static_cast<std::int64_t>(i)]);
  }
}

using Weighting = std::function<PackedSequence(const PackedSequence&)>;

/// First and second gradients of what is no constant of softmax(packed), and the first ones in a graph of none.
std::vector<at::Tensor> softmax_gradients(const Weighting& of, const PackedSequence& packed) {
  const auto data = packed.data().detach().requires_grad_();
  const auto loss = [&] { return (of(with_data(packed, data)).data() * data.cos()).pow(2).sum(); };
  const auto plain = torch::autograd::grad({loss()}, {data})[0];
  const auto first = torch::autograd::grad({loss()}, {data}, {}, true, true)[0];
  return {plain, first, torch::autograd::grad({(first * data.sin()).sum()}, {data})[0]};
}

TEST(Softmax, CarriesGradientsTwice) {
  torch::manual_seed(3);
  for (const auto device : test::devices()) {
    for (const auto& trailing : std::vector<std::vector<std::int64_t>>{{}, {3}, {130}}) {
      const auto packed = random_packed(9, trailing, at::TensorOptions(at::kDouble).device(device));
      const auto ours = softmax_gradients(softmax, packed);
      const auto theirs = softmax_gradients(softmax_of_each, packed);
      for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_TRUE(torch::allclose(ours[i], theirs[i], 1e-10, 1e-12)) << i;
    }
  }
}

TEST(Softmax, HasTheSecondGradientsOfItsDifferences) {
  torch::manual_seed(4);
  const auto packed = random_packed(4, {2}, at::kDouble);
  const auto data = packed.data().detach().requires_grad_();
  const auto weights = torch::randn_like(data);
  const auto gradient = [&](const at::Tensor& at_data, bool create_graph) {
    const auto loss = (softmax(with_data(packed, at_data)).data().pow(2) * weights).sum();
    return torch::autograd::grad({loss}, {at_data}, {}, create_graph, create_graph)[0];
  };
  const auto direction = torch::randn_like(data);
  const auto product = torch::autograd::grad({(gradient(data, true) * direction).sum()}, {data})[0];
  const auto moved = [&](double by) { return (data.detach() + by * direction).requires_grad_(); };
  const auto difference = (gradient(moved(1e-5), false) - gradient(moved(-1e-5), false)) / 2e-5;
  EXPECT_TRUE(torch::allclose(product, difference, 1e-6, 1e-8)) << product << difference;
}

TEST(Softmax, CarriesGradientsOfHalfPrecision) {
  torch::manual_seed(5);
  const auto packed = random_packed(9, {3}, at::kHalf);
  const auto data = packed.data().detach().requires_grad_();
  softmax(with_data(packed, data)).data().pow(2).sum().backward();
  const auto wide = packed.data().to(at::kDouble).requires_grad_();
  softmax_of_each(with_data(packed, wide)).data().pow(2).sum().backward();
  EXPECT_EQ(data.grad().dtype(), at::kHalf);
  EXPECT_TRUE(torch::allclose(data.grad().to(at::kDouble), wide.grad(), 1e-2, 1e-3));
}

TEST(Softmax, CarriesForwardModeGradients) {
  torch::manual_seed(6);
  const auto packed = random_packed(5, {2}, at::kDouble);
  const auto tangent = torch::randn_like(packed.data());
  const auto level = torch::autograd::forward_ad::enter_dual_level();
  const auto tangent_of = [&](const Weighting& of) {
    const auto dual = torch::_make_dual(packed.data(), tangent, static_cast<std::int64_t>(level));
    return std::get<1>(torch::_unpack_dual(of(with_data(packed, dual)).data(), static_cast<std::int64_t>(level)))
        .clone();
  };
  const auto ours = tangent_of(softmax);
  const auto theirs = tangent_of(softmax_of_each);
  torch::autograd::forward_ad::exit_dual_level(level);
  EXPECT_TRUE(torch::allclose(ours, theirs));
}

TEST(Softmax, RefusesWhatIsNotFloatingPoint) {
  EXPECT_THROWS(softmax(pack_sequence({torch::tensor({1, 2})})), TypeError,
                "softmax: data is Long, and must be floating-point: convert it first");
  EXPECT_THROWS(softmax(pack_sequence({torch::ones(2, at::kComplexFloat)})), TypeError,
                "softmax: data is ComplexFloat");
}

TEST(Softmax, RefusesAMalformedPack) {
  const PackedSequence bad(torch::ones(3), torch::tensor({1, 1}));
  EXPECT_THROWS(softmax(bad), ValueError, "softmax: batch_sizes has the sum 2");
}

}  // namespace
}  // namespace packseq
