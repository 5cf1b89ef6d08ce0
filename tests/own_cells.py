"""Cells that nobody wrote: drawn from a small grammar, with states, data, masks and options that are drawn too.

A drawn cell is a list of lines, each of which computes a value (B, M) of a step from up to three others and from the
weights. It computes on nodes as on plain arrays.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn.unfold.structure import flatten, rebuild

o = tg.ops
L, M, O = 2, 3, 4
WIDTHS = {"M": M, "L": L, "O": O}
SHAPES = {
    "V": (M, L), "A": (M, M), "D": (M, M), "G": (M, O), "E": (M, 2 * M), "F": (M, M + 1), "K": (2, M),
    "b": (M,), "W": (O, M), "c": (O,), "q": (), "H": (4 * M, M), "J": (4 * M, L), "h": (4 * M,),
}  # fmt: skip


def wide(v, like):
    """A value repeated over the shape of another one."""
    return v if v.shape == like.shape else o.broadcast(v, source=v.shape, to=like.shape)


def ones(like, *shape):
    return np.full((like.shape[0], *shape), 0.7, DTYPE[0])


DTYPE = [np.float64]  # of the numbers that the lines write into a cell


def numbers(*values):
    return np.array(values, DTYPE[0])


def normed(a, axis):
    a = a - a.mean(axis=axis, keepdims=True)
    return a / o.sqrt((a * a).mean(axis=axis, keepdims=True) + 0.1)


def gated(a, b, c):
    gate = o.sigmoid(a)
    return gate * b + (1 - gate) * c


def looked_up(b, rows):
    return o.softmax(b @ rows.T) @ rows


def column(a, k):
    return wide(o.reshape(a[:, k], source=(a.shape[0],), to=(a.shape[0], 1)), a)


def stacked(a, b, axis):
    both = o.stack(a, b, axis=axis)
    return both[0] * both[1] if axis == -3 else both[:, 0] * both[:, 1] if axis == -2 else both[..., 0] - both[..., 1]


def parts(net):
    return [o.part(net, start=k * M, stop=k * M + M) for k in range(net.shape[-1] // M)]


def lstm(P, a, b):
    i, f, g, out = parts(o.linear(P["x"], P["J"], a, P["H"], P["h"], name="net"))
    c = o.add(o.sigmoid(f) * b, o.sigmoid(i) * o.tanh(g), name="c")
    return o.sigmoid(out + c * wide(P["b"], c)) * o.tanh(c)


def gru(P, a, b):
    of_x, of_a = parts(o.linear(P["x"], P["J"], P["h"])), parts(o.linear(a, P["H"]))
    reset, update = o.sigmoid(of_x[0] + of_a[0]), o.sigmoid(of_x[1] + of_a[1])
    return update * b + (1 - update) * o.tanh(of_x[2] + reset * of_a[2])


LINES = {
    "guo": lambda P, a, b, c: o.tanh(o.linear(P["x"], P["V"], a, P["A"], P["b"], name="net"), name="s"),
    "x alone": lambda P, a, b, c: o.linear(P["x"], P["V"], P["b"]),
    "x and two values": lambda P, a, b, c: o.linear(P["x"], P["V"], a, P["A"], b, P["D"]),
    "head": lambda P, a, b, c: o.linear(o.softmax(o.linear(a, P["W"], P["c"])), P["G"]),
    "lstm": lambda P, a, b, c: lstm(P, a, b),
    "gru": lambda P, a, b, c: gru(P, a, b),
    "linear": lambda P, a, b, c: o.linear(a, P["A"]),
    "linear, biased": lambda P, a, b, c: o.linear(a, P["A"], b, P["D"], P["b"], name="net"),
    "one weight twice": lambda P, a, b, c: o.linear(a, P["A"], b, P["A"]),
    "tied": lambda P, a, b, c: o.linear(a, P["A"]) + b @ P["A"],
    "one value twice": lambda P, a, b, c: o.linear(a, P["A"], a, P["D"]),
    "matmul": lambda P, a, b, c: a @ P["D"],
    "matmul, turned": lambda P, a, b, c: a @ P["D"].T,
    "weight, scaled": lambda P, a, b, c: o.linear(a, P["A"] * 0.5),
    "weight, scaled by a weight": lambda P, a, b, c: o.linear(a, P["A"] * wide(P["q"], P["A"])),
    "weights, multiplied": lambda P, a, b, c: o.linear(a, P["A"] @ P["D"]),
    "weight, bounded": lambda P, a, b, c: a @ o.tanh(P["A"]),
    "weights, joined": lambda P, a, b, c: o.linear(
        o.concatenate(a, b, axis=-1), o.concatenate(P["A"], P["D"], axis=-1)
    ),
    "weight's row": lambda P, a, b, c: a * wide(P["A"][1], a),
    "weight by the step's row": lambda P, a, b, c: o.linear(a, P["A"] * wide(b.sum(axis=0), P["A"])),
    "bias": lambda P, a, b, c: a + wide(P["b"], a),
    "scale": lambda P, a, b, c: a * wide(P["b"], a),
    "single weight": lambda P, a, b, c: a * wide(P["q"], a),
    "joined": lambda P, a, b, c: o.linear(o.concatenate(a, b, axis=-1), P["E"]),
    "joined with a weight": lambda P, a, b, c: o.linear(o.concatenate(a, wide(P["b"], a), axis=-1), P["E"]),
    "joined with a number": lambda P, a, b, c: o.linear(o.concatenate(ones(a, 1), a, axis=-1), P["F"]),
    "joined, halves": lambda P, a, b, c: o.concatenate(a[:, :1], b[:, 1:], axis=-1),
    "stacked": lambda P, a, b, c: stacked(a, b, -2),
    "stacked in front": lambda P, a, b, c: stacked(a, b, -3),
    "stacked with a weight": lambda P, a, b, c: stacked(wide(P["b"], a), a, -1),
    "stacked with a number": lambda P, a, b, c: stacked(a, ones(a, M), -2),
    "chosen": lambda P, a, b, c: a[:, [2, 0, 1]],
    "chosen twice": lambda P, a, b, c: a[:, [0, 0, 1]],
    "backwards": lambda P, a, b, c: a[:, ::-1],
    "column": lambda P, a, b, c: column(a, 1) * b,
    "moved": lambda P, a, b, c: o.place(o.part(a, start=0, stop=2), start=1, width=M),
    "parts in their places": lambda P, a, b, c: o.add(
        o.place(o.part(a, start=0, stop=2), start=0, width=M), o.place(o.part(b, start=1, stop=2), start=2, width=M)
    ),
    "reshaped": lambda P, a, b, c: o.reshape(
        o.tanh(o.reshape(a, source=a.shape, to=a.shape[::-1])), source=a.shape[::-1], to=a.shape
    ),
    "turned": lambda P, a, b, c: o.sigmoid(a.T).T,
    "attention over samples": lambda P, a, b, c: o.softmax(a @ b.T) @ c,
    "products of products": lambda P, a, b, c: (a @ b.T) @ c * 0.2,
    "fast weights": lambda P, a, b, c: c @ o.outer(a, b) * 0.2,
    "memory": lambda P, a, b, c: looked_up(b, o.concatenate(a, P["K"], axis=-2)),
    "memory of weights": lambda P, a, b, c: looked_up(a, P["K"]),
    "product": lambda P, a, b, c: a * b,
    "square": lambda P, a, b, c: a * a * 0.5,
    "sum": lambda P, a, b, c: o.add(a, b, c),
    "sum of one": lambda P, a, b, c: o.add(a),
    "twice": lambda P, a, b, c: o.add(a, a),
    "difference": lambda P, a, b, c: a - b,
    "negative": lambda P, a, b, c: -a,
    "by a number": lambda P, a, b, c: a * 0.5,
    "by numbers": lambda P, a, b, c: a * numbers(0.5, -1.0, 2.0),
    "and numbers": lambda P, a, b, c: 1 - a + numbers(0.1, 0.2, 0.3),
    "by a sum": lambda P, a, b, c: a * wide(b.sum() * 0.2, a),
    "by a mean": lambda P, a, b, c: a - b.mean(axis=-1, keepdims=True),
    "layer norm": lambda P, a, b, c: normed(a, -1),
    "batch norm": lambda P, a, b, c: normed(a, 0),
    "gate": lambda P, a, b, c: gated(a, b, c),
    "quotient": lambda P, a, b, c: a / (1 + b * b),
    "power": lambda P, a, b, c: (1 + a * a) ** 1.5,
    "exp": lambda P, a, b, c: o.exp(-(a * a)),
    "log": lambda P, a, b, c: o.log(1 + a * a),
    "tanh": lambda P, a, b, c: o.tanh(a, name="h"),
    "sigmoid": lambda P, a, b, c: o.sigmoid(a),
    "softmax": lambda P, a, b, c: o.softmax(a),
    "log softmax": lambda P, a, b, c: o.log_softmax(a) * 0.5,
    "identity": lambda P, a, b, c: o.identity(a),
}
BENT = {  # their slopes jump, or are none: no complex step goes through them
    "where": lambda P, a, b, c: o.where(o.is_positive(a - 0.103), b, c),
    "clip": lambda P, a, b, c: o.clip(a, low=-0.7, high=0.8),
    "clipped error": lambda P, a, b, c: o.clip_error(a, bound=0.05),
    "detach": lambda P, a, b, c: o.detach(a) * b,
    "relu": lambda P, a, b, c: o.relu(a + 0.111),
    "maximum": lambda P, a, b, c: o.maximum(a, b + 0.117),
    "absolute": lambda P, a, b, c: abs(a - 0.121),
}
EVERY = LINES | BENT
USUAL = {
    "guo",
    "lstm",
    "gru",
    "linear, biased",
    "x alone",
    "gate",
    "tanh",
    "product",
    "sum",
    "scale",
}  # drawn more often


class Reads:
    """What a line may read by name: the weights, and x."""

    def __init__(self, P, x):
        self.P, self.x = P, x

    def __getitem__(self, name):
        return self.x if name == "x" else self.P[name]


@dataclass(frozen=True)
class Cell:
    """A drawn cell; see `cells`."""

    lines: tuple
    parts: tuple  # of the state: the width of each, and what its new value is
    nesting: str
    output: tuple
    dtype: Any = np.float64

    @property
    def structure(self):
        """The widths of the state's parts, nested as the state is."""
        widths = [WIDTHS[width] for width, *_ in self.parts]
        if self.nesting == "flat":
            return widths[0] if len(widths) == 1 else tuple(widths)
        if self.nesting == "left":
            found = (widths[0],)
            for width in widths[1:]:
                found = (found, width)
            return found
        return (tuple(widths[:1]), tuple(widths[1:])) if len(widths) > 1 else (tuple(widths),)

    @property
    def loss(self):
        return "squared_error" if self.output[0] in ("state", "plain") else "cross_entropy"

    def __call__(self, P, x, s):
        DTYPE[0] = self.dtype
        before = flatten(s)
        lift = {M: lambda v: v, L: lambda v: o.linear(v, P["V"]), O: lambda v: o.linear(v, P["G"])}
        pool = [lift[v.shape[-1]](v) for v in (x, *before)]
        for code, *which in self.lines:
            pool.append(EVERY[code](Reads(P, x), *(pool[-1 - k % len(pool)] for k in which)))

        def value(k, width):
            v = pool[-1 - k % len(pool)]
            if width == "M":
                return v
            return o.linear(v, P["W"], P["c"]) if width == "O" else o.tanh(o.linear(v, P["V"].T))

        new = []
        for k, (width, kind, which) in enumerate(self.parts):
            alike = [s for s, (w, *_) in zip(before, self.parts, strict=True) if w == width]
            made = [s for s, (w, *_) in zip(new, self.parts, strict=False) if w == width]
            if kind == "handed on" or (kind == "twice" and not made):
                new.append(before[k] if kind == "twice" else alike[which % len(alike)])
            elif kind == "twice":
                new.append(made[which % len(made)])
            elif kind == "x" and width == "L":
                new.append(x)
            elif kind == "constant" and width == "M":
                new.append(wide(P["b"], pool[0]))
            elif kind == "plain":
                new.append(value(which, width) * 0.5)
            elif width == "O":
                new.append(o.softmax(value(which, width), name=f"s{k}"))
            else:
                new.append(o.tanh(value(which, width), name=f"s{k}"))
        kind, which = self.output
        made = [s for s, (w, *_) in zip(new, self.parts, strict=True) if w == "O"]
        if kind == "state" and made:
            y = made[which % len(made)]
        elif kind in ("state", "plain"):
            y = value(which, "O")
        else:
            y = {"softmax": o.softmax, "sigmoid": o.sigmoid}[kind](value(which, "O"), name="y")
        return rebuild(s, new), y


KINDS = ("new", "new", "new", "plain", "handed on", "twice", "x", "constant")


@st.composite
def cells(draw, lines=tuple(EVERY), kinds=KINDS, most=6):
    """A cell of the grammar."""
    k = st.integers(0, 7)
    usual = st.sampled_from([name for name in lines if name in USUAL])
    line = st.tuples(usual | st.sampled_from(lines), k, k, k)
    part = st.tuples(st.sampled_from(["M", "M", "M", "L", "O"]), st.sampled_from(kinds), k)
    parts = draw(st.lists(part, min_size=1, max_size=4))
    return Cell(
        tuple(draw(st.lists(line, max_size=most))),
        tuple(parts),
        draw(st.sampled_from(["flat", "flat", "left", "right"])),
        (draw(st.sampled_from(["softmax", "softmax", "sigmoid", "plain", "state"])), draw(k)),
    )


@dataclass(frozen=True)
class Options:
    """How a cell is unfolded and what is done with it; see `options`."""

    steps: int
    samples: int
    seed: int
    single: bool  # precision
    masked: bool
    reduction: str
    losses: tuple
    trained: int  # a bit for each part of the state
    keep: str
    cuts: tuple
    cut_first: bool
    later: bool
    untied: bool


@st.composite
def options(draw):
    steps = draw(st.sampled_from([1, 2, 3, 4, 5, 35]))
    some = st.lists(st.integers(1, steps), max_size=3, unique=True).map(lambda each: tuple(sorted(each)))
    return Options(
        steps,
        draw(st.sampled_from([1, 1, 2, 3])),
        draw(st.integers(0, 10**6)),
        draw(st.sampled_from([False, False, False, True])),
        draw(st.booleans()),
        draw(st.sampled_from(["sum", "mean"])),
        draw(some),
        draw(st.sampled_from([0, 0, 1, 2, 3, 15])),
        draw(st.sampled_from(["needed", "all"])),
        draw(st.just(()) | some),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.sampled_from([False, False, False, False, True])),
    )


class Case:
    """Data and parameters for a drawn cell; `unfold` it."""

    def __init__(self, cell, how):
        self.dtype = np.float32 if how.single else np.float64
        self.cell, self.how = Cell(cell.lines, cell.parts, cell.nesting, cell.output, self.dtype), how
        self.rng = np.random.default_rng(how.seed)
        self.trained = [bool(how.trained >> k & 1) for k in range(len(cell.parts))]
        rows = {f"s_{k}": (m,) for k, m in enumerate(flatten(cell.structure)) if self.trained[k]}
        lead = (how.steps,) if how.untied else ()
        shapes = {name: (*lead, *shape) for name, shape in SHAPES.items()} | rows
        self.params = {name: self.normal(shape) for name, shape in shapes.items()}

    def normal(self, shape):
        return np.asarray(0.8 * self.rng.normal(size=shape)).astype(self.dtype)

    def data(self):
        """New x, d, mask (or None), s0, and what comes back from beyond (or None)."""
        how, widths = self.how, flatten(self.cell.structure)
        x = self.normal((how.steps, how.samples, L))
        d = self.rng.dirichlet(np.ones(O), size=(how.steps, how.samples)).astype(self.dtype)
        least = min(how.losses, default=1)  # a sample of which no step counts is refused
        lengths = self.rng.integers(least, how.steps + 1, how.samples)
        mask = np.arange(how.steps)[:, None] < lengths if how.masked else None
        s0 = [None if t else self.normal((how.samples, m)) for t, m in zip(self.trained, widths, strict=True)]
        later = [self.normal((how.samples, m)) for m in widths] if how.later else None
        return x, d, mask, s0, later

    def nested(self, parts):
        return None if parts is None else rebuild(self.cell.structure, parts)

    def unfold(self, x, d, mask, s0, keep=None):
        s0 = [f"s_{k}" if part is None else part for k, part in enumerate(s0)]
        return tg.unfold(
            self.cell, self.params, x, d, s0=self.nested(s0), mask=mask, loss=self.cell.loss,
            reduction=self.how.reduction, losses=self.how.losses or None, keep=keep or self.how.keep,
            untied=self.how.untied,
        )  # fmt: skip

    def change_weights(self):
        """Other weights, in the same arrays."""
        for w in self.params.values():
            w[...] = self.normal(w.shape)


def numbers_of(net):
    """Every value and every cotangent of a network, by a name that says where."""
    found = {}
    for node in net.tape:
        found[f"value of {node!r}"] = np.array(node.value)
        g = node.cotangent
        found[f"cotangent of {node!r}"] = None if g is None else np.array(g)
    for name, g in net.grads.items():
        found[f"grads[{name}]"] = np.array(g)
    for name, g in net.copies.items():
        found[f"copies[{name}]"] = np.array(g)
    return found
