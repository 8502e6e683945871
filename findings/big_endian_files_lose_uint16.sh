#!/usr/bin/env bash
# PyTorch 2.13.0: torch.load reads uint16, uint32 and uint64 wrong, in silence, from a file of the other byte order.
#
# torch.save records the byte order of its machine, and torch.load swaps the bytes of numbers where that is another. The
# newer dtypes have no class of storages; what it swaps of them is bytes one by one, which changes nothing. So weights
# saved on a big-endian machine (s390x) come out on an x86 as other numbers, beside others that are right.
#
# Seen, of a file with 0 1 2 in each dtype, written here, and its bytes brought into the other order: float32, int16 and
# int64 0 1 2; uint16 0 256 512, and uint32 and uint64 likewise. Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0
"$folder/venv/bin/python" -W ignore - "$folder" <<'END'
import pathlib
import sys
import zipfile

import torch

folder = pathlib.Path(sys.argv[1])
DTYPES = [torch.float32, torch.int16, torch.int64, torch.uint16, torch.uint32, torch.uint64]
torch.save({str(dtype): torch.arange(3).to(dtype) for dtype in DTYPES}, folder / "little.pt")


def swapped(name, content):
    """The record of an archive as a big-endian machine has it; storages are in the order of the dtypes."""
    if name.endswith("/byteorder"):
        return b"big"
    if "/data/" not in name:
        return content
    width = DTYPES[int(name.rpartition("/")[2])].itemsize
    return b"".join(content[i : i + width][::-1] for i in range(0, len(content), width))


with zipfile.ZipFile(folder / "little.pt") as little, zipfile.ZipFile(folder / "big.pt", "w") as big:
    for name in little.namelist():
        big.writestr(name, swapped(name, little.read(name)))

print(torch.__version__)
seen = {name: tensor.tolist() for name, tensor in torch.load(folder / "big.pt").items()}
for name, numbers in seen.items():
    print(name, *numbers)
right = [0, 1, 2]
assert seen["torch.float32"] == seen["torch.int16"] == seen["torch.int64"] == right, seen
assert [seen[f"torch.uint{bits}"] for bits in (16, 32, 64)] == [[0, 2**i, 2 * 2**i] for i in (8, 24, 56)], seen
END
