#include "nn/pickle_value.hpp"

#include <c10/util/StringUtil.h>

#include <type_traits>

namespace packseq::nn::detail {

std::string PickleName::text() const { return c10::str(module, '.', name); }

std::string PickleWords::text() const { return c10::str(before, name ? name->text() : "", after); }

std::string describe(const PickleValue& value) {
  const auto in_words = [](const auto& kind) -> std::string {
    using Kind = std::decay_t<decltype(kind)>;
    if constexpr (std::is_same_v<Kind, std::monostate>) return "None";
    if constexpr (std::is_same_v<Kind, bool>) return kind ? "True" : "False";
    if constexpr (std::is_same_v<Kind, std::int64_t>) return c10::str("the integer ", kind);
    if constexpr (std::is_same_v<Kind, double>) return c10::str("the number ", kind);
    if constexpr (std::is_same_v<Kind, std::string_view>) return "a text";
    if constexpr (std::is_same_v<Kind, PickleList>) return kind.tuple ? "a tuple" : "a list";
    if constexpr (std::is_same_v<Kind, PickleDict>) return "a dict";
    if constexpr (std::is_same_v<Kind, PickleName>) return "Python's " + kind.text();
    if constexpr (std::is_same_v<Kind, PickledStorage>) return "a storage";
    if constexpr (std::is_same_v<Kind, std::unique_ptr<const PickledTensor>>) return "a tensor";
    if constexpr (std::is_base_of_v<PickleWords, Kind>) return kind.text();
  };
  return std::visit(in_words, value.value);
}

}  // namespace packseq::nn::detail
