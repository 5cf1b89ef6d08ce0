"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from ..autodiff.calling import a_text, shortened

if sys.platform != "win32":  # there, a file that is open cannot be removed, which serves as well as a lock
    import fcntl

UNFINISHED = ".unfinished-"
# What file systems say that know no second name for a file.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


def a_path(given: Any) -> Path:
    """The path.

    Raises
    ------
    TypeError
        If it is none.
    ValueError
        If no file can have this name.
    """
    try:
        path = os.fspath(given)
    except TypeError:
        path = b""
    if not isinstance(path, str):
        raise TypeError(f"{shortened(given)}: pass the name of a file, a string or a pathlib.Path")
    if "\0" in path:
        raise ValueError(f"{shortened(path)}: no file can have a name with a NUL in it")
    return Path(path)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raise FileExistsError if there is such a file that may not be replaced, IsADirectoryError if it is a folder."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it")
    if path.is_file() and not overwrite:
        _exists(path)


def write_whole(
    path: str | os.PathLike[str], make: Callable[[], bytes], overwrite: bool = False, durable: bool = False
) -> Path:
    """Write a file so that nobody ever sees half of it, not even when the disk is full or the writer is killed.

    A link is followed, an old file keeps its permissions. What is no file, such as a device or a pipe, is written to.
    Of several who write a new file at once, one has written it, and the others are told that it exists.

    Parameters
    ----------
    path : path-like
        The file.
    make : callable
        Makes what it holds, once it is known that there is a place for it.
    overwrite : bool
        Whether a file of that name may be replaced.
    durable : bool
        Whether to wait until it would outlast the loss of power, too; that takes some milliseconds.

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
    path = a_path(path)
    refuse_existing(path, overwrite)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            errno.ENOENT, f"there is no folder {path.parent}; make it first, or name one that is there", str(path)
        )
    content = make()
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return path
    whole = Path(os.path.realpath(path))
    try:
        with _unfinished(whole.parent) as (file, name):
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
            if sys.platform == "win32":
                file.close()
            with contextlib.suppress(FileNotFoundError):
                name.chmod(whole.stat().st_mode & 0o7777)
            if overwrite:
                name.replace(whole)
            else:
                _take_the_name(name, whole)
        if durable:
            _sync_folder(whole.parent)
    except FileExistsError:
        _exists(path)
    except OSError as error:
        # The reader knows the name that was asked for, not the one behind the scenes.
        raise type(error)(error.errno, error.strerror, str(path)) from error
    return path


def new_folder(name: str, under: str | os.PathLike[str] = "tinygrad-rnn-output") -> Path:
    """Make a folder that was not there, so that no earlier output is overwritten: ``name``, ``name-2``, ...

    Parameters
    ----------
    name : str
        What to call it.
    under : path-like
        The folder that it is made in, below the one the program was started in.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    TypeError, ValueError
        If `name` is not the name of one folder, or `under` is no path.
    OSError
        If it cannot be made.
    """
    a_text("new_folder", "name", name)
    under = a_path(under)
    if name in ("", "..") or a_path(name).name != name:
        raise ValueError(f"new_folder: name={shortened(name)}: it is one name; under= says where the folder is made")
    under.mkdir(parents=True, exist_ok=True)  # it may be there, but not as a file or as a link to nowhere
    number = 1
    while True:
        folder = under / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def _exists(path: Path) -> NoReturn:
    raise FileExistsError(f"{path} exists already: choose another name, or pass overwrite=True") from None


def _take_the_name(unfinished: Path, whole: Path) -> None:
    """Give a finished file its name, if nobody has it: the one step in which one of several writers wins."""
    try:
        os.link(unfinished, whole)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        whole.open("xb").close()  # the name is taken; what it stands for follows at once
        unfinished.replace(whole)


def _sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where a system can open a folder at all."""
    if sys.platform == "win32":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextlib.contextmanager
def _unfinished(folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A new file that is nobody else's, held for as long as it is written, and gone afterwards under this name."""
    _clear(folder)
    while True:
        name = folder / f"{UNFINISHED}{secrets.token_hex(8)}"
        file = name.open("xb")
        if _held(file.fileno(), otherwise=True) and name.exists():
            break
        file.close()  # before it was held, somebody has taken it for left over
    try:
        yield file, name
    finally:
        with contextlib.suppress(OSError):
            name.unlink()
        with contextlib.suppress(OSError):  # what a full disk has kept from being written is tried again here
            file.close()


def _clear(folder: Path) -> None:
    """Remove what writers have left that were killed: what nobody holds any more."""
    for name in folder.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                name.unlink()
                continue
            file = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            try:
                if _held(file, otherwise=False):
                    name.unlink()
            finally:
                os.close(file)


def _held(file: int, otherwise: bool) -> bool:
    """Hold an open file until it is closed; whether nobody else does, or what to take for true without locks."""
    if sys.platform == "win32":
        return otherwise
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system that has none
        return otherwise
    return True
