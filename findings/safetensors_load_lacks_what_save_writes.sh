#!/usr/bin/env bash
# safetensors 0.8.0 with PyTorch 2.13.0: safetensors.torch.load cannot read two dtypes that save writes; load_file can.
#
# save writes a tensor of float8_e8m0fnu (the scales of microscaling formats) as F8_E8M0, and of float4_e2m1fn_x2 as F4.
# load, which reads bytes, has a table of names of its own, without these, and ends with a KeyError; load_file, which
# reads a file, gives them back. So what is sent over a network may be refused where the same bytes in a file are not.
#
# Seen: load KeyError 'F8_E8M0' and 'F4', load_file the same tensors. Fails if load reads one, or load_file does not.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 safetensors==0.8.0 numpy==2.4.6 packaging
"$folder/venv/bin/python" -W ignore - "$folder/file" <<'END'
import sys

import safetensors
import torch
from safetensors.torch import load, load_file, save, save_file

print(torch.__version__, safetensors.__version__)
for dtype in (torch.float8_e8m0fnu, torch.float4_e2m1fn_x2):
    tensor = torch.arange(4, dtype=torch.uint8).view(dtype)
    save_file({"a": tensor}, sys.argv[1])
    again = load_file(sys.argv[1])["a"]
    assert again.dtype == dtype and torch.equal(again.view(torch.uint8), tensor.view(torch.uint8))
    try:
        load(save({"a": tensor}))
        raise SystemExit(f"load reads {dtype}")
    except KeyError as error:
        print(dtype, "load_file: the same, load: KeyError", error)
END
