"""The picture at the head of the README. Run this file to draw it again; a test notices when it is out of date."""

from pathlib import Path

import numpy as np

import tinygrad_rnn as tg

FILE = Path(__file__).parents[2] / "docs/_static/unrolled.svg"


def picture() -> tg.Picture:
    """The first three steps of lesson 1's sentence."""
    text = "we s"
    rows = np.eye(4)
    cell = tg.cells.Guo()
    net = tg.unfold(cell, cell.init(4, 3, 4, rng=1), rows[:-1, None], rows[1:, None])
    net.backward()
    letters = [f"“{c}”" for c in text]
    return tg.draw(net, captions={"x": letters[:-1], "d": letters[1:]})


if __name__ == "__main__":
    print(picture().save(FILE, overwrite=True))
