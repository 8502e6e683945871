#!/usr/bin/env python3
"""Sets the FLOPs that packing saves against the time that it saves.

Reads what a benchmark program wrote with --benchmark_out=FILE and prints one row for each case that was run both
padded and packed. These ratios are padded / packed, so 2.00 means that packed does, or takes, half as much:

  FLOP ratio    executed FLOPs, padded over packed
  time ratio    median time over the repetitions, padded over packed; below 1 packing loses time
  spread        (slowest - fastest) / median of the repetitions, the largest of the contenders':
                a time ratio says nothing that is finer than this
  fill          real tokens over all cells of the padded batch

Where the fused engine was run in every case as well, four more columns, and after the table the cases that miss a bar
(BARS below):

  per FLOP      time of fused over that of padded times fill: below 1, each useful FLOP takes less time than in oneDNN
  over packed   how many times as long as fused LibTorch's packed path takes
  of peak       useful FLOPs per second, as a share of the micro-kernel's own (the benchmark "peak")
"""

import argparse
import json
import statistics
import sys

MILLISECONDS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
CONTENDERS = ("padded", "packed", "fused")
HEADINGS = ("case", "fill", "padded ms", "packed ms", "spread", "FLOP ratio", "time ratio")
FUSED_HEADINGS = ("fused ms", "per FLOP", "over packed", "of peak")
# Most that fused may take, over padded times fill: in nine of ten cases, and in any.
BARS = {("lstm", "inference"): (1.0, 1.15), ("lstm", "training"): (0.85, 1.0),
        ("gru", "inference"): (0.75, None), ("gru", "training"): (0.75, None),
        ("rnn", "inference"): (0.75, None), ("rnn", "training"): (0.75, None)}
# Least that packed must take, over fused: where the fill is at most .6 and there are eight documents, and anywhere.
PACKED_BARS = {"inference": (1.5, 1.0), "training": (2.5, 1.0)}


class InputError(Exception):
    """What is wrong with the file, in one line."""


def load_repetitions(path):
    """The single repetitions (not their mean, median, ...) in a file, as Google Benchmark's JSON objects."""
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}")
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}); was the benchmark program interrupted?")
    if not isinstance(report, dict) or not isinstance(report.get("benchmarks"), list):
        raise InputError(f"{path} is JSON, but has no list \"benchmarks\"; was it written with --benchmark_out?")
    return [run for run in report["benchmarks"] if run.get("run_type") == "iteration"]


def group(repetitions, contenders=CONTENDERS):
    """{case: {contender: [repetition, ...]}}; a case is a benchmark's name without the contender."""
    cases = {}
    for run in repetitions:
        parts = run["run_name"].split("/")
        for contender in contenders:
            if contender in parts:
                case = " ".join(part for part in parts if part not in (contender, "real_time"))
                cases.setdefault(case, {}).setdefault(contender, []).append(run)
    return cases


def median_and_spread(runs):
    """The median time in milliseconds, and how far apart the repetitions are, relative to it."""
    times = [run["real_time"] * MILLISECONDS[run["time_unit"]] for run in runs]
    median = statistics.median(times)
    return median, (max(times) - min(times)) / median


def find_peak(repetitions):
    """FLOPs per second of the micro-kernel, if they were measured."""
    rates = [run["useful_flops_per_second"] for run in repetitions if run["run_name"].split("/")[0] == "peak"]
    return max(rates, default=None)


def share_of_peak(runs, peak):
    """Useful FLOPs per second of a contender, as a share of the micro-kernel's own."""
    return runs[0]["useful_flops"] / median_and_spread(runs)[0] * 1e3 / peak


def make_row(case, runs, peak, with_fused):
    padded, packed, fused = (runs.get(contender) for contender in CONTENDERS)
    times = {contender: median_and_spread(repetitions) for contender, repetitions in runs.items()}
    padded_ms, packed_ms = times["padded"][0], times["packed"][0]
    row = [
        case,
        f"{packed[0]['fill']:.2f}",
        f"{padded_ms:.3f}",
        f"{packed_ms:.3f}",
        f"{max(spread for _, spread in times.values()):.0%}",
        f"{padded[0]['executed_flops'] / packed[0]['executed_flops']:.2f}",
        f"{padded_ms / packed_ms:.2f}",
    ]
    if with_fused:
        fused_ms = times["fused"][0]
        row += [f"{fused_ms:.3f}", f"{fused_ms / (padded_ms * packed[0]['fill']):.2f}", f"{packed_ms / fused_ms:.2f}",
                f"{share_of_peak(fused, peak):.2f}" if peak else "-"]
    return tuple(row)


def make_rows(path):
    repetitions = load_repetitions(path)
    peak = find_peak(repetitions)
    cases = group(repetitions)
    cases = {case: runs for case, runs in cases.items() if {"padded", "packed"} <= set(runs)}
    with_fused = all("fused" in runs for runs in cases.values())
    rows = [make_row(case, runs, peak, with_fused) for case, runs in cases.items()]
    if not rows:
        raise InputError(f"{path} has no case that was run both padded and packed, repetition by repetition; "
                         "check --benchmark_filter and --benchmark_report_aggregates_only")
    return sorted(rows)


def misses(rows):
    """A line for each bar that is missed, and how many cases keep it."""
    lines = []
    for (kind, mode), (usual, most) in BARS.items():
        of_kind = [row for row in rows if row[0].startswith(f"{kind} {mode} ")]
        if not of_kind:
            continue
        above = [row for row in of_kind if float(row[8]) > usual]
        share = 1 - len(above) / len(of_kind)
        lines.append(f"{kind} {mode}: per FLOP at most {usual:.2f} in {share:.0%} of {len(of_kind)} cases (bar: 90%)")
        lines += [f"  {row[8]}  {row[0]}" for row in above]
        lines += [f"  {row[8]}  {row[0]}: never above {most:.2f}" for row in above if most and float(row[8]) > most]
    for row in rows:
        mode, documents = row[0].split()[1], int(row[0].split()[2].removeprefix("B:"))
        usual, least = PACKED_BARS[mode]
        bar = usual if round(float(row[1]), 1) <= 0.6 and documents >= 8 else least
        if float(row[9]) < bar:
            lines.append(f"over packed {row[9]}, at least {bar:.1f} wanted: {row[0]}")
    return lines


def format_table(headings, rows, markdown):
    """Columns as wide as their widest cell, numbers to the right."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    lines = []
    for row in [headings, rule, *rows] if markdown else [headings, *rows]:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("| " + " | ".join(cells) + " |" if markdown else "  ".join(cells))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="JSON written with --benchmark_out")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    arguments = parser.parse_args()
    try:
        rows = make_rows(arguments.file)
        with_fused = len(rows[0]) > len(HEADINGS)
        print(format_table(HEADINGS + FUSED_HEADINGS if with_fused else HEADINGS, rows, arguments.markdown))
        if with_fused:
            print("\n" + "\n".join(misses(rows)))
    except InputError as error:
        sys.exit(f"ratios.py: {error}")


if __name__ == "__main__":
    main()
