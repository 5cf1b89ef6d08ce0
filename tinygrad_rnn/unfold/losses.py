"""Costs: what one time step pays for its output. Summing over time is the business of `unfold`.

Where sequences are of different lengths, `mask` (B, 1) is 1 for the samples that have this step. The others have
targets of zeros, and pay nothing. Where samples have weights, these say so by a 0.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType

from ..autodiff import Node, Op, ops
from ..autodiff.elsewhere import name_here


def cross_entropy(y: Node, d: Node, mask: Node | None = None) -> Node:
    """The cross-entropy that belongs to the output's activation, so that delta = d - y holds.

    A softmax pays ``-sum_k d_k ln y_k``; a sigmoid pays Guo's two-term cost (16).

    Raises
    ------
    ValueError
        If the output is neither.
    """
    cost = CROSS_ENTROPIES.get(y.op)
    if y.op is None or cost is None:
        raise ValueError(
            f"the loss 'cross_entropy' needs an output that is a softmax or a sigmoid; {y} is "
            f"{y.op.name if y.op else 'a leaf'}. Choose g='softmax' or g='sigmoid', or loss='squared_error'."
        )
    net = y.parents[0]
    if mask is not None and cost in PAID_BY_ZEROS:
        # So low a net input gives the output 0, exactly as the target has it: the cost is 0.
        low = ops.broadcast(net.tape.constant(-1e4), source=(), to=net.shape)
        net = ops.where(ops.broadcast(mask, source=mask.shape, to=net.shape), net, low)
        y = y.op(net)
    return cost(net, y, d, name="C")


CROSS_ENTROPIES: Mapping[Op | None, Op] = MappingProxyType(
    {ops.softmax: ops.cross_entropy, ops.sigmoid: ops.bernoulli_cross_entropy}
)
"""The cross-entropy that belongs to an activation."""

PAID_BY_ZEROS = frozenset({ops.bernoulli_cross_entropy})
"""Costs that a target of zeros has to pay; of the others, a sample that is over pays nothing."""


def squared_error(y: Node, d: Node, mask: Node | None = None) -> Node:
    """Half the squared distance between target and output, Guo (2013), eq. (5)."""
    return ops.squared_error(y if mask is None else y * mask, d, name="C")


def weighted_cross_entropy(y: Node, d: Node, weight: Node) -> Node:
    """The cross-entropy of each sample times its weight, see `cross_entropy`."""
    if y.op is not ops.sigmoid:
        return cross_entropy(y, d * weight)
    net = y.parents[0]
    # Not softplus(net) - d net: where the output is nearly right, what is left of that difference is rounding.
    return ops.sum(weight * (d * ops.softplus(-net) + (1.0 - d) * ops.softplus(net)), name="C")


def weighted_squared_error(y: Node, d: Node, weight: Node) -> Node:
    """Half the squared distance of each sample times its weight."""
    root = ops.sqrt(weight)
    return ops.squared_error(root * y, root * d, name="C")


LOSSES: Mapping[str, Callable[..., Node]] = MappingProxyType(
    {"cross_entropy": cross_entropy, "squared_error": squared_error}
)
"""The costs that can be asked for by name."""

WEIGHTED: Mapping[str, Callable[..., Node]] = MappingProxyType(
    {"cross_entropy": weighted_cross_entropy, "squared_error": weighted_squared_error}
)
"""The same costs, where each sample has a weight, (B, 1)."""


def refuse_without_weight(loss: Callable[..., Node]) -> None:
    """Raise TypeError if a user's loss takes no third argument."""
    try:
        inspect.signature(loss).bind(None, None, None)
    except TypeError:
        raise TypeError(
            f"loss={loss!r}: with a mask or with weights it is called as loss(y, d, weight), weight being a node "
            "(B, 1) that each sample's cost is to be multiplied by"
        ) from None
    except ValueError:  # it does not tell how it is called
        return


def known_loss(loss: str | Callable[..., Node], weighted: bool = False) -> Callable[..., Node]:
    """The cost of that name, or the user's own.

    Raises
    ------
    ValueError
        If there is none of that name.
    TypeError
        If it is neither a name nor a function.
    """
    if not isinstance(loss, str):
        if not callable(loss):
            raise TypeError(f"loss={loss!r}: it is one of {', '.join(LOSSES)}, or a function of y and d")
        return loss
    if loss not in LOSSES:
        here = name_here(loss, LOSSES)
        what = inspect.getdoc(LOSSES[here]) if here else None
        hint = f". What others call {loss} is {here} here: {what.splitlines()[0]}" if what else ""
        raise ValueError(f"loss={loss!r}: it is one of {', '.join(LOSSES)}, or a function of y and d{hint}")
    return (WEIGHTED if weighted else LOSSES)[loss]
