"""The cells as the books write them, for any library with `@`, slices, `tanh`, `sigmoid` and `log_softmax`."""


def guo(lib, w, net_x, s):
    return lib.tanh(net_x + s @ w["U"].T)


def lstm(lib, w, net_x, state):
    h, c = state
    net = net_x + h @ w["U"].T
    n = net.shape[-1] // 4
    i, f, o = (lib.sigmoid(net[:, k * n : (k + 1) * n]) for k in (0, 1, 3))
    c = f * c + i * lib.tanh(net[:, 2 * n : 3 * n])
    return o * lib.tanh(c), c


def gru(lib, w, net_x, h):
    net_h = h @ w["U"].T
    n = net_h.shape[-1] // 3
    r = lib.sigmoid(net_x[:, :n] + net_h[:, :n])
    z = lib.sigmoid(net_x[:, n : 2 * n] + net_h[:, n : 2 * n])
    new = lib.tanh(net_x[:, 2 * n :] + r * (net_h[:, 2 * n :] + w["b_n"]))
    return (1 - z) * new + z * h


CELLS = {"guo": guo, "lstm": lstm, "gru": gru}


def start(kind, zeros):
    return (zeros, zeros) if kind == "lstm" else zeros


def output(kind, state):
    return state[0] if kind == "lstm" else state


def into(w, x):
    """The part of the net input that does not depend on the state: of one time step, or of all at once."""
    return x @ w["V"].T + w["b_j"]


def cost(lib, w, s, d):
    """The head and its cost: of one time step, or of all at once."""
    return -(d * lib.log_softmax(s @ w["W"].T + w["b_k"])).sum()


def loop(lib, kind, w, x, d, zeros):
    """The cost of a sequence, one time step after another."""
    state, total = start(kind, zeros), 0.0
    for x_t, d_t in zip(x, d, strict=True):
        state = CELLS[kind](lib, w, into(w, x_t), state)
        total = total + cost(lib, w, output(kind, state), d_t)
    return total
