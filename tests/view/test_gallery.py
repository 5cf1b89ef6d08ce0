"""Every picture that `draw` offers is drawn as it was, until it is meant to change."""

import difflib

import pytest

import gallery

HOW = "if this is meant, run `python tests/view/gallery.py`"


@pytest.mark.parametrize("network", gallery.NETWORKS)
def test_the_dot_is_as_it_was(network):
    kept = {path.name: path.read_text(encoding="utf-8") for path in gallery.GOLDEN.glob(f"{network}-*.dot")}
    drawn = gallery.golden(network)
    assert set(drawn) == set(kept), HOW
    for name, text in drawn.items():
        changes = difflib.unified_diff(kept[name].split("\n"), text.split("\n"), "kept", "drawn", lineterm="", n=1)
        assert kept[name] == text, "\n".join([f"{name}: {HOW}", *list(changes)[:40]])


@pytest.mark.parametrize("network", gallery.NETWORKS)
def test_every_view_and_every_overlay_is_in_the_gallery(network):
    shown = list(gallery.pictures(network))
    # Of two steps nothing can be left out, so their window is the whole.
    assert {one.view for one in shown} >= set(gallery.VIEWS) - {"window"}
    assert {one.overlay for one in shown} == (set(gallery.OVERLAYS) if network == "guo" else {"both", "gradient"})
    assert len({one.picture.dot for one in shown}) == len(shown)


def test_nothing_else_is_kept():
    assert {path.name.partition("-")[0] for path in gallery.GOLDEN.iterdir()} == set(gallery.NETWORKS)
