"""What is shown twice in one page has its ids once; a page that is built twice is the same."""

import re
from collections import Counter

import pytest

import tinygrad_rnn as tg
from canonical import problem
from tinygrad_rnn.view import ids


@pytest.fixture
def shown():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    return [tg.draw(net), tg.player(net), tg.draw(net), tg.player(net)]


def page(shown, monkeypatch):
    """What a kernel that starts anew makes of them."""
    monkeypatch.setattr(ids, "_given", Counter())
    return "".join(part._repr_html_() for part in [*shown, *shown])


def test_ids_are_unique_in_a_page_and_the_same_in_each_build(shown, monkeypatch):
    text = page(shown, monkeypatch)
    found = re.findall(r'\bid="([^"]+)"', text)
    assert len(found) > 1000
    assert len(found) == len(set(found))
    assert page(shown, monkeypatch) == text


def test_each_player_finds_its_own_picture(shown, monkeypatch):
    for root, inside in re.findall(
        r'<section class="bptt" id="([^"]+)"(.*?)</section>', page(shown, monkeypatch), re.DOTALL
    ):
        assert {name.startswith(f"{root}-") for name in re.findall(r'\bid="([^"]+)"', inside)} == {True}


def test_a_file_is_the_same_however_often_its_player_was_shown(shown):
    player = shown[1]
    before = player.page()
    player._repr_html_()
    assert player.page() == before
