"""Models as people write them in PyTorch: each runs with one set of modules for all steps, or with one set a step."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import cross_entropy, linear
from torch.nn.utils.parametrizations import weight_norm

T, B, L, M, K = 6, 3, 4, 5, 7


class Cells(nn.Module):
    """PyTorch's cell, and a head on each of its states."""

    def __init__(self, cell):
        super().__init__()
        self.cell, self.head = cell(L, M), nn.Linear(M, L)

    def step(self, x, s):
        s = self.cell(x, s)
        return self.head(s[0] if isinstance(s, tuple) else s), s


class Own(nn.Module):
    """A cell written out, its matrices used as they are."""

    def __init__(self):
        super().__init__()
        self.V, self.U = nn.Parameter(torch.randn(M, L)), nn.Parameter(torch.randn(M, M) / 2)
        self.W, self.b = nn.Parameter(torch.randn(L, M)), nn.Parameter(torch.randn(M))

    def step(self, x, s):
        s = torch.zeros(B, M) if s is None else s
        s = torch.tanh(x @ self.V.t() + s @ self.U.T + self.b)
        return s @ self.W.mT, s


class Twice(nn.Module):
    """One matrix, used twice in a step: by two layers whose weights are tied, and once more inside."""

    def __init__(self):
        super().__init__()
        self.V, self.U = nn.Linear(L, M), nn.Linear(M, M, bias=False)

    def step(self, x, s):
        a, b = s if s is not None else (torch.zeros(B, M), torch.zeros(B, M))
        a = torch.tanh(self.V(x) + self.U(a))
        b = torch.relu(a + self.U(b))
        return linear(b, self.V.weight.T), (a, b)


class Normed(nn.Module):
    """A cell with layer norm and a gate."""

    def __init__(self):
        super().__init__()
        self.joint, self.norm = nn.Linear(L + M, 2 * M), nn.LayerNorm(2 * M)

    def step(self, x, s):
        s = torch.zeros(B, M) if s is None else s
        gate, new = self.norm(self.joint(torch.cat([x, s], -1))).chunk(2, -1)
        z = torch.sigmoid(gate)
        s = (1 - z) * s + z * torch.tanh(new)
        return s[:, :L], s


class Free(nn.Module):
    """Runs on its own outputs after the first step."""

    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.GRUCell(L, M), nn.Linear(M, L)

    def step(self, x, s):
        x, s = (x, None) if s is None else s
        s = self.cell(x, s)
        y = self.head(s)
        return y, (y, s)


STEPPED = {
    "RNNCell": lambda: Cells(nn.RNNCell),
    "LSTMCell": lambda: Cells(nn.LSTMCell),
    "GRUCell": lambda: Cells(nn.GRUCell),
    "own matrices": Own,
    "one matrix twice a step": Twice,
    "layer norm, chunks": Normed,
    "free running": Free,
}


def loss_of(module_at, x):
    """The loss of a stepped model: `module_at(t)` is what runs at step t."""
    s, loss = None, 0.0
    for t, now in enumerate(x, start=1):
        y, s = module_at(t).step(now, s)
        loss = loss + (y**2).sum() * t
    return loss


class Hoisted(nn.Module):
    """What is computed from the weights before the loop: a transpose, a product, a mask, blocks."""

    def __init__(self):
        super().__init__()
        self.V, self.A, self.B = (nn.Parameter(torch.randn(size)) for size in ((M, L), (M, 2), (2, M)))
        self.gates, self.U = nn.Parameter(torch.randn(2 * M, M)), nn.Parameter(torch.randn(M, M) / 2)
        self.register_buffer("mask", (torch.rand(M, M) > 0.5).double())

    def parts(self):
        one, two = self.gates.split(M)
        return self.V.t(), (self.A @ self.B).t(), (self.U * self.mask).T, one.T, two.T

    def forward(self, x, parts_at=None):
        made = self.parts()
        s, loss = torch.zeros(B, M), 0.0
        for t, now in enumerate(x, start=1):
            V, low, masked, one, two = parts_at(t) if parts_at else made
            s = torch.tanh(now @ V + s @ low + s @ masked) * torch.sigmoid(s @ one) + 0.1 * (s @ two)
            loss = loss + (s**2).sum() * t
        return loss


class Tagger(nn.Module):
    """An embedding and a decoder on all steps in one call, the decoder's weight that of the embedding."""

    def __init__(self):
        super().__init__()
        self.embed, self.rnn, self.decode = nn.Embedding(K, M), nn.LSTM(M, M), nn.Linear(M, K)
        self.decode.weight = self.embed.weight

    def forward(self, words):
        return cross_entropy(self.decode(self.rnn(self.embed(words))[0]).flatten(0, 1), words.flatten())


class Translator(nn.Module):
    """Encoder, attention, decoder; and a penalty on the weights."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.GRU(L, M, bidirectional=True), nn.GRUCell(2 * M, M)
        self.ask, self.attend = nn.Linear(M, 2 * M), nn.MultiheadAttention(2 * M, 1)

    def forward(self, x):
        seen, _ = self.encoder(x)
        s, loss = torch.zeros(x.shape[1], M), 0.0
        for _ in range(3):
            found, _ = self.attend(self.ask(s)[None], seen, seen)
            s = self.decoder(found[0], s)
            loss = loss + (s**2).sum()
        return loss + 0.1 * sum((p**2).sum() for p in self.decoder.parameters())


class WeightNormed(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = weight_norm(nn.Linear(L + M, M))

    def forward(self, x):
        s = torch.zeros(x.shape[1], M)
        for now in x:
            s = torch.tanh(self.cell(torch.cat([now, s], -1)))
        return (s**2).sum()


class Layered(nn.Module):
    """PyTorch's layers, fused."""

    def __init__(self, make, packed=False):
        super().__init__()
        self.rnn, self.packed = make, packed

    def forward(self, x):
        if self.packed:
            x = nn.utils.rnn.pack_padded_sequence(x, [3, T, 2], enforce_sorted=False)
        y, s = self.rnn(x)
        y = y.data if self.packed else y
        return (y**2).sum() + sum((part**3).sum() for part in (s if isinstance(s, tuple) else (s,)))


WHOLE: dict[str, Callable[[], nn.Module]] = {
    "hoisted": Hoisted,
    "attention, encoder and decoder, penalty": Translator,
    "weight norm": WeightNormed,
    "LSTM, 2 layers, both ways, dropout": lambda: Layered(nn.LSTM(L, M, 2, bidirectional=True, dropout=0.4)),
    "GRU, batch first": lambda: Layered(nn.GRU(L, M, batch_first=True)),
    "RNN, relu, no bias": lambda: Layered(nn.RNN(L, M, 2, nonlinearity="relu", bias=False)),
    "RNN, tanh": lambda: Layered(nn.RNN(L, M)),
    "packed LSTM, 2 layers, both ways": lambda: Layered(nn.LSTM(L, M, 2, bidirectional=True), packed=True),
    "packed GRU": lambda: Layered(nn.GRU(L, M), packed=True),
}


@dataclass
class Copied:
    """A module for each step, and what came back for it."""

    modules: list[nn.Module]

    @classmethod
    def of(cls, module, T=T):
        return cls([copy.deepcopy(module) for _ in range(T)])

    def at(self, t):
        return self.modules[t - 1]

    def grad(self, name):
        parts = [dict(module.named_parameters())[name] for module in self.modules]
        return torch.stack([torch.zeros_like(p) if p.grad is None else p.grad for p in parts]).numpy()
