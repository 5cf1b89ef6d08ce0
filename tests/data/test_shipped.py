"""The data that the package brings: the files that they were, with a licence, and read by the reader's own rules."""

import hashlib
from importlib import resources

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.data import DataError
from tinygrad_rnn.data.shipped import SHIPPED

FOLDER = resources.files("tinygrad_rnn.data") / "public_domain"


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda shipped: shipped.file)
def test_a_file_is_the_one_it_was_and_has_a_licence(shipped):
    assert hashlib.sha256((FOLDER / shipped.file).read_bytes()).hexdigest() == shipped.sha256
    assert shipped.licence == "public domain"
    assert "public" in shipped.source.rpartition("which says: ")[2]


def test_no_file_is_without_a_line():
    assert {path.name for path in FOLDER.iterdir()} == {shipped.file for shipped in SHIPPED}


def test_the_series_are_what_is_known_of_them():
    found = tg.data.sunspots()
    assert found.columns == ("SUNACTIVITY",)
    assert found.values.shape == (309, 1)
    assert found.values[1957 - 1700] == found.values.max() == 190.2
    assert found.values[1810 - 1700] == found.values.min() == 0
    found = tg.data.nile()
    assert found.columns == ("volume",)
    assert found.values.shape == (100, 1)
    assert found.values[:28].mean() > found.values[28:].mean() + 200


def test_gaps_are_refused_until_it_is_said_what_to_do_with_them():
    with pytest.raises(DataError, match=r"co2.csv, line 8, column 2 'co2'.* 59 are missing .* pass missing="):
        tg.data.co2()
    found = tg.data.co2(missing="interpolate")
    assert found.values.shape == (2284, 1)
    assert found.gaps[:, 0].sum() == 59
    assert np.isfinite(found.values).all()
    assert len(tg.data.co2(missing="drop").values) == 2284 - 59
    assert found.dates[0] == "19580329"
    assert "NOTE" not in repr(found)  # a week lies between any two


def test_the_text_is_the_constitution():
    found = tg.data.constitution()
    assert (len(found.text), len(found.alphabet)) == (45_345, 71)
    assert "We the People of the United States" in found.text
