"""The GRU, in slots as in opt_lstm. One form: nothing gains from putting x or dC/dnet_k into the rows.

h(t) = n + z (h - n) with n = tanh(x_n + r (U_n h + b_n)). Backwards every local derivative is a factor of
dC/dh(t) alone, so one call makes all of them: K = [z, n, r, z, r U_n] times dC/dh.
"""

from functools import partial

import numpy as np

from .opt_parts import add, chunks, cut, head, multiply, row, rows, slots, subtract, tanh, through


def make(problem):
    T, B, I, H, _, w, x, _ = problem
    n, dtype = T * B, x.dtype
    # With one sample a 1 stands behind h, so that b_n needs no call of its own
    Z = np.zeros((T + 1, B, H + 1 if B == 1 else H), dtype)
    Z[..., H:] = 1
    flat = Z.reshape(-1, Z.shape[-1])
    kept = slots(3, problem, T), np.empty((T, B, H), dtype), np.empty((T, B, H), dtype)  # r z n, r q, h - n
    D = slots(5, problem, T + 1)  # carried, then dC/dnet of n r z, and of q = U_n h + b_n
    go_forward = forward(problem, Z, *kept)
    go_head, to_k, grads = head(problem, flat[B:])
    go_backward = backward(problem, *kept, to_k, D)

    grads |= {name: np.empty_like(w[name]) for name in ("V", "U", "b_j", "b_n")}
    d_V, d_U, d_b, d_bn = grads["V"], grads["U"], grads["b_j"], grads["b_n"]
    before, inputs, ones = flat[:n, :H], x.reshape(n, I), np.ones(n, dtype)
    if B == 1:
        to_j = D.transpose(1, 0, 2, 3)[:T].reshape(T, 5 * H)
        for_V = [(to_j[:, 2 * H : 4 * H], d_V[: 2 * H], d_b[: 2 * H]), (to_j[:, H : 2 * H], d_V[2 * H :], d_b[2 * H :])]
        for_U, to_q = [(to_j[:, 2 * H :], d_U)], to_j[:, 4 * H :]
    else:
        to_j = D[:, :T].reshape(5, n, H)
        block = [slice(g * H, (g + 1) * H) for g in range(3)]
        for_V = [(to_j[k], d_V[g], d_b[g]) for k, g in zip((2, 3, 1), block, strict=True)]
        for_U, to_q = [(to_j[k], d_U[g]) for k, g in zip((2, 3, 4), block, strict=True)], to_j[4]

    def step():
        go_forward()
        cost = go_head()
        go_backward()
        for to, v, b in for_V:
            to.T.dot(inputs, v)
            ones.dot(to, b)
        for to, u in for_U:
            to.T.dot(before, u)
        ones.dot(to_q, d_bn)
        return cost, grads

    return step


def forward(problem, Z, gates, rq, difference):
    T, B, I, H, _, w, x, _ = problem
    half, inputs = np.array(0.5, x.dtype), x.reshape(T * B, I)
    V, U, b_j, b_n = w["V"].reshape(3, H, I), w["U"].reshape(3, H, H), w["b_j"].reshape(3, 1, H), w["b_n"]
    net, bias, P = slots(3, problem, len(chunks(problem)[0])), np.empty((3, 1, H), x.dtype), slots(3, problem, 1)
    if B == 1:
        V_T, U_T = np.empty((I, 3 * H), x.dtype), np.zeros((H + 1, 3 * H), x.dtype)
        V_slots, U_slots = V_T.reshape(I, 3, H).transpose(1, 0, 2), U_T[:H].reshape(H, 3, H).transpose(1, 0, 2)
    else:
        V_T, U_T = V_slots, U_slots = np.empty((3, I, H), x.dtype), np.empty((3, H, H), x.dtype)
    P, to_rz, q = cut(P, 0, 0, 3), cut(P, 0, 0, 2), cut(P, 0, 2)
    tmp, b_rows = row(np.empty((B, H), x.dtype)), np.empty((B, H), x.dtype)
    z = rows(Z)
    plan = []
    for c in chunks(problem):
        steps = []
        for t in c:
            dot = z[t].dot if B == 1 else partial(np.matmul, z[t])
            k = t - c.start
            step = [dot, z[t][..., :H], cut(net, k, 0, 2), cut(net, k, 2), cut(gates, t, 0, 2)]
            step += [cut(gates, t, gate) for gate in range(3)]
            steps.append((*step, row(rq[t]), row(difference[t]), z[t + 1][..., :H]))
        if B == 1:
            net_c = net.transpose(1, 0, 2, 3).reshape(-1, 3 * H)[: len(c)]
            hoist = (inputs[c.start : c.stop].dot, net_c, bias.reshape(-1))
        else:
            net_c = net.reshape(3, -1, H)[:, : len(c) * B]
            hoist = (partial(np.matmul, inputs[c.start * B : c.stop * B]), net_c, bias)
        plan.append((*hoist, steps))

    def run():
        for g in range(2):  # halved: one tanh makes both sigmoids
            multiply(U[g].T, half, U_slots[g])
            multiply(V[g].T, half, V_slots[g])
            multiply(b_j[g], half, bias[g])
        U_slots[2], V_slots[2], bias[2] = U[2].T, V[2].T, b_j[2]
        if B == 1:
            U_T[H, 2 * H :] = b_n
        else:
            b_rows[:] = b_n
        for product, net_c, bias_c, steps in plan:
            product(V_T, net_c)
            add(net_c, bias_c, net_c)
            for dot, h, net_rz, net_n, rz, r, z, n, rq_t, h_n, after in steps:
                dot(U_T, P)
                add(to_rz, net_rz, to_rz)
                tanh(to_rz, rz)
                multiply(rz, half, rz)
                add(rz, half, rz)
                if B > 1:
                    add(q, b_rows, q)
                multiply(r, q, rq_t)
                add(rq_t, net_n, tmp)
                tanh(tmp, n)
                subtract(h, n, h_n)
                multiply(z, h_n, tmp)
                add(n, tmp, after)

    return run


def backward(problem, gates, rq, difference, to_k, D):
    _, B, _, H, _, w, x, _ = problem
    one, U, W = np.array(1, x.dtype), w["U"], w["W"]
    length = len(chunks(problem)[0])
    K, complement, from_head = slots(5, problem, length), slots(2, problem, length), np.empty((length, B, H), x.dtype)
    dh, dh5 = row(np.empty((B, H), x.dtype)), slots(5, problem, 1)
    dh_blocks, dh5 = dh5[:, 0, 0] if B == 1 else dh5[:, 0], cut(dh5, 0, 0, 5)
    across = through(problem, 3)
    plan = []
    for c in chunks(problem)[::-1]:
        s, e, m = c.start, c.stop, len(c)
        local = (gates[:2, s:e], *gates[:, s:e], rq[s:e], difference[s:e], complement[:, :m], *complement[:, :m])
        local += tuple(K[:, :m])
        steps = []
        for t in reversed(c):
            k = t - s
            dot = across(cut(D, t + 1, 2, 5))
            steps.append((dot, cut(D, t + 1, 0), row(from_head[k]), cut(K, k, 0, 5), cut(D, t, 0, 5)))
        plan.append((to_k[s * B : e * B], from_head[:m].reshape(-1, H), local, steps))

    def factors(rz, r, z, n, rq, h_n, not_rz, not_r, not_z, k_carry, k_n, k_r, k_z, k_q):
        subtract(one, rz, not_rz)
        multiply(n, n, k_n)
        subtract(one, k_n, k_n)
        multiply(k_n, not_z, k_n)
        multiply(k_n, r, k_q)
        multiply(k_n, rq, k_r)
        multiply(k_r, not_r, k_r)
        multiply(h_n, z, k_z)
        multiply(k_z, not_z, k_z)
        np.copyto(k_carry, z)

    def run():
        for to_k_c, from_head_c, local, steps in plan:
            to_k_c.dot(W, from_head_c)
            factors(*local)
            for dot, carried, from_head_t, k5, to5 in steps:
                dot(U, dh)
                add(dh, carried, dh)
                add(dh, from_head_t, dh)
                dh_blocks[...] = dh
                multiply(dh5, k5, to5)

    return run
