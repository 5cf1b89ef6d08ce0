"""A stream that was stopped after a window goes on as if it had not been: the same windows, bit by bit."""

import gc
import itertools
import weakref

import numpy as np
import pytest

import tinygrad_rnn as tg

T, B = 23, 2
X, D = (np.random.default_rng(seed).normal(size=(T, B, n)) for seed, n in ((0, 3), (1, 2)))
CELLS = [
    tg.cells.Guo(g="identity"),
    tg.cells.LSTM(g="identity"),
    tg.cells.Stacked(tg.cells.GRU(), tg.cells.LSTM(peepholes=True, g="identity")),
]
# k1, k2, states, tail
WAYS = [
    (5, 5, "stored", "short"),
    (5, 5, "stored", "drop"),
    (4, 4, "recomputed", "flush"),
    (5, 3, "stored", "flush"),
    (5, 12, "recomputed", "flush"),
    (4, 9, "recomputed", "short"),
    (1, 6, "recomputed", "drop"),
    (5, 5, "restarted", "short"),
]
pytestmark = pytest.mark.filterwarnings("ignore:k1=5 is more than k2=3")


def steps(array):
    return (step for step in array)


def trained(cell, way, given=np.asarray, stop=None, params=None, optimiser=None, carry=None, **options):
    """What is there when a stream was read up to a step, the weights moving after each window."""
    k1, k2, states, tail = way
    params = cell.init(3, 4, 2, rng=1) if params is None else params
    optimiser = optimiser or tg.train.Adam(0.05)
    windows = tg.truncated(
        cell,
        params,
        given(X),
        given(D),
        k1=k1,
        k2=k2,
        states=states,
        tail=tail,
        loss="squared_error",
        carry=carry,
        **options,
    )
    read = []
    for window in windows:
        optimiser.step(params, dict(window.grads))
        read.append((window.first, window.last, window.loss))
        if stop and window.last >= stop:
            return params, optimiser, window.carry, read
    return params, optimiser, None, read


def again(optimiser):
    other = tg.train.Adam(0.05)
    other.restore(optimiser.state())
    return other


def same(params, others):
    return all(np.array_equal(params[name], others[name]) for name in params)


EACH = [(CELLS[0], way, given) for way in WAYS for given in (np.asarray, steps)]
EACH += [(cell, way, np.asarray) for cell in CELLS[1:] for way in (WAYS[0], WAYS[4])]


@pytest.mark.parametrize(("cell", "way", "given"), EACH, ids=lambda each: getattr(each, "__name__", str(each)))
def test_a_stream_goes_on_bit_by_bit_wherever_it_was_stopped(cell, way, given):
    whole, _, _, read = trained(cell, way, given)
    for stop in (1, 15) if way[0] > 1 else (1, 3, 7):
        params, optimiser, carry, begun = trained(cell, way, given, stop)
        params = {name: w.copy() for name, w in params.items()}
        gone_on, _, _, rest = trained(cell, way, given, None, params, again(optimiser), carry)
        assert begun + rest == read
        assert same(gone_on, whole)


@pytest.mark.parametrize("losses", ["window", "last"])
def test_other_costs_are_gone_on_with_too(losses):
    way, cell = (4, 9, "recomputed", "short"), CELLS[1]
    whole, *_ = trained(cell, way, losses=losses)
    params, optimiser, carry, _ = trained(cell, way, stop=8, losses=losses)
    assert same(trained(cell, way, np.asarray, None, params, again(optimiser), carry, losses=losses)[0], whole)


def test_a_state_of_another_moment_is_noticed():
    way, cell = WAYS[4], CELLS[1]
    whole, *_ = trained(cell, way)
    params, optimiser, carry, _ = trained(cell, way, stop=10)
    wrong = tg.through_time.Carry(carry.last, carry.first, carry.states[:1] * len(carry.states))
    assert not same(trained(cell, way, np.asarray, None, params, again(optimiser), wrong)[0], whole)


def test_what_is_carried_is_ones_own():
    params, optimiser, carry, _ = trained(CELLS[0], WAYS[0], stop=10)
    before = [np.array(state) for state in carry.states]
    trained(CELLS[0], WAYS[0], np.asarray, None, params, optimiser, carry)
    assert all(np.array_equal(a, b) for a, b in zip(before, carry.states, strict=True))


def test_at_the_end_of_the_stream_nothing_is_left():
    params, optimiser, carry, _ = trained(CELLS[0], WAYS[0], stop=T)
    assert carry.last == T
    assert trained(CELLS[0], WAYS[0], np.asarray, None, params, optimiser, carry)[3] == []


def test_windows_that_are_kept_keep_one_network():
    cell = CELLS[0]
    before = [o for o in gc.get_objects() if type(o).__name__ == "Unfolded"]  # of other tests
    windows = tg.truncated(cell, cell.init(3, 4, 2, rng=1), X, D, k1=5, k2=5, tail="short", loss="squared_error")
    read = list(itertools.islice(windows, 4))
    nets = [
        weakref.ref(o)
        for o in gc.get_objects()
        if type(o).__name__ == "Unfolded" and o.T == 5 and not any(o is net for net in before)
    ]
    last = read[-1]
    del windows
    assert last.carry.last == 20
    del read, last
    gc.collect()
    assert not any(net() for net in nets)


def stream(**changed):
    cell = CELLS[0]
    given = {"k1": 5, "k2": 5, "loss": "squared_error"} | changed
    x, d = given.pop("x", X), given.pop("d", D)
    return tg.truncated(cell, cell.init(3, 4, 2, rng=1), x, d, **given)


def test_what_cannot_be_gone_on_with_is_refused():
    windows = stream()
    first = next(windows)
    carry = first.carry
    next(windows)
    with pytest.raises(ValueError, match="the stream has gone on since the window of the steps 1 to 5"):
        _ = first.carry
    with pytest.raises(ValueError, match=r"states='stored' with k2=9 above k1=5 .*Choose states='recomputed'"):
        _ = next(stream(k2=9)).carry
    with pytest.raises(ValueError, match="states='restarted' with k2=9"):
        stream(k2=9, states="restarted", carry=carry)
    with pytest.raises(ValueError, match="carry has no state before step 2, where the next window begins"):
        next(stream(k2=9, states="recomputed", carry=carry))
    with pytest.raises(ValueError, match="s0 is the state before the first step"):
        stream(carry=carry, s0=np.zeros((B, 4)))
    with pytest.raises(ValueError, match=r"the stream has 4 steps, .* behind step 5"):
        stream(x=X[:4], d=D[:4], k1=3, k2=3, carry=carry)
    with pytest.raises(tg.ShapeError, match=r"the state of 1 samples is \(1, 4\)"):
        next(stream(x=X[:, :1], d=D[:, :1], carry=carry))
    with pytest.raises(TypeError, match="carry=3: it must be what a window's carry is"):
        stream(carry=3)
    with pytest.raises(ValueError, match="streams of `truncated` can be stopped"):
        _ = next(tg.rtrl(CELLS[0], CELLS[0].init(3, 4, 2, rng=1), X, D, loss="squared_error")).carry


def test_a_tail_that_reaches_back_behind_the_break_is_refused():
    for window in stream():
        if window.last == 20:
            carry = window.carry
            break
    with pytest.raises(ValueError, match="the last window of the stream reaches back behind step 20"):
        next(stream(carry=carry))
    assert next(stream(carry=carry, tail="short")).last == T


class OnDisk:
    """A stream of which only slices are read."""

    def __init__(self, array):
        self.array, self.shape, self.read = array, array.shape, []

    def __len__(self):
        return len(self.array)

    def __getitem__(self, piece):
        self.read.append(len(self.array[piece]))
        return self.array[piece]


def test_a_stream_that_has_slices_is_read_by_slices():
    x, d = OnDisk(X), OnDisk(D)
    assert [w.loss for w in stream(x=x, d=d)] == [w.loss for w in stream()]
    assert max(x.read) <= 10
    assert len(x.read) == 5
