#!/usr/bin/env python3
"""JAX with Flax (linen): its RNN over an OptimizedLSTMCell or a GRUCell, told the lengths and compiled."""

import flax
import jax
import numpy
from flax import linen

from names import MODES
from peer import Contender, serve

GATES = {"lstm": "ifgo", "gru": "rzn"}


def to_flax(case):
    """The parameters: "ii" is of gate i and the input, "hi" of the hidden state. Only n of a GRU has two biases."""
    cell = {}
    w_ih, w_hh, b_ih, b_hh = (numpy.split(array, len(GATES[case.kind]))
                              for array in (case.w_ih, case.w_hh, case.b_ih, case.b_hh))
    for number, gate in enumerate(GATES[case.kind]):
        cell[f"i{gate}"], cell[f"h{gate}"] = {"kernel": w_ih[number].T}, {"kernel": w_hh[number].T}
        if gate == "n":
            cell["in"]["bias"], cell["hn"]["bias"] = b_ih[number], b_hh[number]
        else:
            cell["hi"[case.kind == "gru"] + gate]["bias"] = b_ih[number] + b_hh[number]
    return {"params": {"cell": cell}}


def read_gradients(case, gradients):
    """In LibTorch's layout."""
    cell = gradients["params"]["cell"]
    gates = GATES[case.kind]

    def bias(side, gate):
        return next(cell[name]["bias"] for name in (side + gate, "h" + gate, "i" + gate) if "bias" in cell[name])

    return {**{f"d_w_{side}h": numpy.concatenate([cell[side + gate]["kernel"].T for gate in gates]) for side in "ih"},
            **{f"d_b_{side}h": numpy.concatenate([bias(side, gate) for gate in gates]) for side in "ih"}}


def prepare(case):
    cell = {"lstm": linen.OptimizedLSTMCell, "gru": linen.GRUCell}[case.kind](case.size)
    network = linen.RNN(cell, time_major=True, return_carry=True)
    parameters, x, dy, lengths = jax.device_put((to_flax(case), case.x, case.dy, case.lengths))

    def infer(parameters, x, lengths):
        return network.apply(parameters, x, seq_lengths=lengths)

    def train(parameters, x, lengths, dy):
        output, backward, carry = jax.vjp(lambda parameters, x: infer(parameters, x, lengths)[::-1], parameters, x,
                                          has_aux=True)
        return carry, output, backward(dy)

    def read(result):
        carry, output, *gradients = result
        results = {"output": output, "h": carry[1] if case.kind == "lstm" else carry}
        if case.training:
            of_parameters, d_x = gradients[0]
            results |= {"d_x": d_x, **read_gradients(case, of_parameters)}
        return results

    arguments = (parameters, x, lengths, dy) if case.training else (parameters, x, lengths)
    compiled = jax.jit(train if case.training else infer).lower(*arguments).compile()
    return lambda: jax.block_until_ready(compiled(*arguments)), read


serve(f"Flax {flax.__version__} on JAX {jax.__version__}",
      {"Flax": Contender(prepare, modes=MODES)})
