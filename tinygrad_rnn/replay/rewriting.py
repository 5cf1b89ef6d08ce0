"""How a pass writes: what is to stand for some nodes, and a new tape on which it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from ..autodiff import Node, Op, Tape
from .folded import Delay, Folded

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A node that is yet to be written: an op of nodes and drafts, or a leaf."""

    op: Op | None
    parents: tuple[Node | Draft, ...]
    shape: tuple[int, ...]
    name: str = ""
    value: Array | None = None  # a leaf's


Written = Node | Draft


def rewritten(
    folded: Folded,
    instead: Mapping[Node, Written],
    delays: Sequence[tuple[Written, Written, int]] | None = None,
    after: Sequence[Written] | None = None,
) -> Folded:
    """The folded step on a new tape, where other nodes stand for some.

    What was replaced is gone, unless what replaces it reads it. An argument is written before its readers, so that the
    order of the new tape is again one in which everything can be played.

    Parameters
    ----------
    folded : Folded
        The step as it is; it stays so.
    instead : mapping of Node to Node or Draft
        What stands for a node.
    delays : sequence of (read, written, ahead), optional
        Other delays than those that there are.
    after : sequence of Node or Draft, optional
        Other nodes to which the error from beyond is added.
    """
    sheet, new = DraftTape(), dict[Written, Node]()

    def write(asked: Written) -> Node:
        waiting = [asked]  # and no recursion: a step may have any number of nodes in a row
        while waiting:
            n = waiting[-1]
            stands = instead.get(n) if isinstance(n, Node) else None
            reads = n.parents if stands is None else (stands,)
            missing = [] if n in new else [p for p in reads if p not in new]
            if missing:
                waiting += missing[::-1]
                continue
            waiting.pop()
            if n not in new:
                new[n] = sheet.write(n, [new[p] for p in n.parents]) if stands is None else new[stands]
                if n.name and not new[n].name:
                    new[n].name = n.name
        return new[asked]

    for n in folded.tape.nodes[: folded.size]:
        write(n)
    size = len(sheet)
    for n in folded.tape.nodes[folded.size :]:
        write(n)
    if delays is None:
        delays = [(d.read, d.written, d.ahead) for d in folded.delays]
    return replace(
        folded,
        tape=sheet,
        size=size,
        weights=_moved(folded.weights, new),
        data=_moved(folded.data, new),
        before=tuple(new[n] for n in folded.before),
        state=tuple(new[n] for n in folded.state),
        after=tuple(map(write, folded.after if after is None else after)),
        cost=new[folded.cost],
        share=new[folded.share],
        delays=tuple(Delay(write(read), write(written), ahead) for read, written, ahead in delays),
        gradients=_moved(folded.gradients, new),
        values=_moved(folded.values, new),
        cotangents=_moved(folded.cotangents, new),
    )


class DraftTape(Tape):
    """A tape that a pass writes on: all fits already, so nothing is checked, nor computed before it is asked for."""

    def write(self, n: Written, parents: Sequence[Node]) -> Node:
        """Put a node like this one on it, with these arguments."""
        return self._append(n.op, tuple(parents), n.value if n.op is None else None, n.name, False, n.shape)


def _moved(nodes: Mapping[Any, Node], new: Mapping[Written, Node]) -> Mapping[Any, Node]:
    return {key: new[n] for key, n in nodes.items()}
