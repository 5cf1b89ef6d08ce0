"""A network written out as a file of NumPy: what the file computes, what it says, and that it passes its own check."""

import re
import runpy
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import hostile
import own_cells
import tinygrad_rnn as tg
from cell_cases import CELLS, Case
from tinygrad_rnn.autodiff import OPS, TapeError, op
from tinygrad_rnn.unfold.structure import flatten

o = tg.ops
rng = np.random.default_rng(3)


def ran(text, net, folder):
    """What the file makes of the network's numbers: C, gradients and copies by the file's names, and dC / ds(0)."""
    file = folder / "bptt.py"
    file.write_text(text, encoding="utf-8")
    bptt = runpy.run_path(str(file))["bptt"]
    data = [np.stack([leaf.value for leaf in leaves]) for leaves in net._data.values()]
    leaves = dict.fromkeys(s.parents[0] if s.parents else s for s in flatten(net.states[0]))
    weights = [w for w in net.weights.values() if w not in leaves]
    return bptt(*data, *(s.value for s in leaves), *(w.value for w in weights))


def furthest(net, folder):
    """The largest relative difference of the file's cost, gradients, copies and errors of s(0) from the tape's."""
    net.backward()
    C, grads, copies, errors = ran(net.written(), net, folder)
    trained = [*dict.fromkeys(name for name in net.trained if name)]
    tied = [name for name in net.weights if name not in trained]
    pairs = [(C, net.loss), *zip(grads.values(), [net.grads[name] for name in tied + trained], strict=True)]
    pairs += zip(copies.values(), [net.copies[name] for name in tied], strict=True)
    for found, s in zip(errors, flatten(net.states[0]), strict=True):
        pairs.append((found, np.zeros(s.shape) if s.cotangent is None else np.asarray(s.cotangent)))
    assert [np.shape(found) for found, _ in pairs] == [np.shape(right) for _, right in pairs]
    return max(np.abs(found - right).max() / max(1.0, np.abs(right).max()) for found, right in pairs)


def alone(text, folder):
    """Run the file by itself, away from this package; what it prints."""
    file = folder / "alone.py"
    file.write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-I", str(file)], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def passes(net, folder):
    found = alone(net.written(), folder)
    assert found.returncode == 0, found.stdout + found.stderr
    assert float(re.search(r"slope: (\S+) of", found.stdout)[1]) < 1e-6


@pytest.mark.parametrize("name", CELLS)
def test_every_cell(name, tmp_path):
    net = Case(CELLS[name]).unfold()
    assert furthest(net, tmp_path) < 1e-12
    passes(net, tmp_path)


OPTIONS = [
    {"mask": True},
    {"reduction": "mean"},
    {"losses": [2, 5]},
    {"losses": [2, 5], "reduction": "mean"},
    {"mask": True, "losses": "last"},
    {"mask": True, "reduction": "own_mean"},
    {"weights": rng.random((5, 3))},
    {"loss": "squared_error", "mask": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=", ".join)
@pytest.mark.parametrize("name", ["guo", "elman", "lstm", "gru, identity", "three kinds"])
def test_every_way_to_count_the_costs(name, options, tmp_path):
    case = Case(CELLS[name])
    net = case.unfold(**options | ({"mask": case.mask} if "mask" in options else {}))
    assert furthest(net, tmp_path) < 1e-12


@pytest.mark.parametrize("options", OPTIONS, ids=", ".join)
def test_such_files_pass_their_own_check(options, tmp_path):
    case = Case(tg.cells.Elman())
    passes(case.unfold(**options | ({"mask": case.mask} if "mask" in options else {})), tmp_path)


@pytest.mark.parametrize("start", [("h", "c"), ("h", None), ("h", "h")], ids=str)
def test_an_initial_state_that_is_trained(start, tmp_path):
    case = Case(tg.cells.LSTM())
    case.params |= {name: rng.normal(size=4) for name in start if name}
    net = case.unfold(s0=tuple(name or s for name, s in zip(start, case.s0, strict=True)))
    assert furthest(net, tmp_path) < 1e-12
    passes(net, tmp_path)


def looked_up(params, x, s):
    """Reads words by their number."""
    word = o.embedding(x[:, 0], params["E"])
    s = o.tanh(o.linear(word, params["V"], s, params["U"]), name="s")
    return s, o.softmax(o.linear(s, params["W"]))


def test_embeddings(tmp_path):
    params = {
        name: rng.normal(size=size) for name, size in {"E": (6, 2), "V": (4, 2), "U": (4, 4), "W": (6, 4)}.items()
    }
    words = rng.integers(6, size=(5, 3))
    net = tg.unfold(looked_up, params, words[..., None] * 1.0, np.eye(6)[words], s0=rng.normal(size=(3, 4)))
    assert furthest(net, tmp_path) < 1e-12
    passes(net, tmp_path)


NAMES = [
    *hostile.NAMES,
    "lambda",
    "np",
    "t",
    "T",
    "C",
    "grads",
    "copies",
    "sum",
    "softmax",
    "import os\n; x",
    'grads["',
    '"""',
    "d",
    "s0",
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:30])
def test_whatever_things_are_called(name, tmp_path):
    def cell(params, x, s):
        s = o.tanh(o.linear(x, params[name], s, params["U"]), name=name)
        return s, o.softmax(s * 2, name=name)

    params = {name: rng.normal(size=(3, 2)), "U": rng.normal(size=(3, 3))}
    x, d = rng.normal(size=(4, 2, 2)), rng.dirichlet(np.ones(3), size=(4, 2))
    net = tg.unfold(cell, params, x, d, s0=rng.normal(size=(2, 3)))
    assert furthest(net, tmp_path) < 1e-12
    assert ascii(name) in net.written() or name.isidentifier()


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(own_cells.cells(), own_cells.options())
def test_cells_that_nobody_wrote(tmp_path_factory, cell, how):
    case = own_cells.Case(cell, replace(how, untied=False, single=False))
    x, d, mask, s0, _ = case.data()
    assert furthest(case.unfold(x, d, mask, s0), tmp_path_factory.mktemp("written")) < 1e-12


def test_guos_letters_and_the_numbers_of_his_equations():
    text = Case(tg.cells.Guo()).unfold().written()
    lines = [line.strip() for line in text.splitlines()]
    assert "net_j[t] = x[t] @ V.T + s[t - 1] @ U.T + b_j  # (G2)" in lines
    assert "d_s = d_s_later + d_net_k @ W  # (G22), (G26)" in lines
    assert 'copies["U"][t - 1] = d_net_j.T @ s[t - 1]  # (G12)' in lines
    assert "grads = {name: copy.sum(axis=0) for name, copy in copies.items()}  # (G27), (G28)" in lines
    assert set(re.findall(r"\((G\d+)\)", text)) >= {
        "G1",
        "G2",
        "G3",
        "G4",
        "G9",
        "G11",
        "G12",
        "G17",
        "G18",
        "G22",
        "G26",
    }


def test_such_a_file_is_short():
    lines = {name: Case(CELLS[name]).unfold().written().count("\n") for name in CELLS}
    assert lines["guo"] <= 80
    assert lines["lstm"] <= 105
    assert max(lines[name] for name, cell in CELLS.items() if not isinstance(cell, tg.cells.Stacked)) <= 115
    assert max(lines.values()) <= 150  # three layers, each of another kind


def test_no_line_is_longer_than_a_window():
    for case in map(Case, CELLS.values()):
        assert max(map(len, case.unfold().written().split("\n"))) <= 112


def test_it_says_first_what_its_arguments_are_like():
    text = Case(tg.cells.LSTM()).unfold().written()
    assert "x is (T, samples, 2), d is (T, samples, 3), s0, c0 are (samples, 4)." in text
    assert "[..., 0:4] and its like fit these sizes." in " ".join(text.split())


def test_what_is_read_after_it_has_changed_is_changed_at_once(tmp_path):
    def cell(params, x, s):
        a, b = s
        a, b = b, o.tanh(o.linear(x, params["V"], a, params["U"]), name="b")
        return (a, b), b

    params = {"V": rng.normal(size=(3, 2)), "U": rng.normal(size=(3, 3))}
    x, d = rng.normal(size=(5, 2, 2)), rng.normal(size=(5, 2, 3))
    s0 = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    net = tg.unfold(cell, params, x, d, s0=s0, loss="squared_error")
    assert furthest(net, tmp_path) < 1e-12


def test_ruff_finds_nothing(tmp_path):
    for k, case in enumerate(map(Case, CELLS.values())):
        for how, options in enumerate([{}, {"mask": case.mask}, {"losses": [2]}]):
            (tmp_path / f"bptt{k}_{how}.py").write_text(case.unfold(**options).written(), encoding="utf-8")
    found = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout


def test_the_check_of_a_file_finds_a_mistake(tmp_path):
    text = Case(tg.cells.Guo()).unfold().written()
    wrong = text.replace("d_s_later = d_net_j @ U\n", "d_s_later = d_net_j @ U.T\n")
    assert wrong != text
    assert alone(wrong, tmp_path).returncode == 1


def test_a_net_whose_steps_are_no_copies_is_refused():
    count = []

    def cell(params, x, s):
        count.append(1)
        s = o.tanh(o.linear(x, params["V"]) * float(len(count)), name="s")
        return s, s

    net = tg.unfold(
        cell, {"V": np.ones((2, 2))}, np.ones((3, 1, 2)), np.ones((3, 1, 2)), loss="squared_error", s0=np.ones((1, 2))
    )
    with pytest.raises(ValueError, match=r"cannot be folded: .*is another number than"):
        net.written()


def test_a_net_that_is_cut_is_refused():
    net = Case(tg.cells.Guo()).unfold()
    tg.cut(net, 3)
    with pytest.raises(ValueError, match="the network is cut before t=3"):
        net.written()


def test_an_op_without_a_line_is_refused_by_its_name():
    @op(label="?", latex="?({0})", linear=(0,))
    def nameless(x, out=None):
        return np.positive(x, out=out)

    nameless.vjp(0, latex="{g}")(lambda g, y, x: g)
    try:
        net = tg.unfold(
            lambda P, x, s: (n := nameless(s * P["u"], name="s"), n),
            {"u": np.ones((1, 2))}, np.ones((3, 1, 2)), np.ones((3, 1, 2)), loss="squared_error", s0=np.ones((1, 2)),
        )  # fmt: skip
        with pytest.raises(TapeError, match="the op nameless says no line of NumPy"):
            net.written()
    finally:
        del OPS["nameless"]
