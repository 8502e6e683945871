#!/usr/bin/env bash
# Tests packseq with another version of LibTorch, before it is called tested. See usage below.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR/..
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root

usage() {
  cat <<END
Usage: bash cmake/torch_check.sh VERSION   for instance 2.15.0

Installs this version of torch by pip into build/torch_check/VERSION: its build for the CPU, or else the one for CUDA,
with no more of CUDA than it takes to be loaded. Builds packseq with it there, every warning an error, and runs all
tests but the benchmarks' and those that build packseq again; Python's, too, where Python can import it. Needs no GPU.
Half an hour on two cores and up to 6 GB; a second run goes on with what the first one installed and built.

Installs what else is missing with apt. pip's own settings hold: PIP_CONSTRAINT=/dev/null lifts a limit among them.
END
}

case ${1:-} in
  -h | --help) usage && exit ;;
  '' | -* | */*) usage >&2 && exit 1 ;;
esac
readonly build=$root/build/torch_check/$1
readonly log=$build/log

source "$root/cmake/quickstart/packages.sh"
source "$root/cmake/quickstart/torch.sh"
torch_versions=("$1")

install_packages() {
  local missing packages
  # Benchmarks are not built here.
  mapfile -t missing < <(missing_needs "${build_needs[@]}" venv | grep -v '^benchmark/')
  ((${#missing[@]})) || return 0
  read -ra packages <<<"$(package_list apt "${missing[@]}")"
  apt_install "${packages[@]}"
}

# torch of this version, and what it needs but for CUDA.
pip_install_torch() {
  local needs
  rm -rf "$venv"
  python3 -m venv "$venv"
  pip_install_cpu_torch || pip_install_newest_torch '' --no-deps
  mapfile -t needs < <(torch_needs | grep -vE '^(cuda|nvidia|triton)|extra *==')
  venv_pip_install "${needs[@]}" numpy packaging safetensors
  venv_pip_install --no-deps pytorch-crf==0.7.2 || true  # what compares with it is then left out
}

# torch_needs: the packages that it says it needs, one a line.
torch_needs() {
  "$venv/bin/python" -c 'import importlib.metadata as m; print(*m.requires("torch"), sep="\n")'
}

# pip_install_cuda_for FILE: what the loader misses of CUDA for this file of torch's.
pip_install_cuda_for() {
  local packages last=
  while mapfile -t packages < <(missing_libraries "$1" | packages_of_libraries) && ((${#packages[@]})); do
    [[ ${packages[*]} != "$last" ]] || { echo "$1 still misses ${packages[*]}" && return 1; }
    last=${packages[*]}
    venv_pip_install "${packages[@]}"
  done
}

# missing_libraries FILE: one a line, as libcudart.so.13.
missing_libraries() {
  ldd "$1" | awk '/not found/ { print $1 }' | sort -u
}

# packages_of_libraries: for libraries' names, the packages that have them: torch names these in the form
# nvidia-nccl-cu13==2.30.7 or cuda-toolkit[cublas,cudart]==13.2.2.
packages_of_libraries() {
  awk '
    FNR == NR {
      sub(/;.*/, "")
      if (match($0, /\[.*\]/)) {
        count = split(substr($0, RSTART + 1, RLENGTH - 2), parts, /, */)
        for (i = 1; i <= count; ++i) {
          package[parts[i]] = substr($0, 1, RSTART) parts[i] substr($0, RSTART + RLENGTH - 1)
        }
      } else if (split($0, parts, /[-=]/) && parts[1] == "nvidia") {
        package[parts[2]] = $0
      }
      next
    }
    {
      library = tolower($0)
      sub(/^lib/, "", library)
      best = ""
      for (name in package) {
        if (index(library, name) == 1 && length(name) > length(best)) best = name
      }
      if (best) print package[best]; else print "nothing that torch names has " $0 >"/dev/stderr"
    }' <(torch_needs) - | sort -u
}

# Without what Python's half of it needs of CUDA, the tests of C++ can still be run.
install_torch() {
  [[ -f $build/installed ]] || pip_install_torch
  touch "$build/installed"
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  pip_install_cuda_for "$site/torch/lib/libtorch_cpu.so"
  pip_install_cuda_for "$site/torch/lib/libtorch_python.so" && "$venv/bin/python" -c 'import torch' ||
    echo "its Python is left out" >&3
}

has_mpi() {
  command -v mpirun && command -v mpicxx
}

configure() {
  cmake -S "$root" -B "$build/build" -G Ninja -DCMAKE_BUILD_TYPE=Release "-DTorch_DIR=$site/torch/share/cmake/Torch" \
    "-DCMAKE_PROJECT_packseq_INCLUDE=$root/cmake/torch_check/tests.cmake" -DPACKSEQ_STRICT=ON \
    -DPACKSEQ_BUILD_BENCHMARKS=OFF "-DPACKSEQ_WITH_MPI=$(has_mpi >/dev/null && echo ON || echo OFF)"
}

# count_tests: what the tests' own programs say of how many they are.
count_tests() {
  awk -v torch="$("$venv/bin/python" -m pip list 2>/dev/null | awk '$1 == "torch" { print $2 }')" '
    /^\[  PASSED  \] / { cpp += $4 }
    /^Ran [0-9]+ tests? in / { python += $2 }
    /^OK \(skipped=[0-9]+\)/ { gsub(/[^0-9]/, ""); python -= $0 }
    END { printf "LibTorch %s: %d tests of C++ and %d of Python passed\n", torch, cpp, python }
  ' "$build/build/Testing/Temporary/LastTest.log"
}

# What goes on before the tests is written to the log, and shown only if it fails.
mkdir -p "$build"
exec 3>&1 >"$log" 2>&1
trap '(($? == 0)) || tail -n 40 "$log" >&3' EXIT
install_packages
install_torch
configure
cmake --build "$build/build"
trap - EXIT  # tests show themselves what failed
ctest --test-dir "$build/build" --output-on-failure --no-tests=error -LE consumer >&3 2>&3
count_tests >&3
