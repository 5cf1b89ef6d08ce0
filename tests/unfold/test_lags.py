"""Networks that read what stands two to five steps back: they fold, replay, draw and are right to the last digits."""

import numpy as np
import pytest

import tinygrad_rnn as tg
import untied
from lag_nets import LAGS, L, O
from tinygrad_rnn.unfold.structure import flatten, rebuild
from tinygrad_rnn.view.views import LEVELS, VIEWS

T, B = 6, 2
every = pytest.mark.parametrize("lag", LAGS, ids=str)


class Case:
    def __init__(self, lag, samples=B, steps=T, seed=0):
        rng = np.random.default_rng(seed)
        self.lag, self.cell = lag, lag.cell(tg.ops)
        self.params = {name: 0.8 * rng.normal(size=shape) for name, shape in lag.params.items()}
        self.x, self.d = rng.normal(size=(steps, samples, L)), rng.dirichlet(np.ones(O), size=(steps, samples))
        self.s0 = rebuild(lag.structure, [rng.normal(size=(samples, m)) for m in flatten(lag.structure)])
        self.mask = np.arange(steps)[:, None] < rng.integers(2, steps, samples)

    def unfold(self, **options):
        return tg.unfold(self.cell, self.params, self.x, self.d, **{"s0": self.s0} | options)


def close(found, expected, tolerance=1e-12):
    """To a part of the largest entry."""
    found = np.zeros_like(expected) if found is None else np.asarray(found)
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


@every
@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
def test_every_copy_against_a_complex_step_of_the_cell_on_plain_arrays(lag, masked):
    case = Case(lag)
    mask = case.mask if masked else None
    net = case.unfold(mask=mask)
    copies, s0 = untied.gradients(
        case.cell, case.params, case.x, case.d, case.s0, untied.cross_entropy, mask, untied.complex_steps, complex
    )
    for replayed in (False, True):
        if replayed:
            net.replay()
            assert not net.schedule.startswith("no plan")
        net.backward()
        for name, each in copies.items():
            close(net.copies[name], each)
            close(net.grads[name], each.sum(axis=0))
        for node, each in zip(flatten(net.states[0]), flatten(s0), strict=True):
            close(node.cotangent, each)


@every
def test_a_lag_is_drawn(lag):
    net = Case(lag, samples=1, steps=3).unfold()
    net.backward()
    for view in VIEWS:
        for level in LEVELS:
            assert "digraph" in tg.draw(net, view=view, level=level).dot


@every
def test_a_lag_folds_and_is_asked_like_any_network(lag):
    net = Case(lag).unfold()
    assert net.fold().number_of_nodes()
    net.replay()
    net.backward()
    assert not net.schedule.startswith("no plan")
    assert net.check().ok
    folded, values = net.stacked()
    for part, now in zip(folded.state, zip(*map(flatten, net.states[1:]), strict=True), strict=True):
        np.testing.assert_array_equal(values(part), [s.value for s in now])
    for name, whole in net.grads.items():
        G = tg.influence(net, name)
        close(G.sum(axis=(0, 1)), whole)
        net.backward(of=T)
        close(G[-1].sum(axis=0), net.grads[name])


@every
@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
def test_the_parts_of_a_state_show_as_what_they_are(lag, masked):
    case = Case(lag)
    states = case.unfold(mask=case.mask if masked else None).states
    for t, state in enumerate(states):
        names = [str(part) for part in flatten(state)]
        assert len(set(names)) == len(names), names
        if lag.make.__name__ == "werbos":
            kept = "_kept" * masked
            expected = ["s", "s_before", *(f"s_before{k}" for k in range(2, lag.k))]
            assert [part.name for part in state] == [f"{name}{kept}" for name in expected], t
