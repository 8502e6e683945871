#!/usr/bin/env python3
"""Sets the FLOPs that packing saves against the time that it saves.

Reads what a benchmark program wrote with --benchmark_out=FILE and prints one row for each case that was run both
padded and packed. All ratios are padded / packed, so 2.00 means that packed does, or takes, half as much:

  FLOP ratio   executed FLOPs, padded over packed
  time ratio   median time over the repetitions, padded over packed; below 1 packing loses time
  spread       (slowest - fastest) / median of the repetitions, the larger of the two contenders':
               a time ratio says nothing that is finer than this
  fill         real tokens over all cells of the padded batch
"""

import argparse
import json
import statistics
import sys

MILLISECONDS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
CONTENDERS = ("padded", "packed")
HEADINGS = ("case", "fill", "padded ms", "packed ms", "spread", "FLOP ratio", "time ratio")


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


def group(repetitions):
    """{case: {contender: [repetition, ...]}}; a case is a benchmark's name without the contender."""
    cases = {}
    for run in repetitions:
        parts = run["run_name"].split("/")
        for contender in CONTENDERS:
            if contender in parts:
                case = " ".join(part for part in parts if part not in (contender, "real_time"))
                cases.setdefault(case, {}).setdefault(contender, []).append(run)
    return cases


def median_and_spread(runs):
    """The median time in milliseconds, and how far apart the repetitions are, relative to it."""
    times = [run["real_time"] * MILLISECONDS[run["time_unit"]] for run in runs]
    median = statistics.median(times)
    return median, (max(times) - min(times)) / median


def make_row(case, padded, packed):
    padded_ms, padded_spread = median_and_spread(padded)
    packed_ms, packed_spread = median_and_spread(packed)
    return (
        case,
        f"{packed[0]['fill']:.2f}",
        f"{padded_ms:.3f}",
        f"{packed_ms:.3f}",
        f"{max(padded_spread, packed_spread):.0%}",
        f"{padded[0]['executed_flops'] / packed[0]['executed_flops']:.2f}",
        f"{padded_ms / packed_ms:.2f}",
    )


def make_rows(path):
    cases = group(load_repetitions(path))
    rows = [make_row(case, *(runs[c] for c in CONTENDERS)) for case, runs in cases.items() if len(runs) == 2]
    if not rows:
        raise InputError(f"{path} has no case that was run both padded and packed, repetition by repetition; "
                         "check --benchmark_filter and --benchmark_report_aggregates_only")
    return sorted(rows)


def format_table(rows, markdown):
    """Columns as wide as their widest cell, numbers to the right."""
    widths = [max(len(row[column]) for row in [HEADINGS, *rows]) for column in range(len(HEADINGS))]
    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    lines = []
    for row in [HEADINGS, rule, *rows] if markdown else [HEADINGS, *rows]:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("| " + " | ".join(cells) + " |" if markdown else "  ".join(cells))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="JSON written with --benchmark_out")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    arguments = parser.parse_args()
    try:
        print(format_table(make_rows(arguments.file), arguments.markdown))
    except InputError as error:
        sys.exit(f"ratios.py: {error}")


if __name__ == "__main__":
    main()
