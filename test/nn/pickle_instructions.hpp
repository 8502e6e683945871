#pragma once

#include <string>

namespace packseq::test {

// Parts of pickles, by their instructions.

inline const std::string protocol_2 = "\x80\2";

/// In a pickle: a text, a name, a storage "0" of so many elements.
inline std::string text(const std::string& text) { return std::string("\x8c") + static_cast<char>(text.size()) + text; }
inline std::string name(const std::string& module, const std::string& name) {
  return 'c' + module + '\n' + name + '\n';
}
inline std::string storage(const std::string& type = "FloatStorage", const std::string& size = "K\6") {
  return '(' + text("storage") + name("torch", type) + text("0") + text("cpu") + size + "tQ";
}

/// A call that makes a tensor, of offset, sizes and strides as given.
inline std::string tensor(const std::string& layout, const std::string& storage_of_it = storage()) {
  return name("torch._utils", "_rebuild_tensor_v2") + '(' + storage_of_it + layout + "\x89" +
         name("collections", "OrderedDict") + ")RtR";
}

/// A dict with one entry, "a".
inline std::string dict_of(const std::string& value) { return protocol_2 + '}' + text("a") + value + "s."; }

}  // namespace packseq::test
