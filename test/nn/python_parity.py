"""Runs networks in Python and writes what C++ must find: python3 python_parity.py FOLDER

parity.pt holds for each network, under its name, the weights, a batch with an initial state, its results and gradients.
"""

import pathlib
import sys

import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

NETWORKS = {
    "lstm": lambda: nn.LSTM(4, 5, num_layers=2, bidirectional=True),
    "lstm_projected": lambda: nn.LSTM(4, 5, num_layers=2, bidirectional=True, proj_size=3),
    "gru": lambda: nn.GRU(4, 5, num_layers=2, bidirectional=True),
    "rnn_tanh": lambda: nn.RNN(4, 5, num_layers=2, bidirectional=True),
    "rnn_relu": lambda: nn.RNN(4, 5, num_layers=2, bidirectional=True, nonlinearity="relu", bias=False),
}


class Tagger(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.embedding = nn.Embedding(11, 4)
        self.network = network
        self.linear = nn.Linear(2 * (network.proj_size or network.hidden_size), 3)

    def forward(self, ids, state):
        embedded = ids._replace(data=self.embedding(ids.data))
        output, state = self.network(embedded, state)
        return output, state, self.linear(output.data)


def run(network):
    model = Tagger(network)
    documents = [torch.randint(11, (length,)) for length in (2, 5, 1, 3)]
    sizes = [network.proj_size or network.hidden_size]
    if isinstance(network, nn.LSTM):
        sizes.append(network.hidden_size)
    initial = [torch.randn(4, len(documents), size, requires_grad=True) for size in sizes]
    state = tuple(initial) if len(initial) > 1 else initial[0]
    output, final, scores = model(pack_sequence(documents, enforce_sorted=False), state)
    final = list(final) if len(initial) > 1 else [final]
    (scores.cos().sum() + sum(tensor.sin().sum() for tensor in final)).backward()

    results = {f"model.{key}": tensor for key, tensor in model.state_dict().items()}
    results |= {f"gradient.{key}": parameter.grad for key, parameter in model.named_parameters()}
    results |= {f"document.{i}": document for i, document in enumerate(documents)}
    for name, before, after in zip("hc", initial, final):
        results |= {f"initial.{name}": before.detach(), f"gradient.{name}": before.grad}
        results[f"final.{name}"] = after.detach()
    results |= {"output": output.data.detach(), "scores": scores.detach()}
    return results


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    everything = {}
    for name, network in NETWORKS.items():
        everything |= {f"{name}.{key}": tensor for key, tensor in run(network()).items()}
    torch.save(everything, folder / "parity.pt")


main(pathlib.Path(sys.argv[1]))
