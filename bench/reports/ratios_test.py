#!/usr/bin/env python3
"""Tests ratios.py, embedded_ratios.py and steps.py, on reports made here and, ratios.py, on one of a benchmark program
that is given as the only argument."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

CASE = "lstm inference B:2 T:10 I:4 H:5 lengths:outlier threads:1"


def run_script(name, *arguments):
    script = pathlib.Path(__file__).with_name(name)
    return subprocess.run([sys.executable, "-B", script, *arguments], capture_output=True, text=True)


def run_ratios(*arguments):
    return run_script("ratios.py", *arguments)


def read_rows(result):
    """The cells of the printed table, without the rule below the headings."""
    lines = [line for line in result.stdout.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
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
        context = {"libtorch": "2", "date": "2000-01-01T00:00:00"}
        self.file.write_text(json.dumps({"context": context, "benchmarks": benchmarks}))

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

    def rows_with_and_without(self, script, times, names):
        """[{column: cell}, {column: cell}]: of a report of all contenders, and of one without those of these names."""
        rows = []
        for left_out in ((), names):
            runs = [repetition(name, time, 1000) for name, time in times.items() if name not in left_out]
            self.write_report([{**run, "run_name": run["run_name"].replace("/lengths:outlier", ""), "distinct": 0.3,
                                "beginnings": 0.4, "growth_bytes": 1e6} for run in runs])
            result = run_script(script, self.file)
            self.assertEqual(result.returncode, 0, result.stderr)
            rows.append(dict(zip(*read_rows(result), strict=True)))
        return rows

    def assert_only_the_first_has(self, rows, cells):
        having, lacking = rows
        self.assertEqual({column: having.get(column) for column in cells}, cells)
        self.assertEqual({column: cell for column, cell in having.items() if column not in cells}, lacking)

    def test_what_bfloat16_gains_is_told_where_it_was_run(self):
        times = {"padded": 4.0, "packed": 5.0, "fused": 3.0, "bfloat16": 1.5}
        self.assert_only_the_first_has(self.rows_with_and_without("ratios.py", times, ("bfloat16",)),
                                       {"fused / bfloat16": "2.00"})

    def test_what_bfloat16_gains_of_distinct_words(self):
        times = {"padded": 4.0, "fused": 3.0, "fused+dedup": 2.0, "fused+frozen": 1.5, "bfloat16+dedup": 1.0,
                 "bfloat16+frozen": 0.5}
        names = ("bfloat16+dedup", "bfloat16+frozen")
        self.assert_only_the_first_has(self.rows_with_and_without("embedded_ratios.py", times, names),
                                       {"dedup / bfloat16": "2.00", "frozen / bfloat16": "3.00"})

    def test_what_beginnings_gain_that_are_computed_once(self):
        times = {"padded": 4.0, "fused": 3.0, "fused+dedup": 2.0, "fused+shared": 1.0}
        self.assert_only_the_first_has(self.rows_with_and_without("embedded_ratios.py", times, ("fused+shared",)),
                                       {"beginnings": "0.40", "dedup / shared": "2.00", "shared MB": "1"})

    def test_what_bfloat16_gains_in_a_step(self):
        times = {"padded": 4.0, "packed": 5.0, "cell": 3.0, "fused": 2.0, "fused_padded": 2.0, "frozen": 1.0,
                 "bfloat16": 3.0, "bfloat16_frozen": 0.5}
        self.assert_only_the_first_has(
            self.rows_with_and_without("steps.py", times, ("bfloat16", "bfloat16_frozen")),
            {"bfloat16 us": "3000.0", "bfloat16_frozen us": "500.0", "fused / bfloat16": "0.67",
             "frozen / bfloat16_frozen": "2.00"})

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
