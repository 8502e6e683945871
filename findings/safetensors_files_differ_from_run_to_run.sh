#!/usr/bin/env bash
# safetensors 0.8.0: the same tensors with the same metadata give another file at each run, and even at each call.
#
# Texts of the metadata are written in any order, as a hash table has them. So a model that is saved twice has two
# checksums, and a cache, a content-addressed store or a reproducible build takes it for two. With one text, or none,
# files are the same. What was saved is right in each. A writer that sorts the texts avoids it.
#
# Seen: 20 calls with six texts gave 20 different files; with one text, one. Fails if six texts give one file, or one
# text gives several.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet safetensors==0.8.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import numpy
import safetensors
from safetensors.numpy import load, save

print("safetensors", safetensors.__version__)
state = {"weight": numpy.ones(3, dtype=numpy.float32)}
seen = {}
for texts in (1, 6):
    files = {save(state, {f"text {i}": str(i) for i in range(texts)}) for _ in range(20)}
    assert all((load(file)["weight"] == state["weight"]).all() for file in files)
    seen[texts] = len(files)
    print(f"20 calls with {texts} texts: {seen[texts]} different files")
assert seen[1] == 1 and seen[6] > 1, seen
END
