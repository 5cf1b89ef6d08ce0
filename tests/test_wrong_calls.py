"""Every public function, called with one argument that is none: an error of ours, and none from inside Python or NumPy.

Each argument of each function is given some thirty things in turn, all others being right.
"""

import inspect
import traceback
import warnings
from itertools import islice

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.through_time import fewest_plays

T, B = 4, 2
rng = np.random.default_rng(0)
CELL = tg.cells.Guo(f="tanh", g="softmax")
PARAMS = CELL.init(n_in=3, n_hidden=4, n_out=2, rng=0)
X, D = rng.normal(size=(T, B, 3)), np.eye(2)[rng.integers(2, size=(T, B))]


def params():
    return {name: w.copy() for name, w in PARAMS.items()}


def net():
    made = tg.unfold(CELL, params(), X, D)
    made.backward()
    return made


def one_unit():
    cell = tg.cells.Guo(f="tanh", g="identity")
    made = tg.unfold(
        cell, cell.init(n_in=1, n_hidden=1, n_out=1, rng=0), X[:, :1, :1], D[:, :1, :1], loss="squared_error"
    )
    made.backward()
    return made


def flow_graph():
    return tg.flow_graph(one_unit(), "U", (0, 0))


def tape():
    return net().tape


MADE = (params, net, one_unit, flow_graph, tape, tg.Tape)  # anew for each call
WRONG = [
    *(None, 3, -1, 0, 99, 1.5, float("nan"), float("inf"), True, 1j, 2**63, "a", "", b"x", object(), int),
    *([], [1, 2], [[1], [2, 3]], (), (1, 2, 3), {}, {"a": 1}, {1, 2}, range(3), lambda: 0),
    *(
        np.zeros((2, 2)),
        np.zeros(0),
        np.array(["a"]),
        np.array([None]),
        np.full((T, B, 3), np.nan),
        np.zeros(3, complex),
    ),
    *(np.zeros((T, B, 3), int), np.array(2.5), np.array([True])),
]
SEQUENCE = {"cell": CELL, "params": params, "x": X, "d": D}
CALLS = {
    tg.unfold: {**SEQUENCE, "mask": np.ones((T, B)), "losses": [T]},
    tg.cut: {"net": net, "at": 2},
    tg.influence: {"net": net, "name": "U"},
    tg.influence_norms: {"net": net, "name": "U"},
    tg.truncated: {**SEQUENCE, "k1": 1, "k2": 2},
    tg.truncated_gradient: {"net": net, "k1": 1, "k2": 2},
    tg.truncation_mask: {"T": T, "k1": 1, "k2": 2},
    tg.williams_peng: {**SEQUENCE, "h": 2},
    tg.epochwise: {**SEQUENCE, "h": 2},
    tg.wikipedia: {**SEQUENCE, "k": 2},
    tg.naive_splitting: {**SEQUENCE, "k": 2},
    tg.artbp: {**SEQUENCE, "c": 0.5},
    tg.artbp_gradient: {"net": net, "c": 0.5},
    tg.checkpointed: {**SEQUENCE, "every": 2},
    fewest_plays: {"segments": 4, "memory": 2},
    tg.eprop: SEQUENCE,
    tg.rtrl: SEQUENCE,
    tg.uoro: SEQUENCE,
    tg.fixed_memory: {**SEQUENCE, "taps": 3, "mu": 0.5},
    tg.untie: {"params": params, "T": T},
    tg.flow_graph: {"net": one_unit, "weight": "U", "entry": (0, 0)},
    tg.transfer: {"graph": flow_graph},
    tg.transposed: {"graph": flow_graph},
    tg.graph: {"tape": tape},
    tg.check: {"f": tg.ops.tanh, "args": 0.5},
    tg.ledger: {"net": net, "weight": "U"},
    tg.trace: {"net": net},
    tg.player: {"net": net},
    tg.draw_flow: {"graph": flow_graph},
    tg.Unfolded.backward: {"self": net},
    tg.Unfolded.replay: {"self": net},
    tg.Unfolded.steps: {"self": net},
    tg.Unfolded.check: {"self": net},
    tg.Unfolded.tangents: {"self": net, "tangents": lambda: {"U": np.ones((4, 4))}},
    tg.Tape.leaf: {"self": tg.Tape, "value": 1.0},
    tg.Tape.backward: {"self": tape},
}
# On the tape, what every node passes through, or who runs one pass, is not asked again.
LEFT_OUT = {
    (tg.Tape.leaf, "name"),
    (tg.Tape.leaf, "copy"),
    (tg.Tape.backward, "until"),
    (tg.Tape.backward, "besides"),
}
EACH = [
    pytest.param(function, p, id=f"{function.__qualname__}-{p}")
    for function in CALLS
    for p in inspect.signature(function).parameters
    if (function, p) not in LEFT_OUT and p not in ("self", "highlight", "title")
]


def called(function, given):
    """The error of a call; iterators are run for a while."""
    made = {name: v() if any(v is made for made in MADE) else v for name, v in given.items()}
    several = [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.VAR_POSITIONAL]
    first = [
        made.pop(name)
        for name in inspect.signature(function).parameters
        if several and name in ("net", "f") and name in made
    ]
    rest = [made.pop(name) for name in several if name in made]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found = function(*first, *rest, **made)
            for _ in islice(found, 20) if inspect.isgenerator(found) else ():
                pass
        except Exception as error:
            return error
    return None


@pytest.mark.parametrize("function", CALLS)
def test_the_right_calls_are_right(function):
    assert called(function, resolved(CALLS[function])) is None


def resolved(given):
    return {name: v() if callable(v) and name == "tangents" else v for name, v in given.items()}


@pytest.mark.parametrize(("function", "argument"), EACH)
def test_a_wrong_argument_is_refused_in_our_words(function, argument):
    for wrong in WRONG:
        error = called(function, {**resolved(CALLS[function]), argument: wrong})
        if error is not None:
            last = traceback.extract_tb(error.__traceback__)[-1]
            assert "tinygrad_rnn" in last.filename, (wrong, error)
            assert "raise" in last.line or last.name.startswith("_refuse"), (wrong, error)


def test_they_are_many():
    assert len(EACH) * len(WRONG) > 4000


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: tg.unfold(CELL, None, X, D), "unfold: params=None: it must be a mapping"),
        (lambda: tg.unfold(CELL, params(), X, D, losses=3), "unfold: losses=3: it must be a sequence"),
        (lambda: tg.unfold(CELL, params(), X), "unfold: missing a required argument: 'd'"),
        (lambda: tg.unfold(int, params(), X, D), "unfold: cell=<class 'int'>: it must be one of"),
        (lambda: tg.cut(3), "cut: net=3: it must be a network"),
        (lambda: tg.cut(net(), "a"), "'a'"),
        (lambda: tg.ledger(net(), 7), "ledger: weight=7: it is a string"),
        (lambda: tg.truncated(CELL, params(), X, D, k1="a", k2=2), "k1='a'"),
        (lambda: tg.draw(None), "draw(None): pass a network"),
        (lambda: tg.trace(net(), 99), "of=99: it is a time step, an integer from 1 to 4"),
        (lambda: net().backward(later="a"), "later holds <U1"),
        (lambda: tg.artbp(CELL, params(), X, D, c=0.5, rng=-1), "rng=-1: it must be a seed, a whole number"),
    ],
)
def test_what_is_said_names_the_argument_and_what_must_hold(wrong, said):
    with pytest.raises((TypeError, ValueError)) as caught:
        wrong()
    assert said in str(caught.value)


def test_an_influence_that_has_no_room_is_refused_before_it_is_asked_for():
    cell = tg.cells.Guo(f="tanh", g="softmax")
    x, d = np.zeros((20_000, 1, 3)), np.tile([1.0, 0.0], (20_000, 1, 1))
    long = tg.unfold(cell, cell.init(n_in=3, n_hidden=4, n_out=2, rng=0), x, d)
    with pytest.raises(ValueError, match=r"the influence of U is an array \(20000, 20000, 4, 4\), 48 GiB: see"):
        tg.influence(long, "U")
