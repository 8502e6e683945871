// Pickles instruction by instruction, in files that LibTorch's writer makes of them.
#include "nn/pickle_reader.hpp"

#include <caffe2/serialize/inline_container.h>

#include "nn/pickled_weights.hpp"
#include "nn/refusal.hpp"
#include "support/directory.hpp"
#include "weights.hpp"

namespace packseq::nn {
namespace {

using namespace std::string_literals;
using detail::Pickle;
using detail::Refusal;

const std::string begin = "\x80\2";

/// In a pickle: a text, a name, a storage "0" of so many elements.
std::string text(const std::string& text) { return "\x8c"s + static_cast<char>(text.size()) + text; }
std::string name(const std::string& module, const std::string& name) { return 'c' + module + '\n' + name + '\n'; }
std::string storage(const std::string& type = "FloatStorage", const std::string& size = "K\6") {
  return '(' + text("storage") + name("torch", type) + text("0") + text("cpu") + size + "tQ";
}

/// A call that makes a tensor, of offset, sizes and strides as given.
std::string tensor(const std::string& layout, const std::string& storage_of_it = storage()) {
  return name("torch._utils", "_rebuild_tensor_v2") + '(' + storage_of_it + layout + "\x89" +
         name("collections", "OrderedDict") + ")RtR";
}

/// A dict with one entry, "a".
std::string dict_of(const std::string& value) { return begin + '}' + text("a") + value + "s."; }

std::string described(const std::string& instructions) { return describe(Pickle(begin + instructions + '.').top()); }

void expect_refused(const std::string& pickle, const std::string& text) {
  EXPECT_THROWS(Pickle{pickle}, Refusal, "its pickle is damaged, or none that torch.save writes: at byte ");
  EXPECT_THROWS(Pickle{pickle}, Refusal, text);
}

TEST(PickleReader, ReadsEveryValue) {
  const std::vector<std::pair<std::string, std::string>> values = {
      {"N", "None"},
      {"\x88", "True"},
      {"\x89", "False"},
      {"K\xff", "the integer 255"},
      {"M\1\2", "the integer 513"},
      {"J\xfe\xff\xff\xff", "the integer -2"},
      {"\x8a\0"s, "the integer 0"},
      {"\x8a\5\0\0\0\0\1"s, "the integer 4294967296"},
      {"\x8a\1\xff", "the integer -1"},
      {"\x8b\2\0\0\0\1\2"s, "the integer 513"},
      {"\x8a\x09\0\0\0\0\0\0\0\0\1"s, "an integer beyond 64 bits"},
      {"G\x3f\xf8\0\0\0\0\0\0"s, "the number 1.5"},
      {"X\1\0\0\0a"s, "a text"},
      {"\x8c\1a", "a text"},
      {"\x8d\1\0\0\0\0\0\0\0a"s, "a text"},
      {"B\1\0\0\0a"s, "bytes"},
      {"C\1a", "bytes"},
      {"\x8e\1\0\0\0\0\0\0\0a"s, "bytes"},
      {"\x96\1\0\0\0\0\0\0\0a"s, "a bytearray"},
      {")", "a tuple"},
      {"(NNNNt", "a tuple"},
      {"N\x85", "a tuple"},
      {"NN\x86", "a tuple"},
      {"NNN\x87", "a tuple"},
      {"]Na(NNe", "a list"},
      {"}NNs(NNNNu", "a dict"},
      {"\x8f(NN\x90", "a set"},
      {"(NN\x91", "a frozenset"},
      {name("torch", "float32"), "Python's torch.float32"},
      {text("torch") + text("int8") + "\x93", "Python's torch.int8"},
      {name("torch", "Size") + "N\x85R", "an object of Python's torch.Size"},
      {name("m", "C") + ")\x81}b", "an object of Python's m.C"},
      {name("m", "C") + ")}\x92Na(NNe(NNu", "an object of Python's m.C"},
      {name("m", "f") + ")R)R", "an object of Python's m.f"},
      {name("collections", "OrderedDict") + "]NN\x86" + "a\x85R}b", "a dict"},
      {name("collections", "defaultdict") + name("__builtin__", "list") + "\x85RNNs", "a dict"},
      {storage(), "a storage"},
      {"\x95\1\0\0\0\0\0\0\0N"s, "None"},
      {"N0\x88", "True"},
      {"\x88(NN1", "True"}};
  for (const auto& [instructions, expected] : values) EXPECT_EQ(described(instructions), expected) << instructions;
}

TEST(PickleReader, RecallsWhatItHasKept) {
  EXPECT_EQ(described("Nq\5\x88h\5"), "None");
  EXPECT_EQ(described("Nr\5\0\0\1\x88j\5\0\0\1"s), "None");
  EXPECT_EQ(described("N\x94\x88\x94\x89h\1"), "True");
  expect_refused(begin + "h\1.", "it recalls value 1, which it has not kept");
}

TEST(PickleReader, RefusesWhatIsMalformed) {
  expect_refused("", "it ends within an instruction");
  expect_refused("N.", "it does not begin as one of protocol 2 or later: save with pickle_protocol=2");
  expect_refused("\x80\6N.", "its protocol is 6, and must be 2 to 5");
  expect_refused(begin + "N", "it ends within an instruction");
  expect_refused(begin + "J\1", "it ends within an instruction");
  expect_refused(begin + "\x8d\xff\xff\xff\xff\xff\xff\xff\xff", "it ends within an instruction");
  expect_refused(begin + "cmodule\nname", "it ends within a name");
  expect_refused(begin + "I1\n.", "it has the instruction 73, which torch.save does not write");
  for (const auto* lacking : {".", "0", "N\x86", "]a", "}Ns", "q\1", "NR", "b", "Q", "\x93", "]N(a", "N(.", "(N0R"}) {
    expect_refused(begin + lacking + '.', "an instruction lacks a value");
  }
  for (const auto* lacking : {"t", "]e", "}u", "1", "\x8f\x90", "\x91"}) {
    expect_refused(begin + lacking + '.', "an instruction lacks its mark");
  }
  expect_refused(begin + "}(Nu.", "a key lacks its value");
  expect_refused(begin + ")Na.", "it appends to a tuple");
  expect_refused(begin + "N(Ne.", "it appends to None");
  expect_refused(begin + "]NNs.", "it sets an item of a list");
  expect_refused(begin + "NN\x93.", "a name is no text");
  expect_refused(begin + "NNR.", "a call lacks its arguments");
}

TEST(PickleReader, RefusesCallsThatTorchSaveDoesNotWrite) {
  const auto call = [](const std::string& module, const std::string& function, const std::string& arguments) {
    return begin + name(module, function) + arguments + "R.";
  };
  expect_refused(begin + "NQ.", "it refers to something else than a storage");
  expect_refused(begin + "(NNNNNtQ.", "argument 0 of a call is missing or of another kind");
  expect_refused(begin + storage("NoStorage") + '.', "LibTorch has no storage of the class torch.NoStorage");
  expect_refused(begin + storage("UndefinedStorage") + '.', "LibTorch has no storage of the class torch.Undefined");
  expect_refused(begin + storage("FloatStorage", "\x8a\1\xff") + '.', "a storage has -1 elements");
  expect_refused(begin + storage("FloatStorage", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f") + '.',
                 "a storage has 9223372036854775807 elements");
  expect_refused(call("torch._utils", "_rebuild_tensor_v2", ")"), "argument 0 of a call is missing");
  expect_refused(call("torch._utils", "_rebuild_parameter", ")"), "_rebuild_parameter has no arguments");
  expect_refused(call("collections", "OrderedDict", "]Na\x85"), "an OrderedDict is made of something else than pairs");
  expect_refused(dict_of(tensor("K\0(NtK\1\x85"s)), "argument 0 of a call is missing or of another kind");
  const auto v3 = [](const std::string& dtype) {
    return name("torch._utils", "_rebuild_tensor_v3") + '(' + storage() + "K\0))\x89}"s + dtype + "tR";
  };
  expect_refused(dict_of(v3(name("torch", "float3"))), "LibTorch has no dtype torch.float3");
  expect_refused(dict_of(v3(name("numpy", "float32"))), "LibTorch has no dtype numpy.float32");
  expect_refused(
      dict_of(name("torch._utils", "_rebuild_tensor_v2") + '(' + storage() + "K\0))\x89}}"s + text("zero") + "\x88stR"),
      "a tensor has a property other than conj and neg");
}

TEST(PickleReader, TakesTimeAndMemoryByItsLength) {
  EXPECT_EQ(describe(Pickle(begin + std::string(1'000'000, ']') + std::string(999'999, 'a') + '.').top()), "a list");
  // Each holds the one before twice: to go through all would take until the end of days.
  std::string doubled = begin + "}";
  for (int i = 0; i < 100; ++i) doubled += "q\1}(" + text("a") + "h\1" + text("b") + "h\1u";
  const Pickle pickle(doubled + '.');
  EXPECT_THROWS(detail::pickled_weights(pickle.top(), {}), Refusal, "holds under these keys what is no tensor: \"a\"");
  const Pickle cycle(begin + "}q\1" + text("a") + "h\1s.");
  EXPECT_THROWS(detail::pickled_weights(cycle.top(), {"a", "a"}), Refusal, "holds under {\"a\", \"a\"} no tensors");
}

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
  const auto expect_outside = [&](const std::string& layout) {
    expect_refused(dict_of(tensor(layout)), "is not within the 24 bytes of its storage 0 (under the key \"a\")");
  };
  write_pickle(dict_of(tensor("K\0"s + sizes + "K\3K\1\x86")));
  EXPECT_TRUE(at::equal(read_state_dict(file_)["a"], torch::tensor({{1.F, 2.F, 3.F}, {4.F, 5.F, 6.F}})));
  write_pickle(dict_of(tensor("K\7K\0\x85K\1\x85"s)));  // empty, and so nowhere
  EXPECT_EQ(read_state_dict(file_)["a"].numel(), 0);
  write_pickle(dict_of(tensor("K\5))"s)));
  EXPECT_EQ(read_state_dict(file_)["a"].item<float>(), 6);

  const auto most = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"s;
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
  expect_refused(dict_of(tensor("K\0))"s, other)), "record data/1 cannot be read");
}

TEST_F(PickledFile, RefusesKeysThatComeTwiceAndUnknownByteOrders) {
  const auto one = text("a") + tensor("K\0))"s);
  expect_refused(begin + "}(" + one + one + "u.", "has the key \"a\" twice");
  write_pickle(begin + "}(" + one + "u.", "middle");
  EXPECT_THROWS(read_state_dict(file_), c10::ValueError, "has the byte order middle, and must have little or big");
}

TEST_F(PickledFile, NeedsTheTensorsThatAreAskedForAlone) {
  // The storage of "b" is not there, and nobody asks for it.
  auto lacking = storage();
  lacking[lacking.find("0\x8c")] = '1';
  write_pickle(begin + "}(" + text("x") + '}' + text("a") + tensor("K\0))"s) + 's' + text("y") + '}' + text("b") +
               tensor("K\0))"s, lacking) + "su.");
  EXPECT_EQ(read_state_dict(file_, {.key = {"x"}})["a"].item<float>(), 1);
  EXPECT_THROWS(read_state_dict(file_, {.key = {"y"}}), c10::ValueError, "record data/1 cannot be read");
}

}  // namespace
}  // namespace packseq::nn
