# Builds packseq_torch for the LibTorch of a Python, and tests it there. Uses what quickstart.sh defines.

readonly python_build=$build/python

# Sets torch_dir to the LibTorch of this Python: no other will do.
choose_python_torch() {
  local python=$1 dir
  command -v "$python" >/dev/null || fail "there is no Python $python" "run bash cmake/quickstart.sh python PATH-OF-ONE"
  dir=$(python_torch_dir "$python") ||
    fail "$python cannot import torch" "give another Python, or first: $python -m pip install torch"
  torch_dir=$dir
  if [[ -f $python_build/build.ninja && $(cached Torch_DIR "$python_build") == "$dir" ]]; then return; fi
  try_torch "$python ($dir)" "-DTorch_DIR=$dir" && [[ $torch_dir == "$dir" ]] ||
    fail "packseq cannot be built for the torch of $python" "give another Python (all output: $state/torch_trial.log)"
}

# Tests are run again once the module or a test has changed.
test_python_module() {
  local python=$1 module=$2 tested=$python_build/tested
  if [[ -z $(find "$module" "$root/test/engine" -newer "$tested" 2>&1) ]]; then return; fi
  step "testing it in $python (20 seconds)" "see the error above" \
    env OMP_NUM_THREADS=1 "PACKSEQ_TORCH_LIBRARY=$module" "$python" -B -W ignore -m unittest discover \
    --start-directory "$root/test/engine" --pattern 'python_*test.py'
  touch "$tested"
}

python_module() {
  local python=$1 module=$python_build/packseq_torch.so
  prepare "${library_needs[@]}"
  choose_python_torch "$python"
  configure "$python_build" -DPACKSEQ_BUILD_TESTS=OFF -DPACKSEQ_BUILD_BENCHMARKS=OFF -DPACKSEQ_BUILD_PROGRAM=OFF
  compile "$python_build" "packseq for $python" "about 3 minutes" packseq_torch
  test_python_module "$python" "$module"
  say "it works; in this Python, after import torch:"
  echo "torch.ops.load_library(\"$module\")"
  echo "torch.ops.packseq.install()"
}
