#!/usr/bin/env python3
"""packseq's engine under LibTorch's networks, over packed batches: in float, with products of bfloat16, and in float
with frozen weights.

    packseq_peer.py LIBRARY
"""

import sys

import torch

from names import MODES
from peer import Contender, serve
from torch_networks import prepare


def freeze(network):
    torch.ops.packseq.freeze(list(network.parameters()))
    return network


def prepare_bfloat16(case):
    run, read = prepare(case, packed=True)

    def run_in_bfloat16():
        torch.backends.mkldnn.rnn.fp32_precision = "bf16"
        try:
            return run()
        finally:
            torch.backends.mkldnn.rnn.fp32_precision = "none"

    return run_in_bfloat16, read


torch.ops.load_library(sys.argv[1])
torch.ops.packseq.install()
torch.set_num_threads(1)
serve(f"packseq with LibTorch {torch.__version__}",
      {"fused": Contender(lambda case: prepare(case, packed=True), modes=MODES),
       "bfloat16": Contender(prepare_bfloat16, "bfloat16", MODES),
       "frozen": Contender(lambda case: prepare(case, packed=True, change=freeze))})
