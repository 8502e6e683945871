#include "packseq/nn/safetensors.hpp"

#include "packseq/nn/lstm.hpp"
#include "support/directory.hpp"
#include "weights.hpp"

namespace packseq::nn {
namespace {

class SafetensorsTest : public test::DirectoryTest {
 protected:
  SafetensorsTest() : DirectoryTest("packseq_safetensors", "model.safetensors") {}

  /// A file with this header, its length right, and `size` bytes behind it.
  void write_file(const std::string& header, std::size_t size) const {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i) & 0xFF);
    write(bytes + header + std::string(size, '\1'));
  }

  void expect_refused(const std::string& text) const {
    EXPECT_THROWS(read_safetensors(file_), c10::ValueError, "model.safetensors\" " + text);
    EXPECT_THROWS(read_state_dict(file_), c10::ValueError, "model.safetensors\" " + text);
  }

  void expect_header_refused(const std::string& header, std::size_t size, const std::string& text) const {
    write_file(header, size);
    expect_refused(text);
  }

  void expect_member_refused(const std::string& member, const std::string& text) const {
    expect_header_refused("{\"a\":{" + member + "}}", 8, text);
  }
};

StateDict savable_dtypes() {
  auto state = test::every_dtype();
  state.erase("complex128");
  state.erase("complex32");
  return state;
}

TEST_F(SafetensorsTest, ReadsWhatIsWritten) {
  const std::map<std::string, std::string> metadata = {{"format", "pt"}, {"ü", "\"\n"}};
  for (const auto& state : {savable_dtypes(), test::views(), state_dict(*LSTM(2, 3)), StateDict()}) {
    write_safetensors(file_, state, metadata);
    const auto [read, texts] = read_safetensors(file_);
    EXPECT_EQ(read.size(), state.size());
    for (const auto& entry : state) {
      test::expect_same_state({{"", read[entry.key()]}}, {{"", entry.value()}});
      EXPECT_TRUE(read[entry.key()].is_contiguous());
    }
    EXPECT_EQ(texts.at("ü"), "\"\n");
    EXPECT_EQ(read_state_dict(file_).keys(), read.keys());
    expect_files(1);
  }
}

TEST_F(SafetensorsTest, WritesAsTheFormatSays) {
  write_safetensors(file_, {{"b", torch::tensor({1.F, 2.F})}, {"a", at::ones({1, 1})}, {"z", at::ones(1, at::kLong)}},
                    {{"epoch", "3"}});
  const std::string header = R"({"__metadata__":{"epoch":"3"},"z":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
                             R"("a":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]},)"
                             R"("b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}})";
  const auto padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  const auto bytes = content();
  EXPECT_EQ(static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])), padded.size());
  EXPECT_EQ(bytes.substr(1, 7), std::string(7, '\0'));
  EXPECT_EQ(bytes.substr(8, padded.size()), padded);
  EXPECT_EQ(bytes.substr(8 + padded.size()), std::string("\1\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\x80\x3f\0\0\0\x40", 20));
}

TEST_F(SafetensorsTest, KeepsTiedWeightsTied) {
  const auto weight = at::rand({2, 3});
  const StateDict state = {{"c", weight}, {"b", weight.view({2, 3})}, {"d", weight.t()}, {"e", weight[0]}};
  write_safetensors(file_, state);
  const auto [read, metadata] = read_safetensors(file_);
  EXPECT_EQ(metadata, (std::map<std::string, std::string>{{"c", "b"}}));
  EXPECT_TRUE(read["c"].is_same(read["b"]));
  EXPECT_FALSE(read["d"].is_alias_of(read["b"]));
  for (const auto& entry : state) EXPECT_TRUE(at::equal(read[entry.key()], entry.value()));
  EXPECT_THROWS(
      write_safetensors(file_, state, {{"c", "mine"}}), c10::ValueError,
      "metadata has the text \"mine\" under the name c, where it must be noted that this tensor is tied to b");
  write_safetensors(file_, state, {{"c", "b"}});
  // Only to tensors that the file has: what is tied itself, or is not there, is none of them.
  write_safetensors(file_, {{"c", weight}}, {{"b", "c"}, {"a", "b"}, {"z", "b"}, {"x", "y"}});
  EXPECT_EQ(read_state_dict(file_).keys(), (std::vector<std::string>{"c", "b"}));
  // Neither are tied: empty tensors, all of which may be in one place; and a name that is there itself.
  write_safetensors(file_, {{"a", at::zeros({0, 3})}, {"b", at::zeros({0, 3})}}, {{"x", "a "}, {"a", "b"}});
  EXPECT_EQ(read_state_dict(file_).keys(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(SafetensorsTest, RefusesToWriteWhatTheFormatLacks) {
  const auto refused = [this](const std::string& name, const at::Tensor& tensor, const std::string& text) {
    EXPECT_THROWS(write_safetensors(file_, {{name, tensor}}), c10::ValueError, "cannot be written: " + text);
    expect_files(0);
  };
  refused("a", at::ones(1, at::kComplexDouble), "the tensor under the key \"a\" is ComplexDouble, which safetensors");
  refused("__metadata__", at::ones(1), "no tensor may be called __metadata__");
  refused("a", at::ones(1, at::kByte).view(at::kFloat4_e2m1fn_x2)[0], "the tensor under the key \"a\" is Float4");
  EXPECT_THROWS(write_safetensors(file_, StateDict(), {{"a", "\xff"}}), c10::ValueError,
                "a name or text is not UTF-8: \xff");
  EXPECT_THROWS(write_safetensors(file_, StateDict(), {{"a", std::string(100'000'000, 'x')}}), c10::ValueError,
                "its header would have 100000032 bytes, and the format allows 100000000");
}

TEST_F(SafetensorsTest, HasAsManyDimensionsAsFilesOfTorchSave) {
  const auto header = [](const std::string& ones) {
    return R"({"a":{"dtype":"U8","shape":[)" + ones + R"(1],"data_offsets":[0,1]}})";
  };
  std::string ones;
  for (int i = 0; i < 63; ++i) ones += "1,";
  write_file(header(ones), 1);
  EXPECT_EQ(read_state_dict(file_)["a"].dim(), 64);
  expect_header_refused(header("1," + ones), 1, "is damaged: its tensor a has 65 dimensions, and must have 64 at most");
}

TEST_F(SafetensorsTest, ReadsHeadersOfOtherWriters) {
  write_file(R"( {"b": {"shape": [1], "data_offsets": [4, 8], "dtype": "F32"},
                "a": {"shape": [2, 2], "data_offsets": [0, 4], "dtype": "U8"},
                "e": {"shape": [0, 9223372036854775807], "data_offsets": [4, 4], "dtype": "U8"}}  )",
             8);
  // It must begin with a brace, by which it is told.
  expect_refused("is none of the files that are read");
  write_file(R"({"b": {"shape": [1], "data_offsets": [4, 8], "dtype": "F32"},
                "a": {"shape": [2, 2], "data_offsets": [0, 4], "dtype": "U8"},
                "e": {"shape": [0, 9223372036854775807], "data_offsets": [4, 4], "dtype": "U8"}}  )",
             8);
  const auto state = read_state_dict(file_);
  EXPECT_EQ(state.keys(), (std::vector<std::string>{"b", "a", "e"}));
  EXPECT_TRUE(at::equal(state["a"], at::ones({2, 2}, at::kByte)));
  EXPECT_THROWS(read_state_dict(file_, {.key = {"model"}}), c10::ValueError, "in which nothing is nested");
}

TEST_F(SafetensorsTest, RefusesFilesOfTheWrongLength) {
  write_safetensors(file_, {{"a", at::ones(4)}});
  const auto whole = content();
  for (std::size_t size = 9; size < whole.size(); ++size) {
    write(whole.substr(0, size));
    expect_refused("is cut short: ");
  }
  write(whole + '\1');
  expect_refused("is damaged: behind its last tensor are 1 bytes that belong to none");
  write(std::string("\1\2\3\4\0\0\0\0{", 9));
  expect_refused("is cut short: its header has 67305985 bytes, and the whole file 9");
  write(std::string("\1\2\3\x14\0\0\0\0{", 9));
  expect_refused("is no safetensors file, or damaged: its header would have 335741441 bytes, and must have 100000000");
}

TEST_F(SafetensorsTest, RefusesTensorsThatAreNotWhereTheyMustBe) {
  const auto header = [](const std::string& offsets_of_a, const std::string& offsets_of_b) {
    return R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)" + offsets_of_a +
           R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + offsets_of_b + "}}";
  };
  expect_header_refused(header("[0,4]", "[5,9]"), 9,
                        "is damaged: tensor b has the data_offsets [5, 9], and must begin");
  expect_header_refused(header("[4,8]", "[8,12]"), 12,
                        "is damaged: tensor a has the data_offsets [4, 8], and must beg");
  expect_header_refused(header("[0,4]", "[2,6]"), 6,
                        "is damaged: tensor b has the data_offsets [2, 6], and must begin");
  expect_header_refused(header("[0,4]", "[0,4]"), 4,
                        "is damaged: tensor b has the data_offsets [0, 4], and must begin");
  expect_header_refused(header("[4,0]", "[0,4]"), 4, "is damaged: tensor a has the data_offsets [4, 0], and they must");
  expect_header_refused(header("[0,8]", "[8,12]"), 12,
                        "is damaged: tensor a has the data_offsets [0, 8], and of dtype Float and sizes [1] it must");
  expect_header_refused(header("[0,4]", "[4,8]"), 7, "is cut short: behind its header it has 7 bytes of 8");
}

TEST_F(SafetensorsTest, RefusesHeadersThatAreNone) {
  const auto a = std::string(R"("a":{"dtype":"U8","shape":[],"data_offsets":[0,1]})");
  expect_header_refused('{' + a + ',' + a + '}', 1, "is damaged: its header has the name a twice");
  expect_header_refused(R"({"__metadata__":{"a":"1","a":"2"}})", 0, "is damaged: its metadata have the name a twice");
  expect_header_refused(R"({"__metadata__":{},"__metadata__":{}})", 0,
                        "is damaged: its header has the name __metadata");
  expect_header_refused(R"({"__metadata__":{"a":1}})", 0, "is damaged: its header has 1 where none must be, in __meta");
  expect_header_refused(R"({"__metadata__":{"a":[]}})", 0, "is damaged: its header has an array where none must be");
  expect_header_refused(R"({"__metadata__":{"a":{}}})", 0, "is damaged: its header has an object where none must be");
  expect_header_refused(R"({"a":1})", 0, "is damaged: its header has 1 where none must be, in a");
  expect_header_refused(R"({"a":"b"})", 0, "is damaged: its header has a text where none must be, in a");
  expect_header_refused(R"({"a":null})", 0, "is damaged: its header has null where none must be, in a");
  expect_header_refused(R"({"a":)", 0, "is damaged: its header is no JSON at byte ");
  expect_header_refused("{\"\xff\":", 0, "is damaged: its header is no JSON at byte ");
  expect_header_refused("{}x", 0, "is damaged: its header is no JSON at byte ");
  expect_header_refused({"{}\0{}", 5}, 0, "is damaged: its header is no JSON at byte 2");
  expect_header_refused(std::string(1000, '{'), 0, "is damaged: its header is no JSON at byte ");
}

TEST_F(SafetensorsTest, ShowsNamesSafelyAndNoneOfThemForPages) {
  expect_header_refused(R"({"\u001b[2J\n":1})", 0, "is damaged: its header has 1 where none must be, in ?[2J?");
  write_file("{\"" + std::string(100'000, 'x') + "\":1}", 0);
  try {
    read_safetensors(file_);
    FAIL() << "is read";
  } catch (const c10::ValueError& error) {
    EXPECT_LT(std::string_view(error.what_without_backtrace()).size(), 2200U);
  }
}

TEST_F(SafetensorsTest, RefusesMembersThatAreNone) {
  expect_member_refused(R"("dtype":"U8","shape":[])", "is damaged: its tensor a must have a dtype, a shape and two");
  expect_member_refused(R"("dtype":"U8","shape":[],"data_offsets":[0])", "is damaged: its tensor a must have a dtype");
  expect_member_refused(R"("dtype":"U8","dtype":"U8")", "is damaged: its tensor a has the property dtype twice");
  expect_member_refused(R"("shape":[],"shape":[])", "is damaged: its tensor a has the property shape twice");
  expect_member_refused(R"("strides":[])", "is damaged: its tensor a has the property strides, and must have dtype");
  expect_member_refused(R"("dtype":1)", "is damaged: its header has 1 where none must be, in a: dtype");
  expect_member_refused(R"("shape":"1")", "is damaged: its header has a text where none must be, in a: shape");
  expect_member_refused(R"("shape":[-1])", "is damaged: its header has -1 where none must be, in a: shape");
  expect_member_refused(R"("shape":[1.5])", "is damaged: its header has 1.5 where none must be, in a: shape");
  expect_member_refused(R"("shape":[true])", "is damaged: its header has a boolean where none must be, in a: shape");
  expect_member_refused(R"("shape":[["x"]])", "is damaged: its header has an array where none must be, in a: shape");
  const auto sized = [](const std::string& dtype, const std::string& shape) {
    return R"("dtype":")" + dtype + R"(","data_offsets":[0,8],"shape":)" + shape;
  };
  expect_member_refused(sized("F6_E2M3", "[1]"), "has the tensor a of dtype F6_E2M3, which LibTorch does not have");
  expect_member_refused(sized("F4", "[3]"), "has the tensor a of dtype F4, whose last size must be a multiple of 2");
  expect_member_refused(sized("U8", "[18446744073709551615]"), "is damaged: its tensor a has a size 18446744073709551");
  expect_member_refused(sized("U8", "[4294967296,4294967296,4294967296]"), "is damaged: tensor a has sizes [4294967");
  expect_member_refused(sized("F64", "[4611686018427387904]"), "is damaged: tensor a has sizes [4611686018427387904]");
}

}  // namespace
}  // namespace packseq::nn
