"""The steps as data: the same as the tape's own, whole after a file, and enough to show everything."""

import dataclasses
import json
from importlib import resources

import jsonschema
import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem
from tinygrad_rnn.view import Trace, trace


@pytest.fixture(scope="module")
def net():
    p = problem()
    return tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)


@pytest.fixture(scope="module")
def steps(net):
    return list(net.steps())


@pytest.fixture(scope="module")
def shown(net, steps):
    return trace(net)


def long_net(T):
    rng = np.random.default_rng(0)
    cell = tg.cells.Guo()
    return tg.unfold(cell, cell.init(2, 3, 2, rng=1), rng.normal(size=(T, 1, 2)), np.eye(2)[rng.integers(0, 2, (T, 1))])


def test_every_step_of_the_tape_is_there(shown, steps):
    assert len(shown) == len(steps) == shown.steps
    for moment, step in zip(shown.moments, steps, strict=True):
        assert (moment.number, moment.phase, moment.op, moment.t) == (step.number, step.phase, step.op, step.t)
        assert (moment.equation, moment.text, moment.formula) == (step.equation, step.text, step.formula)
        assert moment.value == float(step.value[step.largest()])
        assert moment.shape == step.value.shape


def test_numbers_of_the_network_stay(net):
    before = [np.array(n.value) for n in net.tape], net.loss
    trace(net, of=2)
    assert net.loss == before[1]
    for n, value in zip(net.tape, before[0], strict=True):
        np.testing.assert_array_equal(n.value, value)


def test_the_ledger_fills_up_until_it_equals_the_gradient(net, shown):
    net.backward()
    empty = dict(shown.ledger(0))
    assert all(cells == () for rows in empty.values() for _, cells in rows)
    full = dict(shown.ledger(len(shown) - 1))
    assert set(full) == {"V", "U", "W", "bⱼ", "bₖ"}
    assert [row for row, _ in full["bⱼ"]] == ["1", "2", "3", "4", "5", "sum so far"]
    for t, (_, cells) in enumerate(full["bⱼ"][:-1]):
        np.testing.assert_allclose([float(c.replace("−", "-")) for c in cells], net.copies["b_j"][t], atol=5.1e-4)
    last = [float(c.replace("−", "-")) for c in full["bⱼ"][-1][1]]
    np.testing.assert_allclose(last, net.grads["b_j"], atol=5.1e-4)
    arriving = [k for k, m in enumerate(shown.moments) if m.weight == "b_j"]
    for filled, k in enumerate(arriving, start=1):
        assert sum(bool(cells) for _, cells in dict(shown.ledger(k))["bⱼ"][:-1]) == filled


def test_find(shown):
    k = shown.find(-1, equation="G26")
    assert shown.moments[k].equation == "G26"
    assert all(m.equation != "G26" for m in shown.moments[:k])
    assert shown.find(k, equation="G26") > k
    share = shown.find(-1, weight="U", t=2)
    assert (shown.moments[share].weight, shown.moments[share].t) == ("U", 2)
    assert shown.find(-1, op="nonsense") is None
    assert shown.find(len(shown)) is None
    assert shown.find(-1, value=None) is None


def test_a_bad_number_can_be_found():
    p = problem()
    p.x[2, 0, 1] = np.inf
    with np.errstate(all="ignore"):
        shown = trace(tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0))
    assert shown.moments[shown.find(-1, value=None)].t == 3
    assert Trace.from_json(shown.to_json()) == shown


def test_a_file_is_the_whole_trace(shown, tmp_path):
    path = shown.save(tmp_path / "steps.json")
    assert Trace.from_json(path.read_text("utf-8")) == shown
    schema = json.loads((resources.files("tinygrad_rnn.view") / "trace-2.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(path.read_text("utf-8")), schema)
    with pytest.raises(FileExistsError, match="exists already"):
        shown.save(path)
    shown.save(path, overwrite=True)


def with_moment(data, **changed):
    moments = list(data["moments"])
    moments[3] = moments[3] | changed
    return json.dumps(data | {"moments": moments})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: "{", "it is not JSON"),
        (lambda data: "[]", 'its "format" is not'),
        (lambda data: json.dumps(data | {"format": "other"}), 'its "format" is not'),
        (lambda data: json.dumps(data | {"version": 3}), "version 3, and only 1 to 2 are known"),
        (lambda data: json.dumps(data | {"version": True}), "version True, and only 1 to 2 are known"),
        (lambda data: json.dumps({k: v for k, v in data.items() if k != "moments"}), "not whole: KeyError 'moments'"),
        (lambda data: json.dumps(data | {"moments": [{}]}), "not whole: KeyError 'number'"),
        (lambda data: "[" * 200_000, "it is not JSON"),
        (lambda data: json.dumps(data | {"moments": []}), "it has no steps"),
        (lambda data: json.dumps(data | {"T": "5"}), r"trace.T is '5', which is no int"),
        (lambda data: json.dumps(data | {"shown": [1, True]}), r"trace.shown\[1\] is 'True'"),
        (lambda data: with_moment(data, value="x"), r"trace.moments\[3\].value is 'x', which is no float"),
        (lambda data: with_moment(data, shape=5), r"trace.moments\[3\].shape is '5'"),
        (lambda data: with_moment(data, read=[["a"]]), r"trace.moments\[3\].read\[0\]"),
        (lambda data: with_moment(data, equation="Gx"), "computes 'Gx'"),
        (lambda data: with_moment(data, phase="sideways"), "is 'sideways'"),
        (lambda data: json.dumps(data | {"accounts": [data["accounts"][0] | {"sums": []}]}), "its rows"),
    ],
)
def test_what_is_no_trace(shown, change, said):
    with pytest.raises(ValueError, match=said):
        Trace.from_json(change(json.loads(shown.to_json())))


def test_many_time_steps_are_shown_at_both_ends():
    shown = trace(long_net(30))
    assert shown.shown == (1, 2, 3, 28, 29, 30)
    assert {m.t for m in shown.moments} == {None, 1, 2, 3, 28, 29, 30}
    assert shown.steps > 3 * len(shown)
    rows = dict(shown.ledger(len(shown) - 1))["bⱼ"]
    assert [row for row, _ in rows] == ["1", "2", "3", "4 to 27", "28", "29", "30", "sum so far"]
    numbers = np.array([[float(c.replace("−", "-")) for c in cells] for _, cells in rows])
    np.testing.assert_allclose(numbers[:-1].sum(axis=0), numbers[-1], atol=5e-3)
    # Each sum is a look at all copies so far: one for each step would make a long sequence's trace quadratic.
    assert all(len(account.sums) == len(account.rows) == 7 for account in shown.accounts)


def test_each_step_names_its_line(shown):
    assert all(m.source for m in shown.moments if m.t)
    assert shown.moments[shown.find(-1, op="tanh")].source.startswith("Guo.layer, simple.py:")


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("<script>alert(1)</script>", "holds <script>"),
        ("<g><foreignObject/></g>", "holds <foreignObject>"),
        ('<image href="x.png"/>', "holds <image>"),
        ('<g onload="alert(1)"/>', "onload=, which runs something"),
        ('<g ONCLICK="alert(1)"/>', "ONCLICK=, which runs something"),
        ('<path style="fill:url(http://e.org/x)"/>', "asks for something elsewhere"),
        ("<style>@import 'http://e.org/x.css';</style>", "asks for something elsewhere"),
        ('<g href="http://e.org"/>', "leads elsewhere"),
        ('<g href="#a"/>', "href= on <g>, which no picture here has"),
        ("<g>", "is no SVG"),
    ],
)
def test_a_picture_from_outside_is_a_picture_and_no_more(shown, inside, said):
    data = json.loads(shown.to_json())
    with pytest.raises(ValueError, match=said):
        Trace.from_json(json.dumps(data | {"svg": f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>'}))
    with pytest.raises(ValueError, match="declares entities"):
        Trace.from_json(json.dumps(data | {"svg": '<!DOCTYPE svg [<!ENTITY a "a">]><svg>&a;</svg>'}))


def test_a_trace_stays_as_it_was_made(shown):
    for part in (shown, shown.moments[0], shown.parts[0], shown.accounts[0]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, dataclasses.fields(part)[0].name, None)


def test_our_own_pictures_are_taken(shown):
    assert Trace.from_json(shown.to_json()).svg == shown.svg
    long = trace(long_net(12))
    assert Trace.from_json(long.to_json()) == long


@pytest.mark.parametrize("planned", [False, True])
def test_looking_changes_no_number(planned):
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    assert tg.trace(net)
    with pytest.raises(tg.TapeError, match="no gradients yet"):
        net.grads["U"]
    if planned:
        net.replay()
    net.backward()
    held, right = net.grads, {name: g.copy() for name, g in net.grads.items()}
    for look in (lambda: tg.trace(net, of=2), lambda: tg.player(net, of=2), lambda: tg.trace(net)):
        look()
        for name, g in right.items():
            np.testing.assert_array_equal(net.grads[name], g)
            np.testing.assert_array_equal(held[name], g)
    net.backward()


def test_a_look_that_fails_changes_nothing(monkeypatch):
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.backward()
    right = net.grads["U"].copy()
    monkeypatch.setattr("tinygrad_rnn.view.tracing.moment", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tg.trace(net, of=2)
    np.testing.assert_array_equal(net.grads["U"], right)
    net.backward()
