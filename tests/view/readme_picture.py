"""The pictures of the README and of the front page. Run this file to draw them again; a test notices an old one."""

import json
from pathlib import Path

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exchange.files import write_whole
from tinygrad_rnn.view import lessons
from tinygrad_rnn.view.charts import Chart, Trend

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


def first_run() -> Chart:
    """How the README's run went: its log is kept, for the last digits of a run are those of a machine."""
    log = [json.loads(line) for line in (FOLDER.parent / "_data/first_run.jsonl").read_text("utf-8").splitlines()]
    data = tg.data.constitution()
    codes = np.array([data.alphabet.index(c) for c in data.text])
    known, K = len(codes) - round(0.1 * len(codes)), len(data.alphabet)
    levels = [
        ("ln K", float(np.log(K))),
        ("unigram", tg.train.unigram(codes[:known], codes[known:], K)),
        ("bigram", tg.train.bigram(codes[:known], codes[known:], K)),
    ]
    curves = [
        Trend(name, [line["update"] for line in log], [line[key] for line in log], look)
        for look, (name, key) in enumerate([("training part", "train"), ("validation part", "validation")])
    ]
    return Chart("first", "Price, nats a character", "updates", "price", curves, levels, factors=False, begin=0)


PICTURES = {
    FOLDER / "unrolled.svg": unrolled,
    FOLDER / "shares.svg": shares,
    FOLDER / "own_cell.svg": own_cell,
}

RUN = FOLDER / "first_run.svg"

if __name__ == "__main__":
    print(write_whole(RUN, lambda: first_run().alone().encode(), overwrite=True))
    for file, picture in PICTURES.items():
        print(picture().save(file, overwrite=True))
