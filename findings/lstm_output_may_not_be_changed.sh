#!/usr/bin/env bash
# PyTorch 2.13.0, CPU: whether a program may change a padded network's output in place depends on the kind, the dtype,
# the directions and the projection.
#
# What nn.GRU and nn.RNN return may be changed in place before the backward pass, and so may what nn.LSTM returns in
# double, in two directions, with a projection, or packed with unequal lengths: the output is a copy of what the
# backward pass needs. In float, in one direction, an LSTM runs in oneDNN, which keeps the output itself: backward
# raises "modified by an inplace operation" after output.relu_(), a Dropout with inplace=True, or output += residual.
# A program that was tried with a GRU, or in double as gradcheck wants it, fails with nn.LSTM(8, 16).
#
# Seen: GRU works, RNN works, LSTM raises, LSTM double works, LSTM bidirectional works, LSTM projected works, LSTM
# packed works. Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0
"$folder/venv/bin/python" -W ignore - <<'END'
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence


def outcome(network, batch):
    output = network(batch)[0]
    data = output if isinstance(output, torch.Tensor) else output.data
    data.relu_()
    try:
        data.sum().backward()
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error), error
        return "raises"
    return "works"


print(torch.__version__)
padded = torch.randn(5, 3, 8)
packed = pack_sequence([torch.randn(5, 8), torch.randn(4, 8)])
seen = {
    "GRU": outcome(nn.GRU(8, 16), padded),
    "RNN": outcome(nn.RNN(8, 16), padded),
    "LSTM": outcome(nn.LSTM(8, 16), padded),
    "LSTM double": outcome(nn.LSTM(8, 16).double(), padded.double()),
    "LSTM bidirectional": outcome(nn.LSTM(8, 16, bidirectional=True), padded),
    "LSTM projected": outcome(nn.LSTM(8, 16, proj_size=4), padded),
    "LSTM packed": outcome(nn.LSTM(8, 16), packed),
}
print(", ".join(f"{case} {what}" for case, what in seen.items()))
assert seen == {**dict.fromkeys(seen, "works"), "LSTM": "raises"}, seen
END
