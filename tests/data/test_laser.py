"""The laser's series, out of another package that is not imported, and of no use if it is another file."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.data import DataError
from tinygrad_rnn.data.laser import FILE


def test_the_laser_is_set_a_and_what_follows():
    found = tg.data.laser()
    intensity = found.values[:, 0]
    assert found.values.shape == (10_093, 1)
    assert found.columns == found.target == ("intensity",)
    assert intensity[:4].tolist() == [86, 141, 95, 41]
    assert hashlib.sha256(intensity[:1000].astype(np.uint8).tobytes()).hexdigest().startswith("a402920bab7fbe96")
    assert intensity[:1000].var() == pytest.approx(2195.1, abs=0.05)
    assert intensity[1000:1100].var() == pytest.approx(3078.3, abs=0.05)
    assert not np.shares_memory(found.values, found.targets)


def test_the_package_that_has_it_is_not_imported():
    done = "import sys, tinygrad_rnn as tg; tg.data.laser(); print({'reservoirpy', 'scipy'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", done], capture_output=True, text=True).stdout.strip() == "set()"


def test_without_the_package_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"reservoirpy, which is not installed: pip install .*\[data\]"):
        tg.data.laser()


def test_another_file_is_refused_and_nothing_in_it_is_run(monkeypatch, tmp_path):
    class Spec:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr("importlib.util.find_spec", lambda name: Spec)
    (tmp_path / FILE).parent.mkdir()
    np.save(tmp_path / FILE, np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(DataError, match="is another file than that of reservoirpy"):
        tg.data.laser()
