"""LibTorch's switch for recurrent networks asks for products of bfloat16."""

import contextlib

import torch

from python_support import NETWORKS, OPTIONS, EngineTest, engine, flat, make_batch, results_and_gradients


@contextlib.contextmanager
def precision(of, value):
    before = of.fp32_precision
    of.fp32_precision = value
    try:
        yield
    finally:
        of.fp32_precision = before


class PrecisionTest(EngineTest):
    def results(self, network, packed):
        with engine(), torch.no_grad():
            return flat(network(packed))

    def test_switch(self):
        for name, make in NETWORKS.items():
            network, packed = make(**OPTIONS), make_batch()
            exact = self.results(network, packed)
            for of in (torch.backends.mkldnn.rnn, torch.backends.mkldnn, torch.backends):
                with self.subTest(name, of=of.__name__ if hasattr(of, "__name__") else str(of)):
                    with precision(of, "bf16"):
                        rounded = self.results(network, packed)
                    self.assertFalse(torch.equal(rounded[0], exact[0]))
                    self.assertEqual(rounded[0].dtype, torch.float)
                    self.assert_close(rounded, exact, 0.02)
                    self.assertTrue(torch.equal(self.results(network, packed)[0], exact[0]))

    def test_other_switches(self):
        network, packed = NETWORKS["lstm"](), make_batch()
        exact = self.results(network, packed)
        for value in ("none", "ieee", "tf32"):
            with precision(torch.backends.mkldnn.rnn, value):
                self.assertTrue(torch.equal(self.results(network, packed)[0], exact[0]), value)
        for of in torch.backends.mkldnn.matmul, torch.backends.mkldnn.conv:
            with precision(of, "bf16"):
                self.assertTrue(torch.equal(self.results(network, packed)[0], exact[0]))
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("medium")
        try:
            self.assertTrue(torch.equal(self.results(network, packed)[0], exact[0]))
        finally:
            torch.set_float32_matmul_precision(before)

    def test_training(self):
        for name, make in NETWORKS.items():
            with self.subTest(name):
                network, packed = make(**OPTIONS), make_batch(requires_grad=True)
                exact = results_and_gradients(network, packed)
                with engine(), precision(torch.backends.mkldnn.rnn, "bf16"):
                    rounded = results_and_gradients(network, packed)
                self.assertFalse(torch.equal(rounded[-1], exact[-1]))
                if name != "rnn_relu":  # rounding switches its units on and off
                    self.assert_close(rounded, exact, 0.1)

    def test_double_is_never_rounded(self):
        network, packed = NETWORKS["gru"](dtype=torch.double), make_batch(torch.double)
        exact = self.results(network, packed)
        with precision(torch.backends.mkldnn.rnn, "bf16"):
            self.assertTrue(torch.equal(self.results(network, packed)[0], exact[0]))
