"""What one pass over a tape has computed: values on the way forwards, cotangents on the way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .errors import TapeError
from .op import Op
from .terms import Outer, added

Array = NDArray[Any]
V = TypeVar("V")


class OnTape(Protocol):
    """What a pass has to know of a node."""

    index: int
    op: Op | None

    @property
    def parents(self) -> Sequence[OnTape]:
        """What it reads."""


L = TypeVar("L", bound=OnTape)


class Values:
    """The values of one forward pass, by node; each is a read-only array.

    Parameters
    ----------
    values : iterable of (ndarray or None)
        Those that are there, in the order of the tape; None for one that is still to be computed.
    lazy : bool
        Whether a value that is not there is computed when it is first asked for, as while a tape is recorded.
        Else asking for it is an error.
    """

    __slots__ = ("_done", "_values", "lazy")

    def __init__(self, values: Iterable[Array | None] = (), lazy: bool = False) -> None:
        self._values = list(values)
        self._done = 0
        self.lazy = lazy

    def __getitem__(self, node: OnTape) -> Array:
        value = self._values[node.index]
        if value is None:
            if not self.lazy:
                raise TapeError(
                    f"the value of {node} is not there: the forward pass was left before it came so far. "
                    "Run it to its end, or replay"
                )
            for _ in self.play(self._missing_for(node)):
                pass
            value = self._values[node.index]
            assert value is not None  # it was the last one to be played
        return value

    def __setitem__(self, node: OnTape, value: Any) -> None:
        self._values[node.index] = frozen(value)

    def __contains__(self, node: OnTape) -> bool:
        return self._values[node.index] is not None

    @property
    def done(self) -> int:
        """How many nodes from the first one on have their values."""
        while self._done < len(self._values) and self._values[self._done] is not None:
            self._done += 1
        return self._done

    def append(self, value: Array | None) -> None:
        """Take note of a node that was recorded, with its value if that is there."""
        self._values.append(value)

    def lasting(self, node: OnTape) -> Array:
        """A leaf's value that stays as it is, whatever is played later: a copy, where memory is used again."""
        return self[node]

    def play(self, nodes: Iterable[L]) -> Iterator[L]:
        """Compute the values of nodes, in their order, from those of their parents; a leaf has its own."""
        for node in nodes:
            if node.op is not None:
                self.compute(node)
                yield node

    def compute(self, node: OnTape) -> None:
        """Compute a node's value from those of its parents."""
        assert node.op is not None
        self[node] = node.op.value(*[self[p] for p in node.parents])

    def _missing_for(self, node: OnTape) -> list[OnTape]:
        """What has to be played for a node: it, and all that it is computed from and that is not there."""
        found, waiting = {node.index: node}, [node]
        while waiting:
            for p in waiting.pop().parents:
                if p not in self and p.index not in found:
                    found[p.index] = p
                    waiting.append(p)
        return [found[index] for index in sorted(found)]


class Cotangents(Generic[V]):
    """What one backward pass has sent, by node: shares until a node's turn has come, then their sum.

    Parameters
    ----------
    size : int
        How many nodes, from the first one on, can receive anything.
    seeds : mapping of node to sequence
        The shares that come from outside: 1 for the cost, what comes from beyond the last state.
    root : int, optional
        The index of the node that the pass starts from, if it is one.

    Attributes
    ----------
    arrived : list of (list or None)
        By index, the shares of the nodes whose turn is still to come.
    totals : list
        By index, what the others have received in all.
    complete : bool
        Whether the pass was run to its end.
    besides : bool
        Whether error has come from elsewhere than the root.
    """

    __slots__ = ("arrived", "besides", "complete", "root", "totals")

    def __init__(self, size: int, seeds: Mapping[Any, Sequence[V]], root: int | None = None) -> None:
        self.arrived: list[list[V] | None] = [None] * size
        self.totals: list[V | None] = [None] * size
        for node, shares in seeds.items():
            self.arrived[node.index] = list(shares)
        self.root = root
        self.besides = sum(map(len, seeds.values())) > 1
        self.complete = False

    def __getitem__(self, node: OnTape) -> Any:
        """What has come back to a node so far; None if nothing has."""
        if node.index >= len(self.totals):
            return None  # recorded later
        shares = self.arrived[node.index]
        return self.totals[node.index] if shares is None else frozen(added(shares))  # type: ignore[arg-type]


class Passes:
    """The passes that were run last over a tape: its nodes look here for their numbers.

    Attributes
    ----------
    watched : bool
        Whether it is noted that somebody looks at a value, as while a cell is recorded.
    looked : int or None
        The index of the first node whose value was looked at then.
    """

    __slots__ = ("cotangents", "looked", "values", "watched")

    def __init__(self) -> None:
        self.watched = False
        self.looked: int | None = None
        self.values = Values(lazy=True)
        self.cotangents: Cotangents[Array | Outer] | None = None

    def make_last(self, values: Values) -> Values:
        """Let a forward pass be the last one; what came back in earlier passes is forgotten."""
        self.values, self.cotangents = values, None
        return values


def frozen(value: Any) -> Any:
    """An array, read-only; NumPy gives scalars where it has no axis. What is none stays as it is."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, np.generic):
        return frozen(np.asarray(value))
    return value
