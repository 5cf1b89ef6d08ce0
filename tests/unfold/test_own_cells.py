"""A replay is a fresh recording, for cells that nobody wrote: every value, every cotangent, and the gradients.

How far two arrays are from each other is their largest difference by the largest entry of the fresh one. In double
precision that is 1e-13 at most, and in single precision so many units in the last place. What cancels, such as the
error of a sum that is always 1, has no such digits: it may differ by some times of what it moves by when the data and
the weights change in their last digit.

The environment variable TINYGRAD_RNN_EXAMPLES says how many cells are drawn; `nox -s fuzz` draws thousands.
"""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
import untied
from own_cells import EVERY, KINDS, LINES, Case, Cell, Options, cells, numbers_of, options
from tinygrad_rnn.replay import buffers
from tinygrad_rnn.unfold.structure import flatten

EXAMPLES = int(os.environ.get("TINYGRAD_RNN_EXAMPLES", "25"))
drawn = settings(
    max_examples=EXAMPLES,
    derandomize="TINYGRAD_RNN_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
UNITS = 1e-13 / np.finfo(np.float64).eps
NO_PLAN = (
    "a part of the state is the same at every step",
    "is computed by another op, or has another shape",  # untied weights are read at other places at other times
)


def played(case, given, on=None):
    """A network on these data, after both passes: recorded afresh, or another one replayed."""
    x, d, mask, s0, later = given
    net = on
    if net is None:
        net = case.unfold(x, d, mask, s0)
    else:
        net.replay(x, d, s0=case.nested(s0), **({} if mask is None else {"mask": mask}))
    if net.cuts != case.how.cuts:
        tg.cut(net, *case.how.cuts)
    net.backward(later=case.nested(later))
    return net


def apart(found, expected):
    """The largest difference of two arrays, and the largest entry of the second one; None is zeros."""
    a, b = (np.zeros(()) if v is None else v for v in (found, expected))
    assert found is None or expected is None or a.shape == b.shape
    return np.abs(a - b).max(initial=0.0), np.abs(b).max(initial=0.0)


def moved_by_last_digits(case, given, expected):
    """How far each array moves when every number that comes in changes in its last digit."""
    rng, (x, d, mask, s0, later) = np.random.default_rng(0), given
    held = {name: w.copy() for name, w in case.params.items()}
    found = dict.fromkeys(expected, 0.0)

    def nudged(a):
        return a * (1 + np.finfo(a.dtype).eps * rng.choice([-1, 1], a.shape)).astype(a.dtype)

    for _ in range(4):
        for w in case.params.values():
            w[...] = nudged(w)
        net = played(case, (nudged(x), d, mask, [s if s is None else nudged(s) for s in s0], later))
        for where, v in numbers_of(net).items():
            found[where] = max(found[where], apart(v, expected[where])[0])
        for name, w in held.items():
            case.params[name][...] = w
    return found


def assert_the_same(net, case, given):
    """The network that was replayed has the numbers of one that is recorded afresh."""
    found, expected = numbers_of(net), numbers_of(played(case, given))
    if not all(np.isfinite(v).all() for v in expected.values() if v is not None):
        return
    tolerance = UNITS * np.finfo(case.dtype).eps
    far = {where: apart(found[where], v) for where, v in expected.items()}
    far = {where: (d, largest) for where, (d, largest) in far.items() if d > tolerance * largest}
    if far:
        moves = moved_by_last_digits(case, given, expected)
        far = {where: (d, largest, moves[where]) for where, (d, largest) in far.items() if d > 64 * moves[where]}
    assert not far, "\n".join(
        f"{where}: {d:.1e} of {largest:.1e}, moves by {m:.1e}" for where, (d, largest, m) in far.items()
    )


def replays_are_fresh_recordings(cell, how):
    case = Case(cell, how)
    net = case.unfold(*case.data()[:4])
    if how.cut_first:
        tg.cut(net, *how.cuts)
    case.change_weights()
    for _ in range(2):  # nothing of one replay is left in the next
        given = case.data()
        played(case, given, net)
        assert_the_same(net, case, given)
        case.change_weights()
    if net.schedule.startswith("no plan"):
        assert any(reason in net.schedule for reason in NO_PLAN), net.schedule


@drawn
@given(cell=cells(), how=options(), group=st.sampled_from([0, buffers.AT_ONCE]))
def test_a_replay_is_a_fresh_recording(cell, how, group):
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(buffers, "AT_ONCE", group)  # 0: of 35 steps sixteen are played at once
        replays_are_fresh_recordings(cell, how)


PLAIN = Options(4, 2, 0, False, False, "sum", (), 0, "needed", (), False, False, False)


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("line", EVERY)
def test_every_line_of_the_grammar(line, samples):
    cell = Cell(((line, 0, 1, 2), (line, 1, 0, 2)), (("M", "new", 0), ("M", "new", 1)), "flat", ("softmax", 0))
    replays_are_fresh_recordings(cell, Options(**vars(PLAIN) | {"samples": samples}))


def test_every_kind_of_part():
    for kind in dict.fromkeys(KINDS):
        parts = (("M", kind, 0), ("M", "new", 0), ("L", kind, 0), ("O", kind, 1))
        for output in ("softmax", "state"):
            replays_are_fresh_recordings(Cell((("product", 0, 1, 2),), parts, "left", (output, 0)), PLAIN)


# ---- a second engine


COSTS = {"softmax": untied.cross_entropy, "sigmoid": untied.bernoulli}


@drawn
@given(cell=cells(lines=tuple(LINES)), how=options())
def test_gradients_against_a_complex_step_of_the_cell_on_plain_arrays(cell, how):
    how = Options(**vars(how) | {
        "steps": min(how.steps, 5), "single": False, "reduction": "sum", "losses": (), "cuts": (), "later": False,
        "untied": False, "trained": 0,
    })  # fmt: skip
    with np.errstate(all="ignore"):
        case = Case(cell, how)
        x, d, mask, s0, _ = given = case.data()
        net = case.unfold(*given[:4])
        net.replay()
        net.backward()
        cost = COSTS.get(cell.output[0], untied.squared_error)
        rng = np.random.default_rng(0)

        def slope(name, way, part=None, factor=1.0):
            """Of the cost, if one weight or one part of s(0) moves along a way; all weights times a factor near 1."""
            weights = {n: w * factor + 1e-40j * (way if n == name else 0) for n, w in case.params.items()}
            start = [s + 1e-40j * (way if k == part else 0) for k, s in enumerate(s0)]
            paid = untied.costs(case.cell, [weights] * how.steps, x, d, case.nested(start), cost, mask)
            return sum(paid).imag / 1e-40

        pairs = [(net.grads[name], name, None) for name in case.params]
        pairs += [(s.cotangent, None, k) for k, s in enumerate(flatten(net.states[0]))]
        for found, name, part in pairs:
            g = np.zeros(()) if found is None else np.asarray(found)
            way = rng.choice([-1.0, 1.0], (case.params[name] if part is None else s0[part]).shape)
            expected = slope(name, way, part)
            assume(np.isfinite(expected) and np.abs(g).max(initial=0.0) < 1e6)
            difference = abs((g * way).sum() - expected)
            if difference > 1e-11 * max(np.abs(g).sum(), 1e-3):  # what cancels has no such digits
                nudged = (slope(name, way, part, 1 + k * np.finfo(float).eps) for k in (-2, -1, 1, 2))
                assert difference <= 64 * max(abs(each - expected) for each in nudged), (name, part)
