#!/usr/bin/env python3
"""Times bfloat16 in packseq's engine beside what else there is on a CPU, as a Markdown table:

    python3 bench/reports/bfloat16.py build/packseq_torch.so
    python3 bench/reports/bfloat16.py build/packseq_torch.so --training

Every contender runs the same documents, of .2 to 1 times 100 steps; rounds of all are interleaved, each call behind one
of its own, and results compared before the clock starts. Columns are times over that of the engine over a module of
dtype bfloat16:

  milliseconds    what that takes itself
  products        packseq's engine over tensors of float, with products of bfloat16
  float           the same with products of float
  padded          LibTorch, in float, the padded batch; times fill: for the real tokens alone
  module padded   the same of the module of dtype bfloat16
  module packed   that module, the packed batch
  int8            LibTorch's dynamically quantized LSTM, the packed batch
  spread          (slowest - fastest) / median, the largest of all: a ratio says nothing that is finer than this
"""

import argparse
import copy
import statistics
import time

import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence, PackedSequence

from networks import engine, parse_pair
from tables import format_table

COLUMNS = ("products", "float", "padded", "module padded", "module packed", "int8")
FORMATS = {"case": "", "milliseconds": ".2f", **{column: ".2f" for column in COLUMNS}, "spread": ".0%"}
TIMES_FILL = ("padded", "module padded")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", help="where packseq_torch is")
    parser.add_argument("cases", nargs="*", type=parse_pair,
                        default=[(batch, size) for size in (128, 256, 512) for batch in (8, 32, 64)],
                        help="documents x size of input and hidden state (default: 8, 32, 64 x 128, 256, 512)")
    parser.add_argument("--training", action="store_true", help="the gradients of weights, too")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=9, help="default: %(default)s")
    return parser.parse_args()


def run_in_engine(network, batch, precision):
    with engine(precision):
        return network(batch)[0]


def trained(network, call):
    """A call that also computes the gradients of the network's weights."""
    weights = list(network.parameters())

    def run():
        output = call()
        data = output.data if isinstance(output, PackedSequence) else output
        torch.autograd.grad(data, weights, torch.ones_like(data))
        return output
    return run


def make_contenders(network, packed, training):
    """{name: a call that returns an output}"""
    padded = pad_packed_sequence(packed)[0]
    module = copy.deepcopy(network).bfloat16()
    packed_bfloat16, padded_bfloat16 = packed.to(torch.bfloat16), padded.bfloat16()
    of_network = {"products": lambda: run_in_engine(network, packed, "bf16"),
                  "float": lambda: run_in_engine(network, packed, "none"),
                  "padded": lambda: network(padded)[0]}
    of_module = {"bfloat16": lambda: run_in_engine(module, packed_bfloat16, "none"),
                 "module padded": lambda: module(padded_bfloat16)[0],
                 "module packed": lambda: module(packed_bfloat16)[0]}
    if training:
        of_network = {name: trained(network, call) for name, call in of_network.items()}
        of_module = {name: trained(module, call) for name, call in of_module.items()}
    contenders = of_module | of_network
    if isinstance(network, nn.LSTM) and not training:
        quantized = torch.ao.quantization.quantize_dynamic(nn.Sequential(network), {nn.LSTM}, torch.qint8)[0]
        contenders["int8"] = lambda: quantized(packed)[0]
    return contenders


def real_tokens(output, packed):
    if isinstance(output, PackedSequence):
        return output.data.detach().float()
    lengths = pad_packed_sequence(packed)[1].tolist()
    return pack_sequence([output[:length, i] for i, length in enumerate(lengths)]).data.detach().float()


def check(contenders, packed):
    expected = contenders["float"]().data.detach()
    for name, call in contenders.items():
        tolerance = {"padded": 1e-4, "int8": .2}.get(name, .03)
        torch.testing.assert_close(real_tokens(call(), packed), expected, rtol=0, atol=tolerance)


def seconds(call):
    call()  # else it would pay for what the contender before it has left in the caches
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def make_row(kind, batch, size, rounds, training):
    network = kind(size, size)
    lengths = torch.linspace(100, 20, batch).long()
    packed = pack_sequence([torch.randn(length, size) for length in lengths.tolist()])
    contenders = make_contenders(network, packed, training)
    check(contenders, packed)
    times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            times[name].append(seconds(call))
    medians = {name: statistics.median(values) for name, values in times.items()}
    fill = lengths.sum().item() / (batch * 100)
    row = {"case": f"{kind.__name__.lower()} B:{batch} H:{size}", "milliseconds": 1e3 * medians["bfloat16"]}
    for name in contenders.keys() - {"bfloat16"}:
        row[name] = medians[name] / medians["bfloat16"] * (fill if name in TIMES_FILL else 1)
    row["spread"] = max((max(values) - min(values)) / medians[name] for name, values in times.items())
    return row


def main():
    arguments = parse_arguments()
    torch.ops.load_library(arguments.library)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    with torch.set_grad_enabled(arguments.training):
        rows = [make_row(kind, *case, arguments.rounds, arguments.training) for kind in (nn.LSTM, nn.GRU)
                for case in arguments.cases]
    print(format_table(FORMATS, rows))


if __name__ == "__main__":
    main()
