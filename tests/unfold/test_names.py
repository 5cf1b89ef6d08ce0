"""What a cell leaves without a name is called by its role: what computes it, and of what."""

import re
from collections import Counter

import numpy as np
import pytest

import tinygrad_rnn as tg
from cell_cases import CELLS, Case
from tinygrad_rnn.autodiff import naming
from tinygrad_rnn.autodiff.notation import plain, scripts
from tinygrad_rnn.autodiff.traits import is_tie

o = tg.ops
BY_INDEX = re.compile(r"\bv_?\{?[0-9₀-₉]|\b(part|repeat|rz)\b")
SIZES = (2, 2, 2, 3, 3)


def leaky(P, x, s):
    """A cell whose writer names nothing."""
    s = 0.9 * s + (1 - 0.9) * o.tanh(o.linear(x, P["A"]) * 2 - s)
    return s, s * s


def pair(P, x, s):
    a, b = s
    return (o.tanh(o.linear(x, P["A"], b, P["D"])), a), a * b


def unfolded(cell, **options):
    return Case(cell, SIZES).unfold(**options)


@pytest.fixture(params=[*CELLS, "masked", "weighted", "all of it"], scope="module")
def net(request):
    case = Case(CELLS.get(request.param, tg.cells.LSTM()), SIZES)
    options = {
        "masked": {"mask": case.mask},
        "weighted": {"weights": np.ones((2, 2)), "reduction": "mean"},
        "all of it": {"mask": case.mask, "weights": np.ones((2, 2)), "loss": "squared_error"},
    }
    made = case.unfold(**options.get(request.param, {}))
    made.backward()
    return made


def test_no_name_is_an_index(net):
    for step in net.steps():
        for text in (str(step.node), step.text, step.formula, *(name for name, _ in step.operands)):
            assert not BY_INDEX.search(text), text


def test_no_picture_shows_an_index(net):
    for options in ({}, {"level": "figure"}, {"view": "folded"}, {"view": "folded", "level": "layers"}):
        for box in tg.draw(net, **options).scene.boxes:
            assert not BY_INDEX.search(f"{box.name} {box.tooltip}"), box


def test_names_of_a_step_are_unique_with_and_without_their_time(net):
    for time in (naming.own_time, naming.no_time):
        for t in (1, 2):
            names = Counter(
                naming.latex(n, time) for n in net.tape if n.t == t and not re.fullmatch(r"[-\d.]+", str(n))
            )
            assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("cell", [tg.cells.LSTM(peepholes=True), tg.cells.GRU(), tg.cells.GRU(reset="before")])
def test_gates_and_their_net_inputs_have_names(cell):
    names = {n.name for n in unfolded(cell).tape if n.t == 2}
    gates = "ifgo" if isinstance(cell, tg.cells.LSTM) else "rzn"
    assert {*gates, *(f"net_{gate}" for gate in gates)} <= names


def test_a_role_is_what_computes_it_and_of_what():
    named = {plain(naming.latex(n, naming.no_time)) for n in unfolded(tg.cells.LSTM()).tape if n.t == 2}
    assert {"tanh(c)", "f ⊙ c", "i ⊙ g"} <= named
    named = {plain(naming.latex(n, naming.no_time)) for n in unfolded(tg.cells.GRU()).tape if n.t == 2}
    assert {"s − n", "z ⊙ (s − n)", "each bₙ", "netₕ[6:9]"} <= named


def test_state_output_and_cost_have_the_usual_letters():
    x, d, s0 = np.ones((3, 1, 2)), np.ones((3, 1, 2)), np.ones((1, 2))
    net = tg.unfold(leaky, {"A": np.eye(2)}, x, d, s0=s0, loss=lambda y, d: ((y - d) ** 2).sum())
    assert [str(n) for n in (net.states[0], net.states[2], net.outputs[1], net.losses[1])] == [
        "s(0)",
        "s(2)",
        "y(2)",
        "C(2)",
    ]
    two = tg.unfold(pair, {"A": np.eye(2), "D": np.eye(2)}, x, d, s0=(s0, s0), loss="squared_error")
    assert [n.name for n in two.states[2]] == ["s_1", "s_1_before"]


def test_a_number_is_the_same_at_any_time():
    x, d = np.ones((2, 1, 2)), np.ones((2, 1, 2))
    net = tg.unfold(leaky, {"A": np.eye(2)}, x, d, s0=np.ones((1, 2)), loss="squared_error")
    names = [str(n) for n in net.tape if n.t == 2]
    assert "0.9 ⊙ s(1)" in names
    assert "x(2) A(2)ᵀ" in names
    assert (
        next(n for n in net.tape if n.t == 2 and n.name == "s").formula
        == r"s(2) = 0.9 \odot s(1) + 0.1 \odot \mathrm{tanh}_{1}(2)"
    )


def test_two_nodes_of_one_formula_have_two_names():
    tape = tg.Tape()
    x = tape.leaf(np.ones(2), "x")
    twice = [o.tanh(x), o.tanh(x), tape.leaf(np.ones(2))]
    assert [str(n) for n in twice] == ["tanh(x)", "tanh₁", "leaf₁"]
    assert [n.formula for n in twice] == [r"\tanh(x)", r"\mathrm{tanh}_{1} = \tanh(x)", r"\mathrm{leaf}_{1}"]


def test_a_node_keeps_its_name_while_the_tape_grows_and_has_one_without_it():
    tape = tg.Tape()
    x = tape.leaf(np.ones(2), "x")
    y = o.exp(x)
    assert str(y) == "exp(x)"
    z = o.exp(x)
    assert (str(y), str(z)) == ("exp(x)", "exp₁")
    del tape
    assert str(y) == "exp(x)"


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (lambda a, b, c: (a + b) * c, "(a + b) ⊙ c"),
        (lambda a, b, c: a * b + c * a, "a ⊙ b + c ⊙ a"),
        (lambda a, b, c: a - (b - c), "a − (b − c)"),
        (lambda a, b, c: o.tanh(a - b) / c, "tanh(a − b) / c"),
        (lambda a, b, c: -(a * b), "−(a ⊙ b)"),
        (lambda a, b, c: o.linear(a * b, c), "(a ⊙ b) cᵀ"),
    ],
)
def test_a_formula_in_a_formula_has_parentheses_where_it_needs_some(formula, text):
    tape = tg.Tape()
    assert str(formula(*(tape.leaf(np.ones((2, 2)), name) for name in "abc"))) == text


@pytest.mark.parametrize(
    ("text", "low"),
    [
        ("netⱼ(2)", "j"),
        ("net_f(2)", "f"),
        ("net_f,1(2)", "f,1"),
        ("netⱼ,₁(2)", "j,1"),
        ("my_x_y(1)", ""),
        ("größe_x", ""),
    ],
)
def test_a_subscript_is_found_whether_there_is_a_sign_for_it_or_not(text, low):
    assert "".join(run for run, below in scripts(text) if below) == low


def test_copies_are_called_as_their_weight(net):
    assert {n.name for n in net.tape if is_tie(n)} <= {*net.weights}


def test_pictures_set_subscripts_alike():
    drawn = tg.draw(unfolded(tg.cells.LSTM()), overlay=None).svg
    for gate in "ifgo":
        assert re.search(
            rf'>net<tspan dy="[0-9.]+" font-size="[0-9.]+">{gate}</tspan><tspan dy="-[0-9.]+">\(2\)<', drawn
        )
