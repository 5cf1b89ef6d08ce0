"""Every line that a step shows gives its result when it is worked out again from the digits shown."""

import math

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import KINDS, problem
from cell_cases import CELLS, Case
from recomputed import add_up, closes, evaluate, open_sums, read, wrong
from tinygrad_rnn.autodiff import writing
from tinygrad_rnn.autodiff.notation import array
from tinygrad_rnn.autodiff.worked import Term, computed, text, worked

o = tg.ops


def choosing(P, x, s):
    """A user's own cell: a norm of its layer, a choice, an absolute value, bounds, a part and a power."""
    a = o.linear(x, P["V"], s, P["U"], P["b"])
    a = a - a.mean(axis=-1, keepdims=True)
    a = a / o.sqrt((a * a).mean(axis=-1, keepdims=True) + 1e-5)
    s = o.where(o.is_positive(a), o.tanh(a), o.clip(s, -0.5, 0.5) - 0.1 * abs(a), name="s")
    return s, o.exp(-s[:, :3]) * o.softplus(s[:, 1:]) ** 2


def nets():
    for kind in KINDS:
        p = problem(*kind)
        yield "-".join(kind), tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, loss=p.loss)
    for name, cell in CELLS.items():
        case = Case(cell)
        yield name, case.unfold()
        yield f"{name}, masked", case.unfold(mask=case.mask, reduction="mean")
    rng = np.random.default_rng(0)
    x, d = rng.normal(size=(5, 2, 2)), rng.normal(size=(5, 2, 3))
    shapes = {"V": (4, 2), "U": (4, 4), "b": (4,)}
    P = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    yield "an own cell", tg.unfold(choosing, P, x, d, s0=rng.normal(size=(2, 4)), loss="squared_error")
    clipped = Case(tg.cells.Elman())
    clipped.cell = tg.cells.ErrorClipped(clipped.cell, bound=0.05)
    yield "clipped", clipped.unfold()
    single = Case(tg.cells.LSTM(), seed=5)
    single.params = {name: w.astype(np.float32) for name, w in single.params.items()}
    single.x, single.d = single.x.astype(np.float32), single.d.astype(np.float32)
    yield "single precision", single.unfold(s0=tuple(s.astype(np.float32) for s in single.s0))


NETS = [pytest.param(net, id=name) for name, net in nets()]


@pytest.mark.parametrize("net", NETS)
def test_every_line_of_every_kind_of_network_closes(net):
    steps = list(net.steps())
    assert [said for said in map(wrong, steps) if said] == []
    assert sum(step.worked() is not None for step in steps) > 60


@pytest.mark.parametrize("net", NETS)
def test_what_is_added_to_what_had_come_adds_up(net):
    shown = tg.trace(net)
    assert open_sums(shown) == []
    assert sum(bool(m.before) for m in shown.moments) > 5


@pytest.mark.parametrize(("T", "sizes"), [(12, (2, 3)), (1, (1, 1)), (30, (1, 4))])
def test_ledgers_add_up_however_many_copies_there_are(T, sizes):
    p = problem(sizes=(T, 2, *sizes, 2))
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.backward()
    assert open_sums(tg.trace(net)) == []
    for weight in net.weights:
        head, *rows, whole, gradient = [line for line in str(tg.ledger(net, weight)).split("\n") if "─" not in line]
        if "‖" not in head:
            assert add_up(*(line.split(maxsplit=1)[1] for line in rows), whole=whole)
            assert read(whole) == read(gradient)


def test_digits_stand_one_below_the_other():
    assert array(np.array([[0.25, -1.5], [1e-5, 0.12345]]), [2, 0, 1, 1]).split("\n") == [
        "[    0.250     −1.500  ]",
        "[ 1.00e−05      0.1235 ]",
    ]
    assert array(np.zeros((8, 2))).split("\n")[-1] == "(2 more rows)"
    assert (array(np.array(0.5)), array(np.zeros((1, 1, 2)))) == ("0.500", "[  0.000   0.000 ]")


X, Y = Term("tanh", (-0.3,)), Term("negative", (0.2,))


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        (0.25, "0.250"),
        (Term("+", (Term("·", (-0.2, 0.1)), X, -1.0)), "(−0.200) · 0.100 + tanh(−0.300) + (−1.000)"),
        (Term("−", (Term("+", (0.1, 0.2)), Term("−", (0.3, 0.4)))), "0.100 + 0.200 − (0.300 − 0.400)"),
        (Term("·", (Y, Term("·", (0.1, 0.2)))), "−0.200 · (0.100 · 0.200)"),
        (Term("/", (Term("·", (Y, 0.5)), Term("+", ("1", X)))), "−0.200 · 0.500 / (1 + tanh(−0.300))"),
        (Term("negative", (Term("·", (0.5, Term("ln", (0.25,)))),)), "−(0.500 · ln 0.250)"),
        (Term("negative", (-0.5,)), "−(−0.500)"),
        (Term("½", (Term("^", (Term("−", (0.5, -0.5)), "2")),)), "½ (0.500 − (−0.500))²"),
        (Term("/", (Term("e^", (-1.0,)), Term("+", (Term("e^", (-1.0,)), "1")))), "e^−1.000 / (e^−1.000 + 1)"),
        (Term("·", (3e-4, Term("≠", (-0.2, "0")))), "3.00e−04 · [−0.200 ≠ 0]"),
        (Term("√", (Term("+", (0.25, Term("abs", (-0.2,)))),)), "√(0.250 + |−0.200|)"),
        (Term("^", (-2.0, Term("negative", ("2",)))), "(−2.000)^−2"),
    ],
)
def test_terms_are_written_with_the_brackets_that_they_need(formula, shown):
    assert text(formula) == shown
    assert evaluate(shown) == pytest.approx(computed(formula, 0), abs=1e-12)


@pytest.mark.parametrize(
    ("latex", "found"),
    [
        (r"<g> \odot (1 - <y> \odot <y>)", Term("·", ("<g>", Term("−", ("1", Term("·", ("<y>", "<y>"))))))),
        (r"-<g> \odot <y> / <1>", Term("/", (Term("·", (Term("negative", ("<g>",)), "<y>")), "<1>"))),
        (r"<0> + <1> + <2> - <3>", Term("−", (Term("+", ("<0>", "<1>", "<2>")), "<3>"))),
        (r"\min(\max(<0>, -15), 1e+03)", Term("min", (Term("max", ("<0>", Term("negative", ("15",)))), "1e+03"))),
        (r"[-0.5 < <0> < inf]", Term("<", (Term("negative", ("0.5",)), "<0>", "inf"))),
        (r"<0>^{-1.5}", Term("^", ("<0>", Term("negative", ("1.5",))))),
        (r"|<0>| \odot \operatorname{sgn}(<0>)", Term("·", (Term("abs", ("<0>",)), Term("sgn", ("<0>",))))),
        (r"\sqrt{<0>}", Term("√", ("<0>",))),
        *[(latex, None) for latex in ("", r"<0>\,<1>", "f(<0>)", r"\sum <0>", "<0> +", "(<0>", "<0>)", "<0>[0:1]")],
    ],
)
def test_an_ops_formula_is_read_into_terms(latex, found):
    assert writing.terms(latex) == found


@pytest.mark.parametrize(
    ("terms", "value", "shown"),
    [
        ([1.0958, 1.1149, 1.0622, 1.1954], 4.4683, "1.096 + 1.115 + 1.062 + 1.195"),
        ([1.0961, 1.1154, 1.0624, 1.1954], 4.4693, "1.0961 + 1.1154 + 1.0624 + 1.1954"),
        ([0.5, 0.0004, 0.25004], 0.75044, "0.500 + 4.00e−04 + 0.250"),
        ([0.5, 0.12504, 0.12504], 0.75008, "0.500 + 0.125 + 0.125"),
        ([0.5, 0.12544, 0.12544, 0.0], 0.75088, "0.500 + 0.1254 + 0.1254 + 0.000"),
        ([0.5, 0.25], 0.25, "0.500 + 0.250"),  # no digits close what is not so
        ([0.5, math.inf], math.inf, "0.500 + inf"),
    ],
)
def test_as_many_digits_are_shown_as_it_takes_to_close(terms, value, shown):
    line = worked(Term("+", tuple(terms)), value)
    assert str(line) == shown
    assert closes(shown, value) or (shown, value) == ("0.500 + 0.250", 0.25)


@pytest.mark.parametrize(
    ("op", "args"),
    [
        (o.maximum, (0.3, 0.3)),
        (o.relu, (0.0,)),
        (o.absolute, (0.0,)),
        (o.clip.bind(low=-0.5, high=0.5), (0.5,)),
        (o.power.bind(exponent=0), (0.0,)),
    ],
)
def test_a_share_closes_where_a_slope_jumps(op, args):
    arrays, g = [np.array([a]) for a in args], np.array([0.7])
    y = op.value(*arrays)
    for slot in range(len(args)):
        share = float(op.share(slot, g, y, arrays)[0])
        assert closes(str(worked(writing.share_entry(op, slot, (0,), g, y, arrays), share)), share)


def test_a_network_with_a_mask_is_shown_like_any_other():
    p = problem()
    mask = np.array([[1, 1], [1, 1], [1, 0], [1, 0], [0, 0]])
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, mask=mask)
    shown = tg.trace(net)
    assert any("≠ 0" in moment.worked for moment in shown.moments)
    tg.player(net)
