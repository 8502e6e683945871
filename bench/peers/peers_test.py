#!/usr/bin/env python3
"""Tests how peers are compared, timed by turns, left out and reported, with processes that only pretend to be peers."""

import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import environments
import page
import rounds
from environments import LeftOut

# Answers from a script of its own: {"about", "contenders", "answers": {contender: {"prepare": ..., "time": [...]}}}; a
# missing answer ends it. It notes what it was asked.
FAKE = """
import json, sys
script = json.loads(sys.argv[1])
print(json.dumps({key: script[key] for key in ("about", "contenders")}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    kind = "prepare" if "prepare" in request else "time"
    with open(sys.argv[2], "a") as notes:
        notes.write(f"{kind} {request[kind]}\\n")
    answers = script["answers"][request[kind]][kind]
    print(json.dumps(answers.pop(0)), flush=True)
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

    def test_all_are_compared_before_any_is_timed_and_then_by_turns(self):
        seconds, left_out = self.measure({"fused": (contender(), answers([[1], [2]]))},
                                         {"a": (contender(), answers([[3, 4], [5]])),
                                          "b": (contender(modes=["training"]), answers([]))})
        self.assertEqual(seconds, {"fused": [1, 2], "a": [3, 4, 5]})
        self.assertEqual(left_out, {})
        self.assertEqual(self.notes.read_text().split("\n")[:-1],
                         ["prepare fused", "prepare a", "time fused", "time a", "time fused", "time a"])

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
        self.assertEqual(list(left_out), ["other", "gone"])
        self.assertIn("process has ended", left_out["gone"])
        self.assertIn("IndexError", (self.folder / "messages").read_text())

    def test_a_process_that_cannot_start_is_left_out(self):
        with self.assertRaisesRegex(LeftOut, "process has ended"):
            rounds.Process([sys.executable, "-c", "import no_such_module"], self.folder / "messages")
        self.assertIn("no_such_module", (self.folder / "messages").read_text())

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
                             one("lstm", 1.0, {"fused": [.001], "a": [.006]}, shape="B:32 T:100 H:256"),
                             one("gru", .6, {"fused": [.002], "a": [.001]})]}

    def test_page(self):
        lines = page.make_page(self.make_report()).splitlines()
        tables = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
        tables = [row for row in tables if row[0].strip("-")]
        self.assertEqual(tables, [["contender", "inference, 1.0"], ["a", "4.00 - 6.00"],
                                  ["contender", "inference, 0.6"], ["a", "0.50 - 0.50"],
                                  ["contender", "8x512, 1.0", "8x512, 0.6", "32x256, 1.0"],
                                  ["fused, ms", "2.00 (1.00)", "2.00 (2.00)", "1.00 (1.00)"],
                                  ["a", "4.00 (3.00)", "-", "6.00 (6.00)"],
                                  ["contender", "8x512, 0.6"], ["fused, ms", "2.00 (2.00)"], ["a", "0.50 (0.50)"]])
        self.assertEqual([line for line in lines if line.startswith("## ")],
                         ["## LSTM", "## GRU", "## LSTM, inference", "## GRU, inference", "## Left out"])
        self.assertEqual(lines[-2:], ["- Gone: not to be had",
                                      "- a in lstm B:8 T:100 H:512 fill:0.6, inference: it fails"])

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "needs matplotlib")
    def test_picture_is_drawn(self):
        (self.folder / "peers.json").write_text(json.dumps(self.make_report()))
        script = pathlib.Path(__file__).with_name("picture.py")
        subprocess.run([sys.executable, "-B", script, self.folder], check=True)
        self.assertTrue((self.folder / "peers.png").stat().st_size)


if __name__ == "__main__":
    unittest.main()
