"""Named arrays in one file, whole or not there. The format is safetensors: numbers, and nothing that runs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.calling import shortened
from .files import a_path, write_whole

Array = NDArray[Any]

LONGEST = 2**24  # bytes of a header: a file of a thousand arrays has a hundredth of it
ORDER = "order"  # the names as they were given: the format sorts them, and sums depend on an order in their last bits


def write_arrays(
    path: str | os.PathLike[str],
    arrays: Mapping[str, Array],
    metadata: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write named arrays, and read them back before the file takes its name.

    Parameters
    ----------
    path : path-like
        The file.
    arrays : mapping of str to ndarray
        Numbers of any shape; they may be views.
    metadata : mapping of str to str, optional
        Words to keep beside them.
    overwrite : bool
        Whether a file of that name may be replaced.

    Raises
    ------
    ValueError
        If something has no place in such a file.
    OSError
        If the file exists, or cannot be written.
    """
    return write_whole(path, lambda: packed(arrays, metadata), overwrite, durable=True)


def packed(arrays: Mapping[str, Array], metadata: Mapping[str, str] | None = None) -> bytes:
    """The bytes of such a file.

    Raises
    ------
    ValueError
        If a name or a word is no string, or an array has a type that the format does not know.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load, save

    words = {**(metadata or {}), ORDER: json.dumps(list(arrays))}
    for what, word in {**dict.fromkeys(arrays, ""), **words}.items():
        if not isinstance(what, str) or not isinstance(word, str) or what == "__metadata__":
            raise ValueError(f"{shortened(what)}: {shortened(word)}: names and metadata are strings")
    # Contiguous, or safetensors 0.8.0 writes another order of the numbers without a word.
    whole = {name: np.array(array, order="C") for name, array in arrays.items()}
    for name, array in whole.items():
        if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8 or not array.dtype.isnative:
            raise ValueError(f"{shortened(name)} is of type {array.dtype}: floats, integers and booleans can be saved")
    try:
        content = _words_in_order(save(whole, words))
    except (SafetensorError, ValueError, KeyError) as error:
        raise ValueError(f"these arrays cannot be saved: {error}") from None
    read = load(content)
    for name, array in whole.items():
        if read[name].shape != array.shape or read[name].tobytes() != array.tobytes():
            raise ValueError(f"{shortened(name)} would not be read as it was written: nothing was written")
    return content


def _words_in_order(content: bytes) -> bytes:
    """The same file with its words in one order: the library writes them in another one each time."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the numbers begin at a multiple of eight
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


def read_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Read what `write_arrays`, or any other program, has written in this format.

    Returns
    -------
    arrays : dict of str to ndarray
        In the order in which they were given, if the file says it; arrays of one's own, that can be changed.
    metadata : dict of str to str
        The words beside them.

    Raises
    ------
    ValueError
        If the file is damaged, or no such file: one line that names it.
    OSError
        If the system does not read it.
    """
    path = a_path(path)
    return unpacked(path.read_bytes(), str(path))


def unpacked(content: bytes, called: str) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and the words of the bytes of such a file, which is `called` so where it is refused."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        if int.from_bytes(content[:8], "little") > LONGEST:
            raise ValueError
        # The library does not mind a name that stands there twice, and keeps the words to itself.
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")], object_pairs_hook=_once)
        words = header.get("__metadata__", {})
        found = load(content)
        order = json.loads(words.get(ORDER, "[]"))
        names = [name for name in order if name in found] if isinstance(order, list) else []
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        says = (
            "a name stands there twice"
            if isinstance(error, NameTwiceError)
            else "it is damaged, or another kind of file"
        )
        raise ValueError(f"{called} cannot be read as a safetensors file: {says}") from None
    rest = {name: word for name, word in words.items() if name != ORDER}
    return {name: np.array(found[name]) for name in (*dict.fromkeys(names), *sorted(set(found) - set(names)))}, rest


class NameTwiceError(ValueError):
    """A name stands in a header twice: which of the two is meant, nobody knows."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NameTwiceError
    return found
