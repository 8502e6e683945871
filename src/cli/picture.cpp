#include "cli/picture.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "packseq/cost/network_cost.hpp"
#include "packseq/cost/operations.hpp"
#include "packseq/sequence/encode.hpp"

namespace packseq::cli {
namespace {

constexpr std::size_t widest_word = 10;

detail::Paint paint_of(const Theme& theme) {
  return [theme](const std::string& text, std::optional<std::int64_t> document) {
    const auto& style = document ? theme.document(static_cast<std::size_t>(*document)) : theme.faint;
    return fmt::format("{}", fmt::styled(text, style));
  };
}

}  // namespace

Picture::Picture(const std::vector<std::string>& documents, const Tokenizer& tokenizer, const Terminal& terminal)
    : vocab_(Vocab::build(documents, {.tokenizer = tokenizer})),
      ids_(encode(documents, vocab_)),
      terminal_(terminal),
      theme_(terminal.colour),
      paint_(paint_of(theme_)),
      packed_(
          pack_sequence(ids_),
          {.name = [this](std::int64_t id) { return word(id); }, .columns = terminal.columns, .documents = ids_.size()},
          paint_) {
  while (width(padded_table()) > terminal.columns && packed_.narrow()) {
  }
}

std::string Picture::vocabulary() const {
  std::string text = heading("Vocabulary") + ": each different word gets an id\n";
  std::string line;
  int lines = 1;
  for (std::int64_t id = 0; id < vocab_.size(); ++id) {
    const std::string entry = fmt::format("   {} {}", id, word(id));
    const std::string rest = fmt::format("   … {} more", grouped(vocab_.size() - id));
    if (lines == 3 && width(line + entry + rest) > terminal_.columns) return text + line + rest + "\n";
    if (width(line + entry) > terminal_.columns) {
      text += line + "\n";
      line.clear();
      ++lines;
    }
    line += entry;
  }
  return text + line + "\n";
}

std::string Picture::padded() const {
  const std::int64_t steps = cost::padded_lengths(ids_.lengths())[0].item<std::int64_t>();
  const std::int64_t cells = ids_.size() * steps;
  const std::int64_t padding = cells - ids_.values().size(0);
  return fmt::format("{}: {} x {} = {}, {} of them padding{}\n", heading("Padded"), counted(ids_.size(), "document"),
                     counted(steps, "step"), counted(cells, "cell"), padding == 0 ? "none" : grouped(padding),
                     padding == 0 ? "" : " (░, id 0)") +
         draw(padded_table(), paint_);
}

std::string Picture::packed() const {
  return fmt::format("{}: {}, no padding; the longest document first\n", heading("Packed"),
                     counted(ids_.values().size(0), "cell")) +
         packed_.draw();
}

std::string Picture::operations() const {
  const auto padded = cost::matrix_product(cost::padded_lengths(ids_.lengths()));
  const auto packed = cost::matrix_product(ids_.lengths());
  return wrapped(fmt::format("Multiplied by a vector with one number per step, the padded matrix takes {} and {}, the "
                             "packed one {} and {}.",
                             counted(padded.multiplications, "multiplication"), counted(padded.additions, "addition"),
                             grouped(packed.multiplications), grouped(packed.additions)),
                 terminal_.columns);
}

std::string Picture::word(std::int64_t id) const { return clipped(vocab_.token(id), widest_word); }

std::string Picture::heading(const std::string& text) const {
  return fmt::format("{}", fmt::styled(text, theme_.heading));
}

detail::Table Picture::padded_table() const {
  detail::Table table{
      .rows = {}, .header = packed_.header(), .header_label = left("step", detail::picture_label_columns)};
  for (std::int64_t document = 0; document < ids_.size(); ++document) {
    detail::TableRow row = packed_.row(document);
    row.padding = table.header.size() - row.cells.size();
    row.note = counted(ids_[document].size(0), "token");
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace packseq::cli
