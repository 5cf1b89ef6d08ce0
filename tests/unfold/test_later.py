"""A sequence in pieces: the error handed from piece to piece is that of the whole, tape and plan alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import problem
from tinygrad_rnn.unfold.structure import flatten, rebuild


def in_two(cell, params, x, d, s0, at, planned, **options):
    """The gradients, and dC / d s(0), of a sequence that is cut after step `at`."""
    first = tg.unfold(cell, params, x[:at], d[:at], s0=s0, **options)
    if planned:
        first.replay()
    second = tg.unfold(cell, params, x[at:], d[at:], s0=first.last_state, **options)
    if planned:
        second.replay()
    second.backward()
    first.backward(later=errors(second))
    return {name: first.grads[name] + second.grads[name] for name in params}, errors(first), first


def errors(net):
    return rebuild(
        net.states[0],
        [np.zeros(s.shape) if s.cotangent is None else np.asarray(s.cotangent) for s in flatten(net.states[0])],
    )


def assert_same(found, expected):
    for a, b in zip(flatten(found), flatten(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    at=st.integers(1, 4),
    planned=st.booleans(),
    sizes=st.tuples(st.just(5), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3)),
    seed=st.integers(0, 99),
)
def test_any_size_and_cut(at, planned, sizes, seed):
    p = problem(sizes=sizes, seed=seed)
    whole = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    whole.backward()
    grads, initial, first = in_two(p.cell, p.params, p.x, p.d, p.s0, at, planned)
    for name, g in grads.items():
        np.testing.assert_allclose(g, whole.grads[name], rtol=1e-10, atol=1e-12, err_msg=name)
    assert_same(initial, errors(whole))
    for node in first.tape:  # every cotangent of the piece is that of the whole
        if node.t and node.t <= at and node.cotangent is not None:
            like = next(n for n in whole.tape if n.t == node.t and n.role == node.role)
            np.testing.assert_allclose(
                np.asarray(node.cotangent), np.asarray(like.cotangent), rtol=1e-9, atol=1e-12, err_msg=repr(node)
            )


@pytest.mark.parametrize("planned", [False, True])
def test_what_came_from_beyond_is_gone_in_the_next_pass(planned):
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    if planned:
        net.replay()
    net.backward()
    before = net.grads["U"].copy()
    net.backward(later=np.ones_like(p.s0))
    assert not np.allclose(net.grads["U"], before)
    with pytest.raises(tg.TapeError, match="given error from later steps"):
        net.check()
    net.backward(later=np.zeros_like(p.s0))
    np.testing.assert_array_equal(net.grads["U"], before)
    net.backward()
    np.testing.assert_array_equal(net.grads["U"], before)
    assert net.check().ok


def test_a_mean_and_a_mask():
    p = problem()
    mask = np.ones(p.x.shape[:2])
    mask[3:, 0] = 0
    whole = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, mask=mask)
    whole.backward()
    pieces = [
        tg.unfold(p.cell, p.params, p.x[a:b], p.d[a:b], s0=whole.states[a].value, mask=mask[a:b])
        for a, b in ((0, 2), (2, 5))
    ]
    for net in pieces:
        net.replay()
    pieces[1].backward()
    pieces[0].backward(later=errors(pieces[1]))
    assert_same(errors(pieces[0]), errors(whole))
    np.testing.assert_allclose(pieces[0].grads["U"] + pieces[1].grads["U"], whole.grads["U"], rtol=1e-11)


def test_errors_that_do_not_fit():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    with pytest.raises(tg.ShapeError, match="later is \\(1, 4\\) for s"):
        net.backward(later=np.ones((1, 4)))
    with pytest.raises(tg.ShapeError, match="and the state is one array"):
        net.backward(later=(p.s0, p.s0))
    with pytest.raises(ValueError, match="pass one"):
        net.backward(of=2, later=p.s0)
