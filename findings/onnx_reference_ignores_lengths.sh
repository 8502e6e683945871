#!/usr/bin/env bash
# onnx 1.23.2: the format's own reference evaluator ignores the lengths of sequences (`sequence_lens`) of LSTM, GRU and
# RNN in silence.
#
# ReferenceEvaluator is there to tell what a model of ONNX means, and exporters are tested with it. Of a batch with
# lengths 4 and 2 it gives both documents four steps: no output is zero, and a reverse direction begins in the padding.
# Runtimes that heed the lengths, ONNX Runtime 1.32.0 here, give other numbers for every document that is not the
# longest.
#
# Seen, for each operator and direction: the longest document equal, the other one different. Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnx==1.23.2 onnxruntime==1.32.0
"$folder/venv/bin/python" -W ignore - <<'END'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

random = np.random.default_rng(0)


def outputs(operator, gates, direction):
    node = helper.make_node(operator, ["X", "W", "R", "", "lengths"], ["Y"], hidden_size=3, direction=direction)
    shapes = {"X": (4, 2, 5), "W": (1, 3 * gates, 5), "R": (1, 3 * gates, 3)}
    taken = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    taken.append(helper.make_tensor_value_info("lengths", TensorProto.INT32, (2,)))
    given = helper.make_tensor_value_info("Y", TensorProto.FLOAT, (4, 1, 2, 3))
    model = helper.make_model(helper.make_graph([node], "network", taken, [given]),
                              opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    onnx.checker.check_model(model)
    inputs = {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    inputs["lengths"] = np.array([4, 2], dtype=np.int32)
    runtime = onnxruntime.InferenceSession(model.SerializeToString())
    return ReferenceEvaluator(model).run(None, inputs)[0], runtime.run(None, inputs)[0]


print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
for operator, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
    for direction in ("forward", "reverse"):
        reference, runtime = outputs(operator, gates, direction)
        equal = [np.allclose(reference[:, 0, document], runtime[:, 0, document], atol=1e-5) for document in (0, 1)]
        print(operator, direction, "longest equal", equal[0], "shorter equal", equal[1])
        assert equal == [True, False]
        assert (runtime[2:, 0, 1] == 0).all() and (reference[2:, 0, 1] != 0).all()
END
