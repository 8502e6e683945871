"""The training programs, killed in the middle and started again, end with the same numbers as if left alone.

So do several processes, which may be others in number when they go on. PACKSEQ_TUTORIALS is the folder that holds the
programs; PACKSEQ_MPIEXEC starts N processes if N follows it, where they are built with MPI.
"""

import os
import pathlib
import random
import re
import subprocess
import tempfile
import time
import unittest

FOLDER = pathlib.Path(os.environ["PACKSEQ_TUTORIALS"])
MPIEXEC = os.environ.get("PACKSEQ_MPIEXEC", "").split()


def write_sentences(file, seed, subjects, verbs):
    """Sentences of 3 to 26 words, some of which occur in this file alone."""
    choose = random.Random(seed)
    with open(file, "w", encoding="utf-8") as lines:
        for _ in range(600):
            parts = [f"the {choose.choice(subjects)} {choose.choice(verbs)}" for _ in range(choose.randint(1, 6))]
            lines.write(" and then ".join(parts) + ".\n")


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.texts = [cls.folder / "farm.txt", cls.folder / "sea.txt"]
        write_sentences(cls.texts[0], 1, "cow goat hen boy girl".split(), "runs eats sleeps".split())
        write_sentences(cls.texts[1], 2, "ship fish whale boy girl".split(), "swims eats sinks".split())

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def command(self, program, *words, processes=None):
        start = [*MPIEXEC, str(processes)] if processes else []
        return [*start, FOLDER / program, "--epochs", "3", *words, *self.texts]

    def run_to_end(self, program, *words, processes=None):
        """What the program prints, a list of lines."""
        result = subprocess.run(self.command(program, *words, processes=processes), check=True, capture_output=True,
                                text=True)
        return result.stdout.splitlines()

    def kill_after_first_checkpoint(self, program, checkpoint, *words):
        with subprocess.Popen(self.command(program, *words), stdout=subprocess.PIPE, text=True) as process:
            while not checkpoint.exists() and process.poll() is None:
                time.sleep(0.005)
            process.kill()
            output = process.communicate()[0]
        self.assertEqual(process.returncode, -9, f"{program} was not killed in the middle:\n{output}")
        self.assertNotIn("test loss", output)

    @unittest.skipUnless(MPIEXEC, "built without MPI")
    def test_processes_resume(self):
        for program, others in ("train_classifier", None), ("train_language_model", 3):
            whole = self.run_to_end(program, processes=2)
            self.assertEqual(sum(line.startswith("test loss") for line in whole), 1, whole)
            checkpoint = self.folder / f"{program}.checkpoint"
            words = ["--workers", "1", "--checkpoint", checkpoint]
            # The end of an epoch is where it can be interrupted for sure: a job takes its time to notice a signal.
            self.run_to_end(program, *words, "--epochs", "1", processes=2)
            kept = checkpoint.read_bytes()
            self.assertEqual(self.run_to_end(program, *words, processes=2)[-2:], whole[-2:])
            # Another number of processes, or one alone, drops out other numbers, and learns as well.
            checkpoint.write_bytes(kept)
            resumed = self.run_to_end(program, *words, processes=others)
            self.assertFalse(any(line.startswith("epoch 1/3") for line in resumed), resumed)
            self.assertAlmostEqual(float(resumed[-2].split()[-1]), float(whole[-2].split()[-1]), delta=0.02)

    def check_resumes(self, program):
        whole = self.run_to_end(program)
        for workers in "0", "2":
            checkpoint = self.folder / f"{program}{workers}.checkpoint"
            words = ["--workers", workers, "--checkpoint", checkpoint]
            self.kill_after_first_checkpoint(program, checkpoint, *words)
            resumed = self.run_to_end(program, *words)
            self.assertFalse(any(line.startswith("epoch 1/3") for line in resumed), resumed)
            self.assertEqual(resumed[-2:], whole[-2:])
            # Nothing is left to do now, and the weights are those of the checkpoint.
            done = self.run_to_end(program, *words)
            self.assertEqual(done, [whole[0], *whole[-2:]])

    def test_classifier_resumes(self):
        self.check_resumes("train_classifier")

    def test_language_model_resumes(self):
        self.check_resumes("train_language_model")

    def test_language_model_writes(self):
        checkpoint = self.folder / "writer.checkpoint"
        self.run_to_end("train_language_model", "--checkpoint", checkpoint)
        lines = self.run_to_end("generate_text", "--checkpoint", checkpoint)
        self.assertEqual([lines[0], lines[2]], ["Alone:", "In a batch:"])
        self.assertEqual(len(lines), 8)
        read = {word for text in self.texts for word in re.findall(r"\w+|\.", text.read_text(encoding="utf-8"))}
        for sentence in lines[1:2] + lines[3:]:
            self.assertLessEqual(set(sentence.split()), read)
            self.assertRegex(sentence, "^  the ")  # as all that it has read begins
        self.assertEqual(self.run_to_end("generate_text", "--checkpoint", checkpoint), lines)
        self.assertNotEqual(self.run_to_end("generate_text", "--checkpoint", checkpoint, "--seed", "2"), lines)

    def test_seeds_and_precisions(self):
        for program in "train_classifier", "train_language_model":
            def loss(*words):
                return float(self.run_to_end(program, *words)[-2].removeprefix("test loss "))
            exact, rounded = loss(), loss("--precision", "bfloat16")
            self.assertEqual(loss("--precision", "float32", "--seed", "1"), exact)
            self.assertNotEqual(rounded, exact)
            self.assertAlmostEqual(rounded, exact, delta=0.01)
            self.assertNotEqual(loss("--seed", "2"), exact)

    def test_a_writer_without_a_model(self):
        result = subprocess.run([FOLDER / "generate_text", self.texts[0]], check=False, capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("generate_text: --checkpoint is missing", result.stderr)

    def test_output_that_finds_no_place(self):
        checkpoint = self.folder / "told_nowhere.checkpoint"
        for program, words in [("train_classifier", []), ("train_language_model", ["--checkpoint", checkpoint]),
                               ("generate_text", ["--checkpoint", checkpoint])]:
            with open("/dev/full", "w", encoding="utf-8") as full:
                result = subprocess.run(self.command(program, *words), check=False, stdout=full,
                                        stderr=subprocess.PIPE, text=True)
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"{program}: standard output cannot be written", result.stderr)

    def test_a_word_that_is_not_understood_is_named(self):
        for program, words, message in [("train_classifier", ["--size", "3", "text"], "--size is no option"),
                                        ("train_classifier", ["--epochs", "-1", "text"],
                                         "--epochs is -1, and must be a number, 0 or more"),
                                        ("train_classifier", ["--seed", "x", "text"],
                                         "--seed is x, and must be a number"),
                                        ("train_classifier", ["--precision", "half", "text"],
                                         "--precision is half, and must be float32 or bfloat16"),
                                        ("train_classifier", ["text", "--workers"], "--workers is the last word"),
                                        ("train_classifier", [], "a FILE is missing"),
                                        ("train_language_model", ["no/such.txt"], "no/such.txt")]:
            result = subprocess.run([FOLDER / program, *words], check=False, capture_output=True, text=True)
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"{program}: ", result.stderr)
            self.assertIn(message, result.stderr)
            self.assertIn(f"Usage: {program} [--epochs N]", result.stderr)


if __name__ == "__main__":
    unittest.main()
