"""Werbos's ordered derivatives: what a variable does to the end, by itself and through all that come after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, TapeError
from ..autodiff.asked import asked
from ..autodiff.calling import shortened
from ..autodiff.errors import UsageError
from ..autodiff.notation import array
from ..autodiff.worked import closing_each

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Ordered:
    """The ordered derivative of `target` with respect to `node`, term by term. It prints as the equation.

    Attributes
    ----------
    target, node : Node
        T and z_i.
    ordinary : ndarray
        The ordinary partial derivative: what z_i does to T while all other variables stand still.
    terms : mapping of Node to ndarray
        By z_j, which comes after z_i: the ordered derivative of T with respect to z_j, times the ordinary one of
        z_j with respect to z_i.
    """

    target: Node
    node: Node
    ordinary: Array
    terms: Mapping[Node, Array]

    @property
    def total(self) -> Array:
        """The ordered derivative: the sum of the terms."""
        return np.asarray(self.ordinary + sum(self.terms.values()))

    def __str__(self) -> str:
        more = closing_each([self.ordinary, *self.terms.values()], self.total)
        terms = [array(self.ordinary, more), *(f"{array(term, more)} by {z}" for z, term in self.terms.items())]
        joint = " + " if not self.node.shape else "\n  + "
        end = " = " if not self.node.shape else "\n  = "
        return f"∂⁺{self.target}/∂{self.node} = {joint.join(terms)}{end}{array(self.total)}"


@asked
def ordered(target: Node, variables: Iterable[Node]) -> list[Ordered]:
    """The ordered derivatives of a target with respect to variables, by Werbos's chain rule for ordered systems.

    ``d+T/dz_i = dT/dz_i + sum_{j>i} (d+T/dz_j) (dz_j/dz_i)``: every variable is a function of those before it, and
    what is computed between two variables belongs to the later one's function. The ordinary partial derivatives
    are backward passes of the tape that stop at the other variables; with all nodes as variables the rule is
    the backward pass itself. The tape's last pass is the whole one from the target then.

    Parameters
    ----------
    target : Node
        T, a scalar.
    variables : iterable of Node
        The z_i, in any order: that of the tape is their order.

    Returns
    -------
    list of Ordered
        One for each variable, in the order of the tape.

    Raises
    ------
    TapeError
        If a variable stands on another tape or not before the target, or if the target is no scalar.

    Notes
    -----
    Source: Werbos (1990), "Backpropagation through time: what it does and how to do it", the chain rule for ordered
    derivatives.
    """
    tape = target.tape
    variables = list(variables)
    for z in variables:
        if not isinstance(z, Node):
            raise UsageError(f"variables has {shortened(z)}: they must be nodes")
    zs = sorted(dict.fromkeys(variables), key=lambda z: z.index)
    for z in zs:
        if z.index >= target.index or tape[z.index] is not z:
            raise TapeError(
                f"{z} does not stand before {target} on its tape: choose variables that it is computed from"
            )
    found: dict[Node, dict[Node, Array]] = {z: {} for z in zs}

    def send(source: Node, seed: Array | None) -> None:
        tape.backward(source, seed, until={z for z in zs if z is not source})
        for z in zs:
            if z.index < source.index:
                found[z][source] = np.zeros_like(z.value) if z.cotangent is None else np.array(z.cotangent)

    send(target, None)
    for z in reversed(zs):
        if z.op is not None and z.active:
            send(z, np.asarray(sum(found[z].values())))
    tape.backward(target)
    return [
        Ordered(target, z, terms[target], {j: g for j, g in reversed(terms.items()) if j is not target and g.any()})
        for z, terms in found.items()
    ]
