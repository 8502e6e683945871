"""Autograd's ways with networks that ran in the engine."""

import torch
from torch import nn
from torch._dynamo import compiled_autograd
from torch.autograd import forward_ad
from torch.func import jvp, vjp
from torch.utils.checkpoint import checkpoint

from python_support import NETWORKS, OPTIONS, EngineTest, engine, flat, loss, make_batch, results_and_gradients


class GradientTest(EngineTest):
    def test_double_backward(self):
        for name, make in NETWORKS.items():
            with self.subTest(name), engine():
                network, packed = make(dtype=torch.double, **OPTIONS), make_batch(torch.double, (3, 1, 2))

                def run(data, *parameters):
                    named = dict(zip(dict(network.named_parameters()), parameters))
                    return flat(torch.func.functional_call(network, named, (packed._replace(data=data),)))

                inputs = [packed.data.requires_grad_(), *network.parameters()]
                self.assertTrue(torch.autograd.gradcheck(run, inputs, fast_mode=True))
                self.assertTrue(torch.autograd.gradgradcheck(run, inputs, fast_mode=True))

    def test_gradient_penalty_with_dropout(self):
        network, packed = nn.GRU(3, 4, num_layers=2, dropout=0.4), make_batch(requires_grad=True)

        def run():
            torch.manual_seed(5)
            results = flat(network(packed))
            gradient, = torch.autograd.grad(loss(results), packed.data, create_graph=True)
            return torch.autograd.grad(gradient.square().sum(), list(network.parameters()))

        self.assert_same(run, 1e-4)

    def test_checkpoint(self):
        for reentrant in (False, True):
            for name, make in NETWORKS.items():
                with self.subTest(name, reentrant=reentrant):
                    network, packed = make(**OPTIONS), make_batch(requires_grad=True)

                    def run():
                        results = checkpoint(lambda data: tuple(flat(network(packed._replace(data=data)))), packed.data,
                                             use_reentrant=reentrant)
                        network.zero_grad()
                        packed.data.grad = None
                        loss(results).backward()
                        return [packed.data.grad, *(parameter.grad.clone() for parameter in network.parameters())]

                    self.assert_same(run, 1e-4)

    def test_saved_tensor_hooks(self):
        network, packed = nn.LSTM(3, 4, **OPTIONS), make_batch(requires_grad=True)

        def run():
            with torch.autograd.graph.save_on_cpu():
                return results_and_gradients(network, packed)

        self.assert_same(run, 1e-4)

    def test_weights_changed_before_the_backward_pass(self):
        network, packed = nn.LSTM(3, 4), make_batch()
        with engine():
            results = flat(network(packed))
            with torch.no_grad():
                network.weight_hh_l0.add_(1)
            with self.assertRaisesRegex(RuntimeError, "modified by an inplace operation"):
                loss(results).backward()

    def test_output_changed_in_place(self):
        """LibTorch's operators for packed batches let programs do so."""
        for name, make in NETWORKS.items():
            network, packed = make(**OPTIONS), make_batch(requires_grad=True)

            def changed(data):
                results = flat(network(packed._replace(data=data)))
                results[0].mul_(2).clamp_(-0.5, 0.5)
                return tuple(results)

            def saved_elsewhere(data):
                with torch.autograd.graph.save_on_cpu():
                    return changed(data)

            ways = [changed, saved_elsewhere, lambda data: checkpoint(changed, data, use_reentrant=False),
                    lambda data: checkpoint(changed, data, use_reentrant=True)]
            for number, way in enumerate(ways):
                with self.subTest(name, way=number):
                    def run():
                        network.zero_grad()
                        packed.data.grad = None
                        loss(way(packed.data)).backward()
                        return [packed.data.grad, *(parameter.grad.clone() for parameter in network.parameters())]

                    self.assert_same(run, 1e-4)

    def test_graph_used_twice(self):
        network, packed = nn.LSTM(3, 4), make_batch()
        with engine():
            total = loss(flat(network(packed)))
            first = torch.autograd.grad(total, list(network.parameters()), retain_graph=True)
            self.assert_close(torch.autograd.grad(total, list(network.parameters())), first, 0)


class GradientKindTest(EngineTest):
    """Gradients that the engine does not read, of networks that it ran."""

    def check(self, backward, tolerance=1e-4):
        """`backward(outputs, variables)` are gradients."""
        for name, make in NETWORKS.items():
            with self.subTest(name):
                network, packed = make(**OPTIONS), make_batch(requires_grad=True)
                variables = [packed.data, *network.parameters()]
                self.assert_same(lambda: backward(network(packed)[0].data, variables), tolerance)

    def test_many_at_once(self):
        self.check(lambda output, variables: torch.autograd.grad(
            output, variables, torch.randn(3, *output.shape, generator=torch.Generator().manual_seed(1)),
            is_grads_batched=True))

    def test_zeros_that_are_not_in_memory(self):
        self.check(lambda output, variables: torch.autograd.grad(
            output, variables, torch._efficientzerotensor(output.shape)))

    def test_gradient_with_its_negative_bit_set(self):
        self.check(lambda output, variables: torch.autograd.grad(
            output, variables, torch._neg_view(torch.arange(float(output.numel())).view_as(output))))

    def test_gradient_with_a_tangent(self):
        def backward(output, variables):
            with forward_ad.dual_level():
                tangent = torch.arange(float(output.numel())).view_as(output)
                incoming = forward_ad.make_dual(torch.ones_like(output), tangent)
                gradients = torch.autograd.grad(output, variables, incoming)
                return [forward_ad.unpack_dual(gradient).tangent for gradient in gradients]

        self.check(backward)

    def test_transforms_of_the_backward_pass(self):
        ones = torch.ones_like

        def gradients(output, variables):
            return lambda incoming: torch.autograd.grad(output, variables, incoming, retain_graph=True,
                                                        create_graph=True)

        def of_incoming(output, variables):
            return vjp(gradients(output, variables), ones(output))[1](tuple(map(ones, variables)))

        self.check(lambda output, variables: jvp(gradients(output, variables), (ones(output),), (ones(output),))[1])
        self.check(of_incoming)

    def test_backward_pass_under_autocast(self):
        def backward(output, variables):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return torch.autograd.grad(output.sum(), variables)

        self.check(backward, tolerance=0.1)

    def test_compiled_autograd(self):
        network, packed = nn.LSTM(3, 4), make_batch()

        def run():
            results = flat(network(packed))
            results[0].mul_(2)
            return torch.autograd.grad(loss(results), list(network.parameters()))

        expected = run()
        with engine(), compiled_autograd._enable(torch.compile(backend="eager")):
            self.assert_close(run(), expected, 1e-4)
