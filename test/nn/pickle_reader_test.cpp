// Pickles instruction by instruction.
#include "nn/pickle_reader.hpp"

#include "nn/pickled_weights.hpp"
#include "nn/refusal.hpp"
#include "pickle_instructions.hpp"
#include "support/throws.hpp"

namespace packseq::nn {
namespace {

using namespace std::string_literals;
using detail::Pickle;
using detail::Refusal;
using test::dict_of;
using test::name;
using test::protocol_2;
using test::storage;
using test::tensor;
using test::text;

std::string described(const std::string& instructions) {
  return describe(Pickle(protocol_2 + instructions + '.').top());
}

void expect_refused(const std::string& pickle, const std::string& text) {
  EXPECT_THROWS(Pickle{pickle}, Refusal, "is damaged, or none that torch.save writes: at byte ");
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
      {"N)R", "an object"},
      {name("collections", "OrderedDict") + ")RNNs}b", "a dict"},
      {name("collections", "defaultdict") + name("__builtin__", "list") + "\x85RNNs", "a dict"},
      {storage(), "a storage"},
      {storage("QInt8Storage"), "a storage of the class torch.QInt8Storage"},
      {storage("UInt16Storage"), "a storage of the class torch.UInt16Storage"},
      {storage(""), "a storage of the class torch."},
      {"\x95\1\0\0\0\0\0\0\0N"s, "None"},
      {"N0\x88", "True"},
      {"\x88(NN1", "True"}};
  for (const auto& [instructions, expected] : values) EXPECT_EQ(described(instructions), expected) << instructions;
}

TEST(PickleReader, RecallsWhatItHasKept) {
  EXPECT_EQ(described("Nq\5\x88h\5"), "None");
  EXPECT_EQ(described("Nr\5\0\0\1\x88j\5\0\0\1"s), "None");
  EXPECT_EQ(described("N\x94\x88\x94\x89h\1"), "True");
  expect_refused(protocol_2 + "h\1.", "it recalls value 1, which it has not kept");
}

TEST(PickleReader, RefusesWhatIsMalformed) {
  expect_refused("", "it ends within an instruction");
  expect_refused("N.", "it does not begin as one of protocol 2 or later: save with pickle_protocol=2");
  expect_refused("\x80\6N.", "its protocol is 6, and must be 2 to 5");
  expect_refused(protocol_2 + "N", "it ends within an instruction");
  expect_refused(protocol_2 + "J\1", " of its pickle, it ends within an instruction");
  expect_refused(protocol_2 + "\x8d\xff\xff\xff\xff\xff\xff\xff\xff", "it ends within an instruction");
  expect_refused(protocol_2 + "cmodule\nname", "it ends within a name");
  expect_refused(protocol_2 + "I1\n.", "it has the instruction 73, which torch.save does not write");
  for (const auto* lacking : {".", "0", "N\x86", "]a", "}Ns", "q\1", "NR", "b", "Q", "\x93", "]N(a", "N(.", "(N0R"}) {
    expect_refused(protocol_2 + lacking + '.', "an instruction lacks a value");
  }
  for (const auto* lacking : {"t", "]e", "}u", "1", "\x8f\x90", "\x91"}) {
    expect_refused(protocol_2 + lacking + '.', "an instruction lacks its mark");
  }
  expect_refused(protocol_2 + "}(Nu.", "a key lacks its value");
  expect_refused(protocol_2 + ")Na.", "it appends to a tuple");
  expect_refused(protocol_2 + "N(Ne.", "it appends to None");
  expect_refused(protocol_2 + "]NNs.", "it sets an item of a list");
  expect_refused(protocol_2 + "NN\x93.", "a name is no text");
  expect_refused(protocol_2 + "NNR.", "a call lacks its arguments");
}

TEST(PickleReader, RefusesCallsThatTorchSaveDoesNotWrite) {
  const auto call = [](const std::string& module, const std::string& function, const std::string& arguments) {
    return protocol_2 + name(module, function) + arguments + "R.";
  };
  expect_refused(protocol_2 + "NQ.", "it refers to something else than a storage");
  expect_refused(protocol_2 + "(NNNNNtQ.", "argument 0 of a call is missing or of another kind");
  expect_refused(dict_of(tensor("K\0))"s, "N")), "argument 0 of a call is missing or of another");
  expect_refused(dict_of(name("torch", std::string(1001, 'x'))), "it has a name of more than 1000 bytes");
  expect_refused(dict_of(tensor("K\0("s + std::string(65, ')') + "t)")), "a tensor has 65 dimensions, more than 64");
  expect_refused(protocol_2 + storage("FloatStorage", "\x8a\1\xff") + '.', "a storage has -1 elements");
  expect_refused(protocol_2 + storage("FloatStorage", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f") + '.',
                 "a storage has 9223372036854775807 elements");
  expect_refused(call("torch._utils", "_rebuild_tensor_v2", ")"), "argument 0 of a call is missing");
  expect_refused(call("torch._utils", "_rebuild_parameter", ")"), "_rebuild_parameter has no arguments");
  expect_refused(call("collections", "OrderedDict", "]\x85"), "an OrderedDict has arguments");
  expect_refused(dict_of(tensor("K\0(NtK\1\x85"s)), "argument 0 of a call is missing or of another kind");
  const auto v3 = [](const std::string& dtype) {
    return name("torch._utils", "_rebuild_tensor_v3") + '(' + storage() + "K\0))\x89}"s + dtype + "tR";
  };
  expect_refused(dict_of(v3(name("torch", "float3"))), "LibTorch has no dtype torch.float3");
  expect_refused(dict_of(v3(name("numpy", "float32"))), "LibTorch has no dtype numpy.float32");
  for (const auto* never_written : {"uint1", "int7", "qint8", "Bits8"}) {
    expect_refused(dict_of(v3(name("torch", never_written))), "LibTorch has no dtype torch.");
  }
  const auto with = [](const std::string& property, const std::string& type = "FloatStorage") {
    return dict_of(name("torch._utils", "_rebuild_tensor_v2") + '(' + storage(type) + "K\0))\x89}}"s + property + "tR");
  };
  expect_refused(with(text("zero") + "\x88s"), "a tensor has a property other than conj and neg");
  const auto conjugate = text("conj") + "\x88s";
  expect_refused(with(conjugate + conjugate + conjugate), "a tensor has 3 properties, more than conj and neg");
  expect_refused(with(conjugate), "a tensor of Float cannot be conjugate");
  expect_refused(with(text("neg") + "\x88s", "BoolStorage"), "a tensor of Bool cannot be negative");
  expect_refused(with(text("neg") + "\x88s", "LongStorage"), "a tensor of Long cannot be negative");
}

TEST(PickleReader, TakesTimeAndMemoryByItsLength) {
  EXPECT_EQ(describe(Pickle(protocol_2 + std::string(1'000'000, ']') + std::string(999'999, 'a') + '.').top()),
            "a list");
  // Each holds the one before twice: to go through all would take until the end of days.
  std::string doubled = protocol_2 + "}";
  for (int i = 0; i < 100; ++i) doubled += "q\1}(" + text("a") + "h\1" + text("b") + "h\1u";
  const Pickle pickle(doubled + '.');
  EXPECT_THROWS(detail::pickled_weights(pickle.top(), {}), Refusal, "holds under these keys what is no tensor: \"a\"");
  const Pickle cycle(protocol_2 + "}q\1" + text("a") + "h\1s.");
  EXPECT_THROWS(detail::pickled_weights(cycle.top(), {.key = {"a", "a"}}), Refusal,
                "holds under {\"a\", \"a\"} no tensors");
}

}  // namespace
}  // namespace packseq::nn
