#!/usr/bin/env python3
"""LibTorch itself: padded and packed, its module of dtype bfloat16, and its dynamically quantized module."""

import functools

import torch

from names import MODES
from peer import Contender, serve
from torch_networks import prepare


def quantize(network):
    return torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(network), {type(network)}, torch.qint8)[0]


def contenders(layout, packed):
    to_bfloat16 = {"change": torch.nn.Module.bfloat16, "dtype": torch.bfloat16}
    return {f"LibTorch {layout}": Contender(functools.partial(prepare, packed=packed), modes=MODES),
            f"LibTorch bfloat16 {layout}": Contender(functools.partial(prepare, packed=packed, **to_bfloat16),
                                                     "bfloat16", MODES),
            f"LibTorch int8 {layout}": Contender(functools.partial(prepare, packed=packed, change=quantize), "int8")}


torch.set_num_threads(1)
serve(f"LibTorch {torch.__version__}", contenders("padded", False) | contenders("packed", True))
