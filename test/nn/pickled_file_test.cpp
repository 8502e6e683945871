// Pickles in files that LibTorch's writer makes of them.
#include <caffe2/serialize/inline_container.h>

#include "pickle_instructions.hpp"
#include "support/directory.hpp"
#include "weights.hpp"

namespace packseq::nn {
namespace {

using namespace std::string_literals;
using test::dict_of;
using test::name;
using test::protocol_2;
using test::storage;
using test::tensor;
using test::text;

class PickledFile : public test::DirectoryTest {
 protected:
  PickledFile() : DirectoryTest("packseq_pickled_file", "model.pt") {}

  /// A file of torch.save with this pickle, and six floats as its storage "0".
  void write_pickle(const std::string& pickle, const std::string& byte_order = "little") const {
    caffe2::serialize::PyTorchStreamWriter writer(file_.string());
    const std::vector<float> numbers = {1, 2, 3, 4, 5, 6};
    writer.writeRecord("data.pkl", pickle.data(), pickle.size());
    writer.writeRecord("byteorder", byte_order.data(), byte_order.size());
    writer.writeRecord("data/0", numbers.data(), numbers.size() * sizeof(float));
    writer.writeEndOfFile();
  }

  void expect_refused(const std::string& pickle, const std::string& text) const {
    write_pickle(pickle);
    EXPECT_THROWS(read_state_dict(file_), c10::ValueError, text);
  }
};

TEST_F(PickledFile, HoldsTensorsWithinTheirStorageAlone) {
  const auto sizes = "K\2K\3\x86"s;
  const auto most = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"s;
  const auto expect_outside = [&](const std::string& layout) {
    expect_refused(dict_of(tensor(layout)), "is not within the 24 bytes of its storage 0 (under the key \"a\")");
  };
  write_pickle(dict_of(tensor("K\0"s + sizes + "K\3K\1\x86")));
  EXPECT_TRUE(at::equal(read_state_dict(file_)["a"], torch::tensor({{1.F, 2.F, 3.F}, {4.F, 5.F, 6.F}})));
  for (const auto& offset : {"K\7"s, most}) {  // empty, and so nowhere
    write_pickle(dict_of(tensor(offset + "K\0\x85K\1\x85"s)));
    EXPECT_EQ(read_state_dict(file_)["a"].numel(), 0);
    EXPECT_EQ(read_state_dict(file_)["a"].storage_offset(), 0);
  }
  write_pickle(dict_of(tensor("K\5))"s)));
  EXPECT_EQ(read_state_dict(file_)["a"].item<float>(), 6);

  expect_outside("K\1" + sizes + "K\3K\1\x86");              // one behind
  expect_outside("K\0"s + sizes + "K\4K\1\x86");             // a step too wide
  expect_outside("K\6))");                                   // a scalar behind
  expect_outside("\x8a\1\xff))");                            // before
  expect_outside("K\0"s + sizes + "K\1\x85");                // strides of another number of dimensions
  expect_outside("K\0\x8a\1\xff\x85K\1\x85"s);               // a negative size
  expect_outside("K\5K\2\x85\x8a\1\xff\x85"s);               // a negative stride
  expect_outside("K\0"s + most + most + "\x86K\0K\0\x86"s);  // more elements than 63 bits count
  expect_outside("K\0K\3\x85"s + most + "\x85");             // a step beyond 63 bits
  expect_outside(most + "K\2\x85K\1\x85");                   // an end beyond them
}

TEST_F(PickledFile, HasRecordsOfTheSizeThatThePickleSays) {
  expect_refused(dict_of(tensor("K\0))"s, storage("FloatStorage", "K\5"))),
                 "is damaged: its record data/0 has 24 bytes, and must have 20 (under the key \"a\")");
  expect_refused(dict_of(tensor("K\0))"s, storage("DoubleStorage", "K\6"))), "has 24 bytes, and must have 48");
  auto other = storage();
  other[other.find("0\x8c")] = '1';
  expect_refused(dict_of(tensor("K\0))"s, other)), "is a zip archive without the record data/1");
}

TEST_F(PickledFile, RefusesKeysThatComeTwiceAndUnknownByteOrders) {
  const auto one = text("a") + tensor("K\0))"s);
  expect_refused(protocol_2 + "}(" + one + one + "u.", "has the key \"a\" twice");
  const auto twice = [this, &one](const std::string& first, const std::string& second) {
    write_pickle(protocol_2 + "}(" + text("x") + "}(" + first + "N" + second + "}(" + one + "uuu.");
    EXPECT_THROWS(read_state_dict(file_, {.key = {"x"}}), c10::ValueError, "under {\"x\"} no tensors");
    EXPECT_THROWS(read_state_dict(file_, {.key = {"x", "1"}}), c10::ValueError,
                  "has two keys under {\"x\"} that ReadOptions::key calls \"1\": in Python, save what is under one");
  };
  twice(text("1"), "K\1");
  twice("K\1", text("1"));
  twice("K\1", "M\1\0"s);
  write_pickle(protocol_2 + "}(" + text("x") + "}(" + text("a") + "N" + one + "uu.");
  EXPECT_THROWS(read_state_dict(file_, {.key = {"x"}}), c10::ValueError, "has under {\"x\"} the key \"a\" twice");
  write_pickle(protocol_2 + "}(" + one + "u.", "middle");
  EXPECT_THROWS(read_state_dict(file_), c10::ValueError, "has the byte order middle, and must have little or big");
}

TEST_F(PickledFile, ReadsAStorageOnceHoweverManyTensorsItHas) {
  std::string all = protocol_2 + "}(";
  for (int i = 0; i < 1000; ++i) all += text(std::to_string(i)) + tensor("K\0))"s);
  for (const auto* order : {"little", "big"}) {
    write_pickle(all + "u.", order);
    const auto state = read_state_dict(file_);
    for (const auto& entry : state) EXPECT_TRUE(entry.value().is_alias_of(state["0"]));
  }
}

TEST_F(PickledFile, ReadsTensorsBesideWhatIsNoneWhereAsked) {
  const auto weight = text("weight") + tensor("K\0))"s);
  write_pickle(protocol_2 + "}(" + weight + text("epoch") + "K\3u.");
  EXPECT_THROWS(read_state_dict(file_), c10::ValueError,
                "no tensor: \"epoch\" (the integer 3); to read those at the top, 1 in number, set "
                "ReadOptions::tensors_only");
  EXPECT_EQ(read_state_dict(file_, {.tensors_only = true}).keys(), (std::vector<std::string>{"weight"}));
  EXPECT_THROWS(read_state_dict(file_, {.key = {"x"}}), c10::ValueError,
                "to read those at the top, 1 in number, leave ReadOptions::key out and set ReadOptions::tensors_only");
  write_pickle(protocol_2 + "}(" + weight + "u.");
  EXPECT_THROWS(read_state_dict(file_, {.key = {"x"}}), c10::ValueError, "1 in number, leave ReadOptions::key out");
  write_pickle(protocol_2 + "}(" + weight + text("best") + "}(" + weight + "uu.");
  EXPECT_THROWS(read_state_dict(file_), c10::ValueError,
                "give as ReadOptions::key where the weights are: tensors lie under {\"best\"} (1 tensor); to read "
                "those at the top");
  write_pickle(protocol_2 + "}(" + text("epoch") + "K\3u.");
  EXPECT_THROWS(read_state_dict(file_, {.tensors_only = true}), c10::ValueError, "holds no tensors; in Python, write");
}

TEST_F(PickledFile, NeedsTheTensorsThatAreAskedForAlone) {
  // The storage of "b" is not there, and nobody asks for it.
  auto lacking = storage();
  lacking[lacking.find("0\x8c")] = '1';
  write_pickle(protocol_2 + "}(" + text("x") + '}' + text("a") + tensor("K\0))"s) + 's' + text("y") + '}' + text("b") +
               tensor("K\0))"s, lacking) + "su.");
  EXPECT_EQ(read_state_dict(file_, {.key = {"x"}})["a"].item<float>(), 1);
  EXPECT_THROWS(read_state_dict(file_, {.key = {"y"}}), c10::ValueError, "without the record data/1");
}

TEST_F(PickledFile, TellsOfKeysThatNoneOfTheOptionsReaches) {
  const auto weights = "}" + text("a") + tensor("K\0))"s) + "s";
  write_pickle(protocol_2 + "}" + text("x") + "}(N" + weights + "\x88" + weights + "N\x85" + weights + text("y") +
               weights + "us.");
  EXPECT_THROWS(read_state_dict(file_), c10::ValueError,
                "tensors lie under {\"x\", (None: not reachable, save it by itself)} (1 tensor), {\"x\", (True: not "
                "reachable, save it by itself)} (1 tensor), {\"x\", (a tuple: not reachable, save it by itself)} (1 "
                "tensor), {\"x\", \"y\"} (1 tensor)");
  for (const auto* name : {"None", "True", "a tuple", "0"}) {
    EXPECT_THROWS(read_state_dict(file_, {.key = {"x", name}}), c10::ValueError,
                  "is with the keys (None: not reachable, save it by itself), (True: not");
  }
  EXPECT_EQ(read_state_dict(file_, {.key = {"x", "y"}})["a"].item<float>(), 1);
}

TEST_F(PickledFile, TellsTheWayOutHoweverLongItsKeysAre) {
  const auto weight = text("a") + tensor("K\0))"s);
  std::string others;
  for (char c = 'a'; c < 'k'; ++c) others += text(std::string(250, c)) + "N";
  write_pickle(protocol_2 + "}(" + others + weight + text("x") + "}(" + weight + "uu.");
  const auto way_out =
      "; give as ReadOptions::key where the weights are: tensors lie under {\"x\"} (1 tensor); to read those at the "
      "top, 1 in number, ";
  EXPECT_THROWS(read_state_dict(file_), c10::ValueError, "\" holds under these keys what is no tensor: \"aaa");
  EXPECT_THROWS(read_state_dict(file_), c10::ValueError, way_out);
  EXPECT_THROWS(read_state_dict(file_, {.key = {"z"}}), c10::ValueError, way_out);
}

}  // namespace
}  // namespace packseq::nn
