#!/usr/bin/env python3
"""Times recurrent networks of other libraries beside packseq's engine, each in a process of its own, on one core:

    python3 bench/peers/peers.py build --torch-python build/venv/bin/python

BUILD/peers gets a virtual environment for each peer, the files of the cases, peers.json, and peers.md, the page that
bench/results keeps. A peer that cannot be installed, that fails or that computes something else is left out, and a line
says so. `bash cmake/quickstart.sh bench peers` does all of it.
"""

import argparse
import contextlib
import datetime
import itertools
import json
import pathlib
import subprocess
import sys

import environments
import page
import rounds
from environments import HERE, LeftOut, say
from page import make_page, ratios

from tables import cpu  # page has made it known where this is

FILLS = (1.0, 0.6, 0.3)
SHAPES = {"B:1 T:100 H:128": FILLS[:1], "B:8 T:100 H:512": FILLS, "B:32 T:100 H:256": FILLS, "B:64 T:100 H:128": FILLS}
CASES = [f"{kind} {shape} fill:{fill}" for kind in ("lstm", "gru") for shape, fills in SHAPES.items() for fill in fills]
MODES = ("inference", "training")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="where packseq is built")
    parser.add_argument("--torch-python", required=True, help="the Python of the LibTorch that it is built for")
    parser.add_argument("--peers", nargs="+", choices=environments.PEERS, default=list(environments.PEERS),
                        help="packseq among them (default: all)")
    parser.add_argument("--cases", nargs="+", default=CASES, help='as "lstm B:32 T:100 H:256 fill:0.6"')
    parser.add_argument("--rounds", type=int, default=8, help="default: %(default)s")
    return parser.parse_args()


def write_cases(python, folder, names):
    say("writing the cases")
    result = subprocess.run([python, "-B", HERE / "cases.py", folder, *names], stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        sys.exit(f"peers.py: {python} cannot write the cases: {result.stderr.strip()[-500:]}")


def start(name, arguments, folder):
    command = environments.command(name, folder, arguments.torch_python, arguments.build / "packseq_torch.so")
    return rounds.Process(environments.on_one_core(command), folder / f"{name}.messages",
                          environments.environment(name))


def start_all(arguments, folder, stack):
    """The processes, which end with `stack`, and lines on those left out."""
    processes, left_out = [], {}
    for name in arguments.peers:
        process = rounds.attempt(left_out, name, start, name, arguments, folder)
        if process:
            stack.callback(process.close)
            processes.append(process)
        else:
            say(f"{name} is left out: {left_out[name]}")
    return processes, [f"{name}: {why}" for name, why in left_out.items()]


def measure(processes, case, mode, arguments, folder):
    seconds, left_out = rounds.measure(processes, folder / f"{case}.npz", mode, arguments.rounds)
    for name, why in left_out.items():
        say(f"{name} is left out here: {why}")
    if page.REFERENCE not in seconds:
        sys.exit(f"peers.py: {case}, {mode}: there is nothing to compare with, since {page.REFERENCE} was not timed")
    medians = ", ".join(f"{name} {median:.2f}" for name, (median, _) in ratios(seconds).items())
    say(f"{case}, {mode}: {medians}")
    return {"case": case, "mode": mode, "seconds": seconds, "left_out": left_out}


def main():
    arguments = parse_arguments()
    folder = arguments.build.resolve() / "peers"
    write_cases(arguments.torch_python, folder / "cases", arguments.cases)
    with contextlib.ExitStack() as stack:
        processes, left_out = start_all(arguments, folder, stack)
        abouts = dict.fromkeys(process.about for process in processes)
        measured = [measure(processes, case, mode, arguments, folder / "cases")
                    for mode, case in itertools.product(MODES, arguments.cases)]
    about = "; ".join((f"{cpu()}, all on one of them", *abouts, datetime.date.today().isoformat()))
    report = {"about": about, "left_out": left_out, "measured": measured}
    (folder / "peers.json").write_text(json.dumps(report, indent=1) + "\n")
    (folder / "peers.md").write_text(make_page(report), encoding="utf-8")
    say(f"results: {folder / 'peers.md'}")


if __name__ == "__main__":
    main()
