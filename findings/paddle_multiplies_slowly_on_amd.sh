#!/usr/bin/env bash
# PaddlePaddle 3.3.1, CPU, pip's build: on an AMD CPU its matrix products take several times as long as they need.
#
# It brings MKL 2019.0.5 (libmklml_intel.so), which takes its slowest code where the CPU is not Intel's.
# MKL_DEBUG_CPU_TYPE=5 asks it for that for AVX2; later versions of MKL do not know this switch. Networks gain as
# products do: an LSTM takes .4 of the time. Nothing is said, and results are right: who compares libraries on such a
# CPU measures MKL's choice.
#
# Seen on a Zen 5: products of 256 x 256 at 33 GFLOP/s, with the switch at 124. Fails where the switch gains less than
# 1.5 times; on an Intel CPU there is nothing to see.
set -euo pipefail

if ! grep -q AuthenticAMD /proc/cpuinfo; then
  echo "no AMD CPU: nothing to see" && exit
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet paddlepaddle==3.3.1
cat >"$folder/multiply.py" <<'END_OF_PYTHON'
import timeit

import paddle

paddle.set_device("cpu")
a, b = paddle.rand([2, 256, 256])
with paddle.no_grad():
    seconds = min(timeit.repeat(lambda: paddle.matmul(a, b), number=10, repeat=50)) / 10
print(f"{2 * 256**3 / seconds / 1e9:.1f}")
END_OF_PYTHON
export OMP_NUM_THREADS=1
default=$("$folder/venv/bin/python" -W ignore "$folder/multiply.py")
asked=$(MKL_DEBUG_CPU_TYPE=5 "$folder/venv/bin/python" -W ignore "$folder/multiply.py")
echo "GFLOP/s by default $default, with MKL_DEBUG_CPU_TYPE=5 $asked"
awk "BEGIN { exit !($asked > 1.5 * $default) }"
