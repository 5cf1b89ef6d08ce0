"""What the cells here have in common: a recurrent layer, and a head that makes the output from its hidden units."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...autodiff import ShapeError, ops
from ...autodiff.asked import asked, asked_if_it_fails, kinds_of, refuse_unless
from ...autodiff.calling import numbers, shortened
from ...autodiff.elsewhere import name_here
from . import pytorch

Array = NDArray[Any]

OUTPUTS = {"softmax": ops.softmax, "sigmoid": ops.sigmoid, "identity": ops.identity, "tanh": ops.tanh}


class Cell(ABC):
    """A layer with recurrence, and above it the head ``net_k = s W^T + b_k``, ``y = g(net_k)``, Guo (2013), (3), (4).

    Attributes
    ----------
    g : {"softmax", "sigmoid", "identity", "tanh"}
        The activation of the output units.
    """

    g: str

    @property
    def _gates(self) -> int:
        """How many net inputs there are for each hidden unit."""
        return 1

    @abstractmethod
    def layer(self, params: Mapping[str, Any], x: Any, s: Any) -> tuple[Any, Any]:
        """One time step without the head: the new state, and the hidden units, which another layer may read."""

    @abstractmethod
    def draw(self, n_in: int, n_hidden: int, rng: np.random.Generator) -> dict[str, Array]:
        """Draw the layer's own parameters, without the head's."""

    def __call__(self, params: Mapping[str, Any], x: Any, s: Any) -> tuple[Any, Any]:
        """One time step: x[p, i] and the state in, the new state and y[p, k] out."""
        s, hidden = self.layer(params, x, s)
        net_k = ops.linear(hidden, params["W"], params["b_k"], name="net_k")
        return s, OUTPUTS[self.g](net_k, name="y")

    @asked
    def init(
        self, n_in: int, n_hidden: int, n_out: int, *, rng: int | np.random.Generator | None = None
    ) -> dict[str, Array]:
        """Draw parameters: those of the layer, and the head's W (o, m) and b_k (o,).

        W is uniform in +-1/sqrt(m), b_k zero.

        Parameters
        ----------
        n_in, n_hidden, n_out : int
            The sizes l, m and o.
        rng : int or numpy.random.Generator, optional
            Where the numbers come from; the same integer gives the same numbers.

        Raises
        ------
        ValueError
            If a size is not a positive integer.
        """
        check_sizes(n_in=n_in, n_hidden=n_hidden, n_out=n_out)
        rng = np.random.default_rng(rng)
        return self.draw(n_in, n_hidden, rng) | {"W": uniform(rng, n_out, n_hidden), "b_k": np.zeros(n_out)}

    @asked_if_it_fails
    def initial_state(self, params: Mapping[str, Array], n_samples: int) -> Any:
        """The state s(0) where none is given: zeros, (B, m)."""
        return self._rest(params, n_samples)

    def _rest(self, params: Mapping[str, Array], n_samples: int) -> Array:
        """Zeros for m hidden units."""
        return at_rest(params, "U", n_samples)

    # ---- PyTorch

    @asked
    def from_torch(self, rnn: Mapping[str, Any], linear: Mapping[str, Any] | None = None) -> dict[str, Array]:
        """The parameters of a recurrent layer of PyTorch, and of the linear layer above it, in the names of this cell.

        PyTorch has two bias vectors where one would do: they are added.

        Parameters
        ----------
        rnn : mapping of str to array_like
            ``weight_ih_l0``, ``weight_hh_l0``, ``bias_ih_l0``, ``bias_hh_l0``, such as
            ``torch.nn.LSTM(...).state_dict()``.
        linear : mapping of str to array_like, optional
            The head's ``weight`` and ``bias``, such as ``torch.nn.Linear(...).state_dict()``.

        Raises
        ------
        ValueError
            If PyTorch has no such layer, a name is missing or unknown, or a shape does not fit.
        """
        layers = pytorch.layers(rnn, 1)
        return self._read(layers[0]) | pytorch.head(linear, layers[0])

    @asked
    def to_torch(self, params: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
        """The parameters in PyTorch's names: those of its recurrent layer, and those of the linear layer above it.

        The inverse of `from_torch`, with zeros in ``bias_hh_l0`` where ``bias_ih_l0`` says all. Arrays are copies;
        a linear layer without parameters here is an empty dict.

        Raises
        ------
        ValueError
            If PyTorch has no such layer, a parameter is missing, or a shape does not fit.
        """
        return pytorch.numbered([self._write(params)]), pytorch.linear(params)

    def _read(self, layer: pytorch.Layer) -> dict[str, Array]:
        """One of PyTorch's layers in our names."""
        self._need_torch()
        layer.check(self._gates)
        return {"V": layer.weight_ih, "U": layer.weight_hh, "b_j": layer.bias_ih + layer.bias_hh}

    def _write(self, params: Mapping[str, Array]) -> pytorch.Layer:
        """Our layer in PyTorch's names."""
        self._need_torch()
        V, U, b_j = pytorch.copies(params, "V", "U", "b_j")
        return pytorch.Layer(V, U, b_j, np.zeros_like(b_j)).check(self._gates)

    def _no_torch(self) -> str:
        """What PyTorch's layer is like, if it is not like this one; else nothing."""
        return ""

    def _need_torch(self) -> None:
        if self._no_torch():
            raise ValueError(f"{self}: PyTorch has no such layer; {self._no_torch()}")

    def _choose(self, **tables: Collection[str]) -> None:
        """Raise ValueError if a setting is not one of those in its table, UsageError if it is of another kind."""
        for which, table in tables.items():
            chosen = getattr(self, which)
            if not isinstance(chosen, str) or chosen not in table:
                name = type(self).__name__
                here = name_here(chosen, table) if isinstance(chosen, str) else None
                hint = f". What others call {chosen} is {here} here" if here else ""
                raise ValueError(f"{name}({which}={shortened(chosen)}): {which} is one of {', '.join(table)}{hint}")
        for field in fields(self):  # type: ignore[arg-type]  # every cell of these is a dataclass
            refuse_unless(f"{type(self).__name__}: {field.name}", getattr(self, field.name), kinds_of(field.type))
            if field.type == "float" and not np.isfinite(getattr(self, field.name)):
                raise ValueError(
                    f"{type(self).__name__}({field.name}={getattr(self, field.name)!r}): it must be finite"
                )


@asked
def at_rest(params: Mapping[str, Array], name: str, n_samples: int) -> Array:
    """Zeros (B, m), of a parameter whose last axis has as many entries as there are hidden units."""
    if name not in params:
        raise KeyError(
            f"params has no {name!r}, which says how many hidden units there are; it has {', '.join(map(str, params))}"
        )
    whose = f"params[{name!r}]"
    weight = numbers(params[name], whose)
    if not weight.ndim:
        raise ShapeError(f"{whose} is one number: its last axis says how many hidden units there are")
    if isinstance(n_samples, bool) or not isinstance(n_samples, int | np.integer) or not 1 <= n_samples < 2**31:
        raise ValueError(f"n_samples={shortened(n_samples)}: it must be an integer from 1 up")
    return np.zeros((int(n_samples), weight.shape[-1]), weight.dtype)


LARGEST = 2**20  # units: a matrix of more has no room in any memory at hand


def check_sizes(**sizes: Any) -> None:
    """Raise ValueError if a size is not a positive integer, or one of no layer."""
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= LARGEST:
            raise ValueError(
                f"{name} is {shortened(value)}: a layer has at least one unit, so give an integer from 1 to {LARGEST}"
            )


def uniform(rng: np.random.Generator, to: int, fan_in: int, units: int | None = None) -> Array:
    """Weights (to, fan_in), uniform in +-1/sqrt(units); `units` is fan_in if it is not given."""
    return rng.uniform(-1, 1, (to, fan_in)) / np.sqrt(units or fan_in)
