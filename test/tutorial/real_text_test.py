"""On real English the training programs are at least as good as the classic methods that they print beside, and the
tagger better than on the same words out of order.

PACKSEQ_TUTORIALS is the folder that holds them, PACKSEQ_REAL_TEXT where the text goes. Ends with 77, which ctest takes
for skipped, if this machine cannot have it.
"""

import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def numbers(program, options, files, line):
    """The two numbers of the last line that a program prints: the network's and the classic's."""
    output = subprocess.run([pathlib.Path(os.environ["PACKSEQ_TUTORIALS"]) / program, *options, *files],
                            check=True, stdout=subprocess.PIPE, text=True).stdout
    print(output, end="", flush=True)
    return [float(number) for number in re.fullmatch(line, output.splitlines()[-1]).groups()]


def macro_f1(files):
    """In percent: the tagger's, and of each word's most frequent label."""
    output = subprocess.run([pathlib.Path(os.environ["PACKSEQ_TUTORIALS"]) / "train_tagger", "--epochs", "3", *files],
                            check=True, stdout=subprocess.PIPE, text=True).stdout
    print(output, end="", flush=True)
    by_word = re.search(r"most frequent label: dev accuracy \S+, macro F1 (\S+)\n", output)
    tagger = re.search(r"\ndev accuracy \S+, macro F1 (\S+)\n$", output)
    return 100 * float(tagger.group(1)), 100 * float(by_word.group(1))


def compare_taggers(folder):
    """What is wrong with the tagger on a tenth of the King James Bible, in order and with each verse shuffled."""
    choose = random.Random(1)
    with tempfile.TemporaryDirectory() as temporary:
        in_order, shuffled = [], []
        for part, count in ("train", 2800), ("dev", 1000):
            verses = (folder / f"kjv_tags.{part}.tsv").read_text(encoding="utf-8").split("\n\n")[:count]
            mixed = ["\n".join(choose.sample(words, len(words))) for words in (verse.split("\n") for verse in verses)]
            for name, files, sentences in ("in_order", in_order, verses), ("shuffled", shuffled, mixed):
                files.append(pathlib.Path(temporary) / f"{name}.{part}")
                files[-1].write_text("\n\n".join(sentences) + "\n", encoding="utf-8")
        network, by_word = macro_f1(in_order)
        without_order, _ = macro_f1(shuffled)
    if network < by_word + 10:
        return [f"the tagger is no better than each word's most frequent label: {network} and {by_word}"]
    if network < without_order + 3:
        return [f"the tagger does not see the order of words: {network} and {without_order}"]
    return []


def main():
    folder = pathlib.Path(os.environ["PACKSEQ_REAL_TEXT"])
    code = subprocess.run(["bash", ROOT / "cmake/real_text.sh", folder], check=False).returncode
    if code != 0:
        return code
    files = [folder / name for name in ("kjv.txt", "wordnet.txt", "fortunes.txt", "manpages.txt")]
    network, naive_bayes = numbers("train_classifier", ["--epochs", "2"], files, r"accuracy (.*) %, naive Bayes (.*) %")
    perplexity, bigram = numbers("train_language_model", ["--epochs", "2"], files[:1],
                                 r"perplexity (.*), bigram model (.*)")
    failures = compare_taggers(folder)
    if network < naive_bayes:
        failures.append("the classifier is worse than naive Bayes")
    if perplexity >= bigram:
        failures.append("the language model is no better than bigrams")
    return "; ".join(failures) or 0


if __name__ == "__main__":
    sys.exit(main())
