"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it, not even when the disk is full.

    A link is followed, an old file keeps its permissions. What is no file, such as a device or a pipe, is written to.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
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
