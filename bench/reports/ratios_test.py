#!/usr/bin/env python3
"""Tests ratios.py, on reports made here and, given as the only argument, on one of a benchmark program."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).with_name("ratios.py")
CASE = "lstm inference B:2 T:10 I:4 H:5 lengths:outlier threads:1"


def run_ratios(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)


def read_rows(result):
    """The cells of the printed table, without the rule below the headings."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in result.stdout.splitlines()]
    return rows[:1] + rows[2:]


def repetition(contender, milliseconds, flops, unit="ms", threads=1):
    name = f"lstm/inference/{contender}/B:2/T:10/I:4/H:5/lengths:outlier/threads:{threads}/real_time"
    return {"run_name": name, "run_type": "iteration", "real_time": milliseconds, "time_unit": unit,
            "executed_flops": flops, "fill": 0.6}


class RatiosTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.file = pathlib.Path(directory.name) / "report.json"

    def write_report(self, benchmarks):
        self.file.write_text(json.dumps({"context": {}, "benchmarks": benchmarks}))

    def write_pair(self):
        aggregate = {**repetition("padded", 999, 1000), "run_type": "aggregate"}
        self.write_report([repetition("padded", 4.0, 1000), repetition("packed", 8000, 600, unit="us"),
                           repetition("padded", 2.0, 1000), repetition("packed", 5000, 600, unit="us"),
                           repetition("padded", 2.5, 1000), repetition("packed", 5500, 600, unit="us"), aggregate])

    def assert_refused(self, message):
        result = run_ratios(self.file)
        self.assertEqual(result.returncode, 1)
        self.assertIn(message, result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_ratios_are_of_medians_over_repetitions(self):
        self.write_pair()
        result = run_ratios(self.file)
        self.assertEqual(read_rows(result), [
            ["case", "fill", "padded ms", "packed ms", "spread", "FLOP ratio", "time ratio"],
            [CASE, "0.60", "2.500", "5.500", "80%", "1.67", "0.45"]])

    def test_table_is_markdown(self):
        self.write_pair()
        lines = run_ratios(self.file).stdout.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertRegex(lines[0], r"^\| case +\| fill \| .* \| time ratio \|$")
        self.assertRegex(lines[1], r"^\| -+ \| -+: \|( -+: \|){5}$")
        self.assertEqual({len(line) for line in lines}, {len(lines[0])})

    def test_fused_is_held_against_padded_packed_and_peak(self):
        runs = [run for threads in (1, 2) for run in (
            repetition("padded", 4.0, 1000, threads=threads), repetition("packed", 2.0, 600, threads=threads),
            {**repetition("fused", 3.0, 600, threads=threads), "useful_flops": 600})]
        self.write_report([{"run_name": "peak/real_time", "run_type": "iteration", "useful_flops_per_second": 4e5},
                           *runs])
        heading, one, two = read_rows(run_ratios(self.file))
        self.assertEqual(heading[-4:], ["fused ms", "fused / (padded x fill)", "packed / fused", "share of peak"])
        self.assertEqual(one[-4:], ["3.000", "1.25", "0.67", "0.50"])
        self.assertEqual(two[-4:], ["3.000", "1.25", "0.67", "-"])  # the peak is one thread's

    def test_missing_file(self):
        self.assert_refused(f"{self.file}: No such file or directory")

    def test_not_json(self):
        self.file.write_text('{"benchmarks": [')
        self.assert_refused("is not JSON")

    def test_not_a_report(self):
        self.file.write_text("[]")
        self.assert_refused('has no list "benchmarks"')

    def test_no_pair(self):
        self.write_report([repetition("padded", 4.0, 1000)])
        self.assert_refused("no case that was run padded and in another way")

    def test_report_of_the_benchmark_program(self):
        if not REPORT:
            self.skipTest("no report given")
        result = run_ratios(REPORT)
        self.assertEqual(result.returncode, 0, result.stderr)
        _, *rows = read_rows(result)
        self.assertEqual(len(rows), 6)  # three kinds of network, two modes
        for row in rows:
            fill, _, _, _, flop_ratio, time_ratio = row[1:7]
            self.assertAlmostEqual(float(flop_ratio), 1 / float(fill), delta=0.1)
            self.assertGreater(float(time_ratio), 0)


if __name__ == "__main__":
    REPORT = sys.argv.pop() if len(sys.argv) > 1 else None
    unittest.main()
