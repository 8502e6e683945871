#!/usr/bin/env python3
"""Times Python's recurrent networks on packed batches before and after packseq's engine is installed:

    python3 bench/python_before_after.py build/packseq_torch.so

Rounds of both are interleaved, so that whatever else the machine does slows both alike. Results and gradients are
compared before the clock starts.

  case     the network; B documents, the longest of T steps; I and H, the sizes of input and hidden state
  fill     real tokens over all cells of the padded batch
  before   median time of LibTorch's own code, in milliseconds
  after    the same with the engine
  ratio    before / after: 2.00 means that the engine takes half as long
  spread   (slowest - fastest) / median, the larger of the two: a ratio says nothing that is finer than this

The table is Markdown.
"""

import argparse
import statistics
import time

import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

HEADINGS = ("case", "fill", "before", "after", "ratio", "spread")
ROW = "| {:72} | {:>6} | {:>9} | {:>9} | {:>6} | {:>7} |"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", help="where packseq_torch is")
    parser.add_argument("--network", choices=("LSTM", "GRU", "RNN"), action="append", help="default: all three")
    parser.add_argument("--batch", type=int, default=32, help="documents (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=100, help="length of the longest document (default: %(default)s)")
    parser.add_argument("--shortest", type=int, default=10, help="length of the shortest (default: %(default)s)")
    parser.add_argument("--input", type=int, default=256, help="input size (default: %(default)s)")
    parser.add_argument("--hidden", type=int, default=256, help="hidden size (default: %(default)s)")
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--bidirectional", action="store_true")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    return parser.parse_args()


def make_batch(arguments):
    lengths = torch.linspace(arguments.steps, arguments.shortest, arguments.batch).long().tolist()
    return pack_sequence([torch.randn(length, arguments.input) for length in lengths])


def infer(network, packed):
    with torch.inference_mode():
        return [network(packed)[0].data]


def train(network, packed):
    network.zero_grad()
    network(packed)[0].data.sum().backward()
    return [parameter.grad for parameter in network.parameters()]


def seconds(function):
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def measure(function, rounds):
    """The times of `function` before and after: the first, untimed, round shows that they agree."""
    before, after = [], []
    torch.ops.packseq.uninstall()
    expected = function()
    torch.ops.packseq.install()
    torch.testing.assert_close(function(), expected, rtol=1e-3, atol=1e-3)
    for _ in range(rounds):
        torch.ops.packseq.uninstall()
        before.append(seconds(function))
        torch.ops.packseq.install()
        after.append(seconds(function))
    return before, after


def spread(times):
    return (max(times) - min(times)) / statistics.median(times)


def main():
    arguments = parse_arguments()
    torch.ops.load_library(arguments.library)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    packed = make_batch(arguments)
    fill = len(packed.data) / (arguments.batch * arguments.steps)
    sizes = f"B:{arguments.batch} T:{arguments.steps} I:{arguments.input} H:{arguments.hidden}"
    if arguments.layers > 1 or arguments.bidirectional:
        sizes += f" layers:{arguments.layers} directions:{2 if arguments.bidirectional else 1}"
    print(ROW.format(*HEADINGS))
    print(ROW.format("---", *["---:"] * 5))
    for name in arguments.network or ("LSTM", "GRU", "RNN"):
        network = getattr(nn, name)(arguments.input, arguments.hidden, arguments.layers,
                                    bidirectional=arguments.bidirectional)
        for mode, run in (("inference", infer), ("training", train)):
            before, after = measure(lambda: run(network, packed), arguments.rounds)
            medians = [1e3 * statistics.median(times) for times in (before, after)]
            case = f"{name.lower()} {mode} {sizes} threads:{arguments.threads}"
            print(ROW.format(case, f"{fill:.2f}", f"{medians[0]:.2f}", f"{medians[1]:.2f}",
                             f"{medians[0] / medians[1]:.2f}", f"{max(spread(before), spread(after)):.0%}"))


if __name__ == "__main__":
    main()
