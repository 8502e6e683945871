#!/usr/bin/env bash
# PyTorch 2.13.0, CPU: an optimizer with fused=True changes its parameters without raising their version.
#
# SGD, Adam, AdamW and Adagrad raise `_version` by 1 or 2 a step; with fused=True they leave it as it is. So autograd
# does not see that a weight which it saved for a backward pass has changed since: where the plain optimizer makes
# backward raise "modified by an inplace operation", the fused one makes it return another gradient, here 0.9 for 1. And
# whatever is kept by version, as a packed form of the weights, goes stale. (packseq::engine::freeze looks at gradients,
# too.)
#
# Seen: SGD 1 0, Adam 1 0, AdamW 2 0, Adagrad 1 0; plain: raises; fused: 0.9. Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0
"$folder/venv/bin/python" -W ignore - <<'END'
import torch


def stepped(make, **options):
    """A weight of 1 after a step of 0.1 along a gradient of 1, how often it says that it was changed, and what backward
    makes of a product with the weight before the step: its gradient, or an error."""
    weight = torch.nn.Parameter(torch.ones(()))
    optimizer = make([weight], lr=0.1, **options)
    factor = torch.ones((), requires_grad=True)
    product = weight * factor
    weight.grad = torch.ones(())
    before = weight._version
    optimizer.step()
    try:
        product.backward()
        gradient = round(factor.grad.item(), 3)
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error), error
        gradient = "raises"
    return round(weight.item(), 3), weight._version - before, gradient


print(torch.__version__)
changes = {}
for name in ("SGD", "Adam", "AdamW", "Adagrad"):
    make = getattr(torch.optim, name)
    plain, fused = stepped(make), stepped(make, fused=True)
    print(name, "plain:", *plain, "fused:", *fused)
    assert plain[0] == fused[0] != 1, "both change the weight alike"
    assert plain[2] == "raises" and fused[2] == fused[0]
    changes[name] = plain[1], fused[1]
assert changes == {"SGD": (1, 0), "Adam": (1, 0), "AdamW": (2, 0), "Adagrad": (1, 0)}, changes
END
