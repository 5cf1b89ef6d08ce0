"""Code generation: a loop over the copies of a step. Its lines are NumPy calls, written out and run as Python.

What changes from copy to copy comes as a row of a table that is made once, so that a copy costs its
calls and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autodiff.kernels import BY_NAME, Call
from .folded import Array


@dataclass(frozen=True, slots=True)
class RowOf:
    """An operand that is another row of its stack (T, ...) at every copy."""

    stack: Array


@dataclass(frozen=True, slots=True)
class Instruction:
    """One call: the function, what it reads, where it writes, and what it says.

    The function may be ``np.dot``: what it reads is then a row and a matrix.
    """

    function: Callable[..., Any]
    reads: tuple[RowOf | Array, ...]
    out: RowOf | Array
    text: str = ""


class Loop:
    """The lines as one Python function.

    Parameters
    ----------
    lines : sequence of Instruction
        What is done for each copy.
    vectors : bool
        Whether there is one sample: rows (1, n) are then played as vectors (n,), which is quicker.

    Attributes
    ----------
    source : str
        The function as it is run, and beside each call what it computes.
    """

    def __init__(self, lines: Sequence[Instruction], vectors: bool) -> None:
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

    def _write(self, line: Instruction) -> str:
        if line.function is np.copyto:
            return f"{self._operand(line.out)}[...] = {self._operand(line.reads[0])}"  # half the time of calling copyto
        if line.function is not np.dot:
            reads = ", ".join(self._operand(a) for a in line.reads)
            by_name = "out=" if line.function in BY_NAME else ""
            return f"{self._constant(line.function)}({reads}, {by_name}{self._operand(line.out)})"
        row, matrix = line.reads
        assert isinstance(row, RowOf)
        assert isinstance(matrix, np.ndarray)
        out = self._operand(line.out)
        if self._vectors:
            dot = self._constant(matrix.T.dot, key=("dot", *_memory(matrix)))
            return f"{dot}({self._operand(row)}, {out})"
        target = line.out.stack[0] if isinstance(line.out, RowOf) else line.out
        if target.flags.c_contiguous:
            return f"{self._column(row.stack, dot=True)}({self._constant(matrix)}, {out})"
        return f"{self._constant(np.matmul)}({self._operand(row)}, {self._constant(matrix)}, {out})"

    def _operand(self, a: RowOf | Array) -> str:
        if isinstance(a, RowOf):
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


def address(a: Array) -> int:
    """Where an array begins in memory."""
    start: int = a.__array_interface__["data"][0]
    return start


def _memory(a: Array) -> tuple[Any, ...]:
    return address(a), a.shape, a.strides
