"""Holds the figures in the pages' tables against those of a run, for evidence.py.

The figures are read from these tables, none is known here: each is the median over the cases, then the least and the
most. It is confirmed if the run's median is within 15 % of it, and all cases of the run lie in its range, widened by
15 % at both ends. Only ratios are compared, never times.
"""

import re
import statistics

from ratios import InputError

TOLERANCE = 0.15
FORMATS = dict.fromkeys(("figure", "page", "this run", "verdict"), "")
ENGINE_TABLE = ("network", "threads", "fused / (padded x fill)", "packed / fused", "share of peak")
WORDS_TABLE = ("mode", "contender", "threads", "fused / contender", "(padded x fill) / contender")
WORDS_TEXTS = ("kjv", "wordnet")  # that the page's figures are of


def read_table(page, headings):
    """The rows of the table on a page that has these headings, cell by cell."""
    lines = [[cell.strip() for cell in line[1:-1].split("|")] if line.startswith("|") else None
             for line in page.read_text(encoding="utf-8").splitlines() + [""]]
    if list(headings) not in lines:
        raise InputError(f"{page} has no table with the columns {' | '.join(headings)}; if it was changed, change "
                         "bench/reports/confirm.py, too")
    begin = lines.index(list(headings)) + 2
    return lines[begin:lines.index(None, begin)]


def parse_figure(text):
    """Median, least and most."""
    match = re.fullmatch(r"(\d+\.\d+) \((\d+\.\d+) - (\d+\.\d+)\)", text)
    if not match:
        raise InputError(f"the page's figure \"{text}\" is not a median with its range, as 0.84 (0.43 - 0.92)")
    return tuple(map(float, match.groups()))


class Claim:
    """A figure of a page: of `column`, over the cases that have all of `words` in their names."""

    def __init__(self, name, text, column, words):
        self.name, self.text, self.figure = f"{name}: {column}", text, parse_figure(text)
        self.column, self.words = column, set(words)

    def judge(self, rows):
        """One row, of FORMATS."""
        row = {"figure": self.name, "page": self.text}
        values = [case[self.column] for case in rows if self.words <= set(case["case"].split()) and self.column in case]
        if not values:
            return {**row, "verdict": "not measured"}
        median, least, most = statistics.median(values), min(values), max(values)
        row["this run"] = f"{median:.2f} ({least:.2f} - {most:.2f})"
        if abs(median / self.figure[0] - 1) > TOLERANCE:
            less_is_better = self.column.startswith("fused / (")
            better = (median < self.figure[0]) == less_is_better
            return {**row, "verdict": f"not confirmed: {'better' if better else 'worse'}"}
        in_range = self.figure[1] * (1 - TOLERANCE) <= least and most <= self.figure[2] * (1 + TOLERANCE)
        return {**row, "verdict": "confirmed" if in_range else "median confirmed, not the range"}


def read_engine_claims(page):
    return [Claim(f"{network}, threads: {threads}", figure, column,
                  [*network.lower().split(", "), f"threads:{threads}"])
            for network, threads, *figures in read_table(page, ENGINE_TABLE)
            for column, figure in zip(ENGINE_TABLE[2:], figures) if figure != "-"]


def read_words_claims(page):
    return [Claim(f"{mode}, threads: {threads}", figure,
                  heading.replace("contender", contender.removeprefix("fused+")), [mode, f"threads:{threads}"])
            for mode, contender, threads, *figures in read_table(page, WORDS_TABLE)
            for heading, figure in zip(WORDS_TABLE[3:], figures)]


def of_texts(rows):
    """None if one of the texts is missing: the page's figures are over all of them."""
    found = [[row for row in rows if f"text:{text}" in row["case"].split()] for text in WORDS_TEXTS]
    return sum(found, []) if all(found) else []
