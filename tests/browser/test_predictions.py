"""What a reader expects is answered on a lesson's page: chosen or typed, with the keyboard, with no script."""

import pytest

from tinygrad_rnn.exercises import folders, predictions
from tinygrad_rnn.view import lessons

ASKED = [(folder, asked) for folder in folders() for asked in predictions.predictions(folder)]
PATHS = {lesson.number: f"lessons/{lesson.path.stem}.html" for lesson in lessons.lessons()}
# As readers type: another spelling of an answer of this lesson, and the answer that it is.
TYPED = [
    (2, " 184 ", "184"),
    (2, "184,0", "184"),
    (2, "183", "another answer"),
    (2, "about 184", "another answer"),
    (4, "7, 5", "(7, 5)"),
    (4, "[7,5]", "(7, 5)"),
    (4, "7", "another answer"),
    (5, "(0, 1/2, −.5)", "(0, 0.5, -0.5)"),
    (14, "0.000977", "1 / 1024"),
    (14, "1/1024", "1 / 1024"),
    (14, "0.001", "another answer"),
    (20, "2", "2"),
    (8, "“e7”", "E7"),
]


@pytest.fixture(scope="module")
def opened(site, visit):
    """A lesson's page, loaded once."""
    pages = {}
    yield lambda number: pages.setdefault(number, visit(site / PATHS[number])).page
    for seen in pages.values():
        seen.page.close()


def box_of(page, asked):
    return page.locator(".prediction", has=page.locator(f"label code:text-is('{asked.name}')"))


@pytest.mark.parametrize(("folder", "asked"), ASKED, ids=lambda x: getattr(x, "name", getattr(x, "number", "")))
def test_each_answer_that_is_typed_opens_what_was_foreseen(opened, folder, asked):
    box = box_of(opened(folder.number), asked)
    for one in asked.foreseen:
        box.locator("input").fill(one.text)
        box.locator("input").press("Enter")
        assert box.locator(":scope > details[open] > summary").all_inner_texts() == [one.text]
        told = "Right." if one.is_right else f"Not right: {one.term}."
        assert box.locator("output").inner_text() == told
        assert box.locator(":scope > details[open] > p").first.inner_text() == told


@pytest.mark.parametrize(("number", "typed", "meant"), TYPED)
def test_an_answer_may_be_written_in_many_ways(opened, number, typed, meant):
    box = opened(number).locator(".prediction").first
    box.locator("input").fill(typed)
    box.get_by_role("button").click()
    assert box.locator(":scope > details[open] > summary").all_inner_texts() == [meant]


def test_an_answer_is_chosen_with_the_keyboard_and_its_hints_get_clearer(opened):
    box = opened(2).locator(".prediction")
    answer = box.locator(":scope > details", has_text="104")
    answer.evaluate("e => { e.open = false; e.querySelector('summary').focus() }")
    opened(2).keyboard.press("Enter")
    assert answer.get_attribute("open") is not None
    assert answer.get_by_text("How many lines read z_2?").is_visible()
    clearer = answer.get_by_text("z_2 is read by z_4 and by z_3")
    assert not clearer.is_visible()
    opened(2).keyboard.press("Tab")
    opened(2).keyboard.press("Space")
    assert clearer.is_visible()


def test_nothing_is_said_of_nothing(opened):
    box = opened(2).locator(".prediction")
    box.locator(":scope > details").evaluate_all("all => all.forEach(e => { e.open = false })")
    box.locator("input").fill("  ")
    box.get_by_role("button").click()
    assert box.locator(":scope > details[open]").count() == 0


def test_without_a_script_the_answers_are_there_to_be_opened(site, chromium):
    page = chromium.new_page(java_script_enabled=False)
    page.goto((site / PATHS[2]).resolve().as_uri())
    box = page.locator(".prediction")
    assert not box.locator("form").is_visible()
    right = box.locator(":scope > details", has_text="184")
    right.locator("summary").first.click()
    assert right.get_by_text("Right.").is_visible()
    page.close()
