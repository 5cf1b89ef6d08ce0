"""Every picture that `draw` offers, of four networks: the site shows them, and their DOT is compared with what was.

``python tests/view/gallery.py`` writes tests/view/golden anew, when pictures are meant to have changed. Look at them
first, in the gallery that ``nox -s docs`` builds.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.view.picture import OVERLAYS, VIEWS

GOLDEN = Path(__file__).parent / "golden"


class Shown(NamedTuple):
    """A picture with its network's name, and the call that draws it."""

    network: str
    view: str
    overlay: str | None
    picture: tg.Picture
    call: str

    @property
    def name(self) -> str:
        return f"{self.network}-{self.view.replace(', ', '-')}-{self.overlay or 'none'}"


def guo() -> tg.Unfolded:
    """Guo's network, reading "we s": one column for each character"""
    rows = np.eye(4)
    cell = tg.cells.Guo()
    return tg.unfold(cell, cell.init(4, 3, 4, rng=1), rows[:-1, None], rows[1:, None])


def gru() -> tg.Unfolded:
    """Two layers of gated recurrent units"""
    rng = np.random.default_rng(2)
    cell = tg.cells.Stacked(tg.cells.GRU(), tg.cells.GRU(g="identity"))
    params = cell.init(2, 3, 2, rng=rng)
    return tg.unfold(cell, params, rng.normal(size=(2, 1, 2)), rng.normal(size=(2, 1, 2)), loss="squared_error")


def lstm() -> tg.Unfolded:
    """Long short-term memory"""
    rng = np.random.default_rng(3)
    cell = tg.cells.LSTM(g="identity")
    params = cell.init(2, 3, 2, rng=rng)
    return tg.unfold(cell, params, rng.normal(size=(2, 1, 2)), rng.normal(size=(2, 1, 2)), loss="squared_error")


def own() -> tg.Unfolded:
    """A cell of one's own: a leaky state, and an output that is its square"""

    def leaky(params, x, s):
        o = tg.ops
        s = 0.9 * s + o.tanh(o.linear(x, params["V"], s, params["U"], name="net"))
        return s, s * s

    rng = np.random.default_rng(4)
    params = {"V": rng.normal(size=(2, 3)), "U": rng.normal(size=(2, 2))}
    x, d = rng.normal(size=(3, 1, 3)), rng.normal(size=(3, 1, 2))
    return tg.unfold(leaky, params, x, d, loss="squared_error", s0=np.array([[0.5, -0.5]]))


NETWORKS: dict[str, Callable[[], tg.Unfolded]] = {"guo": guo, "gru": gru, "lstm": lstm, "own": own}
CAPTIONS = {"guo": {"x": ["“w”", "“e”", "“ ”"], "d": ["“e”", "“ ”", "“s”"]}}


CLOSER: dict[str, dict[str, object]] = {
    "layers, folded": {"view": "folded", "level": "layers", "overlay": None},
    "layers, unfolded": {"level": "layers", "overlay": "both"},
    "units": {"zoom": (2, "net_k"), "overlay": "both"},
}


def pictures(network: str) -> Iterator[Shown]:
    """The pictures of a network: all of Guo's, of the others those of two overlays.

    What does not go together, or shows nothing new, is passed over.
    """
    net = NETWORKS[network]()
    net.backward()
    seen: set[str] = set()
    for view in VIEWS:
        for overlay in OVERLAYS if network == "guo" else ("both", "gradient"):
            try:
                picture = tg.draw(net, view=view, overlay=overlay, captions=CAPTIONS.get(network))
            except ValueError:
                continue
            if picture.dot not in seen:
                seen.add(picture.dot)
                yield Shown(network, view, overlay, picture, f'tg.draw(net, view="{view}", overlay={_quoted(overlay)})')
    for name, asked in CLOSER.items() if network == "guo" else ():
        picture = tg.draw(net, **asked)
        call = ", ".join(f"{key}={_quoted(value)}" for key, value in asked.items())
        yield Shown(network, name, asked["overlay"], picture, f"tg.draw(net, {call})")


def _quoted(value: object) -> str:
    return repr(value).replace("'", '"')


def golden(network: str) -> dict[str, str]:
    """The DOT of a network's pictures, by file name; of every overlay for Guo's, of the usual one for the others."""
    kept = [shown for shown in pictures(network) if network == "guo" or shown.overlay == "both"]
    return {f"{shown.name}.dot": shown.picture.dot for shown in kept}


if __name__ == "__main__":
    texts = {name: text for network in NETWORKS for name, text in golden(network).items()}
    GOLDEN.mkdir(exist_ok=True)
    for path in GOLDEN.iterdir():
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (GOLDEN / name).write_text(text, encoding="utf-8")
    print(f"{len(texts)} files in {GOLDEN}")
