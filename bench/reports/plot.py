#!/usr/bin/env python3
"""Draws what evidence.py measured, a PNG for each question:

  fill    how does time grow with the part of the padded batch that is real?
  steps   how does time grow with the length of the documents?
  peak    what share of the micro-kernel's FLOPs per second does real work get?
  text    how many tokens of real text a second?
  flops   who turns saved FLOPs into saved time?

All on one thread; times are medians.
"""

import argparse
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator, PercentFormatter, ScalarFormatter

import ratios
from evidence import load_compared, of_contenders
from ratios import InputError, group, load_repetitions, median_ms

COLOURS = {"padded": "grey", "bucketed": "tab:brown", "packed": "tab:orange", "fused": "tab:blue",
           "fused+dedup": "tab:green", "fused+frozen": "tab:purple"}
MODES = ("inference", "training")


def two_panels(title, xlabel, ylabel, **options):
    """One for inference, one for training."""
    figure, panels = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained", **options)
    figure.suptitle(title)
    figure.supxlabel(xlabel, fontsize=10)
    panels[0].set_ylabel(ylabel)
    for axes, mode in zip(panels, MODES):
        axes.set_title(mode, fontsize=10)
        axes.grid(alpha=0.3)
    return figure, dict(zip(MODES, panels))


def legend(target, axes, **options):
    """Each contender of the panel once, in their usual order."""
    handles = dict(zip(*reversed(axes.get_legend_handles_labels())))
    names = sorted(handles, key=lambda name: [*COLOURS, name].index(name))
    target.legend([handles[name] for name in names], names, **options)


def draw_lines(axes, points):
    """points: {contender: [(x, y), ...]}"""
    for contender in COLOURS:
        if contender in points:
            axes.plot(*zip(*sorted(points[contender])), marker="o", color=COLOURS[contender], label=contender)


def draw_fill(folder):
    figure, panels = two_panels("LSTM of size 256, 32 documents of up to 100 steps",
                                "fill: real tokens over all cells of the padded batch", "time of a pass, ms")
    points = {mode: {} for mode in MODES}
    for case, runs in group(load_repetitions(folder / "fill.json")).items():
        for contender, repetitions in runs.items():
            point = repetitions[0]["fill"], median_ms(repetitions)
            points[case.split()[1]].setdefault(contender, []).append(point)
    for mode, axes in panels.items():
        draw_lines(axes, points[mode])
        full = dict(points[mode]["padded"])[1]
        axes.plot((0, 1), (0, full), "--", color="grey", label="padded x fill")
        axes.set(xlim=(0, 1.03), ylim=0)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
    panels["inference"].legend()
    return figure


def draw_steps(folder):
    figure, panels = two_panels("LSTM of size 128, 8 documents of 30 % to all of the steps",
                                "steps of the longest document", "time of a pass, ms")
    points = {mode: {} for mode in MODES}
    for steps, report in load_compared(folder, "steps_").items():
        for result in report["results"]:
            if result["contender"] in ratios.CONTENDERS:
                point = int(steps), result["seconds"]["median"] * 1e3
                points[result["mode"]].setdefault(result["contender"], []).append(point)
    for mode, axes in panels.items():
        draw_lines(axes, points[mode])
        axes.set(xscale="log", yscale="log")
        axes.set_xticks([steps for steps, _ in points[mode]["fused"]])
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.minorticks_off()
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(ScalarFormatter())
    panels["inference"].legend()
    return figure


def one_thread(path, contenders):
    """[(words of the case, {contender: repetitions}), ...]"""
    cases = [(case.split(), runs) for case, runs in sorted(group(load_repetitions(path), contenders).items())]
    return [(words[:-1], runs) for words, runs in cases if words[-1] == "threads:1"]


def draw_peak(folder):
    peak = ratios.find_peak(load_repetitions(folder / "engine.json"))
    figure, grid = plt.subplots(2, 3, figsize=(13, 8.5), layout="constrained", sharex=True, sharey=True)
    panels = {(kind, mode): axes for mode, row in zip(MODES, grid) for kind, axes in zip(("lstm", "gru", "rnn"), row)}
    for (kind, mode, *shape), runs in one_thread(folder / "engine.json", ratios.CONTENDERS):
        for contender, repetitions in runs.items():
            panels[kind, mode].scatter(ratios.share_of_peak(repetitions, peak), " ".join(shape), alpha=0.8,
                                       color=COLOURS[contender], label=contender, zorder=2)
    for (kind, mode), axes in panels.items():
        axes.set_title(f"{kind.upper()}, {mode}", fontsize=10)
        axes.set(xlim=(0, 1), xticks=(0, 0.2, 0.4, 0.6, 0.8))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.tick_params(axis="y", labelsize=8)
        axes.grid(alpha=0.3)
    grid[0][0].yaxis.set_inverted(True)  # the panels share it
    legend(figure, grid[0][0], loc="upper left", ncol=3)  # above the names of the cases
    figure.supxlabel(f"useful FLOPs per second, of the micro-kernel's {peak / 1e9:.0f} GFLOP/s", fontsize=10)
    return figure


def draw_text(folder):
    reports = load_compared(folder)
    figure, panels = two_panels("Real text: embedding of 128, LSTM of size 256, shuffled batches of 32 documents", "",
                                "tokens per second, thousands", sharey=True)
    for mode, axes in panels.items():
        for at, (name, report) in enumerate(reports.items()):
            of_mode = of_contenders(report, mode, "tokens_per_second")
            for bar, contender in enumerate(sorted(of_mode, key=list(COLOURS).index)):
                axes.bar(at + (bar - (len(of_mode) - 1) / 2) * 0.14, of_mode[contender] / 1e3, 0.13,
                         color=COLOURS[contender], label=contender, zorder=2)
        names = [f"{name}, {report['fill']:.0%} filled" for name, report in reports.items()]
        axes.set_xticks(range(len(names)), names)
    legend(panels["training"], panels["inference"])
    return figure


def draw_flops(folder):
    figure, panels = two_panels("Each dot a case: who turns saved FLOPs into saved time?",
                                "FLOPs, times fewer than padded", "times as fast as padded", sharey=True)
    cases = one_thread(folder / "engine.json", ratios.CONTENDERS)
    cases += one_thread(folder / "embedded.json", ("padded", "fused+dedup", "fused+frozen"))
    for (_, mode, *_), runs in cases:
        padded = runs.pop("padded")
        for contender, repetitions in runs.items():
            panels[mode].scatter(padded[0]["executed_flops"] / repetitions[0]["executed_flops"],
                                 median_ms(padded) / median_ms(repetitions),
                                 color=COLOURS[contender], alpha=0.7, label=contender, zorder=2)
    for axes in panels.values():
        axes.plot((0.9, 12), (0.9, 12), color="black", linewidth=0.8, label="time saved as FLOPs are")
        axes.set(xscale="log", yscale="log", ylim=(None, 80))  # with room for the legend
        axes.minorticks_off()
        axes.set_xticks((1, 2, 3, 5, 10), ("1", "2", "3", "5", "10"))
        axes.set_yticks((0.2, 0.5, 1, 2, 5, 10, 20), ("0.2", "0.5", "1", "2", "5", "10", "20"))
    legend(panels["inference"], panels["inference"], loc="upper left", ncol=2)
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="BUILD/evidence; gets the pictures")
    folder = parser.parse_args().folder
    try:
        for name, draw in (("fill", draw_fill), ("steps", draw_steps), ("peak", draw_peak), ("text", draw_text),
                           ("flops", draw_flops)):
            draw(folder).savefig(folder / f"{name}.png", dpi=110)
    except InputError as error:
        sys.exit(f"plot.py: {error}")


if __name__ == "__main__":
    main()
