#!/usr/bin/env python3
"""Times ONNX Runtime's LSTM, which is told the lengths of a padded batch, beside LibTorch's and packseq's engine.

    python3 -m venv build/onnx && build/onnx/bin/pip install torch==2.13.0 onnx onnxruntime numpy
    build/onnx/bin/python bench/reports/onnxruntime_bench.py build/packseq_torch.so >bench/results/onnxruntime.md

All run the same weights over the same inputs, in this process, by turns of three runs after one that does not count,
with their own default settings; before the clock starts their results are compared. Inference only, on one thread and
on two. Times are medians, in milliseconds:

  fill                     real tokens over all cells of the padded batch
  padded, packed           LibTorch
  onnx                     ONNX Runtime with sequence_lens
  fused                    packseq's engine
  onnx / fused             how many times as long as the engine ONNX Runtime takes
  fused / (padded x fill), onnx / (padded x fill)
                           below 1, each useful FLOP takes less time than in oneDNN
"""

import argparse
import statistics
import time

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn.utils.rnn import pack_sequence, pad_sequence

from tables import cpu, format_page, format_table

SHAPES = ((1, 100, 128), (8, 100, 128), (32, 100, 128), (64, 100, 256), (32, 100, 512), (64, 100, 512))
CONTENDERS = ("padded", "packed", "onnx", "fused")
FORMATS = {"case": "", "fill": ".2f", **dict.fromkeys(CONTENDERS, ".2f"),
           **dict.fromkeys(("onnx / fused", "fused / (padded x fill)", "onnx / (padded x fill)"), ".2f")}
FILLS = {"uniform60": (0.2, 1.0), "uniform30": (0.01, 0.6), "equal": (1.0, 1.0)}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", help="where packseq_torch is")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    return parser.parse_args()


def to_onnx_gates(matrix):
    """LibTorch's gates are input, forget, cell, output; ONNX's input, output, forget, cell."""
    i, f, c, o = matrix.detach().chunk(4)
    return torch.cat([i, o, f, c]).unsqueeze(0).numpy()


def make_session(lstm, threads):
    weights = {"W": to_onnx_gates(lstm.weight_ih_l0), "R": to_onnx_gates(lstm.weight_hh_l0),
               "B": numpy.concatenate([to_onnx_gates(lstm.bias_ih_l0), to_onnx_gates(lstm.bias_hh_l0)], axis=1)}
    node = helper.make_node("LSTM", ["X", "W", "R", "B", "lengths"], ["Y"], hidden_size=lstm.hidden_size)
    graph = helper.make_graph(
        [node], "lstm",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["T", "B", lstm.input_size]),
         helper.make_tensor_value_info("lengths", TensorProto.INT32, ["B"])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["T", 1, "B", lstm.hidden_size])],
        [numpy_helper.from_array(values, name) for name, values in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


class Case:
    """One network and batch; `run` has a function for each contender, which gives the padded output."""

    def __init__(self, shape, lengths, threads):
        batch, longest, size = shape
        torch.manual_seed(0)
        self.lengths = [longest] + sorted((max(1, round(longest * share)) for share in
                                           torch.empty(batch - 1).uniform_(*FILLS[lengths]).tolist()), reverse=True)
        documents = [torch.randn(length, size) for length in self.lengths]
        self.fill = sum(self.lengths) / (batch * longest)
        lstm = torch.nn.LSTM(size, size)
        session = make_session(lstm, threads)
        padded, packed = pad_sequence(documents), pack_sequence(documents)
        feeds = {"X": padded.numpy(), "lengths": numpy.array(self.lengths, dtype=numpy.int32)}
        self.run = {"padded": lambda: lstm(padded)[0], "packed": lambda: lstm(packed)[0],
                    "onnx": lambda: session.run(None, feeds)[0], "fused": lambda: lstm(packed)[0]}

    def outputs(self, contender):
        """Of the real tokens, document after document."""
        result = self.run[contender]()
        if contender in ("packed", "fused"):
            result = torch.nn.utils.rnn.pad_packed_sequence(result)[0]
        if contender == "onnx":
            result = torch.from_numpy(result).squeeze(1)
        return torch.cat([result[:length, document] for document, length in enumerate(self.lengths)])


def choose_engine(contender):
    torch.ops.packseq.install() if contender == "fused" else torch.ops.packseq.uninstall()


def measure(case, rounds):
    """The median milliseconds of each contender."""
    expected = None
    for contender in case.run:
        choose_engine(contender)
        outputs = case.outputs(contender)
        expected = outputs if expected is None else expected
        torch.testing.assert_close(outputs, expected, rtol=1e-4, atol=1e-5)
    times = {contender: [] for contender in case.run}
    for _ in range(rounds):
        for contender, run in case.run.items():
            choose_engine(contender)
            time.sleep(0.05)  # the last one's threads spin before they sleep, and would take a core from this one's
            run()
            for _ in range(3):
                begin = time.perf_counter()
                run()
                times[contender].append((time.perf_counter() - begin) * 1e3)
    return {contender: statistics.median(values) for contender, values in times.items()}


def make_row(shape, lengths, threads, rounds):
    case = Case(shape, lengths, threads)
    ms = measure(case, rounds)
    batch, longest, size = shape
    return {"case": f"B:{batch} T:{longest} I:{size} H:{size} lengths:{lengths} threads:{threads}", "fill": case.fill,
            **ms, "onnx / fused": ms["onnx"] / ms["fused"],
            **{f"{name} / (padded x fill)": ms[name] / (ms["padded"] * case.fill) for name in ("fused", "onnx")}}


def main():
    arguments = parse_arguments()
    torch.ops.load_library(arguments.library)
    rows = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        with torch.inference_mode():
            rows += [make_row(shape, lengths, threads, arguments.rounds) for shape in SHAPES for lengths in FILLS
                     if shape[0] > 1 or lengths == "equal"]
    about = f"{cpu()}; ONNX Runtime {onnxruntime.__version__}, LibTorch {torch.__version__}."
    print(format_page("ONNX Runtime's LSTM beside the engine", about, __doc__, format_table(FORMATS, rows)), end="")


if __name__ == "__main__":
    main()
