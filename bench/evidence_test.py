#!/usr/bin/env python3
"""Tests evidence.py's report, on results and a README made here."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).with_name("evidence.py")
README = """
| network | threads | fused / (padded x fill) | packed / fused | share of peak |
|---|---|---|---|---|
| LSTM, inference | 1 | 1.10 (0.90 - 1.30) | 1.7 (1.2 - 4.1) | 0.20 (0.30) |
| LSTM, inference | 2 | 0.79 (0.41 - 1.03) | 2.3 (1.1 - 8.3) | - |

| | the fused engine takes, times as long | beyond what the fill explains, against padded |
|---|---|---|
| inference | 1.20 - 1.40 | 1.30 - 1.60 |
| inference, frozen | 1.80 - 1.90 | 9.0 - 9.9 |
"""


def repetition(contender, case, milliseconds, **more):
    return {"run_name": f"lstm/inference/{contender}/{case}/threads:1/real_time", "run_type": "iteration",
            "real_time": milliseconds, "time_unit": "ms", "executed_flops": 1000, "useful_flops": 600, "fill": 0.5,
            **more}


class EvidenceTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.build = pathlib.Path(directory.name)
        self.folder = self.build / "evidence"
        self.folder.mkdir()
        self.readme = self.build / "README.md"
        self.readme.write_text(README)
        self.write_results()

    def write_results(self):
        case = "B:2/T:10/I:4/H:5/lengths:outlier"
        engine = [repetition("padded", case, 4.0), repetition("packed", case, 6.0), repetition("fused", case, 2.0),
                  {"run_name": "peak/real_time", "run_type": "iteration", "useful_flops_per_second": 1e6}]
        case = "text:kjv/B:2/I:4/H:4"
        times = {"padded": 8.0, "fused": 4.0, "fused+dedup": 3.0, "fused+frozen": 2.0}
        words = [repetition(contender, case, times[contender], distinct=0.3, growth_bytes=1e6) for contender in times]
        speeds = {"padded": 1000, "bucketed": 2000, "packed": 2000, "fused": 4000, "fused+dedup": 5000}
        self.write("engine", {"benchmarks": engine})
        self.write("embedded", {"benchmarks": words})
        self.write("compare_kjv", {"text": {"documents": 10, "tokens": 36}, "fill": 0.5, "results": [
            {"contender": contender, "mode": mode, "tokens_per_second": speed}
            for contender, speed in speeds.items() for mode in ("inference", "training")]})
        self.write("environment", {"run": "short", "cpu": "a CPU", "cores": 2, "packseq": "1", "libtorch": "2",
                                   "compiler": "gcc", "commit": "abc", "date": "2000-01-01"})

    def write(self, name, results):
        (self.folder / f"{name}.json").write_text(json.dumps(results))

    def evidence(self, *size_and_texts):
        command = [sys.executable, "-B", SCRIPT, "--readme", self.readme, self.build, *size_and_texts]
        return subprocess.run(command, capture_output=True, text=True)

    def assert_refused(self, message):
        result = self.evidence()
        self.assertEqual(result.returncode, 1)
        self.assertIn(message, result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_each_figure_of_readme_gets_a_verdict(self):
        result = self.evidence()
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in result.stdout.splitlines()]
        self.assertEqual([(row[0], row[1], row[2].split()[0], row[3]) for row in rows if len(row) == 4][2:], [
            ("LSTM, inference, 1 thread: per FLOP", "1.10 (0.90 - 1.30)", "1.00", "confirmed"),
            ("LSTM, inference, 1 thread: over packed", "1.7 (1.2 - 4.1)", "3.00", "not confirmed: better"),
            ("LSTM, inference, 1 thread: of peak", "0.20 (0.30)", "0.30", "not confirmed: better"),
            ("LSTM, inference, 2 threads: per FLOP", "0.79 (0.41 - 1.03)", "-", "not measured"),
            ("LSTM, inference, 2 threads: over packed", "2.3 (1.1 - 8.3)", "-", "not measured"),
            ("inference: fused / dedup", "1.20 - 1.40", "1.33", "confirmed"),
            ("inference: padded x fill / dedup", "1.30 - 1.60", "1.33", "confirmed"),
            ("inference, frozen: fused / frozen", "1.80 - 1.90", "2.00", "confirmed"),
            ("inference, frozen: padded x fill / frozen", "9.0 - 9.9", "2.00", "not confirmed: worse")])
        self.assertIn("4 of 7 measured figures confirmed", result.stdout)

    def test_core_hours_are_of_a_billion_documents(self):
        line = next(line for line in self.evidence().stdout.splitlines() if "kjv, training" in line)
        self.assertEqual(line.replace("|", "").split()[2:], ["3.6", "50%", "1,000", "500", "500", "250", "200"])

    def test_keeps_what_it_prints_and_all_cases(self):
        printed = self.evidence().stdout
        self.assertIn((self.folder / "evidence.md").read_text(), printed)
        self.assertIn("a CPU, 2 cores; packseq 1 (abc), LibTorch 2, gcc; 2000-01-01, short run.", printed)
        for file, case in (("engine.md", "lstm inference B:2 T:10 I:4 H:5 lengths:outlier threads:1"),
                           ("embedded.md", "lstm inference text:kjv B:2 I:4 H:4 threads:1")):
            self.assertIn(f"| {case} |", (self.folder / file).read_text())

    def test_other_texts_confirm_nothing(self):
        file = self.folder / "embedded.json"
        file.write_text(file.read_text().replace("text:kjv", "text:licences"))
        self.assertIn("1 of 3 measured figures confirmed", self.evidence().stdout)

    def test_table_of_readme_is_gone(self):
        self.readme.write_text(README.replace("share of peak", "peak"))
        self.assert_refused("README.md has no table with the columns network | threads | fused / (padded x fill)")

    def test_figure_of_readme_is_none(self):
        self.readme.write_text(README.replace("1.7 (1.2 - 4.1)", "about 2"))
        self.assert_refused('README\'s figure "about 2" is neither a median with its range nor a range')

    def test_nothing_measured(self):
        (self.folder / "environment.json").unlink()
        self.assert_refused("environment.json'; was anything measured, and to its end?")

    def test_program_is_not_built(self):
        result = self.evidence("short", self.readme)
        self.assertEqual(result.returncode, 1)
        self.assertIn("engine_bench: No such file or directory; is it built?", result.stderr)


if __name__ == "__main__":
    unittest.main()
