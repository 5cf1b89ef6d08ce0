"""Guesses: what each means is said in one place, for the terminal and for the page."""

import json
import re

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem
from tinygrad_rnn.view.guess import answers, judge, question


@pytest.fixture(scope="module")
def shown():
    p = problem()
    return tg.trace(tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0))


def test_each_foreseen_guess_gets_its_verdict(shown):
    for m in shown.moments:
        assert judge(m, f"{m.value:.3f}").startswith("Right: ")
        assert judge(m, f"{m.value:.2f}".replace("-", "−").replace(".", ",")).startswith("Right: ")
        assert judge(m, str(m.value + 9)).startswith(f"Not {m.value + 9}. Work out {m.text} ")
        assert judge(m, "abc") == judge(m, "") == "Write a number, such as −0.25."
        verdicts = [answer.verdict for answer in answers(m)]
        assert len(verdicts) == 2 + 2 * len(m.terms)
        for term, worth in m.terms:
            assert judge(m, str(m.value - worth)) in verdicts
            assert {f"One term is missing: {term}.", f"One term has the wrong sign: {term}."} <= set(verdicts)


def test_near_is_two_decimals_or_two_digits(shown):
    small = next(m for m in shown.moments if 0.05 < abs(m.value) < 0.2)
    large = next(m for m in shown.moments if abs(m.value) > 1)
    for m, off in ((small, 0.005), (large, 0.019 * large.value)):
        assert judge(m, str(m.value + off)).startswith("Right")
        assert judge(m, str(m.value - off)).startswith("Right")
        assert not judge(m, str(m.value + 1.2 * off)).startswith("Right")


def test_the_page_holds_the_same(shown):
    held = re.findall(r'class="bptt-guess">(.*?)</script>', tg.player(shown).page())
    assert len(held) == len(shown)
    for text, m in zip(held, shown.moments, strict=True):
        found = json.loads(text)
        assert found["question"] == question(m)
        assert found["answers"] == [list(answer) for answer in answers(m)]
        assert judge(m, "1e9") == f"Not 1e9. {found['otherwise']}"


def test_the_page_names_the_cost_that_the_error_starts_from(shown):
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    assert "What each copy of U contributes to ∂C/∂U<" in tg.player(shown).page()
    assert "What each copy of U contributes to ∂C(2)/∂U<" in tg.player(net, of=2).page()


def test_what_is_not_finite_is_not_asked_for():
    p = problem()
    p.x[2, 0, 1] = np.inf
    with np.errstate(all="ignore"):
        shown = tg.trace(tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0))
    m = shown.moments[shown.find(-1, value=None)]
    assert (question(m), answers(m)) == ("", [])
    assert tg.player(shown).page().count("bptt-guess") < len(shown)
