"""Small runs, and what of them must be the same however often they were stopped."""

import io
import shutil

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exchange.arrays import read_arrays

WORDS = ["the", "cat", "sat", "on", "mat", "and", "dog", "ate", "hat", "that", "had", "in", "sun", "so", "long", "ago"]
SENTENCES = " ".join(np.random.default_rng(0).choice(WORDS, 90))
SAME = ("state.safetensors", "best.safetensors", "log.jsonl")
SMALL = {"hidden": 5, "batch": 2, "k1": 4, "updates": 24, "every": 4}


def a_text(text=SENTENCES):
    return tg.data.text(io.BytesIO(text.encode()))


def a_table(values=None, header="a", **how):
    if values is None:
        t = np.arange(90)
        values = np.sin(t / 3) + 0.1 * np.random.default_rng(1).normal(size=90) + 3
    lines = [header, *(",".join(map(str, np.atleast_1d(row))) for row in values)]
    return tg.data.table(io.BytesIO("\n".join(lines).encode()), header="yes", **how)


def fitted(out, data=None, cell="gru", **options):
    return tg.train.fit(cell, a_text() if data is None else data, out=out, **SMALL | options)


def kept(run):
    return {name: (run.path / name).read_bytes() for name in SAME if (run.path / name).exists()}


def copied(run, to):
    shutil.copytree(run.path, to)
    return tg.train.Run(to)


def same_weights(a, b):
    a, b = a.params, b.params
    return list(a) == list(b) and all(np.array_equal(a[name], b[name]) for name in a)


def state_of(run):
    return read_arrays(run.path / "state.safetensors")
