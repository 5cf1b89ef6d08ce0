"""BPTT by hand as it is usually written: a loop forwards, a loop backwards, gradients added up on the way."""

import numpy as np


def sigmoid(net):
    return 1 / (1 + np.exp(-net))


def guo(w, x_t, state):
    s = np.tanh(x_t @ w["V"].T + state[0] @ w["U"].T + w["b_j"])
    return (s,), None


def guo_back(w, grads, x_t, before, after, _kept, ds):
    to_j = ds[0] * (1 - after[0] ** 2)
    grads["V"] += to_j.T @ x_t
    grads["U"] += to_j.T @ before[0]
    grads["b_j"] += to_j.sum(axis=0)
    return (to_j @ w["U"],)


def lstm(w, x_t, state):
    h, c = state
    net_i, net_f, net_g, net_o = np.split(x_t @ w["V"].T + h @ w["U"].T + w["b_j"], 4, axis=1)
    i, f, g, o = sigmoid(net_i), sigmoid(net_f), np.tanh(net_g), sigmoid(net_o)
    c = f * c + i * g
    return (o * np.tanh(c), c), (i, f, g, o)


def lstm_back(w, grads, x_t, before, after, kept, ds):
    i, f, g, o = kept
    dh, dc = ds
    tanh_c = np.tanh(after[1])
    dc = dc + dh * o * (1 - tanh_c**2)
    to_j = np.concatenate(
        [dc * g * i * (1 - i), dc * before[1] * f * (1 - f), dc * i * (1 - g**2), dh * tanh_c * o * (1 - o)], axis=1
    )
    grads["V"] += to_j.T @ x_t
    grads["U"] += to_j.T @ before[0]
    grads["b_j"] += to_j.sum(axis=0)
    return to_j @ w["U"], dc * f


def gru(w, x_t, state):
    h = state[0]
    x_r, x_z, x_n = np.split(x_t @ w["V"].T + w["b_j"], 3, axis=1)
    h_r, h_z, h_n = np.split(h @ w["U"].T, 3, axis=1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    h_n = h_n + w["b_n"]
    n = np.tanh(x_n + r * h_n)
    return ((1 - z) * n + z * h,), (r, z, n, h_n)


def gru_back(w, grads, x_t, before, _after, kept, ds):
    r, z, n, h_n = kept
    dh = ds[0]
    to_n = dh * (1 - z) * (1 - n**2)
    to_r, to_z = to_n * h_n * r * (1 - r), dh * (before[0] - n) * z * (1 - z)
    from_x = np.concatenate([to_r, to_z, to_n], axis=1)
    from_h = np.concatenate([to_r, to_z, to_n * r], axis=1)
    grads["V"] += from_x.T @ x_t
    grads["b_j"] += from_x.sum(axis=0)
    grads["U"] += from_h.T @ before[0]
    grads["b_n"] += (to_n * r).sum(axis=0)
    return (from_h @ w["U"] + dh * z,)


CELLS = {"guo": (guo, guo_back), "lstm": (lstm, lstm_back), "gru": (gru, gru_back)}


def make(kind, problem):
    w, x, d = problem.params, problem.x, problem.d
    cell, back = CELLS[kind]
    zero = np.zeros((problem.B, problem.H), x.dtype)

    def step():
        states, kept, outputs, cost = [(zero, zero) if kind == "lstm" else (zero,)], [], [], 0.0
        for t in range(problem.T):
            state, extra = cell(w, x[t], states[-1])
            net_k = state[0] @ w["W"].T + w["b_k"]
            power = np.exp(net_k - net_k.max(axis=1, keepdims=True))
            y = power / power.sum(axis=1, keepdims=True)
            cost -= (d[t] * np.log(y)).sum()
            states.append(state)
            kept.append(extra)
            outputs.append(y)
        grads = {name: np.zeros_like(a) for name, a in w.items()}
        ds = tuple(np.zeros_like(s) for s in states[0])
        for t in reversed(range(problem.T)):
            to_k = outputs[t] - d[t]
            grads["W"] += to_k.T @ states[t + 1][0]
            grads["b_k"] += to_k.sum(axis=0)
            ds = (ds[0] + to_k @ w["W"], *ds[1:])
            ds = back(w, grads, x[t], states[t], states[t + 1], kept[t], ds)
        return cost, grads

    return step
