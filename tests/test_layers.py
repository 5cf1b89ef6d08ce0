"""The arrows between the package's folders run one way, and importing it stays light."""

import subprocess
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter

import pytest

import layers


def test_no_part_imports_what_it_may_not():
    assert [str(arrow) for arrow in layers.forbidden()] == []


def test_every_part_has_its_place_in_the_tables():
    unknown = layers.parts_of(layers.PACKAGE) - set(layers.PARTS)
    assert unknown == set(), "say in tests/layers.py what these may import"
    assert set(layers.PARTS) == set(layers.OUTSIDE)


@pytest.mark.parametrize(
    ("file", "line", "arrow"),
    [
        ("autodiff/tape.py", "from ..unfold import cells", ("autodiff", "unfold")),
        ("autodiff/tape.py", "import tinygrad_rnn.unfold.cells", ("autodiff", "unfold")),
        ("autodiff/tape.py", "from tinygrad_rnn import unfold", ("autodiff", "unfold")),
        ("autodiff/tape.py", "from .. import draw", ("autodiff", "__init__")),
        ("autodiff/deep/er.py", "from ...view import svg", ("autodiff", "view")),
        ("autodiff/tape.py", "def late():\n    import networkx", ("autodiff", "networkx")),
        ("autodiff/tape.py", "import importlib\nimportlib.import_module('scipy')", ("autodiff", "scipy")),
        (
            "autodiff/tape.py",
            "import importlib as i\ni.import_module('.view', 'x')",
            ("autodiff", "view"),
        ),
        ("autodiff/tape.py", "def f(name):\n    __import__(name)", ("autodiff", "a module named at run time")),
        ("unfold/cells.py", "from ..guo import EQUATIONS", ("unfold", "guo")),
        ("unfold/cells.py", "from ..through_time import influence", ("unfold", "through_time")),
        ("view/svg.py", "from ..train import loop", ("view", "train")),
        ("train/loop.py", "from ..guo import EQUATIONS", ("train", "guo")),
        ("view/svg.py", "from ..cli import main", ("view", "cli")),
        ("guo.py", "from .autodiff import ops", ("guo", "autodiff")),
        ("guo.py", "import networkx", ("guo", "networkx")),
        ("__init__.py", "from .cli import main", ("__init__", "cli")),
        ("stray.py", "from .autodiff import ops", ("stray", "autodiff")),
    ],
)
def test_a_planted_wrong_arrow_is_found(tmp_path, file, line, arrow):
    package = plant(tmp_path, file, line)
    assert [(found.source, found.target) for found in layers.forbidden(package)] == [arrow]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("autodiff/tape.py", "import math, numpy.linalg\nfrom .op import Op\nfrom ..autodiff import op"),
        ("unfold/cells.py", "import networkx as nx\nfrom ..autodiff.ops import linear"),
        ("view/svg.py", "import graphviz\nfrom ..through_time import influence"),
        ("cli.py", "import click\nfrom . import __version__, guo\nfrom .view import svg"),
    ],
)
def test_a_planted_right_arrow_is_not(tmp_path, file, line):
    assert layers.forbidden(plant(tmp_path, file, line)) == []


def plant(root, file, line):
    """A package of all parts, empty but for one line in one file."""
    package = root / "tinygrad_rnn"
    for part in ("autodiff", "unfold", "through_time", "view", "train"):
        (package / part).mkdir(parents=True)
    for module in ("__init__", "guo", "cli"):
        (package / f"{module}.py").touch()
    (package / file).parent.mkdir(exist_ok=True)
    (package / file).write_text(line)
    return package


def test_no_two_families_of_ops_call_each_other():
    called = defaultdict(set)
    for arrow in layers.arrows(layers.PACKAGE / "autodiff/ops"):
        if arrow.inside:
            called[arrow.source].add(arrow.target)
    assert {"activations", "products", "costs"} <= called["__init__"]
    TopologicalSorter(called).prepare()  # raises CycleError, which names the families on the way round


def test_no_two_modules_import_each_other_in_a_circle():
    found = layers.modules()
    assert found["tinygrad_rnn.autodiff.tape"] >= {"tinygrad_rnn.autodiff.chain", "tinygrad_rnn.autodiff.passes"}
    TopologicalSorter(found).prepare()  # raises CycleError, which names the modules on the way round


def test_a_planted_circle_is_found(tmp_path):
    package = plant(
        tmp_path, "autodiff/tape.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import node"
    )
    (package / "autodiff/node.py").write_text("def late():\n    from .tape import Tape")
    with pytest.raises(CycleError, match="autodiff"):
        TopologicalSorter(layers.modules(package)).prepare()


def test_importing_the_package_imports_only_what_computing_needs():
    heavy = {"graphviz", "rich", "click", "matplotlib", "sphinx", "docutils", "IPython"}
    # A fresh process: this one has imported pytest's and other tests' modules.
    code = "import sys, tinygrad_rnn; print(*{name.partition('.')[0] for name in sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert "tinygrad_rnn" in loaded
    assert loaded & heavy == set()
