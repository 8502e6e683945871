#!/usr/bin/env python3
"""Times recurrent networks of other libraries beside packseq's engine, each in a process of its own, on one core:

    python3 bench/peers/peers.py build --torch-python build/venv/bin/python

BUILD/peers gets a virtual environment for each peer, the files of the cases, peers.json, and peers.md, the page that
bench/results keeps. A peer that cannot be installed, that fails, hangs or computes something else is left out, and a
line says so. `bash cmake/quickstart.sh bench peers` does all of it.
"""

import argparse
import contextlib
import datetime
import itertools
import json
import pathlib
import shutil
import subprocess
import sys

import environments
import page
import rounds
from environments import HERE, LeftOut, say
from names import CASES, MODES
from page import cpu, make_page, ratios


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="where packseq is built")
    parser.add_argument("--torch-python", required=True, help="the Python of the LibTorch that it is built for")
    parser.add_argument("--peers", nargs="+", choices=environments.PEERS, default=list(environments.PEERS),
                        help="beside packseq (default: all)")
    parser.add_argument("--cases", nargs="+", default=CASES, help='as "lstm B:32 T:100 H:256 fill:0.6"')
    parser.add_argument("--rounds", type=int, default=6, help="default: %(default)s")
    arguments = parser.parse_args()
    if not shutil.which(arguments.torch_python):
        parser.error(f"--torch-python: there is no program {arguments.torch_python}; name the Python of the LibTorch "
                     "that packseq is built for, as build/venv/bin/python")
    return arguments


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
    """The processes, packseq's first, which end with `stack`, and lines on those left out."""
    processes, left_out = [], {}
    for name in dict.fromkeys(("packseq", *arguments.peers)):
        process = rounds.attempt(left_out, name, start, name, arguments, folder)
        if process:
            stack.callback(process.close)
            processes.append(process)
        elif name == "packseq":
            sys.exit(f"peers.py: there is nothing to compare with, since packseq cannot be run: {left_out[name]}")
        else:
            say(f"{name} is left out: {left_out[name]}")
    return processes, [f"{name}: {why}" for name, why in left_out.items()]


def measure(processes, case, mode, arguments, folder):
    seconds, left_out = rounds.measure(processes, folder / f"{case}.npz", mode, arguments.rounds)
    for name, why in left_out.items():
        say(f"{name} is left out here: {why}")
    try:
        medians = ", ".join(f"{name} {median:.2f}" for name, (median, _) in ratios(seconds).items())
    except page.NoReference as error:
        sys.exit(f"peers.py: {case}, {mode}: there is nothing to compare with, since {error}")
    say(f"{case}, {mode}: {medians}")
    return {"case": case, "mode": mode, "seconds": seconds, "left_out": left_out}


def write(report, folder):
    """After each case, so that what ends the run, also in here, does not take what was measured."""
    for file, text in (folder / "peers.json", json.dumps(report) + "\n"), (folder / "peers.md", make_page(report)):
        part = file.with_name(f"{file.name}.part")
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(file)
        except OSError as error:
            part.unlink(missing_ok=True)
            sys.exit(f"peers.py: {file} cannot be written ({error.strerror})")


def main():
    arguments = parse_arguments()
    folder = arguments.build.resolve() / "peers"
    write_cases(arguments.torch_python, folder / "cases", arguments.cases)
    with contextlib.ExitStack() as stack:
        processes, left_out = start_all(arguments, folder, stack)
        abouts = dict.fromkeys(process.about for process in processes)
        about = "; ".join((f"{cpu()}, all on one of them", *abouts, datetime.date.today().isoformat()))
        report = {"about": about, "left_out": left_out, "measured": []}
        for mode, case in itertools.product(MODES, arguments.cases):
            report["measured"].append(measure(processes, case, mode, arguments, folder / "cases"))
            write(report, folder)
    say(f"results: {folder / 'peers.md'}")


if __name__ == "__main__":
    main()
