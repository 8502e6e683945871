#!/usr/bin/env bash
# thinc 9.1.1 with PyTorch 2.13.0, CPU: what a bidirectional PyTorchLSTM makes of a document depends on the documents
# beside it.
#
# thinc is the library of networks under spaCy. `with_padded` turns a list of documents into a padded batch that carries
# its lengths; thinc's own LSTM heeds them, PyTorchLSTM hands the padding to torch.nn.LSTM, whose reverse direction then
# begins in the padding of every document but the longest. Both are offered as the same layer: one can take the other's
# place.
#
# Seen, for documents of 2, 5 and 3 steps, whether each comes out as if alone: LSTM True True True, PyTorchLSTM False
# True False. Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet thinc==9.1.1 torch==2.13.0
"$folder/venv/bin/python" -W ignore - <<'END'
import numpy as np
import thinc
import torch
from thinc.api import LSTM, PyTorchLSTM, with_padded

print("thinc", thinc.__version__, "torch", torch.__version__)
random = np.random.default_rng(0)
documents = [random.standard_normal((length, 4)).astype(np.float32) for length in (2, 5, 3)]
for layer, expected in ((LSTM, [True, True, True]), (PyTorchLSTM, [False, True, False])):
    model = with_padded(layer(4, 4, bi=True))
    model.initialize(X=documents)
    together = model.predict(documents)
    same = [np.allclose(output, model.predict([document])[0], atol=1e-5)
            for output, document in zip(together, documents)]
    print(layer.__name__, *same)
    assert same == expected
END
