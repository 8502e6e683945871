#!/usr/bin/env python3
"""ONNX Runtime: ONNX's LSTM and GRU, told the lengths."""

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from peer import Contender, reorder, serve

GATES = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}  # i o f c; z r h


def make_model(case):
    order = GATES[case.kind]
    biases = numpy.concatenate([reorder(case.b_ih, order), reorder(case.b_hh, order)])
    weights = {"W": reorder(case.w_ih, order), "R": reorder(case.w_hh, order), "B": biases}
    options = {"linear_before_reset": 1} if case.kind == "gru" else {}
    node = helper.make_node(case.kind.upper(), ["X", "W", "R", "B", "lengths"], ["Y", "Y_h"], hidden_size=case.size,
                            **options)
    graph = helper.make_graph(
        [node], case.kind,
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, case.x.shape),
         helper.make_tensor_value_info("lengths", TensorProto.INT32, [case.batch])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [len(case.x), 1, case.batch, case.size]),
         helper.make_tensor_value_info("Y_h", TensorProto.FLOAT, [1, case.batch, case.size])],
        [numpy_helper.from_array(values[None], name) for name, values in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def prepare(case):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(make_model(case), options, providers=["CPUExecutionProvider"])
    feeds = {"X": case.x, "lengths": case.lengths.astype(numpy.int32)}
    return lambda: session.run(None, feeds), lambda results: {"output": results[0][:, 0], "h": results[1][0]}


serve(f"ONNX Runtime {onnxruntime.__version__}", {"ONNX Runtime": Contender(prepare)})
