"""What the arguments of a public function are is asked on the way in: its annotations say what each must be.

Of an argument that is of no such kind, Python and NumPy would complain from some line inside, in words that name
neither it nor what was given.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from .calling import shortened
from .errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")


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
    # Several numbers are looked at by the function: it says how many it takes.
    return isinstance(v, (int, float, np.integer, np.floating, list, np.ndarray)) and _can_be_counted_to(v)


def _can_be_counted_to(v: Any) -> bool:
    """Whether a number is none that NumPy cannot hold. What else must hold of numbers, the function asks itself."""
    return not isinstance(v, int) or abs(v) < 2**63


def _of(name: str) -> Callable[[Any], bool]:
    """Whether a value is of the class of that name: asked by name, as what is below may not import what is above."""
    return lambda v: any(c.__name__ == name for c in type(v).__mro__)


# What an annotation is called in words, and who is it.
KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "int": ("a number below 2^63", _can_be_counted_to),
    "float": ("a number", _is_number),
    "seed": ("a seed, a whole number from 0", _is_seed),
    "str": ("a text", lambda v: isinstance(v, str)),
    "bool": ("True or False", lambda v: isinstance(v, (bool, np.bool_))),
    "None": ("None", lambda v: v is None),
    "np.random.Generator": ("a numpy.random.Generator", lambda v: isinstance(v, np.random.Generator)),
    "Mapping": ("a mapping, such as a dict", lambda v: isinstance(v, Mapping)),
    "Iterable": ("a sequence or another iterable", lambda v: np.iterable(v) and not isinstance(v, (str, bytes))),
    "Collection": ("a collection", lambda v: np.iterable(v) and not isinstance(v, (str, bytes))),
    "Collection[str]": (
        "a collection of names",
        lambda v: np.iterable(v) and not isinstance(v, (str, bytes)) and all(isinstance(name, str) for name in v),
    ),
    "Cell": (
        "one of tinygrad_rnn.cells, or a function (params, x, s) -> (s, y)",
        lambda v: not callable(v) or takes(3)(v),  # what is no function is refused where a cell is first needed
    ),
    "Loss": ("a function of y and d", takes(2, 3)),
    "Callable": ("a function", lambda v: callable(v) and not inspect.isclass(v)),
    "Unfolded": ("a network, as tinygrad_rnn.unfold returns it", _of("Unfolded")),
    "Tape": ("a tape", _of("Tape")),
    "Node": ("a node of a tape", _of("Node")),
    "Trace": ("a trace", _of("Trace")),
    "nx.DiGraph": ("a graph, as tinygrad_rnn.flow_graph returns it", _of("DiGraph")),
}


def asked(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function refuse arguments that are not what it says of them, before anything of it is run.

    What it says nothing of, or ``Any``, it looks at itself.
    """
    signature = inspect.signature(function)
    name = function.__name__
    known: dict[str, list[tuple[str, Callable[[Any], bool]]]] = {}
    for p in signature.parameters.values():
        said = _kinds("" if p.annotation is p.empty else str(p.annotation))
        if p.name == "rng":
            said = ["seed" if kind == "int" else kind for kind in said]
        kinds = [KINDS.get(kind) or KINDS.get(re.sub(r"\[.*\]$", "", kind)) for kind in said]
        if None not in kinds:
            known[p.name] = [kind for kind in kinds if kind is not None]
    words = {p.name for p in signature.parameters.values() if isinstance(p.default, str)}
    several = {p.name for p in signature.parameters.values() if p.kind is p.VAR_POSITIONAL}
    shown = signature.replace(
        parameters=[p.replace(annotation=p.empty) for p in signature.parameters.values()],
        return_annotation=inspect.Signature.empty,
    )

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise UsageError(f"{name}: {error}. It is called as {name}{shown}") from None
        for p, kinds in known.items():
            for v in given.get(p, ()) if p in several else [given[p]] if p in given else []:
                if p in words and not isinstance(v, np.ndarray) and not callable(v):
                    continue  # the function names the words that it knows; an array would be asked entry by entry
                if not any(holds(v) for _, holds in kinds):
                    must = ", or ".join(said for said, _ in kinds)
                    raise UsageError(f"{name}: {p}={shortened(v)}: it must be {must}")
        return function(*args, **kwargs)

    return checked


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


def _kinds(annotation: str) -> list[str]:
    """The alternatives of an annotation: what stands between its bars, those within brackets not counted."""
    return re.split(r" \| (?![^\[]*\])", annotation)
