"""RNN, LSTM and GRU as ONNX has them: one operator for a whole sequence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.calling import shortened
from .layouts import GATES, LAYOUTS, Head, Recurrent, reordered
from .modules import Found

Array = NDArray[Any]

INSTALL = "pip install 'tinygrad-rnn[onnx]'"
OPSET, IR_VERSION = 17, 10  # what runtimes of the last years read
SOFTMAX_OF_ONE_AXIS = 13  # since this version; before it a softmax that names no axis is over all but the first one
WORDS = "tinygrad_rnn"  # the name under which a model says which cell it is of
ACTIVATIONS = {theirs: ours for ours, theirs in LAYOUTS["ONNX"].activations.items()}
USUAL = {"RNN": ["Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}
OUTPUTS = {"Softmax": "softmax", "Sigmoid": "sigmoid", "Tanh": "tanh"}
OUTPUT_OF = {ours: theirs for theirs, ours in OUTPUTS.items()}
# How exporters make a first state of zeros: of the shape of the input, by moving and joining.
OF_SIZES = {"Cast", "Concat", "Constant", "Gather", "Identity", "Mul", "Slice", "Squeeze", "Unsqueeze"}
MOVES = {"Cast", "Expand", "Identity", "Reshape", "Slice", "Squeeze", "Unsqueeze"}
MOST = 2**31 - 2**20  # bytes of a model: what protobuf takes


def written_operators(layers: Sequence[Recurrent], head: Head | None, words: str) -> bytes:
    """The bytes of a model: x (T, B, l) and the states (1, B, m) in, y and the states after the last step out.

    States are called s_0 and s_T, an LSTM's memory c_0 and c_T, of several layers s_1_0, s_2_0, ...

    Raises
    ------
    ValueError
        If the numbers are not float32, for which alone runtimes have these operators.
    """
    onnx = needed()
    h = onnx.helper
    if layers[0].weight_ih.dtype != np.float32:
        raise ValueError("these operators are float32")
    nodes, arrays, ins, outs = list[Any](), dict[str, Array](), list[Any](), list[Any]()
    arrays["directions"] = np.array([1], np.int64)
    reads = "x"
    for k, layer in enumerate(layers, 1):
        suffix = f"_{k}" if len(layers) > 1 else ""
        ours, theirs, m = GATES[layer.kind], LAYOUTS["ONNX"].gates[layer.kind], layer.units
        V, U, b, b_h = (
            reordered(a, ours, theirs) for a in (layer.weight_ih, layer.weight_hh, layer.bias_ih, layer.bias_hh)
        )
        own = {"W": V, "R": U, "B": np.concatenate([b, b_h])}
        if layer.peepholes is not None:
            own["P"] = np.concatenate([layer.peepholes[gate] for gate in LAYOUTS["ONNX"].peepholes])
        arrays |= {f"{name}{suffix}": a[None] for name, a in own.items()}
        parts = ["s", "c"] if layer.kind == "LSTM" else ["s"]
        states = [f"{part}{suffix}_0" for part in parts]
        given = [reads, f"W{suffix}", f"R{suffix}", f"B{suffix}", "", *states]
        given += [f"P{suffix}"] if layer.peepholes is not None else []
        ends = [f"{part}{suffix}_T" for part in parts]
        how: dict[str, Any] = {"hidden_size": m}
        if layer.kind == "GRU":
            how["linear_before_reset"] = int(layer.reset == "after")
        if layer.kind == "RNN":
            how["activations"] = [LAYOUTS["ONNX"].activations[layer.f or "tanh"]]
        nodes.append(h.make_node(layer.kind, given, [f"all{suffix}", *ends], **how))
        reads = f"hidden{suffix}" if head or k < len(layers) else "y"
        nodes.append(h.make_node("Squeeze", [f"all{suffix}", "directions"], [reads]))
        ins += [(name, [1, "B", m]) for name in states]
        outs += [(name, [1, "B", m]) for name in ends]
    n_out = layers[-1].units
    if head is not None:
        n_out, last = len(head.W), OUTPUT_OF.get(head.g or "")
        arrays |= {"W_T": head.W.T, "b_k": head.b_k}
        nodes.append(h.make_node("MatMul", [reads, "W_T"], ["sum_k"]))
        nodes.append(h.make_node("Add", ["sum_k", "b_k"], ["net_k" if last else "y"]))
        if last:
            nodes.append(h.make_node(last, ["net_k"], ["y"], **({"axis": -1} if last == "Softmax" else {})))
    ins.insert(0, ("x", ["T", "B", layers[0].weight_ih.shape[1]]))
    outs.insert(0, ("y", ["T", "B", n_out]))
    return model(nodes, arrays, ins, outs, np.float32, words)


def model(
    nodes: Sequence[Any],
    arrays: Mapping[str, Array],
    ins: Sequence[tuple[str, list[Any]]],
    outs: Sequence[tuple[str, list[Any]]],
    dtype: Any,
    words: str,
) -> bytes:
    """The bytes of a model that ONNX' own checker has let pass."""
    onnx = needed()
    h = onnx.helper
    kind = h.np_dtype_to_tensor_dtype(np.dtype(dtype))
    if sum(a.nbytes for a in arrays.values()) > MOST:
        raise ValueError(f"its parameters have more than {MOST:,} bytes, which one file of ONNX does not hold")
    graph = h.make_graph(
        nodes,
        "tinygrad_rnn",
        [h.make_tensor_value_info(name, kind, shape) for name, shape in ins],
        [h.make_tensor_value_info(name, kind, shape) for name, shape in outs],
        [onnx.numpy_helper.from_array(np.array(a, order="C"), name) for name, a in arrays.items()],
    )
    made = h.make_model(
        graph, opset_imports=[h.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="tinygrad_rnn"
    )
    if words:
        h.set_model_props(made, {WORDS: words})
    onnx.checker.check_model(made, full_check=True)
    content: bytes = made.SerializeToString(deterministic=True)
    return content


# ---- read


def read_model(content: bytes) -> Any:
    """A model from its bytes.

    Raises
    ------
    ImportError
        If the package onnx is not installed.
    ValueError
        If it is damaged.
    """
    onnx = needed()
    try:
        made = onnx.ModelProto.FromString(content)
    except Exception as error:  # of bytes that are none of its own, protobuf says no when and how it fails
        raise ValueError("it is damaged, or no file of ONNX") from error
    if not made.graph.node:
        raise ValueError("it is damaged, or no file of ONNX: it has no nodes")
    return made


def words_of(made: Any) -> str:
    """How the model describes its cell, if it does."""
    return next((str(prop.value) for prop in made.metadata_props if prop.key == WORDS), "")


class Initialisers:
    """The arrays of a graph, each made when it is read."""

    def __init__(self, graph: Any) -> None:
        self.given = {each.name: each for each in graph.initializer}
        if len(self.given) < len(graph.initializer):
            raise ValueError("two of its arrays have one name")
        for node in graph.node:
            if node.op_type == "Constant" and len(node.output) == 1:
                name = node.output[0]
                self.given.update((name, a.t) for a in node.attribute if a.name == "value")

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def __getitem__(self, name: str) -> Array:
        if name not in self.given:
            raise ValueError(f"{shortened(name)} is computed or given at run time: it must be an array in the file")
        tensor = self.given[name]
        onnx = needed()
        kind = onnx.TensorProto
        if tensor.data_location == kind.EXTERNAL or tensor.external_data:
            raise ValueError(f"{shortened(name)} stands in another file: save the model as one")
        if tensor.data_type not in (kind.FLOAT, kind.DOUBLE, kind.INT64):
            raise ValueError(f"{shortened(name)} is of type {tensor.data_type}: float and double are read")
        size = 4 if tensor.data_type == kind.FLOAT else 8
        held = len(tensor.raw_data) or size * (
            len(tensor.float_data) + len(tensor.double_data) + len(tensor.int64_data)
        )
        if min(tensor.dims, default=0) < 0 or math.prod(tensor.dims) * size != held:
            raise ValueError(f"{shortened(name)} is damaged: its shape {shortened(list(tensor.dims))} is not its size")
        return np.array(onnx.numpy_helper.to_array(tensor))


def read_operators(made: Any) -> Found:
    """The layers of a model whose operators are RNN, LSTM and GRU one above the other, and a linear layer.

    Raises
    ------
    ValueError
        If it does anything else: the operator is named.
    """
    chain = LayerChain(made)
    for node in made.graph.node:
        if node.op_type != "Constant" and not chain.is_aside(node):
            chain.follow(node)
    return chain.found()


class LayerChain:
    """The layers of a graph, as far as its operators were followed.

    Parameters
    ----------
    made : ModelProto
        The model.
    """

    def __init__(self, made: Any) -> None:
        graph = made.graph
        self._graph, self._version, self._held = graph, _version(made), Initialisers(graph)
        self._layers, self._notes = list[Recurrent](), list[str]()
        self._W: Array | None = None
        self._head: Head | None = None
        self._aside, self._zeros = set[str](), set[str]()  # names of what is made of sizes alone, and of zeros
        # Names of what comes out below, and its axes but for the last one, as far as they are known.
        self._flows, self._axes = {graph.input[0].name if graph.input else ""}, ""

    def is_aside(self, node: Any) -> bool:
        """Whether an operator makes a first state of zeros, or the shape for one: what it makes is kept in mind."""
        if _is_zero(node, self._held, self._zeros, self._aside):
            self._zeros |= set(node.output)
            return True
        known = all(name in self._aside or name in self._held for name in node.input if name)
        if node.op_type == "Shape" or (known and node.op_type in OF_SIZES):
            self._aside |= set(node.output)
            return True
        return False

    def follow(self, node: Any) -> None:
        """Go on by an operator, which reads what came out below."""
        kind = node.op_type
        if not any(name in self._flows for name in node.input):
            raise ValueError(f"its {shortened(kind)} reads no layer below it: what is read is one chain of layers")
        how = {a.name: needed().helper.get_attribute_value(a) for a in node.attribute}
        if kind in USUAL and self._W is None:
            self._recurrent(node, how)
            return
        if kind in ("Squeeze", "Transpose", "Identity", "Dropout"):
            self._axes = _turned(node, how, self._held, self._axes, bool(self._layers))
        elif kind in ("MatMul", "Gemm") and self._layers and self._W is None:
            self._W, self._head = _linear(node, how, self._held)
        elif kind == "Add" and self._W is not None and self._head is None:
            b = next((name for name in node.input if name in self._held), "")
            self._head = Head(self._W, self._held[b])
        elif kind in OUTPUTS and self._head is not None and self._head.g is None:
            self._refuse_another_axis(kind, how)
            self._head = self._head._replace(g=OUTPUTS[kind])
        else:
            raise ValueError(
                f"it has the operator {shortened(kind)}: what is read is RNN, LSTM and GRU one above the other, and "
                "one linear layer with softmax, sigmoid, tanh or nothing"
            )
        self._flows = {node.output[0]}

    def _recurrent(self, node: Any, how: Mapping[str, Any]) -> None:
        """One more layer; of its outputs all steps go on, or where nobody reads them, the last one."""
        if self._layers and "D" in self._axes:
            raise ValueError("an axis of one direction goes into a layer: it must be squeezed")
        if self._layers and "T" not in self._axes:
            raise ValueError("a layer gives its last state only to a layer that reads sequences")
        given = {each.name for each in self._graph.input} | self._zeros
        self._layers.append(_layer(node, how, self._held, given))
        out = [*node.output, "", ""]
        whole, last = out[:2]
        self._flows, self._axes = {whole} - {""}, "TDB"
        used = {name for other in self._graph.node for name in other.input} | {o.name for o in self._graph.output}
        if whole not in used and last:
            self._flows, self._axes = {last}, "DB"
            self._notes.append("its output is that of the last step: losses='last' here")

    def _refuse_another_axis(self, kind: str, how: Mapping[str, Any]) -> None:
        axis = how.get("axis", -1 if self._version >= SOFTMAX_OF_ONE_AXIS else 1)
        if kind == "Softmax" and axis not in (-1, len(self._axes) - self._axes.count("D")):
            raise ValueError(f"its Softmax has axis={axis}: it must be the last axis")

    def found(self) -> Found:
        """The layers, with the head, once all operators were followed."""
        if not self._layers:
            raise ValueError("it has no RNN, LSTM or GRU")
        head = self._head
        if self._W is not None and head is None:
            head = Head(self._W, np.zeros(len(self._W), self._W.dtype))
        if head is not None and head.g is None:
            head = head._replace(g="identity")
        return Found(self._layers, head, self._notes)


def _version(made: Any) -> int:
    """Which version of ONNX' operators a model is written in."""
    return next((int(each.version) for each in made.opset_import if each.domain in ("", "ai.onnx")), OPSET)


def _is_zero(node: Any, held: Initialisers, zeros: set[str], aside: set[str]) -> bool:
    """Whether a node makes zeros, of a shape that comes from sizes."""
    names = [str(name) for name in node.input] or [""]
    first = names[0]
    if not all(name in aside or name in held for name in names[1:] if name) and node.op_type != "Concat":
        return False
    if node.op_type == "ConstantOfShape":
        values = [needed().numpy_helper.to_array(a.t) for a in node.attribute if a.name == "value"]
        return (first in aside or first in held) and not any(value.any() for value in values)
    if node.op_type == "Concat":
        return all(name in zeros for name in node.input)
    if node.op_type == "Expand" and first in held:
        return not held[first].any()
    return node.op_type in MOVES and first in zeros


def _layer(node: Any, how: Mapping[str, Any], held: Initialisers, states: set[str]) -> Recurrent:
    kind, m = node.op_type, how.get("hidden_size", 0)

    def refuse(why: str) -> None:
        raise ValueError(f"its {kind} {why}: no cell here does")

    given = [*node.input, *[""] * 8]
    plain = {
        "direction": b"forward",
        "layout": 0,
        "input_forget": 0,
        "clip": 0.0,
        "activation_alpha": [],
        "activation_beta": [],
    }
    for name, value in plain.items():
        if how.get(name, value) not in (value, []):
            refuse(f"has {name}={shortened(how[name])}")
    activations = [a.decode(errors="replace") for a in how.get("activations", [])] or USUAL[kind]
    f = None
    if kind == "RNN":
        f = ACTIVATIONS.get(activations[0]) if len(activations) == 1 else None
    if (kind == "RNN" and f is None) or (kind != "RNN" and activations != USUAL[kind]):
        refuse(f"has activations={activations}")
    if given[4]:
        refuse("is given lengths of sequences")
    for name in given[5 : 7 if kind == "LSTM" else 6]:
        if name and name not in states and (name not in held or held[name].any()):
            refuse("starts from a state that stands in the file, or is computed")
    V, U = held[given[1]], held[given[2]]
    theirs, ours = LAYOUTS["ONNX"].gates[kind], GATES[kind]
    rows = len(theirs) * m
    if V.ndim != 3 or V.shape[:2] != (1, rows) or U.shape != (1, rows, m) or not rows:
        raise ValueError(
            f"its {kind} has W {V.shape} and R {U.shape}: with hidden_size={m} they must be (1, {rows}, l) and "
            f"(1, {rows}, {m})"
        )
    B = held[given[3]] if given[3] else np.zeros((1, 2 * rows), V.dtype)
    if B.shape != (1, 2 * rows):
        raise ValueError(f"its {kind} has B {B.shape}: with hidden_size={m} it must be (1, {2 * rows})")
    four = [reordered(a, theirs, ours) for a in (V[0], U[0], B[0, :rows], B[0, rows:])]
    looking = None
    if kind == "LSTM" and given[7]:
        P = held[given[7]]
        if P.shape != (1, 3 * m):
            raise ValueError(f"its LSTM has P {P.shape}: with hidden_size={m} it must be (1, {3 * m})")
        looking = dict(zip(LAYOUTS["ONNX"].peepholes, np.split(P[0], 3), strict=True))
    reset = None if kind != "GRU" else "after" if how.get("linear_before_reset", 0) else "before"
    return Recurrent(kind, *four, f=f, reset=reset, peepholes=looking)


def _turned(node: Any, how: Mapping[str, Any], held: Initialisers, axes: str, inside: bool) -> str:
    """What the axes are behind an operator that only turns them: T time, D directions, B samples; units stay last."""
    n = len(axes) + 1 if inside else 3
    if node.op_type == "Squeeze":
        named = how.get("axes") or (held[node.input[1]].ravel().tolist() if len(node.input) > 1 else [])
        if not inside or len(named) != 1 or "D" not in axes or named[0] % n != axes.index("D"):
            raise ValueError(
                f"its Squeeze takes out the axes {shortened(named)}: the one of directions alone is understood"
            )
        return axes.replace("D", "")
    if node.op_type == "Transpose":
        perm = list(how.get("perm", range(n)[::-1]))
        if len(perm) != n or sorted(perm) != list(range(n)) or perm[-1] != n - 1:
            raise ValueError(f"its Transpose has perm={shortened(perm)}: units must stay last")
        return "".join(axes[k] for k in perm[:-1]) if inside else axes
    return axes


def _linear(node: Any, how: Mapping[str, Any], held: Initialisers) -> tuple[Array, Head | None]:
    """W (o, m), and the head where one operator says all of it."""
    if node.input[1] not in held:
        raise ValueError(f"its {node.op_type} multiplies by what is no array in the file from the right")
    W = held[node.input[1]]
    if W.ndim != 2 or 0 in W.shape:
        raise ValueError(f"its {node.op_type} multiplies by an array {W.shape}: it must be a matrix")
    if node.op_type == "MatMul":
        return np.ascontiguousarray(W.T), None
    if how.get("transA", 0) or how.get("alpha", 1.0) != 1.0 or how.get("beta", 1.0) != 1.0:
        raise ValueError("its Gemm has transA, alpha or beta: no head here has")
    W = W if how.get("transB", 0) else np.ascontiguousarray(W.T)
    b = held[node.input[2]] if len(node.input) > 2 and node.input[2] else np.zeros(len(W), W.dtype)
    return W, Head(W, b)


def needed() -> Any:
    """The package onnx, with the parts of it that are used."""
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise ImportError(f"files of ONNX are read and written by the package onnx: {INSTALL}") from error
    return onnx


def same(one: bytes, other: bytes) -> bool:
    """Whether two models are one, but for who wrote which version of what."""
    a, b = read_model(one), read_model(other)
    return bool(a.graph == b.graph) and words_of(a) == words_of(b)
