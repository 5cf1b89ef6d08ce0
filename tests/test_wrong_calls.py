"""Every public function, called wrongly hundreds of times: an error of ours each time, never Python's or NumPy's words.

One table says how each function is rightly called. The wrong calls are made from it: each argument in turn is given
everything in `WRONG`, and its own right value spoilt; arguments are left out, too many, misspelt, and wrong in pairs.
What is said names the argument. What is not refused must be right: a value of the kind that the annotation names.
"""

import dataclasses
import inspect
import io
import itertools
import re
import tempfile
import traceback
import types
import warnings
from itertools import islice
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import tinygrad_rnn as tg
from op_examples import EXAMPLES
from tinygrad_rnn.autodiff import OPS
from tinygrad_rnn.through_time import fewest_plays

T, B = 3, 2
rng = np.random.default_rng(0)
CELL = tg.cells.Guo(f="tanh", g="softmax")
PARAMS = CELL.init(n_in=3, n_hidden=4, n_out=2, rng=0)
X, D = rng.normal(size=(T, B, 3)), np.eye(2)[rng.integers(2, size=(T, B))]
ONE = tg.cells.Guo(f="tanh", g="identity")
ONE_PARAMS = ONE.init(n_in=1, n_hidden=1, n_out=1, rng=0)
SERIES = np.sin(np.arange(12.0))
WRITER, TELLER = tg.cells.Guo(f="tanh", g="softmax"), tg.cells.Guo(f="tanh", g="identity")
WRITER_PARAMS = WRITER.init(n_in=2, n_hidden=2, n_out=2, rng=0)
TELLER_PARAMS = TELLER.init(n_in=1, n_hidden=2, n_out=1, rng=0)


def params():
    return {name: w.copy() for name, w in PARAMS.items()}


def net():
    made = tg.unfold(CELL, params(), X, D)
    made.replay()
    made.backward()
    return made


def one_unit():
    made = tg.unfold(ONE, dict(ONE_PARAMS), X[:, :1, :1], D[:, :1, :1], loss="squared_error")
    made.backward()
    return made


def flow_graph():
    return tg.flow_graph(one_unit(), "U", (0, 0))


def tape():
    return net().tape


class Made:
    """An argument that is made when it is first used, and anew after each call that was not refused."""

    def __init__(self, make):
        self.make, self.made = make, None

    def __call__(self):
        self.made = self.make() if self.made is None else self.made
        return self.made


class Fresh(Made):
    """An argument that is made anew for each call."""

    def __call__(self):
        return self.make()


def named(name):
    return next(node for node in TAPE() if node.name == name)


def net_step():
    return list(net().steps())[5]


def remembered():
    adam, weights = tg.train.Adam(0.1), params()
    adam.step(weights, weights)
    return adam.state()


def filled(memory):
    memory.push(np.ones(2))
    return memory


FOLDER = tempfile.TemporaryDirectory()  # gone when Python ends
NUMBERS = itertools.count()


def new_file():
    return Path(FOLDER.name) / f"{next(NUMBERS)}.npz"


def new_name():
    return Path(FOLDER.name) / str(next(NUMBERS))


def one_more():
    return tg.train.Run(RUN()).update + 1


TEXT = tg.data.text(io.BytesIO(b"to be or not to be, that is the question " * 3))
SMALL_RUN = {"hidden": 2, "batch": 1, "k1": 5, "updates": 2, "every": 1}
RUN = Made(lambda: tg.train.fit("guo", TEXT, out=new_name(), **SMALL_RUN).path)
NET, TAPE, WEIGHTS, UNIT, GRAPH = Made(net), Made(tape), Made(params), Made(one_unit), Made(flow_graph)
GRADS = Made(lambda: {name: g.copy() for name, g in net().grads.items()})
SLICE = Made(lambda: tg.surface(net(), ("U[0, 0]", "U[1, 2]"), points=5))
TRACE, PICTURE = Made(lambda: tg.trace(net())), Made(lambda: tg.draw(net()))
NODE = Fresh(lambda: NET().outputs[1])
COST = Fresh(lambda: TAPE().nodes[-1])
RECORD = {"ok": True, "point": {"k": 1, "l": 2}, "result": {"cost": 0.5}}
SEQUENCE = {"cell": CELL, "params": WEIGHTS, "x": X, "d": D}
CELLS = {
    tg.cells.Guo: {"f": "tanh", "g": "softmax"},
    tg.cells.Elman: {"g": "sigmoid"},
    tg.cells.IRNN: {"g": "softmax", "scale": 1.0},
    tg.cells.LSTM: {"peepholes": False, "forget": True, "g": "softmax", "forget_bias": 1.0},
    tg.cells.GRU: {"reset": "after", "g": "softmax"},
    tg.cells.Mozer: {"f": "tanh", "g": "softmax", "decay": 0.9},
    tg.cells.ErrorClipped: {"cell": CELL, "bound": 15.0},
    tg.cells.Stacked: {"cells": CELL},
}
OPTIMISERS = {
    tg.train.SGD: {"eta": 0.1, "mu": 0.5, "dampening": 0.0, "nesterov": False, "weight_decay": 0.0},
    tg.train.Momentum: {"eta": 0.1, "mu": 0.9, "nesterov": False},
    tg.train.Nesterov: {"eta": 0.1, "mu": 0.9},
    tg.train.Adagrad: {"eta": 0.1, "epsilon": 1e-8, "under_root": False},
    tg.train.RMSprop: {"eta": 0.1, "rho": 0.9, "epsilon": 1e-8, "under_root": False},
    tg.train.Adam: {"eta": 0.1, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-8, "weight_decay": 0.0},
    tg.train.AdamW: {"eta": 0.1, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-8, "weight_decay": 0.0},
}
CALLS = {
    tg.unfold: {**SEQUENCE, "s0": np.zeros((B, 4)), "mask": np.ones((T, B)), "losses": [T]},
    tg.Network: {"cell": CELL, "params": WEIGHTS},
    tg.Network.__call__: {"self": Made(lambda: tg.Network(CELL, params())), "x": X, "d": D, "mask": np.ones((T, B))},
    tg.cut: {"net": NET, "at": 2},
    tg.influence: {"net": NET, "name": "U"},
    tg.influence_norms: {"net": NET, "name": "U"},
    tg.truncated: {**SEQUENCE, "k1": 1, "k2": 2},
    tg.truncated_gradient: {"net": NET, "k1": 1, "k2": 2},
    tg.truncation_mask: {"T": T, "k1": 1, "k2": 2},
    tg.williams_peng: {**SEQUENCE, "h": 2},
    tg.epochwise: {**SEQUENCE, "h": 2},
    tg.wikipedia: {**SEQUENCE, "k": 2},
    tg.naive_splitting: {**SEQUENCE, "k": 2},
    tg.artbp: {**SEQUENCE, "c": 0.5},
    tg.artbp_gradient: {"net": NET, "c": 0.5},
    tg.checkpointed: {**SEQUENCE, "every": 2},
    tg.Checkpoints: {"cell": CELL, "params": WEIGHTS, "every": 2},
    tg.Checkpoints.__call__: {"self": Made(lambda: tg.Checkpoints(CELL, params())), "x": X, "d": D},
    fewest_plays: {"segments": 4, "memory": 2},
    tg.eprop: SEQUENCE,
    tg.rtrl: SEQUENCE,
    tg.uoro: SEQUENCE,
    tg.focused: {**SEQUENCE, "cell": tg.cells.Mozer(), "params": tg.cells.Mozer().init(3, 4, 2, rng=0)},
    tg.fixed_memory: {**SEQUENCE, "taps": 3, "mu": 0.5},
    tg.GammaMemory: {"taps": 3, "mu": 0.5},
    tg.GammaMemory.push: {"self": Fresh(lambda: tg.GammaMemory(3, 0.5)), "signal": np.ones(2)},
    tg.GammaMemory.read: {"self": Made(lambda: filled(tg.GammaMemory(3, 0.5))), "delay": 1},
    tg.untie: {"params": WEIGHTS, "T": T},
    tg.flow_graph: {"net": UNIT, "weight": "U", "entry": (0, 0)},
    tg.transfer: {"graph": GRAPH},
    tg.transposed: {"graph": GRAPH},
    tg.flow: {"graph": GRAPH, "injected": Fresh(lambda: {next(iter(GRAPH())): 1.0})},
    tg.graph: {"tape": TAPE},
    tg.delta: {"node": NODE},
    tg.ordered: {"target": Fresh(lambda: NET().cost), "variables": Fresh(lambda: [NET().states[1]])},
    tg.pathology.jacobians: {"net": NET, "part": 0, "times": [1]},
    tg.pathology.products: {"jacobians": np.ones((T, B, 4, 4)), "to": 2},
    tg.pathology.singular_values: {"matrices": np.ones((T, B, 4, 4))},
    tg.pathology.spectral_radius: {"matrices": np.ones((T, B, 4, 4))},
    tg.pathology.vanishing_bound: {"cell": CELL, "params": WEIGHTS, "lags": [1, 2]},
    tg.pathology.state_errors: {"net": NET, "of": 2},
    tg.check: {"f": tg.ops.tanh, "args": 0.5},
    tg.diagnose: {"net": NET, "grads": Fresh(lambda: {"U": np.ones((4, 4))}), "digits": 3},
    tg.ledger: {"net": NET, "weight": "U"},
    tg.trace: {"net": NET},
    tg.player: {"net": NET},
    tg.show: {"steps": Fresh(lambda: NET().steps())},
    tg.draw: {"net": NET, "of": 2, "window": "all", "captions": {"x": "abc"}},
    tg.draw_flow: {"graph": GRAPH},
    tg.Picture.to_bytes: {"self": PICTURE, "suffix": ".dot"},
    tg.Picture.fragment: {"self": PICTURE, "id": "a"},
    tg.Player: {"steps": TRACE, "predict": True},
    tg.Player.fragment: {"self": Made(lambda: tg.player(TRACE())), "id": "a"},
    tg.Ledger: {"net": NET, "weight": "U"},
    tg.data.table: {"source": Fresh(lambda: io.BytesIO(b"a,b\n1,5\n2,7\n3,9\n")), "columns": "a", "target": "b"},
    tg.data.text: {"source": Fresh(lambda: io.BytesIO(b"abc"))},
    tg.data.sunspots: {},
    tg.data.nile: {},
    tg.data.co2: {"missing": "hold"},
    tg.data.constitution: {},
    tg.data.laser: {},
    tg.data.mackey_glass: {"n": 5, "tau": 1.5, "h": 0.5, "drop": 0},
    tg.data.adding: {"T": 4, "B": 2, "rng": 0},
    tg.data.temporal_order: {"T": 12, "B": 2, "rng": 0},
    tg.data.copy_memory: {"T": 4, "B": 2, "rng": 0, "symbols": 3, "length": 2},
    tg.data.parity: {"T": 4, "B": 2, "rng": 0},
    tg.data.reber: {"B": 2, "rng": 0},
    tg.save: {"path": Fresh(new_file), "cell": CELL, "params": WEIGHTS},
    tg.load: {"path": Made(lambda: tg.save(new_file(), CELL, params())), "cell": CELL},
    tg.to_flax: {"cell": CELL, "params": WEIGHTS},
    tg.from_flax: {"variables": tg.to_flax(CELL, PARAMS), "cell": CELL},
    tg.onnx.scan: {"cell": CELL, "params": WEIGHTS, "n_in": 3, "s0": np.zeros((B, 4))},
    tg.plot_axes: {},
    tg.plot_influence: {"norms": np.eye(T)},
    tg.plot_lags: {"lengths": np.ones(T)},
    tg.plot_masks: {"masks": np.eye(T)},
    tg.plot_runs: {"at": [1.0, 2.0], "curves": {"a": np.ones((3, 2))}, "title": "", "xlabel": "a", "ylabel": "b"},
    tg.plot_sweep: {"records": [RECORD], "x": "k", "y": "l", "value": "cost", "diverged": "gone", "title": ""},
    tg.Unfolded.backward: {"self": NET},
    tg.Unfolded.replay: {"self": NET, "x": X, "d": D, "s0": np.zeros((B, 4))},
    tg.Unfolded.carry: {"self": NET, "x": X, "s0": np.zeros((B, 4))},
    tg.Unfolded.follow: {"self": NET, "before": NET, "x": X[:1], "d": D[:1]},
    tg.Unfolded.steps: {"self": NET},
    tg.Unfolded.check: {"self": NET},
    tg.Unfolded.tangents: {"self": NET, "tangents": {"U": np.ones((4, 4))}, "at": 2},
    tg.Unfolded.pushforward: {"self": NET, "tangents": {"U": np.ones((4, 4))}, "at": 2},
    tg.Tape: {"equations": {"s": "G1"}},
    tg.Tape.leaf: {"self": Fresh(tg.Tape), "value": 1.0},
    tg.Tape.constant: {"self": Fresh(tg.Tape), "value": 1.0},
    tg.Tape.set: {
        "self": TAPE,
        "leaf": Fresh(lambda: named("x")),
        "value": X[0],
    },
    tg.Tape.backward: {"self": TAPE, "root": COST},
    tg.Tape.pullback: {"self": TAPE, "root": COST},
    tg.Tape.differentiate: {"self": TAPE, "root": COST, "with_respect_to": Fresh(lambda: [TAPE()[0]])},
    tg.Tape.tangents: {"self": TAPE, "tangents": Fresh(lambda: {TAPE()[0]: np.ones((4, 3))})},
    tg.Tape.pushforward: {"self": TAPE, "tangents": Fresh(lambda: {TAPE()[0]: np.ones((4, 3))})},
    tg.Tape.computed: {"self": TAPE, "node": COST},
    tg.Step.unit: {"self": Made(net_step), "index": (0, 0)},
    **CELLS,
    tg.cells.Guo.init: {"self": CELL, "n_in": 3, "n_hidden": 4, "n_out": 2, "rng": 0},
    tg.cells.Guo.initial_state: {"self": CELL, "params": WEIGHTS, "n_samples": B},
    tg.cells.Guo.to_torch: {"self": CELL, "params": WEIGHTS},
    tg.cells.Guo.from_torch: {"self": CELL, "rnn": CELL.to_torch(PARAMS)[0], "linear": CELL.to_torch(PARAMS)[1]},
    tg.cells.Stacked.init: {"self": tg.cells.Stacked(CELL, CELL), "n_in": 3, "n_hidden": 4, "n_out": 2, "rng": 0},
    **OPTIMISERS,
    tg.train.SGD.step: {"self": tg.train.SGD(0.1), "params": WEIGHTS, "grads": GRADS},
    tg.train.Adam.restore: {"self": tg.train.Adam(0.1), "state": Fresh(remembered)},
    tg.clip_by_norm: {"grads": GRADS, "threshold": 1.0, "norm": 2},
    tg.clip_by_value: {"grads": GRADS, "bound": 1.0},
    tg.train.unigram: {"train": np.array([0, 1, 0]), "test": np.array([1, 0]), "symbols": 2},
    tg.train.bigram: {"train": np.array([0, 1, 0]), "test": np.array([1, 0]), "symbols": 2},
    tg.train.autoregression: {"train": SERIES, "order": 1},
    tg.train.season_of: {"train": SERIES},
    tg.train.nmse: {"d": SERIES, "y": SERIES + 1, "variance": 2.0},
    tg.train.rmse: {"d": SERIES, "y": SERIES + 1},
    tg.train.mase: {"d": SERIES, "y": SERIES + 1, "train": SERIES, "season": 2},
    tg.train.sample: {"cell": WRITER, "params": WRITER_PARAMS, "alphabet": "ab", "length": 2, "prime": "a"},
    tg.train.forecast: {
        "cell": TELLER,
        "params": TELLER_PARAMS,
        "values": SERIES,
        "start": 9,
        "steps": 2,
        "scale": (0, 1),
        "order": 1,
    },
    tg.train.fit: {"cell": "guo", "data": TEXT, "out": Fresh(new_name), **SMALL_RUN},
    tg.train.Run: {"path": RUN},
    tg.train.Run.resume: {"self": Made(lambda: tg.train.Run(RUN())), "updates": Fresh(one_more), "patience": 9},
    tg.train.Run.report: {"self": Made(lambda: tg.train.Run(RUN())), "path": Fresh(new_name), "overwrite": True},
    tg.train.Run.price: {"self": Made(lambda: tg.train.Run(RUN())), "part": "validate"},
    tg.surface: {"net": NET, "along": ("U[0, 0]", "U[1, 2]"), "radius": 0.5, "points": 5},
    tg.at_weights: {"net": NET, "params": {"U": np.ones((2, 4, 4))}, "gradients": True},
    tg.experiments.filter_direction: {"params": WEIGHTS, "rng": 0},
    tg.experiments.minima: {"cost": np.eye(6), "prominence": 0.1},
    tg.experiments.cliff: {"w": 5.0, "b": -2.5, "T": 3},
    tg.experiments.descend: {"net": NET, "optimiser": Fresh(lambda: tg.train.SGD(0.1)), "steps": 3, "clip": 1.0},
    tg.experiments.attractor: {"net": NET, "params": {"U": np.ones((2, 4, 4))}, "skip": 2, "keep": 3},
    tg.experiments.different_values: {"states": np.ones((3, 2)), "apart": 0.1},
    tg.experiments.lyapunov: {"jacobians": np.ones((T, B, 4, 4))},
    tg.experiments.ends: {
        "net": NET,
        "starts": Fresh(lambda: {n: w[None] for n, w in params().items()}),
        "gradients": 3,
    },
    tg.plot_surface: {"surface": SLICE},
    tg.plot_surfaces: {"surfaces": Fresh(lambda: {"a": SLICE()}), "across": 2},
    tg.plot_bifurcation: {"weights": np.arange(3.0), "states": np.ones((3, 2)), "name": "w"},
    tg.train.identity: {"n": 3, "scale": 1.0},
    tg.train.orthogonal: {"rows": 3, "columns": 2, "gain": 1.0, "rng": 0},
    tg.train.scaled_normal: {"rows": 3, "columns": 2, "gain": 1.0, "rng": 0},
    tg.train.spectral_radius: {"U": np.eye(3)},
    tg.train.scale_to_radius: {"U": np.eye(3), "radius": 0.9},
}


STRAY = tg.Tape()
STRAY.leaf(1.0)
WRONG = [
    *(None, 3, -1, 0, 99, 1.5, -0.5, float("nan"), float("inf"), 1e300, True, 1j, 10**30, 10**400, 10**5000),
    *("a", "", "1", b"x", object(), int, [], [1, 2], [[1], [2, 3]], ["a"], [None], (), (1, 2, 3), (None,)),
    *({}, {"a": 1}, {1: 2}, {"U": None}, {"U": [[1, 2], [3]]}, {1, 2}, range(3), lambda: 0, lambda a, b, c, e: 0),
    *(np.zeros((2, 2)), np.zeros(0), np.zeros((1,) * 20), np.array(["a"]), np.array([None]), np.zeros(3, complex)),
    *(np.full((T, B, 3), np.nan), np.full((T, B, 2), np.inf), np.zeros((T, B, 3), int), np.zeros((T, B, 4), "f")),
    *(np.array(2.5), np.array([True]), np.float32(2), np.int64(-3), np.array("2020", "M8[D]")),
    *(np.ma.masked_array(np.ones((T, B, 3)), True), tg.Tape(), STRAY[0]),
]
FEWEST = 200

# What Python and NumPy say from inside.
FOREIGN = re.compile(
    r"(?!.*It is called as).*(?:Exceeds the limit|inhomogeneous|ufunc|object is not|dimension exceeded|size 0|zero-size"
    r"|unhashable|has no attribute|not supported between|ambiguous|positional argument|unexpected keyword|not iterable"
    r"|not subscriptable|not callable|could not (?:convert|broadcast)|unsupported operand|out of bounds|list index"
    r"|only (?:integer|0-dim|length-1)|cannot (?:unpack|reshape)|values to unpack|invalid literal|broadcastable)",
    re.DOTALL,
)


def spoilt(right):
    """A right value, made wrong in some ways of its kind."""
    if isinstance(right, np.ndarray) and right.ndim:
        yield from (right[..., :-1], right[:0], right[None], right.astype(complex), right.astype(str))
    if isinstance(right, dict):
        for name, value in right.items():
            yield {other: v for other, v in right.items() if other != name}
            yield {**right, name: None}
            yield {**right, f"{name}x": value}
            if isinstance(value, np.ndarray):
                yield from ({**right, name: wrong} for wrong in spoilt(value))
    if isinstance(right, str):
        yield from (f"{right} ", right.upper(), f"{right}x", right.encode())
    if isinstance(right, int | float):
        yield from (str(right), [right], right * 1j, -right - 1, (right,))


class Called:
    """A function, how it is rightly called, and what comes of calling it otherwise."""

    def __init__(self, function, right):
        self.function, self.right = function, right
        self.parameters = inspect.signature(function).parameters
        self.name = function.__qualname__
        self.several = next((p.name for p in self.parameters.values() if p.kind is p.VAR_POSITIONAL), None)

    def __call__(self, *more, without=(), **changed):
        """The error of a call with some arguments changed; what is made step by step is run for a while."""
        given = {name: v for name, v in {**self.right, **changed}.items() if name not in without}
        given = {name: v() if isinstance(v, Made) else v for name, v in given.items()}
        before = list(self.parameters)[: list(self.parameters).index(self.several)] if self.several else ["self"]
        args = [given.pop(name) for name in before if name in given]
        args += [given.pop(self.several)] if self.several in given else []
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                found = self.function(*args, *more, **given)
                if inspect.isgenerator(found):
                    list(islice(found, 20))
            except Exception as error:
                return error
        for v in self.right.values():
            if isinstance(v, Made):
                v.made = None
        return None

    def wrong_calls(self):
        """What is wrong with each call: the arguments that are changed, and their values."""
        names = [name for name in self.parameters if name != "self"]
        for name in names:
            right = self.right.get(name, self.parameters[name].default)
            right = right() if isinstance(right, Made) else right
            for wrong in itertools.chain(WRONG, spoilt(right)):
                yield {name: wrong}
        rng, short = np.random.default_rng(len(self.name)), [v for v in WRONG if "?" not in shown(v)]
        count = sum(1 for name in names for _ in WRONG)
        for _ in range(max(20, FEWEST - count)):  # pairs; of one argument, a collection of wrong things
            a, b = (short[k] for k in rng.integers(len(short), size=2))
            if len(names) > 1:
                yield dict(zip(rng.choice(names, 2, replace=False).tolist(), (a, b), strict=True))
            elif names:
                yield {names[0]: [[a, b], (a, (b,)), {"U": a, "V": b}, iter([a, b])][rng.integers(4)]}


EACH = [Called(function, right) for function, right in CALLS.items()]
each = pytest.mark.parametrize("called", EACH, ids=lambda called: called.name)


def ours(error):
    if isinstance(error, OSError):  # of a file that is named: the system's word on it
        return True
    last = traceback.extract_tb(error.__traceback__)[-1]
    inside = "tinygrad_rnn" in last.filename and ("raise" in last.line or last.name.startswith("_refuse"))
    return inside and not FOREIGN.match(str(error)) and len(str(error)) > 15


def names(error, called, changed):
    """Whether an error says which argument is meant: by its name, or by what was given."""
    said = str(error)
    if any(re.search(rf"\b{name.rstrip('s')}", said) for name in called.parameters):
        return True
    tokens = []
    for v in changed.values():
        tokens += [repr(v), shown(v)] if len(shown(v)) < 60 else []
        tokens += [str(getattr(v, "shape", " ")), str(getattr(v, "dtype", "object")), type(v).__name__]
        tokens += map(shown, v) if isinstance(v, dict | list | tuple | set) else []
    return any(token in said for token in tokens if token)


def shown(v):
    try:
        return f"{v}"
    except ValueError:  # ten thousand digits
        return "?" * 60


def fits(annotation, v):
    """Whether a value that was not refused is of a kind that an annotation names."""
    kinds = re.split(r" \| (?![^\[]*\])", str(annotation))
    return any(KINDS.get(kind, lambda _: True)(v) for kind in kinds)


KINDS = {
    "int": lambda v: isinstance(v, int | np.integer) and not isinstance(v, bool),
    "float": lambda v: isinstance(v, int | float | np.integer | np.floating | np.ndarray) and v == v,
    "str": lambda v: isinstance(v, str),
    "bool": lambda v: isinstance(v, bool | np.bool_),
    "None": lambda v: v is None,
    "Node": lambda v: isinstance(v, tg.Node),
    "Unfolded": lambda v: isinstance(v, tg.Unfolded),
    "Tape": lambda v: isinstance(v, tg.Tape),
    "Trace": lambda v: isinstance(v, tg.Trace),
    "Cell": lambda v: callable(v) and not inspect.isclass(v),
    "Array": lambda v: isinstance(v, np.ndarray | np.generic) and v.dtype.kind in "biuf",
    "nx.DiGraph[Any]": lambda v: isinstance(v, nx.DiGraph),
    "Mapping[str, Any]": lambda v: isinstance(v, dict) and all(isinstance(name, str) for name in v),
    "Mapping[str, Array]": lambda v: isinstance(v, dict) and all(isinstance(name, str) for name in v),
    "np.random.Generator": lambda v: isinstance(v, np.random.Generator),
    "tuple[float, float]": lambda v: isinstance(v, list | tuple) and len(v) == 2,
}


@each
def test_the_right_calls_are_right(called):
    assert called() is None


@each
def test_a_wrong_call_is_refused_in_our_words(called, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)  # what is taken for the name of a folder is made
    count = unnamed = 0
    for changed in called.wrong_calls():
        count += 1
        error = called(**changed)
        if error is None:
            for name, v in changed.items():
                assert fits(called.parameters[name].annotation, v), f"{name}={shown(v)} is taken"
            continue
        assert ours(error), (changed, repr(error))
        unnamed += not names(error, called, changed)
        assert unnamed <= count / 50, (changed, str(error))
    assert count >= FEWEST or len(called.parameters) <= 1
    assert called() is None  # nothing is left of all this


# Of a dataclass, and of what reads files, Python names the function and the argument.
PLAIN = (tg.data.table, tg.data.text)


NAMED = [c for c in EACH if not dataclasses.is_dataclass(c.function) and c.function not in PLAIN]


@pytest.mark.parametrize("called", NAMED, ids=lambda called: called.name)
def test_arguments_too_many_too_few_or_misspelt(called):
    errors = [called(misspelt=1), called(2, 3, 4, 5, 6, 7, 8, 9, 10, 11) if not called.several else called(misspelt=1)]
    errors += [
        called(without=(p.name,))
        for p in called.parameters.values()
        if p.default is p.empty and p.name not in ("self", called.several)
    ]
    for error in errors:
        assert error is not None
        assert ours(error), repr(error)
        assert called.several or "It is called as" in str(error)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_op_is_refused_wrong_arrays_and_settings_in_our_words(name):
    op = OPS[name]
    for example in EXAMPLES[name][:2]:
        for wrong in WRONG:
            for k in range(len(example.args)):
                args = [wrong if i == k else a for i, a in enumerate(example.args)]
                refused_or_right(lambda args=args, example=example: op(*args, **example.settings))
            for setting in example.settings:
                settings = {**example.settings, setting: wrong}
                refused_or_right(lambda args=example.args, settings=settings: op(*args, **settings))


def refused_or_right(call):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call()
        except Exception as error:
            right = ours(error), repr(error)
        else:
            right = True, ""
    assert right[0], right


def test_every_public_name_is_in_the_table():
    """What is made by us alone, and what holds results, is not called by anybody."""
    made = {tg.BadNumber, tg.CheckReport, tg.Checkpointed, tg.Compared, tg.Finding, tg.Ledger, tg.Node, tg.Ordered}
    made |= {tg.Carry}
    made |= {tg.Surface, tg.experiments.AtWeights, tg.experiments.Descent, tg.experiments.Ends, tg.experiments.Minima}
    made |= {
        tg.Diagnosis,
        tg.Picture,
        tg.Player,
        tg.Push,
        tg.Recording,
        tg.Standings,
        tg.Step,
        tg.Tangents,
        tg.Trace,
        tg.Unfolded,
        tg.Window,
        tg.data.Origin,
        tg.data.Sequences,
        tg.data.Table,
        tg.data.Text,
        tg.train.Forecast,
        tg.train.Sample,
        tg.train.Writing,
    }
    elsewhere = {tg.new_folder, tg.watch}  # tests/view/test_files.py, tests/peers/test_watched.py
    elsewhere |= {tg.sweep, tg.grid, tg.arena}  # tests/experiments: right calls write files, any keyword is an axis
    public = [getattr(tg, name) for name in tg.__all__]
    public += [getattr(module, name) for module in (tg.train, tg.cells, tg.data) for name in module.__all__]
    public += [getattr(module, name) for module in (tg.train, tg.cells, tg.experiments) for name in module.__all__]
    for each in public:
        if isinstance(each, types.ModuleType) or (isinstance(each, type) and issubclass(each, Exception)):
            continue
        if each in made | elsewhere | {tg.train.Optimiser, tg.cells.Cell, tg.experiments.logistic_unit}:
            continue
        assert each in CALLS, each


def test_they_are_many():
    assert sum(1 for called in EACH for _ in called.wrong_calls()) > 15_000


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: tg.unfold(CELL, None, X, D), "unfold: params=None: it must be arrays by name"),
        (lambda: tg.unfold(CELL, params(), X, D, losses=3), "unfold: losses=3: it must be a sequence"),
        (lambda: tg.unfold(CELL, params(), X), "unfold: missing a required argument: 'd'"),
        (lambda: tg.unfold(int, params(), X, D), "unfold: cell=<class 'int'>: it must be one of"),
        (lambda: tg.cut(3), "cut: net=3: it must be a network"),
        (lambda: tg.cut(net(), "a"), "'a'"),
        (lambda: tg.ledger(net(), 7), "ledger: weight=7: it must be a text"),
        (lambda: tg.truncated(CELL, params(), X, D, k1="a", k2=2), "k1='a'"),
        (lambda: tg.draw(None), "draw: net=None: it must be a network"),
        (lambda: tg.trace(net(), 99), "of=99: it is a time step, an integer from 1 to 3"),
        (lambda: net().backward(later="a"), "later holds <U1"),
        (lambda: tg.artbp(CELL, params(), X, D, c=0.5, rng=-1), "rng=-1: it must be a seed, a whole number"),
    ],
)
def test_what_is_said_names_the_argument_and_what_must_hold(wrong, said):
    with pytest.raises((TypeError, ValueError)) as caught:
        wrong()
    assert said in str(caught.value)


def test_an_influence_that_has_no_room_is_refused_before_it_is_asked_for():
    cell = tg.cells.Guo(f="tanh", g="softmax")
    x, d = np.zeros((20_000, 1, 3)), np.tile([1.0, 0.0], (20_000, 1, 1))
    long = tg.unfold(cell, cell.init(n_in=3, n_hidden=4, n_out=2, rng=0), x, d)
    with pytest.raises(ValueError, match=r"the influence of U is an array \(20000, 20000, 4, 4\), 48 GiB: see"):
        tg.influence(long, "U")


LISTS = {name: w.tolist() for name, w in PARAMS.items()}
OTHERWISE = (tg.focused, tg.train.SGD.step, tg.Network, tg.train.sample, tg.train.forecast)  # of other cells or sizes
READS = [c for c in EACH if "params" in c.parameters and c.function not in OTHERWISE]


@pytest.mark.parametrize("called", READS, ids=lambda called: called.name)
def test_parameters_and_states_may_be_lists_of_numbers_wherever_they_are_read(called):
    s0 = {"s0": np.zeros((B, 4)).tolist()} if "s0" in called.parameters else {}
    assert called(params=LISTS, **s0) is None


def test_a_network_of_lists_is_that_of_their_arrays():
    lists = tg.unfold(CELL, dict(LISTS), X.tolist(), D.tolist(), s0=np.ones((B, 4)).tolist())
    arrays = tg.unfold(CELL, params(), X, D, s0=np.ones((B, 4)))
    for net in (lists, arrays):
        net.replay(X.tolist(), D, s0=np.full((B, 4), 0.5).tolist())
        net.backward()
    assert lists.loss == arrays.loss
    for name, g in arrays.grads.items():
        np.testing.assert_array_equal(lists.grads[name], g)
    with pytest.raises(ValueError, match=r"params\['V'\] is changed in place, so it must be a writeable array"):
        tg.train.SGD(0.1).step(lists.params, lists.grads)


def test_a_node_is_compared_with_no_number():
    a, b = (STRAY.leaf([1.0, 2.0], name) for name in "ab")
    assert a == a
    assert a != b
    assert a in [b, a]
    assert {a: 1}[a] == 1
    for compare in (
        lambda: a == 1.0,
        lambda: a != 1,
        lambda: a == np.ones(2),
        lambda: np.ones(2) == a,
        lambda: a == [1],
    ):
        with pytest.raises(TypeError, match=r"node\.value"):
            compare()


def test_a_text_in_a_cell_is_no_factor():
    def cell(P, x, s):
        return tg.ops.tanh(s * "2"), s

    with pytest.raises(tg.ShapeError, match=r"multiply at t=1: a constant holds <U1, '2': these are no numbers"):
        tg.unfold(cell, params(), X, D, s0=np.zeros((B, 4)))


def test_a_folder_that_is_not_there_is_named(tmp_path):
    for saved, file in ((tg.draw(net()), "u.svg"), (tg.player(net()), "u.html"), (tg.trace(net()), "u.json")):
        with pytest.raises(FileNotFoundError, match=r"there is no folder .*nodir; make it first"):
            saved.save(tmp_path / "nodir" / file)
