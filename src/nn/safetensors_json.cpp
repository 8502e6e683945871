#include "nn/safetensors_json.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "nn/refusal.hpp"
#include "nn/safetensors_dtypes.hpp"
#include "nn/torch_dtypes.hpp"

namespace packseq::nn::detail {

bool SafetensorsJson::key(string_t& name) {
  if (depth_ == 1) {
    if (!names_.insert(name).second) refuse("is damaged: its header has the name ", name, " twice");
    name_ = std::move(name);
    return true;
  }
  field_ = std::move(name);
  if (in_metadata()) {
    if (header_.metadata.contains(field_)) refuse("is damaged: its metadata have the name ", field_, " twice");
  } else if (field_ != "dtype" && numbers() == nullptr) {
    refuse("is damaged: its tensor ", name_, " has the property ", field_,
           ", and must have dtype, shape, data_offsets");
  } else if (field_ == "dtype" ? !dtype_.empty() : numbers()->has_value()) {
    refuse("is damaged: its tensor ", name_, " has the property ", field_, " twice");
  }
  return true;
}

bool SafetensorsJson::string(string_t& text) {
  if (depth_ != 2 || in_array_) unexpected("a text");
  if (in_metadata()) {
    header_.metadata.emplace(field_, std::move(text));
  } else if (field_ == "dtype") {
    dtype_ = std::move(text);
  } else {
    unexpected("a text");
  }
  return true;
}

bool SafetensorsJson::number_unsigned(number_unsigned_t number) {
  if (!in_array_) unexpected(std::to_string(number));
  numbers()->value().push_back(number);
  return true;
}

bool SafetensorsJson::start_object(std::size_t /*elements*/) {
  if (depth_ == 2 || in_array_) unexpected("an object");
  ++depth_;
  return true;
}

bool SafetensorsJson::end_object() {
  if (depth_ == 2 && !in_metadata()) add_entry();
  --depth_;
  return true;
}

bool SafetensorsJson::start_array(std::size_t /*elements*/) {
  if (depth_ != 2 || in_array_ || in_metadata() || numbers() == nullptr) unexpected("an array");
  numbers()->emplace();
  in_array_ = true;
  return true;
}

bool SafetensorsJson::end_array() {
  in_array_ = false;
  return true;
}

bool SafetensorsJson::parse_error(std::size_t position, const std::string& last_token,
                                  const nlohmann::json::exception& /*error*/) {
  refuse("is damaged: its header is no JSON at byte ", position, ", '", last_token, '\'');
}

/// Where the numbers of this field go.
std::optional<std::vector<std::uint64_t>>* SafetensorsJson::numbers() {
  return field_ == "shape" ? &shape_ : field_ == "data_offsets" ? &offsets_ : nullptr;
}

void SafetensorsJson::add_entry() {
  if (dtype_.empty() || !shape_ || !offsets_ || offsets_->size() != 2) {
    refuse("is damaged: its tensor ", name_, " must have a dtype, a shape and two data_offsets");
  }
  const auto known = std::find_if(safetensors_dtypes.begin(), safetensors_dtypes.end(),
                                  [this](const auto& dtype) { return dtype.name == dtype_; });
  if (known == safetensors_dtypes.end()) {
    refuse("has the tensor ", name_, " of dtype ", dtype_, ", which LibTorch does not have");
  }
  if (const auto count = shape_->size(); count > most_dimensions) {
    refuse("is damaged: its tensor ", name_, " has ", count, " dimensions, and must have ", most_dimensions,
           " at most");
  }
  SafetensorsEntry entry{.name = name_, .dtype = known->dtype, .begin = (*offsets_)[0], .end = (*offsets_)[1]};
  for (const auto size : *shape_) {
    if (size > std::numeric_limits<std::int64_t>::max()) refuse("is damaged: its tensor ", name_, " has a size ", size);
    entry.sizes.push_back(static_cast<std::int64_t>(size));
  }
  if (const auto in_one = numbers_in_one(entry.dtype); in_one > 1) {
    if (entry.sizes.empty() || entry.sizes.back() % in_one != 0) {
      refuse("has the tensor ", name_, " of dtype ", dtype_, ", whose last size must be a multiple of ", in_one);
    }
    entry.sizes.back() /= in_one;
  }
  header_.entries.push_back(std::move(entry));
  dtype_.clear();
  shape_.reset();
  offsets_.reset();
}

void SafetensorsJson::unexpected(const std::string& what) const {
  const auto place = depth_ == 0 ? std::string("at its begin") : name_ + (depth_ == 2 ? ": " + field_ : "");
  refuse("is damaged: its header has ", what, " where none must be, in ", place);
}

}  // namespace packseq::nn::detail
