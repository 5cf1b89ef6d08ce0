"""Whatever is asked of a network, in whatever order: each number is that of a fresh recording, or is refused."""

import os
import traceback
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

import tinygrad_rnn as tg
from broken_off import interrupted
from lag_nets import LAGS, narx, twice
from tinygrad_rnn.unfold.structure import flatten, rebuild

EXAMPLES = int(os.environ.get("TINYGRAD_RNN_EXAMPLES", "15"))
T, L, M, O = 4, 2, 3, 4
OURS = (tg.TapeError, tg.ShapeError, ValueError)
seeds = st.integers(0, 10**6)
times = st.integers(1, T)
calls = st.integers(1, 120)


def lag(make):
    net = next(each for each in LAGS if each.make is make and each.k == 2)
    rng = np.random.default_rng(0)
    return net.cell(tg.ops), {n: 0.8 * rng.normal(size=shape) for n, shape in net.params.items()}, net.structure


def layer(cell, structure):
    params = cell.init(L, M, O, rng=0)
    return cell, {name: w + 0.1 for name, w in params.items()}, structure


NETS = {
    "guo": (*layer(tg.cells.Guo(), M), {}),
    "lstm": (*layer(tg.cells.LSTM(peepholes=True), (M, M)), {"samples": 1, "reduction": "mean"}),
    "gru, masked": (*layer(tg.cells.GRU(), M), {"masked": True, "losses": [2, 4]}),
    "trained": (*layer(tg.cells.LSTM(), (M, M)), {"trained": True}),
    "narx": (*lag(narx), {"keep": "all"}),
    "twice": (*lag(twice), {"samples": 1}),
}


@dataclass(frozen=True, eq=False)
class Given:
    """What a forward pass was made of."""

    params: Any
    x: Any
    d: Any
    mask: Any
    s0: Any


class AnyOrder(RuleBasedStateMachine):
    """A network, and what it was given: `given` are the passes that the last one may have been, mostly one."""

    @initialize(kind=st.sampled_from(list(NETS)), seed=seeds)
    def unfold(self, kind, seed):
        cell, params, self.structure, how = NETS[kind]
        self.cell, self.samples = cell, how.get("samples", 2)
        self.masked, self.trained = how.get("masked", False), how.get("trained", False)
        self.options = {k: how[k] for k in ("reduction", "losses", "keep") if k in how}
        self.params = {name: w.copy() for name, w in params.items()}
        if self.trained:
            self.params["h"] = np.full(M, 0.3)
        x, d, mask = self.data(seed)
        self.given = [Given(self.weights(), x, d, mask, self.state(seed))]
        self.net = self.recorded(self.given[0], self.params)
        self.cuts = ()
        self.back = None  # of the last backward pass: how it was called, once it is sure that it came to its end
        self.whole = True  # whether the last forward pass came to its end, with all its numbers
        self.kept = []  # gradients held since an earlier pass, and what they were
        self.fresh = {}

    # ---- what is right

    def data(self, seed):
        rng = np.random.default_rng(seed)
        x, d = rng.normal(size=(T, self.samples, L)), rng.dirichlet(np.ones(O), size=(T, self.samples))
        return x, d, np.arange(T)[:, None] < rng.integers(2, T + 1, self.samples) if self.masked else None

    def state(self, seed):
        rng = np.random.default_rng(seed + 1)
        parts = [rng.normal(size=(self.samples, m)) for m in flatten(self.structure)]
        if self.trained:
            parts[0] = "h"
        return rebuild(self.structure, parts)

    def weights(self):
        return {name: w.copy() for name, w in self.params.items()}

    def recorded(self, given, params=None):
        return tg.unfold(
            self.cell, params or given.params, given.x, given.d, s0=given.s0, mask=given.mask, **self.options
        )

    def right(self, given, back=None, cuts=()):
        """A fresh network with these numbers; after a backward pass, if one is meant."""
        key = id(given), repr(back), cuts
        if key not in self.fresh:
            net = self.recorded(given)
            tg.cut(net, *cuts)
            if back is not None:
                net.backward(of=back.get("of"), later=self.later(back.get("later")))
            self.fresh[key] = net, given
        return self.fresh[key][0]

    def later(self, seed):
        if seed is None:
            return None
        rng = np.random.default_rng(seed)
        return rebuild(self.structure, [rng.normal(size=(self.samples, m)) for m in flatten(self.structure)])

    # ---- asking

    def told(self, ask):
        """What is asked for, or None if it is refused: by us, and in our words."""
        try:
            return ask()
        except OURS as error:
            raised = traceback.extract_tb(error.__traceback__)[-1].filename
            if "tinygrad_rnn" not in raised or not str(error):
                raise
            return None

    def same(self, found, wanted, sure, what):
        """What was found is one of those that are right; None, if it may be refused."""
        if found is None and not sure:
            return
        assert found is not None, f"{what} is refused"
        far = [np.abs(np.asarray(found) - w).max(initial=0) / max(np.abs(w).max(initial=0), 1e-9) for w in wanted]
        assert min(far) < 1e-10, (what, far)

    def read(self, sure_back=True):
        """Ask for everything, and hold it against fresh recordings."""
        fresh = [self.right(g) for g in self.given]
        loss = self.told(lambda: self.net.loss)
        self.same(loss, [f.loss for f in fresh], self.whole, "the loss")
        if loss is not None and len(fresh) > 1:  # it is known now which pass it is
            self.given = [g for g, f in zip(self.given, fresh, strict=True) if abs(f.loss - loss) < 1e-9 * abs(loss)]
            fresh = [self.right(g) for g in self.given]
        nodes = self.net.tape.nodes[: self.net._size]
        for node in nodes[:: max(1, len(nodes) // 25)]:
            value = self.told(lambda node=node: np.array(node.value))
            self.same(value, [f.tape[node.index].value for f in fresh], self.whole, f"the value of {node}")
        if self.back is None:
            for ask in (lambda: self.net.grads["W"], lambda: self.net.copies["W"]):
                found = self.told(ask)
                assert found is None, "gradients of no pass"
            return
        fresh = [self.right(g, self.back, self.cuts) for g in self.given]
        sure = self.whole and sure_back
        for name in self.params:
            self.same(self.told(lambda name=name: self.net.grads[name]), [f.grads[name] for f in fresh], sure, name)
        for name in self.params.keys() - {"h"}:
            self.same(self.told(lambda name=name: self.net.copies[name]), [f.copies[name] for f in fresh], sure, name)
        for node in nodes[:: max(1, len(nodes) // 25)]:
            wanted = [f.tape[node.index].cotangent for f in fresh]
            wanted = [np.zeros(node.shape) if w is None else np.asarray(w) for w in wanted]
            found = self.told(lambda node=node: self.zeros_if_none(node))
            self.same(found, wanted, sure, f"the cotangent of {node}")

    def zeros_if_none(self, node):
        return np.zeros(node.shape) if node.cotangent is None else np.asarray(node.cotangent)

    def begun(self, given):
        """A forward pass was begun: what came back before it is no more."""
        self.given, self.back, self.whole = given, None, True

    # ---- forward passes

    @rule(seed=st.none() | seeds, start=st.none() | seeds)
    def replay(self, seed, start):
        given = self.next(seed, start)
        done = self.told(lambda: self.net.replay(**self.arguments(seed, start)))
        if done is None:
            assert not self.whole or len(self.given) > 1, "a replay is refused"
            assert seed is None or start is None or self.trained
            return
        self.begun(given)
        self.read()

    def next(self, seed, start):
        """What the next pass may be made of."""
        given = [replace(g, params=self.weights()) for g in self.given]
        if seed is not None:
            x, d, mask = self.data(seed)
            given = [replace(g, x=x, d=d, mask=mask) for g in given]
        if start is not None:
            given = [replace(g, s0=self.state(start)) for g in given]
        return given

    def arguments(self, seed, start):
        found = {}
        if seed is not None:
            x, d, mask = self.data(seed)
            found = {"x": x, "d": d} | ({} if mask is None else {"mask": mask})
        if start is not None:
            parts = [None if isinstance(s, str) else s for s in flatten(self.state(start))]
            found["s0"] = rebuild(self.structure, parts)
        return found

    @rule(seed=seeds, wrong=st.sampled_from(["x", "d", "dtype", "s0", "mask", "params", "gone", "nan mask"]))
    def replay_with_something_wrong(self, seed, wrong):
        x, d, _ = self.data(seed)
        held, w = dict(self.params), self.params["W"]
        ask = {
            "x": {"x": x[:, :, :1]},
            "d": {"d": d[:-1]},
            "dtype": {"x": x.astype("f")},
            "s0": {"s0": (np.zeros((1, 1)),) * 7},
            "mask": {"x": x, "d": d, "mask": np.ones((T + 1, self.samples))},
            "nan mask": {"x": x, "d": d, "mask": np.full((T, self.samples), np.nan)},
        }.get(wrong, {})
        if wrong == "params":
            self.params["W"] = w[:, :-1]
        if wrong == "gone":
            del self.params["W"]
        try:
            refused = self.told(lambda: self.net.replay(**ask)) is None
        except KeyError as error:
            refused = wrong == "gone" and "tinygrad_rnn" in traceback.extract_tb(error.__traceback__)[-1].filename
        self.params.clear()
        self.params.update(held)
        assert refused
        self.read()

    # What the last pass may have been is three times as much after each: a dozen in a row would never end.
    @precondition(lambda self: len(self.given) <= 9)
    @rule(seed=seeds, start=st.none() | seeds, at=calls)
    def replay_that_is_interrupted(self, seed, start, at):
        old, new = self.given, self.next(seed, start)
        # The weights may be new, and the data old.
        between = self.next(None, None)
        if interrupted(lambda: self.net.replay(**self.arguments(seed, start)), at):
            changed = self.told(lambda: self.net.loss) is None
            self.given = [*old, *between, *new]
            self.whole = False
            self.back = self.back if not changed else None
            if self.net.tape.cotangents is None:
                self.back = None
        else:
            self.begun(new)
        self.read(sure_back=False)

    @rule(seed=seeds)
    def change_weights(self, seed):
        rng = np.random.default_rng(seed)
        for w in self.params.values():
            w[...] = 0.8 * rng.normal(size=w.shape)
        self.read()

    @rule(seed=st.none() | seeds, start=st.none() | seeds)
    def carry(self, seed, start):
        arguments = self.arguments(seed, start)
        for name in ("d", "mask"):
            arguments.pop(name, None)
        old = self.given
        given = [replace(g, params=self.weights()) for g in old]
        if seed is not None:
            given = [replace(g, x=self.data(seed)[0]) for g in given]
        if start is not None:
            given = [replace(g, s0=self.state(start)) for g in given]
        done = self.told(lambda: self.net.carry(**arguments))
        if done is None:
            assert not self.whole or len(self.given) > 1
            return
        self.begun(given)
        self.whole = False
        for k, part in enumerate(flatten(done)):
            self.same(part, [flatten(self.right(g).states[-1])[k].value for g in given], True, "the state carried over")
        self.read()

    @precondition(lambda self: not self.masked and not self.trained and len(self.given) == 1 and self.whole)
    @rule(seed=seeds, new=st.integers(1, T))
    def follow(self, seed, new):
        (old,) = self.given
        x, d, _ = self.data(seed)
        x, d = x[:new], d[:new]
        states = [np.array(s.value) for s in flatten(self.net.states[new])]
        changed = bool(self.net.stale)
        if self.told(lambda: self.net.follow(self.net, x, d)) is None:
            return
        now = Given(
            self.weights(),
            np.concatenate([old.x[new:], x]),
            np.concatenate([old.d[new:], d]),
            None,
            rebuild(self.structure, states),
        )
        if changed and new < T:
            # The steps that stay were computed with other weights; the loss of a fresh network is another one.
            kept = [s.value for s in flatten(self.net.states[T - new])]
            wanted = [s.value for s in flatten(self.right(old).states[T])]
            for a, b in zip(kept, wanted, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
            self.net.replay()
        self.begun([now])
        self.read()

    # ---- backward passes

    @rule(of=st.none() | times, later=st.none() | seeds)
    def backward(self, of, later):
        if of is not None and later is not None:
            assert self.told(lambda: [self.net.backward(of, later=self.later(later))]) is None
            self.read()
            return
        done = self.told(lambda: [self.net.backward(of, later=self.later(later))])
        if done is None:
            assert not self.whole or self.net.stale, "a backward pass is refused"
            return
        self.back = {"of": of, "later": later}
        self.read()

    @rule(of=st.none() | times, at=calls)
    def backward_that_is_interrupted(self, of, at):
        before = self.net.tape.cotangents
        ended = self.told(lambda: [interrupted(lambda: self.net.backward(of), at)]) == [False]
        back = self.net.tape.cotangents
        if back is None or not back.complete:
            self.back = None
        elif back is not before:  # it may have been at its end, and only not have returned
            self.back = {"of": of, "later": None}
        self.read(sure_back=ended)

    @rule(at=st.sets(times, max_size=2))
    def cut(self, at):
        tg.cut(self.net, *sorted(at))
        self.cuts, self.back = tuple(sorted(at)), None
        # Another program may be compiled, which has to play first.
        loss = self.told(lambda: self.net.loss)
        self.whole = self.whole and loss is not None
        self.read()

    @precondition(lambda self: self.back is not None)
    @rule()
    def hold_gradients(self):
        if (held := self.told(lambda: self.net.grads)) is not None:
            wanted = [{n: g.copy() for n, g in self.right(g, self.back, self.cuts).grads.items()} for g in self.given]
            self.kept.append((held, wanted))

    @precondition(lambda self: self.kept)
    @rule()
    def read_held_gradients(self):
        for held, wanted in self.kept:
            for name in wanted[0]:
                self.same(self.told(lambda name=name, held=held: held[name]), [w[name] for w in wanted], False, name)

    # ---- looking

    @rule(part=st.integers(0, 400), of=st.none() | times)
    def steps_half_run(self, part, of):
        steps = self.net.steps(of)
        ran = self.told(lambda: sum(1 for _ in zip(range(part), steps, strict=False)))
        steps.close()
        if ran == 0 and part == 0:
            return
        self.back, self.whole = None, False
        loss = self.told(lambda: self.net.loss)
        if loss is not None:  # it went back, or stands at the very end
            self.whole = True
        back = self.net.tape.cotangents
        if back is not None and back.complete:
            self.back = {"of": of, "later": None}
        self.read()

    @rule(of=st.none() | times)
    def trace(self, of):
        if self.told(lambda: tg.trace(self.net, of)) is None:
            assert not self.whole or self.masked  # a mask is not written out yet
        self.read()

    @rule(
        view=st.sampled_from(["unfolded", "folded", "backward"]),
        overlay=st.sampled_from(["both", "gradient", "values"]),
    )
    def draw(self, view, overlay):
        if self.told(lambda: tg.draw(self.net, view=view, overlay=overlay)) is None:
            assert not self.whole or self.back is None
        self.read()

    @rule(name=st.sampled_from(["W", "V", "U"]))
    def influence(self, name):
        if name not in self.params:
            return
        G = self.told(lambda: tg.influence(self.net, name))
        if G is None:
            assert not self.whole
        else:
            self.same(G, [tg.influence(self.right(g), name) for g in self.given], True, "the influence")
        self.read()

    @rule(seed=seeds)
    def tangents(self, seed):
        way = np.random.default_rng(seed).normal(size=self.params["W"].shape)
        moved = self.told(lambda: self.net.tangents({"W": way})[self.net.cost])
        if moved is None:
            assert not self.whole
        else:
            wanted = [(f := self.right(g)).tangents({"W": way})[f.cost] for g in self.given]
            self.same(moved, wanted, True, "the tangent of the cost")
        self.read()

    @rule()
    def check(self):
        report = self.told(self.net.check)
        assert report is None or report.ok, str(report)
        if report is None:
            assert not self.whole or self.cuts or (self.back or {}).get("later") is not None
        self.read()

    @rule()
    def stacked(self):
        found = self.told(self.net.stacked)
        if found is None:
            assert not self.whole
        else:
            folded, values = found
            for k, part in enumerate(folded.state):
                wanted = [np.stack([flatten(s)[k].value for s in self.right(g).states[1:]]) for g in self.given]
                self.same(values(part), wanted, True, "the states")
        self.read()


AnyOrder.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=12 if EXAMPLES < 100 else 30,
    derandomize="TINYGRAD_RNN_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestAnyOrder = AnyOrder.TestCase
