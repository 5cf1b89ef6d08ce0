"""What comes after the training part teaches nothing: change it, and every weight is the same, to the last bit."""

import numpy as np
import pytest

from small_runs import SENTENCES, a_table, a_text, fitted, same_weights
from tinygrad_rnn.train import scaling, series

ROWS = 90
KNOWN = 81  # of a tenth for validation
T = np.arange(ROWS)
VALUES = np.stack([np.sin(T / 3), np.cos(T / 5) + 0.1 * T], axis=1) + 0.1 * np.random.default_rng(2).normal(
    size=(ROWS, 2)
)
AB = {"header": "a,b", "target": "b"}


def series_run(out, values, **options):
    return fitted(out, a_table(values, **AB), "lstm", **{"batch": 1, "updates": 12, "decay": "none"} | options)


def changed(values):
    values = values.copy()
    values[KNOWN:] = 1000 * values[KNOWN:] + 7
    return values


def weights_differ(tmp_path):
    return not same_weights(series_run(tmp_path / "a", VALUES), series_run(tmp_path / "b", changed(VALUES)))


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
@pytest.mark.parametrize("horizon", [1, 5])
def test_values_after_the_split_teach_nothing(tmp_path, scale, horizon):
    runs = [
        series_run(tmp_path / name, values, scale=scale, horizon=horizon, k2=10)
        for name, values in (("a", VALUES), ("b", changed(VALUES)))
    ]
    assert same_weights(*runs)
    assert runs[0].known == runs[1].known
    assert runs[0].history != runs[1].history  # the prices are others


def test_nor_do_they_if_two_parts_are_kept_aside(tmp_path):
    values = VALUES.copy()
    values[63:] *= -3
    runs = [series_run(tmp_path / str(k), each, validate=0.2, test=0.1) for k, each in enumerate((VALUES, values))]
    assert same_weights(*runs)


def test_a_scaler_that_saw_all_rows_is_noticed(tmp_path, monkeypatch):
    real = scaling.scaler
    whole = iter([VALUES, VALUES[:, 1:], changed(VALUES), changed(VALUES)[:, 1:]])
    monkeypatch.setattr(scaling, "scaler", lambda kind, values: real(kind, next(whole)))
    assert weights_differ(tmp_path)


def test_a_target_from_behind_the_split_is_noticed(tmp_path, monkeypatch):
    real = series.parts
    monkeypatch.setattr(series, "parts", lambda *how: real(*how)._replace(validation=KNOWN + 1))
    assert weights_differ(tmp_path)


def with_a_gap(values):
    """Rows 78 to 83 have no value: the gap reaches over the split."""
    lines = [[str(a), str(b) if not 78 <= k < 84 else ""] for k, (a, b) in enumerate(values)]
    return a_table(lines, **AB, missing="interpolate")


@pytest.mark.parametrize("planted", [False, True])
def test_a_gap_over_the_split_is_not_filled_from_behind(tmp_path, monkeypatch, planted):
    if planted:
        monkeypatch.setattr(series, "unseen", lambda numbers, gaps, known: numbers)
    options = {"batch": 1, "updates": 12, "decay": "none", "k1": 10}
    runs = [
        fitted(tmp_path / name, with_a_gap(values), "lstm", **options)
        for name, values in (("a", VALUES), ("b", changed(VALUES)))
    ]
    assert same_weights(*runs) is not planted


def test_other_characters_after_the_split_teach_nothing(tmp_path):
    split = len(SENTENCES) - round(0.1 * len(SENTENCES))
    other = SENTENCES[:split] + SENTENCES[split:][::-1].swapcase().lower()
    assert other != SENTENCES
    runs = [fitted(tmp_path / str(k), a_text(text), decay="none") for k, text in enumerate((SENTENCES, other))]
    assert same_weights(*runs)
    before = SENTENCES[:5] + SENTENCES[5:20][::-1] + SENTENCES[20:]
    assert not same_weights(runs[0], fitted(tmp_path / "before", a_text(before), decay="none"))


def test_the_last_character_of_a_row_is_not_asked_for_the_next_row(tmp_path):
    from tinygrad_rnn.train.run import TASKS
    from tinygrad_rnn.train.settings import resolved

    given = {"batch": 3, "k1": 5, "optimiser": "adam", "validate": 0.0, "test": 0.0, "layers": 1, "dtype": "float32"}
    given |= {"seed": 0, "losses": "new", "reduction": "mean", "clip_by": "norm", "scale": "standard", "horizon": 1}
    text = "abcdefghijklmnopqrstuvwxyz"
    task = TASKS["text"](a_text(text), resolved("text", given))
    read = ["".join(text[c] for c in task.x.codes[:, p]) for p in range(3)]
    told = ["".join(text[c] for c in task.d.codes[:, p]) for p in range(3)]
    assert read == ["abcdefg", "ijklmno", "qrstuvw"]
    assert told == ["bcdefgh", "jklmnop", "rstuvwx"]
    assert (task.x[2:4].argmax(axis=-1) == task.x.codes[2:4]).all()
    assert task.x[:].sum() == 21
