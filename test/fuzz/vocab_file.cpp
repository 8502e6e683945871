// Any bytes are a vocabulary's file: what loads is saved and loaded as the same, or an error names the file.

#include <optional>

#include "file.hpp"
#include "packseq/text/vocab.hpp"

namespace {

void check_same(const packseq::Vocab& a, const packseq::Vocab& b) {
  using packseq::fuzz::require;
  require(a.size() == b.size() && a.unknown_id() == b.unknown_id(), "another vocabulary is loaded than was saved");
  for (std::int64_t id = 0; id < a.size(); ++id) {
    require(a.token(id) == b.token(id), "another token is loaded than was saved");
    require(b.find(a.token(id)) == id, "a token is not found");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq;
  static const fuzz::InputFile file;
  file.write(fuzz::Input(data, size).rest());
  std::optional<Vocab> loaded;
  if (!fuzz::succeeds(file.path(), [&] { loaded = Vocab::load(file.path()); })) return 0;
  loaded->save(file.path());
  const auto saved = file.content();
  const auto again = Vocab::load(file.path());
  check_same(*loaded, again);
  again.save(file.path());
  fuzz::require(file.content() == saved, "one vocabulary has two files");
  return 0;
}
