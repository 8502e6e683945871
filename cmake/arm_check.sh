#!/usr/bin/env bash
# Compiles packseq for 64-bit ARM Linux and runs its tests in an emulator. See usage below.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR/..
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
folder=$build/arm_check/$release
readonly root build release folder sysroot=$folder/root emulated=$folder/emulated log=$folder/log

source "$root/cmake/quickstart/packages.sh"
readonly torch_version=2.13.0  # the one that was tried
readonly libtorch=$build/arm_check/libtorch-$torch_version

usage() {
  cat <<END
Usage: bash cmake/arm_check.sh kernels   the room of kernels, which needs no LibTorch: five minutes; a part of CI
       bash cmake/arm_check.sh library   the library, with LibTorch $torch_version of pip's wheel for ARM: the tests of
                                         the rooms text, sequence, kernels, engine, nn, cost; an hour

Every warning is an error. Needs a Debian, where it installs what is missing: a cross compiler, an emulator, pip.
END
}

# What is to be linked is only unpacked into a folder, and apt's lists of it lie there, too: the machine's packages stay
# those of its own processor.
unpack_arm_packages() {
  local options highway package
  options=(-o "Dir::State::Lists=$folder/lists" -o APT::Architecture=arm64 -o APT::Architectures=arm64)
  rm -rf "$sysroot" "$sysroot.new" "$folder/packages"
  mkdir -p "$folder/lists/partial" "$folder/packages"
  apt-get "${options[@]}" update
  highway=$(apt-cache "${options[@]}" depends libhwy-dev | awk '/Depends: libhwy/ { print $2 }')
  (cd "$folder/packages" &&
    apt-get "${options[@]}" download libhwy-dev "$highway" libgtest-dev libgmock-dev nlohmann-json3-dev)
  for package in "$folder"/packages/*.deb; do dpkg --extract "$package" "$sysroot.new"; done
  mv "$sysroot.new" "$sysroot"
}

# pip_unpack REQUIREMENT...: wheels for ARM into LibTorch's folder. pip takes only platforms that it is told, and older
# ones are others.
pip_unpack() {
  local minor platforms=()
  for minor in {17..35}; do platforms+=(--platform "manylinux_2_${minor}_aarch64"); done
  python3 -m pip install --no-input --disable-pip-version-check --no-compile --target "$libtorch.new" --upgrade \
    --only-binary=:all: --python-version 3.12 "${platforms[@]}" "$@"
}

# The wheel is built for CUDA: two small libraries of CUDA's are loaded even where nothing of it is used, and they lie
# where the wheel looks for them.
unpack_libtorch() {
  local toolkit
  rm -rf "$libtorch.new"
  pip_unpack --no-deps "torch==$torch_version"
  toolkit=$(sed -n 's/^Requires-Dist: cuda-toolkit\[.*\]\(==[0-9.]*\).*/\1/p' \
    "$libtorch.new/torch-$torch_version.dist-info/METADATA")
  [[ -z $toolkit ]] || pip_unpack "cuda-toolkit[cudart,cupti]$toolkit"
  mv "$libtorch.new" "$libtorch"
}

# What emulated programs see in the place of the machine's own: libraries for ARM, and ARM processors. LibTorch crashes
# where /proc/cpuinfo tells of others.
make_emulated_root() {
  local cpu
  mkdir -p "$emulated/proc"
  ln -sfn /usr/aarch64-linux-gnu/lib "$emulated/lib"
  for ((cpu = 0; cpu < $(getconf _NPROCESSORS_CONF); ++cpu)); do
    printf '%s\t: %s\n' processor "$cpu" Features "fp asimd aes pmull sha1 sha2 crc32 atomics asimddp bf16" \
      "CPU implementer" 0x41 "CPU architecture" 8 "CPU variant" 0x3 "CPU part" 0xd0c "CPU revision" 1
    echo
  done >"$emulated/proc/cpuinfo"
}

# configure SOURCE BUILD [CMAKE_ARGUMENT...]: the emulated CPU is one with instructions for bfloat16, without which some
# of LibTorch's own LSTMs fail, and without SVE, for which nothing is compiled.
configure() {
  local mode arguments=()
  for mode in INCLUDE LIBRARY PACKAGE; do arguments+=("-DCMAKE_FIND_ROOT_PATH_MODE_$mode=ONLY"); done
  cmake -S "$1" -B "$2" -G Ninja "${arguments[@]}" "-DCMAKE_FIND_ROOT_PATH=$sysroot;$libtorch" \
    -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
    "-DCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64-static;-cpu;max,sve=off,sme=off;-L;$emulated" "${@:3}"
}

# install_missing TOOL PACKAGE...: the packages, if there is no such tool.
install_missing() {
  command -v "$1" >/dev/null || apt_install "${@:2}"
}

set_up() {
  install_missing aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
  install_missing qemu-aarch64-static qemu-user-static
  install_missing cmake cmake
  install_missing ninja ninja-build
  [[ -f $sysroot/usr/include/nlohmann/json.hpp ]] || unpack_arm_packages
  make_emulated_root
}

# run_tests BUILD [CTEST_ARGUMENT...]
run_tests() {
  trap - EXIT  # tests show themselves what failed
  ctest --test-dir "$1" --output-on-failure --no-tests=error "${@:2}" >&3 2>&3
}

kernels() {
  configure "$root/cmake/arm_check" "$folder/build"
  cmake --build "$folder/build"
  run_tests "$folder/build"
}

# Tests of time and memory are left out: they would measure the emulator.
library() {
  local rooms="text sequence kernels engine nn cost" targets
  python3 -m pip --version || apt_install python3-pip
  [[ -d $libtorch ]] || unpack_libtorch
  configure "$root" "$folder/library" "-DTorch_DIR=$libtorch/torch/share/cmake/Torch" -DPACKSEQ_STRICT=ON \
    -DPACKSEQ_BUILD_PROGRAM=OFF -DPACKSEQ_BUILD_BENCHMARKS=OFF -DPACKSEQ_INSTALL=OFF
  read -ra targets <<<"${rooms// /_test }_test"
  cmake --build "$folder/library" --target packseq packseq_torch "${targets[@]}"
  export GTEST_FILTER="-DenormalNumbers.CostLittle:Memory.*:PickleMemory.*:LargePickleFile.*"
  run_tests "$folder/library" --timeout 7200 -R "^(${rooms// /|})$"
}

case ${1:-} in
  kernels | library) ;;
  -h | --help) usage && exit ;;
  *) usage >&2 && exit 1 ;;
esac

# What goes on before the tests is written to the log, and shown only if it fails.
mkdir -p "$folder"
exec 3>&1 >"$log" 2>&1
trap '(($? == 0)) || tail -n 40 "$log" >&3' EXIT
set_up
"$1"
