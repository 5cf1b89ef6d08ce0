"""What an op is: one block that says how it computes, how error flows back and how it is written."""

from __future__ import annotations

import copy
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from inspect import cleandoc
from typing import Any

from numpy.typing import NDArray

from .calling import Calling, Front
from .errors import ShapeError
from .form import Addend, Block
from .worked import Part

Array = NDArray[Any]
Index = tuple[int, ...]  # of one entry
Latex = str | Callable[..., str]
Line = str | Callable[..., str]
Unit = Callable[..., Part] | None
Check = Callable[..., str | None]  # (names, args) to what is wrong, in words
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
        ``unit(index, g, y, *args)``: one entry of the share, written out with its numbers, as terms; an op that works
        entry by entry has them from `latex`.
    """

    vjp: Callable[..., Any]
    latex: Latex
    equation: str = ""
    unit: Unit = None


@dataclass(eq=False, repr=False)
class Op:
    """An op of the tape. Called with nodes it records itself; called with arrays it computes.

    Attributes
    ----------
    value : callable
        What computes it from arrays; the op has its name.
    label : str
        How a drawing shows it.
    latex : str or callable
        Its value in symbols; ``{0}``, ``{1}``, ... stand for its arguments.
    equation : str
        Guo's equation for it, where it is the same wherever the op stands.
    unit : callable or None
        ``unit(index, *args)``: one entry of its value, written out with its numbers, as terms; see `Rule`.
    moves : bool
        Whether it only moves numbers: one entry is then written as the number it is.
    keeps_shape : bool
        Whether its value has the shape of its first argument, whatever the numbers are.
    linear : tuple of int
        The arguments in which it is linear while the others stay: their tangent is the op of the tangent.
    numpy : str or callable
        Its value as a line of NumPy, ``{0}``, ``{1}``, ... being its arguments; functions that it calls are defined
        before it. See `tinygrad_rnn.autodiff.lines`.
    view, repeats, ufuncs, terms, block, ties, prepared
        The traits by which others know it, see `tinygrad_rnn.autodiff.traits`.
    rules : dict
        Argument number to `Rule`; the key None holds for every argument.
    jvps : dict
        Argument number to the tangent of the value that a tangent of this argument gives; the key
        None holds for every argument.

    Notes
    -----
    An op acts on its last axes. Whatever axes stand in front of those it was written for are copies,
    played at once: this is how all time steps are computed in one call.
    """

    value: Callable[..., Array]
    label: str
    latex: Latex
    equation: str = ""
    unit: Unit = None
    moves: bool = False
    keeps_shape: bool = False
    linear: tuple[int, ...] = ()
    numpy: Line = ""
    view: bool = False
    repeats: bool = False
    ufuncs: Ufuncs = ()
    terms: Callable[..., Sequence[Addend]] | None = None
    block: Callable[..., Block] | None = None
    ties: bool = False
    prepared: Callable[..., Callable[[], Any]] | None = None
    name: str = field(init=False)
    rules: dict[int | None, Rule] = field(init=False, default_factory=dict)
    jvps: dict[int | None, Callable[..., Any]] = field(init=False, default_factory=dict)
    settings: Mapping[str, Any] = field(init=False, default_factory=dict)
    only_read: frozenset[int] = field(init=False, default=frozenset())
    prepared_with: dict[Op, Callable[..., Callable[[], Any]]] = field(init=False, default_factory=dict)
    checks: list[Check] = field(init=False, default_factory=list)
    checks_values: bool = field(init=False, default=False)  # whether a check looks at numbers, and not at shapes alone
    calling: Calling = field(init=False)  # how it is called
    takes: Container[int] = field(init=False)  # how many arrays make a complete call
    _bound: dict[tuple[tuple[str, Any], ...], Op] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.name = self.value.__name__
        self.ufuncs = tuple(self.ufuncs)
        self.keeps_shape = self.keeps_shape or bool(self.ufuncs)
        self._is_called(Calling(self.value))

    def __repr__(self) -> str:
        set_to = ", ".join(f"{k}={v!r}" for k, v in self.settings.items())
        return f"<op {self.name}{f'({set_to})' if set_to else ''}>"

    def bind(self, **settings: Any) -> Op:
        """The op with its settings fixed, such as the axis of a sum: it is an op like any other.

        The same settings give the same op.
        """
        settings = self.calling.settled(settings)
        key = tuple(sorted(settings.items()))
        if key not in self._bound:

            def fixed(said: Any) -> Any:
                return partial(said, **settings) if callable(said) else said

            bound = self._bound[key] = copy.copy(self)
            bound.settings, bound._bound = {**self.settings, **settings}, {}
            bound.takes = self.calling.takes(bound.settings)
            for said in ("value", "latex", "unit", "numpy", "terms", "block"):
                setattr(bound, said, fixed(getattr(self, said)))
            bound.checks = [fixed(check) for check in self.checks]
            bound.jvps = {slot: fixed(jvp) for slot, jvp in self.jvps.items()}
            bound.rules = {
                slot: Rule(fixed(r.vjp), fixed(r.latex), r.equation, fixed(r.unit)) for slot, r in self.rules.items()
            }
        return self._bound[key]

    def __call__(self, *args: Any, name: str = "", **settings: Any) -> Any:
        """Record the op if an argument is a node, else compute it on arrays."""
        if settings or len(args) not in self.takes:
            made, args = self.calling(self, args, {**self.settings, **settings})
            return made(*args, name=name)
        for a in args:
            tape = getattr(a, "tape", None)
            if tape is not None:
                return tape.record(self, args, name)
        arrays = self.calling.arrays(args)
        self.check([f"argument {i}" for i in range(len(args))], arrays, lambda: self.name)
        return self.calling.computed(self.value, arrays)

    # ---- what a block says after its value

    def vjp(
        self, argument: int | None = None, *, latex: Latex, equation: str = "", unit: Unit = None
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

        ``jvp(dx, y, *args)`` for one argument, ``jvp(dx, y, args, slot)`` for every one. An argument in which the op
        is `linear` needs none.
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

    def called(self, front: Front) -> Front:
        """Define how the op is called, where that is not how its value is computed.

        ``front(...)`` has the signature that a caller sees, and returns the arrays and the settings.
        """
        self._is_called(Calling(self.value, front))
        return front

    def _is_called(self, calling: Calling) -> None:
        self.calling, self.takes, self.__signature__ = calling, calling.takes({}), calling.signature  # for `help`
        self.__doc__ = f"{calling}\n\n{cleandoc(self.value.__doc__ or '')}"

    def prepares(self, prepare: Callable[..., Callable[[], Any]]) -> Callable[..., Callable[[], Any]]:
        """Define how the op is made ready to compute again and again on arrays that stay where they are.

        ``prepare(out, *args)`` takes arrays whose entries lie side by side, none of them repeated, and
        returns a call that fills `out`, which may have gaps between its rows. All that need not be done in
        every call is done before it.
        """
        self.prepared = prepare
        return prepare

    def prepares_with(self, argument: Op) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Define one call for the op and for the argument that this op computes: ``prepare(out, *args)`` fills both."""

        def define(prepare: Callable[..., Any]) -> Callable[..., Any]:
            self.prepared_with[argument] = prepare
            return prepare

        return define

    # ---- what a tape asks of it

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
        """The vjp: the share of argument `slot` of the cotangent `g`."""
        rule = self.rules.get(slot)
        return rule.vjp(g, y, *args) if rule is not None else self.rules[None].vjp(g, y, args, slot)

    def can_push(self, slot: int) -> bool:
        """Whether the op can say what a tangent of this argument does."""
        return slot in self.linear or slot in self.jvps or None in self.jvps

    def push(self, slot: int, dx: Any, y: Any, args: Sequence[Any]) -> Any:
        """The jvp: the tangent of the value that the tangent `dx` of argument `slot` gives."""
        if slot in self.linear:
            moved = (*args[:slot], dx, *args[slot + 1 :])
            return self(*moved) if hasattr(dx, "tape") else self.value(*moved)
        rule = self.jvps.get(slot)
        return rule(dx, y, *args) if rule is not None else self.jvps[None](dx, y, args, slot)


def op(**said: Any) -> Callable[[Callable[..., Array]], Op]:
    """Turn the function that computes a value into an op of that name; see `Op` for what can be said of it."""

    def define(value: Callable[..., Array]) -> Op:
        made = Op(value, **said)
        if made.name in OPS:
            raise ValueError(f"an op called {made.name} exists already: choose another name")
        OPS[made.name] = made
        return made

    return define
