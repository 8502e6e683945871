"""The peers, and the virtual environment that each runs in, made where it is needed."""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


class LeftOut(Exception):
    """A peer cannot be run here, and why."""


@dataclasses.dataclass(frozen=True)
class Peer:
    script: str
    packages: tuple = ()  # none: it runs in the Python of the LibTorch that packseq is built for
    environment: tuple = ()  # of pairs


PADDLE = Peer("paddle_peer.py", ("paddlepaddle==3.3.1", "numpy"))
PEERS = {"packseq": Peer("packseq_peer.py"),
         "LibTorch": Peer("libtorch_peer.py"),
         "ONNX Runtime": Peer("onnxruntime_peer.py", ("onnxruntime==1.32.0", "onnx==1.23.2", "numpy")),
         "OpenVINO": Peer("openvino_peer.py", ("openvino==2026.4.1", "numpy")),
         "PaddlePaddle": PADDLE,
         "PaddlePaddle AVX2": dataclasses.replace(PADDLE, environment=(("MKL_DEBUG_CPU_TYPE", "5"),)),
         "Flax": Peer("flax_peer.py", ("flax==0.12.8", "jax==0.10.2", "jaxlib==0.10.2", "numpy")),
         "Keras": Peer("keras_peer.py", ("keras==3.15.1", "jax==0.10.2", "jaxlib==0.10.2", "numpy"))}


def say(what):
    print(f"peers: {what}", file=sys.stderr, flush=True)


def make_environment(folder, packages):
    """The Python of a virtual environment that has these packages. What pip says is in FOLDER.log.

    Raises LeftOut where they are not to be had; a folder that is half made does not stay.
    """
    python, made = folder / "bin" / "python", folder / "made"
    if made.exists() and made.read_text() == "\n".join(packages):
        return python
    say(f"installing {' '.join(packages)} into {folder}")
    log = folder.with_name(f"{folder.name}.log")
    folder.parent.mkdir(parents=True, exist_ok=True)
    pip = [python, "-m", "pip", "install", "--no-input", "--no-cache-dir", "--disable-pip-version-check", *packages]
    with open(log, "w") as output:
        for command in ([sys.executable, "-m", "venv", "--clear", folder], pip):
            if subprocess.run(command, stdout=output, stderr=subprocess.STDOUT).returncode != 0:
                shutil.rmtree(folder, ignore_errors=True)
                raise LeftOut(f"{' '.join(packages)} cannot be installed (see {log})")
    made.write_text("\n".join(packages))
    return python


def command(name, folder, torch_python, library):
    """What starts the peer; its environment is made in `folder`."""
    peer = PEERS[name]
    python = make_environment(folder / peer.script.removesuffix("_peer.py"), peer.packages) if peer.packages else (
        torch_python)
    arguments = [library] if name == "packseq" else []
    return [str(word) for word in (python, "-B", HERE / peer.script, *arguments)]


def on_one_core(words):
    """The same on the last core that this process may use: the first ones take what else the machine does."""
    if not shutil.which("taskset"):
        raise SystemExit("peers.py: there is no taskset (util-linux); processes are kept on one core with it")
    return ["taskset", "--cpu-list", str(max(os.sched_getaffinity(0))), *words]


def environment(name):
    """What the peer's process sees: no threads of OpenMP, which would spin on the only core, and of the settings that
    make one peer of another only its own, never the user's."""
    settings = {key for peer in PEERS.values() for key, _ in peer.environment}
    inherited = {key: value for key, value in os.environ.items() if key not in settings}
    return {**inherited, "OMP_NUM_THREADS": "1", **dict(PEERS[name].environment)}
