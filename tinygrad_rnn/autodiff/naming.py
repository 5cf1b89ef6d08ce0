"""What a node is called: by its own name, or by its role, which is what computes it and of what.

Names are made when somebody asks, for a whole time step at once, so that no two nodes of it are called the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from . import writing
from .notation import is_number, plain, symbol

Node = Any  # a `Node`, whose own module asks this one for its name
Time = Callable[[Node], int | str | None]
LONGEST = 16  # the letters of a formula that still serves as a name


def own_time(node: Node) -> int | None:
    """The time of a node, as its name says it."""
    t: int | None = node.t
    return t


def no_time(_: Node) -> None:
    """For the name that all copies of a node have."""


def latex(node: Node, time: Time = own_time) -> str:
    """The name of a node in LaTeX.

    A node without a name of its own is called by its formula, such as ``tanh(c(2))``, or, where that is long or another
    node's, by its op and a number.

    Parameters
    ----------
    node : Node
        The node.
    time : callable
        Of which time each name is said to be.
    """
    if node.name:
        constant = node.op is None and not node.active and is_number(node.name)
        return str(node.name) if constant else symbol(node.name, time(node))
    number = Roles.of(node).number(node)
    return _formula(node, [latex(p, time) for p in node.parents]) if not number else _counted(node, number, time(node))


class Roles:
    """For each node of a tape that has no name, which number it has among those of its op; 0 if its formula serves.

    Parameters
    ----------
    nodes : list of Node
        The tape's.
    """

    def __init__(self, nodes: list[Node]) -> None:
        self.size = len(nodes)
        self._places: dict[Any, list[Node]] = defaultdict(list)
        for node in nodes:
            self._places[node.chain, node.t].append(node)
        self._numbers: dict[int, int] = {}

    @classmethod
    def of(cls, node: Node) -> Roles:
        """Those of the node's tape, as far as that has come; if it is gone, of what the node reads."""
        tape = node._tape()
        if tape is None:
            return cls(_read_by(node))
        if tape.roles is None or tape.roles.size != len(tape.nodes):
            tape.roles = cls(tape.nodes)
        roles: Roles = tape.roles
        return roles

    def number(self, node: Node) -> int:
        """Of a node without a name."""
        if node.index not in self._numbers:
            self._name(self._places[node.chain, node.t])
        return self._numbers[node.index]

    def _name(self, step: list[Node]) -> None:
        taken = {symbol(node.name) for node in step if node.name}
        count: Counter[str] = Counter()
        here: dict[int, str] = {}
        for node in step:
            if node.name:
                continue
            read = [here.get(p.index) or (latex(p, no_time) if p.name or p.t is None else "") for p in node.parents]
            name = _formula(node, read) if read and all(read) else ""
            number = 0
            if not name or len(plain(name)) > LONGEST or (name in taken and not is_number(name)):
                name = ""
                while not name or name in taken:
                    count[_op(node)] += 1
                    number = count[_op(node)]
                    name = _counted(node, number, None)
            taken.add(name)
            here[node.index], self._numbers[node.index] = name, number


def _read_by(node: Node) -> list[Node]:
    """What a node is computed from within its step, and the node itself."""
    found, todo = {node.index: node}, [node]
    while todo:
        more = [p for p in todo.pop().parents if (p.chain, p.t) == (node.chain, node.t) and p.index not in found]
        found |= {p.index: p for p in more}
        todo += more
    return [found[index] for index in sorted(found)]


def _formula(node: Node, read: list[str]) -> str:
    """What computes it, of what is read under these names; a number that is repeated is that number."""
    text = writing.value(node.op, read)
    if text != read[0] or is_number(text):
        return text
    return rf"\text{{{node.op.label} }}{writing.grouped(text)}"


def _counted(node: Node, number: int, t: int | str | None) -> str:
    name = rf"\mathrm{{{_op(node)}}}_{{{number}}}"
    return name if t is None else f"{name}({t})"


def _op(node: Node) -> str:
    return "leaf" if node.op is None else node.op.name.replace("_", r"\_")
