"""On real English the training programs are at least as good as the classic methods that they print beside.

PACKSEQ_TUTORIALS is the folder that holds them, PACKSEQ_REAL_TEXT where the text goes. Ends with 77, which ctest takes
for skipped, if this machine cannot have it.
"""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def numbers(program, options, files, line):
    """The two numbers of the last line that a program prints: the network's and the classic's."""
    output = subprocess.run([pathlib.Path(os.environ["PACKSEQ_TUTORIALS"]) / program, *options, *files],
                            check=True, stdout=subprocess.PIPE, text=True).stdout
    print(output, end="", flush=True)
    return [float(number) for number in re.fullmatch(line, output.splitlines()[-1]).groups()]


def main():
    folder = pathlib.Path(os.environ["PACKSEQ_REAL_TEXT"])
    code = subprocess.run(["bash", ROOT / "cmake/real_text.sh", folder], check=False).returncode
    if code != 0:
        return code
    files = [folder / name for name in ("kjv.txt", "wordnet.txt", "fortunes.txt", "manpages.txt")]
    network, naive_bayes = numbers("train_classifier", ["--epochs", "2"], files, r"accuracy (.*) %, naive Bayes (.*) %")
    perplexity, bigram = numbers("train_language_model", ["--epochs", "2"], files[:1],
                                 r"perplexity (.*), bigram model (.*)")
    failures = []
    if network < naive_bayes:
        failures.append("the classifier is worse than naive Bayes")
    if perplexity >= bigram:
        failures.append("the language model is no better than bigrams")
    return "; ".join(failures) or 0


if __name__ == "__main__":
    sys.exit(main())
