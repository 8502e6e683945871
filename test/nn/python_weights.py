"""Files of weights as Python programs write them: python3 python_weights.py FOLDER

With "check" behind it, reads what C++ has written there. What a tensor holds follows from its name and number alone, so
that both sides know it.
"""

import argparse
import collections
import contextlib
import pathlib
import sys
import warnings
import zipfile

import torch
from torch import nn

try:
    import numpy
except ImportError:
    numpy = None
try:
    import safetensors.torch as safetensors
except ImportError:
    safetensors = None

DTYPES = (
    "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128 complex32 uint16 uint32"
    " uint64 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu float4_e2m1fn_x2"
).split()
NOT_IN_SAFETENSORS = {"complex128", "complex32"}


def pattern(dtype, number):
    """Two by three elements of any bits."""
    size = 6 * dtype.itemsize
    most = 2 if dtype == torch.bool else 251
    numbers = torch.tensor([(37 * i + 11 * number + 5) % most for i in range(size)], dtype=torch.uint8)
    return numbers.view(dtype).view(2, 3)


def every_dtype():
    return {name: pattern(getattr(torch, name), i) for i, name in enumerate(DTYPES)}


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.lstm = nn.LSTM(4, 3, num_layers=2, bidirectional=True, proj_size=2)
        self.gru = nn.GRU(4, 3)
        self.rnn = nn.RNN(4, 3, nonlinearity="relu")
        self.norm = nn.BatchNorm1d(3)
        self.linear = nn.Linear(4, 5, bias=False)
        self.linear.weight = self.embedding.weight
        with torch.no_grad():
            for i, tensor in enumerate(self.state_dict().values()):
                tensor.copy_(torch.arange(tensor.numel()).view(tensor.shape) + i)


def views():
    base = torch.arange(24.0).view(4, 6)
    numbers = torch.complex(torch.arange(3.0), torch.ones(3))
    return {
        "base": base,
        "row": base[1],
        "column": base[:, 2],
        "transposed": base.t(),
        "expanded": base[2, :1].expand(5),
        "again": base,
        "scalar": torch.tensor(3.0),
        "empty": torch.zeros(0, 3),
        "conjugate": numbers.conj(),
        "negative": numbers.clone().conj().imag,
    }


def with_attributes():
    parameter, tensor = nn.Parameter(torch.ones(2)), torch.ones(2, dtype=torch.uint16)
    parameter.comment = tensor.comment = "kept by Python alone"
    buffer = nn.Buffer(torch.ones(2))
    return {"parameter": parameter, "tensor": tensor, "buffer": buffer, "plain": nn.Parameter(torch.ones(2))}


def checkpoint(model):
    optimizer = torch.optim.Adam(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    with torch.no_grad():
        model.load_state_dict(Model().state_dict())
    content = {
        "epoch": 2**40,
        "seeds": [2**63, -(2**70), 70000, -1, True, None, 0.5],
        "model_state_dict": model.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "random": torch.get_rng_state(),
        "arguments": argparse.Namespace(lr=0.1, layers=(1, 2)),
        "python": [torch.Size([2, 3]), torch.float32, torch.device("cuda:1"), b"\xff", {1, 2}, bytearray(b"x")],
        "losses": collections.defaultdict(list, {"training": [1.0, 0.5]}),
        "models": [{"0": torch.zeros(1), 0: 7}, {"weight": torch.ones(2)}],
        5: {"weight": torch.full((2,), 5.0)},
    }
    if numpy is not None:
        content["numpy"] = [numpy.float32(1), numpy.arange(3)]
    return content


class Subclass(torch.Tensor):
    pass


def write_refused(folder, model):
    torch.save(model, folder / "model.pt")
    torch.save({"epoch": 3, "model": model}, folder / "model_in_dict.pt")
    torch.save(model.state_dict(), folder / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.jit.save(torch.jit.script(nn.Linear(2, 1)), folder / "script.pt")
    torch.save(torch.ones(2), folder / "tensor.pt")
    torch.save({5: torch.ones(2)}, folder / "numbered.pt")
    torch.save({"weight": torch.ones(2), "epoch": 3, "args": argparse.Namespace()}, folder / "mixed.pt")
    with warnings.catch_warnings(action="ignore"):
        quantized = torch.quantize_per_tensor(torch.rand(2), 0.1, 0, torch.quint8)
        torch.save({"a": quantized}, folder / "quantized.pt")
        torch.save({"a": torch.eye(2).to_sparse_csr()}, folder / "sparse.pt")
    torch.save({"a": torch.empty(2, device="meta")}, folder / "meta.pt")
    torch.save({"a": torch.ones(2).as_subclass(Subclass)}, folder / "subclass.pt")
    jagged = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged)
    torch.save({"a": jagged}, folder / "jagged.pt")


def rewritten(source, target, change=lambda name, content: content, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))


def write_big_endian(folder):
    """As a machine writes that has the highest byte first. The records of every_dtype.pt are in the dtypes' order."""

    def swap(name, content):
        if name.endswith("/byteorder"):
            return b"big"
        if "/data/" not in name:
            return content
        dtype = getattr(torch, DTYPES[int(name.rpartition("/")[2])])
        width = dtype.itemsize // (2 if dtype.is_complex else 1)
        return b"".join(content[i : i + width][::-1] for i in range(0, len(content), width))

    rewritten(folder / "every_dtype.pt", folder / "big_endian.pt", swap)


def write_safetensors(folder, model):
    if safetensors is None:
        return
    state = {name: tensor for name, tensor in every_dtype().items() if name not in NOT_IN_SAFETENSORS}
    state |= {"scalar": torch.tensor(3.0), "empty": torch.zeros(0, 3), 'ü "\\\n\x01\x7f': torch.ones(1)}
    safetensors.save_file(state, folder / "every_dtype.safetensors", metadata={"format": "pt"})
    safetensors.save_file({}, folder / "empty.safetensors")
    safetensors.save_model(model, folder / "tied.safetensors")


@contextlib.contextmanager
def location(tag):
    before, torch.serialization.location_tag = torch.serialization.location_tag, lambda storage: tag
    yield
    torch.serialization.location_tag = before


def write(folder):
    folder.mkdir(parents=True, exist_ok=True)
    model = Model()
    state = model.state_dict()
    torch.save(every_dtype(), folder / "every_dtype.pt")
    torch.save(state, folder / "state.pt")
    torch.save(dict(state), folder / "dict.pt")
    torch.save(dict(model.named_parameters()), folder / "parameters.pt")
    for protocol in (3, 4, 5):
        torch.save(state, folder / f"protocol_{protocol}.pt", pickle_protocol=protocol)
    torch.save(views(), folder / "views.pt")
    torch.save(with_attributes(), folder / "attributes.pt")
    torch.save(nn.ReLU().state_dict(), folder / "empty.pt")
    torch.save(checkpoint(model), folder / "checkpoint.pt")
    rewritten(folder / "state.pt", folder / "deflated.pt", compression=zipfile.ZIP_DEFLATED)
    torch.serialization.set_crc32_options(False)
    torch.save(state, folder / "unchecked.pt")
    torch.serialization.set_crc32_options(True)
    write_big_endian(folder)
    write_refused(folder, model)
    write_safetensors(folder, model)
    with location("cuda:0"):
        torch.save(state, folder / "from_cuda.pt")  # what a model trained on a GPU leaves


def expect_same(actual, expected):
    assert list(actual) == list(expected), (list(actual), list(expected))
    for name, tensor in expected.items():
        other = actual[name]
        assert (other.dtype, other.shape) == (tensor.dtype, tensor.shape), name
        as_bytes = [t.resolve_conj().resolve_neg().contiguous().flatten().view(torch.uint8) for t in (other, tensor)]
        assert torch.equal(*as_bytes), name


def check(folder):
    expect_same(torch.load(folder / "cpp_every_dtype.pt"), every_dtype())
    loaded = torch.load(folder / "cpp_views.pt")
    expect_same(loaded, views())
    assert len({loaded[name].untyped_storage().data_ptr() for name in ("base", "row", "column", "expanded")}) == 1
    model = Model()
    expected = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    model.load_state_dict(torch.load(folder / "cpp_state.pt"), strict=True)
    expect_same(model.state_dict(), expected)
    if safetensors is None:
        return
    for name in ("every_dtype.safetensors", "empty.safetensors", "tied.safetensors"):
        assert (folder / f"cpp_{name}").read_bytes() == (folder / name).read_bytes(), name
    model = Model()
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    safetensors.load_model(model, folder / "cpp_tied.safetensors")
    expect_same(model.state_dict(), expected)


(check if sys.argv[2:] == ["check"] else write)(pathlib.Path(sys.argv[1]))
for module, name in ((numpy, "numpy"), (safetensors, "safetensors")):
    if module is None:
        print(f"Without {name}: what needs it is left out")
