#!/usr/bin/env python3
"""Tests how peers are compared, timed by turns, left out and reported, with processes that only pretend to be peers."""

import importlib.util
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import environments
import page
import peers
import rounds
from environments import LeftOut

# Answers from a script of its own: {"about", "contenders", "answers": {contender: {"prepare": ..., "time": [...]}}}. A
# string is written as it is, null is no answer, and a missing answer ends it. It notes what it was asked, and prints as
# libraries do.
FAKE = """
import json, sys
print("welcome", flush=True)
script = json.loads(sys.argv[1])
with open(0, closefd=False) as requests, open(0, "w", closefd=False) as answers:
    print(json.dumps({key: script[key] for key in ("about", "contenders")}), file=answers, flush=True)
    for line in requests:
        request = json.loads(line)
        kind = "prepare" if "prepare" in request else "time"
        with open(sys.argv[2], "a") as notes:
            notes.write(f"{kind} {request[kind]}\\n")
        answer = script["answers"][request[kind]][kind].pop(0)
        if answer is not None:
            print(answer if isinstance(answer, str) else json.dumps(answer) + "\\n", end="", file=answers, flush=True)
"""
STUBBORN = "import time; open(0, 'w', closefd=False).write('{\"about\": 1, \"contenders\": {}}\\n'); time.sleep(1000)"
# The Python of a LibTorch without packseq's library: it only writes the cases.
WITHOUT_LIBRARY = """#!/bin/sh
case "$2" in */cases.py) exit 0;; esac
echo no library
exit 1
"""


def contender(tolerance=1e-4, modes=("inference",)):
    return {"tolerance": tolerance, "modes": modes}


def answers(times, difference=1e-6):
    return {"prepare": [{"difference": difference}], "time": [{"seconds": turn} for turn in times]}


class PeersTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = pathlib.Path(directory.name)
        self.notes = self.folder / "notes"

    def start(self, contenders):
        """contenders: {name: (contender, answers)}"""
        script = {"about": "Fake 1", "contenders": {name: one for name, (one, _) in contenders.items()},
                  "answers": {name: its for name, (_, its) in contenders.items()}}
        process = rounds.Process([sys.executable, "-c", FAKE, json.dumps(script), str(self.notes)],
                                 self.folder / "messages")
        self.addCleanup(process.close)
        return process

    def measure(self, *peers, count=2):
        return rounds.measure([self.start(peer) for peer in peers], "case.npz", "inference", count)

    def run_peers(self, *arguments):
        return subprocess.run([sys.executable, "-B", peers.__file__, self.folder, *arguments], capture_output=True,
                              text=True)

    def test_all_are_compared_before_any_is_timed_and_then_by_turns(self):
        seconds, left_out = self.measure({"fused": (contender(), answers([[1], [2]]))},
                                         {"a": (contender(), answers([[3, 4], [5]])),
                                          "b": (contender(modes=["training"]), answers([]))})
        self.assertEqual(seconds, {"fused": [1, 2], "a": [3, 4, 5]})
        self.assertEqual(left_out, {})
        asked = self.notes.read_text().split("\n")[:-1]
        self.assertEqual(asked[:2], ["prepare fused", "prepare a"])
        for turn in (asked[2:4], asked[4:]):
            self.assertEqual(sorted(turn), ["time a", "time fused"])

    def test_nobody_is_always_first(self):
        self.measure({name: (contender(), answers([[1]] * 8)) for name in ("fused", "a", "b")}, count=8)
        turns = self.notes.read_text().split("\n")[3:-1]
        self.assertEqual(set(turns[::3]), {"time fused", "time a", "time b"})
        self.assertTrue(all(len(set(turns[first:first + 3])) == 3 for first in range(0, 24, 3)))

    def test_other_results_are_not_timed(self):
        for difference in (2e-4, float("nan")):
            seconds, left_out = self.measure({"fused": (contender(), answers([[1], [2]])),
                                              "rounded": (contender(.1), answers([[1], [2]], difference=.05)),
                                              "wrong": (contender(), answers([], difference))})
            self.assertEqual(list(seconds), ["fused", "rounded"])
            self.assertRegex(left_out.pop("wrong"), "results differ by (0.0002|nan) of the largest .* than 0.0001")
            self.assertEqual(left_out, {})

    def test_what_fails_is_left_out_and_the_rest_goes_on(self):
        broken = {"prepare": [{"error": "ValueError: no"}], "time": []}
        late = {"prepare": [{"difference": 0}], "time": [{"seconds": [1]}, {"error": "out of memory"}]}
        seconds, left_out = self.measure({"fused": (contender(), answers([[1], [2]])), "broken": (contender(), broken),
                                          "late": (contender(), late)})
        self.assertEqual(seconds, {"fused": [1, 2]})
        self.assertEqual(left_out, {"broken": "ValueError: no", "late": "out of memory"})

    def test_a_process_that_ends_is_left_out(self):
        seconds, left_out = self.measure({"fused": (contender(), answers([[1], [2]]))},
                                         {"gone": (contender(), answers([[1]])), "other": (contender(), answers([]))})
        self.assertEqual(seconds, {"fused": [1, 2]})
        self.assertEqual(set(left_out), {"other", "gone"})
        self.assertIn("process has ended", left_out["gone"])
        self.assertIn("IndexError", (self.folder / "messages").read_text())

    def test_a_process_that_cannot_start_is_left_out(self):
        with self.assertRaisesRegex(LeftOut, "process has ended"):
            rounds.Process([sys.executable, "-c", "import no_such_module"], self.folder / "messages")
        self.assertIn("no_such_module", (self.folder / "messages").read_text())

    def test_what_a_peer_prints_is_in_its_log(self):
        self.assertEqual(self.measure({"fused": (contender(), answers([[1], [2]]))})[0], {"fused": [1, 2]})
        self.assertEqual((self.folder / "messages").read_text(), "welcome\n")

    def test_an_answer_that_cannot_be_read_is_left_out_with_all_that_its_process_says_later(self):
        for bad in ("nonsense\n", "7\n", '{"difference": 1}\n'):
            seconds, left_out = self.measure({"fused": (contender(), answers([[1], [2]]))},
                                             {"bad": (contender(), {"prepare": [{"difference": 0}], "time": [bad] * 2}),
                                              "other": (contender(), answers([[3], [4]]))})
            self.assertEqual(seconds, {"fused": [1, 2]})
            self.assertIn("its answer is not what peer.py says but", left_out["bad"])
            self.assertIn("process has ended", left_out["other"])
        with self.assertRaisesRegex(LeftOut, "but '{.about.'"):
            rounds.Process([sys.executable, "-c", "open(0, 'w').write('{\"about\"')"], self.folder / "messages")

    def test_a_peer_that_hangs_is_left_out(self):
        for hung in (None, '{"difference"'):
            process = self.start({"hung": (contender(), {"prepare": [hung]})})
            process.socket.settimeout(.2)
            with self.assertRaisesRegex(LeftOut, "has not answered for"):
                process.ask("difference", prepare="hung")
            with self.assertRaisesRegex(LeftOut, "process has ended"):
                process.ask("difference", prepare="hung")
            self.assertEqual(process.process.wait(), -signal.SIGKILL)

    def test_a_peer_that_does_not_end_is_ended(self):
        process = rounds.Process([sys.executable, "-c", STUBBORN], self.folder / "messages")
        with mock.patch.object(rounds, "FAREWELL", .1):
            process.close()
        self.assertEqual(process.process.returncode, -signal.SIGKILL)

    def test_what_was_measured_stays_when_the_run_ends_early(self):
        ends_early = self.start({"fused": (contender(), answers([[1]])), "a": (contender(), answers([[2]]))})
        cases = ["lstm B:1 T:2 H:3 fill:1.0", "gru B:1 T:2 H:3 fill:1.0"]
        words = ["peers.py", str(self.folder), "--torch-python", sys.executable, "--rounds", "1", "--peers", "packseq",
                 "--cases", *cases]
        with mock.patch.object(sys, "argv", words), mock.patch.object(peers, "write_cases"), \
                mock.patch.object(peers, "start", return_value=ends_early), \
                mock.patch.object(environments, "say"), mock.patch.object(peers, "say"), \
                self.assertRaisesRegex(SystemExit, "gru .* fused was not timed"):
            (self.folder / "peers").mkdir()
            peers.main()
        report = json.loads((self.folder / "peers" / "peers.json").read_text())
        self.assertEqual([(one["case"], one["seconds"]) for one in report["measured"]],
                         [(cases[0], {"fused": [1], "a": [2]})])
        self.assertIn("2.00 - 2.00", (self.folder / "peers" / "peers.md").read_text())

    @unittest.skipUnless(shutil.which("taskset"), "no taskset")
    def test_without_packseq_nothing_is_installed(self):
        python = self.folder / "python"
        python.write_text(WITHOUT_LIBRARY)
        python.chmod(0o755)
        (self.folder / "peers").mkdir()
        result = self.run_peers("--torch-python", str(python), "--peers", "ONNX Runtime")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, "packseq cannot be run: its process has ended .see .*packseq.messages")
        self.assertEqual([path.name for path in (self.folder / "peers").iterdir()], ["packseq.messages"])

    def test_a_python_that_is_not_there_is_refused(self):
        result = self.run_peers("--torch-python", "/no/such/python")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--torch-python: there is no program /no/such/python; name the Python", result.stderr)

    def test_the_users_setting_does_not_make_one_peer_of_another(self):
        with mock.patch.dict(os.environ, {"MKL_DEBUG_CPU_TYPE": "5", "OTHER": "kept"}):
            self.assertNotIn("MKL_DEBUG_CPU_TYPE", environments.environment("PaddlePaddle"))
            self.assertEqual(environments.environment("PaddlePaddle AVX2")["MKL_DEBUG_CPU_TYPE"], "5")
            self.assertEqual(environments.environment("PaddlePaddle")["OTHER"], "kept")

    def test_what_pip_does_not_have_is_left_out(self):
        with self.assertRaisesRegex(LeftOut, r"/no/such/package cannot be installed \(see .*peer.log\)"):
            environments.make_environment(self.folder / "peer", ("/no/such/package",))
        self.assertFalse((self.folder / "peer").exists())
        self.assertTrue((self.folder / "peer.log").read_text())

    def test_an_environment_is_made_once(self):
        (self.folder / "peer").mkdir()
        (self.folder / "peer" / "made").write_text("/no/such/package\nnumpy")
        self.assertEqual(environments.make_environment(self.folder / "peer", ("/no/such/package", "numpy")),
                         self.folder / "peer" / "bin" / "python")

    def test_ratios_are_of_medians_and_of_minima(self):
        self.assertEqual(page.ratios({"a": [8, 3, 40], "fused": [2, 1, 4]}), {"a": (4, 3), "fused": (1, 1)})
        with self.assertRaisesRegex(page.NoReference, "fused was not timed"):
            page.ratios({"a": [1]})

    def make_report(self):
        def one(kind, fill, seconds, left_out=(), shape="B:8 T:100 H:512"):
            return {"case": f"{kind} {shape} fill:{fill}", "mode": "inference", "seconds": seconds,
                    "left_out": dict(left_out)}

        return {"about": "a CPU", "left_out": ["Gone: not to be had"],
                "measured": [one("lstm", 1.0, {"fused": [.002, .001, .004], "a": [.008, .003, .04]}),
                             one("lstm", .6, {"fused": [.002]}, {"a": "it fails"}),
                             one("lstm", 1.0, {"fused": [.001], "a": [.006]}, shape="B:32 T:20 H:256"),
                             one("gru", .6, {"fused": [.002], "a": [.001]})]}

    def test_page(self):
        lines = page.make_page(self.make_report()).splitlines()
        tables = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
        tables = [row for row in tables if row[0].strip("-")]
        self.assertEqual(tables, [["contender", "inference, 1.0"], ["a", "4.00 - 6.00"],
                                  ["contender", "inference, 0.6"], ["a", "0.50 - 0.50"],
                                  ["contender", "8x512, 1.0", "8x512, 0.6", "32x256 T:20, 1.0"],
                                  ["fused, ms", "2.00 (1.00)", "2.00 (2.00)", "1.00 (1.00)"],
                                  ["a", "4.00 (3.00)", "-", "6.00 (6.00)"],
                                  ["contender", "8x512, 0.6"], ["fused, ms", "2.00 (2.00)"], ["a", "0.50 (0.50)"]])
        self.assertEqual([line for line in lines if line.startswith("## ")],
                         ["## LSTM", "## GRU", "## LSTM, inference", "## GRU, inference", "## Left out"])
        self.assertEqual(lines[-2:], ["- Gone: not to be had",
                                      "- a in lstm B:8 T:100 H:512 fill:0.6, inference: it fails"])

    def test_what_was_measured_is_kept_where_the_disk_is_full(self):
        peers.write(self.make_report(), self.folder)
        kept = {file.name: file.read_bytes() for file in self.folder.iterdir()}
        self.assertEqual(set(kept), {"peers.json", "peers.md"})
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limit[1]))  # Python takes no notice of SIGXFSZ
        try:
            with self.assertRaisesRegex(SystemExit, r"peers\.json cannot be written \(File too large\)"):
                peers.write(self.make_report(), self.folder)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        self.assertEqual({file.name: file.read_bytes() for file in self.folder.iterdir()}, kept)

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "needs matplotlib")
    def test_picture_is_drawn(self):
        (self.folder / "peers.json").write_text(json.dumps(self.make_report()))
        script = pathlib.Path(__file__).with_name("picture.py")
        subprocess.run([sys.executable, "-B", script, self.folder], check=True)
        self.assertTrue((self.folder / "peers.png").stat().st_size)


if __name__ == "__main__":
    unittest.main()
