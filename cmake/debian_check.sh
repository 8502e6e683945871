#!/usr/bin/env bash
# Tries README's first commands on another release of Debian, before a release of packseq. See usage below.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR/..
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root

usage() {
  cat <<END
Usage: bash cmake/debian_check.sh RELEASE   for instance trixie, which is Debian 13

Makes a bare Debian of this release in build/debian_check/RELEASE, clones the last commit into it, and there compares
padded with packed and runs all tests, every warning an error, as README says to: whatever they need, they must
install. LibTorch is that of Torch_DIR or of this checkout's build. Half an hour on two cores. A second run goes on with
what the first one installed and built.

Needs root and debootstrap.
END
}

case ${1:-} in
  -h | --help) usage && exit ;;
  '' | -* | */*) usage && exit 1 ;;
esac
readonly release=$1
readonly system=$root/build/debian_check/$release

torch_dir=${Torch_DIR:-$(sed -n 's/^Torch_DIR:[A-Z]*=//p' "$root/build/CMakeCache.txt" 2>/dev/null || true)}
readonly libtorch=${torch_dir%/share/cmake/Torch*}
if [[ ! -f $libtorch/share/cmake/Torch/TorchConfig.cmake ]]; then
  echo "no LibTorch: set Torch_DIR to one's share/cmake/Torch, or run bash cmake/quickstart.sh first" >&2
  exit 1
fi
if ((EUID != 0)) || ! command -v debootstrap >/dev/null; then
  echo "needs root, and debootstrap: apt-get install debootstrap" >&2
  exit 1
fi

make_system() {
  rm -rf "$system.new"
  mkdir -p "${system%/*}"
  debootstrap --variant=minbase "$release" "$system.new"
  mv "$system.new" "$system"
}

# in_system COMMAND: run by a shell in a clean environment, with mounts and processes of its own, which end with it.
in_system() {
  unshare --mount --pid --fork --kill-child bash -euc '
    mount -t proc proc "$1/proc"
    mount -t sysfs sysfs "$1/sys"
    mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/tmp"
    exec chroot "$1" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
      Torch_DIR=/libtorch/share/cmake/Torch PACKSEQ_CMAKE_ARGS=-DPACKSEQ_STRICT=ON bash -euc "$2"' bash "$system" "$1"
}

[[ -d $system ]] || make_system
cp /etc/resolv.conf "$system/etc/resolv.conf"
mkdir -p "$system/libtorch"
cp -au "$libtorch"/{include,lib,share} "$system/libtorch"
[[ -d $system/packseq/.git ]] || git clone --quiet "$root" "$system/packseq"
git -C "$system/packseq" fetch --quiet "$root" HEAD
git -C "$system/packseq" reset --quiet --hard FETCH_HEAD
in_system 'cd packseq && bash cmake/quickstart.sh'
in_system 'cd packseq && bash cmake/quickstart.sh test'
