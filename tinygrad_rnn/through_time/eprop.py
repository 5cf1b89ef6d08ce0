"""E-prop: real-time recurrent learning in which a unit's past reaches its future through itself alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..autodiff import Node, by_rule
from ..autodiff.asked import asked
from ..autodiff.traits import terms_of
from ..unfold.losses import known_loss
from ..unfold.recipe import Cell, Loss
from .single_step import SingleStep, needed, reached
from .stream import Window
from .traces import Hand, traced


@asked
def eprop(
    cell: Cell, params: Mapping[str, Any], x: Any, d: Any, *, loss: str | Loss = "cross_entropy", s0: Any = None
) -> Iterator[Window]:
    """E-prop: at each time step the gradient of C(t), but for what goes from one unit to another in time.

    Each weight has an eligibility trace, its influence on its own unit through that unit's own past:
    ``trace(t) = J_jj trace(t-1) + ds_j(t)/dw_ji`` with ``J_jj = ds_j(t)/ds_j(t-1)``. The gradient is the error that the
    cost sends to the unit, times the trace. A step takes O(P) time and memory. It is exact if the recurrent
    matrices are diagonal, and biased otherwise.

    Parameters
    ----------
    cell, params, x, d, loss, s0
        See `rtrl`; the initial state is an array, not a parameter.

    Yields
    ------
    Window
        For each time step, the estimate for C(t) alone. `carried` holds the traces, (B, ...) with one number for each
        sample and entry, by the weight's name, or ``"U[0]"``, ... for a state in several parts.

    Raises
    ------
    ShapeError, ValueError
        If arrays do not fit together, the stream is empty, `loss` is unknown, units are mixed by something else than a
        product with a weight, or samples have to do with each other, in the cell or in a loss that is no sum over them.

    Notes
    -----
    Source: Bellec et al. (2020), "A solution to the learning dilemma for recurrent networks of spiking neurons", with
    the readout's own weights as its feedback (symmetric e-prop), for units of any kind. There is no second set of
    rules: where error goes from a state to the state before, a product's matrix is read without what lies off its
    diagonal, gate by gate; and what reads a new state is another layer and hands nothing back. Theirs leaves out the
    diagonal too, for it holds still what units show each other, themselves included; to keep it is, for a plain
    network, the sparse one-step approximation (SnAp-1) of Menick et al. (2021).
    """
    known_loss(loss)
    otherwise = "its units are mixed by something else than a product with a weight, and e-prop has no rule for that"
    return traced(cell, params, x, d, loss, s0, _to_itself, otherwise)


def _to_itself(step: SingleStep) -> Hand:
    """The rules of the ops, with every product's matrix cut down to its diagonal."""
    nodes = step.nodes
    products = {
        (node.index, term.slots[0]): term
        for node in nodes
        for term in terms_of(node)
        if term.product and not term.turned[0]
    }
    new = reached(nodes, step.parts)
    below = {node.index for node in needed(nodes, step.parts)}
    between = {(i, slot) for i, slot in products if i in below and step.tape[i].parents[slot] in new}
    others = [node for node in nodes if not any((node.index, slot) in products for slot in range(len(node.parents)))]
    # The parts of the state that a product makes: a unit reads itself if what is read is as wide as they are.
    made = {i: reached(others, [step.tape[i]]) & set(step.parts) for i, _ in products}

    def share(node: Node, slot: int, g: Node, y: Node, given: Sequence[Node]) -> Node | None:
        if (node.index, slot) in between:
            return None
        product = products.get((node.index, slot))
        if product is None:
            return by_rule(node, slot, g, y, given)
        if any(part.shape[-1] != node.parents[slot].shape[-1] for part in made[node.index]):
            return None
        args, beside = list(given), product.beside(slot)
        w = args[beside]
        args[beside] = w * _diagonals(w.shape, w.value.dtype, turned=not product.turned[1])
        return by_rule(node, slot, g, y, args)

    return Hand(share, frozenset(between))


def _diagonals(shape: tuple[int, ...], dtype: Any, turned: bool) -> Any:
    """Ones on the diagonal of each gate's square, zeros elsewhere; zeros throughout where there are no squares."""
    to, come = shape[::-1] if turned else shape
    found = np.tile(np.eye(come, dtype=dtype), (to // come, 1)) if to % come == 0 else np.zeros((to, come), dtype)
    return found.T if turned else found
