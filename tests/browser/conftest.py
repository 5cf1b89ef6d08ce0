"""A real Chromium, driven by Playwright, that notes what a page asks for and complains about."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import sync_playwright

HTML = Path(__file__).parents[2] / "docs/_build/html"

# Playwright can fetch a browser of its own; a distribution's is just as good and is often already there.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)

# A browser otherwise talks to its maker at every start: noise here, and refused where there is no network.
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium():
    """Path of a Chromium or Chrome: $TINYGRAD_RNN_CHROMIUM, else one on PATH, else a usual place."""
    named = os.environ.get("TINYGRAD_RNN_CHROMIUM")
    return next(filter(None, [named, *map(shutil.which, NAMES), *filter(os.path.exists, PLACES)]), None)


@pytest.fixture(scope="session")
def chromium():
    path = find_chromium()
    if path is None:
        pytest.fail("no Chromium or Chrome found: install one, or set TINYGRAD_RNN_CHROMIUM to its path")
    # Chromium's own sandbox refuses to start as root, which is who runs in most containers.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS + ["--no-sandbox"] * root)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site():
    """The folder of the built site."""
    assert (HTML / "index.html").is_file(), "no built site: run `nox -s docs` first"
    return HTML


@pytest.fixture(scope="session")
def visit(chromium):
    """visit(path, width=, scheme=) -> `.page`, newly loaded, its `.requests` and its `.complaints`."""

    def visit(path, *, width=1280, scheme="light"):
        page = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
        seen = SimpleNamespace(page=page, requests=[], complaints=[])
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("requestfailed", lambda request: seen.complaints.append(f"failed: {request.url}"))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: message.type in {"error", "warning"} and seen.complaints.append(message.text),
        )
        page.goto(Path(path).resolve().as_uri(), wait_until="load")
        page.evaluate("() => document.fonts.ready.then(() => 0)")
        return seen

    return visit
