"""Guesses: what each means is said in one place, for the terminal and for the page."""

import json
import re

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem
from tinygrad_rnn.view.guess import answers, judge, question
from tinygrad_rnn.view.page_data import quiet


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


def held(shown):
    """What a page holds: for each step, what is asked for, and what each answer means."""
    data = json.loads(re.search(r'class="bptt-data">(.*?)</script>', tg.player(shown).page())[1])
    return data["says"], data["near"], [step.get("ask") for step in data["steps"]]


def test_the_page_holds_the_same(shown):
    says, near, asked = held(shown)
    assert [ask is not None for ask in asked] == [bool(question(m)) and not quiet(m) for m in shown.moments]
    for ask, m in zip(asked, shown.moments, strict=True):
        if ask is None:
            continue
        what, foreseen = ask
        for (number, kind, term), answer in zip(foreseen, answers(m), strict=True):
            assert says[kind].format(what[term]) == answer.verdict
            off = max(near[0], near[1] * abs(number))  # as the script has it
            np.testing.assert_allclose([number - off, number + off], answer[:2], rtol=6e-4)


def test_a_number_is_foreseen_once(shown):
    for m in shown.moments:
        lows = [answer.low for answer in answers(m)]
        assert len(lows) == len(set(lows))


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
    assert held(shown)[2][shown.moments.index(m)] is None
