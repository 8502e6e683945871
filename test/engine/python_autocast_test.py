"""Under autocast programs run in the engine, and get the dtypes that LibTorch gives padded batches, whatever the
lengths. What it makes of numbers and dtypes, the tests in C++ say."""

import itertools

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence
from torch.utils.checkpoint import checkpoint

from python_support import NETWORKS, OPTIONS, EngineTest, Padded, engine, flat, make_batch


def autocast(enabled=True):
    return torch.autocast("cpu", torch.bfloat16, enabled)


def tensors(result):
    """Those of `network(packed)` or `network(padded)`."""
    output, state = result
    output = output.data if isinstance(output, PackedSequence) else output
    return [output, *(state if isinstance(state, tuple) else [state])]


def dtypes(result):
    return [tensor.dtype for tensor in tensors(result)]


def make_layouts():
    """Packed documents of unlike and of like lengths, one alone, and a padded batch."""
    documents = lambda *lengths: pack_sequence([torch.randn(length, 3) for length in lengths])
    return {"packed": documents(5, 4, 2), "equal": documents(5, 5, 5), "one": documents(5),
            "padded": torch.randn(5, 3, 3)}


def casts(function, shape):
    """How often tensors of this shape are copied to another dtype."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=True) as profile:
        function()
    return sum(event.name == "aten::_to_copy" and event.input_shapes[0] == list(shape) for event in profile.events())


class CastInside(Padded):
    """A region of TorchScript's own."""

    def forward(self, padded: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            packed = pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
            output, _ = self.network(packed)
            data = output.data
        return data


class DtypeTest(EngineTest):
    def test_dtypes_are_those_of_a_padded_batch(self):
        for name, make in NETWORKS.items():
            network, layouts = make(), make_layouts()
            with autocast():
                expected = dtypes(network(layouts["padded"]))
            for layout, batch in layouts.items():
                with self.subTest(name, layout=layout):
                    with autocast():
                        self.assert_fused(lambda: network(batch))
                        with engine():
                            results = network(batch)
                            self.assertEqual(dtypes(results), expected)
                            with torch.no_grad():
                                self.assertEqual(dtypes(network(batch)), expected)
                    network.zero_grad()
                    sum(tensor.float().sum() for tensor in tensors(results)).backward()
                    self.assertEqual({weight.grad.dtype for weight in network.parameters()}, {torch.float})

    def test_nested(self):
        network, packed = nn.LSTM(3, 4), make_batch()
        with engine():
            exact = flat(network(packed))
            with autocast():
                rounded = flat(network(packed))
                with autocast(enabled=False):
                    self.assert_close(flat(network(packed)), exact, 0)
                self.assert_close(flat(network(packed)), rounded, 0)
            self.assert_close(flat(network(packed)), exact, 0)


class CacheTest(EngineTest):
    """Where LibTorch rounds each weight once in a region, and keeps it until its end."""

    def test_no_weight_is_rounded(self):
        for name, make in NETWORKS.items():
            with self.subTest(name):
                network, packed = make(), make_batch()

                def twice():
                    with autocast():
                        network(packed)
                        network(packed)

                self.assertEqual(casts(twice, network.weight_ih_l0.shape), 1)
                with engine():
                    self.assertEqual(casts(twice, network.weight_ih_l0.shape), 0)

    def test_others_find_their_weights(self):
        network, packed = nn.GRU(3, 4), make_batch()
        linear = nn.Linear(3, 4)

        def run():
            with autocast():
                linear(packed.data)
                network(packed)
                linear(packed.data)

        with engine():
            self.assertEqual(casts(run, linear.weight.shape), 1)

    def test_weights_of_two_layers(self):
        """A network and a linear layer of the same weights: gradients add up."""
        network, packed = nn.LSTM(3, 4), make_batch()

        def gradient(of_network, of_linear):
            with autocast():
                total = 0.0
                if of_linear:
                    total = total + nn.functional.linear(packed.data, network.weight_ih_l0).float().sum()
                if of_network:
                    total = total + network(packed)[0].data.float().sum()
            return torch.autograd.grad(total, network.weight_ih_l0)[0]

        with engine():
            self.assert_close(gradient(True, True), gradient(True, False) + gradient(False, True), 1e-6)

    def test_gradients_after_a_call_without(self):
        network, packed = nn.LSTM(3, 4), make_batch()
        with engine(), autocast():
            with torch.no_grad():
                network(packed)
            network(packed)[0].data.float().sum().backward()
        self.assertGreater(network.weight_ih_l0.grad.abs().max(), 0)


class ProgramTest(EngineTest):
    def test_training_step(self):
        """A linear layer hands bfloat16 on, and the optimizer gets gradients of float."""
        for name, make in NETWORKS.items():
            with self.subTest(name), engine():
                model = nn.ModuleDict({"first": nn.Linear(3, 3), "network": make(**OPTIONS)})
                optimizer = torch.optim.Adam(model.parameters(), 0.02)
                packed = make_batch()

                def loss():
                    with autocast():
                        data = model.first(packed.data)
                        self.assertEqual(data.dtype, torch.bfloat16)
                        output = model.network(packed._replace(data=data))[0].data
                    return (output.float() - 0.5).square().mean()

                before = loss()
                for _ in range(20):
                    optimizer.zero_grad()
                    loss().backward()
                    optimizer.step()
                self.assertLess(loss().item(), 0.9 * before.item())

    def test_checkpoint(self):
        for reentrant in (False, True):
            network, packed = nn.LSTM(3, 4, **OPTIONS), make_batch(requires_grad=True)
            run = lambda data: network(packed._replace(data=data))[0].data
            with engine(), autocast():
                expected = torch.autograd.grad(run(packed.data).float().sum(), list(network.parameters()))
                checkpoint(run, packed.data, use_reentrant=reentrant).float().sum().backward()
            self.assert_close([weight.grad for weight in network.parameters()], list(expected), 0)

    def check_compiled(self, compile):
        padded = torch.randn(4, 6, 3)
        for (name, make), lengths in itertools.product(NETWORKS.items(), ([2, 6, 1, 4], [6, 6, 6, 6])):
            with self.subTest(name, lengths=lengths):
                model, lengths = Padded(make(**OPTIONS)), torch.tensor(lengths)
                compiled = compile(model, padded, lengths)
                with engine(), autocast():
                    expected = model(padded, lengths)
                    for _ in range(3):  # TorchScript rewrites its graph in the first two
                        actual = compiled(padded, lengths)
                        self.assert_close(actual, expected, 0)
                gradients = torch.autograd.grad(actual.float().sum(), list(model.parameters()))
                self.assertEqual({gradient.dtype for gradient in gradients}, {torch.float})
                with autocast():
                    self.assert_fused(lambda: compiled(padded, lengths))

    def test_script(self):
        self.check_compiled(lambda model, *inputs: torch.jit.script(model))

    def test_trace(self):
        self.check_compiled(lambda model, *inputs: torch.jit.trace(model, inputs))

    def test_region_inside_a_script(self):
        """TorchScript casts what it knows, and networks are not among it."""
        for name, make in NETWORKS.items():
            with self.subTest(name):
                compiled = torch.jit.script(CastInside(make(**OPTIONS)))
                self.assert_same(lambda: compiled(torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(1)),
                                                  torch.tensor([2, 6, 1, 4])))

    def test_compile(self):
        def compile(model, *inputs):
            torch.compiler.reset()
            compiled = torch.compile(model, backend="aot_eager")
            try:
                compiled(*inputs)
            except Exception as error:
                self.skipTest(f"torch.compile does not work here: {error}")
            return compiled

        self.check_compiled(compile)
