"""Makes mutants of the library, each with one small fault, and sees whether the tests kill them: a part of
cmake/full_check.sh.

Each mutant is a line of the results, which a later run of the same sources and tests goes on from.
"""
import argparse
import concurrent.futures
import difflib
import hashlib
import itertools
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import mutations

# The tests of each room by which it is judged, the quickest first.
TESTS = {"text": ["text"], "sequence": ["sequence"], "kernels": ["kernels"],
         "engine": ["engine", "engine_python"],
         "nn": ["nn", "nn_python"], "data": ["data"], "cost": ["cost"],
         "distributed": ["distributed", "mpi_2_ranks_shared_memory", "mpi_3_ranks_shared_memory"]}


class Build:
    """A build beside which mutants are built: of what they have in common with it, nothing is built again."""

    def __init__(self, source, folder):
        self.source, self.folder = source, folder
        self.run(["ctest", "-R", "_files?$"])  # which tests read
        self.commands = {}
        for command in self.run(["ninja", "-t", "commands"]).stdout.splitlines():
            if match := re.search(r" -o (\S+)", command):
                self.commands[match[1]] = command
        self.reads = {}  # the sources that each object is made of
        for block in self.run(["ninja", "-t", "deps"]).stdout.split("\n\n"):
            output, *sources = block.split("\n    ")
            self.reads[output.split(":")[0]] = {os.path.join(folder, name) for name in sources}
        tests = json.loads(self.run(["ctest", "--show-only=json-v1"]).stdout)["tests"]
        self.tests = {test["name"]: test for test in tests if "command" in test}
        rooms = (source / "test/rooms_test.cmake").read_text()
        may_use = dict(re.findall(r"^set\((\w+)_may_use ([^)]*)\)", rooms, re.M))
        self.judges = {}  # a room's own tests, then those of the rooms that use it
        for room in TESTS:
            judges = [room, *(user for user in TESTS if room in may_use[user].split())]
            self.judges[room] = [name for judge in judges for name in TESTS[judge] if name in self.tests]
        self.seconds = {}
        for name in sum(self.judges.values(), []):
            if name in self.seconds:
                continue
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            if not self.passes(name, folder / "no mutant"):
                sys.exit(f"mutate: fails without any mutation: ctest --test-dir {folder} -R '^{name}$'")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.seconds[name] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def run(self, command, **options):
        return subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              errors="replace", check=False, **options)

    def make(self, output, overlay, replaced):
        """Runs a command of the build with other files in the place of those that it names."""
        command = self.commands[output]
        for old, new in {output: overlay / output, **replaced}.items():
            command = re.sub(rf"(?<![\w/.]){re.escape(str(old))}(?![\w/])", str(new), command)
        (overlay / output).parent.mkdir(parents=True, exist_ok=True)
        return self.run(command, shell=True, env={**os.environ, "CCACHE_DISABLE": "1"}).returncode == 0

    def link(self, output, file, overlay):
        """Makes a program or library anew, unless nothing in it reads this file, which lies mutated in `overlay`."""
        changed = self.source / file
        objects = [name for name in self.commands[output].split() if str(changed) in self.reads.get(name, ())]
        if not objects or (overlay / output).exists():
            return True
        sources = {changed: overlay / file, f"-I{self.source}/src": f"-I{overlay}/src -I{self.source}/src"}
        if not all(self.make(name, overlay, sources) for name in objects):
            return False
        if not self.make(output, overlay, {name: overlay / name for name in objects}):
            return False
        for name in re.findall(r"-soname,(\S+)", self.commands[output]):
            (overlay / output).with_name(name).symlink_to(overlay / output)
        return True

    def needed(self, name):
        """What of the build a test runs."""
        test = json.dumps(self.tests[name])
        return [output for output, command in self.commands.items()
                if "-soname," in command or re.search(rf"{re.escape(f'{self.folder}/{output}')}(?![\w.])", test)]

    def passes(self, name, overlay):
        """Whether a test passes with what was made in `overlay`."""
        def overlaid(word):
            made = word.replace(f"{self.folder}/", f"{overlay}/")
            return made if os.path.exists(made.split("=")[-1]) else word
        test = self.tests[name]
        properties = {entry["name"]: entry["value"] for entry in test["properties"]}
        # For what never ends: the CPU's time where it loops, since others may share it, any time where it waits.
        seconds = self.seconds.get(name, 300)
        limits = ["timeout", "--kill-after=5", f"{60 + 20 * seconds:.0f}", "prlimit", f"--cpu={20 + 5 * seconds:.0f}",
                  f"--as={8 << 30}", f"--fsize={4 << 30}"]
        with tempfile.TemporaryDirectory(prefix="mutant_") as files:  # else tests of two mutants meet in theirs
            return self.run(["env", "-C", properties.get("WORKING_DIRECTORY", self.folder), "GTEST_FAIL_FAST=1",
                             f"TMPDIR={files}", f"TEST_TMPDIR={files}", f"LD_LIBRARY_PATH={overlay}/src",
                             *map(overlaid, properties.get("ENVIRONMENT", [])),
                             *limits, *map(overlaid, test["command"])]).returncode == 0

    def judge(self, mutant):
        """Which test kills a mutant, "" if none does, None if it cannot be built."""
        if not any(str(self.source / mutant["file"]) in sources for sources in self.reads.values()):
            return None
        overlay = self.folder / "mutants" / re.sub(r"\W+", "_", mutant["key"])
        file = overlay / mutant["file"]
        file.parent.mkdir(parents=True)
        file.write_text(mutant["mutated"])
        try:
            for name in self.judges[mutant["file"].split("/")[1]]:
                if not all(self.link(output, mutant["file"], overlay) for output in self.needed(name)):
                    return None
                if not self.passes(name, overlay):
                    return name
            return ""
        finally:
            shutil.rmtree(overlay)


def digest(source):
    """Of all that a verdict depends on."""
    files = sorted(file for room in ("cmake", "include", "src", "test") for file in (source / room).rglob("*")
                   if file.is_file())
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()[:16]


def judged(build, mutant, sources, results, lock):
    """A line of the results."""
    began = time.monotonic()
    killer = build.judge(mutant)
    original = (build.source / mutant["file"]).read_text()
    lines = difflib.ndiff(original.splitlines(), mutant["mutated"].splitlines())
    result = {"sources": sources, "mutant": mutant["key"], "killed_by": killer,
              "seconds": round(time.monotonic() - began), "diff": [line for line in lines if line[0] in "+-"]}
    with lock, results.open("a") as file:
        print(json.dumps(result), file=file)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path, help="where everything has been built from it")
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    source, folder, results, count, seed = vars(parser.parse_args()).values()
    shutil.rmtree(folder / "mutants", ignore_errors=True)
    build = Build(source, folder)
    results.touch()
    sources = digest(source)
    known = {result["mutant"]: result for result in map(json.loads, results.read_text().splitlines())
             if result["sources"] == sources}
    lock = threading.Lock()
    drawn = mutations.draw(source, TESTS, seed)
    counted = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        while mutants := list(itertools.islice(drawn, count - len(counted))):
            more = pool.map(lambda mutant: known.get(mutant["key"]) or judged(build, mutant, sources, results, lock),
                            mutants)
            counted += [result for result in more if result["killed_by"] is not None]  # of those that compile
    survivors = [result for result in counted if not result["killed_by"]]
    for result in survivors:
        print(result["mutant"], *result["diff"], sep="\n  ")
    print(f"{len(counted) - len(survivors)} of {len(counted)} mutants killed, "
          f"{sum(result['seconds'] for result in counted) / len(counted):.0f} s each on one of {os.cpu_count()} CPUs")
    return len(survivors) > 0.1 * len(counted)


if __name__ == "__main__":
    sys.exit(main())
