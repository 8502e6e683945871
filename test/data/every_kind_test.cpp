// Sequences, labels and features of every dtype and shape, from documents in memory to batches.

#include <gtest/gtest.h>
#include <torch/data/dataloader.h>
#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "data/every_kind.hpp"
#include "packseq/data/batch_sampler.hpp"
#include "packseq/data/collate.hpp"
#include "packseq/data/documents.hpp"
#include "packseq/sequence/pool.hpp"
#include "support/sequences.hpp"

namespace packseq::data {
namespace {

using test::bits_of;
using test::documents_with_everything;
using test::every_kind;

/// These sequences one by one, the slow way.
std::vector<std::string> bits_of(const Jagged& sequences, const std::vector<std::size_t>& indices) {
  std::vector<std::string> bits;
  for (const std::size_t index : indices) bits.push_back(bits_of(sequences[static_cast<std::int64_t>(index)]));
  return bits;
}

std::vector<std::string> bits_of(const Jagged& sequences) {
  std::vector<std::string> bits;
  for (const auto& sequence : sequences.unbind()) bits.push_back(bits_of(sequence));
  return bits;
}

void expect_some_of(const Documents& some, const Documents& all, const std::vector<std::size_t>& indices) {
  EXPECT_EQ(bits_of(some.sequences), bits_of(all.sequences, indices));
  EXPECT_EQ(bits_of(some.token_labels.value()), bits_of(all.token_labels.value(), indices));
  ASSERT_EQ(some.features.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(bits_of(some.features[i]), bits_of(all.features[i], indices));
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    EXPECT_EQ(bits_of(some.labels[row]), bits_of(all.labels[static_cast<std::int64_t>(indices[i])]));
    EXPECT_EQ(some.documents[row].item<std::int64_t>(), static_cast<std::int64_t>(indices[i]));
  }
}

TEST(EveryKind, IsSelectedAsItIs) {
  torch::manual_seed(1);
  const std::vector<std::size_t> indices = {3, 0, 9, 3, 5};
  for (const auto& kind : every_kind()) {
    SCOPED_TRACE(c10::str(kind.dtype, at::IntArrayRef(kind.trailing)));
    for (const bool apart : {false, true}) {
      const auto all = documents_with_everything(10, kind, apart);
      expect_some_of(select(all, indices), all, indices);
      expect_some_of(DocumentDataset(all).get_batch(indices), all, indices);
    }
  }
}

TEST(EveryKind, IsSelectedWithItsGradient) {
  const auto features = torch::rand({5, 2}, torch::requires_grad());
  const auto labels = torch::rand({2}, torch::requires_grad());
  const Documents documents{Jagged::from_values(features, torch::tensor({3, 2})), labels};
  const auto some = select(documents, {1, 1});
  (some.sequences.values().sum() + some.labels.sum()).backward();
  EXPECT_SAME(features.grad(), torch::tensor({{0., 0.}, {0., 0.}, {0., 0.}, {2., 2.}, {2., 2.}}, at::kFloat));
  EXPECT_SAME(labels.grad(), torch::tensor({0., 2.}, at::kFloat));
}

void expect_packed(const PackedSequence& actual, const Jagged& sequences) {
  const auto expected = pack_sequence(sequences);
  EXPECT_EQ(bits_of(actual.data()), bits_of(expected.data()));
  EXPECT_SAME(actual.batch_sizes(), expected.batch_sizes());
  EXPECT_SAME(actual.sorted_indices(), expected.sorted_indices());
  EXPECT_SAME(actual.unsorted_indices(), expected.unsorted_indices());
}

TEST(EveryKind, IsPackedInOneLayout) {
  torch::manual_seed(2);
  for (const auto& kind : every_kind()) {
    auto documents = documents_with_everything(10, kind);
    documents.documents = torch::arange(10) + 3;
    const auto batch = Pack().apply_batch(documents);
    expect_packed(batch.input, documents.sequences);
    expect_packed(batch.token_target, documents.token_labels.value());
    ASSERT_EQ(batch.features.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) expect_packed(batch.features[i], documents.features[i]);
    EXPECT_EQ(bits_of(batch.target), bits_of(documents.labels));
    EXPECT_SAME(batch.documents, documents.documents);
  }
}

/// What a padded batch holds where there is no token, as a double.
double padding_of(const Jagged& labels, const at::Tensor& padded) {
  const auto longest = labels.lengths().max().item<std::int64_t>();
  const auto shortest = std::get<1>(labels.lengths().min(0)).item<std::int64_t>();
  return at::real(padded[shortest][longest - 1].flatten()[0].to(at::kComplexDouble)).item<double>();
}

TEST(EveryKind, IsPaddedInOneShape) {
  torch::manual_seed(3);
  for (const auto& kind : every_kind()) {
    SCOPED_TRACE(c10::str(kind.dtype, at::IntArrayRef(kind.trailing)));
    const auto documents = documents_with_everything(10, kind);
    const auto batch = Pad(1).apply_batch(documents);
    const auto& lengths = documents.sequences.lengths();
    const auto expect_unpadded = [&](const at::Tensor& padded, const Jagged& sequences) {
      EXPECT_EQ(bits_of(unpad_sequence(padded, lengths, {.batch_first = true})), bits_of(sequences));
    };
    expect_unpadded(batch.input, documents.sequences);
    expect_unpadded(batch.token_target, documents.token_labels.value());
    for (std::size_t i = 0; i < 2; ++i) expect_unpadded(batch.features.at(i), documents.features[i]);
    EXPECT_SAME(batch.lengths, lengths);
    EXPECT_EQ(bits_of(batch.target), bits_of(documents.labels));
    if (batch.input.numel() == 0) continue;
    const bool is_signed = c10::isIntegralType(kind.dtype, false) && c10::isSignedType(kind.dtype);
    EXPECT_EQ(padding_of(documents.sequences, batch.input), 1);
    EXPECT_EQ(padding_of(documents.sequences, batch.token_target), is_signed ? ignored_label : 0);
    EXPECT_EQ(padding_of(documents.sequences, batch.features[1]), 0);
  }
}

TEST(EveryKind, IsPairedWithWhatComesNext) {
  torch::manual_seed(4);
  for (const auto& kind : every_kind()) {
    auto documents = documents_with_everything(10, kind);
    documents.token_labels.reset();
    documents.documents = torch::arange(10);
    const auto batch = PackNextToken().apply_batch(documents);
    const auto slices = [](const Jagged& all, std::int64_t from) {
      std::vector<at::Tensor> some;
      for (const auto& sequence : all.unbind()) {
        const auto count = std::max<std::int64_t>(sequence.size(0) - 1, 0);
        some.push_back(sequence.narrow(0, std::min(from, sequence.size(0)), count));
      }
      return some;
    };
    const auto expect_slices = [&](const PackedSequence& packed, const Jagged& all, std::int64_t from) {
      EXPECT_EQ(bits_of(packed.data()), bits_of(pack_sequence(slices(all, from)).data()));
    };
    expect_slices(batch.input, documents.sequences, 0);
    expect_slices(batch.token_target, documents.sequences, 1);
    for (std::size_t i = 0; i < 2; ++i) expect_slices(batch.features.at(i), documents.features[i], 0);
    EXPECT_EQ(bits_of(batch.target), bits_of(documents.labels));
    EXPECT_SAME(batch.documents, documents.documents);
  }
}

TEST(EveryKind, BatchesRefusePartsThatDoNotBelongTogether) {
  const Documents other_lengths{Jagged({torch::ones({2})}), {}, Jagged({torch::ones({3})})};
  const std::string text = ": token_labels has 3 rows for document 0, which has 2 tokens";
  EXPECT_THROWS(Pack().apply_batch(other_lengths), c10::ValueError, "Pack" + text);
  EXPECT_THROWS(Pad().apply_batch(other_lengths), c10::ValueError, "Pad" + text);
  const Documents labels{Jagged({torch::ones({2})}), torch::ones({2})};
  EXPECT_THROWS(Pack().apply_batch(labels), c10::ValueError, "Pack: labels has sizes [2], and must have 1 rows");
  EXPECT_THROWS(Pad().apply_batch(labels), c10::ValueError, "Pad: labels has sizes [2], and must have 1 rows");
  EXPECT_THROWS(PackNextToken().apply_batch(labels), c10::ValueError, "PackNextToken: labels has sizes [2]");
  const Documents with_labels{Jagged({torch::ones({2})}), {}, Jagged({torch::ones({2})})};
  EXPECT_THROWS(PackNextToken().apply_batch(with_labels), c10::ValueError, "PackNextToken: token_labels is set");
  EXPECT_THROWS(Pad(.5).apply_batch({Jagged({torch::ones({2}, at::kLong)})}), c10::ValueError, "padding_value is 0.5");
}

/// Of floating point NaN, of signed integers -100, and the others have no such label, but 0.
void expect_ignored(const at::Tensor& labels, const test::Kind& kind) {
  ASSERT_EQ(labels.dim(), static_cast<std::int64_t>(kind.trailing.size()) + 1);
  EXPECT_EQ(labels.size(0), 1);
  EXPECT_EQ(labels.scalar_type(), kind.dtype);
  const bool is_integer = c10::isIntegralType(kind.dtype, true);
  const auto numbers = is_integer ? labels.to(at::kDouble) : labels.to(at::kComplexDouble);
  const std::int64_t integer = c10::isSignedType(kind.dtype) ? ignored_label : 0;
  EXPECT_TRUE((is_integer ? numbers.eq(integer) : numbers.isnan()).all().item<bool>());
}

TEST(EveryKind, TeachesNothingWithoutDocuments) {
  torch::manual_seed(5);
  for (const auto& kind : every_kind()) {
    SCOPED_TRACE(c10::str(kind.dtype, at::IntArrayRef(kind.trailing)));
    const auto all = documents_with_everything(10, kind);
    const auto none = DocumentDataset(all).get_batch({});
    const auto expect_no_tokens = [](const Jagged& part, const Jagged& like) {
      EXPECT_SAME(part.lengths(), torch::tensor({0}, torch::kLong));
      EXPECT_EQ(bits_of(part.values()), bits_of(like.values().slice(0, 0, 0)));
    };
    expect_no_tokens(none.sequences, all.sequences);
    expect_no_tokens(none.token_labels.value(), all.token_labels.value());
    for (std::size_t i = 0; i < 2; ++i) expect_no_tokens(none.features.at(i), all.features[i]);
    EXPECT_SAME(none.documents, torch::tensor({-1}, torch::kLong));
    expect_ignored(none.labels, kind);
    EXPECT_EQ(Pack().apply_batch(none).token_target.data().size(0), 0);
    EXPECT_EQ(Pad().apply_batch(none).token_target.size(1), 0);
  }
}

const std::vector<at::ScalarType> bits_alone = {at::ScalarType::Bits8, at::ScalarType::Bits1x8, at::ScalarType::Bits16,
                                                at::ScalarType::Float4_e2m1fn_x2};

at::Tensor bits(const at::Tensor& integers, at::ScalarType dtype) {
  return integers.to(dtype == at::ScalarType::Bits16 ? at::kShort : at::kByte).view(dtype);
}

/// Elements of which LibTorch knows nothing but the bits.
TEST(EveryKind, MayBeBitsAlone) {
  for (const auto dtype : bits_alone) {
    const auto lengths = torch::tensor({2, 3}, torch::kLong);
    const Documents all{Jagged::from_values(bits(torch::arange(1, 6), dtype), lengths),
                        bits(torch::tensor({6, 7}), dtype)};
    EXPECT_EQ(bits_of(select(all, {1}).labels), bits_of(bits(torch::tensor({7}), dtype)));
    const auto packed = Pack().apply_batch(select(all, {0, 1}));
    EXPECT_EQ(bits_of(packed.input.data()), bits_of(bits(torch::tensor({3, 1, 4, 2, 5}), dtype)));
    EXPECT_EQ(bits_of(DocumentDataset(all).get_batch({}).labels), bits_of(bits(torch::tensor({0}), dtype)));
  }
}

TEST(EveryKind, PadRefusesWhatNoNumberPads) {
  const auto elements = [](at::ScalarType dtype) { return Jagged({bits(torch::ones({2}), dtype)}); };
  const auto numbers = Jagged({torch::ones({2})});
  for (const auto dtype : bits_alone) {
    const std::string text = c10::str(" is ", dtype, ", which no number can pad: Pack it, or take another dtype");
    EXPECT_THROWS(Pad().apply_batch({elements(dtype)}), c10::TypeError, "Pad: sequences" + text);
    EXPECT_THROWS(Pad().apply_batch({numbers, {}, elements(dtype)}), c10::TypeError, "Pad: token_labels" + text);
    EXPECT_THROWS(Pad().apply_batch({numbers, {}, {}, {numbers, elements(dtype)}}), c10::TypeError,
                  "Pad: features[1]" + text);
  }
  const auto without_zero = elements(at::kFloat8_e8m0fnu);
  const std::string text = " is Float8_e8m0fnu, which has no 0 to pad with: Pack it, or take another dtype";
  EXPECT_THROWS(Pad(1).apply_batch({numbers, {}, without_zero}), c10::TypeError, "Pad: token_labels" + text);
  EXPECT_THROWS(Pad(1).apply_batch({numbers, {}, {}, {without_zero}}), c10::TypeError, "Pad: features[0]" + text);
  EXPECT_THROWS(Pad().apply_batch({without_zero}), c10::ValueError, "padding_value is 0, which the dtype");
  EXPECT_EQ(Pad(1).apply_batch({without_zero}).input.size(1), 2);
}

TEST(EveryKind, Float8WithAGradientIsRefused) {
  const auto values = torch::ones({3}).to(at::kFloat8_e4m3fn).set_requires_grad(true);
  const Documents documents{Jagged::from_values(values, torch::tensor({1, 2}, torch::kLong))};
  const std::string text = "Float8_e4m3fn are moved as bits, and would lose their gradient";
  EXPECT_THROWS(select(documents, {0}), c10::TypeError, text);
  EXPECT_THROWS(Pack().apply_batch(documents), c10::TypeError, text);
  EXPECT_THROWS(Pad().apply_batch(documents), c10::TypeError, text);
  const torch::NoGradGuard no_grad;
  EXPECT_EQ(Pack().apply_batch(select(documents, {0})).input.data().size(0), 1);
}

/// Results go to where `documents` says, and are then those of all documents in order, whatever the batches are.
TEST(EveryKind, ResultsFindTheirWayBack) {
  torch::manual_seed(6);
  const auto all = documents_with_everything(200, {at::kFloat, {3}});
  const auto expected = sum_pool(pack_sequence(all.sequences));
  for (const bool shuffle : {true, false}) {
    for (const Batching& batching : std::vector<Batching>{FixedSize{7}, Bucketed{7, 3}, TokenBudget{40},
                                                          TokenBudget{.max_tokens = 40, .count = TokenCount::padded}}) {
      for (const std::size_t workers : {0U, 2U}) {
        const auto options = torch::data::DataLoaderOptions().workers(workers);
        const BatchSampler sampler(all.sequences.lengths(), batching, {.shuffle = shuffle});
        const auto packed = torch::data::make_data_loader(DocumentDataset(all).map(Pack()), sampler, options);
        auto sums = torch::zeros({200, 3});
        for (const auto& batch : *packed) sums.index_add_(0, batch.documents, sum_pool(batch.input));
        EXPECT_TRUE(at::allclose(sums, expected));
        const auto padded = torch::data::make_data_loader(DocumentDataset(all).map(Pad()), sampler, options);
        sums.zero_();
        for (const auto& batch : *padded) sums.index_add_(0, batch.documents, batch.input.sum(1));
        EXPECT_TRUE(at::allclose(sums, expected));
      }
    }
  }
}

TEST(EveryKind, WorkersChangeNothing) {
  torch::manual_seed(7);
  const auto all = documents_with_everything(50, {at::kBFloat16, {2, 3}});
  const auto batches = [&](std::size_t workers) {
    const BatchSampler sampler(all.sequences.lengths(), TokenBudget{40}, {.seed = 2});
    const auto loader = torch::data::make_data_loader(DocumentDataset(all).map(Pack()), sampler,
                                                      torch::data::DataLoaderOptions().workers(workers));
    std::vector<std::string> bits;
    for (const auto& batch : *loader) {
      bits.push_back(bits_of(batch.input.data()) + bits_of(batch.token_target.data()) + bits_of(batch.target) +
                     bits_of(batch.features.at(1).data()) + bits_of(batch.documents));
    }
    return bits;
  };
  EXPECT_EQ(batches(2), batches(0));
}

}  // namespace
}  // namespace packseq::data
