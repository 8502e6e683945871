// Files of weights that need no Python: what is written is read again, and what is none is told.
#include <torch/serialize.h>

#include <chrono>

#include "packseq/nn/lstm.hpp"
#include "packseq/nn/safetensors.hpp"
#include "packseq/nn/state_dict.hpp"
#include "support/directory.hpp"
#include "support/full_disk.hpp"
#include "support/killed.hpp"
#include "weights.hpp"
#include "zip_archive.hpp"

namespace packseq::nn {
namespace {

class StateDictFile : public test::DirectoryTest {
 protected:
  StateDictFile() : DirectoryTest("packseq_state_dict_file", "model.pt") {}

  void expect_refused(const std::string& text) const {
    EXPECT_THROWS(read_state_dict(file_), c10::ValueError, "read_state_dict: \"" + file_.string() + "\" ");
    EXPECT_THROWS(read_state_dict(file_), c10::ValueError, text);
    const auto message = [this] {
      try {
        read_state_dict(file_);
      } catch (const c10::Error& error) {
        return std::string(error.what_without_backtrace());
      }
      return std::string();
    }();
    for (const auto* of_torch : {"INTERNAL ASSERT", "report a bug", "PytorchStreamReader", "caffe2", "enforce"}) {
      EXPECT_EQ(message.find(of_torch), std::string::npos) << message;
    }
  }

  void expect_text_refused(const std::string& content, const std::string& text) const {
    write(content);
    expect_refused(text);
  }
};

TEST_F(StateDictFile, ReadsWhatIsWritten) {
  for (const auto& state : {test::every_dtype(), test::views(), state_dict(*LSTM(2, 3)), StateDict()}) {
    write_state_dict(file_, state);
    test::expect_same_state(read_state_dict(file_), state);
    expect_files(1);
  }
}

TEST_F(StateDictFile, KeepsWhatIsShared) {
  write_state_dict(file_, test::views());
  const auto state = read_state_dict(file_);
  for (const auto* name : {"row", "column", "transposed", "expanded", "again"}) {
    EXPECT_TRUE(state[name].is_alias_of(state["base"])) << name;
    EXPECT_EQ(state[name].strides(), test::views()[name].strides());
  }
  EXPECT_FALSE(state["scalar"].is_alias_of(state["base"]));
}

TEST_F(StateDictFile, WritesNumbersOfTwoDtypesInOneStorage) {
  const auto floats = at::rand(4);
  const StateDict state = {{"floats", floats}, {"ints", floats.view(at::kInt)}, {"bytes", floats.view(at::kByte)}};
  write_state_dict(file_, state);
  test::expect_same_state(read_state_dict(file_), state);
}

TEST_F(StateDictFile, TellsWhatIsAltered) {
  write_state_dict(file_, {{"a", at::full(100, 3.F)}});
  auto altered = content();
  altered[altered.find("\x40\x40\0\0\x40\x40"s) + 1] = '\x41';
  expect_text_refused(altered, "the checksum of its record data/0 is not that of what was written");
}

TEST_F(StateDictFile, WritesParametersWithoutTheirGradients) {
  LSTM lstm(2, 3);
  StateDict state;
  for (const auto& entry : lstm->named_parameters()) state.insert(entry.key(), entry.value());
  write_state_dict(file_, state);
  test::expect_same_state(read_state_dict(file_), state_dict(*lstm));
}

TEST_F(StateDictFile, WritesNothingThatCannotBeRead) {
  const auto refused = [this](const std::string& key, const at::Tensor& tensor, const std::string& text) {
    EXPECT_THROWS(write_state_dict(file_, {{key, tensor}}), c10::ValueError, text);
    EXPECT_THROWS(write_safetensors(file_, {{key, tensor}}), c10::ValueError, text);
    expect_files(0);
  };
  refused("a", {}, "model.pt\" cannot be written: the tensor under the key \"a\" is undefined");
  refused("a", at::ones(std::vector<std::int64_t>(65, 1)), "has 65 dimensions, and must have 64 at most");
  refused("a", at::eye(2).to_sparse(), "has the layout Sparse: write its .to_dense()");
  refused("a", at::quantize_per_tensor(at::rand(2), .1, 0, at::kQUInt8), "is quantized: write its .dequantize()");
  refused("a", at::empty(2, at::kMeta), "is on the device meta, and has no numbers");
  refused("\xff", at::ones(2), "the key \"\xff\" is not UTF-8");
  refused("a", at::ones(2, at::kByte).view(at::kUInt7), "the tensor under the key \"a\" is UInt7, which");
}

TEST_F(StateDictFile, ReadsWhatLibTorchPickles) {
  c10::Dict<std::string, at::Tensor> written;
  for (const auto& entry : state_dict(*LSTM(2, 3))) written.insert(entry.key(), entry.value());
  const auto bytes = torch::pickle_save(written);
  write(std::string(bytes.begin(), bytes.end()));
  const auto state = read_state_dict(file_);
  EXPECT_EQ(state.size(), written.size());
  for (const auto& entry : state) EXPECT_TRUE(at::equal(entry.value(), written.at(entry.key())));
}

TEST_F(StateDictFile, ReadsBesideWhatOnlyLibTorchPickles) {
  using Weights = c10::Dict<std::string, at::Tensor>;
  c10::Dict<std::string, Weights> written;
  written.insert("float32", Weights());
  written.at("float32").insert("a", at::ones(2));
  for (const auto& [storage, dtype] :
       {std::pair("UInt16", at::kUInt16), {"Float8_e5m2", at::kFloat8_e5m2}, {"ComplexHalf", at::kComplexHalf}}) {
    const std::string name = storage;
    SCOPED_TRACE(name);
    written.insert_or_assign(name, Weights());
    written.at(name).insert("a", at::zeros(2, dtype));
    const auto bytes = torch::pickle_save(written);
    write(std::string(bytes.begin(), bytes.end()));
    test::expect_same_state(read_state_dict(file_, {.key = {"float32"}}), {{"a", at::ones(2)}});
    EXPECT_THROWS(read_state_dict(file_, {.key = {name}}), c10::ValueError,
                  c10::str("under the key \"a\" a tensor of a storage of the class torch.", name,
                           "Storage, which torch.save does not write: write it with write_state_dict"));
  }
}

TEST_F(StateDictFile, IsReadByLibTorch) {
  const auto state = state_dict(*LSTM(2, 3));
  write_state_dict(file_, state);
  const auto text = content();
  const auto dict = torch::pickle_load(std::vector<char>(text.begin(), text.end())).toGenericDict();
  ASSERT_EQ(dict.size(), state.size());
  for (const auto& entry : state) EXPECT_TRUE(at::equal(dict.at(entry.key()).toTensor(), entry.value()));
}

TEST_F(StateDictFile, IsTheOldOneOnAFullDisk) {
  const StateDict state = {{"a", at::ones(10)}};
  write_state_dict(file_, state);
  {
    const test::FullDisk full_disk(3000);
    EXPECT_THROWS(write_state_dict(file_, {{"a", at::rand(10000)}}), std::runtime_error,
                  "model.pt: cannot be written (File too large)");
    EXPECT_THROWS(write_safetensors(file_, {{"a", at::rand(10000)}}), std::runtime_error, "cannot be written");
  }
  test::expect_same_state(read_state_dict(file_), state);
  expect_files(1);
}

TEST_F(StateDictFile, IsAWholeOneHoweverWritingIsKilled) {
  const StateDict state = {{"a", at::ones(10000)}};
  write_state_dict(file_, state);
  for (int i = 0; i < 10; ++i) {
    test::do_until_killed(std::chrono::milliseconds(i), [&] { write_state_dict(file_, state); });
    test::expect_same_state(read_state_dict(file_), state);
  }
}

TEST_F(StateDictFile, RefusesWhatIsNoFile) {
  expect_refused("is not there");
  std::filesystem::create_directory(file_);
  expect_refused("is no regular file");
  EXPECT_THROWS(write_state_dict(file_, StateDict()), std::runtime_error, "it is no regular file");
}

TEST_F(StateDictFile, TellsOtherFilesByTheirContent) {
  using namespace std::string_literals;
  expect_text_refused("", "is empty");
  expect_text_refused("<!doctype html>\n<HTML>Not found", "is a web page: what was downloaded is not the file");
  expect_text_refused("Not found\nat all", "is a text, which begins with: Not found");
  expect_text_refused("version https://git-lfs.github.com/spec/v1\noid sha256:1", "is a pointer of Git LFS");
  expect_text_refused("{\"weight_map\": {\"a\": \"model-1.safetensors\"}}", "is the index of weights that lie in sev");
  expect_text_refused(
      "\x1f\x8b\x08",
      "is compressed by gzip, which is not read as weights; this writes what is in it: zcat FILE > OTHER");
  expect_text_refused("\x28\xb5\x2f\xfd\x01", "is compressed by zstd");
  expect_text_refused("BZh91AY&SY\x01", "is compressed by bzip2");
  expect_text_refused("%PDF-1.7", "is a PDF document, which is not read as weights");
  expect_text_refused(
      "\xfd"
      "7zXZ\0"s,
      "is compressed by xz");
  expect_text_refused("\x89HDF\r\n\x1a\n", "is an HDF5 file");
  expect_text_refused("\x93NUMPY\x01", "is an array of NumPy");
  expect_text_refused("GGUF\x03\0"s, "is a GGUF file");
  expect_text_refused("\x80\x04\x95\x01", "is a pickle of Python, not of torch.save");
  expect_text_refused("packseq checkpoint 1\n\x01",
                      "is a checkpoint of packseq: packseq::data::Checkpoint::weights reads");
  expect_text_refused("a\0"s + std::string(255, '\0') + "ustar", "is a tar archive");
  expect_text_refused("\x01\x02\x03", "is none of the files that are read");
  const auto zip = [](const std::string& name) {
    return "PK\3\4" + std::string(22, '\0') + static_cast<char>(name.size()) + "\0\0\0"s + name;
  };
  expect_text_refused(zip("arr_0.npy"), "is an .npz archive of NumPy");
  expect_text_refused(zip("letter.xml"), "none of torch.save: the first file in it is letter.xml");
  expect_text_refused(zip("model/data.pkl"), "is a zip archive that is cut short");
}

TEST_F(StateDictFile, TellsOtherArchivesOfTorch) {
  LSTM lstm(2, 3);
  torch::save(lstm, file_.string());
  expect_refused("is an archive of torch::save in C++: read it with torch::load, and write it with write_state_dict");
  torch::save(at::ones(2), file_.string());
  expect_refused("is an archive of torch::save in C++");
  const auto bytes = torch::pickle_save(c10::IValue(3));
  write(std::string(bytes.begin(), bytes.end()));
  expect_refused("holds the integer 3, not a dict of tensors; in Python, write torch.save(model.state_dict(), file)");
  write(test::zip_archive(
      {{"m/data/weights/weight_0", "x"}, {"m/models/model.json", "{}"}, {"m/archive_format", "pt2"}}));
  expect_refused("is an exported program: in Python, write torch.save(torch.export.load(file).state_dict, other_file)");
}

TEST_F(StateDictFile, TellsWhereAFileIsCut) {
  write_state_dict(file_, state_dict(*LSTM(2, 3)));
  const auto whole = content();
  for (std::size_t size = 40; size < whole.size(); size += 97) {
    expect_text_refused(whole.substr(0, size), "is a zip archive that is cut short: it has " + std::to_string(size));
  }
  auto altered = whole;  // its list of records, too
  for (auto at = altered.find("data.pkl"); at != std::string::npos; at = altered.find("data.pkl")) altered[at] = 'x';
  expect_text_refused(altered, "is a zip archive without the record data.pkl: torch.save did not write it");
}

}  // namespace
}  // namespace packseq::nn
