"""Mistakes that nobody wrote down: a solution with one of its rules changed, each named by what was changed.

A change is named with the letters of the exercise, which are what the function takes: its own helpers have no names
there, and a verdict must not give the solution away. An exercise calls the pieces of its solution what the lesson calls
them (`Exercise.parts`).
"""

from __future__ import annotations

import ast
import copy
import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .exercise import defined

CLIPS = (0.1, 0.5, 1.0, 5.0, 10.0)  # what people clip at
# When a rule is changed: always; in all passes of a loop but the first; in the first one alone. Who writes the first
# step above the loop can be wrong in one of the two.
WHEN = {"": "", "> 1": ", except in the first pass of the loop", "== 1": ", in the first pass of the loop alone"}
# Factors and functions that have mistakes of their own: what a form is called, and what is written in its place.
SLOPE, LOGISTIC = "the factor f'", "1 / (1 + np.exp(-X))"
FORMS = {
    "1 - np.tanh(X) ** 2": (
        SLOPE,
        {
            "1 - X ** 2": "it is 1 - net**2, without tanh",
            "1 - np.tanh(np.tanh(X)) ** 2": "it is taken at s = tanh(net), and belongs at net",
            "1 - np.tanh(X)": "tanh is not squared",
            "np.tanh(X) ** 2": "it is tanh**2, and not one minus it",
            "np.tanh(X) * (1 - np.tanh(X))": "it is s (1 - s), the logistic function's",
            f"{LOGISTIC} * (1 - {LOGISTIC})": "it is that of the logistic function",
            "X * (1 - X)": "it is net (1 - net)",
            "np.tanh(X)": "it is tanh itself",
            "1 + np.tanh(X) ** 2": "its minus is a plus",
        },
    ),
    "1 - X ** 2": (
        SLOPE,
        {
            "1 - np.tanh(X) ** 2": "tanh is taken of what is a state already",
            "1 - X": "the state is not squared",
            "X * (1 - X)": "it is s (1 - s), the logistic function's",
            "X ** 2": "it is s**2, and not one minus it",
            "1 + X ** 2": "its minus is a plus",
        },
    ),
    "A * X * (1 - X)": (
        "the factor g'",
        {
            "A": "it is left out",
            "A * X": "its 1 - y is left out",
            "A * (1 - X)": "its y is left out",
            "A * (1 - X ** 2)": "it is 1 - y**2, the slope of tanh",
            "A * X * (1 + X)": "its minus is a plus",
        },
    ),
    LOGISTIC: (
        "the function g",
        {
            "np.exp(X) / np.exp(X).sum(axis=-1, keepdims=True)": "it is softmax, and not the logistic one",
            "np.tanh(X)": "it is tanh, and not the logistic one",
            "X": "it is left out",
            "1 / (1 + np.exp(X))": "it is that of minus net",
        },
    ),
    **dict.fromkeys(
        ("np.sqrt((X ** 2).sum())", "np.sqrt((X * X).sum())"),
        (
            "the norm",
            {
                "np.abs(X).max()": "it is the largest entry",
                "np.abs(X).sum()": "it is the sum of the lengths of all entries",
                "(X ** 2).sum()": "its root is left out",
                "np.sqrt((X ** 2).mean())": "it is of the mean, not of the sum",
            },
        ),
    ),
}
Rule = Iterator[tuple[ast.AST | None, str]]


@dataclass(frozen=True)
class Change:
    """A function with one rule changed.

    Attributes
    ----------
    term : str
        What was changed.
    call : callable
        The function.
    """

    term: str
    call: Callable[..., Any]


def changes(source: str, name: str, parts: Mapping[str, str], clips: Iterable[float]) -> Iterator[Change]:
    """All that becomes of a function if one rule of it is changed.

    Parameters
    ----------
    source : str
        The file that defines it.
    name : str
        The function.
    parts : mapping from str to str
        What pieces of it are called.
    clips : iterable of float
        At what something may have been clipped.
    """
    around = defined(source)
    function = next(n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef) and n.name == name)
    rules = _Rules(function, parts, tuple(clips))
    alike: dict[str, list[ast.AST]] = {}
    for place in ast.walk(function):
        if isinstance(place, ast.expr) and rules.is_read(place):
            alike.setdefault(ast.dump(place), []).append(place)
    for place in list(ast.walk(function)):
        same = alike.get(ast.dump(place), [])
        for made, term in rules.of(place):
            for when in WHEN if made is not None and rules.is_repeated(place) else ("",):
                yield Change(term + WHEN[when], _compiled(function, [place], made, when, around))
            if len(same) > 1 and same[0] is place:
                yield Change(term, _compiled(function, same, made, "", around))
    for one, other in itertools.combinations(rules.letters, 2):
        yield Change(f"{one} and {other}: each stands in the other's place", _exchanged(around[name], one, other))

    for axis, part in itertools.product((0, 1), (slice(0, 1), slice(-1, None))):
        word = "first" if part.start == 0 else "last"
        yield Change(f"axis {axis} of what is given: its {word} entry is all", _part_of(around[name], axis, part))


def _part_of(function: Callable[..., Any], axis: int, part: slice) -> Callable[..., Any]:
    """The function of a part of those arrays that are equally long along an axis, such as that of the samples."""

    def call(*given: Any) -> Any:
        lengths = [value.shape[axis] for value in given if isinstance(value, np.ndarray) and value.ndim > axis + 1]
        shared = [n for n in lengths if lengths.count(n) > 1]
        index = (slice(None),) * axis + (part,)

        def cut(value: Any) -> Any:
            is_shared = isinstance(value, np.ndarray) and value.ndim > axis + 1 and value.shape[axis] == shared[0]
            return value[index] if is_shared else value

        return function(*map(cut, given)) if shared else None

    return call


def _compiled(
    function: ast.FunctionDef, olds: list[ast.AST], made: ast.AST | None, when: str, around: dict[str, Any]
) -> Callable[..., Any]:
    """The function with something else in the place of some of its nodes; a statement may be left out.

    The tree is changed, compiled, and put right again: to copy it takes ten times as long.
    """
    undo: list[tuple[Any, ...]] = []
    new: ast.AST = ast.Pass() if made is None else made
    if when:
        assert isinstance(new, ast.expr)
        assert isinstance(olds[0], ast.expr)
        loop = next(n for n in ast.walk(function) if isinstance(n, ast.For) and any(olds[0] is m for m in _body(n)))
        for body, line in ((loop.body, "passes_ += 1"), (function.body, "passes_ = 0")):
            body.insert(0, ast.parse(line).body[0])
            undo.append((body.pop, 0))
        new = ast.IfExp(ast.parse(f"passes_ {when}", mode="eval").body, new, olds[0])
    ast.fix_missing_locations(new)
    for parent in list(ast.walk(function)):
        for name, value in ast.iter_fields(parent):
            if any(value is old for old in olds):
                setattr(parent, name, new)
                undo.append((setattr, parent, name, value))
            elif isinstance(value, list) and any(one is old for one in value for old in olds):
                setattr(parent, name, [new if any(one is old for old in olds) else one for one in value])
                undo.append((setattr, parent, name, value))
    names = dict(around)
    try:
        exec(compile(ast.Module([function], []), "solution", "exec"), names)
    finally:
        for call, *args in reversed(undo):
            call(*args)
    changed: Callable[..., Any] = names[function.name]
    return changed


def _exchanged(function: Callable[..., Any], one: str, other: str) -> Callable[..., Any]:
    def call(*given: Any) -> Any:
        named = inspect.signature(function).bind(*given).arguments
        return function(**{**named, one: named[other], other: named[one]})

    return call


def _body(loop: ast.For) -> Iterator[ast.AST]:
    for statement in loop.body:
        yield from ast.walk(statement)


def _is(node: ast.AST, pattern: str) -> dict[str, ast.expr] | None:
    """What stands for the capital letters of a pattern, if a node is of its form: ``1 - X**2``."""
    found: dict[str, ast.expr] = {}

    def same(a: Any, b: Any) -> bool:
        if isinstance(b, ast.Name) and len(b.id) == 1 and b.id.isupper():
            if b.id in found:
                return ast.dump(found[b.id]) == ast.dump(a)
            found[b.id] = a
            return isinstance(a, ast.expr)
        if type(a) is not type(b):
            return False
        if isinstance(a, ast.AST):
            return all(same(x, y) for (_, x), (_, y) in zip(ast.iter_fields(a), ast.iter_fields(b), strict=True))
        if isinstance(a, list):
            return len(a) == len(b) and all(map(same, a, b))
        return bool(a == b)

    return found if same(node, _pattern(pattern)) else None


@cache
def _pattern(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _made(pattern: str, **parts: ast.expr) -> ast.expr:
    """The expression of a pattern."""

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return parts.get(node.id, node)

    made = Fill().visit(ast.parse(pattern, mode="eval").body)
    assert isinstance(made, ast.expr)
    return made


@dataclass
class _Rules:
    function: ast.FunctionDef
    parts: Mapping[str, str]
    clips: tuple[float, ...]

    def __post_init__(self) -> None:
        self.letters = [argument.arg for argument in self.function.args.args]
        # Where numbers count entries, a change of one is another time step, and no other term.
        counts: list[ast.AST] = [n.slice for n in ast.walk(self.function) if isinstance(n, ast.Subscript)]
        counts += [n for n in ast.walk(self.function) if _is_call(n, "range", "reversed")]
        self.counting = {id(inner) for place in counts for inner in ast.walk(place)}
        # A slope is one factor, with mistakes of its own: only what it is taken of is changed besides.
        self.slopes: set[int] = set()
        for node in ast.walk(self.function):
            if found := next(
                filter(None, (_is(node, form) for form, (name, _) in FORMS.items() if name == SLOPE)), None
            ):
                self.slopes |= {id(n) for n in ast.walk(node)} - {id(n) for n in ast.walk(found["X"])} - {id(node)}
        loops = [n for n in ast.walk(self.function) if isinstance(n, ast.For)]
        self.repeated = {id(n) for loop in loops for n in _body(loop)}
        self.parents = {id(c): n for n in ast.walk(self.function) for c in ast.iter_child_nodes(n)}
        # What a line computes is known by what it reads: a helper's letters are those of its line.
        self.reads: dict[str, list[str]] = {}
        for node in ast.walk(self.function):
            for name, value in _bound(node):
                self.reads.setdefault(name, []).extend(n for n in _names(value) if n != name)

    def is_repeated(self, node: ast.AST) -> bool:
        """Whether a node is an expression that is computed in each pass of a loop."""
        return id(node) in self.repeated and isinstance(node, ast.expr) and self.is_read(node)

    def is_read(self, node: ast.AST) -> bool:
        """Whether a node is not what something is written into."""
        return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)

    # ---- names

    def called(self, node: ast.AST, kind: str = "term") -> str:
        """What a learner calls a piece of the solution."""
        text = ast.unparse(node)
        if text in self.parts:
            return self.parts[text]
        if isinstance(node, ast.Subscript) and "None" in ast.unparse(node.slice):  # an axis more, and the same numbers
            return self.called(node.value, kind)
        if _is(node, "1 - X ** 2"):
            return SLOPE
        if _is(node, "X * (1 - X)"):
            return "the factor g'"
        if isinstance(node, ast.Name) and node.id in self.letters:
            return node.id if kind == "name" else f"the {kind} {node.id}"
        letters = self._letters(node)
        if not letters:
            return f"the {kind} {text}" if kind != "name" else text
        if kind == "name":
            return " and ".join(letters[:3])
        return f"the {kind} with {' and '.join(letters[:3])}"

    def _letters(self, node: ast.AST) -> list[str]:
        """The letters that a piece reads, or that its helpers do."""
        names, seen = _names(node), set[str]()
        while names:
            found = [name for name in names if name in self.letters]
            if found:
                return list(dict.fromkeys(found))
            seen.update(names)
            names = [inner for name in names for inner in self.reads.get(name, []) if inner not in seen]
        return []

    def _is_multiplied(self, node: ast.AST) -> bool:
        above = self.parents.get(id(node))
        return isinstance(above, ast.BinOp) and isinstance(above.op, ast.MatMult)

    # ---- rules

    def of(self, node: ast.AST) -> Rule:
        """What may stand in a node's place, and what is wrong then."""
        if id(node) in self.slopes:
            return
        if id(node) not in self.counting and (known := list(self._form(node))):
            yield from known
        elif isinstance(node, ast.BinOp) and id(node) not in self.counting:
            yield from self._operation(node)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and id(node) not in self.counting:
            yield node.operand, f"{self.called(node.operand)}: its sign"
        elif isinstance(node, ast.Call):
            yield from self._function(node)
        elif isinstance(node, ast.Attribute) and node.attr == "T" and not self._is_multiplied(node):
            yield node.value, f"{self.called(node.value, 'matrix')}: it is not turned (.T)"
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Del):
            yield from self._entry(node)
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            told = f"{self.called(node.value, 'share')}: it is written over what was there, and not added"
            plain = copy.deepcopy(node.target)
            yield ast.Assign([plain], node.value), told
            yield ast.AugAssign(plain, ast.Sub(), node.value), f"{self.called(node.value, 'share')}: its sign"
            yield None, f"{self.called(node.value, 'share')}: it is left out"
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in self.letters:
            yield from self._letter(node)
        elif isinstance(node, (ast.For, ast.comprehension)) and not _is_call(node.iter, "range", "reversed"):
            for over, word in _without_ends(_made("list(X)", X=node.iter)):
                made = copy.copy(node)
                made.iter = over
                yield made, f"the loop over {self.called(node.iter, 'name')}: {word}"
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            told = f"the condition on {self.called(node, 'name')}"
            for op in (ast.Lt(), ast.LtE(), ast.Gt(), ast.GtE(), ast.Eq(), ast.NotEq()):
                if type(op) is not type(node.ops[0]):
                    yield ast.Compare(node.left, [op], node.comparators), told
        if isinstance(node, ast.For):
            yield from self._handed_on(node)
        if isinstance(node, (ast.Return, ast.Assign)) and isinstance(node.value, ast.expr):
            yield from self._squeezed(node)

    def _form(self, node: ast.AST) -> Rule:
        """What is written in the place of a factor or function that has mistakes of its own."""
        for form, (name, others) in FORMS.items():
            if found := _is(node, form):
                told = self.parts.get(ast.unparse(node), name)
                yield from ((_made(other, **found), f"{told}: {why}") for other, why in others.items())
                return

    def _operation(self, node: ast.BinOp) -> Rule:
        left, right = node.left, node.right
        if isinstance(node.op, (ast.Add, ast.Sub)):
            if found := _is(node, "1 - X"):
                yield found["X"], f"1 - {self.called(found['X'], 'name')}: its one minus is left out"
            else:
                yield left, f"{self.called(right)}: it is left out"
                kept = right if isinstance(node.op, ast.Add) else ast.UnaryOp(ast.USub(), right)
                yield kept, f"{self.called(left)}: it is left out"
            turned = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            yield ast.BinOp(left, turned, right), f"{self.called(right)}: its sign"
            if isinstance(node.op, ast.Sub):
                yield ast.BinOp(right, ast.Sub(), left), f"{self.called(node)}: its sign"
        elif isinstance(node.op, ast.Mult):
            yield left, f"{self.called(right, 'factor')}: it is left out"
            yield right, f"{self.called(left, 'factor')}: it is left out"
            yield ast.BinOp(left, ast.Div(), right), f"{self.called(right, 'factor')}: it divides"
            yield ast.BinOp(left, ast.Add(), right), f"{self.called(right, 'factor')}: it is added"
        elif isinstance(node.op, ast.Div):
            yield left, f"{self.called(right, 'divisor')}: it is left out"
            yield ast.BinOp(left, ast.Mult(), right), f"{self.called(right, 'divisor')}: it multiplies"
        elif isinstance(node.op, ast.Pow):
            yield left, f"{self.called(right, 'exponent')}: it is left out"
            yield ast.BinOp(left, ast.Mult(), right), f"{self.called(right, 'exponent')}: it multiplies"
            if found := _is(left, "A * B"):
                for pattern, which in (("A * B ** C", "B"), ("A ** C * B", "A")):
                    told = f"{self.called(right, 'exponent')}: it is of {self.called(found[which], 'name')} alone"
                    yield _made(pattern, **found, C=right), told
            for op, word in ((ast.Add(), "large"), (ast.Sub(), "small")):
                more = ast.BinOp(right, op, ast.Constant(1))
                yield ast.BinOp(left, ast.Pow(), more), f"{self.called(right, 'exponent')}: it is too {word} by one"
        elif isinstance(node.op, ast.MatMult):
            for side, other in ((left, right), (right, left)):
                matrix = side.value if isinstance(side, ast.Attribute) and side.attr == "T" else None
                turned_side = matrix or ast.Attribute(side, "T", ast.Load())
                sum_over = self.parts.get(ast.unparse(node), f"the sum over {self.called(matrix or side, 'name')}")
                made = (turned_side, other) if side is left else (other, turned_side)
                yield (
                    ast.BinOp(made[0], ast.MatMult(), made[1]),
                    f"{sum_over}: it is over the other index of the matrix",
                )
                yield other, f"{self.called(side, 'factor')}: it is left out"
            yield ast.BinOp(right, ast.MatMult(), left), f"the order of the product with {self.called(node, 'name')}"
            yield ast.BinOp(left, ast.Mult(), right), f"the product with {self.called(node, 'name')}: entry by entry"

    def _function(self, node: ast.Call) -> Rule:
        if _is_call(node, "tanh"):
            inner = node.args[0]
            yield inner, "the function tanh: it is left out"
            yield _made("np.tanh(np.tanh(X))", X=inner), "the function tanh: it is taken twice"
            yield _made(LOGISTIC, X=inner), "the function f: it is the logistic one, not tanh"
            yield _made("np.maximum(X, 0)", X=inner), "the function f: it is relu, not tanh"
        elif _is_call(node, "log"):
            for other in ("log2", "log10", "log1p"):
                yield _made(f"np.{other}(X)", X=node.args[0]), f"the logarithm: it is {other}, and not the natural one"
            yield node.args[0], "the logarithm: it is left out"
        elif _is_call(node, "sum") or _is_call(node, "mean"):
            yield from self._sum(node)
        elif _is_call(node, "reversed"):
            yield node.args[0], "the order of the steps"
        elif _is_call(node, "range"):
            yield from self._range(node)
        elif _is_call(node, "sqrt"):
            yield node.args[0], "the root: it is left out"
        elif _is_call(node, "min", "max", "minimum", "maximum") and len(node.args) == 2:
            for kept, dropped in (node.args, node.args[::-1]):
                word = ast.unparse(node.func).removeprefix("np.")
                yield kept, f"{word}: {self.called(dropped, 'number')} is left out"
            other = word.replace("min", "max") if "min" in word else word.replace("max", "min")
            of_numpy = ast.unparse(node.func).startswith("np.")
            yield _made(f"{'np.' * of_numpy}{other}(A, B)", A=node.args[0], B=node.args[1]), f"{word}: it is {other}"
        elif _is_call(node, "outer", "dot"):
            yield ast.Call(node.func, node.args[::-1], []), "the order of the outer product: it is the transpose"

    def _sum(self, node: ast.Call) -> Rule:
        """Sum or mean, and over which axis."""
        is_sum = _is_call(node, "sum")
        words = ("a mean in place of the sum", "mean") if is_sum else ("a sum in place of the mean", "sum")
        function = node.func
        if not isinstance(function, ast.Attribute):
            return  # Python's own sum has no mean beside it, and no axes
        is_numpy = ast.unparse(function.value) == "np"
        what, *more = node.args if is_numpy else (function.value, *node.args)
        letters = self.called(what, "name")

        def call(summed: ast.expr, keywords: list[ast.keyword], name: str = function.attr) -> ast.expr:
            owner, args = (function.value, [summed, *more]) if is_numpy else (summed, more)
            return ast.Call(ast.Attribute(owner, name, ast.Load()), args, keywords)

        yield call(what, node.keywords, words[1]), words[0]
        for made, word in _without_ends(what):
            yield call(made, node.keywords), f"the sum over {letters}: {word}"
        others = [k for k in node.keywords if k.arg != "axis"]
        is_over = [ast.unparse(k.value) for k in node.keywords if k.arg == "axis"]
        for axis in (0, 1, 2):
            if str(axis) not in is_over:
                over = [*others, ast.keyword("axis", ast.Constant(axis))]
                yield call(what, over), f"the sum over {letters}: it is over axis {axis}"
        if is_over:
            yield call(what, []), f"the sum over {letters}: it is over everything"

    def _range(self, node: ast.Call) -> Rule:
        """A step more or less at either end of a loop."""
        bounds = [ast.Constant(0), *node.args] if len(node.args) == 1 else node.args
        for k, place in enumerate(("first", "last")):
            for op, word in ((ast.Add(), "late"), (ast.Sub(), "early")):
                moved = [*bounds]
                moved[k] = ast.BinOp(moved[k], op, ast.Constant(1))
                yield ast.Call(node.func, moved, []), f"the {place} step of the loop: it is one too {word}"

    def _entry(self, node: ast.Subscript) -> Rule:
        """The neighbouring entry."""
        told = self.called(node.value, "name")
        index = node.slice
        at = index.elts if isinstance(index, ast.Tuple) else [index]
        for k, one in enumerate(at):
            for moved, word in _neighbours(one):
                places = [*at[:k], moved, *at[k + 1 :]]
                made = ast.Tuple(places, ast.Load()) if isinstance(index, ast.Tuple) else moved
                yield ast.Subscript(node.value, made, node.ctx), f"the place in {told}: {word}"
        if len(at) > 1:
            swapped = ast.Tuple([at[1], at[0], *at[2:]], ast.Load())
            yield ast.Subscript(node.value, swapped, node.ctx), f"the order of the indices of {told}"
        if ast.unparse(index) == "-1":
            yield ast.Subscript(node.value, ast.Constant(0), node.ctx), f"the place in {told}: the first, not the last"

    def _letter(self, node: ast.Name) -> Rule:
        if id(node) in self.counting:
            return
        if isinstance(self.parents.get(id(node)), (ast.List, ast.Assign)):
            yield _made("0 * X", X=node), f"{node.id}: it is taken to be zero"
        for other in self.letters:
            if other != node.id:
                yield ast.Name(other, ast.Load()), f"{node.id}: {other} stands in its place"

    def _handed_on(self, node: ast.For) -> Rule:
        """What a line computes is right, and what the next pass gets of it is not."""
        for line in node.body:
            if (
                isinstance(line, ast.Assign)
                and isinstance(line.targets[0], ast.Name)
                and isinstance(line.value, ast.BinOp)
            ):
                for kept, lost in ((line.value.left, line.value.right), (line.value.right, line.value.left)):
                    made = copy.copy(node)
                    made.body = [*node.body, ast.Assign([ast.Name(line.targets[0].id, ast.Store())], kept)]
                    kind = "factor" if isinstance(line.value.op, (ast.Mult, ast.MatMult)) else "term"
                    yield made, f"{self.called(lost, kind)}: it is left out of what is handed on"

    def _squeezed(self, node: ast.Return | ast.Assign) -> Rule:
        """What is computed in a line is clipped."""
        assert node.value is not None
        for most in self.clips:
            told = f"what is computed is clipped at {most:g}"
            for pattern in ("np.clip(X, -C, C)", "X * min(1.0, C / np.linalg.norm(X))"):
                made = copy.copy(node)
                made.value = _made(pattern, X=node.value, C=ast.Constant(most))
                yield made, told + (" by its norm" if "norm" in pattern else "")
        if isinstance(node, ast.Return):
            for pattern, word in (("np.tanh(X)", "tanh"), (LOGISTIC, "the logistic one")):
                squeezed = copy.copy(node)
                squeezed.value = _made(pattern, X=node.value)
                yield squeezed, f"the function f: {word} is taken of what is asked for"


def _neighbours(one: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(one, ast.Slice):
        for edge in ("lower", "upper"):
            bound = getattr(one, edge)
            for op, word in ((ast.Add(), "late"), (ast.Sub(), "early")):
                if bound is not None:
                    moved = copy.copy(one)
                    setattr(moved, edge, ast.BinOp(bound, op, ast.Constant(1)))
                    end = {"lower": "begins", "upper": "ends"}[edge]
                    yield moved, f"it {end} one step too {word}"
            if bound is not None:
                moved = copy.copy(one)
                setattr(moved, edge, None)
                yield moved, "it is all up to the end" if edge == "upper" else "it is all from the beginning"
        if one.lower is None and one.upper is None:
            yield ast.Constant(0), "the first alone, and not all"
            yield ast.parse("-1", mode="eval").body, "the last alone, and not all"
    elif isinstance(one, ast.Constant) and one.value == 0:
        yield ast.Constant(1), "the second, and not the first"
        yield ast.Constant(-1), "the last, and not the first"
    elif not isinstance(one, ast.Constant) or isinstance(one.value, int):
        yield ast.BinOp(one, ast.Add(), ast.Constant(1)), "one step too late"
        yield ast.BinOp(one, ast.Sub(), ast.Constant(1)), "one step too early"


def _without_ends(what: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    for part, word in (
        ("1:", "its first entry is left out"),
        (":-1", "its last entry is left out"),
        (":1", "its first entry is all"),
        ("-1:", "its last entry is all"),
    ):
        yield _made(f"X[{part}]", X=what), word


def _bound(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The names that a statement gives, with what it gives them to."""
    if isinstance(node, ast.Assign):
        target, value = node.targets[0], node.value
    elif isinstance(node, (ast.For, ast.comprehension)) and not _is_call(node.iter, "range", "reversed"):
        target, value = node.target, node.iter
    else:
        return
    pairs = [(target, value)]
    if isinstance(target, ast.Tuple):
        values = value.elts if isinstance(value, ast.Tuple) else [value] * len(target.elts)
        pairs = list(zip(target.elts, values, strict=False))
    for one, what in pairs:
        if isinstance(one, ast.Name):
            yield one.id, what


def _is_call(node: ast.AST, *names: str) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names


def _names(node: ast.AST) -> list[str]:
    return [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
