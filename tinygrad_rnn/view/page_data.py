"""What the player's page is made of: a trace in the order in which it is shown, and as short as a script can read it.

No number is worked out in the page. What it colours, it is told how strongly: from 0 to 100, with the sign.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from .accounts import Account, Amount, Contribution
from .dark import dark
from .guess import SAYS, question, spans
from .palette import PALETTE
from .tiles import MOST as MOST_BLOCKS
from .trace import Moment, Trace

MOST_TOLD = 100  # entries of a weight, of which each sum and each truncated share is told too
DECADES = 5  # powers of ten from the faintest line to the strongest


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

    def amount(given: Amount, like: Amount | None = None) -> dict[str, Any] | None:
        if given == like:
            return None
        return _amount(given, top) | ({"v": ()} if many else {})

    def column(c: Contribution) -> dict[str, Any]:
        products = [[p.label, *p.error, *p.read, p.entries] for p in c.products]
        told = {"v": c.share.texts or (c.share.length,), "p": c.share.percent, "n": c.arrives, "copy": c.copy}
        return told | {"s": amount(c.so_far), "f": c.costs, "x": products}

    others = [
        {
            "name": o.name,
            "reach": o.reach,
            "rows": [amount(share, c.share) for share, c in zip(o.shares, account.shares, strict=True)],
            "total": amount(o.total),
            "cos": o.cosine,
        }
        for o in account.others
    ]
    told = {name: ledger[name] for name in ("id", "name", "m", "names")}
    return told | {
        "rows": [column(c) for c in account.shares],
        "total": {name: ledger["total"][name] for name in "vp"},
        "others": others,
    }


def shades(values: Iterable[float | None], top: float) -> list[int]:
    """How strongly each entry is coloured: the square root, so that small ones are told from none."""
    return [
        round(math.copysign(100 * min(1.0, math.sqrt(abs(v) / top)), v)) if v is not None and top else 0 for v in values
    ]


def strengths(trace: Trace) -> list[list[int]]:
    """How strongly each step's line is drawn, for the whole cost and for each alone: over five powers of ten."""
    back = [m for m in trace.moments if m.phase == "backward"]
    count = 1 + max((len(m.alone) for m in back), default=0)
    lengths = [[m.length, *m.alone] for m in trace.moments]
    tops = [max((row[k] or 0.0 for row in lengths if len(row) > k), default=0.0) for k in range(count)]
    return [[_strength(length, tops[k]) for k, length in enumerate(row)] for row in lengths]


def _strength(length: float | None, top: float) -> int:
    if not length or not top:
        return 0
    return round(100 * min(1.0, max(0.05, 1 + (math.log10(length) - math.log10(top)) / DECADES)))


def script_data(trace: Trace, weights: Sequence[dict[str, Any]], start: tuple[int, int]) -> dict[str, Any]:
    """What the script reads beside the list of steps."""
    place = {weight["id"]: k for k, weight in enumerate(weights)}
    steps = []
    for m, strength in zip(trace.moments, strengths(trace), strict=True):
        step: dict[str, Any] = {"n": m.number, "b": int(m.phase == "backward"), "t": m.t, "node": m.node}
        step |= {"to": m.parent, "edge": m.edge.removeprefix("e")} if m.parent else {}
        step |= {"q": 1} if quiet(m) else {}
        step |= {"w": place[m.weight]} if m.weight in place else {}
        step |= {"bad": 1} if m.value is None else {}
        if m.origins:
            step["o"] = [[node, int(what == "cotangent")] for node, what in m.origins]
        if m.parent:
            step["l"] = strength
        if m.entries:
            big = _place(m)  # this one stands in the list
            worked = [e.worked if k != big else "" for k, e in enumerate(m.entries)]
            each = [[e.value, w, e.reads] for e, w in zip(m.entries, worked, strict=True)]
            step |= {"e": each, "m": m.shape[-1] if m.shape else 1, "big": big, "d": len(m.shape)}
        if question(m) and not quiet(m):
            found = spans(m)
            what = list(dict.fromkeys(what for *_, what in found))
            near = [[float(f"{a:.4g}"), float(f"{b:.4g}"), kind, what.index(w)] for a, b, kind, w in found]
            step["ask"] = [what, near]
        steps.append(step)
    return {
        "cols": trace.columns,
        "start": start,
        "boxes": trace.figure.boxes if trace.figure else (),
        "gaps": trace.figure.gaps if trace.figure else (),
        "costs": trace.costs,
        "bridges": trace.bridges,
        "weights": [_scripted(w) for w in weights],
        "says": SAYS,
        "steps": steps,
    }


def _place(m: Moment) -> int:
    """The entry that is worked out in the list, counted row by row."""
    place = 0
    for size, index in zip(m.shape, re.findall(r"[0-9]{1,9}", m.entry), strict=False):
        place = place * size + int(index) - 1
    return place if 0 <= place < len(m.entries) else 0
