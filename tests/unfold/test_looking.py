"""A cell that looks at a number while it is recorded: what it decides by it holds for that number alone."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem

P = problem()


def branches(params, x, s):
    s, y = P.cell(params, x, s)
    return (s * 0.5 if float(s.value.sum()) > 0 else s), y


def scales(params, x, s):
    return P.cell(params, x * (1 + 0.1 * x.value.sum()), s)


def prints(params, x, s):
    s, y = P.cell(params, x, s)
    print(y.value.max())
    return s, y


def loss(y, d):
    return tg.ops.squared_error(y, d) * float(d.value.max())


CELLS = [branches, scales, prints]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.__name__)
def test_other_numbers_are_refused_or_recorded_anew(cell):
    net = tg.unfold(cell, P.params, P.x, P.d, s0=P.s0)
    assert net.replay() == net.loss  # nothing is another number
    for new in ({"x": P.x + 1, "d": P.d}, {"s0": P.s0 + 1}):
        with pytest.raises(tg.TapeError, match=r"the cell looked at the value of \w+\(1\) while it was recorded"):
            net.replay(**new)
    params = {name: w.copy() for name, w in P.params.items()}
    net = tg.unfold(cell, params, P.x, P.d, s0=P.s0)
    params["U"] *= 0.5
    with pytest.raises(tg.TapeError, match="or unfold again"):
        net.replay()
    many = tg.Network(cell, P.params)
    for x in (P.x, P.x + 1, P.x - 1):
        assert many(x, P.d, s0=P.s0).loss == tg.unfold(cell, P.params, x, P.d, s0=P.s0).loss


def test_a_loss_that_looks_is_no_better():
    net = tg.unfold(P.cell, P.params, P.x, P.d, s0=P.s0, loss=loss)
    with pytest.raises(tg.TapeError, match=r"the value of d\(1\)"):
        net.replay(P.x, P.d[::-1])


def test_whoever_plays_a_piece_at_another_place_is_told():
    net = tg.unfold(prints, P.params, P.x, P.d, s0=P.s0)
    assert "looked at the value of" in str(net.difference)
    with pytest.raises(ValueError, match="looked at the value of"):
        tg.checkpointed(prints, P.params, P.x, P.d, s0=P.s0, every=2)


def test_whoever_looks_afterwards_changes_nothing():
    net = tg.unfold(P.cell, P.params, P.x, P.d, s0=P.s0)
    assert np.isfinite(net.outputs[0].value).all()
    net.backward()
    net.tape.differentiate(net.cost, [net.weights["U"]])
    assert net.tape.looked is None
    assert net.replay(P.x + 1, P.d) == pytest.approx(tg.unfold(P.cell, P.params, P.x + 1, P.d, s0=P.s0).loss, rel=1e-13)


@pytest.mark.parametrize(
    "slip",
    [
        lambda outside, s: s @ outside["U"].T,
        lambda outside, s: tg.ops.linear(s, outside["U"]),
        lambda outside, s: s + outside["b_j"],
        lambda outside, s: outside["b_j"][:] * s,
    ],
)
def test_a_weight_that_is_read_from_outside_is_no_constant(slip):
    params = P.params

    def cell(copies, x, s):
        s, y = P.cell(copies, x, s)
        return slip(params, s), y

    with pytest.raises(ValueError, match=r"t=1.*the parameter '(U|b_j)' is read from outside the cell's arguments"):
        tg.unfold(cell, params, P.x, P.d, s0=P.s0)
