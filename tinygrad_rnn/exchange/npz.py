"""The arrays and words of a file of NumPy's (.npz): what a stranger may have sent is measured before it is read."""

from __future__ import annotations

import io
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.calling import shortened

Array = NDArray[Any]

PARTS = 1000  # arrays in a file; no network here has a tenth of it
AXES = 4
LARGEST = 2**48  # entries along an axis: more has no room anywhere
DAMAGES = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, OverflowError)
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_npz(file: IO[bytes], room: int, beside: int = 0, word: int = 100) -> dict[str, Array | str]:
    """What a file of NumPy's holds, by name: arrays of numbers in the type they were saved with, and words.

    Parameters
    ----------
    file : file of bytes
        The file, open.
    room : int
        How many bytes may be taken for the file, and for all arrays together.
    beside : int
        How many bytes an entry takes besides its own, for what the caller makes of it.
    word : int
        How many letters a word may have.

    Raises
    ------
    ValueError
        If it is damaged, too large, or holds anything else; pickles are not read.
    """
    if file.seek(0, os.SEEK_END) > room:
        raise ValueError(f"it has more than {room:,} bytes, which is all that is read")
    file.seek(0)
    found: dict[str, Array | str] = {}
    try:
        with zipfile.ZipFile(file) as opened:
            infos = opened.infolist()
            if len(infos) > PARTS:
                raise ValueError(f"it has {len(infos):,} arrays: {PARTS:,} are read at most")
            for info in infos:
                name = info.filename.removesuffix(".npy")
                if name == info.filename:
                    raise ValueError(f"{shortened(name)} in it is no array of NumPy's: numpy.savez writes such a file")
                if name in found:
                    raise ValueError(f"{shortened(name)} stands there twice")
                if info.flag_bits & 1 or info.compress_type not in PACKINGS:
                    raise ValueError(f"{shortened(name)} is packed as numpy.savez packs nothing")
                with opened.open(info) as member:
                    found[name], taken = _array(name, member, room, beside, word)
                room -= taken
    except DAMAGES as error:
        raise ValueError(f"it is damaged ({shortened(str(error))})") from None
    return found


def written_npz(arrays: Mapping[str, Array], words: Mapping[str, str]) -> bytes:
    """The bytes of such a file."""
    out = io.BytesIO()
    given: dict[str, Any] = {**{name: np.array(word) for name, word in words.items()}, **arrays}
    np.savez(out, **given)
    return out.getvalue()


def _array(name: str, member: IO[bytes], room: int, beside: int, word: int) -> tuple[Array | str, int]:
    """One array, or a word, and how many bytes it takes; no more than `room` is taken for it."""
    called = shortened(name)
    shape, columns_first, dtype = _header(called, member)
    if dtype.hasobject:
        raise ValueError(f"{called} holds Python objects: pickles are not read, save numbers")
    is_word = dtype.kind in "US" and not shape
    if not is_word and dtype.kind not in "fiub":
        raise ValueError(f"{called} has the type {shortened(str(dtype))}, which is no real number")
    count = math.prod(shape)
    taken = count * (dtype.itemsize + beside)
    if taken > room or (is_word and dtype.itemsize > 4 * word):
        raise ValueError(f"{called} has the shape {shortened(shape)}, for which there is no room here")
    raw = member.read(count * dtype.itemsize)
    if len(raw) < count * dtype.itemsize or member.read(1):  # at the end the checksum is looked at
        raise ValueError(f"{called} is damaged: its shape {shortened(shape)} is not the size of what follows")
    flat = np.frombuffer(raw, dtype)
    if is_word:
        return (str(flat[0]) if dtype.kind == "U" else flat[0].decode(errors="replace")), taken
    array = flat.reshape(shape, order="F" if columns_first else "C")
    return array.astype(dtype.newbyteorder("="), order="C"), taken


def _header(called: str, member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(member)
        if version != (1, 0):  # later ones have headers of any length, for arrays of records
            raise ValueError("its header is not of version 1.0")
        shape, columns_first, dtype = np.lib.format.read_array_header_1_0(member)
    except (ValueError, SyntaxError, TokenError, TypeError, KeyError, RecursionError, MemoryError) as error:
        raise ValueError(f"{called} is no array of numbers ({shortened(str(error))})") from None
    if len(shape) > AXES or not all(0 <= n <= LARGEST for n in shape):
        raise ValueError(f"{called} has the shape {shortened(shape)}, which is none of a network's")
    return shape, columns_first, dtype
