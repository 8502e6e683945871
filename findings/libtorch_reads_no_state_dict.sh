#!/usr/bin/env bash
# PyTorch 2.13.0: torch::pickle_load of C++ cannot read what torch.save(model.state_dict(), file) of Python writes.
#
# It takes every OrderedDict for None (pytorch#100741), and a state_dict is one. In a plain dict, one entry of another
# kind beside the weights loses the whole file: a torch.Size, a dtype, an integer of 2**40, a tensor of uint16. A plain
# dict of float tensors is read. So a C++ program needs a reader of its own for Python's commonest file (packseq:
# read_state_dict), or Python programs that write dict(model.state_dict()).
#
# Seen: plain read, and state_dict, size, dtype, integer and uint16 refused. Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0
cd "$folder"
venv/bin/python -W ignore - <<'END'
import torch

print(torch.__version__)
state = torch.nn.Linear(2, 1).state_dict()
torch.save(dict(state), "plain.pt")
torch.save(state, "state_dict.pt")
for name, value in {
    "size": torch.Size([2, 1]),
    "dtype": torch.float32,
    "integer": 2**40,
    "uint16": torch.ones(2, dtype=torch.uint16),
}.items():
    torch.save({**state, name: value}, f"{name}.pt")
END
cat >read.cpp <<'END'
#include <torch/csrc/api/include/torch/serialize.h>

#include <fstream>
#include <iostream>
#include <iterator>

int main(int count, char** names) {
  for (int i = 1; i < count; ++i) {
    std::ifstream stream(names[i], std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
    try {
      torch::pickle_load(bytes).toGenericDict();
      std::cout << names[i] << " read\n";
    } catch (const c10::Error& error) {
      std::cout << names[i] << " refused\n";
      std::cerr << "  " << std::string(error.what_without_backtrace()).substr(0, 100) << '\n';
    }
  }
}
END
torch=$(venv/bin/python -W ignore -c 'import torch; print(torch.__path__[0])')
g++ -std=c++20 read.cpp -I"$torch/include" -I"$torch/include/torch/csrc/api/include" -L"$torch/lib" \
  -Wl,-rpath,"$torch/lib" -ltorch -ltorch_cpu -lc10 -o read
./read plain.pt state_dict.pt size.pt dtype.pt integer.pt uint16.pt | tee seen
diff seen - <<'END'
plain.pt read
state_dict.pt refused
size.pt refused
dtype.pt refused
integer.pt refused
uint16.pt refused
END
