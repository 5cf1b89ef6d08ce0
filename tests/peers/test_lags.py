"""Networks that read what stands two to five steps back, against PyTorch's own derivatives of the very same cell."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import tinygrad_rnn as tg
from lag_nets import LAGS, L, O
from tinygrad_rnn.unfold.structure import flatten, rebuild

T, B = 7, 3


def linear(*args):
    pairs = [x @ w.T for x, w in zip(args[0::2], args[1::2], strict=False)]
    return sum([*pairs, args[-1]] if len(args) % 2 else pairs)


torch_ops = SimpleNamespace(
    linear=linear,
    tanh=lambda x, name="": torch.tanh(x),
    sigmoid=torch.sigmoid,
    softmax=lambda x, name="": torch.softmax(x, -1),
    concatenate=lambda *parts, axis: torch.cat(parts, dim=axis),
)


def close(found, expected):
    """To a part of the largest entry."""
    expected = np.zeros(np.shape(found)) if expected is None else expected.numpy()
    found = np.zeros_like(expected) if found is None else np.asarray(found)
    assert np.abs(found - expected).max() <= 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
@pytest.mark.parametrize("lag", LAGS, ids=str)
def test_every_copy_and_the_initial_state(lag, masked):
    rng = np.random.default_rng(0)
    params = {name: 0.8 * rng.normal(size=shape) for name, shape in lag.params.items()}
    x, d = rng.normal(size=(T, B, L)), rng.dirichlet(np.ones(O), size=(T, B))
    s0 = [rng.normal(size=(B, m)) for m in flatten(lag.structure)]
    mask = np.arange(T)[:, None] < np.array([T, 3, 5])

    copies = [{name: torch.tensor(w, requires_grad=True) for name, w in params.items()} for _ in range(T)]
    start = [torch.tensor(s, requires_grad=True) for s in s0]
    s, cost = rebuild(lag.structure, start), torch.zeros((), dtype=torch.float64)
    for t, weights in enumerate(copies):
        new, y = lag.cell(torch_ops)(weights, torch.tensor(x[t]), s)
        paid = -(torch.tensor(d[t]) * torch.log(y)).sum(-1)
        if masked:
            here = torch.tensor(mask[t])
            kept = [torch.where(here[:, None], a, b) for a, b in zip(flatten(new), flatten(s), strict=True)]
            new, paid = rebuild(new, kept), paid * here
        s, cost = new, cost + paid.sum()
    cost.backward()

    net = tg.unfold(lag.cell(tg.ops), params, x, d, s0=rebuild(lag.structure, s0), mask=mask if masked else None)
    for replayed in (False, True):
        if replayed:
            net.replay()
            assert not net.schedule.startswith("no plan")
        net.backward()
        assert net.loss == pytest.approx(cost.item(), rel=1e-13)
        for name in params:
            for t, weights in enumerate(copies):
                close(net.copies[name][t], weights[name].grad)
        for node, part in zip(flatten(net.states[0]), start, strict=True):
            close(node.cotangent, part.grad)
