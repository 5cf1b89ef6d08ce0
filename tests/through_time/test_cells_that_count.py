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
        return self.step(params, x, s, tg.ops.broadcast(x[:, l:], source=(s.shape[0], 1), to=s.shape))

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
    "artbp": lambda *given, **options: tg.artbp(*given, **options, c=0.4, rng=1),
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


# ---- what was recorded for one place of a sequence is played at another one

CHUNKS = {  # every step stands in one window
    "truncated": lambda *given, **options: tg.truncated(*given, **options, k1=2, k2=2),
    "recomputed": lambda *given, **options: tg.truncated(*given, **options, k1=2, k2=2, states="recomputed"),
    "with gaps": lambda *given, **options: tg.truncated(*given, **options, k1=3, k2=2, losses="last"),
    "williams_peng": lambda *given, **options: tg.williams_peng(*given, **options, h=2, h_prime=2),
    "epochwise": lambda *given, **options: tg.epochwise(*given, **options, h=3),
    "naive_splitting": lambda *given, **options: tg.naive_splitting(*given, **options, k=2),
}


@pytest.mark.parametrize("method", CHUNKS)
def test_windows_that_share_no_step_are_recorded_each_by_itself(given, method):
    params, x, d, s0 = given
    told = list(CHUNKS[method](Told(), params, x, d, **s0))
    counted = list(CHUNKS[method](Counting(), params, x, d, **s0))
    for one, other in zip(told, counted, strict=True):
        assert other.loss == pytest.approx(one.loss, rel=1e-12)
        for name in params:
            assert relative(other.grads[name], one.grads[name]) < 1e-12


@pytest.mark.parametrize(
    ("method", "says"),
    [
        (lambda *g, **o: [tg.checkpointed(*g, **o, every=2)], "checkpointed pass plays .* another number than"),
        (lambda *g, **o: [tg.checkpointed(*g, **o, every=1)], "checkpointed pass plays .* when it was called again"),
        (lambda *g, **o: [tg.checkpointed(*g, **o, memory=2)], "checkpointed pass plays .* when it was called again"),
        (lambda *g, **o: tg.fixed_memory(*g, **o, taps=2, mu=0.5), "fixed_memory plays .* when it was called again"),
        (lambda *g, **o: tg.truncated(*g, **o, k1=1, k2=3), "'stored' keeps .* Choose states='recomputed'"),
        (lambda *g, **o: tg.truncated(*g, **o, k1=1, k2=1), "called once too often"),
        (lambda *g, **o: tg.naive_splitting(*g, **o, k=1), "called once too often"),
        (lambda *g, **o: tg.wikipedia(*g, **o, k=1), "called once too often"),
    ],
)
def test_what_would_play_a_step_again_where_the_cell_does_something_else_is_refused(given, method, says):
    params, x, d, s0 = given
    with pytest.raises(ValueError, match=says):
        list(method(Counting([*FACTORS, *FACTORS]), params, x, d, **s0))


def test_one_segment_is_played_where_it_was_recorded(given):
    params, x, d, s0 = given
    net = tg.unfold(Told(), params, x, d, **s0)
    checkpoints = tg.Checkpoints(Counting([*FACTORS, 1]), params, every=T)
    assert checkpoints(x, d, **s0).loss == pytest.approx(net.loss, rel=1e-12)
    with pytest.raises(ValueError, match="another number than"):
        checkpoints(x, d, **s0)


def test_a_network_that_is_called_records_a_cell_that_draws_anew(given):
    params, x, d, s0 = given

    def drawing(rng):
        return lambda params, x, s: Told().step(params, x, s, rng.random((B, m)))

    network, rng = tg.Network(drawing(np.random.default_rng(3)), params), np.random.default_rng(3)
    for _ in range(3):
        assert network(x, d, **s0).loss == tg.unfold(drawing(rng), params, x, d, **s0).loss


def test_recomputed_windows_call_a_cell_that_draws_again(given):
    params, x, d, s0 = given
    rng = np.random.default_rng(0)
    cell = lambda params, x, s: Told().step(params, x, s, rng.random((B, m)))  # noqa: E731  a cell in one line
    windows = list(tg.truncated(cell, params, x, d, k1=1, k2=3, states="recomputed", **s0))
    assert [(w.first, w.last) for w in windows] == [(1, 1), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6)]


def test_a_network_says_why_its_steps_are_no_copies(given):
    params, x, d, s0 = given
    plain, counting = tg.unfold(Told(), params, x, d, **s0), tg.unfold(Counting([*FACTORS, 1]), params, x, d, **s0)
    assert plain.difference is None
    assert not plain.obstacle
    assert "another number" in str(counting.difference)
    assert counting.obstacle == str(counting.difference)
    assert counting.obstacle in counting.schedule

    def lag(params, x, s):
        old, older = s
        return (tg.ops.tanh(tg.ops.linear(x[:, :l], params["V"], old, params["U"])), old), older

    late = tg.unfold(lag, params, x, np.zeros((T, B, m)), s0=(s0["s0"], s0["s0"]), loss="squared_error")
    assert late.difference is None
