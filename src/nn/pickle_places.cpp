#include "nn/pickle_places.hpp"

#include <c10/util/StringUtil.h>

#include <algorithm>
#include <deque>
#include <unordered_set>

namespace packseq::nn::detail {
namespace {

/// A value, and the way to it. Ways share their begins: with names of their own they would take memory by their square.
struct Place {
  const PickleValue* value;
  const Place* above = nullptr;
  const PickleValue* key = nullptr;
  std::size_t index = 0;

  std::string way() const {
    std::vector<std::string> names;
    for (const auto* place = this; place->above != nullptr; place = place->above) {
      names.push_back(quoted_part(place->key, place->index));
    }
    std::reverse(names.begin(), names.end());
    return c10::str('{', c10::Join(", ", names), '}');
  }
};

}  // namespace

std::optional<std::string> part_name(const PickleValue* key, std::size_t index) {
  if (key == nullptr) return std::to_string(index);
  if (const auto* text = key->as<std::string_view>()) return std::string(*text);
  if (const auto* number = key->as<std::int64_t>()) return std::to_string(*number);
  return {};
}

std::string quoted_part(const PickleValue* key, std::size_t index) {
  const auto name = part_name(key, index);
  return name ? '"' + *name + '"' : c10::str('(', describe(*key), ": not reachable, save it by itself)");
}

std::string quoted(const std::vector<std::string>& key) {
  std::string text;
  for (const auto& part : key) text += c10::str(text.empty() ? "" : ", ", '"', part, '"');
  return '{' + text + '}';
}

std::size_t tensors_in(const PickleValue& value) {
  const auto* dict = value.as<PickleDict>();
  if (dict == nullptr) return 0;
  return static_cast<std::size_t>(
      std::count_if(dict->items.begin(), dict->items.end(), [](const auto& item) { return item.second->is_tensor(); }));
}

Listing places_of_tensors(const PickleValue& top) {
  Listing found;
  std::unordered_set<const PickleValue*> seen = {&top};
  std::deque<Place> places = {{.value = &top}};  // which stay where they are
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    const auto tensors = tensors_in(*place.value);
    if (tensors > 0 && i > 0) {
      found.add([&] { return c10::str(place.way(), " (", tensors, tensors == 1 ? " tensor)" : " tensors)"); });
    }
    for_each_part(*place.value, [&](const PickleValue* key, std::size_t index, const PickleValue& part) {
      const bool holds_others = part.as<PickleDict>() != nullptr || part.as<PickleList>() != nullptr;
      if (holds_others && seen.insert(&part).second) places.push_back({&part, &place, key, index});
    });
  }
  return found;
}

}  // namespace packseq::nn::detail
