"""A model of PyTorch that was watched while it ran: the ledger of its weights."""

from __future__ import annotations

import math
import sys
import weakref
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from .mode import Mode
from .reads import ParameterRead, copies_of

Array = NDArray[Any]
X = TypeVar("X")


class Watched:
    """What `watch` returns: a context in which a model runs, and afterwards its copies.

    Its numbers are NumPy's. Asking for them raises RuntimeError if nothing has come back yet, or if backward added what
    no copy accounts for.
    """

    def __init__(self, model: Any, time_axis: int | None) -> None:
        params = {name: p for name, p in model.named_parameters() if p.requires_grad}
        if not params:
            raise ValueError("model has no parameter with requires_grad: there is no gradient to watch")
        self._model, self._params = model, params
        self._mode = Mode(params, model.buffers(), time_axis, self._came_back)
        self._hooks: list[Any] = []
        self._aside = False  # whether a gradient is asked for that is no part of the user's own backward pass
        self._ours: dict[int, int | None] = {}  # backward passes with something watched: how many events till their end
        self._added: list[tuple[int, str, Any]] = []  # to .grad: in which pass, of what, how much
        watching = weakref.ref(self)
        for name, p in params.items():
            hook = p.register_hook(lambda g, name=name: _told(watching, name, g))
            weakref.finalize(self, hook.remove)

    # ---- while the model runs

    def __enter__(self) -> Watched:
        if self._hooks or self._mode.reads:
            raise RuntimeError("this watch has been used: make a new one, tg.watch(model), for each forward pass")
        for path, module in self._model.named_modules():
            if isinstance(module, torch.jit.ScriptModule):
                continue
            enter = module.register_forward_pre_hook(lambda *_, path=path: self._mode.modules.append(path or "model"))
            leave = module.register_forward_hook(lambda *_: self._mode.modules.pop() and None, always_call=True)
            self._hooks += [enter, leave]
        self._mode.outermost = id(sys._getframe(1))
        self._mode.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._mode.__exit__(*error)
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def at(self, t: int | None) -> None:
        """What is read from now on belongs to time step t; None: told by the lines of the program again."""
        self._mode.said = t

    def steps(self, xs: Iterable[X]) -> Iterator[tuple[int, X]]:
        """A loop over time that says which step it is in: ``for t, x in w.steps(xs)``, t from 1."""
        for t, x in enumerate(xs, start=1):
            self.at(t)
            yield t, x
        self.at(None)

    # ---- while gradients come back

    def _came_back(self, read: ParameterRead, g: Any) -> None:
        if self._aside:
            return
        now = torch._C._current_graph_task_id()
        if now not in self._ours:
            self._ours[now] = None
            torch.autograd.Variable._execution_engine.queue_callback(lambda: self._ended(now))
        for name, part in self._pulled(read, g):
            read.add(name, part)

    def _pulled(self, read: ParameterRead, g: Any) -> Iterator[tuple[str, Any]]:
        """The gradient for each parameter that what was read is made of, while the graph between them is there."""
        if read.of is self._params.get(read.roots[0]):
            yield read.roots[0], g
            return
        aside, self._aside = self._aside, True
        try:
            wanted = [self._params[name] for name in read.roots]
            parts = torch.autograd.grad(read.of, wanted, g, retain_graph=True, allow_unused=True)
        finally:
            self._aside = aside
        yield from ((name, part) for name, part in zip(read.roots, parts, strict=True) if part is not None)

    def _took(self, name: str, g: Any) -> None:
        """Backward hands a parameter what it adds to .grad."""
        if not self._aside:
            self._added.append((torch._C._current_graph_task_id(), name, g.detach().clone()))

    def _ended(self, backward: int) -> None:
        self._ours[backward] = len(self._added)

    def _added_by_ours(self) -> dict[str, Any]:
        """What was added in the passes that something watched came back in, and in those that began within one."""
        found: dict[str, Any] = {}
        for k, (backward, name, g) in enumerate(self._added):
            within = (own < backward and (end is None or k < end) for own, end in self._ours.items())
            if backward in self._ours or any(within):
                found[name] = found[name] + g if name in found else g
        return found

    # ---- afterwards

    @property
    def copies(self) -> dict[str, Array]:
        """For each weight that is read in a loop, dC / d copy for each time step, (T, ...)."""
        return self._sorted()[0]

    @property
    def once(self) -> dict[str, Array]:
        """What came back for reads that stand in no loop."""
        return self._sorted()[1]

    @property
    def grads(self) -> dict[str, Array]:
        """Both added up: what backward added to ``.grad``."""
        copies, once = self._sorted()
        names = [name for name in self._params if name in copies or name in once]
        return {name: copies[name].sum(axis=0) + once.get(name, 0) if name in copies else once[name] for name in names}

    def influence_norms(self, name: str, costs: Sequence[Any]) -> Array:
        """The norms of the influence of a weight's copies on several costs, (len(costs), T).

        Parameters
        ----------
        name : str
            The weight.
        costs : sequence of tensor
            Scalars, one a time step mostly. Their graph must be there still: call this before ``backward``, or keep it
            (``retain_graph=True``).

        Raises
        ------
        KeyError
            If no copy of such a weight was read.
        TypeError
            If `costs` is not a sequence of scalars that PyTorch can go back from.
        """
        if not isinstance(costs, Sequence) or isinstance(costs, str):
            raise TypeError(f"costs is {type(costs).__name__}: it must be a list of scalar tensors, one for each cost")
        for k, cost in enumerate(costs):
            if not isinstance(cost, torch.Tensor) or cost.numel() != 1 or not cost.requires_grad:
                what = f"a tensor of the shape {tuple(cost.shape)}" if isinstance(cost, torch.Tensor) else repr(cost)
                raise TypeError(f"costs[{k}] is {what}: it must be a scalar tensor, computed with gradients")
        reads = [(t, read) for t, read in self._placed() if t is not None and name in read.roots]
        if not reads:
            raise KeyError(f"no copy of {name!r} was read in a loop; those that were: {', '.join(self._looped())}")
        norms = np.zeros((len(costs), max(t for t, _ in reads)))
        views = [read.view for _, read in reads]
        for k, cost in enumerate(costs):
            self._aside = True
            try:
                back = torch.autograd.grad(cost, views, retain_graph=True, allow_unused=True)
            finally:
                self._aside = False
            shares: dict[int, Any] = {}
            for (t, read), g in zip(reads, back, strict=True):
                for whose, part in self._pulled(read, g) if g is not None else ():
                    if whose == name:
                        shares[t] = shares[t] + part if t in shares else part
            for t, share in shares.items():
                norms[k, t - 1] = float(share.norm())
        return norms

    def _placed(self) -> list[tuple[int | None, ParameterRead]]:
        return copies_of(self._mode.reads, self._mode.computed.values())

    def _looped(self) -> list[str]:
        found = {name for t, read in self._placed() if t is not None for name in read.roots}
        return [name for name in self._params if name in found]

    def _sorted(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """The copies and the rest, once it is sure that they are all that backward added."""
        if not self._ours:
            raise RuntimeError(
                "nothing has come back yet: run the model within `with tg.watch(model) as w:`, with gradients, and "
                "call backward on its loss"
            )
        in_loops: defaultdict[str, defaultdict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
        in_none: defaultdict[str, list[Any]] = defaultdict(list)
        for t, read in self._placed():
            for name in read.roots:
                parts = in_none[name] if t is None else in_loops[name][t]
                if name in read.grads:
                    parts.append(read.grads[name])
        copies, once, added = {}, {}, self._added_by_ours()
        for name, p in self._params.items():
            none, steps, alone = torch.zeros_like(p), in_loops[name], in_none[name]
            shares = [sum(steps[t], none) if t in steps else none for t in range(1, max(steps, default=0) + 1)]
            self._check(name, [*shares, *alone], added.get(name, 0))
            if shares:
                copies[name] = _for_numpy(torch.stack(shares))
            if alone:
                once[name] = _for_numpy(sum(alone))
        return copies, once

    def _check(self, name: str, found: Sequence[Any], added: Any) -> None:
        each = torch.stack([_wide(a) for a in (*found, torch.zeros_like(self._params[name]))])
        added = _wide(added + torch.zeros_like(self._params[name]))
        accounted, size = each.sum(0), each.abs().sum(0)
        # An entry without end, or that is no number, on both sides says nothing of what is missing elsewhere.
        finite, as_finite = torch.isfinite(accounted), torch.isfinite(added)
        known = finite & as_finite
        left, most = (float(a[known].abs().max()) if known.any() else 0.0 for a in (added - accounted, size))
        if not torch.equal(finite, as_finite):
            left = math.inf
        # Sums of as many parts as there are reads, in another order: in half precision 1000 roundings would be all.
        eps = torch.finfo(self._params[name].dtype).eps
        if not left <= min(1e3 * eps, max(1e-3, 2 * len(each) ** 0.5 * eps)) * most:
            raise RuntimeError(
                f"{name}: backward added to its gradient what no copy accounts for (up to {left:.3g} in an entry), so "
                "no copies are shown: a hook of its own changes its gradient, or it is read where nothing can be "
                "watched, as in an autograd.Function, a module of torch.jit.script or a reentrant checkpoint "
                "(use_reentrant=False can be)"
            )

    def __str__(self) -> str:
        lines = []
        for name in self._params:
            places = defaultdict(list)
            for t, read in self._placed():
                if name in read.roots:
                    places[read.line].append(t)
            for line, times in places.items():
                known = [t for t in times if t is not None]
                said = f"t = {min(known)} to {max(known)}" if known else "in no loop"
                lines.append((name, line, f"{len(times)} read{'s' * (len(times) > 1)}", said))
        widths = [max((len(row[k]) for row in lines), default=0) for k in range(4)]
        return "\n".join(
            "  ".join(f"{cell:{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in lines
        )


def _wide(a: Any) -> Any:
    """In single precision at least: sums in half precision would round off what is missing."""
    return a.to(torch.promote_types(a.dtype, torch.float32))


def _for_numpy(a: Any) -> Array:
    """As an array; bfloat16, which NumPy has not, in single precision."""
    found: Array = (a.float() if a.dtype == torch.bfloat16 else a).cpu().numpy()
    return found


def _told(watching: weakref.ref[Watched], name: str, g: Any) -> None:
    watched = watching()
    if watched is not None:
        watched._took(name, g)
