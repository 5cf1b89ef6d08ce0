"""Graphviz, wherever it is: the one that pip installs with this package, or the system's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

VARIABLE = "TINYGRAD_RNN_DOT"
FORMATS = ("svg", "png")


class EngineError(RuntimeError):
    """Graphviz is missing or has failed; says which one and what to do."""


def find() -> Path:
    """The Graphviz program to draw with.

    The environment variable TINYGRAD_RNN_DOT names one; else ``graphviz-pure`` as pip installed it,
    else a ``graphviz-pure`` or a ``dot`` on the PATH.

    Raises
    ------
    EngineError
        If there is none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise EngineError(f"{VARIABLE} names {named!r}, which is not a program: correct it or unset it")
        return Path(found)
    # The scripts folder of an environment that was not activated is not on the PATH.
    found = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    found = found or shutil.which("graphviz-pure") or shutil.which("dot")
    if found is None:
        raise EngineError(
            "there is no Graphviz to draw with. Install one with 'pip install graphviz-pure', or save the picture "
            "with the suffix .dot and draw it elsewhere."
        )
    return Path(found)


def render(dot: str, file_format: str) -> bytes:
    """Draw DOT text in which every position is given.

    Raises
    ------
    EngineError
        If no engine is found, or if it fails.
    """
    program = find()
    try:
        done = subprocess.run(
            [program, "-Kneato", "-n2", f"-T{file_format}"],
            input=dot.encode(),
            capture_output=True,
            check=False,
            timeout=120,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"{program} could not draw the picture: {error}") from error
    # Its warnings about the widths of letters are no failure: positions and sizes are given.
    if done.returncode or not done.stdout:
        raise EngineError(f"{program} could not draw the picture: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
