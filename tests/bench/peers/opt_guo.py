"""Guo's network. Per time step, three NumPy calls in each direction (hoist) or two (aug).

hoist, forwards: x V^T + b_j for many steps in one product; then dot, add, tanh.
aug, forwards: s, 1 and x lie in one row, [s | 1 | x] [U | b_j | V]^T; then dot, tanh. V, U, b_j: one product too.
hoist, backwards: dC/ds from the head and 1 - s^2 for many steps at once; then dot, add, multiply.
aug, backwards: [dC/dnet_j(t+1) | dC/dnet_k(t)] [U; W]; then dot, multiply.
"""

from itertools import pairwise

import numpy as np

from .opt_parts import add, chunks, head, multiply, row, rows, subtract, tanh


def make(problem, forward, backward):
    T, B, I, H, O, w, x, _ = problem
    n, dtype = T * B, x.dtype
    wide = forward == "aug"
    Z = np.zeros((T + 1, B, H + 1 + I if wide else H), dtype)  # s(0)..s(T), or [s | 1 | x]
    Z[..., H:] = 1
    flat = Z.reshape(-1, Z.shape[-1])
    before, after = flat[:n], flat[B:]
    # Row t: dC/dnet_j of step t, zero after the last, and what reaches s(t) through step t's output
    R = np.zeros((T + 1, B, H + O if backward == "aug" else H), dtype)
    received = R.reshape(-1, R.shape[-1])
    to_k = received[B:, H:] if backward == "aug" else None
    go_head, to_k, grads = head(problem, after[:, : H + 1], to_k)
    go_forward = (forward_aug if wide else forward_hoist)(problem, Z)
    if backward == "aug":
        go_backward = backward_aug(problem, after[:, :H], R)
    else:
        go_backward = backward_hoist(problem, after[:, :H], to_k, R)

    to_j, inputs, ones = received[:n, :H], x.reshape(n, I), np.ones(n, dtype)
    if wide:
        d_all = np.empty((H, H + 1 + I), dtype)
        grads |= {"U": d_all[:, :H], "b_j": d_all[:, H], "V": d_all[:, H + 1 :]}
    else:
        grads |= {name: np.empty_like(w[name]) for name in ("V", "U", "b_j")}

    def step():
        go_forward()
        cost = go_head()
        go_backward()
        if wide:
            to_j.T.dot(before, d_all)
        else:
            to_j.T.dot(inputs, grads["V"])
            to_j.T.dot(before, grads["U"])
            ones.dot(to_j, grads["b_j"])
        return cost, grads

    return step


def forward_hoist(problem, Z):
    T, B, I, H, _, w, x, _ = problem
    V, U, b_j = w["V"], w["U"], w["b_j"]
    s, inputs = rows(Z), x.reshape(T * B, I)
    net = np.empty((len(chunks(problem)[0]), B, H), x.dtype)
    tmp, U_T = row(np.empty((B, H), x.dtype)), np.empty_like(U)
    plan = []
    for c in chunks(problem):
        part = net[: len(c)]
        steps = zip(s[c.start :], rows(part), s[c.start + 1 :], strict=False)
        plan.append((inputs[c.start * B : c.stop * B], part.reshape(-1, H), list(steps)))

    def with_one_sample():
        dot = U.dot
        for x_c, net_c, steps in plan:
            x_c.dot(V.T, net_c)
            add(net_c, b_j, net_c)
            for s, net_t, after in steps:
                dot(s, tmp)
                add(tmp, net_t, tmp)
                tanh(tmp, after)

    def with_more():
        np.copyto(U_T, U.T)  # a small product is up to twice as fast as one with a transposed factor
        for x_c, net_c, steps in plan:
            x_c.dot(V.T, net_c)
            add(net_c, b_j, net_c)
            for s, net_t, after in steps:
                s.dot(U_T, tmp)
                add(tmp, net_t, tmp)
                tanh(tmp, after)

    return with_one_sample if B == 1 else with_more


def forward_aug(problem, Z):
    T, B, I, H, _, w, x, _ = problem
    joined = np.empty((H + 1 + I, H), x.dtype)
    tmp = row(np.empty((B, H), x.dtype))
    z = rows(Z)
    steps = [(now.dot, after[..., :H]) for now, after in pairwise(z)]

    def run():
        joined[:H], joined[H], joined[H + 1 :] = w["U"].T, w["b_j"], w["V"].T
        Z[:T, :, H + 1 :] = x
        for dot, after in steps:
            dot(joined, tmp)
            tanh(tmp, after)

    return run


def backward_hoist(problem, S, to_k, R):
    _, B, _, H, _, w, x, _ = problem
    W, U, one = w["W"], w["U"], np.array(1, x.dtype)
    slope, from_head = np.empty((2, len(chunks(problem)[0]), B, H), x.dtype)
    tmp, to_j = row(np.empty((B, H), x.dtype)), rows(R)
    plan = []
    for c in chunks(problem)[::-1]:
        e, h = slope[: len(c)], from_head[: len(c)]
        part = slice(c.start * B, c.stop * B)
        later = [r.dot for r in to_j[c.start + 1 : c.stop + 1]]
        steps = list(zip(later, rows(h), rows(e), to_j[c.start : c.stop], strict=True))[::-1]
        plan.append((to_k[part], h.reshape(-1, H), S[part], e.reshape(-1, H), steps))

    def run():
        for to_k_c, from_head_c, s_c, slope_c, steps in plan:
            to_k_c.dot(W, from_head_c)
            multiply(s_c, s_c, slope_c)
            subtract(one, slope_c, slope_c)
            for dot, from_head_t, slope_t, to_j_t in steps:
                dot(U, tmp)
                add(tmp, from_head_t, tmp)
                multiply(tmp, slope_t, to_j_t)

    return run


def backward_aug(problem, S, R):
    _, B, _, H, O, w, x, _ = problem
    joined, one = np.empty((H + O, H), x.dtype), np.array(1, x.dtype)
    slope = np.empty((len(chunks(problem)[0]), B, H), x.dtype)
    tmp, r = row(np.empty((B, H), x.dtype)), rows(R)
    plan = []
    for c in chunks(problem)[::-1]:
        e = slope[: len(c)]
        steps = [(r[t + 1].dot, row(e[t - c.start]), r[t][..., :H]) for t in reversed(c)]
        plan.append((S[c.start * B : c.stop * B], e.reshape(-1, H), steps))

    def run():
        joined[:H], joined[H:] = w["U"], w["W"]
        for s_c, slope_c, steps in plan:
            multiply(s_c, s_c, slope_c)
            subtract(one, slope_c, slope_c)
            for dot, slope_t, to_j_t in steps:
                dot(joined, tmp)
                multiply(tmp, slope_t, to_j_t)

    return run
