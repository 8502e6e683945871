#!/usr/bin/env python3
"""Compares the memory that the fused engine, LibTorch's padded and its packed path take.

Runs memory_bench (its path is the only argument) once for each contender and case, each in a process of its own, and
prints by how many megabytes the process grew in one pass, and fused as a share of what it may take:

  training    padded times fill, and 10 % more, and three times the parameters (packed weights, gradients)
  inference   half of packed, and once the parameters

Where the batch is small beside the parameters, these are all that one sees; such cases are left out.
"""

import json
import subprocess
import sys

KINDS = ("lstm", "gru", "rnn")
BATCHES = ((32, 100, 128, "uniform60"), (64, 100, 256, "uniform60"), (64, 100, 256, "uniform30"),
           (64, 400, 128, "lognormal"), (64, 400, 256, "uniform60"), (64, 600, 512, "uniform60"))


def grow(program, contender, kind, mode, batch):
    words = [program, contender, kind, mode, *map(str, batch)]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} build/bench/memory_bench")
    print(f"{'case':52} {'fill':>5} {'padded':>8} {'packed':>8} {'fused':>8} {'of bar':>7}   MB")
    for mode in ("inference", "training"):
        for kind in KINDS:
            for batch in BATCHES:
                padded, packed, fused = (grow(sys.argv[1], contender, kind, mode, batch)
                                         for contender in ("padded", "packed", "fused"))
                documents, longest, hidden, lengths = batch
                parameters = fused["parameter_bytes"]
                if 4 * fused["tokens"] * hidden < 4 * parameters:
                    continue
                fill = fused["tokens"] / (documents * longest)
                if mode == "training":
                    bar = 1.1 * fill * padded["growth"] + 3 * parameters
                else:
                    bar = packed["growth"] / 2 + parameters
                case = f"{kind} {mode} B:{documents} T:{longest} H:{hidden} lengths:{lengths}"
                megabytes = (f"{run['growth'] / 1e6:8.1f}" for run in (padded, packed, fused))
                print(f"{case:52} {fill:5.2f} {' '.join(megabytes)} {fused['growth'] / bar:7.2f}", flush=True)


if __name__ == "__main__":
    main()
