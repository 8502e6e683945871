#!/usr/bin/env python3
"""Compares the memory that the fused engine, LibTorch's padded and its packed path take.

Runs memory_bench (its path is the only argument) once for each contender and case, each in a process of its own, and
prints a Markdown table:

  fill                     real tokens over all cells of the padded batch
  padded, packed, fused    megabytes by which the process grew in one pass
  fused / (padded x fill)  below 1, fused takes less for a real token than padded does for a cell
  packed / fused           how many times as much LibTorch's packed path takes

Where a batch is small beside the parameters, one sees these alone; such cases are left out.
"""

import json
import sys

from programs import run
from ratios import InputError, load_json
from tables import format_table

KINDS = ("lstm", "gru", "rnn")
BATCHES = ((32, 100, 128, "uniform60"), (64, 100, 256, "uniform60"), (64, 100, 256, "uniform30"),
           (64, 400, 128, "lognormal"), (64, 400, 256, "uniform60"), (64, 600, 512, "uniform60"))
CONTENDERS = ("padded", "packed", "fused")
FORMATS = {"case": "", "fill": ".2f", "padded MB": ".1f", "packed MB": ".1f", "fused MB": ".1f",
           "fused / (padded x fill)": ".2f", "packed / fused": ".2f"}


def make_row(program, mode, kind, batch):
    """{column: number}, or None where one would see the parameters alone."""
    documents, longest, hidden, lengths = batch
    runs = {contender: json.loads(run(program, contender, kind, mode, *batch)) for contender in CONTENDERS}
    tokens = runs["fused"]["tokens"]
    if tokens * hidden < runs["fused"]["parameter_bytes"]:
        return None
    fill = tokens / (documents * longest)
    padded, packed, fused = (runs[contender]["growth"] / 1e6 for contender in CONTENDERS)
    return {"case": f"{kind} {mode} B:{documents} T:{longest} I:{hidden} H:{hidden} lengths:{lengths}", "fill": fill,
            "padded MB": padded, "packed MB": packed, "fused MB": fused,
            "fused / (padded x fill)": fused / (padded * fill), "packed / fused": packed / fused}


def measure(program):
    rows = (make_row(program, mode, kind, batch) for kind in KINDS for mode in ("inference", "training")
            for batch in BATCHES)
    return [row for row in rows if row]


def make_rows(path):
    """Of what was measured before."""
    return load_json(path)


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} build/bench/memory_bench")
    try:
        print(format_table(FORMATS, measure(sys.argv[1])))
    except InputError as error:
        sys.exit(f"memory.py: {error}")


if __name__ == "__main__":
    main()
