"""A cell and its parameters in a file: they come back as they went in, or the file is refused by what it lacks."""

import re
import sys

import numpy as np
import pytest

import tinygrad_rnn as tg
from kept_cells import CELLS, FLAX, KERAS, PYTORCH, L, M, alike, drawn, outputs, same
from tinygrad_rnn.exchange.arrays import read_arrays, write_arrays

C = tg.cells
OURS, OF_PYTORCH, OF_FLAX = "tinygrad_rnn", "torch", "flax"
# The file, whose names are in it, the cells that it has a place for, and whether it says its cell.
FILES = {
    "ours": ("a.safetensors", OURS, set(CELLS), True),
    "ours in npz": ("a.npz", OURS, set(CELLS), True),
    "torch names": ("a.safetensors", OF_PYTORCH, PYTORCH, False),
    "torch names in npz": ("a.npz", OF_PYTORCH, PYTORCH, False),
    "flax names": ("a.safetensors", OF_FLAX, FLAX, False),
    "flax names in npz": ("a.npz", OF_FLAX, FLAX, False),
    "keras": ("a.keras", OURS, KERAS, True),
    "keras weights": ("a.weights.h5", OURS, KERAS, False),
    "onnx": ("a.onnx", OURS, set(CELLS), True),
}
CASES = [(file, cell) for file in FILES for cell in CELLS]


def only(file, cell):
    """Which modules are meant, where a file does not say their order."""
    mixed = {"flax": ["GRUCell_0", "OptimizedLSTMCell_0", "Dense_0"], "keras": ["gru", "lstm", "dense"]}
    says = FILES[file][3]
    return None if says or cell != "gru and lstm" else mixed[file.partition(" ")[0]]


@pytest.mark.parametrize(("file", "called"), CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_cell_comes_back_from_a_file_or_is_refused_by_what_has_no_place(tmp_path, file, called, dtype):
    name, names, has_place, says = FILES[file]
    cell, path = CELLS[called], tmp_path / name
    params = alike(cell, dtype) if "torch" in file else drawn(cell, dtype)
    if called not in has_place:
        with pytest.raises(ValueError, match=r"has no such layer|has no place for|layers of one kind"):
            tg.save(path, cell, params, names=names)
        assert not list(tmp_path.iterdir())
        return
    assert tg.save(path, cell, params, names=names) == path
    back, read = tg.load(path, cell=None if says else cell, only=only(file, called))
    assert same(back, cell) or (called == "irnn" and same(back, C.Guo(f="relu", g="identity")))
    assert set(read) == set(params)
    for key, w in params.items():
        assert read[key].dtype == dtype
        np.testing.assert_array_equal(read[key], w, err_msg=key)
        read[key][...] = 0  # nobody else's, and it can be changed


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("called", ["tanh", "lstm", "gru", "two lstm"])
def test_a_network_without_a_head_is_kept_too(tmp_path, file, called):
    name, names, _, says = FILES[file]
    cell = CELLS[called]
    params = {k: w for k, w in alike(cell, np.float32).items() if not k.startswith(("W", "b_k"))}
    tg.save(tmp_path / name, cell, params, names=names)
    _, read = tg.load(tmp_path / name, cell=None if says and file != "keras" else cell)
    for key, w in params.items():
        np.testing.assert_array_equal(read[key], w)
    assert set(read) == set(params)


def test_the_order_of_names_and_an_initial_state_of_ones_own_are_kept(tmp_path):
    cell = CELLS["lstm"]
    params = dict(reversed(drawn(cell).items())) | {"s_start": np.ones(M), "c_start": np.zeros(M)}
    for name in ("a.safetensors", "a.npz"):
        tg.save(tmp_path / name, cell, params)
        assert list(tg.load(tmp_path / name)[1]) == list(params)
    with pytest.raises(ValueError, match="Keras has no place for s_start, c_start"):
        tg.save(tmp_path / "a.keras", cell, params)


def test_a_file_goes_on_in_a_network_as_the_one_it_was_saved_from(tmp_path):
    cell, params = CELLS["three lstm"], drawn(CELLS["three lstm"])
    again, read = tg.load(tg.save(tmp_path / "a.safetensors", cell, params))
    np.testing.assert_array_equal(outputs(again, read), outputs(cell, params))


def test_nothing_is_overwritten_unless_it_is_said(tmp_path):
    cell, params = CELLS["gru"], drawn(CELLS["gru"])
    path = tg.save(tmp_path / "a.safetensors", cell, params)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="exists already"):
        tg.save(path, cell, {**params, "V": params["V"] + 1})
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match=r"b_n\[2\] is nan"):
        tg.save(path, cell, {**params, "b_n": np.array([0, 0, np.nan, 0, 0])}, overwrite=True)
    assert path.read_bytes() == before
    tg.save(path, cell, {**params, "V": params["V"] + 1}, overwrite=True)
    assert (tg.load(path)[1]["V"] == params["V"] + 1).all()
    assert [each.name for each in tmp_path.iterdir()] == ["a.safetensors"]


@pytest.mark.parametrize("file", ["a.safetensors", "a.npz", "a.keras", "a.weights.h5", "a.onnx"])
def test_the_same_network_is_the_same_file(tmp_path, file):
    cell, params = CELLS["lstm"], drawn(CELLS["lstm"], np.float32)
    written = [tg.save(tmp_path / file, cell, params, overwrite=True).read_bytes() for _ in range(2)]
    assert written[0] == written[1]


# ---- files of others, by their names


def torch_names(kind="lstm", layers=1, at="rnn.", head="linear."):
    cell = C.Stacked(*[CELLS[kind]] * layers) if layers > 1 else CELLS[kind]
    rnn, linear = cell.to_torch(alike(cell))
    return {f"{at}{n}": w for n, w in rnn.items()} | {f"{head}{n}": w for n, w in linear.items()}


def read(tmp_path, arrays, **how):
    write_arrays(tmp_path / "theirs.safetensors", arrays, overwrite=True)
    return tg.load(tmp_path / "theirs.safetensors", **how)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", ["relu", "lstm", "gru"])
def test_a_state_dict_says_by_its_names_what_it_is(tmp_path, kind, layers):
    hint = CELLS["relu"] if kind == "relu" else None
    cell, params = read(tmp_path, torch_names(kind, layers, "core.rnn.", "decoder."), cell=hint)
    assert len(getattr(cell, "cells", [cell])) == layers
    last = cell.cells[-1] if layers > 1 else cell
    assert isinstance(last, type(CELLS[kind]))
    assert last.g == "identity"
    whole = C.Stacked(*[CELLS[kind]] * layers) if layers > 1 else CELLS[kind]
    for name, w in alike(whole).items():
        np.testing.assert_array_equal(params[name], w)


def test_the_two_biases_of_a_state_dict_are_added_where_they_are_one(tmp_path):
    names = torch_names("gru")
    rng = np.random.default_rng(3)
    names["rnn.bias_hh_l0"] = rng.normal(size=3 * M)
    _, params = read(tmp_path, names)
    np.testing.assert_array_equal(params["b_j"][: 2 * M], (names["rnn.bias_ih_l0"] + names["rnn.bias_hh_l0"])[: 2 * M])
    np.testing.assert_array_equal(params["b_j"][2 * M :], names["rnn.bias_ih_l0"][2 * M :])
    np.testing.assert_array_equal(params["b_n"], names["rnn.bias_hh_l0"][2 * M :])


def without(arrays, *words):
    return {name: w for name, w in arrays.items() if not any(word in name for word in words)}


def test_layers_without_biases_have_zeros(tmp_path):
    _, params = read(tmp_path, without(torch_names(), "bias"))
    assert not params["b_j"].any()
    assert not params["b_k"].any()


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (torch_names("tanh"), r"does not say which activation its units have: pass cell=tinygrad_rnn.cells.Guo\("),
        (torch_names() | {"rnn.weight_ih_l0_reverse": np.ones((20, 4))}, "reads backwards in time"),
        (torch_names() | {"rnn.weight_hr_l0": np.ones((2, 5))}, "an LSTM with proj_size"),
        (
            torch_names() | torch_names(at="other.", head="linear."),
            "several recurrent modules; recurrent: 'rnn', 'other'",
        ),
        (torch_names() | {"second.weight": np.ones((2, 5)), "second.bias": np.ones(2)}, "linear: 'linear', 'second'"),
        (torch_names() | {"norm.weight": np.ones(5)}, "it holds 'norm.weight' too"),
        (without(torch_names(), "bias_hh"), "bias_hh of layer 0 is missing"),
        (without(torch_names("lstm", 3), "weight_ih_l1"), "weight_ih of layer 1 is missing"),
        (torch_names() | {"rnn.weight_hh_l0": np.ones((10, 5))}, r"weight_hh of layer 0 is \(10, 5\)"),
        (torch_names() | {"rnn.weight_hh_l0": np.ones((20, 4))}, r"weight_hh"),
        (torch_names() | {"linear.weight": np.ones((2, 4))}, r"W is \(2, 4\), and with .* it must be \(o, m\)"),
        (torch_names() | {"linear.bias": np.full(2, np.inf)}, r"b_k\[0\] is inf, and must be finite"),
        ({n: w.astype(np.float16) for n, w in torch_names().items()}, "all are float32, or all float64"),
        (torch_names() | {"linear.bias": np.zeros(2, np.float32)}, "all are float32, or all float64"),
        ({"a": np.ones(3)}, "does not say of which cell"),
        ({}, "holds no arrays"),
    ],
)
def test_what_is_not_one_network_is_refused_by_name(tmp_path, arrays, said):
    with pytest.raises(ValueError, match=said) as caught:
        read(tmp_path, arrays)
    assert "theirs.safetensors: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_only_says_which_modules_are_meant_and_in_which_order(tmp_path):
    arrays = torch_names() | torch_names("gru", at="other.", head="second.") | {"emb.weight": np.ones((9, 4))}
    cell, params = read(tmp_path, arrays, only=["other", "second"])
    assert same(cell, C.GRU(g="identity"))
    np.testing.assert_array_equal(params["V"], arrays["other.weight_ih_l0"])
    cell, _ = read(tmp_path, arrays, only=["rnn"])
    assert same(cell, CELLS["lstm"])
    with pytest.raises(ValueError, match="layer 2 reads"):
        read(tmp_path, arrays, only=["rnn", "other"])
    with pytest.raises(ValueError, match="only='nothing' is none"):
        read(tmp_path, arrays, only=["nothing"])


def test_cells_of_a_list_are_layers_in_its_order(tmp_path):
    arrays = {}
    for k, m in enumerate([L, *[M] * 10]):
        rnn, _ = CELLS["lstm"].to_torch({n: w + k for n, w in C.LSTM().draw(m, M, np.random.default_rng(k)).items()})
        arrays |= {f"cells.{k}.{name.removesuffix('_l0')}": w for name, w in rnn.items()}
    cell, params = read(tmp_path, dict(sorted(arrays.items())))  # 10 before 2
    assert len(cell.cells) == 11
    np.testing.assert_array_equal(params["V_3"], arrays["cells.2.weight_ih"])


def test_what_a_cell_and_a_file_say_must_agree(tmp_path):
    path = tg.save(tmp_path / "a.keras", CELLS["relu"], drawn(CELLS["relu"]))
    with pytest.raises(ValueError, match="the file says f='relu', and cell=Guo"):
        tg.load(path, cell=C.Guo(f="tanh", g="identity"))
    with pytest.raises(ValueError, match=r"holds a layer of RNN, and cell=LSTM\("):
        tg.load(path, cell=C.LSTM())
    path = tg.save(tmp_path / "a.safetensors", CELLS["gru"], drawn(CELLS["gru"]))
    with pytest.raises(ValueError, match=r"it is of GRU\(.*and cell=LSTM"):
        tg.load(path, cell=C.LSTM())


def test_parameters_that_numpy_kept_are_read_with_their_cell(tmp_path):
    cell, params = CELLS["peepholes"], drawn(CELLS["peepholes"])
    np.savez(tmp_path / "a.npz", **params)
    again, found = tg.load(tmp_path / "a.npz", cell=cell)
    assert again == cell
    np.testing.assert_array_equal(found["p_f"], params["p_f"])
    with pytest.raises(ValueError, match=r"does not say of which cell: pass cell="):
        tg.load(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"there is no b_n, which GRU"):
        tg.load(tmp_path / "a.npz", cell=C.GRU())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ('{"kind": "LSTN"}', "it is one of GRU, IRNN"),
        ('{"kind": "LSTM", "size": 3}', "a setting 'size', which LSTM has not"),
        ('{"kind": "LSTM", "g": "step"}', "g is one of"),
        ('{"kind": "LSTM", "g": ["softmax"]}', "g is one of"),
        ('{"kind": "LSTM", "peepholes": 7}', "peepholes"),
        ('{"kind": "LSTM", "forget_bias": NaN}', "forget_bias"),
        ('{"kind": "Stacked", "cells": []}', "pass one cell or more"),
        ('{"kind": "Stacked", "cells": 3}', "it is a list"),
        ('{"kind": "Stacked"}', "it is a list"),
        ('{"kind": "ErrorClipped", "cell": {"kind": "Guo"}, "bound": -1}', "above 0"),
        ("[" * 100_000, "Expecting|described"),
        ('{"kind": "ErrorClipped", "cell": ' * 200 + "1" + "}" * 200, "described"),
        ("{", "Expecting"),
        ("7", "described as 7"),
        ('{"kind": ["LSTM"]}', "described as"),
    ],
)
def test_a_cell_that_is_described_wrongly_is_refused(tmp_path, words, said):
    write_arrays(tmp_path / "a.safetensors", drawn(CELLS["lstm"]), {"cell": words})
    with pytest.raises(ValueError, match=said) as caught:
        tg.load(tmp_path / "a.safetensors")
    assert "\n" not in str(caught.value)


def test_the_file_says_its_cell_where_everybody_can_read_it(tmp_path):
    path = tg.save(tmp_path / "a.safetensors", CELLS["two gru"], drawn(CELLS["two gru"]))
    arrays, words = read_arrays(path)
    assert set(arrays) == set(drawn(CELLS["two gru"]))
    assert re.match(
        r'\{"kind": "Stacked", "cells": \[\{"kind": "GRU", "reset": "after", "g": "softmax"\}', words["cell"]
    )


def test_a_function_is_no_cell_that_a_file_can_hold(tmp_path):
    with pytest.raises(ValueError, match="a file holds no code"):
        tg.save(tmp_path / "a.safetensors", lambda params, x, s: (s, s), {"V": np.ones((2, 2))})

    class Mine(C.Guo):
        pass

    with pytest.raises(ValueError, match="a file holds no code"):
        tg.save(tmp_path / "a.npz", Mine(), drawn(C.Guo()))
    with pytest.raises(ValueError, match="Keras has no such layer"):
        tg.save(tmp_path / "a.keras", Mine(), drawn(C.Guo()))


def test_an_unknown_suffix_is_refused_with_those_that_are_known(tmp_path):
    for name in ("a.h5", "a", "a.bin"):
        with pytest.raises(ValueError, match=r"the suffix says how .* \.safetensors, \.npz, \.pt, \.keras"):
            tg.save(tmp_path / name, CELLS["gru"], drawn(CELLS["gru"]))
    with pytest.raises(ValueError, match=r"names='torch' is for \.safetensors and \.npz"):
        tg.save(tmp_path / "a.keras", CELLS["gru"], drawn(CELLS["gru"]), names="torch")
    with pytest.raises(ValueError, match="names='jax': it is one of"):
        tg.save(tmp_path / "a.npz", CELLS["gru"], drawn(CELLS["gru"]), names="jax")


# ---- Flax


@pytest.mark.parametrize("called", sorted(FLAX - {"irnn", "gru and lstm"}))
@pytest.mark.parametrize("around", [False, True])
def test_the_dict_of_flax_and_back(called, around):
    cell, params = CELLS[called], drawn(CELLS[called])
    made = tg.to_flax(cell, params)
    back, found = tg.from_flax({"params": made} if around else made, cell=cell)
    assert same(back, cell)
    for name, w in params.items():
        np.testing.assert_array_equal(found[name], w)


def test_one_cell_of_flax_alone_has_the_names_of_its_gates():
    cell = C.LSTM()
    params = {n: w for n, w in drawn(cell).items() if n not in ("W", "b_k")}
    made = tg.to_flax(cell, params)
    assert set(made) == {"ii", "if", "ig", "io", "hi", "hf", "hg", "ho"}
    assert made["if"]["kernel"].shape == (L, M)
    assert set(made["if"]) == {"kernel"}
    assert set(made["hf"]) == {"kernel", "bias"}
    np.testing.assert_array_equal(made["hf"]["bias"], params["b_j"][M : 2 * M])
    assert same(tg.from_flax(made)[0], C.LSTM(g="identity"))


def test_a_dict_of_flax_that_is_no_cell_is_refused():
    made = tg.to_flax(CELLS["gru"], drawn(CELLS["gru"]))
    del made["GRUCell_0"]["hn"]
    with pytest.raises(ValueError, match=r"hn\.kernel is missing or unknown"):
        tg.from_flax(made)
    with pytest.raises(ValueError, match="must hold recurrent layers"):
        tg.from_flax({"Dense_0": {"kernel": np.ones((2, 3))}})
    with pytest.raises(ValueError, match=r"it holds 'b\.weird' too"):
        tg.from_flax(tg.to_flax(CELLS["lstm"], drawn(CELLS["lstm"])) | {"b": {"weird": np.ones(3)}})
    deep = {}
    for _ in range(100):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="one dict in another"):
        tg.from_flax(deep)


# ---- what is not installed


@pytest.mark.parametrize(
    ("library", "file", "get"),
    [
        ("torch", "a.pt", r"pip install 'tinygrad-rnn\[torch\]'"),
        ("h5py", "a.keras", r"pip install 'tinygrad-rnn\[keras\]'"),
        ("h5py", "a.weights.h5", r"pip install 'tinygrad-rnn\[keras\]'"),
        ("onnx", "a.onnx", r"pip install 'tinygrad-rnn\[onnx\]'"),
    ],
)
def test_a_library_that_is_missing_is_named_with_how_to_get_it(tmp_path, monkeypatch, library, file, get):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=get):
        tg.save(tmp_path / file, CELLS["lstm"], alike(CELLS["lstm"], np.float32))
    (tmp_path / file).write_bytes(b"PK")
    with pytest.raises(ImportError, match=get):
        tg.load(tmp_path / file)


def test_a_folder_says_which_file_in_it_may_be_meant(tmp_path):
    cell = tg.cells.Guo()
    with pytest.raises(ValueError, match=r"is a folder: name a file in it$"):
        tg.load(tmp_path)
    tg.save(tmp_path / "best.safetensors", cell, cell.init(2, 3, 2, rng=0))
    with pytest.raises(ValueError, match=r"is a folder: name a file in it, such as .*best\.safetensors$"):
        tg.load(tmp_path)
