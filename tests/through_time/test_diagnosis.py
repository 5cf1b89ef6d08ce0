"""Whose mistake gives these numbers: every mistake of a hand-written program is named, and nothing is named falsely."""

import inspect
import os
import textwrap

import numpy as np
import pytest

import bptt_by_hand
import tinygrad_rnn as tg
from bptt_by_hand import (
    BUGS,
    CELLS,
    CLIPPED,
    MEAN,
    NO_SLOPE,
    SAME_STATE,
    SIGN,
    STALE,
    TURNED,
    UNTURNED,
    Plain,
    problem,
    shares,
    softmax,
)

NETS = int(os.environ.get("TINYGRAD_RNN_NETS", "1"))  # of each kind; the figures in the notes are of 20


def wrong(p, *bugs):
    return shares(p.cell, bugs, *p[2:])


def sums(copies):
    return {name: share.sum(axis=0) for name, share in copies.items()}


def rounded(arrays, digits):
    return {name: np.vectorize(lambda v: float(f"{v:.{digits}g}"))(a) for name, a in arrays.items()}


def names(diagnosis):
    return [each.name for each in diagnosis.explanations]


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("seed", range(NETS))
def test_the_hand_written_program_is_right_without_a_mistake(kind, seed):
    p = problem(kind, seed)
    found = tg.diagnose(p.net, copies=wrong(p))
    assert found.right
    assert str(found) == "all right"
    assert tg.diagnose(p.net, grads=sums(wrong(p))).right


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("bug", BUGS)
def test_every_mistake_is_named(kind, bug):
    for seed in range(NETS):
        p = problem(kind, seed)
        copies = wrong(p, bug)
        assert any(bug in name for name in names(tg.diagnose(p.net, copies=copies))), seed
        assert any(bug in name for name in names(tg.diagnose(p.net, grads=sums(copies)))), seed


@pytest.mark.parametrize("kind", CELLS)
def test_every_mistake_is_named_in_numbers_of_four_digits(kind):
    p = problem(kind, 50)
    for bug in BUGS:
        copies = wrong(p, bug)
        assert any(bug in name for name in names(tg.diagnose(p.net, copies=rounded(copies, 4), digits=4))), bug
        assert any(bug in name for name in names(tg.diagnose(p.net, grads=rounded(sums(copies), 4), digits=4))), bug


@pytest.mark.parametrize("kind", CELLS)
def test_what_is_no_known_mistake_is_not_named(kind):
    pairs = [(NO_SLOPE, UNTURNED), (CLIPPED, TURNED), (SAME_STATE, STALE), (UNTURNED, SAME_STATE)]
    for seed in range(NETS):
        p, rng = problem(kind, 70 + seed), np.random.default_rng(seed)
        right = wrong(p)
        spoilt = [wrong(p, *pair) for pair in pairs]
        for name in list(right)[:2]:
            one = {n: share.copy() for n, share in right.items()}
            one[name][rng.integers(len(p.x)), ..., 0] += 0.1
            spoilt.append(one)
        spoilt.append({name: share * (1 + 0.01 * rng.normal(size=share.shape)) for name, share in right.items()})
        for copies in spoilt:
            found = tg.diagnose(p.net, copies=copies)
            assert not found.right
            assert names(found) == [], str(found)
            assert "nearest, and not it" in str(found)


SENDS = "in the error that"
KEPT, NEW, MIXED, RESET = "f(t) ⊙ c(t-1)", "i(t) ⊙ g(t)", "z(t) ⊙ (s(t-1) − n(t))", "r(t) ⊙ netₕₙ(t)"
# What somebody writes for a gated cell in the place of a piece of its backward pass, and what it is to be called.
OF_GATES = [
    ("lstm", "d_c * self.c[t - 1] *", "d_c * self.c[t] *",
     f"c(t) instead of c(t-1), {SENDS} {KEPT} sends to f(t)"),
    ("lstm", "d_c * self.f[t]", "d_c",
     f"f(t) left out, {SENDS} {KEPT} sends to c(t-1)"),
    ("lstm", "d_c * self.f[t]", "d_c * self.f[min(t + 1, go.T)]",
     f"f(t+1) instead of f(t), {SENDS} {KEPT} sends to c(t-1)"),
    ("lstm", "d_c * self.f[t]", "0 * d_c", "the error of c not handed on in time"),
    ("lstm", " * (1 - seen * seen)", "", "f' left out, of tanh(c(t))"),
    ("lstm", "d_s * seen *", "d_s * self.c[t] *",
     f"c(t) instead of tanh(c(t)), {SENDS} s(t) sends to o(t)"),
    ("lstm", "d_s * self.o[t] *", "d_s *",
     f"o(t) left out, {SENDS} s(t) sends to tanh(c(t))"),
    ("lstm", "d_c * self.g[t] *", "d_c * self.i[t] *",
     f"i(t) instead of g(t), {SENDS} {NEW} sends to i(t)"),
    ("lstm", "go.slope(TANH, self.g, t, spoilt=True)", "go.slope(SIGMA, self.g, t)", "the slope of sigmoid, of g"),
    ("lstm", 'go.through(d_net, go.params["U"])', "0 * d_s", "the error of s not handed on in time"),
    ("gru", "(1 - self.z[t])", "self.z[t]",
     f"1 − z(t) instead of z(t), {SENDS} {MIXED} sends to n(t)"),
    ("gru", "d_s * (1 - self.z[t]) *", "d_s *", "the error that goes from (s(t-1) − n(t)) to n(t) left out"),
    ("gru", "d_s * self.z[t]", "d_s * (1 - self.z[t])",
     f"1 − z(t) instead of z(t), {SENDS} {MIXED} sends to s(t-1)"),
    ("gru", "- self.n[t])", ")",
     f"s(t-1) instead of (s(t-1) − n(t)), {SENDS} {MIXED} sends to z(t)"),
    ("gru", "d_n * self.kept[t] * go.slope(SIGMA, self.r, t)", "0 * d_n", "the error of netᵣ left out"),
    ("gru", "b_n=(d_n * self.r[t])", "b_n=d_n",
     f"r(t) left out, {SENDS} {RESET} sends to (each bₙ)"),
    ("gru", 'through(from_s', "through(from_x",
     f"r(t) left out, {SENDS} {RESET} sends to netₕₙ(t), on the way back alone"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "right", "wrong", "said"), OF_GATES)
def test_mistakes_with_gates_are_named_by_what_the_cell_multiplies(kind, right, wrong, said):
    source = textwrap.dedent(inspect.getsource(CELLS[kind].back))
    assert source.count(right) == 1
    names_here = dict(vars(bptt_by_hand))
    exec(source.replace(right, wrong), names_here)
    p = problem(kind, 1)
    spoilt = type("Spoilt", (CELLS[kind],), {"back": names_here["back"]})
    copies = shares(spoilt(), (), *p[2:])
    assert names(tg.diagnose(p.net, copies=copies)) == [said]
    assert names(tg.diagnose(p.net, grads=sums(copies))) == [said]


def minimal_gated(params, x, s):
    """A cell that is not in the library: its gate is read three times, and one product is of what another has made."""
    o = tg.ops
    f = o.sigmoid(o.linear(x, params["V_f"], s, params["U_f"], params["b_f"], name="net_f"), name="f")
    n = o.tanh(o.linear(x, params["V_n"], f * s, params["U_n"], params["b_n"], name="net_n"), name="n")
    s = o.add((1 - f) * s, f * n, name="s")
    return s, o.softmax(o.linear(s, params["W"], params["b_k"], name="net_k"), name="y")


OF_OWN_CELLS = [
    ("d_s * n[t] - d_s * s[t - 1] +", "d_s * n[t] +", "the error that goes from (1 − f(t)) to f(t) left out"),
    (" + d_f_times_s * s[t - 1]", "", "the error that goes from (f(t) ⊙ s(t-1)) to f(t) left out"),
    ("d_net_f @ U_f", "d_net_f @ U_f.T", "U_f.T instead of U_f"),
    ("d_net_n @ U_n", "d_net_n @ U_n.T", "U_n.T instead of U_n"),
    ("d_net_n.T @ f_times_s[t]", "d_net_n.T @ s[t - 1]", "s(t-1) instead of (f(t) ⊙ s(t-1)), in the share of U_n"),
    ("+ d_f_times_s * f[t]", "+ d_f_times_s", f"f(t) left out, {SENDS} f(t) ⊙ s(t-1) sends to s(t-1)"),
    ("d_s * one_minus_f[t] + ", "", "the error that goes from (1 − f(t)) ⊙ s(t-1) to the state before left out"),
]


@pytest.mark.parametrize(("right", "wrong", "said"), OF_OWN_CELLS)
def test_mistakes_in_a_cell_that_the_library_does_not_have_are_named(right, wrong, said):
    rng = np.random.default_rng(22)
    shapes = {"V_f": (4, 2), "U_f": (4, 4), "b_f": 4, "V_n": (4, 2), "U_n": (4, 4), "b_n": 4, "W": (3, 4), "b_k": 3}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    x, d, s0 = rng.normal(size=(5, 3, 2)), rng.dirichlet(np.ones(3), size=(5, 3)), rng.normal(size=(3, 4))
    net = tg.unfold(minimal_gated, params, x, d, s0=s0)
    text, file = net.written(), {}
    assert text.count(right) == 1
    exec(text.replace(right, wrong), file)
    _, grads, copies, _ = file["bptt"](x, d, s0, *params.values())
    assert names(tg.diagnose(net, copies=copies)) == [said]
    assert names(tg.diagnose(net, grads=grads)) == [said]


def test_an_equation_is_the_networks_own_or_one_to_compare_with():
    for kind, said in (("guo", ", equation (26)"), ("lstm", ", compare equation (26)")):
        p = problem(kind, 1)
        (found,) = tg.diagnose(p.net, copies=wrong(p, UNTURNED)).explanations
        assert str(found) == UNTURNED + said


def walk(**how):
    """x = 1, 2, 3 through one unit of tanh, as published; there s(2) is 0.7790."""
    params = {"V": [[0.5]], "U": [[0.1]], "W": [[1.0]], "b_j": [0.0], "b_k": [0.0]}
    x, d = np.array([1.0, 2, 3])[:, None, None], np.array([0.5, 0.5, 1])[:, None, None]
    cell = tg.cells.Guo(f="tanh", g="identity")
    net = tg.unfold(cell, {n: np.array(w) for n, w in params.items()}, x, d, loss="squared_error")
    return net, tg.diagnose(net, **how)


def column(*numbers):
    return np.array(numbers)[:, None, None]


def test_values_are_followed_from_the_first_step_on():
    _, found = walk(values={"s": column(0.4621, 0.7803, 0.9183)}, digits=4)
    assert found.right
    _, found = walk(values={"s": column(0.4621, 0.7790, 0.9183), "net_j": column(0.5, 1.0462, 1.5779)}, digits=4)
    assert str(found.first_wrong) == "s(2)[1, 1] is 0.779; right is 0.780329"
    assert names(found) == ["s(2) worked out wrong; the rest is right for it"]
    for numbers, said in (
        (np.tanh([0.5, 1.0, 1.5]), ["U left out"]),
        ([0.5, 1.05, 1.605], ["tanh left out, of s", "relu instead of tanh, of s"]),  # the same, of what is positive
        (-np.tanh([0.5, 1 + 0.1 * np.tanh(0.5), 1.5]), []),
    ):
        _, found = walk(values={"s": column(*numbers)})
        assert names(found) == said


def test_what_follows_from_a_wrong_value_is_right_for_it():
    s = [0, np.tanh(0.5), 0.7790, np.tanh(1.5 + 0.0779)]
    copies, later = np.zeros((3, 1, 1)), 0.0
    for t, d in ((3, 1), (2, 0.5), (1, 0.5)):
        net_j = (s[t] - d + 0.1 * later) * (1 - s[t] ** 2)
        copies[t - 1], later = net_j * s[t - 1], net_j
    mine = {"s": column(*s[1:])}
    assert not walk(copies={"U": copies})[1].right
    assert walk(copies={"U": copies}, with_values=mine)[1].right
    found = walk(copies={"U": -copies}, with_values=mine)[1]
    assert names(found) == ["the sign"]
    assert found.first_wrong.slope is None


def test_nothing_but_zeros_is_called_so():
    p = problem("guo", 0)
    found = tg.diagnose(p.net, copies={name: 0 * c for name, c in wrong(p).items()})
    assert names(found) == ["all are 0, as if no error had come back"]


def test_causes_that_cannot_be_told_apart_are_both_named():
    p = problem("guo", 3, T=2)
    (told,) = names(tg.diagnose(p.net, grads=sums(wrong(p, MEAN))))
    assert "mean over the copies" in told
    assert "a factor 1/2" in told
    p = problem("guo", 3)
    only = {"U": wrong(p, "s(0) taken as zero")["U"]}
    told = names(tg.diagnose(p.net, copies=only))
    assert {"s(0) taken as zero", "the oldest copy lost"} <= set(told)


def test_a_mistake_that_cannot_be_seen_in_these_numbers_is_not_named():
    p = problem("guo", 4)
    assert tg.diagnose(p.net, copies={"W": wrong(p, UNTURNED)["W"]}).right


def test_the_first_wrong_number_is_the_first_of_the_way_back_and_a_difference_quotient_agrees():
    p = problem("lstm", 5)
    copies = wrong(p, UNTURNED)
    first = tg.diagnose(p.net, copies=copies).first_wrong
    p.net.backward()
    t = max(
        t for t in range(1, 7) if any(np.abs(c[t - 1] - p.net.copies[n][t - 1]).max() > 1e-9 for n, c in copies.items())
    )
    assert first.t == t
    at = tuple(k - 1 for k in first.entry)
    assert first.right == p.net.copies[first.name][t - 1][at]
    assert first.given == copies[first.name][t - 1][at]
    assert abs(first.slope - first.right) < 1e-8
    of_sums = tg.diagnose(p.net, grads=sums(copies)).first_wrong
    assert of_sums.t is None
    assert abs(of_sums.slope - of_sums.right) < 1e-7


def test_guos_deltas_have_his_sign():
    p = problem("guo", 6)
    p.net.backward()
    named = {name: [n for n in p.net.tape.nodes if n.name == name and n.t] for name in ("net_j", "net_k")}
    deltas = {name: np.stack([tg.delta(n) for n in nodes]) for name, nodes in named.items()}
    assert tg.diagnose(p.net, deltas=deltas).right
    assert names(tg.diagnose(p.net, deltas={"net_j": -deltas["net_j"]})) == ["the sign"]
    first = tg.diagnose(p.net, deltas={"net_j": -deltas["net_j"]}).first_wrong
    assert str(first).startswith("delta of net_j(6)[1, 1] is ")
    assert abs(first.slope - first.right) < 1e-7


def test_masks_and_other_costs_have_mistakes_of_their_own():
    rng = np.random.default_rng(0)
    cell, T, n = Plain(), 6, 3
    params = cell.params(rng, 2, 4, 3)
    x, d, s0 = rng.normal(size=(T, n, 2)), rng.dirichlet(np.ones(3), size=(T, n)), rng.normal(size=(n, 4))
    mask = np.arange(T)[:, None] < np.array([6, 4, 2])
    x, d = x * mask[..., None], d * mask[..., None]
    guo, of_numbers = tg.cells.Guo(f="tanh", g="softmax"), tg.cells.Guo(f="tanh", g="identity")
    masked = tg.unfold(of_numbers, params, x, d, s0=s0, mask=mask, loss="squared_error")
    whole = tg.unfold(of_numbers, params, x, d, s0=s0, loss="squared_error")
    whole.backward()
    assert names(tg.diagnose(masked, copies=whole.copies)) == ["the mask or the weights of the samples ignored"]

    d = rng.dirichlet(np.ones(3), size=(T, n))
    net = tg.unfold(guo, params, x, d, s0=s0)
    for made, said in (
        (
            tg.unfold(guo, params, x, d, s0=s0, loss="squared_error"),
            "the squared error instead",
        ),
        (tg.unfold(guo, params, x, np.roll(d, -1, axis=0), s0=s0), "the target of the step after"),
        (tg.unfold(guo, params, np.roll(x, 1, axis=0), d, s0=s0), "the input of the step before"),
        (tg.unfold(guo, params, x, d), "the forward pass started from zeros instead of s(0)"),
    ):
        made.backward()
        assert said in names(tg.diagnose(net, copies=made.copies))


def errata():
    """Guo's equations as printed, by which the error of a softmax's net goes wrong."""

    def e3(y, d):
        r = (d - y) / (y * (1 - y))
        return -y * (r - (y * r).sum(-1, keepdims=True))

    yield "the cost (16), which is a sigmoid's", e3
    yield "the slope of a sigmoid too many, (8)", lambda y, d: (y - d) * y * (1 - y)


@pytest.mark.parametrize(("said", "error"), list(errata()))
def test_printed_errors_of_the_cost_are_named(said, error):
    p = problem("guo", 8)
    x, d, P = p.x, p.d, p.params
    s = p.cell.forward(P, x, p.start)
    y = np.stack([softmax(now @ P["W"].T + P["b_k"]) for now in s])
    W = np.stack([error(y[t], d[t]).T @ s[t] for t in range(len(x))])
    assert said in names(tg.diagnose(p.net, copies={"W": W}))


def test_weights_that_are_updated_on_the_way_back_are_found_with_their_step():
    p = problem("guo", 9)
    P, later = {name: w.copy() for name, w in p.params.items()}, np.zeros((3, 4))
    s = [p.start[0], *p.cell.forward(P, p.x, p.start)]
    y = [softmax(now @ P["W"].T + P["b_k"]) for now in s]
    found = {"W": np.zeros((6, 3, 4)), "U": np.zeros((6, 4, 4))}
    for t in range(6, 0, -1):
        d_k = y[t] - p.d[t - 1]
        net = (d_k @ P["W"] + later @ P["U"]) * (1 - s[t] ** 2)
        found["W"][t - 1], found["U"][t - 1] = d_k.T @ s[t], net.T @ s[t - 1]
        for name, share in found.items():
            P[name] -= 0.1 * share[t - 1]
        later = net
    assert names(tg.diagnose(p.net, copies=found)) == ["weights updated while the error goes back, eta = 0.1"]


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        ({}, ValueError, "nothing given"),
        ({"copies": {"U": 0}, "grads": {"U": 0}}, ValueError, "copies and grads given"),
        ({"copies": {}}, ValueError, "empty"),
        ({"copies": {"X": np.zeros((6, 4, 4))}}, KeyError, "no weight 'X'; there are V, U"),
        ({"copies": {"V": np.zeros((2, 4, 6))}}, tg.ShapeError, r"must be \(6, 4, 2\); it is the transpose"),
        ({"grads": {"U": np.full((4, 4), np.nan)}}, ValueError, "not finite"),
        ({"grads": {"U": np.zeros((4, 4))}, "digits": 0}, ValueError, "from 1 to 17"),
        ({"values": {"q": np.zeros((6, 3, 4))}}, KeyError, "values: no step has a node 'q'"),
        ({"grads": {"U": np.zeros((4, 4))}, "with_values": {"s": np.zeros(3)}}, tg.ShapeError, r"values\['s'\] is"),
        ({"deltas": {"net_x": np.zeros(1)}}, KeyError, "each has .*net_j"),
    ],
)
def test_a_wrong_call_is_refused(how, error, said):
    with pytest.raises(error, match=said):
        tg.diagnose(problem("guo", 0).net, **how)


def test_a_network_that_is_cut_is_no_judge():
    p = problem("guo", 0)
    tg.cut(p.net, 3)
    with pytest.raises(ValueError, match="take the cuts off"):
        tg.diagnose(p.net, copies=wrong(p, SIGN))


def test_looking_changes_nothing():
    p = problem("gru", 0)
    p.net.backward(of=3)
    before = {name: g.copy() for name, g in p.net.grads.items()}
    tg.diagnose(p.net, copies=wrong(p, UNTURNED))
    assert all((p.net.grads[name] == g).all() for name, g in before.items())
