"""A trace in a terminal: the network as a small table, the formula with its numbers, the ledger as it fills."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..autodiff.notation import aligned
from .accounts import Account
from .foreign import briefly
from .guess import judge, question, veiled
from .terminal import TURNS, WIDTH, frame
from .text import clean
from .trace import Moment, Trace

HELP = ("→ next  ← back  g go to  u until  w ledger  ? keys  q quit", "← → g u w ?  q quit", "q quit")
EXPLAINED = """\
Enter, space, → or ↓   the next step
← or ↑, Backspace      the step before
Home, End              the first step, the last one
g                      go to a step, by its number
u                      go on until a time, an equation, an op, a weight, a copy, a phase, or nan
w                      the ledger of the next weight
q or Escape            quit; Escape also leaves a prompt

Any key goes back to the step."""
MOST_WIDE = 40  # characters that a column is made wide for one long name in it
MOST_COLUMNS = 3  # of a ledger: the network stands beside it
MARKS = {"waits": "·", "known": "○", "reached": "●", "now": "◆"}
SAYS = "○ computed  ● error came back  ◆ now"
FIRST = dict.fromkeys(["\x1b[H", "\x1b[1~", "\x1bOH", "\xe0G"], "first")
KEYS = {
    **TURNS,
    **FIRST,
    **dict.fromkeys(["\x1b[F", "\x1b[4~", "\x1bOF", "\xe0O"], "last"),
    "g": "go to",
    "u": "until",
    "w": "ledger",
    "?": "help",
}
PLAIN = {
    "∂": "d", "⊙": "*", "·": "*", "−": "-", "ᵀ": "^T", "Σ": "sum ", "‖": "||", "ₚ": "_p", "ⱼ": "_j", "ₖ": "_k",
    "ᵢ": "_i", "ₕ": "_h", "─": "-", "┄": ".", "○": "o", "●": "#", "◆": "@", "→": ">", "←": "<", "½": "1/2",
    "²": "^2", "σ": "sigma", "√": "sqrt", "…": "...", "“": '"', "”": '"', "│": "|", "•": "*", "━": "=",
} | {sign: f"_{digit}" for digit, sign in enumerate("₀₁₂₃₄₅₆₇₈₉")}  # fmt: skip


@dataclass
class Place:
    """Where a reader is: the moment (from 0), the weight whose ledger is shown, a message, if results are veiled."""

    at: int = 0
    weight: str = ""
    says: str = ""
    veiled: bool = False


def screen(shown: Trace, place: Place, width: int = 80, height: int = 24) -> str:
    """What is on screen at a moment: a pure function of the trace and the place.

    Parameters
    ----------
    shown : Trace
        The steps.
    place : Place
        Where the reader is.
    width, height : int
        The terminal's size in characters; what does not fit is cut off.
    """
    now = shown.moments[place.at]
    step = frame(veiled(now) if place.veiled else now, brief=True, width=min(width, WIDTH)).rstrip().split("\n")
    source = [f"   {now.source}"] if now.source else []
    where = f"   {place.at + 1}/{len(shown)}   "
    foot = textwrap.wrap(place.says, max(width, 4), subsequent_indent="   ")
    foot = foot or [where + next(keys for keys in HELP if len(where + keys) <= width or keys == HELP[-1])]
    room = max(0, height - len(foot) - 1)
    left, right = ledger(shown, place), grid(shown, place.at)
    below = _side_by_side(left, right, width)
    body = [*step, *source]
    if len(body) + 1 + len(below) > room:  # the step comes first; then what fits of the rest
        below = _side_by_side(_shortened(left, max(0, room - len(body) - 1)), right, width)
    lines = [*body, "", *below][:room]
    lines += [""] * (room - len(lines))
    return "\n".join(line[:width].rstrip() for line in [*lines, *foot])


def grid(shown: Trace, at: int) -> list[str]:
    """The network as a table: a row for each name, a column for each time, a mark for how far it is."""
    times = sorted({part.t for part in shown.parts})
    ids = {(part.name, part.t): part for part in shown.parts}
    names = list(dict.fromkeys(part.name for part in shown.parts if part.t))[::-1]
    known, reached = set(), set()
    for m in shown.moments[: at + 1]:
        if m.phase == "forward":
            known.add(m.node)
        else:
            reached.add(m.parent)
    m = shown.moments[at]
    now = m.node if m.phase == "forward" else m.parent
    wide = min(MOST_WIDE, max(len(name) for name in names))
    columns = [str(t) for t in times]
    lines = [" " * wide + "  " + "".join(f"{t:>4}" for t in columns)]
    for name in names:
        cells = []
        for t in times:
            part = ids.get((name, t))
            mark = ""
            if part is not None:
                mark = MARKS["known" if part.id in known or not part.computed else "waits"]
                mark = MARKS["reached"] if part.id in reached else mark
                mark = MARKS["now"] if part.id == now else mark
            cells.append(f"{mark:>4}")
        lines.append(f"{name:>{wide}}  {''.join(cells)}".rstrip())
    return [*lines, SAYS]


def ledger(shown: Trace, place: Place) -> list[str]:
    """The ledger of one weight as it stands: that of the step, or the one that the reader has chosen."""
    accounts = {account.weight: account for account in shown.accounts}
    if not accounts:
        return []
    weight = place.weight or _concerned(shown, place.at)
    return table(accounts.get(weight) or next(iter(accounts.values())), shown.moments[place.at].number)


def table(account: Account, number: int) -> list[str]:
    """A ledger as it stands after the step of this number."""
    columns = account.columns[:MOST_COLUMNS]
    more = " …" if len(account.columns) > MOST_COLUMNS else ""
    after = account.after(number)
    shown = [aligned([cells[k] if cells else "" for _, cells in after]) for k in range(len(columns))]
    rows = [("t", columns), *zip([copies for copies, _ in after], zip(*shown, strict=True), strict=True)]
    head = min(MOST_WIDE, max(len(name) for name, _ in rows))
    widths = [min(MOST_WIDE, max(7, len(column))) for column in columns]
    lines = [f"The copies of {account.weight}:"]
    for name, cells in rows:
        padded = [f"{cell:>{w}}" for cell, w in zip(cells, widths, strict=False)]
        lines.append(f"{name:>{head}}  {' '.join(padded)}{more if cells else ''}".rstrip())
    lines.insert(len(lines) - 1, "─" * (head + 2 + sum(widths) + len(widths) - 1))
    return lines


def _concerned(shown: Trace, at: int) -> str:
    """The weight whose copy has handed its share on last; before any has, the one that is read with the state."""
    for m in reversed(shown.moments[: at + 1]):
        if m.weight:
            return m.result[0].partition("/∂")[2]
    return shown.start[0]


def _shortened(lines: list[str], room: int) -> list[str]:
    """Its first lines and its last two, where there is no room for all."""
    if len(lines) <= room:
        return lines
    return [*lines[: max(0, room - 3)], "…", *lines[-2:]] if room >= 5 else lines[:room]


def _side_by_side(left: list[str], right: list[str], width: int) -> list[str]:
    wide = max(map(len, left), default=0) + 4
    if wide + max(map(len, right), default=0) + 3 > width:
        return [f"   {line}" for line in [*left, "", *right]]
    count = max(len(left), len(right))
    pairs = zip(left + [""] * (count - len(left)), right + [""] * (count - len(right)), strict=True)
    return [f"   {a:<{wide}}{b}".rstrip() for a, b in pairs]


def without_unicode(text: str) -> str:
    """The same with ASCII characters alone, and none that a terminal obeys."""
    text = clean(text)
    for sign, letters in PLAIN.items():
        text = text.replace(sign, letters)
    return text.encode("ascii", "replace").decode("ascii")


def walk(
    shown: Trace,
    getchar: Callable[[], str],
    show: Callable[[str], None],
    ask: Callable[[str], str | None],
    predict: bool = False,
    size: Callable[[], tuple[int, int]] = shutil.get_terminal_size,
    start: tuple[str, int] | None = None,
) -> None:
    """Go through a trace with the keys, until the reader quits.

    Parameters
    ----------
    shown : Trace
        The steps.
    getchar : callable
        Gives the key that was pressed.
    show : callable
        Puts a screen in place of the last one.
    ask : callable
        Asks for a line; None if the reader leaves it.
    predict : bool
        Whether the reader is asked for each step's number before it is shown.
    size : callable
        Gives columns and lines of the terminal.
    start : (str, int), optional
        The weight and the time step of the copy at whose share to begin; the first step if it is not given.
    """
    place = Place(_share(shown, *start) if start else 0)
    asked: set[int] = set()
    while True:
        if predict and place.at not in asked:
            asked.add(place.at)
            _let_guess(shown, place, show, ask, size)
        show(screen(shown, place, *size()))
        place.says = ""
        match KEYS.get(getchar()):
            case "next":
                place.at = min(place.at + 1, len(shown) - 1)
            case "back":
                place.at = max(place.at - 1, 0)
            case "first":
                place.at = 0
            case "last":
                place.at = len(shown) - 1
            case "go to":
                wish = ask("   Go to which step? ")
                place = place if wish is None else gone_to(shown, place, wish)
            case "until":
                wish = ask("   Until what? (t=3, G26, tanh, U, U(2), backward, nan) ")
                place = place if wish is None else gone_until(shown, place, wish)
            case "ledger":
                names = [account.weight for account in shown.accounts]
                here = place.weight or _concerned(shown, place.at)
                place.weight = names[(names.index(here) + 1) % len(names)] if here in names else names[0]
            case "help":
                show(_explained(*size()))
                getchar()
            case "quit":
                return


def _share(shown: Trace, weight: str, t: int) -> int:
    """The moment that gives the share of a copy; the first one if there is none."""
    arrives = shown.find(-1, phase="backward", weight=weight, t=t)
    if arrives is None:
        return 0
    return shown.find(-1, phase="backward", parent=shown.moments[arrives].node) or 0


def _explained(width: int, height: int) -> str:
    lines = [part for line in EXPLAINED.split("\n") for part in textwrap.wrap(line, max(width, 4)) or [""]]
    return "\n".join(lines[:height])


def _let_guess(
    shown: Trace,
    place: Place,
    show: Callable[[str], None],
    ask: Callable[[str], str | None],
    size: Callable[[], tuple[int, int]],
) -> None:
    """Ask for the step's number until it is right, or until the reader wants to see it."""
    now = shown.moments[place.at]
    place.veiled = True
    while place.veiled and question(now):
        show(screen(shown, place, *size()))
        said = ask(f"   {question(now)} (Enter shows it) ") or ""
        place.says = f"   {judge(now, said)}" if said.strip() else ""
        place.veiled = bool(said.strip()) and not place.says.startswith("   Right")
    place.veiled = False


def gone_to(shown: Trace, place: Place, wish: str) -> Place:
    """The place after a step has been asked for by its place in the list, from 1."""
    number = _number(wish)
    if number is not None and 1 <= number <= len(shown):
        return Place(number - 1, place.weight)
    return Place(place.at, place.weight, f"   {briefly(wish)} is no step: they are numbered from 1 to {len(shown)}")


def _number(typed: str) -> int | None:
    """What somebody has typed, if it is a whole number that anything here can have."""
    typed = typed.strip()
    return int(typed) if typed.isdecimal() and len(typed) < 20 else None


def gone_until(shown: Trace, place: Place, wish: str) -> Place:
    """The place after the next step of a kind has been asked for."""
    for wanted in _meanings(wish.strip()):
        found = shown.find(place.at, **wanted)
        if found is not None:
            return Place(found, place.weight)
    return Place(place.at, place.weight, f"   nothing after this step is {briefly(wish.strip())}")


def _meanings(wish: str) -> Iterator[dict[str, object]]:
    """What a reader may mean: a time, an equation, a phase, trouble, a copy of a weight, a weight, an op."""
    if wish.startswith("t=") and _number(wish[2:]) is not None:
        yield {"t": _number(wish[2:])}
    if wish.lstrip("Gg").strip("()").isdecimal():
        yield {"equation": f"G{wish.lstrip('Gg').strip('()')}"}
    if wish in ("forward", "backward"):
        yield {"phase": wish}
    if wish.lower() in ("nan", "inf"):
        yield {"value": None}
    name, _, time = wish.rstrip(")").partition("(")
    if _number(time) is not None:
        yield {"weight": name, "t": _number(time)}
    yield {"weight": wish}
    yield {"op": wish}


def listing(shown: Trace) -> Iterator[str]:
    """All steps one below the other, for a pipe or a file."""
    yield shown.title
    for m in shown.moments:
        yield f"{frame(m)}{_source(m)}"
    for account in shown.accounts:
        yield from [*table(account, shown.moments[-1].number), ""]


def _source(m: Moment) -> str:
    return f"   {m.source}\n" if m.source else ""
