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

COLOURS = {"1.0": "grey", "0.6": "tab:orange", "0.3": "tab:blue"}
TICKS = (0.5, 1, 2, 5, 10, 20)


def points(cases):
    """{contender: [(ratio of medians, fill)]}"""
    found = {}
    for heading, seconds in cases.items():
        for name, (median, _) in ratios(seconds).items():
            if name != REFERENCE:
                found.setdefault(name, []).append((median, heading.split(", ")[1]))
    return found


def draw(axes, title, cases):
    found = points(cases)
    for place, dots in enumerate(found.values()):
        for fill, colour in COLOURS.items():
            at = [ratio for ratio, of in dots if of == fill]
            below = 0.22 * (list(COLOURS).index(fill) - 1)
            axes.scatter(at, [place + below] * len(at), s=22, color=colour, label=f"fill {fill}", zorder=2)
    axes.set_yticks(range(len(found)), found)
    axes.yaxis.set_inverted(True)
    axes.axvline(1, color="black", linewidth=1)
    axes.axvspan(TICKS[0] / 2, 1, color="tab:green", alpha=0.08)  # faster than the engine
    axes.set(xscale="log", xlim=(0.4, 30), title=title)
    axes.minorticks_off()
    axes.set_xticks(TICKS, [str(tick) for tick in TICKS])
    axes.grid(alpha=0.3)


def draw_all(report):
    groups = group(report["measured"])
    modes = list(dict.fromkeys(mode for _, mode in groups))
    networks = list(dict.fromkeys(network for network, _ in groups))
    heights = [max(len(points(groups[network, mode])) for network in networks) for mode in modes]
    figure, grid = plt.subplots(len(modes), len(networks), figsize=(11, 1.5 + 0.36 * sum(heights)), squeeze=False,
                                sharex=True, height_ratios=heights, layout="constrained")
    for row, mode in zip(grid, modes):
        for axes, network in zip(row, networks):
            draw(axes, f"{network.upper()}, {mode}", groups[network, mode])
    handles = dict(zip(*reversed(grid[0][0].get_legend_handles_labels())))
    grid[0][-1].legend(handles.values(), handles.keys(), loc="upper right", fontsize=9)
    figure.suptitle("One core: 8 documents of size 512, 32 of 256, 64 of 128, at fill 1 also 1 of 128; a dot each")
    figure.supxlabel("times as long as packseq's engine in float over the packed batch", fontsize=10)
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="BUILD/peers")
    folder = parser.parse_args().folder
    draw_all(json.loads((folder / "peers.json").read_text())).savefig(folder / "peers.png", dpi=100)


if __name__ == "__main__":
    main()
