"""PyTorch's names for a recurrent layer's parameters. PyTorch itself is not needed: its tensors are read by NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ...autodiff.calling import numbers

Array = NDArray[Any]


NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer: weight_ih (n m, l), weight_hh (n m, m), bias_ih and bias_hh (n m,) for n gates of m units."""

    weight_ih: Array
    weight_hh: Array
    bias_ih: Array
    bias_hh: Array

    def check(self, gates: int) -> Layer:
        """Itself, if its shapes are those of a layer with so many gates.

        Raises
        ------
        ValueError
            If they are not.
        """
        rows = self.weight_ih.shape[0] if self.weight_ih.ndim == 2 else 0
        wanted = {"weight_ih": (rows, *self.weight_ih.shape[1:]), "weight_hh": (rows, rows // gates)}
        wanted |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        given = {name: getattr(self, name).shape for name in NAMES}
        if not rows or rows % gates or given != wanted:
            said = ", ".join(f"{name} {shape}" for name, shape in given.items())
            rows_of = f"{gates} m" if gates > 1 else "m"
            raise ValueError(
                f"{said}: with m units a layer has weight_ih ({rows_of}, l), weight_hh ({rows_of}, m), "
                f"bias_ih and bias_hh ({rows_of},)"
            )
        return self


def layers(rnn: Mapping[str, Any], count: int) -> list[Layer]:
    """The layers of a module with so many of them.

    Raises
    ------
    ValueError
        If a name is missing or unknown.
    """
    expected = {f"{name}_l{k}" for k in range(count) for name in NAMES}
    missing, unknown = sorted(expected - set(rnn)), sorted(map(str, set(rnn) - expected))
    if missing:
        hint = " For a module without bias pass zeros." if all("bias" in name for name in missing) else ""
        raise ValueError(f"rnn: {', '.join(missing)}: missing. Given are {', '.join(map(str, rnn))}.{hint}")
    if unknown:
        raise ValueError(
            f"rnn: {', '.join(unknown)}: unknown. Expected are {', '.join(sorted(expected))}: "
            f"{count} layer{'s' * (count > 1)}, one direction, no projection."
        )
    return [Layer(*(_own(rnn[f"{name}_l{k}"], f"{name}_l{k}") for name in NAMES)) for k in range(count)]


def numbered(made: Sequence[Layer]) -> dict[str, Array]:
    """The layers in one dict, as a module holds them."""
    return {f"{name}_l{k}": getattr(layer, name) for k, layer in enumerate(made) for name in NAMES}


def head(linear: Mapping[str, Any] | None, below: Layer) -> dict[str, Array]:
    """The head W, b_k from a linear layer's weight and bias, if there is one.

    Raises
    ------
    ValueError
        If a name is missing or a shape does not fit.
    """
    if linear is None:
        return {}
    if set(linear) != {"weight", "bias"}:
        raise ValueError(f"the linear layer has {', '.join(map(str, linear))}: it must have weight and bias")
    W, b_k, m = _own(linear["weight"], "weight"), _own(linear["bias"], "bias"), below.weight_hh.shape[1]
    if W.ndim != 2 or W.shape[1] != m or b_k.shape != W.shape[:1]:
        raise ValueError(
            f"the linear layer's weight is {W.shape} and its bias {b_k.shape}: they must be (o, {m}), (o,)"
        )
    return {"W": W, "b_k": b_k}


def linear(params: Mapping[str, Array]) -> dict[str, Array]:
    """The head as a linear layer; empty if there is none."""
    if "W" not in params:
        return {}
    W, b_k = copies(params, "W", "b_k")
    return {"weight": W, "bias": b_k}


def copies(params: Mapping[str, Array], *names: str) -> list[Array]:
    """Copies of some parameters.

    Raises
    ------
    ValueError
        If one is missing.
    """
    missing = [name for name in names if name not in params]
    if missing:
        raise ValueError(f"params has no {', '.join(missing)}; it has {', '.join(map(str, params))}")
    return [_own(params[name], name) for name in names]


def _own(given: Any, name: str) -> Array:
    """An array of its own, of numbers."""
    return numbers(given, name).copy()
