"""Arrays by the names of modules, as a state_dict of PyTorch or the variables of Flax have them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..autodiff.calling import shortened
from .layouts import GATES, LAYOUTS, Head, Recurrent

Array = NDArray[Any]

OF_PYTORCH = re.compile(
    r"(?:(?P<module>.+)\.)?(?P<what>(?:weight|bias)_(?:ih|hh|hr))(?:_l(?P<k>\d+))?(?P<back>_reverse)?"
)
OF_FLAX = re.compile(r"(?:(?P<module>.+)\.)?(?P<gate>[ih]|[ih][ifgo]|[ih][rzn])\.(?P<what>kernel|bias)")
GATE_OF_ROWS = {1: "RNN", 3: "GRU", 4: "LSTM"}


class Found(NamedTuple):
    """What stands in a file: layers, from the input upwards, the head if there is one, and what is to be said."""

    layers: list[Recurrent]
    head: Head | None
    notes: list[str]


def form_of(names: Collection[str]) -> str:
    """Whose names these are, PyTorch's or Flax'; empty if neither's."""
    if any(OF_PYTORCH.fullmatch(name) for name in names):
        return "PyTorch"
    if any(OF_FLAX.fullmatch(name.replace("/", ".")) for name in names):
        return "Flax"
    return ""


def modules_of(arrays: Collection[str], form: str) -> list[str]:
    """The modules that arrays of such names are of, in their order."""
    if form == "PyTorch":
        return list(dict.fromkeys(name.rpartition(".")[0] for name in arrays))
    return list(
        dict.fromkeys(
            found["module"] or "" if (found := OF_FLAX.fullmatch(name)) else name.rpartition(".")[0] for name in arrays
        )
    )


def read_modules(arrays: Mapping[str, Array], form: str, only: Sequence[str] | None) -> Found:
    """The layers and the head among arrays by such names.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        By the names of their modules.
    form : {"PyTorch", "Flax"}
        Whose names they are.
    only : sequence of str, optional
        The modules to be read, layers from the input upwards; "" is one that has no name.

    Raises
    ------
    ValueError
        If it does not hold one network of RNN, LSTM or GRU, or which of its modules is meant is not clear.
    """
    named = {
        name.replace("/", ".").removeprefix("params.") if form == "Flax" else name: a for name, a in arrays.items()
    }
    if len(named) < len(arrays):
        raise ValueError("two names in it mean one array")
    pattern = OF_PYTORCH if form == "PyTorch" else OF_FLAX
    matched = {name: found for name in named if (found := pattern.fullmatch(name))}
    recurrent = list(dict.fromkeys(found["module"] or "" for found in matched.values()))
    matrix, bias = ("weight", "bias") if form == "PyTorch" else ("kernel", "bias")
    heads = [
        name.removesuffix(matrix).removesuffix(".")
        for name, a in named.items()
        if name not in matched and name.rpartition(".")[2] == matrix and a.ndim == 2
    ]
    if only is not None:
        unknown = [module for module in only if module not in (*recurrent, *heads) or list(only).count(module) > 1]
        if unknown:
            raise ValueError(
                f"only={shortened(unknown[0])} is none, or stands there twice; {_modules(recurrent, heads)}"
            )
        recurrent, heads = [m for m in only if m in recurrent], [m for m in only if m in heads and m not in recurrent]
    else:
        recurrent = _in_order(recurrent, heads)
        taken = {*matched, *(_joined(head, what) for head in heads for what in (matrix, bias))}
        if rest := [name for name in named if name not in taken]:
            raise ValueError(
                f"it holds {shortened(rest[0])} too, which is read by nothing here; {_modules(recurrent, heads)}"
            )
    if len(heads) > 1 or not recurrent:
        raise ValueError(f"it must hold recurrent layers and one linear layer at most; {_modules(recurrent, heads)}")
    layers, notes = list[Recurrent](), list[str]()
    for module in recurrent:
        own = {name: found for name, found in matched.items() if (found["module"] or "") == module}
        held = {name: named[name] for name in own}
        layers += _of_pytorch(held, own, notes) if form == "PyTorch" else _of_flax(held, own)
    head = None
    if heads:
        W = named[_joined(heads[0], matrix)]
        W = W.T if LAYOUTS[form].transposed else W
        b_k = named.get(_joined(heads[0], bias))
        if b_k is None:
            notes.append("the head has no bias: zeros stand for it")
        head = Head(W, np.zeros(len(W), W.dtype) if b_k is None else b_k)
    return Found(layers, head, notes)


def _joined(module: str, name: str) -> str:
    return f"{module}.{name}" if module else name


def _modules(recurrent: Sequence[str], heads: Sequence[str]) -> str:
    return (
        f"recurrent: {', '.join(map(repr, recurrent)) or 'none'}; linear: {', '.join(map(repr, heads)) or 'none'}. "
        "Say which are meant with only=[...], layers from the input upwards"
    )


def _in_order(modules: list[str], heads: Sequence[str]) -> list[str]:
    """Several modules, if they are numbered and differ in nothing else."""
    if len(modules) < 2:
        return modules
    numbers = [re.fullmatch(r"(.*?)(\d+)(\D*)", module) for module in modules]
    around = {(found[1], found[3]) for found in numbers if found}
    if None in numbers or len(around) > 1:
        raise ValueError(f"it holds several recurrent modules; {_modules(modules, heads)}")
    return sorted(modules, key=lambda module: int(re.findall(r"\d+", module)[-1][:9]))


def _of_pytorch(arrays: Mapping[str, Array], found: Mapping[str, re.Match[str]], notes: list[str]) -> list[Recurrent]:
    """The layers of one module of PyTorch."""
    by_layer: dict[int, dict[str, Array]] = {}
    for name, match in found.items():
        if match["back"]:
            raise ValueError(f"{shortened(name)} belongs to a layer that reads backwards in time: no cell here does")
        if match["what"].endswith("hr"):
            raise ValueError(f"{shortened(name)} belongs to an LSTM with proj_size: no cell here projects its state")
        by_layer.setdefault(int((match["k"] or "0")[:6]), {})[match["what"]] = arrays[name]
    layers = []
    for k in range(len(by_layer)):
        of = by_layer.get(k, {})
        for what in ("weight_ih", "weight_hh"):
            if what not in of or of[what].ndim != 2 or 0 in of[what].shape:
                raise ValueError(f"{what} of layer {k} is missing, or no matrix")
        rows, m = of["weight_hh"].shape
        kind = GATE_OF_ROWS.get(rows // m if rows % m == 0 else 0)
        if kind is None:
            raise ValueError(
                f"weight_hh of layer {k} is {(rows, m)}: that of an RNN is (m, m), GRU (3 m, m), LSTM (4 m, m)"
            )
        if "bias_ih" not in of and "bias_hh" not in of:
            notes.append(f"layer {k + 1} has no biases: zeros stand for them")
            of |= dict.fromkeys(("bias_ih", "bias_hh"), np.zeros(rows, of["weight_ih"].dtype))
        if missing := [what for what in ("bias_ih", "bias_hh") if what not in of]:
            raise ValueError(f"{missing[0]} of layer {k} is missing")
        four = [of[what] for what in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        layers.append(Recurrent(kind, *four, reset="after" if kind == "GRU" else None))
    return layers


def _of_flax(arrays: Mapping[str, Array], found: Mapping[str, re.Match[str]]) -> list[Recurrent]:
    """The layer of one cell of Flax."""
    by_gate: dict[tuple[str, str], Array] = {}
    for name, match in found.items():
        by_gate[match["gate"], match["what"]] = arrays[name]
    kind = next((k for k, first in (("RNN", "i"), ("LSTM", "ii"), ("GRU", "ir")) if (first, "kernel") in by_gate), "")
    gates = {"RNN": [""]}.get(kind, list(GATES.get(kind, "")))
    biased = _biased(kind)
    wanted = [(way + gate, "kernel") for way in "ih" for gate in gates] + [(each, "bias") for each in biased]
    if missing := [each for each in wanted if each not in by_gate] or [each for each in by_gate if each not in wanted]:
        known = ", ".join(".".join(each) for each in by_gate)
        raise ValueError(
            f"{'.'.join(missing[0])} is missing or unknown: it has {known}. What is read is SimpleCell, LSTMCell, "
            "OptimizedLSTMCell and GRUCell"
        )
    W_i, W_h = ([by_gate[way + gate, "kernel"] for gate in gates] for way in "ih")
    m = W_h[0].shape[-1] if W_h[0].ndim == 2 else 0
    for (gate, what), array in by_gate.items():
        shape = (m,) if what == "bias" else (m if gate[0] == "h" else W_i[0].shape[0], m)
        if array.shape != shape or 0 in shape:
            raise ValueError(f"{gate}.{what} is {array.shape}: with {m} units it must be {shape}")
    zero = np.zeros(m, W_i[0].dtype)
    i, h = (np.concatenate([by_gate.get((way + gate, "bias"), zero) for gate in gates]) for way in "ih")
    V, U = (np.concatenate([a.T for a in W]) for W in (W_i, W_h))
    return [Recurrent(kind, V, U, i, h, reset="after" if kind == "GRU" else None)]


def _biased(kind: str) -> list[str]:
    """Which of the small layers in a cell of Flax have a bias."""
    return {"RNN": ["i"], "LSTM": [f"h{gate}" for gate in GATES["LSTM"]], "GRU": ["ir", "iz", "in", "hn"]}.get(kind, [])


# ---- in their names


def named_as_pytorch(layers: Sequence[Recurrent], head: Head | None) -> dict[str, Array]:
    """The arrays as a state_dict of a module with ``rnn`` and ``linear`` above; without a head, of the layers alone."""
    kinds = {layer.kind if layer.kind != "RNN" else layer.f for layer in layers}
    if len(kinds) > 1 or len({layer.units for layer in layers}) > 1:
        raise ValueError("a module of PyTorch has layers of one kind and one size: keep each in a file of its own")
    at = "rnn." if head else ""
    found = {
        f"{at}{name}_l{k}": getattr(layer, name)
        for k, layer in enumerate(layers)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    return found | ({"linear.weight": head.W, "linear.bias": head.b_k} if head else {})


CELLS_OF_FLAX = {"RNN": "SimpleCell", "LSTM": "OptimizedLSTMCell", "GRU": "GRUCell"}


def named_as_flax(layers: Sequence[Recurrent], head: Head | None) -> dict[str, Array]:
    """The arrays as Flax numbers its modules, ``GRUCell_0.ir.kernel``; of one layer without a head, ``ir.kernel``."""
    found: dict[str, Array] = {}
    counts: dict[str, int] = {}
    for layer in layers:
        module, gates = CELLS_OF_FLAX[layer.kind], [""] if layer.kind == "RNN" else list(GATES[layer.kind])
        at = f"{module}_{counts.get(module, 0)}." if head or len(layers) > 1 else ""
        counts[module] = counts.get(module, 0) + 1
        for way, weight in (("i", layer.weight_ih), ("h", layer.weight_hh)):
            for gate, rows in zip(gates, np.split(weight, len(gates)), strict=True):
                found[f"{at}{way}{gate}.kernel"] = rows.T
        both = np.split(layer.bias_ih + layer.bias_hh, len(gates))
        for each in _biased(layer.kind):
            found[f"{at}{each}.bias"] = both[gates.index(each[1:])]
        if layer.kind == "GRU":
            found[f"{at}in.bias"], found[f"{at}hn.bias"] = (np.split(b, 3)[2] for b in (layer.bias_ih, layer.bias_hh))
    return found | ({"Dense_0.kernel": head.W.T, "Dense_0.bias": head.b_k} if head else {})
