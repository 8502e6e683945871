"""What pytorch-crf makes of random batches, for the C++ tests to compare with: python3 python_crf.py FOLDER

With "check" behind it, reads the weights that C++ has written there, and what it made of the same batches. Where
pytorch-crf is not installed it writes nothing, and says so.
"""

import pathlib
import sys

import torch

try:
    import torchcrf
except ImportError:
    torchcrf = None

CASES = {"one_tag": (1, [3, 1]), "small": (3, [4, 2, 5, 1]), "nine": (9, [30, 7, 12, 12, 1]), "many": (45, [20, 3])}
REDUCTIONS = ("none", "sum", "mean", "token_mean")


def make(name):
    """A CRF, its documents' scores and tags, and the mask of their padding."""
    tags, lengths = CASES[name]
    torch.manual_seed(tags)
    crf = torchcrf.CRF(tags, batch_first=True).double()
    scores = [2 * torch.randn(length, tags, dtype=torch.double) for length in lengths]
    labels = [torch.randint(tags, (length,)) for length in lengths]
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones(length) for length in lengths], batch_first=True).bool()
    return crf, scores, labels, mask


def run(crf, scores, labels, mask):
    """Under its names everything that is made of a batch; tags in its padding must be tags, and are 0."""
    padded = torch.nn.utils.rnn.pad_sequence(scores, batch_first=True).requires_grad_()
    tags = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True)
    results = {f"likelihood.{name}": crf(padded, tags, mask, reduction=name).detach() for name in REDUCTIONS}
    gradients = torch.autograd.grad(crf(padded, tags, mask), (padded, *crf.parameters()))
    results["gradient.scores"] = gradients[0][mask]
    for (name, _), gradient in zip(crf.named_parameters(), gradients[1:]):
        results[f"gradient.{name}"] = gradient
    results["decoded"] = torch.tensor([tag for document in crf.decode(padded, mask) for tag in document])
    return results


def write(folder):
    for name in CASES:
        crf, scores, labels, mask = make(name)
        results = run(crf, scores, labels, mask)
        results |= {f"model.{key}": value for key, value in crf.state_dict().items()}
        results |= {"lengths": mask.sum(1), "scores": torch.cat(scores), "labels": torch.cat(labels)}
        torch.save(results, folder / f"crf_{name}.pt")


def check(folder):
    for name in CASES:
        crf, scores, labels, mask = make(name)
        written = torch.load(folder / f"cpp_crf_{name}.pt")
        crf.load_state_dict({key[6:]: value for key, value in written.items() if key.startswith("model.")})
        likelihood = run(crf, scores, labels, mask)["likelihood.none"]
        torch.testing.assert_close(likelihood, written["likelihood"], rtol=1e-12, atol=1e-12)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    if torchcrf is None:
        print("Skipped: this Python lacks pytorch-crf")
    elif sys.argv[2:] == ["check"]:
        check(folder)
    else:
        write(folder)


main()
