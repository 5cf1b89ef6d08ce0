"""The built site, opened from disk as a reader without a network opens it."""

import re
from pathlib import Path

import pytest

HTML = Path(__file__).parents[2] / "docs/_build/html"
# Collected from the build, so that a new page is tested too. Sphinx's own pages hold no text of ours, nor its
# copies of the source.
MADE_BY_SPHINX = {"genindex.html", "py-modindex.html", "search.html"}
PLAYERS = {"steps.html", "steps-long.html"}  # pages of their own: test_player.py opens them
PAGES = sorted(
    path.relative_to(HTML).as_posix()
    for path in HTML.rglob("*.html")
    if path.name not in MADE_BY_SPHINX | PLAYERS and not path.relative_to(HTML).parts[0].startswith("_")
)

# What a reader sees, without code, which may show TeX, and the copy that MathJax keeps for screen readers.
SEEN_TEXT = """() => {
  const copy = document.querySelector('article').cloneNode(true);
  copy.querySelectorAll('pre, code, script, style, mjx-assistive-mml').forEach(e => e.remove());
  return copy.textContent;
}"""


def test_the_pages_that_matter_are_there(site):
    assert {"index.html", "notation.html", "equations.html", "api.html", "architecture.html"} <= set(PAGES)
    assert any(name.startswith("lessons/0") for name in PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_page_asks_for_nothing_outside_and_complains_of_nothing(site, look, name):
    seen = look(site / name)
    outside = [url for url in seen.requests if not url.startswith(("file:", "data:", "blob:"))]
    assert outside == []
    assert seen.complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_page_is_sound(site, look, name):
    page = look(site / name).page
    assert page.locator("h1").count() == 1
    ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert sorted({one for one in ids if ids.count(one) > 1}) == []
    # Every picture in the text has been loaded and takes room.
    empty = page.evaluate("""() => [...document.querySelectorAll('article img, article svg, article object')]
      .filter(e => !e.closest('mjx-container, button, .headerlink'))
      .filter(e => { const r = e.getBoundingClientRect();
                     return r.width < 2 || r.height < 2 || (e.tagName === 'IMG' && !e.naturalWidth); })
      .map(e => e.outerHTML.slice(0, 200))""")
    assert empty == []


@pytest.mark.parametrize("name", PAGES)
def test_every_link_inside_the_site_leads_somewhere(site, look, name):
    page = look(site / name).page
    urls = page.evaluate("() => [...document.querySelectorAll('a[href]')].map(a => a.href)")
    for url in {url for url in urls if url.startswith("file:")}:
        path, _, fragment = url.removeprefix("file://").partition("#")
        assert Path(path).is_file(), url
        if fragment and path == str(site / name):
            assert page.evaluate("id => !!document.getElementById(decodeURIComponent(id))", fragment), url


@pytest.mark.parametrize("name", PAGES)
def test_formulas_are_drawn(site, look, name):
    page = look(site / name).page
    formulas = page.locator("article .math").count()
    assert formulas >= {"equations.html": 28, "notation.html": 10}.get(name, 0)
    assert page.locator("article mjx-container > svg").count() >= formulas
    assert page.locator("article mjx-merror, article [data-mjx-error]").count() == 0
    assert re.findall(r"\\\(|\\\[|\$\$|\\[a-zA-Z]{2,}", page.evaluate(SEEN_TEXT)) == []


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_a_phone(site, look, name):
    page = look(site / name, width=390).page
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    # What is wider than the screen scrolls inside itself; what sticks out of the text cannot be reached.
    sticking_out = page.evaluate("""() => {
      const scrolls = e => { for (let p = e; p && p.tagName !== 'ARTICLE'; p = p.parentElement)
        if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(p).overflowX)) return true;
        return false; };
      return [...document.querySelectorAll('article *')]
        .filter(e => e.getBoundingClientRect().right > 391 && !scrolls(e))
        .filter(e => !e.closest('mjx-assistive-mml, svg'))
        .map(e => e.outerHTML.slice(0, 120)); }""")
    assert sticking_out == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_text_and_pictures_stand_out_from_the_background(site, look, name, scheme):
    """What inherits its colour is readable in both; what has a fixed one must not meet a background alike."""
    page = look(site / name, scheme=scheme).page
    faint = page.evaluate("""() => {
      const light = c => { const [r, g, b, a = 1] = c.match(/[\\d.]+/g).map(Number);
        const [x, y, z] = [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
        return { value: .2126 * x + .7152 * y + .0722 * z, alpha: a }; };
      const behind = e => { for (let p = e; p; p = p.parentElement) {
        const c = getComputedStyle(p).backgroundColor; if (light(c).alpha > .9) return c; }
        return 'rgb(255, 255, 255)'; };
      const ratio = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
      const text = 'article :is(p, li, td, dt, dd, h1, h2, figcaption, mjx-container)';
      return [...document.querySelectorAll(text)]
        .filter(e => e.getBoundingClientRect().width > 0)
        .filter(e => ratio(light(getComputedStyle(e).color).value, light(behind(e)).value) < 4.5)
        .map(e => e.outerHTML.slice(0, 120)); }""")
    assert faint == []
