#!/usr/bin/env python3
"""PaddlePaddle: its LSTM and GRU, told the lengths. Gates and formulas are LibTorch's.

The MKL that it brings takes its slowest code on CPUs that are not Intel's, unless MKL_DEBUG_CPU_TYPE=5 asks for AVX2.
"""

import os

import paddle

from names import MODES
from peer import WEIGHTS, Contender, serve


def make_network(case):
    make = {"lstm": paddle.nn.LSTM, "gru": paddle.nn.GRU}[case.kind]
    network = make(case.size, case.size, time_major=True)
    for name, attribute in WEIGHTS.items():
        getattr(network, attribute).set_value(getattr(case, name))
    network.train() if case.training else network.eval()
    return network


def prepare(case):
    network = make_network(case)
    x, dy, lengths = (paddle.to_tensor(array) for array in (case.x, case.dy, case.lengths))
    x.stop_gradient = not case.training

    def infer():
        with paddle.no_grad():
            return network(x, sequence_length=lengths)

    def train():
        x.clear_gradient(set_to_zero=False)
        network.clear_gradients(set_to_zero=False)
        output, state = network(x, sequence_length=lengths)
        output.backward(dy)
        return output, state

    def read(result):
        output, state = result
        results = {"output": output.numpy(), "h": (state[0] if case.kind == "lstm" else state)[0].numpy()}
        if case.training:
            gradients = {f"d_{name}": getattr(network, attribute).grad for name, attribute in WEIGHTS.items()}
            results |= {name: tensor.numpy() for name, tensor in {"d_x": x.grad, **gradients}.items()}
        return results

    return (train if case.training else infer), read


paddle.set_device("cpu")
name = "PaddlePaddle AVX2" if os.environ.get("MKL_DEBUG_CPU_TYPE") == "5" else "PaddlePaddle"
serve(f"PaddlePaddle {paddle.__version__}", {name: Contender(prepare, modes=MODES)})
