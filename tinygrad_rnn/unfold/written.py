"""A network written out: one file of NumPy, as a person would have written it, of which the loop backwards is half.

It is an account of the net, made from the folded step and checked against the tape. Nothing runs on it.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, Op, Puts, Tape, ops, record_pullback
from ..autodiff.identifiers import Identifiers
from ..autodiff.lines import line, read
from ..autodiff.naming import latex, no_time
from ..autodiff.notation import plain
from ..autodiff.ops.arguments import number
from ..autodiff.traits import block_of, by_entry, is_repeated, is_sum, is_tie, is_view
from ..replay import Folded
from .readers import Readers

Array = NDArray[np.floating]

# What the file uses besides the names of the network.
OWN = ("np", "t", "T", "C", "weights", "share", "grads", "copies", "bptt", "check", "shapes")
WIDTH = 110  # letters of a line that can be broken


def written(folded: Folded, data: Mapping[str, Array], starts: Sequence[Node]) -> str:
    """The file.

    Parameters
    ----------
    folded : Folded
        The step, as it was recorded.
    data : mapping of str to ndarray
        The data of all steps: the file's check draws numbers of their shape and kind.
    starts : sequence of Node
        The parts of s(0): a leaf, or what repeats a parameter over the samples.

    Raises
    ------
    TapeError
        If an op says no line of NumPy.
    """
    return _File(folded, data, starts).text()


class _Expressions:
    """Nodes as expressions: those that have a name in the file by it, the others by what computes them."""

    def __init__(self, names: Identifiers) -> None:
        self.names = names
        self.known: dict[int, ast.expr] = {}  # what stands for a node, by its index
        self.functions: dict[str, str] = {}  # the functions that lines call: what they are called, by their text
        self.constants: dict[str, Array] = {}

    def of(self, node: Node) -> ast.expr:
        """What stands for the node where it is read."""
        return self.known[node.index] if node.index in self.known else self.computed(node)

    def computed(self, node: Node) -> ast.expr:
        """What computes the node."""
        if node.op is None:
            return self._constant(node)
        joined = side_by_side(node)
        if joined:
            return self._line(ops.concatenate.bind(axis=-1), [self.of(p) for p in joined])
        # What is repeated stays short where NumPy repeats it beside something longer.
        short = [self._short(p) if by_entry(node) else p for p in node.parents]
        if all(s.shape != node.shape for s in short):
            short[0] = node.parents[0]
        args = [self.of(p) for p in short]
        if not (by_entry(node) or is_repeated(node)):  # a plain number has no methods
            args = [
                read(f"np.array({ast.unparse(a)})") if self._plain(p) else a for p, a in zip(short, args, strict=True)
            ]
        return self._line(node.op, args)

    def _short(self, node: Node) -> Node:
        """What a node repeats, if it repeats something."""
        single = is_view(node) and node.parents[0].ndim == 0
        return self._short(node.parents[0]) if node.index not in self.known and (is_repeated(node) or single) else node

    def _plain(self, node: Node) -> bool:
        """Whether a node is written as a number that is no array."""
        return node.op is None and node.ndim == 0 and not isinstance(self.of(node), ast.Name | ast.Subscript)

    def _line(self, op: Op, args: Sequence[ast.expr]) -> ast.expr:
        return line(op, args, self._called)

    def _called(self, function: ast.FunctionDef) -> str:
        text = ast.unparse(function)
        if text not in self.functions:
            self.functions[text] = self.names.new(function.name)
        return self.functions[text]

    def _constant(self, node: Node) -> ast.expr:
        if not node.ndim:
            return read(number(float(node.value)))
        name = self.names.new("constant")
        self.constants[name] = node.value
        self.known[node.index] = ast.Name(name)
        return self.known[node.index]

    def definitions(self) -> list[str]:
        """The functions, each with two empty lines behind it."""
        found = []
        for text, name in self.functions.items():
            first, _, rest = text.partition("(")
            found += [f"{first.rpartition(' ')[0]} {name}({rest}", "", ""]
        return found


def by_role(node: Node) -> str:
    """What a node without a name is called: by what computes it and of what, an index behind a low line."""
    return plain(re.sub(r"_\{([^{}]*)\}", r" \1", latex(node, no_time)))


def side_by_side(node: Node) -> list[Node]:
    """If a node is a sum of blocks that lie side by side and leave no gap: the blocks, from left to right."""
    puts = [(block.start, p.parents[0]) for p in node.parents if isinstance(block := block_of(p), Puts)]
    if not is_sum(node) or len(puts) < len(node.parents):
        return []
    puts.sort(key=lambda each: each[0])
    ends = [start + block.shape[-1] for start, block in puts]
    return [block for _, block in puts] if [start for start, _ in puts] + [node.shape[-1]] == [0, *ends] else []


class _File:
    """The lines, made in the order in which the file has them."""

    def __init__(self, folded: Folded, data: Mapping[str, Array], starts: Sequence[Node]) -> None:
        self.folded, self.data, self.starts = folded, data, starts
        self.readers = Readers(folded)
        self.names = Identifiers(OWN)
        self.write = _Expressions(self.names)
        known, self.alike = self.write.known, np.ptp(folded.shares) == 0
        # The names that a caller sees come first.
        self.given = {self.names.new(what): node for what, node in folded.data.items()}
        self.weights = {self.names.new(name): leaf for name, leaf in folded.weights.items()}
        self.state, self.first = self._state_names()
        self.later = [self.names.new(f"d_{name}_later") for name in self.state]
        known |= {node.index: read(f"{name}[t]") for name, node in self.given.items()}
        known |= {leaf.index: ast.Name(name) for name, leaf in self.weights.items()}
        known |= {b.index: read(f"{s}[t - 1]") for s, b in zip(self.state, folded.before, strict=True)}
        known |= {a.index: ast.Name(name) for name, a in zip(self.later, folded.after, strict=True)}
        known[folded.share.index] = read("share[t]" if not self.alike else _number_of_steps(folded.shares))
        self.wanted = [*folded.gradients.values()]
        self.wanted += [folded.cotangents[b.index] for b in folded.before if b.index in folded.cotangents]
        self.forwards, self.lists = self._forwards()
        self.backwards = self._backwards()

    def _state_names(self) -> tuple[list[str], list[str]]:
        """What the parts of the state are called, and what they start from; a parameter of its own if it is trained."""
        state = [self.names.new(s.name) for s in self.folded.state]
        trained: dict[str, str] = {}
        first = []
        for name, start in zip(state, self.starts, strict=True):
            parameter = start.parents[0].name if start.parents else ""
            if not parameter or parameter not in trained:
                first.append(self.names.new(parameter or f"{name}{'_' * name[-1].isdigit()}0"))
                trained[parameter] = first[-1]
            else:
                first.append(trained[parameter])
        return state, first

    def _forwards(self) -> tuple[list[str], dict[int, str]]:
        """The lines of a step forwards, and the names of the lists that they fill, by the index of the node."""
        folded, uses = self.folded, self._uses()
        step = [n for n in folded.tape.nodes[folded.first : folded.size] if n.op is not None and not is_tie(n)]
        names = dict(zip([s.index for s in folded.state], self.state, strict=True))
        for n in step:
            if n is folded.cost:
                names[n.index] = self.names.new("cost")
            elif n.index not in names and (n.name or (uses[n.index] > 1 and not is_view(n))):
                names[n.index] = self.names.new(n.name or by_role(n))
        lines = []
        for n in step:
            if n.index in names:
                text = f"{names[n.index]}[t]"
                lines.append(_assigned(text, self.write.computed(n), [n.equation]))
                self.write.known[n.index] = read(text)
        handed = [(name, s) for name, s in zip(self.state, folded.state, strict=True) if s not in step]
        return lines + [_assigned(f"{name}[t]", self.write.of(s), []) for name, s in handed], names

    def _uses(self) -> Mapping[int, int]:
        """How often each node is read by what is needed."""
        nodes, count = self.folded.tape.nodes, defaultdict[int, int](int)
        for n in self.wanted:
            count[n.index] += 1
        for n in reversed(nodes):
            if n.index < self.folded.size or count[n.index]:
                for p in n.parents:
                    count[p.index] += 1
        return count

    def _backwards(self) -> list[str]:
        """The lines of a step backwards: the errors, the gradients of the copies, what goes to the step before."""
        folded, uses, lines = self.folded, self._uses(), []
        whose: dict[int, list[Node]] = defaultdict(list)  # the nodes of the step by the index of their cotangent
        for index, g in folded.cotangents.items():
            whose[g.index].append(folded.tape[index])
        ends = {g.index for g in self.wanted}
        for g in folded.tape.nodes[folded.size :]:
            last = g.index in ends and uses[g.index] == 1
            shared = uses[g.index] > 1 and not is_view(g) and not isinstance(block_of(g), Puts)
            if g.op is None or g.index in self.write.known or not uses[g.index] or last or not (g.name or shared):
                continue
            nodes = [n for n in whose[g.index] if not is_tie(n)]
            listed = next((self.lists[n.index] for n in nodes if n.index in self.lists), "")
            called = f"d_{listed or by_role(nodes[0])}" if nodes else by_role(g)
            name = self.names.new(called)
            found = [r for n in nodes for r in (*self.readers.of(n), *self.readers.later(n))]
            lines.append(_assigned(name, self.write.computed(g), map(self.readers.equation, found)))
            self.write.known[g.index] = ast.Name(name)
        for name, leaf in self.weights.items():
            if leaf.name in folded.gradients:
                copy, share = f'copies["{name}"][t - 1]', self.write.of(folded.gradients[leaf.name])
                lines.append(_assigned(copy, share, map(self.readers.equation, self.readers.of(leaf))))
        back = [folded.cotangents.get(b.index) for b in folded.before]
        pairs = [
            (name, now)
            for name, g in zip(self.later, back, strict=True)
            if g is not None and (now := ast.unparse(self.write.of(g))) != name
        ]
        return lines + _at_once(pairs)

    def text(self) -> str:
        """The file."""
        trained = self._trained()
        starts = [self._start(name, start) for name, start in zip(self.first, self.starts, strict=True)]
        lists = [name for name in self.lists.values() if name not in self.state]
        given = [*self.given, *dict.fromkeys(self.first), *self.weights]
        totals = map(self.readers.total, self.folded.gradients)
        body = [
            f"T, {', '.join(self.given)} = len(x), {', '.join(f'[None, *{name}]' for name in self.given)}",
            *([] if self.alike else [f"share = [None, {', '.join(number(float(s)) for s in self.folded.shares)}]"]),
            _each(self.state, "[{}] + [None] * T", "start", starts),
            *_empty_lists(lists),
            "",
            "for t in range(1, T + 1):",
            *_indented(self.forwards),
            f"C = {self._cost()}",
            "",
            _called("weights = {", [f'"{name}": {name}' for name in self.weights], "}"),
            "copies = {name: np.zeros((T, *weight.shape), weight.dtype) for name, weight in weights.items()}",
            _each(self.later, "np.zeros_like({}[0])", "s", self.state),
            "for t in range(T, 0, -1):",
            *_indented(self.backwards),
            "grads = {name: copy.sum(axis=0) for name, copy in copies.items()}" + _numbers(totals),
            *trained,
            f"return C, grads, copies, ({', '.join(self.later)}{',' if len(self.later) == 1 else ''})",
        ]
        bptt = [
            _called("def bptt(", given, "):"),
            '    """The cost; dC / d weight; dC / d copy, time steps on the first axis; dC / d initial state."""',
            *_indented(body),
        ]
        return "\n".join([*self._head(body), *self.write.definitions(), *bptt, "", "", *self._check(given), ""])

    def _shapes(self) -> str:
        """What the data and the initial state are like, for samples as many as somebody has."""
        shapes = {name: f"(T, samples, {self.data[node.name].shape[2]})" for name, node in self.given.items()}
        for name, start in zip(self.first, self.starts, strict=True):
            shapes[name] = f"(samples, {start.shape[1]})" if start.op is None else str(start.parents[0].shape)
        alike: dict[str, list[str]] = defaultdict(list)
        for name, shape in shapes.items():
            alike[shape].append(name)
        return ", ".join(
            f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} {shape}" for shape, names in alike.items()
        )

    def _head(self, body: Sequence[str]) -> list[str]:
        real = [f"{name} is the parameter {leaf.name!a}." for name, leaf in self.weights.items() if name != leaf.name]
        constants = [f"{name} = np.array({value.tolist()})" for name, value in self.write.constants.items()]
        return [
            '"""Backpropagation through time of one network, written out: an account of it, and not what computes it.',
            "",
            *self._explained("\n".join(body)),
            '"""',
            "",
            *[f"# {line}" for line in real],
            "import numpy as np",
            "",
            *constants,
            *[""] * (1 + bool(constants)),
        ]

    def _explained(self, body: str) -> list[str]:
        """What a reader of the lines may not know, of that which stands in them."""
        later = f"d_{self.state[0]}"
        says = f"{self._shapes()}. Time steps are counted from 1. {later} is dC / d{self.state[0]}; {later}_later "
        says += "is the next step's part of it."
        if "(G" in body:
            says += " (G12) is (12) of Guo, BackPropagation Through Time (2013), whose delta is -dC / dnet."
        if "[..., " in body:
            says += " [..., 0:4] and its like fit these sizes."
        return textwrap.wrap(says, WIDTH, break_long_words=False, break_on_hyphens=False)

    def _start(self, name: str, start: Node) -> str:
        if start.op is None:
            return name
        return ast.unparse(self.write._line(start.op, [ast.Name(name)]))

    def _trained(self) -> list[str]:
        """What the parameters that are initial states receive: the error of s(0), by the rule of what repeats them."""
        shares: dict[str, list[str]] = defaultdict(list)
        for name, later, start in zip(self.first, self.later, self.starts, strict=True):
            if start.op is not None:
                tape = Tape()
                row, error = tape.leaf(start.parents[0].value), tape.leaf(start.value)
                back = record_pullback(tape, [row, error, s := start.op(row)], {s: [error]})
                self.write.known = {error.index: ast.Name(later)}
                g = back.totals[row.index]
                assert g is not None
                shares[name].append(ast.unparse(self.write.of(g)))
        return [f'grads["{name}"] = {" + ".join(found)}' for name, found in shares.items()]

    def _cost(self) -> str:
        cost = self.lists[self.folded.cost.index]
        if not self.alike:
            return f"sum(share[t] * {cost}[t] for t in range(1, T + 1))"
        number = _number_of_steps(self.folded.shares)
        return f"sum({cost}[1:])" + ("" if number == "1" else f" * ({number})")

    def _check(self, given: Sequence[str]) -> list[str]:
        nodes = dict(zip(self.first, [s.parents[0] if s.parents else s for s in self.starts], strict=True))
        shapes = {name: node.shape for name, node in {**nodes, **self.weights}.items()}
        shapes |= {name: self.data[node.name].shape for name, node in self.given.items()}
        drawn = [
            f'given["{name}"] = {how}'
            for name, node in self.given.items()
            if (how := drawn_like(self.data[node.name], node.name))
        ]
        if "mask" in self.given:  # a sample that is over has nothing to tell
            drawn.append('given["d"] = given["d"] * given["mask"]')
        for name, node in {**nodes, **self.weights}.items():
            if (node.value > 0).all():
                drawn.append(f'given["{name}"] = 0.5 + rng.random({node.shape})')
        return [
            "def check(step=1e-5):",
            '    """How far 50 entries of each gradient are at most from measured slopes, over the largest slope."""',
            "    rng = np.random.default_rng(0)",
            *_indented([_called("shapes = {", [f'"{name}": {shapes[name]}' for name in given], "}")]),
            "    given = {name: 0.5 * rng.normal(size=shape) for name, shape in shapes.items()}",
            *_indented(drawn),
            "",
            "    def cost(name, at, by):",
            "        moved = np.array(given[name])",
            "        moved[at] += by",
            "        return bptt(**given | {name: moved})[0]",
            "",
            "    worst = []",
            "    for name, grad in bptt(**given)[1].items():",
            "        places = [tuple(at) for at in rng.permutation([*np.ndindex(grad.shape)])[:50]]",
            "        slopes = [(cost(name, at, step) - cost(name, at, -step)) / (2 * step) for at in places]",
            "        off = np.subtract(slopes, [grad[at] for at in places])",
            "        worst.append(np.abs(off).max() / max(np.abs(slopes).max(), 1e-3))",
            "    return np.max(worst)",
            "",
            "",
            'if __name__ == "__main__":',
            "    worst = check()",
            '    print(f"largest difference from a measured slope: {worst:.1e} of the largest slope")',
            "    raise SystemExit(not worst < 1e-6)",
        ]


def drawn_like(values: Array, name: str) -> str:
    """How the check draws data of the same kind; empty if normal numbers will do."""
    shape, whole = values.shape, (values == np.floor(values)).all() and (values >= 0).all()
    if name == "mask":
        steps, samples = shape[:2]
        return f"(np.arange({steps})[:, None] < rng.integers(1, {steps + 1}, {samples}))[:, :, None] * 1.0"
    if shape[-1] > 1 and (values >= 0).all() and np.allclose(values.sum(axis=-1), 1):
        return (
            f"rng.dirichlet(np.ones({shape[-1]}), {shape[:-1]})"
            if not whole
            else f"np.eye({shape[-1]})[rng.integers({shape[-1]}, size={shape[:-1]})]"
        )
    if whole and values.any():
        return f"rng.integers({int(values.max()) + 1}, size={shape}) * 1.0"
    return f"rng.random({shape})" if (values >= 0).all() and values.any() else ""


def _number_of_steps(shares: Array) -> str:
    """What each step's cost weighs, where all weigh the same."""
    if shares[0] == 1:
        return "1"
    return "1 / T" if np.isclose(shares[0] * len(shares), 1) else number(float(shares[0]))


def _assigned(name: str, value: ast.expr, equations: Iterable[str]) -> str:
    return f"{name} = {ast.unparse(value)}{_numbers(equations)}"


def _at_once(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Names and what they become; in one line where one of them is read after it has changed."""
    changed: set[str] = set()
    for name, now in pairs:
        if changed & {n.id for n in ast.walk(ast.parse(now)) if isinstance(n, ast.Name)}:
            return [f"{', '.join(name for name, _ in pairs)} = {', '.join(now for _, now in pairs)}"]
        changed.add(name)
    return [f"{name} = {now}" for name, now in pairs]


def _each(names: Sequence[str], how: str, of: str, what: Sequence[str]) -> str:
    """Names that are made in the same way, each of something else."""
    if len(names) == 1:
        return f"{names[0]} = {how.format(what[0])}"
    return _called(f"{', '.join(names)} = ({how.format(of)} for {of} in (", what, "))")


def _numbers(equations: Iterable[str]) -> str:
    """The numbers of equations, as a comment."""
    found = [f"({each})" for each in dict.fromkeys(equations) if each]
    return f"  # {', '.join(found)}" if found else ""


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" if line else "" for each in lines for line in each.split("\n")]


def _empty_lists(names: Sequence[str]) -> list[str]:
    """What makes a list for each name, in as many lines as it takes."""
    rows = _rows(names, WIDTH - 50)
    one, several = "[None] * (T + 1)", "([None] * (T + 1) for _ in range({}))"
    return [f"{', '.join(row)} = {one if len(row) == 1 else several.format(len(row))}" for row in rows]


def _rows(words: Iterable[str], width: int) -> list[list[str]]:
    """Words in rows that are no longer than that."""
    rows: list[list[str]] = []
    for word in words:
        if not rows or len(", ".join([*rows[-1], word])) > width:
            rows.append([])
        rows[-1].append(word)
    return rows


def _called(begin: str, inside: Sequence[str], end: str) -> str:
    """A bracket with things in it, over several lines if they are many."""
    whole = f"{begin}{', '.join(inside)}{end}"
    if len(whole) <= WIDTH:
        return whole
    rows = [f"{', '.join(row)}," for row in _rows(inside, WIDTH - 10)]
    return "\n".join([begin, *_indented(rows), end])
