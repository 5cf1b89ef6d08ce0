"""Sums of products with weights: what a layer computes, and what comes back through it."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

import numpy as np

from ..autodiff import Node, ops
from ..autodiff.form import Puts
from ..autodiff.traits import block_of, computes, is_sum, is_view, terms_of
from .rewriting import Draft, Written


class Product(NamedTuple):
    """``x @ w``, or ``x @ w.T`` where the weight is turned."""

    x: Node
    w: Node
    turned: bool

    @property
    def matrix(self) -> Written:
        """The right factor."""
        return transposed(self.w) if self.turned else self.w

    @property
    def weight(self) -> Written:
        """The weight as `ops.linear` takes it: the right factor, turned."""
        return self.w if self.turned else transposed(self.w)


class WeightedSum(NamedTuple):
    """A sum of products with matrices that are the same at every step, and perhaps of a bias."""

    products: list[Product]
    bias: Node | None

    @property
    def alone(self) -> Product | None:
        """The product, where there is one and nothing else."""
        return self.products[0] if len(self.products) == 1 and self.bias is None else None


def weighted_sum(n: Node, invariant: Container[Node]) -> WeightedSum | None:
    """What a node adds up, if it is products with what is `invariant` and nothing else, but for a bias."""
    products: list[Product] = []
    bias: Node | None = None
    for term in terms_of(n):
        last = n.parents[term.slots[-1]]
        if last not in invariant or (term.product and term.turned[0]) or not (term.product or term.repeated):
            return None
        if term.product:
            products.append(Product(n.parents[term.slots[0]], last, term.turned[1]))
        else:
            bias = last
    return WeightedSum(products, bias) if products else None


def transposed(w: Written) -> Draft:
    """A matrix turned, as a draft."""
    return Draft(ops.transpose, (w,), w.shape[::-1])


def part_of(n: Written, start: int, stop: int) -> Draft:
    """Some columns of a node, as a draft."""
    return Draft(ops.part.bind(start=start, stop=stop), (n,), (*n.shape[:-1], stop - start))


def pieces_of_whole(n: Node) -> list[tuple[int, Node]]:
    """What a node is put together from without gaps, and where each part starts: it is a sum of parts in their places.

    Empty for any other node.
    """
    puts = [(block, p) for p in n.parents if isinstance(block := block_of(p), Puts)]
    if not is_sum(n) or len(puts) < len(n.parents):
        return []
    spans = sorted((block.start, p.parents[0].shape[-1], p.index, p.parents[0]) for block, p in puts)
    ends = [0, *(start + width for start, width, _, _ in spans)]
    if [start for start, _, _, _ in spans] != ends[:-1] or ends[-1] != n.shape[-1]:
        return []
    return [(start, part) for start, _, _, part in spans]


def name(n: Node) -> str:
    """What a node is called in a printed loop: its name, or how it comes from others that have one."""
    turned = ""
    while not n.name and is_view(n):
        turned = ".T" if not turned and any(term.turned[0] for term in terms_of(n)) else ""
        n = n.parents[0]
    return (n.name or f"v{n.index}") + turned


def product_text(p: Product) -> str:
    """One product as it is printed: ``s U.T``."""
    turned = any(term.turned[0] for term in terms_of(p.w)) != p.turned
    return f"{name(p.x)} {name(p.w).removesuffix('.T')}{'.T' * turned}"


def written(n: Node) -> str:
    """A product as it is printed: ``s U.T``, and ``x V.T + s U.T + b`` where factors stand side by side."""
    x, w = n.parents
    scaled = computes(w, np.multiply)
    row, matrix = block_of(x), block_of(w.parents[0] if scaled else w)
    if row is None or matrix is None:
        return f"{name(x)} {name(w)}"
    pairs = zip(x.parents, (w.parents[0] if scaled else w).parents, strict=True)
    text = " + ".join(name(v) if one.name == "1" else f"{name(one)} {name(v)}" for one, v in pairs)
    return f"({text}) times a factor each" if scaled else text
