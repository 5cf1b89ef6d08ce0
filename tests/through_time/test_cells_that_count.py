"""A cell may count or draw: what it did at one step is not played where it would do another thing."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from cell_cases import relative

FACTORS = [1, 0.5, 2, -1, 0.25, 3]
T, B, l, m, o = len(FACTORS), 2, 3, 4, 5


class Told:
    """It multiplies its net input by a factor that stands in the input's last column."""

    def __call__(self, params, x, s):
        return self.step(params, x, s, tg.ops.broadcast(x[:, l:], source=(len(s.value), 1), to=s.shape))

    def step(self, params, x, s, factor):
        s = tg.ops.tanh(tg.ops.linear(x[:, :l], params["V"], s, params["U"]) * factor)
        return s, tg.ops.softmax(tg.ops.linear(s, params["W"]))


class Counting(Told):
    """The same factors, but from its own count of the steps."""

    def __init__(self, factors=FACTORS):
        self.factors = iter(factors)

    def __call__(self, params, x, s):
        return self.step(params, x, s, next(self.factors))


@pytest.fixture
def given():
    rng = np.random.default_rng(0)
    params = {"V": rng.normal(size=(m, l)), "U": rng.normal(size=(m, m)), "W": rng.normal(size=(o, m))}
    x = rng.normal(size=(T, B, l + 1))
    x[:, :, l] = np.reshape(FACTORS, (T, 1))
    d = np.eye(o)[rng.integers(o, size=(T, B))]
    return params, x, d, {"s0": rng.normal(size=(B, m))}


ONLINE = {
    "rtrl": tg.rtrl,
    "eprop": tg.eprop,
    "uoro": lambda *given, **options: tg.uoro(*given, **options, rng=0),
}


@pytest.mark.parametrize("method", ONLINE)
@pytest.mark.parametrize("factors", [FACTORS, [1, 1, 1, 0.5, 1, 1], [1, 1, 1, 1, 1, 2]], ids=str)
def test_each_step_of_a_stream_is_the_cells_own(given, method, factors):
    params, x, d, s0 = given
    x[:, :, l] = np.reshape(factors, (T, 1))
    told = list(ONLINE[method](Told(), params, x, d, **s0))
    counted = list(ONLINE[method](Counting(factors), params, x, d, **s0))
    for one, other in zip(told, counted, strict=True):
        assert other.loss == pytest.approx(one.loss, rel=1e-12)
        for name in params:
            assert relative(other.grads[name], one.grads[name]) < 1e-12


def test_the_gradient_in_real_time_of_a_cell_that_draws(given):
    params, x, d, s0 = given

    def drawing(seed):
        rng = np.random.default_rng(seed)
        return lambda params, x, s: Told().step(params, x, s, rng.random((B, m)))

    net = tg.unfold(drawing(5), params, x, d, **s0)
    net.backward()
    found = list(tg.rtrl(drawing(5), params, x, d, **s0))
    for name in params:
        assert relative(sum(w.grads[name] for w in found), net.grads[name]) < 1e-12


def test_a_cell_that_looks_at_its_state_and_chooses(given):
    params, x, d, s0 = given

    def choosing(params, x, s):
        return Told().step(params, x, s, 1.0 if s.value.sum() > 0 else -1.0)

    net = tg.unfold(choosing, params, x, d, **s0)
    net.backward()
    found = list(tg.rtrl(choosing, params, x, d, **s0))
    assert len({s.value.sum() > 0 for s in net.states[:-1]}) == 2
    for name in params:
        assert relative(sum(w.grads[name] for w in found), net.grads[name]) < 1e-12
