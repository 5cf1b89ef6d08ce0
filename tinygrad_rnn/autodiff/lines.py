"""Ops written as lines of NumPy: the tree of an expression, with the arguments in it, and the functions that it calls.

An op says its line in its own block. It is read by Python's parser, so that parentheses stand where Python needs them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence

from .errors import TapeError
from .op import Op


def line(op: Op, args: Sequence[ast.expr], called: Callable[[ast.FunctionDef], str]) -> ast.expr:
    """The value of an op, its arguments being these expressions.

    Parameters
    ----------
    op : Op
        The op, bound.
    args : sequence of ast.expr
        Its arguments.
    called : callable
        What a function that the line calls is called in the file.

    Raises
    ------
    TapeError
        If the op says no line.
    """
    if not op.numpy:
        raise TapeError(
            f"the op {op.name} says no line of NumPy: give it one where it is defined, as in "
            f'@op(..., numpy="np.exp({{0}})")'
        )
    marks = [f"_{k}_" for k in range(len(args))]
    text = op.numpy(*marks) if callable(op.numpy) else op.numpy.format(*marks)
    *defined, last = ast.parse(text).body
    assert isinstance(last, ast.Expr)
    named: dict[str, ast.expr] = {f.name: ast.Name(called(f)) for f in defined if isinstance(f, ast.FunctionDef)}
    found = _Put(named | dict(zip(marks, args, strict=True))).visit(last.value)
    assert isinstance(found, ast.expr)
    return found


def read(text: str) -> ast.expr:
    """An expression that is written as Python."""
    return ast.parse(text, mode="eval").body


class _Put(ast.NodeTransformer):
    """Puts expressions in place of names, and then multiplies by no 1 and adds nothing negative."""

    def __init__(self, named: Mapping[str, ast.expr]) -> None:
        self.named = named

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.named.get(node.id, node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult):
            if _is_one(node.left):
                return node.right
            if _is_one(node.right):
                return node.left
        turned = {ast.Add: ast.Sub, ast.Sub: ast.Add}.get(type(node.op))
        positive = _without_minus(node.right)
        return node if turned is None or positive is None else ast.BinOp(node.left, turned(), positive)


def _is_one(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Constant) and expression.value == 1


def _without_minus(expression: ast.expr) -> ast.expr | None:
    """What a product that begins with a minus is without it."""
    if isinstance(expression, ast.UnaryOp) and isinstance(expression.op, ast.USub):
        return expression.operand
    if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Mult | ast.Div | ast.MatMult):
        left = _without_minus(expression.left)
        return None if left is None else ast.BinOp(left, expression.op, expression.right)
    return None
