"""What the player's page is made of: a trace in the order in which it is shown, and as short as a script can read it.

No number is worked out in the page. What it colours, it is told how strongly: from 0 to 100, with the sign.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

from ..autodiff.notation import number
from .accounts import Account, Amount, Contribution, Other
from .dark import dark
from .guess import NEAR, SAYS, foreseen, question
from .palette import PALETTE
from .tiles import MOST as MOST_BLOCKS
from .trace import Moment, Trace

MOST_TOLD = 100  # entries of a weight, of which each sum and each truncated share is told too
DECADES = 5  # powers of ten from the faintest line to the strongest
APART = "¦"  # stands for a word in which the entries of a step differ


def quiet(m: Moment) -> bool:
    """Whether a step only hands on what there is: those of copies, and the sum of their shares."""
    return bool(m.weight) or m.op == "copy" or m.t is None


def ledgers(trace: Trace) -> list[dict[str, Any]]:
    """The ledger of each weight that acts at the time steps: what is shown in each column, and of their sum."""
    return [_ledger(account, k) for k, account in enumerate(a for a in trace.accounts if a.shares and a.total)]


def _ledger(account: Account, place: int) -> dict[str, Any]:
    assert account.total is not None  # as `ledgers` has seen
    color, top = PALETTE[place % len(PALETTE)], _top(account)
    wide = account.shape[-1] if len(account.shape) > 1 else 1  # a bias stands upright
    small, total = bool(account.entries), _amount(account.total, top)
    return {
        "id": account.id,
        "name": account.weight,
        "color": color,
        "dark": dark(color),
        "m": wide if small else min(wide, MOST_BLOCKS),
        "small": small,
        "names": account.entries or ("length",),
        "rows": [_amount(c.share, top) | {"column": c} for c in account.shares],
        "total": total,
        "big": max(range(len(total["v"])), key=lambda k: abs(total["a"][k])),
        "top": top,
        "account": account,
    }


def _top(account: Account) -> float:
    amounts = [account.total, *(c.share for c in account.shares)]
    return max((abs(v) for a in amounts if a for v in a.values if v is not None), default=0.0)


def _amount(given: Amount, top: float) -> dict[str, Any]:
    return {"v": given.texts or (given.length,), "a": shades(given.values, top), "p": given.percent}


def _scripted(ledger: dict[str, Any]) -> dict[str, Any]:
    """A ledger as far as the page does not hold it: how its shares are coloured stands in their tiles."""
    account, top = ledger["account"], ledger["top"]
    many = len(account.entries) > MOST_TOLD

    def amount(given: Amount) -> dict[str, Any]:
        told = _amount(given, top)
        return told | {"v": "" if many else _line(told["v"])}

    def other(o: Other, k: int) -> dict[str, Any] | None:
        if o.shares[k].reads_as(account.shares[k].share):
            return None
        error = o.errors[k] if o.errors and not many else ()
        return amount(o.shares[k]) | ({"d": _line(error)} if error else {})

    def column(c: Contribution) -> dict[str, Any]:
        products = [[p.label, *map(_line, p.error), *map(_line, p.read), _line(p.entries)] for p in c.products]
        share = _line(c.share.texts or (c.share.length,))
        told = {"v": share, "p": c.share.percent, "n": c.arrives, "copy": c.copy, "f": c.costs, "x": products}
        return told if c.so_far.reads_as(c.share) or c.arrives == last else told | {"s": amount(c.so_far)}

    # What there is with the first share is that share, and with the last one the sum: both are told already.
    last = max(c.arrives for c in account.shares)
    others = [
        {"name": o.name, "reach": o.reach, "total": amount(o.total), "cos": o.cosine}
        | {"rows": [other(o, k) for k in range(len(o.shares))]}
        for o in account.others
    ]
    told = {name: ledger[name] for name in ("id", "name", "m", "names")}
    total = {"v": _line(ledger["total"]["v"]), "p": ledger["total"]["p"]}
    return told | {"rows": [column(c) for c in account.shares], "total": total, "others": others}


def _line(texts: Sequence[str]) -> str:
    """Numbers as one text, which costs less than a text for each."""
    return texts if isinstance(texts, str) else " ".join(text.replace(" ", "\xa0") for text in texts)


def shades(values: Iterable[float | None], top: float) -> list[int]:
    """How strongly each entry is coloured: the square root, so that small ones are told from none."""
    return [
        round(math.copysign(100 * min(1.0, math.sqrt(abs(v) / top)), v)) if v is not None and top else 0 for v in values
    ]


def strengths(trace: Trace) -> list[list[int]]:
    """How strongly each step's line is drawn, for the whole cost and for each alone: over five powers of ten."""
    longest = tops(trace)
    return [[_strength(length, longest[k]) for k, length in enumerate((m.length, *m.alone))] for m in trace.moments]


def tops(trace: Trace) -> list[float]:
    """The length of the longest error on a line: of the whole cost's, and of each alone."""
    lengths = [(m.length, *m.alone) for m in trace.moments]
    return [max(length or 0.0 for length in each) for each in zip_longest(*lengths)]


def _strength(length: float | None, top: float) -> int:
    if not length or not top:
        return 0
    return round(100 * min(1.0, max(0.05, 1 + (math.log10(length) - math.log10(top)) / DECADES)))


def script_data(trace: Trace, weights: Sequence[dict[str, Any]], start: tuple[int, int]) -> dict[str, Any]:
    """What the script reads beside the list of steps."""
    place = {weight["id"]: k for k, weight in enumerate(weights)}
    steps = []
    costs = {node for node, _ in trace.costs}
    nodes = sorted({node for m in trace.moments for node in (m.node, m.parent) if node})
    for k, (m, strength) in enumerate(zip(trace.moments, strengths(trace), strict=True), 1):
        edge = m.edge.removeprefix("e")
        step: dict[str, Any] = {"t": m.t} | ({"n": m.number} if m.number != k else {})
        step |= {"node": m.node} if m.node != f"n{edge.partition('-')[0]}" else {}  # a line is named by what it leaves
        step |= {"b": 1} if m.phase == "backward" else {}
        step |= {"to": m.parent, "edge": edge} if m.parent else {}
        step |= {"q": 1} if quiet(m) else {}
        step |= {"c": _slope(m)} if m.parent and m.node in costs else {}
        step |= {"w": place[m.weight]} if m.weight in place else {}
        step |= {"bad": 1} if m.value is None else {}
        if m.origins:
            step["o"] = [[node, 1] if what == "cotangent" else [node] for node, what in m.origins]
        if m.parent:
            step["l"] = strength
        if m.entries:
            form, each = _entries(m)
            step |= {"f": form, "e": each, "m": [m.shape[-1] if m.shape else 1, len(m.shape), _place(m)]}
        if question(m) and not quiet(m):
            found = foreseen(m)
            what = list(dict.fromkeys(what for *_, what in found))
            step["ask"] = [what, [[float(f"{number:.5g}"), kind, what.index(w)] for number, kind, w in found]]
        steps.append(step)
    return {
        "cols": trace.columns,
        "start": start,
        "boxes": trace.figure.boxes if trace.figure else [(node, node) for node in nodes],
        "gaps": trace.figure.gaps if trace.figure else (),
        "costs": trace.costs,
        "bridges": trace.bridges,
        "differing": [edge.removeprefix("e") for edge in trace.differing],
        "longest": [number(top) for top in tops(trace)],
        "weights": [_scripted(w) for w in weights],
        "says": SAYS,
        "near": NEAR,
        "steps": steps,
    }


def _place(m: Moment) -> int:
    """The entry that is worked out in the list, counted row by row."""
    place = 0
    for size, index in zip(m.shape, re.findall(r"[0-9]{1,9}", m.entry), strict=False):
        place = place * size + int(index) - 1
    return place if 0 <= place < len(m.entries) else 0


def _entries(m: Moment) -> tuple[str, list[str]]:
    """What the entries of a step have in common, and of each the words that it has for itself.

    An entry is what it reads most of, its value and how it is worked out. All entries of a product read the same row.
    """
    lines = [f"{' '.join(map(str, e.reads))} | {_line((e.value,))} | {e.worked}".split(" ") for e in m.entries]
    if len({len(words) for words in lines}) > 1:
        return "", [" ".join(words) for words in lines]
    form = [words[0] if len(set(words)) == 1 and APART not in words[0] else APART for words in zip(*lines, strict=True)]
    own = [[word for word, kept in zip(words, form, strict=True) if kept == APART] for words in lines]
    return " ".join(form), [" ".join(words) for words in own]


def _slope(m: Moment) -> str:
    """What a cost hands back, without the error that came to it: ``y(5) − d(5)``."""
    right = m.text.partition("= ")[2]
    slope = re.sub(r"^∂C\S*?/∂C\S* · ", "", right)
    whole = re.fullmatch(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)", slope)
    return whole[1] if whole else slope
