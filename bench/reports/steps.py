#!/usr/bin/env python3
"""Compares what a call takes where a network is given a step or a few at a time.

    build/bench/step_bench --benchmark_out=build/steps.json
    python3 bench/reports/steps.py build/steps.json >bench/results/steps.md

Times are microseconds of a call, the least of the repetitions: such short calls are disturbed often, and never helped.

  padded, packed  LibTorch's module, on a padded and on a packed batch
  cell            LibTorch's LSTMCell, GRUCell or RNNCell, step by step
  fused           packseq's engine under LibTorch's packed module
  fused_padded    the same under its padded module
  frozen          as fused, with weights that are frozen
  bfloat16, bfloat16_frozen
                  as fused and frozen, with products of bfloat16
  spread          (slowest - fastest) / median of the repetitions, the largest of the contenders'
  fused / best, fused_padded / best, frozen / best
                  over the faster of padded and packed: below 1, the engine is faster
  frozen / cell   over the cell
  fused / bfloat16, frozen / bfloat16_frozen
                  how many times as fast products of bfloat16 make it
"""

import argparse
import sys

from ratios import InputError, group, largest_spread, load_json, load_repetitions, milliseconds
from tables import cpu, format_page, format_table

CONTENDERS = ("padded", "packed", "cell", "fused", "fused_padded", "frozen")
IN_BFLOAT16 = {"fused": "bfloat16", "frozen": "bfloat16_frozen"}  # where they were run
FORMATS = {"case": "", **{f"{contender} us": ".1f" for contender in (*CONTENDERS, *IN_BFLOAT16.values())},
           "spread": ".0%", "fused / best": ".2f", "fused_padded / best": ".2f", "frozen / best": ".2f",
           "frozen / cell": ".2f", **{f"{exact} / {rounded}": ".2f" for exact, rounded in IN_BFLOAT16.items()}}


def make_row(case, runs):
    least = {contender: min(milliseconds(repetitions)) * 1e3 for contender, repetitions in runs.items()}
    best = min(least["padded"], least["packed"])
    return {"case": case, **{f"{name} us": time for name, time in least.items()}, "spread": largest_spread(runs),
            "fused / best": least["fused"] / best, "fused_padded / best": least["fused_padded"] / best,
            "frozen / best": least["frozen"] / best, "frozen / cell": least["frozen"] / least["cell"],
            **{f"{exact} / {rounded}": least[exact] / least[rounded] for exact, rounded in IN_BFLOAT16.items()
               if rounded in least}}


def sort_key(case):
    """The threads, the kind, then the sizes as numbers."""
    words = [word.split(":") for word in case.split()]
    numbers = [int(word[1]) for word in words if len(word) == 2]
    return numbers[-1], [word[0] for word in words if len(word) == 1], numbers


def make_rows(path):
    cases = group(load_repetitions(path), (*CONTENDERS, *IN_BFLOAT16.values()))
    rows = [make_row(case.removeprefix("steps "), runs) for case, runs in cases.items()
            if set(CONTENDERS) <= set(runs)]
    if not rows:
        raise InputError(f"{path} has no case that all of {', '.join(CONTENDERS)} ran")
    return sorted(rows, key=lambda row: sort_key(row["case"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="JSON written with --benchmark_out")
    path = parser.parse_args().file
    try:
        rows = make_rows(path)
        context = load_json(path)["context"]
    except InputError as error:
        sys.exit(f"steps.py: {error}")
    about = f"{cpu()}; LibTorch {context['libtorch']}; {context['date'][:10]}."
    print(format_page("A step at a time", about, __doc__, format_table(FORMATS, rows)), end="")


if __name__ == "__main__":
    main()
