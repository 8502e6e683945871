// What a pickle uses again, or holds in another, must not take memory by the square of its length.
#include "nn/pickle_reader.hpp"

#include <sys/resource.h>

#include <cstdlib>
#include <fstream>

#include "nn/pickled_weights.hpp"
#include "nn/refusal.hpp"
#include "pickle_instructions.hpp"
#include "support/directory.hpp"
#include "support/resident_memory.hpp"
#include "support/throws.hpp"
#include "text/little_endian.hpp"
#include "zip_archive.hpp"

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

TEST(PickleMemory, GrowsByTheLengthAsTheHeaderSays) {
  // What takes the most: a tensor of as many dimensions as there may be, called again and again with the same ones.
  const auto sizes = "(" + repeated("K\1", 64) + "tq\2";
  const auto call = name("torch._utils", "_rebuild_tensor_v2") + "q\0("s + test::storage() + "K\0"s + sizes +
                    "h\2\x89" + name("collections", "OrderedDict") + ")Rtq\1R";
  const auto pickle = protocol_2 + '(' + call + repeated("h\0h\1R"s, 40'000) + "t.";
  const auto kib = test::peak_kib([&pickle] { EXPECT_EQ(describe(detail::Pickle(pickle).top()), "a tuple"); });
  if (!kib) GTEST_SKIP() << "the system does not tell how much memory a process holds";
  EXPECT_LT(*kib * 1024, 300 * static_cast<std::int64_t>(pickle.size()));
}

class LargePickleFile : public test::DirectoryTest {
 protected:
  LargePickleFile() : DirectoryTest("packseq_large_pickle", "model.pt") {}
};

TEST_F(LargePickleFile, IsRefusedWithoutMemoryForIt) {
  // Its zeros take no room on the disk.
  constexpr std::uint64_t size = 1ULL << 30;
  const auto archive = test::zip_archive({{"m/data.pkl", ""}});
  constexpr std::size_t header = 40;
  auto list = archive.substr(header);
  const auto sizes = packseq::detail::to_little_endian(size, 4);
  list.replace(20, 8, sizes + sizes);
  list.replace(list.size() - 6, 4, packseq::detail::to_little_endian(header + size, 4));
  {
    std::ofstream file(file_, std::ios::binary);
    file << archive.substr(0, header);
    file.seekp(static_cast<std::streamoff>(header + size));
    file << list;
  }
  const auto memory_kib = test::status_kib("VmSize");
  if (memory_kib == 0) GTEST_SKIP() << "the system does not tell how much memory a process holds";
  const auto read = [&] {
    const auto most = static_cast<rlim_t>(memory_kib + 500 * 1024) * 1024;
    const rlimit limit{.rlim_cur = most, .rlim_max = most};
    setrlimit(RLIMIT_AS, &limit);
    EXPECT_THROWS(read_state_dict(file_), c10::ValueError,
                  "model.pt\" needs 1073741824 bytes of memory at once, more than there is");
    std::exit(HasFailure() ? 1 : 0);
  };
  EXPECT_EXIT(read(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace packseq::nn
