#!/usr/bin/env python3
"""Shows whether the training programs learn as much with products of bfloat16 as with those of float32:

    bash cmake/real_text.sh build/real_text
    python3 bench/reports/training_precision.py build/tutorial build/real_text/{kjv,wordnet,fortunes,manpages}.txt

The classifier learns which text a line is from, the language model the first text; each from several seeds in both
precisions, one run on each core at a time.

  mean        over seeds: of the classifier's accuracy in %, of the language model's perplexity
  spread      over seeds: the standard deviation
  difference  of the means, bfloat16 less float32

The table is Markdown. It fails if the means differ by more than the larger spread, or perplexities by more than 1 %.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import statistics
import sys

import programs
from ratios import InputError
from tables import cpu, format_table

PRECISIONS = ("float32", "bfloat16")
RESULTS = {"train_language_model": ("perplexity", r"^perplexity ([\d.]+),"),
           "train_classifier": ("accuracy", r"^accuracy ([\d.]+) %,")}
FORMATS = {"result": "", **{f"{precision} {what}": ".3f" for precision in PRECISIONS for what in ("mean", "spread")},
           "difference": "+.3f"}


def train(program, precision, seed, arguments):
    """The perplexity or accuracy that is left in the end."""
    texts = arguments.texts[:1] if program == "train_language_model" else arguments.texts
    output = programs.run("env", "OMP_NUM_THREADS=1", arguments.programs / program, "--precision", precision,
                          "--seed", seed, "--epochs", arguments.epochs, *texts)
    result = float(re.search(RESULTS[program][1], output, re.MULTILINE)[1])
    print(f"{program} {precision} seed {seed}: {result}", file=sys.stderr, flush=True)
    return result


def make_row(name, results):
    """`results` of each precision, a list."""
    row = {"result": name}
    for precision, values in results.items():
        row[f"{precision} mean"] = statistics.mean(values)
        row[f"{precision} spread"] = statistics.stdev(values)
    row["difference"] = row["bfloat16 mean"] - row["float32 mean"]
    return row


def failures(rows):
    """What in these rows is not precise enough, in words."""
    for row in rows:
        difference = abs(row["difference"])
        if difference > max(row[f"{precision} spread"] for precision in PRECISIONS):
            yield f"the means of {row['result']} differ by more than the seeds' spread"
        if row["result"] == "perplexity" and difference > 0.01 * row["float32 mean"]:
            yield "perplexity differs by more than 1 %"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=pathlib.Path, help="folder of the training programs")
    parser.add_argument("texts", nargs="+", help="two or more")
    parser.add_argument("--epochs", type=int, default=2, help="passes through all lines (%(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="how many, 2 or more (%(default)s)")
    arguments = parser.parse_args()
    if len(arguments.texts) < 2:
        parser.error("there is one text alone, and the classifier tells apart two or more")
    if arguments.seeds < 2:
        parser.error(f"--seeds is {arguments.seeds}, and must be 2 or more: one alone has no spread")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as cores:
        runs = {program: {precision: [cores.submit(train, program, precision, seed, arguments)
                                      for seed in range(1, arguments.seeds + 1)] for precision in PRECISIONS}
                for program in RESULTS}
    try:
        rows = [make_row(RESULTS[program][0], {precision: [run.result() for run in of_seeds]
                                               for precision, of_seeds in of_program.items()})
                for program, of_program in runs.items()]
    except InputError as error:
        sys.exit(f"training_precision.py: {error}")
    print(f"{cpu()}; {arguments.seeds} seeds, {arguments.epochs} epochs\n\n{format_table(FORMATS, rows)}")
    if failed := list(failures(rows)):
        sys.exit("training_precision.py: " + "; ".join(failed))


if __name__ == "__main__":
    main()
