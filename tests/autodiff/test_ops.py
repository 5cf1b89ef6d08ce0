"""Every op: its share of each argument against differences, and its formula against its numbers."""

import math
import re

import numpy as np
import pytest

from tinygrad_rnn.autodiff import OPS, ShapeError, Tape, ops
from tinygrad_rnn.autodiff.notation import plain

rng = np.random.default_rng(1)
A, B = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
PROBABILITIES = rng.dirichlet(np.ones(3), size=2)

# An example of its arguments for every op, and which of them it sends error to.
EXAMPLES = {
    "copy": [A],
    "add": [A, B, A + 1],
    "subtract": [A, B],
    "multiply": [A, B],
    "linear": [
        A,
        rng.normal(size=(4, 3)),
        rng.normal(size=(2, 5)),
        rng.normal(size=(4, 5)),
        rng.normal(size=4),
    ],
    "identity": [A],
    "tanh": [A],
    "sigmoid": [A],
    "relu": [A],
    "softmax": [A],
    "squared_error": [A, B],
    "cross_entropy": [A, ops.softmax(A), PROBABILITIES * 1.7],
    "bernoulli_cross_entropy": [A, ops.sigmoid(A), PROBABILITIES],
}
SENDS_TO = {"cross_entropy": [0], "bernoulli_cross_entropy": [0]}
CASES = [(name, slot) for name, args in EXAMPLES.items() for slot in SENDS_TO.get(name, range(len(args)))]


def test_every_op_has_an_example():
    assert set(EXAMPLES) == set(OPS)


@pytest.mark.parametrize(("name", "slot"), CASES)
def test_share_is_the_derivative(name, slot):
    op, args = OPS[name], EXAMPLES[name]
    y = op.value(*args)
    g = rng.normal(size=y.shape)
    share = np.asarray(op.share(slot, g, y, args))
    assert share.shape == args[slot].shape
    direction = rng.normal(size=args[slot].shape)
    ends = []
    for sign in (+1, -1):
        moved = [a + sign * 1e-6 * direction if k == slot else a for k, a in enumerate(args)]
        ends.append((g * op.value(*moved)).sum())
    assert (share * direction).sum() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("name", EXAMPLES)
def test_value_does_not_depend_on_what_is_only_read(name):
    op, args = OPS[name], EXAMPLES[name]
    for slot in op.only_read:
        moved = [a + 1 if k == slot else a for k, a in enumerate(args)]
        np.testing.assert_array_equal(op.value(*moved), op.value(*args))


@pytest.mark.parametrize("name", EXAMPLES)
def test_formulas_read_as_plain_text(name):
    op, args = OPS[name], EXAMPLES[name]
    names = [f"a_{k}" for k in range(len(args))]
    formulas = [op.write(names)]
    formulas += [op.write_share(slot, "g", "y", names) for slot in SENDS_TO.get(name, range(len(args)))]
    for formula in formulas:
        assert "\\" not in plain(formula)
        assert not set("{}") & set(plain(formula))
    assert op.label


def evaluate(text: str) -> float:
    """The value of a formula with numbers in it, as a reader with a calculator would find it."""
    text = text.replace("·", "*").replace("−", "-").replace("½", "0.5*").replace("²", "**2")
    text = re.sub(r"ln (\d[\d.]*)", r"ln(\1)", text)
    text = re.sub(r"e\^(-?[\d.]+)", r"exp(\1)", text)
    text = re.sub(r"\[([^\]]+)\]", r"float(\1)", text)
    names = {"tanh": math.tanh, "exp": math.exp, "ln": math.log, "max": max, "float": float}
    names["σ"] = lambda v: 1 / (1 + math.exp(-v))
    names["softmax"] = None
    return float(eval(text, names))


@pytest.mark.parametrize("name", EXAMPLES)
def test_numbers_in_the_formula_give_the_value(name):
    op, args = OPS[name], EXAMPLES[name]
    y = np.asarray(op.value(*args))
    for index in np.ndindex(*y.shape):
        assert evaluate(plain(op.write_unit(index, args))) == pytest.approx(y[index], abs=0.006), index


@pytest.mark.parametrize(("name", "slot"), CASES)
def test_numbers_in_the_formula_give_the_share(name, slot):
    op, args = OPS[name], EXAMPLES[name]
    y = np.asarray(op.value(*args))
    g = rng.normal(size=y.shape)
    share = np.asarray(op.share(slot, g, y, args))
    for index in np.ndindex(*share.shape):
        written = plain(op.write_share_unit(slot, index, g, y, args))
        expected = share[index]
        if name == "cross_entropy":  # the formula is Guo's d - y, which takes sum_k d_k = 1 for granted
            expected = g * (args[1][index] - args[2][index])
        assert evaluate(written) == pytest.approx(float(expected), abs=0.006), (index, written)


def test_saturated_costs_stay_finite_and_exact():
    net = np.array([[800.0, -800.0]])
    d = np.array([[0.0, 1.0]])
    assert ops.cross_entropy(net, ops.softmax(net), d) == pytest.approx(1600)
    assert ops.bernoulli_cross_entropy(net, ops.sigmoid(net), d) == pytest.approx(1600)
    assert np.isfinite(ops.sigmoid(net)).all()


def test_ops_compute_on_plain_arrays():
    np.testing.assert_allclose(ops.linear(A, B), A @ B.T)


def test_unknown_shapes_are_refused_in_words():
    tape = Tape()
    with tape.step(3):
        x, v = tape.leaf(np.ones((4, 3)), "x"), tape.leaf(np.ones((3, 2)), "V")
        with pytest.raises(ShapeError) as error:
            ops.linear(x, v, name="net_j")
    assert str(error.value) == (
        "linear at t=3: x(3) is (4, 3) and V(3) is (3, 2): x(3)[p, i] and V(3)[j, i] must agree on i, "
        "3 is not 2. Did you pass V(3).T?"
    )


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([np.ones((2, 3))], "it takes pairs"),
        ([np.ones(3), np.ones((4, 3))], "both must have two axes"),
        ([np.ones((2, 3)), np.ones((4, 3)), np.ones(3)], "it must be (4,)"),
        (
            [np.ones((2, 3)), np.ones((4, 3)), np.ones((5, 3)), np.ones((4, 3))],
            "they must give (2, 4), not (5, 4)",
        ),
    ],
)
def test_linear_says_what_does_not_fit(args, said):
    with pytest.raises(ShapeError, match=re.escape(said)):
        ops.linear(*args)


def test_nothing_is_broadcast_in_silence():
    with pytest.raises(ShapeError, match="both must have one shape"):
        ops.squared_error(np.ones((2, 1)), np.ones(2))
