"""Who writes what another library calls a thing is told what it is called here."""

import inspect
from functools import reduce

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.autodiff.elsewhere import ELSEWHERE, name_here
from tinygrad_rnn.unfold.cells.base import OUTPUTS
from tinygrad_rnn.unfold.cells.simple import HIDDEN
from tinygrad_rnn.unfold.losses import LOSSES

CELL = tg.cells.Guo()
PARAMS = CELL.init(2, 3, 2, rng=0)
DATA = np.zeros((4, 1, 2)), np.eye(2)[[0, 1, 1, 0]][:, None]

FUNCTIONS = (tg.unfold, tg.train.Adam, CELL.init)
ARGUMENTS = {name for called in FUNCTIONS for name in inspect.signature(called).parameters}
ARGUMENTS |= {"optimiser"}  # of train.fit, which calls seed what is rng in these
WORDS = LOSSES.keys() | OUTPUTS.keys() | HIDDEN.keys()


@pytest.mark.parametrize("ours", ELSEWHERE)
def test_what_somebody_is_sent_to_is_there(ours):
    if ours not in ARGUMENTS | WORDS:
        assert callable(reduce(getattr, ours.split("."), tg))


@pytest.mark.parametrize("theirs", [name for names in ELSEWHERE.values() for name in names.split()])
def test_no_name_of_ours_is_taken_for_somebody_elses(theirs):
    names = [*tg.__all__, *tg.cells.__all__, *tg.train.__all__, *ARGUMENTS, *WORDS]
    assert name_here(theirs, names) in (None, *ELSEWHERE)
    assert theirs not in names


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (lambda: tg.cells.RNN, "'RNN': it is called tinygrad_rnn.cells.Guo here"),
        (lambda: tg.cells.SimpleRNNCell, "tinygrad_rnn.cells.Guo here"),
        (lambda: tg.cells.gru_cell, "tinygrad_rnn.cells.GRU here"),
        (lambda: tg.LSTM, "tinygrad_rnn.cells.LSTM here"),
        (lambda: tg.Adam, "tinygrad_rnn.train.Adam here"),
        (lambda: tg.train.Adamw, "tinygrad_rnn.train.AdamW here"),
        (lambda: tg.clip_grad_norm_, "tinygrad_rnn.train.clip_by_norm here"),
        (lambda: tg.unroll, "tinygrad_rnn.unfold here"),
    ],
)
def test_a_module_sends_to_its_own_name(asked, says):
    with pytest.raises(AttributeError, match=says):
        asked()


@pytest.mark.parametrize("module", [tg, tg.cells, tg.train])
def test_a_name_that_nobody_has_is_just_not_there(module):
    with pytest.raises(AttributeError, match=rf"^module '{module.__name__}' has no attribute 'spam'$"):
        _ = module.spam
    assert not hasattr(module, "__rnn__")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("mse", "squared_error"),
        ("MSELoss", "squared_error"),
        ("cross-entropy", "cross_entropy"),
        ("BCE", "cross_entropy"),
    ],
)
def test_a_cost_is_told_with_what_it_is(theirs, ours):
    first = inspect.getdoc(LOSSES[ours]).splitlines()[0]
    with pytest.raises(ValueError, match="it is one of cross_entropy, squared_error") as error:
        tg.unfold(CELL, PARAMS, *DATA, loss=theirs)
    assert str(error.value).endswith(f"What others call {theirs} is {ours} here: {first}")


@pytest.mark.parametrize(("theirs", "ours"), [("logistic", "sigmoid"), ("linear", "identity"), ("ReLU", "relu")])
def test_an_activation(theirs, ours):
    with pytest.raises(ValueError, match=f"What others call {theirs} is {ours} here"):
        tg.cells.Guo(f=theirs)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tg.train.fit("gru", None, out="a", optimizer="adam"), "optimizer is called optimiser here"),
        (lambda: CELL.init(input_size=2, hidden_size=3, output_size=2), "hidden_size is called n_hidden here"),
        (lambda: tg.train.Adam(lr=0.1), "lr is called eta here"),
        (lambda: tg.unfold(CELL, PARAMS, *DATA, h0=None), "h0 is called s0 here"),
    ],
)
def test_an_argument(call, says):
    with pytest.raises(TypeError, match=says):
        call()


def test_an_argument_that_fits_no_name_is_not_explained_away():
    with pytest.raises(TypeError) as error:
        tg.unfold(CELL, PARAMS, *DATA, lr=0.1)  # it takes no step, so it has no step size
    assert "is called eta" not in str(error.value)


def test_unknown_words_are_refused_without_a_guess():
    for call in (lambda: tg.unfold(CELL, PARAMS, *DATA, loss="spam"), lambda: tg.cells.Guo(f="spam")):
        with pytest.raises(ValueError, match="one of") as error:
            call()
        assert "others" not in str(error.value)
