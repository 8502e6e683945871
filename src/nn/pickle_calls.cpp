#include "nn/pickle_calls.hpp"

#include <c10/util/StringUtil.h>
#include <c10/util/safe_numerics.h>

#include <array>
#include <string>
#include <string_view>

#include "nn/refusal.hpp"
#include "nn/torch_dtypes.hpp"

namespace packseq::nn::detail {
namespace {

/// The argument of this position, which must be there and of this kind.
template <class Kind>
const Kind& argument(const PickleList& arguments, std::size_t i) {
  const Kind* value = i < arguments.items.size() ? arguments.items[i]->as<Kind>() : nullptr;
  if (value == nullptr) refuse("argument ", i, " of a call is missing or of another kind than torch.save writes");
  return *value;
}

/// The sizes or strides of a tensor.
std::vector<std::int64_t> integers(const PickleList& list) {
  const auto count = list.items.size();
  if (count > most_dimensions) refuse("a tensor has ", count, " dimensions, more than ", most_dimensions);
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(argument<std::int64_t>(list, i));
  return numbers;
}

/// The dtype that Python calls by this name: "torch.float32".
c10::ScalarType dtype_of(const PickleName& name) {
  const auto* known = find_torch_dtype([&name](const auto& dtype) { return dtype.name == name.name; });
  if (known == nullptr || name.module != "torch") refuse("LibTorch has no dtype ", name.text());
  return known->dtype;
}

/// What a class of storages is of, "torch.FloatStorage"; null for any that `torch.save` does not write.
const TorchDtype* storage_dtype(const PickleName& name) {
  if (name.module != "torch" || name.name.empty()) return nullptr;
  return find_torch_dtype([&name](const auto& dtype) { return dtype.storage == name.name; });
}

/// Whether numbers of this dtype have a sign that a tensor need not carry out: those of complex ones, and their parts.
bool may_be_negative(c10::ScalarType dtype) {
  return c10::isComplexType(dtype) || dtype == at::kDouble || dtype == at::kFloat || dtype == at::kHalf;
}

/// Conjugation and negation that a tensor does not carry out before it is read.
void read_metadata(PickledTensor& tensor, const PickleList& arguments, std::size_t i) {
  if (i >= arguments.items.size() || arguments.items[i]->as<std::monostate>()) return;
  const auto& properties = argument<PickleDict>(arguments, i).items;
  if (properties.size() > 2) refuse("a tensor has ", properties.size(), " properties, more than conj and neg");
  for (const auto& [key, value] : properties) {
    const auto* name = key->as<std::string_view>();
    const auto* set = value->as<bool>();
    if (name == nullptr || set == nullptr || (*name != "conj" && *name != "neg")) {
      refuse("a tensor has a property other than conj and neg");
    }
    (*name == "conj" ? tensor.conjugate : tensor.negative) = *set;
  }
  if ((tensor.conjugate && !c10::isComplexType(tensor.dtype)) || (tensor.negative && !may_be_negative(tensor.dtype))) {
    refuse("a tensor of ", tensor.dtype, " cannot be ", tensor.conjugate ? "conjugate" : "negative");
  }
}

/// Of torch._utils._rebuild_tensor (version 1), _v2 or _v3, which differ in what follows the strides.
PickleValue tensor(const PickleList& arguments, int version) {
  const auto* other = arguments.items.empty() ? nullptr : arguments.items[0]->as<PickleObject>();
  if (other != nullptr && other->name) {
    return {UnreadableTensor{{"a tensor of a storage of the class ", other->name,
                              ", which torch.save does not write: write it with write_state_dict"}}};
  }
  auto tensor = std::make_unique<PickledTensor>();
  tensor->storage = argument<PickledStorage>(arguments, 0);
  tensor->offset = argument<std::int64_t>(arguments, 1);
  tensor->sizes = integers(argument<PickleList>(arguments, 2));
  tensor->strides = integers(argument<PickleList>(arguments, 3));
  if (version == 3) {
    tensor->dtype = dtype_of(argument<PickleName>(arguments, 6));
  } else {
    if (!tensor->storage.dtype) refuse("a tensor has no dtype");
    tensor->dtype = *tensor->storage.dtype;
  }
  if (version > 1) read_metadata(*tensor, arguments, version == 3 ? 7 : 6);
  return {std::unique_ptr<const PickledTensor>(std::move(tensor))};
}

PickleValue unreadable(const PickleName& function) {
  constexpr std::array<std::array<std::string_view, 2>, 4> unreadable_kinds = {{
      {"_rebuild_sparse", "a sparse tensor: save its .to_dense()"},
      {"_rebuild_qtensor", "a quantized tensor: save its .dequantize()"},
      {"_rebuild_meta", "a tensor of the device meta, which has no numbers"},
      {"nested", "a nested tensor: save its .unbind(), or its .to_padded_tensor()"},
  }};
  const auto name = function.text();
  for (const auto& [part, what] : unreadable_kinds) {
    if (name.find(part) != std::string::npos) return {UnreadableTensor{{what}}};
  }
  return {UnreadableTensor{{"a tensor of a kind that only Python reads (", function, "): save a plain copy of it"}}};
}

/// A tensor with attributes of its own, or of a class derived from Tensor, of which Buffer alone adds nothing.
PickleValue typed_tensor(const PickleList& arguments) {
  const auto& function = argument<PickleName>(arguments, 0);
  const auto& type = argument<PickleName>(arguments, 1);
  const auto& its_arguments = argument<PickleList>(arguments, 2);
  const auto name = function.text();
  const bool second = name == "torch._utils._rebuild_tensor_v2";
  if (!second && name != "torch._utils._rebuild_tensor_v3") return unreadable(function);
  if (const auto its_type = type.text(); its_type != "torch.Tensor" && its_type != "torch.nn.parameter.Buffer") {
    return {UnreadableTensor{{"a tensor of the class ", type, ": save its .as_subclass(torch.Tensor)"}}};
  }
  return tensor(its_arguments, second ? 2 : 3);
}

}  // namespace

PickleValue* pickled_call(std::deque<PickleValue>& values, const PickleName& function, const PickleList& arguments) {
  const auto name = function.text();
  // What is but told more about: a Parameter is a tensor, and torch::pickle_save of C++ adds its type to a dict.
  if (name.starts_with("torch._utils._rebuild_parameter") || name == "torch.jit._pickle.restore_type_tag") {
    if (arguments.items.empty()) refuse("a call of ", name, " has no arguments");
    return arguments.items[0];
  }
  const auto result = [&]() -> PickleValue {
    if (name == "collections.OrderedDict") {
      // Its pairs are set afterwards.
      if (!arguments.items.empty()) refuse("an OrderedDict has arguments, which torch.save does not write");
      return {PickleDict()};
    }
    if (name == "collections.defaultdict") return {PickleDict()};
    if (name == "torch._utils._rebuild_tensor") return tensor(arguments, 1);
    if (name == "torch._utils._rebuild_tensor_v2") return tensor(arguments, 2);
    if (name == "torch._utils._rebuild_tensor_v3") return tensor(arguments, 3);
    if (name == "torch._tensor._rebuild_from_type_v2") return typed_tensor(arguments);
    if (name.starts_with("torch.") && name.find("._rebuild_") != std::string::npos) return unreadable(function);
    return {PickleObject{{"an object of Python's ", function}}};
  };
  values.push_back(result());
  return &values.back();
}

PickleValue pickled_storage(const PickleValue& id) {
  const auto* parts = id.as<PickleList>();
  if (parts == nullptr || parts->items.size() < 5 || argument<std::string_view>(*parts, 0) != "storage") {
    refuse("it refers to something else than a storage");
  }
  const auto& type = argument<PickleName>(*parts, 1);
  PickledStorage storage{.key = argument<std::string_view>(*parts, 2)};
  if (const auto* known = storage_dtype(type)) {
    storage.dtype = known->dtype;
  } else if (type.text() != "torch.storage.UntypedStorage") {
    return {PickleObject{{"a storage of the class ", type}}};
  }
  const auto size = argument<std::int64_t>(*parts, 4);
  const auto width = storage.dtype ? static_cast<std::int64_t>(c10::elementSize(*storage.dtype)) : 1;
  if (size < 0 || c10::mul_overflows(size, width, &storage.bytes)) refuse("a storage has ", size, " elements");
  return {storage};
}

}  // namespace packseq::nn::detail
