"""Every picture that `draw` offers is drawn as it was, until it is meant to change."""

import difflib

import pytest

import gallery

HOW = "if this is meant, run `python tests/view/gallery.py`"


@pytest.mark.parametrize("network", gallery.NETWORKS)
def test_the_dot_is_as_it_was(network):
    kept, drawn = gallery.kept(network), gallery.golden(network)
    assert set(drawn) == set(kept), HOW
    for name, text in drawn.items():
        changes = difflib.unified_diff(kept[name].split("\n"), text.split("\n"), "kept", "drawn", lineterm="", n=1)
        assert kept[name] == text, "\n".join([f"{name}: {HOW}", *list(changes)[:40]])


@pytest.mark.parametrize("network", gallery.NETWORKS)
def test_every_view_and_every_overlay_is_in_the_gallery(network):
    told = [shown.said for shown in gallery.pictures(network)]
    few = {"window"} if gallery.NETWORKS[network]().T < 3 else set()  # nothing is left out of two steps
    assert {said["view"] for said in told if "view" in said} == set(gallery.VIEWS) - few
    assert {said["overlay"] for said in told if "overlay" in said} == set(gallery.OVERLAYS)


@pytest.mark.parametrize("network", gallery.NETWORKS)
def test_layers_figures_and_opened_nodes_are_in_the_gallery(network):
    told = [shown.said for shown in gallery.pictures(network)]
    assert any("ledger" in said for said in told)
    assert {said["level"] for said in told if "level" in said} == set(gallery.LEVELS[1:])
    assert [said["zoom"] for said in told if "zoom" in said] == gallery.OPENED[network]


def test_nothing_else_is_kept():
    assert {path.name.partition(".")[0] for path in gallery.GOLDEN.iterdir()} == set(gallery.NETWORKS)
