"""Error surfaces: the points, the gradients, the minima, and the ways down."""

import dataclasses

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import experiments as ex
from tinygrad_rnn.experiments.minima import basins

T, B, L, M, O = 5, 3, 2, 4, 3


def network(**options):
    rng = np.random.default_rng(0)
    cell = tg.cells.Guo("tanh", "identity")
    params = {name: rng.normal(size=w.shape) for name, w in cell.init(L, M, O, rng=rng).items()}
    x, d, s0 = rng.normal(size=(T, B, L)), rng.normal(size=(T, B, O)), rng.normal(size=(B, M))
    return tg.unfold(cell, params, x, d, s0=s0, loss="squared_error", **options)


def test_each_point_is_the_network_unfolded_there():
    net = network()
    found = ex.surface(net, ("U[0, 2]", "b_j[1]"), radius=(2, 0.5), points=5)
    assert found.cost[2, 2] == pytest.approx(net.loss, rel=1e-14)
    for at in np.ndindex(5, 5):
        there = found.net_at(at)
        there.backward()
        assert found.cost[at] == pytest.approx(there.loss, rel=1e-13)
        assert found.slopes[:, *at] == pytest.approx([there.grads["U"][0, 2], there.grads["b_j"][1]], rel=1e-11)
        whole = np.sqrt(sum((g**2).sum() for g in there.grads.values()))
        assert found.whole_gradient[at] == pytest.approx(whole, rel=1e-12)
        assert there.params["U"][0, 2] == pytest.approx(found.axes[0][at[0]], abs=1e-15)
        assert there.params["b_j"][1] == pytest.approx(found.axes[1][at[1]], abs=1e-15)
    assert found.lowest == np.unravel_index(found.cost.argmin(), (5, 5))
    assert found.steepest == np.unravel_index(found.gradient.argmax(), (5, 5))


def test_where_no_number_is_finite_there_is_no_lowest_point():
    found = ex.surface(network(), ("U[0, 2]", "b_j[1]"), points=5)
    i, j = found.lowest
    for none in (np.nan, np.inf):
        lost = dataclasses.replace(found, cost=np.full((5, 5), none))
        for ask in (lambda lost=lost: lost.lowest, lambda lost=lost: lost.steepest):
            with pytest.raises(ValueError, match=r"finite at no point of this surface.*with a smaller radius"):
                ask()
        some = np.full((5, 5), none)
        some[i, j] = found.cost[i, j]
        assert dataclasses.replace(found, cost=some).lowest == (i, j)


def test_along_random_directions_the_slopes_are_those_of_the_cost():
    found = ex.surface(network(losses="last"), radius=1e-4, points=5, rng=3)
    step = found.axes[0][1] - found.axes[0][0]
    for k in range(2):
        measured = np.gradient(found.cost, step, axis=k)[1:-1, 1:-1]
        assert measured == pytest.approx(found.slopes[k][1:-1, 1:-1], rel=1e-5)


def test_single_precision_stays_single():
    net = network()
    x, d = (np.stack([leaf.value for leaf in leaves]).astype("f") for leaves in (net.inputs, net.targets))
    cell, params = tg.cells.Guo("tanh", "identity"), {name: w.astype("f") for name, w in net.params.items()}
    found = ex.surface(tg.unfold(cell, params, x, d, loss="squared_error"), radius=0.5, points=5)
    there = found.net_at((0, 3))
    assert found.cost.dtype == there.cost.value.dtype == np.float32
    assert there.loss == pytest.approx(found.cost[0, 3], rel=1e-5)
    there.backward()
    assert found.whole_gradient[0, 3] == pytest.approx(
        np.sqrt(sum((g**2).sum() for g in there.grads.values())), rel=1e-4
    )


def test_a_mapping_is_a_direction_and_moves_nothing_else():
    net = network()
    one = {"U": np.eye(M), "b_k": np.ones(O)}
    found = ex.surface(net, (one, "W[0, 0]"), radius=0.5, points=5)
    there = found.params((4, 2))
    assert np.array_equal(there["U"], net.params["U"] + 0.5 * np.eye(M))
    assert np.array_equal(there["V"], net.params["V"])
    assert found.names == ("direction 1", "W[0, 0]")


def test_a_random_direction_is_as_long_as_each_unit_s_weights_and_leaves_biases():
    params = network().params
    found = ex.filter_direction(params, rng=1)
    for name in ("V", "U", "W"):
        assert np.linalg.norm(found[name], axis=1) == pytest.approx(np.linalg.norm(params[name], axis=1))
    assert not found["b_j"].any()
    assert not found["b_k"].any()
    again = ex.filter_direction(params, rng=1)
    assert all(np.array_equal(found[name], again[name]) for name in found)


def test_the_surface_stays_what_it_is_when_the_network_goes_on():
    net = network()
    found, other = (ex.surface(net, ("U[0, 0]", "U[1, 1]"), points=5) for _ in range(2))
    before = other.slopes.copy()
    net.params["V"][...] = 0
    net.replay(net.inputs[0].value[None].repeat(T, 0))
    assert np.array_equal(found.slopes, before)
    assert found.net_at((1, 3)).loss == pytest.approx(found.cost[1, 3], rel=1e-13)
    with pytest.raises(ValueError, match="read-only"):
        found.cost[0, 0] = 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"points": 100}, "points=100: it is an odd number from 5 up"),
        ({"points": 3}, "points=3"),
        ({"radius": 0}, "radius=0: the grid reaches so far, above 0"),
        ({"radius": (1, 2, 3)}, "one for each of the two axes"),
        ({"along": ("U", "W[0, 0]")}, r"along names 'U', and U is \(4, 4\): name one entry, such as 'U\[0, 0\]'"),
        ({"along": ("U[0, 9]", "W[0, 0]")}, "name one entry"),
        ({"along": ("U[0, 0]", "Q")}, "along names 'Q'; the network's weights are V, U"),
        ({"along": ("U[0, 0]", "U[0, 0]")}, r"both are U\[0, 0\]"),
        ({"along": "U[0, 0]"}, "it is a pair"),
        ({"along": ({"U": np.zeros((4, 4))}, "U[0, 0]")}, "direction 1 is zero everywhere"),
        ({"along": ({"U": np.ones((4, 3))}, "U[0, 0]")}, r"direction 1 has U \(4, 3\)"),
        ({"along": (3, "U[0, 0]")}, "along has 3"),
    ],
)
def test_what_makes_no_slice_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        ex.surface(network(), **given)
    with pytest.raises(ValueError, match=r"at=\(5, 0\): a point is \(i, j\), from \(0, 0\) to \(4, 4\)"):
        ex.surface(network(), ("U[0, 0]", "U[1, 1]"), points=5).net_at((5, 0))


def flooded(cost, height):
    """The h-minima by their definition: the map is raised, lowered as far as it may be, and its floors are counted."""
    raised = cost + height
    while True:
        padded = np.pad(raised, 1, constant_values=np.inf)
        shifts = [padded[i : i + cost.shape[0], j : j + cost.shape[1]] for i in range(3) for j in range(3)]
        lower = np.maximum(np.min(shifts, axis=0), cost)
        if np.array_equal(lower, raised):
            break
        raised = lower
    floors, seen = 0, np.zeros(cost.shape, bool)
    for start in np.ndindex(cost.shape):
        if seen[start]:
            continue
        rest, lowest = [start], True
        seen[start] = True
        while rest:
            i, j = rest.pop()
            for at in np.ndindex(3, 3):
                p = i + at[0] - 1, j + at[1] - 1
                if 0 <= p[0] < cost.shape[0] and 0 <= p[1] < cost.shape[1]:
                    lowest &= raised[p] >= raised[start]
                    if raised[p] == raised[start] and not seen[p]:
                        seen[p] = True
                        rest.append(p)
        floors += lowest
    return floors


@pytest.mark.parametrize("seed", range(10))
def test_minima_by_prominence_are_those_of_morphology(seed):
    rng = np.random.default_rng(seed)
    cost = np.round(sum(rng.normal(size=(21, 24)).cumsum(axis=k) for k in (0, 1)), seed % 3)  # with equal heights
    places, depths = basins(cost)
    for share in (0.03, 0.1, 0.3):
        height = share * np.ptp(cost) + 1e-7
        assert (depths > height).sum() == flooded(cost, height)
    assert depths[cost.flat[places].argmin()] == np.ptp(cost)


def test_a_valley_across_the_grid_is_one_minimum_and_its_edge_is_none():
    a, b = np.meshgrid(np.linspace(-1, 1, 101), np.linspace(-1, 1, 101), indexing="ij")
    valley = (a - 0.37 * b) ** 2 + 1e-3 * (a**2 + b**2)
    assert len(ex.minima(valley, 0.0)) > 10
    found = ex.minima(valley)
    assert found.at == ((50, 50),)
    assert found.converged
    assert str(found) == "1 minimum, as on a grid half as fine"
    assert len(ex.minima(a + b)) == 0
    two = np.minimum((a - 0.5) ** 2 + b**2, (a + 0.5) ** 2 + b**2 + 0.05)
    assert ex.minima(two).at == ((75, 50), (25, 50))
    rough = ex.minima(np.random.default_rng(0).normal(size=(41, 41)))
    assert not rough.converged
    assert str(rough).startswith(f"no number of minima: {len(rough)} on this grid and {rough.coarser} on one half")


def test_the_cliff_and_the_ways_of_optimisers_over_it():
    net = ex.cliff(5.2, -2.6)
    slice_ = ex.surface(ex.cliff(5, -2.5), ("w", "b"), radius=(2, 0.7))
    assert slice_.gradient.max() > 500 * np.median(slice_.gradient)
    assert max(np.abs(np.diff(slice_.cost, axis=k)).max() for k in (0, 1)) > 0.8 * np.ptp(slice_.cost)
    plain = ex.descend(net, tg.train.SGD(0.05))
    clipped = ex.descend(net, tg.train.SGD(0.05), clip=0.1)
    adam = ex.descend(net, tg.train.Adam(0.02))
    both = ex.descend(net, tg.train.Adam(0.02), clip=0.1)
    moved = [np.hypot(*(np.diff(p.params[name].ravel()) for name in "wb")).max() for p in (plain, clipped)]
    assert moved[0] > 0.8
    assert moved[1] < 0.0051
    assert clipped.gradient.max() > 1000
    assert min(plain.cost[-1], clipped.cost[-1], adam.cost[-1]) > 1e-3
    assert both.cost[-1] < 1e-12
    assert net.loss == both.cost[0]  # and stays
    assert not plain.stopped


def test_a_way_follows_the_gradient_of_a_network_that_is_cut():
    net = network()
    tg.cut(net, 3)
    net.backward()
    way = ex.descend(net, tg.train.SGD(0.01), 1)
    assert way.params["U"][1] == pytest.approx(net.params["U"] - 0.01 * net.grads["U"], abs=1e-15)


def test_a_way_that_leaves_the_numbers_ends_there():
    way = ex.descend(network(), tg.train.SGD(1e200), 10)
    assert way.stopped
    assert len(way.cost) < 11
    adam = tg.train.Adam()
    adam.step({"a": np.ones(2)}, {"a": np.ones(2)})
    with pytest.raises(ValueError, match="optimiser has gone somewhere before"):
        ex.descend(network(), adam)


def test_one_unit_has_two_values_at_most_and_two_units_can_be_chaotic():
    def unit(params, x, s):
        s = tg.ops.tanh(s * params["u"] + params["b"], name="s")
        return s, s

    one = {"u": np.ones((1, 1)), "b": np.full((1, 1), 0.3)}
    zeros = np.zeros((1, 1, 1))
    net = tg.unfold(unit, one, zeros, zeros, s0=np.full((1, 1), 0.1), loss="squared_error")
    turned = np.linspace(-6, 6, 60)[:, None, None]
    values = [ex.different_values(each) for each in ex.attractor(net, {"u": turned}, keep=20)]
    assert set(values) == {1, 2}

    cell = tg.cells.Guo("sigmoid", "identity")
    two = {"V": np.zeros((2, 1)), "U": np.array([[-16.0, 6], [-6, 0]]), "b_j": np.array([-2.0, 3])}
    two |= {"W": np.ones((1, 2)), "b_k": np.zeros(1)}
    long = tg.unfold(cell, two, np.zeros((300, 1, 1)), np.zeros((300, 1, 1)), loss="squared_error", losses="last")
    assert ex.lyapunov(tg.pathology.jacobians(long)[100:])[0, 0] > 0.2
    orbit = ex.attractor(long, {}, skip=0, keep=20)
    assert orbit == pytest.approx(np.array([long.states[t].value[0] for t in range(1, 21)]), abs=1e-10)
    assert ex.different_values(ex.attractor(long, {}, keep=200), 1e-4) > 100


def test_the_exponents_of_a_rotation_that_stretches_are_known():
    turned = np.array([[0.0, -3], [0.5, 0]])
    assert ex.lyapunov(np.broadcast_to(turned, (40, 2, 2, 2))) == pytest.approx(np.full((2, 2), np.log(1.5) / 2))
    wiped = ex.lyapunov(np.broadcast_to(np.diag([2.0, 0]), (5, 1, 2, 2)))
    assert wiped[0, 0] == pytest.approx(np.log(2))
    assert wiped[0, 1] == -np.inf


def test_minimisers_end_where_their_gradients_are_short():
    net = network(losses="last")
    starts = {name: w + 0.1 * np.random.default_rng(5).normal(size=(3, *w.shape)) for name, w in net.params.items()}
    found = ex.ends(net, starts, gradients=300)
    assert (found.cost < 1e-6).all()  # nine numbers, 47 weights
    assert (found.gradients <= 330).all()
    again = ex.at_weights(net, found.params)
    assert again.cost == pytest.approx(found.cost, abs=1e-14)
    with pytest.raises(tg.ShapeError, match=r"must be \(starts, ...\) of all weights"):
        ex.ends(net, {"U": starts["U"]})
