"""Every variant of truncation is a mask on the influence matrix; a stream's windows add up to the same gradients."""

import itertools
import re
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import problem
from tinygrad_rnn.through_time.truncation import STATES
from tinygrad_rnn.through_time.windows import LOSSES, TAILS, Windows

CELLS = [
    tg.cells.Guo(f="sigmoid"),
    tg.cells.LSTM(),
    tg.cells.Stacked(tg.cells.GRU(), tg.cells.LSTM(peepholes=True)),
]


@pytest.fixture(params=CELLS, ids=str)
def p(request):
    plain = problem(sizes=(7, 2, 3, 4, 6))
    cell = request.param
    if isinstance(cell, tg.cells.Guo):
        return plain._replace(cell=cell)
    params = {n: w + 0.3 for n, w in cell.init(3, 4, 6, rng=5).items()}
    return plain._replace(cell=cell, params=params, s0=None)


def gradient(p, **options):
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, **options)
    net.replay()
    net.backward()
    return net, dict(net.grads)


def total(windows):
    """The sum of the gradients of all windows; nobody changes the weights."""
    whole = {}
    for window in windows:
        whole = {name: whole.get(name, 0) + g for name, g in window.grads.items()}
    return whole


def assert_same(found, expected, atol=1e-12):
    assert list(found) == list(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-11, atol=atol, err_msg=name)


def differs(found, expected):
    return max(np.abs(found[name] - expected[name]).max() for name in expected) > 1e-6


# ---- masks


@pytest.mark.parametrize(("k1", "k2", "pairs"), [(12, 12, 78), (1, 12, 78), (1, 4, 42), (4, 4, 30), (4, 8, 62)])
def test_how_many_pairs_are_seen(k1, k2, pairs):
    assert tg.truncation_mask(12, k1=k1, k2=k2).sum() == pairs


@pytest.mark.parametrize(("k1", "k2", "steps"), [(7, 7, 7), (1, 7, 28), (1, 3, 18), (3, 3, 9), (2, 4, 14)])
def test_how_many_steps_are_gone_back(k1, k2, steps):
    windows = Windows(k1, k2)
    assert sum(min(last, windows.depth(new)) for ends, new in windows.over(7) for last in ends) == steps


@given(st.integers(1, 12), st.data())
def test_new_losses_are_counted_once_and_as_deep_as_promised(T, data):
    k2 = data.draw(st.integers(1, T))
    k1 = data.draw(st.integers(1, k2))
    mask = tg.truncation_mask(T, k1=k1, k2=k2)
    assert (mask.diagonal() == 1).all()
    assert mask.max() == 1
    assert not np.triu(mask, 1).any()
    for t, row in enumerate(mask, 1):
        assert min(t, k2 - k1 + 1) <= row.sum() <= k2


def test_the_mask_by_hand():
    assert tg.truncation_mask(5, k1=2, k2=3, losses="new").tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 1, 1, 1],
    ]
    assert tg.truncation_mask(5, k1=2, k2=3, losses="window", tail="drop").tolist() == [
        [1, 0, 0, 0, 0],
        [1, 2, 0, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0],
    ]
    assert tg.truncation_mask(5, k1=2, k2=3, losses="last", tail="short").tolist() == [
        [0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 0, 1, 1],
    ]


@pytest.mark.parametrize(
    ("T", "seen"), [(8, [(5, 4), (5, 5), (8, 7), (8, 8)]), (6, [(5, 4), (5, 5), (6, 6)])], ids=["longer", "shorter"]
)
def test_a_rest_longer_or_shorter_than_the_window_that_looks_at_it(T, seen):
    mask = tg.truncation_mask(T, k1=5, k2=2, losses="last", tail="short")
    assert [(t + 1, tau + 1) for t, tau in zip(*np.nonzero(mask), strict=True)] == seen


# ---- frozen weights: all windows in lock step, and one after the other


@pytest.mark.filterwarnings("ignore:k1=")
@pytest.mark.parametrize("losses", LOSSES)
@pytest.mark.parametrize("tail", TAILS)
def test_every_variant_is_its_mask_on_the_influence(p, losses, tail):
    net, _ = gradient(p)
    G = {name: tg.influence(net, name) for name in p.params}
    for k1, k2 in itertools.product((1, 2, 3, 5, 7), repeat=2):
        options = {"k1": k1, "k2": k2, "losses": losses, "tail": tail}
        mask = tg.truncation_mask(7, **options)
        expected = {name: np.tensordot(mask, g, ((0, 1), (0, 1))) for name, g in G.items()}
        assert_same(tg.truncated_gradient(net, **options), expected)


@pytest.mark.filterwarnings("ignore:k1=")
@pytest.mark.parametrize("states", STATES)
@pytest.mark.parametrize("losses", LOSSES)
def test_the_windows_of_a_stream_add_up_to_the_lock_step(p, losses, states):
    net, _ = gradient(p)
    for (k1, k2), tail in itertools.product([(1, 3), (2, 4), (3, 3), (3, 5), (4, 2), (7, 7), (5, 6)], TAILS):
        options = {"k1": k1, "k2": k2, "losses": losses, "tail": tail}
        windows = list(tg.truncated(p.cell, p.params, p.x, p.d, states=states, s0=p.s0, **options))
        assert_same(total(windows), tg.truncated_gradient(net, **options))
        mask = tg.truncation_mask(7, **options)
        costs = [float(c.value) for c in net.losses]
        assert sum(w.loss for w in windows) == pytest.approx(mask.diagonal() @ costs)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_sizes(data):
    sizes = tuple(data.draw(st.integers(1, high)) for high in (9, 3, 4, 5, 4))
    T = sizes[0]
    k2 = data.draw(st.integers(1, T))
    k1 = data.draw(st.integers(1, k2))
    options = {"k1": k1, "k2": k2, "losses": data.draw(st.sampled_from(list(LOSSES)))}
    p = problem(sizes=sizes, seed=data.draw(st.integers(0, 99)))
    net, _ = gradient(p)
    mask = tg.truncation_mask(T, **options)
    expected = {n: np.tensordot(mask, tg.influence(net, n), ((0, 1), (0, 1))) for n in p.params}
    assert_same(tg.truncated_gradient(net, **options), expected)
    assert_same(total(tg.truncated(p.cell, p.params, p.x, p.d, s0=p.s0, **options)), expected)


def test_whole_windows_are_full_backpropagation(p):
    net, full = gradient(p)
    assert_same(tg.truncated_gradient(net, k1=7, k2=7), full)
    for k1 in range(1, 8):
        assert_same(tg.truncated_gradient(net, k1=k1, k2=7), full)
        assert k1 == 7 or differs(tg.truncated_gradient(net, k1=k1, k2=max(k1, 2), losses="last"), full)


def test_the_last_loss_alone_is_guos_sum_with_one_copy_less():
    p = problem(sizes=(7, 2, 3, 4, 6))
    for k in range(1, 8):
        expected = [
            tg.guo.gradients_of_one_cost(p.params, p.x, p.d, p.s0, t, k - 1, f="tanh").grads for t in range(1, 8)
        ]
        windows = tg.truncated(p.cell, p.params, p.x, p.d, k1=1, k2=k, losses="last", s0=p.s0)
        for window, by_hand in zip(windows, expected, strict=True):
            assert_same(window.grads, {name: by_hand[name] for name in p.params})
        assert_same(
            total(tg.williams_peng(p.cell, p.params, p.x, p.d, h=k, s0=p.s0)),
            {name: sum(each[name] for each in expected) for name in p.params},
        )


def test_chunks_are_windows_without_overlap_and_a_rest_makes_the_difference(p):
    for k in range(1, 8):
        chunks, state = {}, p.s0
        for first in range(0, 7, k):
            net = tg.unfold(p.cell, p.params, p.x[first : first + k], p.d[first : first + k], s0=state)
            net.backward()
            chunks = {name: chunks.get(name, 0) + net.grads[name] for name in net.grads}
            last = net.states[-1]
            state = tuple(_numbers(s) for s in last) if isinstance(last, tuple) else last.value
        given = (p.cell, p.params, p.x, p.d)
        assert_same(total(tg.epochwise(*given, h=k, s0=p.s0)), chunks)
        assert_same(total(tg.williams_peng(*given, h=k, h_prime=k, tail="short", s0=p.s0)), chunks)
        flushed = total(tg.truncated(*given, k1=k, k2=k, s0=p.s0))
        if 7 % k:
            assert differs(flushed, chunks)
        else:
            assert_same(flushed, chunks)


def _numbers(state):
    return tuple(map(_numbers, state)) if isinstance(state, tuple) else state.value


def test_the_gradient_of_a_trained_initial_state():
    p = problem(sizes=(7, 2, 3, 4, 6))
    params = {**p.params, "start": p.s0[0]}
    net = tg.unfold(p.cell, params, p.x, p.d, s0="start")
    net.replay()
    net.backward()
    assert_same(tg.truncated_gradient(net, k1=2, k2=7), dict(net.grads))
    only_first = tg.unfold(p.cell, params, p.x, p.d, s0="start", losses=[1, 2])
    only_first.backward()
    np.testing.assert_allclose(tg.truncated_gradient(net, k1=2, k2=2)["start"], only_first.grads["start"])


@pytest.mark.parametrize("planned", [False, True])
def test_the_share_of_each_cost_is_the_networks(p, planned):
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, reduction="mean", losses=[2, 3, 6])
    if planned:
        net.replay()
    net.backward()
    assert_same(tg.truncated_gradient(net, k1=3, k2=7), dict(net.grads))
    mask = tg.truncation_mask(7, k1=1, k2=2) * np.isin(np.arange(1, 8), net.counted)[:, None] / 3
    expected = {name: np.tensordot(mask, tg.influence(net, name), ((0, 1), (0, 1))) for name in p.params}
    assert_same(tg.truncated_gradient(net, k1=1, k2=2), expected)


def test_the_mean_of_a_window_is_that_of_the_losses_it_counts(p):
    for losses, count in (("new", 2), ("window", 3), ("last", 1)):
        options = {"k1": 2, "k2": 3, "losses": losses, "tail": "drop", "s0": p.s0}
        sums = list(tg.truncated(p.cell, p.params, p.x, p.d, **options))
        means = list(tg.truncated(p.cell, p.params, p.x, p.d, reduction="mean", **options))
        counted = [2 if losses == "window" else count, count, count]  # the first window has two steps only
        for a, b, n in zip(sums, means, counted, strict=True):
            assert a.loss == pytest.approx(n * b.loss)
            assert_same({name: g / n for name, g in a.grads.items()}, dict(b.grads))


# ---- weights that change between the windows


def trained(p, windows):
    """What the windows say while their reader changes the parameters, in place and entry by entry."""
    said = []
    for k, window in enumerate(windows):
        said.append(window)
        for name in p.params:
            if k % 2:
                p.params[name] -= 0.1 * window.grads[name]
            else:
                p.params[name] = p.params[name] - 0.1 * window.grads[name]
    return said


def stretch(p, params, first, last, s0, losses):
    net = tg.unfold(p.cell, params, p.x[first - 1 : last], p.d[first - 1 : last], s0=s0, losses=losses)
    net.backward()
    return net


def fresh(p):
    return p._replace(params={name: w.copy() for name, w in p.params.items()})


def test_recomputed_states_are_those_of_the_weights_as_they_are():
    p, q = fresh(problem()), fresh(problem())
    windows = trained(p, tg.truncated(p.cell, p.params, p.x, p.d, k1=2, k2=3, states="recomputed", s0=p.s0))
    s0, spans = q.s0, [(1, 2, [1, 2]), (2, 4, [2, 3]), (3, 5, [3])]
    for k, (window, (first, last, losses)) in enumerate(zip(windows, spans, strict=True)):
        net = stretch(q, q.params, first, last, s0, losses)
        assert (window.first, window.last) == (first, last)
        assert window.loss == pytest.approx(net.loss)
        assert_same(window.grads, dict(net.grads))
        np.testing.assert_allclose(window.state, net.states[-1].value)
        s0 = net.states[1].value
        q.params.update({name: w - 0.1 * net.grads[name] for name, w in q.params.items()})
        assert_same(p.params, q.params) if k == 2 else None


def test_stored_states_are_those_of_the_weights_that_computed_them():
    p, q = fresh(problem()), fresh(problem())
    windows = trained(p, tg.truncated(p.cell, p.params, p.x, p.d, k1=2, k2=3, s0=p.s0))
    s = [q.s0]
    for window, (first, last, new) in zip(windows, [(1, 2, 2), (2, 4, 2), (3, 5, 1)], strict=True):
        played = tg.guo.forward(q.params, q.x[last - new : last], s[-1], f="tanh")
        s += list(played.s[1:])
        grads = {name: np.zeros_like(w) for name, w in q.params.items()}
        delta = np.zeros_like(q.s0)
        for t in range(last, first - 1, -1):
            error = np.zeros_like(q.d[0])
            if t > last - new:
                error = tg.guo.output_error(played.y[t - last - 1], q.d[t - 1])
                grads["W"] -= error.T @ s[t]
                grads["b_k"] -= error.sum(axis=0)
            # f'(net) of the value that was computed when step t was passed, the weights as they are now
            delta = (error @ q.params["W"] + delta @ q.params["U"]) * (1 - s[t] ** 2)
            grads["V"] -= delta.T @ q.x[t - 1]
            grads["U"] -= delta.T @ s[t - 1]
            grads["b_j"] -= delta.sum(axis=0)
        assert_same(window.grads, grads)
        q.params.update({name: w - 0.1 * grads[name] for name, w in q.params.items()})


@pytest.mark.parametrize(("k1", "k2"), [(1, 3), (2, 5)])
def test_stored_states_that_no_backward_pass_reads(k1, k2):
    def counter(params, x, s):
        s = s + tg.ops.tanh(tg.ops.linear(x, params["V"]))
        return s, tg.ops.softmax(s)

    rng = np.random.default_rng(0)
    params, x, s0 = {"V": rng.normal(size=(3, 2))}, rng.normal(size=(8, 2, 2)), rng.normal(size=(2, 3))
    given = counter, params, x, np.full((8, 2, 3), 1 / 3)
    stored, recomputed = (
        list(tg.truncated(*given, k1=k1, k2=k2, states=states, s0=s0)) for states in ("stored", "recomputed")
    )
    for ours, theirs in zip(stored, recomputed, strict=True):
        np.testing.assert_allclose(ours.state, theirs.state, rtol=1e-12)
        assert_same(ours.grads, theirs.grads)


def test_restarted_windows_begin_from_the_states_as_the_stream_passed_them():
    p, q = fresh(problem()), fresh(problem())
    windows = trained(p, tg.truncated(p.cell, p.params, p.x, p.d, k1=1, k2=3, states="restarted", s0=p.s0))
    passed = [q.s0]
    for last, window in enumerate(windows, 1):
        first = max(1, last - 2)
        net = stretch(q, q.params, first, last, passed[first - 1], [last - first + 1])
        assert (window.first, window.last) == (first, last)
        assert_same(window.grads, dict(net.grads))
        passed.append(net.states[-1].value)
        q.params.update({name: w - 0.1 * net.grads[name] for name, w in q.params.items()})


@pytest.mark.parametrize("k1", [1, 2, 3])
def test_more_steps_back_than_there_are_is_all_of_them(p, k1):
    net, _ = gradient(p)
    for losses in LOSSES:
        whole = tg.truncated_gradient(net, k1=k1, k2=7, losses=losses)
        assert_same(tg.truncated_gradient(net, k1=k1, k2=10, losses=losses), whole)
        assert_same(total(tg.truncated(p.cell, p.params, p.x, p.d, k1=k1, k2=10, losses=losses, s0=p.s0)), whole)


def test_stored_and_recomputed_states_differ_once_the_weights_change():
    found = []
    for states in ("stored", "recomputed", "restarted"):
        p = fresh(problem())
        found.append(trained(p, tg.truncated(p.cell, p.params, p.x, p.d, k1=1, k2=3, states=states, s0=p.s0)))
    assert_same(found[0][0].grads, dict(found[1][0].grads))
    assert differs(found[0][-1].grads, found[1][-1].grads)
    assert differs(found[0][-1].grads, found[2][-1].grads)
    assert differs(found[1][-1].grads, found[2][-1].grads)


def test_nothing_is_changed_and_a_stop_in_the_middle_leaves_all_as_it_is(p):
    before = {name: w.copy() for name, w in p.params.items()}
    windows = tg.truncated(p.cell, p.params, p.x, p.d, k1=2, k2=4)
    next(windows)
    with pytest.raises(KeyboardInterrupt):
        windows.throw(KeyboardInterrupt)
    assert_same(p.params, before, atol=0)
    assert all(w.flags.writeable for w in p.params.values())


# ---- pieces, and Wikipedia's loop


def test_pieces_that_know_nothing_of_each_other(p):
    _, full = gradient(p)
    given = (p.cell, p.params, p.x, p.d)
    assert_same(total(tg.naive_splitting(*given, k=7, s0=p.s0)), full)
    for k in (1, 2, 3, 6):
        pieces = list(tg.naive_splitting(*given, k=k, s0=p.s0))
        stateful = list(tg.epochwise(*given, h=k, s0=p.s0))
        assert [(w.first, w.last) for w in pieces] == [(w.first, w.last) for w in stateful]
        assert_same(pieces[0].grads, dict(stateful[0].grads))
        assert differs(total(pieces), total(stateful))
        assert pieces[1].loss != pytest.approx(stateful[1].loss)  # the forward pass is another one
    assert len(list(tg.naive_splitting(*given, k=3, tail="drop"))) == 2


def test_wikipedias_loop_mended_in_its_target(p):
    # Frozen weights: the windows of (1, k, last), but for those that are shorter at the beginning.
    for k in (1, 3, 7):
        given = (p.cell, p.params, p.x, p.d)
        windows = list(tg.wikipedia(*given, k=k, s0=p.s0))
        truncated = list(tg.truncated(*given, k1=1, k2=k, losses="last", s0=p.s0))[k - 1 :]
        assert [(w.first, w.last) for w in windows] == [(w.first, w.last) for w in truncated]
        for a, b in zip(windows, truncated, strict=True):
            assert_same(a.grads, dict(b.grads))


def test_wikipedias_loop_mended_in_its_range(p):
    windows = list(tg.wikipedia(p.cell, p.params, p.x, p.d, k=3, version="range", s0=p.s0))
    shifted = list(tg.wikipedia(p.cell, p.params, p.x[:-1], p.d[1:], k=3, s0=p.s0))
    assert [w.first for w in windows] == [w.first for w in shifted] == [1, 2, 3, 4]
    for a, b in zip(windows, shifted, strict=True):
        assert_same(a.grads, dict(b.grads))


def test_wikipedias_loop_as_published_reads_one_target_too_many(p):
    windows = tg.wikipedia(p.cell, p.params, p.x, p.d, k=3, version="published", s0=p.s0)
    with pytest.raises(IndexError, match=r"t = n - k = 4 .* y\[7\]; the targets are y\[0\], ..., y\[6\]"):
        list(windows)
    again = tg.wikipedia(p.cell, p.params, p.x, p.d, k=3, version="published", s0=p.s0)
    assert [next(again).first for _ in range(4)] == [1, 2, 3, 4]


def test_wikipedias_context_moves_on_with_the_new_weights():
    p, q = fresh(problem()), fresh(problem())
    windows = trained(p, tg.wikipedia(p.cell, p.params, p.x, p.d, k=2, s0=p.s0))
    context = q.s0
    for t, window in enumerate(windows, 1):
        net = stretch(q, q.params, t, t + 1, context, [2])
        assert_same(window.grads, dict(net.grads))
        q.params.update({name: w - 0.1 * net.grads[name] for name, w in q.params.items()})
        context = tg.guo.forward(q.params, q.x[t - 1 : t], context, f="tanh").s[1]


# ---- long streams


@pytest.mark.parametrize("states", STATES)
def test_memory_does_not_grow_with_the_stream(states):
    rng = np.random.default_rng(0)
    cell = tg.cells.Guo()
    params = cell.init(3, 4, 2, rng=0)

    def steps(n, width):
        return (rng.random((1, width)) for _ in range(n))

    windows = tg.truncated(cell, params, steps(20_000, 3), steps(20_000, 2), k1=50, k2=100, states=states)
    tracemalloc.start()
    for _ in range(100):
        next(windows)
    early = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    last = max(window.last for window in windows)
    late = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert last == 20_000
    assert late < 1.2 * early


# ---- what can be got wrong


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"k1": 0, "k2": 2}, ValueError, "k1=0: it is a number of time steps, an integer from 1 up"),
        ({"k1": 1, "k2": -3}, ValueError, "k2=-3"),
        ({"k1": 1.0, "k2": 2}, TypeError, "k1=1.0"),
        ({"k1": True, "k2": 2}, TypeError, "k1=True"),
        ({"k1": 1, "k2": "all"}, TypeError, "k2='all'"),
        ({"k1": 8, "k2": 8}, ValueError, "k1=8, and the stream has 7 time steps"),
        ({"k1": 2, "k2": 3, "losses": "block"}, ValueError, "losses='block': it is one of 'new': those of the steps"),
        ({"k1": 2, "k2": 3, "tail": "keep"}, ValueError, "tail='keep': it is one of 'flush'"),
        ({"k1": 2, "k2": 3, "states": "old"}, ValueError, "states='old': it is one of 'stored'"),
        ({"k1": 2, "k2": 3, "losses": [1]}, ValueError, r"losses=\[1\]: it is one of 'new'"),
        ({"k1": 2, "k2": 3, "states": ["stored"]}, ValueError, r"states=\['stored'\]: it is one of 'stored'"),
        ({"k1": 2, "k2": 3, "loss": "mse"}, ValueError, "loss='mse'"),
        ({"k1": 2, "k2": 3, "loss": None}, TypeError, "loss=None: it is one of cross_entropy"),
        ({"k1": 2, "k2": 3, "reduction": "average"}, ValueError, "reduction='average'"),
        ({"k1": 2, "k2": 3, "s0": "start"}, ValueError, "s0='start' names a parameter"),
        ({"k1": 2, "k2": 3, "x": np.zeros((0, 2, 3))}, ValueError, "the stream is empty"),
    ],
)
def test_what_is_wrong_is_said_at_once(p, options, error, said):
    given = {"x": p.x} | options
    with pytest.raises(error, match=said):
        tg.truncated(p.cell, p.params, d=p.d, **given)


def test_messages_call_things_by_their_names(p):
    given = (p.cell, p.params, p.x, p.d)
    with pytest.raises(ValueError, match="h=0: it is a number of time steps"):
        tg.williams_peng(*given, h=0)
    with pytest.raises(ValueError, match="h=8, and the stream has 7 time steps"):
        tg.epochwise(*given, h=8)
    with pytest.raises(TypeError, match="k='3'"):
        tg.wikipedia(*given, k="3")
    with pytest.raises(ValueError, match="k=9, and the stream has 7"):
        tg.naive_splitting(*given, k=9)
    with pytest.raises(ValueError, match="a piece does not reach back over another one"):
        tg.naive_splitting(*given, k=3, tail="flush")
    with pytest.raises(ValueError, match="version='new': it is one of 'target': the output"):
        tg.wikipedia(*given, k=3, version="new")
    with pytest.warns(UserWarning, match="h_prime=3 is more than h=2: 1 of every 3 losses"):
        tg.williams_peng(*given, h=2, h_prime=3)


def test_losses_that_get_no_gradient_are_named(p):
    with pytest.warns(UserWarning, match="k1=4 is more than k2=1: 3 of every 4 losses get no gradient at all"):
        tg.truncated(p.cell, p.params, p.x, p.d, k1=4, k2=1)
    with pytest.warns(UserWarning, match="not even for the weights of the output") as heard:
        tg.truncated_gradient(gradient(p)[0], k1=4, k2=1)
    with pytest.warns(UserWarning, match="h_prime=4 is more than h=1") as heard_too:
        tg.williams_peng(p.cell, p.params, p.x, p.d, h=1, h_prime=4)
    assert [w.filename for w in (*heard, *heard_too)] == [__file__] * 2  # the line that asked for it is named
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tg.truncated(p.cell, p.params, p.x, p.d, k1=4, k2=1, losses="last")  # which is what it says


def test_streams_that_end_too_early(p):
    with pytest.raises(ValueError, match="ended after 7 steps, before the first window of 9"):
        list(tg.truncated(p.cell, p.params, iter(p.x), iter(p.d), k1=9, k2=9, tail="drop"))
    (window,) = tg.truncated(p.cell, p.params, iter(p.x), iter(p.d), k1=9, k2=9, s0=p.s0)
    assert_same(window.grads, gradient(p)[1])
    with pytest.raises(ValueError, match="the stream is empty"):
        list(tg.truncated(p.cell, p.params, iter(()), iter(()), k1=1, k2=2))
    with pytest.raises(ValueError, match="d has ended after t=6"):
        list(tg.truncated(p.cell, p.params, p.x, p.d[:-1], k1=2, k2=2))
    for version in ("target", "published"):
        with pytest.raises(ValueError, match="the first window needs"):
            list(tg.wikipedia(p.cell, p.params, iter(p.x), iter(p.d), k=9, version=version))


def test_a_cell_whose_steps_differ():
    calls = []

    def cell(params, x, s):
        calls.append(1)
        s = tg.ops.tanh(tg.ops.linear(x, params["V"], s, params["U"]))
        return (s if len(calls) % 2 else tg.ops.tanh(s)), s

    p = problem()
    params = {name: p.params[name] for name in "VU"}
    d = np.zeros((5, 2, 4))
    options = {"k1": 2, "k2": 4, "loss": "squared_error", "s0": p.s0}
    with pytest.raises(ValueError, match="cannot be folded"):
        tg.truncated_gradient(tg.unfold(cell, params, p.x, d, loss="squared_error", s0=p.s0), k1=1, k2=2)
    with pytest.raises(ValueError, match="Choose states='recomputed'"):
        list(tg.truncated(cell, params, p.x, d, **options))
    assert len(list(tg.truncated(cell, params, p.x, d, states="recomputed", **options))) == 3


@pytest.mark.parametrize("T", [0, -1, 1.5, "a", True])
def test_a_mask_over_no_number_of_steps(T):
    with pytest.raises(ValueError, match=f"T={T!r}: the number of time steps is an integer from 1 up"):
        tg.truncation_mask(T, k1=1, k2=1)


@pytest.mark.parametrize(
    "method",
    [
        lambda *given: tg.truncated(*given, k1=1, k2=3),
        lambda *given: tg.truncated(*given, k1=1, k2=3, states="recomputed"),
        lambda *given: tg.naive_splitting(*given, k=2),
        lambda *given: tg.wikipedia(*given, k=2),
    ],
)
@pytest.mark.parametrize(
    ("change", "said"),
    [({"Z": np.zeros(2)}, "Z has become (2,)"), ({"U": np.zeros((9, 9))}, "U has become (9, 9)"), (None, "U is gone")],
)
def test_weights_that_change_their_names_or_shapes_on_the_way(method, change, said):
    p = problem()
    params = dict(p.params)
    windows = method(p.cell, params, p.x, p.d)
    next(windows)
    if change is None:
        del params["U"]
    else:
        params.update(change)
    with pytest.raises(tg.ShapeError, match="between two windows the parameter " + re.escape(said)):
        next(windows)
