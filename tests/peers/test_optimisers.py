"""Optimisers and clipping beside PyTorch's, step by step."""

import numpy as np
import pytest
import torch

import tinygrad_rnn as tg
from tinygrad_rnn import train

PAIRS = {
    "SGD": (train.SGD(0.1), lambda p: torch.optim.SGD(p, 0.1)),
    "SGD, decayed and dampened": (
        train.SGD(0.1, mu=0.8, dampening=0.3, weight_decay=0.2),
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.8, dampening=0.3, weight_decay=0.2),
    ),
    "SGD, Nesterov": (
        train.SGD(0.1, mu=0.8, nesterov=True),
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.8, nesterov=True),
    ),
    "Momentum": (train.Momentum(0.1, 0.8), lambda p: torch.optim.SGD(p, 0.1, momentum=0.8)),
    "Nesterov": (train.Nesterov(0.1, 0.8), lambda p: torch.optim.SGD(p, 0.1, momentum=0.8, nesterov=True)),
    "Adagrad": (train.Adagrad(0.1), lambda p: torch.optim.Adagrad(p, 0.1)),
    "RMSprop": (train.RMSprop(0.1, rho=0.99), lambda p: torch.optim.RMSprop(p, 0.1, alpha=0.99)),
    "Adam": (train.Adam(0.1, weight_decay=0.2), lambda p: torch.optim.Adam(p, 0.1, weight_decay=0.2)),
    "AdamW": (train.AdamW(0.1), lambda p: torch.optim.AdamW(p, 0.1)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_path_is_that_of_pytorch(name):
    ours, theirs = PAIRS[name]
    rng = np.random.default_rng(0)
    w = rng.normal(size=(3, 2))
    tensor = torch.tensor(w, requires_grad=True)
    other = theirs([tensor])
    for _ in range(10):
        g = rng.normal(size=w.shape)
        ours.step({"w": w}, {"w": g})
        tensor.grad = torch.tensor(g)
        other.step()
        np.testing.assert_allclose(w, tensor.detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("norm", [1, 2, 3.5, np.inf])
def test_a_clipped_gradient_is_that_of_pytorch(norm):
    rng = np.random.default_rng(1)
    grads = {"U": rng.normal(size=(3, 2)), "b": rng.normal(size=3)}
    tensors = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in grads.values()]
    for tensor, g in zip(tensors, grads.values(), strict=True):
        tensor.grad = torch.tensor(g)
    torch.nn.utils.clip_grad_norm_(tensors, 0.5, norm_type=norm)
    # PyTorch adds 1e-6 to the norm before it divides.
    for clipped, tensor in zip(tg.clip_by_norm(grads, 0.5, norm=norm).values(), tensors, strict=True):
        np.testing.assert_allclose(clipped, tensor.grad.numpy(), rtol=1e-5)
