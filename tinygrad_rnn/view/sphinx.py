"""A Sphinx extension: pictures, steppers, ledgers and Guo's equations on anybody's site.

Put ``"tinygrad_rnn.view.sphinx"`` among the ``extensions`` of ``conf.py``. The directives `unroll`, `stepper` and
`ledger` take Python that makes a network called ``net``; it is run when the site is built. The directive `equation`
takes the number of an equation of Guo's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from docutils import nodes
from docutils.parsers.rst import DirectiveError, directives
from sphinx.util import texescape
from sphinx.util.docutils import SphinxDirective

from .. import guo
from ..exchange.files import write_whole
from ..unfold import Unfolded
from .engine import EngineError
from .formats import pdf
from .ledger import ledger
from .player import Player, script_text, style_text
from .redrawn import redrawn
from .text import clean, printable
from .trace import Trace
from .tracing import trace
from .views import draw

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_ASSETS = {"bptt-player.css": style_text, "bptt-player.js": script_text}


class ForBuilder(nodes.General, nodes.Element):  # type: ignore[misc]  # docutils has no types
    """Something that HTML shows in one way; its children are what every other format shows."""


class Still(nodes.General, nodes.Element):  # type: ignore[misc]  # docutils has no types
    """A picture where nothing can be played: in a book, on paper, in text."""


class StepsOf(nodes.General, nodes.Element):  # type: ignore[misc]  # docutils has no types
    """Stands for the links to the steps that compute an equation, until all pages have been read."""


class Located(SphinxDirective):  # type: ignore[misc]  # Sphinx's base class is untyped here
    """A directive whose mistakes are told with the line where it stands, and end it alone and not the build."""

    def run(self) -> list[nodes.Node]:
        """Docutils asks for the nodes."""
        with self.located():
            return self.made()

    def made(self) -> list[nodes.Node]:
        """The nodes themselves."""
        raise NotImplementedError

    @contextmanager
    def located(self, doing: str = "") -> Iterator[None]:
        """Whatever goes wrong here is said of this directive."""
        try:
            yield
        except DirectiveError:
            raise
        except (Exception, SystemExit) as error:
            says = f"{doing}: {type(error).__name__}: {error}" if doing else str(error) or type(error).__name__
            raise self.error(clean(says)) from error


class FromCode(Located):
    """What the directives have in common that need a network."""

    has_content = True
    option_spec: ClassVar[dict[str, Callable[[str], Any]]] = {
        "net": directives.unchanged,
        "show-code": directives.flag,
        "file": directives.path,
    }

    def names(self) -> dict[str, Any]:
        """What the directive's content defines, or that of the file that it names."""
        names: dict[str, Any] = {"__name__": "__main__"}
        with self.located("the code of this directive failed"):
            exec(compile(self.source(), f"<{self.name} of {self.env.docname}>", "exec"), names)
        return names

    def source(self) -> str:
        """The code itself."""
        if "file" not in self.options:
            return "\n".join(self.content)
        if self.content:
            raise self.error("this directive has code of its own and a :file: too; give it one of them")
        relative, absolute = self.env.relfn2path(self.options["file"])
        self.env.note_dependency(relative)
        try:
            return Path(absolute).read_text("utf-8")
        except (OSError, ValueError) as error:
            raise self.error(clean(f"{self.options['file']}: {error}")) from error

    def network(self, names: dict[str, Any] | None = None, name: str = "") -> Unfolded:
        """The network that the directive's content makes."""
        names = self.names() if names is None else names
        name = name or self.options.get("net", "net")
        net = names.get(name)
        if not isinstance(net, Unfolded):
            raise self.error(
                f"the code of this directive must make a network called {name!r}, with tinygrad_rnn.unfold; "
                f"it made {type(net).__name__ if name in names else 'nothing of that name'}"
            )
        return net

    def code(self) -> list[nodes.Node]:
        """The content itself, if it is to be shown."""
        if "show-code" not in self.options:
            return []
        text = self.source()
        return [nodes.literal_block(text, text, language="python")]


class Unroll(FromCode):
    """``unroll``: a picture of a network."""

    option_spec: ClassVar = {
        **FromCode.option_spec,
        "view": directives.unchanged,
        "overlay": directives.unchanged,
        "level": directives.unchanged,
        "highlight": directives.unchanged,
        "ledger": directives.unchanged,
        "of": directives.positive_int,
    }

    def made(self) -> list[nodes.Node]:
        """The picture."""
        net, overlay, of = self.network(), self.options.get("overlay", "both"), self.options.get("of")
        if overlay not in ("none", "values") or "ledger" in self.options:
            net.backward(of)
        how = {name: self.options[name] for name in ("view", "level", "highlight", "ledger") if name in self.options}
        picture = draw(net, overlay=None if overlay == "none" else overlay, of=of, **how)
        id, says = _new_id(self.env, "unroll"), f"{picture.scene.title}. {picture.scene.description}"
        node = ForBuilder(html=picture.fragment(id))
        node += Still(picture=picture.svg, id=id, says=says)
        return [*self.code(), node]


class Stepper(FromCode):
    """``stepper``: what each copy of each weight gives, and the steps to it, to be tapped through."""

    option_spec: ClassVar = {
        **FromCode.option_spec,
        "of": directives.positive_int,
        "title": directives.unchanged,
        "predict": directives.flag,
        "trace": directives.path,
        "weight": directives.unchanged_required,
        "start": directives.unchanged_required,
        "compare": directives.unchanged_required,
        "caption": directives.unchanged,
        "name": directives.unchanged,
        "width": directives.length_or_percentage_or_unitless,
        "no-ops": directives.flag,
    }

    def made(self) -> list[nodes.Node]:
        """The player, and its steps as a list."""
        found, compared = self._trace()
        shown = Player(found, "predict" in self.options, self._start(found), "no-ops" not in self.options, compared)
        name = self.options.get("name", "")
        shown.id = nodes.make_id(name) or _new_id(self.env, "bptt")
        known = _steppers(self.env)
        if any(id == shown.id for each in known.values() for id, _ in each):
            raise self.error(f"there is another stepper of the name {name!r}: each has its own")
        known.setdefault(self.env.docname, []).append((shown.id, found))
        width = self.options.get("width", "")
        node = ForBuilder(player=shown, width=f"{width}px" if width.isdecimal() else width)
        node += Still(picture=(found.figure or found).svg, id=shown.id, says=found.title)
        steps = nodes.enumerated_list(enumtype="arabic", prefix="", suffix=".")
        for k, moment in enumerate(found.moments, start=1):
            said = _said(f"{moment.title}: {moment.text}; {moment.worked}")
            steps += nodes.list_item("", said, ids=[f"{shown.id}-step-{k}"])  # where an equation's link leads
        node += steps
        below: list[nodes.Node] = []
        if self.options.get("caption"):
            below = [nodes.paragraph("", "", *self.parse_inline(self.options["caption"])[0], classes=["bptt-caption"])]
        return [*self.code(), node, *below]

    def _start(self, found: Trace) -> tuple[str, int] | None:
        """The share that is shown first: ``:start: U 2``, or ``:weight: U``, whose second copy it is."""
        if "start" in self.options:
            weight, _, t = self.options["start"].strip().rpartition(" ")
            if not weight or not t.isdecimal() or len(t) > 9:
                raise self.error(f"start: {self.options['start']!r} is a weight and a time step, such as U 2")
            return weight.strip(), int(t)
        return (self.options["weight"].strip(), min(2, found.T)) if "weight" in self.options else None

    def _trace(self) -> tuple[Trace, bool]:
        """What is shown, and whether it is held against something else."""
        if "trace" not in self.options:
            names, other = self.names(), self.options.get("compare")
            if other is not None and not isinstance(names.get(other), Mapping):
                against: Any = self.network(names, other)
                against.backward()
            else:
                against = names.get(other)
            net = self.network(names)
            return trace(net, self.options.get("of"), self.options.get("title", ""), against), against is not None
        if "compare" in self.options:
            raise self.error("compare: is said when a trace is made; this one is read from a file")
        relative, absolute = self.env.relfn2path(self.options["trace"])
        self.env.note_dependency(relative)
        try:
            return Trace.load(absolute), False
        except (OSError, ValueError) as error:
            raise self.error(clean(f"{self.options['trace']}: {error}")) from error


class LedgerTable(FromCode):
    """``ledger``: the table of what each copy of a weight contributes; its argument is the weight's name."""

    required_arguments = 1
    option_spec: ClassVar = {**FromCode.option_spec, "of": directives.positive_int}

    def made(self) -> list[nodes.Node]:
        """The table."""
        net, weight = self.network(), self.arguments[0]
        if weight not in net.weights:
            raise self.error(f"there is no weight {weight!r}; there are {', '.join(net.weights)}")
        net.backward(self.options.get("of"))
        book = ledger(net, weight)
        rows = [("t", book.columns()), *book.rows()]
        group = nodes.tgroup(cols=len(rows[0][1]) + 1)
        group += [nodes.colspec(colwidth=1) for _ in range(len(rows[0][1]) + 1)]
        head, body = nodes.thead(), nodes.tbody()
        head += _row(*rows[0])
        body += [_row(*row) for row in rows[1:]]
        group += [head, body]
        return [*self.code(), nodes.table("", group, classes=["bptt-ledger"])]


class EquationDirective(Located):
    """``equation``: one of Guo's equations, corrected and as printed, with links to the steps that compute it."""

    required_arguments = 1

    def made(self) -> list[nodes.Node]:
        """The equation, and what is wrong with it in print."""
        key = "G" + self.arguments[0].removeprefix("G")
        if key not in guo.EQUATIONS:
            raise self.error(f"Guo's equations are 1 to 28, not {self.arguments[0]!r}")
        eq = guo.EQUATIONS[key]
        _equations(self.env)[key] = (self.env.docname, f"equation-{key}")
        box = nodes.container(ids=[f"equation-{key}"], classes=["bptt-equation"])
        head = f"({eq.number}) {eq.gives}."
        box += nodes.paragraph("", "", nodes.strong("", head), nodes.Text(" "), *self.parse_inline(eq.note)[0])
        box += nodes.math_block(eq.corrected, eq.corrected, nowrap=False, number=None, label=None)
        box += StepsOf(key=key)
        misprinted = eq.printed != eq.corrected
        if misprinted or eq.erratum:
            title = f"({eq.number}) as printed" if misprinted else f"A slip near ({eq.number})"
            note = nodes.admonition("", nodes.title("", title), classes=["warning"])
            if misprinted:
                note += nodes.math_block(eq.printed, eq.printed, nowrap=False, number=None, label=None)
            if eq.erratum:
                says = self.parse_inline(guo.ERRATA[eq.erratum])[0]
                note += nodes.paragraph("", "", nodes.strong("", eq.erratum), nodes.Text(": "), *says)
            box += note
        return [box]


def _row(head: str, cells: list[str]) -> nodes.row:
    row = nodes.row()
    row += [nodes.entry("", _said(text)) for text in (head, *cells)]
    return row


def _new_id(env: Any, kind: str) -> str:
    """An id that nothing else on any page has, the same one in each build of the site."""
    return f"{kind}-{env.new_serialno(kind)}-{nodes.make_id(env.docname)}"


def _steppers(env: Any) -> dict[str, list[tuple[str, Trace]]]:
    """By page, the id of each stepper and what it shows. Sphinx keeps what its environment has from build to build."""
    return cast(dict[str, list[tuple[str, Trace]]], vars(env).setdefault("bptt_steppers", {}))


def _equations(env: Any) -> dict[str, tuple[str, str]]:
    """Where each equation stands: its page, and its id there."""
    return cast(dict[str, tuple[str, str]], vars(env).setdefault("bptt_equations", {}))


def _forget(_app: Sphinx, env: Any, docname: str) -> None:
    _steppers(env).pop(docname, None)
    for key, (where, _) in list(_equations(env).items()):
        if where == docname:
            del _equations(env)[key]


def _merge(_app: Sphinx, env: Any, docnames: set[str], other: Any) -> None:
    _steppers(env).update({name: found for name, found in _steppers(other).items() if name in docnames})
    _equations(env).update({key: found for key, found in _equations(other).items() if found[0] in docnames})


def _resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Fill in what needs all pages: links from equations to steps and back, and the form that the builder takes."""
    is_html, is_book = app.builder.format == "html", app.builder.name == "epub"
    for node in list(doctree.findall(StepsOf)):
        links = _links_to_steps(app, docname, node["key"])
        node.replace_self(_folded("Where it is computed", links) if links and is_html and not is_book else links)
    for node in list(doctree.findall(ForBuilder)):
        if not is_html or (is_book and "player" in node):  # a book plays nothing
            node.replace_self(node.children)
            continue
        shown: Player | None = node.get("player")
        text = shown.fragment(link=_link_from(app, docname), id=shown.id) if shown else node["html"]
        if node.get("width"):
            text = f'<div style="max-width:{node["width"]}">{text}</div>'
        node.replace_self(nodes.raw("", text, format="html"))
    for node in list(doctree.findall(Still)):
        node.replace_self(_still(app, node))


def _still(app: Sphinx, node: Still) -> nodes.Node:
    """A picture in the form that the builder takes: drawn in a book and on paper, in words elsewhere."""
    if app.builder.format == "html":
        return nodes.raw("", redrawn(node["picture"], f"{node['id']}-"), format="html")
    if app.builder.format == "latex":
        with suppress(EngineError):  # without Typst there are words
            name = f"{node['id']}.pdf"
            write_whole(Path(app.outdir) / name, lambda: pdf(node["picture"], node["says"], ""), overwrite=True)
            says = texescape.escape(printable(node["says"]))
            return nodes.raw("", rf"\sphinxincludegraphics[alt={{{says}}}]{{{name}}}", format="latex")
    return _said(f"[{node['says']}]")


def _said(text: str) -> nodes.paragraph:
    text = printable(text)
    return nodes.paragraph(text, text)


def _link_from(app: Sphinx, docname: str) -> Callable[[str], str]:
    def link(key: str) -> str:
        where = _equations(app.env).get(key)
        return f"{app.builder.get_relative_uri(docname, where[0])}#{where[1]}" if where else ""

    return link


def _links_to_steps(app: Sphinx, docname: str, key: str) -> list[nodes.Node]:
    links: list[nodes.Node] = []
    for where, steppers in sorted(_steppers(app.env).items()):
        for number, (name, shown) in enumerate(steppers, start=1):
            at = [k for k, m in enumerate(shown.moments, start=1) if m.equation == key]
            if not at:
                continue
            title = app.env.titles[where].astext() if where in app.env.titles else where
            text = title if len(steppers) == 1 else f"{title}, network {number}"
            source = shown.moments[at[0] - 1].source
            links += [nodes.Text("; " if links else "Computed in ")]
            uri = f"{app.builder.get_relative_uri(docname, where)}#{name}-step-{at[0]}"
            links += [nodes.reference("", f"{text}, step {at[0]}", internal=True, refuri=uri)]
            links += [nodes.Text(f" and {len(at) - 1} more")] if len(at) > 1 else []
            links += [nodes.Text(" by "), nodes.literal(source, source)] if source else []
    return [nodes.paragraph("", "", *links, nodes.Text("."))] if links else []


def _folded(summary: str, inside: list[nodes.Node]) -> list[nodes.Node]:
    """What only some readers want, behind a line that opens."""
    opened, closed = f"<details><summary>{summary}</summary>", "</details>"
    return [nodes.raw("", opened, format="html"), *inside, nodes.raw("", closed, format="html")]


def _add_assets(app: Sphinx, page: str, *_: Any) -> None:
    if page in _steppers(app.env) and app.builder.name != "epub":
        app.add_css_file("bptt-player.css")
        app.add_js_file("bptt-player.js", loading_method="defer")


def _write_assets(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html" and app.builder.name != "epub":
        folder = Path(app.outdir) / "_static"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in _ASSETS.items():
            write_whole(folder / name, text().encode, overwrite=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx calls this."""
    app.add_node(ForBuilder)
    app.add_node(StepsOf)
    app.add_node(Still)
    for name, directive in (
        ("unroll", Unroll),
        ("stepper", Stepper),
        ("ledger", LedgerTable),
        ("equation", EquationDirective),
    ):
        app.add_directive(name, directive)
    app.connect("env-purge-doc", _forget)
    app.connect("env-merge-info", _merge)
    app.connect("doctree-resolved", _resolve)
    app.connect("html-page-context", _add_assets)
    app.connect("build-finished", _write_assets)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
