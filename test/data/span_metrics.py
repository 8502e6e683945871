"""Random rows of tags, true and predicted, well formed and not, with what seqeval 1.2.2 says of them.

python3 span_metrics.py FILE [SEED [CASES]]: span_metrics_test.cpp compares with the file. span_metrics.txt is that of
seed 1 and 8 cases. Without seqeval there is no file.
"""

import importlib.metadata
import pathlib
import random
import sys
import warnings

try:
    import numpy
    from seqeval.metrics import accuracy_score, classification_report
    from seqeval.scheme import IOB1, IOB2, IOBES

    if importlib.metadata.version("seqeval") != "1.2.2":
        raise ImportError("seqeval is not 1.2.2")
except ImportError as error:
    print("nothing to compare with:", error)
    pathlib.Path(sys.argv[1]).unlink(missing_ok=True)
    sys.exit()

COUNTINGS = {
    "lenient": ("OBI", None),
    "lenient_iobes": ("OBIES", None),
    "strict_iob1": ("OBI", IOB1),
    "strict_iob2": ("OBI", IOB2),
    "strict_iobes": ("OBIES", IOBES),
}
TYPES = ["-LOC", "-PER", "-x-y", ""]


def any_tag(prefixes):
    prefix = random.choice(prefixes)
    return prefix if prefix == "O" else prefix + random.choices(TYPES, [6, 3, 1, 1])[0]


def rows(prefixes):
    true = [[any_tag(prefixes) for _ in range(random.choice([0, 1, 3, 6, 12]))] for _ in range(random.randint(1, 4))]
    return true, [[tag if random.random() < 0.7 else any_tag(prefixes) for tag in row] for row in true]


def line(*words):
    return " ".join(str(word) for word in words)


def score(of):
    return [repr(float(of[key])) for key in ("precision", "recall", "f1-score")] + [int(of["support"])]


def figures(counting, true, predicted):
    strict = {"mode": "strict", "scheme": COUNTINGS[counting][1]} if COUNTINGS[counting][1] else {}
    report = classification_report(true, predicted, output_dict=True, **strict)
    yield line("case", counting)
    for of_true, of_predicted in zip(true, predicted):
        yield line("true", *of_true)
        yield line("predicted", *of_predicted)
    yield line("accuracy", repr(float(accuracy_score(true, predicted))) if sum(map(len, true)) else 0)
    for name, of in report.items():
        if name.endswith(" avg"):
            of = {key: 0 if numpy.isnan(value) else value for key, value in of.items()}  # of no type
        if name != "weighted avg":
            yield line(name.removesuffix(" avg"), *score(of))


def main(file, seed=1, cases=8):
    warnings.simplefilter("ignore")
    random.seed(int(seed))
    with open(file, "w", encoding="utf-8") as output:
        for counting, (prefixes, _) in COUNTINGS.items():
            for _ in range(int(cases)):
                print(*figures(counting, *rows(prefixes)), sep="\n", file=output)


main(*sys.argv[1:])
