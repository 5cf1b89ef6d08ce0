"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raise FileExistsError if there is such a file that may not be replaced, IsADirectoryError if it is a folder."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it")
    if path.is_file() and not overwrite:
        raise FileExistsError(f"{path} exists already: choose another name, or pass overwrite=True")


def write_whole(path: str | os.PathLike[str], make: Callable[[], bytes], overwrite: bool = False) -> Path:
    """Write a file so that nobody ever sees half of it, not even when the disk is full.

    A link is followed, an old file keeps its permissions. What is no file, such as a device or a pipe, is written to.

    Parameters
    ----------
    path : path-like
        The file.
    make : callable
        Makes what it holds, once it is known that there is a place for it.
    overwrite : bool
        Whether a file of that name may be replaced.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    FileExistsError
        If there is such a file and `overwrite` is not set.
    OSError
        If it cannot be written.
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    content = make()
    refuse_existing(path, overwrite)  # that took a while
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return path
    whole = Path(os.path.realpath(path))
    unfinished = whole.with_name(f".unfinished-{secrets.token_hex(8)}")
    try:
        with unfinished.open("xb") as file:
            file.write(content)
        if whole.exists():
            shutil.copymode(whole, unfinished)
        unfinished.replace(whole)
    except OSError as error:
        # The reader knows the name that was asked for, not the one behind the scenes.
        raise type(error)(error.errno, error.strerror, str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()
    return path
