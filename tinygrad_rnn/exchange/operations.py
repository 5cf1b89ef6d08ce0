"""Nodes of the tape as nodes of ONNX: an op's own line of NumPy is read, and each function in it has an operator."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Value(NamedTuple):
    """A name in the graph, and whether it is the same at every time step."""

    name: str
    fixed: bool


class NotWrittenError(ValueError):
    """What has no operator here."""


BINARY = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Div: "Div", ast.Pow: "Pow", ast.MatMult: "MatMul"}
COMPARED: dict[type, tuple[str, ...]] = {
    ast.Gt: ("Greater",),
    ast.Lt: ("Less",),
    ast.GtE: ("GreaterOrEqual",),
    ast.LtE: ("LessOrEqual",),
    ast.Eq: ("Equal",),
    ast.NotEq: ("Equal", "Not"),
}
# Of NumPy's functions of arrays, and nothing else.
BY_ENTRY = {
    "abs": "Abs",
    "ceil": "Ceil",
    "cos": "Cos",
    "exp": "Exp",
    "floor": "Floor",
    "log": "Log",
    "maximum": "Max",
    "minimum": "Min",
    "sign": "Sign",
    "sin": "Sin",
    "sqrt": "Sqrt",
    "tanh": "Tanh",
    "where": "Where",
}
SAMPLES = "B"  # stands in a line for the number of samples


class Lines:
    """Writes the operators of one graph: those that are the same at every step outside of its loop.

    Parameters
    ----------
    dtype : dtype
        Of all numbers.
    samples : callable
        Gives the name of the number of samples, int64 (1,).
    """

    def __init__(self, dtype: Any, samples: Callable[[], Value]) -> None:
        self.dtype, self.samples = np.dtype(dtype), samples
        self.inside: list[Any] = []
        self.outside: list[Any] = []
        self.arrays: dict[str, Array] = {}
        self.count = 0
        self._known: dict[tuple[Any, ...], Value] = {}

    def new(self, stem: str = "v") -> str:
        """A name that nothing else has."""
        self.count += 1
        return f"{stem}.{self.count}"

    def node(self, kind: str, given: Sequence[Value], **how: Any) -> Value:
        """The value of an operator; the same one twice is written once."""
        from onnx import helper

        key = (kind, *(g.name for g in given), *sorted((k, repr(v)) for k, v in how.items()))
        if key not in self._known:
            fixed = all(g.fixed for g in given)
            name = self.new(kind)
            (self.outside if fixed else self.inside).append(
                helper.make_node(kind, [g.name for g in given], [name], **how)
            )
            self._known[key] = Value(name, fixed)
        return self._known[key]

    def constant(self, array: Any, dtype: Any = None) -> Value:
        """A number or an array that stands in the file."""
        a = np.asarray(array, self.dtype if dtype is None else dtype)
        key = ("constant", a.dtype.str, a.shape, a.tobytes())
        if key not in self._known:
            name = self.new("constant")
            self.arrays[name] = a
            self._known[key] = Value(name, True)
        return self._known[key]

    # ---- a line

    def value(self, e: ast.expr, names: dict[str, Any]) -> Value:
        """What computes an expression.

        Raises
        ------
        NotWrittenError
            If a part of it has no operator here.
        """
        match e:
            case ast.Name(name) if name in names and isinstance(names[name], Value):
                return names[name]
            case ast.Constant(v) if isinstance(v, int | float) and not isinstance(v, bool):
                return self.constant(v)
            case ast.Attribute(ast.Name("np"), "inf"):
                return self.constant(np.inf)
            case ast.UnaryOp(ast.USub(), a):
                return self.node("Neg", [self.value(a, names)])
            case ast.BinOp(a, op, b) if type(op) in BINARY:
                return self.node(BINARY[type(op)], [self.value(a, names), self.value(b, names)])
            case ast.Compare(a, [op], [b]) if type(op) in COMPARED:
                kind, *more = COMPARED[type(op)]
                found = self.node(kind, [self.value(a, names), self.value(b, names)])
                return self.node(more[0], [found]) if more else found
            case ast.Attribute(a, "T"):
                return self.node("Transpose", [self.value(a, names)])
            case ast.Subscript(a, ast.Call(ast.Attribute(i, "astype"), [ast.Name("int")])):
                return self.node("Gather", [self._table(a, names), self.node("Cast", [self.value(i, names)], to=7)])
            case ast.Subscript(a, ast.Tuple([ast.Constant(first), *entries])) if first is ...:
                return self._part(self.value(a, names), entries)
            case ast.Call(ast.Attribute(ast.Name("np"), called), args, keywords):
                return self._called(called, args, {str(k.arg): k.value for k in keywords}, names, e)
            case ast.Call(ast.Attribute(a, called), args, keywords):
                return self._method(called, self.value(a, names), args, {str(k.arg): k.value for k in keywords}, e)
            case ast.Call(ast.Name(called), args, []) if isinstance(names.get(called), ast.FunctionDef):
                return self._function(names[called], [self.value(a, names) for a in args], names)
        raise NotWrittenError(f"{ast.unparse(e)} has no operator here")

    def _function(self, f: ast.FunctionDef, args: list[Value], names: dict[str, Any]) -> Value:
        """A function that the line defines: its body, in its place."""
        own = {**names, **dict(zip([a.arg for a in f.args.args], args, strict=True))}
        for line in f.body:
            match line:
                case ast.Assign([ast.Name(name)], e):
                    own[name] = self.value(e, own)
                case ast.Return(e) if e is not None:
                    return self.value(e, own)
                case _:
                    raise NotWrittenError(f"{ast.unparse(line)} has no operator here")
        raise NotWrittenError(f"{f.name} returns nothing")

    def _called(
        self, called: str, args: list[ast.expr], more: dict[str, ast.expr], names: dict[str, Any], e: ast.expr
    ) -> Value:
        match called, args:
            case name, _ if name in BY_ENTRY and not more:
                return self.node(BY_ENTRY[name], [self.value(a, names) for a in args])
            case "clip", [a, low, high]:
                found = self.node("Max", [self.value(a, names), self.value(low, names)])
                return self.node("Min", [found, self.value(high, names)])
            case "logaddexp", [a, b]:
                # The larger one, and what the smaller one adds: no exponential is ever above 1.
                x, y = self.value(a, names), self.value(b, names)
                apart = self.node("Neg", [self.node("Abs", [self.node("Sub", [x, y])])])
                added = self.node("Add", [self.constant(1), self.node("Exp", [apart])])
                return self.node("Add", [self.node("Max", [x, y]), self.node("Log", [added])])
            case "broadcast_to", [a, to]:
                return self.node("Expand", [self.value(a, names), self._shape(to)])
            case "concatenate", [ast.List(parts)]:
                return self.node("Concat", [self.value(a, names) for a in parts], axis=_whole(more.get("axis")))
            case "stack", [ast.List(parts)]:
                axis = _whole(more.get("axis"))
                at = self.constant([axis], np.int64)
                each = [self.node("Unsqueeze", [self.value(a, names), at]) for a in parts]
                return self.node("Concat", each, axis=axis)
            case "array", [a]:
                return self.value(a, names)
        raise NotWrittenError(f"{ast.unparse(e)} has no operator here")

    def _method(self, called: str, a: Value, args: list[ast.expr], more: dict[str, ast.expr], e: ast.expr) -> Value:
        if called == "reshape" and len(args) == 1:
            return self.node("Reshape", [a, self._shape(args[0])])
        if called in ("sum", "mean", "max") and not args and set(more) <= {"axis", "keepdims"}:
            keep = int(ast.literal_eval(more["keepdims"])) if "keepdims" in more else 0
            axis = ast.literal_eval(more["axis"]) if "axis" in more else None
            axes = None if axis is None else list(axis) if isinstance(axis, tuple) else [axis]
            if called == "sum":
                given = [a] if axes is None else [a, self.constant(axes, np.int64)]
                return self.node("ReduceSum", given, keepdims=keep)
            how = {} if axes is None else {"axes": axes}
            return self.node("ReduceMean" if called == "mean" else "ReduceMax", [a], keepdims=keep, **how)
        raise NotWrittenError(f"{ast.unparse(e)} has no operator here")

    def _part(self, a: Value, entries: list[ast.expr]) -> Value:
        """x[..., i, j:k]: slices first, then the axes that single numbers take away."""
        starts, ends, steps, axes, gone = list[int](), list[int](), list[int](), list[int](), list[int]()
        taken: dict[int, list[int]] = {}
        for axis, entry in zip(range(-len(entries), 0), entries, strict=True):
            match entry:
                case ast.Slice(None, None, None):
                    continue
                case ast.Slice(low, high, step):
                    by = 1 if step is None else _whole(step)
                    begin = (0 if by > 0 else 2**62) if low is None else _whole(low)
                    end = (2**62 if by > 0 else -(2**62)) if high is None else _whole(high)
                case ast.List(numbers):
                    taken[axis] = [_whole(n) for n in numbers]
                    continue
                case _:
                    begin, by = _whole(entry), 1
                    end = begin + 1 if begin != -1 else 2**62
                    gone.append(axis)
            for put, n in zip((starts, ends, steps, axes), (begin, end, by, axis), strict=True):
                put.append(n)
        if taken and (gone or len(taken) > 1):
            raise NotWrittenError("an index of several lists, or of lists and numbers, has no operator here")
        for axis, rows in taken.items():
            a = self.node("Gather", [a, self.constant(rows, np.int64)], axis=axis)
        if axes:
            a = self.node("Slice", [a, *(self.constant(n, np.int64) for n in (starts, ends, axes, steps))])
        return self.node("Squeeze", [a, self.constant(gone, np.int64)]) if gone else a

    def _table(self, e: ast.expr, names: dict[str, Any]) -> Value:
        match e:
            case ast.Call(ast.Attribute(ast.Name("np"), "eye"), [n]):
                return self.constant(np.eye(_whole(n)))
        return self.value(e, names)

    def _shape(self, e: ast.expr) -> Value:
        entries = e.elts if isinstance(e, ast.Tuple) else [e]
        if not any(isinstance(n, ast.Name) for n in entries):
            return self.constant([_whole(n) for n in entries], np.int64)
        parts = [
            self.samples() if isinstance(n, ast.Name) and n.id == SAMPLES else self.constant([_whole(n)], np.int64)
            for n in entries
        ]
        return self.node("Concat", parts, axis=0)


def _whole(e: ast.expr | None) -> int:
    try:
        n = ast.literal_eval(e) if e is not None else None
    except ValueError:
        n = None
    if not isinstance(n, int) or isinstance(n, bool):
        raise NotWrittenError(f"{ast.unparse(e) if e is not None else 'no axis'} is no whole number")
    return n
