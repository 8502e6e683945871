"""Python's networks run in the engine, and come to LibTorch's results."""

import copy
import io
import random
import threading

import torch
from torch import nn

from python_support import NETWORKS, OPTIONS, EngineTest, engine, flat, make_batch, results_and_gradients


def initial_state(network, documents, dtype):
    count = network.num_layers * (2 if network.bidirectional else 1)
    sizes = [network.proj_size or network.hidden_size]
    if isinstance(network, nn.LSTM):
        sizes.append(network.hidden_size)
    states = tuple(torch.randn(count, documents, size, dtype=dtype, requires_grad=True) for size in sizes)
    return states if len(states) > 1 else states[0]


class EagerTest(EngineTest):
    def test_random_networks(self):
        self.addCleanup(torch.set_num_threads, torch.get_num_threads())
        for seed in range(12):
            generator = random.Random(seed)
            torch.set_num_threads(generator.randint(1, 2))
            for name, make in NETWORKS.items():
                dtype = generator.choice([torch.float, torch.double])
                options = {"num_layers": generator.randint(1, 3), "bidirectional": generator.random() < 0.5,
                           "bias": generator.random() < 0.8, "dtype": dtype}
                lengths = [generator.randint(1, 9) for _ in range(generator.randint(1, 20))]
                with self.subTest(name=name, seed=seed, lengths=lengths, **options):
                    network = make(**options)
                    state = initial_state(network, len(lengths), dtype) if seed % 2 else None
                    packed = make_batch(dtype, lengths, requires_grad=True)
                    self.assert_same(lambda: results_and_gradients(network, packed, state),
                                     1e-4 if dtype == torch.float else 1e-9)

    def test_engine_runs(self):
        for name, make in NETWORKS.items():
            with self.subTest(name):
                network, packed = make(**OPTIONS), make_batch()
                self.assert_fused(lambda: network(packed))
                with torch.no_grad():
                    self.assert_fused(lambda: network(packed))
                with torch.inference_mode():
                    self.assert_fused(lambda: network(packed))

    def test_inference_mode(self):
        for name, make in NETWORKS.items():
            with self.subTest(name), torch.inference_mode():
                network, packed = make(**OPTIONS), make_batch()
                self.assert_same(lambda: flat(network(packed)))

    def test_frozen_parameters_and_data_without_gradient(self):
        for name, make in NETWORKS.items():
            with self.subTest(name):
                network = make(**OPTIONS)
                for parameter in list(network.parameters())[::2]:
                    parameter.requires_grad_(False)
                packed = make_batch()
                self.assert_same(lambda: results_and_gradients(network, packed), 1e-4)

    def test_dropout_draws_the_same_numbers(self):
        network, packed = nn.LSTM(3, 4, num_layers=3, dropout=0.4), make_batch(requires_grad=True)

        def run():
            torch.manual_seed(5)
            return results_and_gradients(network, packed)

        self.assert_same(run, 1e-4)

    def test_refusals_are_libtorchs(self):
        network, packed = nn.LSTM(3, 4), make_batch()
        one_row_less = packed._replace(data=packed.data[:-1])
        with engine(), self.assertRaisesRegex(RuntimeError, "must|size|exceeds|dimension"):
            network(one_row_less)


class ModuleTest(EngineTest):
    def test_copies(self):
        network, packed = nn.LSTM(3, 4, **OPTIONS), make_batch()
        expected = flat(network(packed))
        with engine():
            network(packed)
            file = io.BytesIO()
            torch.save(network, file)
            file.seek(0)
            for copied in (copy.deepcopy(network), torch.load(file, weights_only=False)):
                self.assert_close(flat(copied(packed)), expected)

    def test_many_threads_run_one_network(self):
        network = nn.LSTM(3, 4, **OPTIONS)
        batches = [make_batch(lengths=range(1, 2 + i), requires_grad=True) for i in range(8)]
        expected = [results_and_gradients(network, batch) for batch in batches]
        actual = [[] for _ in batches]

        def work(i):
            torch.set_num_threads(1 + i % 2)
            for _ in range(10):
                actual[i].append(results_and_gradients(network, batches[i]))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(len(batches))]
        with engine():
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for of_thread, of_batch in zip(actual, expected):
            self.assertEqual(len(of_thread), 10)
            for one in of_thread:
                self.assert_close(one, of_batch, 1e-4)
