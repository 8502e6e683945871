// What a pickle uses again, or holds in another, must not take memory by the square of its length.
#include "nn/pickle_reader.hpp"
#include "nn/pickled_weights.hpp"
#include "nn/refusal.hpp"
#include "pickle_instructions.hpp"
#include "support/resident_memory.hpp"

namespace packseq::nn {
namespace {

using namespace std::string_literals;
using test::name;
using test::protocol_2;
using test::tensor;
using test::text;

/// Reads a pickle, which must be refused with this text, and asks for its weights.
void expect_little(const std::string& instructions, const std::string& refusal) {
  const auto kib = test::peak_kib([&] {
    EXPECT_THROWS(detail::pickled_weights(detail::Pickle(protocol_2 + instructions + '.').top(), {}), detail::Refusal,
                  refusal);
  });
  if (!kib) GTEST_SKIP() << "the system does not tell how much memory a process holds";
  EXPECT_LT(*kib, 50 * 1024);
}

constexpr int many = 5'000;

std::string repeated(const std::string& once, int times = many) {
  std::string all;
  for (int i = 0; i < times; ++i) all += once;
  return all;
}

/// Keeps a text of 100,000 bytes under number 1 and leaves it on the stack.
const std::string long_text = "X\xa0\x86\1\0"s + std::string(100'000, 'x') + "q\1";

TEST(PickleMemory, DoesNotGrowByNamesUsedAgain) {
  expect_little("(" + long_text + repeated("h\1h\1\x93") + "t", "it has a name of more than 1000 bytes");
  // The longest that there may be, in objects.
  expect_little("(" + name("m", std::string(1000, 'x')) + "q\1" + repeated("h\1)\x81h\1)R") + "t", "holds a tuple");
}

TEST(PickleMemory, DoesNotGrowByKeysOfStoragesUsedAgain) {
  const auto storage = "(" + text("storage") + name("torch", "FloatStorage") + "h\1NK\6tQ";
  expect_little("(" + long_text + repeated(storage) + "t", "holds a tuple");
}

TEST(PickleMemory, DoesNotGrowBySizesUsedAgain) {
  expect_little("((" + repeated("K\1") + "tq\1" + repeated(tensor("K\0h\1h\1"s)) + "t", "a tensor has 5000 dimensions");
}

TEST(PickleMemory, DoesNotGrowByKeysUsedAgain) {
  expect_little("(" + long_text + "}(" + repeated("h\1N") + "ut", "holds a tuple");
  expect_little(long_text + "0}(" + repeated("h\1N") + "u", "holds under these keys what is no tensor: \"xxx");
  expect_little(long_text + "0}(" + text("weight") + tensor("K\0))"s) + repeated("h\1}") + "u",
                "holds under these keys what is no tensor: \"xxx");
}

TEST(PickleMemory, DoesNotGrowByKeysInOneAnother) {
  constexpr int depth = 20'000;
  const auto nested = repeated("}(" + text("t") + "h\1" + text("a"), depth) + '}';
  expect_little(tensor("K\0))"s) + "q\1" + "0" + nested + std::string(depth, 'u'),
                "tensors lie under {\"a\"} (1 tensor), {\"a\", \"a\"} (1 tensor)");
}

}  // namespace
}  // namespace packseq::nn
