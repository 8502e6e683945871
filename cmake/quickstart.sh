#!/usr/bin/env bash
# Sets packseq up, then compares padded with packed on text, runs the tests, measures, or tests the module for Python.
# See usage below.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR/..
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
state=$build/quickstart
log=$state/log
readonly root build state log

source "$root/cmake/quickstart/packages.sh"
source "$root/cmake/quickstart/torch.sh"
source "$root/cmake/quickstart/python.sh"
source "$root/cmake/quickstart/peers.sh"

usage() {
  local minimum below
  minimum=$(torch_setting PACKSEQ_TORCH_MINIMUM)
  below=$(torch_setting PACKSEQ_TORCH_TESTED_BELOW)
  cat <<END
Usage: bash cmake/quickstart.sh [FILE...]   build packseq and compare padded with packed on these text files, a
                                            document a line; with no file, on texts that this machine already has
       bash cmake/quickstart.sh test        build everything and run all tests
       bash cmake/quickstart.sh bench       measure what the tables say of the fused engine and of distinct words,
                                            tell what this machine confirms, and draw it: about 6 minutes after the
                                            build
       bash cmake/quickstart.sh bench full  the same on two threads, too, and the memory: about 20 minutes
       bash cmake/quickstart.sh bench peers
                                            time other libraries' networks beside the engine, each installed into a
                                            virtual environment of its own (3 GB in all): about 10 minutes after that
       bash cmake/quickstart.sh python [PYTHON]
                                            build the fused engine for the torch of this Python (python3), test it
                                            there, and print the two lines that load it
       bash cmake/quickstart.sh --help      print this

Works from any folder, builds into build/, and does nothing twice. Missing packages are installed with apt where that
needs no password; else it says how to get them.

LibTorch is taken from Torch_DIR or CMAKE_PREFIX_PATH of the environment, the last build, or the torch of python3: the
first that can be linked and is in the tested range, from $minimum on and below $below. Else the first of LibTorch
${torch_versions[*]} that is to be had for the CPU is installed into build/venv, or if none is, the first for CUDA.
"python" takes the torch of that Python or none, and builds into build/python. A LibTorch built for CUDA serves without
CUDA's toolkit, too; tensors on the CPU alone run in the engine. Your own Python is never changed.

Environment:
  Torch_DIR, CMAKE_PREFIX_PATH   where to look for LibTorch first, as in CMake
  CXX                            the compiler, as in CMake
  PACKSEQ_TORCH_INDEX            the package index used where pip's own has no CPU build of LibTorch
                                 ($torch_index)
  PACKSEQ_CMAKE_ARGS             more arguments for CMake, for instance -DPACKSEQ_STRICT=ON
END
}

say() {
  echo "packseq: $*" >&2
}

# fail WHAT WAY_OUT
fail() {
  say "$1"
  say "to go on: $2"
  exit 1
}

# step WHAT WAY_OUT COMMAND...: one line on the screen; what the command prints goes to the log, its end to the screen
# if it fails.
step() {
  local what=$1 way_out=$2 start
  shift 2
  say "$what"
  echo "== $what" >>"$log"
  start=$(wc -l <"$log")
  if ! "$@" >>"$log" 2>&1 </dev/null; then
    tail -n "+$((start + 1))" "$log" | tail -n 20 >&2
    fail "failed: $what (all output: $log)" "$way_out"
  fi
}

# One compiler process takes up to 2 GB with LibTorch's headers.
build_jobs() {
  local cores kilobytes jobs
  cores=$(getconf _NPROCESSORS_ONLN)
  kilobytes=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo 2>/dev/null || echo $(($(sysctl -n hw.memsize) / 1024)))
  jobs=$((kilobytes / 2000000))
  ((jobs >= 1)) || jobs=1
  echo $((jobs < cores ? jobs : cores))
}

has_mpi() {
  command -v mpirun >/dev/null && command -v mpicxx >/dev/null
}

# Several processes are tested wherever there is MPI; nothing else needs it.
find_mpi() {
  has_mpi || ! can_use_apt || require_packages "${mpi_needs[@]}"
  if has_mpi && ! grep -qs '^PACKSEQ_WITH_MPI:BOOL=ON' "$build/CMakeCache.txt"; then
    PACKSEQ_CMAKE_ARGS="-DPACKSEQ_WITH_MPI=ON ${PACKSEQ_CMAKE_ARGS:-}"
  fi
}

# configure FOLDER [CMAKE_ARGUMENT...]
configure() {
  local folder=$1 arguments
  shift
  read -ra arguments <<<"${PACKSEQ_CMAKE_ARGS:-}"
  if [[ -f $folder/build.ninja && $(cached Torch_DIR "$folder") == "$torch_dir" && ${#arguments[@]} -eq 0 ]]; then
    return  # ninja runs CMake again if a file of the project asks for it
  fi
  step "configuring ${folder#"$root/"}/ (a few seconds)" "delete $folder/CMakeCache.txt and run this again" \
    cmake -S "$root" --preset default -B "$folder" "-DTorch_DIR=$torch_dir" "$@" ${arguments[@]+"${arguments[@]}"}
}

# compile FOLDER WHAT HOW_LONG TARGET...
compile() {
  step "building $2 ($3 the first time)" "see the error above" cmake --build "$1" --target "${@:4}"
}

# prepare NEED...
prepare() {
  mkdir -p "$state"
  : >"$log"
  require_packages "$@"
  CMAKE_BUILD_PARALLEL_LEVEL=$(build_jobs)
  export CMAKE_BUILD_PARALLEL_LEVEL
}

set_up() {
  prepare "${build_needs[@]}"
  [[ $1 != test ]] || find_mpi
  choose_torch
  configure "$build"
}

# What these packages write and compute is tested where pip has them, and in our own virtual environment alone.
install_peers() {
  [[ -x $venv/bin/python ]] || return 0
  install_peer 'import numpy, safetensors.torch' numpy packaging safetensors
  install_peer 'import torchcrf' pytorch-crf==0.7.2
  install_peer 'import seqeval' seqeval==1.2.2
}

# install_peer IMPORT PACKAGE...
install_peer() {
  "$venv/bin/python" -c "$1" 2>/dev/null && return
  say "installing ${*:2} into build/venv, for what compares with them (a few seconds)"
  venv_pip_install "${@:2}" >>"$log" 2>&1 || say "they are not to be had: what compares with them is left out"
}

run_tests() {
  set_up test
  install_peers
  compile "$build" "packseq, its tests and benchmarks" "about 10 minutes" all
  say "running all tests"
  exec ctest --test-dir "$build" --output-on-failure --no-tests=error
}

# Sets licences to the licence texts that a Debian comes with, each once (some are links to others); on other machines
# to our own README.
find_licences() {
  local file
  licences=()
  for file in /usr/share/common-licenses/*; do
    [[ ! -f $file || -L $file ]] || licences+=("$file")
  done
  ((${#licences[@]})) || licences=("$root/README.md")
}

# Sets texts to those that the pages' figures are of, or else to one of the licences' paragraphs, a document a line.
find_texts() {
  local folder=$build/real_text
  say "taking texts into build/real_text"
  texts=("$folder/kjv.txt" "$folder/wordnet.txt")
  bash "$root/cmake/real_text.sh" "$folder" kjv wordnet >>"$log" 2>&1 && return
  say "not all texts are to be had (see $log): the pages' figures of them are not measured"
  find_licences
  awk 'BEGIN { RS = "" } { $1 = $1; print }' "${licences[@]}" >"$folder/licences.txt"
  texts=("$folder/licences.txt")
}

# Sets plotter to a Python that has matplotlib: apt's package is the system's Python's alone.
find_plotter() {
  for plotter in python3 /usr/bin/python3; do
    if "$plotter" -c 'import matplotlib' 2>/dev/null; then return; fi
  done
  return 1
}

# draw SCRIPT FOLDER
draw() {
  local plotter
  if ! find_plotter && can_use_apt; then
    say "installing python3-matplotlib with apt (about a minute)"
    apt_install python3-matplotlib >>"$log" 2>&1 || true
  fi
  if ! find_plotter; then
    say "no pictures: no matplotlib; once python3 has it: python3 $1 $2"
    return
  fi
  "$plotter" -B "$root/$1" "$2"
  say "pictures: $2/*.png"
}

# bench SIZE: short or full
bench() {
  set_up bench
  require_packages python3
  compile "$build" "packseq and what measures it" "about 4 minutes" \
    packseq_program engine_bench embedded_bench memory_bench
  find_texts
  python3 -B "$root/bench/reports/evidence.py" "$build" "$1" "${texts[@]}"
  draw bench/reports/plot.py "$build/evidence"
}

compare() {
  local file arguments=("$@")
  for file in "$@"; do
    [[ $file != -* ]] || fail "unknown option $file" "run bash cmake/quickstart.sh --help"
    [[ -f $file && -r $file ]] || fail "cannot read the text file $file" "give the path of a text file"
  done
  if (($# == 0)); then
    find_licences
    arguments=(--split paragraph "${licences[@]}")
  fi
  set_up compare
  compile "$build" "packseq" "about 3 minutes" packseq_program
  exec "$build/packseq" compare "${arguments[@]}"
}

case "${1:-}" in
  -h | --help) usage ;;
  test)
    (($# == 1)) || fail "test takes no more arguments, not ${*:2}" "run bash cmake/quickstart.sh test"
    run_tests
    ;;
  bench)
    case "${*:2}" in
      "" | full) bench "${2:-short}" ;;
      peers) bench_peers ;;
      *) fail "bench takes no argument but full or peers, not ${*:2}" "run bash cmake/quickstart.sh bench" ;;
    esac
    ;;
  python)
    (($# <= 2)) || fail "python takes one Python, not ${*:2}" "run bash cmake/quickstart.sh python PYTHON"
    python_module "${2:-python3}"
    ;;
  *) compare "$@" ;;
esac
