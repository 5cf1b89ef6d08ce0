"""What every test begins and ends with."""

import sys

import pytest


@pytest.fixture(autouse=True)
def no_figure_is_left_open():
    """Pyplot keeps a figure until it is closed, and warns of more than twenty: whoever comes next would fail."""
    yield
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close("all")
