"""What of the optional is there, and how to get what is not."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from . import engine
from .formats import TYPST

# import name on the index: what it is for, how to get it
OPTIONAL = {
    "typst": ("PDF, and PNG where there is no Graphviz", TYPST),
    "matplotlib": ("plots of influence and vanishing", "pip install 'tinygrad-rnn[plots]'"),
    "h5py": ("weights of Keras", "pip install 'tinygrad-rnn[keras]'"),
    "onnx": ("models of ONNX", "pip install 'tinygrad-rnn[onnx]'"),
    "ipython": ("pictures in a notebook", "pip install notebook"),
}


def report() -> tuple[list[str], bool]:
    """Lines for a reader, and whether pictures can be drawn."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    lines = [
        _line("ok", "Python", f"{platform.python_version()}, {sys.executable}"),
        _line("ok", "tinygrad-rnn", _installed("tinygrad-rnn") or "not installed, run from its source"),
        _line(
            "ok", "NumPy", f"{np.__version__}, BLAS: {blas.get('name', 'unknown')} {blas.get('version', '')}".rstrip()
        ),
        _line("ok", "networkx", _installed("networkx") or "?"),
    ]
    try:
        program = engine.find()
        if program is None:
            drawer = _line("--", "Graphviz", f"not found: SVG is drawn without it, PNG is not. {engine.INSTALL}")
        else:
            drawer = _line("ok", "Graphviz", f"{engine.version(program)}, {program}")
        fine = True
    except engine.EngineError as error:
        drawer, fine = _line("!!", "Graphviz", str(error)), False
    lines.append(drawer)
    for package, (purpose, get) in OPTIONAL.items():
        found = _installed(package)
        lines.append(
            _line("ok", package, f"{found}: {purpose}") if found else _line("--", package, f"{purpose}: {get}")
        )
    lines.append("Pictures can be drawn." if fine else "Pictures cannot be drawn.")
    return lines, fine


def _line(mark: str, name: str, text: str) -> str:
    return f"{mark}  {name:<13} {text}"


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
