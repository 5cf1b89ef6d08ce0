"""Guo's network against PyTorch and JAX: output, cost, and the gradient of every single copy.

Neither peer shows the gradient of a copy. Here each copy is given to them as a weight of its own.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import canonical
import tinygrad_rnn as tg

jax.config.update("jax_enable_x64", True)

KINDS = [kind for kind in canonical.KINDS if kind[0] != "identity"]


def tied(p):
    """The weights of each time step, (T, ...) for each name: T times the same."""
    return {name: np.stack([w] * len(p.x)) for name, w in p.params.items()}


def with_torch(p):
    f = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}[p.cell.f]
    weights = {name: torch.tensor(w, requires_grad=True) for name, w in tied(p).items()}
    s, cost, outputs = torch.tensor(p.s0), torch.zeros((), dtype=torch.float64), []
    for t, (x, d) in enumerate(zip(torch.tensor(p.x), torch.tensor(p.d), strict=True)):
        V, U, b_j, W, b_k = (weights[name][t] for name in ("V", "U", "b_j", "W", "b_k"))
        s = f(torch.nn.functional.linear(x, V) + torch.nn.functional.linear(s, U, b_j))
        net_k = torch.nn.functional.linear(s, W, b_k)
        g = {"softmax": lambda net: torch.softmax(net, -1), "sigmoid": torch.sigmoid, "tanh": torch.tanh}
        y = g.get(p.cell.g, lambda net: net)(net_k)
        outputs.append(y.detach().numpy())
        if p.loss == "squared_error":
            cost = cost + 0.5 * ((d - y) ** 2).sum()
        elif p.cell.g == "softmax":
            cost = cost - (d * torch.log_softmax(net_k, -1)).sum()
        else:
            cost = cost + torch.nn.functional.binary_cross_entropy_with_logits(net_k, d, reduction="sum")
    cost.backward()
    return cost.item(), np.stack(outputs), {name: w.grad.numpy() for name, w in weights.items()}


def with_jax(p):
    f = {"tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}[p.cell.f]
    g = {"softmax": jax.nn.softmax, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh}.get(p.cell.g, lambda net: net)

    def cost(weights):
        def step(s, now):
            w, x, d = now
            s = f(x @ w["V"].T + s @ w["U"].T + w["b_j"])
            net_k = s @ w["W"].T + w["b_k"]
            y = g(net_k)
            if p.loss == "squared_error":
                c = 0.5 * ((d - y) ** 2).sum()
            elif p.cell.g == "softmax":
                c = -(d * jax.nn.log_softmax(net_k)).sum()
            else:
                c = (jnp.logaddexp(0, net_k) - d * net_k).sum()
            return s, (c, y)

        _, (costs, outputs) = jax.lax.scan(step, jnp.asarray(p.s0), (weights, p.x, p.d))
        return costs.sum(), outputs

    (value, outputs), gradient = jax.value_and_grad(cost, has_aux=True)(tied(p))
    return float(value), np.asarray(outputs), {name: np.asarray(w) for name, w in gradient.items()}


@pytest.mark.parametrize("peer", [with_torch, with_jax])
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_cost_outputs_and_every_copy(peer, kind):
    p = canonical.problem(*kind)
    net = tg.unfold(p.cell, p.params, p.x, p.d, loss=p.loss, s0=p.s0)
    net.backward()
    cost, outputs, copies = peer(p)
    assert net.loss == pytest.approx(cost, rel=1e-12)
    np.testing.assert_allclose(np.stack([y.value for y in net.outputs]), outputs, rtol=0, atol=1e-10)
    for name, theirs in copies.items():
        np.testing.assert_allclose(net.copies[name], theirs, rtol=0, atol=1e-10, err_msg=name)
        np.testing.assert_allclose(net.grads[name], theirs.sum(axis=0), rtol=0, atol=1e-10, err_msg=name)


def test_torchs_own_layer_finds_the_sum_of_the_copies():
    p = canonical.problem()
    layer = torch.nn.RNN(canonical.L, canonical.M, dtype=torch.float64)
    with torch.no_grad():
        for theirs, ours in (("weight_ih_l0", "V"), ("weight_hh_l0", "U"), ("bias_ih_l0", "b_j")):
            getattr(layer, theirs).copy_(torch.tensor(p.params[ours]))
        layer.bias_hh_l0.zero_()
    states, _ = layer(torch.tensor(p.x), torch.tensor(p.s0)[None])
    net_k = states @ torch.tensor(p.params["W"]).T + torch.tensor(p.params["b_k"])
    (-(torch.tensor(p.d) * torch.log_softmax(net_k, -1)).sum()).backward()
    net = tg.unfold(p.cell, p.params, p.x, p.d, loss=p.loss, s0=p.s0)
    net.backward()
    np.testing.assert_allclose(net.grads["V"], layer.weight_ih_l0.grad.numpy(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(net.grads["U"], layer.weight_hh_l0.grad.numpy(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(net.grads["b_j"], layer.bias_ih_l0.grad.numpy(), rtol=0, atol=1e-10)
