#!/usr/bin/env python3
"""Draws what peers.py measured: how many times as long as packseq's engine each contender takes.

    python3 bench/peers/picture.py build/peers     writes build/peers/peers.png
"""

import argparse
import json
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from page import REFERENCE, group, ratios

COLOURS = ("grey", "tab:orange", "tab:blue", "tab:red", "tab:purple")  # then again
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


def points(cases):
    """{contender: [(ratio of medians, fill)]}"""
    found = {}
    for name, seconds in cases.items():
        for contender, (median, _) in ratios(seconds).items():
            if contender != REFERENCE:
                found.setdefault(contender, []).append((median, name.fill))
    return found


def draw(axes, title, found, fills):
    for place, dots in enumerate(found.values()):
        for number, fill in enumerate(fills):
            at = [ratio for ratio, of in dots if of == fill]
            below = 0.22 * (number - (len(fills) - 1) / 2)
            axes.scatter(at, [place + below] * len(at), s=22, color=COLOURS[number % len(COLOURS)],
                         label=f"fill {fill}", zorder=2)
    axes.set_yticks(range(len(found)), found)
    axes.yaxis.set_inverted(True)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_title(title)
    axes.grid(alpha=0.3)


def draw_scale(axes, least, largest):
    low, high = 0.8 * least, 1.2 * largest
    axes.set(xscale="log", xlim=(low, high))
    axes.axvspan(low, 1, color="tab:green", alpha=0.08)  # faster than the engine
    axes.minorticks_off()
    ticks = [tick for tick in TICKS if low < tick < high]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])


def describe(names):
    """The shapes, and the fills of those that have not all."""
    fills = {}
    for name in names:
        fills.setdefault(name.shape, set()).add(name.fill)
    every = {name.fill for name in names}
    return ", ".join(shape if its == every else f"{shape} at fill {', '.join(map(str, sorted(its)))}"
                     for shape, its in fills.items())


def draw_all(report):
    groups = group(report["measured"])
    names = [name for cases in groups.values() for name in cases]
    found = {key: points(cases) for key, cases in groups.items()}
    all_ratios = [1, *(ratio for its in found.values() for dots in its.values() for ratio, _ in dots)]
    networks, modes = (list(dict.fromkeys(key)) for key in zip(*groups))
    heights = [max(1, *(len(found.get((network, mode), ())) for network in networks)) for mode in modes]
    figure, grid = plt.subplots(len(modes), len(networks), figsize=(11, 1.5 + 0.36 * sum(heights)), squeeze=False,
                                sharex=True, gridspec_kw={"height_ratios": heights}, layout="constrained")
    for row, mode in zip(grid, modes):
        for axes, network in zip(row, networks):
            draw(axes, f"{network.upper()}, {mode}", found.get((network, mode), {}),
                 sorted({name.fill for name in names}, reverse=True))
            draw_scale(axes, min(all_ratios), max(all_ratios))
    handles = dict(zip(*reversed(grid[0][0].get_legend_handles_labels())))
    grid[0][-1].legend(handles.values(), handles.keys(), loc="upper right", fontsize=9)
    figure.suptitle(f"One core, documents x size: {describe(names)}; a dot each")
    figure.supxlabel("times as long as packseq's engine in float over the packed batch", fontsize=10)
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="BUILD/peers")
    folder = parser.parse_args().folder
    draw_all(json.loads((folder / "peers.json").read_text())).savefig(folder / "peers.png", dpi=100)


if __name__ == "__main__":
    main()
