"""The built site, opened from disk as a reader without a network opens it."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

ROOT = Path(__file__).parents[2]
HTML = ROOT / "docs/_build/html"
# Collected from the build, so that a new page is tested too. Of the copies of the source, all alike, a sample.
SAMPLE = {"_modules/index.html", "_modules/tinygrad_rnn/guo.html"}
PAGES = sorted(
    name
    for path in HTML.rglob("*.html")
    for name in [path.relative_to(HTML).as_posix()]
    if not name.startswith("_") or name in SAMPLE
)
LOOKS = [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")]  # axe sees each page in one, in turn
MOST_BYTES = 1_000_000  # of a lesson, with all that it loads

# What a reader sees, without code, which may show TeX.
SEEN_TEXT = """() => {
  const copy = (document.querySelector('article') || document.body).cloneNode(true);
  copy.querySelectorAll('pre, code, script, style').forEach(e => e.remove());
  return copy.textContent;
}"""

# The time that axe takes goes into comparing every element with every other. A formula or drawing is one image to
# it, whatever is inside; of the words of a program, one of each colour is enough, and of the API's entries, fifty.
TAKE_APART = """() => {
  document.querySelectorAll('svg > :not(title, desc), math > *').forEach(e => e.remove());
  [...document.querySelectorAll('dl.py')].slice(50).forEach(e => e.remove());
  const seen = new Set();
  for (let depth = 0; depth < 3; depth++)  // a word in a word
    for (const word of document.querySelectorAll(':is(pre, dt.sig) span:not(:has(*))')) {
      const kind = word.className + ' in ' + word.closest('pre, dt').parentElement.className;
      if (seen.has(kind)) word.replaceWith(word.textContent);
      seen.add(kind);
    }
}"""


@pytest.fixture(scope="module", params=PAGES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def seen(site, visit, name):
    """A page, loaded once for all tests: loading is what takes time."""
    seen = visit(site / name)
    yield seen
    seen.page.close()


@pytest.fixture
def page(seen):
    return seen.page


def show(page, width, scheme):
    """Change the window and the reader's scheme, and wait until the page has noticed."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    page.evaluate("() => new Promise(requestAnimationFrame)")


def file_of(url):
    return Path(unquote(urlsplit(url).path))


def test_the_pages_that_matter_are_there(site):
    assert {"index.html", "notation.html", "equations.html", "api.html", "architecture.html", "search.html"} <= set(
        PAGES
    )
    assert set(PAGES) >= SAMPLE
    assert len([name for name in PAGES if name.startswith("lessons/")]) == len(
        list((ROOT / "lessons").glob("[0-9]*.py"))
    )


def test_page_asks_for_nothing_outside_and_complains_of_nothing(seen):
    outside = [url for url in seen.requests if not url.startswith(("file:", "data:", "blob:"))]
    assert outside == []
    assert seen.complaints == []


def test_page_is_sound(page):
    assert page.locator("h1").count() == 1
    ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert sorted({one for one in ids if ids.count(one) > 1}) == []
    # Every picture in the text has been loaded and takes room.
    page.evaluate("() => document.querySelectorAll('img').forEach(e => { e.loading = 'eager' })")
    page.wait_for_function("() => [...document.images].every(e => e.complete)")
    empty = page.evaluate("""() => [...document.querySelectorAll('article img, article svg, article object')]
      .filter(e => !e.closest('button, .headerlink') && getComputedStyle(e).display !== 'none')
      .filter(e => !e.matches('svg[aria-hidden]:not(:has(> :not(defs)))'))  // it holds what others draw with
      .filter(e => { const r = e.getBoundingClientRect();
                     return r.width < 2 || r.height < 2 || (e.tagName === 'IMG' && !e.naturalWidth); })
      .map(e => e.outerHTML.slice(0, 200))""")
    assert empty == []


def test_every_link_inside_the_site_leads_somewhere(page):
    here = file_of(page.url)
    urls = page.evaluate("() => [...document.querySelectorAll('a[href]')].map(a => a.href)")
    for url in {url for url in urls if url.startswith("file:")}:
        assert file_of(url).is_file(), url
        fragment = urlsplit(url).fragment
        if fragment and file_of(url) == here:
            assert page.evaluate("id => !!document.getElementById(decodeURIComponent(id))", fragment), url


def test_a_lesson_is_not_too_heavy(name, seen):
    loaded = {file_of(url) for url in seen.requests if url.startswith("file:")}
    weight = sum(path.stat().st_size for path in loaded)
    assert weight > 100_000  # or nothing was counted
    assert weight < MOST_BYTES or not name.startswith("lessons/")


def test_formulas_are_drawn(name, page):
    formulas = page.locator("article .math").count()
    assert formulas >= {"equations.html": 28, "notation.html": 10}.get(name, 0)
    # Of those that are seen, as high and as wide as something that was drawn.
    sizes = page.evaluate("""() => [...document.querySelectorAll('article .math')].filter(e => e.checkVisibility())
      .map(e => e.querySelector('math').getBoundingClientRect()).map(r => [r.width, r.height])""")
    assert all(width > 3 and height > 7 for width, height in sizes)
    assert page.locator("article merror").count() == 0
    fonts = page.evaluate("() => [...document.fonts].filter(f => f.family.includes('STIX')).map(f => f.status)")
    assert fonts == ["loaded"] * bool(sizes) or (not sizes and fonts == ["unloaded"])
    assert re.findall(r"\\\(|\\\[|\$\$|\\[a-zA-Z]{2,}", page.evaluate(SEEN_TEXT)) == []


def test_page_fits_a_phone(page):
    show(page, 390, "light")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    # What is wider than the screen scrolls inside itself; what sticks out of the text cannot be reached.
    sticking_out = page.evaluate("""() => {
      const scrolls = e => { for (let p = e; p && p.tagName !== 'ARTICLE'; p = p.parentElement)
        if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(p).overflowX)) return true;
        return false; };
      return [...document.querySelectorAll('article *')]
        .filter(e => e.getBoundingClientRect().right > 391 && !scrolls(e))
        .filter(e => !e.closest('svg, math'))
        .map(e => e.outerHTML.slice(0, 120)); }""")
    assert sticking_out == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_formulas_stand_out_from_the_background(page, scheme):
    """What inherits its colour is readable in both; what has a fixed one must not meet a background alike."""
    show(page, 1280, scheme)
    faint = page.evaluate("""() => {
      const light = c => { const [r, g, b, a = 1] = c.match(/[\\d.]+/g).map(Number);
        const [x, y, z] = [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
        return { value: .2126 * x + .7152 * y + .0722 * z, alpha: a }; };
      const behind = e => { for (let p = e; p; p = p.parentElement) {
        const c = getComputedStyle(p).backgroundColor; if (light(c).alpha > .9) return c; }
        return 'rgb(255, 255, 255)'; };
      const ratio = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
      const text = 'article :is(p, li, td, dt, dd, h1, h2, figcaption, math)';
      return [...document.querySelectorAll(text)]
        .filter(e => e.getBoundingClientRect().width > 0)
        .filter(e => ratio(light(getComputedStyle(e).color).value, light(behind(e)).value) < 4.5)
        .map(e => e.outerHTML.slice(0, 120)); }""")
    assert faint == []


# The last one, for it takes the page apart.
def test_page_is_accessible(name, page):
    page.evaluate(TAKE_APART)
    show(page, *LOOKS[PAGES.index(name) % len(LOOKS)])
    found = Axe().run(page, options={"preload": False, "resultTypes": ["violations"]})
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found.response["violations"]] == []


def test_on_paper_pictures_are_light_and_nothing_lies_over_the_text(site, visit):
    page = visit(site / "lessons/25_the_error_surface.html", scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    style = "what => all => [...new Set(all.map((e) => getComputedStyle(e)[what]))]"
    assert page.locator(".tinygrad-rnn").evaluate_all(f"all => ({style})('colorScheme')(all)") == ["light"]
    assert page.locator(".plot image").evaluate_all(f"all => ({style})('filter')(all)") == ["none"]
    assert not page.locator(".skip-to-content").is_visible()
    page.close()
