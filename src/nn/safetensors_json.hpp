#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "nn/safetensors_header.hpp"

namespace packseq::nn::detail {

/// Takes the parts of a header's JSON from nlohmann's parser as they come: {"name": {"dtype": "F32", "shape": [2, 3],
/// "data_offsets": [0, 24]}, "__metadata__": {"text": "text"}}. Everything else is a Refusal at once, so that nothing
/// nested deeper is gone into, and a name that comes twice is seen.
class SafetensorsJson final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit SafetensorsJson(SafetensorsHeader& header) : header_(header) {}

  bool key(string_t& name) override;
  bool string(string_t& text) override;
  bool number_unsigned(number_unsigned_t number) override;
  bool start_object(std::size_t elements) override;
  bool end_object() override;
  bool start_array(std::size_t elements) override;
  bool end_array() override;
  bool null() override { unexpected("null"); }
  bool boolean(bool /*value*/) override { unexpected("a boolean"); }
  bool number_integer(number_integer_t number) override { unexpected(std::to_string(number)); }
  bool number_float(number_float_t /*number*/, const string_t& digits) override { unexpected(digits); }
  bool binary(binary_t& /*bytes*/) override { unexpected("bytes"); }
  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::json::exception& error) override;

 private:
  SafetensorsHeader& header_;
  std::unordered_set<std::string> names_;  // of tensors, and of what else is on the top
  std::size_t depth_ = 0;                  // of objects
  std::string name_;                       // of the member on the top
  std::string field_;                      // of the member in that
  bool in_array_ = false;
  std::string dtype_;
  std::optional<std::vector<std::uint64_t>> shape_;
  std::optional<std::vector<std::uint64_t>> offsets_;

  bool in_metadata() const { return name_ == "__metadata__"; }
  std::optional<std::vector<std::uint64_t>>* numbers();
  void add_entry();
  [[noreturn]] void unexpected(const std::string& what) const;
};

}  // namespace packseq::nn::detail
