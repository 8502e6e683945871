#!/usr/bin/env bash
# gensim 4.4.0: KeyedVectors writes words that hold a blank into files from which it reads other words and numbers.
#
# save_word2vec_format(binary=True) puts a blank behind each word, and whoever reads the file takes the word to end at
# the first one: of "new york" the vector begins five bytes early, and what is left of it becomes a part of the next
# word. load_word2vec_format of gensim itself returns that without an error. In text the same word comes back as an
# error ("could not convert string to float"), though a reader that takes the numbers from the end of a line finds it
# (packseq: WordVectorReader, which in binary files refuses the next word, since it is no text).
#
# Seen: ["new york", "rome"] comes back from binary as ["new", "?\x00\x00\x00@rome"]. Fails if the words come back
# right, or are refused.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet gensim==4.4.0
"$folder/venv/bin/python" - "$folder/vectors" <<'END'
import sys

import gensim
import numpy
from gensim.models import KeyedVectors

file = sys.argv[1]
words = ["new york", "rome"]
vectors = KeyedVectors(2)
vectors.add_vectors(words, numpy.array([[1, 2], [3, 4]], dtype=numpy.float32))
print("gensim", gensim.__version__)

vectors.save_word2vec_format(file, binary=True)
back = KeyedVectors.load_word2vec_format(file, binary=True)
print("binary:", back.index_to_key, back.vectors.tolist())
assert back.index_to_key != words and len(back) == 2, back.index_to_key

vectors.save_word2vec_format(file, binary=False)
try:
    print("text:", KeyedVectors.load_word2vec_format(file, binary=False).index_to_key)
    sys.exit("in text it is read now")
except ValueError as error:
    print("text:", error)
END
