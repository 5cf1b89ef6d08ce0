"""What the last bits of a number depend on, besides the program: the libraries and the machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from typing import Any

import numpy as np

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def machine() -> dict[str, str]:
    """What there is here, in words."""
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    threads = [f"{name}={os.environ[name]}" for name in THREADS if name in os.environ]
    return {
        "numpy": np.__version__,
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
        "threads": ", ".join(threads) or f"{os.cpu_count()} cores",
        "machine": f"{platform.system()} {platform.machine()}",
        "processor": ", ".join(config.get("SIMD Extensions", {}).get("found", [])),
    }


def differences(then: Mapping[str, Any]) -> list[str]:
    """What has changed since, in words; none if a run goes on bit by bit."""
    now = machine()
    return [f"{what} was {then.get(what)} and is {here}" for what, here in now.items() if then.get(what) != here]
