"""A watched model of PyTorch: every copy is that of a model with weights of its own for each step."""

import copy
import gc

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import tinygrad_rnn as tg
from watched_models import STEPPED, WHOLE, B, Copied, Hoisted, K, L, Layered, M, T, Tagger, loss_of

TINY = 1e-12


@pytest.fixture(autouse=True)
def in_doubles():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


def far(a, b):
    return np.abs(np.asarray(a) - np.asarray(b)).max()


def x():
    return torch.randn(T, B, L)


def without(model, run):
    """Loss and gradients of the same pass, not watched."""
    torch.manual_seed(1)
    loss = run()
    loss.backward()
    grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    torch.manual_seed(1)
    return loss.item(), grads


def nothing_changed(model, w, loss, wanted):
    value, grads = wanted
    assert abs(loss.item() - value) <= TINY * max(1, abs(value))
    for name, p in model.named_parameters():
        assert far(p.grad, grads[name]) <= TINY * max(1, grads[name].abs().max())
        assert far(w.grads[name], p.grad) <= TINY * max(1, grads[name].abs().max())


@pytest.mark.parametrize("name", STEPPED)
def test_each_copy_is_that_of_a_module_of_its_own(name):
    model, data = STEPPED[name](), x()
    wanted = without(model, lambda: loss_of(lambda t: model, data))
    with tg.watch(model) as w:
        loss = loss_of(lambda t: model, data)
    loss.backward()
    nothing_changed(model, w, loss, wanted)
    own = Copied.of(model)
    loss_of(own.at, data).backward()
    for weight, copies in w.copies.items():
        assert far(copies, own.grad(weight)[-len(copies) :] if len(copies) < T else own.grad(weight)) <= TINY
    assert set(w.copies) | set(w.once) == set(dict(model.named_parameters()))


@pytest.mark.parametrize("name", WHOLE)
def test_loss_and_gradients_are_those_of_the_model_alone(name):
    model, data = WHOLE[name](), x()
    if "batch first" in name:
        data = data.transpose(0, 1)
    wanted = without(model, lambda: model(data))
    with tg.watch(model) as w:
        loss = model(data)
    loss.backward()
    nothing_changed(model, w, loss, wanted)
    assert w.copies


@pytest.mark.parametrize("make", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_fused_layer_has_the_copies_of_one_call_a_step(make, layers):
    model, data = Layered(make(L, M, layers)), x()
    with tg.watch(model) as w:
        loss = (model.rnn(data)[0] ** 2).sum()
    loss.backward()
    own, s, outputs = Copied.of(model), None, []
    for t, now in enumerate(data, start=1):
        y, s = own.at(t).rnn(now[None], s)
        outputs.append(y)
    (torch.cat(outputs) ** 2).sum().backward()
    assert len(w.copies) == 4 * layers
    for weight, copies in w.copies.items():
        assert far(copies, own.grad(weight)) <= TINY


@pytest.mark.parametrize("both", [False, True])
def test_packed_samples_are_those_of_each_alone(both):
    rnn, lengths, data = nn.LSTM(L, M, 2, bidirectional=both), [2, T, 4], x()
    with tg.watch(rnn) as w:
        packed = nn.utils.rnn.pack_padded_sequence(data, lengths, enforce_sorted=False)
        loss = (rnn(packed)[0].data ** 2).sum()
    loss.backward()
    wanted = {name: np.zeros((T, *p.shape)) for name, p in rnn.named_parameters()}
    for b, length in enumerate(lengths):
        with tg.watch(rnn) as alone:
            loss = (rnn(data[:length, b : b + 1])[0] ** 2).sum()
        loss.backward()
        for name, copies in alone.copies.items():
            wanted[name][: len(copies)] += copies
    for name, copies in w.copies.items():
        assert far(copies, wanted[name]) <= TINY


def test_what_is_computed_before_the_loop_has_a_copy_for_each_step():
    model, data = Hoisted(), x()
    with tg.watch(model) as w:
        loss = model(data)
    loss.backward()
    own = Copied.of(model)
    model(data, lambda t: own.at(t).parts()).backward()
    assert set(w.copies) == {"V", "A", "B", "gates", "U"}
    for weight, copies in w.copies.items():
        assert far(copies, own.grad(weight)) <= TINY


def test_one_call_for_all_steps_is_taken_apart_where_the_axis_is_said():
    model, words = Tagger(), torch.randint(K, (T, B))
    wanted = without(model, lambda: model(words))
    with tg.watch(model, time_axis=0) as w:
        loss = model(words)
    loss.backward()
    nothing_changed(model, w, loss, wanted)
    assert {len(copies) for copies in w.copies.values()} == {T}
    assert not w.once
    with tg.watch(model) as w:
        loss = model(words)
    loss.backward()
    assert set(w.once) == {"embed.weight", "decode.bias"}
    assert far(w.once["embed.weight"], wanted[1]["embed.weight"]) <= TINY


def test_a_cell_that_runs_at_every_second_step_stands_at_its_own():
    slow, fast, data = nn.RNNCell(L, M), nn.RNNCell(M, M), x()
    model = nn.ModuleList([slow, fast])
    with tg.watch(model) as w:
        s, f, loss = torch.zeros(B, M), torch.zeros(B, M), 0.0
        for t, now in w.steps(data):
            s = slow(now, s) if t % 2 == 0 else s
            f = fast(s, f)
            loss = loss + (f**2).sum()
    loss.backward()
    seen = np.abs(w.copies["0.weight_hh"]).sum(axis=(1, 2)) > 0
    assert seen.tolist() == [False, False, False, True, False, True]  # at t = 2 it multiplies a state of zeros
    assert (np.abs(w.copies["0.weight_ih"]).sum(axis=(1, 2)) > 0).tolist() == [t % 2 == 0 for t in range(1, T + 1)]


def test_influence_is_that_of_each_cost_alone():
    model, data = STEPPED["own matrices"](), x()

    def costs():
        s, found = None, []
        for now in data:
            y, s = model.step(now, s)
            found.append((y**2).sum())
        return found

    with tg.watch(model) as w:
        of_all = costs()
    norms = w.influence_norms("U", of_all)
    assert norms.shape == (T, T)
    assert not np.triu(norms, 1).any()
    sum(of_all).backward()
    for t in range(T):
        with tg.watch(model) as alone:
            cost = costs()[t]
        cost.backward()
        assert far(norms[t], np.linalg.norm(alone.copies["U"], axis=(1, 2))) <= TINY
    assert far(w.grads["U"], w.copies["U"].sum(axis=0)) <= TINY  # asking for it is no backward pass


def test_two_backward_passes_add_up_and_an_unwatched_one_does_not_count():
    model, data = STEPPED["GRUCell"](), x()
    with tg.watch(model) as w:
        loss = loss_of(lambda t: model, data)
    loss.backward(retain_graph=True)
    once = w.copies["cell.weight_hh"]
    loss_of(lambda t: model, data).backward()
    assert far(w.copies["cell.weight_hh"], once) == 0
    loss.backward()
    assert far(w.copies["cell.weight_hh"], 2 * once) <= TINY


def test_watching_leaves_nothing_behind():
    model, data = STEPPED["LSTMCell"](), x()
    names = list(model.state_dict())
    with pytest.raises(RuntimeError), tg.watch(model):
        loss_of(lambda t: model, data[:, :, 1:])
    gc.collect()
    assert list(model.state_dict()) == names
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
    assert not any(p._backward_hooks for p in model.parameters())


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g @ w.T, x.T @ g


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore:.*torch.jit:FutureWarning")
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
@pytest.mark.parametrize(("how", "name"), [("function", "U"), ("checkpoint", "V"), ("script", "cell.weight_ih")])
def test_what_cannot_be_seen_is_refused_by_the_name_of_the_weight(how, name):
    model, data = nn.Module(), x().requires_grad_()
    model.V, model.U = nn.Parameter(torch.randn(L, M)), nn.Parameter(torch.randn(M, M))
    if how == "script":
        model.cell = torch.jit.script(nn.RNNCell(L, M))
    with tg.watch(model) as w:
        s, loss = torch.zeros(B, M), (model.V**2).sum()
        for now in data:
            if how == "function":
                s = torch.tanh(now @ model.V + Doubled.apply(s, model.U))
            elif how == "checkpoint":
                s = checkpoint(lambda x, s: torch.tanh(x @ model.V + s @ model.U), now, s, use_reentrant=True)
            else:
                s = model.cell(now, s) + s @ model.U
        loss = loss + (s**2).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match=rf"^{name}: backward added"):
        _ = w.copies


def test_a_checkpoint_that_is_not_reentrant_is_seen():
    model, data = STEPPED["own matrices"](), x()
    wanted = without(model, lambda: loss_of(lambda t: model, data))
    with tg.watch(model) as w:
        s, loss = torch.zeros(B, M), 0.0
        for t, now in enumerate(data, start=1):
            y, s = checkpoint(model.step, now, s, use_reentrant=False)
            loss = loss + (y**2).sum() * t
        loss.backward()
    assert w.copies["U"].shape == (T, M, M)
    assert wanted


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (lambda: tg.watch(3), TypeError, "torch.nn.Module"),
        (lambda: tg.watch(nn.ReLU()), ValueError, "no parameter"),
        (lambda: tg.watch(nn.RNN(L, M)).copies, RuntimeError, "call backward"),
    ],
)
def test_a_wrong_use_is_refused(wrong, error, said):
    with pytest.raises(error, match=said):
        wrong()


def test_a_projected_lstm_and_a_change_in_place_are_refused():
    rnn = nn.LSTM(L, M, proj_size=2)
    with tg.watch(rnn), pytest.raises(NotImplementedError, match="proj_size"):
        rnn(x())
    cell = nn.Linear(L, M)
    with tg.watch(cell), pytest.raises(RuntimeError, match="mul_ changes weight in place"):
        cell.weight.mul_(2)


def test_a_watch_serves_one_pass_and_names_what_it_has():
    cell, data = nn.RNNCell(L, M), x()
    with tg.watch(cell) as w:
        s = None
        for now in data:
            s = cell(now, s)
    with pytest.raises(RuntimeError, match="make a new one"), w:
        pass
    with pytest.raises(KeyError, match="weight_ih, weight_hh"):
        w.influence_norms("U", [(s**2).sum()])
    assert [line.split()[0] for line in str(w).splitlines()] == ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    assert "6 reads" in str(w)
    assert "t = 1 to 6" in str(w)


def test_a_watched_model_has_ledgers():
    cell, data, s = nn.RNNCell(2, 2), torch.randn(3, 1, 2), None
    with tg.watch(cell) as w:
        for now in data:
            s = cell(now, s)
        loss = (s**2).sum() + (cell.weight_hh**2).sum()
    loss.backward()
    head, _, *rows, _, total, gradient = str(tg.ledger(w, "weight_hh")).splitlines()
    assert head.split("  ")[-1].strip() == "[2, 2]"
    assert [row.split()[0] for row in rows] == ["1", "2", "3", "in"]
    assert (
        total.split()[1:]
        == gradient.split()[1:]
        == [f"{v:.3f}".replace("-", "−") for v in cell.weight_hh.grad.flatten()]
    )
    assert "in no loop" not in str(tg.ledger(w, "weight_ih"))


def test_jax_gives_the_copies_of_a_scan():
    jax = pytest.importorskip("jax")
    rng = np.random.default_rng(0)
    params = {"V": rng.normal(size=(M, L)), "U": rng.normal(size=(M, M)) / 2}
    data = rng.normal(size=(T, L))
    with jax.enable_x64(True):

        def step(p, s, now):
            s = jax.numpy.tanh(p["V"] @ now + p["U"] @ s)
            return s, s

        def loss(s, ys):
            return (ys**2).sum()

        copies = tg.jax.copies(step, params, np.zeros(M), data, loss)
        whole = jax.grad(lambda p: loss(*jax.lax.scan(lambda c, now: step(p, c, now), np.zeros(M), data)))(params)
        for name, p in params.items():
            assert copies[name].shape == (T, *p.shape)
            assert far(copies[name].sum(0), whole[name]) <= TINY
    with pytest.raises(ValueError, match="with one T"):
        tg.jax.copies(step, params, np.zeros(M), {"a": data, "b": data[:2]}, loss)


class Looped(nn.Module):
    """A layer that reads its own output, ``steps`` times."""

    def __init__(self, layer, steps=5):
        super().__init__()
        self.layer, self.steps = layer, steps

    def forward(self, h):
        for _ in range(self.steps):
            h = torch.tanh(self.layer(h) + 1)
        return h


def watched(model, *data, **settings):
    with tg.watch(model, **settings) as w:
        loss = model(*data).sum()
    loss.backward()
    return w


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_model_in_half_precision_has_copies_and_what_is_missing_is_still_noticed(dtype):
    model = Looped(nn.Linear(3, 3).to(dtype))
    w = watched(model, torch.zeros(2, 3, dtype=dtype))
    assert far(w.copies["layer.weight"].sum(0), model.layer.weight.grad.float()) < 0.05
    model.zero_grad()
    with tg.watch(model) as w:
        seen = model(torch.zeros(2, 3, dtype=dtype))
    (seen + model(torch.zeros(2, 3, dtype=dtype))).sum().backward()
    with pytest.raises(RuntimeError, match="no copy accounts for"):
        _ = w.copies


def test_where_the_gradient_is_no_number_the_copies_say_since_when():
    def poisoned(g):
        return g * torch.nan

    model, h = nn.Linear(3, 3), torch.zeros(2, 3)
    with tg.watch(model) as w:
        for t in range(5):
            h = torch.tanh(model(h))
            if t == 2:
                h.register_hook(poisoned)
    h.sum().backward()
    assert np.isnan(w.copies["weight"]).any(axis=(1, 2)).tolist() == [True, True, True, False, False]
    with tg.watch(model) as w:
        seen = model(torch.ones(2, 3)).sum()
    (seen + (model(torch.ones(2, 3)) * torch.nan).sum()).backward()
    with pytest.raises(RuntimeError, match="no copy accounts for"):
        _ = w.once


def test_a_parametrization_that_reads_its_weight_twice_a_step_has_one_copy_a_step():
    model = Looped(nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3)))
    w = watched(model, torch.zeros(2, 3))
    assert len(w.copies["layer.parametrizations.weight.original"]) == len(w.copies["layer.bias"]) == 5


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"sparse": True}, "sparse=False"),
        ({"max_norm": 1.0}, "changes its weight in place"),
        ({"scale_grad_by_freq": True}, "Leave time_axis out"),
    ],
)
def test_an_embedding_whose_copies_would_be_wrong_is_refused(settings, what):
    words = torch.zeros(T, B, dtype=torch.long)
    with pytest.raises(NotImplementedError, match=what):
        watched(nn.Embedding(4, 3, **settings), words, time_axis=0)


@pytest.mark.parametrize("axis", [2, -1, 7, -4])
def test_an_axis_that_is_not_time_s_is_refused(axis):
    with pytest.raises(ValueError, match=r"must be one of the first 2"):
        watched(nn.Linear(L, 3), x(), time_axis=axis)


@pytest.mark.parametrize("axis", ["a", 1.5, True])
def test_an_axis_that_is_no_number_is_refused(axis):
    with pytest.raises(TypeError, match="time_axis"):
        tg.watch(nn.Linear(2, 2), time_axis=axis)


@pytest.mark.parametrize("costs", [3, "x", [3], [torch.ones(3, requires_grad=True)], [torch.ones(())]])
def test_costs_that_are_none_are_refused(costs):
    model = Looped(nn.Linear(3, 3))
    with tg.watch(model) as w:
        model(torch.zeros(2, 3))
    with pytest.raises(TypeError, match="costs"):
        w.influence_norms("layer.weight", costs)


def test_a_gradient_of_a_gradient_and_a_copy_of_the_model_can_be_asked_for_while_watched():
    model = Looped(nn.Linear(3, 3))
    with tg.watch(model) as w:
        loss = model(torch.zeros(2, 3)).sum()
        (first,) = torch.autograd.grad(loss, [model.layer.weight], create_graph=True)
        twin = copy.deepcopy(model)
        loss = loss + (first**2).sum()
    loss.backward()
    assert far(w.grads["layer.weight"], first.detach() + model.layer.weight.grad) < TINY
    assert torch.equal(twin.layer.weight, model.layer.weight)
    assert twin.layer.weight.is_leaf


def test_no_time_steps_are_refused_in_pytorch_s_words_and_no_samples_have_copies_of_zero():
    with pytest.raises(RuntimeError, match="Expected sequence length to be larger than 0"):
        watched(nn.LSTM(L, 3), torch.zeros(0, B, L))
    model = nn.LSTM(L, 3)
    with tg.watch(model) as w:
        loss = model(torch.zeros(T, 0, L))[0].sum()
    loss.backward()
    assert w.copies["weight_hh_l0"].shape == (T, 12, 3)
    assert not w.copies["weight_hh_l0"].any()
