"""The cells against PyTorch's own layers: outputs, every gradient, and the gradient of every single copy.

PyTorch's layers show no copies. For those the layer is called once for each time step, with a clone of its weights.
"""

import numpy as np
import pytest
import torch
from torch.func import functional_call

import tinygrad_rnn as tg

C = tg.cells
T, B, L, M, O = 6, 3, 2, 5, 4
LENGTHS = (6, 3, 5)  # as PyTorch packs them: in any order, with enforce_sorted=False

KINDS = {
    "tanh": (C.Guo, torch.nn.RNN, {}),
    "relu": (C.IRNN, torch.nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (C.LSTM, torch.nn.LSTM, {}),
    "gru": (C.GRU, torch.nn.GRU, {}),
}


class Pair:
    """A layer of PyTorch with a head, and the same network here: torch's numbers, read through from_torch."""

    def __init__(self, kind, layers, lengths=None):
        cell, layer, options = KINDS[kind]
        torch.manual_seed(layers)
        rng = np.random.default_rng(layers)
        self.layers = layers
        self.rnn = layer(L, M, layers, dtype=torch.float64, **options)
        self.linear = torch.nn.Linear(M, O, dtype=torch.float64)
        with torch.no_grad():
            for w in self.rnn.parameters():
                w.normal_(std=0.5)
        self.x, self.d = rng.normal(size=(T, B, L)), rng.dirichlet(np.ones(O), (T, B))
        self.s0 = [rng.normal(size=(layers, B, M)) for _ in range(2 if kind == "lstm" else 1)]
        self.mask = None if lengths is None else np.arange(T)[:, None] < np.array(lengths)

        self.cell = cell() if layers == 1 else C.Stacked(*(cell() for _ in range(layers)))
        self.params = self.cell.from_torch(self.rnn.state_dict(), self.linear.state_dict())
        states = [tuple(s[k] for s in self.s0) if kind == "lstm" else self.s0[0][k] for k in range(layers)]
        s0 = states[0] if layers == 1 else tuple(states)
        self.net = tg.unfold(self.cell, self.params, self.x, self.d, s0=s0, mask=self.mask)

    def start(self):
        self.initial = [torch.tensor(s, requires_grad=True) for s in self.s0]
        return tuple(self.initial) if len(self.initial) == 2 else self.initial[0]

    def cost(self, hidden, d, linear):
        net_k = torch.nn.functional.linear(hidden, *linear)
        return torch.softmax(net_k, -1), -(d * torch.log_softmax(net_k, -1)).sum()

    def at_once(self):
        """The layer as it is meant to be used: outputs, cost, gradients, gradients of the initial states."""
        x, d = torch.tensor(self.x), torch.tensor(self.d)
        if self.mask is None:
            hidden, _ = self.rnn(x, self.start())
        else:
            pack = torch.nn.utils.rnn.pack_padded_sequence(x, self.mask.sum(axis=0), enforce_sorted=False)
            hidden, _ = torch.nn.utils.rnn.pad_packed_sequence(self.rnn(pack, self.start())[0], total_length=T)
            d = d * torch.tensor(self.mask[..., None])
        y, cost = self.cost(hidden, d, tuple(self.linear.parameters()))
        cost.backward()
        return (
            y.detach().numpy(),
            cost.item(),
            self.in_our_names(
                {name: w.grad for name, w in self.rnn.named_parameters()},
                {name: w.grad for name, w in self.linear.named_parameters()},
            ),
        )

    def step_by_step(self):
        """The same, with a clone of every weight for every step: the gradients of the copies, (T, ...)."""
        clones = [
            [{name: w.detach().clone().requires_grad_() for name, w in module.named_parameters()} for _ in range(T)]
            for module in (self.rnn, self.linear)
        ]
        s, total = self.start(), 0.0
        for t in range(T):
            hidden, new = functional_call(self.rnn, clones[0][t], (torch.tensor(self.x[t : t + 1]), s))
            here = torch.ones(B) if self.mask is None else torch.tensor(self.mask[t])
            if self.mask is not None:
                pairs = zip(new, s, strict=True) if isinstance(s, tuple) else [(new, s)]
                kept = [torch.where(here[None, :, None], a, b) for a, b in pairs]
                new = tuple(kept) if isinstance(s, tuple) else kept[0]
            s, d = new, torch.tensor(self.d[t]) * here[:, None]
            total = total + self.cost(hidden[0], d, tuple(clones[1][t].values()))[1]
        total.backward()
        each = [
            self.in_our_names({n: w.grad for n, w in a.items()}, {n: w.grad for n, w in b.items()})
            for a, b in zip(*clones, strict=True)
        ]
        return {name: np.stack([g[name] for g in each]) for name in each[0]}

    def in_our_names(self, rnn, linear):
        """Gradients by our names. PyTorch's two biases get the same gradient, that of their sum: one is taken."""
        found = {}
        for k in range(self.layers):
            suffix = "" if self.layers == 1 else f"_{k + 1}"
            found[f"V{suffix}"], found[f"U{suffix}"] = rnn[f"weight_ih_l{k}"], rnn[f"weight_hh_l{k}"]
            found[f"b_j{suffix}"] = rnn[f"bias_ih_l{k}"]
            if isinstance(self.rnn, torch.nn.GRU):
                found[f"b_n{suffix}"] = rnn[f"bias_hh_l{k}"][2 * M :]
        found |= {f"W{suffix}": linear["weight"], f"b_k{suffix}": linear["bias"]}
        return {name: g.numpy() for name, g in found.items()}


CASES = [(kind, layers, lengths) for kind in KINDS for layers in (1, 2) for lengths in (None, LENGTHS)]


@pytest.mark.parametrize(("kind", "layers", "lengths"), CASES)
@pytest.mark.parametrize("planned", [False, True], ids=["recorded", "replayed"])
def test_outputs_cost_and_every_gradient(kind, layers, lengths, planned):
    pair = Pair(kind, layers, lengths)
    net = pair.net
    if planned:
        net.replay()
        assert "no plan" not in net.schedule
    net.backward()
    outputs, cost, grads = pair.at_once()
    here = np.ones((T, B), bool) if pair.mask is None else pair.mask
    np.testing.assert_allclose(np.stack([y.value for y in net.outputs])[here], outputs[here], rtol=0, atol=1e-10)
    assert net.loss == pytest.approx(cost, rel=1e-12)
    assert set(grads) == set(net.grads)
    for name, theirs in grads.items():
        np.testing.assert_allclose(net.grads[name], theirs, rtol=0, atol=1e-10, err_msg=name)
    first = net.states[0] if layers > 1 else (net.states[0],)
    for k, of_layer in enumerate(first):
        for part, theirs in zip(of_layer if isinstance(of_layer, tuple) else (of_layer,), pair.initial, strict=True):
            np.testing.assert_allclose(part.cotangent, theirs.grad[k].numpy(), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("kind", "layers", "lengths"), CASES)
@pytest.mark.parametrize("planned", [False, True], ids=["recorded", "replayed"])
def test_every_copy(kind, layers, lengths, planned):
    pair = Pair(kind, layers, lengths)
    if planned:
        pair.net.replay()
    pair.net.backward()
    copies = pair.step_by_step()
    assert set(copies) == set(pair.net.copies)
    for name, theirs in copies.items():
        np.testing.assert_allclose(pair.net.copies[name], theirs, rtol=0, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_torch_takes_what_to_torch_gives(kind, layers):
    pair = Pair(kind, layers)
    before = pair.at_once()[:2]
    rnn, linear = pair.cell.to_torch(pair.params)
    for module, weights in ((pair.rnn, rnn), (pair.linear, linear)):
        module.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    after = pair.at_once()[:2]
    np.testing.assert_allclose(after[0], before[0], rtol=0, atol=1e-14)
    assert after[1] == pytest.approx(before[1], rel=1e-14)
