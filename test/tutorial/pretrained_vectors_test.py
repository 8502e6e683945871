"""Word vectors that fastText makes of a text help a classifier that has few labelled lines of it.

PACKSEQ_TUTORIALS is the folder that holds the program, PACKSEQ_REAL_TEXT where the text goes. Ends with 77, which ctest
takes for skipped, if this machine has no fastText, or cannot have the text.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXTS = ("kjv", "wordnet", "fortunes", "manpages")
LINES = 3000  # of each text


def write_lines(source, file):
    """Lines from all over the source."""
    lines = source.read_text(encoding="utf-8").splitlines()
    file.write_text("".join(line + "\n" for line in lines[::max(1, len(lines) // LINES)]), encoding="utf-8")


def make_vectors(files, folder):
    """Of the words that the program's tokenizer finds in the files."""
    with open(folder / "tokens.txt", "w", encoding="utf-8") as tokens:
        for file in files:
            for line in file.read_text(encoding="utf-8").splitlines():
                print(*re.findall(r"[a-z0-9\x80-\U0010FFFF]+|[^a-z0-9\s]", line.lower()), file=tokens)
    subprocess.run(["fasttext", "skipgram", "-input", folder / "tokens.txt", "-output", folder / "words", "-dim", "50",
                    "-epoch", "5", "-minCount", "3", "-bucket", "20000", "-thread", "1", "-verbose", "0"], check=True)
    return folder / "words.vec"


def main():
    if shutil.which("fasttext") is None:
        print("skipped: no fasttext here (Debian: apt-get install fasttext)")
        return 77
    source = pathlib.Path(os.environ["PACKSEQ_REAL_TEXT"])
    code = subprocess.run(["bash", ROOT / "cmake/real_text.sh", source, *TEXTS], check=False).returncode
    if code != 0:
        return code
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        files = [folder / f"{name}.txt" for name in TEXTS]
        for file in files:
            write_lines(source / file.name, file)
        program = pathlib.Path(os.environ["PACKSEQ_TUTORIALS"]) / "pretrained_vectors"
        output = subprocess.run([program, make_vectors(files, folder), *files], check=True, stdout=subprocess.PIPE,
                                text=True).stdout
        print(output, end="", flush=True)
    known = float(re.search(r"each, (.*) % of the text", output).group(1))
    learned, alone = map(float, re.search(r"with vectors (.*) %, without (.*) %", output).groups())
    if known < 90:
        return f"the vectors know only {known} % of the text that they are made of"
    return 0 if learned > alone + 5 else f"the vectors do not help: {learned} % and {alone} %"


if __name__ == "__main__":
    sys.exit(main())
