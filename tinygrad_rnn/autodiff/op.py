"""What an op is: one block that says how it computes, how error flows back and how it is written."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ShapeError
from .notation import factor, number

Array = NDArray[Any]
Index = tuple[int, ...]  # of one entry
Latex = str | Callable[..., str]
Check = Callable[..., str | None]  # (names, args) to what is wrong, in words
Call = Callable[[], Any]
BY_NAME = {np.maximum, np.minimum}  # NumPy warns when `out` is given to these by its place
Ufuncs = Sequence[tuple[Any, ...]]  # NumPy functions, each with the numbers it takes besides its arguments

OPS: dict[str, Op] = {}
"""Every op by its name."""


@dataclass(frozen=True)
class Rule:
    """How one argument of an op receives its share of the error.

    Attributes
    ----------
    vjp : callable
        ``vjp(g, y, *args)``: the share, given the cotangent `g` of the op's value `y`.
    latex : str
        The share in symbols: ``{g}``, ``{y}`` and ``{0}``, ``{1}``, ... stand for their names.
    equation : str
        Guo's equation for it, where it is the same wherever the op stands.
    unit : callable or None
        ``unit(index, g, y, *args)``: one entry of the share, written out with its numbers.
    """

    vjp: Callable[..., Any]
    latex: Latex
    equation: str = ""
    unit: Callable[..., str] | None = None

    def bind(self, settings: Mapping[str, Any]) -> Rule:
        """The rule with the settings of its op fixed."""
        latex = partial(self.latex, **settings) if callable(self.latex) else self.latex
        unit = partial(self.unit, **settings) if self.unit else None
        return Rule(partial(self.vjp, **settings), latex, self.equation, unit)


class Op:
    """An op of the tape. Called with nodes it records itself; called with arrays it computes.

    Attributes
    ----------
    name : str
        The name of the function that defines its value.
    label : str
        How a drawing shows it.
    latex : str or callable
        Its value in symbols; ``{0}``, ``{1}``, ... stand for its arguments.
    equation : str
        Guo's equation for it, where it is the same wherever the op stands.
    rules : dict
        Argument number to `Rule`; the key None holds for every argument.
    keeps_shape : bool
        Whether its value has the shape of its first argument, whatever the numbers are.
    keeps_terms : bool
        Whether its rules pass an unread sum of factors on as it is.
    moves : bool
        Whether it only moves numbers: one entry is then written as the number it is.
    ufuncs : tuple of tuple
        The NumPy functions that compute it entry by entry, one after the other, each with the numbers it
        takes besides: the first one reads the arguments, the others what came before. Empty where there are none.
    jvps : dict
        Argument number to the tangent of the value that a tangent of this argument gives; the key
        None holds for every argument.

    Notes
    -----
    An op acts on its last axes. Whatever axes stand in front of those it was written for are copies,
    played at once: this is how all time steps are computed in one call.
    """

    def __init__(
        self,
        value: Callable[..., Array],
        *,
        label: str,
        latex: Latex,
        equation: str = "",
        unit: Callable[..., str] | None = None,
        keeps_shape: bool = False,
        keeps_terms: bool = False,
        moves: bool = False,
        ufuncs: Ufuncs = (),
    ) -> None:
        self.name = value.__name__
        self.value = value
        self.ufuncs = tuple(ufuncs)
        self.label = label
        self.latex = latex
        self.equation = equation
        self.unit = unit
        self.keeps_shape = keeps_shape or bool(ufuncs)
        self.keeps_terms = keeps_terms
        self.moves = moves
        self.rules: dict[int | None, Rule] = {}
        self.jvps: dict[int | None, Callable[..., Any]] = {}
        self.settings: Mapping[str, Any] = {}
        self._bound: dict[tuple[tuple[str, Any], ...], Op] = {}
        self.only_read: frozenset[int] = frozenset()
        self.checks: list[Check] = []
        self.checks_values = False  # whether a check looks at numbers, and not at shapes alone
        self._prepare: Callable[..., Call] | None = None
        self.__doc__ = value.__doc__

    def __repr__(self) -> str:
        set_to = ", ".join(f"{k}={v!r}" for k, v in self.settings.items())
        return f"<op {self.name}{f'({set_to})' if set_to else ''}>"

    def bind(self, **settings: Any) -> Op:
        """The op with its settings fixed, such as the axis of a sum: it is an op like any other.

        The same settings give the same op.
        """
        key = tuple(sorted(settings.items()))
        if key not in self._bound:
            bound = copy.copy(self)
            bound.settings = settings
            bound.value = partial(self.value, **settings)
            bound.rules = {slot: rule.bind(settings) for slot, rule in self.rules.items()}
            bound.jvps = {slot: partial(jvp, **settings) for slot, jvp in self.jvps.items()}
            bound.checks = [partial(check, **settings) for check in self.checks]
            bound.latex = partial(self.latex, **settings) if callable(self.latex) else self.latex
            bound.unit = partial(self.unit, **settings) if self.unit else None
            self._bound[key] = bound
        return self._bound[key]

    def __call__(self, *args: Any, name: str = "", **settings: Any) -> Any:
        """Record the op if an argument is a node, else compute it on arrays."""
        if settings:
            return self.bind(**settings)(*args, name=name)
        for a in args:
            tape = getattr(a, "tape", None)
            if tape is not None:
                return tape.record(self, args, name)
        arrays = tuple(np.asarray(a) for a in args)
        self.check([f"argument {i}" for i in range(len(args))], arrays, lambda: self.name)
        return self.value(*arrays)

    def vjp(
        self,
        argument: int | None = None,
        *,
        latex: Latex,
        equation: str = "",
        unit: Callable[..., str] | None = None,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Define the share of one argument, or of every argument when none is named.

        The rule for every argument takes them in one sequence, and the argument's number:
        ``vjp(g, y, args, slot)``. Unpacking T arguments for each of T shares would cost T squared.
        """

        def define(rule: Callable[..., Any]) -> Callable[..., Any]:
            self.rules[argument] = Rule(rule, latex, equation, unit)
            return rule

        return define

    def jvp(self, argument: int | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Define the tangent of the value that a tangent of one argument gives, or of every argument.

        ``jvp(dx, y, *args)`` for one argument, ``jvp(dx, y, args, slot)`` for every one.
        """

        def define(rule: Callable[..., Any]) -> Callable[..., Any]:
            self.jvps[argument] = rule
            return rule

        return define

    def reads(self, *arguments: int) -> None:
        """Say which arguments get no share: another argument says what they say, and its rule counts it.

        A cross-entropy reads both net and y = softmax(net), and its share goes to net alone.
        """
        self.only_read = frozenset(arguments)

    def checked(self, check: Check) -> Check:
        """Add a check of the arguments: it returns what is wrong in words, or None."""
        self.checks.append(check)
        return check

    def prepared(self, prepare: Callable[..., Call]) -> Callable[..., Call]:
        """Define how the op is made ready to compute again and again on arrays that stay where they are.

        ``prepare(out, *args)`` takes arrays whose entries lie side by side, none of them repeated, and
        returns a call that fills `out`, which may have gaps between its rows. All that need not be done in
        every call is done before it.
        """
        self._prepare = prepare
        return prepare

    def into(self, out: Array, *args: Array) -> Call:
        """The call that computes the value of these very arrays into `out`."""
        if len(self.ufuncs) == 1:
            ((ufunc, *numbers),) = self.ufuncs
            args = (*args, *(np.array(n, out.dtype) for n in numbers))
            return partial(ufunc, *args, out=out) if ufunc in BY_NAME else partial(ufunc, *args, out)
        side_by_side = all(a.flags.c_contiguous for a in args) and len({a.shape for a in args}) == 1
        if self._prepare is not None and side_by_side and np.may_share_memory(out, out.reshape(-1, *out.shape[-1:])):
            return self._prepare(out, *args)

        def call() -> None:
            value = self.value(*args, out=out)
            if value is not out:  # an op whose value is its argument, seen differently
                np.copyto(out, value)

        return call

    def check(self, names: Sequence[object], args: Sequence[Any], where: Callable[[], str]) -> None:
        """Raise ShapeError if the op cannot take these arguments: arrays, or nodes that are not computed yet.

        `names` are written, and `where` is asked, only when there is something to say.
        """
        for check in self.checks:
            wrong = check(names, args)
            if wrong:
                raise ShapeError(f"{where()}: {wrong}")

    def rule(self, slot: int) -> Rule | None:
        """The rule for argument `slot`, or None if it gets no share."""
        return self.rules.get(slot) or self.rules.get(None)

    def share(self, slot: int, g: Array, y: Array, args: Sequence[Array]) -> Any:
        """The share of argument `slot` of the cotangent `g`."""
        rule = self.rules.get(slot)
        if rule is not None:
            return rule.vjp(g, y, *args)
        return self.rules[None].vjp(g, y, args, slot)

    def push(self, slot: int, dx: Any, y: Any, args: Sequence[Any]) -> Any:
        """The tangent of the value that the tangent `dx` of argument `slot` gives."""
        rule = self.jvps.get(slot)
        return rule(dx, y, *args) if rule is not None else self.jvps[None](dx, y, args, slot)

    def write(self, args: Sequence[str]) -> str:
        """The value in LaTeX, with the arguments called `args`."""
        return self.latex(*args) if callable(self.latex) else self.latex.format(*args)

    def write_share(self, slot: int, g: str, y: str, args: Sequence[str]) -> str:
        """The share of argument `slot` in LaTeX, `g` and `y` being the names of cotangent and value."""
        named = {} if slot in self.rules else {"slot": slot}
        latex = (self.rules.get(slot) or self.rules[None]).latex
        return latex(*args, g=g, y=y, **named) if callable(latex) else latex.format(*args, g=g, y=y)

    def write_unit(self, index: tuple[int, ...], args: Sequence[Array]) -> str:
        """Entry `index` of the value in LaTeX, with its numbers.

        An op that says nothing else works entry by entry: its formula then holds for the numbers too.
        """
        if self.unit is not None:
            return self.unit(index, *args)
        if self.moves:
            return number(float(self.value(*args)[index]))
        return _scalar(self.write([_entry(a, index) for a in args]))

    def write_share_unit(self, slot: int, index: tuple[int, ...], g: Array, y: Array, args: Sequence[Array]) -> str:
        """Entry `index` of the share of argument `slot` in LaTeX, with its numbers."""
        named = {} if slot in self.rules else {"slot": slot}
        rule = self.rules.get(slot) or self.rules[None]
        if rule.unit is not None:
            return rule.unit(index, g, y, *args, **named)
        if self.moves:
            return number(float(np.asarray(self.share(slot, g, y, args))[index]))
        at = [_entry(a, index) for a in (g, y, *args)]
        return _scalar(self.write_share(slot, at[0], at[1], at[2:]))


def _entry(array: Array, index: tuple[int, ...]) -> str:
    return factor(float(array[index if array.ndim else ()]))


def _scalar(latex: str) -> str:
    return re.sub(r"\(\((−[^()]*)\)\)", r"(\1)", latex.replace(r"\odot", r"\cdot"))


def in_turn(ufuncs: Ufuncs, args: Sequence[Array], out: Array | None) -> Array:
    """The value of the NumPy functions, called one after the other."""
    (first, *numbers), *rest = ufuncs
    value: Array = first(*args, *numbers, out=out)
    for ufunc, *numbers in rest:
        value = ufunc(value, *numbers, out=value if value.ndim else out)
    return value


def prepared_once(
    ready: Callable[..., Call], shape: tuple[int, ...], args: Sequence[Array], out: Array | None
) -> Array:
    """The value of an op that is written as a prepared call: prepared, and called once."""
    same = args if len({a.shape for a in args}) == 1 else np.broadcast_arrays(*args)
    value = np.empty(shape, np.result_type(*args))
    ready(value, *map(np.ascontiguousarray, same))()
    if out is None:
        return value
    np.copyto(out, value)
    return out


def op(
    *,
    label: str,
    latex: Latex,
    equation: str = "",
    unit: Callable[..., str] | None = None,
    keeps_shape: bool = False,
    keeps_terms: bool = False,
    moves: bool = False,
    ufunc: np.ufunc | None = None,
    ufuncs: Ufuncs = (),
) -> Callable[[Callable[..., Array]], Op]:
    """Turn the function that computes a value into an op of that name."""

    def define(value: Callable[..., Array]) -> Op:
        made = Op(
            value,
            label=label,
            latex=latex,
            equation=equation,
            unit=unit,
            keeps_shape=keeps_shape,
            keeps_terms=keeps_terms,
            moves=moves,
            ufuncs=((ufunc,),) if ufunc else ufuncs,
        )
        if made.name in OPS:
            raise ValueError(f"an op called {made.name} exists already: choose another name")
        OPS[made.name] = made
        return made

    return define
