#pragma once

#include <optional>
#include <string_view>

#include "nn/pickle_bytes.hpp"
#include "nn/pickle_value.hpp"

namespace packseq::nn::detail {

/// A name of Python's.
/// @throws Refusal if it is longer than any that there is: it is told and compared wherever it is used again.
PickleName pickle_name(std::string_view module, std::string_view name);

/// The value that an instruction makes of nothing but what follows it: a number, a text, a name, an empty collection.
/// None if the instruction is none of those.
/// @throws Refusal if the pickle ends within it.
std::optional<PickleValue> pickle_literal(unsigned char instruction, PickleBytes& bytes);

}  // namespace packseq::nn::detail
