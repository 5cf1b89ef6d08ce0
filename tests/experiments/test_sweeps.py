"""Sweeps: the same records however they were run, whatever was killed in between, and nothing left over."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import sweep_points
import tinygrad_rnn as tg
from sweep_points import POINTS, ends_its_process, no_json, tiny, waits
from tinygrad_rnn.experiments.sweeps.file import key_of

SCRIPT = Path(sweep_points.__file__)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def lines(path="runs.jsonl"):
    """The records of a file, without what differs from run to run, in an order of their own."""
    records = [json.loads(line) for line in Path(path).read_text().splitlines()]
    for record in records:
        del record["seconds"], record["pid"]
    return sorted(json.dumps(record) for record in records)


@pytest.fixture(scope="module")
def in_a_loop(tmp_path_factory):
    path = tmp_path_factory.mktemp("loop") / "runs.jsonl"
    records = tg.sweep(tiny, POINTS, out=path, processes=0)
    assert len(records) == len(POINTS) == 392
    return lines(path)


@pytest.fixture
def cluster():
    """Two workers of a test's own: one that kills them may leave none to the next."""
    import dask
    from distributed import Client, LocalCluster

    # Otherwise a worker is given up that needs more than 15 s to come back, as on a machine with much else to do.
    patience = {"distributed.deploy.lost-worker-timeout": "300s", "distributed.scheduler.allowed-failures": 1}
    with (
        dask.config.set(patience),
        LocalCluster(2, threads_per_worker=1, dashboard_address=":0") as here,
        Client(here) as client,
    ):
        yield client


def test_a_record_says_what_was_run_and_what_came_of_it():
    good, bad = tg.sweep(tiny, [POINTS[0], POINTS[-1]])
    assert good["point"] == POINTS[0]
    assert good["function"] == "sweep_points:tiny"
    assert (good["ok"], good["result"]) == (True, tiny(**POINTS[0]))
    assert good["pid"] == os.getpid()
    assert bad["error"] == {
        "type": "ZeroDivisionError",
        "text": f"eta is {POINTS[-1]['eta']}",
        "where": f"sweep_points.py:{line_with('raise ZeroDivisionError')}, in tiny",
    }


def line_with(words):
    return next(k for k, line in enumerate(SCRIPT.read_text().splitlines(), start=1) if words in line)


def test_a_key_does_not_depend_on_the_order_of_names_nor_on_whose_number_it_is():
    assert key_of({"a": 1, "b": 0.5}) == key_of({"b": np.float64(0.5), "a": np.int64(1)})
    assert key_of({"a": 1}) != key_of({"a": 2})
    assert len(key_of({})) == 64


@pytest.mark.slow
def test_processes_give_the_same_bytes(in_a_loop):
    records = tg.sweep(tiny, POINTS, processes=2)
    assert lines() == in_a_loop
    assert [record["point"] for record in records] == POINTS
    assert os.getpid() not in {record["pid"] for record in records}
    assert len({record["pid"] for record in records}) == 2


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes(in_a_loop, cluster):
    tg.sweep(tiny, POINTS[:300], client=cluster)
    tg.sweep(tiny, POINTS, client=cluster.scheduler.address)
    assert lines() == in_a_loop


def test_what_is_done_is_not_done_again(in_a_loop):
    tg.sweep(tiny, POINTS[:100], processes=0)
    before = Path("runs.jsonl").read_bytes()
    records = tg.sweep(tiny, POINTS[50:100] + POINTS[50:60], processes=0)
    assert len(records) == 60
    assert Path("runs.jsonl").read_bytes() == before
    tg.sweep(tiny, POINTS, processes=0)
    assert Path("runs.jsonl").read_bytes().startswith(before)
    assert lines() == in_a_loop


@pytest.mark.parametrize("left", [1, 5, 9, 60, 300])
def test_a_torn_last_line_is_done_again(left, in_a_loop):
    tg.sweep(tiny, POINTS[:20], processes=0)
    whole = Path("runs.jsonl").read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    torn = whole[: min(last + left, len(whole) - 1)]
    Path("runs.jsonl").write_bytes(torn)
    records = tg.sweep(tiny, POINTS, processes=0)
    assert len(records) == 392
    after = Path("runs.jsonl").read_bytes()
    assert after.startswith(torn)
    kept = [line for line in after.decode().splitlines() if line.endswith("}")]
    Path("runs.jsonl").write_text("\n".join(kept))
    assert lines() == in_a_loop


def test_what_failed_is_done_again_only_if_that_is_asked():
    tg.sweep(tiny, POINTS[-8:], processes=0)
    count = len(lines())
    tg.sweep(tiny, POINTS[-8:], processes=0)
    assert len(lines()) == count
    tg.sweep(tiny, POINTS[-8:], processes=0, retry_failed=True)
    assert len(lines()) == count + sum(not json.loads(line)["ok"] for line in lines()) / 2
    assert len(tg.sweep(tiny, POINTS[-8:], processes=0)) == 8


def test_a_result_that_has_no_json_is_a_record_too():
    good, bad, better = tg.sweep(no_json, tg.grid(k=[0, 1, 2]), processes=0)
    assert good["ok"]
    assert better["ok"]
    assert bad["error"]["type"] == "TypeError"
    assert "{1, 2}" in bad["error"]["text"]


def test_numbers_that_are_not_finite_come_back_as_they_were(monkeypatch):
    def infinite(k):
        return np.array([np.inf, -np.inf, np.nan, k])

    (record,) = tg.sweep(infinite, [{"k": 3}], processes=0)
    assert record["result"][:2] == [np.inf, -np.inf]
    assert record["result"][2] != record["result"][2]


@pytest.mark.slow
@pytest.mark.parametrize("where", ["here", "cluster"])
def test_a_point_that_kills_its_own_process_is_a_record_and_the_others_go_on(where, request):
    points = tg.grid(fatal=[7], k=range(20))
    how = {"processes": 2} if where == "here" else {"client": request.getfixturevalue("cluster")}
    records = tg.sweep(ends_its_process, points, **how)
    assert [record["ok"] for record in records] == [k != 7 for k in range(20)]
    assert records[7]["error"]["type"] == "Killed"
    assert [record["result"] for record in records if record["ok"]] == [k for k in range(20) if k != 7]


@pytest.mark.slow
def test_a_worker_of_a_cluster_that_is_killed_costs_no_point(cluster, tmp_path):
    import threading

    def kill_one():
        while not (started := list(tmp_path.glob("*-9"))):
            time.sleep(0.01)
        os.kill(int(started[0].name.partition("-")[0]), signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    records = tg.sweep(waits, tg.grid(folder=[str(tmp_path)], seconds=[0.02], k=range(40)), client=cluster)
    killer.join()
    assert [record["result"] for record in records] == list(range(40))


@pytest.mark.slow
@pytest.mark.parametrize("processes", [0, 2])
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_a_sweep_that_is_killed_goes_on_and_leaves_no_process_over(by, processes, tmp_path):
    command = [sys.executable, str(SCRIPT), str(tmp_path), str(processes)]
    runs = tmp_path / "runs.jsonl"
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    while not (runs.exists() and runs.read_bytes().count(b"\n") > 5):
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(by)
    running.wait(60)
    running.communicate(timeout=60)  # a worker that stayed would hold the pipe open
    before = runs.read_bytes()
    assert 5 < before.count(b"\n") < 60
    wait_for_none(running.pid)

    done = subprocess.run(command, capture_output=True, text=True, start_new_session=True)
    assert done.returncode == 0, done.stderr
    assert runs.read_bytes().startswith(before)
    results = [json.loads(line)["result"] for line in runs.read_text().splitlines() if line.endswith("}")]
    assert sorted(results) == list(range(60))


def wait_for_none(session):
    """Wait until no process of that session is there, for as long as it takes to notice that a parent is gone."""
    for _ in range(300):
        found = [pid for pid in Path("/proc").glob("[0-9]*") if in_session(pid, session)]
        if not found:
            return
        time.sleep(0.1)
    raise AssertionError([(pid / "cmdline").read_text() for pid in found])


def in_session(pid, session):
    try:
        return int((pid / "stat").read_text().rpartition(")")[2].split()[3]) == session
    except OSError:  # it has just ended
        return False


@pytest.mark.slow
def test_a_script_without_a_guard_is_not_run_again_by_its_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import tinygrad_rnn as tg\nprint('once')\ndef twice(k):\n    return 2 * k\n"
        "print([r['result'] for r in tg.sweep(twice, tg.grid(k=range(5)), processes=2)])\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "once\n[0, 2, 4, 6, 8]\n"


def test_another_functions_file_and_a_file_of_somebody_elses_are_left_alone():
    tg.sweep(tiny, POINTS[:3], processes=0)
    before = Path("runs.jsonl").read_bytes()
    with pytest.raises(ValueError, match=r"line 1: this is a point of sweep_points:tiny, and .* sweep_points:no_json"):
        tg.sweep(no_json, tg.grid(k=[0]))
    Path("mine.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"mine.csv, line 1: this is no line of a sweep, 'a,b'"):
        tg.sweep(tiny, POINTS[:3], out="mine.csv")
    assert Path("runs.jsonl").read_bytes() == before
    assert Path("mine.csv").read_text() == "a,b\n1,2\n"


def test_what_is_fixed_of_a_function_tells_its_points_apart():
    """Of long arrays Python writes a few entries, and of all eight digits: by these, other data would be done."""
    data = np.linspace(0, 1, 2000)
    for other in (data + np.where(np.arange(2000) == 1000, 1, 0), data * (1 + 1e-12)):
        tg.sweep(partial(total, data), tg.grid(k=[1]), out="one.jsonl", processes=0)
        with pytest.raises(ValueError, match=r"this is a point of .*sha256:"):
            tg.sweep(partial(total, other), tg.grid(k=[1]), out="one.jsonl", processes=0)
    with pytest.raises(TypeError, match=r"fn fixes <object object at 0x\w+>, which no line of a file can tell"):
        tg.sweep(partial(total, object()), tg.grid(k=[1]), processes=0)
    (record,) = tg.sweep(partial(of_cell, cell=tg.cells.Guo()), tg.grid(k=[1]), out="cell.jsonl", processes=0)
    assert "cell=Guo(" in record["function"]


def total(data, k):
    return float(np.sum(data) * k)


def of_cell(cell, k):
    return k


@pytest.mark.skipif(sys.platform == "win32", reason="there, the file that is open cannot be written by another")
def test_two_sweeps_do_not_write_to_one_file():
    def inner(k):
        return tg.sweep(tiny, POINTS[:2], processes=0)

    (record,) = tg.sweep(inner, [{"k": 1}], out="runs.jsonl", processes=0)
    assert record["error"]["type"] in {"BlockingIOError", "ValueError"}
    assert len(lines()) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"points": 3}, r"points=3: it must be a list of dicts"),
        ({"points": {"k": 1}}, r"points=\{'k': 1\}: it must be a list of dicts"),
        ({"points": [{"k": 1}, 3]}, r"points\[1\]=3: it must be a dict"),
        ({"points": [{"k": object()}]}, r"points\[0\].* is no number, text, list or dict"),
        ({"points": [{1: 1}]}, r"points\[0\]=\{1: 1\}: it must be a dict of arguments by name"),
        ({"out": 3}, "out=3: it must be the name of a file"),
        ({"out": "."}, "out='.' is a folder"),
        ({"out": "nodir/runs.jsonl"}, "there is no folder nodir"),
        ({"processes": -1}, "processes=-1"),
        ({"processes": "a"}, "processes='a'"),
        ({"processes": 2, "client": "tcp://localhost:1"}, "give one of them"),
        ({"retry_failed": 3}, "retry_failed=3: it must be True or False"),
        ({"fn": 3}, "fn=3: it must be a function"),
        ({"client": "tcp://127.0.0.1:9"}, "there is no scheduler of Dask at tcp://127.0.0.1:9"),
        ({"client": 3}, "client=3: it must be"),
    ],
)
def test_what_is_no_sweep_is_refused_and_makes_no_file(given, says, tmp_path):
    with pytest.raises((TypeError, ValueError, OSError), match=says):
        tg.sweep(**({"fn": tiny, "points": POINTS[:1]} | given))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("values", [3, "abc", {"a": 1}, np.float64(1), None])
def test_an_axis_is_a_list_of_values(values):
    with pytest.raises(TypeError, match=r"grid: eta=.*: give the values in a list, one alone as \[value\]"):
        tg.grid(eta=values)


def half_a_character(k):
    """As a name of a file that is no UTF-8."""
    if k == 1:
        raise OSError(f"\udcff{k}")
    return "\udcff"


class MuteError(Exception):
    """An exception whose text cannot be had."""

    def __str__(self):
        raise RuntimeError


def raises_mute(k):
    raise MuteError


def test_halves_of_characters_are_kept_as_they_are():
    good, bad = tg.sweep(half_a_character, tg.grid(k=[0, 1]), processes=0)
    assert (good["result"], bad["error"]["text"]) == ("\udcff", "\udcff1")
    assert tg.sweep(half_a_character, tg.grid(k=[0, 1]), processes=0) == [good, bad]
    assert [json.loads(line) for line in Path("runs.jsonl").read_text("utf-8").splitlines()] == [good, bad]
    (named,) = tg.sweep(no_json, [{"k": "\udcff"}], out="names.jsonl", processes=0)
    assert named["point"] == {"k": "\udcff"}


def test_an_exception_without_a_text_is_a_record():
    first, second = tg.sweep(raises_mute, tg.grid(k=[0, 1]), processes=0)
    assert first["error"]["type"] == second["error"]["type"] == "MuteError"
    assert "RuntimeError" in first["error"]["text"]


def test_points_that_would_be_one_in_json_are_refused():
    with pytest.raises(TypeError, match=r"points\[1\].*1 is a name in a dict, and must be a text"):
        tg.sweep(tiny, [{"x": {"1": 2}}, {"x": [{1: 2}]}])


@pytest.mark.parametrize("rest", ["", ', "ok": 3', ', "ok": true', ', "ok": false, "error": {"type": "E"}'])
def test_a_record_that_is_not_whole_is_refused(rest):
    (done,) = tg.sweep(tiny, [POINTS[0]], out="whole.jsonl", processes=0)
    line = f'{{"key": "{done["key"]}", "function": "{done["function"]}", "point": {{}}{rest}}}\n'
    Path("runs.jsonl").write_text(line)
    with pytest.raises(ValueError, match="line 1: this is no record of a sweep"):
        tg.sweep(tiny, [POINTS[0]], processes=0)
    assert Path("runs.jsonl").read_text() == line


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_device_without_an_end_is_not_read():
    with pytest.raises(OSError, match="No space left"):
        tg.sweep(tiny, [POINTS[0]], out="/dev/full", processes=0)


def test_no_file_has_a_nul_in_its_name():
    with pytest.raises(ValueError, match="NUL"):
        tg.sweep(tiny, [POINTS[0]], out="a\0b")
