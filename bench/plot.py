#!/usr/bin/env python3
"""Draws what ratios.py tells of a benchmark program's report: time relative to padded, case by case.

A dot for packed and one for fused; the grey bar is the fill, the part of padded's work that is real. Left of the line
at 1 is faster than padded; left of the end of the bar, faster for each useful FLOP too.
"""

import argparse
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from ratios import InputError, group, load_repetitions, median_and_spread

COLOURS = {"packed": "tab:orange", "fused": "tab:blue"}


def panels(path):
    """{(kind, mode): {case: {"fill": ..., contender: time relative to padded}}}"""
    result = {}
    for case, runs in sorted(group(load_repetitions(path)).items()):
        if not {"padded", "packed", "fused"} <= set(runs):
            continue
        kind, mode, *rest = case.split()
        padded, _ = median_and_spread(runs["padded"])
        values = {contender: median_and_spread(runs[contender])[0] / padded for contender in COLOURS}
        result.setdefault((kind, mode), {})[" ".join(rest)] = {"fill": runs["padded"][0]["fill"], **values}
    if not result:
        raise InputError(f"{path} has no case that was run padded, packed and fused")
    return result


def draw(axes, title, cases):
    names = list(cases)
    axes.barh(names, [cases[name]["fill"] for name in names], color="lightgrey", label="fill")
    for contender, colour in COLOURS.items():
        axes.scatter([min(cases[name][contender], 3) for name in names], names, color=colour, label=contender, zorder=3)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlim(0, 3)
    axes.set_title(title, fontsize=10)
    axes.tick_params(labelsize=7)
    axes.yaxis.set_inverted(True)  # the panels share it


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="JSON written with --benchmark_out")
    parser.add_argument("picture", help="PNG, SVG or PDF to write")
    arguments = parser.parse_args()
    try:
        of_panels = panels(arguments.file)
    except InputError as error:
        sys.exit(f"plot.py: {error}")
    kinds = [kind for kind in ("lstm", "gru", "rnn") if any(panel[0] == kind for panel in of_panels)]
    rows = max(len(cases) for cases in of_panels.values())
    figure, grid = plt.subplots(2, len(kinds), squeeze=False, sharey="row",
                                figsize=(3 + 3.5 * len(kinds), 2 + 0.36 * rows))
    for row, mode in enumerate(("inference", "training")):
        for column, kind in enumerate(kinds):
            draw(grid[row][column], f"{kind}, {mode}", of_panels.get((kind, mode), {}))
    grid[0][0].legend(fontsize=8, loc="lower right")
    figure.supxlabel("time relative to padded (beyond 3: drawn at 3)", fontsize=9)
    figure.tight_layout()
    figure.savefig(arguments.picture, dpi=130)


if __name__ == "__main__":
    main()
