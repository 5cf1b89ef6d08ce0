"""Each system's own formula, fed as its row of the table says, computes our net."""

import inspect

import numpy as np
import pytest

import notation
import tinygrad_rnn as tg
from canonical import problem

P = problem("tanh", "softmax")
NET = tg.unfold(P.cell, P.params, P.x, P.d, s0=P.s0)
OURS = np.stack([s.value for s in NET.states[1:]]), np.stack([y.value for y in NET.outputs])


def off(system, weights):
    """How far its outputs are from ours, at most."""
    return max(np.abs(a - b).max() for a, b in zip(notation.play(system, weights, P.x, P.s0), OURS, strict=True))


@pytest.mark.parametrize("name", notation.SYSTEMS)
def test_it_computes_our_hidden_units_and_outputs(name):
    system = notation.SYSTEMS[name]
    assert off(system, notation.translated(system, P.params)) < 1e-12


@pytest.mark.parametrize("name", notation.SYSTEMS)
@pytest.mark.parametrize("ours", ["U", "b_j", "b_k"])
def test_a_wrong_row_would_be_noticed(name, ours):
    system = notation.SYSTEMS[name]
    wrong = {**P.params, ours: P.params[ours].T if ours == "U" else 0 * P.params[ours]}
    assert off(system, notation.translated(system, wrong)) > 1e-3


@pytest.mark.parametrize("name", notation.SYSTEMS)
def test_each_weight_of_ours_has_a_name_there_and_each_name_is_used(name):
    system = notation.SYSTEMS[name]
    assert list(system.weights) == list(notation.NAMES)
    assert sorted(notation.NAMES) == sorted(P.params)
    names = [theirs.replace(".", "_") for row in system.weights.values() for theirs in row]
    assert sorted(names) == sorted(list(inspect.signature(system.step).parameters)[2:])


def test_the_row_of_pytorch_is_what_to_torch_writes():
    rnn, linear = P.cell.to_torch(P.params)
    written = {f"rnn.{name}": w for name, w in rnn.items()} | {f"linear.{name}": w for name, w in linear.items()}
    row = notation.translated(notation.SYSTEMS["PyTorch"], P.params)
    assert row.keys() == written.keys()
    assert all(np.array_equal(row[name], written[name]) for name in row)


def test_the_table_says_which_letters_are_permuted_and_which_matrices_are_turned():
    head, *rows = notation.table()
    book, d2l = head.index("Goodfellow et al."), head.index("d2l")
    assert [row[book] for row in rows[:3]] == [
        "`U` = `V`<br>`(m, l)`",
        "`W` = `U`<br>`(m, m)`",
        "`V` = `W`<br>`(o, m)`",
    ]
    assert [row[d2l] for row in rows[:2]] == ["`W_xh` = `V.T`<br>`(l, m)`", "`W_hh` = `U.T`<br>`(m, m)`"]
