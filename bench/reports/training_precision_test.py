#!/usr/bin/env python3
"""Tests training_precision.py: what it calls precise enough, and a short run of the programs in the folder given as the
only argument, on text made here."""

import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

from training_precision import failures, make_row

SCRIPT = pathlib.Path(__file__).with_name("training_precision.py")


def write_text(file, seed):
    """Lines of words of which each has some favourite followers, others in each file for half of the words."""
    choose, common = random.Random(seed), random.Random(0)
    words = [f"word{i}" for i in range(60)]
    followers = {word: (common if i % 2 else choose).sample(words, 4) for i, word in enumerate(words)}
    with open(file, "w", encoding="utf-8") as lines:
        for _ in range(1200):
            line = [choose.choice(words)]
            while len(line) < 4 or choose.random() < 0.85:
                line.append(choose.choice(followers[line[-1]] if choose.random() < 0.8 else words))
            lines.write(" ".join(line) + "\n")


class FailuresTest(unittest.TestCase):
    def failures(self, name, float32, bfloat16):
        return list(failures([make_row(name, {"float32": float32, "bfloat16": bfloat16})]))

    def test_means(self):
        self.assertEqual(self.failures("accuracy", [80, 82], [81.9, 79.9]), [])
        self.assertEqual(self.failures("accuracy", [80, 81], [80, 86]), [])  # within the larger spread
        self.assertIn("the means of accuracy differ", self.failures("accuracy", [80, 81], [79, 80.1])[0])
        self.assertIn("the means of accuracy differ", self.failures("accuracy", [79, 80.1], [80, 81.5])[0])

    def test_perplexity_by_a_hundredth(self):
        self.assertEqual(self.failures("perplexity", [90, 110], [91, 110.9]), [])
        self.assertEqual(self.failures("perplexity", [90, 110], [92, 110.1]), ["perplexity differs by more than 1 %"])
        self.assertEqual(self.failures("perplexity", [90, 110], [88, 109.9]), ["perplexity differs by more than 1 %"])
        self.assertEqual(self.failures("accuracy", [70, 90], [72, 90.1]), [])


class RunTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.texts = [pathlib.Path(directory.name) / name for name in ("a.txt", "b.txt")]
        for seed, text in enumerate(self.texts, 1):
            write_text(text, seed)

    def run_script(self, *words):
        return subprocess.run([sys.executable, SCRIPT, FOLDER, *words], capture_output=True, text=True)

    def test_short_run(self):
        result = self.run_script("--seeds", "3", "--epochs", "5", *self.texts)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        print(result.stdout)
        self.assertRegex(result.stdout, r"\| perplexity \| +[1-5]\d\.\d+ \|")  # of 60 words, so some is learnt
        self.assertRegex(result.stdout, r"\| accuracy   \| +[6-9]\d\.\d+ \|")
        self.assertEqual(len([line for line in result.stderr.splitlines() if "bfloat16 seed" in line]), 6)

    def test_refusals(self):
        for words, message in [(self.texts[:1], "one text alone"), (["--seeds", "1", *self.texts], "must be 2 or more"),
                               (["no/such.txt", "nor/this.txt"], "no/such.txt")]:
            result = self.run_script(*words)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(message, result.stderr)


if __name__ == "__main__":
    FOLDER = sys.argv.pop()
    unittest.main()
