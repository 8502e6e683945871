#!/usr/bin/env bash
# sklearn-crfsuite 0.5.0: what `CRF.predict` gives depends on the documents' lengths.
#
# Since it goes through numpy, documents of unlike length come back as a vector of lists, and documents that happen to
# be of one length, a single one included, as a matrix. A program that takes lists, concatenates them or compares them
# with `==` works until a batch is rectangular; then `+` joins letters, and `==` compares element by element.
#
# Seen: shape (2, 2) and arrays for two documents of two tokens, shape (2,) and lists for two tokens and one. Fails if
# that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet sklearn-crfsuite==0.5.0
"$folder/venv/bin/python" -W ignore - <<'END'
import sklearn_crfsuite

crf = sklearn_crfsuite.CRF()
documents = [[{"word": "see"}, {"word": "Rome"}], [{"word": "Rome"}, {"word": "burns"}]]
crf.fit(documents, [["O", "B-LOC"], ["B-LOC", "O"]])
seen = []
for batch in (documents, [documents[0], documents[1][:1]]):
    tags = crf.predict(batch)
    seen.append((tags.shape, type(tags[0]).__name__))
    print([len(document) for document in batch], "gives shape", *seen[-1])
assert seen == [((2, 2), "ndarray"), ((2,), "list")], seen
END
