"""The derivation of a network: its step forwards, its errors, and its gradients, equation by equation.

The formulas are those of the ops. What a node without a name is, and what comes back to it, is put in where it is read.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..autodiff import Node, Takes, naming, writing
from ..autodiff.calling import shortened
from ..autodiff.notation import plain, symbol
from ..autodiff.traits import block_of, is_repeated, is_tie
from ..replay import Folded
from .readers import Readers, Use

LONGEST = 60  # letters of what is put in where it is read, and has no line of its own
WIDE, BESIDE_A_NUMBER = (
    72,
    60,
)  # letters of a right side that fit on a line of a page, alone and with equations' numbers
NOW: Mapping[int, str] = {0: "t", -1: "t-1"}
LATER: Mapping[int, str] = {0: "t+1", -1: "t"}
FIRST: Mapping[int, str] = {0: "1", -1: "0"}


class DerivedEquation(NamedTuple):
    """One line, in LaTeX, and the ids of Guo's equations that it is."""

    left: str
    right: str
    equations: tuple[str, ...] = ()

    def __str__(self) -> str:
        return plain(f"{self.left} = {self.right}")


class Derivation:
    """The equations of a network. It shows itself in a notebook.

    Attributes
    ----------
    forwards, backwards, gradients : tuple of DerivedEquation
        What a step computes; what comes back to each quantity; what each copy of a weight receives, and the weight.
    """

    def __init__(
        self,
        forwards: Iterable[DerivedEquation],
        backwards: Iterable[DerivedEquation],
        gradients: Iterable[DerivedEquation],
    ) -> None:
        self.forwards, self.backwards, self.gradients = tuple(forwards), tuple(backwards), tuple(gradients)

    @property
    def parts(self) -> list[tuple[str, tuple[DerivedEquation, ...]]]:
        """The three parts, each with what it is called."""
        back = r"Backwards: \(\partial v(t)\) is short for \(\partial C / \partial v(t)\), and 0 beyond the last step"
        return [("Forwards", self.forwards), (back, self.backwards), ("Folded back", self.gradients)]

    @property
    def latex(self) -> str:
        """A document of LaTeX."""
        head = r"""\documentclass{article}
\usepackage{amsmath}
\usepackage[margin=25mm]{geometry}
\allowdisplaybreaks
\begin{document}
"""
        body = "".join(f"\\paragraph{{{title}}}\n{_over_pages(lines)}\n\n" for title, lines in self.parts)
        return f"{head}{body}\\noindent {self._signs}\n\\end{{document}}\n"

    @property
    def markdown(self) -> str:
        """The same in Markdown."""
        shown = [(re.sub(r"\\[()]", "$", title), lines) for title, lines in self.parts]
        return "".join(f"**{title}**\n\n$$\n{_aligned(lines)}\n$$\n\n" for title, lines in shown) + f"{self._signs}\n"

    @property
    def _signs(self) -> str:
        """What the signs say that a reader may take for something else."""
        lines = [line for _, lines in self.parts for line in lines]
        rights = " ".join(line.right for line in lines)
        says = ["A row is a sample, $p$ counts them", r"$\odot$ multiplies entry by entry"]
        if (block := re.search(r"\[(\d+):(\d+)\]", rights)) is not None:
            says.append(f"${block[0]}$ takes the columns from {block[1]} to {int(block[2]) - 1}, the first one being 0")
        if r",\, " in rights:
            says.append(r"$[\ ,\ ]$ puts side by side")
        found = next((line.equations[0] for line in lines if line.equations), "")
        guo = f" ({found}) is equation ({found[1:]}) of Guo, BackPropagation Through Time (2013)." if found else ""
        return f"{'; '.join(says)}.{guo}"

    def _repr_markdown_(self) -> str:
        return self.markdown

    def _repr_latex_(self) -> str:
        return "".join(f"$$\n{_aligned(lines)}\n$$\n" for _, lines in self.parts)

    def __str__(self) -> str:
        return "\n".join(str(line) for _, lines in self.parts for line in lines)

    def __repr__(self) -> str:
        return f"<derivation, {sum(len(lines) for _, lines in self.parts)} equations>"

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write it to a file: a document of LaTeX, .tex, or Markdown, .md.

        Raises
        ------
        ValueError
            If the file is called otherwise.
        FileExistsError
            If there is such a file and `overwrite` is not set.
        """
        file = Path(path)
        text = {".tex": self.latex, ".md": self.markdown}.get(file.suffix)
        if text is None:
            raise ValueError(f"save: {shortened(file.name)}: a derivation is written as .tex or as .md")
        with file.open("w" if overwrite else "x", encoding="utf-8") as out:
            out.write(text)
        return file


def derivation(folded: Folded, starts: Sequence[Node]) -> Derivation:
    """The derivation of a folded step, as it was recorded, that starts from these nodes."""
    return _Walk(folded, starts).derivation()


class _Walk:
    def __init__(self, folded: Folded, starts: Sequence[Node]) -> None:
        self.folded, self.starts, self.readers = folded, starts, Readers(folded)
        self.step = [n for n in folded.tape.nodes[folded.first : folded.size] if n.op is not None and not is_tie(n)]
        reads = Counter(p.index for n in self.step for p in n.parents)
        self.later_cost = False  # whether the state is paid for one step later
        self.before, self.weights = set(folded.before), set(folded.weights.values())
        # Those with a line of their own.
        self.lines = {n for n in self.step if n.name or n in folded.state}
        for n in self.step:
            often = reads[n.index] > 1 and not is_repeated(n)
            if n not in self.lines and often and len(plain(self._computed(n, NOW))) > naming.LONGEST:
                self.lines.add(n)
        self.errors = {
            n for n in self.step if n in self.lines and n.index in folded.cotangents and n is not folded.cost
        }
        for n in reversed(self.step):
            reached = n.index in folded.cotangents and n is not folded.cost
            if reached and n not in self.lines and len(plain(self._received(n, NOW))) > LONGEST:
                self.errors.add(n)

    def derivation(self) -> Derivation:
        folded = self.folded
        forwards = [
            DerivedEquation(self._name(n, NOW), self._computed(n, NOW), _found([n.equation]))
            for n in self.step
            if n in self.lines
        ]
        cost = self._name(folded.cost, NOW)
        one = self._share(NOW)
        forwards.append(DerivedEquation("C", rf"\sum_t {cost}" if one == "1" else rf"\sum_t {one} \cdot {cost}"))
        backwards = [
            DerivedEquation(
                self._error(n, NOW), self._received(n, NOW), _found(map(self.readers.equation, self._all(n)))
            )
            for n in reversed(self.step)
            if n in self.errors
        ]
        if self.later_cost:
            backwards.insert(0, DerivedEquation(rf"\partial {cost}", one))
        gradients = []
        for name, w in folded.weights.items():
            readers = self.readers.of(w)
            if readers:
                copy = rf"\frac{{\partial C}}{{\partial {symbol(name)}(t)}}"
                shares = self._sum([(r, NOW) for r in readers])
                gradients.append(DerivedEquation(copy, shares, _found(map(self.readers.equation, readers))))
                whole = rf"\frac{{\partial C}}{{\partial {symbol(name)}}}"
                gradients.append(DerivedEquation(whole, rf"\sum_t {copy}", _found([self.readers.total(name)])))
        return Derivation(forwards, backwards, [*gradients, *self._trained()])

    def _trained(self) -> list[DerivedEquation]:
        """The errors of s(0) where it is a parameter, and that parameter's gradient."""
        found, shares = [], dict[str, list[str]]()
        for start, before in zip(self.starts, self.folded.before, strict=True):
            if start.op is not None:
                error = rf"\partial {symbol(before.name, '0')}"
                found.append(DerivedEquation(error, self._sum([(r, FIRST) for r in self.readers.of(before)]) or "0"))
                shares.setdefault(start.parents[0].name, []).append(rf"\sum_p {error}")
        whole = [
            DerivedEquation(rf"\frac{{\partial C}}{{\partial {symbol(n)}}}", " + ".join(s)) for n, s in shares.items()
        ]
        return found + whole

    def _all(self, node: Node) -> list[Use]:
        return [*self.readers.of(node), *self.readers.later(node)]

    def _name(self, node: Node, at: Mapping[int, str]) -> str:
        def time(n: Node) -> str | None:
            return None if n in self.weights or is_tie(n) else at[-1 if n in self.before else 0]

        return naming.latex(node, time)

    def _text(self, node: Node, at: Mapping[int, str]) -> str:
        """What stands for a node where it is read."""
        if is_tie(node) or (is_repeated(node) and node not in self.lines):
            return self._text(node.parents[0], at)
        return self._name(node, at) if node.op is None or node in self.lines else self._computed(node, at)

    def _computed(self, node: Node, at: Mapping[int, str]) -> str:
        assert node.op is not None
        return writing.value(node.op, [self._text(p, at) for p in node.parents])

    def _share(self, at: Mapping[int, str]) -> str:
        """What the step's cost weighs in the whole."""
        shares = self.folded.shares
        if np.ptp(shares):
            return rf"\mathrm{{share}}({at[0]})"
        if shares[0] == 1:
            return "1"
        return r"\frac{1}{T}" if np.isclose(shares[0] * len(shares), 1) else f"{shares[0]:g}"

    def _error(self, node: Node, at: Mapping[int, str]) -> str:
        """What stands for a node's error where it is read."""
        if node is self.folded.cost:
            if at is LATER:  # the step after the last one has no cost
                self.later_cost = True
                return rf"\partial {self._name(node, at)}"
            return self._share(at)
        if node in self.errors:
            return rf"\partial {writing.grouped(self._name(node, at))}"
        return self._received(node, at)

    def _received(self, node: Node, at: Mapping[int, str]) -> str:
        """What a node receives in all."""
        now = [(r, at) for r in self.readers.of(node)]
        return self._sum([*now, *((r, LATER) for r in self.readers.later(node))])

    def _sum(self, shares: Sequence[tuple[Use, Mapping[int, str]]]) -> str:
        """Shares added up; those that lie side by side in brackets."""
        terms: list[str] = []
        blocks: list[tuple[int, int, str]] = []
        width = 0
        for (node, slot), at in shares:
            text, block = self._of_reader(node, slot, at), block_of(node)
            if isinstance(block, Takes):
                blocks.append((block.start, block.stop, text))
                width = node.parents[slot].shape[-1]
            else:
                terms.append(text)
        while blocks:
            row, end = list[str](), 0
            for each in sorted(blocks):
                start, stop, text = each
                if start >= end:
                    row += [*["0"] * (start > end), text]
                    blocks.remove(each)
                    end = stop
            terms.append("[" + r",\, ".join([*row, *["0"] * (end < width)]) + "]")
        terms.sort(key=lambda term: term[:1] == "-")  # what is added comes first
        return " + ".join(terms).replace("+ -", "- ")

    def _of_reader(self, node: Node, slot: int, at: Mapping[int, str]) -> str:
        assert node.op is not None
        args = [self._text(p, at) for p in node.parents]
        text = writing.share(node.op, slot, self._error(node, at), self._text(node, at), args)
        return _plainer(text)


def _plainer(text: str) -> str:
    """A share without the 1 that it begins with, and without parentheses that say nothing."""
    text = re.sub(r"^1 \\(?:cdot|odot) ", "", text)
    sign, text = ("-", text[1:]) if text[:1] == "-" else ("", text)
    end = _closing(text)
    inside, behind = text[1:end], text[end + 1 :]
    one_product = end > 0 and "\\odot" in inside and not writing.SUM.search(writing.outside(inside))
    if end > 0 and ((not behind and not sign) or (one_product and re.match(r"( \\odot|$)", behind))):
        return sign + inside + behind
    return sign + text


def _closing(text: str) -> int:
    """Where the parenthesis ends that a text begins with; -1 if it begins with none."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if not depth:
            return at or -1
    return -1


def _found(equations: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in equations if each))


def _aligned(lines: Sequence[DerivedEquation]) -> str:
    return _set("aligned", lines, r" && \text{{({})}}")


def _over_pages(lines: Sequence[DerivedEquation]) -> str:
    return _set("align*", lines, r" \tag{{{}}}")


def _set(environment: str, lines: Sequence[DerivedEquation], numbered: str) -> str:
    """Lines one below the other, with the numbers of equations where they are; what is too wide is broken."""
    rows = []
    for left, right, equations in lines:
        first, *more = _broken(right, BESIDE_A_NUMBER if equations else WIDE)
        rows += [f"{left} &= {first}", *(rf"&\quad {{}} {row}" for row in more)]
        rows[-1] += numbered.format(", ".join(equations)) if equations else ""
    return f"\\begin{{{environment}}}\n" + " \\\\\n".join(rows) + f"\n\\end{{{environment}}}"


def _broken(right: str, width: int) -> list[str]:
    """A sum in rows that are no wider than that, broken before signs that stand in no bracket."""
    depth, terms = 0, [""]
    for piece in re.split(r"([()\[\]{}]|(?= [+-] ))", right):
        depth += (piece in ("(", "[", "{")) - (piece in (")", "]", "}"))
        if piece[:3] in (" + ", " - ") and not depth:
            terms.append("")
        terms[-1] += piece
    rows = terms[:1]
    for term in terms[1:]:
        if len(plain(rows[-1] + term)) <= width:
            rows[-1] += term
        else:
            rows.append(term.lstrip())
    return rows
