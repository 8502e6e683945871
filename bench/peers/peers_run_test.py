#!/usr/bin/env python3
"""Tests what peers are compared with, and runs LibTorch and packseq as peers, in a Python that has torch and numpy.

    peers_run_test.py LIBRARY     packseq_torch
"""

import itertools
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

try:
    import numpy
except ImportError:
    sys.exit("Skipped: no numpy")

import cases
import peer

SCRIPT = pathlib.Path(__file__).with_name("peers.py")
CASES = ["lstm B:5 T:9 H:7 fill:0.6", "gru B:3 T:8 H:6 fill:0.3"]


class CaseTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.file = pathlib.Path(directory.name) / "case.npz"
        cases.write(self.file, CASES[0])
        self.case = peer.Case(self.file, "inference")

    def expected(self):
        return {"output": self.case.output.copy(), "h": self.case.h.copy()}

    def test_lengths_have_the_fill(self):
        for batch, fill in ((8, .6), (32, .3), (64, 1)):
            lengths = cases.make_lengths(batch, 100, fill)
            self.assertAlmostEqual(lengths.mean() / 100, fill, delta=.03)
            self.assertEqual(lengths[0], 100)
            self.assertTrue((numpy.diff(lengths) <= 0).all() and lengths[-1] >= 1)

    def test_padding_is_not_compared_and_all_else_is(self):
        self.assertEqual(self.case.difference(self.expected()), 0)
        results = self.expected()
        results["output"][~self.case.real] = numpy.nan
        self.assertEqual(self.case.difference(results), 0)
        results["output"][0, -1, 2] += 2 * numpy.abs(self.case.output).max()
        self.assertAlmostEqual(self.case.difference(results), 2, places=5)
        results["output"][0, 0, 0] = numpy.nan
        self.assertFalse(self.case.difference(results) <= 1e9)

    def test_lengths_that_are_ignored_show_in_the_final_state(self):
        results = self.expected()
        results["h"] = self.case.output[-1]
        self.assertGreater(self.case.difference(results), .5)

    def test_missing_or_misshapen_results_are_refused(self):
        with self.assertRaisesRegex(ValueError, "no results .'d_b_hh', .*'output'"):
            peer.Case(self.file, "training").difference({"h": self.case.h})
        with self.assertRaisesRegex(ValueError, r"output has the shape \(1, 5, 7\), not \(9, 5, 7\)"):
            self.case.difference({"output": self.case.output[:1]})


class TurnTest(unittest.TestCase):
    def turn(self, *seconds):
        """Of runs that take these seconds, the last of them from then on."""
        taken = itertools.chain(seconds, itertools.repeat(seconds[-1]))
        server = peer.Server({})
        server.runs["a"] = lambda: next(taken)
        with mock.patch.object(peer.timeit, "timeit", lambda run, number: run()), \
                mock.patch.object(peer.timeit, "repeat", lambda run, repeat, number: [run() for _ in range(repeat)]):
            return server.time("a")["seconds"]

    def test_runs_count_once_the_caches_are_warm_and_short_ones_are_many(self):
        self.assertEqual(self.turn(.05, .04, .03), [.04, .03])
        self.assertEqual(self.turn(.009, .008, .004, .003), [.003] * 5)


class RunTest(unittest.TestCase):
    @unittest.skipUnless(shutil.which("taskset"), "no taskset")
    def test_libtorch_and_packseq(self):
        with tempfile.TemporaryDirectory() as build:
            (pathlib.Path(build) / "packseq_torch.so").symlink_to(LIBRARY)
            subprocess.run([sys.executable, "-B", SCRIPT, build, "--torch-python", sys.executable, "--rounds", "1",
                            "--peers", "packseq", "LibTorch", "--cases", *CASES], check=True, capture_output=True)
            report = json.loads((pathlib.Path(build) / "peers" / "peers.json").read_text())
        self.assertEqual(report["left_out"], [])
        for one in report["measured"]:
            self.assertEqual(one["left_out"], {})
            self.assertEqual(len(one["seconds"]), 9 if one["mode"] == "inference" else 6)
            self.assertGreaterEqual(min(map(len, one["seconds"].values())), peer.RUNS)
        self.assertEqual([(one["case"], one["mode"]) for one in report["measured"]],
                         [(case, mode) for mode in ("inference", "training") for case in CASES])


if __name__ == "__main__":
    LIBRARY = pathlib.Path(sys.argv.pop()).resolve()
    unittest.main()
