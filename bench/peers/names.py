"""The names of cases. "lstm B:32 T:100 H:256 fill:0.6" is of 32 documents, the longest of 100 steps; 0.6 of the cells
of the padded batch are real; input and hidden state have one size, 256."""

import typing

MODES = ("inference", "training")
STEPS = 100  # of the cases that are measured when none are named
FILLS = (1.0, 0.6, 0.3)
SHAPES = {"B:1 T:100 H:128": FILLS[:1], "B:8 T:100 H:512": FILLS, "B:32 T:100 H:256": FILLS, "B:64 T:100 H:128": FILLS}
CASES = [f"{kind} {shape} fill:{fill}" for kind in ("lstm", "gru") for shape, fills in SHAPES.items() for fill in fills]


class Name(typing.NamedTuple):
    kind: str
    batch: int
    steps: int
    size: int
    fill: float

    @property
    def shape(self):
        """In few letters."""
        return f"{self.batch}x{self.size}" + (f" T:{self.steps}" if self.steps != STEPS else "")


def parse_name(name):
    kind, *parts = name.split()
    batch, steps, size, fill = (part.split(":")[1] for part in parts)
    return Name(kind, int(batch), int(steps), int(size), float(fill))
