"""Which mistakes no test would notice: ``python tests/mutants``, or ``nox -s mutants``.

A mutant is the package with one mistake in it, such as a ``+`` for a ``-``. The mistakes are those of Cosmic Ray, which
also writes them into the file. What is added here is what it leaves to others: a random sample of them, and for each
mutant the tests that reach the line, the quick ones first, until one fails. Every worker has a copy of the project to
write into, and each mutant a process of its own, which has imported what is large before it began.
"""

import argparse
import ast
import datetime
import difflib
import hashlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import coverage
import graphviz  # noqa: F401 - these are large, and so imported once for all mutants
import hypothesis
import jinja2  # noqa: F401
import jsonschema  # noqa: F401
import mpmath  # noqa: F401
import networkx  # noqa: F401
import numpy  # noqa: F401
import pytest
import rich  # noqa: F401
from cosmic_ray.commands.init import _all_work_items as work_items
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_item import MutationSpec
from equivalent import reason

ROOT = Path(__file__).parents[2]
PACKAGE = "tinygrad_rnn"
# Of `view`, the files that show numbers: what a picture looks like is compared whole, with the golden files.
NUMBERS = ["accounts", "flow", "guess", "ledger", "overlay", "trace", "tracing", "units", "walk"]
PARTS = {name: [name] for name in ("autodiff", "replay", "unfold", "through_time", "train")}
PARTS["view"] = [f"view/{name}.py" for name in NUMBERS]
PARTS["exercises"] = [f"exercises/{name}.py" for name in ("causes", "kinds", "verdicts")]

# Slow tests start processes, in which nothing would be seen to be reached. Hypothesis was imported before pytest was.
PYTEST = ["-q", "-p", "no:cacheprovider", "-m", "not slow and not network"]
PYTEST += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
COPIED = ("tinygrad_rnn", "tests", "lessons", "docs", "pyproject.toml", "README.md", "CONTRIBUTING.md", "LICENSE")


@dataclass(frozen=True)
class Mutant:
    """One mistake: `after` stands where `before` stood."""

    file: str
    lines: range
    before: str
    after: str
    text: str  # of the whole file


def main():
    options = arguments()
    hypothesis.settings.register_profile(
        "mutants", derandomize=True, database=None, phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate]
    )
    hypothesis.settings.load_profile("mutants")
    fork = multiprocessing.get_context("fork")
    copy = copied(options.work / "whole")
    os.chdir(copy)
    reached(copy, options)
    report = json.loads(options.write.read_text("utf-8")) if options.write and options.write.exists() else {}
    when = {"date": datetime.datetime.now(datetime.UTC).date().isoformat(), "seed": options.seed}
    with ProcessPoolExecutor(options.workers, fork, initializer=at_work, initargs=(options,)) as workers:
        for part in options.parts:
            mutants, places = sample(part, options)
            controls = [replace(m, text=Path(m.file).read_text("utf-8")) for m in mutants[: options.workers]]
            if set(workers.map(tried, controls)) != {SURVIVED}:
                sys.exit("Tests fail without any mistake when they are run as for a mutant: nothing can be said.")
            row = report[part] = when | {"places": places, "tried": len(mutants), "survived": []}
            for mutant, ended in zip(mutants, workers.map(tried, mutants), strict=True):
                print(f"{ended:9} {mutant.file}:{mutant.lines[0]}: {mutant.before} -> {mutant.after}", flush=True)
                if ended == SURVIVED:
                    row["survived"].append({"file": mutant.file, "line": mutant.before, "mutant": mutant.after})
            if options.write:
                options.write.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
            print(said(part, row), flush=True)
    print("\n".join(said(part, row) for part, row in report.items()))


def said(part, row):
    noticed = row["tried"] - len(row["survived"])
    unexplained = sum(not reason(**one) for one in row["survived"])
    return (
        f"{part}: {noticed} of {row['tried']} noticed, {noticed / row['tried']:.1%}; "
        f"{unexplained} of {len(row['survived'])} survivors without a reason; {row['places']} places"
    )


def copied(folder):
    """The project, to be written into."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_build"))
        else:
            shutil.copy2(source, folder / name)
    return folder


# Which tests reach which lines


def reached(copy, options):
    """Run the tests once, and keep which of them ran which lines and how long each took, while no file changes."""
    digest = hashlib.sha256()
    for file in sorted([*copy.glob("tinygrad_rnn/**/*.py"), *copy.glob("tests/**/*.py")]):
        digest.update(file.read_bytes())
    key = options.work / "reached.key"
    if key.exists() and key.read_text() == digest.hexdigest():
        return
    ran = multiprocessing.get_context("fork").Process(target=run_once, args=(copy, options))
    ran.start()
    ran.join()
    if ran.exitcode not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):  # one that fails is tried on no mutant
        sys.exit("The tests could not be run.")
    key.write_text(digest.hexdigest())


def run_once(copy, options):
    as_if_installed(copy)
    seconds = Seconds()
    settings = options.work / "coverage.ini"
    settings.write_text(f"[run]\ndata_file = {options.work / 'reached.sqlite'}\n")
    cover = (f"--cov={PACKAGE}", f"--cov-config={settings}", "--cov-context=test", "--cov-report=")
    several = ("-n", str(options.workers), "--dist", "worksteal")
    code = pytest.main([*PYTEST, "-p", "mutants.quick", *several, *cover], [seconds])
    (options.work / "seconds.json").write_text(json.dumps(seconds.of))
    os._exit(code)


class Seconds:
    """How long each test took that came to its end."""

    def __init__(self):
        self.of = {}

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.passed:
            self.of[report.nodeid] = report.duration


# The sample


def sample(part, options):
    """So many mutants, each at a place of its own: an operator that eleven others can stand for weighs no more."""
    places = defaultdict(list)
    files = [Path(PACKAGE, name) for name in PARTS.get(part, [part])]
    files = sorted(found for file in files for found in (file.rglob("*.py") if file.is_dir() else [file]))
    for item in work_items(files, {}):
        [spec] = item.mutations
        places[str(spec.module_path), spec.start_pos, spec.end_pos].append(spec)
    chance = random.Random(f"{options.seed} {part}")
    drawn, mutants = sorted(places), []
    chance.shuffle(drawn)
    for place in drawn:
        if len(mutants) == options.sample:
            break
        mutant = mutated(chance.choice(places[place]))
        if mutant:
            mutants.append(mutant)
    return mutants, len(places)


def mutated(spec: MutationSpec):
    """The mutant; None if it is no Python, or if nothing but a type is another."""
    source = spec.module_path.read_text("utf-8")
    text = mutate_code(source, get_operator(spec.operator_name)(**spec.operator_args), spec.occurrence)
    try:
        if meaning(text) == meaning(source):
            return None
    except SyntaxError:
        return None
    changed = [
        line for line in difflib.ndiff(source.split("\n"), text.split("\n")) if line[0] in "-+" and line[2:].strip()
    ]
    before, after = ([line[2:].strip() for line in changed if line[0] == sign] for sign in "-+")
    lines = range(spec.start_pos[0], spec.end_pos[0] + 1)
    return Mutant(str(spec.module_path), lines, " ".join(before), " ".join(after), text)


def meaning(source):
    """What is run: the program without its annotations."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if getattr(node, field, None):
                setattr(node, field, ast.Constant(None))
    return ast.dump(tree)


# The tests of a mutant


@cache
def seconds(work):
    return json.loads((work / "seconds.json").read_text())


@cache
def contexts(work, file):
    data = coverage.CoverageData(work / "reached.sqlite")
    data.read()
    name = next((name for name in data.measured_files() if name.endswith(f"/{file}")), None)
    lines = data.contexts_by_lineno(name) if name else {}
    return {line: {context.partition("|")[0] for context in some} - {""} for line, some in lines.items()}


def tests_of(mutant, options):
    """The tests that reach the line, by file, as many as the time is enough for.

    Of tests that differ in their parameters alone the quickest comes first, then of all the second one. A line that is
    run when the file is imported is reached by no test: then those come that run the function whose head it is, those
    that run any line of the file, and those that stand in the folder of the package's name.
    """
    by_line, took = contexts(options.work, mutant.file), seconds(options.work)
    statement, *wider = around(mutant)
    circles = [running(by_line, statement)]
    if not circles[0]:
        folder = f"tests/{Path(mutant.file).parts[1]}/"
        circles = [*(running(by_line, lines) for lines in wider), {test for test in took if test.startswith(folder)}]
    circle = {test: k for k, tests in reversed([*enumerate(circles)]) for test in tests & took.keys()}
    alike, turn = Counter(), {}
    for test in sorted(circle, key=lambda test: (took[test], test)):
        function = test.partition("[")[0]
        turn[test] = circle[test], alike[function], took[test]
        alike[function] += 1
    left, files = options.seconds, defaultdict(list)
    for test in sorted(turn, key=turn.__getitem__):
        left -= took[test]
        if left < 0 and files:
            break
        files[test.partition("::")[0]].append(test)
    near = Path(mutant.file).parts[1]
    return sorted(files.items(), key=lambda item: (near not in item[0], sum(took[test] for test in item[1])))


def running(by_line, lines):
    """The tests that run one of the lines."""
    return set().union(*(by_line.get(line, ()) for line in lines))


def around(mutant):
    """The lines of the statement, of the functions that it stands in, of the file."""
    source = Path(mutant.file).read_text("utf-8")
    holding = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            if start <= mutant.lines[0] <= node.end_lineno:
                holding.append((node, start))
    if holding:
        node, start = holding[-1]  # the innermost: `walk` goes down level by level
        body = getattr(node, "body", None)
        yield range(start, max(body[0].lineno, start + 1) if body else node.end_lineno + 1)
        for node, _ in reversed(holding):
            if isinstance(node, ast.FunctionDef):
                yield range(node.body[0].lineno, node.end_lineno + 1)
    yield range(1, source.count("\n") + 2)


# One mutant

SURVIVED, NOTICED, ENDLESS = "SURVIVED", "noticed", "endless"
_options = None


def at_work(options):
    global _options  # noqa: PLW0603 - what a worker is told once
    _options = options
    copy = copied(options.work / f"worker-{os.getpid()}")
    os.chdir(copy)
    as_if_installed(copy)


def as_if_installed(copy):
    sys.path[:0] = str(copy), str(copy / "tests")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True  # a mutant is written in the very second in which the last one was


def tried(mutant):
    """How it ended."""
    tests = tests_of(mutant, _options)
    expected = sum(seconds(_options.work)[test] for _, some in tests for test in some)
    file = Path(mutant.file)
    original = file.read_bytes()
    file.write_text(mutant.text, "utf-8")
    try:
        child = multiprocessing.get_context("fork").Process(target=run, args=(tests, 20 + 3 * expected))
        child.start()
        child.join(20 * (20 + expected))  # by the clock, for one that sleeps
        if child.is_alive():
            child.kill()
            child.join()
            return ENDLESS
    finally:
        file.write_bytes(original)
    return {0: SURVIVED, 1: NOTICED}.get(child.exitcode, ENDLESS)


def run(tests, limit):
    os.setsid()  # what a test starts can be ended with it
    resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit) + 1))
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(silence, stream)
    with suppress(BaseException):
        for file, some in tests:
            code = pytest.main([*PYTEST, "-x", file], [Only(some)])
            if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                os._exit(1)
        os._exit(0)
    os._exit(1)


class Only:
    """These tests, in this order."""

    def __init__(self, tests):
        self.place = {test: i for i, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items):
        items[:] = sorted((i for i in items if i.nodeid in self.place), key=lambda i: self.place[i.nodeid])


def arguments():
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "parts", nargs="*", default=list(PARTS), help=f"of {', '.join(PARTS)}, or a file of the package"
    )
    parser.add_argument("--sample", type=int, default=200, help="mutants of each part (200)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another sample (1)")
    parser.add_argument("--seconds", type=float, default=60, help="of tests for a mutant, at most (60)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes at once (one for each core)")
    parser.add_argument("--work", type=Path, required=True, help="a folder for what is written on the way")
    parser.add_argument(
        "--write", type=lambda text: Path(text).resolve(), metavar="FILE", help="put the findings into this JSON"
    )
    options = parser.parse_args()
    options.work = options.work.resolve()
    return options


if __name__ == "__main__":
    main()
