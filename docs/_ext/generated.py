"""What the pages take from the code, written before Sphinx reads its sources; git ignores it.

lessons/         the pages of the lessons, made by lesson_pages.py from ../lessons
otherwise/       those of lessons that were run with another value, which they name
*.html           beside the site's own: pages that the library itself has written
api/             a page for each module whose names are public
gallery/         every picture that `draw` offers, of four networks
_generated/*.md  text that a page includes: the equations, the list of the API's pages, the drawing of the imports,
                 other people's notations, where each algorithm is, what each lesson needs; in files/, what it has
                 to download
"""

import functools
import importlib
import inspect
import json
import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import click
import graphviz
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from click.testing import CliRunner
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

import algorithms
import cross_links
import gallery
import layers
import lesson_pages
import notation
import tinygrad_rnn as tg
from equations import LIMIT, covered
from mutants.equivalent import reason
from tinygrad_rnn import cli, guo
from tinygrad_rnn.autodiff import Op, ops
from tinygrad_rnn.exercises import folders
from tinygrad_rnn.view.plots import MARKERS
from tinygrad_rnn.view.svg import size

mpl.use("agg")  # a build has no screen

SECTIONS = {
    "1": "Basic definitions",
    "2.1": "Error propagation",
    "2.2": "Activation and cost",
    "3": "Backpropagation through time",
    "3.1": "The same with matrices and vectors",
}

THUMB = 0.35  # of a picture's size: its boxes and lines are seen, and the page cuts off what has no room

CELLS = {"guo": "Guo's network", "lstm": "LSTM", "gru": "GRU"}


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write_all)
    app.connect("build-finished", write_pages)
    return {"parallel_read_safe": True}


def write_all(app: Sphinx) -> None:
    docs = Path(app.srcdir)
    lessons = docs.parent / "lessons"
    _write(docs / "lessons", dict(lesson_pages.pages(lessons)))
    _write(docs / lesson_pages.OTHERWISE, dict(lesson_pages.second_pages(lessons)))
    _write(
        docs / "_generated",
        {
            "equations.md": equations(),
            "api.md": pages_of_api(),
            "imports.md": imports(),
            "algorithms.md": where_each_is(),
            "notation.md": f"{_table(notation.table())}\n{_table(notation.formulas())}",
            "check.md": check(),
            "benchmarks.md": benchmarks(docs / "_data/bench.json"),
            "arena.md": arena(docs / "_data/arena.json"),
            "mutants.md": mutants(docs / "_data/mutants.json"),
            "gallery.md": pages_of_gallery(),
            "minutes.md": lesson_pages.minutes(docs / "teaching.md"),
            "needs.md": lesson_pages.needs(),
            "commands.md": commands("train", "resume", "sample", "forecast", "report"),
        },
    )
    _write(docs / "api", api())
    _write(docs / lesson_pages.FILES, dict(lesson_pages.files(lessons)))
    _write(docs / "gallery", {name: text for network in gallery.NETWORKS for name, text in gallery_of(network).items()})


def write_pages(app: Sphinx, error: Exception | None) -> None:
    """One-file players, as a reader's own ``tg.player(net).save("steps.html")`` writes them."""
    if error or app.builder.format != "html":
        return
    rng = np.random.default_rng(0)
    cell = tg.cells.Guo(f="tanh", g="softmax")
    params = cell.init(n_in=3, n_hidden=3, n_out=3, rng=rng)
    for name, steps in (("steps.html", 5), ("steps-long.html", 200)):
        letters = np.eye(3)[rng.integers(0, 3, steps + 1)]
        net = tg.unfold(cell, params, letters[:-1, None], letters[1:, None], s0=rng.normal(size=(1, 3)))
        tg.player(net).save(Path(app.outdir) / name, overwrite=True)


def check() -> str:
    """What ``tinygrad-rnn exercise 6 --check`` says to a solution in which U stands the wrong way round."""
    folder = next(found for found in folders() if found.number == 6)
    with tempfile.TemporaryDirectory() as work:
        mine = Path(work) / "exercise_06.py"
        mine.write_text(folder.solution.replace("later @ U", "later @ U.T"), "utf-8")
        said = CliRunner().invoke(cli.main, ["exercise", "6", "--check", "--file", str(mine)]).output
    if "Hint 1 of" not in said:
        raise ExtensionError(f"exercise 6 should have given a first hint; it said: {said}")
    return f"```text\n{said.rstrip()}\n```\n"


def commands(*names: str) -> str:
    """A row for each command, of those that there are: what it is given, and what its help begins with."""
    rows = [["command", "what it does"]]
    context = click.Context(cli.main)
    for command in filter(None, (cli.main.get_command(context, name) for name in names)):
        given = "RUN" if any(each.name == "run" for each in command.params) else "--out RUN ..."
        rows.append([f"`tinygrad-rnn {command.name} {given}`", inspect.cleandoc(command.help or "").split("\n")[0]])
    return _table(rows)


def equations() -> str:
    """The 28 equations, corrected, each beside its printed form where that differs."""
    if list(guo.EQUATIONS) != [f"G{n}" for n in range(1, 29)]:
        raise ExtensionError("guo.EQUATIONS is not G1 ... G28 in this order")
    lines, section = [], None
    for key, eq in guo.EQUATIONS.items():
        if eq.section != section:
            section = eq.section
            lines += [f"## Section {section}: {SECTIONS[section]}", ""]
        # A target above the words, not a label on the formula: MyST would write a label's id twice.
        lines += [f"({key})=", f"```{{equation}} {eq.number}", "```", ""]
        if read := cross_links.read_about(eq.number):
            lines += [f"Read about it in lesson {read}.", ""]
    lines += ["## Where each is computed", "", *where_computed(), ""]
    lines += ["## All errata", "", *(f"- {_erratum(key)}" for key in guo.ERRATA), ""]
    return "\n".join(lines)


def where_computed() -> Iterator[str]:
    """A row for each equation: the step, the line it comes from, the oracle and their difference."""
    yield (
        "Each equation is computed by a step of the tape, and by hand, without a tape, in `tinygrad_rnn.guo`. The page "
        "is not built if a step is missing, or if the two differ by more than "
        f"{LIMIT:.0e} of the largest number."
    )
    yield from ("", _row(["equation", "step of the tape", "from", "by hand", "difference"]), _row(["---"] * 5))
    for found in covered():
        if not found.source or not found.difference < LIMIT:
            raise ExtensionError(f"{found.equation}: {found}")
        number = found.equation[1:]
        place = found.source.partition(": ")[0]
        yield _row(
            [
                f"[({number})](#{found.equation.lower()})",
                found.step,
                f"`{place}`",
                f"`{found.oracle}`",
                f"{found.difference:.0e}",
            ]
        )


def where_each_is() -> str:
    """A row for each algorithm; what it promises must be there."""
    rows = [["algorithm", "`tg.`", "lessons and pages", "`tests/`"]]
    for row in algorithms.algorithms():
        for complaint in algorithms.missing(row):
            raise ExtensionError(f"tests/algorithms.py, {row.name}: {complaint}")
        lessons = (f"{{doc}}`{n} <lessons/{algorithms.LESSONS[n].stem}>`" for n in row.lessons)
        pages = (f"{{doc}}`{name.replace('_', ' ')} <{name}>`" for name in row.pages)
        tests = (f"`{algorithms.file_of_test(name).relative_to(algorithms.ROOT / 'tests')}`" for name in row.tests)
        names = (f"{{py:obj}}`{name} <{_documented(name)}>`" for name in row.public)
        read = ", ".join([*lessons, *pages])
        rows.append([row.name, "<br>".join(names), read, "<br>".join(tests)])
    return _table(rows)


def _documented(name: str) -> str:
    """The full name under which the API page has a public one: that of its module, or the facade's."""
    first, _, rest = name.partition(".")
    value = getattr(tg, first)
    if inspect.ismodule(value):
        return f"{value.__name__}.{rest}".removesuffix(".")
    return f"{tg.__name__}.{name}"


def _erratum(key: str) -> str:
    return f"**{key}**: {guo.ERRATA[key]}"


def api() -> dict[str, str]:
    """A page for each place that public names come from: the facade first, then what else the folders offer."""
    folders = [part for part in layers.PARTS if (layers.PACKAGE / part / "__init__.py").is_file()]
    pages, seen = {}, set()
    for module_name in ("tinygrad_rnn", *(f"tinygrad_rnn.{folder}" for folder in folders)):
        offers = importlib.import_module(module_name)
        public = {name: getattr(offers, name) for name in offers.__all__}
        fresh = {name: value for name, value in public.items() if id(value) not in seen}
        seen |= set(map(id, fresh.values()))
        modules = {name: value for name, value in fresh.items() if inspect.ismodule(value)}
        things = {name: value for name, value in fresh.items() if name not in modules}
        if things:
            lines = [f".. currentmodule:: {module_name}", ""]
            for name, value in things.items():
                lines += [f".. {_directive(value)}:: {name}", *["   :members:"] * inspect.isclass(value), ""]
                lines += _used_in(name, indent="   ") if offers is tg else []
            pages[module_name] = lines
        for name, module in modules.items():
            seen |= {id(value) for value in vars(module).values() if (_home(value) or "").startswith(module.__name__)}
            pages[module.__name__] = _used_in(name) if offers is tg else []
            # A class is described in one place, or Sphinx does not know which of the two to link.
            told = [n for n in getattr(module, "__all__", ()) if inspect.isclass(things.get(n))]
            pages[module.__name__] += [f".. automodule:: {module.__name__}", "   :members:"]
            pages[module.__name__] += [f"   :exclude-members: {', '.join(told)}"] * bool(told) + [""]
            pages[module.__name__] += _ops() if module is ops else []
    return {
        f"{name}.md": "\n".join([f"# `{name}`", "", "```{eval-rst}", *lines, "```", ""])
        for name, lines in pages.items()
    }


def pages_of_api() -> str:
    """What is on which page of the API."""
    names = [name.removesuffix(".md") for name in api()]
    says = {name: (inspect.getdoc(importlib.import_module(name)) or "").split("\n")[0] for name in names}
    listed = [line for name in names for line in (f"{{doc}}`{name} <api/{name}>`", f": {says[name]}", "")]
    short = (f"{name.removeprefix('tinygrad_rnn.')} <api/{name}>" for name in names)
    return "\n".join([*listed, _toctree(short, ":hidden:")])


def _used_in(name: str, indent: str = "") -> list[str]:
    used = cross_links.used_in(name)
    return [f"{indent}Used in lesson {used}.", ""] if used else []


def _ops() -> list[str]:
    """What the families of ops hand on: functions, and each op, an object that a reader calls like a function."""
    lines = []
    for name, value in vars(ops).items():
        if inspect.isfunction(value) and value.__module__.startswith(ops.__name__):
            lines += [f".. autofunction:: {ops.__name__}.{name}", ""]
    for op in (value for value in vars(ops).values() if isinstance(value, Op)):
        says = inspect.cleandoc(op.value.__doc__ or "").replace("\n", "\n   ")
        lines += [f".. py:function:: {ops.__name__}.{op.name}{inspect.signature(op)}", "", f"   {says}", ""]
    return lines


def _directive(value: object) -> str:
    if inspect.isclass(value):
        return "autoexception" if issubclass(value, BaseException) else "autoclass"
    return "autofunction" if inspect.isroutine(value) else "autodata"


def _home(value: object) -> str | None:
    return getattr(value, "__module__", None)


def imports() -> str:
    """The arrows between the package's folders, as they are in its source."""
    parts = [part for part in layers.PARTS if part in layers.parts_of() and part != "__main__"]
    found = {(arrow.source, arrow.target) for arrow in layers.arrows() if arrow.inside}
    edges = sorted(edge for edge in found if set(edge) <= set(parts))
    dot = graphviz.Digraph(
        graph_attr={"bgcolor": "transparent", "nodesep": "0.4", "ranksep": "0.5", "rankdir": "BT"},
        node_attr={"shape": "box", "style": "rounded", "fontname": "Helvetica", "margin": "0.2,0.1"},
        edge_attr={"arrowsize": "0.7", "dir": "back"},
    )
    for part in parts:
        dot.node(part)
    for source, target in edges:
        dot.edge(target, source)
    said = "; ".join(f"{source} imports {target}" for source, target in edges) or "no arrows yet"
    return "\n".join(
        [
            "```{raw} html",
            '<figure class="drawing">',
            _inline(dot.source, "imports", said),
            "<figcaption>An arrow says: imports. Read from the source when this page was built.</figcaption>",
            "</figure>",
            "```",
            "",
        ]
    )


def benchmarks(file: Path) -> str:
    """The tables that ``nox -s bench -- --write`` has left, with their date and the versions of all that took part."""
    report = json.loads(file.read_text("utf-8"))
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    lines = [
        f"Measured on {report['date']}, {report['rounds']} rounds: {versions}; NumPy's BLAS is {report['blas']}.",
        "",
    ]
    for table in report["tables"]:
        peers = list(dict.fromkeys(name for row in table["rows"] for name in row["ratios"]))
        lines += [f"## {CELLS[table['kind']]}, {table['dtype']}", "", *_plotted(table["rows"], peers), ""]
        lines += [
            _row(["size", "`T,B,l,m,o`", "numpy_opt", "null", *peers]),
            _row(["---", "---", *["--:"] * (2 + len(peers))]),
        ]
        for row in table["rows"]:
            sizes = f"`{','.join(str(row[name]) for name in 'TBIHO')}`"
            ratios = [f"{row['ratios'][name]:.2f}" if name in row["ratios"] else "" for name in peers]
            lines.append(_row([row["size"], sizes, f"{row['numpy_opt_us']:,.0f} µs", f"{row['null']:.2f}", *ratios]))
        lines.append("")
    if report.get("recording"):
        lines += ["## Recording, and long sequences", "", _row(["what", "measured"]), _row(["---", "--:"])]
        lines += [
            _row([r["what"], f"{r['value']:.2f} {'µs' if r['unit'] == 'us' else r['unit']}"])
            for r in report["recording"]
        ]
    return "\n".join([*lines, ""])


def arena(file: Path) -> str:
    """The standings that are kept of one ``tinygrad-rnn arena``, a picture and a table for each task."""
    kept = json.loads(file.read_text("utf-8"))
    versions = ", ".join(f"{name} {version}" for name, version in kept["versions"].items())
    seconds = sum(each["cpu_seconds"] for each in (kept, kept["on_line"]))
    lines = [f"Run on {kept['date']} with {versions}: {seconds:,.0f} s of processor time in all.", ""]
    for title, each in (("All rivals", kept), ("On-line", kept["on_line"])):
        lines += [f"## {title}: {each['budget']:,} forward passes, {each['seeds']} seeds", "", *_standings(each)]
    return "\n".join(lines)


def _standings(kept: dict[str, Any]) -> Iterator[str]:
    for task, rows in kept["tasks"].items():
        curves = {row["name"]: np.array(row["quartiles"]) for row in rows}
        ax = tg.plot_runs(kept["marks"], curves, title=task)
        ax.set_ylim(top=10)
        weights = rows[0]["weights"]
        yield from (f"### {task}, {weights} weights", "", "```{raw} html", ax.figure._repr_html_(), "```", "")
        plt.close(ax.figure)
        yield _row(["rival", "setting", "training", "test", "better than Adam", "µs per pass"])
        yield _row(["---", "---", "--:", "--:", "--:", "--:"])
        for row in sorted(rows, key=lambda row: float(row["train"])):
            setting = ", ".join(f"{name} {value}" for name, value in row["setting"].items())
            both = [_with_interval(row, what) for what in ("train", "test")]
            more = f"{row['better_than_adam']:.2f}", f"{row['us_per_FE']:.0f}"
            yield _row([row["name"], setting, *both, *more])
        yield ""
    edges = "; ".join(f"{rival}, {name} {value:g}, on {task}" for task, rival, name, value in kept["edges"])
    yield from (f"Best at the edge of what could be tried: {edges or 'nobody'}.", "")


def _with_interval(row: dict[str, Any], what: str) -> str:
    low, high = row[f"{what}_interval"]
    return f"{row[what]:.3g} [{low:.3g}, {high:.3g}]"


def _plotted(rows: list[dict[str, Any]], peers: list[str]) -> Iterator[str]:
    """How many times `numpy_opt`'s time each of the others takes, from the smallest network to the largest."""
    ax, names = tg.plot_axes(5.4, 4.0), [row["size"] for row in rows]
    for marker, peer in zip(cycle(MARKERS), peers, strict=False):
        at = [k for k, row in enumerate(rows) if peer in row["ratios"]]
        ax.plot(at, [rows[k]["ratios"][peer] for k in at], marker=marker, label=peer)
    ax.plot([0, len(rows) - 1], [1, 1], color="black", linewidth=1, linestyle="--", label="numpy_opt")
    ax.set(yscale="log", title="Processor time, as a multiple of numpy_opt's")
    ax.set_xticks(range(len(names)), names)
    ax.fmt_xdata = lambda k: names[round(k)]
    marks = [mark for mark in (1, 2, 5, 10, 20, 50, 100) if mark < 1.2 * ax.get_ylim()[1]]
    ax.set_yticks(marks, map(str, marks))
    ax.set_yticks([], minor=True)
    ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3)
    yield from ("```{raw} html", ax.figure._repr_html_(), "```")
    plt.close(ax.figure)


def mutants(file: Path) -> str:
    """What ``nox -s mutants -- --write`` has left: of each part how many were noticed, and the survivors."""
    report = json.loads(file.read_text("utf-8"))
    lines = [_row(["part", "places", "tried", "noticed", "of all tried", "when", "seed"]), _row(["---", *["--:"] * 6])]
    survivors = []
    for part, row in report.items():
        noticed = row["tried"] - len(row["survived"])
        numbers = [f"{row['places']:,}", f"{row['tried']:,}", f"{noticed:,}", f"{noticed / row['tried']:.1%}"]
        lines.append(_row([f"`{part}`", *numbers, row["date"], str(row["seed"])]))
        survivors += row["survived"]
    lines += ["", "## The survivors", ""]
    for one in survivors:
        why = reason(**one) or "No reason is known: a test is missing."
        lines += [f"`{one['file']}`: {why}", "", "```diff"]
        lines += [f"- {one['line']}", f"+ {one['mutant']}", "```", ""]
    return "\n".join(lines)


def pages_of_gallery() -> str:
    """The gallery's pages, one a network: the middle of the first picture of each part."""
    lines = []
    for network, build in gallery.NETWORKS.items():
        lines += [f"## {inspect.getdoc(build)}", "", ":::{container} thumbs", ""]
        for part, (shown, *_) in parts_of(network).items():
            width, height = (THUMB * side for side in size(shown.picture.svg))
            lines += [f"```{{figure}} gallery/{shown.name}.svg", f":alt: {shown.picture.scene.title}"]
            target = f"gallery/{network}.html#{nodes.make_id(shown.name)}"
            lines += [f":width: {width:.0f}px", f":height: {height:.0f}px"]
            lines += [":loading: lazy", f":target: {target}", "", part, "```", ""]
        lines += [":::", ""]
    return "\n".join([*lines, _toctree((f"gallery/{network}" for network in gallery.NETWORKS), ":hidden:")])


@functools.cache
def parts_of(network: str) -> dict[str, list[gallery.Shown]]:
    """The pictures of a network, those that differ in what is written into them together."""
    parts: dict[str, list[gallery.Shown]] = {}
    for shown in gallery.pictures(network):
        level = {"layers": ", layer by layer", "figure": ", as textbooks draw it"}.get(shown.said.get("level", ""), "")
        view = shown.said.get("view", "unfolded" if level else "opened")
        parts.setdefault(view.capitalize() + level, []).append(shown)
    return parts


def gallery_of(network: str) -> dict[str, str]:
    """The page of a network, and its pictures as files; each takes its room before it is there."""
    build = gallery.NETWORKS[network]
    lines = [f"# {inspect.getdoc(build)}", "", "```python", *_source(build), "net.backward()", "```", ""]
    files = {}
    for part, pictures in parts_of(network).items():
        lines += [f"({pictures[0].name})=", f"## {part}", "", pictures[0].picture.scene.description, ""]
        for shown in pictures:
            files[f"{shown.name}.svg"] = svg = shown.picture.svg
            width, height = size(svg)
            lines += [
                f"```{{figure}} {shown.name}.svg",
                f":alt: {shown.picture.scene.title}, overlay {shown.said.get('overlay', 'both')}",
                ":loading: lazy",
                ":figclass: drawing",
            ]
            lines += [f":width: {width:.0f}px", f":height: {height:.0f}px", "", f"`{shown.call}`", "```", ""]
    return files | {f"{network}.md": "\n".join(lines)}


def _source(function: Callable[[], object]) -> list[str]:
    """The body of a function that makes a network, as somebody would type it."""
    body = inspect.cleandoc(inspect.getsource(function).partition('"""\n')[2])
    before, _, after = body.rpartition("return ")
    return f"{before}net = {after}".split("\n")


def _toctree(names: Iterable[str], *options: str) -> str:
    return "\n".join(["```{toctree}", *options, *names, "```", ""])


def _table(rows: list[list[str]]) -> str:
    head, *rest = rows
    return "\n".join([_row(head), _row(["---"] * len(head)), *map(_row, rest), ""])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _inline(dot: str, prefix: str, said: str) -> str:
    """SVG that stands in the page and says what it shows: ids of its own, and black becomes the colour of the text."""
    engine = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts")) or shutil.which("dot")
    if engine is None:
        raise ExtensionError("neither graphviz-pure nor dot is installed: `pip install graphviz-pure`")
    ran = subprocess.run([engine, "-Tsvg"], input=dot, capture_output=True, text=True, check=True)
    svg = ran.stdout[ran.stdout.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<title>.*?</title>", "", svg, flags=re.DOTALL)  # titles pop up as hover text
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(fill|stroke)="black"', r'\1="currentColor"', svg)
    svg = svg.replace("<text ", '<text fill="currentColor" ')
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{said}" ', 1)
    return re.sub(r"\n\s*\n+", "\n", svg)


def _write(folder: Path, files: dict[str, str]) -> None:
    """Make `folder` hold just these files; one that is right already keeps its date, so Sphinx skips it."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.is_file() and path.name not in files:
            path.unlink()
    for name, text in files.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
