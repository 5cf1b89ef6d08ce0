"""PyTorch, the best eager loop: x V^T and the head for all t at once, weights transposed once, fused addmm."""

import torch

from . import textbook
from .torch_loop import LIB, step_of


def guo(w, net_x, s):
    U = w["U"].T
    for net in net_x:
        s = torch.tanh(torch.addmm(net, s, U))
        yield s


def lstm(w, net_x, h):
    U, c = w["U"].T, h
    for net in net_x:
        i, f, g, o = torch.addmm(net, h, U).chunk(4, 1)
        c = torch.addcmul(torch.sigmoid(f) * c, torch.sigmoid(i), torch.tanh(g))
        h = torch.sigmoid(o) * torch.tanh(c)
        yield h


def gru(w, net_x, h):
    U, n = w["U"].T, h.shape[1]
    bias = torch.cat([h.new_zeros(2 * n), w["b_n"]])
    for net in net_x:
        net_h = torch.addmm(bias, h, U)
        r, z = torch.sigmoid(net[:, : 2 * n] + net_h[:, : 2 * n]).chunk(2, 1)
        new = torch.tanh(torch.addcmul(net[:, 2 * n :], r, net_h[:, 2 * n :]))
        h = torch.lerp(new, h, z)
        yield h


CELLS = {"guo": guo, "lstm": lstm, "gru": gru}


def make(kind, problem):
    def cost(w, x, d, zeros):
        states = torch.stack(list(CELLS[kind](w, textbook.into(w, x).unbind(), zeros)))
        return textbook.cost(LIB, w, states, d)

    return step_of(cost, problem)
