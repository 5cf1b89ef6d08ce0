"""Which lines there are: at each side of a box, between two columns, above them and below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from .rows import LEFT, RIGHT
from .wanted import END, SHARED, Column, Edge, Item, Net


class Traffic:
    """What is read by what, within a column and from column to column.

    Attributes
    ----------
    where : dict of str to (int, int)
        The column of a box, and its place in it.
    reads : dict of str to list of str
        What a box reads of its own column.
    slot : dict of str to int
        By edge, the number of the argument among those of the same column.
    enter, leave : dict of str to list or set of int
        The sides at which lines of other columns come to a box, one for each line, and at which its own go.
    up : set of str
        The boxes that are read by what comes after all steps.
    sources : dict of (str, int) to list of (Net, int)
        What enters a box at a side.
    gutters : dict of int to list of Edge
        The lines between a column and the one before it.
    crossing : dict of int to list of Net
        Their nets.
    ties : dict of int to dict of str to list of str
        What reads a weight, by column and weight.
    far : list of Net
        The nets of the lines that pass above columns.
    """

    def __init__(
        self, columns: Sequence[Column], edges: Sequence[Edge], shared: Sequence[Item], end: Sequence[Item]
    ) -> None:
        self.columns, self.edges, self.shared, self.end = columns, edges, shared, end
        self.item: dict[str, Item] = {}
        self.where: dict[str, tuple[int, int]] = {}
        for c in (SHARED, END, *range(len(columns))):
            for k, item in enumerate(self.items(c)):
                self.item[item.id], self.where[item.id] = item, (c, k)
        self.reads: dict[str, list[str]] = defaultdict(list)
        self.slot: dict[str, int] = {}
        self.enter: dict[str, list[int]] = defaultdict(list)
        self.leave: dict[str, set[int]] = defaultdict(set)
        self.up: set[str] = set()
        self.sources: dict[tuple[str, int], list[tuple[Net, int]]] = defaultdict(list)
        self.gutters: dict[int, list[Edge]] = defaultdict(list)
        self.ties: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self.far: list[Net] = []
        for e in edges:
            self._look_at(e)
        self.crossing = {c: list(dict.fromkeys(e.net for e in between)) for c, between in self.gutters.items()}

    def _look_at(self, e: Edge) -> None:
        a, b = self.ends(e)
        if a == b:
            self.slot[e.id] = len(self.reads[e.target])
            self.reads[e.target].append(e.source)
        elif a == SHARED:
            if not self.item[e.target].beside:
                self._enters(e, RIGHT)
            if e.target not in self.ties[b][e.source]:
                self.ties[b][e.source].append(e.target)
        elif b == END:
            self.up.add(e.source)
            self._enters(e, LEFT)
        elif a == END:
            self.leave[e.source].add(LEFT)
            self._enters(e, LEFT)
            self.gutters[b].append(e)
        else:
            side = RIGHT if b > a or abs(b - a) > 1 else LEFT
            self.leave[e.source].add(side)
            self._enters(e, RIGHT if b == a - 1 else LEFT)
            if abs(b - a) > 1:
                self.gutters[a + 1].append(e)
                self.gutters[b].append(e)
                if e.net not in self.far:
                    self.far.append(e.net)
            else:
                self.gutters[max(a, b)].append(e)

    def _enters(self, e: Edge, side: int) -> None:
        if self.run(e) not in self.sources[e.target, side]:
            self.sources[e.target, side].append(self.run(e))
            self.enter[e.target].append(side)

    def run(self, e: Edge) -> tuple[Net, int]:
        """What a line runs into its box together with: the terms of a sum over time come in as one line."""
        a, b = self.ends(e)
        return (("", "above"), 0) if b == END and a != SHARED else (e.net, e.again)

    def ends(self, e: Edge) -> tuple[int, int]:
        """The columns that a line comes from and goes to."""
        return self.where[e.source][0], self.where[e.target][0]

    def items(self, c: int) -> Sequence[Item]:
        """What stands in a column."""
        return self.shared if c == SHARED else self.end if c == END else self.columns[c].items

    def elided(self, c: int) -> bool:
        """Whether a column has a single box, in place of steps that are left out."""
        return c >= 0 and self.columns[c].elided
