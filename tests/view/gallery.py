"""Every picture that `draw` offers, of four networks: the site shows them, and their DOT is compared with what was.

``python tests/view/gallery.py`` writes tests/view/golden anew, when pictures are meant to have changed. Look at them
first, in the gallery that ``nox -s docs`` builds. They are kept compressed, a file for each network: some megabytes of
text that differs in few places. ``xz -dc tests/view/golden/guo.json.xz`` shows it.
"""

import json
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.view.overlay import NAMES as OVERLAYS
from tinygrad_rnn.view.views import LEVELS, VIEWS

GOLDEN = Path(__file__).parent / "golden"


class Shown(NamedTuple):
    """A picture of a network, and what `draw` was told."""

    network: str
    said: dict[str, Any]
    picture: tg.Picture

    @property
    def name(self) -> str:
        words = [word for value in self.said.values() for word in (value if isinstance(value, tuple) else [value])]
        return "-".join(map(str, [self.network, *words])).lower()

    @property
    def call(self) -> str:
        return f"tg.draw(net, {', '.join(f'{key}={value!r}' for key, value in self.said.items())})".replace("'", '"')


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
ALSO = {"window": {"window": (1, 1)}}  # what a view needs besides, to be seen with so few steps
OPENED = {"guo": [(2, "net_j"), (2, "s")], "gru": [(2, "r_1")], "lstm": [(2, "f")], "own": [(2, "net")]}
CAPTIONS = {"guo": {"x": ["“w”", "“e”", "“ ”"], "d": ["“e”", "“ ”", "“s”"]}}


def pictures(network: str) -> Iterator[Shown]:
    """All pictures of a network, each once; what does not go together is passed over."""
    net = NETWORKS[network]()
    net.backward()
    calls: list[dict[str, Any]] = [{"view": v, "overlay": o} | ALSO.get(v, {}) for v in VIEWS for o in OVERLAYS]
    calls += [{"view": v, "level": level} | ALSO.get(v, {}) for level in LEVELS[1:] for v in VIEWS]
    calls += [{"level": "figure", "overlay": overlay} for overlay in OVERLAYS]
    calls += [{"level": "figure", "ledger": name} for name in net.weights if name.startswith("U")]
    calls += [{"zoom": zoom} for zoom in OPENED[network]]
    seen = set()
    for said in calls:
        try:
            picture = tg.draw(net, captions=CAPTIONS.get(network), **said)
        except ValueError:
            continue
        if picture.dot not in seen:
            seen.add(picture.dot)
            yield Shown(network, said, picture)


def golden(network: str) -> dict[str, str]:
    """The DOT of a network's pictures, by name."""
    return {shown.name: shown.picture.dot for shown in pictures(network)}


def kept(network: str) -> dict[str, str]:
    """The same, as it was kept."""
    return json.loads(lzma.decompress((GOLDEN / f"{network}.json.xz").read_bytes()))


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for network in NETWORKS:
        drawn = golden(network)
        path = GOLDEN / f"{network}.json.xz"
        if not path.exists() or kept(network) != drawn:  # other versions of xz write other bytes
            path.write_bytes(lzma.compress(json.dumps(drawn, ensure_ascii=False, indent=0).encode()))
        print(f"{network}: {len(drawn)} pictures, {path.stat().st_size} bytes")
