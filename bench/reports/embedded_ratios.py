#!/usr/bin/env python3
"""Tells what it saves to multiply each distinct word once, and to compute each beginning of a document once.

Reads what embedded_bench wrote with --benchmark_out=FILE and prints one row for each text, size and number of threads,
as a Markdown table:

  dedup     fused+dedup: each distinct word of the batch multiplied once
  frozen    fused+frozen: each distinct word of the vocabulary multiplied once for good
  shared    fused+dedup, and each beginning that documents have in common computed once
  distinct  distinct words over tokens of the batch
  beginnings
            distinct beginnings of documents over tokens of the batch
  fill      real tokens over all cells of the padded batch
  spread    (slowest - fastest) / median of the repetitions, the largest of the contenders'
  fused / dedup, fused / frozen
            how many times as long the engine takes without
  (padded x fill) / dedup, (padded x fill) / frozen
            how many times as fast as padded, beyond what the fill explains
  dedup / bfloat16, frozen / bfloat16
            how many times as fast the same is with products of bfloat16
  dedup / shared
            how many times as fast it is where beginnings are computed once
  fused MB, dedup MB, shared MB, frozen MB
            growth of the process in a pass

Times are medians over the repetitions. A column is there if what it compares was run.
"""

import argparse
import sys

from ratios import InputError, group, largest_spread, load_repetitions, median_ms
from tables import format_table

CONTENDERS = ("padded", "fused", "fused+dedup", "fused+shared", "fused+frozen")
IN_BFLOAT16 = {"fused+dedup": "bfloat16+dedup", "fused+frozen": "bfloat16+frozen"}
FORMATS = {"case": "", "distinct": ".2f", "beginnings": ".2f", "fill": ".2f", "padded ms": ".1f", "fused ms": ".1f",
           "spread": ".0%", "fused / dedup": ".2f", "fused / frozen": ".2f", "(padded x fill) / dedup": ".2f",
           "(padded x fill) / frozen": ".2f", "dedup / shared": ".2f", "dedup / bfloat16": ".2f",
           "frozen / bfloat16": ".2f", "fused MB": ".0f", "dedup MB": ".0f", "shared MB": ".0f", "frozen MB": ".0f"}


def make_row(case, runs):
    """{column: number}, without those of contenders that were not run."""
    ms = {contender: median_ms(repetitions) for contender, repetitions in runs.items()}
    fill = runs["fused"][0]["fill"]
    row = {"case": case, "distinct": runs["fused"][0]["distinct"], "fill": fill, "padded ms": ms["padded"],
           "fused ms": ms["fused"], "spread": largest_spread(runs)}
    if "fused+shared" in runs:
        row["beginnings"] = runs["fused"][0]["beginnings"]
        row["dedup / shared"] = ms["fused+dedup"] / ms["fused+shared"]
    for contender in CONTENDERS[1:]:
        if contender in runs:
            name = contender.removeprefix("fused+")
            row[f"{name} MB"] = max(run["growth_bytes"] for run in runs[contender]) / 1e6
    for contender in ("fused+dedup", "fused+frozen"):
        if contender in runs:
            name = contender.removeprefix("fused+")
            row[f"fused / {name}"] = ms["fused"] / ms[contender]
            row[f"(padded x fill) / {name}"] = ms["padded"] * fill / ms[contender]
    for contender, rounded in IN_BFLOAT16.items():
        if rounded in runs:
            row[f"{contender.removeprefix('fused+')} / bfloat16"] = ms[contender] / ms[rounded]
    return row


def make_rows(path):
    cases = group(load_repetitions(path), (*CONTENDERS, *IN_BFLOAT16.values()))
    rows = [make_row(case, runs) for case, runs in cases.items() if set(CONTENDERS[:3]) <= set(runs)]
    if not rows:
        raise InputError(f"{path} has no case that was run padded, fused and fused+dedup")
    return sorted(rows, key=lambda row: row["case"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="JSON written with --benchmark_out")
    try:
        print(format_table(FORMATS, make_rows(parser.parse_args().file)))
    except InputError as error:
        sys.exit(f"embedded_ratios.py: {error}")


if __name__ == "__main__":
    main()
