#!/usr/bin/env bash
# What is checked by hand before a release: how much of the library the tests run, and how much of it they check.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly root=$PWD folder=$PWD/build/full_check rooms="text sequence kernels engine nn data cost distributed"
readonly log=$folder/log
mpi=$(command -v mpirun >/dev/null && echo ON || echo OFF)
readonly mpi one_target="-march=native -DHWY_COMPILE_ONLY_STATIC"

targets=({text,sequence,kernels,engine,engine_memory,engine_copies,nn,nn_python,data,cost,distributed}_test
  packseq_torch)
[[ $mpi == OFF ]] || targets+=(mpi_test)

usage() {
  cat <<END_OF_USAGE
Usage: bash cmake/full_check.sh [coverage | mutants [COUNT [SEED]]]   without arguments both

  coverage   runs the tests on a library that counts what they run; fails where they leave out more than 5 % of the
             lines of a room of the library. The lines left out: build/full_check/uncovered.txt
  mutants    makes COUNT mutants (100) of the library: one small fault each in a file under src, drawn at random from
             SEED (1). Fails if more than 10 % of them survive the tests of their room and of those that use it. They
             take an hour or more; a check that was interrupted goes on where it stopped, if nothing has been changed:
             build/full_check/mutants-SEED.jsonl has a line for each.

Needs a build/ set up by cmake/quickstart.sh, or Torch_DIR in the environment; Ninja and Python; clang and llvm for
coverage. Where MPI is, what uses it is checked, too. Of the kernels' CPU targets only this CPU's best one is.
END_OF_USAGE
}

# logged COMMAND...: shows what it wrote only if it fails.
logged() {
  "$@" >>"$log" 2>&1 || { tail -n 40 "$log" && exit 1; }
}

# configure BUILD ARGUMENT...: the kernels for the best target of this CPU only, since no other can be run and counted.
configure() {
  local torch=${Torch_DIR:-}
  [[ -n $torch ]] || torch=$(sed -n 's/^Torch_DIR:[A-Z]*=//p' build/CMakeCache.txt)
  logged cmake -G Ninja -B "$@" -DTorch_DIR="$torch" -DPACKSEQ_WITH_MPI="$mpi" -DPACKSEQ_BUILD_BENCHMARKS=OFF \
    -DPACKSEQ_BUILD_PROGRAM=OFF -DCMAKE_BUILD_TYPE=Debug
}

# Lines that only other compilers or CPU targets see are no lines here.
coverage() {
  local build=$folder/coverage objects=()
  CXX=clang++ configure "$build" \
    -DCMAKE_CXX_FLAGS_DEBUG="-O0 -w $one_target -fprofile-instr-generate -fcoverage-mapping"
  logged ninja -C "$build" "${targets[@]}"
  rm -rf "$build/profiles"
  LLVM_PROFILE_FILE=$build/profiles/%m logged ctest --test-dir "$build" --output-on-failure -L fast \
    -R "^(${rooms// /|}|mpi)(_|$)"
  logged llvm-profdata merge -sparse "$build"/profiles/* -o "$build/profile"
  mapfile -t objects < <(find "$build" -name '*_test' -type f -printf '-object\n%p\n')
  llvm-cov export -format=lcov -instr-profile="$build/profile" "$build/packseq_torch.so" "${objects[@]}" src include \
    >"$build/lines" 2>>"$log"
  lines_of_rooms "$build/lines"
}

# lines_of_rooms FILE: what llvm-cov exported, room by room; fails if a room has too few lines covered.
lines_of_rooms() {
  rm -f "$folder/uncovered.txt"
  awk -v root="$root/" -v rooms="$rooms" -v uncovered="$folder/uncovered.txt" -F '[:,]' '
    /^SF:/ { room = file = substr($2, length(root) + 1); gsub(/^(src|include\/packseq)\/|\/.*/, "", room) }
    /^DA:/ { ++lines[room]; if ($3 > 0) ++covered[room]; else print file ":" $2 >uncovered }
    END {
      count = split(rooms, names, " ")
      for (i = 1; i <= count; ++i) {
        room = names[i]
        share = lines[room] ? 100 * covered[room] / lines[room] : 0
        printf "%-12s %5d of %5d lines covered: %.1f %%\n", room, covered[room], lines[room], share
        if (share < 95) failed = 1
      }
      exit failed
    }' "$1"
}

# copy_to FOLDER: what git knows or would, and nothing else; files that are the same keep their time, and need not be
# compiled again.
copy_to() {
  local file
  mkdir -p "$1"
  (cd "$1" && find . -type f -print0) | while IFS= read -r -d '' file; do
    [[ -f $file ]] || rm "$1/$file"
  done
  git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    [[ ! -f $file ]] || cmp -s "$file" "$1/$file" || install -D -m 644 "$file" "$1/$file"
  done
}

mutants() {
  local source=$folder/source  # so that work can go on meanwhile
  copy_to "$source"
  configure "$folder/mutants" -S "$source" -DBUILD_SHARED_LIBS=ON \
    -DCMAKE_PROJECT_packseq_INCLUDE="$source/cmake/full_check/mutants.cmake" \
    -DCMAKE_CXX_FLAGS_DEBUG="-O0 -w $one_target"
  logged ninja -C "$folder/mutants" "${targets[@]}"
  python3 -B cmake/full_check/mutate.py "$source" "$folder/mutants" "$folder/mutants-$2.jsonl" "$1" "$2"
}

mkdir -p "$folder"
case ${1:-both} in
  coverage) coverage ;;
  mutants) mutants "${2:-100}" "${3:-1}" ;;
  both)
    coverage
    mutants 100 1
    ;;
  -h | --help) usage ;;
  *) usage && exit 1 ;;
esac
