// What holds for every batch, tried on many random ones.

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include "packseq/sequence/mask.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"
#include "packseq/sequence/pool.hpp"
#include "packseq/sequence/reverse.hpp"
#include "packseq/sequence/softmax.hpp"
#include "packseq/sequence/spread.hpp"
#include "packseq/sequence/step.hpp"
#include "support/batches.hpp"
#include "support/sequences.hpp"

namespace packseq {
namespace {

using Row = std::vector<double>;
using Document = std::vector<Row>;

constexpr double padding = 1000;  // no document holds it

/// Whole numbers, whose sums have no rounding.
struct Batch {
  std::vector<Document> documents;
  std::int64_t width;
  bool batch_first;
  PaddingSide side;

  explicit Batch(std::int64_t seed) {
    test::Choices choices(seed);
    width = choices.between(1, 3);
    batch_first = choices.once_in(2);
    side = choices.once_in(2) ? PaddingSide::left : PaddingSide::right;
    const std::int64_t longest = choices.one_of(std::vector<std::int64_t>{0, 1, 3, 9, 9, 9, 9, 60});
    const bool equal = choices.once_in(16);
    documents.resize(static_cast<std::size_t>(choices.between(1, 12)));
    for (Document& document : documents) {
      document.assign(static_cast<std::size_t>(equal ? longest : choices.between(0, longest)),
                      Row(static_cast<std::size_t>(width)));
      for (Row& row : document) {
        for (double& number : row) number = static_cast<double>(choices.between(-50, 49));
      }
    }
  }

  std::int64_t length(std::size_t i) const { return static_cast<std::int64_t>(documents[i].size()); }

  at::Tensor lengths() const {
    std::vector<std::int64_t> all;
    for (std::size_t i = 0; i < documents.size(); ++i) all.push_back(length(i));
    return torch::tensor(all);
  }

  /// `row_of` each document, [B, width].
  template <class RowOf>
  at::Tensor rows(RowOf&& row_of) const {
    Row all;
    for (const Document& document : documents) {
      const Row row = row_of(document);
      all.insert(all.end(), row.begin(), row.end());
    }
    return torch::tensor(all, at::kDouble).view({-1, width});
  }

  Jagged jagged(bool reversed = false) const {
    Row all;
    for (Document document : documents) {
      if (reversed) std::reverse(document.begin(), document.end());
      for (const Row& row : document) all.insert(all.end(), row.begin(), row.end());
    }
    const auto tokens = static_cast<std::int64_t>(all.size()) / width;
    return Jagged::from_values(torch::tensor(all, at::kDouble).view({tokens, width}), lengths());
  }
};

/// The rows of a document, one after the other, reduced to one: zeros if there is none.
template <class Combine>
Row reduced(const Document& document, std::int64_t width, Combine&& combine) {
  Row result(static_cast<std::size_t>(width), 0);
  if (!document.empty()) result = document.front();
  for (std::size_t row = 1; row < document.size(); ++row) {
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = combine(result[i], document[row][i]);
  }
  return result;
}

Row sum(const Document& document, std::int64_t width) { return reduced(document, width, std::plus<>()); }

Row mean(const Document& document, std::int64_t width) {
  Row result = sum(document, width);
  for (double& number : result) number /= std::max(1.0, static_cast<double>(document.size()));
  return result;
}

bool same(const Jagged& a, const Jagged& b) {
  return at::equal(a.values(), b.values()) && at::equal(a.lengths(), b.lengths());
}

void check_layout(const Batch& batch, const PackedSequence& packed) {
  const at::Tensor sizes = packed.batch_sizes();
  ASSERT_EQ(sizes.sum().item<std::int64_t>(), packed.data().size(0));
  for (std::int64_t step = 0; step < sizes.size(0); ++step) {
    std::int64_t reach = 0;
    for (std::size_t i = 0; i < batch.documents.size(); ++i) reach += batch.length(i) > step;
    ASSERT_EQ(sizes[step].item<std::int64_t>(), reach) << "in step " << step;
  }
  ASSERT_TRUE(at::equal(lengths(packed), batch.lengths()));
}

void check_round_trips(const Batch& batch, const Jagged& documents, const PackedSequence& packed) {
  const auto from_tensors = pack_sequence(documents.unbind());
  ASSERT_TRUE(at::equal(from_tensors.data(), packed.data()));
  ASSERT_TRUE(same(unpack_sequence(packed), documents));
  ASSERT_TRUE(same(unpack_sequence(reverse(packed)), batch.jagged(/*reversed=*/true)));
  ASSERT_TRUE(at::equal(reverse(reverse(packed)).data(), packed.data()));
}

void check_padded(const Batch& batch, const Jagged& documents, const PackedSequence& packed) {
  const PadOptions options{.batch_first = batch.batch_first, .padding_value = padding, .padding_side = batch.side};
  const auto padded = pad_sequence(documents, options);
  const auto real = mask(documents.lengths(), {.batch_first = batch.batch_first, .padding_side = batch.side});
  ASSERT_TRUE(at::equal(real, padded.select(2, 0).ne(padding)));
  ASSERT_EQ(real.sum().item<std::int64_t>(), packed.data().size(0));
  ASSERT_TRUE(at::equal(std::get<0>(pad_packed_sequence(packed, options)), padded));
  ASSERT_TRUE(same(unpad_sequence(padded, documents.lengths(), {batch.batch_first, batch.side}), documents));
  const auto again =
      pack_padded_sequence(padded, documents.lengths(), {.batch_first = batch.batch_first, .padding_side = batch.side});
  ASSERT_TRUE(at::equal(again.data(), packed.data()));
  ASSERT_TRUE(at::equal(again.batch_sizes(), packed.batch_sizes()));
  ASSERT_TRUE(at::equal(again.sorted_indices(), packed.sorted_indices()));
}

void check_rows(const Batch& batch, const PackedSequence& packed) {
  const auto rows = [&](auto&& of_document) {
    return batch.rows([&](const Document& document) { return of_document(document, batch.width); });
  };
  const auto with = [](auto combine) {
    return [combine](const Document& document, std::int64_t width) { return reduced(document, width, combine); };
  };
  ASSERT_TRUE(at::equal(first_step(packed), rows(with([](double first, double) { return first; }))));
  ASSERT_TRUE(at::equal(last_step(packed), rows(with([](double, double last) { return last; }))));
  ASSERT_TRUE(at::equal(sum_pool(packed), rows(sum)));
  ASSERT_TRUE(at::equal(mean_pool(packed), rows(mean)));
  ASSERT_TRUE(at::equal(max_pool(packed), rows(with([](double a, double b) { return std::max(a, b); }))));
}

void check_spread(const Batch& batch, const Jagged& documents, const PackedSequence& packed) {
  ASSERT_TRUE(at::equal(pack_like(packed, documents).data(), packed.data()));
  const auto numbers = torch::arange(static_cast<std::int64_t>(batch.documents.size()));
  const auto spread_numbers = unpack_sequence(spread(packed, numbers));
  ASSERT_TRUE(at::equal(spread_numbers.values(), numbers.repeat_interleave(documents.lengths())));
  const auto real = documents.lengths().gt(0).to(at::kDouble).unsqueeze(1).expand({-1, batch.width});
  ASSERT_TRUE(at::allclose(sum_pool(softmax(packed)), real));
}

TEST(SequenceProperties, HoldForManyRandomBatches) {
  const at::NoGradGuard no_gradients;
  test::for_many_batches(2'000, [](std::int64_t number) {
    const Batch batch(number);
    const Jagged documents = batch.jagged();
    const auto packed = pack_sequence(documents);
    check_layout(batch, packed);
    check_round_trips(batch, documents, packed);
    check_padded(batch, documents, packed);
    check_rows(batch, packed);
    check_spread(batch, documents, packed);
  });
}

}  // namespace
}  // namespace packseq
