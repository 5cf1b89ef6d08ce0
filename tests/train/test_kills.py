"""Killed with -9 in the middle of anything, a run goes on as if it had not been."""

import importlib.util
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_bit_by_bit(tmp_path):
    spec = importlib.util.spec_from_file_location("kills", Path(__file__).with_name("kills.py"))
    kills = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kills)
    tries, equal = kills.killed(tmp_path, 5)
    assert tries <= 20
    assert all(equal)
