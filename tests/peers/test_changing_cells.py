"""The cells of the page about what differs from step to step, against PyTorch: its layers where it has them."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.nn.functional import cross_entropy, linear, mse_loss

import tinygrad_rnn as tg

PAGE = Path(__file__).parents[2] / "docs/changing_cells.md"
CELL = re.compile(r"^```\{code-cell\} python\n(?::[^\n]*\n)*(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def page():
    """What the page defines, by its names."""
    found = {}
    exec("\n".join(CELL.findall(PAGE.read_text("utf-8"))), found)
    return found


def step_of(layer, p):
    """One step of a PyTorch cell, a function, with these weights and no second bias."""
    return lambda x, s: layer(x, s, p["V"], p["U"], p["b_j"], torch.zeros_like(p["b_j"]))


def dropout(page, p, masks, weights=None):
    step, s, cost = step_of(torch.rnn_tanh_cell, p), torch.tensor(page["s0"]), 0
    weights = np.ones(masks.shape[:2]) if weights is None else weights
    for x, mask, d, weight in zip(*tensors(page["x"], masks, page["d"], weights), strict=True):
        s = step(x, s * mask)
        cost = cost + (weight * cross_entropy(linear(s, p["W"]), d, reduction="none")).sum()
    return cost


def many_to_one(page, p):
    """Each sample by itself, to its own end, where it pays."""
    step, cost = step_of(torch.rnn_tanh_cell, p), 0
    for k, length in enumerate(page["lengths"]):
        x, mask, d, s = (a[..., k : k + 1, :] for a in tensors(page["x"], page["all_steps"], page["d"], page["s0"]))
        for t in range(length):
            s = step(x[t], s * mask[t])
        cost = cost + paid(linear(s, p["W"]), d[length - 1])
    return cost


def lstm_dropout(page, p):
    state, cost = tuple(tensors(page["s0"], np.zeros_like(page["s0"]))), 0
    step = step_of(torch.lstm_cell, p)
    for x, mask, d in zip(*tensors(page["x"], page["all_steps"], page["d"]), strict=True):
        state = step(x, (state[0] * mask, state[1]))
        cost = cost + paid(linear(state[0], p["W"], p["b_k"]), d)
    return cost


def clockwork(page, p):
    """Units of one period are rows of their own, as in the paper: they are computed, or nothing is done."""
    periods, s, cost = page["periods"], torch.tensor(page["s0"]), 0
    for t, (x, d) in enumerate(zip(*tensors(page["x"], page["d"]), strict=True), 1):
        parts = []
        for period in np.unique(periods):
            at, slower = periods == period, periods >= period
            net = linear(x, p["V"][at], p["b_j"][at]) + linear(s[:, slower], p["U"][at][:, slower])
            parts.append(torch.tanh(net) if t % period == 0 else s[:, at])
        s = torch.cat(parts, dim=1)
        cost = cost + paid(linear(s, p["W"]), d)
    return cost


def layer_norm(page, p):
    s, cost = torch.tensor(page["s0"]), 0
    for x, d in zip(*tensors(page["x"], page["d"]), strict=True):
        net = linear(x, p["V"]) + linear(s, p["U"])
        s = torch.tanh(functional.layer_norm(net, net.shape[1:], p["gain"], p["b_j"]))
        cost = cost + paid(linear(s, p["W"]), d)
    return cost


def batch_norm(page, p):
    s, cost = torch.tensor(page["s0"]), 0
    for x, d in zip(*tensors(page["x"], page["d"]), strict=True):
        from_x = functional.batch_norm(linear(x, p["V"]), None, None, p["gain_x"], training=True)
        from_s = functional.batch_norm(linear(s, p["U"]), None, None, p["gain_s"], p["b_j"], training=True)
        s = torch.tanh(from_x + from_s)
        cost = cost + paid(linear(s, p["W"]), d)
    return cost


def told(page, p, coins, detached=False):
    step, (s, y), cost = step_of(torch.rnn_tanh_cell, p), tensors(*page["start"]), 0
    for right, coin, after in zip(*tensors(page["before"], coins, page["after"]), strict=True):
        s = step(torch.where(coin != 0, right, y.detach() if detached else y), s)
        y = linear(s, p["W"])
        cost = cost + mse_loss(y, after, reduction="sum") / 2
    return cost


def tensors(*arrays):
    return [torch.tensor(np.ascontiguousarray(a)) for a in arrays]


def paid(net_k, d):
    return cross_entropy(net_k, d, reduction="sum")


def agree(page, cell, params, x, theirs, **options):
    d = page["after"] if "loss" in options else page["d"]
    net = tg.unfold(page[cell], page[params], x, d, **{"s0": page["s0"]} | options)
    p = {name: torch.tensor(w, requires_grad=True) for name, w in page[params].items()}
    cost = theirs(page, p)
    cost.backward()
    net.replay()
    net.backward()
    assert net.loss == pytest.approx(cost.item(), rel=1e-12)
    for name, w in p.items():
        np.testing.assert_allclose(net.grads[name], w.grad.numpy(), rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("masks", ["each_step", "all_steps"])
def test_dropout(page, masks):
    x = page["beside"](page["x"], page[masks])
    agree(page, "dropout", "params", x, lambda page, p: dropout(page, p, page[masks]))


def test_weights_and_many_to_one(page):
    x = page["told_all"]
    theirs = lambda page, p: dropout(page, p, page["all_steps"], page["warm"])  # noqa: E731  a function in one line
    agree(page, "dropout", "params", x, theirs, weights=page["warm"])
    agree(page, "dropout", "params", x, many_to_one, mask=page["present"], losses="last")


def test_inputs(page):
    p = {name: torch.tensor(w) for name, w in page["params"].items()}
    x = torch.tensor(page["x"], requires_grad=True)
    s, cost = torch.tensor(page["s0"]), 0
    for now, mask, d in zip(x, *tensors(page["all_steps"], page["d"]), strict=True):
        s = step_of(torch.rnn_tanh_cell, p)(now, s * mask)
        cost = cost + paid(linear(s, p["W"]), d)
    cost.backward()
    np.testing.assert_allclose(page["by_tape"], x.grad.numpy(), rtol=1e-9, atol=1e-11)


def test_dropout_around_an_lstm(page):
    start = page["s0"], np.zeros_like(page["s0"])
    agree(page, "lstm_dropout", "wrapped", page["beside"](page["x"], page["all_steps"]), lstm_dropout, s0=start)


def test_clockwork(page):
    agree(page, "clockwork", "params", page["beside"](page["x"], page["ticks"]), clockwork)


def test_layer_normalisation(page):
    agree(page, "layer_norm", "gained", page["x"], layer_norm)


def test_batch_normalisation(page):
    agree(page, "batch_norm", "gains", page["x"], batch_norm)


@pytest.mark.parametrize("coins", ["teacher", "free", "coins"])
@pytest.mark.parametrize("cell", ["told", "told_symbols"])
def test_teacher_forcing_free_running_and_scheduled_sampling(page, cell, coins):
    x = page["beside"](page["before"], page[coins])
    detached = cell == "told_symbols"
    theirs = lambda page, p: told(page, p, page[coins], detached)  # noqa: E731  a function in one line
    agree(page, cell, "outputs", x, theirs, s0=page["start"], loss="squared_error")
