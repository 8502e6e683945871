#pragma once

#include <cstddef>

#include "kernels/plan.hpp"

namespace packseq::kernels {

/// Deals the rows of `plan.dealt`, those of a trie, to so many shares. The first steps have few rows, with much below
/// each: it takes out of `plan.dealt` those of them that all rows had better leave behind before they are dealt.
void deal_trie(Plan& plan, std::size_t shares);

}  // namespace packseq::kernels
