#!/usr/bin/env python3
"""Tells what it saves to multiply each distinct word once.

Reads what embedded_bench wrote with --benchmark_out=FILE and prints one row for each text, size and number of threads:

  distinct   distinct words over tokens of the batch
  fill       real tokens over all cells of the padded batch
  dedup, frozen
             times as fast as the engine without (fused over it); each distinct word of the batch once, or once for good
  per FLOP   padded times fill, over dedup: how many times as fast as the fill alone explains
  MB         growth of the process in a pass: fused, dedup, frozen

Times are medians. After the table come the cases that miss a bar (BARS below).
"""

import argparse
import sys

from ratios import InputError, format_table, group, load_repetitions, median_and_spread

CONTENDERS = ("padded", "fused", "fused+dedup", "fused+frozen")
HEADINGS = ("case", "distinct", "fill", "padded ms", "fused ms", "spread", "dedup", "frozen", "per FLOP", "MB")
# Least of dedup, frozen and per FLOP.
BARS = {"inference": (1.2, 1.6, 1.25), "training": (1.15, None, 1.4)}


def make_row(case, runs):
    times = {contender: median_and_spread(repetitions) for contender, repetitions in runs.items()}
    padded, fused, dedup = (times[contender][0] for contender in CONTENDERS[:3])
    any_run = runs["fused"][0]
    frozen = times.get("fused+frozen")
    growth = [max(run["growth_bytes"] for run in runs[contender]) / 1e6
              for contender in CONTENDERS[1:] if contender in runs]
    return (case, f"{any_run['distinct']:.2f}", f"{any_run['fill']:.2f}", f"{padded:.1f}", f"{fused:.1f}",
            f"{max(spread for _, spread in times.values()):.0%}", f"{fused / dedup:.2f}",
            f"{fused / frozen[0]:.2f}" if frozen else "-", f"{padded * any_run['fill'] / dedup:.2f}",
            " ".join(f"{megabytes:.0f}" for megabytes in growth))


def make_rows(path):
    cases = group(load_repetitions(path), CONTENDERS)
    rows = [make_row(case, runs) for case, runs in cases.items() if set(CONTENDERS[:3]) <= set(runs)]
    if not rows:
        raise InputError(f"{path} has no case that was run padded, fused and fused+dedup")
    return sorted(rows)


def misses(rows):
    lines = []
    for row in rows:
        for column, bar in zip((6, 7, 8), BARS[row[0].split()[1]]):
            if bar and float(row[column]) < bar:
                lines.append(f"{HEADINGS[column]} {row[column]}, at least {bar:.2f} wanted: {row[0]}")
    return lines or ["All bars are met."]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="JSON written with --benchmark_out")
    try:
        rows = make_rows(parser.parse_args().file)
    except InputError as error:
        sys.exit(f"embedded_ratios.py: {error}")
    print(format_table(HEADINGS, rows, markdown=True))
    print("\n" + "\n".join(misses(rows)))


if __name__ == "__main__":
    main()
