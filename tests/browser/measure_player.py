"""What a reader needs until a share is seen, and what moves or waits meanwhile: measured in Chromium, as a table.

python tests/browser/measure_player.py [NAME ...]

Each row is a network at a size of the window. `acts` and `scrolls` until another share is seen, not hidden by anything;
`jumps` of the parts over all steps and all weights; the player's `top` behind a link into a fresh tab, where its own
title is all that may stand above; whether the arrows are heard with nothing focused; milliseconds of work a step. It
ends with 1 if a row is worse than it must be.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from test_player import CELLS, NETS, SEEN, SHARE, SIZES, identity

import tinygrad_rnn as tg
from conftest import FLAGS, find_chromium

MEASURED = ["p3", "p5", "p8", "p30", "p200", "lstm4", "gru3", "stacked", "own"]
MOST_MS = 15.0
PARTS = [".bptt-bar", ".bptt-fig", ".bptt-led:not([hidden])", ".bptt-panel", ".bptt-go", ".bptt-count", ".bptt-key"]
JUMPS = """(parts) => {
  const press = (what) => document.querySelector(what).click(), seen = new Set();
  const look = () => seen.add(parts.map((part) => {
    const { top, height } = document.querySelector(part).getBoundingClientRect();
    return `${Math.round(top)} ${Math.round(height)}`;
  }).join());
  for (const button of document.querySelectorAll(".bptt-weights button")) { button.click(); look(); }
  press("[data-c=forward]");
  const slider = document.querySelector(".bptt-slider");
  for (let k = 0; k <= +slider.max; k++) { look(); press("[data-do=next]"); }
  return seen.size - 1;
}"""
WALK = """() => {
  const next = document.querySelector("[data-do=next]"), panel = document.querySelector(".bptt-panel");
  document.querySelector("[data-c=forward]").click();
  for (let k = 0; k < 40; k++) { next.click(); panel.offsetHeight; }
}"""


def speed(page):
    """Milliseconds that a step keeps the page's own thread busy: what else the machine does does not count."""
    told = page.context.new_cdp_session(page)
    told.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy():
        return next(m["value"] for m in told.send("Performance.getMetrics")["metrics"] if m["name"] == "TaskDuration")

    before = busy()
    page.evaluate(WALK)
    return 1000 * (busy() - before) / 40


def scrolls(page):
    """How often the page is scrolled until the share is seen: formula, column, per cent and controls."""
    for times in range(6):
        if all(page.evaluate(SEEN, part) for part in SHARE.values()):
            return times
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(80)
    return 99


def measured(browser, path, size):
    """The row of a page at a size, and what of it is worse than it must be."""
    width, height = SIZES[size]

    def fresh(hash=""):
        context = browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        page.goto(path.as_uri() + (f"#{identity(path)}-{hash}" if hash else ""))
        page.wait_for_timeout(120)
        return page

    page = fresh()
    at_once = scrolls(page)
    page.locator(CELLS).nth(2).click()
    after = scrolls(page)
    page.close()
    page = fresh()
    before = page.locator(".bptt-said h2").inner_text()
    page.keyboard.press("ArrowRight")
    heard = page.locator(".bptt-said h2").inner_text() != before
    jumps = page.evaluate(JUMPS, PARTS)
    spent = speed(page)
    page.close()
    page = fresh("step-9")
    seen = page.evaluate(SEEN, ".bptt-said .f")
    top = page.evaluate("document.querySelector('.bptt').getBoundingClientRect().top")
    page.context.close()
    row = {
        "acts": 1 if at_once == after == 0 else 1 + max(at_once, after),
        "scrolls": max(at_once, after),
        "jumps": jumps,
        "top": f"{round(top)}{'' if seen else ', formula hidden'}",
        "arrows": "yes" if heard else "no",
        "ms": f"{spent:.1f}",
    }
    good = row["scrolls"] == 0 and jumps == 0 and 0 <= top < 50 and seen and heard and spent <= MOST_MS
    return row, good


def main(names):
    bad = 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS, "--no-sandbox"])
        print(f"{'':22}{'acts':>6}{'scrolls':>9}{'jumps':>7}{'top':>5}{'arrows':>8}{'ms':>7}{'kB':>6}")
        for name in names:
            path = tg.player(NETS[name]()).save(Path(folder) / f"{name}.html")
            for size, (width, height) in SIZES.items():
                row, good = measured(browser, path, size)
                bad += not good
                print(
                    f"{f'{name} {width}x{height}':22}{row['acts']:>6}{row['scrolls']:>9}{row['jumps']:>7}"
                    f"{row['top']:>5}{row['arrows']:>8}{row['ms']:>7}{path.stat().st_size / 1000:>6.0f}"
                    f"{'' if good else '  <- worse than it must be'}",
                    flush=True,
                )
        browser.close()
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or MEASURED))
