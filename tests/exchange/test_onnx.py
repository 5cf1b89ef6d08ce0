"""Models of ONNX, run by ONNX' own reference: operators of whole sequences, and any cell as a Scan."""

import itertools

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

import tinygrad_rnn as tg
from kept_cells import CELLS, OPERATORS, B, L, M, O, T, alike, drawn, inputs, outputs, parts
from op_examples import EXAMPLES
from tinygrad_rnn.autodiff import OPS
from tinygrad_rnn.exchange import layouts, weights

C = tg.cells


def states(cell, params, samples=B, seed=2):
    """Initial states that are zero nowhere, in the structure of the cell."""
    rng = np.random.default_rng(seed)
    dtype = params[next(iter(params))].dtype

    def filled(state):
        return tuple(map(filled, state)) if isinstance(state, tuple) else rng.normal(size=state.shape).astype(dtype)

    return filled(cell.initial_state(params, samples))


def run(made, x, s0):
    """y and the last states, of the model's reference; operators have an axis of directions in front of a state."""
    made = made if isinstance(made, onnx.ModelProto) else onnx.load_from_string(made)
    shapes = [[d.dim_value or 0 for d in i.type.tensor_type.shape.dim] for i in made.graph.input]
    given = [s[None] if len(shape) == 3 else s for s, shape in zip(parts(s0), shapes[1:], strict=True)]
    names = [i.name for i in made.graph.input]
    y, *last = ReferenceEvaluator(made).run(None, dict(zip(names, [x, *given], strict=True)))
    return y, [s[0] if s.ndim == 3 else s for s in last]


def kinds(made):
    return {node.op_type for node in made.graph.node}


@pytest.mark.parametrize("called", CELLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_saved_model_gives_the_networks_numbers_from_any_state(tmp_path, called, dtype):
    cell, x = CELLS[called], inputs(dtype)
    params = drawn(cell, dtype)
    made = onnx.load(tg.save(tmp_path / "a.onnx", cell, params))
    operator = dtype == np.float32 and called in OPERATORS
    if operator and made.graph.node[0].op_type == "RNN" and called not in ("tanh", "two tanh"):
        return  # the reference's RNN knows tanh alone: onnxruntime runs the others, in tests/peers
    assert operator == (kinds(made) & {"RNN", "LSTM", "GRU"} != set())
    assert operator != ("Scan" in kinds(made))
    s0 = states(cell, params)
    y, _ = run(made, x, s0)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, outputs(cell, params, x, s0), rtol=0, atol=1e-6 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("called", ["lstm", "three lstm", "mozer", "gru and lstm"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_two_pieces_with_the_state_handed_on_are_the_whole(tmp_path, called, dtype):
    cell, x = CELLS[called], inputs(dtype)
    params = drawn(cell, dtype)
    made = onnx.load(tg.save(tmp_path / "a.onnx", cell, params))
    s0 = states(cell, params)
    whole, end = run(made, x, s0)
    first, between = run(made, x[:3], s0)
    second, last = run(made, x[3:], tuple(between))
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    for a, b in zip(last, end, strict=True):
        np.testing.assert_array_equal(a, b)


def wrong_orders(gates):
    return ["".join(order) for order in itertools.permutations(gates) if "".join(order) != gates]


ORDERS = [("lstm", "LSTM", order) for order in wrong_orders("iofg")] + [
    ("gru", "GRU", order) for order in wrong_orders("zrn")
]


@pytest.mark.parametrize(("called", "kind", "order"), ORDERS)
def test_every_wrong_order_of_gates_is_noticed(tmp_path, monkeypatch, called, kind, order):
    cell, params = CELLS[called], drawn(CELLS[called], np.float32, size=1.0)
    right = layouts.LAYOUTS["ONNX"]
    monkeypatch.setitem(layouts.LAYOUTS, "ONNX", right._replace(gates={**right.gates, kind: order}))
    made = onnx.load(tg.save(tmp_path / "a.onnx", cell, params))
    wrong = np.abs(
        run(made, inputs(np.float32), states(cell, params))[0] - outputs(cell, params, s0=states(cell, params))
    )
    assert wrong.max() > 0.01


@pytest.mark.parametrize("order", wrong_orders("iof"))
def test_every_wrong_order_of_peepholes_is_noticed(tmp_path, monkeypatch, order):
    cell, params = CELLS["peepholes"], drawn(CELLS["peepholes"], np.float32, size=1.0)
    monkeypatch.setitem(layouts.LAYOUTS, "ONNX", layouts.LAYOUTS["ONNX"]._replace(peepholes=order))
    made = onnx.load(tg.save(tmp_path / "a.onnx", cell, params))
    s0 = states(cell, params)
    assert np.abs(run(made, inputs(np.float32), s0)[0] - outputs(cell, params, s0=s0)).max() > 0.001


def test_where_a_gru_resets_is_noticed(tmp_path):
    params = alike(CELLS["gru"], np.float32)
    made = onnx.load(tg.save(tmp_path / "a.onnx", CELLS["gru"], params))
    next(a for node in made.graph.node for a in node.attribute if a.name == "linear_before_reset").i = 0
    s0 = states(CELLS["gru"], params)
    assert np.abs(run(made, inputs(np.float32), s0)[0] - outputs(CELLS["gru"], params, s0=s0)).max() > 0.01


# ---- any cell


def gated(params, x, s):
    """A cell of one's own with a state in two parts, one of which is handed on."""
    old, count = s
    z = tg.ops.sigmoid(tg.ops.linear(tg.ops.concatenate([x, old], axis=-1), params["G"]))
    new = z * old + (1 - z) * tg.ops.softplus(tg.ops.linear(x, params["V"]))
    total = new.sum(axis=-1, keepdims=True)
    weighted = new / tg.ops.broadcast(total, new.shape)
    return (new, old + count), tg.ops.log_softmax(weighted[:, ::-1] @ params["Q"])


def of_gated(dtype):
    rng = np.random.default_rng(4)
    made = {"G": rng.normal(size=(M, L + M)), "V": rng.normal(size=(M, L)), "Q": rng.normal(size=(M, O))}
    return {n: w.astype(dtype) for n, w in made.items()}, tuple(rng.uniform(1, 2, (2, B, M)).astype(dtype))


@pytest.mark.parametrize(("dtype", "near"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_a_cell_of_ones_own_is_a_scan(dtype, near):
    params, s0 = of_gated(dtype)
    content = tg.onnx.scan(gated, params, L, s0=s0)
    x = inputs(dtype)
    y, last = run(content, x, s0)
    net = tg.unfold(gated, params, x, np.zeros((T, B, O), dtype), loss="squared_error", s0=s0)
    np.testing.assert_allclose(y, np.stack([n.value for n in net.outputs]), rtol=0, atol=near)
    for theirs, ours in zip(last, net.last_state, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=near)
    y, _ = run(content, x[:, :1], tuple(s[:1] for s in s0))  # another number of samples
    np.testing.assert_allclose(y[:, 0], np.stack([n.value[0] for n in net.outputs]), rtol=0, atol=near)


def test_what_is_the_same_at_every_step_is_computed_before_the_loop():
    made = onnx.load_from_string(tg.onnx.scan(CELLS["lstm"], drawn(CELLS["lstm"]), L))
    assert [node.op_type for node in made.graph.node].count("Transpose") == 3  # V, U and W
    body = next(a.g for node in made.graph.node if node.op_type == "Scan" for a in node.attribute if a.name == "body")
    assert "Transpose" not in {node.op_type for node in body.node}


def player(op, settings, count, size):
    """A cell whose output is what an op makes of the parameters, as a row for each sample."""

    bound = op.bind(**settings) if settings else op

    def cell(params, x, s):
        value = bound(*[tg.ops.detach(params[f"a{k}"]) for k in range(count)])
        return s, tg.ops.broadcast(value.reshape(1, size), (x.shape[0], size))

    return cell


NOT_WRITTEN = {"place", "scatter"}  # they write into an array, as no operator does; cells do so in no forward pass


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_line_of_every_op_is_what_onnx_computes(name):
    op = OPS[name]
    for example in EXAMPLES[name]:
        args = example.complete(example.args)
        value = (
            np.asarray(op.bind(**example.settings).value(*args)) if example.settings else np.asarray(op.value(*args))
        )
        if not np.isfinite(value).all():
            continue
        params, s0 = {f"a{k}": a for k, a in enumerate(args)}, np.zeros((1, 1))
        call = player(op, example.settings, len(args), value.size)
        if name in NOT_WRITTEN:
            with pytest.raises(ValueError, match=rf"the op {name}.* cannot be written in ONNX"):
                tg.onnx.scan(call, params, 1, s0=s0)
            return
        y, _ = run(tg.onnx.scan(call, params, 1, s0=s0), np.zeros((2, 3, 1)), np.zeros((3, 1)))
        np.testing.assert_allclose(y[1, 2], value.ravel(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (lambda p, x, s: (s, tg.ops.linear(x, p["V"]).reshape(-1)[:, None]), "more or fewer samples|one step"),
        (lambda p, x, s: (s, x.tape.constant(np.arange(x.shape[0], dtype=float)[:, None]) * s), "anew for each number"),
    ],
)
def test_what_depends_on_the_number_of_samples_is_refused(cell, said):
    with pytest.raises((ValueError, TypeError), match=said):
        tg.onnx.scan(cell, {"V": np.ones((2, 3))}, 3, s0=np.ones((2, 2)))


# ---- models of others


def model(tmp_path, nodes, arrays, outs=("y",), ins=("x",), version=17):
    h, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = h.make_graph(
        nodes,
        "theirs",
        [h.make_tensor_value_info(n, kind, None) for n in ins],
        [h.make_tensor_value_info(n, kind, None) for n in outs],
        [onnx.numpy_helper.from_array(a, n) for n, a in arrays.items()],
    )
    path = tmp_path / "theirs.onnx"
    path.write_bytes(h.make_model(graph, opset_imports=[h.make_opsetid("", version)]).SerializeToString())
    return path


def theirs():
    rng = np.random.default_rng(5)

    def normal(*shape):
        return rng.normal(size=shape).astype(np.float32)

    arrays = {
        "W": normal(1, 4 * M, L),
        "R": normal(1, 4 * M, M),
        "B": normal(1, 8 * M),
        "A": normal(O, M),
        "b": normal(O),
    }
    return arrays | {"axis": np.array([1]), "last": normal(1, M)}


def lstm(**how):
    return onnx.helper.make_node("LSTM", ["x", "W", "R", "B"], ["Y", "h", "c"], **{"hidden_size": M, **how})


N = onnx.helper.make_node
GEMM = [N("Squeeze", ["h", "zero"], ["s"]), N("Gemm", ["s", "A", "b"], ["y"], transB=1)]
LINEAR = [N("Squeeze", ["Y", "axis"], ["s"]), N("Transpose", ["A"], ["A_T"]), N("MatMul", ["s", "A_T"], ["n"])]


def test_an_old_softmax_that_names_no_axis_is_over_all_but_the_first_one(tmp_path):
    """Before version 13 a network that ends in it is none of ours, unless there is one other axis."""
    nodes, arrays = [lstm(), *GEMM[:1], N("Gemm", ["s", "A", "b"], ["n"], transB=1)], theirs()
    arrays["zero"] = np.array([0])
    assert tg.load(model(tmp_path, [*nodes, N("Softmax", ["n"], ["y"])], arrays, version=12))[0] == C.LSTM(g="softmax")
    nodes = [lstm(), LINEAR[0], N("MatMul", ["s", "A_T"], ["n"]), N("Add", ["b", "n"], ["k"])]
    arrays["A_T"] = arrays["A"].T.copy()
    with pytest.raises(ValueError, match="its Softmax has axis=1: it must be the last axis"):
        tg.load(model(tmp_path, [*nodes, N("Softmax", ["k"], ["y"])], arrays, version=12))


def test_a_model_that_others_have_written_is_read(tmp_path):
    arrays = theirs()
    nodes = [
        N("Transpose", ["batch"], ["x"], perm=[1, 0, 2]),
        lstm(),
        N("Squeeze", ["Y", "axis"], ["s"]),
        N("Transpose", ["s"], ["turned"], perm=[1, 0, 2]),
        N("MatMul", ["turned", "A_T"], ["n"]),
        N("Add", ["b", "n"], ["k"]),
        N("Softmax", ["k"], ["y"], axis=2),
    ]
    cell, params = tg.load(model(tmp_path, nodes, arrays | {"A_T": arrays["A"].T.copy()}, ins=("batch",)))
    assert cell == C.LSTM(g="softmax")
    x = inputs(np.float32)
    made = onnx.load(tmp_path / "theirs.onnx")
    y = ReferenceEvaluator(made).run(None, {"batch": x.transpose(1, 0, 2)})[0]
    np.testing.assert_allclose(y.transpose(1, 0, 2), outputs(cell, params, x), rtol=0, atol=1e-6)


def test_a_model_that_reads_the_last_state_is_read_and_that_is_said(tmp_path):
    arrays = theirs() | {"zero": np.array([0])}
    nodes = [lstm(), *GEMM]
    path = model(tmp_path, nodes, arrays)
    found = weights.read(path)
    assert found.cell == C.LSTM(g="identity")
    assert found.notes == ["its output is that of the last step: losses='last' here"]
    y = ReferenceEvaluator(onnx.load(path)).run(None, {"x": inputs(np.float32)})[0]
    np.testing.assert_allclose(y, outputs(found.cell, found.params, inputs(np.float32))[-1], rtol=0, atol=1e-6)


def test_of_a_model_that_was_trained_on_the_new_numbers_are_read(tmp_path):
    for dtype, shift in ((np.float32, "b_k"), (np.float64, "param.b_k")):
        params = drawn(C.Mozer() if dtype == np.float64 else C.LSTM(), dtype)
        path = tg.save(tmp_path / "a.onnx", C.Mozer() if dtype == np.float64 else C.LSTM(), params, overwrite=True)
        made = onnx.load(path)
        array = next(i for i in made.graph.initializer if i.name == shift)
        array.CopyFrom(onnx.numpy_helper.from_array(params["b_k"] + 1, shift))
        path.write_bytes(made.SerializeToString())
        np.testing.assert_array_equal(tg.load(path)[1]["b_k"], params["b_k"] + 1)


def test_a_scan_that_is_not_the_one_of_its_cell_is_refused(tmp_path):
    path = tg.save(tmp_path / "a.onnx", C.Mozer(), drawn(C.Mozer()))
    made = onnx.load(path)
    scan = next(node for node in made.graph.node if node.op_type == "Scan")
    next(n for n in scan.attribute[0].g.node if n.op_type == "Tanh").op_type = "Sin"
    path.write_bytes(made.SerializeToString())
    with pytest.raises(ValueError, match=r"its Scan is not that of Mozer\("):
        tg.load(path)
    del made.metadata_props[:]
    path.write_bytes(made.SerializeToString())
    with pytest.raises(ValueError, match=r"it has the operator 'Scan'|reads no layer"):
        tg.load(path)


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([lstm(direction="reverse")], "its LSTM has direction=b'reverse'"),
        ([lstm(direction="bidirectional")], "its LSTM has direction=b'bidirectional'"),
        ([lstm(layout=1)], "its LSTM has layout=1"),
        ([lstm(clip=3.0)], "its LSTM has clip=3.0"),
        ([lstm(input_forget=1)], "its LSTM has input_forget=1"),
        ([lstm(activations=["HardSigmoid", "Tanh", "Tanh"])], "its LSTM has activations="),
        ([lstm(hidden_size=4)], r"its LSTM has W \(1, 20, 4\).*hidden_size=4"),
        ([N("LSTM", ["x", "W", "R", "B", "lengths"], ["Y"], hidden_size=M)], "given lengths of sequences"),
        ([N("LSTM", ["x", "W", "R", "B", "", "last"], ["Y"], hidden_size=M)], "starts from a state"),
        ([N("LSTM", ["x", "V", "R", "B"], ["Y"], hidden_size=M)], "'V' is computed or given at run time"),
        ([lstm(), *LINEAR], "its 'Transpose' reads no layer below it"),
        ([lstm(), N("Relu", ["Y"], ["y"])], "it has the operator 'Relu'"),
        ([lstm(), N("Squeeze", ["Y", "zero"], ["y"])], "its Squeeze takes out the axes"),
        ([lstm(), N("Transpose", ["Y"], ["y"], perm=[3, 0, 1, 2])], "units must stay last"),
        ([lstm(), N("Squeeze", ["Y", "axis"], ["s"]), N("MatMul", ["A", "s"], ["y"])], "from the right"),
        ([N("Relu", ["x"], ["y"])], "it has the operator 'Relu'"),
    ],
)
def test_what_a_model_does_besides_is_refused_by_name(tmp_path, nodes, said):
    path = model(tmp_path, nodes, theirs() | {"zero": np.array([0]), "lengths": np.array([3], np.int32)})
    with pytest.raises(ValueError, match=said) as caught:
        tg.load(path)
    assert "\n" not in str(caught.value)


def test_numbers_in_another_file_are_not_read(tmp_path):
    (tmp_path / "secret.bin").write_bytes(bytes(4 * 4 * M * L))
    path = tg.save(tmp_path / "a.onnx", C.LSTM(), drawn(C.LSTM(), np.float32))
    made = onnx.load(path)
    array = next(i for i in made.graph.initializer if i.name == "W")
    array.ClearField("raw_data")
    array.data_location = onnx.TensorProto.EXTERNAL
    array.external_data.add(key="location", value="secret.bin")
    path.write_bytes(made.SerializeToString())
    with pytest.raises(ValueError, match="'W' stands in another file"):
        tg.load(path)
