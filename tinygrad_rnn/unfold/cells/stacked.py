"""Layers of cells: each reads what the one below it has computed in the same step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...autodiff import Node, ShapeError
from ...autodiff.asked import asked, asked_if_it_fails, takes
from ...autodiff.calling import shortened
from . import pytorch
from .base import Cell, check_sizes

Array = NDArray[Any]


class OfLayer(Mapping[str, Any]):
    """The parameters of one layer, by the names that its cell knows: ``V`` for ``V_2``."""

    def __init__(self, params: Mapping[str, Any], suffix: str) -> None:
        self._params = params
        self._suffix = suffix

    def __getitem__(self, name: str) -> Any:
        return self._params[name + self._suffix]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name + self._suffix in self._params

    def __iter__(self) -> Iterator[str]:
        return (name.removesuffix(self._suffix) for name in self._params if name.endswith(self._suffix))

    def __len__(self) -> int:
        return len(list(iter(self)))


class Stacked:
    """Layers of cells of any kind, users' own functions included.

    A layer reads the hidden units of the layer below, or the output of a user's function; the last cell has the head.
    The state is the tuple of the layers' states, and the parameters of layer 2 are called ``V_2``, ``U_2``, ...:
    each cell knows them by its own names, and the nodes it computes get the number too.

    Parameters
    ----------
    *cells : callable
        From the input upwards.

    Raises
    ------
    TypeError
        If there is none, or one is not a cell.
    """

    @asked_if_it_fails
    def __init__(self, *cells: Any) -> None:
        if not cells or not all(map(takes(3), cells)):
            raise TypeError(
                f"Stacked({', '.join(map(shortened, cells))}): pass one cell or more, such as LSTM(), LSTM()"
            )
        self.cells = cells
        self._numbered = [(f"_{k}", cell) for k, cell in enumerate(cells, 1)]

    def __repr__(self) -> str:
        return f"Stacked({', '.join(map(repr, self.cells))})"

    @property
    def equations(self) -> dict[Any, str]:
        """The equations of the layers' cells, under the layers' names."""
        found: dict[Any, str] = {}
        for suffix, cell in self._numbered:
            for key, equation in getattr(cell, "equations", {}).items():
                pair = isinstance(key, tuple)
                found[tuple(name + suffix for name in key) if pair else key + suffix] = equation
        return found

    def __call__(self, params: Mapping[str, Any], x: Any, s: Any) -> tuple[Any, Any]:
        """One time step: x[p, i] and the layers' states in, their new states and y[p, k] of the last one out."""
        *lower, last = self.cells
        return self._through([*map(_without_head, lower), last], params, x, s)

    def layer(self, params: Mapping[str, Any], x: Any, s: Any) -> tuple[Any, Any]:
        """One time step without the head of the last layer."""
        return self._through([*map(_without_head, self.cells)], params, x, s)

    def _through(
        self, layers: Sequence[Callable[..., Any]], params: Mapping[str, Any], x: Any, s: Any
    ) -> tuple[Any, Any]:
        if not isinstance(s, tuple) or len(s) != len(layers):
            given = f"a tuple of {len(s)}" if isinstance(s, tuple) else f"one {type(s).__name__}"
            raise ShapeError(f"the state is {given}: {len(layers)} layers have a tuple of {len(layers)} states")
        states = []
        for k, (layer, before) in enumerate(zip(layers, s, strict=True), 1):
            with x.tape.named(f"_{k}") if isinstance(x, Node) else nullcontext():
                result = layer(OfLayer(params, f"_{k}"), x, before)
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(f"layer {k} returned {type(result).__name__}: it must return its new state and output")
            state, x = result
            states.append(state)
        return tuple(states), x

    @asked
    def init(
        self, n_in: int, n_hidden: int | Sequence[int], n_out: int, *, rng: int | np.random.Generator | None = None
    ) -> dict[str, Array]:
        """Draw the parameters of all layers, each as its cell does.

        Parameters
        ----------
        n_in, n_out : int
            The sizes l and o.
        n_hidden : int or sequence of int
            The size m of all layers, or of each, from the input upwards.
        rng : int or numpy.random.Generator, optional
            Where the numbers come from; the same integer gives the same numbers.

        Raises
        ------
        ValueError
            If a size is not a positive integer, there is not one size for each layer, or a layer is a function
            that cannot draw parameters.
        """
        check_sizes(n_out=n_out)
        return self._draw(n_in, n_hidden, np.random.default_rng(rng), n_out)

    def draw(self, n_in: int, n_hidden: int | Sequence[int], rng: np.random.Generator) -> dict[str, Array]:
        """Draw the parameters of all layers, without the head of the last one."""
        return self._draw(n_in, n_hidden, rng)

    def _draw(self, n_in: int, n_hidden: Any, rng: np.random.Generator, n_out: int | None = None) -> dict[str, Array]:
        sizes = list(n_hidden) if isinstance(n_hidden, list | tuple) else [n_hidden] * len(self.cells)
        if len(sizes) != len(self.cells):
            raise ValueError(f"n_hidden={n_hidden!r}: give one size, or one for each of {len(self.cells)} layers")
        check_sizes(n_in=n_in, **{f"n_hidden of layer {k}": size for k, size in enumerate(sizes, 1)})
        drawn: list[Mapping[str, Array]] = []
        for (suffix, cell), below, size in zip(self._numbered, [n_in, *sizes], sizes, strict=False):
            head = n_out is not None and len(drawn) == len(sizes) - 1
            if not hasattr(cell, "init" if head else "draw"):
                raise ValueError(
                    f"layer {suffix[1:]} is a function: draw its parameters yourself, and call them by its "
                    f"names with {suffix} behind"
                )
            drawn.append(cell.init(below, size, n_out, rng=rng) if head else cell.draw(below, size, rng))
        return self._suffixed(drawn)

    @property
    def initial_state(self) -> Callable[[Mapping[str, Array], int], tuple[Any, ...]]:
        """The tuple of the layers' initial states; there is none if a layer has none, and `s0` must be given then."""
        for suffix, cell in self._numbered:
            if not hasattr(cell, "initial_state"):
                raise AttributeError(f"layer {suffix[1:]} has no initial_state(): pass s0, with a state for each layer")
        return lambda params, n_samples: tuple(
            cell.initial_state(OfLayer(params, suffix), n_samples) for suffix, cell in self._numbered
        )

    @asked
    def from_torch(self, rnn: Mapping[str, Any], linear: Mapping[str, Any] | None = None) -> dict[str, Array]:
        """The parameters of a module of PyTorch with so many layers, from ``weight_ih_l0`` on: see `Cell`."""
        cells, layers = self._of_torch(), pytorch.layers(rnn, len(self.cells))
        for k, (below, above) in enumerate(pairwise(layers)):
            if above.weight_ih.shape[1:] != below.weight_hh.shape[1:]:
                raise ValueError(
                    f"weight_ih_l{k + 1} is {above.weight_ih.shape} and weight_hh_l{k} is "
                    f"{below.weight_hh.shape}: a layer has as many inputs as the one below has units"
                )
        made = [cell._read(layer) for cell, layer in zip(cells, layers, strict=True)]
        made[-1] |= pytorch.head(linear, layers[-1])
        return self._suffixed(made)

    @asked
    def to_torch(self, params: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
        """The parameters in PyTorch's names, all layers in one dict, and the head's: see `Cell`."""
        own = [OfLayer(params, suffix) for suffix, _ in self._numbered]
        made = [cell._write(each) for cell, each in zip(self._of_torch(), own, strict=True)]
        return pytorch.numbered(made), pytorch.linear(own[-1])

    def _of_torch(self) -> list[Cell]:
        kinds = {type(cell) for cell in self.cells}
        cells = [cell for cell in self.cells if isinstance(cell, Cell)]
        if len(kinds) > 1 or len(cells) < len(self.cells):
            raise ValueError(f"{self}: a module of PyTorch has layers of one kind, RNN, LSTM or GRU")
        return cells

    def _suffixed(self, of_layers: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
        return {f"{name}_{k}": w for k, each in enumerate(of_layers, 1) for name, w in each.items()}


def _without_head(cell: Any) -> Callable[..., Any]:
    return getattr(cell, "layer", cell)
