"""The page of a run in Chromium: whole without a script or a network, at every width, in both schemes."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

import tinygrad_rnn as tg

sys.path.append(str(Path(__file__).parents[1]))
from small_runs import a_table, a_text, fitted

LOOKS = [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")]
HOSTILE = "</script><img src=x onerror='window.pwned=1'></style><svg onload='window.pwned=1'>\"&"

# How small the letters of a drawing are, in pixels, and whether what stands in it leaves it.
DRAWN = """
() => [...document.querySelectorAll("svg.chart")].map((svg) => {
  const paper = svg.getBoundingClientRect();
  const words = [...svg.querySelectorAll("text")].map((text) => text.getBoundingClientRect());
  const leaves = (word) => word.left < paper.left - 1 || word.right > paper.right + 1 || word.bottom > paper.bottom + 1;
  return {
    smallest: Math.min(...words.map((word) => word.height)),
    outside: words.filter(leaves).length,
  };
})
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    values = np.stack([np.sin(np.arange(90) / 3), np.cos(np.arange(90) / 5)], axis=1)
    table = a_table(values, header='"{}",b'.format(HOSTILE.replace('"', '""')))
    runs = [
        fitted(folder / "text", updates=60, k1=9),
        fitted(folder / "series", a_table(), "lstm", batch=1, updates=60, k1=9),
        fitted(folder / "hostile", a_text(HOSTILE * 20)),
        fitted(folder / "hostile-series", table, "lstm", batch=1),
        fitted(folder / "short", updates=1, validate=0, decay="none", every=9),
    ]
    return [run.report() for run in runs]


NAMES = ["text", "series", "hostile text", "hostile names", "one update"]


@pytest.fixture(params=range(5), ids=NAMES)
def path(pages, request):
    return pages[request.param]


def test_it_is_whole_harmless_and_fits(path, visit):
    for width, scheme in LOOKS:
        seen = visit(path, width=width, scheme=scheme)
        page = seen.page
        page.locator("summary").evaluate_all("all => all.forEach((one) => { one.parentElement.open = true; })")
        assert seen.complaints == []
        assert seen.requests == [path.resolve().as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("window.pwned ?? 0") == 0
        assert page.locator("script, img, iframe, object, link, base, [onerror], [onload]").count() == 0
        for chart in page.evaluate(DRAWN):
            assert chart["outside"] == 0
            assert chart["smallest"] >= 9
        page.close()


@pytest.mark.parametrize(("which", "look"), [(0, 0), (0, 1), (1, 2), (1, 3), (4, 1)])  # of one kind all look alike
def test_axe_finds_nothing(which, look, pages, visit):
    width, scheme = LOOKS[look]
    page = visit(pages[which], width=width, scheme=scheme).page
    page.locator("summary").evaluate_all("all => all.forEach((one) => { one.parentElement.open = true; })")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.close()


def test_the_film_is_stepped_through_by_keys_and_by_clicks_without_a_script(pages, visit):
    page = visit(pages[0]).page
    said = page.locator(".w:visible")
    moments = page.locator(".row").count()
    assert moments == 7
    assert said.inner_text().startswith("After 60 updates")  # the last one is shown first
    page.locator(".row").nth(1).click()
    assert said.inner_text().startswith("After 10 updates")
    page.keyboard.press("ArrowRight")
    assert said.inner_text().startswith("After 15 updates")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert said.inner_text().startswith("After 0 updates")
    seen = page.locator(".now path.curve").evaluate_all("all => all.map((one) => getComputedStyle(one).opacity)")
    assert [k for k, opacity in enumerate(seen) if float(opacity) == 1] == [0]
    page.close()


def test_the_film_says_its_moments_to_who_cannot_see(pages, visit):
    page = visit(pages[0]).page
    radios = page.get_by_role("radio")
    assert radios.count() == 7
    for k, update in enumerate([0, 10, 15, 22, 34, 51, 60]):
        assert radios.nth(k).get_attribute("aria-label").startswith(f"After {update} updates the mean lag is ")
    page.close()


def test_a_file_says_how_it_is_encoded(pages):
    for path in pages:
        content = path.read_bytes()
        assert io.BytesIO(content).read(200).find(b'<meta charset="utf-8">') > 0
        assert content.decode("utf-8")
    assert tg.__version__ in pages[0].read_text("utf-8")
