"""Files of PyTorch, Keras, ONNX and Flax, written and read here, against what those libraries themselves compute."""

import itertools
import os
import warnings

os.environ.setdefault("KERAS_BACKEND", "torch")

import jax
import keras
import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file

import tinygrad_rnn as tg
from kept_cells import CELLS, FLAX, KERAS, OPERATORS, PYTORCH, B, L, M, O, alike, drawn, inputs, outputs, parts, same
from tinygrad_rnn.exchange import layouts

jax.config.update("jax_enable_x64", True)
C = tg.cells
# Keras on PyTorch reads tensors by NumPy in a way that NumPy 2 warns of; PyTorch's older exporter warns of itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def apart(theirs, ours):
    """How far the largest outputs are apart, for outputs of size 1."""
    return np.abs(theirs - ours).max() / max(1, np.abs(ours).max())


def head(cell):
    return cell.cells[-1].g if isinstance(cell, C.Stacked) else cell.g


def activated(g, y):
    """The activation of a head, which neither a state_dict nor a dict of Flax says."""
    if g == "softmax":
        e = np.exp(y - y.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)
    return {"identity": lambda a: a, "tanh": np.tanh, "sigmoid": lambda a: 1 / (1 + np.exp(-a))}[g](y)


# ---- PyTorch


class Module(torch.nn.Module):
    """A recurrent layer and a linear one, as most models have them."""

    def __init__(self, cell, dtype):
        super().__init__()
        layers = len(cell.cells) if isinstance(cell, C.Stacked) else 1
        first = cell.cells[0] if layers > 1 else cell
        kind = {C.LSTM: torch.nn.LSTM, C.GRU: torch.nn.GRU}.get(type(first), torch.nn.RNN)
        more = {"nonlinearity": first.f} if kind is torch.nn.RNN else {}
        self.rnn = kind(L, M, layers, dtype=dtype, **more)
        self.linear = torch.nn.Linear(M, O, dtype=dtype)

    def forward(self, x):
        return self.linear(self.rnn(x)[0])

    def outputs(self, x, g):
        with torch.no_grad():
            return activated(g, self(torch.tensor(x)).numpy())


def read_into(module, file):
    state = torch.load(file, weights_only=True) if file.suffix == ".pt" else load_file(file)
    module.load_state_dict(state)


NEAR = {np.float32: 1e-6, np.float64: 1e-15}


@pytest.mark.parametrize("called", sorted(PYTORCH))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["a.pt", "a.safetensors"])
def test_a_module_of_pytorch_reads_what_is_written_and_the_other_way_round(tmp_path, called, dtype, name):
    cell, params = CELLS[called], alike(CELLS[called], dtype)
    names = "tinygrad_rnn" if name == "a.pt" else "torch"
    module = Module(cell, {np.float32: torch.float32, np.float64: torch.float64}[dtype])
    read_into(module, tg.save(tmp_path / name, cell, params, names=names))
    x = inputs(dtype)
    off = [apart(module.outputs(x, head(cell)), outputs(cell, params, x))]
    for w in module.parameters():  # both biases are something now
        torch.nn.init.normal_(w, std=0.5)
    theirs = tmp_path / f"theirs{(tmp_path / name).suffix}"
    if name == "a.pt":
        torch.save(module.state_dict(), theirs)
    else:
        save_file(module.state_dict(), theirs)
    back, read = tg.load(theirs, cell=cell)
    off.append(apart(module.outputs(x, head(cell)), outputs(back, read, x)))
    print("off", called, np.dtype(dtype).name, max(off))
    assert same(back, cell)
    assert max(off) <= NEAR[dtype]


def test_a_bare_cell_of_pytorch_is_a_layer(tmp_path):
    unit = torch.nn.LSTMCell(L, M, dtype=torch.float64)
    torch.save(unit.state_dict(), tmp_path / "a.pt")
    cell, params = tg.load(tmp_path / "a.pt")
    assert same(cell, C.LSTM(g="identity"))
    np.testing.assert_array_equal(params["V"], unit.weight_ih.detach())


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (lambda: torch.nn.LSTM(2, 3), "holds more than tensors"),
        (lambda: {"epoch": 3}, "'epoch' in it is no tensor"),
        (lambda: [torch.ones(3)], "must be a state_dict"),
        (lambda: torch.nn.LSTM(2, 3).half().state_dict(), "float32 and float64 are read"),
        (lambda: {"weight_ih_l0": torch.ones(1, 1).expand(2**20, 2**20)}, "there is no room for it"),
        (lambda: {"a": torch.ones(2, 2).to_sparse()}, "float32 and float64 are read|more than tensors"),
        (lambda: torch.nn.LSTM(2, 3, bidirectional=True).state_dict(), "reads backwards in time"),
        (lambda: torch.nn.LSTM(2, 3, proj_size=2).state_dict(), "proj_size"),
    ],
)
def test_what_is_no_state_dict_of_one_network_is_refused(tmp_path, held, said):
    torch.save(held(), tmp_path / "a.pt")
    with pytest.raises(ValueError, match=said) as caught:
        tg.load(tmp_path / "a.pt")
    assert "\n" not in str(caught.value)


class Runs:
    """What runs when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_code_in_a_file_is_not_run(tmp_path):
    for name, held in (("zip", True), ("old", False)):
        torch.save({"a": Runs(tmp_path / "ran")}, tmp_path / f"{name}.pt", _use_new_zipfile_serialization=held)
        (tmp_path / "ran").unlink(missing_ok=True)
        with pytest.raises(ValueError, match=r"more than tensors|since version 1\.6"):
            tg.load(tmp_path / f"{name}.pt")
        assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_file_of_pytorch_is_refused_in_one_line_or_read(tmp_path, seed):
    path = tg.save(tmp_path / "a.pt", CELLS["gru"], alike(CELLS["gru"], np.float32))
    content, rng = bytearray(path.read_bytes()), np.random.default_rng(seed)
    if seed % 3:
        for at in rng.integers(len(content), size=seed):
            content[at] = rng.integers(256)
    else:
        content = content[: rng.integers(len(content))]
    path.write_bytes(content)
    try:
        _, params = tg.load(path)
    except ValueError as error:
        assert "\n" not in str(error)  # noqa: PT017  it may also be read, where the bytes are numbers
    else:
        assert all(np.isfinite(w).all() for w in params.values())


# ---- Keras


def of_keras(cell, dtype="float32"):
    K, g = keras.layers, {"identity": "linear"}.get(head(cell), head(cell))
    model = keras.Sequential([keras.Input((None, L), dtype=dtype)])
    layers = cell.cells if isinstance(cell, C.Stacked) else [cell]
    for k, each in enumerate(layers):
        how = {"return_sequences": True, "dtype": dtype, "name": f"mine_{k}"}
        m = M + k
        if isinstance(each, C.LSTM):
            model.add(K.LSTM(m, **how))
        elif isinstance(each, C.GRU):
            model.add(K.GRU(m, reset_after=each.reset == "after", **how))
        else:
            model.add(K.SimpleRNN(m, activation={"identity": "linear"}.get(each.f, each.f), **how))
    model.add(K.Dense(O, activation=g, dtype=dtype))
    return model


def of_model(model, x):
    return keras.ops.convert_to_numpy(model(x.transpose(1, 0, 2))).transpose(1, 0, 2)


@pytest.mark.parametrize("called", sorted(KERAS))
@pytest.mark.parametrize("name", ["a.keras", "a.weights.h5"])
def test_keras_reads_what_is_written_and_the_other_way_round(tmp_path, called, name):
    cell, params = CELLS[called], drawn(CELLS[called], np.float32)
    path, x = tg.save(tmp_path / name, cell, params), inputs(np.float32)
    if name == "a.keras":
        model = keras.saving.load_model(path)
    else:
        model = of_keras(cell)
        model.load_weights(path)
    off = [apart(of_model(model, x), outputs(cell, params, x))]
    rng = np.random.default_rng(8)
    model = of_keras(cell)
    model.set_weights([0.5 * rng.normal(size=w.shape) for w in model.get_weights()])  # both rows of a GRU's bias
    if name == "a.keras":
        model.save(tmp_path / "b.keras")
        back, read = tg.load(tmp_path / "b.keras")
    else:
        model.save_weights(tmp_path / "b.weights.h5")
        mixed = ["gru", "lstm", "dense"] if called == "gru and lstm" else None
        back, read = tg.load(tmp_path / "b.weights.h5", cell=cell, only=mixed)
    off.append(apart(of_model(model, x), outputs(back, read, x)))
    print("off", called, name, max(off))
    assert same(back, cell) or called == "irnn"
    assert max(off) <= 1e-6


def test_numbers_of_keras_in_float64_come_back_as_they_are(tmp_path):
    cell, params = CELLS["two gru"], drawn(CELLS["two gru"])
    model = keras.saving.load_model(tg.save(tmp_path / "a.keras", cell, params))
    model.save(tmp_path / "b.keras")
    _, read = tg.load(tmp_path / "b.keras")
    for name, w in params.items():
        assert read[name].dtype == np.float64
        np.testing.assert_array_equal(read[name], w)


@pytest.mark.parametrize(("called", "kind"), [("lstm", "LSTM"), ("gru", "GRU"), ("gru before", "GRU")])
def test_every_wrong_order_of_gates_is_noticed_by_keras(tmp_path, monkeypatch, called, kind):
    cell, params, x = CELLS[called], drawn(CELLS[called], np.float32, size=1.0), inputs(np.float32)
    right = layouts.LAYOUTS["Keras"]
    least = []
    for order in itertools.permutations(right.gates[kind]):
        monkeypatch.setitem(layouts.LAYOUTS, "Keras", right._replace(gates={**right.gates, kind: "".join(order)}))
        model = keras.saving.load_model(tg.save(tmp_path / "a.keras", cell, params, overwrite=True))
        off = apart(of_model(model, x), outputs(cell, params, x))
        assert (off < 1e-5) == ("".join(order) == right.gates[kind]), order
        least.append(off)
    print("second best", called, sorted(least)[1])
    assert sorted(least)[1] > 0.01


def functional(last=True):
    start = keras.Input((None, L))
    y = keras.layers.LSTM(M, return_sequences=last)(start)
    return keras.Model(start, keras.layers.Dense(O, activation="softmax")(keras.layers.Dropout(0.5)(y)))


def test_a_functional_model_with_dropout_is_read_and_what_is_left_out_is_said(tmp_path):
    from tinygrad_rnn.exchange.weights import read

    functional().save(tmp_path / "a.keras")
    found = read(tmp_path / "a.keras")
    assert same(found.cell, C.LSTM(g="softmax"))
    assert any("Dropout" in note for note in found.notes)
    model = functional(last=False)
    model.save(tmp_path / "b.keras")
    found = read(tmp_path / "b.keras")
    assert any("losses='last'" in note for note in found.notes)
    x = inputs(np.float32)
    theirs = keras.ops.convert_to_numpy(model(x.transpose(1, 0, 2)))
    np.testing.assert_allclose(theirs, outputs(found.cell, found.params, x)[-1], rtol=0, atol=1e-6)


K = keras.layers
STRANGE = {
    "Bidirectional": lambda: [K.Bidirectional(K.LSTM(3, return_sequences=True)), K.Dense(2)],
    "go_backwards": lambda: [K.LSTM(3, go_backwards=True)],
    "activation='relu'": lambda: [K.LSTM(3, activation="relu")],
    "recurrent_activation='hard_sigmoid'": lambda: [K.GRU(3, recurrent_activation="hard_sigmoid")],
    "TimeDistributed": lambda: [K.LSTM(3, return_sequences=True), K.TimeDistributed(K.Dense(2))],
    "Conv1D": lambda: [K.Conv1D(3, 2), K.LSTM(3)],
    "'Dense'": lambda: [K.LSTM(3, return_sequences=True), K.Dense(2), K.Dense(2)],
    "activation='gelu'": lambda: [K.LSTM(3, return_sequences=True), K.Dense(2, activation="gelu")],
    "no recurrent layer|'Dense'": lambda: [K.Dense(2)],
}


@pytest.mark.parametrize("said", STRANGE)
def test_what_no_cell_computes_is_refused_by_its_name_in_keras(tmp_path, said):
    model = keras.Sequential([keras.Input((6, L)), *STRANGE[said]()])
    model.save(tmp_path / "a.keras")
    with pytest.raises(ValueError, match=said):
        tg.load(tmp_path / "a.keras")
    if said in ("Bidirectional", "TimeDistributed", "Conv1D"):
        model.save_weights(tmp_path / "a.weights.h5")
        with pytest.raises(ValueError, match=said.lower()[:4]):
            tg.load(tmp_path / "a.weights.h5", cell=C.LSTM())


def test_a_model_with_two_ways_is_no_chain(tmp_path):
    start = keras.Input((None, L))
    a = K.LSTM(3, return_sequences=True)(start)
    b = K.LSTM(3, return_sequences=True)(start)
    keras.Model(start, K.Dense(2)(K.Add()([a, b]))).save(tmp_path / "a.keras")
    with pytest.raises(ValueError, match="does not read the one before it"):
        tg.load(tmp_path / "a.keras")


# ---- ONNX


def session(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def run(running, x, s0):
    names = [i.name for i in running.get_inputs()]
    given = [
        s.reshape(-1, *s.shape) if len(i.shape) == 3 else s
        for s, i in zip(parts(s0), running.get_inputs()[1:], strict=True)
    ]
    y, *last = running.run(None, dict(zip(names, [x, *given], strict=True)))
    return y, tuple(s[0] if s.ndim == 3 else s for s in last)


def some_state(cell, params):
    rng = np.random.default_rng(2)

    def filled(state):
        return (
            tuple(map(filled, state)) if isinstance(state, tuple) else rng.normal(size=state.shape).astype(state.dtype)
        )

    return filled(cell.initial_state(params, B))


@pytest.mark.parametrize("called", CELLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_onnxruntime_computes_what_the_network_does_in_two_pieces_too(tmp_path, called, dtype):
    cell, params, x = CELLS[called], drawn(CELLS[called], dtype), inputs(dtype)
    running, s0 = session(tg.save(tmp_path / "a.onnx", cell, params)), some_state(cell, params)
    y, end = run(running, x, s0)
    off = apart(y, outputs(cell, params, x, s0))
    print("off", called, np.dtype(dtype).name, off)
    assert off <= (1e-6 if dtype == np.float32 else 1e-12)
    first, between = run(running, x[:3], s0)
    second, last = run(running, x[3:], between)
    scan = dtype == np.float64 or called not in OPERATORS
    for piece, whole in [(np.concatenate([first, second]), y), *zip(last, end, strict=True)]:
        np.testing.assert_allclose(piece, whole, rtol=0, atol=0 if scan else 1e-6)


@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh", "three lstm"])
def test_what_pytorch_exports_is_read(tmp_path, kind):
    cell = CELLS[kind]
    module = Module(cell, torch.float32)
    for w in module.parameters():
        torch.nn.init.normal_(w, std=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what it traces, and of itself
        torch.onnx.export(module, (torch.tensor(inputs(np.float32)),), tmp_path / "a.onnx", dynamo=False)
    back, read = tg.load(tmp_path / "a.onnx")
    y = module.outputs(inputs(np.float32), "identity")
    assert apart(y, outputs(back, read, inputs(np.float32))) <= 1e-6


# ---- Flax


@pytest.mark.parametrize("called", sorted(FLAX - {"gru and lstm"}))
@pytest.mark.parametrize("plain", [False, True], ids=["OptimizedLSTMCell", "LSTMCell"])
def test_cells_of_flax_compute_what_the_network_does_and_the_other_way_round(called, plain):
    import flax.linen as nn

    cell, params, x = CELLS[called], drawn(CELLS[called]), inputs()
    layers = cell.cells if isinstance(cell, C.Stacked) else [cell]

    def unit(k, each):
        if isinstance(each, C.LSTM):
            return (nn.LSTMCell if plain else nn.OptimizedLSTMCell)(M + k, param_dtype=float)
        if isinstance(each, C.GRU):
            return nn.GRUCell(M + k, param_dtype=float)
        f = {"tanh": nn.tanh, "relu": nn.relu, "sigmoid": nn.sigmoid, "identity": lambda a: a}[each.f]
        return nn.SimpleCell(M + k, activation_fn=f, param_dtype=float)

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            for k, each in enumerate(layers):
                x = nn.RNN(unit(k, each), time_major=True)(x)
            return nn.Dense(O, param_dtype=float)(x)

    made = tg.to_flax(cell, params)
    if plain:
        made = {name.replace("OptimizedLSTMCell", "LSTMCell"): each for name, each in made.items()}
    y = activated(head(cell), np.asarray(Net().apply({"params": made}, x)))
    off = [apart(y, outputs(cell, params, x))]
    variables = Net().init(jax.random.key(0), x)
    rng = np.random.default_rng(9)
    variables = jax.tree.map(lambda a: np.asarray(a) + 0.3 * rng.normal(size=a.shape), variables)
    back, read = tg.from_flax(variables, cell=cell)
    y = activated(head(cell), np.asarray(Net().apply(variables, x)))
    off.append(apart(y, outputs(back, read, x)))
    print("off", called, max(off))
    assert max(off) <= 1e-14
