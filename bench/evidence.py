#!/usr/bin/env python3
"""Measures what README says of speed, and tells which of its figures this machine confirms.

    evidence.py BUILD short TEXT...   measures on one thread, in few repetitions, then reports
    evidence.py BUILD full TEXT...    the same on one and two threads, in many repetitions; the memory too
    evidence.py BUILD                 reports once more on what was measured last

Both measure all the shapes that README's medians are over: a short run leaves out two threads, not shapes, so that each
figure is held against one of the same cases. bench/confirm.py says when a figure is confirmed.

Core-hours for a billion documents: the tokens of a document, the mean over the whole text, over the tokens per second
of `packseq compare` on one thread. They assume that all batches are as those measured and that nothing else takes time:
no reading of text, no optimizer.

BUILD/evidence gets what the programs wrote, environment.json, and in Markdown what bench/results keeps; what an earlier
run left there is removed.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

import confirm
import embedded_ratios
import ratios
from ratios import InputError, format_table

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUNS = {"short": {"repetitions": 3, "filter": "peak|threads:1/", "batches": 8},
        "full": {"repetitions": 4, "filter": ".", "batches": 16}}
STEPS = (100, 200, 400, 800, 1600)
SCALE_CONTENDERS = ("padded", "bucketed", "packed", "fused", "fused+dedup")


def run(what, *command):
    """What the program prints."""
    print(f"evidence: {what}", file=sys.stderr, flush=True)
    try:
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    except OSError as error:
        raise InputError(f"{command[0]}: {error.strerror}; is it built?")
    if result.returncode != 0:
        raise InputError(f"{command[0]} failed: {result.stderr.strip()[-2000:]}")
    return result.stdout


def compare(build, text, report, *options):
    run(f"packseq compare {text.name}", build / "packseq", "compare", text, "--threads", 1, "--json", report, *options)


def measure_steps(build, folder, steps):
    """8 documents of .3 to all of so many steps, of 1,000 different words."""
    text = folder / f"{steps}_steps.txt"
    lengths = [steps * (3 + document) // 10 for document in range(8)]
    text.write_text("".join(" ".join(f"w{i * 7919 % 1000}" for i in range(length)) + "\n" for length in lengths))
    compare(build, text, folder / f"steps_{steps}.json", "--hidden", 128, "--batch", 8, "--repeats", 3)


def measure(build, folder, size, texts):
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    settings = RUNS[size]
    flags = (f"--benchmark_repetitions={settings['repetitions']}", "--benchmark_min_time=0.03")
    chosen = f"--benchmark_filter={settings['filter']}"
    run("padded, packed and fused (2 minutes; full: 8)", build / "bench/engine_bench", *flags, chosen,
        f"--benchmark_out={folder / 'engine.json'}")
    run("the same at five fills", build / "bench/engine_bench", "--all", *flags,
        "--benchmark_filter=lstm/.*/B:32/T:100/I:256/H:256/.*threads:1/", f"--benchmark_out={folder / 'fill.json'}")
    run("no word multiplied twice (2 minutes; full: 5)", build / "bench/embedded_bench", *texts, *flags, chosen,
        f"--benchmark_out={folder / 'embedded.json'}")
    for text in texts:
        compare(build, text, folder / f"compare_{text.stem}.json", "--max-batches", settings["batches"])
    for steps in STEPS:
        measure_steps(build, folder, steps)
    if size == "full":
        memory = run("memory (2 minutes)", sys.executable, ROOT / "bench/memory.py", build / "bench/memory_bench")
        (folder / "memory.txt").write_text(memory)
    (folder / "environment.json").write_text(json.dumps(environment(folder, size), indent=2) + "\n")


def load_json(file):
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: {error}; was anything measured, and to its end?")


def load_compared(folder, prefix="compare_"):
    """{name: what packseq compare wrote}"""
    return {file.stem.removeprefix(prefix): load_json(file) for file in sorted(folder.glob(f"{prefix}*.json"))}


def environment(folder, size):
    cpu = platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        cpu = re.search(r"model name\s*: (.*)|$", pathlib.Path("/proc/cpuinfo").read_text())[1] or cpu
    try:
        commit = run("the commit", "git", "-C", ROOT, "describe", "--always", "--dirty").strip()
    except InputError:  # an archive, or no git
        commit = "unknown"
    versions = next(iter(load_compared(folder).values()))["versions"]
    return {"run": size, "cpu": cpu, "cores": os.cpu_count(), **versions, "commit": commit,
            "date": datetime.date.today().isoformat()}


def speeds(report, mode):
    """{contender: tokens per second}, of what packseq compare wrote"""
    return {result["contender"]: result["tokens_per_second"] for result in report["results"] if result["mode"] == mode}


def core_hours(folder):
    """A Markdown table, in core-hours for a billion documents."""
    rows = []
    for name, report in load_compared(folder).items():
        tokens = report["text"]["tokens"] / report["text"]["documents"]
        for mode in ("inference", "training"):
            of_mode = speeds(report, mode)
            hours = [f"{1e9 * tokens / of_mode[contender] / 3600:,.0f}" for contender in SCALE_CONTENDERS]
            rows.append((f"{name}, {mode}", f"{tokens:.1f}", f"{report['fill']:.0%}", *hours))
    return format_table(("core-hours", "tokens", "fill", *SCALE_CONTENDERS), rows, markdown=True)


def write_cases(file, title, about, script, rows, headings):
    """All cases of one benchmark program, and the bars that they miss."""
    columns = f"Columns: see `bench/{script.__name__}.py --help`. Below the table, the cases that miss a bar."
    parts = (f"# {title}", about, columns, format_table(headings, rows, markdown=True), "\n".join(script.misses(rows)))
    file.write_text("\n\n".join(parts) + "\n")


def report(folder, readme):
    about = load_json(folder / "environment.json")
    about = (f"{about['cpu']}, {about['cores']} cores; packseq {about['packseq']} ({about['commit']}), LibTorch "
             f"{about['libtorch']}, {about['compiler']}; {about['date']}, {about['run']} run.")
    write_cases(folder / "engine.md", "The fused engine against LibTorch", about, ratios,
                ratios.make_rows(folder / "engine.json"), ratios.HEADINGS + ratios.FUSED_HEADINGS)
    write_cases(folder / "embedded.md", "Each distinct word multiplied once", about, embedded_ratios,
                embedded_ratios.make_rows(folder / "embedded.json"), embedded_ratios.HEADINGS)
    rows = confirm.judge_engine(readme, folder / "engine.json") + confirm.judge_words(readme, folder / "embedded.json")
    verdicts = [row[-1] for row in rows]
    counts = (f"{verdicts.count('confirmed')} of {len(rows) - verdicts.count('not measured')} measured figures "
              "confirmed.")
    parts = ("# README's figures, measured again", about,
             format_table(("figure", "README", "this run", "verdict"), rows, markdown=True), counts,
             "# A billion documents", core_hours(folder))
    text = "\n\n".join(parts) + "\n"
    (folder / "evidence.md").write_text(text)
    print(f"{text}\nAll cases: {folder}/engine.md and {folder}/embedded.md")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="where packseq is built")
    parser.add_argument("size", nargs="?", choices=RUNS, help="measure first")
    parser.add_argument("texts", nargs="*", type=pathlib.Path, help="a document a line")
    parser.add_argument("--readme", type=pathlib.Path, default=ROOT / "README.md", help="default: packseq's own")
    arguments = parser.parse_args()
    if arguments.size and not arguments.texts:
        parser.error("a text is needed")
    folder = arguments.build / "evidence"
    try:
        if arguments.size:
            measure(arguments.build, folder, arguments.size, arguments.texts)
        report(folder, arguments.readme)
    except InputError as error:
        sys.exit(f"evidence.py: {error}")


if __name__ == "__main__":
    main()
