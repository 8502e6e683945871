"""Programs that pad run in the engine as well, and nothing else of them changes."""

import io
import unittest

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from python_support import NETWORKS, OPTIONS, EngineTest, engine, loss

try:
    from torch.testing._internal.common_modules import module_db
except ImportError:  # it needs packages that LibTorch does not
    module_db = []


def flat(result):
    """The tensors of `network(padded)`."""
    output, state = result
    return [output, *(state if isinstance(state, tuple) else [state])]


def results_and_gradients(network, *inputs):
    results = flat(network(*inputs))
    variables = [tensor for tensor in (*inputs, *network.parameters()) if tensor.requires_grad]
    return results + list(torch.autograd.grad(loss(results), variables))


class EagerTest(EngineTest):
    def test_results_and_gradients(self):
        for name, make in NETWORKS.items():
            for batch_first in (False, True):
                for dtype in (torch.float, torch.double):
                    with self.subTest(name, batch_first=batch_first, dtype=dtype):
                        network = make(batch_first=batch_first, dtype=dtype, **OPTIONS)
                        padded = torch.randn(6, 5, 3, dtype=dtype, requires_grad=True)
                        self.assert_same(lambda: results_and_gradients(network, padded))
                        self.assert_fused(lambda: network(padded))

    def test_unbatched(self):
        for name, make in NETWORKS.items():
            with self.subTest(name):
                network, sequence = make(), torch.randn(6, 3, requires_grad=True)
                self.assert_same(lambda: results_and_gradients(network, sequence))
                self.assert_fused(lambda: network(sequence))

    def test_without_gradients(self):
        for name, make in NETWORKS.items():
            with self.subTest(name):
                network, padded = make(batch_first=True), torch.randn(6, 5, 3)
                for mode in (torch.no_grad, torch.inference_mode):
                    with mode():
                        self.assert_same(lambda: flat(network(padded)))
                        self.assert_fused(lambda: network(padded))

    def test_output_changed_where_gradients_are_recorded(self):
        factor = torch.ones(4, requires_grad=True)
        for batch_first in (False, True):
            network, padded = nn.GRU(3, 4, batch_first=batch_first), torch.randn(6, 5, 3)

            def run():
                with torch.no_grad():
                    output, _ = network(padded)
                output *= factor
                return torch.autograd.grad(output.sum(), factor)

            self.assert_same(run)

    def test_input_changed_before_the_backward_pass(self):
        """LibTorch saves a copy of it where the batch comes first; else it refuses."""
        for name, make in NETWORKS.items():
            with self.subTest(name):
                network = make(batch_first=True)
                padded = torch.randn(6, 5, 3, requires_grad=True)

                def run():
                    changing = padded * 1
                    output, _ = network(changing)
                    changing += output.mean()
                    return torch.autograd.grad(changing.sum() + output.sum(), [padded, *network.parameters()])

                self.assert_same(run, 1e-4)

    def test_func(self):
        network, padded = nn.GRU(3, 4), torch.randn(6, 5, 3, dtype=torch.float)
        parameters = dict(network.named_parameters())

        def total(parameters):
            return torch.func.functional_call(network, parameters, (padded,))[0].sin().sum()

        self.assert_same(lambda: list(torch.func.grad(total)(parameters).values()), 1e-4)

    def test_checkpoint(self):
        for reentrant in (False, True):
            network, padded = nn.LSTM(3, 4, **OPTIONS), torch.randn(6, 5, 3, requires_grad=True)

            def run():
                results = checkpoint(lambda data: tuple(flat(network(data))), padded, use_reentrant=reentrant)
                network.zero_grad()
                padded.grad = None
                loss(results).backward()
                return [padded.grad, *(parameter.grad.clone() for parameter in network.parameters())]

            self.assert_same(run, 1e-4)

    def test_refusals_name_the_argument(self):
        network, state = nn.GRU(3, 4), torch.zeros(1, 5, 4)
        run = lambda input: torch._VF.gru(input, state, network._flat_weights, True, 1, 0.0, False, False, False)
        with engine():
            with self.assertRaisesRegex(RuntimeError, r"gru: input has sizes \[6, 5, 2\], and must be \[T, B, 3\]"):
                run(torch.zeros(6, 5, 2))
            with self.assertRaisesRegex(RuntimeError, "gru: input is Long on cpu.*did you forget the embedding"):
                run(torch.zeros(6, 5, 3, dtype=torch.long))


class Model(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, padded: torch.Tensor) -> torch.Tensor:
        return self.network(padded)[0]


class CompiledTest(EngineTest):
    def check(self, compile, train=True):
        padded = torch.randn(6, 5, 3)
        for name, make in NETWORKS.items():
            for batch_first in (False, True):
                with self.subTest(name, batch_first=batch_first):
                    model = Model(make(batch_first=batch_first, **OPTIONS))
                    compiled = compile(model, padded)

                    def run():
                        output = compiled(padded)
                        gradients = torch.autograd.grad(loss([output]), list(model.parameters())) if train else ()
                        return [output, *gradients]

                    for _ in range(3):  # TorchScript rewrites its graph in the first two
                        self.assert_same(run, 1e-4)
                    self.assert_fused(lambda: compiled(padded))

    def test_script(self):
        self.check(lambda model, padded: torch.jit.script(model))

    def test_trace(self):
        self.check(lambda model, padded: torch.jit.trace(model, padded))

    def test_freeze(self):
        self.check(lambda model, padded: torch.jit.freeze(torch.jit.script(model.eval())), train=False)

    def test_saved_and_loaded(self):
        def compile(model, padded):
            file = io.BytesIO()
            torch.jit.save(torch.jit.script(model.eval()), file)
            file.seek(0)
            return torch.jit.load(file)

        self.check(compile, train=False)

    def test_compile(self):
        """torch.compile leaves networks to the operators, or, with `allow_rnn`, takes them apart itself."""
        for allow_rnn in (False, True):
            for name, make in NETWORKS.items():
                if allow_rnn and name == "lstm":
                    continue  # oneDNN's does not train in a graph
                with self.subTest(name, allow_rnn=allow_rnn), torch._dynamo.config.patch(allow_rnn=allow_rnn):
                    torch.compiler.reset()
                    model, padded = Model(make(batch_first=True)), torch.randn(6, 5, 3)
                    compiled = torch.compile(model, backend="aot_eager")
                    try:
                        compiled(padded)
                    except Exception as error:
                        self.skipTest(f"torch.compile does not work here: {error}")
                    def gradients(model):
                        return torch.autograd.grad(model(padded).sum(), list(model.parameters()))

                    self.assert_same(lambda: gradients(compiled), 1e-4)
                    if not allow_rnn:
                        self.assert_fused(lambda: compiled(padded))
                    with engine():  # compiled anew
                        torch.compiler.reset()
                        of_engine = gradients(compiled)
                    self.assert_close(of_engine, gradients(model), 1e-4)

    def test_export(self):
        for name, make in NETWORKS.items():
            with self.subTest(name):
                model, padded = Model(make(**OPTIONS)).eval(), torch.randn(6, 5, 3)
                expected = model(padded)
                with engine():
                    exported = torch.export.export(model, (padded,))
                    self.assert_close(exported.module()(padded), expected)
                self.assert_close(exported.module()(padded), expected)


@unittest.skipUnless(module_db, "this Python lacks what PyTorch's module samples need")
class SamplesTest(EngineTest):
    """PyTorch's own samples of how its modules are called."""

    def test_samples(self):
        of_modules = [info for info in module_db if info.module_cls in (nn.LSTM, nn.GRU, nn.RNN)]
        self.assertEqual(len(of_modules), 3)
        for info in of_modules:
            for dtype in info.dtypes:
                for training in (False, True):
                    samples = info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=True,
                                                      training=training)
                    for sample in samples:
                        self.check(info.module_cls, sample, dtype, training)

    def check(self, make, sample, dtype, training):
        with self.subTest(make.__name__, dtype=dtype, training=training, sample=sample):
            network = make(*sample.constructor_input.args, dtype=dtype, **sample.constructor_input.kwargs)
            network.train(training)
            arguments = sample.forward_input.args
            states = arguments[1] if len(arguments) > 1 else ()
            inputs = [arguments[0], *(states if isinstance(states, tuple) else [states])]

            def run():
                results = flat(network(*arguments, **sample.forward_input.kwargs))
                return results + list(torch.autograd.grad(loss(results), [*inputs, *network.parameters()]))

            self.assert_same(run, 1e-4)
            self.assert_fused(lambda: network(*arguments, **sample.forward_input.kwargs))
