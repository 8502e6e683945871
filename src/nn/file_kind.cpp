#include "nn/file_kind.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "nn/refusal.hpp"
#include "text/foreign_file.hpp"
#include "text/little_endian.hpp"

namespace packseq::nn::detail {
namespace {

struct Kind {
  std::string_view begins;
  std::string_view what;  // it is, and what to do
};

using namespace std::string_view_literals;

/// The number that every file of torch.save began with before it wrote zip archives.
constexpr auto legacy_number = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv;

constexpr std::array other_kinds = {
    Kind{"\x80"sv,
         "is a pickle of Python, not of torch.save: in Python, read it with pickle.load, and write its tensors with "
         "torch.save"sv},
    Kind{"packseq checkpoint "sv,
         "is a checkpoint of packseq: packseq::data::Checkpoint::weights reads the model's weights out of it"sv},
    Kind{"version https://git-lfs"sv, "is a pointer of Git LFS, in place of the file: fetch that with git lfs pull"sv},
    Kind{"\x89HDF\r\n"sv,
         "is an HDF5 file, as Keras writes: in Python, read it there, and write its weights with "
         "torch.save"sv},
    Kind{"\x93NUMPY"sv, "is an array of NumPy: in Python, write torch.save({name: torch.from_numpy(array)}, file)"sv},
    Kind{"GGUF"sv, "is a GGUF file, as llama.cpp reads: take the model's safetensors or PyTorch files instead"sv},
};

/// A tar archive has its mark behind the first name.
bool is_tar(std::string_view head) { return head.size() >= 262 && head.substr(257, 5) == "ustar"; }

bool is_text(std::string_view head) {
  return std::none_of(head.begin(), head.end(), [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f') || c == '\x7f';
  });
}

[[noreturn]] void refuse_text(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower.find("<html") != std::string::npos || lower.find("<!doctype") != std::string::npos) {
    refuse("is a web page: what was downloaded is not the file, but a page about it");
  }
  if (text.find("weight_map") != std::string_view::npos || text.find(".safetensors\"") != std::string_view::npos) {
    refuse("is the index of weights that lie in several files: read each of those");
  }
  refuse("is a text, which begins with: ", text.substr(0, std::min<std::size_t>(40, text.find_first_of("\r\n"))));
}

/// The name of the first file in a zip archive; torch.save has all of its own in a folder.
std::string_view first_in_zip(std::string_view head) {
  if (head.size() < 30) return {};
  return head.substr(30, packseq::detail::from_little_endian(head.substr(26, 2)));
}

bool is_safetensors(std::string_view head) {
  // The length of its header in 8 bytes, at most 100 MB, and the header, which is JSON.
  return head.size() > 8 && head[8] == '{' && head.substr(4, 4) == "\0\0\0\0"sv;
}

/// Refuses a zip archive of another program.
void check_zip(std::string_view head) {
  const auto first = first_in_zip(head);
  if (first.ends_with(".npy")) {
    refuse(
        "is an .npz archive of NumPy: in Python, write torch.save({name: torch.from_numpy(array) for name, array in "
        "numpy.load(file).items()}, other_file)");
  }
  if (!first.empty() && is_text(first) && first.find('/') == std::string_view::npos) {
    refuse("is a zip archive, but none of torch.save: the first file in it is ", first);
  }
}

}  // namespace

WeightFormat weight_format(std::string_view head, std::uint64_t size) {
  if (size == 0) refuse("is empty");
  if (head.starts_with("PK\3\4")) {
    check_zip(head);
    return WeightFormat::torch;
  }
  if (is_safetensors(head)) return WeightFormat::safetensors;
  if (head.substr(0, 32).find(legacy_number) != std::string_view::npos) {
    refuse(
        "is in the format that torch.save wrote before PyTorch 1.6: in Python, read it with torch.load, and write "
        "it again with torch.save");
  }
  for (const auto& kind : other_kinds) {
    if (head.starts_with(kind.begins)) refuse(kind.what);
  }
  if (const auto foreign = packseq::detail::foreign_file(head)) {
    refuse("is ", foreign->what, ", which is not read as weights; this writes what is in it: ", foreign->command,
           " > OTHER_FILE");
  }
  if (is_tar(head)) {
    refuse(
        "is a tar archive: unpack it with tar -xf; if it is of the first versions of torch.save, read it with "
        "torch.load in Python, and write it again");
  }
  if (is_text(head)) refuse_text(head);
  refuse("is none of the files that are read: those of torch.save in Python, and safetensors");
}

WeightFile look_at(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) refuse("is not there", error ? " (" + error.message() + ")" : std::string());
  if (!std::filesystem::is_regular_file(status)) refuse("is no regular file");
  std::ifstream stream(file, std::ios::binary);
  std::string head(512, '\0');
  stream.read(head.data(), static_cast<std::streamsize>(head.size()));
  if (!stream.is_open() || stream.bad()) refuse("cannot be read (", std::generic_category().message(errno), ')');
  head.resize(static_cast<std::size_t>(stream.gcount()));
  const auto size = std::filesystem::file_size(file);
  return {weight_format(head, size), size};
}

}  // namespace packseq::nn::detail
