"""A network written out as a file of NumPy: what it computes, what it says, and who passes its own check."""

import ast
import runpy
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_rnn as tg
from cell_cases import CELLS, Case, O, own
from own_cells import LINES  # noqa: F401
from tinygrad_rnn.autodiff import OPS
from tinygrad_rnn.autodiff.identifiers import Identifiers
from tinygrad_rnn.unfold.structure import flatten

o = tg.ops


def ran(text, net, tmp_path):
    """What the file computes of the network's numbers: C, the gradients and the copies by number, and dC / ds(0)."""
    file = tmp_path / "bptt.py"
    file.write_text(text, encoding="utf-8")
    bptt = runpy.run_path(str(file))["bptt"]
    data = [np.stack([leaf.value for leaf in leaves]) for leaves in net._data.values()]
    starts = {s.parents[0].name if s.parents else k: s.parents[0] if s.parents else s for k, s in enumerate(flatten(net.states[0]))}
    weights = [leaf for name, leaf in net.weights.items() if name not in starts]
    return bptt(*data, *(s.value for s in starts.values()), *(w.value for w in weights))


def furthest(net, tmp_path):
    """The largest relative difference between the file's numbers and the tape's."""
    net.backward()
    C, grads, copies, errors = ran(net.written(), net, tmp_path)
    trained = [name for name in net.trained if name]
    order = [name for name in net.weights if name not in trained] + list(dict.fromkeys(trained))
    assert len(grads) == len(order)
    assert len(copies) == len(net.weights) - len(set(trained))
    pairs = [(C, net.loss), *zip(grads.values(), [net.grads[name] for name in order], strict=True)]
    pairs += zip(copies.values(), [net.copies[name] for name in order if name not in trained], strict=True)
    pairs += [(e, s.cotangent) for e, s in zip(errors, flatten(net.states[0]), strict=True) if s.cotangent is not None]
    for found, right in pairs:
        assert np.shape(found) == np.shape(right)
    return max(np.abs(a - np.asarray(b)).max() / max(1.0, np.abs(b).max()) for a, b in pairs)


def checks_itself(text, tmp_path):
    file = tmp_path / "alone.py"
    file.write_text(text, encoding="utf-8")
    result = subprocess.run([sys.executable, "-I", str(file)], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("options", [{}, {"mask": True}, {"reduction": "mean"}, {"losses": [2, 5]}], ids=str)
@pytest.mark.parametrize("name", CELLS)
def test_every_cell_is_written_out(name, options, tmp_path):
    case = Case(CELLS[name])
    net = case.unfold(**{what: case.mask if what == "mask" else given for what, given in options.items()})
    assert furthest(net, tmp_path) < 1e-12
    if not options:
        checks_itself(net.written(), tmp_path)
