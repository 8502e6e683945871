# Times other libraries' recurrent networks beside the engine. Uses what quickstart.sh defines.

# Sets torch_python to the Python whose torch packseq is built for.
find_torch_python() {
  torch_python=$(cached PACKSEQ_TORCH_PYTHON "$build") ||
    fail "no Python has the torch that packseq is built for ($torch_dir)" "set Torch_DIR to the torch of a Python"
  if [[ $torch_dir == "$venv"/* ]]; then install_peer 'import numpy' numpy; fi
  "$torch_python" -c 'import numpy' 2>/dev/null ||
    fail "$torch_python has no numpy, in whose files the peers' inputs are" "$torch_python -m pip install numpy"
}

bench_peers() {
  local torch_python
  command -v taskset >/dev/null || fail "there is no taskset (Linux's util-linux)" "run this on Linux"
  set_up bench
  require_packages python3 venv
  find_torch_python
  compile "$build" "packseq for Python" "about 3 minutes" packseq_torch
  say "timing the peers: 10 minutes; before that, 3 GB of them the first time"
  python3 -B "$root/bench/peers/peers.py" "$build" --torch-python "$torch_python"
  draw bench/peers/picture.py "$build/peers"
}
