"""Holds the figures in README's tables against those of a run, for evidence.py.

README's figures are read from its tables, none is known here. A median is confirmed if the run's is within 15 % of it,
a range if the run's median lies in it, widened by 15 % at both ends. Only ratios are compared, never times.
"""

import re
import statistics

import embedded_ratios
import ratios
from ratios import InputError

TOLERANCE = 0.15
ENGINE_TABLE = ("network", "threads", "fused / (padded x fill)", "packed / fused", "share of peak")
WORDS_TABLE = ("", "the fused engine takes, times as long", "beyond what the fill explains, against padded")
WORDS_TEXTS = ("text:kjv", "text:wordnet")  # that README's figures are of


def read_table(readme, headings):
    """The rows of the table in README that has these headings, cell by cell."""
    lines = [[cell.strip() for cell in line[1:-1].split("|")] if line.startswith("|") else None
             for line in readme.read_text(encoding="utf-8").splitlines() + [""]]
    if list(headings) not in lines:
        raise InputError(f"{readme} has no table with the columns {' | '.join(headings)}; if it was changed, change "
                         "bench/confirm.py, too")
    begin = lines.index(list(headings)) + 2
    return lines[begin:lines.index(None, begin)]


def bounds(figure):
    """Between which the run's median confirms a figure: "0.84 (0.56 - 1.01)", "0.76 (0.88)" or "1.14 - 1.69"."""
    match = re.fullmatch(r"(\d+\.\d+)(?: \(.+\)| - (\d+\.\d+))", figure)
    if not match:
        raise InputError(f"README's figure \"{figure}\" is neither a median with its range nor a range")
    return float(match[1]) * (1 - TOLERANCE), float(match[2] or match[1]) * (1 + TOLERANCE)


def judge(name, figure, values, less_is_better=False):
    """One row: name, README's figure, the run's, verdict."""
    least, most = bounds(figure)
    if not values:
        return name, figure, "-", "not measured"
    median = statistics.median(values)
    run = f"{median:.2f} ({min(values):.2f} - {max(values):.2f})"
    if least <= median <= most:
        return name, figure, run, "confirmed"
    return name, figure, run, f"not confirmed: {'better' if (median < least) == less_is_better else 'worse'}"


def judge_engine(readme, report):
    """Rows for the table of the fused engine."""
    rows = ratios.make_rows(report)
    judged = []
    for network, threads, *figures in read_table(readme, ENGINE_TABLE):
        kind_and_mode = network.lower().replace(",", "") + " "
        of_row = [row for row in rows if row[0].startswith(kind_and_mode) and row[0].endswith(f"threads:{threads}")]
        columns = ratios.FUSED_HEADINGS[-len(figures):]
        for column, figure in zip(columns, figures):
            if figure != "-":
                at = (ratios.HEADINGS + ratios.FUSED_HEADINGS).index(column)
                judged.append(judge(f"{network}, {threads} thread{'s' * (threads != '1')}: {column}", figure,
                                    [float(row[at]) for row in of_row], less_is_better=column == "per FLOP"))
    return judged


def judge_words(readme, report):
    """Rows for the table of words that are not multiplied twice."""
    rows = [row for row in embedded_ratios.make_rows(report) if any(text in row[0] for text in WORDS_TEXTS)]
    judged = []
    for name, over_fused, per_flop in read_table(readme, WORDS_TABLE):
        mode, *frozen = name.split(", ")
        of_row = [dict(zip(embedded_ratios.HEADINGS, row)) for row in rows if f" {mode} " in row[0]]
        column = "frozen" if frozen else "dedup"
        values = [float(row[column]) for row in of_row]
        # The script's column is dedup's.
        beyond_fill = [float(row["per FLOP"]) * float(row[column]) / float(row["dedup"]) for row in of_row]
        judged.append(judge(f"{name}: fused / {column}", over_fused, values))
        judged.append(judge(f"{name}: padded x fill / {column}", per_flop, beyond_fill))
    return judged
