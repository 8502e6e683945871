#include "nn/pickle_literals.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>

#include "nn/refusal.hpp"
#include "text/little_endian.hpp"

namespace packseq::nn::detail {
namespace {

using Literal = std::optional<PickleValue>;

/// An integer of any size, in two's complement, the lowest byte first.
PickleValue integer(std::string_view bytes) {
  if (bytes.size() > 8) return {PickleObject{{"an integer beyond 64 bits"}}};
  const bool negative = !bytes.empty() && static_cast<signed char>(bytes.back()) < 0;
  std::string whole(bytes);
  whole.resize(8, negative ? '\xff' : '\0');
  return {static_cast<std::int64_t>(packseq::detail::from_little_endian(whole))};
}

/// A number of double precision, whose highest byte is first.
PickleValue real(std::string_view bytes) {
  std::string reversed(bytes);
  std::reverse(reversed.begin(), reversed.end());
  return {std::bit_cast<double>(packseq::detail::from_little_endian(reversed))};
}

Literal number(unsigned char instruction, PickleBytes& bytes) {
  switch (instruction) {
    case 'J':
      return integer(bytes.take(4));
    case 'K':
      return PickleValue{static_cast<std::int64_t>(bytes.number(1))};
    case 'M':
      return PickleValue{static_cast<std::int64_t>(bytes.number(2))};
    case 0x8a:
      return integer(bytes.counted(1));
    case 0x8b:
      return integer(bytes.counted(4));
    case 'G':
      return real(bytes.take(8));
    default:
      return {};
  }
}

Literal constant(unsigned char instruction) {
  switch (instruction) {
    case 'N':
      return PickleValue{std::monostate()};
    case 0x88:
      return PickleValue{true};
    case 0x89:
      return PickleValue{false};
    case ')':
      return PickleValue{PickleList{.tuple = true}};
    case ']':
      return PickleValue{PickleList()};
    case '}':
      return PickleValue{PickleDict()};
    case 0x8f:
      return PickleValue{PickleObject{{"a set"}}};
    default:
      return {};
  }
}

Literal text(unsigned char instruction, PickleBytes& bytes) {
  const auto skipped = [&bytes](std::size_t size, std::string_view what) {
    bytes.counted(size);
    return PickleValue{PickleObject{{what}}};
  };
  switch (instruction) {
    case 'X':
      return PickleValue{bytes.counted(4)};
    case 0x8c:
      return PickleValue{bytes.counted(1)};
    case 0x8d:
      return PickleValue{bytes.counted(8)};
    case 'B':
      return skipped(4, "bytes");
    case 'C':
      return skipped(1, "bytes");
    case 0x8e:
      return skipped(8, "bytes");
    case 0x96:
      return skipped(8, "a bytearray");
    case 'c': {
      const auto module = bytes.line();
      return PickleValue{pickle_name(module, bytes.line())};
    }
    default:
      return {};
  }
}

}  // namespace

PickleName pickle_name(std::string_view module, std::string_view name) {
  constexpr std::size_t longest = 1000;
  if (module.size() > longest || name.size() > longest) refuse("it has a name of more than ", longest, " bytes");
  return {module, name};
}

std::optional<PickleValue> pickle_literal(unsigned char instruction, PickleBytes& bytes) {
  if (auto value = constant(instruction)) return value;
  if (auto value = number(instruction, bytes)) return value;
  return text(instruction, bytes);
}

}  // namespace packseq::nn::detail
