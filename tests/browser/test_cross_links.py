"""The links that the site makes itself: from words to the glossary, from numbers to equations and lessons, and back."""

import inspect
import re

import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.view import lessons

LESSONS = lessons.lessons()
MADE = """kind => [...document.querySelectorAll(`article a.to-${kind}`)].map(a =>
  ({ text: a.textContent, page: a.pathname.split('/').pop(), id: a.hash.slice(1), title: a.title }))"""
GLOSSARY = """() => Object.fromEntries([...document.querySelectorAll('dl.glossary dt')].map(dt =>
  [dt.id, dt.firstChild.textContent.trim().toLowerCase()]))"""


@pytest.fixture(scope="module")
def glossary(site, visit):
    """The words of the glossary, by the id that a link names."""
    page = visit(site / "glossary.html").page
    yield page.evaluate(GLOSSARY)
    page.close()


@pytest.fixture(scope="module", params=LESSONS, ids=lambda lesson: lesson.path.stem)
def lesson(request):
    return request.param


@pytest.fixture(scope="module")
def page(site, visit, lesson):
    page = visit(site / "lessons" / f"{lesson.path.stem}.html").page
    yield page
    page.close()


def test_a_term_is_linked_where_it_is_first_used(page, glossary):
    links = page.evaluate(MADE, "term")
    assert links
    assert {link["page"] for link in links} == {"glossary.html"}
    assert len({link["id"] for link in links}) == len(links)
    for link in links:
        word = glossary[link["id"]]
        assert len(link["title"]) > 20
        assert not re.search(r"[\\$]", link["title"])
        assert link["text"].lower() in (word, f"{word}s", f"{word[:-1]}ies"), link


def test_a_number_leads_to_its_equation_or_lesson(page, lesson):
    for link in page.evaluate(MADE, "equation"):
        assert link["title"].startswith(link["text"])
        assert (link["page"], link["id"]) == ("equations.html", f"equation-G{link['text'].strip('()')}")
    for link in page.evaluate(MADE, "lesson"):
        assert "Goal: " in link["title"]
        assert not re.search(r"[\\$]", link["title"])
        assert int(link["page"][:2]) == int(re.search(r"\d+", link["text"])[0]) != lesson.number


def test_what_a_lesson_needs_can_be_reached_from_its_head(page, lesson):
    needed = {int(number) for number in re.findall(r"\d+", lesson.head["Needs"])}
    links = page.locator("article h1 ~ ul").first.locator("a.to-lesson").all_text_contents()
    assert {int(re.search(r"\d+", text)[0]) for text in links} >= needed


def test_nothing_in_a_heading_or_in_a_program_is_linked(page):
    assert (
        page.locator("article :is(h1, h2, h3, pre, code, .math) a:is(.to-term, .to-equation, .to-lesson)").count() == 0
    )


def test_an_equation_names_the_lessons_that_name_it(site, visit):
    page = visit(site / "equations.html").page
    ids = page.evaluate("() => [...document.querySelectorAll('[id^=equation-G]')].map(e => e.id)")
    assert ids == [f"equation-G{n}" for n in range(1, 29)]
    told = page.evaluate("""() => [...document.querySelectorAll('article p')].map(p => p.textContent)
      .filter(text => text.startsWith('Read about it in lesson'))""")
    assert len(told) == 28
    assert told[25] == "Read about it in lesson 7, 8, 19, 22."  # (26)
    assert told[10] == "Read about it in lesson 5, 7."  # lesson 5 says "Equations (10) to (12)"
    assert told[11] == "Read about it in lesson 5, 6, 7, 8, 16, 19."
    page.close()


def test_an_old_link_to_the_api_leads_on(site, visit):
    page = visit(site / "api.html").page
    links = page.evaluate("""() => Object.fromEntries([...document.querySelectorAll('article a[id]')]
      .map(a => [a.id, [a.pathname.split('/').pop(), a.hash.slice(1)]]))""")
    # A module is a page, not a name on one.
    public = {name for name in tg.__all__ if not inspect.ismodule(getattr(tg, name))} - {"__version__"}
    assert {name for name in public if f"tinygrad_rnn.{name}" in links} == public
    html = {}
    for name, (file, anchor) in links.items():
        html.setdefault(file, (site / "api" / file).read_text("utf-8"))
        assert anchor == name
        assert f'id="{name}"' in html[file]
    page.close()


def test_a_public_name_says_which_lessons_use_it(site, visit):
    page = visit(site / "api/tinygrad_rnn.html").page
    entry = page.locator("dl:has(> dt[id='tinygrad_rnn.influence'])")
    used = entry.locator("p:has-text('Used in lesson')").inner_text()
    assert "10" in re.findall(r"\d+", used)
    page.close()
