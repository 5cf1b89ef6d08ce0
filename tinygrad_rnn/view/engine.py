"""Graphviz, wherever it is: the one that pip installs with this package, or the system's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

VARIABLE = "TINYGRAD_RNN_DOT"
SECONDS = 120  # for a picture
INSTALL = "pip install graphviz-pure"


class EngineError(RuntimeError):
    """What draws a format is missing or has failed; says which one and what to do."""


def find() -> Path | None:
    """The Graphviz program to draw with, or None if there is none.

    The environment variable TINYGRAD_RNN_DOT names one; else ``graphviz-pure`` as pip installed it,
    else a ``graphviz-pure`` or a ``dot`` on the PATH.

    Raises
    ------
    EngineError
        If the environment variable names what is not a program.
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
    return Path(found) if found else None


def version(program: Path) -> str:
    """What the program says about itself.

    Raises
    ------
    EngineError
        If it cannot be run.
    """
    # Graphviz says its version where other programs complain.
    said = re.sub(rb"\s+", b" ", b"".join(_run([program, "-V"], b""))).decode(errors="replace").strip()
    return said.removeprefix("graphviz-pure - ")


def render(dot: str, file_format: str) -> bytes:
    """Draw DOT text in which every position is given.

    Raises
    ------
    EngineError
        If no engine is found, or if it fails.
    """
    program = find()
    if program is None:
        raise EngineError(f"there is no Graphviz to draw with: {INSTALL}")
    drawn, complaints = _run([program, "-Kneato", "-n2", f"-T{file_format}"], dot.encode())
    # Its warnings about the widths of letters are no failure: positions and sizes are given.
    if not drawn:
        raise EngineError(f"{program} failed: {_last_line(complaints)}")
    return drawn


def _run(command: list[str | Path], text: bytes) -> tuple[bytes, bytes]:
    try:
        done = subprocess.run(command, input=text, capture_output=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"{command[0]} was not done after {SECONDS} s: draw less") from error
    except OSError as error:
        raise EngineError(f"{command[0]} failed: {error}") from error
    if done.returncode:
        raise EngineError(f"{command[0]} failed: {_last_line(done.stderr)}")
    return done.stdout, done.stderr


def _last_line(complaints: bytes) -> str:
    lines = complaints.decode(errors="replace").strip().split("\n")
    return lines[-1] or "it wrote nothing"
