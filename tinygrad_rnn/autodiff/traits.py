"""What nodes tell of themselves by the traits of their ops: nobody asks which op a node is.

A trait stands in the op's own block, and seven suffice for whoever plans, writes formulas or draws:

view
    The value is the argument's memory, seen differently.
repeats
    The value is the argument repeated, as NumPy does by itself beside a longer array.
ufuncs
    The NumPy functions that compute it entry by entry, one after the other, each with the numbers it takes besides:
    the first one reads the arguments, the others what came before.
terms
    ``terms(n, **settings)``: the value of n arguments as a sum, each term an argument or the product of two.
block
    ``block(**settings)``: which columns it takes from its argument, puts it into, or which axis it joins them along.
ties
    It is a time copy of a shared weight. Its rules pass an unread sum of factors on as it is.
prepared
    ``prepared(out, *args)``: its kernel for arrays that stay where they are; `prepared_with`, one that computes an
    argument, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from .form import Addend, Block
from .node import Node
from .ops import same_shape


def is_tie(n: Node) -> bool:
    """Whether a node is a time copy of a shared weight."""
    return n.op is not None and n.op.ties


def is_view(n: Node) -> bool:
    """Whether a node's value is its argument's memory, seen differently."""
    return n.op is not None and n.op.view


def computes(n: Node, ufunc: np.ufunc) -> bool:
    """Whether a node is what this one NumPy function makes of its arguments."""
    return n.op is not None and n.op.ufuncs == ((ufunc,),)


def is_repeated(n: Node) -> bool:
    """Whether a node's value is its argument, repeated."""
    return n.op is not None and n.op.repeats


def by_entry(n: Node) -> bool:
    """Whether NumPy computes a node entry by entry, and so repeats what is shorter among its arguments by itself."""
    return n.op is not None and (bool(n.op.ufuncs) or same_shape in n.op.checks)


def terms_of(n: Node) -> Sequence[Addend]:
    """What a node adds up; nothing if it is no sum."""
    return () if n.op is None or n.op.terms is None else n.op.terms(len(n.parents))


def is_sum(n: Node) -> bool:
    """Whether a node adds up its arguments as they are."""
    return any(terms := terms_of(n)) and all(term.plain for term in terms)


def block_of(n: Node) -> Block | None:
    """Which columns a node takes, puts or joins."""
    return None if n.op is None or n.op.block is None else n.op.block()


def product_with(n: Node, slot: int) -> Addend | None:
    """The product in which a node reads this argument, if there is one."""
    return next((term for term in terms_of(n) if term.product and slot in term.slots), None)


class Summand(NamedTuple):
    """What a weight's cotangent in one step adds up from: a product of factors, a sum over samples, or an array.

    A product is the sum over the samples p of ``left[p, j] * right[p, i]``. Over time, it is one product of
    the factors' copies.
    """

    kind: Literal["product", "samples", "array"]
    nodes: tuple[Node, ...]


def summands(g: Node) -> list[Summand]:
    """What a weight's cotangent in one step adds up from."""
    if is_sum(g):
        return [each for p in g.parents for each in summands(p)]
    if is_tie(g):
        return summands(g.parents[0])
    terms = terms_of(g)
    term = terms[0] if len(terms) == 1 else Addend(())
    if term.slots == (0, 1) and term.turned == (True, False):
        return [Summand("product", g.parents)]
    if term.summed and g.parents[0].ndim == 2:
        return [Summand("samples", g.parents)]
    if term.slots == (0,) and term.turned[0]:
        inner = summands(g.parents[0])
        if all(each.kind == "product" for each in inner):
            return [Summand("product", each.nodes[::-1]) for each in inner]
    return [Summand("array", (g,))]
