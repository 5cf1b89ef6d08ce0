"""What a link leads to, on a card beside it: for the mouse, the keyboard and a finger (WCAG 2.2, 1.4.13)."""

import pytest
from axe_playwright_python.sync_playwright import Axe

LESSON = "lessons/07_matrix_form.html"


@pytest.fixture
def page(site, visit):
    page = visit(site / LESSON).page
    yield page
    page.close()


def link_to(page, kind):
    link = page.locator(f"article a.to-{kind}").first
    link.scroll_into_view_if_needed()
    return link


def card(page):
    return page.locator("#card")


def test_each_kind_of_link_says_what_it_leads_to(page):
    for kind, says in (("term", "A weight as one time step uses it"), ("lesson", "Goal: "), ("equation", "(")):
        link_to(page, kind).hover()
        card(page).wait_for(state="visible")
        assert says in card(page).inner_text()
        assert card(page).locator("math").count() == (kind == "equation")
        page.mouse.move(0, 0)
        card(page).wait_for(state="hidden")


def test_the_card_is_what_describes_the_link_while_it_is_shown(page):
    link = link_to(page, "term")
    title = link.get_attribute("title")
    link.hover()
    card(page).wait_for(state="visible")
    assert (link.get_attribute("aria-describedby"), link.get_attribute("title")) == ("card", None)
    assert card(page).inner_text() == title
    page.mouse.move(0, 0)
    card(page).wait_for(state="hidden")
    assert (link.get_attribute("aria-describedby"), link.get_attribute("title")) == (None, title)


def test_escape_takes_it_away_where_it_is(page):
    link_to(page, "term").hover()
    card(page).wait_for(state="visible")
    page.keyboard.press("Escape")
    assert card(page).is_hidden()
    page.wait_for_timeout(500)
    assert card(page).is_hidden()


def test_the_mouse_may_move_onto_it_and_it_stays(page):
    link_to(page, "term").hover()
    card(page).wait_for(state="visible")
    card(page).hover()
    page.wait_for_timeout(700)
    assert card(page).is_visible()
    page.mouse.move(0, 0)
    card(page).wait_for(state="hidden")


def test_the_keyboard_brings_it_and_takes_it_away(page):
    link = link_to(page, "term")
    page.keyboard.press("Tab")  # so that a focus is one of the keyboard
    link.focus()
    card(page).wait_for(state="visible")
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    assert card(page).is_visible()  # a mouse that goes elsewhere does not take it away
    link.evaluate("link => link.blur()")
    assert card(page).is_hidden()


@pytest.mark.parametrize("width", [1280, 390])
def test_it_lies_within_the_window_and_beside_its_link(site, visit, width):
    page = visit(site / LESSON, width=width).page
    for link in page.locator("article a.with-card").all():
        link.scroll_into_view_if_needed()
        link.evaluate("link => show(link)")
        at, over = (
            card(page).bounding_box(),
            link.evaluate("e => { const r = e.getClientRects()[0]; return r.toJSON(); }"),
        )
        assert at["x"] >= 0
        assert at["x"] + at["width"] <= width
        assert at["y"] >= over["bottom"] or at["y"] + at["height"] <= over["top"]
    page.close()


def test_a_finger_follows_the_link(site, chromium):
    context = chromium.new_context(has_touch=True, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto((site / LESSON).as_uri())
    link = page.locator("article a.to-term").first
    link.scroll_into_view_if_needed()
    link.tap()
    page.wait_for_url("**/glossary.html#*")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_card_is_accessible(site, visit, scheme):
    page = visit(site / LESSON, scheme=scheme).page
    link_to(page, "equation").hover()
    card(page).wait_for(state="visible")
    found = Axe().run(page, context={"include": ["#card"]}, options={"preload": False, "resultTypes": ["violations"]})
    assert found.response["violations"] == []
    page.close()
