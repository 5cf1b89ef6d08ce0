"""The page that reads the tape line by line shows every line of it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/tape.md").read_text("utf-8")
PIECE = re.compile(r"```\{literalinclude\} \.\./(?P<file>\S+)\n(?P<options>(?::.*\n)*)```")
FILES = [
    *(f"tinygrad_rnn/autodiff/{name}.py" for name in ("op", "node", "passes", "chain", "terms", "tape")),
    "tinygrad_rnn/unfold/copies.py",
]


def shown(file):
    """The numbers of the lines of a file that the page shows."""
    lines = (ROOT / file).read_text("utf-8").splitlines()
    found = set()
    for piece in PIECE.finditer(PAGE):
        if piece["file"] != file:
            continue
        said = dict(re.findall(r":([\w-]+): '?(.*?)'?\n", piece["options"]))
        if "pyobject" in said:
            (node,) = [n for n in ast.parse("\n".join(lines)).body if getattr(n, "name", "") == said["pyobject"]]
            found.update(range(min([node.lineno, *(d.lineno for d in node.decorator_list)]), node.end_lineno + 1))
            continue
        start = next(k for k, line in enumerate(lines, 1) if said["start-at"] in line)
        end = len(lines) + 1
        if "end-before" in said:
            end = next(k for k, line in enumerate(lines, 1) if k > start and said["end-before"] in line)
        found.update(range(start, end))
    return found


def to_be_read(file):
    """The numbers of the lines that hold code: all but imports, and what a type checker wants to know."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    for node in tree.body:
        aside = isinstance(node, ast.Import | ast.ImportFrom) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        )
        alias = isinstance(node, ast.Assign) and isinstance(node.value, ast.Call | ast.Subscript | ast.BinOp)
        protocol = isinstance(node, ast.ClassDef) and any(getattr(b, "id", "") == "Protocol" for b in node.bases)
        if not (aside or alias or protocol or isinstance(node, ast.AnnAssign)):
            yield from range(node.lineno, node.end_lineno + 1)


@pytest.mark.parametrize("file", FILES)
def test_the_page_shows_every_line(file):
    missing = sorted(set(to_be_read(file)) - shown(file))
    lines = (ROOT / file).read_text("utf-8").splitlines()
    assert [lines[k - 1] for k in missing if lines[k - 1].strip()] == []


def test_every_piece_is_of_a_file_that_is_read_to_its_end():
    assert {piece["file"] for piece in PIECE.finditer(PAGE)} == {*FILES, "tinygrad_rnn/autodiff/ops/activations.py"}
    assert PAGE.count("{literalinclude}") == len(list(PIECE.finditer(PAGE)))
