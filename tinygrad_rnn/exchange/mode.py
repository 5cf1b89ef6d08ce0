"""Every call of PyTorch that reads a parameter is given a fresh view of it, which notes what comes back."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch.nn.functional import embedding, linear
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten

from . import fused
from .reads import Computed, ParameterRead, Place

PACKAGE = __file__.rpartition("/")[0]
# Attributes of a tensor that are tensors, made of it.
VIEWS = frozenset({"T", "mT", "H", "mH", "real", "imag"})
# What asks a tensor about itself, or sets it up: no read of its numbers that a gradient could come back through.
ASIDE = frozenset(
    {
        "__deepcopy__", "__delete__", "__format__", "__hash__", "__len__", "__reduce_ex__", "__repr__", "__set__",
        "_is_view", "backward", "data_ptr", "detach", "detach_", "dim", "element_size", "grad", "is_complex",
        "is_contiguous", "is_floating_point", "item", "ndimension", "numel", "numpy", "register_hook",
        "register_post_accumulate_grad_hook", "requires_grad_",
        "retain_grad", "share_memory_", "size", "storage", "stride", "tolist", "untyped_storage",
    }
)  # fmt: skip


class Mode(TorchFunctionMode):  # type: ignore[misc]  # PyTorch is not installed where types are checked
    """What stands between a program and PyTorch while a model is watched.

    Parameters
    ----------
    params : mapping of str to tensor
        The parameters that are trained.
    constant : iterable of tensor
        The model's other tensors: what is computed of parameters and these is computed of parameters alone.
    time_axis : int or None
        The axis of time in calls that take all steps at once.
    came_back : callable
        ``came_back(read, gradient)`` is told what comes back for a read.
    """

    def __init__(
        self,
        params: Mapping[str, Any],
        constant: Iterator[Any],
        time_axis: int | None,
        came_back: Callable[[ParameterRead, Any], None],
    ) -> None:
        super().__init__()
        self.params, self.time_axis, self.came_back = params, time_axis, came_back
        self.names = {id(p): name for name, p in params.items()}
        self.constant = {id(b) for b in constant}
        self.computed: dict[int, Computed] = {}
        self.reads: list[ParameterRead] = []
        self.modules: list[str] = []  # those that run, the innermost last
        self.said: int | None = None
        self.outermost: int | None = None  # the frame where the watching began; those around it say nothing

    def watched(self, tensor: Any) -> bool:
        """Whether it is a parameter, or computed from parameters alone."""
        return isinstance(tensor, torch.Tensor) and (id(tensor) in self.names or id(tensor) in self.computed)

    def read(self, tensor: Any, place: Place, t: int | None = None) -> Any:
        """A fresh view of what is watched, or the tensor itself if it is not."""
        if not self.watched(tensor) or not tensor.requires_grad:
            return tensor
        name = self.names.get(id(tensor))
        roots = (name,) if name is not None else self.computed[id(tensor)].roots
        said = self.said if t is None else t
        view = tensor.view_as(tensor)
        found = ParameterRead(tensor, view, roots, place, said)
        # Weakly: what a hook holds, the collector does not see, and the read holds the view that holds the hook.
        mode, noted = weakref.ref(self), weakref.ref(found)
        view.register_hook(lambda g: _came_back(mode(), noted(), g))
        self.reads.append(found)
        return view

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        given, form = tree_flatten((args, kwargs))
        if not self._reads_numbers(func) or not any(self.watched(a) for a in given):
            return func(*args, **kwargs)
        self._refuse(func, args, kwargs)
        if func in fused.CELLS and (layers := fused.understood(func, args)).steps:
            place = *self._place(), func.__name__
            return fused.played(layers, lambda w, t: self.read(w, place, t))
        alone = all(id(a) in self.constant or self.watched(a) for a in given if isinstance(a, torch.Tensor))
        if self.time_axis is not None and not alone and func in (linear, embedding):
            x = args[0]
            if isinstance(x, torch.Tensor) and x.ndim > (1 if func is embedding else 2):
                return self._step_by_step(func, x, args[1:], kwargs)
        known, before, place = {id(a): a for a in given}, len(self.reads), self._place()
        views = {key: self.read(a, place) for key, a in known.items() if isinstance(a, torch.Tensor)}
        args, kwargs = tree_unflatten([views.get(id(a), a) for a in given], form)
        result = func(*args, **kwargs)
        if alone:
            made_by = self.reads[before:]
            roots = tuple(dict.fromkeys(name for read in made_by for name in read.roots))
            for part in tree_leaves(result):
                if isinstance(part, torch.Tensor):
                    self.computed[id(part)] = Computed(part, roots, made_by)
        return result

    @staticmethod
    def _reads_numbers(func: Any) -> bool:
        name = getattr(func, "__name__", "")
        if not torch.is_grad_enabled() or name in ASIDE:
            return False
        return name != "__get__" or getattr(getattr(func, "__self__", None), "__name__", "") in VIEWS

    def _refuse(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        name = getattr(func, "__name__", "")
        if kwargs.get("sparse"):
            raise NotImplementedError(
                f"{name} with sparse=True is watched: its gradient is no array. Use sparse=False, the numbers are the "
                "same"
            )
        if kwargs.get("scale_grad_by_freq") and self.time_axis is not None:
            raise NotImplementedError(
                f"{name} with scale_grad_by_freq=True is watched with time_axis: its gradient depends on how often a "
                "word is in the whole call, and taken apart it would be another. Leave time_axis out"
            )
        if kwargs.get("max_norm") is not None:
            raise NotImplementedError(
                f"{name} with max_norm={kwargs['max_norm']:g} is watched: it changes its weight in place at each read. "
                "Use max_norm=None"
            )
        if name.endswith("_") and not name.endswith("__") and args and self.watched(args[0]):
            whose = self.names.get(id(args[0]), "what is computed from weights")
            raise RuntimeError(
                f"{name} changes {whose} in place while it is watched: copies read before and after would be of "
                "two weights. Change it after the backward pass, or under torch.no_grad()"
            )

    def _step_by_step(self, func: Any, x: Any, rest: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        place = *self._place(), "all steps in one call"
        own = 0 if func is embedding else 1  # the axes at the end that the call itself computes along
        if not -x.ndim <= self.time_axis < x.ndim or self.time_axis % x.ndim >= x.ndim - own:
            raise ValueError(
                f"time_axis={self.time_axis}: {func.__name__} reads an input of the shape {tuple(x.shape)}, and its "
                f"axis of time must be one of the first {x.ndim - own}"
            )
        if not x.shape[self.time_axis]:
            return func(x, *rest, **kwargs)

        def read(a: Any, t: int) -> Any:
            return self.read(a, place, t)

        outputs = [
            func(part, *(read(a, t) for a in rest), **{name: read(a, t) for name, a in kwargs.items()})
            for t, part in enumerate(x.unbind(self.time_axis), start=1)
        ]
        return torch.stack(outputs, self.time_axis)

    def _place(self) -> Place:
        lines: list[tuple[str, int, int]] = []
        frame = sys._getframe(1)
        while frame is not None:
            file = frame.f_code.co_filename
            if not file.startswith(PACKAGE):
                lines.append((file, frame.f_lineno, frame.f_lasti))
            if id(frame) == self.outermost:
                break
            frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
        # PyTorch's own lines too: a module of it, as spectral_norm, may read a weight twice.
        return (self.modules[-1] if self.modules else "", *lines[::-1])


def _came_back(mode: Mode | None, read: ParameterRead | None, g: Any) -> None:
    if mode is not None and read is not None:
        mode.came_back(read, g)
