"""Pictures in a real browser: in a page and as files, light and dark, with names that have broken programs."""

import re

import pytest

import gallery
import hostile
import readme_picture
from tinygrad_rnn.autodiff.notation import scripts

HEAD = '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Pictures</title>'

# The lightness of every text, and of the shape behind it: the last one drawn before it that holds its middle.
FAINT = r"""() => {
  const light = c => { const [r, g, b, a = 1] = c.match(/[\d.]+/g).map(Number);
    const [x, y, z] = [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z; };
  const ratio = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  const all = [...document.querySelectorAll('svg.tinygrad-rnn :is(rect, path, polygon, ellipse, text)')];
  const found = [];
  all.forEach((text, k) => {
    if (text.tagName !== 'text' || !text.textContent.trim()) return;
    const r = text.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
    const behind = all.slice(0, k).filter(e => e.tagName !== 'text' && getComputedStyle(e).fill !== 'none')
      .filter(e => { const b = e.getBoundingClientRect();
                     return b.x <= x && x <= b.right && b.y <= y && y <= b.bottom; });
    const paper = getComputedStyle(behind.at(-1)).fill;
    found.push([ratio(light(getComputedStyle(text).fill), light(paper)), text.textContent, paper]);
  });
  return found; }"""

SEEN = "() => getComputedStyle(document.querySelector('svg.tinygrad-rnn g.graph > *')).fill"
WHITE, DARK = "rgb(255, 255, 255)", "rgb(15, 15, 15)"


@pytest.fixture(scope="module")
def picture():
    return readme_picture.unrolled()


def pages(picture, folder):
    """The picture as a file, and in a page."""
    files = {"a.svg": picture.svg, "page.html": f"{HEAD}<h1>A page</h1>{picture._repr_html_()}"}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return files


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_file_is_light_or_dark_as_its_reader_is(visit, picture, tmp_path, scheme):
    pages(picture, tmp_path)
    seen = visit(tmp_path / "a.svg", scheme=scheme)
    assert seen.complaints == []
    assert seen.page.evaluate(SEEN) == (DARK if scheme == "dark" else WHITE)
    found = seen.page.evaluate(FAINT)
    assert len(found) > 100
    # The names of weights and of their copies have the colours of their lines, which were chosen to be told apart.
    colored = {
        "".join(text for text, _ in scripts(box.name)) for box in picture.scene.boxes if box.id in picture.scene.colors
    }
    assert [one for one in found if one[0] < (2.9 if one[1] in colored else 4.5)] == []


@pytest.mark.parametrize(
    ("page", "scheme", "dark"),
    [
        ("<body>", "dark", False),  # a page that is white for all must not get a dark picture
        ('<meta name="color-scheme" content="light dark"><body>', "dark", True),
        ('<meta name="color-scheme" content="light dark"><body>', "light", False),
        ('<body data-theme="dark">', "light", True),
        ('<body data-theme="light">', "dark", False),
        ('<body data-theme="auto">', "dark", True),
        ('<body data-theme="auto">', "light", False),
        ('<body data-jp-theme-light="false">', "light", True),
        ('<body class="vscode-dark">', "light", True),
    ],
)
def test_in_a_page_it_is_light_or_dark_as_the_page_is(visit, picture, tmp_path, page, scheme, dark):
    path = tmp_path / "page.html"
    path.write_text(f"{HEAD}{page}{picture._repr_html_()}", encoding="utf-8")
    assert visit(path, scheme=scheme).page.evaluate(SEEN) == (DARK if dark else WHITE)


@pytest.mark.parametrize("kind", [*gallery.VIEWS, "zoom"])
def test_nothing_is_cut_off(visit, tmp_path, kind):
    chosen = [shown.picture for shown in gallery.pictures("guo") if shown.said.get("view", "zoom") == kind]
    assert chosen
    drawn = [p.svg for p in chosen]
    path = tmp_path / "page.html"
    path.write_text(HEAD + "".join(drawn), encoding="utf-8")
    outside = visit(path).page.evaluate("""() => [...document.querySelectorAll('svg')].flatMap(svg => {
      const all = svg.getBoundingClientRect();
      return [...svg.querySelectorAll('text, path, polygon, ellipse, g.node rect, g.cluster rect')]
        .filter(e => { const r = e.getBoundingClientRect();
          return r.x < all.x - 1 || r.y < all.y - 1 || r.right > all.right + 1 || r.bottom > all.bottom + 1; })
        .filter(e => !e.matches('g.graph > polygon'))
        .map(e => e.outerHTML.slice(0, 200)); })""")
    assert outside == []


def test_a_page_on_a_phone_scrolls_the_picture_and_not_itself(visit, picture, tmp_path):
    pages(picture, tmp_path)
    page = visit(tmp_path / "page.html", width=390).page
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert page.evaluate("() => document.querySelector('figure').scrollWidth") > 1000
    file = visit(tmp_path / "a.svg", width=390).page
    assert file.evaluate("() => document.documentElement.getBoundingClientRect().width") <= 390


def test_a_picture_is_announced_once_as_an_image_with_its_title(visit, picture, tmp_path):
    pages(picture, tmp_path)
    page = visit(tmp_path / "page.html").page
    assert page.get_by_role("img").count() == 1
    assert page.get_by_role("img", name=picture.scene.title).count() == 1
    assert page.evaluate("() => document.querySelector('svg > desc').textContent") == picture.scene.description


def test_whatever_a_weight_is_called_nothing_runs_and_nothing_is_fetched(visit, tmp_path):
    pictures = [hostile.picture(name)[1] for name in hostile.NAMES]
    path = tmp_path / "page.html"
    path.write_text(HEAD + "".join(p._repr_html_() for p in pictures), encoding="utf-8")
    dialogs = []
    seen = visit(path)
    seen.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    seen.page.reload()
    assert (dialogs, seen.complaints) == ([], [])
    assert set(seen.requests) == {path.as_uri()}
    assert seen.page.locator("svg.tinygrad-rnn").count() == len(pictures)
    assert seen.page.locator("script, img, iframe, foreignObject, a").count() == 0
    ids = seen.page.evaluate("() => [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    text = re.sub(r"\s", "", seen.page.evaluate("() => document.body.textContent"))
    for name in ("<script>alert(1)</script>", "שלום", "<<B>html</B>>", "{a|b}", "&amp;", "🙂👩‍👩‍👧"):
        assert name in text
