#include "packseq/sequence/print.hpp"

#include <cstdint>
#include <limits>
#include <sstream>

#include "packseq/sequence/map.hpp"
#include "support/sequences.hpp"
#include "text/columns.hpp"

namespace packseq {
namespace {

using c10::ValueError;
using testing::HasSubstr;

std::string printed(const PackedSequence& packed, const PrintOptions& options = {}) {
  std::ostringstream stream;
  print(stream, packed, options);
  return stream.str();
}

const auto drawn_documents = pack_sequence({torch::tensor({6}), torch::tensor({1, 2, 3}), torch::tensor({4, 5})});

TEST(Print, DrawsIds) {
  EXPECT_EQ(printed(drawn_documents),
            R"(step             0   1   2
               ┌───┬───┬───┐
document 1     │ 1 │ 2 │ 3 │
document 2     │ 4 │ 5 ├───┘
document 0     │ 6 ├───┘
               └───┘
batch_sizes      3   2   1
sorted_indices   1 2 0
data             1 4 6 │ 2 5 │ 3
)");
}

TEST(Print, DrawsNames) {
  const std::vector<std::string> words = {"<pad>", "on", "your", "mark", "get", "set", "a very long word"};
  EXPECT_EQ(printed(drawn_documents, {.name = [&](std::int64_t id) { return words[static_cast<std::size_t>(id)]; }}),
            R"(step             0            1      2
               ┌────────────┬──────┬──────┐
document 1     │ on         │ your │ mark │
document 2     │ get        │ set  ├──────┘
document 0     │ a very lo… ├──────┘
               └────────────┘
batch_sizes      3            2      1
sorted_indices   1 2 0
data             on get a very lo… │ your set │ mark
                 1  4   6          │ 2    5   │ 3
)");
}

TEST(Print, DrawsTheRowsOfDataThatIsNoIds) {
  for (const auto& data : {torch::rand({6, 4}), torch::rand(6), torch::ones({6, 0}, at::kLong)}) {
    const auto text = printed(with_data(drawn_documents, data));
    EXPECT_THAT(text, HasSubstr("document 1     │ 0 │ 3 │ 5 │\n"));
    EXPECT_THAT(text, HasSubstr("data             0 1 2 │ 3 4 │ 5\n"));
  }
}

TEST(Print, DrawsBooleansAsNumbers) {
  EXPECT_THAT(printed(pack_sequence({torch::tensor({true, true}), torch::tensor({false})})),
              HasSubstr("data             1 0 │ 1\n"));
}

TEST(Print, DrawsBatchesOnEveryDevice) {
  for (const auto device : test::devices()) EXPECT_EQ(printed(drawn_documents.to(device)), printed(drawn_documents));
}

TEST(Print, DrawsEmptyDocumentsAndPacksWithoutIndices) {
  EXPECT_EQ(printed(pack_sequence({torch::empty({0}, at::kLong), torch::tensor({7, 8}), torch::empty({0}, at::kLong)})),
            R"(step             0   1
               ┌───┬───┐
document 1     │ 7 │ 8 │
document 0     └───┴───┘
document 2
batch_sizes      1   1
sorted_indices   1 0 2
data             7 │ 8
)");
  EXPECT_EQ(printed(pack_sequence({torch::empty({0, 2}), torch::empty({0, 2})})),
            R"(step
document 0
document 1
batch_sizes      0
sorted_indices   0 1
data
)");
  EXPECT_THAT(printed(PackedSequence(torch::arange(3), torch::tensor({2, 1}))), HasSubstr("sorted_indices   none\n"));
}

TEST(Print, SaysWhatItLeavesOut) {
  std::vector<at::Tensor> sequences;
  for (std::int64_t i = 0; i < 30; ++i) sequences.push_back(torch::arange(i * 100));
  const auto text = printed(pack_sequence(sequences), {.columns = 50, .documents = 2});
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(detail::width(line), 50) << line;
  EXPECT_EQ(text,
            R"(step             0    1    2    3    4    5…2899
               ┌────┬────┬────┬────┬────┬────────┐
document 29    │ 0  │ 1  │ 2  │ 3  │ 4  │ +2895  │
document 28    │ 0  │ 1  │ 2  │ 3  │ 4  │ +2795  │
               └────┴────┴────┴────┴────┴────────┘
               … 28 more documents
batch_sizes      29   29   29   29   29   …1
sorted_indices   29 28 27 26 25 24 23 … 23 more
data             0 0 0 0 0 0 0 0 0 … 43,491 more
)");
  EXPECT_THAT(printed(drawn_documents, {.documents = 2}), HasSubstr("… 1 more document\n"));
}

TEST(Print, DrawsOneStepWhereNumbersAreTooWide) {
  const auto ids = torch::full({3}, std::numeric_limits<std::int64_t>::min(), at::kLong);
  EXPECT_THAT(printed(pack_sequence({ids}), {.columns = 40}),
              HasSubstr("document 0     │ -9223372036854775808 │ +2  │\n"));
}

TEST(Print, RefusesTooLittleRoom) {
  EXPECT_THROWS(printed(drawn_documents, {.columns = 39}), ValueError, "print: columns is 39, and must be at least 40");
  EXPECT_THROWS(printed(drawn_documents, {.documents = 0}), ValueError,
                "print: documents is 0, and must be at least 1");
}

TEST(Print, RefusesAMalformedPack) {
  EXPECT_THROWS(printed(PackedSequence(torch::ones(3), torch::tensor({1, 1}))), ValueError,
                "print: batch_sizes has the sum 2");
}

}  // namespace
}  // namespace packseq
