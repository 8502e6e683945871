"""What the processes of peers have in common: they are asked and answer on file descriptor 0, a socket, a line of JSON
each; stdout and stderr are left to what libraries print. rounds.py asks.

    asked                                             answered
    -                                                 {"about": "ONNX Runtime 1.32.0", "contenders": {name:
                                                       {"modes": ["inference"], "tolerance": 0.0001}}}
    {"prepare": name, "case": file, "mode": mode}     {"difference": of its results from those that the file expects}
    {"time": name}                                    {"seconds": of some runs of what was prepared}

Each may be answered by {"error": text} instead.
"""

import dataclasses
import gc
import json
import math
import timeit
from collections.abc import Callable

import numpy

from names import MODES

WEIGHTS = {"w_ih": "weight_ih_l0", "w_hh": "weight_hh_l0", "b_ih": "bias_ih_l0", "b_hh": "bias_hh_l0"}  # of LibTorch
GRADIENTS = ("d_x", *(f"d_{name}" for name in WEIGHTS))
TOLERANCES = {"float32": 1e-4, "bfloat16": 0.05, "int8": 0.2}  # of the largest result
RUNS = 2  # in a turn, at least
TURN = 0.02  # seconds that a turn's runs take at least, and before them those that do not count


class Case:
    """A network and a batch: see cases.py. Arrays are attributes: case.x, case.lengths."""

    def __init__(self, file, mode):
        self.training = mode == "training"
        with numpy.load(file) as arrays:
            self.__dict__.update(arrays)
        longest, self.batch, self.size = self.x.shape
        self.kind = {4: "lstm", 3: "gru"}[len(self.w_hh) // self.size]
        self.real = numpy.arange(longest)[:, None] < self.lengths

    def difference(self, results):
        """The largest from what is expected, over the largest that is expected, of cells that are no padding.

        The output is needed, in training the gradients as well; a network that is told the lengths gives h, too.
        """
        needed = ("output", *GRADIENTS) if self.training else ("output",)
        missing = set(needed) - set(results)
        if missing:
            raise ValueError(f"no results {sorted(missing)}")
        return float(numpy.max([self._difference(name, numpy.asarray(result)) for name, result in results.items()]))

    def _difference(self, name, actual):
        expected = getattr(self, name)
        if actual.shape != expected.shape:
            raise ValueError(f"{name} has the shape {actual.shape}, not {expected.shape}")
        if name in ("output", "d_x"):
            actual, expected = actual[self.real], expected[self.real]
        return numpy.abs(actual - expected).max() / numpy.abs(expected).max()


@dataclasses.dataclass
class Contender:
    """`prepare(case)` gives two functions: what is timed, and what makes {name: array} of what that returns."""

    prepare: Callable
    precision: str = "float32"
    modes: tuple = MODES[:1]


class Server:
    def __init__(self, contenders):
        self.contenders = contenders
        self.runs = {}

    def prepare(self, name, file, mode):
        self.runs.pop(name, None)  # the last case's memory
        gc.collect()
        case = Case(file, mode)
        run, read = self.contenders[name].prepare(case)
        difference = case.difference(read(run()))
        self.runs[name] = run
        return {"difference": difference}

    def time(self, name):
        """The runs that do not count bring caches and clock back to what they were before others had their turns."""
        run = self.runs[name]
        spent = 0
        while spent < TURN:
            last = timeit.timeit(run, number=1)
            spent += last
        return {"seconds": timeit.repeat(run, repeat=max(RUNS, math.ceil(TURN / last)), number=1)}

    def answer(self, request):
        try:
            if "prepare" in request:
                return self.prepare(request["prepare"], request["case"], request["mode"])
            return self.time(request["time"])
        except Exception as error:  # whatever a peer's library throws is its answer
            return {"error": f"{type(error).__name__}: {error}".splitlines()[0]}


def serve(about, contenders):
    """Answers until there is nobody to ask. contenders: {name: Contender}"""
    server = Server(contenders)
    hello = {name: {"modes": one.modes, "tolerance": TOLERANCES[one.precision]} for name, one in contenders.items()}
    with open(0, closefd=False) as requests, open(0, "w", closefd=False) as answers:
        print(json.dumps({"about": about, "contenders": hello}), file=answers, flush=True)
        for line in requests:
            print(json.dumps(server.answer(json.loads(line))), file=answers, flush=True)


def reorder(matrix, order):
    """The gates of LibTorch's matrix or bias, by their numbers there: i f g o, or r z n."""
    gates = numpy.split(matrix, 4 if len(order) == 4 else 3)
    return numpy.concatenate([gates[gate] for gate in order])
