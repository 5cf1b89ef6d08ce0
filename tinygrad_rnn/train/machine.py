"""What the last bits of a number depend on, besides the program: the libraries and the machine."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """One thread for the products of matrices, unless a variable of the environment says how many.

    The products of a step are small. Several threads gain little on a machine with nothing else to do, and on a busy
    one they wait for each other: there a run took twenty times as long.
    """
    if any(name in os.environ for name in THREADS):
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield


def machine() -> dict[str, str]:
    """What there is here, in words."""
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    threads = [f"{name}={os.environ[name]}" for name in THREADS if name in os.environ]
    return {
        "numpy": np.__version__,
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
        "threads": ", ".join(threads) or "1",
        "machine": f"{platform.system()} {platform.machine()}",
        "processor": ", ".join(config.get("SIMD Extensions", {}).get("found", [])),
    }


def differences(then: Mapping[str, Any]) -> list[str]:
    """What has changed since, in words; none if a run goes on bit by bit."""
    now = machine()
    return [f"{what} was {then.get(what)} and is {here}" for what, here in now.items() if then.get(what) != here]
