#!/usr/bin/env python3
"""Times Python's recurrent networks before and after packseq's engine is installed: on packed batches, on padded ones
of equal lengths (fill 1), and a step of one document at a time, in inference. All of them in float, under autocast to
bfloat16 and of dtype bfloat16; packed batches and steps also in float where the engine alone is asked for products of
bfloat16:

    python3 bench/reports/python_before_after.py build/python/packseq_torch.so

Rounds of both are interleaved, so that whatever else the machine does slows both alike. Results and gradients are
compared before the clock starts.

  fill     real tokens over all cells of the padded batch
  before   median time of LibTorch's own code, in milliseconds
  after    the same with the engine
  ratio    before / after: 2.00 means that the engine takes half as long
  spread   (slowest - fastest) / median, the larger of the two: a ratio says nothing that is finer than this

The table is Markdown.
"""

import argparse
import dataclasses
import itertools
import statistics
import time

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from networks import parse_pair
from tables import format_table



@dataclasses.dataclass(frozen=True)
class Way:
    """What a program computes in."""

    name: str
    switch: str = "none"  # torch's, once the engine is installed; without it this changes nothing
    autocast: bool = False
    dtype: torch.dtype = torch.float  # of network and batch

    @property
    def is_rounded(self):
        return self != WAYS[0]


SWITCH = Way(" products of bfloat16", switch="bf16")
WAYS = [Way(""), SWITCH, Way(" autocast", autocast=True), Way(" dtype bfloat16", dtype=torch.bfloat16)]
FORMATS = {"case": "", "fill": ".2f", "before": ".3f", "after": ".3f", "ratio": ".2f", "spread": ".0%"}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", help="where packseq_torch is")
    parser.add_argument("shapes", nargs="*", type=parse_pair, default=[(8, 128), (32, 256), (64, 512)],
                        help="documents x size of input and hidden state (default: 8x128 32x256 64x512)")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    return parser.parse_args()


def make_batches(batch, size):
    """[(name, fill, batch, calls that are timed as one)]: documents of 10 to 100 steps, of 100 each, and one of one."""
    lengths = torch.linspace(100, 10, batch).long()
    packed = pack_sequence([torch.randn(length, size) for length in lengths.tolist()])
    return [(f"packed B:{batch} T:100", len(packed.data) / (batch * 100), packed, 1),
            (f"padded B:{batch} T:100", 1, torch.randn(100, batch, size), 1),
            ("padded B:1 T:1", 1, torch.randn(1, 1, size), 50)]


def run(network, batch, way):
    with torch.autocast("cpu", torch.bfloat16, way.autocast):
        output = network(batch)[0]
    return output.data if isinstance(output, PackedSequence) else output


def infer(network, batch, way):
    with torch.inference_mode():
        return [run(network, batch, way)]


def train(network, batch, way):
    network.zero_grad()
    run(network, batch, way).sum().backward()
    return [parameter.grad for parameter in network.parameters()]


def seconds(function, calls):
    begin = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - begin) / calls


def uninstall():
    torch.ops.packseq.uninstall()
    torch.backends.mkldnn.rnn.fp32_precision = "none"


def install(way):
    torch.ops.packseq.install()
    torch.backends.mkldnn.rnn.fp32_precision = way.switch


def check(actual, expected, way):
    """Rounded factors may change a result by some of the largest ones, and LibTorch rounds its sums of gradients after
    every step; under autocast the dtype may differ, too, which it lets depend on the lengths."""
    for one, other in zip(actual, expected, strict=True):
        tolerances = {"rtol": 1e-3, "atol": 1e-3}
        if way.is_rounded:
            tolerances = {"rtol": 0, "atol": 0.1 * max(1, other.abs().max().item())}
        torch.testing.assert_close(one.float(), other.float(), **tolerances)


def measure(function, calls, rounds, way):
    """The times of `function` before and after: the first, untimed, round shows that they agree."""
    before, after = [], []
    uninstall()
    expected = function()
    install(way)
    check(function(), expected, way)
    for _ in range(rounds):
        uninstall()
        before.append(seconds(function, calls))
        install(way)
        after.append(seconds(function, calls))
    return before, after


def spread(times):
    return (max(times) - min(times)) / statistics.median(times)


def make_rows(batch, size, rounds):
    for layout, fill, inputs, calls in make_batches(batch, size):
        modes = {"inference": infer, "training": train} if calls == 1 else {"inference": infer}
        ways = [way for way in WAYS if way is not SWITCH or calls > 1 or layout.startswith("packed")]
        for kind, (mode, call), way in itertools.product((nn.LSTM, nn.GRU, nn.RNN), modes.items(), ways):
            network, batch_of_way = kind(size, size, dtype=way.dtype), inputs.to(way.dtype)
            times = measure(lambda: call(network, batch_of_way, way), calls, rounds, way)
            before, after = (1e3 * statistics.median(values) for values in times)
            yield {"case": f"{kind.__name__.lower()} {mode} {layout} I:{size} H:{size}{way.name}", "fill": fill,
                   "before": before, "after": after, "ratio": before / after, "spread": max(map(spread, times))}


def main():
    arguments = parse_arguments()
    torch.ops.load_library(arguments.library)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    rows = [row for shape in arguments.shapes for row in make_rows(*shape, arguments.rounds)]
    print(format_table(FORMATS, rows))


if __name__ == "__main__":
    main()
