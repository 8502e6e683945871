#include "nn/pickled_weights.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <unordered_set>

#include "nn/refusal.hpp"

namespace packseq::nn::detail {
namespace {

using Key = std::vector<std::string>;

constexpr std::size_t most_listed = 10;

constexpr const char* way_out = "; in Python, write torch.save(model.state_dict(), file)";

/// As it is written in C++: {"optimizer", "state"}.
std::string quoted(const Key& key) {
  std::string text;
  for (const auto& part : key) text += c10::str(text.empty() ? "" : ", ", '"', part, '"');
  return '{' + text + '}';
}

/// Some parts, and how many more there are.
std::string listed(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < std::min(parts.size(), most_listed); ++i) text += (i > 0 ? ", " : "") + parts[i];
  if (parts.size() > most_listed) text += c10::str(" and ", parts.size() - most_listed, " more");
  return text;
}

/// How a key of a dict is called in a `Key`: a text is itself, a number its digits.
std::string part_of(const PickleValue& key) {
  if (const auto* text = key.as<std::string>()) return *text;
  if (const auto* number = key.as<std::int64_t>()) return std::to_string(*number);
  return describe(key);
}

std::size_t tensors_in(const PickleValue& value) {
  const auto* dict = value.as<PickleDict>();
  if (dict == nullptr) return 0;
  return static_cast<std::size_t>(
      std::count_if(dict->items.begin(), dict->items.end(), [](const auto& item) { return item.second->is_tensor(); }));
}

/// What is in a dict or a list, under its keys.
std::vector<std::pair<std::string, const PickleValue*>> parts_of(const PickleValue& value) {
  std::vector<std::pair<std::string, const PickleValue*>> parts;
  if (const auto* dict = value.as<PickleDict>()) {
    for (const auto& [key, part] : dict->items) parts.emplace_back(part_of(*key), part);
  } else if (const auto* list = value.as<PickleList>()) {
    for (const auto* part : list->items) parts.emplace_back(std::to_string(parts.size()), part);
  }
  return parts;
}

/// Where dicts with tensors are, those nearest to the top first; each once, however often it is referred to.
std::string places(const PickleValue& top) {
  std::vector<std::string> found;
  std::unordered_set<const PickleValue*> seen = {&top};
  std::deque<std::pair<Key, const PickleValue*>> next = {{{}, &top}};
  for (; !next.empty(); next.pop_front()) {
    const auto& [key, value] = next.front();
    const auto tensors = tensors_in(*value);
    if (tensors > 0 && !key.empty()) {
      found.push_back(c10::str(quoted(key), " (", tensors, tensors == 1 ? " tensor)" : " tensors)"));
    }
    for (const auto& [part, below] : parts_of(*value)) {
      const bool holds_others = below->as<PickleDict>() != nullptr || below->as<PickleList>() != nullptr;
      if (!holds_others || !seen.insert(below).second) continue;
      next.emplace_back(key, below);
      next.back().first.push_back(part);
    }
  }
  if (found.empty()) return way_out;
  return "; give as ReadOptions::key where the weights are: tensors lie under " + listed(found);
}

/// Where `part` leads from `value`; a text before a number of the same digits, and in a list an index.
const PickleValue* step(const PickleValue& value, const std::string& part) {
  const PickleValue* number = nullptr;
  const auto* dict = value.as<PickleDict>();
  for (const auto& [name, below] : parts_of(value)) {
    if (name == part) number = below;
  }
  if (dict == nullptr) return number;
  for (const auto& [key, below] : dict->items) {
    if (const auto* text = key->as<std::string>(); text != nullptr && *text == part) return below;
  }
  return number;
}

const PickleValue& follow(const PickleValue& top, const Key& key) {
  const PickleValue* value = &top;
  Key done;
  for (const auto& part : key) {
    const PickleValue* const below = step(*value, part);
    if (below == nullptr) {
      std::vector<std::string> there;
      for (const auto& [name, unused] : parts_of(*value)) there.push_back('"' + name + '"');
      refuse("has no key \"", part, "\" under ", quoted(done), ", where ", describe(*value), " is",
             there.empty() ? "" : " with the keys ", listed(there), places(top));
    }
    value = below;
    done.push_back(part);
  }
  return *value;
}

/// Refuses what of a whole file is no weight.
void check_all_tensors(const PickleDict& dict, const PickleValue& top) {
  std::vector<std::string> others;
  for (const auto& [key, value] : dict.items) {
    if (!value->is_tensor()) others.push_back(c10::str('"', part_of(*key), "\" (", describe(*value), ')'));
  }
  if (!others.empty()) refuse("holds under these keys what is no tensor: ", listed(others), places(top));
}

}  // namespace

PickledWeights pickled_weights(const PickleValue& top, const Key& key) {
  const PickleValue& value = follow(top, key);
  const auto where = key.empty() ? std::string() : " under " + quoted(key);
  const auto* dict = value.as<PickleDict>();
  if (dict == nullptr) refuse("holds", where, ' ', describe(value), ", not a dict of tensors", places(top));
  if (key.empty()) check_all_tensors(*dict, top);
  PickledWeights weights;
  std::unordered_set<std::string> names;
  for (const auto& [its_key, entry] : dict->items) {
    if (!entry->is_tensor()) continue;
    const auto* name = its_key->as<std::string>();
    if (name == nullptr) refuse("has", where, " a tensor under ", describe(*its_key), ", and its key must be a text");
    if (const auto* unreadable = entry->as<UnreadableTensor>()) {
      refuse("holds", where, " under the key \"", *name, "\" ", unreadable->what);
    }
    if (!names.insert(*name).second) refuse("has", where, " the key \"", *name, "\" twice");
    weights.emplace_back(*name, entry->as<std::unique_ptr<const PickledTensor>>()->get());
  }
  if (weights.empty() && !dict->items.empty()) refuse("holds", where, " no tensors", places(top));
  return weights;
}

}  // namespace packseq::nn::detail
