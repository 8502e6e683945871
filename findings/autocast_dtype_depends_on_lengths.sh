#!/usr/bin/env bash
# PyTorch 2.13.0, CPU: under autocast, the dtype of an LSTM over a packed batch depends on the documents' lengths.
#
# A batch whose documents all have one length goes to oneDNN and comes back in bfloat16, hidden state included; let one
# document be a step shorter, and the same call gives float32. So what a training loop computes in, and the dtype that
# its next layer is given, change from batch to batch, and with the last, smaller batch of an epoch: a batch of one
# document always has one length. GRU always gives float32, RNN always bfloat16.
#
# Seen: LSTM bfloat16 float32 bfloat16, GRU float32 float32 float32, RNN bfloat16 bfloat16 bfloat16, for equal lengths,
# unequal ones, and one document. Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0
"$folder/venv/bin/python" -W ignore - <<'END'
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence


def dtype_of(network, lengths):
    packed = pack_sequence([torch.randn(length, 8) for length in lengths])
    with torch.autocast("cpu", torch.bfloat16):
        output, state = network(packed)
    h_n = state[0] if isinstance(state, tuple) else state
    assert h_n.dtype == output.data.dtype
    return str(output.data.dtype).removeprefix("torch.")


print(torch.__version__)
seen = {}
for make in (nn.LSTM, nn.GRU, nn.RNN):
    network = make(8, 16)
    seen[make.__name__] = [dtype_of(network, lengths) for lengths in ([5, 5, 5], [5, 5, 4], [5])]
    print(make.__name__, *seen[make.__name__])
assert seen == {"LSTM": ["bfloat16", "float32", "bfloat16"], "GRU": ["float32"] * 3, "RNN": ["bfloat16"] * 3}, seen
END
