"""What came back, as arrays: gradients by the weight's name, errors by the node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Cotangents, Node, TapeError
from ..autodiff.asked import asked

Array = NDArray[Any]


class Named(dict[str, Array]):
    """Gradients by the weight's name."""

    def __missing__(self, name: str) -> Array:
        raise KeyError(f"there is no parameter {name!r}; there are {', '.join(self)}")


class Copied(Mapping[str, Array]):
    """Gradients of the copies by the weight's name, of one backward pass; put together when they are first read."""

    def __init__(
        self, back: Cotangents[Any], names: Sequence[str], read: Callable[[str], Array], missing: Mapping[str, str]
    ) -> None:
        self.back = back
        self._names = names
        self._read = read
        self._missing = missing
        self._known: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        if name not in self._known:
            if name in self._missing:
                raise KeyError(self._missing[name])
            if name not in self._names:
                raise KeyError(f"there is no parameter {name!r}; there are {', '.join(self._names)}")
            self._known[name] = self._read(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<gradients of the copies of {', '.join(self._names)}>"


def cotangent(node: Node) -> Array:
    """dC / d node as an array of its own; zeros if no error came.

    Raises
    ------
    TapeError
        If there was no complete backward pass.
    """
    if node.tape.swept is None:
        raise TapeError(f"{node} has no error yet: call backward() first, or let the steps run to their end")
    g = node.cotangent
    return np.zeros_like(node.value) if g is None else np.array(g)


@asked
def delta(node: Node) -> Array:
    """Guo's error delta = -dC / d node: the negative of the cotangent, Guo (2013), section 2.1.

    Parameters
    ----------
    node : Node
        A node that a backward pass has reached, such as a net input.

    Returns
    -------
    ndarray
        Of the node's shape.
    """
    return -cotangent(node)
