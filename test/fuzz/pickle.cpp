// Whatever the pickle in a file of torch.save is: its weights are read, each number within its storage, or an error
// names the file.

#include <caffe2/serialize/inline_container.h>

#include <string>
#include <vector>

#include "file.hpp"
#include "weights.hpp"

namespace packseq::fuzz {
namespace {

/// A file with this pickle, and two storages.
void write_file(const InputFile& file, std::string_view pickle, bool big_endian) {
  caffe2::serialize::PyTorchStreamWriter writer(file.path().string());
  const std::string numbers(64, '\1');
  const std::string order = big_endian ? "big" : "little";
  writer.writeRecord("data.pkl", pickle.data(), pickle.size());
  writer.writeRecord("byteorder", order.data(), order.size());
  writer.writeRecord("data/0", numbers.data(), numbers.size());
  writer.writeRecord("data/1", numbers.data(), 8);
  writer.writeEndOfFile();
}

void read(const InputFile& file, const std::vector<std::string>& key) {
  const auto state = read_or_refused(file, [&] { return nn::read_state_dict(file.path(), {.key = key}); });
  if (!state) return;
  for (const auto& entry : *state) {
    const auto numbers = bits(entry.value());
    if (!numbers) continue;
    for (const char byte : std::string_view(static_cast<const char*>(numbers->const_data_ptr()), numbers->nbytes())) {
      require(byte == 1 || entry.value().is_conj() || entry.value().is_neg(), "a number is not of the storage");
    }
  }
}

}  // namespace
}  // namespace packseq::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq;
  static const fuzz::InputFile file;
  fuzz::Input input(data, size);
  const bool big_endian = input.flag();
  fuzz::write_file(file, input.rest(), big_endian);
  fuzz::read(file, {});
  fuzz::read(file, {"model"});
  fuzz::read(file, {"optimizer", "0"});
  return 0;
}
