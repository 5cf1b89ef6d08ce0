"""The bug museum: each exhibit has a public case, or the page says that none is known."""

import re

from tinygrad_rnn.view import lessons

(TEXT,) = (lesson.text for lesson in lessons.lessons() if lesson.number == 19)
SECTION = TEXT.split("## Where they were seen")[1]
ROWS = [line.strip("# |").split(" | ") for line in SECTION.split("\n") if line.startswith("# | ")][1:]


def test_every_exhibit_has_a_row_and_no_other():
    exhibits = re.findall(r'^[A-Z_]+ = "(.*)"$', TEXT, re.MULTILINE)
    assert len(exhibits) == 15
    assert [name for name, *_ in ROWS] == exhibits


def test_a_row_links_to_its_case_or_says_that_there_is_none():
    links = dict(re.findall(r"^# \[(.+?)\]: (https://github\.com/\S+)$", SECTION, re.MULTILINE))
    for name, where, near in ROWS:
        assert near in ("the same", "near", "none"), name
        assert (near == "none") == where.startswith("no case found"), name
        assert near == "none" or re.search(r"\[[\w./-]+#\d+\]", where), name
    assert sum(near == "none" for *_, near in ROWS) == 3
    assert set(links) == set(re.findall(r"\[([\w./-]+#\d+)\](?!: http)", SECTION))
    assert all(url == "https://github.com/" + name.replace("#", "/issues/") for name, url in links.items())
