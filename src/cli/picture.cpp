#include "cli/picture.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "packseq/cost/network_cost.hpp"
#include "packseq/cost/operations.hpp"
#include "packseq/sequence/encode.hpp"

namespace packseq::cli {
namespace {

constexpr std::size_t widest_word = 10;
constexpr std::size_t label_columns = std::string_view("sorted_indices").size();  // the longest label

std::int64_t item(const at::Tensor& integers, std::int64_t index) {
  return integers.const_data_ptr<std::int64_t>()[index];
}

/// Blanks at the end of a line are of no use to those who copy it.
std::string without_end_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

Picture::Picture(const std::vector<std::string>& documents, const Tokenizer& tokenizer, const Terminal& terminal)
    : vocab_(Vocab::build(documents, {.tokenizer = tokenizer})),
      ids_(encode(documents, vocab_)),
      packed_(pack_sequence(ids_)),
      steps_(packed_.batch_sizes().size(0)),
      shown_steps_(std::min(steps_, static_cast<std::int64_t>(terminal.columns / 4))),
      terminal_(terminal),
      theme_(terminal.colour) {
  while (shown_steps_ > 1 && std::max(width(padded_table()), width(packed_table())) > terminal.columns) {
    --shown_steps_;
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
  const std::int64_t cells = ids_.size() * steps_;
  const std::int64_t padding = cells - ids_.values().size(0);
  return fmt::format("{}: {} x {} = {}, {} of them padding{}\n", heading("Padded"), counted(ids_.size(), "document"),
                     counted(steps_, "step"), counted(cells, "cell"), padding == 0 ? "none" : grouped(padding),
                     padding == 0 ? "" : " (░, id 0)") +
         draw(padded_table(), theme_);
}

std::string Picture::packed() const {
  return fmt::format("{}: {}, no padding; the longest document first\n", heading("Packed"),
                     counted(ids_.values().size(0), "cell")) +
         draw(packed_table(), theme_) + sorted_indices() + data();
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

/// The steps, counted from 0.
std::vector<std::string> Picture::header() const {
  std::vector<std::string> header;
  for (std::int64_t step = 0; step < shown_steps_; ++step) header.push_back(std::to_string(step));
  if (shown_steps_ < steps_) header.push_back(fmt::format("{}…{}", shown_steps_, steps_ - 1));
  return header;
}

TableRow Picture::row(std::int64_t document) const {
  TableRow row{.label = fmt::format("document {}", document), .cells = {}};
  row.style = theme_.document(static_cast<std::size_t>(document));
  const at::Tensor ids = ids_[document];
  const std::int64_t length = ids.size(0);
  for (std::int64_t step = 0; step < std::min(length, shown_steps_); ++step) {
    row.cells.push_back(word(item(ids, step)));
  }
  if (length > shown_steps_) row.cells.push_back(fmt::format("+{}", length - shown_steps_));
  return row;
}

Table Picture::padded_table() const {
  Table table{.rows = {}, .header = header(), .header_label = left("step", label_columns)};
  for (std::int64_t document = 0; document < ids_.size(); ++document) {
    table.rows.push_back(row(document));
    table.rows.back().padding = table.header.size() - table.rows.back().cells.size();
    table.rows.back().note = counted(item(ids_.lengths(), document), "token");
  }
  return table;
}

Table Picture::packed_table() const {
  Table table{.rows = {}, .header = header(), .header_label = left("step", label_columns)};
  for (std::int64_t position = 0; position < ids_.size(); ++position) {
    table.rows.push_back(row(item(packed_.sorted_indices(), position)));
  }
  table.footer_label = "batch_sizes";
  for (std::int64_t step = 0; step < shown_steps_; ++step) {
    table.footer.push_back(std::to_string(item(packed_.batch_sizes(), step)));
  }
  if (shown_steps_ < steps_) table.footer.push_back(fmt::format("…{}", item(packed_.batch_sizes(), steps_ - 1)));
  return table;
}

std::string Picture::sorted_indices() const {
  std::string line = left("sorted_indices", label_columns) + "  ";
  for (std::int64_t position = 0; position < ids_.size(); ++position) {
    const std::string rest = fmt::format(" … {} more", ids_.size() - position);
    if (width(line) + 4 + width(rest) > terminal_.columns) return line + rest + "\n";
    line += fmt::format(" {}", item(packed_.sorted_indices(), position));
  }
  return line + "\n";
}

/// Step by step, as many tokens as one line holds.
std::string Picture::data() const {
  std::string words = left("data", label_columns) + "  ";
  std::string ids(width(words), ' ');
  std::size_t used = width(words);
  std::int64_t token = 0;
  for (std::int64_t step = 0; step < steps_; ++step) {
    for (std::int64_t position = 0; position < item(packed_.batch_sizes(), step); ++position, ++token) {
      const std::int64_t id = item(packed_.data(), token);
      const std::size_t columns = std::max(width(word(id)), std::to_string(id).size());
      const std::string rest = fmt::format(" … {} more", grouped(packed_.data().size(0) - token));
      if (used + columns + 3 + width(rest) > terminal_.columns)
        return words + rest + "\n" + without_end_blanks(ids) + "\n";
      const auto& style = theme_.document(static_cast<std::size_t>(item(packed_.sorted_indices(), position)));
      const char* separator = position == 0 && step > 0 ? " │ " : " ";
      words += separator + fmt::format("{}", fmt::styled(left(word(id), columns), style));
      ids += separator + fmt::format("{}", fmt::styled(left(std::to_string(id), columns), style));
      used += columns + width(separator);
    }
  }
  return without_end_blanks(words) + "\n" + without_end_blanks(ids) + "\n";
}

}  // namespace packseq::cli
