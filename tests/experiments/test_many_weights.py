"""A network at many sets of weights at once is that network replayed at each of them."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from cell_cases import CELLS, Case
from tinygrad_rnn.experiments import at_weights

o = tg.ops
CLOSE = 1e-14


def many(params, points, rng):
    return {name: w + 0.3 * rng.normal(size=(*points, *w.shape)) for name, w in params.items()}


def hold_against_replays(net, params, found, given):
    """Every point against a replay and a backward pass with its weights."""
    before = {name: w.copy() for name, w in params.items()}
    assert found.cost.ndim
    for at in np.ndindex(found.cost.shape):
        for name, w in params.items():
            w[...] = given[name][at] if name in given else before[name]
        loss = net.replay()
        net.backward()
        assert abs(found.cost[at] - loss) <= CLOSE * max(1, abs(loss))
        largest = max(1, *(np.abs(g).max(initial=0) for g in net.grads.values()))
        for name, g in net.grads.items():
            assert np.abs(found.grads[name][at] - g).max(initial=0) <= CLOSE * largest, name
    for name, w in params.items():
        w[...] = before[name]


@pytest.mark.parametrize("name", CELLS)
def test_each_point_is_a_replay(name):
    case = Case(CELLS[name])
    for losses in (None, [2, 4]):
        net = tg.unfold(case.cell, case.params, case.x, case.d, s0=case.s0, loss=case.loss, losses=losses)
        given = many(case.params, (1, 2), np.random.default_rng(1))
        hold_against_replays(net, case.params, at_weights(net, given), given)


def test_masks_weights_means_and_initial_states_that_are_trained():
    case = Case(tg.cells.Guo())
    rng = np.random.default_rng(2)
    params = {**case.params, "start": rng.normal(size=4)}
    options = {"s0": "start", "mask": case.mask, "weights": rng.random(case.mask.shape)}
    for more in ({"reduction": "mean"}, {"reduction": "own_mean"}, {"losses": "last"}):
        net = tg.unfold(case.cell, params, case.x, case.d, **options, **more)
        given = many(params, (4,), rng)
        hold_against_replays(net, params, at_weights(net, given), given)


def test_weights_that_are_not_named_stay_as_they_were():
    case = Case(tg.cells.LSTM())
    net = tg.unfold(case.cell, case.params, case.x, case.d)
    name = next(iter(case.params))
    given = {name: many(case.params, (5,), np.random.default_rng(3))[name]}
    found = at_weights(net, given)
    hold_against_replays(net, case.params, found, given)
    alone = at_weights(net, {name: case.params[name]})
    assert alone.cost.shape == ()
    assert alone.cost == pytest.approx(net.replay(), abs=CLOSE)


def test_the_network_stays_as_it_is_and_more_points_than_fit_the_cache_are_right():
    case = Case(tg.cells.Guo(), sizes=(2, 40, 2, 4, 3))
    net = tg.unfold(case.cell, case.params, case.x, case.d, s0=case.s0)
    before, loss = {name: w.copy() for name, w in case.params.items()}, net.loss
    given = many(case.params, (700,), np.random.default_rng(4))
    found = at_weights(net, given)
    assert net.loss == loss
    assert all(np.array_equal(w, before[name]) for name, w in case.params.items())
    few = {name: w[-3:] for name, w in given.items()}
    assert np.array_equal(at_weights(net, few).cost, found.cost[-3:])
    without = at_weights(net, given, gradients=False)
    assert np.array_equal(without.cost, found.cost)
    assert not without.grads


def test_what_overflows_is_not_finite_and_its_neighbours_are_right():
    cell = tg.cells.Guo("identity", "identity")
    params = {"V": np.ones((1, 1)), "U": np.ones((1, 1)), "b_j": np.zeros(1), "W": np.ones((1, 1)), "b_k": np.zeros(1)}
    net = tg.unfold(cell, params, np.ones((9, 1, 1)), np.zeros((9, 1, 1)), loss="squared_error", losses="last")
    found = at_weights(net, {"U": np.array([[[0.5]], [[1e60]], [[2.0]]])})
    assert np.isfinite(found.cost).tolist() == [True, False, True]
    assert found.cost[2] == 0.5 * (2**9 - 1) ** 2


def counting():
    calls = []

    def cell(params, x, s):
        calls.append(1)
        s = o.tanh(o.linear(x, params["A"]) + s * float(len(calls)))
        return s, s

    return cell


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"Q": np.ones(3)}, KeyError, "params has 'Q'; the network's weights are V, U, b_j, W, b_k"),
        ({"U": np.ones((2, 4, 3))}, tg.ShapeError, r"params\['U'\] is \(2, 4, 3\): behind the axes of the points"),
        ({"U": np.ones((0, 4, 4))}, tg.ShapeError, r"params\['U'\] is \(0, 4, 4\)"),
        (
            {"U": np.ones((2, 4, 4)), "V": np.ones((3, 4, 2))},
            tg.ShapeError,
            r"params\['V'\] has the points \(3,\) and params\['U'\] has \(2,\): they must be the same",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change, error, said):
    case = Case(tg.cells.Guo())
    net = tg.unfold(case.cell, case.params, case.x, case.d)
    with pytest.raises(error, match=said):
        at_weights(net, change)


def test_a_network_that_cannot_be_folded_or_is_cut_is_refused():
    case = Case(tg.cells.Guo())
    net = tg.unfold(case.cell, case.params, case.x, case.d)
    tg.cut(net, 2)
    with pytest.raises(ValueError, match=r"cut before t=2"):
        at_weights(net, {})
    net = tg.unfold(
        counting(), {"A": np.ones((4, 2))}, case.x, np.ones((5, 3, 4)), s0=np.zeros((3, 4)), loss="squared_error"
    )
    with pytest.raises(ValueError, match="cannot be folded"):
        at_weights(net, {"A": np.ones((2, 4, 2))})
