// How a vocabulary is written to a file and read back; vocab.hpp shows what such a file looks like.

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "text/line_reader.hpp"
#include "text/replaced_file.hpp"
#include "text/text_error.hpp"
#include "text/utf8.hpp"
#include "text/vocab_state.hpp"

namespace packseq {
namespace {

constexpr std::string_view magic = "packseq vocabulary ";
constexpr std::string_view version = "1";
constexpr std::string_view last_line = "end";

std::string in_quotes(std::string_view text) { return std::string("'").append(text).append("'"); }

std::string escaped(std::string_view token) {
  std::string text;
  for (std::size_t at = 0; at < token.size();) {
    const detail::Utf8Head head = detail::utf8_head(token.substr(at));
    const std::string_view bytes = token.substr(at, head.size);
    const auto first = static_cast<unsigned char>(bytes.front());
    const bool is_end = at == 0 || at + 1 == token.size();
    const bool is_plain = head.valid && first >= ' ' && first != 0x7F && first != '\\' && !(first == ' ' && is_end);
    if (is_plain) text += bytes;
    for (std::size_t i = 0; i < bytes.size() && !is_plain; ++i) {
      std::array<char, sizeof "\\x00"> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02x",
                    static_cast<unsigned>(static_cast<unsigned char>(bytes[i])));
      text += escape.data();
    }
    at += bytes.size();
  }
  return text;
}

/// The lines of a vocabulary's file, one after the other; what is not as it should be is refused.
class VocabLines {
 public:
  explicit VocabLines(const std::filesystem::path& file) : reader_(file, InvalidUtf8::refuse) {}

  void check_version() {
    const auto line = next_if_any();
    if (!line || !line->starts_with(magic)) refuse("it does not begin with " + in_quotes(magic));
    const auto found = line->substr(magic.size());
    if (found == version) return;
    refuse("this is version " + std::string(found) + ", and must be version " + std::string(version));
  }

  std::size_t next_number(const std::string& name) {
    const auto text = next_after(name + " ");
    std::size_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end) refuse(in_quotes(text) + " is not a number of " + name);
    return number;
  }

  /// The unknown token; empty if there is none.
  std::string next_unknown() {
    const auto text = next_after("unknown");
    if (!text.empty() && text.front() != ' ') refuse("it does not begin with 'unknown '");
    return unescaped(text.starts_with(' ') ? text.substr(1) : text);
  }

  std::string next_token() { return unescaped(next()); }

  void check_end() {
    if (next() != last_line) refuse("after the last token comes " + in_quotes(last_line));
    if (next_if_any()) refuse("nothing comes after " + in_quotes(last_line));
  }

  std::int64_t number() const noexcept { return reader_.number(); }

  [[noreturn]] void refuse(const std::string& problem) const { refuse(number(), problem); }
  [[noreturn]] void refuse(std::int64_t number, const std::string& problem) const { reader_.refuse(number, problem); }

 private:
  static constexpr std::size_t no_limit = std::numeric_limits<std::int64_t>::max();

  detail::LineReader reader_;

  /// Nobody has written a vocabulary in another encoding: how to convert it is no help.
  std::optional<std::string_view> next_if_any() {
    try {
      return reader_.next(no_limit);
    } catch (const detail::TextError& error) {
      throw std::runtime_error(error.problem());
    }
  }

  std::string_view next() {
    const auto line = next_if_any();
    if (!line) refuse("the file is cut short");
    return *line;
  }

  std::string_view next_after(const std::string& name) {
    const auto line = next();
    if (!line.starts_with(name)) refuse("it does not begin with " + in_quotes(name));
    return line.substr(name.size());
  }

  std::string unescaped(std::string_view text) const {
    std::string token;
    for (std::size_t at = 0; at < text.size(); ++at) {
      unsigned byte = static_cast<unsigned char>(text[at]);
      if (byte == '\\') {
        const auto escape = text.substr(at, 4);
        const char* const end = escape.data() + escape.size();
        if (escape.size() < 4 || escape[1] != 'x' || std::from_chars(escape.data() + 2, end, byte, 16).ptr != end) {
          refuse(in_quotes(escape) + " is not '\\x' and two hexadecimal digits");
        }
        at += escape.size() - 1;
      }
      token += static_cast<char>(byte);
    }
    return token;
  }
};

}  // namespace

void Vocab::save(const std::filesystem::path& file) const {
  const State& state = *state_;
  std::string text;
  const auto add_line = [&text](std::string_view begin, std::string_view rest = {}) {
    text.append(begin).append(rest).append(1, '\n');
  };
  add_line(magic, version);
  add_line("specials ", std::to_string(state.specials));
  if (state.unknown) {
    add_line("unknown ", escaped(state.table[*state.unknown]));
  } else {
    add_line("unknown");
  }
  add_line("tokens ", std::to_string(state.table.size()));
  for (std::size_t id = 0; id < state.table.size(); ++id) add_line(escaped(state.table[id]));
  add_line(last_line);

  detail::ReplacedFile replaced(file);
  replaced.write(text);
  replaced.commit();
}

Vocab Vocab::load(const std::filesystem::path& file, Tokenizer tokenizer) {
  if (!tokenizer) throw std::invalid_argument("Vocab::load: tokenizer is empty");
  VocabLines lines(file);
  lines.check_version();
  State state{.table = {}, .specials = lines.next_number("specials"), .unknown = {}, .tokenizer = std::move(tokenizer)};
  const std::string unknown = lines.next_unknown();
  const std::int64_t unknown_line = lines.number();
  const std::size_t size = lines.next_number("tokens");
  if (size < state.specials) lines.refuse("there are " + std::to_string(state.specials) + " specials among them");

  for (std::size_t id = 0; id < size; ++id) {
    const std::string token = lines.next_token();
    if (token.empty() && id < state.specials) lines.refuse("the special is empty");
    if (state.table.insert(token) != id) lines.refuse("the token " + in_quotes(escaped(token)) + " is listed twice");
  }
  lines.check_end();
  if (!unknown.empty()) {
    state.unknown = state.table.find(unknown);
    if (!state.unknown || *state.unknown >= state.specials) {
      lines.refuse(unknown_line, "the unknown token " + in_quotes(escaped(unknown)) + " is none of the specials");
    }
  }
  return Vocab(std::make_shared<const State>(std::move(state)));
}

}  // namespace packseq
