"""The arrays and words that a file holds, by name: what a stranger may have sent is measured before it is read."""

from __future__ import annotations

import math
import os
import struct
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..data.refusal import shown
from ..view.foreign import Twice, parsed, text_of

Array = NDArray[np.float64]

MOST = 2**26  # bytes of all arrays together, as they are computed with
PARTS = 1000  # arrays in a file; no network here has a tenth of it
AXES = 4
WORD = 100  # letters


def arrays(path: Path) -> dict[str, Array | str]:
    """What a file of NumPy's (.npz) or of JSON holds, by name: arrays of numbers, and words.

    Raises
    ------
    ValueError
        If it is damaged, too large, or holds anything else; pickles are not read.
    OSError
        If the system does not read it.
    """
    with path.open("rb") as file:
        return _of_zip(file) if file.read(2) == b"PK" else _of_json(path)


def _of_json(path: Path) -> dict[str, Array | str]:
    try:
        data = parsed(text_of(path))
    except UnicodeDecodeError:
        raise ValueError("it is neither an .npz file nor JSON in UTF-8") from None
    if not isinstance(data, dict):
        raise ValueError('it is JSON, but no object {"x": ..., ...}')
    if isinstance(data, Twice):
        raise ValueError(f"{shown(data.name)} stands there twice")
    return {name: value if isinstance(value, str) else _from_lists(name, value) for name, value in data.items()}


def _from_lists(name: str, value: Any) -> Array:
    shape = _shape(name, value)
    found = np.empty(shape)
    found[...] = value
    return found


def _shape(name: str, value: Any, depth: int = 0) -> tuple[int, ...]:
    """The shape of lists in lists of numbers."""
    if isinstance(value, int | float):
        return ()
    if not isinstance(value, list):
        raise ValueError(f"{shown(name)} holds what is no number")
    if depth == AXES:
        raise ValueError(f"{shown(name)} has more than {AXES} axes")
    shapes = {_shape(name, each, depth + 1) for each in value}
    if len(shapes) > 1:
        raise ValueError(f"{shown(name)} has rows of different lengths")
    return (len(value), *(shapes.pop() if shapes else ()))


DAMAGES = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, OverflowError)


def _of_zip(file: IO[bytes]) -> dict[str, Array | str]:
    if os.fstat(file.fileno()).st_size > MOST:
        raise ValueError(f"it has more than {MOST:,} bytes, which is all that is read")
    found: dict[str, Array | str] = {}
    room = MOST
    try:
        with zipfile.ZipFile(file) as opened:
            infos = opened.infolist()
            if len(infos) > PARTS:
                raise ValueError(f"it has {len(infos):,} arrays: {PARTS:,} are read at most")
            for info in infos:
                name = info.filename.removesuffix(".npy")
                if name == info.filename:
                    raise ValueError(f"{shown(name)} in it is no array of NumPy's: numpy.savez writes such a file")
                if name in found:
                    raise ValueError(f"{shown(name)} stands there twice")
                if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ValueError(f"{shown(name)} is packed as numpy.savez packs nothing")
                with opened.open(info) as member:
                    found[name], taken = _array(name, member, room)
                room -= taken
    except DAMAGES as error:
        raise ValueError(f"it is damaged ({shown(str(error), 60)})") from None
    return found


def _array(name: str, member: IO[bytes], room: int) -> tuple[Array | str, int]:
    """One array, or a word, and how many bytes it takes; no more than `room` is taken for it."""
    called = shown(name)
    shape, columns_first, dtype = _header(called, member)
    if dtype.hasobject:
        raise ValueError(f"{called} holds Python objects: pickles are not read, save numbers")
    word = dtype.kind in "US" and not shape
    if not word and dtype.kind not in "fiub":
        raise ValueError(f"{called} has the type {shown(str(dtype))}, which is no real number")
    count = math.prod(shape)
    taken = count * (dtype.itemsize + 8)
    if taken > room or (word and dtype.itemsize > 4 * WORD):
        raise ValueError(f"{called} has the shape {shown(str(shape), 60)}, for which there is no room here")
    raw = member.read(count * dtype.itemsize)
    if len(raw) < count * dtype.itemsize or member.read(1):  # at the end the checksum is looked at
        raise ValueError(f"{called} is damaged: its shape {shown(str(shape), 60)} is not the size of what follows")
    flat = np.frombuffer(raw, dtype)
    if word:
        return (str(flat[0]) if dtype.kind == "U" else flat[0].decode(errors="replace")), taken
    return flat.reshape(shape, order="F" if columns_first else "C").astype(np.float64, order="C"), taken


def _header(called: str, member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(member)
        if version != (1, 0):  # later ones have headers of any length, for arrays of records
            raise ValueError("its header is not of version 1.0")
        shape, columns_first, dtype = np.lib.format.read_array_header_1_0(member)
    except (ValueError, SyntaxError, TokenError, TypeError, KeyError, RecursionError, MemoryError) as error:
        raise ValueError(f"{called} is no array of numbers ({shown(str(error), 80)})") from None
    if len(shape) > AXES or not all(0 <= n <= MOST for n in shape):
        raise ValueError(f"{called} has the shape {shown(str(shape), 60)}, which is none of a network's")
    return shape, columns_first, dtype
