#!/usr/bin/env bash
# Compiles the room of kernels for 64-bit ARM Linux, every warning an error, and runs its tests in an emulator. A part
# of CI. Needs a Debian, where it installs what is missing.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR/..
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
folder=$root/build/arm_check/$release
readonly root release folder sysroot=$folder/root log=$folder/log

source "$root/cmake/quickstart/packages.sh"

# What is to be linked is only unpacked into a folder, and apt's lists of it lie there, too: the machine's packages stay
# those of its own processor.
unpack_arm_packages() {
  local options highway package
  options=(-o "Dir::State::Lists=$folder/lists" -o APT::Architecture=arm64 -o APT::Architectures=arm64)
  rm -rf "$sysroot.new" "$folder/packages"
  mkdir -p "$folder/lists/partial" "$folder/packages"
  apt-get "${options[@]}" update
  highway=$(apt-cache "${options[@]}" depends libhwy-dev | awk '/Depends: libhwy/ { print $2 }')
  (cd "$folder/packages" && apt-get "${options[@]}" download libhwy-dev "$highway" libgtest-dev)
  for package in "$folder"/packages/*.deb; do dpkg --extract "$package" "$sysroot.new"; done
  mv "$sysroot.new" "$sysroot"
}

configure() {
  local mode arguments=()
  for mode in INCLUDE LIBRARY PACKAGE; do arguments+=("-DCMAKE_FIND_ROOT_PATH_MODE_$mode=ONLY"); done
  cmake -S "$root/cmake/arm_check" -B "$folder/build" -G Ninja "${arguments[@]}" "-DCMAKE_FIND_ROOT_PATH=$sysroot" \
    -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
    "-DCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64-static;-L;/usr/aarch64-linux-gnu"
}

# What goes on is written to the log, and shown only if it fails.
mkdir -p "$folder"
exec 3>&1 >"$log" 2>&1
trap '(($? == 0)) || tail -n 40 "$log" >&3' EXIT
for tool in aarch64-linux-gnu-g++ qemu-aarch64-static cmake ninja; do
  command -v "$tool" || { apt_install g++-aarch64-linux-gnu qemu-user-static cmake ninja-build && break; }
done
[[ -d $sysroot ]] || unpack_arm_packages
configure
cmake --build "$folder/build"
ctest --test-dir "$folder/build" --output-on-failure --no-tests=error >&3
