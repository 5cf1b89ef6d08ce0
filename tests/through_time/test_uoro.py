"""UORO: noisy, and right on average; the average is taken over every choice of signs there is."""

import itertools
from itertools import product

import numpy as np
import pytest

import tinygrad_rnn as tg
from cell_cases import CELLS, C, Case, relative
from tinygrad_rnn.unfold.structure import flatten, rebuild


class Chosen(np.random.Generator):
    """A generator of signs that were chosen before."""

    def __new__(cls, _):
        return super().__new__(cls, np.random.PCG64())

    def __init__(self, signs):
        super().__init__(np.random.PCG64())
        self.signs = list(signs)

    def choice(self, _, shape):
        count = int(np.prod(shape))
        taken, self.signs = self.signs[:count], self.signs[count:]
        return np.reshape(taken, shape)


@pytest.mark.parametrize(
    ("cell", "sizes"),
    [(C.Guo(), (4, 1, 2, 3, 2)), (C.Guo(), (3, 2, 1, 2, 3)), (C.LSTM(), (4, 1, 2, 1, 3)), (C.GRU(), (4, 1, 3, 2, 2))],
)
def test_the_mean_over_all_signs_is_the_gradient_and_the_influence(cell, sizes):
    case = Case(cell, sizes)
    steps, parts = sizes[0], flatten(case.s0)
    bits = sum(s.size for s in parts) * (steps - 1)  # those of the last step change nothing any more
    rest = np.ones(sum(s.size for s in parts))
    mean = [dict.fromkeys(case.params, 0.0) for _ in range(steps)]
    influence = dict.fromkeys(case.params, 0.0)
    for signs in product([-1.0, 1.0], repeat=bits):
        rng = Chosen([*signs, *rest])
        for t, w in enumerate(tg.uoro(case.cell, case.params, case.x, case.d, s0=case.s0, rng=rng)):
            for name in case.params:
                mean[t][name] = mean[t][name] + w.grads[name] / 2**bits
            if t == steps - 2:
                s = w.carried["s"] if len(parts) == 1 else w.carried["s[0]"]
                for name in case.params:
                    influence[name] = influence[name] + np.multiply.outer(w.carried[name], s) / 2**bits
    exact = list(tg.rtrl(case.cell, case.params, case.x, case.d, s0=case.s0))
    for t in range(steps):
        for name in case.params:
            assert relative(mean[t][name], exact[t].grads[name]) < 1e-12, (t, name)
    for name, m in exact[-2].carried.items():
        if not name.endswith("[1]"):
            assert relative(influence[name.removesuffix("[0]")], m) < 1e-12, name


def test_one_choice_of_signs_is_not_the_gradient():
    case = Case(CELLS["guo"])
    (ours, *_), (true, *_) = (
        [w.grads["U"] for w in list(found)[-1:]]
        for found in (
            tg.uoro(case.cell, case.params, case.x, case.d, s0=case.s0, rng=0),
            tg.rtrl(case.cell, case.params, case.x, case.d, s0=case.s0),
        )
    )
    assert relative(ours, true) > 1e-2


def test_the_two_vectors_are_kept_of_one_length():
    """The terms of both have one length each, so that neither overflows while the other vanishes."""
    case = Case(CELLS["guo"])
    first, second, _ = (w.carried for w in itertools.islice(tg.uoro(case.cell, case.params, case.x, case.d, rng=0), 3))
    for carried in (first, second):
        of_weights = np.sqrt(sum((carried[name] ** 2).sum() for name in case.params))
        assert np.linalg.norm(carried["s"]) < 2 * of_weights < 4 * np.linalg.norm(carried["s"])
    np.testing.assert_allclose(np.linalg.norm(first["s"]), np.sqrt(sum((first[n] ** 2).sum() for n in case.params)))


def test_the_same_seed_gives_the_same_signs_and_memory_does_not_grow():
    case = Case(CELLS["two lstms"])
    runs = [list(tg.uoro(case.cell, case.params, case.x, case.d, s0=case.s0, rng=r)) for r in (3, 3, 4)]
    for one, two, _ in zip(*runs, strict=True):
        np.testing.assert_array_equal(one.grads["U_1"], two.grads["U_1"])
        assert one.carried_bytes == two.carried_bytes == runs[0][0].carried_bytes
        assert set(one.carried) == {"s[0]", "s[1]", "s[2]", "s[3]", *case.params}
    assert relative(runs[0][-1].grads["U_1"], runs[2][-1].grads["U_1"]) > 1e-6


def test_bad_input_is_refused_in_words():
    case = Case(CELLS["guo"])
    with pytest.raises(ValueError, match="loss='hinge'"):
        tg.uoro(case.cell, case.params, case.x, case.d, loss="hinge")
    with pytest.raises(ValueError, match="the stream is empty"):
        list(tg.uoro(case.cell, case.params, [], []))
    with pytest.raises(ValueError, match="s0 names the parameter 'b_j': this method takes arrays"):
        list(tg.uoro(case.cell, case.params, case.x, case.d, s0="b_j"))


def test_float32_stays_float32():
    case = Case(CELLS["two lstms"])
    case.params = {name: w.astype("float32") for name, w in case.params.items()}
    s0 = rebuild(case.s0, [s.astype("float32") for s in flatten(case.s0)])
    stream = case.x.astype("float32"), case.d.astype("float32")
    *_, last = tg.uoro(case.cell, case.params, *stream, loss=case.loss, s0=s0)
    arrays = [*last.grads.values(), *last.carried.values(), *flatten(last.state)]
    assert {a.dtype.name for a in arrays} == {"float32"}
