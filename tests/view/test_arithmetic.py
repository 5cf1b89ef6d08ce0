"""Every number in every step is recomputed from the shown formula's own numbers, as exactly as these are written."""

import math

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import KINDS, problem
from op_examples import EXAMPLES
from recomputed import wrong
from tinygrad_rnn.autodiff import OPS, writing
from tinygrad_rnn.autodiff.notation import plain
from tinygrad_rnn.view.arithmetic import evaluate, terms


def nets():
    for kind in KINDS:
        p = problem(*kind)
        yield tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, loss=p.loss)
    rng = np.random.default_rng(0)
    for cell in (tg.cells.LSTM(), tg.cells.GRU(), tg.cells.IRNN(), tg.cells.Elman()):
        x, d = rng.normal(size=(4, 1, 3)), np.eye(2)[rng.integers(0, 2, (4, 1))]
        yield tg.unfold(cell, cell.init(3, 4, 2, rng=0), x, d, reduction="mean")


@pytest.mark.parametrize("net", list(nets()))
def test_every_step_of_every_kind_of_network(net):
    count = 0
    for step in net.steps():
        assert wrong(step) == ""
        count += 1
    assert count > 60


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5 · (−0.2) + 1.000", 0.9),
        ("e^−1.000 / (e^−1.000 + e^(2.000))", math.exp(-1) / (math.exp(-1) + math.exp(2))),
        ("−(0.500 · ln 0.250)", -0.5 * math.log(0.25)),
        ("½ ((0.5 − (−0.5))²)", 0.5),
        ("3.00e−04 · [0.2 > 0]", 3e-4),
        ("σ(0.0)", 0.5),
        ("max(0.1, −2.0)", 0.1),
        ("1.0 / 0.0", math.nan),
        ("1.0 · ln 0.000", math.nan),
        ("inf · 0.5 + 1.0", math.inf),
    ],
)
def test_what_formulas_say(text, value):
    assert evaluate(text) == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize("text", ["x + 1", "__import__('os')", "1 +", "(1).real", "[1, 2]", "'a'"])
def test_what_is_no_formula_of_numbers(text):
    with pytest.raises(ValueError, match="no formula of numbers"):
        evaluate(text)


def test_terms_of_a_sum():
    assert terms("0.1 · (−0.2 + 1.0) + tanh(0.3 + 0.4) + 2.0") == ["0.1 · (−0.2 + 1.0)", "tanh(0.3 + 0.4)", "2.0"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_line_of_every_op_is_arithmetic(name):
    for example in EXAMPLES[name]:
        op = OPS[name].bind(**example.settings) if example.settings else OPS[name]
        args = example.complete(example.args)
        y = np.asarray(op.value(*args))
        g = np.full_like(y, 0.5)
        lines = [(lambda at: writing.value_entry(op, at, args), y)]  # noqa: B023  they are read at once
        for slot in range(len(args)):
            if op.rule(slot) is not None and slot not in op.only_read:
                share = np.asarray(op.share(slot, g, y, args))
                lines.append((lambda at, slot=slot: writing.share_entry(op, slot, at, g, y, args), share))  # noqa: B023
        for written, numbers in lines:
            for at in list(np.ndindex(numbers.shape))[:6]:
                shown = plain(written(at))
                assert evaluate(shown) == pytest.approx(numbers[at], rel=0.02, abs=0.02), shown


def test_a_network_with_a_mask_is_shown_like_any_other():
    p = problem()
    mask = np.array([[1, 1], [1, 1], [1, 0], [1, 0], [0, 0]])
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, mask=mask)
    shown = tg.trace(net)
    assert any("≠ 0" in moment.worked for moment in shown.moments)
    tg.player(net)
