"""A cell and its parameters in a file, of this library or of another one: the suffix says how it is written."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked
from ..autodiff.calling import shortened
from ..unfold import cells
from ..unfold.recipe import Cell
from . import keras, onnx, operators, pytorch
from .arrays import packed, unpacked
from .described import checked, extra, in_words, read_cell
from .files import a_path, refuse_existing, write_whole
from .layouts import lost, put_together, taken_apart
from .modules import Found, form_of, modules_of, named_as_flax, named_as_pytorch, read_modules
from .npz import read_npz, written_npz

Array = NDArray[Any]

WORDS = "cell"  # under which a file of ours says its cell
LONGEST = 100_000  # letters in which a cell is described
MOST = 2**31  # bytes of a file
SPARE = 2**26  # bytes that a file may take beyond four times its size: numbers that are all alike pack well
NAMES = {"tinygrad_rnn": "", "torch": "PyTorch", "flax": "Flax"}


class Loaded(NamedTuple):
    """A cell, its parameters, the form that they were found in, and what is to be said of how they were read."""

    cell: Any
    params: dict[str, Array]
    form: str
    notes: list[str]


@asked
def save(
    path: str | os.PathLike[str],
    cell: Cell,
    params: Mapping[str, Array],
    *,
    names: str = "tinygrad_rnn",
    overwrite: bool = False,
) -> Path:
    """Write a cell and its parameters into one file, which is read back before it takes its name.

    Parameters
    ----------
    path : path-like
        The suffix says how: ``.safetensors`` or ``.npz``; ``.pt``, a state_dict of PyTorch; ``.keras`` or
        ``.weights.h5`` of Keras 3; ``.onnx``.
    cell : callable
        One of `tinygrad_rnn.unfold.cells`.
    params : mapping of str to ndarray
        Its parameters, float32 or float64; the head may be missing.
    names : {"tinygrad_rnn", "torch", "flax"}
        Whose names a .safetensors or .npz has. Those of this library, with the cell and its settings beside them;
        or those of a module with an ``rnn`` and a ``linear`` of PyTorch; or of Flax, ``GRUCell_0.ir.kernel``.
    overwrite : bool
        Whether a file of that name may be replaced.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ImportError
        If the library that writes the format is not installed.
    ValueError
        If the format has no place for the cell, or a parameter is missing, does not fit or is not finite.
    OSError
        If the file exists, or cannot be written.

    Notes
    -----
    PyTorch's and Flax' names say neither f nor g; `load` has to be told. ONNX has operators for Guo, LSTM and GRU in
    float32; all else is written as ``tg.onnx.scan`` does it.
    """
    path = a_path(path)
    form = form_of_file(path, names)
    refuse_existing(path, overwrite)
    return write_whole(path, partial(written, path, cell, params, form), overwrite, durable=True)


@asked
def load(
    path: str | os.PathLike[str], *, cell: Cell | None = None, only: Sequence[str] | None = None
) -> tuple[Any, dict[str, Array]]:
    """Read a cell and its parameters from a file, of this library or of another one.

    Parameters
    ----------
    path : path-like
        As for `save`; a .safetensors may also be what ``safetensors.torch.save_file(model.state_dict(), path)`` writes.
    cell : callable, optional
        Decides what the file does not say: the activation of units, where a GRU resets, the activation of the head.
    only : sequence of str, optional
        The modules to be read where a file holds several, layers from the input upwards.

    Returns
    -------
    cell : callable
        One of `tinygrad_rnn.unfold.cells`. A linear layer that nobody says more of is read with ``g="identity"``.
    params : dict of str to ndarray
        In the types in which they were saved.

    Raises
    ------
    ImportError
        If the library that reads the format is not installed.
    ValueError
        If the file is damaged, holds what no cell here computes, or does not say all: one line that names it.
    OSError
        If the system does not read it.
    """
    found = read(a_path(path), cell, only)
    return found.cell, found.params


SUFFIXES = {
    ".safetensors": "",
    ".npz": "",
    ".pt": "PyTorch",
    ".keras": "Keras",
    ".weights.h5": "Keras",
    ".onnx": "ONNX",
}


def form_of_file(path: Path, names: str = "tinygrad_rnn") -> str:
    """Whose form a file of this name has; empty for this library's.

    Raises
    ------
    ValueError
        If no file is written under this suffix, or not by these names.
    """
    if not isinstance(names, str) or names not in NAMES:
        raise ValueError(f"names={shortened(names)}: it is one of {', '.join(NAMES)}")
    suffix = suffix_of(path)
    if NAMES[names] and SUFFIXES[suffix]:
        raise ValueError(
            f"names={names!r} is for .safetensors and .npz: what stands in {suffix} has the names of its form"
        )
    return SUFFIXES[suffix] or NAMES[names]


def suffix_of(path: Path) -> str:
    """Its suffix, if it is one of those that are known."""
    found = next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), None)
    if found is None:
        raise ValueError(f"{path}: the suffix says how it is written; it is one of {', '.join(SUFFIXES)}")
    return found


# ---- written


def written(path: Path, cell: Any, params: Mapping[str, Any], form: str) -> bytes:
    """The bytes of the file, which give the same when they are read."""
    suffix, only = suffix_of(path), None
    if not form:
        words = {WORDS: in_words(cell)}
        arrays = checked(cell, params)[0]
        content = packed(arrays, words) if suffix == ".safetensors" else _npz(arrays, words)
    elif form == "ONNX":
        content = _onnx(cell, params)
    else:
        layers, head = taken_apart(cell, params, form)
        if suffix == ".keras":
            content = keras.written_keras(layers, head)
        elif form == "Keras":
            content = keras.written_weights(layers, head)
            only = [*keras.places(layers), *([] if head is None else ["dense"])]  # it does not say their order
        else:
            arrays = (named_as_pytorch if form == "PyTorch" else named_as_flax)(layers, head)
            only = modules_of(arrays, form)
            content = {".pt": pytorch.written_pt, ".safetensors": packed, ".npz": _npz}[suffix](arrays)
    again = parsed(content, suffix, cell, only)
    if again.cell != cell and in_words(again.cell) != in_words(cell):
        raise ValueError(f"{cell!r} would be read as {again.cell!r}: nothing was written")
    for name, array in params.items():
        if name not in again.params or not np.array_equal(again.params[name], array):
            raise ValueError(f"{shortened(name)} would not be read as it was written: nothing was written")
    return content


def _npz(arrays: Mapping[str, Array], words: Mapping[str, str] | None = None) -> bytes:
    if wrong := [name for name in arrays if name == WORDS or "/" in name or "\0" in name or not name]:
        raise ValueError(f"{shortened(wrong[0])} is no name for an array in a .npz")
    return written_npz(arrays, words or {})


def _onnx(cell: Any, params: Mapping[str, Any]) -> bytes:
    """By the operators that ONNX has for some cells, in float32; else as a Scan."""
    words, (arrays, sizes) = in_words(cell), checked(cell, params)
    if next(iter(arrays.values())).dtype == np.float32 and not extra(cell, arrays):
        try:
            layers, head = taken_apart(cell, arrays, "ONNX")
        except ValueError:
            pass  # it has no operator
        else:
            return operators.written_operators(layers, head, words)
    if not has_head(arrays):
        raise ValueError(f"{cell!r} without a head: ONNX has a place for it in float32, if it is of Guo, LSTM and GRU")
    return onnx.scanned(cell, arrays, sizes["l"], None, words)


def has_head(params: Mapping[str, Any]) -> bool:
    """Whether there is a head among parameters of a cell of this library."""
    return any(name == "W" or name.startswith("W_") for name in params)


# ---- read


def read(path: Path, cell: Any = None, only: Sequence[str] | None = None) -> Loaded:
    """What a file holds; see `load`."""
    if path.is_dir():
        there = sorted(each.name for each in path.iterdir() if each.name.lower().endswith(tuple(SUFFIXES)))
        raise ValueError(f"{path} is a folder: name a file in it{f', such as {path / there[0]}' if there else ''}")
    suffix = suffix_of(path)
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no file")
    if path.is_file() and path.stat().st_size > MOST:
        raise ValueError(f"{path}: it has more than {MOST:,} bytes, which is all that is read")
    content = path.read_bytes()
    try:
        return parsed(content, suffix, cell, None if only is None else list(only))
    except ImportError:
        raise
    except (ValueError, KeyError, TypeError, MemoryError) as error:
        # A TypeError and a KeyError are of what stands in the file, too: its arrays are named by whoever wrote it.
        says = str(error.args[0]) if error.args else type(error).__name__
        raise ValueError(f"{path}: {' '.join(says.split())}") from error


def parsed(content: bytes, suffix: str, cell: Any, only: Sequence[str] | None) -> Loaded:
    """What the bytes of a file of this suffix hold."""
    if cell is not None and not isinstance(cell, cells.Cell | cells.Stacked | cells.ErrorClipped):
        raise ValueError(f"cell={shortened(cell)}: it must be one of tinygrad_rnn.cells")
    room = 4 * len(content) + SPARE
    if suffix == ".onnx":
        return _parsed_onnx(content, cell, only)
    if suffix in (".keras", ".weights.h5"):
        whole = suffix == ".keras"
        found = keras.read_keras(content, room, only) if whole else keras.read_weights(content, room, only, cell)
        return _together(found, "Keras", cell)
    words: Mapping[str, Any] = {}
    if suffix == ".safetensors":
        arrays, words = unpacked(content, "it")
    elif suffix == ".pt":
        arrays = pytorch.read_pt(content, room)
    else:
        held = read_npz(io.BytesIO(content), room, word=LONGEST)
        words = {name: a for name, a in held.items() if isinstance(a, str)}
        arrays = {name: a for name, a in held.items() if not isinstance(a, str)}
    if WORDS in words or not form_of(arrays):
        return _ours(arrays, words.get(WORDS), cell, only)
    form = form_of(arrays)
    return _together(read_modules(arrays, form, only), form, cell)


def _together(found: Found, form: str, cell: Any) -> Loaded:
    return Loaded(*put_together(found.layers, found.head, form, cell), form, found.notes)


def _ours(arrays: Mapping[str, Array], words: Any, cell: Any, only: Sequence[str] | None) -> Loaded:
    if only is not None:
        raise ValueError("only= is for files of other libraries, and this one is of tinygrad_rnn")
    if words is None and cell is None:
        raise ValueError(
            f"it holds {', '.join(map(shortened, list(arrays)[:9])) or 'no arrays'} and does not say of which cell: "
            "pass cell=, such as cell=tinygrad_rnn.cells.LSTM()"
        )
    said = None if words is None else read_cell(words)
    if said is not None and cell is not None and in_words(said) != in_words(cell):
        raise ValueError(f"it is of {said!r}, and cell={cell!r} is another one")
    whole = cell if said is None else said
    params, _ = checked(whole, arrays)
    if said is None and (more := extra(whole, params)):
        raise ValueError(f"it holds {shortened(more[0])}, which {whole!r} does not read")
    return Loaded(whole, params, "", [])


def _parsed_onnx(content: bytes, cell: Any, only: Sequence[str] | None) -> Loaded:
    if only is not None:
        raise ValueError("only= is for files that hold several networks, and a file of ONNX is one")
    made = operators.read_model(content)
    words = operators.words_of(made)
    if words and len(words) <= LONGEST:
        said = read_cell(words)
        if ours := _ours_in_onnx(made, content, said, words):
            if cell is not None and in_words(cell) != words:
                raise ValueError(f"it is of {said!r}, and cell={cell!r} is another one")
            return ours
    found = operators.read_operators(made)
    return _together(found, "ONNX", cell)


def _ours_in_onnx(made: Any, content: bytes, said: Any, words: str) -> Loaded | None:
    """What a model holds that is, operator by operator, what is written of the cell that it says it is of."""
    if any(node.op_type == "Scan" for node in made.graph.node):
        held = operators.Initialisers(made.graph)
        arrays = {name.removeprefix("param."): held[name] for name in held.given if name.startswith("param.")}
        params, sizes = checked(said, arrays)
        if not operators.same(onnx.scanned(said, params, sizes["l"], None, words), content):
            raise ValueError(f"its Scan is not that of {said!r}, which it says it is of")
        return Loaded(said, params, "ONNX", [])
    found = operators.read_operators(made)
    params = put_together(found.layers, found.head, "ONNX", said)[1]
    if not operators.same(_onnx(said, params), content):
        return None
    return Loaded(said, params, "ONNX", [])


def what_is_lost(path: Path, cell: Any, params: Mapping[str, Any], names: str) -> list[str]:
    """What a file of this name has no place for, in words."""
    form = form_of_file(path, names)
    if not form:
        return []
    return lost(cell, has_head(params), form)
