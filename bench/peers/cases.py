#!/usr/bin/env python3
"""Writes what all peers are given, and what they should answer: a file for each network and batch.

    python3 bench/peers/cases.py FOLDER NAME...

A name is as "lstm B:32 T:100 H:256 fill:0.6": see names.py. A file that is there is kept. Each is an .npz of float32
in LibTorch's layout:

  lengths                       [B], the longest first
  x, dy                         [T, B, H]: the input, and the gradient of the output; zero in the padding
  w_ih, w_hh, b_ih, b_hh        weights, with LibTorch's order of gates
  output, h, d_x, d_w_ih, ...   what LibTorch computes of them in double, packed; h [B, H] is the final state
"""

import argparse
import pathlib

import numpy
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from names import parse_name
from peer import WEIGHTS


def make_lengths(batch, longest, fill):
    """From `longest` down to few steps, along a power of the place that has this mean."""
    places = (batch - numpy.arange(batch) - 0.5) / batch
    lengths = numpy.ceil(longest * places ** (1 / fill - 1)).astype(numpy.int64)
    lengths[0] = longest
    return lengths


def answer(network, x, dy, lengths):
    """What is expected, by name."""
    x = x.double().requires_grad_()
    packed, state = network(pack_padded_sequence(x, lengths))
    output = pad_packed_sequence(packed)[0]
    output.backward(dy.double())
    h = state[0] if isinstance(state, tuple) else state
    weights = {f"d_{name}": getattr(network, attribute).grad for name, attribute in WEIGHTS.items()}
    return {"output": output, "h": h[0], "d_x": x.grad, **weights}


def make_case(name):
    kind, batch, longest, size, fill = parse_name(name)
    torch.manual_seed(0)
    lengths = torch.from_numpy(make_lengths(batch, longest, fill))
    real = (torch.arange(longest).unsqueeze(1) < lengths).unsqueeze(2)
    network = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](size, size)
    x, dy = torch.randn(2, longest, batch, size) * real
    weights = {short: getattr(network, attribute).detach().clone() for short, attribute in WEIGHTS.items()}
    arrays = {"x": x, "dy": dy, **weights, **answer(network.double(), x, dy, lengths)}
    return {"lengths": lengths.numpy(), **{name: array.detach().float().numpy() for name, array in arrays.items()}}


def write(path, name):
    part = path.with_suffix(".part")
    with open(part, "wb") as file:  # numpy would add a suffix to a path
        numpy.savez(file, **make_case(name))
    part.rename(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="+")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names:
        path = arguments.folder / f"{name}.npz"
        if not path.exists():
            write(path, name)


if __name__ == "__main__":
    main()
