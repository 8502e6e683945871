#!/usr/bin/env python3
"""Measures what the fused engine and distinct words save, and tells which of the pages' figures this machine confirms.

    evidence.py BUILD short TEXT...   measures on one thread, then reports
    evidence.py BUILD full TEXT...    the same on one and two threads; the memory too
    evidence.py BUILD                 reports once more on what was measured last

Both measure all the shapes that the pages' medians are over: a short run leaves out two threads, not shapes, so that
each figure is held against one of the same cases. bench/reports/confirm.py says when a figure is confirmed.

Core-hours for a billion documents, as `packseq compare` tells them: the tokens of a document, the mean over the whole
text, over the tokens per second on one thread. They assume that all batches are as those measured and that nothing else
takes time: no reading of text, no optimizer. Energy and cost are what fused+dedup saves in place of padded: core-hours
times 5 W for a busy core, unless the machine's counters measure it, and times a price of 0.05 for a core-hour.

BUILD/evidence gets what the programs wrote, environment.json, and in Markdown what bench/results keeps. What an earlier
run left there stays until a new one has come to its end.
"""

import argparse
import datetime
import json
import pathlib
import shutil
import sys

import confirm
import embedded_ratios
import memory
import ratios
from programs import run
from ratios import InputError, load_json
from tables import cpu, format_page, format_table

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUNS = {"short": {"filter": "peak|threads:1/", "batches": 8}, "full": {"filter": ".", "batches": 16}}
PAGES = {"engine": (ratios, "The fused engine against LibTorch"),
         "embedded": (embedded_ratios, "Each word multiplied, and each beginning computed, once"),
         "memory": (memory, "Memory of a pass")}
STEPS = (100, 200, 400, 800, 1600)
SCALE_CONTENDERS = ("padded", "bucketed", "packed", "fused", "fused+dedup")
SCALE_OPTIONS = ("--documents", "1e9", "--watts", 5, "--price", 0.05)  # README says where these are from
JOULES_PER_KWH = 3.6e6


def say(what):
    print(f"evidence: {what}", file=sys.stderr, flush=True)


def compare(build, text, report, *options):
    say(f"packseq compare {text.name}")
    run(build / "packseq", "compare", text, "--threads", 1, "--json", report, *options)


def measure_steps(build, folder, steps):
    """8 documents of .3 to all of so many steps, of 1,000 different words."""
    text = folder / f"{steps}_steps.txt"
    lengths = [steps * (3 + document) // 10 for document in range(8)]
    text.write_text("".join(" ".join(f"w{i * 7919 % 1000}" for i in range(length)) + "\n" for length in lengths))
    compare(build, text, folder / f"steps_{steps}.json", "--hidden", 128, "--batch", 8, "--repeats", 3)


def require(files):
    for file in files:
        if not file.is_file():
            raise InputError(f"there is no {file}")


def measure(build, size, texts):
    """Fills BUILD/evidence."""
    engine_bench, embedded_bench, memory_bench = (build / "bench" / f"{name}_bench" for name in
                                                  ("engine", "embedded", "memory"))
    require((build / "packseq", engine_bench, embedded_bench, memory_bench, *texts))
    commit = find_commit()
    folder = build / "evidence.part"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    settings = RUNS[size]
    flags = ("--benchmark_repetitions=4", "--benchmark_min_time=0.03")
    chosen = f"--benchmark_filter={settings['filter']}"
    say("padded, packed and fused (2 minutes; full: 8)")
    run(engine_bench, *flags, chosen, f"--benchmark_out={folder / 'engine.json'}")
    say("the same at five fills")
    run(engine_bench, "--all", *flags, "--benchmark_filter=lstm/.*/B:32/T:100/I:256/H:256/.*threads:1/",
        f"--benchmark_out={folder / 'fill.json'}")
    say("no word multiplied twice (2 minutes; full: 5)")
    run(embedded_bench, *texts, *flags, chosen, f"--benchmark_out={folder / 'embedded.json'}")
    for text in texts:
        compare(build, text, folder / f"compare_{text.stem}.json", "--max-batches", settings["batches"], *SCALE_OPTIONS)
    for steps in STEPS:
        measure_steps(build, folder, steps)
    if size == "full":
        say("memory (2 minutes)")
        (folder / "memory.json").write_text(json.dumps(memory.measure(memory_bench)))
    write_environment(folder, size, commit)
    shutil.rmtree(build / "evidence", ignore_errors=True)
    folder.rename(build / "evidence")


def load_compared(folder, prefix="compare_"):
    """{name: what packseq compare wrote}"""
    return {file.stem.removeprefix(prefix): load_json(file) for file in sorted(folder.glob(f"{prefix}*.json"))}


def find_commit():
    try:
        return run("git", "-C", ROOT, "describe", "--always", "--dirty").strip()
    except InputError:  # an archive, or no git
        return "unknown"


def write_environment(folder, size, commit):
    versions = next(iter(load_compared(folder).values()))["versions"]
    environment = {"run": size, "cpu": cpu(), **versions, "commit": commit, "date": datetime.date.today().isoformat()}
    (folder / "environment.json").write_text(json.dumps(environment, indent=2) + "\n")


def of_contenders(report, mode, key):
    """{contender: what is under the key}, of what packseq compare wrote"""
    return {result["contender"]: result[key] for result in report["results"] if result["mode"] == mode}


def at_scale(compared, mode):
    if "scale" not in compared:
        raise InputError("the comparisons of texts are of an earlier packseq: measure again")
    return of_contenders(compared, mode, "at_scale")


def energy_is_measured(texts):
    """For all texts: figures that are measured and projected ones do not stand side by side."""
    return all(taken["joules"]["measured"] is not None for compared in texts.values()
               for mode in ("inference", "training") for taken in at_scale(compared, mode).values())


def core_hours(texts):
    """A Markdown table: what a billion documents take in core-hours, and what fused+dedup saves in place of padded."""
    rows = []
    source = "measured" if energy_is_measured(texts) else "projected"
    for name, compared in texts.items():
        for mode in ("inference", "training"):
            taken = at_scale(compared, mode)
            padded, dedup = taken["padded"], taken["fused+dedup"]
            rows.append({"core-hours": f"{name}: {mode}", "tokens": compared["scale"]["tokens_per_document"],
                         "fill": compared["fill"],
                         **{contender: taken[contender]["core_hours"] for contender in SCALE_CONTENDERS},
                         "kWh saved": (padded["joules"][source] - dedup["joules"][source]) / JOULES_PER_KWH,
                         "cost saved": padded["cost"] - dedup["cost"]})
    return format_table({"core-hours": "", "tokens": ".1f", "fill": ".0%", **dict.fromkeys(SCALE_CONTENDERS, ",.0f"),
                         "kWh saved": ",.2f", "cost saved": ",.1f"}, rows)


def energy_source(texts):
    """How the energy of a billion documents is known."""
    measured = energy_is_measured(texts)
    return "Energy is measured by the machine's counters." if measured else "Energy is projected."


def confirm_pages(claims, engine, words):
    """A Markdown table of verdicts, and what to make of them; engine and words are rows of these programs' cases."""
    engine_claims, words_claims = claims
    rows = [claim.judge(engine) for claim in engine_claims]
    rows += [claim.judge(confirm.of_texts(words)) for claim in words_claims]
    verdicts = [row["verdict"] for row in rows]
    noisy = sum(row["spread"] > confirm.TOLERANCE for row in engine + words)
    return (f"{format_table(confirm.FORMATS, rows)}\n\n{verdicts.count('confirmed')} of "
            f"{len(rows) - verdicts.count('not measured')} measured figures confirmed. In {noisy} of "
            f"{len(engine + words)} cases the repetitions lie more than {confirm.TOLERANCE:.0%} apart: the quieter the "
            "machine, the more this says.")


def report(folder, claims):
    about = load_json(folder / "environment.json")
    about = (f"{about['cpu']}; packseq {about['packseq']} ({about['commit']}), LibTorch {about['libtorch']}, "
             f"{about['compiler']}; {about['date']}, {about['run']} run.")
    rows = {name: script.make_rows(folder / f"{name}.json") for name, (script, _) in PAGES.items()
            if (folder / f"{name}.json").exists()}
    for name, cases in rows.items():
        script, title = PAGES[name]
        page = format_page(title, about, script.__doc__, format_table(script.FORMATS, cases))
        (folder / f"{name}.md").write_text(page)
    texts = load_compared(folder)
    print("# The pages' figures, measured again", about, confirm_pages(claims, rows["engine"], rows["embedded"]),
          "# A billion documents", core_hours(texts), energy_source(texts),
          f"All cases: {', '.join(f'{folder}/{name}.md' for name in rows)}", sep="\n\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="where packseq is built")
    parser.add_argument("size", nargs="?", choices=RUNS, help="measure first")
    parser.add_argument("texts", nargs="*", type=pathlib.Path, help="a document a line")
    for page, room in (("engine", "engine"), ("words", "nn")):
        parser.add_argument(f"--{page}-page", type=pathlib.Path, default=ROOT / f"include/packseq/{room}/README.md",
                            help="default: packseq's own")
    arguments = parser.parse_args()
    if arguments.size and not arguments.texts:
        parser.error("a text is needed")
    build = arguments.build.resolve()
    try:
        claims = confirm.read_engine_claims(arguments.engine_page), confirm.read_words_claims(arguments.words_page)
        if arguments.size:
            measure(build, arguments.size, arguments.texts)
        report(build / "evidence", claims)
    except InputError as error:
        sys.exit(f"evidence.py: {error}")


if __name__ == "__main__":
    main()
