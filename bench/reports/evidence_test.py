#!/usr/bin/env python3
"""Tests evidence.py's report, on results and a page made here."""

import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).with_name("evidence.py")
PAGE = """
| network | threads | fused / (padded x fill) | packed / fused | share of peak |
|---|---|---|---|---|
| LSTM, inference | 1 | 1.10 (0.90 - 1.30) | 1.7 (1.2 - 4.1) | 0.28 (0.20 - 0.29) |
| LSTM, inference | 2 | 0.79 (0.41 - 1.03) | 2.3 (1.1 - 8.3) | - |

| mode | contender | threads | fused / contender | (padded x fill) / contender |
|---|---|---|---|---|
| inference | fused+dedup | 1 | 1.20 (1.10 - 1.40) | 1.30 (1.10 - 1.15) |
| inference | fused+frozen | 1 | 1.90 (1.85 - 1.95) | 9.0 (8.0 - 9.9) |
| inference | fused+frozen | 2 | 1.90 (1.85 - 1.95) | 9.0 (8.0 - 9.9) |
"""

SPEEDS = {"padded": 1000, "bucketed": 2000, "packed": 2000, "fused": 4000, "fused+dedup": 5000}


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
        self.page = self.build / "page.md"
        self.page.write_text(PAGE)
        self.write_results()

    def write_results(self):
        case = "B:2/T:10/I:4/H:5/lengths:outlier"
        engine = [repetition("padded", case, 4.0), repetition("packed", case, 6.0), repetition("fused", case, 2.0),
                  {"run_name": "peak/real_time", "run_type": "iteration", "useful_flops_per_second": 1e6}]
        times = {"padded": 8.0, "fused": 4.0, "fused+dedup": 3.0, "fused+frozen": 2.0}
        words = [repetition(contender, f"text:{text}/B:2/I:4/H:4", times[contender] * slower, distinct=0.3,
                            growth_bytes=1e6)
                 for text, slower in (("kjv", 1), ("wordnet", 1.1), ("wordnet", 0.9)) for contender in times]
        self.write("engine", {"benchmarks": engine})
        self.write("embedded", {"benchmarks": words})
        self.write_compared(SPEEDS)
        self.write("environment", {"run": "short", "cpu": "a CPU, 2 cores", "packseq": "1", "libtorch": "2",
                                   "compiler": "gcc", "commit": "abc", "date": "2000-01-01"})

    def write_compared(self, speeds, measured=None):
        hours = {contender: 1e6 / speed for contender, speed in speeds.items()}
        self.write("compare_kjv", {"fill": 0.5, "scale": {"tokens_per_document": 3.6}, "results": [
            {"contender": contender, "mode": mode, "tokens_per_second": speeds[contender],
             "at_scale": {"core_hours": hours[contender], "cost": hours[contender] * 0.05,
                          "joules": {"measured": measured and hours[contender] * measured,
                                     "projected": hours[contender] * 3600 * 5}}}
            for contender in speeds for mode in ("inference", "training")]})

    def write(self, name, results):
        (self.folder / f"{name}.json").write_text(json.dumps(results))

    def evidence(self, *size_and_texts, own_pages=False):
        pages = [] if own_pages else ["--engine-page", self.page, "--words-page", self.page]
        command = [sys.executable, "-B", SCRIPT, *pages, self.build, *size_and_texts]
        return subprocess.run(command, capture_output=True, text=True)

    def assert_refused(self, message):
        result = self.evidence()
        self.assertEqual(result.returncode, 1)
        self.assertIn(message, result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_each_figure_of_a_page_gets_a_verdict(self):
        result = self.evidence()
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in result.stdout.splitlines()]
        self.assertEqual([(row[0], row[1], row[2].split()[0], row[3]) for row in rows if len(row) == 4][2:], [
            ("LSTM, inference, threads: 1: fused / (padded x fill)", "1.10 (0.90 - 1.30)", "1.00", "confirmed"),
            ("LSTM, inference, threads: 1: packed / fused", "1.7 (1.2 - 4.1)", "3.00", "not confirmed: better"),
            ("LSTM, inference, threads: 1: share of peak", "0.28 (0.20 - 0.29)", "0.30", "confirmed"),
            ("LSTM, inference, threads: 2: fused / (padded x fill)", "0.79 (0.41 - 1.03)", "-", "not measured"),
            ("LSTM, inference, threads: 2: packed / fused", "2.3 (1.1 - 8.3)", "-", "not measured"),
            ("inference, threads: 1: fused / dedup", "1.20 (1.10 - 1.40)", "1.33", "confirmed"),
            ("inference, threads: 1: (padded x fill) / dedup", "1.30 (1.10 - 1.15)", "1.33",
             "median confirmed, not the range"),
            ("inference, threads: 1: fused / frozen", "1.90 (1.85 - 1.95)", "2.00", "confirmed"),
            ("inference, threads: 1: (padded x fill) / frozen", "9.0 (8.0 - 9.9)", "2.00", "not confirmed: worse"),
            ("inference, threads: 2: fused / frozen", "1.90 (1.85 - 1.95)", "-", "not measured"),
            ("inference, threads: 2: (padded x fill) / frozen", "9.0 (8.0 - 9.9)", "-", "not measured")])
        self.assertIn("4 of 7 measured figures confirmed. In 1 of 3 cases", result.stdout)

    def test_core_hours_are_of_a_billion_documents(self):
        line = next(line for line in self.evidence().stdout.splitlines() if "kjv: training" in line)
        self.assertEqual(line.replace("|", "").split()[2:],
                         ["3.6", "50%", "1,000", "500", "500", "250", "200", "4.00", "40.0"])

    def test_energy_is_measured_where_it_can_be(self):
        self.assertIn("Energy is projected.", self.evidence().stdout)
        self.write_compared(SPEEDS, measured=3600 * 100)
        output = self.evidence().stdout
        self.assertIn("Energy is measured by the machine's counters.", output)
        self.assertIn(" 80.00 |       40.0 |", next(line for line in output.splitlines() if "kjv: training" in line))

    def test_writes_a_page_of_all_cases(self):
        self.write("memory", [{"case": "lstm training B:2", "fill": 0.5, "padded MB": 4.0}])
        about = "a CPU, 2 cores; packseq 1 (abc), LibTorch 2, gcc; 2000-01-01, short run."
        self.assertIn(about, self.evidence().stdout)
        for file, column, row in (
                ("engine.md", "share of peak  ", "| lstm inference B:2 T:10 I:4 H:5 lengths:outlier threads:1 |"),
                ("embedded.md", "fused / dedup, fused / frozen", "| lstm inference text:kjv B:2 I:4 H:4 threads:1 "),
                ("memory.md", "packed / fused  ", "| lstm training B:2 | 0.50 |       4.0 |")):
            page = (self.folder / file).read_text()
            for part in (about, column, row):
                self.assertIn(part, page)

    def test_one_case_far_off_confirms_no_range(self):
        file = self.folder / "embedded.json"
        results = json.loads(file.read_text())
        slow = [{**run, "run_name": run["run_name"].replace("H:4", "H:5")} for run in results["benchmarks"]
                if "dedup" not in run["run_name"]]
        slow += [{**run, "run_name": run["run_name"].replace("H:4", "H:5"), "real_time": 5.0}
                 for run in results["benchmarks"] if "dedup" in run["run_name"]]
        self.write("embedded", {"benchmarks": results["benchmarks"] + slow})
        row = next(line for line in self.evidence().stdout.splitlines() if "threads: 1: fused / dedup" in line)
        self.assertIn("1.07 (0.80 - 1.33) |", row)
        self.assertTrue(row.endswith(" median confirmed, not the range |"), row)

    def test_a_text_is_missing(self):
        file = self.folder / "embedded.json"
        file.write_text(file.read_text().replace("text:wordnet", "text:licences"))
        self.assertIn("2 of 3 measured figures confirmed", self.evidence().stdout)

    def test_table_of_a_page_is_gone(self):
        self.page.write_text(PAGE.replace("share of peak", "peak"))
        self.assert_refused("page.md has no table with the columns network | threads | fused / (padded x fill)")

    def test_figure_of_a_page_is_none(self):
        self.page.write_text(PAGE.replace("1.7 (1.2 - 4.1)", "about 2"))
        self.assert_refused('the page\'s figure "about 2" is not a median with its range')

    def test_pages_of_packseq_can_be_judged(self):
        result = self.evidence(own_pages=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("RNN, training, threads: 2", result.stdout)

    def test_nothing_measured(self):
        (self.folder / "environment.json").unlink()
        self.assert_refused("environment.json: No such file or directory")

    def test_what_was_measured_stays_if_nothing_can_be_measured(self):
        result = self.evidence("short", self.page)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"there is no {self.build.resolve()}/packseq", result.stderr)
        self.assertTrue((self.folder / "engine.json").exists())

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "needs matplotlib")
    def test_pictures_are_drawn(self):
        fills = [repetition(contender, f"B:32/T:100/I:256/H:256/lengths:{fill}", 10 * fill, fill=fill)
                 for contender in ("padded", "packed", "fused") for fill in (0.5, 1.0)]
        modes = ("inference", "training")
        self.write("fill", {"benchmarks": [{**run, "run_name": run["run_name"].replace("inference", mode)}
                                           for run in fills for mode in modes]})
        for steps in (100, 200):
            self.write(f"steps_{steps}", {"results": [
                {"contender": contender, "mode": mode, "seconds": {"median": steps / 1e4}}
                for contender in ("padded", "packed", "fused", "bucketed") for mode in modes]})
        result = subprocess.run([sys.executable, "-B", SCRIPT.with_name("plot.py"), self.folder], capture_output=True,
                                text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual({file.stem for file in self.folder.glob("*.png")}, {"fill", "steps", "peak", "text", "flops"})


if __name__ == "__main__":
    unittest.main()
