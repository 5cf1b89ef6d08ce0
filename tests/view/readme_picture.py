"""The pictures of the README and of the front page. Run this file to draw them again; a test notices an old one."""

from pathlib import Path

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.view import lessons

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


def own_cell() -> tg.Picture:
    """A cell that the library does not have: the first picture of lesson 22, as the lesson makes it."""
    lesson = next(lesson for lesson in lessons.lessons() if lesson.number == 22)
    cell = next(cell for cell in lesson.cells() if cell.kind == "code")
    picture = lessons.execute(cell, lesson, lessons.fresh_names(lesson))
    assert isinstance(picture, tg.Picture)
    return picture


PICTURES = {
    FOLDER / "unrolled.svg": unrolled,
    FOLDER / "shares.svg": shares,
    FOLDER / "own_cell.svg": own_cell,
}

if __name__ == "__main__":
    for file, picture in PICTURES.items():
        print(picture().save(file, overwrite=True))
