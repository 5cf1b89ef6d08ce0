"""A text that a network writes: each character with the probability that is said, at every temperature."""

import itertools
import math

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.train.sampling import drawn_from

ALPHABET = "abcd"
CELLS = {
    "guo": tg.cells.Guo(f="tanh", g="softmax"),
    "lstm": tg.cells.LSTM(g="softmax"),
    "gru": tg.cells.GRU(g="softmax"),
    "stacked": tg.cells.Stacked(tg.cells.GRU(g="softmax"), tg.cells.LSTM(g="softmax")),
}
CELL = CELLS["gru"]
PARAMS = {name: 2 * w for name, w in CELL.init(4, 5, 4, rng=0).items()}


def expects(cell, params, text):
    """What the network expects behind each character of a text, by unfolding it as a whole."""
    x = np.eye(4)[[ALPHABET.index(one) for one in text]][:, None]
    net = tg.unfold(cell, params, x, x, batch_first=False)
    return [y.value[0] for y in net.outputs]


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_the_likeliest_text_is_what_a_whole_unfolding_expects(cell):
    params = {name: 2 * w for name, w in cell.init(4, 5, 4, rng=0).items()}
    prime = "abca" * 40  # longer than the piece that is unfolded at once
    found = tg.train.sample(cell, params, ALPHABET, length=10, prime=prime, temperature=0)
    text, price = prime, 0.0
    for one in found.text:
        y = expects(cell, params, text)[-1]
        assert ALPHABET[y.argmax()] == one
        price += math.log(y.max())
        text += one
    assert str(found) == text
    assert found.log_probability == pytest.approx(price)
    assert found.price == pytest.approx(-price / 10)


def test_without_a_prime_the_first_is_drawn_from_all_equally():
    found = tg.train.sample(CELL, PARAMS, ALPHABET, length=3, rng=5)
    assert len(found.text) == 3
    y = expects(CELL, PARAMS, found.text)
    behind = sum(math.log(y[k][ALPHABET.index(one)]) for k, one in enumerate(found.text[1:]))
    assert found.log_probability == pytest.approx(-math.log(4) + behind)
    firsts = {tg.train.sample(CELL, PARAMS, ALPHABET, length=1, rng=seed).text for seed in range(40)}
    assert firsts == {*ALPHABET}


def test_all_texts_together_have_the_probability_one():
    """Of two characters behind a prime there are sixteen, and each says its own probability."""
    said = {}
    for seed in itertools.count():
        found = tg.train.sample(CELL, PARAMS, ALPHABET, length=2, prime="ab", rng=seed, temperature=3.0)
        said[found.text] = found.log_probability
        if len(said) == 16:
            break
    assert sum(map(math.exp, said.values())) == pytest.approx(1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, math.inf])
def test_characters_come_as_often_as_the_temperature_has_it(temperature):
    rng, n, y = np.random.default_rng(0), 3000, expects(CELL, PARAMS, "ab")[-1]
    counts = np.bincount([drawn_from(np.log(y), temperature, rng) for _ in range(n)], minlength=4)
    p = y ** (1 / temperature) / (y ** (1 / temperature)).sum()
    np.testing.assert_allclose(counts / n, p, atol=4 * math.sqrt(0.25 / n))


def test_a_tiny_temperature_overflows_nothing_and_is_as_good_as_none():
    cold = tg.train.sample(CELL, PARAMS, ALPHABET, length=40, prime="a", temperature=0)
    with np.errstate(all="raise", under="ignore"):
        for temperature in (1e-3, 1e-300, 5e-324):
            assert tg.train.sample(CELL, PARAMS, ALPHABET, length=40, prime="a", temperature=temperature) == cold


def test_a_character_of_no_probability_is_never_drawn():
    net = np.array([-1e6, 0.0, -1e6, 0.0])
    rng = np.random.default_rng(0)
    assert {drawn_from(net, 1.0, rng) for _ in range(200)} == {1, 3}

    class Edge:
        def __init__(self, value):
            self.value = value

        def random(self):
            return self.value

    for value in (0.0, np.nextafter(1.0, 0)):
        assert drawn_from(net, 1.0, Edge(value)) in (1, 3)


def test_the_same_seed_writes_the_same_text_in_either_precision():
    single = {name: w.astype(np.float32) for name, w in PARAMS.items()}
    for params in (PARAMS, single):
        one, other = (tg.train.sample(CELL, params, ALPHABET, length=80, rng=3) for _ in range(2))
        assert one == other
    assert tg.train.sample(CELL, PARAMS, ALPHABET, length=80, rng=4) != one


def test_weights_may_be_lists_of_numbers():
    lists = {name: w.tolist() for name, w in PARAMS.items()}
    one, other = (tg.train.sample(CELL, params, ALPHABET, length=20) for params in (PARAMS, lists))
    assert one == other


def test_what_the_network_does_not_know_is_refused_by_character_and_place_or_passed_over():
    with pytest.raises(ValueError, match=r"prime: its character 3, 'é', is not among the 4 .* pass unknown='skip'"):
        tg.train.sample(CELL, PARAMS, ALPHABET, prime="abéx")
    found = tg.train.sample(CELL, PARAMS, ALPHABET, prime="abéx", unknown="skip", length=5)
    assert found.skipped == ("é", "x")
    plain = tg.train.sample(CELL, PARAMS, ALPHABET, prime="ab", length=5)
    assert (found.text, found.prime) == (plain.text, plain.prime)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"length": 0}, "length=0: it must be a whole number from 1 to 2147483647"),
        ({"temperature": -1.0}, "temperature=-1.0: it must be a number from 0 up"),
        ({"temperature": math.nan}, "temperature=nan"),
        ({"unknown": "ask"}, "unknown='ask': it must be 'refuse' or 'skip'"),
        ({"alphabet": "abca"}, "alphabet: 'a' stands in it twice"),
        ({"alphabet": ["ab", "c"]}, "it must be characters"),
        ({"alphabet": "abc"}, "V|x"),  # the network has four inputs
        ({"params": {**PARAMS, "b_k": np.full(4, np.nan)}}, "is not finite: were its weights"),
        ({"cell": tg.cells.GRU(g="sigmoid")}, "is no softmax"),
    ],
)
def test_what_cannot_be_written_is_refused(settings, why):
    given = {"cell": CELL, "params": PARAMS, "alphabet": tuple(ALPHABET), **settings}
    given["alphabet"] = tuple(given["alphabet"])
    with pytest.raises((ValueError, TypeError), match=why):
        tg.train.sample(**given)
