"""What was measured as a page of Markdown."""

import pathlib
import statistics
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "reports"))

from names import STEPS, parse_name
from tables import cpu, format_table

REFERENCE = "fused"
TITLE = "Peers side by side"
PICTURE = "peers.png"
LEGEND = f"""\
Each peer is a process of its own in a virtual environment of its own, all on one core, with the same weights, inputs
and lengths. Results are compared with LibTorch's in double on all cells but padding, and so is the final state of
whoever is told the lengths. Then the clock starts, and they run by turns, in another order each round: 20 ms of runs
that do not count, and two runs that do, or as many as 20 ms hold. Inputs are in each one's own layout and dtype before
the clock starts, packed where it takes packed ones, and nobody's output is converted. Training is the output, and the
gradients of the weights and of the input for a given gradient of the output.

Columns are documents x size of input and hidden state, and the fill: real tokens over all cells of the padded batch of
{STEPS} steps, or of T where a column has it. Below "fused", each number is how many times as long as packseq's engine
it takes: the ratio of the medians, and that of the minima in brackets. Less than 1.00 is faster than the engine. The
tables of a network alone have the least and the largest ratio of medians over the shapes.

  fused, bfloat16, frozen  packseq's engine over packed batches: in float; with products of bfloat16; in float, frozen
  LibTorch bfloat16, int8  its module of dtype bfloat16, its dynamically quantized module
  padded                   not told the lengths: no final states at fills below 1
  OpenVINO                 its shapes are static; told the lengths, it loops over masked steps, padded it need not
  OpenVINO bfloat16        asked for that precision
  PaddlePaddle AVX2        its MKL is told to use it, which on CPUs that are not Intel's it does not by itself
  Flax, Keras              on JAX, compiled for the shape"""


class NoReference(Exception):
    """Without the engine's time there is nothing to compare with."""


def ratios(seconds):
    """{contender: (of medians, of minima)}, to the engine's. seconds: {contender: seconds of each run}"""
    if REFERENCE not in seconds:
        raise NoReference(f"{REFERENCE} was not timed")
    reference = seconds[REFERENCE]
    return {name: (statistics.median(times) / statistics.median(reference), min(times) / min(reference))
            for name, times in seconds.items()}


def format_cell(name, seconds):
    if name == REFERENCE:
        return f"{1e3 * statistics.median(seconds[name]):.2f} ({1e3 * min(seconds[name]):.2f})"
    return "{:.2f} ({:.2f})".format(*ratios(seconds)[name])


def make_table(cases):
    """cases: {Name: {contender: seconds}}; a row for each contender that any of them has."""
    cases = {f"{name.shape}, {name.fill}": seconds for name, seconds in cases.items()}
    names = dict.fromkeys(name for seconds in cases.values() for name in seconds)
    label = {REFERENCE: f"{REFERENCE}, ms"}
    rows = [{"contender": label.get(name, name),
             **{heading: format_cell(name, seconds) for heading, seconds in cases.items() if name in seconds}}
            for name in names]
    return format_table(dict.fromkeys(("contender", *cases), ""), rows)


def group(measured):
    """{(network, mode): {Name: {contender: seconds}}}, of [{"case", "mode", "seconds"}]."""
    groups = {}
    for one in measured:
        name = parse_name(one["case"])
        groups.setdefault((name.kind, one["mode"]), {})[name] = one["seconds"]
    return groups


def summarize(groups, network):
    """A table: the range over the shapes, a column for each mode and fill."""
    found = {}
    for (of, mode), cases in groups.items():
        for name, seconds in cases.items() if of == network else ():
            for contender, (median, _) in ratios(seconds).items():
                found.setdefault(contender, {}).setdefault(f"{mode}, {name.fill}", []).append(median)
    found.pop(REFERENCE)
    columns = dict.fromkeys(column for its in found.values() for column in its)
    rows = [{"contender": name, **{column: f"{min(its):.2f} - {max(its):.2f}" for column, its in of_columns.items()}}
            for name, of_columns in found.items()]
    return format_table(dict.fromkeys(("contender", *columns), ""), rows)


def make_page(report):
    parts = [f"# {TITLE}", report["about"] + ".", f"```\n{LEGEND}\n```", f"![All of it in a picture]({PICTURE})"]
    groups = group(report["measured"])
    for network in dict.fromkeys(network for network, _ in groups):
        parts += [f"## {network.upper()}", summarize(groups, network)]
    for (network, mode), cases in groups.items():
        parts += [f"## {network.upper()}, {mode}", make_table(cases)]
    left_out = [*report["left_out"],
                *(f"{name} in {one['case']}, {one['mode']}: {why}" for one in report["measured"]
                  for name, why in one["left_out"].items())]
    if left_out:
        parts += ["## Left out", "\n".join(f"- {line}" for line in left_out)]
    return "\n\n".join(parts) + "\n"
