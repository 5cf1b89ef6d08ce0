"""On the page of a lesson no letter has two meanings, and none has no meaning."""

import re

import pytest

import letters
from tinygrad_rnn.view import lessons

PAGE = letters.NOTATION.read_text("utf-8")
BASE = letters.of_the_project(PAGE)


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.number)
def test_every_letter_of_a_lesson_has_one_meaning(lesson):
    assert letters.faults(lesson.text, BASE) == []


def test_the_page_declares_what_it_uses():
    own = re.sub(r"```.*?```|^\|.*?$", "", PAGE.split("\n## The same weights")[0], flags=re.MULTILINE | re.DOTALL)
    used = {use.letter for latex in letters.formulas(own) for use in letters.uses(latex)}
    assert {"x", "s", "v", "u", "net"} <= used
    assert used - BASE.keys() <= {"a", "e", "k_2"}  # other people's letters, as it says there


@pytest.mark.parametrize(
    ("latex", "used"),
    [
        (r"\sum_i^l x_i(t)\, v_{ji}", [("i", "BELOW"), ("l", "ABOVE_SUM"), ("x", "WITH_INDEX"), ("i", "BELOW")]),
        (r"f'(\mathrm{net}_\mathrm{i}) + g(s)", [("f", "PRIMED"), ("g", "CALLED"), ("s", "ALONE")]),
        (r"\frac{e^{y}}{k_1 + T^2}", [("y", "ALONE"), ("k_1", "ALONE"), ("T", "TO_A_POWER")]),
        (r"\sum_{t=1}^{T} d^\top", [("t", "BELOW"), ("T", "ABOVE_SUM"), ("d", "ALONE")]),
    ],
)
def test_a_letter_is_seen_where_it_stands(latex, used):
    found = list(letters.uses(latex))[: len(used)]
    assert found == [letters.Use(letter, getattr(letters, place)) for letter, place in used]


def lesson(text, *rows):
    """A lesson with this text, and a table of these rows at its head."""
    table = ["| here | what it is | Guo | elsewhere |", "|---|---|---|---|", *rows] if rows else []
    return "\n".join(["# %% [markdown]", *(f"# {line}" for line in ["Title", "", *table, "", text]), ""])


SIGMA = r"| $\sigma$ | a number | | |"


@pytest.mark.parametrize(
    ("text", "rows", "said"),
    [
        (r"so $s_j = \sigma x_i$", [], "sigma is declared nowhere"),
        (r"so $s_j = \sigma x_i$", [SIGMA, "| $q$ | counts boxes | | |"], "q is declared and not used"),
        ("the gate $i$, and $x_i$", ["| $i$ | a gate | | |"], "stands below another letter"),
        ("the gate $f$, and $f'(s)$", ["| $f$ | a gate | | |"], "stands with a prime"),
        ("what is put in, $p_k$", [], "stands with an index"),
        ("the taps $g_k$", [], "stands with an index"),
        ("the box $x_l$", [], "stands below another letter"),
        ("the kept $k^2$", [], "stands to a power"),
        ("the state $x$", ["| $x$ | the state | | |"], "x has two meanings"),
        ("the boxes $k$", ["| $k$ | counts boxes | | |"], "k has two meanings"),
        ("the steps $x$", ["| $x$ | how many steps | | |"], "x has two meanings"),
    ],
)
def test_a_letter_with_two_meanings_or_none_is_found(text, rows, said):
    assert any(said in fault for fault in letters.faults(lesson(text, *rows), BASE))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (r"$i = \sigma(x)$", ["| $i$ | a gate | | |", r"| $\sigma$ | function: the logistic one | | |"]),
        ("$A^z x$ for each $z$", ["| $z$ | how many steps | | |", "| $A$ | a matrix | | |"]),
    ],
)
def test_a_letter_that_is_given_away_properly_is_let_through(text, rows):
    assert letters.faults(lesson(text, *rows), BASE) == []


def test_twice_in_one_table_is_refused():
    with pytest.raises(ValueError, match="declared twice"):
        letters.faults(lesson("$q$", "| $q$ | counts boxes | | |", "| $q$ | a number | | |"), BASE)


def test_lesson_16_as_it_was_is_found():
    """Its proof numbered the boxes with the letters of the outputs and of the inputs' size."""
    was = r"$x_k = p_k + \sum_l a_{kl} x_l$"
    found = letters.faults(lesson(was), BASE)
    assert {fault.split()[0] for fault in found} == {"a", "l", "p"}
