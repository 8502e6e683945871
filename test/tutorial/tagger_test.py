"""The tagger learns, goes on to the same bits where it was killed, and labels texts in order.

PACKSEQ_TUTORIALS is the folder that holds the program. What it tells of its labels is counted here once more.
"""

import os
import pathlib
import random
import re
import subprocess
import tempfile
import time
import unittest
import zipfile

PROGRAM = pathlib.Path(os.environ["PACKSEQ_TUTORIALS"]) / "train_tagger"
LAST_LINE = re.compile(r"dev accuracy (\d\.\d{4}), macro F1 (\d\.\d{4})")


def name(choose, ending):
    return "".join(choose.choice("BCDFGKLMNPRST") + choose.choice("aeiou") for _ in range(3)).capitalize() + ending


def make_sentences(seed, count):
    """Names never come twice: their endings tell persons from places, and what is before them where they begin."""
    choose = random.Random(seed)
    sentences = []
    for _ in range(count):
        tokens = []
        for _ in range(choose.randint(1, 5)):
            person, place = name(choose, "sson"), name(choose, "ville")
            tokens += choose.choice([[("then", "O"), ("Dr", "B-PER"), (person, "I-PER"), ("sings", "O")],
                                     [("in", "O"), ("New", "B-LOC"), (place, "I-LOC"), (",", "O")],
                                     [(person, "B-PER"), ("and", "O"), (place, "B-LOC")],
                                     [("nothing", "O"), ("new", "O")]])
        sentences.append(tokens)
    return sentences


def write(file, sentences, columns=lambda word, label: f"{word} _ {label}"):
    file.write_text("".join("".join(columns(*token) + "\n" for token in sentence) + "\n" for sentence in sentences),
                    encoding="utf-8")
    return file


def read(text):
    """The columns of all tokens of each sentence."""
    return [[tuple(line.split("\t")) for line in sentence.split("\n")] for sentence in text.split("\n\n")[:-1]]


def spans(labels):
    """Those of labels by IOB2, of which none is out of place."""
    found, begin = [], None
    for place, label in enumerate([*labels, "O"]):
        if label.startswith("I-"):
            assert begin is not None and label[2:] == labels[begin][2:], labels
            continue
        if begin is not None:
            found.append((begin, place, labels[begin][2:]))
        begin = place if label.startswith("B-") else None
    return found


def macro_f1(found, truth):
    """Of sets of things whose last part is their kind."""
    scores = []
    for kind in {thing[-1] for thing in found | truth}:
        of_kind = [{thing for thing in things if thing[-1] == kind} for things in (found, truth)]
        scores.append(2 * len(of_kind[0] & of_kind[1]) / (len(of_kind[0]) + len(of_kind[1])))
    return sum(scores) / len(scores)


def numbers_in(checkpoint):
    """Those of all tensors, in no order."""
    with zipfile.ZipFile(checkpoint) as archive:
        return sorted(archive.read(entry) for entry in archive.namelist() if "/data/" in entry)


class Tagger(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.dev_sentences = make_sentences(2, 60)
        cls.files = [write(cls.folder / "train", make_sentences(1, 500)), write(cls.folder / "dev", cls.dev_sentences)]
        cls.checkpoint = cls.folder / "whole.checkpoint"
        cls.whole = cls.run_program("--checkpoint", cls.checkpoint, *cls.files)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @staticmethod
    def run_program(*words, epochs="8"):
        return subprocess.run([PROGRAM, "--epochs", epochs, *words], check=True, capture_output=True, text=True).stdout

    def refusal(self, *words):
        result = subprocess.run([PROGRAM, *words], check=False, capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        if "--predict" in words:
            self.assertEqual(result.stdout, "")  # no labels at all rather than a part of them
        self.assertRegex(result.stderr, "(?m)^train_tagger: ")
        return result.stderr

    def check_scores_of_tokens(self, command, file, truth, scores):
        """Accuracy and macro F1 that the program tells are those of the labels that it writes, token by token."""
        found = [label for sentence in read(self.run_program(*command, "--predict", file)) for _, label in sentence]
        self.assertAlmostEqual(sum(map(str.__eq__, truth, found)) / len(truth), scores[0], delta=6e-5)
        self.assertAlmostEqual(macro_f1(set(enumerate(found)), set(enumerate(truth))), scores[1], delta=6e-5)

    def last_numbers(self, output):
        return tuple(map(float, LAST_LINE.fullmatch(output.splitlines()[-1]).groups()))

    def test_learns_and_tells_how_well(self):
        accuracy, f1 = self.last_numbers(self.whole)
        self.assertGreater(f1, 0.95)
        self.assertIn("5 labels of spans", self.whole)
        baseline = re.search(r"most frequent label: dev accuracy (.*), macro F1 (.*)", self.whole)
        self.assertLess(float(baseline[2]), 0.8)
        epochs = re.findall(r"^epoch \d/8  dev accuracy (.*), macro F1 (.*), \d+ tokens/s$", self.whole, re.MULTILINE)
        self.assertEqual(len(epochs), 8)
        self.assertEqual(max(float(of_spans) for _, of_spans in epochs), f1)  # the best is kept
        tagged = read(self.run_program("--checkpoint", self.checkpoint, "--predict", self.files[1]))
        pairs = [(found, label) for sentence, truth in zip(tagged, self.dev_sentences, strict=True)
                 for (_, found), (_, label) in zip(sentence, truth, strict=True)]
        self.assertAlmostEqual(sum(found == label for found, label in pairs) / len(pairs), accuracy, delta=6e-5)
        sets = [{(i, *span) for i, sentence in enumerate(sentences) for span in spans([label for _, label in sentence])}
                for sentences in (tagged, self.dev_sentences)]
        self.assertAlmostEqual(macro_f1(*sets), f1, delta=6e-5)

    def test_resumes(self):
        for workers in "0", "2":
            checkpoint = self.folder / f"{workers}.checkpoint"
            command = ["--workers", workers, "--checkpoint", checkpoint, *self.files]
            with subprocess.Popen([PROGRAM, "--epochs", "8", *command], stdout=subprocess.PIPE, text=True) as process:
                while not checkpoint.exists() and process.poll() is None:
                    time.sleep(0.005)
                process.kill()
                self.assertNotRegex(process.communicate()[0], r"(?m)^dev ")
            self.assertEqual(process.returncode, -9)
            resumed = self.run_program(*command)
            self.assertNotIn("epoch 1/8", resumed)
            self.assertEqual(resumed.splitlines()[-1], self.whole.splitlines()[-1])
            self.assertEqual(numbers_in(checkpoint), numbers_in(self.checkpoint))
            self.assertNotIn("epoch", self.run_program(*command))  # nothing is left to do

    def test_has_no_tagger_before_the_first_epoch_ends(self):
        checkpoint = self.folder / "early.checkpoint"
        # No two of these fit into a batch, and training is saved after each hundred batches.
        long_sentences = write(self.folder / "long", [[("so", "O"), ("Ann", "B-PER"), ("sings", "O")] * 171] * 250)
        command = ["--checkpoint", checkpoint, long_sentences, self.files[1]]
        with subprocess.Popen([PROGRAM, *command], stdout=subprocess.PIPE, text=True) as process:
            while not checkpoint.exists() and process.poll() is None:
                time.sleep(0.005)
            process.kill()
            self.assertNotIn("epoch 1/10  dev", process.communicate()[0])
        predict = ["--predict", self.files[1]]
        self.assertIn(f"{checkpoint} was saved before the first epoch's end, and holds no trained tagger yet: go on "
                      f"with --checkpoint {checkpoint} TRAIN DEV", self.refusal("--checkpoint", checkpoint, *predict))
        for words in [*command, *predict], [*self.files, *predict]:
            self.assertIn("--epochs is 0, and no tagger is trained yet to --predict with: give 1 or more",
                          self.refusal("--epochs", "0", *words))
        trained = ["--checkpoint", self.checkpoint, *predict]
        self.assertEqual(self.run_program(*trained, *self.files, epochs="0"), self.run_program(*trained))

    def test_predicts_in_order(self):
        words = write(self.folder / "words", make_sentences(3, 400), lambda word, _: word)
        by_line = self.run_program("--checkpoint", self.checkpoint, "--predict", words)
        self.assertEqual(re.sub("\t.*", "", by_line), words.read_text(encoding="utf-8"))
        told = [label for sentence in make_sentences(3, 400) for _, label in sentence]
        found = [label for sentence in read(by_line) for _, label in sentence]
        self.assertGreater(sum(map(str.__eq__, told, found)) / len(told), 0.95)
        # Also with workers, in LibTorch, and right after training; then nothing else goes to standard output.
        for other in ["--workers", "2"], ["--engine", "libtorch"], self.files:
            self.assertEqual(self.run_program("--checkpoint", self.checkpoint, "--predict", words, *other), by_line)

    def test_labels_of_tokens(self):
        """Labels that are none of spans, in the first column; DEV has one that TRAIN has not."""
        kinds = {"O": "word", "B-PER": "title", "I-PER": "name", "B-LOC": "title", "I-LOC": "name"}
        files = [write(self.folder / file, sentences, lambda word, label: f"{kinds[label]}\t{word}")
                 for file, sentences in (("kinds", make_sentences(1, 200)), ("kinds.dev", self.dev_sentences))]
        truth = read(files[1].read_text(encoding="utf-8"))
        truth[0][0] = ("new_kind", truth[0][0][1])
        write(files[1], truth, lambda kind, word: f"{kind}\t{word}")
        command = ["--word", "-1", "--label", "1", "--checkpoint", self.folder / "kinds.checkpoint"]
        output = self.run_program(*command, *files, epochs="3")
        self.assertIn(
            "3 labels\n1 tokens of DEV have labels that TRAIN has not, and count as wrong: new_kind\n", output)
        told = [label for sentence in truth for label, _ in sentence]
        self.check_scores_of_tokens(command, files[1], told, self.last_numbers(output))

    def test_conll_u(self):
        file = write(self.folder / "words.conllu", make_sentences(1, 20), lambda word, label:
                     f"# a comment\n1-2\t{word}s\t_\t_\n1\t{word}\t_\t{label}")
        command = ["--format", "conll_u", "--word", "2", "--label", "4", "--checkpoint", self.folder / "u.checkpoint"]
        self.assertIn("20 sentences", self.run_program(*command, file, file, epochs="1"))
        found = read(self.run_program(*command, "--predict", file))
        self.assertEqual([[word for word, _ in sentence] for sentence in found],
                         [[word for word, _ in sentence] for sentence in make_sentences(1, 20)])

    def test_conll_2012(self):
        """A sentence has a column for each of its predicates, before the labels."""
        sentences = make_sentences(1, 20)
        file = self.folder / "words.conll_2012"
        file.write_text("\n".join("".join(f"{word} {'* ' * (i % 3)}{label}\n" for word, label in sentence)
                                  for i, sentence in enumerate(sentences)), encoding="utf-8")
        command = ["--format", "conll_2012", "--checkpoint", self.folder / "2012.checkpoint"]
        self.assertIn("20 sentences", self.run_program(*command, file, file, epochs="1"))
        found = read(self.run_program(*command, "--predict", file))
        self.assertEqual([[word for word, _ in sentence] for sentence in found],
                         [[word for word, _ in sentence] for sentence in sentences])
        self.assertIn("columns", self.refusal(file, file))

    def test_labels_that_keep_to_no_scheme(self):
        """They count by tokens: tags out of place, and labels that look like tags, but are none."""
        for i, sentences in enumerate([[[("a", "O"), ("b", "B-PER")], [("c", "I-PER")]],
                                       [[("a", "O"), ("b", "B-")], [("c", "S-"), ("a", "O")]]]):
            with self.subTest(sentences=sentences):
                file = write(self.folder / f"no_scheme_{i}", sentences)
                command = ["--checkpoint", self.folder / f"no_scheme_{i}.checkpoint"]
                output = self.run_program(*command, file, file, epochs="1")
                self.assertIn("3 labels\n", output)
                told = [label for sentence in sentences for _, label in sentence]
                self.check_scores_of_tokens(command, file, told, self.last_numbers(output))

    def test_labels_of_dev_where_train_has_spans(self):
        sentences = [self.dev_sentences[0], [("Dr", "B-PER"), ("Who", "E-PER")]]
        other_tag = write(self.folder / "other_tag", sentences)
        self.assertIn("5 labels of spans\n1 tokens of DEV have labels that TRAIN has not, and count as wrong: E-PER\n",
                      self.run_program(self.files[0], other_tag, epochs="1"))
        line = len(sentences[0]) + 2
        for label in "O-", "B-", "B_PER", "PER":
            no_tag = write(self.folder / "no_tag", [sentences[0], [("Dr", "O"), ("Who", label)]])
            self.assertIn(f"{no_tag}, sentence at line {line}: the label \"{label}\" is no tag of spans, as all of "
                          "TRAIN's are", self.refusal(self.files[0], no_tag))

    def test_refusals(self):
        train, dev = self.files
        empty = write(self.folder / "empty", [])
        for words, message in [([train], "1 of two FILEs: TRAIN and DEV must be given"),
                               (["--predict", dev], "--predict needs a --checkpoint, or TRAIN and DEV"),
                               (["--label", "last", train, dev], "--label is last, and must be a column: 1 or more"),
                               (["--format", "xml", train, dev],
                                "--format is xml, and must be plain, conll_2012 or conll_u"),
                               (["--engine", "gpu", train, dev], "--engine is gpu, and must be packseq or libtorch"),
                               (["--word", "4", train, dev], "line 1: 3 columns between blanks, and column 4 is"),
                               ([empty, dev], "empty"),
                               (["--checkpoint", self.checkpoint, dev, train], "was trained on another TRAIN"),
                               (["--checkpoint", train, train, dev], "is no checkpoint"),
                               (["--checkpoint", train, "--predict", dev], "is no checkpoint"),
                               (["--checkpoint", self.checkpoint, "--predict", "no/such"], "no/such: no such file")]:
            with self.subTest(words=words):
                self.assertIn(message, self.refusal(*words))
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([PROGRAM, "--checkpoint", self.checkpoint, "--predict", dev], check=False,
                                    stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("standard output cannot be written", result.stderr)


if __name__ == "__main__":
    unittest.main()
