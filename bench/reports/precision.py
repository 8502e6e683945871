#!/usr/bin/env python3
"""Shows how far recurrent networks with products of bfloat16 are from exact ones:

    python3 bench/reports/precision.py build/packseq_torch.so

Differences of all outputs from those of the same network in double, over 8 documents: of networks as LibTorch
initialises them over normal numbers, and of trained ones, which have learnt to tell the next character of the help on
Python that Python itself has, over parts of it that they have not read:

  float       packseq's engine, in float
  bfloat16    packseq's engine, products of bfloat16
  module      LibTorch's own module of dtype bfloat16, packed
  largest     the largest difference
  rms         the root of the mean of their squares

The table is Markdown. It fails if LibTorch's module is nearer to double than products of bfloat16 are.
"""

import argparse
import copy
import sys
from pydoc_data.topics import topics

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from networks import engine, parse_pair
from tables import format_table

KINDS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
COLUMNS = ("float", "bfloat16", "module")
FORMATS = {"case": "", **{f"{column} {what}": ".1e" for column in COLUMNS for what in ("largest", "rms")}}


def outputs_of(network, inputs):
    """{column: outputs}"""
    with engine("none"):
        in_float = network(inputs)[0]
    with engine("bf16"):
        rounded = network(inputs)[0]
    module = copy.deepcopy(network).bfloat16()
    packed = pack_padded_sequence(inputs.bfloat16(), [len(inputs)] * inputs.size(1))
    return dict(zip(COLUMNS, (in_float, rounded, pad_packed_sequence(module(packed)[0])[0])))


def train(kind, size, steps, updates):
    """A network that has learnt from batches of 32 parts of the text, and 8 parts of the last tenth of it, embedded."""
    text = "".join(topics.values()).encode("ascii", "ignore")
    ids = torch.tensor(list(text))
    read, rest = ids[:len(ids) * 9 // 10], ids[len(ids) * 9 // 10:]

    def parts(of, count):
        starts = torch.randint(len(of) - steps, (count,))
        return of[starts + torch.arange(steps + 1).unsqueeze(1)]

    embedding, network = nn.Embedding(128, size), KINDS[kind](size, size)
    linear = nn.Linear(size, 128)
    optimizer = torch.optim.Adam([*embedding.parameters(), *network.parameters(), *linear.parameters()], lr=0.005)
    with engine("none"):
        for _ in range(updates):
            part = parts(read, 32)
            scores = linear(network(embedding(part[:-1]))[0])
            loss = nn.functional.cross_entropy(scores.flatten(0, 1), part[1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    print(f"{kind}: loss {loss.item():.2f} after {updates} updates", file=sys.stderr)
    return network, embedding(parts(rest, 8)[:-1]).detach()


@torch.no_grad()
def make_row(case, network, inputs):
    exact = copy.deepcopy(network).double()(inputs.double())[0]
    row = {"case": case}
    for column, outputs in outputs_of(network, inputs).items():
        difference = (outputs.double() - exact).abs()
        row[f"{column} largest"] = difference.max().item()
        row[f"{column} rms"] = difference.square().mean().sqrt().item()
    return row


def initial_row(kind, size, steps):
    torch.manual_seed(0)
    return make_row(f"{kind} H:{size} T:{steps}", KINDS[kind](size, size), torch.randn(steps, 8, size))


def trained_row(kind, size, steps, updates):
    torch.manual_seed(0)
    return make_row(f"trained {kind} H:{size} T:{steps}", *train(kind, size, steps, updates))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", help="where packseq_torch is")
    parser.add_argument("cases", nargs="*", type=parse_pair,
                        default=[(128, 100), (256, 100), (512, 100), (1024, 100), (256, 1000)],
                        help="size of input and hidden state x steps (default: sizes up to 1024 x 100, and 256x1000)")
    parser.add_argument("--updates", type=int, default=500, help="of trained networks' weights (%(default)s)")
    parser.add_argument("--trained", type=parse_pair, default=(128, 100),
                        help="size x steps of trained networks (default: 128x100)")
    arguments = parser.parse_args()
    torch.ops.load_library(arguments.library)
    rows = [initial_row(kind, *case) for kind in KINDS for case in arguments.cases]
    rows += [trained_row(kind, *arguments.trained, arguments.updates) for kind in KINDS]
    print(format_table(FORMATS, rows))
    if any(row["bfloat16 rms"] >= row["module rms"] for row in rows):
        sys.exit("precision.py: LibTorch's module of bfloat16 is nearer to exact in one of these")


if __name__ == "__main__":
    main()
