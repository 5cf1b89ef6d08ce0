"""The way in to a watched model: what is asked before PyTorch is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autodiff.asked import asked
from ..autodiff.calling import whole

if TYPE_CHECKING:
    from .watched import Watched

INSTALL = "pip install 'tinygrad-rnn[torch]'"


@asked
def watch(model: Any, *, time_axis: int | None = None) -> Watched:
    """Watch a model of PyTorch while it runs: what each time copy of its weights gives to their gradients.

    Used as ``with tg.watch(model) as w: loss = ...``, then ``loss.backward()``, within or after it. The model is not
    changed, and ``.grad`` becomes what it would be without.

    Parameters
    ----------
    model : torch.nn.Module
        Any model, its parameters read in a loop over time: its own cells, or ``nn.RNN``, ``nn.LSTM``, ``nn.GRU``.
    time_axis : int, optional
        The axis of time where a layer reads the whole sequence in one call (an embedding, a decoder on all outputs):
        such a call is then taken apart, a copy a step. Without it, it is one read, and stands in ``w.once``.

    Returns
    -------
    Watched
        ``w.copies``, ``w.once``, ``w.grads``, ``w.influence_norms``; it prints what was read where.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    TypeError
        If `model` is no module of it, or `time_axis` no whole number.
    ValueError
        If it has no parameter that is trained.

    Notes
    -----
    Not seen are reads within an ``autograd.Function``, a module of ``torch.jit.script`` and a reentrant checkpoint.
    Where backward added to a gradient what no copy accounts for, asking for the numbers is an error that names
    the weight, never a wrong number. What a hook of yours on a weight makes of its gradient afterwards is no copy's.
    """
    try:
        import torch
    except ImportError as error:
        raise ImportError(f"watching a model needs PyTorch: {INSTALL}") from error
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"model is {type(model).__name__}: it must be a torch.nn.Module")
    if time_axis is not None:
        time_axis = whole("time_axis", time_axis)
    from .watched import Watched

    return Watched(model, time_axis)
