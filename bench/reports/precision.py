#!/usr/bin/env python3
"""Shows how far recurrent networks with products of bfloat16 are from exact ones:

    python3 bench/reports/precision.py build/packseq_torch.so

Differences of all outputs from those of the same network in double, of networks as LibTorch initialises them over 8
documents of normal numbers:

  float       packseq's engine, in float
  bfloat16    packseq's engine, products of bfloat16
  module      LibTorch's own module of dtype bfloat16, padded
  largest     the largest difference
  rms         the root of the mean of their squares

The table is Markdown.
"""

import argparse
import contextlib
import copy
import sys

import torch
from torch import nn

from tables import format_table

KINDS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
COLUMNS = ("float", "bfloat16", "module")
FORMATS = {"case": "", **{f"{column} {what}": ".1e" for column in COLUMNS for what in ("largest", "rms")}}


@contextlib.contextmanager
def engine(precision):
    torch.ops.packseq.install()
    torch.backends.mkldnn.rnn.fp32_precision = precision
    try:
        yield
    finally:
        torch.backends.mkldnn.rnn.fp32_precision = "none"
        torch.ops.packseq.uninstall()


def parse_case(text):
    size, steps = text.split("x")
    return int(size), int(steps)


def outputs_of(network, inputs):
    """{column: outputs}"""
    with engine("none"):
        in_float = network(inputs)[0]
    with engine("bf16"):
        rounded = network(inputs)[0]
    module = copy.deepcopy(network).bfloat16()(inputs.bfloat16())[0]
    return dict(zip(COLUMNS, (in_float, rounded, module)))


def make_row(kind, size, steps):
    torch.manual_seed(0)
    network, inputs = KINDS[kind](size, size), torch.randn(steps, 8, size)
    exact = copy.deepcopy(network).double()(inputs.double())[0]
    row = {"case": f"{kind} H:{size} T:{steps}"}
    for column, outputs in outputs_of(network, inputs).items():
        difference = (outputs.double() - exact).abs()
        row[f"{column} largest"] = difference.max().item()
        row[f"{column} rms"] = difference.square().mean().sqrt().item()
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", help="where packseq_torch is")
    parser.add_argument("cases", nargs="*", type=parse_case,
                        default=[(128, 100), (256, 100), (512, 100), (1024, 100), (256, 1000)],
                        help="size of input and hidden state x steps (default: sizes up to 1024 x 100, and 256x1000)")
    arguments = parser.parse_args()
    torch.ops.load_library(arguments.library)
    with torch.inference_mode():
        rows = [make_row(kind, *case) for kind in KINDS for case in arguments.cases]
    print(format_table(FORMATS, rows))
    if any(row["bfloat16 rms"] >= row["module rms"] for row in rows):
        sys.exit("precision.py: LibTorch's module of bfloat16 is nearer to exact in one of these")


if __name__ == "__main__":
    main()
