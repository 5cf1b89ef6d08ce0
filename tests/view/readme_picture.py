"""The pictures of the README and of the front page. Run this file to draw them again; a test notices an old one."""

from pathlib import Path

import numpy as np

import tinygrad_rnn as tg

FOLDER = Path(__file__).parents[2] / "docs/_static"


def unrolled() -> tg.Picture:
    """The first three steps of lesson 1's sentence, every op of them."""
    text = "we s"
    rows = np.eye(4)
    cell = tg.cells.Guo()
    net = tg.unfold(cell, cell.init(4, 3, 4, rng=1), rows[:-1, None], rows[1:, None])
    net.backward()
    letters = [f"“{c}”" for c in text]
    return tg.draw(net, captions={"x": letters[:-1], "d": letters[1:]})


def shares() -> tg.Picture:
    """The network of the README's ten lines, and what each copy of U gives."""
    cell = tg.cells.Guo(f="tanh", g="softmax")
    x, d = (np.eye(4)[which][:, None] for which in ([0, 1, 2, 3, 1], [1, 2, 3, 1, 1]))
    net = tg.unfold(cell, cell.init(n_in=4, n_hidden=3, n_out=4, rng=1), x, d)
    net.backward()
    return tg.draw(net, level="figure", ledger="U")


PICTURES = {FOLDER / "unrolled.svg": unrolled, FOLDER / "shares.svg": shares}

if __name__ == "__main__":
    for file, picture in PICTURES.items():
        print(picture().save(file, overwrite=True))
