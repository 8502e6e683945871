#!/usr/bin/env bash
# nltk 3.10.4: the reader of CoNLL files takes a no-break space inside a word for the end of a column.
#
# Numbers such as "10 000" are written with a no-break space so that they stay one token, also in tagged corpora.
# Columns are split at whatever Unicode calls white space, and columns beyond those asked for are dropped, so the word
# becomes "10" and its tag "000": no error where all rows of the sentence have one. The default is to split like that.
#
# Seen: [[('10', '000')]] for a row "10<no-break space>000 CD O". Fails if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet nltk==3.10.4
printf '10\xc2\xa0000 CD O\n' >"$folder/sentence.conll"
"$folder/venv/bin/python" -W ignore - "$folder" <<'END'
import sys

import nltk
from nltk.corpus.reader.conll import ConllCorpusReader

nltk.data.path.append(sys.argv[1])
reader = ConllCorpusReader(sys.argv[1], ["sentence.conll"], ("words", "pos", "ignore"), encoding="utf-8")
seen = [list(sentence) for sentence in reader.tagged_sents()]
print("nltk", nltk.__version__, seen)
assert seen == [[("10", "000")]], seen
END
