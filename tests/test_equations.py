"""Every equation of Guo's has a step that computes it, a line it comes from, and the oracle's number."""

import pytest

import equations
from tinygrad_rnn import guo


def test_all_are_there_in_order():
    assert list(equations.TABLE) == list(guo.EQUATIONS)


@pytest.mark.parametrize("found", list(equations.covered()), ids=lambda found: found.equation)
def test_a_step_computes_it_and_the_oracle_agrees(found):
    assert found.difference < equations.LIMIT
    assert found.step
    assert found.source
    assert callable(getattr(guo, found.oracle))


def test_an_equation_without_a_step_is_noticed():
    with pytest.raises(LookupError, match="no step at t = 4 computes G99"):
        equations.network().find("G99")
