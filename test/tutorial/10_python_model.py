# Step 10, in Python. A network is trained to tell articles, nouns and verbs apart, and is saved for C++:
#   python3 10_python_model.py FOLDER
import pathlib
import sys

import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

TAGS = ["article", "noun", "verb"]
LEARN = [
    ("the dog ate the apple", "article noun verb article noun"),
    ("everybody read a book", "noun verb article noun"),
    ("the saw cut the tree", "article noun verb article noun"),
    ("a child saw the dog", "article noun verb article noun"),
    ("everybody saw", "noun verb"),
    ("the cut", "article noun"),
]
TELL = ["everybody cut the apple", "a child saw the saw", "the cut"]


class Tagger(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.embedding = nn.Embedding(words, 8)
        self.lstm = nn.LSTM(8, 16, bidirectional=True)
        self.linear = nn.Linear(32, len(TAGS))

    def forward(self, ids):
        embedded = ids._replace(data=self.embedding(ids.data))
        output, _ = self.lstm(embedded)
        return output._replace(data=self.linear(output.data))


words = sorted({word for sentence, _ in LEARN for word in sentence.split()})


def pack(sentences, index):
    return pack_sequence([torch.tensor([index(word) for word in s.split()]) for s in sentences], enforce_sorted=False)


torch.manual_seed(1)
tagger = Tagger(len(words))
optimizer = torch.optim.Adam(tagger.parameters(), lr=0.05)
ids = pack([sentence for sentence, _ in LEARN], words.index)
tags = pack([tags for _, tags in LEARN], TAGS.index)
for _ in range(50):
    optimizer.zero_grad()
    nn.functional.cross_entropy(tagger(ids).data, tags.data).backward()
    optimizer.step()

# What C++ needs: the weights, and the words, one on each line, in the order of their indices.
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
torch.save(tagger.state_dict(), folder / "tagger.pt")
(folder / "words.txt").write_text("\n".join(words), encoding="utf-8")

scores, lengths = pad_packed_sequence(tagger(pack(TELL, words.index)), batch_first=True)
for sentence, score in zip(TELL, scores):
    print(" ".join(f"{word}/{TAGS[tag]}" for word, tag in zip(sentence.split(), score.argmax(1))))
