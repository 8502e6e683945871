#pragma once

#include <algorithm>
#include <string_view>

namespace packseq::detail {

/// ASCII white space, whatever the locale says: bytes of a longer UTF-8 character are never taken for it.
constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

constexpr bool is_blank(std::string_view text) noexcept { return std::all_of(text.begin(), text.end(), is_space); }

}  // namespace packseq::detail
