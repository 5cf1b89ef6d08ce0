"""Gamma memories, and BPTT out of them: exact where they are plain delay lines, blurred where they are not."""

import gc
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import problem
from tinygrad_rnn import guo
from tinygrad_rnn.through_time import GammaMemory, fixed_memory
from tinygrad_rnn.unfold.structure import flatten

CELLS = {
    "Guo": tg.cells.Guo(),
    "LSTM": tg.cells.LSTM(),
    "stacked": tg.cells.Stacked(tg.cells.GRU(), tg.cells.LSTM()),
}


# ---- the memory


def response(taps, mu, steps=1500):
    """What each tap holds at each time, after an impulse at time 0."""
    line = GammaMemory(taps, mu)
    line.push(np.zeros(()))
    found = []
    for t in range(steps):
        line.push(np.array(float(t == 0)))
        found.append(line.values.copy())
    return np.array(found)


@pytest.mark.parametrize("mu", [0.05, 0.3, 0.7, 1.0])
def test_mean_delay_and_gain(mu):
    taps = response(5, mu)
    np.testing.assert_allclose(taps.sum(axis=0), 1, rtol=1e-12)  # a constant stays what it is
    np.testing.assert_allclose(np.arange(len(taps)) @ taps, np.arange(5) / mu, rtol=1e-10)
    line = GammaMemory(5, mu)
    assert line.depth == round(4 / mu - 0.49999)
    line.push(np.full(3, 7.0))
    for _ in range(50):
        line.push(np.full(3, 7.0))
    np.testing.assert_allclose(line.values, 7.0, rtol=1e-14)


@settings(max_examples=30, deadline=None)
@given(taps=st.integers(1, 9), mu=st.floats(0.05, 1.0))
def test_what_is_read_has_the_delay_that_was_asked_for(taps, mu):
    line = GammaMemory(taps, mu)
    impulse = response(taps, mu)
    for delay in range(line.depth + 1):
        line.values = impulse.T  # each tap's response in time, mixed as a reading mixes taps
        got = line.read(delay)
        assert np.arange(len(got)) @ got == pytest.approx(delay, abs=1e-6)


def test_with_mu_1_it_is_a_delay_line():
    rng = np.random.default_rng(0)
    signal, line = rng.normal(size=(9, 2, 3)), GammaMemory(4, 1.0)
    for t, now in enumerate(signal):
        line.push(now)
        for delay in range(4):
            np.testing.assert_array_equal(line.read(delay), signal[max(t - delay, 0)])


# ---- the gradient


def data(cell, steps=8, seed=0):
    rng = np.random.default_rng(seed)
    params = {name: rng.normal(size=w.shape) for name, w in cell.init(3, 4, 6, rng=0).items()}
    return params, rng.normal(size=(steps, 2, 3)), rng.dirichlet(np.ones(6), size=(steps, 2))


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("taps", [1, 3, 9])
def test_with_mu_1_it_is_the_sum_over_the_last_copies(name, taps):
    cell = CELLS[name]
    params, x, d = data(cell)
    net = tg.unfold(cell, params, x, d)
    for t, window in enumerate(fixed_memory(cell, params, x, d, taps=taps, mu=1.0), 1):
        net.backward(of=t)
        assert (window.first, window.last) == (max(1, t - taps + 1), t)
        assert window.loss == pytest.approx(float(net.losses[t - 1].value), rel=1e-13)
        for weight in params:
            last = net.copies[weight][window.first - 1 : t].sum(axis=0)
            np.testing.assert_allclose(window.grads[weight], last, rtol=1e-10, atol=1e-12, err_msg=weight)
        for found, s in zip(flatten(window.state), flatten(net.states[t]), strict=True):
            np.testing.assert_allclose(found, s.value, rtol=1e-12, atol=1e-14)


def test_with_mu_1_it_is_guos_27_and_28():
    p = problem("sigmoid")
    windows = list(fixed_memory(p.cell, p.params, p.x, p.d, taps=3, mu=1.0, s0=p.s0))
    for t in (3, 4, 5):
        oracle = guo.gradients_of_one_cost(p.params, p.x, p.d, p.s0, t=t, depth=2, f="sigmoid")
        for name, g in windows[t - 1].grads.items():
            np.testing.assert_allclose(g, oracle.grads[name], rtol=1e-11, atol=1e-13, err_msg=name)


def slowly(quarter, taps, mu):
    """How far the gradient of the last cost is from the whole one, for waves of so many steps a quarter."""
    rng = np.random.default_rng(0)
    cell = tg.cells.Guo(g="identity")
    params = cell.init(3, 8, 2, rng=1)
    params["U"] = 0.95 * np.eye(8) + 0.02 * rng.normal(size=(8, 8))
    t, phase = np.arange(120)[:, None, None], rng.uniform(0, 2 * np.pi, size=(2, 3))
    x = np.sin(np.pi / 2 * t / quarter + phase)
    d = 0.1 * np.cumsum(x, axis=0)[..., :2]
    net = tg.unfold(cell, params, x, d, loss="squared_error")
    net.backward(of=120)
    *_, window = fixed_memory(cell, params, x, d, taps=taps, mu=mu, loss="squared_error")
    off = [np.linalg.norm(window.grads[k] - net.grads[k]) / np.linalg.norm(net.grads[k]) for k in ("U", "V")]
    return max(off), window


def test_what_it_gains_where_signals_are_slow_and_what_it_costs_where_they_are_not():
    blurred, window = slowly(20, 5, 0.25)
    cut, _ = slowly(20, 5, 1.0)
    assert window.last - window.first + 1 == 17  # as many copies, out of 5 taps
    assert blurred < 0.1
    assert cut > 0.3
    blurred, _ = slowly(1, 5, 0.25)
    cut, _ = slowly(1, 5, 1.0)
    assert blurred > cut


def test_memory_does_not_grow_with_the_stream():
    cell = tg.cells.Guo()
    params = cell.init(2, 16, 2, rng=0)

    def peak(steps):
        rng = np.random.default_rng(0)
        gc.collect()
        tracemalloc.start()
        numbers = (rng.normal(size=(1, 2)) for _ in range(steps))
        for window in fixed_memory(cell, params, numbers, (np.eye(2)[:1] for _ in range(steps)), taps=4, mu=0.5):
            assert window.loss > 0
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(5)
    assert peak(300) < 1.1 * peak(60)


def test_parameters_may_change_between_gradients():
    p = problem()
    losses = []
    for window in fixed_memory(p.cell, p.params, np.repeat(p.x[:1], 60, 0), np.repeat(p.d[:1], 60, 0), taps=3, mu=0.5):
        losses.append(window.loss)
        for name, g in window.grads.items():
            p.params[name] -= 0.1 * g
    assert losses[-1] < 0.8 * losses[0]


def test_what_is_refused():
    p = problem()
    for wrong, said in [({"taps": 0}, "taps=0"), ({"mu": 0.0}, "mu=0.0"), ({"mu": 1.5}, "mu=1.5")]:
        with pytest.raises(ValueError, match=said):
            fixed_memory(p.cell, p.params, p.x, p.d, **{"taps": 3, "mu": 0.5} | wrong)  # before anything is read
    with pytest.raises(ValueError, match="s0 names the parameter 'b_j'"):
        fixed_memory(p.cell, p.params, p.x, p.d, taps=3, mu=0.5, s0="b_j")
    with pytest.raises(ValueError, match="loss='none'"):
        fixed_memory(p.cell, p.params, p.x, p.d, taps=3, mu=0.5, loss="none")
    line = GammaMemory(3, 0.5)
    line.push(np.zeros(1))
    with pytest.raises(ValueError, match="delay=5: this memory, 3 taps, holds delays from 0 to 4"):
        line.read(5)
    with pytest.raises(tg.ShapeError, match=r"the signal is \(2,\) now and was \(1,\)"):
        line.push(np.zeros(2))


def test_integers_are_not_rounded():
    line = GammaMemory(3, 0.5)
    for signal in (0, 1, 0):
        line.push(np.array([signal]))
    np.testing.assert_array_equal(line.values[:, 0], [0, 0.5, 0])
    line.push(np.array([0]))
    np.testing.assert_array_equal(line.values[:, 0], [0, 0.25, 0.25])
    narrow = GammaMemory(3, 0.5)
    narrow.push(np.zeros(1, np.float32))
    assert narrow.values.dtype == np.float32
