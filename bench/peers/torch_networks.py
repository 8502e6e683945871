"""LibTorch's networks of a case, and their runs, for the peers that are LibTorch's: the engine runs the same."""

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from peer import WEIGHTS


def make_network(case):
    network = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[case.kind](case.size, case.size)
    for name, attribute in WEIGHTS.items():
        getattr(network, attribute).data.copy_(torch.from_numpy(getattr(case, name)))
    return network.train(case.training)


def to_array(tensor):
    return tensor.detach().float().numpy()


class Run:
    """A network over a batch, padded or packed: what is timed, and what of it is compared."""

    def __init__(self, case, network, packed, dtype=torch.float32):
        self.case, self.network = case, network
        lengths, x, dy = (torch.from_numpy(array) for array in (case.lengths, case.x, case.dy))
        x, dy = (pack_padded_sequence(rows, lengths) if packed else rows for rows in (x.to(dtype), dy.to(dtype)))
        self.dy = dy.data if packed else dy
        self.leaf = (x.data if packed else x).requires_grad_(case.training)
        self.input = PackedSequence(self.leaf, x.batch_sizes) if packed else self.leaf

    def __call__(self):
        if not self.case.training:
            with torch.inference_mode():
                return self.network(self.input)
        for leaf in (self.leaf, *self.network.parameters()):
            leaf.grad = None
        output, state = self.network(self.input)
        (output.data if isinstance(output, PackedSequence) else output).backward(self.dy)
        return output, state

    def read(self, result):
        """{name: array}, see peer.py. The final state of a padded batch is of the padding."""
        output, state = result
        results = {"output": to_array(self._pad(output))}
        if isinstance(output, PackedSequence):
            results["h"] = to_array(state[0] if isinstance(state, tuple) else state)[0]
        if self.case.training:
            results["d_x"] = to_array(self._pad(self._like_input(self.leaf.grad)))
            results |= {f"d_{name}": to_array(getattr(self.network, attribute).grad)
                        for name, attribute in WEIGHTS.items()}
        return results

    def _like_input(self, data):
        return PackedSequence(data, self.input.batch_sizes) if isinstance(self.input, PackedSequence) else data

    def _pad(self, rows):
        return pad_packed_sequence(rows)[0] if isinstance(rows, PackedSequence) else rows


def prepare(case, packed, change=lambda network: network, dtype=torch.float32):
    """What a Contender's `prepare` gives; `change` makes the network another one."""
    run = Run(case, change(make_network(case)), packed, dtype)
    return run, run.read
