"""What a reader expects is answered on a lesson's page: typed or looked up, with the keyboard, with no script."""

import json

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


def compared(box, typed):
    """What is said of an answer that is typed."""
    box.locator("input").fill(typed)
    box.get_by_role("button", name="Compare").click()
    return box.get_by_role("status")


def listed(box, text):
    """An answer of the list, open or not."""
    return box.locator(".answers > details", has=box.page.locator(f"summary:text-is({json.dumps(text)})"))


@pytest.mark.parametrize(("folder", "asked"), ASKED, ids=lambda x: getattr(x, "name", getattr(x, "number", "")))
def test_each_answer_that_is_typed_gets_what_was_foreseen_once_and_no_other_is_shown(opened, folder, asked):
    box = box_of(opened(folder.number), asked)
    for one in asked.foreseen:
        box.locator("input").fill(one.text)
        box.locator("input").press("Enter")
        told = "Right." if one.is_right else f"Not right. Look again at this: {one.term}."
        assert box.get_by_role("status").locator("> p").first.inner_text() == told
        assert [p for p in box.locator("p:visible").all_inner_texts() if p == told] == [told]
        assert not box.locator(".answers > details").first.is_visible()


@pytest.mark.parametrize(("number", "typed", "meant"), TYPED)
def test_an_answer_may_be_written_in_many_ways(opened, number, typed, meant):
    box = opened(number).locator(".prediction").first
    said = compared(box, typed).locator("> p").all_text_contents()
    assert said
    assert said == listed(box, meant).locator("> p").all_text_contents()


def test_the_answers_are_opened_with_the_keyboard_and_hints_get_clearer(opened):
    box = opened(2).locator(".prediction")
    box.locator(".answers > summary").focus()
    opened(2).keyboard.press("Enter")
    answer = listed(box, "104")
    answer.locator("> summary").focus()
    opened(2).keyboard.press("Enter")
    assert answer.get_by_text("How many lines read z_2?").is_visible()
    clearer = answer.get_by_text("z_2 is read by z_4 and by z_3")
    assert not clearer.is_visible()
    opened(2).keyboard.press("Tab")
    opened(2).keyboard.press("Space")
    assert clearer.is_visible()


@pytest.mark.parametrize(
    ("number", "says"), [(2, "a number."), (4, "numbers, with commas between them."), (8, "a word.")]
)
def test_who_types_nothing_is_told_what_to_type(opened, number, says):
    assert compared(opened(number).locator(".prediction").first, "  ").inner_text() == f"Type {says}"


def test_without_a_script_the_answers_are_there_to_be_opened(site, chromium):
    page = chromium.new_page(java_script_enabled=False)
    page.goto((site / PATHS[2]).resolve().as_uri())
    box = page.locator(".prediction")
    assert not box.locator("form").is_visible()
    right = listed(box, "184")
    assert not right.is_visible()
    box.locator(".answers > summary").click()
    right.locator("> summary").click()
    assert right.get_by_text("Right.").is_visible()
    page.close()
