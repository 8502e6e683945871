#!/usr/bin/env bash
# TorchCRF 1.1.0 with PyTorch 2.13.0: a document whose mask is empty counts with its padding.
#
# There are two packages of a CRF for PyTorch of almost one name. pytorch-crf (`import torchcrf`) refuses a mask that is
# off at a first step. TorchCRF (`import TorchCRF`) takes the first step of every document for real, whatever the mask
# says: an empty document, whose log-likelihood is 0, adds one that its padding makes, and gradients, to the loss, and
# is given tags.
#
# Seen: the log-likelihood of an empty document -1.67, a gradient at its padding, two tags; pytorch-crf refuses. Fails
# if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet TorchCRF==1.1.0 pytorch-crf==0.7.2 torch==2.13.0 numpy
"$folder/venv/bin/python" -W ignore - <<'END'
import torch
import torchcrf
import TorchCRF

print("torch", torch.__version__)
torch.manual_seed(0)
scores, tags = torch.randn(2, 3, 4, requires_grad=True), torch.randint(4, (2, 3))
mask = torch.tensor([[1, 1, 1], [0, 0, 0]], dtype=torch.bool)
crf = TorchCRF.CRF(4, use_gpu=False)
empty = crf(scores, tags, mask)[1]
empty.backward()
gradient = scores.grad[1].abs().max().item()
decoded = crf.viterbi_decode(scores, mask)[1]
print(f"empty document {empty.item():.2f}, gradient {gradient:.2f}, decoded {decoded}")
assert empty.item() < -0.1 and gradient > 0.1 and len(decoded) == 2
try:
    torchcrf.CRF(4, batch_first=True)(scores, tags, mask)
except ValueError as error:
    print("pytorch-crf:", error)
else:
    raise AssertionError("pytorch-crf takes an empty document")
END
