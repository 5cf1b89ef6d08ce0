"""A network that is called: each shape is recorded once, and every call gives what a fresh recording gives."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem


def of_length(p, steps, samples=2):
    rng = np.random.default_rng(steps)
    x = rng.normal(size=(steps, samples, p.x.shape[2]))
    return x, rng.dirichlet(np.ones(p.d.shape[2]), size=(steps, samples))


def assert_like_a_fresh_one(net, cell, params, x, d, **options):
    fresh = tg.unfold(cell, params, x, d, **options)
    net.backward()
    fresh.backward()
    assert net.loss == pytest.approx(fresh.loss, rel=1e-13)
    for name, g in fresh.grads.items():
        np.testing.assert_allclose(net.grads[name], g, rtol=1e-11, atol=1e-12)


def test_shapes_take_turns_and_parameters_change():
    p = problem()
    network = tg.Network(p.cell, p.params)
    seen = {}
    for turn, steps in enumerate([3, 5, 3, 1, 5, 3]):
        x, d = of_length(p, steps)
        x += turn
        p.params["U"] *= 0.9
        net = network(x, d)
        assert seen.setdefault(steps, net) is net
        assert_like_a_fresh_one(net, p.cell, p.params, x, d)


def test_the_state_is_handed_on_and_left_again():
    p = problem()
    network = tg.Network(p.cell, p.params, reduction="mean")
    x, d = of_length(p, 4)
    first = network(x, d).last_state
    assert_like_a_fresh_one(network(x, d, s0=first), p.cell, p.params, x, d, s0=first, reduction="mean")
    assert_like_a_fresh_one(network(x, d), p.cell, p.params, x, d, reduction="mean")  # from zeros again


def test_masks_losses_and_trained_states_are_unfoldings_of_their_own():
    p = problem()
    p.params["s"] = p.s0[0]
    x, d = of_length(p, 4)
    mask = np.array([[1, 1], [1, 1], [1, 0], [1, 0]])
    network = tg.Network(p.cell, p.params, kept=4)
    for _ in range(2):
        for options in ({}, {"mask": mask}, {"losses": [3, 4]}, {"s0": "s"}):
            assert_like_a_fresh_one(network(x, d, **options), p.cell, p.params, x, d, **options)
    assert repr(network).endswith("4 of 4 unfoldings remembered>")


def test_the_one_unused_for_longest_is_forgotten():
    p = problem()
    network = tg.Network(p.cell, p.params, kept=2)
    two, three = network(*of_length(p, 2)), network(*of_length(p, 3))
    assert network(*of_length(p, 2)) is two
    network(*of_length(p, 4))
    assert network(*of_length(p, 2)) is two
    assert network(*of_length(p, 3)) is not three


def test_parameters_of_other_sizes_and_types_are_recorded_again():
    p = problem()
    network = tg.Network(p.cell, p.params)
    x, d = of_length(p, 3)
    network(x, d)
    p.params.update({name: w.astype("f") for name, w in p.params.items()})
    assert network(x.astype("f"), d.astype("f")).cost.value.dtype == np.float32


def test_what_is_wrong_is_said_as_unfold_says_it():
    p = problem()
    network = tg.Network(p.cell, p.params)
    x, d = of_length(p, 3)
    network(x, d)
    with pytest.raises(tg.ShapeError, match=r"x is .*three axes"):
        network(x[0], d)
    with pytest.raises(tg.ShapeError, match="must agree on t and p"):
        network(x, d[:2])
    with pytest.raises(ValueError, match="kept=0"):
        tg.Network(p.cell, p.params, kept=0)


def test_parameters_changed_since_the_forward_pass_are_reported_and_not_mixed_in():
    p = problem()
    for play in (lambda net: None, lambda net: net.replay()):
        net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
        play(net)
        assert net.stale == ()
        net.backward()
        expected = {name: g.copy() for name, g in net.grads.items()}
        p.params["U"] += 0.1
        p.params["b_k"] += 1
        assert net.stale == ("U", "b_k")
        with pytest.raises(tg.TapeError, match="U, b_k changed since the forward pass"):
            net.backward()
        for name, g in expected.items():
            np.testing.assert_array_equal(net.grads[name], g)
        net.replay()
        assert net.stale == ()
        net.backward()
        assert not np.allclose(net.grads["U"], expected["U"])


def test_a_leaf_that_was_set_is_heeded_by_the_next_replay():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    for turn in range(2):  # before there is a plan, and after
        net.tape.set(net.inputs[1], p.x[1] + 1 + turn)
        x = p.x.copy()
        x[1] += 1 + turn
        net.replay()
        assert_like_a_fresh_one(net, p.cell, p.params, x, p.d, s0=p.s0)
