#include "nn/pickle_calls.hpp"

#include <c10/util/safe_numerics.h>

#include <array>
#include <string_view>
#include <unordered_map>

#include "nn/refusal.hpp"

namespace packseq::nn::detail {
namespace {

using Tensor = std::unique_ptr<const PickledTensor>;

/// The argument of this position, which must be there and of this kind.
template <class Kind>
const Kind& argument(const PickleList& arguments, std::size_t i) {
  const Kind* value = i < arguments.items.size() ? arguments.items[i]->as<Kind>() : nullptr;
  if (value == nullptr) refuse("argument ", i, " of a call is missing or of another kind than torch.save writes");
  return *value;
}

std::vector<std::int64_t> integers(const PickleList& list) {
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < list.items.size(); ++i) numbers.push_back(argument<std::int64_t>(list, i));
  return numbers;
}

/// The dtype that Python calls by this name: "torch.float32".
c10::ScalarType dtype_of(std::string_view name) {
  const auto& dtypes = c10::getStringToDtypeMap();
  const auto found = name.starts_with("torch.") ? dtypes.find(std::string(name.substr(6))) : dtypes.end();
  if (found == dtypes.end()) refuse("LibTorch has no dtype ", name);
  return found->second;
}

/// The dtype of a class of storages: "torch.FloatStorage". "torch.storage.UntypedStorage" has none, it is that of all.
std::optional<c10::ScalarType> storage_dtype(std::string_view name) {
  static const auto dtypes = [] {
    std::unordered_map<std::string, c10::ScalarType> all;
    for (int i = 0; i < static_cast<int>(c10::ScalarType::NumOptions); ++i) {
      const auto dtype = static_cast<c10::ScalarType>(i);
      if (dtype != c10::ScalarType::Undefined) all.emplace(c10::str("torch.", c10::toString(dtype), "Storage"), dtype);
    }
    return all;
  }();
  if (name == "torch.storage.UntypedStorage") return {};
  const auto found = dtypes.find(std::string(name));
  if (found == dtypes.end()) refuse("LibTorch has no storage of the class ", name);
  return found->second;
}

/// Conjugation and negation that a tensor does not carry out before it is read.
void read_metadata(PickledTensor& tensor, const PickleList& arguments, std::size_t i) {
  if (i >= arguments.items.size() || arguments.items[i]->as<std::monostate>()) return;
  for (const auto& [key, value] : argument<PickleDict>(arguments, i).items) {
    const auto* name = key->as<std::string>();
    const auto* set = value->as<bool>();
    if (name == nullptr || set == nullptr || (*name != "conj" && *name != "neg")) {
      refuse("a tensor has a property other than conj and neg");
    }
    (*name == "conj" ? tensor.conjugate : tensor.negative) = *set;
  }
}

/// Of torch._utils._rebuild_tensor (version 1), _v2 or _v3, which differ in what follows the strides.
PickleValue tensor(const PickleList& arguments, int version) {
  auto tensor = std::make_unique<PickledTensor>();
  tensor->storage = argument<PickledStorage>(arguments, 0);
  tensor->offset = argument<std::int64_t>(arguments, 1);
  tensor->sizes = integers(argument<PickleList>(arguments, 2));
  tensor->strides = integers(argument<PickleList>(arguments, 3));
  if (version == 3) {
    tensor->dtype = dtype_of(argument<PickleName>(arguments, 6).name);
  } else {
    if (!tensor->storage.dtype) refuse("a tensor has no dtype");
    tensor->dtype = *tensor->storage.dtype;
  }
  if (version > 1) read_metadata(*tensor, arguments, version == 3 ? 7 : 6);
  return {Tensor(std::move(tensor))};
}

PickleValue unreadable(std::string_view name) {
  constexpr std::array<std::array<std::string_view, 2>, 4> unreadable_kinds = {{
      {"_rebuild_sparse", "a sparse tensor: save its .to_dense()"},
      {"_rebuild_qtensor", "a quantized tensor: save its .dequantize()"},
      {"_rebuild_meta", "a tensor of the device meta, which has no numbers"},
      {"_rebuild_nested", "a nested tensor: save its .unbind(), or its .to_padded_tensor()"},
  }};
  for (const auto& [part, what] : unreadable_kinds) {
    if (name.find(part) != std::string_view::npos) return {UnreadableTensor{std::string(what)}};
  }
  return {
      UnreadableTensor{c10::str("a tensor of a kind that only Python reads (", name, "): save a plain copy of it")}};
}

PickleValue ordered_dict(const PickleList& arguments) {
  PickleDict dict;
  if (!arguments.items.empty()) {
    for (const auto* item : argument<PickleList>(arguments, 0).items) {
      const auto* pair = item->as<PickleList>();
      if (pair == nullptr || pair->items.size() != 2) refuse("an OrderedDict is made of something else than pairs");
      dict.items.emplace_back(pair->items[0], pair->items[1]);
    }
  }
  return {std::move(dict)};
}

/// A tensor with attributes of its own, or of a class derived from Tensor, of which Buffer alone adds nothing.
PickleValue typed_tensor(const PickleList& arguments) {
  const auto& function = argument<PickleName>(arguments, 0).name;
  const auto& type = argument<PickleName>(arguments, 1).name;
  const auto& its_arguments = argument<PickleList>(arguments, 2);
  if (type != "torch.Tensor" && type != "torch.nn.parameter.Buffer") {
    return {UnreadableTensor{c10::str("a tensor of the class ", type, ": save its .as_subclass(torch.Tensor)")}};
  }
  if (function == "torch._utils._rebuild_tensor_v2") return tensor(its_arguments, 2);
  if (function == "torch._utils._rebuild_tensor_v3") return tensor(its_arguments, 3);
  return unreadable(function);
}

}  // namespace

PickleValue* pickled_call(std::deque<PickleValue>& values, const std::string& name, const PickleList& arguments) {
  // What is but told more about: a Parameter is a tensor, and torch::pickle_save of C++ adds its type to a dict.
  if (name.starts_with("torch._utils._rebuild_parameter") || name == "torch.jit._pickle.restore_type_tag") {
    if (arguments.items.empty()) refuse("a call of ", name, " has no arguments");
    return arguments.items[0];
  }
  const auto result = [&]() -> PickleValue {
    if (name == "collections.OrderedDict") return ordered_dict(arguments);
    if (name == "collections.defaultdict") return {PickleDict()};
    if (name == "torch._utils._rebuild_tensor") return tensor(arguments, 1);
    if (name == "torch._utils._rebuild_tensor_v2") return tensor(arguments, 2);
    if (name == "torch._utils._rebuild_tensor_v3") return tensor(arguments, 3);
    if (name == "torch._tensor._rebuild_from_type_v2") return typed_tensor(arguments);
    if (name.starts_with("torch.") && name.find("._rebuild_") != std::string::npos) return unreadable(name);
    return {PickleObject{"an object of Python's " + name}};
  };
  values.push_back(result());
  return &values.back();
}

PickledStorage pickled_storage(const PickleValue& id) {
  const auto* parts = id.as<PickleList>();
  if (parts == nullptr || parts->items.size() < 5 || argument<std::string>(*parts, 0) != "storage") {
    refuse("it refers to something else than a storage");
  }
  PickledStorage storage{.key = argument<std::string>(*parts, 2)};
  storage.dtype = storage_dtype(argument<PickleName>(*parts, 1).name);
  const auto size = argument<std::int64_t>(*parts, 4);
  const auto width = storage.dtype ? static_cast<std::int64_t>(c10::elementSize(*storage.dtype)) : 1;
  if (size < 0 || c10::mul_overflows(size, width, &storage.bytes)) refuse("a storage has ", size, " elements");
  return storage;
}

std::string describe(const PickleValue& value) {
  const auto in_words = [](const auto& kind) -> std::string {
    using Kind = std::decay_t<decltype(kind)>;
    if constexpr (std::is_same_v<Kind, std::monostate>) return "None";
    if constexpr (std::is_same_v<Kind, bool>) return kind ? "True" : "False";
    if constexpr (std::is_same_v<Kind, std::int64_t>) return c10::str("the integer ", kind);
    if constexpr (std::is_same_v<Kind, double>) return c10::str("the number ", kind);
    if constexpr (std::is_same_v<Kind, std::string>) return "a text";
    if constexpr (std::is_same_v<Kind, PickleList>) return kind.tuple ? "a tuple" : "a list";
    if constexpr (std::is_same_v<Kind, PickleDict>) return "a dict";
    if constexpr (std::is_same_v<Kind, PickleName>) return "Python's " + kind.name;
    if constexpr (std::is_same_v<Kind, PickledStorage>) return "a storage";
    if constexpr (std::is_same_v<Kind, Tensor>) return "a tensor";
    if constexpr (std::is_same_v<Kind, PickleObject> || std::is_same_v<Kind, UnreadableTensor>) return kind.what;
  };
  return std::visit(in_words, value.value);
}

}  // namespace packseq::nn::detail
