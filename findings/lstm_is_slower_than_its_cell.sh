#!/usr/bin/env bash
# PyTorch 2.13.0, CPU: for a single step, nn.LSTM takes several times as long as nn.LSTMCell with the same weights.
#
# One document, one step a call, inference, one thread. The LSTM goes to oneDNN, and brings both weights into another
# order for it at each call, as ONEDNN_VERBOSE=1 tells; GRU, which does not go there, takes as long as its cell. So a
# program that is given its input step by step should use the cell, or an engine that keeps the order (packseq: freeze).
#
# Seen on an AMD EPYC, Zen 5, size 256: LSTM 195 us, LSTMCell 42 us (4.6 times); GRU 32 us, GRUCell 32 us (1.0). Fails
# if the LSTM takes less than twice as long as its cell, or the GRU more than twice as long as its own.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0
OMP_NUM_THREADS=1 "$folder/venv/bin/python" -W ignore - <<'END'
import time

import torch

SIZE = 256


def least_seconds(*functions):
    """Of a call of each, which take turns."""
    least = [1e9] * len(functions)
    for _ in range(300):
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            least[i] = min(least[i], time.perf_counter() - start)
    return least


print(torch.__version__)
ratios = {}
with torch.inference_mode():
    for name in ("LSTM", "GRU"):
        network = getattr(torch.nn, name)(SIZE, SIZE)
        cell = getattr(torch.nn, name + "Cell")(SIZE, SIZE)
        for mine, other in zip(cell.parameters(), network.parameters()):
            mine.copy_(other)
        x = torch.randn(1, 1, SIZE)
        expected = network(x)[0][0]
        actual = cell(x[0])
        torch.testing.assert_close(actual[0] if name == "LSTM" else actual, expected, rtol=1e-4, atol=1e-5)
        of_network, of_cell = least_seconds(lambda: network(x), lambda: cell(x[0]))
        ratios[name] = of_network / of_cell
        print(f"{name} {of_network * 1e6:.0f} us, {name}Cell {of_cell * 1e6:.0f} us: {ratios[name]:.1f} times")
assert ratios["LSTM"] > 2 and ratios["GRU"] < 2, ratios
END
