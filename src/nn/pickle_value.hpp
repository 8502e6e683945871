#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace packseq::nn::detail {

/// The numbers of one or more tensors: `bytes` of them, in the record "data/<key>" of the file.
struct PickledStorage {
  std::string_view key;
  std::int64_t bytes = 0;
  std::optional<c10::ScalarType> dtype = {};  ///< None where a storage is but bytes, as of `uint16`.
};

/// What a pickle says of a tensor; offset and strides count elements of its storage.
struct PickledTensor {
  PickledStorage storage;
  c10::ScalarType dtype = c10::ScalarType::Undefined;
  std::int64_t offset = 0;
  std::vector<std::int64_t> sizes = {};
  std::vector<std::int64_t> strides = {};
  bool conjugate = false;
  bool negative = false;
};

struct PickleValue;

struct PickleList {
  std::vector<PickleValue*> items = {};
  bool tuple = false;
};

struct PickleDict {
  std::vector<std::pair<PickleValue*, PickleValue*>> items = {};  ///< In the order in which they were set.
};

/// What Python imports under this name: "torch", "float32". Nothing is ever looked up by it.
struct PickleName {
  std::string_view module;
  std::string_view name;

  std::string text() const;  ///< "torch.float32"
};

/// What something is, in words, which may have a name in their midst.
struct PickleWords {
  std::string_view before;
  std::optional<PickleName> name = {};
  std::string_view after = {};

  std::string text() const;
};

/// Anything that is neither a weight nor leads to one: "an integer beyond 64 bits", "an object of Python's m.C".
struct PickleObject : PickleWords {};

/// A tensor of a kind that cannot be read, and what to do: "a sparse tensor: save ...".
struct UnreadableTensor : PickleWords {};

/// A value of a pickle. Texts are part of the pickle: one that is used again is not copied. Values lie in an arena, and
/// lists and dicts may hold each other in any way, cycles included.
struct PickleValue {
  std::variant<std::monostate, bool, std::int64_t, double, std::string_view, PickleList, PickleDict, PickleName,
               PickleObject, PickledStorage, std::unique_ptr<const PickledTensor>, UnreadableTensor>
      value;

  template <class Kind>
  const Kind* as() const {
    return std::get_if<Kind>(&value);
  }
  bool is_tensor() const { return as<std::unique_ptr<const PickledTensor>>() != nullptr || as<UnreadableTensor>(); }
};

/// What a value is, for errors: "a dict", "the integer 3", "an object of Python's argparse.Namespace".
std::string describe(const PickleValue& value);

}  // namespace packseq::nn::detail
