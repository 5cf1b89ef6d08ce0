"""Who reads whom in a folded step, and hands error back for it: what an account of the chain rule is written from."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from ..autodiff import Node
from ..autodiff.traits import is_tie
from ..replay import Folded


class Use(NamedTuple):
    """A node that reads another as its argument `slot`, and hands it a share of its error."""

    node: Node
    slot: int


class Readers:
    """For each node of a folded step, as it was recorded, who hands error to it.

    Parameters
    ----------
    folded : Folded
        The step.
    """

    def __init__(self, folded: Folded) -> None:
        self.folded = folded
        self._of: dict[int, list[Use]] = defaultdict(list)
        for node in folded.tape.nodes[: folded.size]:
            if node.op is not None and node.index in folded.cotangents:
                for slot, parent in enumerate(node.parents):
                    if parent.active and slot not in node.op.only_read:
                        self._of[parent.index].append(Use(node, slot))

    def of(self, node: Node) -> list[Use]:
        """Those of a node in its own time step; of a weight, those of its copy."""
        readers = self._of[node.index]
        return [each for r in readers for each in (self.of(r.node) if is_tie(r.node) else [r])]

    def later(self, node: Node) -> list[Use]:
        """Those of a part of the state one step later."""
        pairs = zip(self.folded.state, self.folded.before, strict=True)
        return [reader for now, before in pairs if now is node for reader in self.of(before)]

    def equation(self, reader: Use) -> str:
        """The id of Guo's equation for the share; empty if there is none."""
        assert reader.node.op is not None
        rule = reader.node.op.rule(reader.slot)
        pair = (reader.node.name, reader.node.parents[reader.slot].name)
        return self.folded.tape.equations.get(pair) or (rule.equation if rule else "")

    def total(self, weight: str) -> str:
        """The id of Guo's equation for the sum over a weight's copies."""
        return self.folded.tape.equations.get((weight, weight), "")
