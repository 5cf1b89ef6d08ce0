"""Networks that read what stands more than one step back: Werbos' own case, tapped delay lines, NARX and their kin.

A net is a function of `f`, which has the functions that it computes with: those of `tg.ops`, which compute on nodes
and on arrays, or PyTorch's.
"""

from dataclasses import dataclass
from typing import Any

L, M, O = 2, 3, 4
SHAPES = {"V": (M, L), "U": (M, M), "W": (O, M), "b": (M,), "c": (O,)} | {
    name: shape
    for k in range(1, 6)
    for name, shape in {f"U{k}": (M, M), f"V{k}": (M, L), f"Y{k}": (M, O), f"a{k}": (M,)}.items()
}


@dataclass(frozen=True)
class Lag:
    """One network: ``cell(f)`` is its cell."""

    make: Any
    k: int
    structure: Any
    reads: tuple

    def cell(self, f):
        return lambda P, x, s: self.make(f, self.k, P, x, s)

    @property
    def params(self):
        return {name: SHAPES[name] for name in (*self.reads, "W", "c")} | (
            {"E": (M, self.k * M)} if self.make is joined else {}
        )

    def __str__(self):
        return f"{self.make.__name__}, {self.k}"


def head(f, P, s):
    return f.softmax(f.linear(s, P["W"], P["c"]), name="y")


def pairs(values, P, name):
    return [a for k, v in enumerate(values, 1) for a in (v, P[f"{name}{k}"])]


def werbos(f, k, P, x, s):
    """s(t) of s(t-1) ... s(t-k), each by a matrix of its own: Werbos (1990) has k = 2."""
    new = f.tanh(f.linear(x, P["V"], *pairs(s, P, "U"), P["b"]), name="s")
    return (new, *s[:-1]), head(f, P, new)


def oldest_alone(f, k, P, x, s):
    new = f.tanh(f.linear(x, P["V"], s[-1], P["U"], P["b"]), name="s")
    return (new, *s[:-1]), head(f, P, new)


def oldest_first(f, k, P, x, s):
    new = f.tanh(f.linear(x, P["V"], s[0], P["U"], s[-1], P["U1"]), name="s")
    return (*s[1:], new), head(f, P, new)


def one_matrix(f, k, P, x, s):
    """All lags by the same weight."""
    new = f.tanh(f.linear(x, P["V"], *[a for v in s for a in (v, P["U"])]), name="s")
    return (new, *s[:-1]), head(f, P, new)


def joined(f, k, P, x, s):
    new = f.tanh(f.linear(x, P["V"]) + f.linear(f.concatenate(*s, axis=-1), P["E"]))
    return (new, *s[:-1]), head(f, P, new)


def delay_line(f, k, P, x, s):
    """Waibel's: x(t) ... x(t-k), and no recurrence."""
    hidden = f.tanh(f.linear(x, P["V"], *pairs(s, P, "V"), P["b"]))
    return (x, *s[:-1]), head(f, P, hidden)


def delay_line_and_state(f, k, P, x, s):
    taps, h = s
    h = f.tanh(f.linear(x, P["V"], *pairs(taps, P, "V"), h, P["U"]))
    return ((x, *taps[:-1]), h), head(f, P, h)


def narx(f, k, P, x, s):
    """The outputs and the inputs of the last k steps."""
    ys, xs = s
    y = head(f, P, f.tanh(f.linear(x, P["V"], *pairs(ys, P, "Y"), *pairs(xs, P, "V"), P["b"])))
    return ((y, *ys[:-1]), (x, *xs[:-1])), y


def skipping(f, k, P, x, s):
    """A residual over k steps."""
    new = f.tanh(f.linear(x, P["V"], s[0], P["U"])) + s[-1] * 0.5
    return (new, *s[:-1]), head(f, P, new)


def products(f, k, P, x, s):
    new = f.tanh(f.linear(x, P["V"], s[0] * s[-1], P["U"]) + s[0], name="s")
    return (new, *s[:-1]), head(f, P, new)


def two_clocks(f, k, P, x, s):
    """Two units with lags of their own, each of which reads the other one's oldest value."""
    a, b = s
    new = f.tanh(f.linear(x, P["V"], b[-1], P["U"])), f.tanh(f.linear(a[-1], P["U1"], b[0], P["U2"]))
    return ((new[0], *a[:-1]), (new[1], *b[:-1])), head(f, P, new[0] - new[1])


def late_carousel(f, k, P, x, s):
    """A LSTM's carousel that takes k steps to turn."""
    h, cs = s
    keep = f.sigmoid(f.linear(x, P["V1"], h, P["U1"]))
    c = keep * cs[-1] + (1 - keep) * f.tanh(f.linear(x, P["V2"], h, P["U2"]))
    h = f.sigmoid(f.linear(x, P["V3"], h, P["U3"])) * f.tanh(c)
    return (h, (c, *cs[:-1])), head(f, P, h)


def twice(f, k, P, x, s):
    """The new value is handed back twice, and goes on from both places."""
    new = f.tanh(f.linear(x, P["V"], s[-1], P["U"], s[0], P["U1"]), name="s")
    return (new, new, *s[1:-1]), head(f, P, new)


def turning(f, k, P, x, s):
    """Parts that change places, and are read at the place."""
    ring, h = s
    h = f.tanh(f.linear(x, P["V"], ring[0], P["U"], h, P["U1"]))
    return ((*ring[1:], ring[0]), h), head(f, P, h)


def gamma(f, k, P, x, s):
    """Each tap is a leaky copy of the tap before it, one step ago."""
    h, taps = s
    rate = f.sigmoid(f.linear(x, P["V1"]))
    moved = [v + rate * (u - v) for u, v in zip((h, *taps[:-1]), taps, strict=True)]
    h = f.tanh(f.linear(x, P["V"], *pairs(moved, P, "U")))
    return (h, tuple(moved)), head(f, P, h)


def late_output(f, k, P, x, s):
    new = f.tanh(f.linear(x, P["V"], s[0], P["U"]), name="s")
    return (new, *s[:-1]), head(f, P, s[-1])


def difference(f, k, P, x, s):
    """What has changed since k steps ago."""
    new = f.tanh(f.linear(x, P["V"], s[0] - s[-1], P["U"], P["b"]), name="s")
    return (new, *s[:-1]), head(f, P, new)


def gated_lags(f, k, P, x, s):
    """Which lag is read depends on the input."""
    weights = f.softmax(f.linear(x, P["V1"]))  # as many as there are units
    mixed = s[0] * weights + s[-1] * (1 - weights)
    new = f.tanh(f.linear(x, P["V"], mixed, P["U"]), name="s")
    return (new, *s[:-1]), head(f, P, new)


def flat(k):
    return (M,) * k


def numbered(name, k):
    return tuple(f"{name}{j}" for j in range(1, k + 1))


LAGS = [
    *[Lag(werbos, k, flat(k), ("V", "b", *numbered("U", k))) for k in (2, 3, 4, 5)],
    *[Lag(oldest_alone, k, flat(k), ("V", "U", "b")) for k in (2, 3, 4, 5)],
    *[Lag(oldest_first, k, flat(k), ("V", "U", "U1")) for k in (2, 4)],
    *[Lag(one_matrix, k, flat(k), ("V", "U")) for k in (2, 5)],
    *[Lag(joined, k, flat(k), ("V",)) for k in (2, 3)],
    *[Lag(delay_line, k, (L,) * k, ("V", "b", *numbered("V", k))) for k in (2, 5)],
    Lag(delay_line_and_state, 3, ((L,) * 3, M), ("V", "U", *numbered("V", 3))),
    *[Lag(narx, k, ((O,) * k, (L,) * k), ("V", "b", *numbered("Y", k), *numbered("V", k))) for k in (2, 3)],
    *[Lag(skipping, k, flat(k), ("V", "U")) for k in (2, 4)],
    Lag(products, 3, flat(3), ("V", "U")),
    Lag(two_clocks, 2, (flat(2), flat(3)), ("V", "U", "U1", "U2")),
    Lag(late_carousel, 3, (M, flat(3)), ("V1", "V2", "V3", "U1", "U2", "U3")),
    *[Lag(twice, k, flat(k), ("V", "U", "U1")) for k in (2, 4)],
    *[Lag(turning, k, (flat(k), M), ("V", "U", "U1")) for k in (2, 3)],
    Lag(gamma, 3, (M, flat(3)), ("V", "V1", *numbered("U", 3))),
    Lag(late_output, 3, flat(3), ("V", "U")),
    Lag(difference, 5, flat(5), ("V", "U", "b")),
    Lag(gated_lags, 4, flat(4), ("V", "V1", "U")),
]
