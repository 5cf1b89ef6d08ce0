"""What kind of thing an answer is, where another kind is asked for: what was given, and what is wanted."""

from __future__ import annotations

import dis
import inspect
import itertools
from collections.abc import Callable, Iterator
from numbers import Real
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

Same = Callable[[Any, Any], bool]
NOTHING_DONE = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}


class Kind(NamedTuple):
    """An answer of a wrong kind: the kind, and what was given and is wanted."""

    term: str
    says: str


def is_blank(function: Any) -> bool:
    """Whether a function has no body yet: ``pass``, ``...``, or its docstring alone."""
    if not isinstance(function, FunctionType):
        return False
    steps = list(dis.get_instructions(function.__code__))
    given = [step.argval for step in steps if step.opname.endswith("CONST")]
    return all(step.opname in NOTHING_DONE for step in steps) and all(value in (None, Ellipsis) for value in given)


def of_function(name: str, written: Any, right: Any, case: tuple[Any, ...]) -> Kind | None:
    """What is wrong with a function before it is called."""
    wanted = f"{name}{inspect.signature(right)}"
    if not callable(written):
        return Kind("no function", f"{name} must be a function, {wanted}, and is {_a(written)}")
    try:
        takes = inspect.signature(written)
    except (TypeError, ValueError):  # one of NumPy's, which does not say
        return None
    try:
        takes.bind(*case)
    except TypeError:
        return Kind("the arguments", f"it is {name}{takes}, and is called as {wanted}")
    return None


def of_answer(name: str, yours: Any, right: Any, axes: str, function: Any) -> Kind | None:
    """What is wrong with the kind of an answer; numbers of another shape are `of_shape`'s."""
    wants = wanted(right, axes)
    if yours is None or yours is Ellipsis:
        printed = " It prints: print shows a number, and only return hands it on." if _prints(function) else ""
        says = f"{name} gives None, and must give {wants}: it ends without a return, or with an empty one"
        return Kind("the return", f"{says}.{printed}".rstrip(".") if printed else says)
    if isinstance(right, str):
        return None if isinstance(yours, str) else Kind("no word", f"{yours!r} is {_a(yours)}; {wants} is asked for")
    if isinstance(yours, (str, bytes)):
        return Kind("text", f"{name} gives {_a(yours)}; it must give {wants}" + _unquoted(yours))
    try:
        got = np.asarray(yours)
    except ValueError:
        shapes = ", ".join(dict.fromkeys(str(np.shape(part)) for part in yours)) if _is_flat(yours) else "several sizes"
        says = f"{name} gives {_a(yours)} whose parts differ in shape ({shapes}); it must give {wants}"
        return Kind(f"a {type(yours).__name__} of unlike parts", says)
    except Exception:  # what the learner has made may refuse in any way
        return Kind(f"a {type(yours).__name__}", f"{name} gives {_a(yours)}; it must give {wants}")
    given = type(yours).__name__
    if got.dtype.kind == "O" and got.size and all(isinstance(part, Real) for part in got.flat):
        if got.ndim:
            types = " and ".join(sorted({type(part).__name__ for part in got.flat}))
            says = f"{name} gives {_a(yours)}, {types} as objects; it must give {wants}: np.array(..., dtype=float)"
            return Kind("dtype=object", says)
        return Kind(
            "too large a number", f"{name} gives a number that is larger than any computer's; it must give {wants}"
        )
    if got.dtype.kind in "OVSUMm":
        parts = {type(part).__name__ for part in got.flat} if got.ndim else set()
        inside = f" with {' and '.join(sorted(parts))} in it" if parts else ""
        call = "; is it called, with ()?" if callable(yours) else ""
        return Kind(f"a {given}{inside}", f"{name} gives {_a(yours)}{inside}; it must give {wants}{call}")
    if got.dtype.kind == "c" and not np.iscomplexobj(right):
        return Kind("complex numbers", f"{name} gives complex numbers; it must give {wants}, of real ones")
    true = np.asarray(right, dtype=float)
    if not isinstance(right, np.ndarray) and not true.ndim and got.ndim and not callable(function):
        return Kind(f"a {given}", f"{name} is {_a(yours)}; it must be {wants}")
    if got.dtype.kind in "iub" and got.shape == true.shape and true.size > 1 and (true % 1).any():
        cut = bool((got == np.trunc(true)).all())
        why = ": what stands behind the point is cut off" if cut else ""
        says = f"{name} gives whole numbers ({got.dtype}){why}; it must give {wants}, with dtype=float"
        return Kind("whole numbers", says)
    return None


def of_shape(got: Any, true: Any, axes: str, first: int, same: Same) -> Kind:
    """What became of the shape, as far as the numbers tell."""
    named = f", [{', '.join(axes)}]" if axes else ""
    says = f"the shape is {got.shape} and must be {true.shape}{named}"
    found = next(_reshaped(got, true, axes, first, same), "")
    return Kind(found or "the shape", f"{says}; it is {found}" if found == "the transpose" else says)


def _reshaped(got: Any, true: Any, axes: str, first: int, same: Same) -> Iterator[str]:
    if got.ndim == true.ndim > 1:
        for order in itertools.permutations(range(got.ndim)):
            turned = got.transpose(order)
            if turned.shape == true.shape and same(turned, true):
                yield "the transpose" if got.ndim == 2 else "the order of the axes"
    if got.size == true.size and same(got.reshape(true.shape), true):
        yield "the shape: the numbers are right"
    for axis in range(got.ndim):
        for summed, word in ((got.sum(axis), "summed up"), (got.mean(axis), "averaged")):
            if summed.shape == true.shape and got.shape[axis] > 1 and same(summed, true):
                yield f"the sum: it is not {word} yet, over axis {axis} of what you have"
    for several in range(2, got.ndim + 1):
        for some in itertools.combinations(range(got.ndim), several):
            if got.sum(some).shape == true.shape and same(got.sum(some), true):
                yield f"the sum: it is not summed up yet, over the axes {some} of what you have"
    for several in range(1, true.ndim + 1):
        for some in itertools.combinations(range(true.ndim), several):
            if true.sum(some).shape == got.shape and same(got, true.sum(some)):
                letters = " and ".join(axes[k] for k in some) if len(axes) == true.ndim else f"the axes {some}"
                yield f"the sum: it is summed over {letters} too"
    if got.ndim == true.ndim > 0 and got.shape[1:] == true.shape[1:] and got.size and true.size:
        off, letter = len(got) - len(true), axes[:1] or "row"
        start, end = f"{letter} = {first}", f"{letter} = {first + len(true) - 1}"
        if off < 0 and same(got, true[-off:]):
            yield f"the first entry, {start}: it is left out" if off == -1 else f"the first {-off} entries: left out"
        if off < 0 and same(got, true[:off]):
            yield f"the last entry, {end}: it is left out" if off == -1 else f"the last {-off} entries: left out"
        if off > 0 and same(got[off:], true):
            yield f"the shape: one entry too many before {start}" if off == 1 else f"the shape: {off} entries too many"
        if off > 0 and same(got[:-off], true):
            yield f"the shape: one entry too many after {end}" if off == 1 else f"the shape: {off} entries too many"


def wanted(right: Any, axes: str = "") -> str:
    """What is asked for, in words."""
    if isinstance(right, str):
        return "a word in quotes"
    shape = np.shape(right)
    if isinstance(right, tuple):
        return f"a tuple of {len(right)} numbers"
    if not shape:
        return "one number"
    return f"numbers of shape {shape}" + (f", [{', '.join(axes)}]" if axes else "")


def remark(yours: Any, right: Any) -> str:
    """What is to be said of right numbers: a list can be read like an array, but not computed with."""
    if isinstance(right, np.ndarray) and right.ndim and isinstance(yours, (list, tuple)):
        return f"the numbers are right; they stand in a {type(yours).__name__}, and np.array makes an array of it"
    return ""


def given(function: Any, case: tuple[Any, ...]) -> str:
    """What a function was called with."""
    names = list(inspect.signature(function).parameters)
    return ", ".join(f"{name} {_short(value)}" for name, value in zip(names, case, strict=False))


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"of shape {value.shape}"
    if callable(value):
        return "a function"
    text = repr(value)
    return f"= {text}" if len(text) < 30 else f"a {type(value).__name__} of {len(value)}"


def _a(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, (str, bytes)):
        return f"{kind}, the text {value[:40]!r}"
    if isinstance(value, (list, tuple)):
        return f"{kind} of {len(value)}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return {"function": "a function", "builtin_function_or_method": "a function"}.get(kind, kind)


def _unquoted(text: Any) -> str:
    try:
        float(text)
    except ValueError:
        return ": take the quotes away" if str(text).strip()[:1] in "([-+.0123456789" and text else ""
    return ": take the quotes away"


def _is_flat(value: Any) -> bool:
    try:
        for part in value:
            np.shape(part)
    except Exception:
        return False
    return True


def _prints(function: Any) -> bool:
    return isinstance(function, FunctionType) and "print" in function.__code__.co_names
