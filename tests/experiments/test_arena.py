"""The arena: budgets are kept, runs are the same each time, and what is counted is what the library measures."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.experiments.arena.contest import EVERYONE, play
from tinygrad_rnn.experiments.arena.objective import BudgetSpent, Objective, charge, marks
from tinygrad_rnn.experiments.arena.rivals import RIVALS, STREAMS
from tinygrad_rnn.experiments.arena.tasks import TASKS, task
from tinygrad_rnn.experiments.arena.tuning import TUNED_ON, middle, tuned

NAMES = [name for name in TASKS if not name.startswith("laser")]
rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def objective(name, budget=10**6):
    return Objective(task(name), task(name).start(0), budget)


def first(rival, **more):
    """The first of the settings that are tried."""
    return {name: values[0] for name, values in EVERYONE[rival].settings.items()} | more


@pytest.mark.parametrize("name", TASKS)
def test_the_cost_is_the_normalised_squared_error_of_what_is_paid_for(name):
    found = objective(name)
    examples = found.task.train
    c = found.cost(found.start)
    said = np.stack([y.value for y in found.net.outputs])
    paid = examples.paid > 0
    wrong, spread = said[paid] - examples.d[paid], examples.d[paid] - examples.d[paid].mean(axis=0)
    assert c == pytest.approx((wrong**2).sum() / (spread**2).sum(), rel=1e-12)
    assert found.tested() > 0


@pytest.mark.parametrize("name", TASKS)
def test_gradient_and_jacobian_are_slopes_of_it(name):
    found = objective(name)
    e, h = rng.normal(size=found.n), 1e-6
    found.jacobian(found.start + 0.3 * e)  # what was recorded at other weights
    slope = (found.cost(found.start + h * e) - found.cost(found.start - h * e)) / (2 * h)
    c, gradient = found.gradient(found.start)
    assert gradient @ e == pytest.approx(slope, rel=1e-6)
    residuals, jacobian = found.residuals(found.start), found.jacobian(found.start)
    assert residuals @ residuals == pytest.approx(c, rel=1e-12)
    np.testing.assert_allclose(2 * residuals @ jacobian, gradient, rtol=1e-9, atol=1e-12)


def test_the_cost_of_weights_that_are_right_is_zero():
    sunspots = task("sunspots")
    said = objective("sunspots").net
    d = np.stack([y.value for y in said.outputs])
    told = replace(sunspots, train=replace(sunspots.train, d=d))
    found = Objective(told, sunspots.start(0), 10)
    assert found.cost(found.start) == 0
    assert found.cost(found.start + 0.1) > 0


def test_runs_in_two_threads_do_not_mix_their_weights():
    runs = [{"task": "sunspots", "rival": r, "setting": first(r), "seed": 0, "budget": 400} for r in ("adam", "snes")]
    alone = [play(**run)["curve"] for run in runs]
    with ThreadPoolExecutor(2) as pool:
        assert [found["curve"] for found in pool.map(lambda run: play(**run), runs)] == alone


def test_what_can_be_looked_at_is_of_whoever_asked_last():
    one, other = (objective("sunspots") for _ in range(2))
    one.cost(one.start)
    moved = one.start + 0.1
    other.cost(moved)
    assert one.net is other.net
    np.testing.assert_array_equal(np.concatenate([w.ravel() for w in one.params.values()]), moved)
    by_hand = tg.unfold(one.task.cell, one.params, loss="squared_error", **one.task.train.arguments)
    assert by_hand.loss == pytest.approx(one.net.loss, rel=1e-12)


def test_objectives_that_are_made_in_one_thread_and_asked_in_others_do_not_mix_their_weights():
    made = [Objective(task("sunspots"), task("sunspots").start(seed), 10**6) for seed in range(2)]
    alone = [each.cost(each.start) for each in made]
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda each: {each.cost(each.start) for _ in range(200)}, made)
    assert list(found) == [{cost} for cost in alone]


@pytest.mark.parametrize("method", STREAMS)
def test_who_asks_something_between_two_windows_changes_no_weight_of_the_stream(method):
    def learned(between):
        own, other = (Objective(task("sunspots"), task("sunspots").start(seed), 10**6) for seed in range(2))
        step = tg.train.Adam(0.01)

        def update(params, grads):
            step.step(params, grads)
            if between:
                other.gradient(other.start)
                own.tested()

        return own.online(method, own.start, update)

    np.testing.assert_array_equal(learned(between=True), learned(between=False))


def test_start_weights_of_another_network_are_refused():
    sunspots = task("sunspots")
    right = sunspots.start(0)
    for wrong in ({"U": np.ones((5, 5))}, {"W": right["W"].T}, {"more": np.ones(1)}):
        with pytest.raises(ValueError, match=r"the start weights are .* the network of sunspots"):
            Objective(sunspots, right | wrong, 10)


def test_what_is_charged():
    found = objective("sunspots")
    for what, fe in (("cost", 1), ("gradient", 2), ("residuals", 1), ("jacobian", 1 + found.n)):
        before = found.spent
        getattr(found, what)(found.start)
        assert found.spent - before == fe
    assert (charge("TBPTT", 29), charge("RTRL", 29), charge("UORO", 29), charge("e-prop", 29)) == (2, 30, 3, 3)


def test_what_would_exceed_the_budget_is_not_done():
    found = objective("sunspots", budget=3)
    found.gradient(found.start)
    with pytest.raises(BudgetSpent):
        found.gradient(found.start)
    assert (found.spent, found.evaluations) == (2, 1)
    found.cost(found.start)
    assert found.spent == 3


@pytest.mark.parametrize("rival", EVERYONE)
def test_a_run_stays_in_its_budget_never_gets_worse_and_is_the_same_each_time(rival):
    budget = 75
    one, two = (play(task="sunspots", rival=rival, setting=first(rival), seed=3, budget=budget) for _ in range(2))
    del one["cpu"], two["cpu"]
    assert json.dumps(one) == json.dumps(two)
    assert 2 <= one["spent"] <= budget
    assert one["evaluations"] <= one["spent"]
    curve = np.array(one["curve"])
    assert len(curve) == len(marks(budget))
    assert (curve[1:] <= curve[:-1]).all()
    assert curve[-1] == one["cost"]
    other = play(task="sunspots", rival=rival, setting=first(rival), seed=4, budget=budget)
    assert other["cost"] != one["cost"]


@pytest.mark.parametrize("rival", sorted(RIVALS.keys() - {"guessing", "de"}))
def test_who_searches_finds_something_better_than_the_start(rival):
    found = play(task="sunspots", rival=rival, setting=first(rival), seed=0, budget=300)
    start = objective("sunspots")
    assert found["cost"] < start.cost(start.start)


@pytest.mark.parametrize("method", STREAMS)
def test_a_method_that_works_on_line_goes_down_and_is_charged_by_its_formula(method):
    found = play(task="sunspots", rival=method, setting={"eta": 0.01}, seed=0, budget=125)
    assert found["cost"] < 0.9 * found["curve"][0]
    assert (found["spent"] - 1) % (charge(method, 29) + 1) in (0, charge(method, 29))


def test_weights_that_run_away_cost_infinitely_much_and_the_search_goes_on():
    found = play(task="adding", rival="sgd", setting={"eta": 1e200}, seed=0, budget=40)
    assert found["spent"] == 40
    assert np.isfinite(found["cost"])


def test_the_best_of_the_settings_is_taken_and_an_edge_is_told():
    standings = tg.arena(
        ["sunspots"],
        ["adam", "guessing"],
        budget=60,
        seeds=2,
        settings={"adam": {"eta": [1e-5, 0.03, 100.0]}},
        processes=0,
    )
    assert standings.setting("sunspots", "adam") == {"eta": 0.03}
    assert "adam" not in {rival for _, rival, _, _ in standings.edges()}
    assert {r["point"]["seed"] for r in standings.tuned}.isdisjoint({r["point"]["seed"] for r in standings.runs})
    assert {r["point"]["budget"] for r in standings.tuned} == {60}
    edge = tg.arena(["sunspots"], ["adam"], budget=60, seeds=1, settings={"adam": {"eta": [1e-5, 0.03]}}, processes=0)
    assert edge.edges() == [("sunspots", "adam", "eta", 0.03)]
    assert "best at the edge of what was tried: adam eta = 0.03 on sunspots" in str(edge)


def test_settings_are_looked_for_from_the_middle_on_and_no_further_than_needed():
    lists = {
        ("hills", "both"): {"a": range(9), "b": range(7)},
        ("plain", "one"): {"a": range(5)},
        ("plain", "none"): {},
    }
    asked = []

    def run(several):
        asked.extend(several)
        costs = [1.0 if t == "plain" else 1 + (s["a"] - 7) ** 2 + (s["b"] - 1) ** 2 for (t, _), s in several]
        return [{"ok": True, "result": {"cost": cost}} for cost in costs for _ in TUNED_ON]

    chosen, records = tuned(lists, run)
    assert chosen == {("hills", "both"): {"a": 7, "b": 1}, ("plain", "one"): {"a": 2}, ("plain", "none"): {}}
    assert middle(lists)["hills", "both"] == {"a": 4, "b": 3}
    tried = [(pair, *setting.values()) for pair, setting in asked]
    assert len(set(tried)) == len(tried) == len(records) // 2
    assert {("hills", "both")} <= {pair for pair, *_ in tried}
    beside = {(("hills", "both"), 7 + a, 1 + b) for a, b in product((-1, 0, 1), repeat=2) if not (a and b)}
    assert beside <= set(tried)
    assert len(tried) < 9 * 7 / 2


def test_a_setting_with_which_a_run_fails_is_not_taken():
    def run(several):
        return [{"ok": s["a"] != 1, "result": {"cost": 1.0}} for _, s in several for _ in TUNED_ON]

    assert tuned({("t", "r"): {"a": [0, 1]}}, run)[0] == {("t", "r"): {"a": 0}}


def test_an_arena_that_is_killed_goes_on_to_the_same_table():
    whole = {"budget": 60, "seeds": 3, "processes": 0}
    words = ["--tasks", "sunspots,parity", "--rivals", "adam,snes,guessing", "-o", "killed.jsonl"]
    words += [word for name, value in whole.items() for word in (f"--{name}", str(value))]
    ours = {**os.environ, "PYTHONPATH": str(Path(tg.__file__).parents[1])}  # from this folder too
    running = subprocess.Popen([sys.executable, "-m", "tinygrad_rnn", "arena", *words], env=ours)
    file = Path("killed.jsonl")
    while running.poll() is None and (not file.exists() or file.read_bytes().count(b"\n") < 4):
        time.sleep(0.01)
    running.kill()
    running.wait()
    kept = file.read_bytes()
    file.write_bytes(kept[:-20])  # the last line is torn, as by a kill in the middle of a write
    named = ["sunspots", "parity"], ["adam", "snes", "guessing"]
    gone_on, at_once = (tg.arena(*named, out=out, **whole) for out in ("killed.jsonl", "whole.jsonl"))
    assert file.read_bytes().startswith(kept[:-20])
    one, other = (
        [{name: value for name, value in row.items() if name != "us_per_FE"} for row in standings.rows()]
        for standings in (gone_on, at_once)
    )
    assert json.dumps(one) == json.dumps(other)
    assert gone_on.edges() == at_once.edges()


def test_the_table_says_medians_intervals_and_who_is_better():
    again = {"budget": 50, "seeds": 4, "tune": False, "processes": 0}
    standings = tg.arena(["sunspots", "parity"], ["lbfgs", "guessing", "adam"], **again)
    costs = standings.of("sunspots", "lbfgs")
    assert standings.median("sunspots", "lbfgs") == np.median(costs)
    low, high = standings.interval("sunspots", "lbfgs")
    assert costs.min() <= low <= np.median(costs) <= high <= costs.max()
    assert standings.better("sunspots", "lbfgs", "lbfgs") == 0.5
    assert standings.better("sunspots", "lbfgs", "guessing") == 1.0
    assert standings.better("sunspots", "guessing", "lbfgs") == 0.0
    assert standings.reached("sunspots", "guessing", 0.0) == np.inf
    assert standings.reached("sunspots", "lbfgs", np.inf) == standings.marks[0]
    table = str(standings)
    assert table.count("BPTT + L-BFGS") == 2
    assert f"{standings.median('parity', 'adam'):.3g} [" in table
    assert json.dumps(standings.rows())
    before = Path("arena.jsonl").read_bytes()
    assert str(tg.arena(["sunspots", "parity"], ["lbfgs", "guessing", "adam"], **again)) == table
    assert Path("arena.jsonl").read_bytes() == before


def test_bits_that_are_wrong_are_counted_where_they_are():
    parity = task("parity")
    assert parity.train.x.shape == (8, 256, 1)
    assert len(np.unique(parity.train.x[:, :, 0], axis=1).T) == 256
    for examples in (parity.train, parity.test):
        wanted = np.where((examples.x == 1).sum(axis=0) % 2, 1, -1)
        np.testing.assert_array_equal(examples.d[-1], wanted)
        assert examples.paid.sum() == examples.x.shape[1]
    solution = task("parity").start(0)
    assert sum(w.size for w in solution.values()) == 19


@pytest.mark.parametrize("name", ["sunspots", "mackey_glass"])
def test_what_is_told_in_the_test_is_not_among_what_was_learnt(name):
    found = task(name)
    learnt = found.train.d[found.train.paid > 0]
    told = found.test.d[found.test.paid > 0]
    assert len(told) == {"sunspots": 88, "mackey_glass": 500}[name]
    whole = tg.data.sunspots().values[:, 0] if name == "sunspots" else tg.data.mackey_glass(1001)[:, 0]
    known = {"sunspots": 221, "mackey_glass": 501}[name]
    scaled = (whole - whole[:known].mean()) / whole[:known].std()
    np.testing.assert_allclose(told[:, 0], scaled[known:], rtol=1e-12)
    assert len(learnt) == 20 * ((known - 1) // 20)
    x, d = found.train.x[:, :, 0].T.ravel(), found.train.d[:, :, 0].T.ravel()
    np.testing.assert_array_equal(x[1:], d[:-1])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"tasks": []}, "tasks is empty: name some of mackey_glass, "),
        ({"tasks": ["chess"]}, "tasks has 'chess': they are mackey_glass, "),
        ({"tasks": 3}, "tasks=3: it must be a sequence"),
        ({"rivals": ["adan"]}, "rivals has 'adan': they are lbfgs"),
        ({"tasks": ["reber"], "rivals": ["RTRL"]}, "RTRL work on-line, .* add one of mackey_glass, sunspots"),
        ({"budget": 1}, "budget=1: it must be a whole number from 2 up"),
        ({"budget": 1.5}, "budget=1.5"),
        ({"seeds": 0}, "seeds=0: it must be a whole number from 1 up"),
        ({"seeds": "a"}, "seeds='a'"),
        ({"tune": 3}, "tune=3: it must be True or False"),
        ({"settings": {"adam": 3}}, "settings"),
        ({"settings": {"adam": {"eta": 3}}}, "eta=3: give the values in a list"),
        ({"settings": {"adam": {"eta": []}}}, r"eta=\[\]: it has no value"),
        ({"settings": {"adan": {}}}, "settings"),
        ({"settings": {"adam": {"mu": [1]}}}, "settings"),
        ({"out": 3}, "out=3: it must be the name of a file"),
    ],
)
def test_what_is_no_arena_is_refused(given, says):
    right = {"tasks": ["sunspots"], "rivals": ["adam"], "budget": 4, "seeds": 1, "tune": False, "processes": 0}
    with pytest.raises((TypeError, ValueError), match=says):
        tg.arena(**(right | given))
    assert not list(Path().iterdir())


def test_who_works_on_line_is_left_out_where_one_cost_is_paid_at_the_end():
    assert [name for name in NAMES if task(name).on_line] == ["mackey_glass", "sunspots"]
    standings = tg.arena(["parity", "sunspots"], ["RTRL"], budget=40, seeds=1, tune=False, processes=0)
    assert standings.tasks == ["sunspots"]
