"""Working out again what a step shows, from the numbers in its own formula, as exactly as these are written."""

import re

from tinygrad_rnn.view.arithmetic import evaluate, terms

NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?:e[+−]\d+)?")


def uncertainty(text):
    """How far the value can be off because the numbers in the text are rounded: each moved by half its last digit."""
    # A number moves its own term of a sum and no other. (Where other brackets than ( ) stand, it is not split.)
    parts = [text] if re.search(r"[\[|]", text) else terms(text)
    return sum(map(moves, parts)) * 1.05 + 1e-9  # not linear: a little more


def moves(text):
    """By how much the numbers in the text, each moved by half its last digit, move the value together."""
    whole, total = evaluate(text), 0.0
    for found in NUMBER.finditer(text):
        shown = found[0].replace("−", "-")
        digits, _, power = shown.partition("e")
        half = 0.5 * 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
        moved = [f"{text[: found.start()]}{float(shown) + s * half:.12f}{text[found.end() :]}" for s in (1, -1)]
        total += max(abs(evaluate(m) - whole) for m in moved)
    return total


def wrong(step):
    """What is wrong with the numbers that a step shows; empty if nothing is."""
    index = step.largest()
    written, value = step.unit(index), float(step.value[index])
    off = abs(evaluate(written) - value)
    # The value itself is shown to three decimals; what is closer needs no account of the roundings.
    return (
        ""
        if off <= 5e-4 * min(1, abs(value)) or off <= uncertainty(written)
        else f"{step.text}: {written} is not {value}"
    )
