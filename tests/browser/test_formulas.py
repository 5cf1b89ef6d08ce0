"""Formulas as the site makes them, drawn by a browser with the font that the site brings."""

import base64
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "docs/_ext"))

import formulas

BOTTOMS = "() => [...document.querySelectorAll('msub > :last-child')].map(e => e.getBoundingClientRect().bottom)"


@pytest.fixture
def drawn(chromium, tmp_path):
    def drawn(tex):
        font = base64.b64encode(formulas.FONT.read_bytes()).decode()
        style = formulas.STYLE.format(font=font, range=formulas.RANGE)
        file = tmp_path / "formula.html"
        file.write_text(f"<!DOCTYPE html><meta charset=utf-8><style>{style}</style>{formulas.mathml(tex, block=False)}")
        page = chromium.new_page()
        page.goto(file.as_uri())
        page.evaluate("() => document.fonts.ready.then(() => 0)")
        assert page.evaluate("() => [...document.fonts].map(f => f.status)") == ["loaded"]
        return page

    return drawn


@pytest.mark.parametrize(
    ("tex", "says"),
    [(r"\nosuch{x}", "nosuch"), (r"\frac{1}{2", "frac"), (r"a \bowtie b", "the font has no ⋈: see RANGE")],
)
def test_what_is_no_formula_is_refused(tex, says):
    with pytest.raises(ValueError, match=says) as refused:
        formulas.mathml(tex, block=True)
    assert tex in str(refused.value)


def test_a_formula_of_a_book_is_xml_and_one_with_a_number_shows_it():
    assert formulas.mathml("x", block=False, in_xml=True).startswith('<math xmlns="http://www.w3.org/1998/Math/MathML"')
    assert "<mtext>(26)</mtext>" in formulas.mathml(r"x = 1 \tag{26}", block=True)


def test_indices_of_letters_with_and_without_a_foot_stand_on_one_line(drawn):
    page = drawn("d_k + y_k")
    first, second = page.evaluate(BOTTOMS)
    assert abs(first - second) < 0.5
    page.close()


def test_a_prime_can_be_seen(drawn):
    page = drawn("f'")
    letter, prime = page.evaluate(
        "() => ['mi', 'mo'].map(e => document.querySelector(e).getBoundingClientRect().height)"
    )
    assert prime > letter / 3
    page.close()
