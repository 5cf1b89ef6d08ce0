"""Backpropagation through time as people write it, for five cells, and fifteen ways to get it wrong, alone or together.

Nothing here asks the tape. Errors are dC / d net.
"""

from collections import namedtuple

import numpy as np

import tinygrad_rnn as tg

RECURRENT, OUTPUT, STALE = "recurrent term left out", "output term left out", "error handed on one step only"
OVERWRITTEN, NEWEST, MEAN = "= instead of +=", "the newest copy only", "mean over the copies"
LATER_SLOPE, NO_SLOPE, SLOPE_AT_S = "f' of the step after", "f' left out", "f' at its value instead of at net"
UNTURNED, CLIPPED, TURNED = "U.T instead of U", "error clipped on its way", "outer product transposed"
FORGOTTEN, SAME_STATE, SIGN = "s(0) taken as zero", "s(t) instead of s(t-1)", "the sign"
BUGS = (
    RECURRENT, OUTPUT, STALE, OVERWRITTEN, NEWEST, MEAN, LATER_SLOPE, NO_SLOPE, SLOPE_AT_S, UNTURNED, CLIPPED, TURNED,
    FORGOTTEN, SAME_STATE, SIGN,
)  # fmt: skip

Curve = namedtuple("Curve", "f slope")  # the slope by the value
TANH = Curve(np.tanh, lambda y: 1 - y * y)
SIGMA = Curve(lambda net: 1 / (1 + np.exp(-net)), lambda y: y * (1 - y))


def softmax(net):
    e = np.exp(net - net.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def turned(w):
    """Each square block of a matrix, transposed."""
    return np.concatenate([block.T for block in np.split(w, len(w) // w.shape[1])])


class Going:
    """What the steps of one backward pass share."""

    def __init__(self, bugs, params, T):
        self.bugs, self.params, self.T = frozenset(bugs), params, T
        self.shares = {name: np.zeros((T, *w.shape)) for name, w in params.items()}

    def slope(self, curve, values, t, spoilt=False):
        """The slope at step t, given the values of an activation by step."""
        if not spoilt:
            return curve.slope(values[t])
        if LATER_SLOPE in self.bugs:
            return curve.slope(values[min(t + 1, self.T)])
        if NO_SLOPE in self.bugs:
            return np.ones_like(values[t])
        return curve.slope(curve.f(values[t])) if SLOPE_AT_S in self.bugs else curve.slope(values[t])

    def clipped(self, g, t):
        return np.clip(g, -0.05, 0.05) if CLIPPED in self.bugs and t < self.T else g

    def through(self, g, U):
        return g @ (turned(U) if UNTURNED in self.bugs else U)

    def outer(self, name, t, g, s):
        """The share of a recurrent matrix, given all states."""
        before = s[t] if SAME_STATE in self.bugs else s[t - 1]
        share = g.T @ (0 * before if FORGOTTEN in self.bugs and t == 1 else before)
        self.shares[name][t - 1] = turned(share) if TURNED in self.bugs else share

    def plain(self, t, **shares):
        for name, share in shares.items():
            self.shares[name][t - 1] = share


class Plain:
    """s = tanh(x V^T + s U^T + b), and a leak: the state is that much of the state before."""

    leak = 0.0
    parts = 1
    spoilt = "tanh"

    def unfolded(self, params, x, d, s0):
        return tg.unfold(tg.cells.Guo(f="tanh", g="softmax"), params, x, d, s0=s0[0])

    def params(self, rng, l, m, o):
        shapes = {"V": (m, l), "U": (m, m), "b_j": (m,), "W": (o, m), "b_k": (o,)}
        return {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def forward(self, P, x, start):
        self.x, self.s, self.n = x, [start[0]], [None]
        for now in x:
            self.n.append(np.tanh(now @ P["V"].T + self.s[-1] @ P["U"].T + P["b_j"]))
            self.s.append(self.leak * self.s[-1] + (1 - self.leak) * self.n[-1])
        return self.s[1:]

    def back(self, go, t, g):
        (d_s,) = g
        d_net = go.clipped((1 - self.leak) * d_s * go.slope(TANH, self.n, t, spoilt=True), t)
        go.plain(t, V=d_net.T @ self.x[t - 1], b_j=d_net.sum(0))
        go.outer("U", t, d_net, self.s)
        return (go.through(d_net, go.params["U"]) + self.leak * d_s,)


class Leaky(Plain):
    """A cell of a user's own."""

    leak = 0.3

    def unfolded(self, params, x, d, s0):
        o = tg.ops

        def cell(P, x, s):
            n = o.tanh(x @ P["V"].T + s @ P["U"].T + P["b_j"], name="n")
            s = o.add(0.3 * s, 0.7 * n, name="s")
            return s, o.softmax(o.linear(s, P["W"], P["b_k"]), name="y")

        return tg.unfold(cell, params, x, d, s0=s0[0])


class Lstm:
    parts = 2

    def unfolded(self, params, x, d, s0):
        return tg.unfold(tg.cells.LSTM(), params, x, d, s0=s0)

    def params(self, rng, l, m, o):
        shapes = {"V": (4 * m, l), "U": (4 * m, m), "b_j": (4 * m,), "W": (o, m), "b_k": (o,)}
        return {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def forward(self, P, x, start):
        self.x, self.s, self.c = x, [start[0]], [start[1]]
        self.i, self.f, self.g, self.o = ([None] for _ in range(4))
        for now in x:
            nets = np.split(now @ P["V"].T + self.s[-1] @ P["U"].T + P["b_j"], 4, axis=-1)
            for values, net, curve in zip(
                (self.i, self.f, self.g, self.o), nets, (SIGMA, SIGMA, TANH, SIGMA), strict=True
            ):
                values.append(curve.f(net))
            self.c.append(self.f[-1] * self.c[-1] + self.i[-1] * self.g[-1])
            self.s.append(self.o[-1] * np.tanh(self.c[-1]))
        return self.s[1:]

    def back(self, go, t, g):
        d_s, d_c = g
        seen = np.tanh(self.c[t])
        d_c = d_c + d_s * self.o[t] * (1 - seen * seen)
        d_net = np.concatenate(
            [
                d_c * self.g[t] * go.slope(SIGMA, self.i, t),
                d_c * self.c[t - 1] * go.slope(SIGMA, self.f, t),
                d_c * self.i[t] * go.slope(TANH, self.g, t, spoilt=True),
                d_s * seen * go.slope(SIGMA, self.o, t),
            ],
            axis=-1,
        )
        d_net = go.clipped(d_net, t)
        go.plain(t, V=d_net.T @ self.x[t - 1], b_j=d_net.sum(0))
        go.outer("U", t, d_net, self.s)
        return go.through(d_net, go.params["U"]), d_c * self.f[t]


class Gru:
    parts = 1

    def unfolded(self, params, x, d, s0):
        return tg.unfold(tg.cells.GRU(), params, x, d, s0=s0[0])

    def params(self, rng, l, m, o):
        shapes = {"V": (3 * m, l), "U": (3 * m, m), "b_j": (3 * m,), "b_n": (m,), "W": (o, m), "b_k": (o,)}
        return {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def forward(self, P, x, start):
        self.x, self.s = x, [start[0]]
        self.r, self.z, self.n, self.kept = ([None] for _ in range(4))
        for now in x:
            x_r, x_z, x_n = np.split(now @ P["V"].T + P["b_j"], 3, axis=-1)
            s_r, s_z, s_n = np.split(self.s[-1] @ P["U"].T, 3, axis=-1)
            self.kept.append(s_n + P["b_n"])
            self.r.append(SIGMA.f(x_r + s_r))
            self.z.append(SIGMA.f(x_z + s_z))
            self.n.append(np.tanh(x_n + self.r[-1] * self.kept[-1]))
            self.s.append((1 - self.z[-1]) * self.n[-1] + self.z[-1] * self.s[-1])
        return self.s[1:]

    def back(self, go, t, g):
        (d_s,) = g
        d_n = go.clipped(d_s * (1 - self.z[t]) * go.slope(TANH, self.n, t, spoilt=True), t)
        d_r = go.clipped(d_n * self.kept[t] * go.slope(SIGMA, self.r, t), t)
        d_z = go.clipped(d_s * (self.s[t - 1] - self.n[t]) * go.slope(SIGMA, self.z, t), t)
        from_x = np.concatenate([d_r, d_z, d_n], axis=-1)
        from_s = np.concatenate([d_r, d_z, d_n * self.r[t]], axis=-1)
        go.plain(t, V=from_x.T @ self.x[t - 1], b_j=from_x.sum(0), b_n=(d_n * self.r[t]).sum(0))
        go.outer("U", t, from_s, self.s)
        return (go.through(from_s, go.params["U"]) + d_s * self.z[t],)


class TwoLayers:
    parts = 2

    def unfolded(self, params, x, d, s0):
        return tg.unfold(tg.cells.Stacked(*[tg.cells.Guo(f="sigmoid")] * 2), params, x, d, s0=(s0[0], s0[1]))

    def params(self, rng, l, m, o):
        shapes = {"V_1": (m, l), "U_1": (m, m), "b_j_1": (m,), "V_2": (m, m), "U_2": (m, m), "b_j_2": (m,)}
        shapes |= {"W_2": (o, m), "b_k_2": (o,)}
        return {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def forward(self, P, x, start):
        self.x, self.b, self.a = x, [start[0]], [start[1]]
        for now in x:
            self.a.append(SIGMA.f(now @ P["V_1"].T + self.a[-1] @ P["U_1"].T + P["b_j_1"]))
            self.b.append(SIGMA.f(self.a[-1] @ P["V_2"].T + self.b[-1] @ P["U_2"].T + P["b_j_2"]))
        return self.b[1:]

    def back(self, go, t, g):
        d_b, d_a = g
        two = go.clipped(d_b * go.slope(SIGMA, self.b, t, spoilt=True), t)
        one = go.clipped((d_a + two @ go.params["V_2"]) * go.slope(SIGMA, self.a, t, spoilt=True), t)
        go.plain(t, V_1=one.T @ self.x[t - 1], b_j_1=one.sum(0), V_2=two.T @ self.a[t], b_j_2=two.sum(0))
        go.outer("U_1", t, one, self.a)
        go.outer("U_2", t, two, self.b)
        return go.through(two, go.params["U_2"]), go.through(one, go.params["U_1"])


CELLS = {"guo": Plain, "own": Leaky, "lstm": Lstm, "gru": Gru, "two layers": TwoLayers}


def shares(cell, bugs, P, x, d, start):
    """dC / d copy of every weight, (T, ...), with some mistakes."""
    T, bugs = len(x), frozenset(bugs)
    go = Going(bugs, P, T)
    head = next(name for name in P if name.startswith("W")), next(name for name in P if name.startswith("b_k"))
    W, b_k = P[head[0]], P[head[1]]
    s = cell.forward(P, x, start)
    none = [np.zeros_like(part) for part in start]
    later = none
    for t in range(T, 0, -1):
        d_k = softmax(s[t - 1] @ W.T + b_k) - d[t - 1]
        go.plain(t, **{head[0]: d_k.T @ s[t - 1], head[1]: d_k.sum(0)})
        from_output = [d_k @ W * (OUTPUT not in bugs or t == T), *none[1:]]
        later = none if RECURRENT in bugs else later
        before = cell.back(go, t, [a + b for a, b in zip(from_output, later, strict=True)])
        if STALE in bugs:  # what is handed on comes from this step's output alone; the shares are those of the whole
            kept = {name: share[t - 1].copy() for name, share in go.shares.items()}
            before = cell.back(go, t, from_output)
            go.plain(t, **kept)
        later = list(before)
    for share in go.shares.values():
        if OVERWRITTEN in bugs:
            share[1:] = 0
        if NEWEST in bugs:
            share[:-1] = 0
        np.multiply(share, (1 / T if MEAN in bugs else 1) * (-1 if SIGN in bugs else 1), out=share)
    return go.shares


Problem = namedtuple("Problem", "net cell params x d start")


def problem(kind, seed, T=6, n=3, l=2, m=4, o=3):
    """A network of one of the cells, with data that hide no mistake."""
    rng, cell = np.random.default_rng(seed), CELLS[kind]()
    params = cell.params(rng, l, m, o)
    x, d = rng.normal(size=(T, n, l)), rng.dirichlet(np.ones(o), size=(T, n))
    start = [rng.normal(size=(n, m)) for _ in range(cell.parts)]
    if kind == "two layers":  # handed over in the order of the network, the upper layer's error comes first
        net = cell.unfolded(params, x, d, start)
        return Problem(net, cell, params, x, d, start[::-1])
    return Problem(cell.unfolded(params, x, d, tuple(start)), cell, params, x, d, start)
