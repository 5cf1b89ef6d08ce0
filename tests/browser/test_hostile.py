"""Traces of strangers in Chromium: whatever stands in them, no script runs, no request, nobody is led away."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from sphinx.application import Sphinx

import tinygrad_rnn as tg

sys.path.append(str(Path(__file__).parents[1] / "view"))
from hostile_traces import taken

# Use each stepper a little, and see what there is on the page that is none of ours.
USE = """
() => {
  for (const root of document.querySelectorAll(".bptt")) {
    const press = (what) => root.querySelectorAll(what).forEach((part) => part.click());
    for (const what of [".bptt-chapters button", "[data-do]", ".bptt-said .why", ".bptt-weights button"]) press(what);
    press(".bptt-predict input, .bptt-led button, .bptt-said td, [data-do=previous]");
    for (const part of root.querySelectorAll(".bptt-fig *, .bptt-pic *")) {
      for (const what of ["mouseover", "focus", "click"]) part.dispatchEvent(new MouseEvent(what, { bubbles: true }));
    }
  }
  const inside = (what) => document.querySelectorAll(`.bptt :is(${what})`).length;
  return {
    scripts: inside("script:not([type='application/json'])"),
    runs: [...document.querySelectorAll(".bptt *")].flatMap((e) => e.getAttributeNames()).filter((a) => /^on/i.test(a))
      .length,
    leads: inside("iframe, object, embed, image, foreignObject, use, animate, set, img, link, meta, [action]"),
    base: document.querySelectorAll("base, [http-equiv=refresh]").length,
    links: [...document.querySelectorAll(".bptt a")].filter((a) => !a.getAttribute("href").startsWith("#")).length,
    pwned: window.pwned ?? 0,
    steps: document.querySelectorAll(".bptt-playing .bptt-said > *:first-child").length,
  };
}
"""
GROUP = 8  # traces on a page of the site, and in a notebook
EVERY = 5  # of them: what is embedded there is the fragment of the page from disk, where all are tried


@pytest.fixture(scope="module")
def traces():
    found = taken()
    assert len(found) >= 100
    return found


@pytest.fixture
def visit(chromium):
    def visit(path):
        page = chromium.new_page()
        seen = SimpleNamespace(page=page, requests=[], other=[])
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("framenavigated", lambda frame: seen.requests.append(frame.url))
        page.on("dialog", lambda dialog: (seen.other.append("dialog"), dialog.dismiss()))
        page.on("popup", lambda _: seen.other.append("popup"))
        page.on("pageerror", lambda error: seen.other.append(str(error)))
        page.goto(path.resolve().as_uri(), wait_until="load")
        return seen

    return visit


def is_harmless(seen, steppers, site):
    """Nothing has happened but what a stepper does."""
    found = seen.page.evaluate(USE)
    seen.page.mouse.move(200, 200)
    assert found.pop("steps") == steppers
    assert set(found.values()) == {0}, found
    assert [url for url in seen.requests if not url.startswith(site)] == []
    assert seen.other == []
    seen.page.close()


def test_as_a_page_from_disk(traces, visit, tmp_path):
    for k, (_, trace) in enumerate(traces):
        path = tg.player(trace).save(tmp_path / f"{k}.html")
        is_harmless(visit(path), 1, path.resolve().as_uri())


def test_in_a_notebook(traces, visit, tmp_path):
    traces = traces[::EVERY]
    for k in range(0, len(traces), GROUP):
        group = [tg.player(trace)._repr_html_() for _, trace in traces[k : k + GROUP]]
        path = tmp_path / f"{k}.html"
        path.write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{''.join(group)}</body>", "utf-8")
        is_harmless(visit(path), len(group), path.resolve().as_uri())


def test_on_a_page_of_a_site(traces, visit, tmp_path):
    traces = traces[::EVERY]
    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    (source / "conf.py").write_text('extensions = ["tinygrad_rnn.view.sphinx"]\n')
    pages = {}
    for k in range(0, len(traces), GROUP):
        lines = [f"Page {k}\n========\n\n"]
        for j, (_, trace) in enumerate(traces[k : k + GROUP], start=k):
            trace.save(source / f"{j}.json")
            lines.append(f".. stepper::\n   :trace: {j}.json\n\n")
        (source / f"page{k}.rst").write_text("".join(lines))
        pages[f"page{k}"] = len(lines) - 1
    (source / "index.rst").write_text("Site\n====\n\n.. toctree::\n\n   " + "\n   ".join(pages) + "\n")
    Sphinx(source, source, site, tmp_path / "doctrees", "html", status=None, warning=None).build()
    for name, count in pages.items():
        seen = visit(site / f"{name}.html")
        is_harmless(seen, count, site.resolve().as_uri())
