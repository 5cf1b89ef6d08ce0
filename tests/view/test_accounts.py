"""The ledgers of a trace: shares, costs and truncations add up, roads are the tape's, chains end at a cost."""

import json
import lzma
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import nets
import tinygrad_rnn as tg
from ledgers_told import chains_end_at_a_cost, floats, number, percent, road, roads_are_the_tapes, they_add_up
from tinygrad_rnn.view.page_data import APART, ledgers, script_data
from tinygrad_rnn.view.player import script_text, style_text

T = 4
NAMES = [*nets.FOLDABLE, *nets.OTHERS]
OLD = Path(__file__).parent / "trace-1.json.xz"  # as version 1 wrote it


@pytest.fixture(scope="module", params=NAMES)
def both(request):
    net = nets.ALL[request.param](T)
    return net, tg.trace(net)


def test_the_shares_add_up_to_the_gradient(both):
    they_add_up(*both)


def test_a_road_is_what_the_tape_says(both):
    roads_are_the_tapes(*both)


def test_why_of_every_entry_ends_at_a_cost(both):
    assert chains_end_at_a_cost(*both)


def test_a_text_is_its_number(both):
    for account in both[1].accounts:
        amounts = [a for column in account.shares for a in (column.share, column.so_far)]
        for amount in [*amounts, *(a for other in account.others for a in (*other.shares, other.total))]:
            for text, value in zip(amount.texts, amount.values, strict=True):
                assert abs(float(text.replace("−", "-")) - value) <= max(5.1e-4, 6e-3 * abs(value))


def test_a_product_is_its_factors(both):
    net, shown = both
    found = 0
    for account in shown.accounts:
        for column in account.shares:
            if len(column.products) == 1:
                (product,) = column.products
                error, read = (list(map(number, part)) for part in (product.error[1], product.read[1]))
                share = floats(column.share.values).reshape(account.shape)
                np.testing.assert_allclose(np.outer(error, read), share, atol=2e-3 * (1 + np.abs(share).max()))
                found += 1
    assert found or len(net.inputs[0].value) > 1 or "tangled" in str(net.weights)


def test_samples_are_told_one_by_one():
    net = nets.network(tg.cells.Guo(), T, samples=3)
    account = next(a for a in tg.trace(net).accounts if a.id == "U")
    for column in account.shares:
        assert [p.label for p in column.products] == ["sample 1", "sample 2", "sample 3"]
        parts = floats([[float(v.replace("−", "-")) for v in p.entries] for p in column.products])
        np.testing.assert_allclose(parts.sum(axis=0), column.share.values, atol=2e-3)


# ---- which cost gave what, and what a truncation leaves


@pytest.mark.parametrize("name", [n for n in NAMES if n != "a cell that remembers"])
def test_what_the_costs_gave_adds_up(name):
    net = nets.ALL[name](T)
    for account in tg.trace(net).accounts:
        for column in account.shares:
            if not column.costs:
                continue
            assert [bool(text) for text in column.costs] == [c.last >= column.first for c in account.shares]
            assert abs(sum(map(percent, column.costs)) - percent(column.share.percent)) < 0.06 * (T + 1)
    assert any(column.costs for account in tg.trace(net).accounts for column in account.shares)


@pytest.mark.parametrize("name", ["Guo", "LSTM", "GRU", "Guo, masked", "a user's gates, mean", "two layers of GRU"])
def test_a_truncation_is_that_of_the_library(name):
    net = nets.FOLDABLE[name](T)
    shown = tg.trace(net)
    for k2 in range(1, T):
        right = tg.truncated_gradient(net, k1=1, k2=k2)
        for account in shown.accounts:
            other = next(o for o in account.others if o.reach == k2)
            assert other.name == f"k₂ = {k2}"
            np.testing.assert_allclose(floats(other.total.values), right[account.id].ravel(), rtol=1e-9, atol=1e-13)
            np.testing.assert_allclose(
                floats([s.values for s in other.shares]).sum(axis=0), floats(other.total.values), atol=1e-12
            )


def test_of_one_cost_only_that_one_gave():
    net = nets.network(tg.cells.Guo(), T)
    for account in tg.trace(net, of=3).accounts:
        for column in account.shares:
            assert [percent(text) for k, text in enumerate(column.costs) if k != 2] == [0.0] * (T - 1)
            assert not column.costs[2] or column.costs[2] == column.share.percent


def test_a_cut_network_has_the_shares_that_it_has():
    net = nets.network(tg.cells.Guo(), T)
    tg.cut(net, 2)
    account = next(a for a in tg.trace(net).accounts if a.id == "U")
    net.backward()
    np.testing.assert_allclose(
        floats([c.share.values for c in account.shares]), net.copies["U"].reshape(T, -1), atol=1e-14
    )
    for column in account.shares:
        assert abs(sum(map(percent, column.costs)) - percent(column.share.percent)) < 0.06 * T


# ---- another network's shares


def test_another_network_is_held_against_it():
    net, other = (nets.network(tg.cells.Guo(f=f), T) for f in ("tanh", "sigmoid"))
    for given in (other, {name: other.copies[name] for name in ("U", "V")}):
        told = {a.id: a.others for a in tg.trace(net, compare=given).accounts}
        (mine,) = [o for o in told["U"] if not o.reach]
        assert mine.name == "the other"
        np.testing.assert_allclose(floats([s.values for s in mine.shares]), other.copies["U"].reshape(T, -1))
    assert "compare with" in tg.player(net, compare=other).fragment()
    assert tg.trace(net, compare={"U": other.copies["U"]}).differing == ()  # of these nobody knows the errors
    with pytest.raises(TypeError, match=r"trace: compare=3: it must be a network.*, or arrays by name"):
        tg.trace(net, compare=3)
    with pytest.raises(ValueError, match=r"compare= has U \(5, 3, 3\).*such as V \(4, 3, 2\)"):
        tg.trace(net, compare={"U": np.zeros((5, 3, 3))})


def test_lines_differ_where_errors_do():
    """Held against the errors themselves, line by line, and against a network whose error starts elsewhere alone."""
    net, other = (nets.network(tg.cells.Guo(f=f), T) for f in ("tanh", "sigmoid"))
    passes = other.tape.passes
    before = passes.values, passes.cotangents
    shown = tg.trace(net, compare=other)
    assert (passes.values, passes.cotangents) == before
    mine, theirs = ({m.edge: m for m in tg.trace(n).moments if m.edge and not m.weight and m.t} for n in (net, other))
    assert set(mine) == set(theirs)
    unlike = {edge for edge in mine if mine[edge].result != theirs[edge].result}
    assert unlike <= set(shown.differing)
    assert all(mine[edge].result == theirs[edge].result for edge in set(mine) - set(shown.differing))
    assert 0 < len(shown.differing) < len(mine)
    assert tg.trace(net, compare=nets.network(tg.cells.Guo(f="tanh"), T)).differing == ()
    assert len(tg.trace(net, of=2, compare=other).differing) < len(shown.differing)
    lstm = tg.trace(nets.network(tg.cells.LSTM(), T), compare=nets.network(tg.cells.LSTM(forget_bias=0.0), T))
    assert lstm.differing


@pytest.mark.parametrize("name", ["Guo", "LSTM", "two layers of GRU", "Guo, masked"])
def test_a_truncated_share_is_its_error_times_what_the_copy_multiplied(name):
    found = 0
    for account in tg.trace(nets.FOLDABLE[name](T)).accounts:
        for other in account.others:
            for column, share, error in zip(account.shares, other.shares, other.errors, strict=True):
                if error:
                    (product,) = column.products
                    got = np.outer(list(map(number, error)), list(map(number, product.read[1])))
                    right = floats(share.values).reshape(account.shape)
                    np.testing.assert_allclose(got, right, atol=2e-3 * (1 + np.abs(right).max()))
                    found += share != column.share
    assert found or name == "Guo, masked"


# ---- roads and chains


def test_a_road_goes_on_behind_what_is_not_shown():
    net = nets.network(tg.cells.Guo(), 30)
    shown = tg.trace(net)
    account = next(a for a in shown.accounts if a.id == "U")
    assert [(c.first, c.last) for c in account.shares] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 27),
        (28, 28),
        (29, 29),
        (30, 30),
    ]
    found, _ = road(shown, account.shares[1].copy)
    assert {m.t for m in shown.moments if m.number in found} == {2, 3, 28, 29, 30, None}


def test_every_line_of_a_road_is_in_the_picture(both):
    _, shown = both
    boxes = dict(shown.figure.boxes)
    drawn = {edge for carried in re.findall(r'data-c="([^"]*)"', shown.figure.svg) for edge in carried.split()}
    assert drawn
    for m in shown.moments:
        if m.phase == "backward" and not m.weight and m.t:
            ends = boxes.get(m.node), boxes.get(m.parent)
            assert None in ends or ends[0] == ends[1] or m.edge[1:] in drawn, m.text


def test_an_entry_names_the_one_that_moves_it_most():
    net = nets.network(tg.cells.Guo(), T)
    for step, m in zip(net.steps(), tg.trace(net).moments, strict=True):
        assert [node for node, _ in m.origins] == [f"n{read.node.index}" for read in step.reads]
        if m.text.startswith("∂C/∂s(2) += ∂C/∂netⱼ(3)"):
            g, U = (read.value for read in step.reads)
            assert [entry.reads[0] for entry in m.entries] == list(np.abs(g.T * U).argmax(axis=0))
            assert [entry.reads[1] for entry in m.entries] == [-1] * 3  # a weight was computed nowhere
            assert all(entry.worked.count("·") == 3 for entry in m.entries)


def test_how_long_the_error_is_for_each_cost_alone():
    net = nets.network(tg.cells.Guo(), T)
    back = [m for m in tg.trace(net).moments if m.phase == "backward"]
    for t in range(1, T + 1):
        one = [m for m in tg.trace(net, of=t).moments if m.phase == "backward"]
        alone = {m.edge: m.length for m in one if m.length}
        assert {m.edge: m.alone[t - 1] for m in back if m.alone[t - 1]}.items() <= alone.items()
        assert max(m.alone[t - 1] for m in back) > 0


def entry_of(step, i):
    """An entry of a step as the page's script reads it: the form of all with the words of this one."""
    words = iter(step["e"][i].split(" "))
    reads, value, *worked = (
        re.sub(APART, lambda _: next(words), step["f"]).split(" | ") if step["f"] else (step["e"][i].split(" | "))
    )
    return value, " | ".join(worked), tuple(map(int, reads.split()))


def test_entries_are_what_they_have_in_common_and_what_each_has_alone(both):
    _, shown = both
    for step, m in zip(script_data(shown, ledgers(shown), (0, 0))["steps"], shown.moments, strict=True):
        for i, entry in enumerate(m.entries):
            assert entry_of(step, i) == (entry.value, entry.worked, entry.reads)


def test_entries_survive_the_sign_that_stands_for_what_differs():
    shown = tg.trace(nets.network(tg.cells.Guo(), 2))
    m = next(m for m in shown.moments if len(m.entries) > 1)
    entries = tuple(replace(e, worked=f"¦ {k} | ¦") for k, e in enumerate(m.entries))
    moments = tuple(replace(m, entries=entries) if each is m else each for each in shown.moments)
    data = script_data(replace(shown, moments=moments), [], (0, 0))
    step = data["steps"][shown.moments.index(m)]
    assert [entry_of(step, i)[1] for i in range(len(entries))] == [e.worked for e in entries]


def test_what_a_cost_hands_back():
    for net in (*(nets.FOLDABLE[name](2) for name in ("Guo", "two layers of GRU", "a user's gates, mean")),):
        shown = tg.trace(net)
        told = [step["c"] for step in script_data(shown, ledgers(shown), (0, 0))["steps"] if "c" in step]
        assert len(told) == 2
        assert all(re.fullmatch(r"\S+\(\d\)( ⊙ Σₖ d\(\d\))? − d\(\d\)", text) for text in told), told


# ---- what a page is made of


def test_every_text_of_a_page_is_in_the_trace(both):
    _, shown = both
    texts = set(json.loads(json.dumps(shown.to_json())) and re.findall(r'"((?:[^"\\]|\\.)*)"', shown.to_json()))
    texts = {json.loads(f'"{text}"') for text in texts}
    for ledger in script_data(shown, ledgers(shown), (0, 0))["weights"]:
        amounts = [ledger["total"], *ledger["rows"], *(r["s"] for r in ledger["rows"] if "s" in r)]
        amounts += [a for other in ledger["others"] for a in (*other["rows"], other["total"]) if a]
        assert {text for a in amounts for text in (*a["v"].split(), *a.get("d", "").split(), a.get("p", ""))} <= texts


def test_a_weight_of_too_many_entries_is_told_by_blocks():
    net = nets.network(tg.cells.Guo(), 3, (5, 24, 3))
    account = next(a for a in tg.trace(net).accounts if a.id == "U")
    assert account.entries == ()
    assert len(account.total.values) == 144
    assert floats(account.total.values) ** 2 @ np.ones(144) == pytest.approx((net.grads["U"] ** 2).sum())


def test_a_trace_of_version_1_is_still_read_and_shown(tmp_path):
    text = lzma.decompress((OLD).read_bytes()).decode()
    old = json.loads(text)
    assert old["version"] == 1
    for version in (1, 2):
        schema = json.loads((resources.files("tinygrad_rnn.view") / f"trace-{version}.schema.json").read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        assert jsonschema.Draft202012Validator(schema).is_valid(old) == (version == 1)
    shown = tg.Trace.from_json(text)
    assert (shown.title, shown.figure, shown.T) == ("Written by version 1", None, 2)
    assert not any(account.shares for account in shown.accounts)
    page = tg.player(shown).page()
    assert page.count("<li id=") == len(shown)
    assert tg.Trace.from_json(shown.to_json()) == shown


def test_what_a_page_loads_is_whole_and_small():
    folder = resources.files("tinygrad_rnn.view") / "page"
    for name, text, lines in (("player.js", script_text(), 380), ("player.css", style_text(), 110)):
        file = (folder / name).read_text("utf-8")
        assert len(file.splitlines()) <= lines
        assert len(text.encode()) <= 26_000
        kept = [line.strip() for line in file.splitlines()]
        kept = [line for line in kept if line and not line.startswith(("/*", "//")) and not line.endswith("*/")]
        assert text.splitlines() == kept


@pytest.mark.parametrize("name", ["Guo", "LSTM", "Guo, masked"])
def test_a_player_is_well_formed(name):
    shown = tg.player(nets.FOLDABLE[name](T), predict=True, title="<&>")
    parts = ET.fromstring(shown.fragment())
    ids = [each.get("id") for each in parts.iter() if each.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("start", ["U", ("U",), ("Q", 1), ("U", 0), ("U", 9), ("U", True), ("U", 1.0), ["U", 1], 3])
def test_where_a_player_starts_is_a_share(start):
    with pytest.raises(ValueError, match=r"start=.*: it is a weight, one of V, U, b_j, W, b_k, and a time step"):
        tg.player(nets.network(tg.cells.Guo(), 3), start=start)


def test_arrays_to_compare_are_all_of_them_weights():
    net = nets.network(tg.cells.Guo(), 3)
    shares = dict(net.copies)
    unlike = (
        {"U": shares["U"], "b_jj": shares["b_j"]},
        {"U": shares["U"], "V": shares["V"][:2]},
        {"U": 1j * shares["U"]},
    )
    for wrong in unlike:
        with pytest.raises(ValueError, match="they must be called and shaped as the copies here"):
            tg.trace(net, compare=wrong)


def test_a_length_below_zero_is_refused_and_one_near_zero_is_drawn():
    text = tg.trace(nets.network(tg.cells.Guo(), 3)).to_json()
    told = json.loads(text)
    back = next(m for m in told["moments"] if m["phase"] == "backward")
    back["length"] = -1.0
    with pytest.raises(ValueError, match="a length below 0"):
        tg.Trace.from_json(json.dumps(told))
    back["length"] = 5e-324
    assert "<svg" in tg.player(tg.Trace.from_json(json.dumps(told))).page()
