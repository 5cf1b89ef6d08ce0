"""How an op is called: as NumPy's function of its meaning is, with settings in one spelling, and nothing by chance.

A call that names nothing but the right number of arrays never comes here. Any other is read by the op's signature:
its arrays, and its settings in the spelling that its block is written for.
"""

from __future__ import annotations

import inspect
import operator
import sys
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ShapeError, UsageError

Array = NDArray[Any]
Front = Callable[..., tuple[Sequence[Any], Mapping[str, Any]]]  # from what was given to the arrays and the settings
ANY_NUMBER = range(1, sys.maxsize)


class Calling:
    """What an op is called with.

    Parameters
    ----------
    value : callable
        What computes the op's value: its arrays, then its settings, then ``out``, which no caller reaches.
    front : callable, optional
        It takes what was given and returns the arrays and the settings that `value` takes, of an op that is
        called in another way than its value is computed.

    Attributes
    ----------
    signature : inspect.Signature
        How it is called, for `help`.
    """

    def __init__(self, value: Callable[..., Any], front: Front | None = None) -> None:
        self.name = value.__name__
        said = _parameters(value)
        self.parameters = {p.name: p for p in said if p.name != "out"}
        self.settings = {name: _text(p.annotation) for name, p in self.parameters.items() if _is_setting(p)}
        seen = inspect.signature(front).parameters if front else self.parameters
        self.signature = inspect.Signature([p.replace(annotation=p.empty) for p in seen.values()])
        self.front = front or self._as_its_value
        self._known: dict[Any, Any] = {}  # the bound ops of calls that have come before

    def takes(self, settings: Mapping[str, Any]) -> Container[int]:
        """How many arrays make a complete call, once these settings are fixed."""
        left = [p for name, p in self.parameters.items() if name not in settings]
        if any(p.default is p.empty for p in left if p.name in self.settings):
            return ()
        arrays = [p for p in left if p.name not in self.settings]
        if any(p.kind is p.VAR_POSITIONAL for p in arrays):
            return ANY_NUMBER
        return frozenset(range(sum(p.default is p.empty for p in arrays), len(arrays) + 1))

    def __call__(self, op: Any, args: tuple[Any, ...], settings: Mapping[str, Any]) -> tuple[Any, tuple[Any, ...]]:
        """The op with the settings of a call, and the arrays it is called with.

        Raises
        ------
        UsageError
            If the op is not called so, or a setting is of another kind.
        ShapeError
            If a setting does not fit the array.
        """
        call = (len(args), *settings.items(), *map(type, settings.values()))  # True is equal to 1, and no axis
        try:
            if call in self._known:
                return self._known[call], args
        except TypeError:  # a list among the settings
            pass
        try:
            arrays, settled = self._read(args, settings)
        except (UsageError, ShapeError) as error:
            raise type(error)(f"{self.name}{place(args)}: {error}") from None
        made = op.bind(**settled) if settled else op
        try:
            if self.front == self._as_its_value and [*settled.items()] == [*settings.items()]:
                self._known[call] = made
        except (TypeError, ValueError):  # an array among the settings
            pass
        return made, tuple(arrays)

    def _read(self, args: Sequence[Any], settings: Mapping[str, Any]) -> tuple[Sequence[Any], dict[str, Any]]:
        given = f"{len(args)} argument{'s' * (len(args) != 1)}{' and ' * bool(settings)}{', '.join(settings)}"
        try:
            arrays, found = self.front(*args, **settings)
        except UsageError:
            raise
        except TypeError as error:
            try:
                self.signature.bind(*args, **settings)
            except TypeError:
                raise UsageError(f"it is called as {self}; given {given}: {error.args[0]}") from None
            raise
        if len(arrays) not in self.takes(found):
            raise UsageError(f"it is called as {self}; given {given}")
        return arrays, self.settled(found)

    def arrays(self, args: Sequence[Any]) -> tuple[Array, ...]:
        """What the op computes on: floating point numbers, or complex ones, by which a slope can be measured."""
        try:
            return tuple([numbers(a, i, "fc") for i, a in enumerate(args)])
        except ShapeError as error:
            raise ShapeError(f"{self.name}: {error}") from None

    def computed(self, value: Callable[..., Array], arrays: Sequence[Array]) -> Array:
        """The value of arrays that fit each other."""
        try:
            return value(*arrays)
        except TypeError:
            if all(a.dtype.kind == "f" for a in arrays):
                raise
            raise UsageError(f"{self.name} takes no complex numbers") from None

    def settled(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings in the one spelling that the op's block is written for."""
        for name in settings:
            if name not in self.parameters:
                raise UsageError(f"{self.name} has no setting {name!r}. It is called as {self}")
        return {name: READ.get(self.settings.get(name, ""), as_it_is)(name, v) for name, v in settings.items()}

    def _as_its_value(self, *args: Any, **given: Any) -> tuple[Sequence[Any], Mapping[str, Any]]:
        arrays, settings = list[Any](), dict[str, Any]()
        for name, v in self.signature.bind(*args, **given).arguments.items():
            if name in self.settings or (name in given and self.parameters[name].annotation is inspect.Parameter.empty):
                settings[name] = v
            elif self.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
                arrays += v
            else:
                arrays.append(v)
        return arrays, settings

    def __str__(self) -> str:
        return f"{self.name}{self.signature}"


def _parameters(value: Callable[..., Any]) -> Sequence[inspect.Parameter]:
    try:
        return [*inspect.signature(value).parameters.values()]
    except ValueError:  # some functions of NumPy do not say
        return [inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)]


def _text(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _is_setting(p: inspect.Parameter) -> bool:
    """Whether a parameter is a setting: it says its type, and that is no array's. One that says nothing may be both."""
    said = "" if p.annotation is p.empty else _text(p.annotation)
    return bool(said) and "rray" not in said and "Any" not in said


def place(args: Sequence[Any]) -> str:
    """Where the recording stands on whose tape one of these is a node, for a message."""
    tapes = (getattr(a, "tape", None) for each in args for a in (each if isinstance(each, (list, tuple)) else [each]))
    return next((str(tape.where()) for tape in tapes if tape is not None), "")


# ---- arrays


def numbers(value: Any, what: int | str, kinds: str = "f") -> Array:
    """An array of floating point numbers, or of numbers of other `kinds`; whole numbers become such numbers.

    Raises
    ------
    ShapeError
        If it holds something else, or is no array.
    """
    what = f"argument {what}" if isinstance(what, int) else what
    array = as_array(value, what)
    if array.dtype.kind in "biu":
        return array.astype(float)
    if array.dtype.kind in "USO":
        raise ShapeError(f"{what} holds {array.dtype}, {shortened(value)}: these are no numbers")
    if array.dtype.kind not in kinds:
        raise ShapeError(
            f"{what} holds {array.dtype}: the tape takes floating point numbers. "
            "Convert it first, for example with numpy.asarray(values, dtype=float)."
        )
    return array


def as_array(value: Any, what: str, copy: bool | None = None) -> Array:
    """What can be read as an array, in words if it cannot."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ShapeError(f"{what} is a masked array, and here its mask would be lost: fill it first, with filled(...)")
    try:
        return np.array(value, copy=copy)
    except UsageError:  # a node, which says more
        raise
    except (TypeError, ValueError, OverflowError):
        raise ShapeError(f"{what} is {shortened(value)}: that is no array of numbers") from None


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a node, or of what can be read as an array."""
    shape = getattr(x, "shape", None)
    return shape if isinstance(shape, tuple) else as_array(x, "the argument").shape


def a_text(who: str, argument: str, given: Any) -> None:
    """Raise TypeError if this is no string."""
    if not isinstance(given, str):
        raise TypeError(f"{who}: {argument}={shortened(given)}: it is a string")


def shortened(value: Any) -> str:
    """A value as it is written in Python, as far as a line holds it."""
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


# ---- settings, each named and read by its type


def as_it_is(name: str, v: Any) -> Any:
    """A setting of which nothing is known; the same settings give the same op, so they must compare."""
    try:
        hash(v)
    except TypeError:
        raise UsageError(f"{name}={shortened(v)}: a setting must not change; give a number or a tuple") from None
    return v


def whole(name: str, v: Any) -> int:
    """A whole number."""
    try:
        if not isinstance(v, (bool, np.bool_)) and abs(k := operator.index(v)) < 2**63:
            return k
    except TypeError:
        pass
    raise UsageError(f"{name}={shortened(v)}: it must be a whole number, below 2^63")


def number(name: str, v: Any) -> float:
    """A number, which may be infinite."""
    v = v.item() if isinstance(v, np.generic | np.ndarray) and not v.ndim else v
    if isinstance(v, bool) or not isinstance(v, (int, float)) or (isinstance(v, int) and abs(v) >= 2**63) or v != v:  # noqa: PLR0124
        raise UsageError(f"{name}={shortened(v)}: it must be a number")
    return v


def yes_or_no(name: str, v: Any) -> bool:
    """True or False."""
    if not isinstance(v, (bool, np.bool_, int)) or v not in (0, 1):
        raise UsageError(f"{name}={shortened(v)}: it must be True or False")
    return bool(v)


def wholes(name: str, v: Any) -> tuple[int, ...]:
    """One whole number or several."""
    if isinstance(v, np.ndarray):
        v = v.tolist()
    if not isinstance(v, (tuple, list)):
        return (whole(name, v),)
    return tuple([whole(name, k) for k in v])


def _key(name: str, v: Any) -> Any:
    def entry(k: Any) -> Any:
        ends = k.split(":") if isinstance(k, str) else []
        if 2 <= len(ends) <= 3 and all(end.removeprefix("-").isdecimal() or not end for end in ends):
            return k
        if isinstance(k, str) or not isinstance(v, tuple):
            raise UsageError(
                f"{name}={shortened(v)}: it must be a tuple that says something about the last axes, such as "
                '(1, "2:", ":"). Python\'s way to index is shorter: x[1, 2:]'
            )
        return wholes(name, k) if isinstance(k, (tuple, list)) else whole(name, k)

    return tuple([entry(k) for k in (v if isinstance(v, tuple) else (v,))])


READ: dict[str, Callable[[str, Any], Any]] = {
    "int": whole,
    "float": number,
    "bool": yes_or_no,
    "tuple[int, ...]": wholes,
    "Key": _key,
}


def from_last(shape: Sequence[int], axis: Any, more: int = 0) -> tuple[int, ...]:
    """Axes as NumPy takes them, counted from the last one: -1, -2, ...; all of them for None.

    A result that has `more` axes than the argument has them counted too.
    """
    n = len(shape) + more
    axes = range(-n, 0) if axis is None else wholes("axis", axis)
    for k in axes:
        if not -n <= k < n:
            shown = tuple(shape)
            of = f"an array {shown} has" if not more else f"what is stacked of arrays {shown} has"
            raise ShapeError(f"axis {k}: {of} {n} ax{'i' if n == 1 else 'e'}s, {f'{-n} to {n - 1}' if n else 'none'}")
    found = tuple(sorted([k if k < 0 else k - n for k in axes]))
    if len(set(found)) < len(found):
        raise ShapeError(f"axis={shortened(axis)} names an axis twice")
    return found


def wanted_shape(shape: Sequence[Any]) -> tuple[int, ...]:
    """A shape given as one tuple, or number by number."""
    return wholes("the shape", shape[0] if len(shape) == 1 else tuple(shape))


def together(arrays: Sequence[Any], axis: Any) -> tuple[list[Any], Any]:
    """Arrays given one by one, or as NumPy takes them: in one list, the axis behind it or 0."""
    first, *rest = arrays or [()]
    as_one = isinstance(first, (list, tuple)) and (
        not rest or (len(rest) == 1 and isinstance(rest[0], (int, np.integer)))
    )
    if not as_one:
        if axis is None or len(arrays) == 1:
            raise UsageError("give the arrays in one list, and the axis: ([a, b], axis=0)")
        return list(arrays), axis
    if rest and axis is not None:
        raise UsageError(f"the axis is given twice, {rest[0]} and {shortened(axis)}")
    if not first:
        raise UsageError("the list of arrays is empty: give at least one")
    return list(first), rest[0] if rest else 0 if axis is None else axis
