"""The letters of the formulas: what each is declared to mean, and where in a formula it stands.

The page "Notation" declares the letters of the whole project, the table at the head of a lesson those of that lesson.
A meaning has a kind, and a kind has its places: an index stands below a letter, a function before an argument. So a
letter that is used in another meaning than the one declared shows by where it stands.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tinygrad_rnn.view import lessons

NOTATION = Path(__file__).parents[1] / "docs/notation.md"

# The first words of a meaning say its kind; what begins otherwise is a quantity: a number, or an array of them.
INDEX, SIZE, FUNCTION, ANY, QUANTITY = "counts", "how many", "function", "any", "a quantity"

BELOW = "below another letter"
WITH_INDEX, TO_A_POWER, PRIMED = "with an index", "to a power", "with a prime"
CALLED, ABOVE_SUM, ALONE = "before a parenthesis", "above a sum", "by itself"
FORBIDDEN = {
    INDEX: {WITH_INDEX, TO_A_POWER, PRIMED, CALLED},
    SIZE: {BELOW, WITH_INDEX, PRIMED, CALLED},
    FUNCTION: {BELOW, ABOVE_SUM, WITH_INDEX, TO_A_POWER},
    ANY: {BELOW, ABOVE_SUM, PRIMED},
    QUANTITY: {BELOW, ABOVE_SUM, PRIMED},
}

# What always means what it means. So does a word that is set upright: it says itself what it is.
_OPERATORS = {
    "Big",
    "Delta",
    "big",
    "cdot",
    "exp",
    "frac",
    "ldots",
    "le",
    "left",
    "ln",
    "max",
    "min",
    "odot",
    "partial",
}
_OPERATORS |= {"qquad", "quad", "right", "sqrt", "sum", "tanh", "to", "top"}
_TOKEN = re.compile(
    r"\\(?:text|tag|begin|end|mathrm|operatorname)\{[^{}]*\}|\\(?P<macro>[A-Za-z]+)|\\."
    r"|(?P<digit>[0-9])|(?P<letter>[A-Za-z])|(?P<sign>[^\s])"
)


class Use(NamedTuple):
    """A letter in a formula, and where it stands."""

    letter: str
    place: str


class Declared(NamedTuple):
    """What a letter means, and which kind of thing that is."""

    meaning: str
    kind: str


def formulas(markdown: str) -> list[str]:
    """Every formula of a text, in the line or displayed."""
    return [displayed or inline for displayed, inline in re.findall(r"\$\$(.*?)\$\$|\$([^$]+)\$", markdown, re.DOTALL)]


def uses(latex: str) -> Iterator[Use]:
    """The letters of a formula in their order; one with a number below it is yielded with it, as ``k_1``."""
    tokens = list(_TOKEN.finditer(latex))
    groups = [ALONE]  # where each group that is open stands; the formula itself is one
    stands_next = ALONE
    sum_in = 0  # the depth of the group whose last sum is still getting its limits
    for at, token in enumerate(tokens):
        stands = groups[-1] if stands_next == ALONE else stands_next
        bound, stands_next = stands_next != ALONE, ALONE
        sign, macro = token["sign"], token["macro"]
        if sign == "_":
            stands_next = BELOW
        elif sign == "^" and sum_in == len(groups):
            stands_next = ABOVE_SUM
        elif sign == "{":
            groups.append(stands)
        elif sign == "}":
            groups.pop()
        elif macro == "sum":
            sum_in = len(groups)
        elif sum_in == len(groups) and not bound:
            sum_in = 0
        letter = token["letter"] or (macro if macro not in _OPERATORS else None)
        after = [following[0] for following in tokens[at + 1 : at + 3]] + ["", ""]
        if letter is None or (letter == "e" and after[0] == "^"):  # e to a power is Euler's number
            continue
        if after[0] == "_" and after[1].isdigit():
            yield Use(f"{letter}_{after[1]}", stands)
        elif stands != ALONE:
            yield Use(letter, stands)
        else:
            to_a_power = after[0] == "^" and after[1] != r"\top"
            place = {"_": WITH_INDEX, "'": PRIMED, "(": CALLED}.get(after[0], ALONE)
            yield Use(letter, TO_A_POWER if to_a_power else place)


def kind(meaning: str) -> str:
    return next((k for k in (INDEX, SIZE, FUNCTION, ANY) if meaning.startswith(k)), QUANTITY)


def rows(markdown: str, head: str) -> Iterator[list[str]]:
    """The rows of every table whose first column has this name."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.split("\n")]
    inside = False
    for line in lines:
        if len(line) > 1 and line[0] == head:
            inside = True
        elif len(line) < 2:
            inside = False
        elif inside and set(line[0]) - set(":- "):
            yield line


def symbols(cell: str) -> list[str]:
    """The letters that a cell of a table declares: the first one of each formula in it."""
    return [next(uses(latex)).letter for latex in formulas(cell)]


def of_the_project(page: str) -> dict[str, Declared]:
    """The letters that the page "Notation" declares."""
    found: dict[str, Declared] = {}
    sizes: set[str] = set()
    for cell, what, size in (row[:3] for row in rows(page, "letter")):
        _declare(found, cell, f"{INDEX} {what}")
        if size not in sizes:  # h and j count the same units
            _declare(found, size, f"{SIZE} {what}")
            sizes.add(size)
    for row in rows(page, "symbol"):
        _declare(found, row[0], row[-1])
    return found


def of_a_lesson(head: str) -> dict[str, Declared]:
    """The letters that the table at the head of a lesson declares for it."""
    found: dict[str, Declared] = {}
    for cell, meaning, *_ in rows(head, "here"):
        _declare(found, cell, meaning)
    return found


def _declare(found: dict[str, Declared], cell: str, meaning: str) -> None:
    for letter in dict.fromkeys(symbols(cell)):
        if letter in found:
            raise ValueError(f"{letter} is declared twice: {found[letter].meaning!r} and {meaning!r}")
        found[letter] = Declared(meaning, kind(meaning))


def faults(text: str, base: Mapping[str, Declared]) -> list[str]:
    """What is wrong with the letters of a lesson, in words.

    A table may give a letter of the project another meaning for one page only if that is of another kind, for then a
    use in the old meaning shows; or if the letter stood for anything.
    """
    head, *others = (cell.source for cell in lessons.cells(text) if cell.kind == "markdown")
    own = of_a_lesson(head)
    wrong = [
        f"{letter} has two meanings: {base[letter].meaning!r} and {declared.meaning!r}"
        for letter, declared in own.items()
        if letter in base and base[letter].kind in (declared.kind, QUANTITY) and base[letter].kind != ANY
    ]
    known, used = {**base, **own}, set()
    without_tables = re.sub(r"^\|.*$", "", "\n\n".join([head, *others]), flags=re.MULTILINE)
    for latex in formulas(without_tables):
        for letter, place in uses(latex):
            name = letter if letter in known else letter.split("_")[0]
            used.add(name)
            where = f"in {' '.join(latex.split())!r}"
            if name not in known:
                wrong.append(f"{name} is declared nowhere, {where}")
            elif (WITH_INDEX if name != letter and place == ALONE else place) in FORBIDDEN[known[name].kind]:
                wrong.append(f"{name} is {known[name].meaning!r} and stands {place}, {where}")
    return wrong + [f"{letter} is declared and not used" for letter in own if letter not in used]
