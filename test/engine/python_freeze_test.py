"""Weights that are frozen: the same results, until they change."""

import gc
import unittest
import weakref

import torch

from python_support import NETWORKS, OPTIONS, EngineTest, engine, flat, make_batch

packseq = torch.ops.packseq


class FreezeTest(EngineTest):
    def test_same_bits(self):
        for name, make in NETWORKS.items():
            with self.subTest(name), engine(), torch.no_grad():
                network, packed = make(**OPTIONS), make_batch()
                expected = flat(network(packed))
                packseq.freeze(list(network.parameters()))
                for _ in range(2):
                    for actual, tensor in zip(flat(network(packed)), expected):
                        self.assertTrue(torch.equal(actual, tensor))
                self.assertTrue(packseq.frozen(list(network.parameters())))
                packseq.unfreeze(list(network.parameters()))
                self.assertFalse(packseq.frozen(list(network.parameters())))

    def test_training_ends_it(self):
        with engine():
            network, packed = NETWORKS["lstm"](), make_batch()
            optimizer = torch.optim.SGD(network.parameters(), 0.1)
            packseq.freeze(list(network.parameters()))
            flat(network(packed))[0].sum().backward()
            self.assertFalse(packseq.frozen(list(network.parameters())))
            packseq.freeze(list(network.parameters()))
            optimizer.step()
            self.assertFalse(packseq.frozen(list(network.parameters())))
            with torch.no_grad():
                after = flat(network(packed))
                copy = NETWORKS["lstm"]()
                copy.load_state_dict(network.state_dict())
                for actual, expected in zip(after, flat(copy(packed))):
                    self.assertTrue(torch.equal(actual, expected))

    def test_weights_are_not_kept_alive(self):
        network = NETWORKS["gru"]()
        weight = weakref.ref(network.weight_ih_l0)
        packseq.freeze(list(network.parameters()))
        with engine(), torch.no_grad():
            network(make_batch())
        del network
        gc.collect()
        self.assertIsNone(weight())

    def test_whole_models(self):
        model = torch.nn.ModuleDict({"embedding": torch.nn.Embedding(7, 3), "lstm": NETWORKS["lstm"]()})
        packseq.freeze(list(model.parameters()))
        self.assertTrue(packseq.frozen(list(model.lstm.parameters())))

    def test_refusals(self):
        with self.assertRaisesRegex(ValueError, "weight 0 is Half"):
            packseq.freeze([torch.zeros(2, 2, dtype=torch.half)])

    def test_memory_is_released(self):
        network, packed = NETWORKS["lstm"](), make_batch()
        self.assert_same(lambda: flat(network(packed)))
        packseq.release_memory()
        self.assert_same(lambda: flat(network(packed)))


if __name__ == "__main__":
    unittest.main()
