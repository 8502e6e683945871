#include "nn/pickled_weights.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_set>

#include "nn/pickle_places.hpp"
#include "nn/refusal.hpp"

namespace packseq::nn::detail {
namespace {

using Key = std::vector<std::string>;

/// What to do where the weights are not under `key`.
std::string way_out(const PickleValue& top, const Key& key) {
  std::string ways;
  if (const auto places = places_of_tensors(top); !places.empty()) {
    ways = "; give as ReadOptions::key where the weights are: tensors lie under " + places.text();
  }
  if (const auto tensors = tensors_in(top); tensors > 0) {
    const bool others = top.as<PickleDict>()->items.size() > tensors;
    ways += c10::str("; to read those at the top, ", tensors, " in number, ",
                     key.empty() ? "" : "leave ReadOptions::key out", !key.empty() && others ? " and " : "",
                     others ? "set ReadOptions::tensors_only" : "");
  }
  return ways.empty() ? "; in Python, write torch.save(model.state_dict(), file)" : ways;
}

/// Where `part` leads from `value`, of which `done` is the key; null if nowhere.
const PickleValue* step(const PickleValue& value, const std::string& part, const Key& done) {
  const PickleValue* found = nullptr;
  for_each_part(value, [&](const PickleValue* key, std::size_t index, const PickleValue& below) {
    const auto* text = key == nullptr ? nullptr : key->as<std::string_view>();
    if (text != nullptr ? *text != part : part_name(key, index) != part) return;
    if (found != nullptr) {
      refuse("has two keys under ", quoted(done), " that ReadOptions::key calls \"", part,
             "\": in Python, save what is under one of them by itself");
    }
    found = &below;
  });
  return found;
}

const PickleValue& follow(const PickleValue& top, const Key& key) {
  const PickleValue* value = &top;
  Key done;
  for (const auto& part : key) {
    const PickleValue* const below = step(*value, part, done);
    if (below == nullptr) {
      Listing there;
      for_each_part(*value, [&there](const PickleValue* name, std::size_t index, const PickleValue& /*part*/) {
        there.add([&] { return quoted_part(name, index); });
      });
      refuse("has no key \"", part, "\" under ", quoted(done), ", where ", describe(*value), " is",
             there.empty() ? "" : " with the keys ", there.text(), way_out(top, key));
    }
    value = below;
    done.push_back(part);
  }
  return *value;
}

/// Refuses what of a whole file is no weight.
void check_all_tensors(const PickleDict& dict, const PickleValue& top) {
  Listing others;
  for (const auto& entry : dict.items) {
    if (entry.second->is_tensor()) continue;
    others.add([&entry] { return c10::str(quoted_part(entry.first, 0), " (", describe(*entry.second), ')'); });
  }
  if (!others.empty()) refuse("holds under these keys what is no tensor: ", others.text(), way_out(top, {}));
}

}  // namespace

PickledWeights pickled_weights(const PickleValue& top, const ReadOptions& options) {
  const Key& key = options.key;
  const PickleValue& value = follow(top, key);
  const auto where = key.empty() ? std::string() : " under " + quoted(key);
  const auto* dict = value.as<PickleDict>();
  if (dict == nullptr) refuse("holds", where, ' ', describe(value), ", not a dict of tensors", way_out(top, key));
  if (key.empty() && !options.tensors_only) check_all_tensors(*dict, top);
  PickledWeights weights;
  std::unordered_set<std::string_view> names;
  for (const auto& [its_key, entry] : dict->items) {
    const auto* name = its_key->as<std::string_view>();
    if (name != nullptr && !names.insert(*name).second) refuse("has", where, " the key \"", *name, "\" twice");
    if (!entry->is_tensor()) continue;
    if (name == nullptr) refuse("has", where, " a tensor under ", describe(*its_key), ", and its key must be a text");
    if (const auto* unreadable = entry->as<UnreadableTensor>()) {
      refuse("holds", where, " under the key \"", *name, "\" ", unreadable->text());
    }
    weights.emplace_back(*name, entry->as<std::unique_ptr<const PickledTensor>>()->get());
  }
  if (weights.empty() && !dict->items.empty()) refuse("holds", where, " no tensors", way_out(top, key));
  return weights;
}

}  // namespace packseq::nn::detail
