"""Series and sequences that are made: each by its definition, the same from the same seed, and fit for a network."""

import re

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.data.reber import LETTERS

TASKS = {
    "adding": lambda rng: tg.data.adding(20, 5, rng=rng),
    "temporal_order": lambda rng: tg.data.temporal_order(20, 5, rng=rng),
    "copy_memory": lambda rng: tg.data.copy_memory(4, 5, rng=rng, length=3),
    "parity": lambda rng: tg.data.parity(6, 5, rng=rng),
    "reber": lambda rng: tg.data.reber(5, rng=rng),
    "a Reber string alone": lambda rng: tg.data.reber(5, rng=rng, embedded=False, distinct=True),
}


# -- the equation of Mackey and Glass


def exactly(t):
    """The solution as long as t - tau is before the start."""
    c = 0.2 * 1.2 / (1 + 1.2**10)
    return c / 0.1 + (1.2 - c / 0.1) * np.exp(-0.1 * t)


def test_as_long_as_the_delay_the_solution_is_known_in_closed_form():
    x = tg.data.mackey_glass(18, drop=0)[:, 0]
    np.testing.assert_allclose(x, exactly(np.arange(18)), atol=3e-11)
    assert x[17] == pytest.approx(0.4919720967103561, abs=3e-11)


@pytest.mark.parametrize("t", [17, 34, 100])
def test_half_the_step_has_a_sixteenth_of_the_error(t):
    """Of a solver of order 4, beyond the delay too: of order 1, which the frozen delay is, it would have half."""
    best, coarse, fine = (tg.data.mackey_glass(t + 1, drop=0, h=h)[t, 0] for h in (0.0125, 0.5, 0.25))
    assert (coarse - best) / (fine - best) == pytest.approx(16, rel=0.2)


def test_the_series_has_the_values_that_others_have_found():
    x = tg.data.mackey_glass(301, drop=0, h=0.0125)[[34, 100, 200, 300], 0]
    np.testing.assert_allclose(x, [1.0323271883, 1.0137240165, 1.1867181071, 1.1525151000], atol=2e-9)
    x = tg.data.mackey_glass(9000)
    assert x.shape == (9000, 1)
    assert x.mean() == pytest.approx(0.930, abs=0.002)
    assert x.var() == pytest.approx(0.051, abs=0.001)
    assert x.min() == pytest.approx(0.417, abs=0.002)
    assert x.max() == pytest.approx(1.32, abs=0.005)


def test_at_rest_it_stays():
    np.testing.assert_array_equal(tg.data.mackey_glass(50, start=1.0, drop=0), 1)
    np.testing.assert_array_equal(tg.data.mackey_glass(50, start=0.0, drop=0), 0)


def test_what_is_dropped_and_passed_over_is_of_one_series():
    x = tg.data.mackey_glass(200, drop=0, every=0.5)
    np.testing.assert_array_equal(tg.data.mackey_glass(50, drop=50), x[100:200:2])


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"n": 0}, "n=0: it must be a whole number from 1 up"),
        ({"h": 0.3}, r"tau=17.0, h=0.3: tau must be a multiple"),
        ({"every": 0.25}, r"every=0.25, h=0.1: every must be a multiple"),
        ({"start": -1.0}, "start=-1.0: it must be 0 or more"),
        ({"gamma": 0.0}, "gamma=0.0: it must be above 0"),
        ({"gamma": 99.0}, "the solver leaves the solution; take a smaller one"),
        ({"n": 10**9}, "at most 10,000,000 are allowed"),
    ],
)
def test_constants_of_which_no_series_comes_are_refused(settings, why):
    with pytest.raises(ValueError, match=why):
        tg.data.mackey_glass(**{"n": 10, **settings})


# -- the tasks


@pytest.mark.parametrize("make", TASKS.values(), ids=TASKS)
def test_a_task_is_the_same_from_the_same_seed_and_goes_into_a_network(make):
    task, again, other = make(3), make(np.random.default_rng(3)), make(4)
    np.testing.assert_array_equal(task.x, again.x)
    np.testing.assert_array_equal(task.d, again.d)
    assert task.x.shape != other.x.shape or (task.x != other.x).any()
    cell = tg.cells.GRU(g=task.g)
    params = cell.init(task.x.shape[-1], 4, task.d.shape[-1], rng=0)
    net = tg.Network(cell, params, loss=task.loss)(**task.arguments)
    net.backward()
    assert np.isfinite(net.loss)
    assert tg.unfold(cell, params, loss=task.loss, **task.arguments).loss == pytest.approx(net.loss)


def test_adding_has_two_marks_and_their_sum_at_the_end():
    task = tg.data.adding(50, 20_000, rng=0)
    number, mark = task.x[..., 0], task.x[..., 1]
    assert (mark[:25].sum(0) == 1).all()
    assert (mark[25:].sum(0) == 1).all()
    np.testing.assert_allclose((number * mark).sum(0), task.d[-1, :, 0])
    assert ((number >= 0) & (number < 1)).all()
    assert ((task.d[-1] - 1) ** 2).mean() == pytest.approx(1 / 6, abs=0.004)  # of always saying 1
    assert (mark.sum(1) > 0).all()  # every place is marked now and then


def test_what_is_paid_for_is_what_a_network_pays_for():
    """The steps at which another target makes another cost."""
    strings = tg.data.reber(5, rng=0)
    x, d, mask = strings.x, strings.d, strings.mask
    cell = tg.cells.Guo(f="tanh", g="identity")
    params = cell.init(7, 3, 7, rng=0)
    for losses, of in (("last", mask), ("last", None), ([1, 3], mask), (range(2, 4), None), (None, mask), (None, None)):
        found = tg.data.Sequences(x, d, losses, of, g="identity", loss="squared_error")
        net = tg.unfold(cell, params, **found.arguments, loss="squared_error")
        cost, counts = net.loss, np.zeros(x.shape[:2], bool)
        for place in np.ndindex(counts.shape):
            other = d.copy()
            other[place] += 1
            counts[place] = net.replay(x, other) != cost
        np.testing.assert_array_equal(counts, found.paid > 0)
        assert found.variance == pytest.approx(((d[found.paid > 0] - d[found.paid > 0].mean(0)) ** 2).sum(1).mean())


def test_temporal_order_has_two_letters_among_others_and_their_order_as_class():
    task = tg.data.temporal_order(100, 2000, rng=0)
    strings = ["".join("EBabcdXY"[k] for k in row) for row in task.x.argmax(-1).T]
    for string, kind in zip(strings, task.d[-1].argmax(-1), strict=True):
        assert re.fullmatch(r"E[abcd]{9,18}[XY][abcd]{30,48}[XY][abcd]+B", string)
        found = [place for place, letter in enumerate(string) if letter in "XY"]
        assert (found[0] // 10, found[1] // 10) == (1, 5)
        assert ["XX", "XY", "YX", "YY"][kind] == string[found[0]] + string[found[1]]
    assert (np.bincount(task.d[-1].argmax(-1)) > 400).all()
    assert task.losses == "last"
    assert not task.d[:-1].any()


def test_copy_memory_says_at_the_end_what_it_read_at_the_beginning():
    T, task = 20, tg.data.copy_memory(20, 300, rng=0)
    read, said = task.x.argmax(-1), task.d.argmax(-1)
    assert read.shape == (40, 300)
    assert (read[:10] < 8).all()
    assert (read[10:29] == 8).all()
    assert (read[29] == 9).all()
    assert (read[30:] == 8).all()
    assert (said[: T + 10] == 8).all()
    np.testing.assert_array_equal(said[-10:], read[:10])


def test_parity_is_the_oddness_of_the_sum_so_far():
    task = tg.data.parity(9, 200, rng=0)
    np.testing.assert_array_equal(task.d[-1], np.bitwise_xor.reduce(task.x.astype(int), axis=0))
    np.testing.assert_array_equal(task.d[0], task.x[0])


# The grammar once more, as the arrows of Reber's figure between its nodes.
ARROWS = ["0 T 1", "0 P 2", "1 S 1", "1 X 3", "2 T 2", "2 V 4", "3 X 2", "3 S 5", "4 P 3", "4 V 5", "5 E 6"]


def follows(node):
    return {arrow[2]: int(arrow[4]) for arrow in ARROWS if int(arrow[0]) == node}


def strings_of(task):
    lengths = task.mask.sum(0).astype(int)
    for p, length in enumerate(lengths):
        first = LETTERS[task.x[0, p].argmax()]
        yield p, first + "".join(LETTERS[k] for k in task.d[:length, p].argmax(-1))


@pytest.mark.parametrize("embedded", [True, False])
def test_each_reber_string_is_of_the_grammar_and_all_that_could_follow_is_allowed(embedded):
    task = tg.data.reber(2000, rng=0, embedded=embedded)
    arrows = set()
    for p, string in strings_of(task):
        inner = string
        allowed = ["".join(LETTERS[k] for k in np.flatnonzero(row)) for row in task.allowed[: len(string) - 1, p]]
        if embedded:
            assert re.fullmatch(r"B([TP])B.*E\1E", string)
            assert [allowed[0], allowed[1], *allowed[-2:]] == ["TP", "B", string[1], "E"]
            inner, allowed = string[2:-2], allowed[2:-2]
        node = 0
        assert inner[0] == "B"
        for letter, letters in zip(inner[1:], allowed, strict=True):
            assert set(letters) == follows(node).keys()
            arrows.add((node, letter))
            node = follows(node)[letter]
        assert node == 6
        # What is read is what was to be told a step before, and behind the end there is nothing.
        np.testing.assert_array_equal(task.x[1 : len(string) - 1, p], task.d[: len(string) - 2, p])
        assert not task.x[len(string) - 1 :, p].any()
    assert len(arrows) == len(ARROWS)


def test_distinct_strings_are_so_and_too_many_are_refused():
    found = [string for _, string in strings_of(tg.data.reber(512, rng=0, distinct=True))]
    assert len(set(found)) == 512
    assert len({string for _, string in strings_of(tg.data.reber(512, rng=0))}) < 512


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: tg.data.adding(1, 5, rng=0), "T=1: it must be a whole number from 2 up"),
        (lambda: tg.data.temporal_order(9, 5, rng=0), "T=9: it must be a whole number from 10 up"),
        (lambda: tg.data.parity(9, 0, rng=0), "B=0: it must be a whole number from 1 up"),
        (lambda: tg.data.copy_memory(9, 1, rng=0, symbols=1), "symbols=1: it must be"),
        (lambda: tg.data.adding(10**6, 10**6, rng=0), "more than 16 GiB"),
        (lambda: tg.data.copy_memory(5, 5, rng=0, length=10**12), "more than 16 GiB"),
        (lambda: tg.data.reber(10**9, rng=0), "more than 16 GiB"),
    ],
)
def test_sizes_that_cannot_be_are_refused(call, why):
    with pytest.raises(ValueError, match=why):
        call()
