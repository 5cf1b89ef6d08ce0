"""The LSTM. Gates lie slot by slot, each a block (B, H), so that one call serves several gates at full speed.

Forwards the slots are i f o g c(t-1). The weights of i, f, o are halved when they are copied, since
sigmoid(n) = (1 + tanh(n / 2)) / 2: one tanh serves all four gates. [i f] * [g c] gives both terms of c(t).
Backwards all local derivatives of a chunk of steps come first, and are few, because forwards kept the products:
with q = [i g, f c(t-1)], they are q * (1 - [i f]), h (1 - o), i - (i g) g and o - h tanh(c).
"""

from functools import partial

import numpy as np

from .opt_parts import add, chunks, cut, head, multiply, row, rows, slots, subtract, tanh, through

ORDER = (0, 1, 3, 2)  # i f o g, from torch's i f g o


def make(problem, forward, backward):
    T, B, I, H, O, _, x, _ = problem
    n, dtype = T * B, x.dtype
    wide = forward == "aug"  # rows [h | 1 | x], as in opt_guo
    Z = np.zeros((T + 1, B, H + 1 + I if wide else H), dtype)
    Z[..., H:] = 1
    flat = Z.reshape(-1, Z.shape[-1])
    before, after = flat[:n], flat[B:]
    kept = slots(5, problem, T + 1), slots(2, problem, T), np.empty((T, B, H), dtype)  # gates, q, tanh c
    go_forward = (forward_aug if wide else forward_hoist)(problem, Z, *kept)
    # Slots f dc/dc', then dC/dnet of i f g o. Only with one sample can dC/dnet_k stand in the same row.
    if backward == "aug":
        R = np.zeros((T + 1, 5 * H + O), dtype)
        D = R[:, : 5 * H].reshape(T + 1, 5, 1, H).transpose(1, 0, 2, 3)
        go_head, to_k, grads = head(problem, after[:, : H + 1], R[1:, 5 * H :])
    else:
        R, D = None, slots(5, problem, T + 1)
        go_head, to_k, grads = head(problem, after[:, : H + 1])
    go_backward = backward_all(problem, Z[..., :H], *kept, to_k, D, R)

    d_V, d_U, d_b = (np.empty_like(problem.params[name]) for name in ("V", "U", "b_j"))
    grads |= {"V": d_V, "U": d_U, "b_j": d_b}
    if wide:
        d_all = np.empty((4 * H, H + 1 + I), dtype)
        grads |= {"U": d_all[:, :H], "b_j": d_all[:, H], "V": d_all[:, H + 1 :]}
    inputs, ones = x.reshape(n, I), np.ones(n, dtype)
    if B == 1:
        to_j = D.transpose(1, 0, 2, 3)[:T].reshape(T, 5 * H) if R is None else R[:T]
        blocks = [(to_j[:, H : 5 * H], d_V, d_U, d_b)]
    else:
        each = (a.reshape(4, H, -1) for a in (d_V, d_U, d_b))
        blocks = list(zip((D[g, :T].reshape(n, H) for g in (1, 2, 3, 4)), *each, strict=True))
        blocks = [(to_j, v, u, b.reshape(-1)) for to_j, v, u, b in blocks]

    def step():
        go_forward()
        cost = go_head()
        go_backward()
        for to_j, v, u, b in blocks:
            if wide:
                to_j.T.dot(before, d_all)
            else:
                to_j.T.dot(inputs, v)
                to_j.T.dot(before, u)
                ones.dot(to_j, b)
        return cost, grads

    return step


def step_views(problem, Z, gates, q, tanh_c, t):
    """The places of step t after its net inputs: ifog, ifo, if, gc, q, ig, fc, o, then the new c, tanh c and h."""
    of_gates = [cut(gates, t, *span) for span in ((0, 4), (0, 3), (0, 2), (3, 5))]
    of_q = [cut(q, t, *span) for span in ((0, 2), (0,), (1,))]
    h = row(Z[t + 1, :, : problem.H])
    return (*of_gates, *of_q, cut(gates, t, 2), cut(gates, t + 1, 4), row(tanh_c[t]), h)


def halved(problem, target, weights):
    """Copy the weights (4, n, H) into slots in our order, those of the sigmoids halved."""
    half = np.array(0.5, problem.x.dtype)
    for slot, gate in enumerate(ORDER):
        if slot == 3:
            target[slot] = weights[gate]
        else:
            multiply(weights[gate], half, target[slot])


def forward_hoist(problem, Z, gates, q, tanh_c):
    T, B, I, H, _, w, x, _ = problem
    half, inputs = np.array(0.5, x.dtype), x.reshape(T * B, I)
    V, U, b_j = w["V"].reshape(4, H, I), w["U"].reshape(4, H, H), w["b_j"].reshape(4, 1, H)
    length = len(chunks(problem)[0])
    net, bias, P = slots(4, problem, length), np.empty((4, 1, H), x.dtype), slots(4, problem, 1)
    if B == 1:
        V_T, U_T = np.empty((I, 4 * H), x.dtype), np.empty((H, 4 * H), x.dtype)
        V_slots, U_slots = (a.reshape(-1, 4, H).transpose(1, 0, 2) for a in (V_T, U_T))
    else:
        # A product for each gate, in one call: gates side by side in rows would make every later call stride
        V_T, U_T = V_slots, U_slots = np.empty((4, I, H), x.dtype), np.empty((4, H, H), x.dtype)
    P, h = cut(P, 0, 0, 4), rows(Z)
    plan = []
    for c in chunks(problem):
        steps = []
        for t in c:
            dot = h[t].dot if B == 1 else partial(np.matmul, h[t])
            steps.append((dot, cut(net, t - c.start, 0, 4), *step_views(problem, Z, gates, q, tanh_c, t)))
        m = len(c) * B
        if B == 1:
            net_c = net.transpose(1, 0, 2, 3).reshape(-1, 4 * H)[:m]
            hoist = (inputs[c.start : c.stop].dot, net_c, bias.reshape(-1))
        else:
            net_c = net.reshape(4, -1, H)[:, :m]
            hoist = (partial(np.matmul, inputs[c.start * B : c.stop * B]), net_c, bias)
        plan.append((*hoist, steps))

    def run():
        halved(problem, U_slots, U.transpose(0, 2, 1))
        halved(problem, V_slots, V.transpose(0, 2, 1))
        halved(problem, bias, b_j)
        for product, net_c, bias_c, steps in plan:
            product(V_T, net_c)
            add(net_c, bias_c, net_c)
            for dot, net_t, all4, ifo, i_f, gc, q_t, ig, fc, o, c, t_c, h in steps:
                dot(U_T, P)
                add(P, net_t, P)
                tanh(P, all4)
                multiply(ifo, half, ifo)
                add(ifo, half, ifo)
                multiply(i_f, gc, q_t)
                add(ig, fc, c)
                tanh(c, t_c)
                multiply(o, t_c, h)

    return run


def forward_aug(problem, Z, gates, q, tanh_c):
    T, _, I, H, _, w, x, _ = problem
    half, P = np.array(0.5, x.dtype), np.empty(4 * H, x.dtype)
    V, U, b_j = w["V"].reshape(4, H, I), w["U"].reshape(4, H, H), w["b_j"].reshape(4, 1, H)
    joined = np.empty((H + 1 + I, 4 * H), x.dtype)
    joined_slots = joined.reshape(-1, 4, H).transpose(1, 0, 2)
    steps = [(Z[t, 0].dot, *step_views(problem, Z, gates, q, tanh_c, t)) for t in range(T)]

    def run():
        halved(problem, joined_slots[:, :H], U.transpose(0, 2, 1))
        halved(problem, joined_slots[:, H : H + 1], b_j)
        halved(problem, joined_slots[:, H + 1 :], V.transpose(0, 2, 1))
        Z[:T, :, H + 1 :] = x
        for dot, all4, ifo, i_f, gc, q_t, ig, fc, o, c, t_c, h in steps:
            dot(joined, P)
            tanh(P, all4)
            multiply(ifo, half, ifo)
            add(ifo, half, ifo)
            multiply(i_f, gc, q_t)
            add(ig, fc, c)
            tanh(c, t_c)
            multiply(o, t_c, h)

    return run


def backward_all(problem, h, gates, q, tanh_c, to_k, D, R):
    """Slots of K: the factors of dC/dc, [f, i, f, g] as D has them, and of dC/dh, to o and to c."""
    _, B, _, H, O, w, x, _ = problem
    one, U, W = np.array(1, x.dtype), w["U"], w["W"]
    length = len(chunks(problem)[0])
    K, complement = slots(6, problem, length), slots(3, problem, length)
    from_head = np.empty((length, B, H), x.dtype)
    dh, dc = rows(np.empty((2, B, H), x.dtype))
    dc4 = slots(4, problem, 1)
    dc_blocks, dc4 = dc4[:, 0, 0] if B == 1 else dc4[:, 0], cut(dc4, 0, 0, 4)
    joined = np.empty((4 * H + O, H), x.dtype)  # [U; W]
    across = through(problem, 4)
    plan = []
    for c in chunks(problem)[::-1]:
        s, e, m = c.start, c.stop, len(c)
        not_ifo, k = complement[:, :m], K[:, :m]
        local = [gates[:3, s:e], *gates[:4, s:e], q[:, s:e], q[0, s:e], h[s + 1 : e + 1], tanh_c[s:e]]
        local += [not_ifo, not_ifo[:2], not_ifo[2], k[0], k[1:3], *k[3:]]
        steps = []
        for t in reversed(c):
            dot = across(cut(D, t + 1, 1, 5)) if R is None else R[t + 1, H:].dot
            step = [dot, row(from_head[t - s]), cut(D, t + 1, 0), cut(D, t, 4), cut(D, t, 0, 4)]
            steps.append((*step, cut(K, t - s, 5), cut(K, t - s, 4), cut(K, t - s, 0, 4)))
        plan.append((to_k[s * B : e * B], from_head[:m].reshape(-1, H), local, steps))

    def factors(ifo, i, f, o, g, q, ig, h, tanh_c, not_ifo, not_if, not_o, k_carry, k_if, k_g, k_o, k_c):
        subtract(one, ifo, not_ifo)
        multiply(q, not_if, k_if)
        multiply(h, not_o, k_o)
        multiply(ig, g, k_g)
        subtract(i, k_g, k_g)
        multiply(h, tanh_c, k_c)
        subtract(o, k_c, k_c)
        np.copyto(k_carry, f)

    def hoist():
        for to_k_c, from_head_c, local, steps in plan:
            to_k_c.dot(W, from_head_c)
            factors(*local)
            for dot, from_head_t, carried, to_o, to4, k_c, k_o, k4 in steps:
                dot(U, dh)
                add(dh, from_head_t, dh)
                multiply(dh, k_c, dc)
                add(dc, carried, dc)
                multiply(dh, k_o, to_o)
                dc_blocks[...] = dc  # four copies, and one call on equal shapes: faster than to broadcast
                multiply(dc4, k4, to4)

    def aug():
        joined[: 4 * H], joined[4 * H :] = U, W
        for _, _, local, steps in plan:
            factors(*local)
            for dot, _, carried, to_o, to4, k_c, k_o, k4 in steps:
                dot(joined, dh)
                multiply(dh, k_c, dc)
                add(dc, carried, dc)
                multiply(dh, k_o, to_o)
                dc_blocks[...] = dc
                multiply(dc4, k4, to4)

    return hoist if R is None else aug
