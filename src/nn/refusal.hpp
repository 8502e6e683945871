#pragma once

#include <c10/util/Exception.h>
#include <c10/util/StringUtil.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace packseq::nn::detail {

/// Why a file is not read or written. Who throws it does not know the file's name: `naming` adds it.
struct Refusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Names in the words may be any bytes, and any number of them, of files that others have made: of a long text the
/// midst is left out, since what to do is told at the end.
template <class... Words>
[[noreturn]] void refuse(const Words&... words) {
  constexpr std::size_t longest_begin = 500;
  constexpr std::size_t longest_end = 1500;
  std::string text = c10::str(words...);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  if (text.size() > longest_begin + longest_end) {
    text.replace(longest_begin, text.size() - longest_begin - longest_end, " ... ");
  }
  throw Refusal(text);
}

/// What `action` returns; its refusals become c10::ValueError and name the function and the file: "read_state_dict:
/// "model.pt" is empty".
template <class Action>
auto naming(std::string_view function, const std::filesystem::path& file, const Action& action) {
  try {
    return action();
  } catch (const Refusal& refusal) {
    TORCH_CHECK_VALUE(false, function, ": ", file, ' ', refusal.what());
  }
}

}  // namespace packseq::nn::detail
