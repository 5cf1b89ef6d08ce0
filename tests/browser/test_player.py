"""The player as a reader uses it: on a page of the site, and as a page of its own opened from disk."""

import re

import pytest

import tinygrad_rnn as tg
from nets import network

PLACES = ["teach.html", "steps.html", "steps-long.html"]


@pytest.fixture(params=PLACES[:2])
def seen(request, site, visit):
    seen = visit(site / request.param)
    yield seen
    outside = [url for url in seen.requests if not url.startswith(("file:", "data:", "blob:"))]
    assert outside == []
    assert seen.complaints == []
    seen.page.close()


@pytest.fixture
def page(seen):
    return seen.page


def where(page):
    """Which step is shown: there is exactly one, and everything that says which one says the same."""
    shown = page.locator(".bptt-steps > li:visible")
    assert shown.count() == 1
    number = int(shown.get_attribute("id").rpartition("-")[2])
    assert page.locator("[data-role=slider]").input_value() == str(number)
    assert page.locator(".bptt-count").inner_text() == f"{number} / {page.locator('.bptt-steps > li').count()}"
    return number


def head(page):
    return page.locator(".bptt-steps > li:visible .bptt-head").inner_text()


def press(page, key, times=1):
    page.locator(".bptt-steps").focus()
    for _ in range(times):
        page.keyboard.press(key)


def test_buttons(page):
    last = page.locator(".bptt-steps > li").count()
    assert where(page) == 1
    for name, expected in [("next", 2), ("next", 3), ("previous", 2), ("last", last), ("next", last), ("first", 1)]:
        page.locator(f"[data-go={name}]").click()
        assert where(page) == expected
    page.locator("[data-go=previous]").click()
    assert where(page) == 1


def test_keys_and_the_address(page):
    press(page, "ArrowRight", 4)
    assert where(page) == 5
    assert page.url.endswith("-step-5")
    press(page, "ArrowLeft")
    assert where(page) == 4
    press(page, "End")
    assert where(page) == page.locator(".bptt-steps > li").count()
    press(page, "Home")
    assert where(page) == 1


def test_every_step_forwards_and_back_again(page):
    last = min(60, page.locator(".bptt-steps > li").count())
    seen = []
    for number in range(1, last + 1):
        assert where(page) == number
        seen.append(page.locator(".bptt-read").inner_text())
        press(page, "ArrowRight")
    press(page, "ArrowLeft")
    for number in range(last - 1, 0, -1):
        if where(page) != number:
            press(page, "ArrowLeft")
        assert where(page) == number
        assert page.locator(".bptt-read").inner_text() == seen[number - 1]
        press(page, "ArrowLeft")


def test_the_slider(page):
    slider = page.locator("[data-role=slider]")
    slider.fill("7")
    assert where(page) == 7
    assert slider.get_attribute("aria-valuetext").startswith("step 7 of ")


def test_a_link_to_a_step(site, visit):
    page = visit(site / "steps.html").page
    link = page.locator(".bptt-steps > li").nth(11).get_attribute("id")
    page.goto(f"{(site / 'steps.html').as_uri()}#{link}")
    page.reload()
    assert where(page) == 12
    page.evaluate("id => { location.hash = id }", link.replace("-step-12", "-step-20"))
    page.wait_for_timeout(50)
    assert where(page) == 20


def test_playing_and_pausing(page):
    page.locator("[data-role=speed]").select_option("250")
    play = page.locator("[data-go=play]")
    play.click()
    assert play.get_attribute("aria-pressed") == "true"
    page.wait_for_function("() => document.querySelector('[data-role=slider]').value >= 4")
    assert page.locator(".bptt-live").inner_text() == ""  # it would never stop talking
    play.click()
    stopped = where(page)
    page.wait_for_timeout(600)
    assert where(page) == stopped
    assert play.inner_text() == "Play"


def test_a_click_on_a_box_goes_to_its_step(page):
    target = page.locator(".bptt-steps > li[data-op=tanh][data-phase=forward]").first
    box = target.get_attribute("data-node")
    root = page.locator(".bptt").get_attribute("id")
    page.locator(f"[id='{root}-{box}']").click(force=True)
    assert page.locator(".bptt-steps > li:visible").get_attribute("id") == target.get_attribute("id")


def test_going_on_until_something(page):
    until = page.locator("[data-role=until]")
    until.select_option(label="Guo (26)")
    assert "Guo (26)" in head(page)
    first = where(page)
    until.select_option(label="Guo (26)")
    if first != where(page):
        assert "Guo (26)" in head(page)
    page.locator("[data-go=first]").click()
    until.select_option(label="U(2)")
    assert head(page).startswith("backward at t = 2")
    until.select_option(label="a number that is not finite")
    assert "Nothing of that kind comes after" in page.locator(".bptt-say").inner_text()


def test_values_appear_when_they_are_computed_and_ledgers_fill(page):
    shown = "() => document.querySelectorAll('.bptt-picture .number:not(.bptt-wait)').length"
    rows = page.locator(".bptt-ledgers tbody tr:not(.bptt-wait)")
    start = page.evaluate(shown)
    assert rows.count() == 0
    page.locator("[data-role=until]").select_option(label="the backward pass")
    middle = page.evaluate(shown)
    press(page, "End")
    assert start < middle < page.evaluate(shown)
    assert page.locator(".bptt-picture .bptt-wait").count() == 0
    assert rows.count() == page.locator(".bptt-ledgers tbody tr").count()
    for table in page.locator(".bptt-ledgers table").all():
        cells = [
            [number(text) for text in row.locator("td").all_inner_texts()] for row in table.locator("tr").all()[1:]
        ]
        if len(cells[0]) > 1:  # entries, not lengths: they add up
            for column in zip(*cells, strict=True):
                assert abs(sum(column[:-1]) - column[-1]) < 0.0005 * len(column) + 1e-9


def number(text):
    return float(text.replace("−", "-"))


def test_the_way_back_is_a_line_of_its_own(page):
    assert page.locator(".bptt-back").count() == 0
    page.locator("[data-role=until]").select_option(label="Guo (26)")
    assert page.locator(".bptt-back path").count() == 1
    assert page.locator(".bptt-back polygon").count() == 1


def test_screen_readers_are_told_once(page):
    press(page, "ArrowRight", 3)
    said = page.locator(".bptt-live").inner_text()
    assert re.match(r"Step 4 of \d+: forward at t = 1", said)
    assert page.locator(".bptt-count").get_attribute("aria-hidden") == "true"


def test_guessing(page):
    page.locator("[data-role=until]").select_option(label="Guo (2)")
    page.locator("[data-role=predict]").check()
    item = page.locator(".bptt-steps > li:visible")
    assert not item.locator(".bptt-answer").is_visible()
    value = float(item.get_attribute("data-value"))
    held = page.evaluate("li => JSON.parse(li.querySelector('.bptt-guess').textContent)", item.element_handle())
    field, say = item.locator(".bptt-ask input"), page.locator(".bptt-say")
    # A term is missing: the guess that is farthest off, and so is nothing else; twice as far, its sign is wrong.
    missing = [
        ((low + high) / 2, says) for low, high, says in held["answers"] if says.startswith("One term is missing")
    ]
    without, says = max(missing, key=lambda pair: abs(pair[0] - value))
    term = says.removeprefix("One term is missing: ")
    for guess, answer in [
        ("abc", "Write a number"),
        ("", "Write a number"),
        (f"{-value:.3f}", "The size is right, the sign is not."),
        (f"{without:.3f}", f"One term is missing: {term}"),
        (f"{2 * without - value:.3f}", f"One term has the wrong sign: {term}"),
        (f"{value + 7:.3f}", f"Not {value + 7:.3f}. Work out "),
    ]:
        field.fill(guess)
        field.press("Enter")
        assert answer in say.inner_text()
        assert not item.locator(".bptt-answer").is_visible()
    field.fill(f"{value:.3f}".replace("-", "−"))
    item.locator(".bptt-ask button[type=submit]").click()
    assert say.inner_text().startswith("Right: ")
    assert item.locator(".bptt-answer").is_visible()
    press(page, "ArrowRight")
    page.locator(".bptt-ask button[type=button]").click()
    assert page.locator(".bptt-steps > li:visible .bptt-answer").is_visible()
    press(page, "ArrowRight")
    shape = page.locator(".bptt-steps > li:visible").get_attribute("data-shape")
    page.locator(".bptt-ask input").fill("(9, 9)")
    page.locator(".bptt-ask input").press("Enter")
    assert say.inner_text().startswith("Not (9, 9)")
    page.locator(".bptt-ask input").fill(f"({shape})")
    page.locator(".bptt-ask input").press("Enter")
    assert say.inner_text().startswith("Right")


@pytest.mark.parametrize("place", PLACES)
def test_without_javascript_the_steps_are_a_list(chromium, site, place):
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 844})
    page = context.new_page()
    page.goto((site / place).as_uri())
    steps = page.locator(".bptt-steps > li")
    assert steps.count() > 40
    assert all(step.is_visible() for step in steps.all()[:5])
    assert not page.locator(".bptt-controls").is_visible()
    assert page.locator(".bptt-ledgers td").first.is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("place", PLACES)
def test_fits_and_is_accessible(site, visit, place, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(site / place, width=width, scheme=scheme).page
    page.locator("[data-role=until]").select_option(label="Guo (26)")
    page.locator("[data-role=predict]").check()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    found = Axe().run(page, ".bptt")
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found.response["violations"]] == []
    page.close()


def test_reduced_motion(chromium, site):
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto((site / "steps.html").as_uri())
    moving = (
        "() => [...document.querySelectorAll('.bptt *')].some(e => getComputedStyle(e).transitionDuration !== '0s')"
    )
    assert not page.evaluate(moving)
    context.close()


def test_size_and_speed(site, visit):
    assert (site / "steps.html").stat().st_size < 500_000
    page = visit(site / "steps.html").page
    started = page.evaluate("() => performance.timing.loadEventEnd - performance.timing.navigationStart")
    assert started < 10_000  # a bound for a page that hangs, not a measurement
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_arrows_with_nothing_focused(visit, tmp_path):
    net = network(tg.cells.Guo(), 2)
    one, two = tg.player(net).save(tmp_path / "one.html"), tmp_path / "two.html"
    page = visit(one).page
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert where(page) == 3
    page.locator("[data-role=slider]").focus()  # in a field, its own keys: one step, not two
    page.keyboard.press("ArrowRight")
    assert where(page) == 4
    text = one.read_text()
    section = re.search(r'<section class="bptt".*?</section>', text, re.DOTALL)[0]
    id = re.search(r'id="([^"]+)"', section)[1]
    two.write_text(text.replace(section, section + section.replace(id, "other")))
    page = visit(two).page
    page.keyboard.press("ArrowRight")
    assert page.locator(".bptt-count").all_inner_texts() == [page.locator(".bptt-count").first.inner_text()] * 2
    assert page.locator(".bptt-count").first.inner_text().startswith("1 / ")
