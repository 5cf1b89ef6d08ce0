"""What a lesson shows, cut into pages that fit the height of a terminal."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

FOLD = "# ..."  # what stands for lines of code that are not shown


def parts(markdown: str) -> list[str]:
    """The paragraphs of a text, each as it can be shown alone: a heading stays with what it is about."""
    found: list[str] = []
    inside = False
    for piece in re.split(r"\n\n+", markdown):
        heading = bool(found) and not inside and re.fullmatch(r"#+ .*", found[-1].split("\n\n")[-1])
        if found and (inside or heading or piece.startswith(" ")):
            found[-1] += f"\n\n{piece}"
        else:
            found.append(piece)
        inside ^= len(re.findall(r"^ *```", piece, re.MULTILINE)) % 2 == 1
    return found


def pages(blocks: Sequence[Sequence[str]], room: int) -> Iterator[list[str]]:
    """The blocks of lines, page by page; only what is higher than a page is cut, at an empty line if there is one.

    Parameters
    ----------
    blocks : sequence of sequences of str
        What is to be shown; between two blocks on a page there is an empty line.
    room : int
        The lines of a page.
    """
    page: list[str] = []
    for block in blocks:
        if page and len(page) + 1 + len(block) > room:
            yield page
            page = []
        page = [*page, "", *block] if page else list(block)
        while len(page) > room:
            empty = [k for k in range(room // 2, room + 1) if not page[k].strip()]
            cut = empty[-1] if empty else room
            yield page[:cut]
            page = page[cut + bool(empty) :]
    if page:
        yield page


def folded(code: str, most: int) -> str:
    """The code in at most that many lines: what it asks of the library; the rest is folded."""
    if code.count("\n") < most:
        return code
    lines = code.split("\n")
    shown: list[str] = []
    for statement in ast.parse(code).body:
        first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
        if isinstance(statement, ast.FunctionDef):  # its name and its docstring say what it is for
            body = statement.body[0]
            shown += [*lines[first : body.lineno - 1], *lines[body.lineno - 1 : body.end_lineno][:1], f"    {FOLD}"]
        elif re.search(r"\btg\.", "\n".join(lines[first:last])) and not isinstance(statement, ast.Assert):
            shown += lines[first:last]
        elif shown[-1:] != [FOLD]:
            shown.append(FOLD)
    if len(shown) > most:
        shown = [*shown[: most - 1], FOLD]
    return "\n".join(shown)
