"""What the tests of packseq_torch in Python share: networks, batches, and runs with and without the engine."""

import contextlib
import os
import unittest

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence

LIBRARY = os.environ["PACKSEQ_TORCH_LIBRARY"]
torch.ops.load_library(LIBRARY)

NETWORKS = {
    "lstm": lambda **options: nn.LSTM(3, 4, **options),
    "lstm_projected": lambda **options: nn.LSTM(3, 4, proj_size=2, **options),
    "gru": lambda **options: nn.GRU(3, 4, **options),
    "rnn_tanh": lambda **options: nn.RNN(3, 4, **options),
    "rnn_relu": lambda **options: nn.RNN(3, 4, nonlinearity="relu", **options),
}
OPTIONS = {"num_layers": 2, "bidirectional": True}
PRODUCTS = {"aten::mm", "aten::addmm", "aten::matmul", "aten::linear", "aten::bmm", "aten::mkldnn_rnn_layer"}


@contextlib.contextmanager
def engine(install=True):
    """The engine is installed, or is not, in this block."""
    (torch.ops.packseq.install if install else torch.ops.packseq.uninstall)()
    try:
        yield
    finally:
        torch.ops.packseq.uninstall()


def make_batch(dtype=torch.float, lengths=(5, 2, 7, 1), requires_grad=False):
    """Four documents; the gradient, if there is one, is of the data."""
    packed = pack_sequence([torch.randn(length, 3, dtype=dtype) for length in lengths], enforce_sorted=False)
    return packed._replace(data=packed.data.requires_grad_(requires_grad))


def flat(result):
    """The tensors of `network(packed)`."""
    output, state = result
    return [output.data, *(state if isinstance(state, tuple) else [state])]


def loss(tensors):
    return sum(tensor.sin().sum() for tensor in tensors)


def results_and_gradients(network, packed, state=None):
    results = flat(network(packed, state))
    states = state if isinstance(state, tuple) else () if state is None else (state,)
    variables = [packed.data, *states, *network.parameters()]
    return results + list(torch.autograd.grad(loss(results), [v for v in variables if v.requires_grad]))


def products(function):
    """The matrix products of LibTorch that run in `function`."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        function()
    return {event.key for event in profile.key_averages()} & PRODUCTS


class Padded(nn.Module):
    """A program that packs and pads, for TorchScript."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, padded: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        packed = pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
        output, _ = self.network(packed)
        return pad_packed_sequence(output, batch_first=True)[0]


class EngineTest(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)

    def assert_close(self, actual, expected, tolerance=1e-5):
        torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)

    def assert_fused(self, function):
        """`function` makes no matrix product of LibTorch's with the engine, and some without."""
        with engine():
            self.assertEqual(products(function), set())
        self.assertNotEqual(products(function), set())

    def assert_same(self, function, tolerance=1e-5):
        """`function` returns the same tensors with the engine and without."""
        expected = function()
        with engine():
            self.assert_close(function(), expected, tolerance)
