"""A loop over the copies of a step: its lines are NumPy calls, written out and run as Python.

What changes from copy to copy comes as a row of a table that is made once, so that a copy costs its
calls and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.kernels import BY_NAME

Array = NDArray[Any]
Call = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """An operand that is another row of its stack (T, ...) at every copy."""

    stack: Array


@dataclass(frozen=True, slots=True)
class Line:
    """One call: the function, what it reads, where it writes, and what it says.

    The function may be ``np.dot``: what it reads is then a row and a matrix.
    """

    function: Callable[..., Any]
    reads: tuple[Row | Array, ...]
    out: Row | Array
    text: str = ""


def side_by_side(lines: Sequence[Line], vectors: bool) -> list[Line]:
    """The lines; products of one row with rows that lie at equal distances, into such rows, are one product.

    Of vectors, one that repeats an argument is dearer than several short ones: the argument is copied, so that there
    is one product of long vectors, if these are without gaps.
    """
    merged: list[Line] = []
    runs: list[list[Line]] = []
    for line in lines:
        if runs and _continues(runs[-1], line):
            runs[-1].append(line)
        else:
            runs.append([line])
    for run in runs:
        merged += run if len(run) == 1 else _merged(run, vectors)
    return merged


def _merged(run: Sequence[Line], vectors: bool) -> Sequence[Line]:
    one, many, outs = run[0].reads[0], [line.reads[1] for line in run], [line.out for line in run]
    text = ", ".join(line.text for line in run)
    assert isinstance(one, Row)  # as `_continues` has seen
    if not vectors:
        return [Line(np.multiply, (Row(one.stack[:, None]), _spread(many)), _spread(outs), text)]
    factors, products = _end_to_end(many), _end_to_end(outs)
    if len(run) < 3 or factors is None or products is None:
        return run
    width = factors.stack.shape[-1]
    repeated = np.empty((1, len(run), width // len(run)), factors.stack.dtype)
    return [
        Line(np.copyto, (one,), repeated, "side by side, for the next line"),
        Line(np.multiply, (repeated.reshape(1, width), factors), products, text),
    ]


def _continues(run: Sequence[Line], line: Line) -> bool:
    rows = [(*a.reads, a.out) for a in (*run, line)]
    stacks = [[a.stack if isinstance(a, Row) else np.empty(0) for a in row] for row in rows]
    if any(a.function is not np.multiply for a in (*run, line)) or any(a.ndim != 3 for row in stacks for a in row):
        return False
    one, many, out = zip(*stacks, strict=True)
    return all(_memory(a) == _memory(one[0]) for a in one) and _distance(many) > 0 and _distance(out) > 0


def address(a: Array) -> int:
    """Where an array begins in memory."""
    start: int = a.__array_interface__["data"][0]
    return start


def _distance(stacks: Sequence[Array]) -> int:
    """How many bytes these stacks of one layout lie apart; 0 if they do not all lie equally far apart."""
    (distance, *others) = (address(b) - address(a) for a, b in pairwise(stacks))
    alike = len({(a.shape, a.strides) for a in stacks}) == 1
    return distance if alike and set(others) <= {distance} else 0


def _spread(rows: Sequence[Row | Array]) -> Row:
    """Stacks (T, B, m) at equal distances as one (T, k, B, m)."""
    stacks = [row.stack for row in rows if isinstance(row, Row)]
    (steps, *shape), (stride, *strides) = stacks[0].shape, stacks[0].strides
    whole = (steps, len(stacks), *shape), (stride, _distance(stacks), *strides)
    return Row(np.lib.stride_tricks.as_strided(stacks[0], *whole))


def _end_to_end(rows: Sequence[Row | Array]) -> Row | None:
    """Rows (T, 1, m) without gaps between them as one (T, 1, k m); None if there are gaps."""
    spread = _spread(rows).stack
    if spread.strides[1] != spread.shape[-1] * spread.itemsize:
        return None
    steps, k, _, width = spread.shape
    return Row(
        np.lib.stride_tricks.as_strided(spread, (steps, 1, k * width), spread.strides[:1] * 2 + spread.strides[-1:])
    )


class Loop:
    """The lines as one Python function.

    Parameters
    ----------
    lines : sequence of Line
        What is done for each copy.
    vectors : bool
        Whether there is one sample: rows (1, n) are then played as vectors (n,), which is quicker.

    Attributes
    ----------
    source : str
        The function as it is run, and beside each call what it computes.
    """

    def __init__(self, lines: Sequence[Line], vectors: bool) -> None:
        self._vectors = vectors
        self._columns: dict[Any, tuple[str, Array, bool]] = {}  # key to name, stack, whether it is the row's `dot`
        self._fixed: dict[Any, tuple[str, Any]] = {}
        written = [self._write(line) for line in lines]
        names = [name for name, _, _ in self._columns.values()] or ["_"]  # of one time step, no row is another one
        fixed = [name for name, _ in self._fixed.values()]
        before = [f"def make(rows, {', '.join(fixed)}):", " def loop():", f"  for {', '.join(names)}, in rows:"]
        calls, after = [f"   {call}" for call in written], [" return loop"]
        wide, texts = max(map(len, calls)), [" ".join(line.text.splitlines()) for line in lines]
        explained = [f"{call:<{wide}}  # {text}".rstrip(" #") for call, text in zip(calls, texts, strict=True)]
        self.source = "\n".join([*before, *explained, *after])
        scope: dict[str, Any] = {}
        # Without what is said about the calls: it holds names, and a name may come from anywhere and hold anything.
        exec("\n".join([*before, *calls, *after]), scope)
        self._make = scope["make"]

    def over(self, steps: Iterable[int]) -> Call:
        """The loop over these rows of the stacks, ready to be called again and again."""
        steps = list(steps)
        columns: list[list[Any]] = []
        for _, stack, dot in self._columns.values():
            rows = [self._row(stack[t % len(stack), ...]) for t in steps]
            columns.append([row.dot for row in rows] if dot else rows)
        call: Call = self._make(list(zip(*(columns or [steps]), strict=True)), **dict(self._fixed.values()))
        return call

    def _row(self, a: Array) -> Array:
        return a[0] if self._vectors and a.ndim == 2 else a

    def _write(self, line: Line) -> str:
        if line.function is np.copyto:
            (row,) = line.reads
            return f"{self._operand(line.out)}[...] = {self._operand(row)}"  # half the time of calling copyto
        if line.function is not np.dot:
            reads = ", ".join(self._operand(a) for a in line.reads)
            by_name = "out=" if line.function in BY_NAME else ""
            return f"{self._constant(line.function)}({reads}, {by_name}{self._operand(line.out)})"
        row, matrix = line.reads
        assert isinstance(row, Row)
        assert isinstance(matrix, np.ndarray)
        out = self._operand(line.out)
        if self._vectors:
            dot = self._constant(matrix.T.dot, key=("dot", *_memory(matrix)))
            return f"{dot}({self._operand(row)}, {out})"
        target = line.out.stack[0] if isinstance(line.out, Row) else line.out
        if target.flags.c_contiguous:
            return f"{self._column(row.stack, dot=True)}({self._constant(matrix)}, {out})"
        return f"{self._constant(np.matmul)}({self._operand(row)}, {self._constant(matrix)}, {out})"

    def _operand(self, a: Row | Array) -> str:
        if isinstance(a, Row):
            return self._column(a.stack) if len(a.stack) > 1 else self._constant(self._row(a.stack[0, ...]))
        return self._constant(self._row(a))

    def _column(self, stack: Array, dot: bool = False) -> str:
        key = (*_memory(stack), dot)
        if key not in self._columns:
            self._columns[key] = (f"r{len(self._columns)}{'_dot' * dot}", stack, dot)
        return self._columns[key][0]

    def _constant(self, value: Any, key: Any = None) -> str:
        key = key or (_memory(value) if isinstance(value, np.ndarray) else id(value))
        if key not in self._fixed:
            self._fixed[key] = (f"w{len(self._fixed)}", value)
        return self._fixed[key][0]


def _memory(a: Array) -> tuple[Any, ...]:
    return address(a), a.shape, a.strides
