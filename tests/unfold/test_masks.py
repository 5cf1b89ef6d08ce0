"""Sequences of different lengths in one batch: each pays and learns as if it were alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
import untied
from canonical import problem

o = tg.ops
T, B, L, M, O = 6, 4, 3, 5, 2
LENGTHS = (6, 2, 4, 1)


def weighted(y, d, mask):
    """A user's own cost: the fourth power of the distance."""
    return (((y - d) * mask) ** 4).sum()


LOSSES = [("softmax", "cross_entropy"), ("sigmoid", "cross_entropy"), ("tanh", "squared_error"), ("tanh", weighted)]


def ragged(g="softmax", loss="cross_entropy", lengths=LENGTHS, seed=3):
    p = problem("tanh", g, loss, (max(lengths), len(lengths), L, M, O), seed)
    mask = np.arange(max(lengths))[:, None] < np.array(lengths)
    return p, mask


def alone(p, mask, **options):
    """The costs and gradients of the sequences one by one, added up."""
    loss, grads, initial = 0.0, {}, []
    for k in range(mask.shape[1]):
        n = mask[:, k].sum()
        net = tg.unfold(p.cell, p.params, p.x[:n, [k]], p.d[:n, [k]], loss=options.get("loss", p.loss), s0=p.s0[[k]])
        net.backward()
        loss += net.loss
        for name, g in net.grads.items():
            grads[name] = grads.get(name, 0) + g
        initial.append(net.states[0].cotangent)
    return loss, grads, np.concatenate(initial)


def assert_as_if_alone(net, p, mask, **options):
    loss, grads, initial = alone(p, mask, **options)
    assert net.loss == pytest.approx(loss, rel=1e-13)
    for name, g in grads.items():
        np.testing.assert_allclose(net.grads[name], g, rtol=1e-11, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(net.copies[name].sum(axis=0), g, rtol=1e-11, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(net.states[0].cotangent, initial, rtol=1e-11, atol=1e-12)


def test_a_step_that_is_left_out_in_the_middle_is_passed_over():
    """Of each sample, the network is that of a sequence without the steps where its mask is 0."""
    p, _ = ragged()
    for seed in range(20):
        mask = np.random.default_rng(seed).random((T, B)) < 0.6
        mask[seed % T] = True
        net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, mask=mask)
        for replayed in (False, True):
            if replayed:
                net.replay()
            net.backward()
            loss, grads, initial = 0.0, dict.fromkeys(p.params, 0.0), []
            for k in range(B):
                x, d = p.x[mask[:, k]][:, [k]], p.d[mask[:, k]][:, [k]]
                one = tg.unfold(p.cell, p.params, x, d, s0=p.s0[[k]])
                one.backward()
                loss += one.loss
                grads = {name: grads[name] + g for name, g in one.grads.items()}
                initial.append(one.states[0].cotangent)
                np.testing.assert_allclose(net.states[T].value[[k]], one.states[-1].value, rtol=1e-12)
            assert net.loss == pytest.approx(loss, rel=1e-13)
            for name, g in grads.items():
                np.testing.assert_allclose(net.grads[name], g, rtol=1e-11, atol=1e-12, err_msg=name)
            np.testing.assert_allclose(net.states[0].cotangent, np.concatenate(initial), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("g", "loss"), LOSSES)
@pytest.mark.parametrize("padding", [0.0, 7.0, np.nan, np.inf])
def test_a_ragged_batch_is_its_sequences_one_by_one(g, loss, padding):
    p, mask = ragged(g, loss)
    options = {}
    if loss is weighted:
        options["loss"] = lambda y, d: ((y - d) ** 4).sum()
    x, d = (np.where(mask[..., None], a, padding) for a in (p.x, p.d))
    net = tg.unfold(p.cell, p.params, x, d, loss=loss, s0=p.s0, mask=mask)
    net.backward()
    assert_as_if_alone(net, p, mask, **options)
    net.replay(x, d)
    assert "no plan" not in net.schedule
    net.backward()
    assert_as_if_alone(net, p, mask, **options)
    for k, n in enumerate(LENGTHS):
        for s in net.states[n + 1 :]:
            np.testing.assert_array_equal(s.value[k], net.states[n].value[k])


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    new=st.data(),
    which=st.sampled_from(LOSSES[:3]),
    seed=st.integers(0, 1000),
)
def test_a_replay_may_bring_other_lengths(lengths, new, which, seed):
    p, mask = ragged(*which, lengths, seed)
    net = tg.unfold(p.cell, p.params, p.x, p.d, loss=p.loss, s0=p.s0, mask=mask)
    other = problem("tanh", *which, (max(lengths), len(lengths), L, M, O), seed + 1)._replace(s0=p.s0, params=p.params)
    steps = max(lengths)
    lengths = new.draw(st.lists(st.integers(1, steps), min_size=len(lengths), max_size=len(lengths)))
    mask = (np.arange(steps)[:, None] < np.array(lengths)).astype(int)
    net.replay(other.x, other.d, mask=mask)
    net.backward()
    assert_as_if_alone(net, other, mask)
    before = net.loss, net.grads["U"]
    net.replay(np.where(mask[..., None], other.x, np.nan))  # the mask stays
    net.backward()
    assert (net.loss, net.grads["U"].tolist()) == (before[0], before[1].tolist())


@pytest.mark.parametrize(("g", "loss"), LOSSES[:3])
def test_every_copy_against_differences_also_with_gaps(g, loss):
    """A mask need not be a length: a sample may pause."""
    p, _ = ragged(g, loss)
    mask = np.random.default_rng(5).random((T, B)) < 0.6
    cost = {"softmax": untied.cross_entropy, "sigmoid": untied.bernoulli, "tanh": untied.squared_error}[g]
    copies, s0 = untied.gradients(p.cell, p.params, p.x, p.d, p.s0, cost, mask)
    net = tg.unfold(p.cell, p.params, p.x, p.d, loss=loss, s0=p.s0, mask=mask)
    for _ in range(2):
        net.backward()
        for name, measured in copies.items():
            np.testing.assert_allclose(net.copies[name], measured, rtol=1e-8, atol=1e-8, err_msg=name)
        np.testing.assert_allclose(net.states[0].cotangent, s0, rtol=1e-8, atol=1e-8)
        net.replay()


def test_a_mask_of_ones_changes_no_number():
    p, mask = ragged()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, mask=np.ones_like(mask))
    plain = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.backward()
    plain.backward()
    assert net.loss == plain.loss
    for name in p.params:
        np.testing.assert_array_equal(net.copies[name], plain.copies[name])


def test_float32_stays_float32():
    p, mask = ragged()
    low = {name: w.astype("float32") for name, w in p.params.items()}
    x, d, s0 = (a.astype("float32") for a in (p.x, p.d, p.s0))
    net = tg.unfold(p.cell, low, x, d, s0=s0, mask=mask)
    net.replay()
    net.backward()
    assert {node.value.dtype.name for node in net.tape} == {"float32"}


def test_equations_under_a_mask():
    p, mask = ragged()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, mask=mask)
    told = {}
    for step in net.steps():
        if step.t == 3:
            pair = (step.node.name, step.share.parent.name) if step.share else step.node.name
            told[pair] = step.equation
    assert (told["s"], told["s_kept"], told["net_j"]) == ("G1", "", "G2")
    assert (told["net_j", "s_kept"], told["s", "net_j"], told["net_k", "s"]) == ("G26", "G9", "G22")
    assert (told["s_kept", "s"], told["s_kept", "s_kept"]) == ("", "")
    assert [str(s) for s in net.states[:2]] == ["sₖₑₚₜ(0)", "sₖₑₚₜ(1)"]


@pytest.mark.parametrize(
    ("mask", "error", "said"),
    [
        (np.ones((B, T)), tg.ShapeError, r"mask is \(4, 6\) and x has 6 time steps of 4 samples"),
        (np.full((T, B), 0.5), ValueError, "something else than 0 and 1"),
        (np.full((T, B), np.nan), ValueError, "something else than 0 and 1"),
        (np.full((T, B), "yes"), ValueError, "something else than 0 and 1"),
    ],
)
def test_bad_masks(mask, error, said):
    p, good = ragged()
    with pytest.raises(error, match=said):
        tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, mask=mask)
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, mask=good)
    before = net.loss
    with pytest.raises(error, match=said):
        net.replay(p.x * 2, p.d, mask=mask)
    assert net.loss == before
    assert net.replay() == before


def test_a_mask_comes_with_its_data():
    p, mask = ragged()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, mask=mask)
    with pytest.raises(ValueError, match="pass x and d with it"):
        net.replay(p.x, mask=mask)
    with pytest.raises(ValueError, match="unfolded without a mask"):
        tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0).replay(p.x, p.d, mask=mask)
