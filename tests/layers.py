"""Which part of the package may import which, and which do: read, never run.

`test_layers.py` compares the two; the site's architecture page draws the second.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1] / "tinygrad_rnn"

FACADE = "__init__"  # tinygrad_rnn/__init__.py: the names a user sees
ANY = frozenset({"*"})

# part -> the parts it may import. Arrows run one way. `guo` stands apart, so that it can be an oracle: only
# the facade and the site's `equation` show it. The tests, the lessons and the site, which are no parts, hold it
# against the rest.
PARTS: dict[str, frozenset[str]] = {
    "autodiff": frozenset(),
    "replay": frozenset({"autodiff"}),
    "unfold": frozenset({"replay", "autodiff"}),
    "through_time": frozenset({"unfold", "autodiff"}),
    "view": frozenset(
        {"through_time", "unfold", "autodiff", "exchange", "guo"}
    ),  # to show the equations, and the ledger of a watched model: it computes nothing with them
    "exercises": frozenset({"view", "exchange"}),  # where lessons are, and how a file is written whole
    # A run reads data, keeps files, and is shown as a page.
    "train": frozenset({"through_time", "unfold", "autodiff", "exchange", "data", "view"}),
    # the cells that files hold, and the folded step that ONNX is given; words for wrong arguments
    "exchange": frozenset({"unfold", "replay", "autodiff"}),
    # what is done with all of these, many times over: it trains, measures, counts and plots what it found
    "experiments": frozenset({"autodiff", "unfold", "through_time", "train", "data", "view"}),
    "data": frozenset({"autodiff"}),  # its words for wrong arguments, and for many objects at a time
    "guo": frozenset(),
    FACADE: frozenset(
        {"autodiff", "unfold", "through_time", "view", "train", "exchange", "experiments", "data", "guo"}
    ),
    "cli": ANY,
    "__main__": frozenset({"cli"}),
}

# part -> the packages from outside that it may import, besides the standard library.
OUTSIDE: dict[str, frozenset[str]] = {
    "autodiff": frozenset({"numpy"}),
    "replay": frozenset({"numpy", "networkx"}),
    "unfold": frozenset({"numpy", "networkx"}),
    "through_time": frozenset({"numpy", "networkx"}),
    "view": ANY,  # drawing, terminal, notebook, Sphinx: imported when used
    "exercises": frozenset({"numpy"}),
    "train": frozenset({"numpy", "threadpoolctl"}),
    "experiments": ANY,  # clusters, other people's optimisers: imported when used
    "exchange": ANY,  # the libraries whose networks it reads: imported when asked for
    "data": frozenset({"numpy"}),
    "guo": frozenset({"numpy"}),
    FACADE: frozenset({"numpy"}),
    "cli": ANY,
    "__main__": frozenset(),
}


class Arrow(NamedTuple):
    """`source`, a part of the package, imports `target` in the line `where`."""

    source: str
    target: str
    inside: bool  # target is a part of the package, too
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.source} imports {self.target}"


def arrows(package: Path = PACKAGE) -> list[Arrow]:
    """Every import of the package that leaves the part it stands in, inside functions too."""
    found = []
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        for line, name in _imports(file, (package.name, *parts)):
            top, *rest = name.split(".")
            inside = top == package.name
            if inside:
                # `from tinygrad_rnn import draw` asks the facade unless `draw` is a part
                target = rest[0] if rest and rest[0] in parts_of(package) else FACADE
            else:
                target = top
            if target != parts[0] and (inside or top not in sys.stdlib_module_names):
                found.append(Arrow(parts[0], target, inside, f"{file.relative_to(package.parent)}:{line}"))
    return found


def forbidden(package: Path = PACKAGE) -> list[Arrow]:
    """The arrows that the two tables do not allow."""

    def allowed(arrow: Arrow) -> bool:
        table = (PARTS if arrow.inside else OUTSIDE).get(arrow.source, frozenset())
        return table == ANY or arrow.target in table

    return [arrow for arrow in arrows(package) if not allowed(arrow)]


def modules(package: Path = PACKAGE) -> dict[str, set[str]]:
    """Which modules of the package each of them imports, for the eyes of a type checker too."""
    files = {}
    for file in package.rglob("*.py"):
        parts = file.relative_to(package.parent).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file, parts
    found: dict[str, set[str]] = {}
    for name, (file, parts) in files.items():
        asked = {target for _, target in _imports(file, parts)}
        known = {target if target in files else target.rpartition(".")[0] for target in asked}
        found[name] = (known & files.keys()) - {name}
    return found


def parts_of(package: Path = PACKAGE) -> set[str]:
    """Its folders and modules, but for the facade."""
    return {path.stem for path in package.iterdir() if path.suffix in {"", ".py"}} - {FACADE, "__pycache__"}


def _imports(file: Path, module: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of each import in `file`, whose own module is `module`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(module[: -node.level]) if node.level else ""
            stem = ".".join(filter(None, (base, node.module)))
            for alias in node.names:
                yield node.lineno, f"{stem}.{alias.name}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            # An import by name is an arrow too; one whose name is not in the source cannot be read, so it is
            # reported as a part that no table allows.
            name = node.args[0] if node.args else None
            known = isinstance(name, ast.Constant) and isinstance(name.value, str)
            absolute = name.value.replace(".", f"{module[0]}.", 1) if known and name.value[0] == "." else None
            yield node.lineno, absolute or (name.value if known else "a module named at run time")
