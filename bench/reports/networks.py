"""What reports on Python's networks have in common."""

import contextlib

import torch


def parse_pair(text):
    """Two numbers, as "32x256"."""
    first, second = text.split("x")
    return int(first), int(second)


@contextlib.contextmanager
def engine(precision):
    """Networks run in packseq's engine, with the precision of products that LibTorch's switch asks for."""
    torch.ops.packseq.install()
    torch.backends.mkldnn.rnn.fp32_precision = precision
    try:
        yield
    finally:
        torch.backends.mkldnn.rnn.fp32_precision = "none"
        torch.ops.packseq.uninstall()
