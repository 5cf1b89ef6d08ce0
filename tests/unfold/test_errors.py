"""An error tells the line of the reader's own code that led to it, and what had been recorded until then."""

import linecache
import re
import traceback

import networkx as nx
import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem


def my_cell(params, x, s):
    s = tg.ops.tanh(tg.ops.linear(x, params["V"], s, params["U"], name="net_j"), name="s")
    return s, tg.ops.softmax(tg.ops.linear(s, params["W"].T))  # the transpose is one too many


def notes(error):
    return error.value.__notes__


def line_with(text):
    """The number of the line of this file that ends with some text."""
    lines = linecache.getlines(__file__)
    return next(k for k, line in enumerate(lines, start=1) if line.rstrip().endswith(text))


def test_a_users_cell_is_named_with_its_line():
    p = problem()
    with pytest.raises(tg.ShapeError) as error:
        tg.unfold(my_cell, p.params, p.x, p.d, s0=p.s0)
    n = line_with("the transpose is one too many")
    line = 'return s, tg.ops.softmax(tg.ops.linear(s, params["W"].T))  # the transpose is one too many'
    assert notes(error)[0] == f"  in my_cell, test_errors.py:{n}: {line}"
    assert len(notes(error)) == 2
    shown = "".join(traceback.format_exception(error.value)).splitlines()
    assert shown[-3].startswith("tinygrad_rnn.autodiff.errors.ShapeError: linear at t=1: s(1) is (2, 4)")
    assert shown[-2] == notes(error)[0]  # below the message, where a terminal ends


def test_a_cell_without_a_name_is_told_its_line():
    p = problem()
    cell = lambda params, x, s: (s, tg.ops.linear(s, params["W"].T))  # noqa: E731 - nameless
    with pytest.raises(tg.ShapeError) as error:
        tg.unfold(cell, p.params, p.x, p.d, s0=p.s0)
    assert notes(error)[0].startswith(f"  in <lambda>, test_errors.py:{line_with('nameless')}: ")


def test_a_cell_of_the_package_is_named_and_so_is_who_called():
    p = problem()
    with pytest.raises(tg.ShapeError) as error:
        tg.unfold(p.cell, p.params, p.x[..., :2], p.d, s0=p.s0)  # two units of three
    cell, user, _ = notes(error)
    assert cell.startswith("  in Guo.layer, ")
    assert "net_j = ops.linear(" in cell
    called = "tg.unfold(p.cell, p.params, p.x[..., :2], p.d, s0=p.s0)  # two units of three"
    place = f"test_errors.py:{line_with('two units of three')}"
    assert user == f"  in test_a_cell_of_the_package_is_named_and_so_is_who_called, {place}: {called}"


def test_a_loss_of_the_package_is_named_too():
    p = problem()
    with pytest.raises(tg.ShapeError) as error:
        tg.unfold(p.cell, p.params, p.x, p.d[..., :3], s0=p.s0)
    assert notes(error)[0].startswith("  in cross_entropy, losses.py:")


def test_a_question_at_the_wrong_moment_is_told_its_line():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    with pytest.raises(tg.TapeError, match="no gradients yet") as error:
        _ = net.grads  # too early
    place = f"test_errors.py:{line_with('# too early')}"
    assert notes(error) == [f"  in {error.traceback[0].name}, {place}: _ = net.grads  # too early"]
    assert error.value.tape is None


def test_a_missing_parameter_is_told_its_line():
    p = problem()
    without = {name: w for name, w in p.params.items() if name != "W"}
    with pytest.raises(KeyError, match="the cell reads the parameter 'W'") as error:
        tg.unfold(my_cell, without, p.x, p.d, s0=p.s0)
    assert notes(error)[0].startswith("  in my_cell, test_errors.py:")


def test_code_without_a_file_is_told_as_well_as_can_be():
    space = {"tg": tg, "a": np.ones((2, 3)), "__name__": "__main__"}
    with pytest.raises(tg.ShapeError) as error:
        exec(compile("\ntg.ops.transpose(a.ravel())", "<typed>", "exec"), space)
    assert notes(error) == ["  in <typed>:2"]


def test_no_line_is_looked_up_while_all_is_well(monkeypatch):
    monkeypatch.setattr(linecache, "getline", lambda *given: pytest.fail("a line was looked up"))
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.replay()
    net.backward()


def failing_at(step, error):
    calls = []

    def cell(params, x, s):
        calls.append(None)
        s = tg.ops.tanh(tg.ops.linear(x, params["V"], s, params["U"], name="net_j"), name="s")
        if len(calls) == step:
            raise error
        return s, tg.ops.softmax(tg.ops.linear(s, params["W"]), name="y")

    return cell


@pytest.mark.parametrize("step", [1, 2, 4])
@pytest.mark.parametrize("of", [tg.ShapeError("mine"), ZeroDivisionError("mine")], ids=["ours", "a user's own"])
def test_what_was_recorded_until_then_can_be_drawn(of, step):
    p = problem()
    with pytest.raises(type(of), match="mine") as error:
        tg.unfold(failing_at(step, of), p.params, p.x, p.d, s0=p.s0)
    tape = error.value.tape
    assert notes(error)[-1] == "  What was recorded until then can be drawn: tinygrad_rnn.draw(error.tape)"
    assert [n.name for n in tape if n.t == step and n.op not in (None, tg.ops.copy)] == ["net_j", "s"]
    drawn = tg.draw(tape)
    assert len(drawn.scene.frames) == step + 1  # the steps, and the weights
    assert {box.id for box in drawn.scene.boxes} == {f"n{n.index}" for n in tape}
    assert {line.id for line in drawn.scene.lines} == {f"e{n.index}-{k}" for n in tape for k in range(len(n.parents))}
    assert nx.is_directed_acyclic_graph(tg.graph(tape))
    of.__dict__.clear()  # the next test raises the same error again


def test_an_empty_tape_is_not_drawn():
    with pytest.raises(ValueError, match="there is nothing to draw"):
        tg.draw(tg.Tape())


def test_the_tape_of_a_finished_network_is_drawn_too():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    boxes, like = (tg.draw(thing).scene.boxes for thing in (net.tape, net))
    assert {(b.id, b.x, b.y, b.kind, b.numbers) for b in boxes} == {(b.id, b.x, b.y, b.kind, b.numbers) for b in like}


@pytest.mark.parametrize("cell", [None, "Guo"])
def test_what_is_no_cell(cell):
    p = problem()
    with pytest.raises(TypeError, match=f"the cell is {cell!r}: it is one of tinygrad_rnn.cells, or a function"):
        tg.unfold(cell, p.params, p.x, p.d, s0=p.s0)
    with pytest.raises(TypeError, match="the cell is"):
        next(tg.rtrl(cell, p.params, p.x, p.d, s0=p.s0))


@pytest.mark.parametrize(
    ("shape", "hint"),
    [((4,), "of single numbers pass x[:, None, None]."), ((4, 3), "pass x[:, None, :].")],
    ids=["one axis", "two axes"],
)
def test_a_sequence_with_too_few_axes_is_told_how_to_get_them(shape, hint):
    p = problem()
    with pytest.raises(tg.ShapeError, match=re.escape(f"For a single sequence {hint}")):
        tg.unfold(p.cell, p.params, np.zeros(shape), p.d)
