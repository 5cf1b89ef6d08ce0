"""How other libraries lay out a recurrent layer: all that differs, in one table.

What stands in the middle is PyTorch's form, whose order of gates is also this library's: weight_ih (G m, l), weight_hh
(G m, m) and two biases (G m,), the G gates one below the other. Each format says in what its own form differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..autodiff.calling import shortened
from ..unfold import cells
from .described import HEAD, KINDS, checked, extra

Array = NDArray[Any]

GATES = {"RNN": "s", "LSTM": "ifgo", "GRU": "rzn"}  # here and in PyTorch, one below the other


class Layout(NamedTuple):
    """What a format does with the blocks of a layer.

    Attributes
    ----------
    gates : mapping of str to str
        The order of its gates, in our letters: Keras' and ONNX' c is g, Keras' and ONNX' h of a GRU is n.
    transposed : bool
        Whether its matrices are (l, G m) and (m, G m).
    biases : mapping of str to str
        "joined" where there is one bias, "two" where there are two, "split" where only the part of n has a second one.
    resets : tuple of str
        Where r may act in its GRU: after the recurrent product, or before it.
    activations : mapping of str to str
        What it calls the activations of a simple layer's units.
    peepholes : str
        The order of its peepholes; empty if it has none.
    says : frozenset of str
        What a file of this format says of a layer and of its head: f, g, reset. What it does not say is lost.
    """

    gates: Mapping[str, str]
    transposed: bool
    biases: Mapping[str, str]
    resets: tuple[str, ...]
    activations: Mapping[str, str]
    peepholes: str
    says: frozenset[str]


LAYOUTS = {
    "PyTorch": Layout(
        gates=GATES,
        transposed=False,
        biases={"RNN": "two", "LSTM": "two", "GRU": "two"},
        resets=("after",),
        activations={"tanh": "tanh", "relu": "relu"},
        peepholes="",
        says=frozenset(),
    ),
    "Keras": Layout(
        gates={"RNN": "s", "LSTM": "ifgo", "GRU": "zrn"},
        transposed=True,
        biases={"RNN": "joined", "LSTM": "joined", "GRU": "two"},  # of a GRU with reset_after; else "joined"
        resets=("after", "before"),
        activations={"tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid", "identity": "linear"},
        peepholes="",
        says=frozenset({"f", "g", "reset"}),
    ),
    "ONNX": Layout(
        gates={"RNN": "s", "LSTM": "iofg", "GRU": "zrn"},
        transposed=False,
        biases={"RNN": "two", "LSTM": "two", "GRU": "two"},
        resets=("after", "before"),
        activations={"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid"},
        peepholes="iof",
        says=frozenset({"f", "g", "reset"}),
    ),
    "Flax": Layout(
        gates=GATES,
        transposed=True,
        biases={"RNN": "joined", "LSTM": "joined", "GRU": "split"},
        resets=("after",),
        activations={"tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid", "identity": "identity"},
        peepholes="",
        says=frozenset(),
    ),
}


@dataclass(frozen=True, eq=False)
class Recurrent:
    """A layer in the middle form.

    Attributes
    ----------
    kind : {"RNN", "LSTM", "GRU"}
        What it is.
    weight_ih, weight_hh, bias_ih, bias_hh : ndarray
        Its arrays, gates in the order of `GATES`.
    f, reset : str or None
        The activation of an RNN, and where a GRU's r acts; None if nobody said.
    peepholes : mapping of str to ndarray or None
        Those of an LSTM, by gate.
    """

    kind: str
    weight_ih: Array
    weight_hh: Array
    bias_ih: Array
    bias_hh: Array
    _: KW_ONLY
    f: str | None = None
    reset: str | None = None
    peepholes: Mapping[str, Array] | None = None

    @property
    def units(self) -> int:
        """How many hidden units it has."""
        return self.weight_hh.shape[1]


class Head(NamedTuple):
    """The layer above: W (o, m), b_k (o,), and its activation; None if nobody said."""

    W: Array
    b_k: Array
    g: str | None = None


def reordered(array: Array, given: str, wanted: str) -> Array:
    """The blocks of an array (G m, ...) in another order."""
    blocks = dict(zip(given, np.split(array, len(given)), strict=True))
    return np.concatenate([blocks[gate] for gate in wanted])


# ---- from this library


def taken_apart(cell: Any, params: Mapping[str, Any], form: str) -> tuple[list[Recurrent], Head | None]:
    """The layers of a cell in the middle form, if a format has a place for all of them.

    Raises
    ------
    ValueError
        If it has not: what it lacks is named.
    """
    layers = list(cell.cells) if isinstance(cell, cells.Stacked) else [cell]
    for each in layers:
        if isinstance(each, cells.ErrorClipped):
            raise ValueError(f"{each!r}: {form} has no place for the clipping of an error; save its .cell instead")
        if KINDS.get(type(each).__name__) is not type(each):
            raise ValueError(f"{shortened(each)}: {form} has no such layer; of the cells here it has RNN, LSTM and GRU")
    found, _ = checked(cell, params)
    if more := extra(cell, params):
        raise ValueError(f"{form} has no place for {', '.join(more)}, which {cell!r} does not read")
    several = isinstance(cell, cells.Stacked)
    made = []
    for k, each in enumerate(layers, 1):
        own = {n: found[f"{n}_{k}"] for n in _own(found, f"_{k}")} if several else found
        made.append(_taken(each, own, form))
    last = f"_{len(layers)}" if several else ""
    head = Head(found[f"W{last}"], found[f"b_k{last}"], layers[-1].g) if f"W{last}" in found else None
    return made, head


def _own(params: Mapping[str, Array], suffix: str) -> list[str]:
    return [name.removesuffix(suffix) for name in params if name.endswith(suffix)]


def _taken(cell: Any, params: Mapping[str, Array], form: str) -> Recurrent:
    layout = LAYOUTS[form]

    def refuse(why: str) -> None:
        raise ValueError(f"{cell!r}: {form} has no such layer: {why}")

    if isinstance(cell, cells.LSTM):
        if not cell.forget:
            refuse("its LSTM has a forget gate")
        if cell.peepholes and not layout.peepholes:
            refuse("its LSTM has no peepholes")
        looking = {gate: params[f"p_{gate}"] for gate in "ifo"} if cell.peepholes else None
        return Recurrent("LSTM", *_four(cells.LSTM(), params), peepholes=looking)
    if isinstance(cell, cells.GRU):
        if cell.reset not in layout.resets:
            refuse("its GRU resets after the recurrent product")
        if cell.reset == "after":
            return Recurrent("GRU", *_four(cell, params), reset="after")
        whole = np.concatenate([params["U"], params["U_n"]])
        return Recurrent("GRU", params["V"], whole, params["b_j"], np.zeros_like(params["b_j"]), reset="before")
    if isinstance(cell, cells.Guo):
        if isinstance(cell, cells.Elman) and form != "ONNX":
            refuse("its states start from 0, not from 0.5; cells.Guo(f='sigmoid') is the same from a state of 0 on")
        if cell.f not in layout.activations:
            refuse(f"its units are {', '.join(layout.activations)}, not {cell.f}")
        return Recurrent("RNN", *_four(cells.Guo(), params), f=cell.f)
    refuse("its layers are RNN, LSTM and GRU")
    raise AssertionError


def _four(cell: Any, params: Mapping[str, Array]) -> list[Array]:
    """The four arrays of PyTorch's layer, which `to_torch` makes."""
    return list(cell.to_torch({name: w for name, w in params.items() if name not in HEAD})[0].values())


# ---- to this library


def put_together(
    layers: Sequence[Recurrent], head: Head | None, form: str, hint: Any = None
) -> tuple[Any, dict[str, Array]]:
    """The cell, and its parameters, of layers in the middle form.

    Parameters
    ----------
    layers : sequence of Recurrent
        From the input upwards.
    head : Head or None
        The layer above.
    form : str
        The format, for what is said.
    hint : cell, optional
        What the file does not say: a cell like that of each layer, or like the whole.

    Raises
    ------
    ValueError
        If the layers do not fit each other, or the file does not say all and there is no hint, or it says otherwise.
    """
    for k, (below, above) in enumerate(pairwise(layers), 1):
        if above.weight_ih.shape[1:] != (below.units,):
            raise ValueError(
                f"layer {k + 1} reads {above.weight_ih.shape[1:]} inputs and layer {k} has {below.units} units: each "
                "layer reads the one below it"
            )
    hints = list(hint.cells) if isinstance(hint, cells.Stacked) else [hint] * len(layers)
    if len(hints) != len(layers):
        raise ValueError(f"the file has {len(layers)} layers, and cell={hint!r} has {len(hints)}")
    g = None if head is None else head.g
    outputs: list[str | None] = [*[None] * (len(layers) - 1), g]  # an activation of the output is the last layer's
    made = [_settled(layer, each, out, form) for layer, each, out in zip(layers, hints, outputs, strict=True)]
    params = [_params(cell, layer) for cell, layer in zip(made, layers, strict=True)]
    if head is not None:
        params[-1] |= {"W": np.array(head.W), "b_k": np.array(head.b_k)}
    cell = made[0] if len(made) == 1 and not isinstance(hint, cells.Stacked) else cells.Stacked(*made)
    if isinstance(cell, cells.Stacked):
        found = {f"{name}_{k}": w for k, each in enumerate(params, 1) for name, w in each.items()}
    else:
        found = params[0]
    whole, _ = checked(cell, found)
    return cell, whole


def _settled(layer: Recurrent, hint: Any, g: str | None, form: str) -> Any:
    """The cell of a layer: as the file says, and where it does not, as the hint does."""
    said: dict[str, Any] = {} if g is None else {"g": g}
    kind: Any
    if layer.kind == "RNN":
        kind = cells.Guo
        said |= {} if layer.f is None else {"f": layer.f}
    elif layer.kind == "LSTM":
        kind = cells.LSTM
        said |= {"peepholes": layer.peepholes is not None, "forget": True}
    else:
        kind = cells.GRU
        said |= {} if layer.reset is None else {"reset": layer.reset}
    if hint is not None:
        if not isinstance(hint, kind) or KINDS.get(type(hint).__name__) is not type(hint):
            raise ValueError(f"the file holds a layer of {layer.kind}, and cell={shortened(hint)} is none")
        for name, value in said.items():
            if getattr(hint, name) != value:
                raise ValueError(f"the file says {name}={value!r}, and cell={hint!r} says {getattr(hint, name)!r}")
        return hint
    called = f"cell=tinygrad_rnn.cells.{kind.__name__}"
    if layer.kind == "RNN" and layer.f is None:
        raise ValueError(
            f"{form}'s file does not say which activation its units have: pass {called}(f='tanh') or 'relu'"
        )
    if layer.kind == "GRU" and layer.reset is None:
        raise ValueError(f"{form}'s file does not say where its GRU resets: pass {called}(reset='after') or 'before'")
    return kind(**{"g": "identity", **said})


def _params(cell: Any, layer: Recurrent) -> dict[str, Array]:
    arrays = [layer.weight_ih, layer.weight_hh, layer.bias_ih, layer.bias_hh]
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    own = dict(zip(names, arrays, strict=True))
    if layer.kind == "GRU" and cell.reset == "before":
        read = cells.GRU().from_torch(own)  # for its checks; here both biases stand outside of r
        m, both = layer.units, layer.bias_ih + layer.bias_hh
        return {"V": read["V"], "U": read["U"][: 2 * m].copy(), "U_n": read["U"][2 * m :].copy(), "b_j": both}
    plain = {"RNN": cells.Guo(), "LSTM": cells.LSTM(), "GRU": cells.GRU()}[layer.kind]
    found: dict[str, Array] = plain.from_torch(own)
    if layer.peepholes is not None:
        found |= {f"p_{gate}": np.array(layer.peepholes[gate]) for gate in "ifo"}
    return found


# ---- what a file has no place for


def lost(cell: Any, head: bool, form: str) -> list[str]:
    """What a file of this format does not say of a cell, in words for whoever reads it again."""
    layers = list(cell.cells) if isinstance(cell, cells.Stacked) else [cell]
    says, found = LAYOUTS[form].says, []
    if head and "g" not in says and layers[-1].g != "identity":
        found.append(f"g={layers[-1].g!r} of the head is not in such a file: what reads it applies it to the outputs")
    units = dict.fromkeys(f"f={each.f!r}" for each in layers if isinstance(each, cells.Guo))
    if "f" not in says and units:
        found.append(f"{', '.join(units)} of the units is not in such a file: what reads it has to be told")
    if any(isinstance(each, cells.Elman) for each in layers):
        found.append("the state s(0) = 0.5 is not in such a file: give it as the initial state")
    return found
