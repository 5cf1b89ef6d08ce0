"""What shows itself in a notebook and cannot know of it: `unfold` has no pictures, and a trace no page."""

from __future__ import annotations

from ..unfold import Unfolded
from .player import Player
from .trace import Trace
from .views import draw


def _figure(net: Unfolded) -> str:
    return draw(net, level="figure")._repr_html_()


def _page(shown: Trace) -> str:
    return Player(shown)._repr_html_()


Unfolded._repr_html_ = _figure  # type: ignore[attr-defined]
Trace._repr_html_ = _page  # type: ignore[attr-defined]
