"""A network that is cut after it was recorded gives the gradients of the truncation, by every road."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import T, problem


def seen(cuts):
    """Which copies each cost reaches."""
    mask = np.tril(np.ones((T, T)))
    for at in cuts:
        mask[at - 1 :, : at - 1] = 0
    return mask


@pytest.mark.parametrize("cell", [tg.cells.Guo(f="sigmoid"), tg.cells.LSTM(), tg.cells.GRU()], ids=str)
@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("cuts", [(3,), (2, 4), (1,), (1, 2, 3, 4, 5), ()])
def test_the_gradient_is_what_the_cuts_leave_of_the_influence(cell, planned, cuts):
    p = problem()
    params = {name: w + 0.2 for name, w in cell.init(3, 4, 6, rng=0).items()}
    net = tg.unfold(cell, params, p.x, p.d)
    if planned:
        net.replay()
    tg.cut(net, *cuts)
    assert net.cuts == cuts
    G = {name: tg.influence(net, name) for name in params}  # of the network as it is without its cuts
    expected = {name: np.tensordot(seen(cuts), g, ((0, 1), (0, 1))) for name, g in G.items()}
    for run in (net.backward, lambda: list(net.steps())):
        run()
        for name, g in expected.items():
            np.testing.assert_allclose(net.grads[name], g, rtol=1e-11, atol=1e-13)
    derivatives = net.tape.differentiate(net.cost, list(net.weights.values()))
    for (name, g), node in zip(expected.items(), derivatives, strict=True):
        np.testing.assert_allclose(node.value, g, rtol=1e-11, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("cuts", [(1,), (1, 3)])
@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("planned", [False, True])
def test_a_cut_before_the_first_step_cuts_off_the_initial_state(planned, trained, cuts):
    p = problem()
    params = dict(p.params) | ({"s": p.s0[0]} if trained else {})
    net = tg.unfold(p.cell, params, p.x, p.d, s0="s" if trained else p.s0)
    tg.cut(net, *cuts)
    if planned:
        net.replay()
    net.backward()
    assert net.states[0].cotangent is None
    assert not trained or not net.grads["s"].any()
    tg.cut(net)
    net.backward()
    assert np.abs(net.states[0].cotangent).max() > 1e-3
    assert not trained or np.abs(net.grads["s"]).max() > 1e-3


def test_cuts_at_regular_places_are_chunks():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    tg.cut(net, 3, 5)
    net.backward()
    for name, g in tg.truncated_gradient(net, k1=2, k2=2, tail="short").items():
        np.testing.assert_allclose(net.grads[name], g, rtol=1e-11, atol=1e-13)


def test_a_cut_can_be_mended_and_lasts_over_replays():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.backward()
    whole = net.grads["U"]
    tg.cut(net, 3)
    with pytest.raises(tg.TapeError, match=r"call backward\(\) first"):
        _ = net.grads  # those of the network as it was
    net.backward()
    truncated = net.grads["U"]
    assert np.abs(truncated - whole).max() > 1e-3
    net.replay()
    net.backward()
    np.testing.assert_allclose(net.grads["U"], truncated)
    with pytest.raises(tg.TapeError, match="the network is cut before t=3"):
        net.check()
    tg.cut(net)
    net.backward()
    np.testing.assert_allclose(net.grads["U"], whole)
    assert net.check().ok


@pytest.mark.parametrize("at", [0, 6, -1, 1.5, True, "3"])
def test_where_no_cut_can_be(at):
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d)
    with pytest.raises(ValueError, match="a network is cut before a time step, an integer from 1 to 5"):
        tg.cut(net, 2, at)
    assert net.cuts == ()
