"""Any cell as a model of ONNX: its own step, in a loop that ONNX calls Scan."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ops
from ..autodiff.asked import asked
from ..autodiff.calling import as_array, numbers
from ..autodiff.lines import line
from ..autodiff.traits import by_entry, is_repeated, is_tie
from ..replay import Folded
from ..unfold import Unfolded, unfold
from ..unfold.cells.base import check_sizes
from ..unfold.recipe import Cell
from ..unfold.structure import flatten, rebuild
from . import operators
from .operations import SAMPLES, Lines, NotWrittenError, Value

__all__ = ["scan"]

Array = NDArray[Any]


@asked
def scan(cell: Cell, params: Mapping[str, Any], n_in: int, *, s0: Any = None) -> bytes:
    """A cell and its parameters as a model of ONNX, whatever the cell computes, in float32 or float64.

    The model takes x (T, B, l) and the first state, part by part, ``s_0``; it gives y (T, B, o) and the last state,
    ``s_T``, which is the first one of what follows. T and B are free.

    Parameters
    ----------
    cell : callable
        One of `tinygrad_rnn.unfold.cells`, or ``cell(params, x, s) -> (s, y)``.
    params : mapping of str to ndarray
        Its parameters.
    n_in : int
        How many inputs l it has.
    s0 : array_like, (B, m), or tuple, optional
        A first state of any number of samples, for its shape, of a cell that has none of its own.

    Returns
    -------
    bytes
        The model, checked by ``onnx.checker`` and held against the tape on random numbers; write them to a file.

    Raises
    ------
    ImportError
        If the package onnx is not installed.
    ValueError
        If a step has an op that says no line of NumPy, or a line that has no operator here; if steps are not alike;
        if what is computed depends on how many samples there are; or if the model gives other numbers than the tape.

    Notes
    -----
    What is the same at every step, such as a transposed weight, is computed once, before the loop.
    """
    return scanned(cell, params, n_in, s0, "")


def scanned(cell: Cell, params: Mapping[str, Any], n_in: int, s0: Any, words: str) -> bytes:
    """The same, with words that describe the cell."""
    operators.needed()
    check_sizes(n_in=n_in)
    weights = {name: numbers(w, f"params[{name!r}]") for name, w in params.items()}
    known = {n for w in weights.values() for n in w.shape} | {n_in}
    samples = _counts(known)
    nets = [_net(cell, weights, int(n_in), s0, b) for b in samples]
    file = _StepModel(nets[0], nets[1], samples)
    content = file.model(words)
    _hold(content, file.nets[0])
    return content


def _counts(known: set[int]) -> tuple[int, int]:
    """Two numbers of samples that are no size of the network, so that they can be told from its sizes."""
    free = (b for b in count(11, 2) if all(n % b for n in known if n))
    return next(free), next(free)


def _net(cell: Cell, weights: Mapping[str, Array], n_in: int, s0: Any, samples: int) -> Unfolded:
    """Two steps of so many samples, with any cost at all."""
    dtype = next(iter(weights.values())).dtype if weights else np.dtype(float)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, samples, n_in)).astype(dtype)
    if s0 is not None:
        s0 = rebuild(s0, [np.resize(_rows(part), (samples, *_rows(part).shape[1:])) for part in flatten(s0)])

    zeros = np.zeros((2, samples, 1), dtype)
    return unfold(cell, weights, x, zeros, loss=lambda y, d: ops.sum(y) + ops.sum(d), s0=s0, batch_first=False)


def _rows(part: Any) -> Array:
    array = as_array(part, "s0")
    if array.ndim < 1 or not len(array) or array.dtype.kind not in "biuf":
        raise ValueError(f"s0 has a part {array.shape} {array.dtype}: it must be numbers (B, m)")
    return array


class _StepModel:
    """The graph, made from a step that was folded twice, for two numbers of samples."""

    def __init__(self, net: Unfolded, again: Unfolded, samples: tuple[int, int]) -> None:
        self.nets, self.samples = (net, again), samples
        self.folded: tuple[Folded, Folded] = (net.stacked()[0], again.stacked()[0])
        self.step = self.folded[0]
        self.output = self._outputs()[0]
        self.lines = Lines(self.step.dtype, self._number_of_samples)
        self.values: dict[int, Value] = {}
        self.names = self._state_names()

    def _outputs(self) -> list[Node]:
        pairs = zip(self.folded, self.nets, strict=True)
        return [folded.tape[folded.first + net.outputs[0].role] for folded, net in pairs]

    def _state_names(self) -> list[str]:
        found: list[str] = []
        for part in self.step.before:
            name = re.sub(r"\W", "_", part.name or "s")
            while name in found:
                name = f"{name}_again"
            found.append(name)
        return found

    def _number_of_samples(self) -> Value:
        shape = self.lines.node("Shape", [Value("x.t", False)])
        return self.lines.node("Gather", [shape, self.lines.constant([0], np.int64)], axis=0)

    def model(self, words: str) -> bytes:
        helper = operators.needed().helper
        step, lines = self.step, self.lines
        dtype = helper.np_dtype_to_tensor_dtype(np.dtype(step.dtype))
        arrays = {f"param.{name}": leaf.value for name, leaf in step.weights.items()}
        for name, leaf in step.weights.items():
            self.values[leaf.index] = Value(f"param.{name}", True)
        self.values[step.data["x"].index] = Value("x.t", False)
        for name, part in zip(self.names, step.before, strict=True):
            self.values[part.index] = Value(f"{name}.before", False)
        self._compute()

        def out(node: Node, name: str) -> Any:
            # A name of its own: a state may be handed on twice, or be the output too.
            lines.inside.append(helper.make_node("Identity", [self._of(node).name], [name]))
            return helper.make_tensor_value_info(name, dtype, ["B", *node.shape[1:]])

        now = [out(part, f"{name}.now") for name, part in zip(self.names, step.state, strict=True)]
        y = out(self.output, "y.t")
        parts = [("x.t", step.data["x"]), *((f"{n}.before", b) for n, b in zip(self.names, step.before, strict=True))]
        x, *before = (helper.make_tensor_value_info(name, dtype, ["B", *n.shape[1:]]) for name, n in parts)
        body = helper.make_graph(lines.inside, "step", [*before, x], [*now, y])
        first, last = [f"{n}_0" for n in self.names], [f"{n}_T" for n in self.names]
        loop = helper.make_node("Scan", [*first, "x"], [*last, "y"], body=body, num_scan_inputs=1)
        read = {name for node in (*lines.outside, *lines.inside) for name in node.input}
        arrays = {name: a for name, a in (arrays | lines.arrays).items() if name in read}
        states = [["B", *part.shape[1:]] for part in step.before]
        ins = [("x", ["T", "B", step.data["x"].shape[1]]), *zip(first, states, strict=True)]
        outs = [("y", ["T", "B", *self.output.shape[1:]]), *zip(last, states, strict=True)]
        return operators.model([*lines.outside, loop], arrays, ins, outs, step.dtype, words)

    def _compute(self) -> None:
        """The nodes that the new state and the output are computed from, in their order."""
        step, again = self.folded
        wanted = {n.index for n in (*step.state, self.output)}
        for n in reversed(step.tape.nodes[: step.size]):
            if n.index in wanted and n.index not in self.values:
                wanted |= {p.index for p in n.parents}
        for n, other in zip(step.tape.nodes[: step.size], again.tape.nodes[: again.size], strict=True):
            if n.index in wanted and n.index not in self.values:
                self.values[n.index] = self._computed(n, other)

    def _of(self, n: Node) -> Value:
        return self.values[n.index]

    def _computed(self, n: Node, other: Node) -> Value:
        if n.op is None:
            if n.shape != other.shape or not np.array_equal(n.value, other.value):
                raise ValueError(f"the cell makes {n} anew for each number of samples: make it of x or of the state")
            return self.lines.constant(n.value)
        if is_tie(n):
            return self._of(n.parents[0])
        parents = [self._short(p) if by_entry(n) else p for p in n.parents]
        if all(p.shape != n.shape for p in parents):
            parents = list(n.parents)
        marks = {f"arg_{k}": self._of(p) for k, p in enumerate(parents)}
        texts, functions = [], dict[str, Any]()
        for node, samples in zip((n, other), self.samples, strict=True):
            assert node.op is not None

            def called(f: ast.FunctionDef) -> str:
                functions[f.name] = f
                return f.name

            text = ast.unparse(line(node.op, [ast.Name(mark) for mark in marks], called))
            texts.append(re.sub(rf"(?<![\w.]){samples}(?![\w.])", SAMPLES, text))
        if texts[0] != texts[1]:
            raise ValueError(f"{n} is computed as {texts[0]} or {texts[1]}, as there are more or fewer samples")
        try:
            return self.lines.value(ast.parse(texts[0], mode="eval").body, {**functions, **marks})
        except NotWrittenError as error:
            raise ValueError(f"the op {n.op.name}, which computes {n}, cannot be written in ONNX: {error}") from None

    def _short(self, n: Node) -> Node:
        """What a node repeats: ONNX repeats it beside something longer, as NumPy does."""
        return self._short(n.parents[0]) if is_repeated(n) and n.ndim and n.parents[0].index in self.values else n


def _hold(content: bytes, net: Unfolded) -> None:
    """Raise ValueError if a model gives other numbers than the network."""
    from onnx.reference import ReferenceEvaluator

    made = operators.read_model(content)
    names = [each.name for each in made.graph.input]
    x = np.stack([leaf.value for leaf in net.inputs])
    states = [part.value for part in flatten(net.states[0])]
    with np.errstate(all="ignore"):
        given = ReferenceEvaluator(made).run(None, dict(zip(names, [x, *states], strict=True)))
    wanted = [np.stack([y.value for y in net.outputs]), *(part.value for part in flatten(net.states[-1]))]
    for name, theirs, ours in zip([o.name for o in made.graph.output], given, wanted, strict=True):
        near = 1e-4 if ours.dtype == np.float32 else 1e-9
        if theirs.shape != ours.shape or not np.allclose(theirs, ours, rtol=near, atol=near, equal_nan=True):
            raise ValueError(f"as a model of ONNX the cell gives another {name}: it is not written")
