"""A pass has its numbers to itself: one that was interrupted, or whose memory was taken, answers with what to do."""

import gc
import weakref

import numpy as np
import pytest

import tinygrad_rnn as tg
from broken_off import interrupted
from canonical import problem


def network(**how):
    p = problem()
    return p, tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, **how)


def told_or_right(ask, right):
    """What is asked for is refused, or is the right number."""
    try:
        found = ask()
    except tg.TapeError:
        return
    np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-14)


def test_a_replay_that_is_broken_off_mixes_no_numbers():
    p, net = network()
    net.replay()
    net.backward()
    x, d = p.x + 1, np.roll(p.d, 1, axis=2)
    fresh = tg.unfold(p.cell, p.params, x, d, s0=p.s0)
    old = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    broken = 0
    for calls in range(1, 400, 7):
        if not interrupted(lambda: net.replay(x, d), calls):
            break
        broken += 1
        try:
            loss = net.loss
        except tg.TapeError:
            with pytest.raises(tg.TapeError):
                net.backward()
            with pytest.raises(tg.TapeError):
                net.grads["U"]
            with pytest.raises(tg.TapeError, match="gone"):
                net.states[3].value  # noqa: B018  reading it is the test
            with pytest.raises(tg.TapeError, match="gone"):
                net.replay()  # x and d may be half new
        else:  # before anything was changed
            assert min(abs(loss - old.loss), abs(loss - fresh.loss)) < 1e-12 * loss
        assert net.replay(x, d) == pytest.approx(fresh.loss, rel=1e-13)
        assert net.replay(p.x, p.d) == pytest.approx(old.loss, rel=1e-13)
    assert broken > 3


def test_a_backward_pass_that_is_broken_off_has_no_gradients():
    _, net = network()
    net.replay()
    net.backward()
    right = {name: g.copy() for name, g in net.grads.items()}
    broken = 0
    for calls in range(1, 200, 3):
        if not interrupted(net.backward, calls):
            break
        broken += 1
        for name, g in right.items():
            told_or_right(lambda name=name: net.grads[name], g)
            told_or_right(lambda name=name: net.weights[name].cotangent, g)
        net.backward()
        for name, g in right.items():
            np.testing.assert_allclose(net.grads[name], g, rtol=1e-13)
    assert broken > 3


def test_what_was_not_carried_is_refused():
    p, net = network()
    net.replay()
    net.carry(p.x + 1)
    fresh = tg.unfold(p.cell, p.params, p.x + 1, p.d, s0=p.s0)
    np.testing.assert_allclose(net.states[3].value, fresh.states[3].value, rtol=1e-13)
    np.testing.assert_array_equal(net.inputs[2].value, p.x[2] + 1)
    for node in (net.outputs[0], net.losses[2], net.cost, net.states[2].parents[0]):
        with pytest.raises(tg.TapeError, match="is gone: it was not computed"):
            node.value  # noqa: B018  reading it is the test
    assert net.replay() == pytest.approx(fresh.loss, rel=1e-13)  # the inputs are those that were carried over


@pytest.mark.parametrize("planned", [False, True])
def test_gradients_that_are_clipped_in_place_leave_what_is_shown(planned):
    _, net = network()
    if planned:
        net.replay()
    net.backward()
    for g in net.grads.values():
        np.clip(g, -1e-3, 1e-3, out=g)
    assert np.abs(net.grads["U"]).max() == 1e-3
    fresh = network()[1]
    fresh.backward()
    for name, leaf in net.weights.items():
        np.testing.assert_allclose(leaf.cotangent, fresh.grads[name], rtol=1e-12, atol=1e-14)
    assert net.check().ok
    assert tg.ledger(net, "U").columns() == tg.ledger(fresh, "U").columns()


def test_gradients_of_an_earlier_forward_pass_are_told_from_none():
    _, net = network()
    with pytest.raises(tg.TapeError, match="no gradients yet: call"):
        net.grads["U"]
    for _ in range(2):
        net.backward()
        net.replay()
        with pytest.raises(tg.TapeError, match=r"those of an earlier one belong .* call backward\(\) after replay"):
            net.grads["U"]


def test_gradients_kept_from_an_earlier_pass_are_right_or_refused():
    p, net = network()
    net.replay()
    net.backward()
    kept, right = net.grads, {name: np.array(net.weights[name].cotangent) for name in net.weights}
    read = kept["V"]
    net.replay(p.x + 1, p.d)
    net.backward()
    np.testing.assert_array_equal(read, right["V"])
    for name in net.weights:
        told_or_right(lambda name=name: kept[name], right[name])


def test_a_value_that_was_set_is_not_mixed_with_what_was_computed_from_the_old_one():
    _, net = network()
    old = net.states[3].value
    net.tape.set(net.inputs[0], net.inputs[0].value + 1)
    with pytest.raises(tg.TapeError, match="forward pass was left before it came so far"):
        net.states[3].value  # noqa: B018  reading it is the test
    for _ in net.tape.play():
        pass
    assert np.abs(net.states[3].value - old).max() > 1e-3


def test_a_node_needs_no_net_to_have_its_value():
    p = problem()
    value = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0).states[4].value
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    np.testing.assert_array_equal(value, net.states[4].value)


@pytest.mark.parametrize("planned", [False, True])
def test_a_training_loop_without_a_replay_is_told_so(planned):
    p, net = network()
    if planned:
        net.replay()
    net.backward()
    net.backward(of=2)  # the weights are as they were
    p.params["U"] -= 0.1 * net.grads["U"]
    assert net.stale == ("U",)
    with pytest.raises(tg.TapeError, match=r"U changed since the forward pass.* call replay\(\) before backward\(\)"):
        net.backward()
    with pytest.raises(tg.TapeError, match="U changed since the forward pass"):
        net.backward(later=np.zeros_like(p.s0))
    net.replay()
    net.backward()
    fresh = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    fresh.backward()
    np.testing.assert_allclose(net.grads["U"], fresh.grads["U"], rtol=1e-12)


@pytest.mark.parametrize(
    "doing",
    [
        lambda net: net.backward(),
        lambda net: net.replay(),
        lambda net: (net.replay(), net.backward(), net.grads["U"]),
        lambda net: (net.backward(), net.copies["U"]),
        lambda net: (net.replay(), net.backward(), net.copies["U"]),
        lambda net: list(net.steps()),
        lambda net: net.carry(net.inputs[0].value[None].repeat(5, 0)),
        lambda net: tg.influence(net, "U"),
        lambda net: (tg.cut(net, 2), net.backward()),
        lambda net: (net.replay(), net.check()),
    ],
)
def test_a_network_that_is_dropped_is_gone_without_the_collector(doing):
    _, net = network()
    gc.collect()
    gc.disable()
    try:
        doing(net)
        gone = weakref.ref(net), weakref.ref(net.tape)
        del net
        assert [each() for each in gone] == [None, None]
    finally:
        gc.enable()
