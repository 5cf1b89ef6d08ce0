"""Files of Keras 3, .keras and .weights.h5, read and written without Keras."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.calling import shortened
from .layouts import GATES, LAYOUTS, Head, Recurrent, reordered
from .modules import Found

Array = NDArray[Any]

INSTALL = "pip install 'tinygrad-rnn[keras]'"
CLASSES = {"SimpleRNN": "RNN", "LSTM": "LSTM", "GRU": "GRU"}
FOLDERS = {"RNN": "simple_rnn", "LSTM": "lstm", "GRU": "gru"}  # what Keras calls their place in a file
PASSED_BY = {"InputLayer", "Dropout"}  # they change nothing where nothing is trained
ACTIVATIONS = {theirs: ours for ours, theirs in LAYOUTS["Keras"].activations.items()}
OUTPUTS = {"linear": "identity", "softmax": "softmax", "sigmoid": "sigmoid", "tanh": "tanh"}
PARTS = {"metadata.json", "config.json", "model.weights.h5"}
LONGEST = 2**22  # bytes of a config; a layer takes two thousand
WRITTEN_BY = "3.15.1"  # the version whose files these are like
# Settings of a layer that change what it computes, and the one value of each that is understood.
PLAIN = {"go_backwards": False, "recurrent_activation": "sigmoid", "return_state": False}


def read_weights(content: bytes, room: int, only: Sequence[str] | None, hint: Any) -> Found:
    """The layers of a .weights.h5, which does not say how they are activated.

    Raises
    ------
    ImportError
        If h5py is not installed.
    ValueError
        If it is damaged, or does not hold one network of layers that are known here.
    """
    held = _Held(content, room)
    folders = held.folders("layers")
    known = re.compile(r"(simple_rnn|lstm|gru|dense)(?:_(\d+))?")
    own = [name for name in folders if held.has_arrays(f"layers/{name}")]
    if only is not None:
        if unknown := [name for name in only if name not in own or list(only).count(name) > 1]:
            raise ValueError(f"only={shortened(unknown[0])} is none, or stands there twice; there are {', '.join(own)}")
        own = list(only)
    if strange := [name for name in own if not known.fullmatch(name)]:
        raise ValueError(f"it holds {shortened(strange[0])}: what is read is SimpleRNN, LSTM, GRU and Dense")
    layers = [name for name in own if not name.startswith("dense")]
    heads = [name for name in own if name.startswith("dense")]
    if only is None:
        if len({name.partition("_")[0] for name in layers}) > 1:
            raise ValueError(
                f"it does not say the order of {', '.join(layers)}: pass only=[...], from the input upwards"
            )
        layers.sort(key=lambda name: int((re.findall(r"\d+", name) or ["0"])[0][:6]))
    if not layers or len(heads) > 1:
        raise ValueError(f"it holds {', '.join(own) or 'no layers'}: it must be recurrent layers and one Dense at most")
    kinds = {folder: kind for kind, folder in FOLDERS.items()}
    made = [_layer(held, name, kinds[re.sub(r"_\d+$", "", name)], None, None) for name in layers]
    g = getattr(hint.cells[-1] if hasattr(hint, "cells") else hint, "g", None)
    if heads and g is None:
        raise ValueError(
            f"a .weights.h5 does not say how {heads[0]} is activated: pass cell= with its g, such as "
            "cell=tinygrad_rnn.cells.LSTM(g='softmax')"
        )
    notes = ["a .weights.h5 says no activations: tanh and sigmoid are taken for those of an LSTM or a GRU"]
    return Found(made, _head(held, heads[0], None) if heads else None, notes)


def read_keras(content: bytes, room: int, only: Sequence[str] | None) -> Found:
    """The layers of a .keras file."""
    _h5py()  # before all else: without it, nothing can be said of the file
    parts = _unzipped(content, room)
    try:
        config = json.loads(parts["config.json"])
        found = [(str(each["class_name"]), dict(each["config"])) for each in _chain(config)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, IndexError) as error:
        said = str(error) if isinstance(error, _NotUnderstoodError) else "its config.json is not understood"
        raise ValueError(said) from None
    if only is not None:
        raise ValueError("only= is for files that do not say the order of their layers, and a .keras file does")
    held = _Held(parts["model.weights.h5"], room)
    layers, notes = list[Recurrent](), list[str]()
    head, counts = None, dict[str, int]()
    for k, (called, settings) in enumerate(found):
        folder = re.sub(r"(?<!^)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", called).lower()
        path = f"{folder}_{counts[folder]}" if folder in counts else folder
        counts[folder] = counts.get(folder, 0) + 1
        if called in PASSED_BY:
            if called == "Dropout":
                notes.append("its Dropout is left out: it changes nothing where nothing is trained")
            continue
        if called == "Dense" and layers and head is None:
            head = _head(held, path, settings)
            continue
        if called not in CLASSES or head is not None:
            raise ValueError(
                f"its layer {k + 1} is {shortened(called)}: what is read is SimpleRNN, LSTM, GRU and a Dense above"
            )
        for name, value in PLAIN.items():
            if settings.get(name, value) != value:
                raise ValueError(f"its {called} has {name}={shortened(settings[name])}: no cell here has")
        if settings.get("dropout") or settings.get("recurrent_dropout"):
            notes.append(f"the dropout of its {called} is left out: it changes nothing where nothing is trained")
        if settings.get("return_sequences") is False:
            if any(later in CLASSES for later, _ in found[k + 1 :]):
                raise ValueError(f"its {called} gives its last state only to a layer that reads sequences")
            notes.append("its output is that of the last step: losses='last' here")
        f = settings.get("activation")
        if not isinstance(f, str) or f not in (ACTIVATIONS if called == "SimpleRNN" else ("tanh",)):
            raise ValueError(f"its {called} has activation={shortened(f)}: no cell here has")
        layers.append(_layer(held, path, CLASSES[called], ACTIVATIONS[str(f)], settings))
    if not layers:
        raise ValueError("it holds no recurrent layer")
    return Found(layers, head, notes)


class _NotUnderstoodError(ValueError):
    """A model that is more than layers one above the other; it says so."""


def _chain(config: Any) -> list[Any]:
    """The layers of a model, each of which reads the one before."""
    called, layers = config["class_name"], config["config"]["layers"]
    if called not in ("Sequential", "Functional") or not isinstance(layers, list):
        raise _NotUnderstoodError(f"it is {shortened(called)}: a Sequential or Functional model is read")
    if called == "Functional":
        for before, each in zip([None, *layers], layers, strict=False):
            read = re.findall(r'"keras_history": \["((?:[^"\\]|\\.)*)"', json.dumps(each["inbound_nodes"]))
            wanted = [] if before is None else [json.dumps(before["config"]["name"])[1:-1]]
            if read != wanted:
                raise _NotUnderstoodError(
                    f"its layer {shortened(each['config']['name'])} does not read the one before it, and no other"
                )
    return layers


def _unzipped(content: bytes, room: int) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            found = {}
            for name in sorted(PARTS):
                info = opened.getinfo(name)
                if [i.filename for i in opened.infolist()].count(name) > 1 or info.flag_bits & 1:
                    raise ValueError(f"{name} stands there twice, or is encrypted")
                most = room if name.endswith(".h5") else LONGEST
                with opened.open(info) as member:
                    found[name] = member.read(most + 1)
                if len(found[name]) > most:
                    raise ValueError(f"{name} in it has more than {most:,} bytes")
            return found
    except KeyError as error:
        raise ValueError(f"{error.args[0]}: a .keras file of Keras 3 has {', '.join(sorted(PARTS))}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OverflowError) as error:
        raise ValueError("it is damaged, or no .keras file") from error


class _Held:
    """The arrays of a file of HDF5, by their paths; no link out of it is followed."""

    def __init__(self, content: bytes, room: int) -> None:
        self.h5py, self.room = _h5py(), room
        try:
            self.file = self.h5py.File(io.BytesIO(content), "r")
        except Exception as error:  # the library says no when and how it fails on bytes that are none of its own
            raise ValueError("it is damaged, or no file of HDF5") from error

    def _at(self, path: str) -> Any:
        """What stands there, or None."""
        place: Any = self.file
        try:
            for part in path.split("/"):
                if not isinstance(place, self.h5py.Group) or not isinstance(
                    place.get(part, getlink=True), self.h5py.HardLink
                ):
                    return None
                place = place[part]
        except Exception as error:  # see above
            raise ValueError(f"it is damaged at {path}") from error
        return place

    def folders(self, path: str) -> list[str]:
        """The names of what stands there."""
        place = self._at(path)
        if not isinstance(place, self.h5py.Group):
            raise ValueError(f"there is no {path} in it: it is no weights file of Keras 3")
        try:
            return [str(name) for name in place]
        except Exception as error:  # see above
            raise ValueError(f"it is damaged at {path}") from error

    def has_arrays(self, path: str) -> bool:
        """Whether there is an array there, at most so deep as a layer within a layer has some."""
        ways = [path]
        for _ in range(6):
            groups = [(way, self._at(way)) for way in ways[:1000]]
            if any(isinstance(place, self.h5py.Dataset) for _, place in groups):
                return True
            ways = [f"{way}/{name}" for way, place in groups if place is not None for name in self.folders(way)]
        return False

    def arrays(self, path: str) -> list[Array]:
        """The arrays 0, 1, ... there."""
        found: list[Array] = []
        names = sorted(self.folders(path))
        if names != [str(k) for k in range(len(names))] or len(names) > 9:
            raise ValueError(f"{path} holds {shortened(names)}: it must be arrays 0, 1, ...")
        for name in names:
            at = self._at(f"{path}/{name}")
            if not isinstance(at, self.h5py.Dataset) or at.is_virtual or at.external:
                raise ValueError(f"{path}/{name} is no array that stands in this file")
            if at.dtype.kind != "f" or at.dtype.itemsize not in (4, 8) or at.shape is None:
                raise ValueError(f"{path}/{name} is {at.dtype}: float32 and float64 are read")
            self.room -= math.prod(at.shape) * at.dtype.itemsize
            if self.room < 0 or math.prod(at.chunks or (0,)) * 8 > max(self.room, 0):
                raise ValueError(f"{path}/{name} is {shortened(at.shape)}: there is no room for it")
            try:
                found.append(np.asarray(at[()]).astype(at.dtype.newbyteorder("=")))
            except Exception as error:  # see above
                raise ValueError(f"{path}/{name} is damaged") from error
        return found


def _layer(held: _Held, folder: str, kind: str, f: str | None, settings: Mapping[str, Any] | None) -> Recurrent:
    arrays = held.arrays(f"layers/{folder}/cell/vars")
    if len(arrays) not in (2, 3) or any(a.ndim != 2 or 0 in a.shape for a in arrays[:2]):
        raise ValueError(
            f"layers/{folder} holds {', '.join(str(a.shape) for a in arrays)}: it must be kernels and a bias"
        )
    kernel, recurrent = arrays[:2]
    m, order = recurrent.shape[0], LAYOUTS["Keras"].gates[kind]
    if kernel.shape[1] != len(order) * m or recurrent.shape[1] != len(order) * m:
        raise ValueError(
            f"layers/{folder}: with {m} units, {kernel.shape} and {recurrent.shape} are no kernels of {kind}"
        )
    bias = arrays[2] if len(arrays) == 3 else None
    width, reset = len(order) * m, None
    if kind == "GRU":
        said = None if settings is None else settings.get("reset_after", True)
        if bias is not None:
            said_by_bias = bias.ndim == 2
            if said is not None and bool(said) != said_by_bias:
                raise ValueError(f"layers/{folder} has a bias {bias.shape}, and the model says reset_after={said}")
            said = said_by_bias
        reset = None if said is None else "after" if said else "before"
    if bias is None:
        bias = np.zeros(width, kernel.dtype)
    two = bias if bias.ndim == 2 and kind == "GRU" else np.stack([bias, np.zeros_like(bias)])
    if two.shape != (2, width):
        raise ValueError(f"layers/{folder} has a bias {bias.shape}: with {m} units it must have {width} entries")
    ours = GATES[kind]
    turned = [reordered(a, order, ours) for a in (kernel.T, recurrent.T, two[0], two[1])]
    return Recurrent(kind, *turned, f=f, reset=reset)


def _head(held: _Held, folder: str, settings: Mapping[str, Any] | None) -> Head:
    arrays = held.arrays(f"layers/{folder}/vars")
    if len(arrays) not in (1, 2) or arrays[0].ndim != 2:
        raise ValueError(
            f"layers/{folder} holds {', '.join(str(a.shape) for a in arrays)}: it must be a kernel and a bias"
        )
    b_k = arrays[1] if len(arrays) == 2 else np.zeros(arrays[0].shape[1], arrays[0].dtype)
    g = None
    if settings is not None:
        activation = settings.get("activation")
        g = OUTPUTS.get(activation) if isinstance(activation, str) else None
        if g is None:
            raise ValueError(f"its Dense has activation={shortened(activation)}: the head has {', '.join(OUTPUTS)}")
    return Head(arrays[0].T, b_k, g)


# ---- written


def written_weights(layers: Sequence[Recurrent], head: Head | None) -> bytes:
    """The bytes of a .weights.h5."""
    h5py = _h5py()
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        for folder, layer in zip(places(layers), layers, strict=True):
            for name, arrays in ((f"{folder}/cell", _arrays(layer)), (folder, [])):
                group = file.create_group(f"layers/{name}/vars")
                group.attrs["name"] = folder if name == folder else f"{FOLDERS[layer.kind]}_cell"
                for k, array in enumerate(arrays):
                    group.create_dataset(str(k), data=np.array(array, order="C"))
        if head is not None:
            group = file.create_group("layers/dense/vars")
            group.attrs["name"] = "dense"
            for k, array in enumerate((head.W.T, head.b_k)):
                group.create_dataset(str(k), data=np.array(array, order="C"))
        file.create_group("vars").attrs["name"] = "sequential"
    return out.getvalue()


def written_keras(layers: Sequence[Recurrent], head: Head | None) -> bytes:
    """The bytes of a .keras file: a Sequential model whose layers give all time steps."""
    dtype = layers[0].weight_ih.dtype.name
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": dtype}, "registered_name": None}

    def said(called: str, inputs: int, config: Mapping[str, Any]) -> dict[str, Any]:
        built = {} if called == "InputLayer" else {"build_config": {"input_shape": [None, None, inputs]}}
        return {"module": "keras.layers", "class_name": called, "config": config, "registered_name": None} | built

    inputs = layers[0].weight_ih.shape[1]
    start = {"batch_shape": [None, None, inputs], "dtype": dtype, "name": "input_layer"}
    parts = [said("InputLayer", inputs, start)]
    config: dict[str, Any]
    classes = {kind: called for called, kind in CLASSES.items()}
    for folder, layer in zip(places(layers), layers, strict=True):
        config = {"name": folder, "dtype": policy, "units": layer.units, "return_sequences": True}
        config["activation"] = LAYOUTS["Keras"].activations[layer.f or "tanh"]
        config |= {"recurrent_activation": "sigmoid"} if layer.kind != "RNN" else {}
        config |= {"reset_after": layer.reset == "after"} if layer.kind == "GRU" else {}
        parts.append(said(classes[layer.kind], layer.weight_ih.shape[1], config))
    if head is not None:
        theirs = {ours: their for their, ours in OUTPUTS.items()}[head.g or "identity"]
        config = {"name": "dense", "dtype": policy, "units": len(head.W), "activation": theirs}
        parts.append(said("Dense", layers[-1].units, config))
    shape = [None, None, inputs]
    whole: dict[str, Any] = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "sequential", "dtype": policy, "layers": parts, "build_input_shape": shape},
        "registered_name": None,
        "build_config": {"input_shape": shape},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, held in (
            ("metadata.json", json.dumps({"keras_version": WRITTEN_BY, "date_saved": "1980-01-01@00:00:00"}).encode()),
            ("config.json", json.dumps(whole).encode()),
            ("model.weights.h5", written_weights(layers, head)),
        ):
            file.writestr(zipfile.ZipInfo(name), held)  # a date of its own, so that the same network is the same file
    return out.getvalue()


def places(layers: Sequence[Recurrent]) -> list[str]:
    """The folders of the layers, numbered as Keras numbers them."""
    kinds = [FOLDERS[layer.kind] for layer in layers]
    numbers = [kinds[:k].count(kind) for k, kind in enumerate(kinds)]
    return [f"{kind}_{n}" if n else kind for kind, n in zip(kinds, numbers, strict=True)]


def _arrays(layer: Recurrent) -> list[Array]:
    ours, theirs = GATES[layer.kind], LAYOUTS["Keras"].gates[layer.kind]
    V, U, b, b_h = (
        reordered(a, ours, theirs) for a in (layer.weight_ih, layer.weight_hh, layer.bias_ih, layer.bias_hh)
    )
    return [V.T, U.T, np.stack([b, b_h]) if layer.reset == "after" else b + b_h]


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise ImportError(f"files of Keras are read and written by h5py: {INSTALL}") from error
    return h5py
