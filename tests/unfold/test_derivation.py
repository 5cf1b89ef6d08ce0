"""The derivation of a cell: every formula is read as it is printed, worked out, and held against the tape."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import hostile
import own_cells
import tinygrad_rnn as tg
from cell_cases import CELLS, Case
from tinygrad_rnn.autodiff import naming, writing
from tinygrad_rnn.autodiff.notation import plain, symbol
from tinygrad_rnn.autodiff.traits import is_tie

o = tg.ops
rng = np.random.default_rng(4)


class Before:
    """An operator that stands before what it works on; it binds as an exponent does."""

    def __init__(self, does):
        self.does = does

    def __pow__(self, other):
        return self.does(other)

    def __call__(self, other):
        return self.does(other)


def softmax(net):
    e = np.exp(net - net.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


WORDS = {
    r"-\sum_{pk} ": "-SUM_PK @ ", r"\sum_p ": "SUM_P ** ", r"\sum_k ": "SUM_K ** ", r"\sum ": "SUM ** ",
    r"\ln ": "LN ** ", r"\ln(": "LN(", r"\tanh": "np.tanh", r"\sigma": "SIGMA", r"\operatorname{softmax}": "SOFTMAX",
    r"\max(0, ": "np.maximum(0, ", r"\odot": "*", r"\cdot": "*", r"^{\top}": ".T", r",\,": ", ", r"\,": " @ ",
    r"\tfrac12 \lVert": "NORM(", r"\rVert^{2}": ")", r"\langle": "DOT(", r"\rangle": ")", r"\neq": "!=",
    r"\frac{1}{T}": "(1 / T)", r"\exp": "np.exp", r"\mathrm{share}(t)": "SHARE",
}  # fmt: skip


def worked_out(latex, known, T, share):
    """The value of a formula, the texts in `known` standing for arrays."""
    arrays = {}

    def named(found):
        arrays[f"V{len(arrays)}_"] = known[found[0]]
        return f"V{len(arrays) - 1}_"

    texts = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    latex = re.sub(rf"(?<![A-Za-z\\])(?:{texts})(?![A-Za-z])", named, latex)
    total = latex.startswith(r"-\sum_{pk} ")
    latex = latex.removeprefix(r"-\sum_{pk} ") if total else latex
    for word, python in WORDS.items():
        latex = latex.replace(word, python)
    latex = re.sub(
        r"\[(V\d+_) (>|!=|=) 0\]", lambda m: f"({m[1]} {m[2].replace('=', '==').replace('!==', '!=')} 0)", latex
    )
    latex = re.sub(r"(V\d+_|\))\[(\d+:\d+)\]", r"\1[..., \2]", latex)
    latex = re.sub(r"(?<![\w\])])\[", "JOIN([", latex).replace("]", "])") if latex.startswith("[") else latex
    at = {
        "np": np, "T": T, "SHARE": share, "SIGMA": lambda net: 0.5 * np.tanh(net / 2) + 0.5, "SOFTMAX": softmax,
        "SUM_P": Before(lambda a: a.sum(axis=0)), "SUM_K": Before(lambda a: a.sum(axis=-1, keepdims=True)),
        "LN": Before(lambda a: np.log(np.maximum(a, 1e-300))), "SUM": Before(np.sum),
        "NORM": lambda e: 0.5 * (e**2).sum(),
        "DOT": lambda a, b: (a * b).sum(axis=-1, keepdims=True), "JOIN": lambda blocks: np.concatenate(blocks, axis=-1),
    }  # fmt: skip
    value = eval(latex, at | arrays)
    return -value.sum() if total else value


def known_at(net, t):
    """What stands for each quantity near time t: its text to its number, and that of its error."""
    weights, values, errors = set(net.weights.values()), {}, {}

    def time(n):
        if n in weights or is_tie(n):
            return None
        return {0: "t", -1: "t-1", 1: "t+1"}.get(n.t - t, "?")

    def note(n, text, value, error):
        if n.name or naming.Roles.of(n).number(n):
            values[text] = value
        errors[rf"\partial {writing.grouped(text)}"] = error

    for n in net.tape.nodes:
        if n.t is None and n not in weights:
            continue
        if n in weights or is_tie(n):
            values[symbol(n.name)] = n.value
            continue
        if n.t in (t - 1, t, t + 1):
            note(
                n, naming.latex(n, time), n.value, np.zeros(n.shape) if n.cotangent is None else np.asarray(n.cotangent)
            )
        if t == net.T == n.t:  # beyond the last step nothing comes back
            later = naming.latex(
                n, lambda p: None if p in weights or is_tie(p) else {0: "t+1", -1: "t"}.get(p.t - t, "?")
            )
            if "(t+1)" in later:
                note(n, later, np.ones(n.shape), np.zeros(n.shape))
    return values | errors


def furthest(net):
    """The largest relative difference between a formula's value and the tape's number, over all formulas and times."""
    net.backward()
    derivation, apart, shares = net.derivation(), [], net._recipe.shares
    for t in range(1, net.T + 1):
        known = known_at(net, t)
        lines = (*derivation.forwards[:-1], *derivation.backwards)
        apart += [(worked_out(line.right, known, net.T, shares[t - 1]), known[line.left]) for line in lines]
        for line in derivation.gradients:
            name = next(
                (n for n in net.weights if line.left == rf"\frac{{\partial C}}{{\partial {symbol(n)}(t)}}"), None
            )
            if name is not None:
                apart.append((worked_out(line.right, known, net.T, shares[t - 1]), net.copies[name][t - 1]))
    assert len(apart) > net.T * 4
    return max(np.abs(found - right).max() / max(1, np.abs(right).max()) for found, right in apart)


@pytest.mark.parametrize("options", [{}, {"mask": True}, {"reduction": "mean"}, {"losses": [2, 5]}], ids=", ".join)
@pytest.mark.parametrize("name", CELLS)
def test_every_formula_is_right(name, options):
    case = Case(CELLS[name])
    assert furthest(case.unfold(**options | ({"mask": case.mask} if "mask" in options else {}))) < 1e-12


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(own_cells.cells(), own_cells.options())
def test_cells_that_nobody_wrote_have_one_that_is_short(cell, how):
    case = own_cells.Case(cell, replace(how, untied=False, single=False))
    x, d, mask, s0, _ = case.data()
    derivation = case.unfold(x, d, mask, s0).derivation()
    assert max(len(line.right) for _, lines in derivation.parts for line in lines) < 2500


@pytest.mark.parametrize("name", hostile.NAMES, ids=lambda name: ascii(name)[:30])
def test_whatever_things_are_called(name):
    net, _ = hostile.picture(name)
    assert str(net.derivation()).count("\n") >= 5


def test_a_state_that_is_paid_for_one_step_later():
    def cell(params, x, s):
        return o.tanh(o.linear(x, params["V"], s, params["U"]), name="s"), s

    params = {"V": rng.normal(size=(3, 2)), "U": rng.normal(size=(3, 3))}
    x, d = rng.normal(size=(4, 2, 2)), rng.normal(size=(4, 2, 3))
    net = tg.unfold(cell, params, x, d, s0=rng.normal(size=(2, 3)), loss="squared_error", losses=[2, 4])
    assert furthest(net) < 1e-12
    assert str(net.derivation().backwards[0]) == "∂C(t) = share(t)"


GUO = {
    "G2": r"\mathrm{net}_{j}(t) = x(t)\,V^{\top} + s(t-1)\,U^{\top} + b_{j}",
    "G1": r"s(t) = \tanh(\mathrm{net}_{j}(t))",
    "G4": r"\mathrm{net}_{k}(t) = s(t)\,W^{\top} + b_{k}",
    "G3": r"y(t) = \operatorname{softmax}(\mathrm{net}_{k}(t))",
    "G17": r"\partial \mathrm{net}_{k}(t) = y(t) \odot \sum_k d(t) - d(t)",
    "G22, G26": r"\partial s(t) = \partial \mathrm{net}_{k}(t)\,W + \partial \mathrm{net}_{j}(t+1)\,U",
    "G9": r"\partial \mathrm{net}_{j}(t) = \partial s(t) \odot (1 - s(t) \odot s(t))",
    "G11": r"\frac{\partial C}{\partial V(t)} = \partial \mathrm{net}_{j}(t)^{\top}\,x(t)",
    "G12": r"\frac{\partial C}{\partial U(t)} = \partial \mathrm{net}_{j}(t)^{\top}\,s(t-1)",
    "G18": r"\frac{\partial C}{\partial W(t)} = \partial \mathrm{net}_{k}(t)^{\top}\,s(t)",
    "G27": r"\frac{\partial C}{\partial V} = \sum_t \frac{\partial C}{\partial V(t)}",
    "G28": r"\frac{\partial C}{\partial U} = \sum_t \frac{\partial C}{\partial U(t)}",
}


def test_of_guos_cell_it_is_his_equations():
    derivation = Case(tg.cells.Guo()).unfold().derivation()
    lines = [line for _, part in derivation.parts for line in part]
    assert {", ".join(line.equations): f"{line.left} = {line.right}" for line in lines if line.equations} == GUO


def test_blocks_side_by_side_are_written_so():
    lines = map(str, Case(tg.cells.LSTM()).unfold().derivation().backwards)
    assert "∂netⱼ(t) = [∂netᵢ(t), ∂net_f(t), ∂net_g(t), ∂netₒ(t)]" in lines


@pytest.mark.parametrize("name", CELLS)
def test_what_is_too_wide_for_a_page_is_broken_at_a_sum_and_nothing_is_lost(name):
    derivation = Case(CELLS[name]).unfold().derivation()
    lines = [line for _, part in derivation.parts for line in part]
    for text in (derivation.latex, derivation.markdown):
        whole = text.replace(" \\\\\n&\\quad {} ", " ")
        assert [line for line in lines if f"{line.left} &= {line.right}" not in whole] == []
        rows = re.findall(r"&(?:=|\\quad \{\}) (.*?)(?: \\tag.*| &&.*| \\\\)?$", text, re.MULTILINE)
        assert max(len(plain(row)) for row in rows) <= 72


def test_signs_that_can_be_misread_are_explained():
    guo, lstm = (Case(cell).unfold().derivation().latex for cell in (tg.cells.Guo(), tg.cells.LSTM()))
    assert "(G2) is equation (2) of Guo" in guo
    assert "$[0:4]$ takes the columns from 0 to 3, the first one being 0" in lstm
    assert "takes the columns" not in guo


def test_an_initial_state_that_is_trained():
    case = Case(tg.cells.LSTM())
    case.params |= {"h": rng.normal(size=4), "m": rng.normal(size=4)}
    lines = [*map(str, case.unfold(s0=("h", "m")).derivation().gradients)]
    assert lines[-4:] == [
        "∂s(0) = ∂netⱼ(1) U", "∂c(0) = ∂c(1) ⊙ f(1)", "∂C/∂h = Σₚ ∂s(0)", "∂C/∂m = Σₚ ∂c(0)"
    ]  # fmt: skip


def test_it_shows_itself_and_is_saved(tmp_path):
    derivation = Case(tg.cells.GRU()).unfold().derivation()
    tex, md = (derivation.save(tmp_path / name).read_text(encoding="utf-8") for name in ("a.tex", "a.md"))
    assert tex == derivation.latex
    assert md == derivation._repr_markdown_()
    assert tex.startswith(r"\documentclass")
    assert tex.count("{align*}") == md.count("{aligned}") == 6
    assert derivation._repr_latex_().count("$$") == 6
    assert repr(derivation) == f"<derivation, {len(str(derivation).splitlines())} equations>"
    with pytest.raises(FileExistsError):
        derivation.save(tmp_path / "a.md")
    derivation.save(tmp_path / "a.md", overwrite=True)
    with pytest.raises(ValueError, match=r"a\.pdf.*: a derivation is written as \.tex or as \.md"):
        derivation.save(tmp_path / "a.pdf")
