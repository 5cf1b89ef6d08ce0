"""What the arguments of a public function are is asked on the way in: its annotations say what each must be.

Of an argument that is of no such kind, Python and NumPy would complain from some line inside, in words that name
neither it nor what was given.
"""

from __future__ import annotations

import inspect
import math
import opcode
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from .calling import shortened
from .elsewhere import name_here
from .errors import PACKAGE, UsageError

P = ParamSpec("P")
R = TypeVar("R")
RAISE = opcode.opmap["RAISE_VARARGS"]
Kinds = list[tuple[str, Callable[[Any], bool]]]


def takes(*counts: int) -> Callable[[Any], bool]:
    """Whether a value is a function that can be called with so many arguments, as far as it says."""

    def takes(v: Any) -> bool:
        if not callable(v) or inspect.isclass(v):
            return False
        for count in counts:
            try:
                inspect.signature(v).bind(*[None] * count)
            except TypeError:
                continue
            except ValueError:  # some functions do not say
                pass
            return True
        return False

    return takes


def _is_seed(v: Any) -> bool:
    return isinstance(v, (int, np.integer)) and not isinstance(v, bool) and bool(v >= 0)


def _is_number(v: Any) -> bool:
    v = v[()] if isinstance(v, np.ndarray) and not v.ndim else v
    real = isinstance(v, (int, float, np.integer, np.floating)) and not isinstance(v, bool)
    return real and _can_be_counted_to(v) and bool(v == v)  # noqa: PLR0124  NaN, which is no number, is not


def _is_array(v: Any) -> bool:
    try:
        return np.asarray(v).dtype.kind in "biuf" and not isinstance(v, (str, bytes))
    except Exception:  # whatever its own conversion says
        return False


def _can_be_counted_to(v: Any) -> bool:
    """Whether a value is no number that NumPy cannot hold. What else must hold of numbers, the function asks itself."""
    return not isinstance(v, int) or abs(v) < 2**63


def _of(name: str) -> Callable[[Any], bool]:
    """Whether a value is of the class of that name: asked by name, as what is below may not import what is above."""
    return lambda v: any(c.__name__ == name for c in type(v).__mro__)


def _all(kind: Any, holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether a value is a collection of that kind, and this holds for each of its entries."""
    return lambda v: isinstance(v, kind) and not isinstance(v, (str, bytes, np.ndarray)) and all(map(holds, v))


_is_node = _of("Node")

# What an annotation is called in words, and who is it.
KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "int": ("a number below 2^63", _can_be_counted_to),
    "float": ("a number", _is_number),
    "seed": ("a seed, a whole number from 0", _is_seed),
    "str": ("a text", lambda v: isinstance(v, str)),
    "bool": ("True or False", lambda v: isinstance(v, (bool, np.bool_))),
    "None": ("None", lambda v: v is None),
    "np.random.Generator": ("a numpy.random.Generator", lambda v: isinstance(v, np.random.Generator)),
    **dict.fromkeys(
        ("Mapping[str, Any]", "Mapping[str, Array]"),
        ("arrays by name, such as a dict", _all(Mapping, lambda v: isinstance(v, str))),
    ),
    "Mapping": ("a mapping, such as a dict", lambda v: isinstance(v, Mapping)),
    "Array": ("an array of numbers", lambda v: isinstance(v, (np.ndarray, np.generic)) and _is_array(v)),
    "ArrayLike": ("an array of numbers", _is_array),
    "range": ("a range", lambda v: isinstance(v, range)),
    "Sequence": ("a sequence", lambda v: isinstance(v, Sequence) and not isinstance(v, (str, bytes))),
    "Iterable": ("a sequence or another iterable", lambda v: np.iterable(v) and not isinstance(v, (str, bytes))),
    "Collection": ("a collection", lambda v: np.iterable(v) and not isinstance(v, (str, bytes))),
    "Collection[str]": ("a collection of names", _all(Collection, lambda v: isinstance(v, str))),
    "Cell": (
        "one of tinygrad_rnn.cells, or a function (params, x, s) -> (s, y)",
        lambda v: not callable(v) or takes(3)(v),  # what is no function is refused where a cell is first needed
    ),
    "Loss": ("a function of y and d", takes(2, 3)),
    "Callable[[str], str]": ("a function of a text", takes(1)),
    "Callable[[str], Any]": ("a function of a text", takes(1)),
    "Callable": ("a function", lambda v: callable(v) and not inspect.isclass(v)),
    "Unfolded": ("a network, as tinygrad_rnn.unfold returns it", _of("Unfolded")),
    "Watched": ("a watched model, as tinygrad_rnn.watch returns it", _of("Watched")),
    "Tape": ("a tape", _of("Tape")),
    "Node": ("a node of a tape", _is_node),
    "Trace": ("a trace", _of("Trace")),
    "Carry": ("what a window's carry is", _of("Carry")),
    "Sequence[Node]": ("a sequence of nodes", _all(Sequence, _is_node)),
    "Collection[Node]": ("a collection of nodes", _all(Collection, _is_node)),
    "Mapping[Node, Any]": ("a mapping of nodes to arrays", _all(Mapping, _is_node)),
    "Mapping[Node, Array]": ("a mapping of nodes to arrays", _all(Mapping, _is_node)),
    "Surface": ("an error surface, as tinygrad_rnn.surface returns it", _of("Surface")),
    "Optimiser": ("one of tinygrad_rnn.train, such as SGD(0.1)", _of("Optimiser")),
    "Axes": ("axes of matplotlib", _of("Axes")),
    "nx.DiGraph": ("a graph, as tinygrad_rnn.flow_graph returns it", _of("DiGraph")),
}


class Asked:
    """What the arguments of a function must be, by its annotations.

    What these say nothing of, or ``Any``, the function looks at itself.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        whole = inspect.signature(function)
        each = whole.parameters.values()
        self.name = re.sub(r"\.__(init|call)__$", "", function.__qualname__).rpartition(".")[2]
        self.signature = whole
        said = {p.name: kinds_of(p.annotation, p.name) for p in each if p.annotation is not p.empty}
        self.known = {name: kinds for name, kinds in said.items() if kinds}
        self.words = {p.name for p in each if isinstance(p.default, str) and p.default}
        self.several = {p.name for p in each if p.kind is p.VAR_POSITIONAL}
        plain = [p.replace(annotation=p.empty) for p in each if p.name != "self"]
        self.shown = whole.replace(parameters=plain, return_annotation=inspect.Signature.empty)

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Refuse arguments that are not what they must be.

        Raises
        ------
        UsageError
            If there is one, or the function is not called so.
        """
        try:
            given = self.signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            meant = [(theirs, name_here(theirs, self.shown.parameters.keys())) for theirs in kwargs]
            hints = [f"{theirs} is called {ours} here. " for theirs, ours in meant if ours and ours != theirs]
            raise UsageError(f"{self.name}: {error}. {''.join(hints)}It is called as {self.name}{self.shown}") from None
        for p, kinds in self.known.items():
            for v in given.get(p, ()) if p in self.several else [given[p]] if p in given else []:
                if p in self.words and not isinstance(v, np.ndarray) and not callable(v) and _can_be_counted_to(v):
                    continue  # the function names the words that it knows; an array would be asked entry by entry
                refuse_unless(f"{self.name}: {p}", v, kinds)


def asked(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function refuse arguments that are not what it says of them, before anything of it is run."""
    ask = Asked(function)

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        ask(*args, **kwargs)
        return function(*args, **kwargs)

    return checked


def asked_if_it_fails(function: Callable[P, R]) -> Callable[P, R]:
    """The same of a function that a training loop calls: what it does not refuse itself is asked once it has failed."""
    ask = Asked(function)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if not _said_by_us(error):
                ask(*args, **kwargs)
            raise

    return called


def _said_by_us(error: BaseException) -> bool:
    """Whether an error was raised by a statement of this package, and by nothing that was called there."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return False
    frame = last.tb_frame
    inside = str(frame.f_globals.get("__name__", "")).partition(".")[0] == PACKAGE
    return inside and frame.f_code.co_code[last.tb_lasti] == RAISE


def refuse_unless(what: str, v: Any, kinds: Kinds) -> None:
    """Raise UsageError if a value is of none of these kinds."""
    if not any(holds(v) for _, holds in kinds):
        raise UsageError(f"{what}={shortened(v)}: it must be {', or '.join(said for said, _ in kinds)}")


def kinds_of(annotation: Any, name: str = "") -> Kinds:
    """What an annotation says: its alternatives, none if one of them is not known here."""
    # What stands between the bars, those within brackets not counted.
    said = re.split(r" \| (?![^\[]*\])", str(annotation))
    if name == "rng":
        said = ["seed" if kind == "int" else kind for kind in said]
    kinds = [KINDS.get(kind) or KINDS.get(re.sub(r"\[.*\]$", "", kind)) for kind in said]
    return [] if None in kinds else [kind for kind in kinds if kind is not None]


def counted(what: str, v: Any, least: int = 1, most: int | None = None) -> int:
    """A whole number within bounds, as Python's int; NumPy's are whole numbers too.

    Raises
    ------
    ValueError
        If it is none, or out of them.
    """
    whole = isinstance(v, int | np.integer) and not isinstance(v, bool)
    if not whole or not least <= v <= (2**63 - 1 if most is None else most):
        bounds = f"{least} up" if most is None else f"{least} to {most}"
        raise ValueError(f"{what}={shortened(v)}: it must be a whole number from {bounds}")
    return int(v)


MOST = 2**34  # bytes of an array that grows with the square of T


def room_for(what: str, shape: tuple[int, ...], instead: str) -> None:
    """Refuse an array that no computer at hand has room for, before it is asked for.

    Raises
    ------
    ValueError
        If it has more than 16 GiB.
    """
    size = 8 * math.prod(shape)
    if size > MOST:
        raise ValueError(f"{what} is an array {shape}, {size / 2**30:.0f} GiB: {instead}")
