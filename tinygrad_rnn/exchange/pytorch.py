"""A state_dict in a file of PyTorch's: tensors, and nothing that runs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.calling import shortened

Array = NDArray[Any]

INSTALL = "pip install 'tinygrad-rnn[torch]'"


def read_pt(content: bytes, room: int) -> dict[str, Array]:
    """The arrays of a state_dict, from the bytes of a file.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    ValueError
        If it holds something else than tensors by name, or is damaged; nothing in it is run.
    """
    torch = _torch()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            infos = opened.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
        raise ValueError("it is damaged, or no file that PyTorch has written since version 1.6") from error
    # It stores what it writes as it is: whatever is packed could be without end.
    if any(i.compress_type != zipfile.ZIP_STORED for i in infos) or sum(i.file_size for i in infos) > len(content):
        raise ValueError("it is packed as PyTorch packs nothing")
    try:
        held = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except Exception as error:  # of bytes that are none of its own, it says no when and how it fails
        raise ValueError(
            "it holds more than tensors, or is damaged: write it with torch.save(model.state_dict(), file)"
        ) from error
    if not isinstance(held, Mapping) or not held:
        raise ValueError(f"it holds {shortened(type(held).__name__)}: it must be a state_dict, tensors by name")
    found: dict[str, Array] = {}
    for name, tensor in held.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise ValueError(
                f"{shortened(name)} in it is no tensor: write it with torch.save(model.state_dict(), file)"
            )
        if tensor.layout is not torch.strided or tensor.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"{shortened(name)} is {tensor.dtype}, {tensor.layout}: float32 and float64 are read")
        room -= tensor.numel() * tensor.element_size()
        if room < 0 or tensor.device.type != "cpu":
            raise ValueError(f"{shortened(name)} is {tuple(tensor.shape)} on {tensor.device}: there is no room for it")
        found[name] = np.array(tensor.detach().contiguous().numpy())
    return found


def written_pt(arrays: Mapping[str, Array]) -> bytes:
    """The bytes of such a file."""
    torch = _torch()
    out = io.BytesIO()
    torch.save({name: torch.from_numpy(np.array(array, order="C")) for name, array in arrays.items()}, out)
    return out.getvalue()


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise ImportError(f"a file of PyTorch's is read and written by PyTorch: {INSTALL}") from error
    return torch
