"""What every test begins and ends with."""

import sys

import pytest


@pytest.fixture(autouse=True)
def no_figure_is_left_open():
    """A figure is kept by pyplot until it is closed, and of more than twenty it warns: whoever comes next would fail."""
    yield
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close("all")
