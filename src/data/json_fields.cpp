#include "data/json_fields.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "text/columns.hpp"

namespace packseq::data::detail {
namespace {

using Json = nlohmann::json;

using packseq::detail::clipped;

std::string in_quotes(std::string_view name) { return "'" + clipped(name, 60) + "'"; }

/// The text behind the first `mark`; all of it, if there is none.
std::string_view behind(std::string_view mark, std::string_view text) {
  const std::size_t place = text.find(mark);
  return place == std::string_view::npos ? text : text.substr(place + mark.size());
}

/// What the parser finds wrong, without its numbers of lines and what it has read, which may be all of a long line.
std::string reason_of(const Json::exception& error) {
  std::string_view reason =
      behind("] ", error.what());  // of "[json.exception.parse_error.101] parse error at line ..."
  if (reason.starts_with("parse error at ")) reason = behind(": ", reason);
  return clipped(reason.substr(0, reason.find("; last read: ")), 200);
}

/// Hears what a line holds, from its beginning to its end. All functions return whether to go on.
class Listener : public nlohmann::json_sax<Json> {
 public:
  /// A field that is looked for.
  struct Wanted {
    std::string name;
    bool may_be_no_string;
    std::optional<std::string> text = {};
  };

  explicit Listener(std::vector<Wanted> wanted) : wanted_(std::move(wanted)) {}

  std::string& text(std::size_t number) { return *wanted_[number].text; }

  /// What is wrong, once the line has been heard.
  std::optional<std::string> problem() const {
    if (!problem_.empty()) return problem_;
    for (const Wanted& field : wanted_) {
      if (!field.text)
        return "no field " + in_quotes(field.name) + ", but" + (names_.empty() ? " none at all" : names_);
    }
    return std::nullopt;
  }

  bool null() override { return other("null"); }
  bool boolean(bool value) override { return value_of(value ? "true" : "false", "a truth value"); }
  bool number_integer(number_integer_t value) override { return value_of(std::to_string(value), "a number"); }
  bool number_unsigned(number_unsigned_t value) override { return value_of(std::to_string(value), "a number"); }
  bool number_float(number_float_t /*value*/, const string_t& text) override { return value_of(text, "a number"); }
  bool binary(binary_t& /*value*/) override { return other("binary"); }  // not in JSON

  bool string(string_t& value) override {
    if (Wanted* const field = here()) {
      if (value.find('\0') != std::string::npos) return stop("a zero byte in the field " + in_quotes(field->name));
      return set(*field, value);
    }
    return inside();
  }

  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    key_ = name;
    constexpr int most = 10;  // a person reads them
    if (++keys_ <= most) names_ += (names_.empty() ? " " : ", ") + in_quotes(name);
    if (keys_ == most + 1) names_ += " and more";
    return true;
  }

  bool start_object(std::size_t /*elements*/) override {
    if (here() != nullptr) return other("an object");
    ++depth_;
    return true;
  }
  bool end_object() override { return --depth_, true; }

  bool start_array(std::size_t /*elements*/) override {
    if (depth_ == 0) return stop("a JSON array, and each line must be an object: jq -c '.[]' FILE writes its elements");
    if (here() != nullptr) return other("an array");
    ++depth_;
    return true;
  }
  bool end_array() override { return --depth_, true; }

  bool parse_error(std::size_t position, const std::string& /*token*/, const Json::exception& error) override {
    const std::string reason = reason_of(error);
    const bool has_other_lines =
        reason.find("end of input") != std::string::npos;  // one that is cut, or text behind it
    return stop("byte " + std::to_string(position) + ": no JSON object on one line (" + reason + ")" +
                (has_other_lines ? "; jq -c . FILE writes each on a line of its own" : ""));
  }

 private:
  std::vector<Wanted> wanted_;
  std::string problem_;
  std::string key_;
  std::string names_;
  int keys_ = 0;
  int depth_ = 0;

  /// The field whose value comes now, if it is looked for.
  Wanted* here() {
    if (depth_ != 1) return nullptr;
    const auto found =
        std::find_if(wanted_.begin(), wanted_.end(), [this](const Wanted& field) { return field.name == key_; });
    return found == wanted_.end() ? nullptr : &*found;
  }

  bool stop(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool set(Wanted& field, std::string text) {
    if (field.text) return stop("the field " + in_quotes(field.name) + " comes twice");
    field.text = std::move(text);
    return true;
  }

  /// A value that is nothing for a field.
  bool other(const std::string& what) {
    const Wanted* const field = here();
    return field == nullptr ? inside()
                            : stop("the field " + in_quotes(field->name) + " is " + what + ", and must be a string" +
                                   (field->may_be_no_string ? ", a number or a truth value" : ""));
  }

  bool value_of(const std::string& text, const std::string& what) {
    Wanted* const field = here();
    return field != nullptr && field->may_be_no_string ? set(*field, text) : other(what);
  }

  bool inside() { return depth_ > 0 || stop("a JSON value, and each line must be an object"); }
};

}  // namespace

std::optional<std::string> JsonFields::read(std::string_view line, std::string& document, std::string& label) const {
  std::vector<Listener::Wanted> wanted = {{document_, false}};
  if (!label_.empty()) wanted.push_back({label_, true});
  Listener listener(std::move(wanted));
  Json::sax_parse(line, &listener);
  if (auto problem = listener.problem()) return problem;
  document = std::move(listener.text(0));
  if (!label_.empty()) label = std::move(listener.text(1));
  return std::nullopt;
}

}  // namespace packseq::data::detail
