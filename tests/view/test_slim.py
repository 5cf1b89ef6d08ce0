"""Pictures as they stand in a page: smaller, and the same to the eye and to the script."""

import re
import xml.etree.ElementTree as ET

import pytest

import nets
import tinygrad_rnn as tg
from tinygrad_rnn.view.redrawn import redrawn
from tinygrad_rnn.view.slim import slim

SVG = "{http://www.w3.org/2000/svg}"
HANDED_ON = ("text-anchor", "font-family", "font-style", "font-size", "font-weight", "fill", "stroke")


def seen(picture):
    """Each shape and text with what it looks like: what it says itself, or what it is handed on."""

    def walk(part, handed):
        said = handed | {name: part.get(name) for name in HANDED_ON if part.get(name) is not None}
        if part.tag != f"{SVG}text":  # a shape has no letters
            looks = {name: value for name, value in said.items() if name in ("fill", "stroke")}
        else:
            looks = said | {"font-size": float(said.get("font-size", 16))}
        if part.tag in (f"{SVG}text", f"{SVG}rect", f"{SVG}polygon", f"{SVG}path"):
            yield (
                part.tag,
                "".join(part.itertext()),
                looks,
                [ends(part.get(name, "")) for name in ("d", "points", "x", "y")],
            )
        for child in part:
            yield from walk(child, said)

    return list(walk(ET.fromstring(picture), {}))


def ends(numbers):
    """The corners that a path goes through, first and last, as numbers."""
    found = [float(each) for each in re.findall(r"-?[0-9.]+", numbers)]
    return found[:2] + found[-2:]


@pytest.fixture(scope="module", params=["Guo", "LSTM"])
def pictures(request):
    shown = tg.trace(nets.FOLDABLE[request.param](3))
    return [redrawn(picture, "a-") for picture in (shown.svg, shown.figure.svg)]


def test_it_looks_the_same(pictures):
    for picture in pictures:
        before, after = seen(picture), seen(slim(picture))
        assert len(before) == len(after) > 20
        for (tag, text, looks, places), (tag2, text2, looks2, places2) in zip(before, after, strict=True):
            assert (tag, text, looks) == (tag2, text2, looks2)
            for place, place2 in zip(places, places2, strict=True):
                assert place2 == pytest.approx(place, abs=0.051)
        assert len(slim(picture)) < 0.85 * len(picture)


def test_a_curve_keeps_its_bends():
    path = (
        'd="M0.00,0.00C0.00,0.00 9.00,0.00 9.00,0.00 12.00,0.00 12.00,3.00 12.00,3.00 12.00,3.00 12.00,8.04 12.00,8.04"'
    )
    assert 'd="M0,0L9,0C12,0 12,3 12,3L12,8"' in slim(f'<svg class="a"><path {path}/></svg>')


def test_who_is_looked_for_keeps_its_id(pictures):
    picture = pictures[0]
    wanted = set(re.findall(r'id="(a-n[0-9]+)"', picture))
    assert set(re.findall(r' id="([^"]+)"', slim(picture, wanted))) == wanted
    assert set(re.findall(r' id="([^"]+)"', slim(picture))) == set(re.findall(r' id="([^"]+)"', picture))
