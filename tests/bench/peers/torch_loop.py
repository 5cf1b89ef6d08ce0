"""PyTorch, eager, on the textbook program."""

from types import SimpleNamespace

import torch

from . import textbook

torch.set_num_threads(1)
LIB = SimpleNamespace(tanh=torch.tanh, sigmoid=torch.sigmoid, log_softmax=lambda net: torch.log_softmax(net, -1))


def step_of(cost, problem):
    """A step that differentiates cost(w, x, d, zeros), a program on tensors."""
    x, d = torch.tensor(problem.x), torch.tensor(problem.d)
    zeros = torch.zeros(problem.B, problem.H, dtype=x.dtype)
    w = {name: torch.tensor(a, requires_grad=True) for name, a in problem.params.items()}

    def step():
        total = cost(w, x, d, zeros)
        return total.item(), dict(zip(w, torch.autograd.grad(total, list(w.values())), strict=True))

    return step


def make(kind, problem):
    return step_of(lambda w, x, d, zeros: textbook.loop(LIB, kind, w, x, d, zeros), problem)
