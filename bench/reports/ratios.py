#!/usr/bin/env python3
"""Sets the FLOPs that packing saves against the time that it saves.

Reads what a benchmark program wrote with --benchmark_out=FILE and prints one row for each case that was run padded and
in another way, as a Markdown table:

  fill                     real tokens over all cells of the padded batch
  spread                   (slowest - fastest) / median of the repetitions, the largest of the contenders': a ratio of
                           times says nothing that is finer than this
  FLOP ratio               executed FLOPs, padded over packed: 2.00 means that packed does half as much
  time ratio               time, padded over packed; below 1 packing loses time
  fused / (padded x fill)  below 1, each useful FLOP takes less time than in LibTorch's padded path (of an LSTM: oneDNN)
  packed / fused           how many times as long as the engine LibTorch's packed path takes
  fused / bfloat16         how many times as fast the engine is with products of bfloat16
  fused_padded / padded    what a program gains that goes on padding: below 1, the engine is faster
  share of peak            of fused on one thread: useful FLOPs per second over those of the engine's own micro-kernel
                           (the benchmark "peak")

Times are medians over the repetitions. A column is there if what it compares was run.
"""

import argparse
import json
import statistics
import sys

from tables import format_table

MILLISECONDS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
CONTENDERS = ("padded", "packed", "fused")
FORMATS = {"case": "", "fill": ".2f", "padded ms": ".3f", "packed ms": ".3f", "spread": ".0%", "FLOP ratio": ".2f",
           "time ratio": ".2f", "fused ms": ".3f", "fused / (padded x fill)": ".2f", "packed / fused": ".2f",
           "fused / bfloat16": ".2f", "fused_padded / padded": ".2f", "share of peak": ".2f"}


class InputError(Exception):
    """What is wrong with the file, in one line."""


def load_json(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}")
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}); was the program that writes it interrupted?")


def load_repetitions(path):
    """The single repetitions (not their mean, median, ...) in a file, as Google Benchmark's JSON objects."""
    report = load_json(path)
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


def milliseconds(repetitions):
    return [run["real_time"] * MILLISECONDS[run["time_unit"]] for run in repetitions]


def median_ms(repetitions):
    return statistics.median(milliseconds(repetitions))


def largest_spread(runs):
    """Of a case's contenders: how far apart the repetitions are, relative to their median."""
    return max((max(times) - min(times)) / statistics.median(times) for times in map(milliseconds, runs.values()))


def find_peak(repetitions):
    """FLOPs per second of the micro-kernel, if they were measured."""
    rates = [run["useful_flops_per_second"] for run in repetitions if run["run_name"].split("/")[0] == "peak"]
    return max(rates, default=None)


def share_of_peak(repetitions, peak):
    """Useful FLOPs per second of a contender, as a share of the micro-kernel's own."""
    return repetitions[0]["useful_flops"] / median_ms(repetitions) * 1e3 / peak


def make_row(case, runs, peak):
    """{column: number}, without those of contenders that were not run."""
    ms = {contender: median_ms(repetitions) for contender, repetitions in runs.items()}
    fill = runs["padded"][0]["fill"]
    row = {"case": case, "fill": fill, "padded ms": ms["padded"], "spread": largest_spread(runs)}
    if "packed" in runs:
        row.update({"packed ms": ms["packed"], "time ratio": ms["padded"] / ms["packed"],
                    "FLOP ratio": runs["padded"][0]["executed_flops"] / runs["packed"][0]["executed_flops"]})
    if {"packed", "fused"} <= set(runs):
        row.update({"fused ms": ms["fused"], "fused / (padded x fill)": ms["fused"] / (ms["padded"] * fill),
                    "packed / fused": ms["packed"] / ms["fused"]})
        if peak and case.endswith(" threads:1"):
            row["share of peak"] = share_of_peak(runs["fused"], peak)
    if {"fused", "bfloat16"} <= set(runs):
        row["fused / bfloat16"] = ms["fused"] / ms["bfloat16"]
    if "fused_padded" in runs:
        row["fused_padded / padded"] = ms["fused_padded"] / ms["padded"]
    return row


def make_rows(path):
    repetitions = load_repetitions(path)
    peak = find_peak(repetitions)
    cases = group(repetitions, (*CONTENDERS, "bfloat16", "fused_padded"))
    rows = [make_row(case, runs, peak) for case, runs in cases.items() if "padded" in runs and len(runs) > 1]
    if not rows:
        raise InputError(f"{path} has no case that was run padded and in another way, repetition by repetition; "
                         "check --benchmark_filter and --benchmark_report_aggregates_only")
    return sorted(rows, key=lambda row: row["case"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="JSON written with --benchmark_out")
    try:
        print(format_table(FORMATS, make_rows(parser.parse_args().file)))
    except InputError as error:
        sys.exit(f"ratios.py: {error}")


if __name__ == "__main__":
    main()
