# The system packages that packseq is built with: which are missing, and how to get them. For quickstart.sh and CI.

# A need is a tool, a header, or one of the words c++20, cmake and venv; beside it, who calls it what.
readonly package_names='
need                   apt                 brew              conda          vcpkg
c++20                  g++                 llvm              cxx-compiler   -
cmake                  cmake               cmake             cmake          -
ninja                  ninja-build         ninja             ninja          -
ccache                 ccache              ccache            ccache         -
hwy/highway.h          libhwy-dev          highway           libhwy         highway
gtest/gtest.h          libgtest-dev        googletest        gtest          gtest
gmock/gmock.h          libgmock-dev        googletest        gmock          gtest
benchmark/benchmark.h  libbenchmark-dev    google-benchmark  benchmark      benchmark
CLI/CLI.hpp            libcli11-dev        cli11             cli11          cli11
fmt/format.h           libfmt-dev          fmt               fmt            fmt
nlohmann/json.hpp      nlohmann-json3-dev  nlohmann-json     nlohmann_json  nlohmann-json
mpicxx                 libopenmpi-dev      open-mpi          openmpi        -
mpirun                 openmpi-bin         open-mpi          openmpi        -
python3                python3             python            python         -
venv                   python3-venv        python            python         -
'
readonly library_needs=(c++20 cmake ninja ccache hwy/highway.h nlohmann/json.hpp)
readonly build_needs=("${library_needs[@]}" gtest/gtest.h gmock/gmock.h benchmark/benchmark.h CLI/CLI.hpp
  fmt/format.h)

# Worth installing where that can be done, not worth asking for: without these there are no tests of several processes.
readonly mpi_needs=(mpicxx mpirun)

# package_list MANAGER NEED...: the packages that meet the needs, on one line.
package_list() {
  local manager=$1
  shift
  awk -v manager="$manager" -v needs="$*" '
    $1 == "need" { for (i = 2; i <= NF; ++i) if ($i == manager) column = i }
    index(" " needs " ", " " $1 " ") && $column != "-" && !seen[$column]++ {
      printf "%s%s", space, $column
      space = " "
    }
  ' <<<"$package_names"
}

compiler() {
  local candidate
  for candidate in ${CXX:-c++ g++ clang++}; do
    command -v "$candidate" && return
  done
}

knows_cxx20() {
  echo '#include <span>' | "$(compiler)" -std=c++20 -fsyntax-only -x c++ - 2>/dev/null
}

cmake_is_recent() {
  local version
  version=$(cmake --version 2>/dev/null | awk 'NR == 1 { print $3 }') && printf '3.21\n%s\n' "$version" | sort -CV
}

# missing_headers HEADER...: those that are neither where the compiler looks nor where CMake does, one a line.
missing_headers() {
  local header prefixes=${CMAKE_PREFIX_PATH:-}:${CONDA_PREFIX:-}:${HOMEBREW_PREFIX:-/opt/homebrew}
  compiler >/dev/null || { printf '%s\n' "$@" && return; }
  for header in "$@"; do
    printf '#if !__has_include(<%s>)\n%s\n#endif\n' "$header" "$header"
  done | CPATH="${prefixes//:/\/include:}/include" "$(compiler)" -std=c++20 -E -P -x c++ - 2>/dev/null | grep . || true
}

# missing_needs NEED...: those that are not met, one a line.
missing_needs() {
  local need headers=()
  for need in "$@"; do
    case $need in
      c++20) knows_cxx20 || echo "$need" ;;
      cmake) cmake_is_recent || echo "$need" ;;
      venv) python3 -c 'import ensurepip, venv' 2>/dev/null || echo "$need" ;;
      ccache) command -v ccache >/dev/null || ! can_use_apt || echo "$need" ;;  # worth installing, not worth asking for
      */*) headers+=("$need") ;;
      *) command -v "$need" >/dev/null || echo "$need" ;;
    esac
  done
  # With a toolchain file, vcpkg's for instance, only CMake knows where headers are.
  if ((${#headers[@]})) && [[ -z ${CMAKE_TOOLCHAIN_FILE:-} ]]; then
    missing_headers "${headers[@]}"
  fi
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi
}

can_use_apt() {
  command -v apt-get >/dev/null && as_root true 2>/dev/null
}

# apt_install PACKAGE...
apt_install() {
  if [[ -z ${apt_updated:-} ]]; then
    as_root apt-get update || return
    apt_updated=yes
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
}

# explain_missing NEED...: prints what to type for each package manager, and ends the script.
explain_missing() {
  local vcpkg
  vcpkg=$(package_list vcpkg "$@")
  say "missing or too old: $*"
  say "to go on, get them with one of these and run this again (CMake 3.21 or later, a compiler that knows C++20):"
  {
    echo "  sudo apt-get install $(package_list apt "$@")"
    echo "  brew install $(package_list brew "$@")"
    echo "  conda install -c conda-forge $(package_list conda "$@")"
    [[ -z $vcpkg ]] || echo "  vcpkg install $vcpkg   (and set CMAKE_TOOLCHAIN_FILE to its vcpkg.cmake)"
  } >&2
  exit 1
}

# require_packages NEED...: installs what is missing, or ends the script saying how to get it.
require_packages() {
  local missing packages
  read -ra missing <<<"$(missing_needs "$@" | tr '\n' ' ')"
  ((${#missing[@]})) || return 0
  can_use_apt || explain_missing "${missing[@]}"
  read -ra packages <<<"$(package_list apt "${missing[@]}")"
  step "installing ${packages[*]} with apt (about a minute)" "install them by hand and run this again" \
    apt_install "${packages[@]}"
  read -ra missing <<<"$(missing_needs "$@" | tr '\n' ' ')"
  ((${#missing[@]} == 0)) || explain_missing "${missing[@]}"
}
