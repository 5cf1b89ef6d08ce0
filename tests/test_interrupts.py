"""Ctrl-C at sixty moments of a call: every number that can be read afterwards is of one complete pass, or is refused.

The moments are drawn from all lines of the package that the call runs, and all calls it makes.
"""

import numpy as np
import pytest

import tinygrad_rnn as tg
from broken_off import Breaker, moments
from canonical import problem

# Where Python clears a generator away it raises nothing: the call goes on then.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

p = problem()
OTHER = {name: w * 1.1 for name, w in p.params.items()}
NEW = p.x + 1, np.roll(p.d, 1, axis=2)
COUNT = 60


def network(params, x, d):
    net = tg.unfold(p.cell, {name: w.copy() for name, w in params.items()}, x, d, s0=p.s0)
    net.replay()
    return net


def asked(ask):
    """What is answered, or None if it is refused."""
    try:
        found = ask()
    except tg.TapeError:
        return None
    return np.zeros(()) if found is None else np.array(found)


def numbers(net):
    """All that can be read: the loss, every value, the gradients, those of the copies, every cotangent."""
    found = {"loss": asked(lambda: net.loss)}
    for node in net.tape.nodes:
        found[f"value {node.index}"] = asked(lambda node=node: node.value)
        found[f"cotangent {node.index}"] = asked(lambda node=node: node.cotangent)
    for name in net.weights:
        found[f"grads {name}"] = asked(lambda name=name: net.grads[name])
        found[f"copies {name}"] = asked(lambda name=name: net.copies[name])
    return found


def same(a, b):
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-11, atol=1e-13)


def of_one_pass(found, passes):
    """Whether all that is not refused is of one of some complete passes; what came back may also be there no more."""

    def fits(wanted):
        return all(
            v is None or (where.startswith("cotangent") and not v.any()) or same(v, wanted[where])
            for where, v in found.items()
            if wanted[where] is not None
        ) and not any(found[where] is not None for where, w in wanted.items() if w is None)

    return any(map(fits, passes))


def test_a_replay():
    old, between, new = network(p.params, p.x, p.d), network(OTHER, p.x, p.d), network(OTHER, *NEW)
    went_back = network(p.params, p.x, p.d)
    went_back.backward()
    passes = [numbers(net) for net in (went_back, old, between, new)]
    new.backward()
    right = new.grads

    net = network(p.params, p.x, p.d)

    def begin():
        for name, w in net.params.items():
            w[...] = p.params[name]
        net.replay(p.x, p.d)
        net.backward()
        for name, w in net.params.items():
            w[...] = OTHER[name]

    refused = 0
    begin()
    for at in moments(lambda: net.replay(*NEW), COUNT):
        begin()
        Breaker(at)(lambda: net.replay(*NEW))
        found = numbers(net)
        refused += found["loss"] is None
        assert of_one_pass(found, passes), at
        assert net.replay(*NEW) == pytest.approx(new.loss, rel=1e-13)
        net.backward()
        assert all(same(net.grads[name], g) for name, g in right.items())
    assert refused > 10


def test_a_first_replay_that_makes_the_plan():
    new = network(p.params, *NEW)

    def started():
        return tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)

    passes = [numbers(net) for net in (started(), network(p.params, p.x, p.d), new)]
    for at in moments(lambda: started().replay(*NEW), COUNT, lines=False):
        net = started()
        Breaker(at, lines=False)(lambda net=net: net.replay(*NEW))
        assert of_one_pass(numbers(net), passes), at
        assert net.replay(*NEW) == pytest.approx(new.loss, rel=1e-13)


@pytest.mark.parametrize("planned", [True, False])
def test_a_backward_pass(planned):
    def started(*of):
        net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
        if planned:
            net.replay()
        for t in of:
            net.backward(t)
        return net

    passes = [numbers(started(*of)) for of in ((), (2,), (None,))]
    right = started(None).grads
    counted = started(2)
    for at in moments(counted.backward, COUNT):
        net = started(2)
        Breaker(at)(net.backward)
        found = numbers(net)
        if found["grads U"] is None:  # then what has come back so far is some of it, as when steps are left
            found = {where: v for where, v in found.items() if not where.startswith("cotangent")}
        assert of_one_pass(found, passes), at
        net.backward()
        for name, g in right.items():
            assert same(net.grads[name], g)


def test_truncated_windows():
    def windows(params):
        return tg.truncated(p.cell, params, p.x, p.d, k1=1, k2=3, s0=p.s0)

    def kept(window):
        return window, {name: g.copy() for name, g in window.grads.items()}, window.loss, np.array(window.state)

    right = [kept(window) for window in windows(p.params)]
    for at in moments(lambda: list(windows(p.params)), COUNT, lines=False):
        params, yielded = {name: w.copy() for name, w in p.params.items()}, []

        def run(params=params, yielded=yielded):
            for window in windows(params):
                yielded.append(kept(window))

        Breaker(at, lines=False)(run)
        for (window, grads, loss, state), (_, *wanted) in zip(yielded, right, strict=False):
            assert (window.loss, loss) == (wanted[1], wanted[1])
            assert all(same(window.grads[name], g) and same(grads[name], g) for name, g in wanted[0].items())
            assert same(window.state, state)
            assert same(state, wanted[2])
        assert all(np.array_equal(w, p.params[name]) for name, w in params.items())
    assert len(right) > 3


@pytest.mark.parametrize("how", [{"every": 2}, {"every": 1, "memory": 2}])
def test_a_checkpointed_pass(how):
    right = tg.checkpointed(p.cell, p.params, p.x, p.d, s0=p.s0, **how)
    other = tg.checkpointed(p.cell, p.params, *NEW, s0=p.s0, **how)

    def started():
        given = tg.Checkpoints(p.cell, p.params, **how)
        given(*NEW, s0=p.s0)
        return given

    counted = started()
    for at in moments(lambda: counted(p.x, p.d, s0=p.s0), COUNT):
        given = started()
        Breaker(at)(lambda given=given: given(p.x, p.d, s0=p.s0))
        for found, wanted in ((given(*NEW, s0=p.s0), other), (given(p.x, p.d, s0=p.s0), right)):
            assert found.loss == wanted.loss
            assert all(np.array_equal(found.grads[name], g) for name, g in wanted.grads.items())


@pytest.mark.parametrize(
    "make",
    [
        lambda: tg.train.SGD(0.1, mu=0.5),
        lambda: tg.train.Adam(0.1),
        lambda: tg.train.AdamW(0.1),
        lambda: tg.train.RMSprop(0.1),
        lambda: tg.train.Adagrad(0.1),
    ],
)
def test_an_optimisers_step(make):
    grads = network(p.params, p.x, p.d)
    grads.backward()

    def started():
        params, optimiser = {name: w.copy() for name, w in p.params.items()}, make()
        optimiser.step(params, grads.grads)
        return params, optimiser

    def both(params, optimiser):
        return [*params.values(), *optimiser.state().values()]

    before, (params, optimiser) = both(*started()), started()
    optimiser.step(params, grads.grads)
    after = both(params, optimiser)
    counted = started()
    for at in moments(lambda: counted[1].step(counted[0], grads.grads), COUNT):
        params, optimiser = started()
        Breaker(at)(lambda o=optimiser, w=params: o.step(w, grads.grads))
        found = both(params, optimiser)
        assert any(all(map(np.array_equal, found, wanted)) for wanted in (before, after)), at
