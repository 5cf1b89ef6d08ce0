"""The player as a reader uses it: a share at a glance, why it is so, by hand, by key and without any script."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_rnn as tg

sys.path.append(str(Path(__file__).parents[1] / "view"))
import nets

SIZES = {"desktop": (1280, 800), "phone": (390, 844), "phone with bars": (390, 664)}


def guo(T, samples=1):
    rng = np.random.default_rng(1)
    cell = tg.cells.Guo(f="tanh")
    letters = np.eye(4)[rng.integers(0, 4, (T + 1, samples))]
    return tg.unfold(cell, cell.init(4, 3, 4, rng=1), letters[:-1], letters[1:])


NETS = {
    "p3": lambda: guo(3),
    "p5": lambda: guo(5),
    "p8": lambda: guo(8),
    "p30": lambda: guo(30),
    "p200": lambda: guo(200),
    "lstm4": lambda: nets.network(tg.cells.LSTM(), 4),
    "gru3": lambda: nets.network(tg.cells.GRU(), 3),
    "stacked": lambda: nets.network(tg.cells.Stacked(tg.cells.Guo(), tg.cells.Guo()), 4),
    "own": lambda: nets.FOLDABLE["a tangled cell"](3),
    "two samples": lambda: guo(3, 2),
}
LARGE = {"24 units": lambda: nets.network(tg.cells.Guo(), 5, (8, 24, 8))}


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """pages(name) -> the path of a page, and its trace."""
    folder, made = tmp_path_factory.mktemp("players"), {}

    def page(name):
        if name not in made:
            shown = tg.trace((NETS | LARGE)[name]())
            made[name] = tg.player(shown).save(folder / f"{name.replace(' ', '_')}.html"), shown
        return made[name]

    return page


@pytest.fixture
def opened(pages, chromium):
    """opened(name, size=, hash=, ...) -> a page, newly loaded; what it asks for or complains of fails the test."""
    wrong, contexts = [], []

    def opened(name, size="desktop", hash="", **how):
        width, height = SIZES[size]
        context = chromium.new_context(viewport={"width": width, "height": height}, **how)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: request.url.startswith("file:") or wrong.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: said.type in {"error", "warning"} and wrong.append(said.text))
        path = pages(name)[0] if name in NETS else name
        page.goto(path.as_uri() + (f"#{identity(path)}-{hash}" if hash else ""))
        page.wait_for_timeout(60)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def identity(path):
    return re.search(r'<section class="bptt" id="([^"]+)"', path.read_text("utf-8"))[1]


# What is really seen of a thing: no other thing lies over its middle, and it is in the window.
SEEN = """(what) => {
  const part = document.querySelector(what), r = part.getBoundingClientRect();
  const over = document.elementFromPoint(r.left + Math.min(r.width, innerWidth - r.left) / 2, r.top + r.height / 2);
  return Boolean(over) && (part.contains(over) || over === part.parentElement);
}"""
CELLS = ".bptt-led:not([hidden]) button.cell"  # of the ledger that is shown
NUMBER = r"−?\d+\.\d+(?:e[+−]\d+)?"
SHARE = {
    "the formula with its numbers": ".bptt-said .f",
    "the copy's column": ".bptt-led:not([hidden]) .cell.sel .n",
    "its percent": ".bptt-led:not([hidden]) .cell.sel .p",
    "the controls": "[data-do=next]",
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NETS)
def test_a_share_is_seen_at_once_and_another_after_one_action(opened, name, size):
    page = opened(name, size)
    for _ in range(2):
        found = {what: page.evaluate(SEEN, part) for what, part in SHARE.items()}
        assert found == dict.fromkeys(SHARE, True)
        assert page.locator(".bptt-fig .sel").count() or name == "own"
        cells = page.locator(CELLS)
        cells.nth(2).click()
        assert page.evaluate("scrollY") == 0
    assert cells.nth(2).get_attribute("aria-pressed") == "true"
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]


@pytest.mark.parametrize("name", ["p5", "lstm4"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_nothing_moves_while_one_walks(opened, name, size):
    page = opened(name, size)
    parts = [".bptt-bar", ".bptt-fig", ".bptt-led:not([hidden])", ".bptt-panel", ".bptt-go", ".bptt-count", ".bptt-all"]
    where = """(parts) => parts.map((part) => {
      const { top, height } = document.querySelector(part).getBoundingClientRect();
      return `${Math.round(top)} ${Math.round(height)}`;
    }).join()"""
    seen = {page.evaluate(where, parts)}
    for button in page.locator(".bptt-weights button").all():
        button.click()
        seen.add(page.evaluate(where, parts))
    page.locator("[data-c=forward]").click()
    for _ in range(200):
        seen.add(page.evaluate(where, parts))
        before = page.locator(".bptt-count").inner_text()
        page.keyboard.press("ArrowRight")
        if page.locator(".bptt-count").inner_text() == before:
            break
    assert len(seen) == 1


# ---- numbers


@pytest.mark.parametrize("name", ["p5", "lstm4", "two samples", "p30", "own"])
def test_every_number_is_one_of_the_trace(opened, pages, name):
    page = opened(name)
    known = set(re.findall(NUMBER, pages(name)[1].to_json().replace("\\u2212", "−")))
    parts = page.locator(".bptt-led:not([hidden]) .cell, .bptt-said")
    for button in page.locator(".bptt-weights button").all():
        button.click()
        for cell in page.locator(CELLS).all()[:4]:
            cell.click()
            for part in page.locator(".bptt-said td[data-k]").all()[:3]:
                part.click()
                numbers = re.findall(NUMBER, " ".join(parts.all_inner_texts()))
                assert numbers
                assert set(numbers) <= known


@pytest.mark.parametrize("name", ["p5", "p8", "lstm4", "gru3", "stacked", "p30"])
def test_the_road_is_lit(opened, pages, name):
    _, shown = pages(name)
    page = opened(name)
    account = next(a for a in shown.accounts if a.id == shown.start[0])
    page.locator(CELLS).nth(1).click()
    todo, edges, seen = [account.shares[1].copy], set(), set()
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        for m in shown.moments:
            if m.phase == "backward" and m.parent == node:
                edges.add(m.edge[1:])
                todo.append(m.node)
        todo += [far for near, far in shown.bridges if near == node]
    lit = page.evaluate("[...document.querySelectorAll('.bptt-fig .way')].map((e) => e.dataset.c)")
    assert all(set(carried.split()) & edges or "gap" in carried for carried in lit if carried) or name == "p30"
    drawn = {e for c in re.findall(r'data-c="([^"]*)"', shown.figure.svg) for e in c.split()}
    assert edges & drawn <= {e for carried in lit for e in (carried or "").split()}


def test_why_follows_the_entry_that_was_asked_for_to_a_cost(opened):
    page = opened("p5")
    page.locator(CELLS).nth(1).click()
    formula, crumbs = page.locator(".bptt-said .f"), page.locator(".bptt-said .row").first.locator("button")
    arrived, live = page.locator(".bptt-said .says"), page.locator(".bptt-live")
    for entry in (0, 4, 8):
        page.locator(f".bptt-said td[data-k='{entry}']").click()
        told = page.locator(".bptt-said tbody th.hot").inner_text()  # the error that came back
        page.locator(".bptt-said .why").first.click()
        for taps in range(2, 99):
            assert told in (page.locator(".bptt-said .pick").inner_text(), "")
            assert (
                page.locator(".bptt-said > p:not(.f, .s, .says)")
                .inner_text()
                .endswith(f"= {page.locator('.bptt-said .pick').inner_text()}")
            )
            assert taps <= 2 * 5 + 3
            if re.search(r"∂C/∂C\(\d\) · ", formula.inner_text()):
                told = re.fullmatch(
                    r"You have arrived: y\((\d)\) ⊙ Σₖ d\(\1\) − d\(\1\), the cost at t = \1\.", arrived.inner_text()
                )
                assert told
                assert arrived.inner_text() in live.text_content()
                break
            assert arrived.count() == 0
            read = page.locator(".bptt-said .item:not(.r)").first
            whys = read.locator(".why").all()
            told = read.locator("b").inner_text() if len(whys) == 1 else ""  # of a sum, one button each
            whys[-1].click()
        assert crumbs.count() <= 4  # the first one and the last three
        assert ("…" in page.locator(".bptt-said .row").first.inner_text()) == (taps > 5)
        before = crumbs.count()
        page.keyboard.press("Escape")
        assert crumbs.count() <= before
        page.locator("[data-c=sum]").click()
        assert page.locator(".bptt-said tbody th.hot").count() == 1


# Whole: neither the panel nor a place that scrolls inside it cuts the thing off.
WHOLE = """(what) => [...document.querySelectorAll(what)].every((part) => {
  const places = [part, part.closest(".wide") ?? part, part.closest(".bptt-panel")];
  const [r, s, p] = places.map((e) => e.getBoundingClientRect());
  const inside = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1;
  return inside(r, s) && inside(s, p) && r.bottom <= p.bottom;
})"""


@pytest.mark.parametrize("name", ["p5", "lstm4"])
def test_a_narrow_place_cuts_nothing_that_the_formula_uses(opened, name):
    page = opened(name)
    page.add_style_tag(content=".bptt{width:736px}")  # what a page with two side bars leaves
    assert page.evaluate(
        "() => { const e = document.querySelector('.bptt-said table').parentNode;"
        "return e.scrollWidth <= e.clientWidth; }"
    )
    assert page.evaluate(WHOLE, ".bptt-said .why, .bptt-said .pick, .bptt-said .hot")
    cut = "all => all.filter((e) => e.scrollWidth > e.clientWidth).length"
    assert page.locator(".bptt-chapters button").evaluate_all(cut) == 0
    for _ in range(3):
        page.locator(".bptt-said .why").first.click()
        assert page.evaluate(WHOLE, ".bptt-said .num b, .bptt-said .pick")


def test_what_is_dimmed_can_be_read_and_what_the_error_passes_is_not_dimmed(opened, pages):
    page, (_, shown) = opened("p5"), pages("p5")
    dimmed = page.locator(".bptt-fig .number text").evaluate_all("all => all.map((e) => getComputedStyle(e).fill)")
    assert "rgb(119, 119, 119)" in dimmed  # on white 4.5 : 1
    opacity = """all => all.map((e) => {
      let a = 1;
      for (; e.matches(".bptt-fig *"); e = e.parentNode) a *= getComputedStyle(e).opacity;
      return a;
    })"""
    assert set(page.locator(".bptt-fig text").evaluate_all(opacity)) == {1}
    copies = next(a for a in shown.accounts if a.id == "W").shares
    on_the_way = [page.locator(f".bptt-fig [id$='-f-{c.copy}']").get_attribute("class") for c in copies]
    assert ["via" in each.split() for each in on_the_way] == [False, True, True, True, True]


def test_why_begins_with_what_gives_most_and_counts_what_gives_nothing(opened, pages):
    page, (_, shown) = opened("lstm4"), pages("lstm4")
    page.locator(CELLS).nth(1).click()
    account = next(a for a in shown.accounts if a.id == "U")
    back = [m for m in shown.moments if m.phase == "backward"]
    node = next(m.node for m in back if m.parent == account.shares[1].copy)
    gates = [m for m in back if m.parent == node]
    assert len(gates) == 4
    wide = account.shape[1]
    for row in (1, 4, 11):
        page.locator(".bptt-led:not([hidden]) .cell.sel .tile:not(.was) i").nth(row * wide).click()
        whys = page.locator(".bptt-said .row:has(.why)")
        giving = [m for m in gates if float(m.entries[row].value.replace("−", "-"))]
        assert len(giving) == 1  # the gate to which the row belongs
        assert whys.locator(".why").count() == 2  # and the one for what the copy multiplied
        assert "and 3 that give 0" in whys.inner_text()
        whys.locator(".why").first.click()
        assert page.locator(".bptt-said .f").inner_text() == giving[0].text
        page.keyboard.press("Escape")
    # Where several give something, the largest comes first.
    part = next(p for p in shown.parts if (p.name, p.t) == ("s", 2))
    into = [m for m in back if m.parent == part.id]
    assert len(into) == 2
    page.locator(f".bptt-fig [id$='-f-{part.id}']").click(force=True)
    reader = next(m for m in back if m.node == part.id and len(m.entries) == 3)
    page.goto(
        page.url.partition("#")[0]
        + f"#{page.locator('.bptt').get_attribute('id')}-step-{1 + shown.moments.index(reader)}"
    )
    for entry in range(3):
        page.locator(f".bptt-said td[data-k='{entry}']").click()
        first = max(into, key=lambda m: abs(float(m.entries[entry].value.replace("−", "-"))))
        page.locator(".bptt-said .item:not(.r) .why").first.click()
        assert page.locator(".bptt-said .f").inner_text() == first.text
        page.keyboard.press("Escape")


def test_a_truncation_strikes_out_what_it_loses(opened, pages):
    page, (_, shown) = opened("p5"), pages("p5")
    account = next(a for a in shown.accounts if a.id == "U")
    page.locator(".bptt-reach select").select_option("k₂ = 2")
    other = next(o for o in account.others if o.reach == 2)
    cells = page.locator(CELLS)
    for k, (full, cut) in enumerate(zip(account.shares, other.shares, strict=True)):
        text = cells.nth(k).locator(".p").inner_text().split()
        if full.share.percent != cut.percent:
            assert text == [full.share.percent.removesuffix(" %"), cut.percent.removesuffix(" %")]
            assert cells.nth(k).locator(".p s").count() == 1
            assert cells.nth(k).locator(".tile").count() == 2
    assert page.locator(".bptt-led:not([hidden]) .sum .from").inner_text() == f"cos {other.cosine}"
    assert cells.nth(3).locator(".from s").count() == 1
    assert "lost: the cost at 4 gives U(2)" in cells.nth(3).get_attribute("aria-label")
    assert page.locator(".bptt-fig .lost").count()
    assert page.locator(".bptt-key .iflost").is_visible()
    # The panel has the error under this k2, and what it gives.
    page.locator(CELLS).nth(1).click()
    assert "The error under k₂ = 2, times" in page.locator(".bptt-said").inner_text()
    assert tuple(page.locator(".bptt-said tbody th").all_inner_texts()) == other.errors[1]
    assert tuple(page.locator(".bptt-said td[data-k]").all_inner_texts()) == other.shares[1].texts
    assert page.locator(".bptt-said .f").inner_text().endswith(f"(whole: {account.shares[1].share.texts[5]})")
    page.locator(CELLS).nth(4).click()  # of which nothing is cut
    assert "The error that came back, times" in page.locator(".bptt-said").inner_text()
    page.locator(".bptt-weights button").nth(2).click()  # of a bias there is no product
    page.locator(CELLS).nth(1).click()
    assert "With the whole error:" in page.locator(".bptt-said").inner_text()
    page.locator("[data-c=t3]").click()
    assert page.locator(".bptt-reach select").input_value() == ""


def test_one_cost_alone(opened, pages):
    page, (_, shown) = opened("p8"), pages("p8")
    node, t = shown.costs[-1]
    page.locator(f".bptt-fig [id$='-f-{node}']").click(force=True)
    assert page.locator(".bptt-said h2").inner_text() == f"C({t}) alone"
    longest = max(m.alone[t - 1] or 0.0 for m in shown.moments if m.alone)
    told = re.search(r"darkest it is (\S+) long", page.locator(".bptt-said").inner_text())[1]
    assert float(told) == pytest.approx(longest, rel=1e-2)
    assert page.locator(".bptt-key .ln").nth(2).is_visible()
    account = next(a for a in shown.accounts if a.id == "U")
    got = page.locator(".bptt-led:not([hidden]) button.cell .from").all_inner_texts()
    assert got == [column.costs[-1].removesuffix(" %") for column in account.shares]
    fades = page.evaluate(
        "[...document.querySelectorAll('.bptt-fig .way')].map((e) => +e.style.getPropertyValue('--e'))"
    )
    assert min(fades) < 0.75 < max(fades)
    page.locator(".bptt-said button").click()
    assert "U(2) gives" in page.locator(".bptt-said h2").inner_text()


def test_samples_one_at_a_time(opened):
    page = opened("two samples")
    first = page.locator(".bptt-said .f").inner_text()
    assert ", + 1 more = " in first
    page.locator(".bptt-said .row button", has_text="sample 2").click()
    second = page.locator(".bptt-said .f").inner_text()
    assert second != first
    assert second.rpartition(" = ")[2] == first.rpartition(" = ")[2]


def test_a_weight_of_many_entries_is_told_by_its_length(opened, tmp_path):
    shown = tg.trace(nets.network(tg.cells.Guo(), 3, (2, 24, 2)))
    page = opened(tg.player(shown).save(tmp_path / "large.html"))
    column = next(a for a in shown.accounts if a.id == "U").shares[1]
    assert page.locator(".bptt-said .f").inner_text().endswith(f"of the length {column.share.length}")
    assert page.locator(CELLS).nth(1).locator(".tile i").count() == 144


def test_two_networks(opened, tmp_path):
    net, other = (nets.network(tg.cells.Guo(f=f), 4) for f in ("tanh", "sigmoid"))
    page = opened(tg.player(net, compare=other).save(tmp_path / "two.html"))
    assert page.locator(".bptt-reach select").input_value() == "the other"
    assert page.locator(".bptt-led:not([hidden]) button.cell .was").count() >= 3
    # The lines on which their errors differ are marked, and told.
    shown = tg.trace(net, compare=other)
    told = {edge for edge in shown.differing if f'"{edge[1:]}"' in page.locator(".bptt-data").text_content()}
    marked = page.evaluate("[...document.querySelectorAll('.bptt-fig .diff')].map((e) => e.dataset.c.split(' '))")
    drawn = page.evaluate("[...document.querySelectorAll('.bptt-fig [data-c]')].map((e) => e.dataset.c.split(' '))")
    alike = [edges for edges in drawn if not {f"e{edge}" for edge in edges} & told]
    assert len(marked) + len(alike) == len(drawn)
    assert all({f"e{edge}" for edge in edges} & told for edges in marked)
    assert marked
    assert alike
    assert page.locator(".bptt-key .ifdiff").is_visible()
    page.locator(CELLS).nth(2).click()
    assert f"The errors of the two differ on {len(marked)} lines" in page.locator(".bptt-live").text_content()
    page.locator(".bptt-reach select").select_option("")
    assert page.locator(".was, .diff").count() == 0
    assert not page.locator(".bptt-key .ifdiff").is_visible()


# ---- moves


def test_a_copy_and_a_layer_in_the_picture(opened, pages):
    page, (_, shown) = opened("p5"), pages("p5")
    account = next(a for a in shown.accounts if a.id == "V")
    page.locator(f".bptt-fig [id$='-f-{account.shares[3].copy}']").click(force=True)
    assert page.locator(".bptt-said h2").inner_text().startswith("V(4) gives")
    part = next(p for p in shown.parts if (p.name, p.t) == ("s", 3))
    page.locator(f".bptt-fig [id$='-f-{part.id}_name']").click(force=True)
    assert page.locator(".bptt-said .f").inner_text().startswith("∂C/∂s(3)")


def test_arrows_move_over_shares_and_over_steps(opened):
    page = opened("p5")
    page.keyboard.press("ArrowRight")
    assert page.locator(".bptt-said h2").inner_text().startswith("U(3) gives")
    assert re.search(r"-U-3-\d\d$", page.url)
    page.locator("[data-c=t3]").click()
    count = page.locator(".bptt-count").inner_text()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    assert page.locator(".bptt-count").inner_text() == count
    assert re.fullmatch(r"step \d+ of 70", count)
    page.locator(".bptt-copies").check()
    assert page.locator(".bptt-count").inner_text().endswith(" of 126")
    page.locator(".bptt-slider").focus()
    page.keyboard.press("ArrowRight")  # a field's own keys stay its own
    assert page.locator(".bptt-slider").input_value() == str(
        int(page.locator(".bptt-count").inner_text().split()[1]) - 1
    )


def test_back_returns_to_what_was_chosen_before(opened):
    page = opened("p5")
    head, formula = page.locator(".bptt-said h2"), page.locator(".bptt-said .f")
    begun = page.evaluate("history.length")
    start = head.inner_text()
    page.locator(CELLS).nth(3).click()
    page.locator(CELLS).nth(3).click()  # twice the same is once
    page.locator(".bptt-weights button").first.click()
    weight = head.inner_text()
    page.locator(".bptt-said .why").first.click()
    page.locator(".bptt-said .why").first.click()
    deepest = formula.inner_text()
    assert page.evaluate("history.length") == begun + 4
    for _ in range(6):  # a walk, by the arrows, the slider or the film, leaves no traces
        page.keyboard.press("ArrowLeft")
    page.locator(".bptt-slider").fill("20")
    page.locator("[data-do=film]").click()
    page.locator("[data-do=film]").click()
    assert page.evaluate("history.length") == begun + 4
    page.go_back()
    page.wait_for_timeout(60)
    assert page.locator(".bptt-said .row").first.locator("button").count() == 1  # the way to it is known still
    assert formula.inner_text() != deepest
    page.go_back()
    page.wait_for_timeout(60)
    assert head.inner_text() == weight
    page.go_back()
    page.wait_for_timeout(60)
    assert head.inner_text().startswith("U(4) gives")
    assert re.search(r"-U-4-\d\d$", page.url)
    page.go_back()
    page.wait_for_timeout(60)
    assert head.inner_text() == start
    assert "#" not in page.url
    page.go_forward()
    page.wait_for_timeout(60)
    assert head.inner_text().startswith("U(4) gives")
    page.locator(".bptt-reach select").select_option("k₂ = 1")
    assert re.search(r"-U-4-\d\d~\d$", page.url)
    again = page.context.new_page()
    again.goto(page.url)
    assert again.locator(".bptt-reach select").input_value() == "k₂ = 1"
    page.go_back()
    page.wait_for_timeout(60)
    assert page.locator(".bptt-reach select").input_value() == ""


def test_of_two_players_one_goes_back_and_the_other_stays(opened, tmp_path):
    one, two = (tg.player(guo(3), title=title, start=("U", 2)) for title in ("a", "b"))
    path = tmp_path / "two.html"
    path.write_text(one.page().replace("</main>", two.fragment() + "</main>"), "utf-8")
    page = opened(path)
    for k, t in ((0, 3), (1, 1)):
        page.locator(".bptt").nth(k).locator(CELLS).nth(t - 1).click()
    page.go_back()
    page.wait_for_timeout(60)
    heads = [head[:4] for head in page.locator(".bptt-said h2").all_inner_texts()]
    assert heads == ["U(3)", "U(2)"]


def test_of_two_players_one_hears_the_keys(opened, pages, tmp_path):
    net = guo(3)
    one, two = (tg.player(net, title=title, start=("U", 2)) for title in ("a", "b"))
    path = tmp_path / "two.html"
    path.write_text(one.page().replace("</main>", two.fragment() + "</main>"), "utf-8")
    page = opened(path, "desktop")
    page.keyboard.press("ArrowRight")
    heads = page.locator(".bptt-said h2").all_inner_texts()
    assert sorted(head[:4] for head in heads) == ["U(2)", "U(3)"]
    page.locator(".bptt").nth(1).locator("[data-do=previous]").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".bptt").nth(1).locator(".bptt-said h2").inner_text().startswith("U(1)")
    assert page.locator(".bptt").nth(0).locator(".bptt-said h2").inner_text().startswith("U(3)")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["p5", "lstm4"])
def test_a_fresh_link(opened, pages, name, size):
    _, shown = pages(name)
    for k in (1, len(shown) // 2, len(shown)):
        page = opened(name, size, f"step-{k}")
        assert shown.moments[k - 1].text == page.locator(".bptt-said .f").inner_text()
        assert (
            abs(page.evaluate("document.querySelector('.bptt').getBoundingClientRect().top")) < 50
        )  # below a title, where all fits
        assert page.evaluate(SEEN, ".bptt-said .f") is True
    entry = "31" if name == "p5" else "3.1"  # more than nine rows: a dot between
    page = opened(name, size, f"U-2-{entry}")
    assert page.locator(".bptt-said .f").inner_text().startswith("u₃₁")
    assert page.evaluate(SEEN, ".bptt-said .f") is True
    page.evaluate("location.hash = location.hash.replace(/U-2-.*/, 'V-1')")
    page.wait_for_timeout(50)
    assert page.locator(".bptt-said h2").inner_text().startswith("V(1)")


def test_tiles_and_cells_choose_an_entry(opened):
    page = opened("p5")
    page.locator(CELLS).nth(2).locator(".tile i").nth(3).click()
    assert page.locator(".bptt-said .f").inner_text().startswith("u₂₁")
    page.locator(".bptt-said .pick").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.locator(".bptt-said .f").inner_text().startswith("u₃₂")
    assert page.evaluate("document.activeElement.matches('.pick')")
    assert page.locator(".bptt-led:not([hidden]) .tile i.pick").count() == 6


def test_the_film_fills_the_ledger(opened):
    page = opened("p3")
    film = page.locator("[data-do=film]")
    film.click()
    assert film.get_attribute("aria-pressed") == "true"
    page.wait_for_function("() => document.querySelectorAll('.bptt-led:not([hidden]) .cell.wait').length === 2")
    assert page.locator(".bptt-led:not([hidden]) .sum .p").inner_text() == "so far"
    assert page.locator(".bptt-live").inner_text() == ""  # it would never stop talking
    assert re.match(r"U\(3\) gives ", page.locator(".bptt-said h2").inner_text())  # a share can be read in its time
    film.click()
    page.wait_for_timeout(3500)  # longer than a frame
    assert re.match(r"U\(3\) gives ", page.locator(".bptt-said h2").inner_text())
    assert page.locator(".bptt-led:not([hidden]) .cell.wait").count() == 2
    film.click()
    assert re.match(r"U\(2\) gives ", page.locator(".bptt-said h2").inner_text())
    page.wait_for_function(
        "() => document.querySelector('[data-do=film]').getAttribute('aria-pressed') === 'false'", timeout=20_000
    )
    assert page.locator(".cell.wait").count() == 0


@pytest.mark.parametrize("name", ["p5", "p8", "lstm4", "p200", "stacked"])
def test_the_film_can_be_read_and_ends(opened, name):
    page = opened(name)
    page.evaluate("() => { window.setInterval = (f, often) => { window.often = often; window.frame = f; return 1; }; }")
    page.locator("[data-do=film]").click()
    often, frames = page.evaluate("often"), 1
    while page.locator("[data-do=film]").get_attribute("aria-pressed") == "true":
        frames += 1
        page.evaluate("frame()")
    assert often >= 1500
    assert frames * often <= 16_000 + often
    assert page.locator("[data-c=sum]").get_attribute("aria-current") == "true"


def test_reduced_motion(opened):
    page = opened("p5", reduced_motion="reduce")
    moving = "[...document.querySelectorAll('.bptt *')].some((e) => getComputedStyle(e).transitionDuration !== '0s')"
    assert not page.evaluate(moving)
    page.evaluate("() => { window.setInterval = () => { throw new Error('a timer'); }; }")
    for _ in range(7):
        page.locator("[data-do=film]").click()
    assert page.locator("[data-do=film]").get_attribute("aria-pressed") == "false"


def test_pointing_at_one_marks_the_others(opened):
    page = opened("p5")
    page.locator(".bptt-said .nm[data-node]").first.hover()
    assert page.locator(".bptt-fig .hov").count() == 1
    page.locator(CELLS).nth(3).hover()
    assert page.locator(".bptt-fig .hov").count() == 1
    page.keyboard.press("ArrowRight")
    page.mouse.move(5, 5)
    assert page.locator(".hov").count() == 0


def test_every_op_in_a_box_on_demand(opened):
    page = opened("p5")
    assert page.locator(".bptt-pic svg").count() == 0
    page.locator("[data-do=ops]").click()
    assert page.locator(".bptt-pic svg").is_visible()
    assert not page.locator(".bptt-fig").is_visible()
    inside = """() => {
      const [a, b] = [".bptt-pic .now", ".bptt-pic"].map((e) => document.querySelector(e).getBoundingClientRect());
      return a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
    }"""
    assert page.evaluate(inside)
    # Its columns are not the picture's: the ledger stands as one row of cells of one width, from the left.
    places = page.locator(".bptt-led:not([hidden]) .cell").evaluate_all(
        "all => all.map((e) => e.getBoundingClientRect()).map(({ left, width, top }) => [left, width, top])"
    )
    assert len({(round(width), round(top)) for _, width, top in places}) == 1
    assert places[-1][0] + places[-1][1] < page.evaluate(
        "document.querySelector('.bptt-scroll').getBoundingClientRect().right - 60"
    )
    page.locator("[data-do=ops]").click()
    assert page.locator(".bptt-fig").is_visible()


# ---- guessing


def test_a_guess_hides_the_result_and_nothing_else(opened):
    page = opened("p5")
    page.locator(".bptt-predict input").check()
    formula, cell = page.locator(".bptt-said .f"), page.locator(".bptt-said .pick")
    assert formula.inner_text().endswith("= ?")
    assert cell.inner_text() == "?"
    assert page.locator(".bptt-led:not([hidden]) .cell.sel .v").inner_text() == "?"
    d, x = page.locator(".bptt-said tbody th.hot").inner_text(), page.locator(".bptt-said thead th.hot").inner_text()
    value = float(d.replace("−", "-")) * float(x.replace("−", "-"))
    field = page.locator(".bptt-said form input")
    for guess, says in [
        ("abc", "Write a number"),
        ("", "Write a number"),
        (f"{-value:.3f}", "The size is right, the sign is not."),
        (f"{value + 7:.3f}", f"Not {value + 7:.3f}. Work it out"),
    ]:
        field.fill(guess)
        field.press("Enter")
        assert says in page.locator(".bptt-said form [role=status]").inner_text()
        assert cell.inner_text() == "?"
    field.fill(f"{value:.3f}".replace("-", "−"))
    page.locator(".bptt-said form button").first.click()
    assert page.locator(".bptt-said > [role=status]").inner_text().startswith("Right: ")
    assert cell.inner_text() != "?"
    page.locator("[data-c=t3]").click()
    assert page.locator(".bptt-said .item:not(.r)").count() >= 2
    assert "?" not in page.locator(".bptt-said .item:not(.r)").first.inner_text().replace("why?", "")
    assert page.locator(".bptt-said .r").first.inner_text().count("?") == 1
    page.locator(".bptt-said form button").nth(1).click()
    assert page.locator(".bptt-said .pick").inner_text() != "?"
    page.locator(".bptt-copies").check()
    page.keyboard.press("Escape")
    page.goto(page.url.partition("#")[0] + f"#{page.locator('.bptt').get_attribute('id')}-step-1")
    assert page.locator(".bptt-said form").count() == 0  # never at a copy


# ---- without a script, for everybody, and how large it is


@pytest.mark.parametrize("name", ["p5", "p30"])
def test_without_javascript_everything_is_there(opened, name, pages):
    page, (_, shown) = opened(name, java_script_enabled=False), pages(name)
    assert page.locator(".bptt-fig svg.tinygrad-rnn").is_visible()
    assert page.locator(".bptt-led").count() == len([a for a in shown.accounts if a.shares])
    assert all(led.is_visible() for led in page.locator(".bptt-led").all())
    assert page.locator(".bptt-led .tile i").first.is_visible()
    assert page.locator(".bptt-steps > li").count() == len(shown)
    assert page.locator(".bptt-steps > li").nth(3).is_visible()
    assert page.locator(".bptt-tables td").first.is_visible()
    for part in (".bptt-bar", ".bptt-go", ".bptt-panel"):
        assert not page.locator(part).is_visible()


def test_screen_readers_are_told_once(opened):
    page = opened("p5")
    assert page.locator(".bptt-live").inner_text() == ""
    page.keyboard.press("ArrowRight")
    assert re.match(r"U\(3\) gives .* of ∂C/∂U\. u\d?", page.locator(".bptt-live").text_content())
    label = page.locator(CELLS).nth(3).get_attribute("aria-label")
    assert re.match(r"U\(4\): .* % of the gradient; entry u..? .*; the cost at 4 gives U\(3\) .* %", label)
    page.locator("[data-c=t2]").click()
    assert page.locator(CELLS).nth(0).get_attribute("aria-label").startswith("U(1): not yet")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("name", ["p5", "lstm4", "p30"])
def test_is_accessible(opened, name, size, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(name, size, color_scheme=scheme)
    acts = [
        lambda: None,
        lambda: page.locator("[data-c=t2]").click(),
        lambda: page.locator(".bptt-predict input").check(),
        lambda: page.locator("[data-do=ops]").click(),
    ]
    for act in acts:
        act()
        page.wait_for_timeout(300)  # what fades has faded
        found = Axe().run(page, ".bptt").response["violations"]
        assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found] == []
    small = "all => all.filter((e) => e.offsetWidth && (e.offsetHeight < 24 || e.offsetWidth < 24)).length"
    assert page.locator(".bptt :is(button, select, input)").evaluate_all(small) == 0
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


def test_the_ledger_is_near_with_the_keyboard(opened):
    page = opened("p5")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "bptt-skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.cell')")


BUDGET = {"p3": 185_000, "p5": 275_000, "lstm4": 420_000, "24 units": 600_000}


def test_sizes_and_speed(opened, pages):
    for name, most in BUDGET.items():
        assert pages(name)[0].stat().st_size < most
    page = opened("p5")
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    page.locator("[data-c=t3]").click()
    spent = page.locator("[data-do=next]").evaluate(
        "b => { const t = performance.now(); for (let k = 0; k < 20; k++) b.click(); return performance.now() - t; }"
    )
    assert spent < 20 * 100  # a bound for a page that hangs, not a measurement
    assert json.loads(page.locator(".bptt-data").text_content())["cols"] == [[t, t] for t in range(1, 6)]
