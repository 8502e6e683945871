#!/usr/bin/env python3
"""OpenVINO: its LSTMSequence and GRUSequence on the CPU, told the lengths and padded, in float and with its hint for
bfloat16.

The CPU plugin (2026.4.1) has a fused primitive for a sequence, which takes no lengths: it is used only where they are a
constant of all steps, which is right for the outputs of a forward network over real cells, but for final states only at
fill 1. Lengths that are an input, as a user has them, make it a loop of steps with masks, whatever their values.

Shapes are static: with a dynamic batch or time dimension the CPU plugin ignores the lengths in silence.
"""

import functools

import numpy
import openvino
from openvino import opset14 as opset

from peer import Contender, reorder, serve

GATES = {"lstm": (1, 0, 2, 3), "gru": (1, 0, 2)}  # f i c o; z r h


def gru_biases(case):
    """z, r and the input's of n, then the hidden state's of n."""
    z_r = (case.b_ih + case.b_hh)[:2 * case.size]
    return numpy.concatenate([reorder(numpy.concatenate([z_r, case.b_ih[2 * case.size:]]), GATES["gru"]),
                              case.b_hh[2 * case.size:]])


def make_model(case, padded):
    longest, batch, size = case.x.shape
    x = opset.parameter([batch, longest, size], numpy.float32)
    lengths = (opset.constant(numpy.full(batch, longest, numpy.int32)) if padded else
               opset.parameter([batch], numpy.int32))
    order = GATES[case.kind]
    zeros = opset.constant(numpy.zeros((batch, 1, size), numpy.float32))
    w_ih, w_hh = (opset.constant(reorder(matrix, order)[None]) for matrix in (case.w_ih, case.w_hh))
    if case.kind == "lstm":
        bias = opset.constant(reorder(case.b_ih + case.b_hh, order)[None])
        sequence = opset.lstm_sequence(x, zeros, zeros, lengths, w_ih, w_hh, bias, size, "FORWARD")
    else:
        bias = opset.constant(gru_biases(case)[None])
        sequence = opset.gru_sequence(x, zeros, lengths, w_ih, w_hh, bias, size, "FORWARD", linear_before_reset=True)
    return openvino.Model([sequence.output(0), sequence.output(1)], [x] if padded else [x, lengths])


def prepare(case, precision, padded):
    compiled = openvino.Core().compile_model(make_model(case, padded), "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": precision})
    request = compiled.create_infer_request()
    request.set_input_tensor(0, openvino.Tensor(numpy.ascontiguousarray(case.x.swapaxes(0, 1))))
    if not padded:
        request.set_input_tensor(1, openvino.Tensor(case.lengths.astype(numpy.int32)))

    def read(_):
        output, h = (request.get_output_tensor(number).data for number in (0, 1))
        results = {"output": output[:, 0].swapaxes(0, 1)}
        return results if padded and not case.real.all() else {**results, "h": h[:, 0]}

    return lambda: request.infer(share_outputs=True), read


def contenders(layout, padded):
    return {f"OpenVINO{layout}": Contender(functools.partial(prepare, precision="f32", padded=padded)),
            f"OpenVINO bfloat16{layout}": Contender(functools.partial(prepare, precision="bf16", padded=padded),
                                                    "bfloat16")}


serve(f"OpenVINO {openvino.__version__.partition('-')[0]}", contenders("", False) | contenders(" padded", True))
