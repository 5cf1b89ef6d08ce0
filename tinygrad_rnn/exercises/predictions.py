"""Predictions: what a reader expects, and what is said of it, known before anybody answers.

They are a lesson's exercises that ask for a value. The answers that are foreseen are the solution and the slips of
``check.py``, the same that the check in the terminal knows, and `judge` says the same of them.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .exercise import Exercise, Folder
from .verdicts import RIGHT, judge


@dataclass(frozen=True)
class Foreseen:
    """An answer that somebody may give.

    Attributes
    ----------
    text : str
        The answer, as one writes it.
    value : object
        A number, a tuple of numbers or a word.
    is_right : bool
        Whether it is.
    term : str
        What is wrong with it.
    hints : tuple of str
        From a nudge to nearly the answer.
    """

    text: str
    value: Any
    is_right: bool
    term: str
    hints: tuple[str, ...]


@dataclass(frozen=True)
class Prediction:
    """A value that is asked for.

    Attributes
    ----------
    name : str
        Its name in the exercises.
    question : tuple of str
        Its paragraphs; lines that stand in columns begin with four blanks.
    foreseen : tuple of Foreseen
        The answers, by size.
    hints : tuple of str
        For any other answer.
    """

    name: str
    question: tuple[str, ...]
    foreseen: tuple[Foreseen, ...]
    hints: tuple[str, ...]


def predictions(folder: Folder) -> list[Prediction]:
    """What a lesson asks its readers to predict."""
    asked = [exercise for exercise in folder.exercises if not exercise.cases]
    return [_prediction(folder, exercise) for exercise in asked]


def _prediction(folder: Folder, exercise: Exercise) -> Prediction:
    right = folder.solution
    sources = [right, *(slip.made_in(right) for slip in exercise.slips)]
    foreseen = {answer.text: answer for answer in (_foreseen(exercise, source, right) for source in sources)}
    by_size = sorted(foreseen.values(), key=lambda answer: (isinstance(answer.value, tuple), answer.value))
    return Prediction(exercise.name, question(folder.blank, exercise.name), tuple(by_size), exercise.hints)


def _foreseen(exercise: Exercise, source: str, solution: str) -> Foreseen:
    written = next(
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == exercise.name
    )
    value = eval(compile(ast.Expression(written), "answer", "eval"), {})
    verdict = judge(exercise, {exercise.name: value}, Path("answer"), solution)
    text = value if isinstance(value, str) else ast.unparse(written)
    is_right = verdict.status == RIGHT
    return Foreseen(text, value, is_right, verdict.term, exercise.hints if is_right else verdict.hints)


def question(blank: str, name: str) -> tuple[str, ...]:
    """What is asked: the comment above a name that is to be given a value."""
    lines = blank.split("\n")
    at = lines.index(f"{name} = None")
    while lines[at - 1].endswith(" = None"):  # two names may share a comment
        at -= 1
    first = at
    while lines[first - 1].startswith("#"):
        first -= 1
    parts: list[str] = []
    for line in [text.removeprefix("#").removeprefix(" ") for text in lines[first:at]]:
        in_columns = line.startswith("    ")
        if not line:
            continue
        if parts and parts[-1].startswith("    ") == in_columns:
            parts[-1] += f"{chr(10) if in_columns else ' '}{line}"
        else:
            parts.append(line)
    return tuple(parts)
