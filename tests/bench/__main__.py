"""What a training step costs, against peers: ``python tests/bench``, or ``nox -s bench``.

CPU time. The peers take turns (A, B, C, ..., A, B, C, ...), and numpy_opt runs between any two of them: a peer is
compared with the mean of its neighbours, since a machine that others use is slower by a third from one second to the
next. Gradients of all weights are found equal before anything is timed; a time is never asserted, being no property
of the code. The twin of numpy_opt takes its turn like a peer: how far it is from 1 is what a difference must exceed
to mean anything.
"""

import argparse
import datetime
import json
import multiprocessing
import os
import platform
import statistics
import sys
from importlib import metadata
from pathlib import Path

import numpy as np

import problems
import recording
import streaming
import tasks
from peers import OPT, PEERS
from worker import HELD, ONE_THREAD, PeerError, Worker

TWIN = OPT._replace(name="null")
NOISY = 0.05  # a null pair further from 1 than this: measure again
PACKAGES = ("tinygrad-rnn", "numpy", "torch", "jax", "autograd", "mygrad")


def main(argv=None):
    options = arguments(argv)
    prepare_environment(options.keep_kernels)
    if options.tasks:
        tasks.main(options.tasks)
        return
    report = header(options)
    print(said(report))
    peers = [peer for peer in PEERS if peer.name in options.peers]
    notes = {}  # what to say under the tables, once each
    for kind in options.kinds:
        for dtype in options.dtypes:
            table = {"kind": kind, "dtype": dtype, "rows": []}
            report["tables"].append(table)
            print(f"\n{kind}, {dtype}: CPU time / numpy_opt\n{titles(peers)}")
            for size in (size for size in options.sizes if size in problems.sizes_of(kind)):
                workers = [Worker(peer) for peer in (OPT, TWIN, *peers) if size not in peer.skips]
                try:
                    row = race(workers, kind, size, dtype, options.rounds, notes)
                finally:
                    for worker in workers:
                        worker.close()
                table["rows"].append(row)
                print(line(row, peers), flush=True)
    for name, reason in notes:
        print(f"\n{name}: {reason}".rstrip())
    if options.recording:
        # In a process of its own too: what was imported and made here would weigh on its collector
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows = pool.apply(recording.measure, (min(options.rounds, recording.ROUNDS),))
            rows += pool.apply(streaming.measure, (min(options.rounds, recording.ROUNDS),))
        report["recording"] = [{"what": what, "value": value, "unit": unit} for what, value, unit in rows]
        print("\nrecording, and a stream, float64")
        for what, value, unit in rows:
            print(f"{value:10.2f} {unit:5} {what}")
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        options.write.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def prepare_environment(keep_kernels):
    """For all processes to come."""
    os.environ.update(ONE_THREAD)
    if not keep_kernels:
        for name in HELD:
            os.environ.pop(name, None)
    if hasattr(os, "sched_setaffinity"):
        # One core for all: two cores are not equally fast while somebody else uses the machine
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def race(workers, kind, size, dtype, rounds, notes):
    """One row of a table."""
    opt, *others = workers
    opt.prepare(kind, size, dtype)
    expected, running = opt.ask("result"), []
    for worker in others:
        try:
            worker.prepare(kind, size, dtype, opt.form if worker.peer is TWIN else None)
            found = worker.ask("result")
        except PeerError as error:
            notes[worker.peer.name, str(error)] = True
            continue
        check(worker.peer.name, (kind, size, dtype), found, expected)
        running.append(worker)
    limits, ratios = [opt.ask("time")], {worker.peer.name: [] for worker in running}
    for _ in range(rounds):
        for worker in running:
            seconds = worker.ask("time")
            limits.append(opt.ask("time"))
            ratios[worker.peer.name].append(2 * seconds / sum(limits[-2:]))
    ratios = {name: statistics.median(all_rounds) for name, all_rounds in ratios.items()}
    return {
        "size": size,
        **dict(zip("TBIHO", problems.SIZES[size], strict=True)),
        "numpy_opt_us": 1e6 * statistics.median(limits),
        "null": ratios.pop(TWIN.name),
        "ratios": ratios,
        "forms": {w.peer.name: w.form for w in (opt, *running) if w.form and w.peer is not TWIN},
    }


def check(name, where, found, expected):
    """All gradients are the same, or there is nothing to compare."""
    tolerance = problems.TOLERANCE[where[-1]]
    (cost, grads), (true_cost, true_grads) = found, expected
    pairs = {"cost": (cost, true_cost)} | {key: (grads.get(key), true) for key, true in true_grads.items()}
    for key, (mine, true) in pairs.items():
        off = np.inf if mine is None else np.abs(mine - true).max() / np.abs(true).max()
        if not off <= tolerance:  # a NaN is an error too
            sys.exit(f"{name}, {' '.join(where)}: {key} differs from numpy_opt by {off:.1e} of its largest entry")


def header(options):
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    worker = Worker(OPT)  # a process whose environment is that of the measurements
    kernel = worker.ask("kernel")
    worker.close()
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": versions,
        "blas": " ".join([blas["name"], blas["version"], *(f"{n}={os.environ[n]}" for n in HELD if n in os.environ)]),
        "kernel": kernel,
        "rounds": options.rounds,
        "tables": [],
    }


def said(report):
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return (
        f"{report['date']}; {versions}; NumPy's BLAS: {report['blas']}, kernel {report['kernel']}\n"
        f"CPU time of forward and backward pass, one thread, median ratio of {report['rounds']} paired rounds"
    )


def titles(peers):
    names = "".join(f"{peer.name:>12}" for peer in peers)
    return f"{'':10}{'T,B,I,H,O':>19}{'numpy_opt us':>14}{TWIN.name:>7}{names}  form of numpy_opt"


def line(row, peers):
    sizes = ",".join(str(row[name]) for name in "TBIHO")
    cells = "".join(f"{row['ratios'][p.name]:>12.2f}" if p.name in row["ratios"] else f"{'-':>12}" for p in peers)
    noisy = "  NOISY, measure again" if abs(row["null"] - 1) > NOISY else ""
    start = f"{row['size']:10}{sizes:>19}{row['numpy_opt_us']:>14,.0f}{row['null']:>7.2f}"
    return f"{start}{cells}  {row['forms'][OPT.name]}{noisy}"


def arguments(argv):
    names = [peer.name for peer in PEERS]

    def some_of(known):
        def parse(text):
            chosen = text.split(",")
            if unknown := set(chosen) - set(known):
                raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: known are {', '.join(known)}")
            return [one for one in known if one in chosen]

        return parse

    def rounds(text):
        if int(text) < 1:
            raise argparse.ArgumentTypeError("at least one round")
        return int(text)

    parser = argparse.ArgumentParser(prog="bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the network of Guo at three sizes in float64, 5 rounds")
    for what, known in (
        ("kinds", list(problems.GATES)),
        ("dtypes", list(problems.TOLERANCE)),
        ("sizes", list(problems.SIZES)),
        ("peers", names),
    ):
        parser.add_argument(f"--{what}", type=some_of(known), metavar="A,B", help=f"of {', '.join(known)}")
    parser.add_argument(
        "--tasks",
        type=some_of(tasks.TASKS),
        nargs="?",
        const=list(tasks.TASKS),
        metavar="A,B",
        help=f"learn known tasks, of {', '.join(tasks.TASKS)}, instead of all this; some minutes",
    )
    parser.add_argument("--rounds", type=rounds, help="paired rounds (11)")
    parser.add_argument("--no-recording", dest="recording", action="store_false", help="leave the second table out")
    parser.add_argument("--keep-kernels", action="store_true", help=f"heed {' and '.join(HELD)}")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the tables as JSON too")
    options = parser.parse_args(argv)
    quick = options.quick
    options.kinds = options.kinds or (["guo"] if quick else list(problems.GATES))
    options.dtypes = options.dtypes or (["float64"] if quick else list(problems.TOLERANCE))
    options.sizes = options.sizes or (["tiny", "minchar", "small"] if quick else list(problems.SIZES))
    options.peers = options.peers or names
    options.rounds = options.rounds or (5 if quick else 11)
    return options


if __name__ == "__main__":
    main()
