"""Compiled programs, TorchScript's and torch.compile's, run in the engine."""

import io

import torch
from torch import nn

from python_support import NETWORKS, OPTIONS, EngineTest, Padded, engine, flat, loss, make_batch


class TorchScriptTest(EngineTest):
    def check(self, compile):
        padded, lengths = torch.randn(4, 6, 3), torch.tensor([2, 6, 1, 4])
        for name, make in NETWORKS.items():
            with self.subTest(name):
                model = Padded(make(**OPTIONS))
                compiled = compile(model, padded, lengths)

                def run():
                    output = compiled(padded, lengths)
                    gradients = torch.autograd.grad(loss([output]), list(model.parameters())) if model.training else ()
                    return [output, *gradients]

                for _ in range(3):  # TorchScript rewrites its graph in the first two
                    self.assert_same(run, 1e-4)
                self.assert_fused(lambda: compiled(padded, lengths))

    def test_script(self):
        self.check(lambda model, *inputs: torch.jit.script(model))

    def test_trace(self):
        self.check(lambda model, *inputs: torch.jit.trace(model, inputs))

    def test_trace_by_the_engine(self):
        def compile(model, *inputs):
            with engine():
                return torch.jit.trace(model, inputs)

        self.check(compile)

    def test_freeze(self):
        self.check(lambda model, *inputs: torch.jit.freeze(torch.jit.script(model.eval())))

    def test_saved_and_loaded(self):
        def compile(model, *inputs):
            file = io.BytesIO()
            torch.jit.save(torch.jit.script(model.eval()), file)
            file.seek(0)
            return torch.jit.load(file)

        self.check(compile)


class CompileTest(EngineTest):
    def test_compiled_programs_run_in_the_engine(self):
        """torch.compile leaves recurrent networks to the operators that the engine lies under."""
        for backend in ("eager", "aot_eager", "inductor"):
            for name, make in NETWORKS.items():
                with self.subTest(name, backend=backend):
                    torch.compiler.reset()
                    network, packed = make(), make_batch()
                    compiled = torch.compile(lambda packed: [result.sin() for result in flat(network(packed))],
                                             backend=backend)
                    try:
                        compiled(packed)
                    except Exception as error:
                        self.skipTest(f"torch.compile does not work here: {error}")
                    self.assert_same(lambda: torch.autograd.grad(
                        sum(result.sum() for result in compiled(packed)), list(network.parameters())), 1e-4)
                    self.assert_fused(lambda: compiled(packed))
