"""What the engine does not do, LibTorch does as if the engine were not there: same results, same refusals."""

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.autograd import forward_ad
from torch.func import functional_call, grad, jacrev, jvp, vjp, vmap
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map
from torch.utils.flop_counter import FlopCounterMode

from python_support import NETWORKS, EngineTest, engine, flat, make_batch


class Tagged(torch.Tensor):
    """A subclass by __torch_function__."""


class Wrapped(torch.Tensor):
    """A subclass by __torch_dispatch__, which has no data of its own."""

    @staticmethod
    def __new__(cls, inner):
        return torch.Tensor._make_wrapper_subclass(cls, inner.size(), dtype=inner.dtype, device=inner.device)

    def __init__(self, inner):
        self.inner = inner

    @classmethod
    def __torch_dispatch__(cls, function, types, arguments=(), keywords=None):
        unwrap = lambda value: value.inner if isinstance(value, Wrapped) else value
        result = function(*tree_map(unwrap, arguments), **tree_map(unwrap, keywords or {}))
        return tree_map(lambda v: Wrapped(v) if isinstance(v, torch.Tensor) else v, result)


class Recorder(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.functions = []

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        self.functions.append(str(function))
        return function(*arguments, **(keywords or {}))


class FallbackTest(EngineTest):
    def for_each_network(self, make_run, packed=None, check=None, **options):
        """`make_run(network, packed, run)` makes the function to be checked, where `run(data, parameters={})` are the
        network's results."""
        packed = packed or make_batch()
        for name, make in NETWORKS.items():
            with self.subTest(name):
                network = make(num_layers=2, bidirectional=True, **options)

                def run(data, parameters={}, network=network):
                    return flat(functional_call(network, parameters, (packed._replace(data=data),)))

                (check or self.assert_same)(make_run(network, packed, run), tolerance=1e-4)

    def assert_refused_alike(self, function, **_):
        """LibTorch refuses this with the engine and without, in the same words."""
        messages = []
        for install in (False, True):
            with engine(install), self.assertRaises((RuntimeError, ValueError)) as refusal:
                function()
            messages.append(str(refusal.exception))
        self.assertEqual(*messages)


class TransformTest(FallbackTest):
    def test_functorch(self):
        """None of its transforms knows packed networks."""
        many = torch.randn(3, *make_batch().data.shape)
        for transformed in (
            lambda packed, run: grad(lambda data: run(data)[0].sin().sum())(packed.data),
            lambda packed, run: vjp(lambda data: run(data)[0], packed.data),
            lambda packed, run: jvp(lambda data: run(data)[0], (packed.data,), (packed.data.cos(),)),
            lambda packed, run: jacrev(lambda data: run(data)[1])(packed.data),
            lambda packed, run: vmap(run)(many),
            lambda packed, run: vmap(grad(lambda data: run(data)[0].sin().sum()))(many),
        ):
            self.for_each_network(lambda network, packed, run: lambda: transformed(packed, run),
                                  check=self.assert_refused_alike)

    def test_forward_mode_gradient_of_data(self):
        def make_run(network, packed, run):
            def run_dual():
                with forward_ad.dual_level():
                    dual = forward_ad.make_dual(packed.data, packed.data.cos())
                    return [forward_ad.unpack_dual(result).tangent for result in run(dual)]

            return run_dual

        self.for_each_network(make_run)

    def test_forward_mode_gradient_of_a_parameter(self):
        def make_run(network, packed, run):
            def run_dual():
                weight = network.weight_hh_l0.detach()
                with forward_ad.dual_level():
                    dual = forward_ad.make_dual(weight, weight.cos())
                    results = run(packed.data, {"weight_hh_l0": dual})
                    return [forward_ad.unpack_dual(result).tangent for result in results]

            return run_dual

        self.for_each_network(make_run)


class TensorKindTest(FallbackTest):
    def test_half(self):
        self.for_each_network(lambda network, packed, run: lambda: run(packed.data), make_batch(torch.half),
                              dtype=torch.half)

    def test_dtypes_that_differ(self):
        """The engine refuses what the modules have not refused before."""
        def assert_refused(function, **_):
            with engine(), self.assertRaisesRegex((RuntimeError, ValueError), "does not match|data is Double on cpu"):
                function()

        self.for_each_network(lambda network, packed, run: lambda: run(packed.data), make_batch(torch.double),
                              check=assert_refused)

    def test_torch_function_subclass(self):
        def make_run(network, packed, run):
            def run_tagged():
                results = run(packed.data.as_subclass(Tagged))
                self.assertIsInstance(results[0], Tagged)
                return results

            return run_tagged

        self.for_each_network(make_run)

    def test_torch_dispatch_subclass(self):
        def make_run(network, packed, run):
            def run_wrapped():
                parameters = {name: Wrapped(parameter.detach()) for name, parameter in network.named_parameters()}
                return [result.inner for result in run(Wrapped(packed.data), parameters)]

            return run_wrapped

        self.for_each_network(make_run)

    def test_torch_dispatch_subclass_as_the_only_parameter(self):
        self.for_each_network(lambda network, packed, run: lambda: [
            result.inner for result in run(packed.data, {"weight_hh_l1": Wrapped(network.weight_hh_l1.detach())})])

    def test_zero_tensor(self):
        self.for_each_network(
            lambda network, packed, run: lambda: run(torch._efficientzerotensor(packed.data.shape)))

    def test_negative_bit(self):
        self.for_each_network(lambda network, packed, run: lambda: run(torch._neg_view(packed.data)))

    def test_sparse(self):
        self.for_each_network(lambda network, packed, run: lambda: run(packed.data.to_sparse()))

    def test_meta(self):
        for name, make in NETWORKS.items():
            with self.subTest(name), engine():
                network, packed = make(device="meta"), make_batch()
                results = flat(network(packed._replace(data=packed.data.to("meta"))))
                self.assertTrue(all(result.is_meta for result in results))
                self.assertEqual(results[0].shape, (15, network.proj_size or 4))


class ModeTest(FallbackTest):
    def test_dispatch_mode_sees_the_same_functions(self):
        def make_run(network, packed, run):
            def functions():
                with Recorder() as recorder:
                    network(packed)
                return recorder.functions

            return functions

        def check(function, **_):
            expected = function()
            self.assertTrue({"aten.mm.default", "aten.addmm.default"} & set(expected))
            with engine():
                self.assertEqual(function(), expected)

        self.for_each_network(make_run, check=check)

    def test_flop_counter(self):
        network, packed = nn.LSTM(3, 4), make_batch()

        def count():
            with FlopCounterMode(display=False) as counter:
                network(packed)
            return counter.get_total_flops()

        expected = count()
        self.assertGreater(expected, 0)
        with engine():
            self.assertEqual(count(), expected)

    def test_fake_tensors(self):
        packed, state = make_batch(), torch.zeros(1, 4, 4)

        def run():
            with FakeTensorMode(allow_non_fake_inputs=True) as mode:
                network = nn.GRU(3, 4)
                return torch._VF.gru(mode.from_tensor(packed.data), packed.batch_sizes, mode.from_tensor(state),
                                     network._flat_weights, True, 1, 0.0, True, False)

        for install in (False, True):
            with engine(install):
                output, h_n = run()
                self.assertIsInstance(output, FakeTensor)
                self.assertEqual((output.shape, h_n.shape), ((15, 4), (1, 4, 4)))
