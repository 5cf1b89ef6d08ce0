"""Pictures of the site: small ones that lead on, room kept for those not yet there, wide ones seen whole."""

import pytest

NETWORKS = ["guo", "gru", "lstm", "own"]
FIGURE = "article figure.drawing"
WIDE = "figure => figure.scrollWidth > figure.clientWidth"
TOPS = """() => [...document.querySelectorAll('article :is(h2, figure)')]
  .map(e => Math.round(e.getBoundingClientRect().top))"""


@pytest.fixture
def guo(site, visit):
    seen = visit(site / "gallery/guo.html")
    yield seen.page
    seen.page.close()


def test_a_small_picture_leads_to_its_section(site, visit):
    page = visit(site / "gallery.html").page
    links = page.evaluate("""() => [...document.querySelectorAll('article .thumbs a:has(> img)')]
      .map(a => [a.pathname.split('/').pop(), a.hash.slice(1)])""")
    assert {file for file, _ in links} == {f"{network}.html" for network in NETWORKS}
    assert len(links) > 4 * len(NETWORKS)
    for file, anchor in links:
        assert f'id="{anchor}"' in (site / "gallery" / file).read_text("utf-8")
    page.close()


@pytest.mark.parametrize("path", ["gallery", *(f"gallery/{network}" for network in NETWORKS)])
def test_pictures_are_fetched_when_they_are_near_and_nothing_moves(chromium, site, path):
    page = chromium.new_page(viewport={"width": 1280, "height": 844})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((site / f"{path}.html").as_uri(), wait_until="domcontentloaded")
    page.evaluate("() => document.fonts.ready")
    images = page.locator("article img")
    assert images.count() > 4
    assert set(images.evaluate_all("images => images.map(image => image.loading)")) == {"lazy"}
    page.wait_for_load_state("load")
    assert 0 < len([url for url in asked if url.endswith(".svg")]) < images.count()
    before = page.evaluate(TOPS)
    images.evaluate_all("images => images.forEach(image => { image.loading = 'eager' })")
    page.wait_for_function("() => [...document.images].every(image => image.complete && image.naturalWidth)")
    assert page.evaluate(TOPS) == before
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_wide_picture_can_be_seen_whole(guo, width):
    guo.set_viewport_size({"width": width, "height": 844})
    figure = guo.locator(FIGURE).first
    button = guo.locator("button.fit:visible").first
    assert figure.evaluate(WIDE)
    assert button.get_attribute("aria-label") == "Fit the picture to the page"
    button.focus()
    guo.keyboard.press("Enter")
    assert not figure.evaluate(WIDE)
    image = figure.locator("img")
    ratio = image.evaluate("i => (i.clientWidth / i.clientHeight) / (i.naturalWidth / i.naturalHeight)")
    assert ratio == pytest.approx(1, abs=0.01)
    assert button.inner_text() == "100 %"
    button.click()
    assert figure.evaluate(WIDE)
    assert button.inner_text() == "Fit"


def test_a_button_takes_no_room_and_a_narrow_picture_has_none(guo):
    with_buttons = guo.evaluate(TOPS)
    count = guo.locator("button.fit").count()
    wide = guo.locator(FIGURE).evaluate_all("figures => figures.filter(f => f.scrollWidth > f.clientWidth).length")
    assert 0 < count == wide < guo.locator(FIGURE).count()
    guo.evaluate("() => document.querySelectorAll('button.fit').forEach(button => button.remove())")
    assert guo.evaluate(TOPS) == with_buttons


def test_a_button_lies_beside_its_picture(guo):
    """In the room above it, and there it stays when the picture is moved sideways."""
    guo.locator(FIGURE).first.evaluate("figure => { figure.scrollLeft = 200 }")
    for button, figure, image in guo.evaluate("""() => [...document.querySelectorAll('button.fit')].map(button =>
        [button, button.parentElement, button.parentElement.querySelector('img')].map(e => e.getBoundingClientRect())
          .map(({ left, top, bottom }) => ({ left, top, bottom })))"""):
        assert figure["top"] <= button["top"]
        assert button["bottom"] <= image["top"] + 0.5
        assert button["left"] == figure["left"]
