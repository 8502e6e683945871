# Finds a LibTorch that packseq can be built with, or installs one. Uses $root, $build and $state of quickstart.sh.

torch_versions=(2.15.0 2.14.1 2.13.0)  # those that packseq is tested with, the newest first
readonly torch_index=${PACKSEQ_TORCH_INDEX:-https://download.pytorch.org/whl/cpu}
readonly venv=$build/venv

# torch_setting NAME: what PackseqTorch.cmake sets it to.
torch_setting() {
  sed -n "s/^set($1 \(.*\))$/\1/p" "$root/cmake/PackseqTorch.cmake"
}

# first_error LOG: prints it on one line.
first_error() {
  awk '/^CMake Error/ { found = 1; next }
       /^Call Stack/ { exit }
       found && NF { text = text " " $0; next }
       text { exit }
       END { print text }' "$1" | grep . ||
    grep -m 1 -E 'error|undefined reference' "$1" || echo "see $1"
}

# try_torch WHERE [CMAKE_ARGUMENT...]: builds and runs a small program with the LibTorch that CMake finds; if that
# works, sets torch_dir.
try_torch() {
  local where=$1 trial=$state/torch_trial trial_log=$state/torch_trial.log
  shift
  say "trying LibTorch of $where (10 seconds)"
  rm -rf "$trial"
  if env -u Torch_DIR cmake -S "$root/cmake/quickstart/torch_trial" -B "$trial" -G Ninja "$@" >"$trial_log" 2>&1 &&
    cmake --build "$trial" --target run_torch_trial >>"$trial_log" 2>&1; then
    torch_dir=$(cached Torch_DIR "$trial")
  else
    say "not taken: $(first_error "$trial_log" | sed 's|^ *||; s|  *| |g')"
    return 1
  fi
}

# cached NAME BUILD: what a build folder is configured with under this name, as Torch_DIR.
cached() {
  sed -n "s/^$1:[A-Z]*=//p" "$2/CMakeCache.txt" 2>/dev/null | grep .
}

# python_torch_dir PYTHON: the LibTorch of this Python.
python_torch_dir() {
  "$1" -c 'import torch; print(torch.utils.cmake_prefix_path + "/Torch")' 2>/dev/null
}

# venv_pip_install ARGUMENT...
venv_pip_install() {
  "$venv/bin/python" -m pip install --no-input --disable-pip-version-check "$@"
}

# pip_install_newest_torch SUFFIX [ARGUMENT...]: the newest tested one that pip has under this suffix of its version.
pip_install_newest_torch() {
  local version output
  for version in "${torch_versions[@]}"; do
    output=$(venv_pip_install "torch==$version$1" "${@:2}" 2>&1) && return
    printf '%s\n' "$output"
    # Not to be had, or beyond a limit in the settings of pip: the next one may be.
    [[ $output =~ "No matching distribution"|ResolutionImpossible ]] || return
  done
  return 1
}

# pip's own index comes first, for all versions: it may be a mirror. On Linux its plain build is for CUDA, and large:
# hence "+cpu".
pip_install_cpu_torch() {
  pip_install_newest_torch +cpu || pip_install_newest_torch '' --index-url "$torch_index"
}

install_torch() {
  local way_out="download LibTorch from pytorch.org, set Torch_DIR to its share/cmake/Torch, and run this again"
  if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    require_packages venv
    step "making the virtual environment build/venv (10 seconds)" "$way_out" python3 -m venv --clear "$venv"
  fi
  say "installing LibTorch into build/venv (190 MB, about a minute)"
  if pip_install_cpu_torch >>"$log" 2>&1; then return; fi
  step "it is not to be had for the CPU: installing pip's, for CUDA, into build/venv (5 GB on disk, several minutes)" \
    "$way_out" pip_install_newest_torch ''
}

# Sets torch_dir to the first LibTorch that works.
search_torch() {
  local dir
  if [[ -n ${Torch_DIR:-} ]]; then try_torch "Torch_DIR ($Torch_DIR)" "-DTorch_DIR=$Torch_DIR" && return; fi
  if [[ -n ${CMAKE_PREFIX_PATH:-} ]]; then try_torch "CMAKE_PREFIX_PATH ($CMAKE_PREFIX_PATH)" && return; fi
  if dir=$(cached Torch_DIR "$build"); then try_torch "the last build ($dir)" "-DTorch_DIR=$dir" && return; fi
  if dir=$(python_torch_dir python3); then try_torch "python3 ($dir)" "-DTorch_DIR=$dir" && return; fi
  dir=$(python_torch_dir "$venv/bin/python") || { install_torch && dir=$(python_torch_dir "$venv/bin/python"); }
  try_torch "build/venv" "-DTorch_DIR=$dir" ||
    fail "LibTorch does not work (all output: $state/torch_trial.log)" "delete build/venv and run this again"
}

# Sets torch_dir. A choice is kept until the environment asks for another LibTorch.
choose_torch() {
  local wish="${Torch_DIR:-} ${CMAKE_PREFIX_PATH:-}" last_wish=
  torch_dir=
  if [[ -f $state/torch ]]; then
    { IFS= read -r last_wish && IFS= read -r torch_dir; } <"$state/torch" || true
  fi
  if [[ "$wish" != "$last_wish" || ! -f $torch_dir/TorchConfig.cmake ]]; then
    search_torch
    printf '%s\n' "$wish" "$torch_dir" >"$state/torch"
  fi
}
