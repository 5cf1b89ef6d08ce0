"""Random truncation: its mean over all patterns of cuts, each with its probability, is the whole gradient."""

import itertools

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import T, problem

CELLS = [tg.cells.Guo(f="sigmoid"), tg.cells.LSTM(), tg.cells.Stacked(tg.cells.GRU(), tg.cells.Guo())]


def unfolded(cell):
    p = problem()
    params = p.params if isinstance(cell, tg.cells.Guo) else {n: w + 0.3 for n, w in cell.init(3, 4, 6, rng=1).items()}
    net = tg.unfold(cell, params, p.x, p.d, s0=p.s0 if isinstance(cell, tg.cells.Guo) else None)
    net.replay()
    net.backward()
    return net


@pytest.mark.parametrize("cell", CELLS, ids=str)
@pytest.mark.parametrize("c", [0.3, [0.1, 0.8, 0.5, 0.25], 0.0])
def test_the_mean_over_all_patterns_is_the_gradient(cell, c):
    net = unfolded(cell)
    mean = {name: np.zeros_like(g) for name, g in net.grads.items()}
    p = np.broadcast_to(c, (T - 1,))
    for pattern in itertools.product([False, True], repeat=T - 1):
        cuts = np.array(pattern)
        weight = np.where(cuts, p, 1 - p).prod()
        for name, g in tg.artbp_gradient(net, c=c, cuts=cuts).items():
            mean[name] += weight * g
    for name, g in net.grads.items():
        np.testing.assert_allclose(mean[name], g, rtol=1e-12, atol=1e-13)


def test_one_pattern_is_a_weighted_mask_on_the_influence():
    net = unfolded(CELLS[0])
    cuts, c = np.array([False, True, False, False]), 0.4
    links = np.where(cuts, 0, 1 / (1 - c))
    weights = np.array(
        [[links[tau - 1 : t - 1].prod() * (tau <= t) for tau in range(1, T + 1)] for t in range(1, T + 1)]
    )
    for name, g in tg.artbp_gradient(net, c=c, cuts=cuts).items():
        expected = np.tensordot(weights, tg.influence(net, name), ((0, 1), (0, 1)))
        np.testing.assert_allclose(g, expected, rtol=1e-11, atol=1e-13)


def test_cuts_come_at_their_rate_and_the_same_seed_cuts_alike():
    net = unfolded(CELLS[0])
    for name, g in tg.artbp_gradient(net, c=0.5, rng=3).items():
        np.testing.assert_array_equal(g, tg.artbp_gradient(net, c=0.5, rng=3)[name])
    p = problem(sizes=(2000, 1, 2, 3, 2))
    windows = list(tg.artbp(p.cell, p.params, p.x, p.d, c=0.2, rng=0))
    assert len(windows) == pytest.approx(400, rel=0.1)
    assert [w.first for w in windows[1:]] == [w.last + 1 for w in windows[:-1]]
    assert (windows[0].first, windows[-1].last) == (1, 2000)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_streams_windows_are_one_pattern_of_the_whole(cell):
    net = unfolded(cell)
    p = problem()
    s0 = p.s0 if isinstance(cell, tg.cells.Guo) else None
    lengths = set()
    for seed in range(8):
        windows = list(tg.artbp(cell, net.params, p.x, p.d, c=0.4, rng=seed, s0=s0))
        ends = [w.last for w in windows]
        lengths.add(len(ends))
        whole = tg.artbp_gradient(net, c=0.4, cuts=np.isin(np.arange(1, T), ends))
        assert sum(w.loss for w in windows) == pytest.approx(net.loss)
        for name, g in whole.items():
            np.testing.assert_allclose(sum(w.grads[name] for w in windows), g, rtol=1e-11, atol=1e-13)
    assert len(lengths) > 1


def test_the_first_window_trains_an_initial_state_and_the_others_do_not():
    p = problem()
    params = p.params | {"start": p.s0[0]}
    net = tg.unfold(p.cell, params, p.x, p.d, s0="start")
    for seed in range(4):
        windows = list(tg.artbp(p.cell, params, p.x, p.d, c=0.4, rng=seed, s0="start"))
        whole = tg.artbp_gradient(net, c=0.4, cuts=np.isin(np.arange(1, T), [w.last for w in windows]))
        np.testing.assert_allclose(windows[0].grads["start"], whole["start"], rtol=1e-11, atol=1e-13)
        assert whole["start"].any()
        assert not any(w.grads["start"].any() for w in windows[1:])


@pytest.mark.parametrize("c", [1, -0.1, float("nan"), [0.1, 0.2, 0.3, 1.0]])
def test_probabilities_that_are_none(c):
    with pytest.raises(ValueError, match="a cut's probability is from 0 up to below 1"):
        tg.artbp_gradient(unfolded(CELLS[0]), c=c)


def test_what_does_not_fit():
    net, p = unfolded(CELLS[0]), problem()
    with pytest.raises(ValueError, match=r"c is \(3,\): it is one probability, or one for each of the 4 links"):
        tg.artbp_gradient(net, c=[0.1] * 3)
    with pytest.raises(ValueError, match="of each of the 4 links whether it is cut"):
        tg.artbp_gradient(net, c=0.1, cuts=[0, 1, 0, 0])
    with pytest.raises(ValueError, match="of a stream, it is one probability"):
        tg.artbp(p.cell, p.params, p.x, p.d, c=[0.1] * 4)
    with pytest.raises(ValueError, match="c=1"):
        tg.artbp(p.cell, p.params, p.x, p.d, c=1)
