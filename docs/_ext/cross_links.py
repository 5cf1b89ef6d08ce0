"""Links that nobody writes: from a lesson's words to the glossary, from "(26)" to its equation, from "lesson 6" to it.

On a page a term is linked where it is first used, an equation or a lesson once in each section. What a link leads to is
said in its title, which cards.js shows; a formula waits in a template at the end of the page. The directive
``old-names`` stands for the list of all names of the API, under the addresses that they had when they were one page.
"""

import functools
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import formulas
from tinygrad_rnn import guo
from tinygrad_rnn.view import lessons, prose

TERMS_IN = ("lessons/", "otherwise/")
NUMBERS_IN = (*TERMS_IN, "glossary", "notation", "teaching", "through_time", "equations")
EVERYDAY = {"gain"}  # a term that lessons mostly use in another sense

NUMBER = re.compile(r"(?<![\w)\]])\((\d{1,2})\)")  # of an equation, in text
LESSON = re.compile(r"\b[Ll]essons? \d+(?:(?:,| and|, and| to) \d+)*")
# Text in these is a name, a formula, a program, or a link already.
BUSY = (nodes.literal, nodes.math, nodes.reference, nodes.title, nodes.raw, nodes.literal_block, nodes.term)


class Target(NamedTuple):
    """Where a piece of text leads."""

    docname: str
    anchor: str
    kind: str
    says: str = ""  # when the mouse rests on it


class Names(nodes.General, nodes.Element):
    """Stands for the list of names, until all pages have been read."""


class NamesDirective(SphinxDirective):
    """``old-names``: the list."""

    def run(self) -> list[nodes.Node]:
        """Docutils asks for the nodes."""
        return [Names()]


def mentioned(text: str) -> set[int]:
    """The numbers of the equations that a text names, those of a range as well."""
    found = {int(number) for number in [*NUMBER.findall(text), *re.findall(r"\\tag\{(\d+)\}", text)]}
    for first, last in re.findall(r"\((\d+)\) to \((\d+)\)", text):
        found |= set(range(int(first), int(last) + 1))
    return found


def link(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(Names)):
        node.replace_self(nodes.raw("", _names(app, docname), format="html"))
    pages = {int(Path(name).name[:2]): name for name in app.env.found_docs if name.startswith("lessons/")}
    if docname.startswith(NUMBERS_IN):
        _link_words(app, doctree, docname, pages)
    _give_cards(app, doctree, docname, pages)


def _link_words(app: Sphinx, doctree: nodes.document, docname: str, pages: dict[int, str]) -> None:
    terms = _terms(app) if docname.startswith(TERMS_IN) else {}
    seen: set[object] = set()
    for paragraph in doctree.findall(nodes.paragraph):
        section = next((above for above in _above(paragraph) if isinstance(above, nodes.section)), None)
        for text in list(paragraph.findall(nodes.Text)):
            if any(isinstance(above, BUSY) for above in _above(text)):
                continue
            made: list[nodes.Node] = []
            for piece, target in _pieces(app, str(text), terms, pages):
                once = (target, None if target and target.kind == "term" else id(section))
                if target is None or target.docname == docname or once in seen:
                    made.append(nodes.Text(piece))
                    continue
                seen.add(once)
                uri = app.builder.get_relative_uri(docname, target.docname) + f"#{target.anchor}" * bool(target.anchor)
                link_to = nodes.reference("", piece, internal=True, refuri=uri, classes=[f"to-{target.kind}"])
                if target.says:
                    link_to["reftitle"] = target.says
                made.append(link_to)
            if any(isinstance(one, nodes.reference) for one in made):
                text.parent.replace(text, made)


def _give_cards(app: Sphinx, doctree: nodes.document, docname: str, pages: dict[int, str]) -> None:
    """Say of each link to a lesson what that is about, and lay the formulas ready that links lead to."""
    told = {
        lesson.number: prose.plain_math(f"{lesson.title}. Goal: {lesson.head['Goal']}") for lesson in lessons.lessons()
    }
    about = {app.builder.get_relative_uri(docname, page): told[number] for number, page in pages.items()}
    wanted = set()
    for link_to in doctree.findall(nodes.reference):
        uri = link_to.get("refuri", "")
        if uri in about:
            link_to["reftitle"] = about[uri]
        if "to-equation" in link_to["classes"]:
            wanted.add(uri.rpartition("-")[2])
        if uri in about or {"to-equation", "to-term"} & set(link_to["classes"]):
            link_to["classes"].append("with-card")
    for key in sorted(wanted):
        made = formulas.mathml(guo.EQUATIONS[key].corrected, block=True)
        doctree += nodes.raw("", f'<template id="card-{key}">{made}</template>', format="html")


def _above(node: nodes.Node) -> Iterator[nodes.Node]:
    while node.parent is not None:
        node = node.parent
        yield node


@functools.cache
def _terms(app: Sphinx) -> dict[str, Target]:
    """The words of the glossary, and their plurals."""
    found = {}
    for item in app.env.get_doctree("glossary").findall(nodes.definition_list_item):
        *terms, definition = item.children
        for term in terms:
            if (word := term.astext().lower()) in EVERYDAY:
                continue
            more = word[:-1] + "ies" if word.endswith("y") else word + "s"
            found |= dict.fromkeys((word, more), Target("glossary", term["ids"][0], "term", _plain(definition)))
    return found


def _plain(definition: nodes.Node) -> str:
    """What a definition says, its formulas too, in one line of text."""
    pieces = (
        prose.plain_math(f"${piece.astext()}$") if isinstance(piece.parent, nodes.math) else piece.astext()
        for piece in definition.findall(nodes.Text)
    )
    return " ".join("".join(pieces).split())


def _pieces(
    app: Sphinx, text: str, terms: dict[str, Target], pages: dict[int, str]
) -> Iterator[tuple[str, Target | None]]:
    """The text, cut where something in it leads somewhere."""
    words = "|".join(sorted(map(re.escape, terms), key=len, reverse=True)) or "(?!)"
    wanted = re.compile(rf"(?P<equation>{NUMBER.pattern})|(?P<lesson>{LESSON.pattern})|\b(?P<term>(?i:{words}))\b")
    done = 0
    for match in wanted.finditer(text):
        yield text[done : match.start()], None
        done = match.end()
        if match["term"]:
            yield match[0], terms[match["term"].lower()]
        elif match["lesson"]:
            yield from _lessons(match[0], pages)
        else:
            where = getattr(app.env, "bptt_equations", {}).get(f"G{match[2]}")
            yield match[0], where and Target(*where, "equation", f"({match[2]}) {guo.EQUATIONS[f'G{match[2]}'].gives}.")
    yield text[done:], None


def _lessons(text: str, pages: dict[int, str]) -> Iterator[tuple[str, Target | None]]:
    """``lesson 6`` as a whole; of ``lessons 6 and 10``, each number."""
    for piece in re.split(r"([Ll]esson \d+|\d+)", text):
        number = re.search(r"\d+", piece)
        page = pages.get(int(number[0])) if number else None
        yield piece, Target(page, "", "lesson") if page else None


def read_about(number: int) -> str:
    """The lessons that name an equation, as links."""
    return ", ".join(
        f"{{doc}}`{lesson.number} <lessons/{lesson.path.stem}>`"
        for lesson in lessons.lessons()
        if any(number in mentioned(cell.source) for cell in lessons.cells(lesson.text) if cell.kind == "markdown")
    )


def used_in(name: str) -> str:
    """The lessons whose programs use a public name, as links in reStructuredText."""
    return ", ".join(
        f":doc:`{lesson.number} </lessons/{lesson.path.stem}>`"
        for lesson in lessons.lessons()
        if any(re.search(rf"\btg\.{name}\b", cell.source) for cell in lessons.cells(lesson.text) if cell.kind == "code")
    )


def _names(app: Sphinx, here: str) -> str:
    """Every documented name, by page; an id of its own, so that a link to the one page of old leads on."""
    by_page: dict[str, list[str]] = {}
    for name, _, _, docname, anchor, _ in app.env.domains.python_domain.get_objects():
        if docname.startswith("api/") and anchor == name:
            uri = app.builder.get_relative_uri(here, docname)
            short = html.escape(name.removeprefix(f"{Path(docname).name}."))
            by_page.setdefault(docname, []).append(f'<a id="{name}" href="{uri}#{anchor}">{short}</a>')
    return "".join(
        f"<p><strong><code>{Path(page).name}</code></strong>: {', '.join(sorted(links, key=str.lower))}</p>"
        for page, links in sorted(by_page.items())
    )


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(Names)
    app.add_directive("old-names", NamesDirective)
    app.connect("doctree-resolved", link)
    return {"parallel_read_safe": True}
