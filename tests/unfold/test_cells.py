"""The cells: their papers' formulas, every copy's gradient, replays, masks, layers, PyTorch's names."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
import untied
from cell_cases import CELLS, B, C, Case, L, M, O, T, o, own, relative
from tinygrad_rnn.unfold.structure import flatten, rebuild

every_cell = pytest.mark.parametrize("name", CELLS)


def assert_same(net, fresh, tolerance):
    assert relative(net.loss, fresh.loss) < tolerance
    for ours, theirs in zip(net.tape, fresh.tape, strict=True):
        assert relative(ours.value, theirs.value) < tolerance, repr(ours)
        if theirs.cotangent is not None:
            assert relative(ours.cotangent, theirs.cotangent) < tolerance, repr(ours)
    for name in net.grads:
        assert relative(net.grads[name], fresh.grads[name]) < tolerance, name
    for name in net.copies:
        assert relative(net.copies[name], fresh.copies[name]) < tolerance, name


@every_cell
@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
def test_every_copy_and_the_initial_state_against_differences(name, masked):
    # A difference costs a pass an entry and a step: a stack has many, and needs neither size nor length to go wrong.
    case = Case(CELLS[name], (4, 3, 1, 2, 5)) if isinstance(CELLS[name], C.Stacked) else Case(CELLS[name])
    mask = case.mask if masked else None
    copies, s0 = untied.gradients(case.cell, case.params, case.x, case.d, case.s0, case.cost, mask)
    net = case.unfold(mask=mask)
    for _ in range(2):
        net.backward()
        for weight, measured in copies.items():
            assert relative(net.copies[weight], measured) < 1e-8, weight
            assert relative(net.grads[weight], measured.sum(axis=0)) < 1e-8, weight
        for part, measured in zip(flatten(net.states[0]), flatten(s0), strict=True):
            assert relative(part.cotangent, measured) < 1e-8, str(part)
        net.replay()
        assert "no plan" not in net.schedule


@every_cell
@settings(max_examples=12, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)),
    masked=st.booleans(),
    reduction=st.sampled_from(["sum", "mean"]),
    seed=st.integers(0, 1000),
)
def test_a_replay_is_a_fresh_recording(name, sizes, masked, reduction, seed):
    case, other = Case(CELLS[name], sizes, seed), Case(CELLS[name], sizes, seed + 1)
    net = case.unfold(reduction=reduction, mask=case.mask if masked else None)
    net.replay(other.x, other.d, mask=other.mask if masked else None)
    net.backward()
    case.x, case.d = other.x, other.d
    fresh = case.unfold(reduction=reduction, mask=other.mask if masked else None)
    fresh.backward()
    assert "no plan" not in net.schedule
    assert_same(net, fresh, 2e-14)


@every_cell
def test_a_ragged_batch_is_its_sequences_one_by_one(name):
    case = Case(CELLS[name])
    hole = np.where(case.mask[..., None], 0, np.nan)
    net = tg.unfold(case.cell, case.params, case.x + hole, case.d + hole, s0=case.s0, loss=case.loss, mask=case.mask)
    net.backward()
    loss, grads = 0.0, dict.fromkeys(case.params, 0.0)
    for p, n in enumerate(case.mask.sum(axis=0)):
        s0 = rebuild(case.s0, [s[[p]] for s in flatten(case.s0)])
        alone = tg.unfold(case.cell, case.params, case.x[:n, [p]], case.d[:n, [p]], s0=s0, loss=case.loss)
        alone.backward()
        loss += alone.loss
        grads = {weight: g + alone.grads[weight] for weight, g in grads.items()}
        for kept, last in zip(flatten(net.states[-1]), flatten(alone.states[-1]), strict=True):
            np.testing.assert_allclose(kept.value[p], last.value[0], rtol=1e-12, atol=1e-13)
    assert net.loss == pytest.approx(loss, rel=1e-13)
    for weight, g in grads.items():
        assert relative(net.grads[weight], g) < 1e-12, weight


@every_cell
def test_a_trained_initial_state(name):
    case = Case(CELLS[name])
    rows = {f"start{k}": s[0].copy() for k, s in enumerate(flatten(case.s0))}
    case.s0 = rebuild(case.s0, [np.tile(row, (B, 1)) for row in rows.values()])
    fixed = case.unfold()
    fixed.backward()
    case.params |= rows
    net = case.unfold(s0=rebuild(case.s0, list(rows)))
    for _ in range(2):
        net.backward()
        for start, part in zip(rows, flatten(fixed.states[0]), strict=True):
            assert relative(net.grads[start], part.cotangent.sum(axis=0)) < 1e-13
        net.replay()


@every_cell
def test_folding_gives_back_the_cell(name):
    net = Case(CELLS[name]).unfold()
    folded = net.fold()
    merged = nx.MultiDiGraph()
    weight = {w.index: name for name, w in net.weights.items()}
    merged.add_nodes_from(weight.values(), op="leaf", name="")
    for node in net.tape:
        if node.t == 2:
            merged.add_node(node.role, op=node.op.name if node.op else "leaf", name=node.name)
            for slot, parent in enumerate(node.parents):
                source = weight.get(parent.index, parent.role)
                merged.add_edge(source, node.role, key=slot, delay=0 if parent.t is None else 2 - parent.t)
    assert nx.is_isomorphic(
        folded,
        merged,
        node_match=lambda a, b: a["op"] == b["op"] and (a["op"] == "leaf" or a["name"] == b["name"]),
        edge_match=lambda a, b: {k: e["delay"] for k, e in a.items()} == {k: e["delay"] for k, e in b.items()},
    )
    delayed = {folded.nodes[a]["name"] for a, _, delay in folded.edges(data="delay") if delay}
    assert delayed == {part.name for part in flatten(net.states[1])}


@every_cell
def test_float32_stays_float32(name):
    case = Case(CELLS[name])
    case.params = {weight: w.astype("float32") for weight, w in case.params.items()}
    case.x, case.d = case.x.astype("float32"), case.d.astype("float32")
    case.s0 = rebuild(case.s0, [s.astype("float32") for s in flatten(case.s0)])
    net = case.unfold(mask=case.mask)
    net.replay()
    net.backward()
    assert {node.value.dtype.name for node in net.tape} == {"float32"}
    assert {g.dtype.name for g in net.grads.values()} == {"float32"}


# ---- the papers' formulas, gate by gate


def sigma(net):
    return 1 / (1 + np.exp(-net))


def book_lstm(P, x, s, *, peepholes, forget):
    (s, c), names = s, ("i", "f", "g", "o") if forget else ("i", "g", "o")
    m = s.shape[1]
    net = {
        gate: x @ P["V"][k * m : (k + 1) * m].T + s @ P["U"][k * m : (k + 1) * m].T + P["b_j"][k * m : (k + 1) * m]
        for k, gate in enumerate(names)
    }
    look = {gate: P[f"p_{gate}"] if peepholes else 0.0 for gate in names if gate != "g"}
    i = sigma(net["i"] + look["i"] * c)
    f = sigma(net["f"] + look["f"] * c) if forget else 1.0
    c = f * c + i * np.tanh(net["g"])
    s = sigma(net["o"] + look["o"] * c) * np.tanh(c)
    return (s, c), s


def book_gru(P, x, s, *, reset):
    m = s.shape[1]
    (V_r, V_z, V_n), (b_r, b_z, b_n) = P["V"].reshape(3, m, -1), P["b_j"].reshape(3, m)
    U_r, U_z = P["U"][:m], P["U"][m : 2 * m]
    r, z = sigma(x @ V_r.T + s @ U_r.T + b_r), sigma(x @ V_z.T + s @ U_z.T + b_z)
    if reset == "after":
        n = np.tanh(x @ V_n.T + b_n + r * (s @ P["U"][2 * m :].T + P["b_n"]))
    else:
        n = np.tanh(x @ V_n.T + b_n + (r * s) @ P["U_n"].T)
    s = z * s + (1 - z) * n
    return s, s


def book_guo(P, x, s, *, f):
    s = f(x @ P["V"].T + s @ P["U"].T + P["b_j"])
    return s, s


def book_mozer(P, x, s):
    s = P["u_j"] * s + sigma(x @ P["V"].T + P["b_j"])
    return s, s


BOOK = {
    "mozer": (book_mozer, {}),
    "elman": (book_guo, {"f": sigma}),
    "irnn": (book_guo, {"f": lambda net: np.maximum(net, 0)}),
    "lstm": (book_lstm, {"peepholes": False, "forget": True}),
    "lstm, peepholes": (book_lstm, {"peepholes": True, "forget": True}),
    "lstm, no forgetting": (book_lstm, {"peepholes": False, "forget": False}),
    "lstm, 1997 with peepholes": (book_lstm, {"peepholes": True, "forget": False}),
    "gru": (book_gru, {"reset": "after"}),
    "gru, before": (book_gru, {"reset": "before"}),
}


@pytest.mark.parametrize("name", BOOK)
def test_states_and_outputs_are_the_papers(name):
    case = Case(CELLS[name])
    layer, options = BOOK[name]
    net, s = case.unfold(), case.s0
    for t in range(T):
        s, hidden = layer(case.params, case.x[t], s, **options)
        for ours, theirs in zip(flatten(net.states[t + 1]), flatten(s), strict=True):
            np.testing.assert_allclose(ours.value, theirs, rtol=1e-12, atol=1e-14)
        net_k = hidden @ case.params["W"].T + case.params["b_k"]
        y = sigma(net_k) if case.cell.g == "sigmoid" else np.exp(net_k) / np.exp(net_k).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(net.outputs[t].value, y, rtol=1e-12, atol=1e-14)


def test_layers_are_their_cells_one_above_the_other():
    case = Case(CELLS["three kinds"])
    net = case.unfold()
    x = case.x
    for k, cell in enumerate(case.cell.cells, 1):
        params = {n.removesuffix(f"_{k}"): w for n, w in case.params.items() if n.endswith(f"_{k}")}
        if "W" not in params:
            params |= {"W": np.zeros((O, M)), "b_k": np.zeros(O)}
        alone = tg.unfold(cell, params, x, case.d, s0=case.s0[k - 1])
        for t in range(1, T + 1):
            for ours, theirs in zip(flatten(net.states[t][k - 1]), flatten(alone.states[t]), strict=True):
                np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-13, atol=1e-15)
        x = np.stack([flatten(s)[0].value for s in alone.states[1:]])
    np.testing.assert_allclose(net.outputs[-1].value, alone.outputs[-1].value, rtol=1e-13)


# ---- names


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("lstm", {"netⱼ", "i", "f", "g", "o", "c", "s", "netₖ", "y"}),
        ("gru", {"netⱼ", "netₕ", "r", "z", "n", "s", "netₖ", "y"}),
        ("two lstms", {"netⱼ,₁", "i₁", "c₁", "s₁", "netⱼ,₂", "f₂", "g₂", "o₂", "s₂", "netₖ,₂", "y₂"}),
        ("layers of layers", {"netⱼ,₁,₁", "s₁,₁", "z₂,₁", "s₂"}),
        ("own above", {"s₁", "a₂", "y₂"}),
    ],
)
def test_nodes_have_the_usual_names(name, named):
    net = Case(CELLS[name]).unfold()
    assert named <= {str(node).removesuffix("(2)") for node in net.tape if node.t == 2}


def test_a_layers_weights_have_its_number():
    net = Case(CELLS["two lstms"]).unfold()
    assert list(net.weights) == ["V_1", "U_1", "b_j_1", "V_2", "U_2", "b_j_2", "W_2", "b_k_2"]
    copy = next(n for n in net.tape if n.op is o.copy and n.name == "b_j_1" and n.t == 2)
    assert (copy.latex, str(copy)) == ("b_{j,1}(2)", "bⱼ,₁(2)")
    assert [[str(s) for s in flatten(state)] for state in net.states[:2]] == [
        ["s₁(0)", "c₁(0)", "s₂(0)", "c₂(0)"],
        ["s₁(1)", "c₁(1)", "s₂(1)", "c₂(1)"],
    ]


def test_equations_of_layers():
    case = Case(C.Stacked(C.Guo(), C.Guo()))
    told = {}
    for step in case.unfold().steps():
        if step.t == 3:
            told[(step.node.name, step.share.parent.name) if step.share else step.node.name] = step.equation
    assert [told[name] for name in ("net_j_1", "s_1", "net_j_2", "s_2", "net_k_2", "y_2")] == [
        "G2", "G1", "G2", "G1", "G4", "G3",
    ]  # fmt: skip
    assert (told["net_j_2", "s_2"], told["net_j_2", "s_1"], told["U_1", "U_1"]) == ("G26", "", "G28")


# ---- how they start


def test_what_init_draws():
    shapes = {name: w.shape for name, w in C.LSTM(peepholes=True).init(L, M, O, rng=0).items()}
    assert shapes == {
        "V": (16, 2), "U": (16, 4), "b_j": (16,), "p_i": (4,), "p_f": (4,), "p_o": (4,), "W": (3, 4), "b_k": (3,),
    }  # fmt: skip
    assert C.LSTM().init(L, M, O, rng=0)["b_j"].tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8
    assert not C.LSTM(forget_bias=0).init(L, M, O)["b_j"].any()
    assert not C.LSTM(forget=False).init(L, M, O)["b_j"].any()
    shapes = {name: w.shape for name, w in C.GRU(reset="before").init(L, M, O).items()}
    assert shapes == {"V": (12, 2), "U": (8, 4), "b_j": (12,), "U_n": (4, 4), "W": (3, 4), "b_k": (3,)}
    irnn = C.IRNN(scale=0.5).init(L, 100, O, rng=0)
    np.testing.assert_array_equal(irnn["U"], 0.5 * np.eye(100))
    assert irnn["V"].std() == pytest.approx(0.001, rel=0.2)
    for name, w in C.GRU().init(50, 30, O, rng=0).items():
        if name in "VUW":
            assert 0.9 / np.sqrt(30) < np.abs(w).max() <= 1 / np.sqrt(30), name
    assert (C.Elman().initial_state(C.Elman().init(L, M, O), B) == 0.5).all()
    assert not np.any(C.IRNN().initial_state(C.IRNN().init(L, M, O), B))


@pytest.mark.parametrize("name", [n for n in CELLS if not n.startswith("own")])
def test_init_is_reproducible_and_fits(name):
    cell, (x, d) = CELLS[name], (np.ones((2, B, L)), np.full((2, B, O), 1 / O))
    params = cell.init(L, M, O, rng=5)
    assert list(params) == list(Case(cell).params)
    for key, w in cell.init(L, M, O, rng=np.random.default_rng(5)).items():
        np.testing.assert_array_equal(w, params[key])
    assert np.isfinite(tg.unfold(cell, params, x, d, loss="squared_error").loss)


def test_layers_of_different_sizes():
    cell = C.Stacked(C.LSTM(), C.GRU())
    params = cell.init(L, (5, 7), O, rng=0)
    assert (params["V_1"].shape, params["V_2"].shape, params["W_2"].shape) == ((20, L), (21, 5), (O, 7))
    net = tg.unfold(cell, params, np.ones((3, B, L)), np.full((3, B, O), 1 / O))
    assert [s.shape for s in flatten(net.states[3])] == [(B, 5), (B, 5), (B, 7)]


# ---- PyTorch's names


def torch_like(gates, layers=1, n_in=L, m=M, seed=0):
    rng = np.random.default_rng(seed)
    return {
        f"{name}_l{k}": rng.normal(size=shape)
        for k in range(layers)
        for name, shape in {
            "weight_ih": (gates * m, m if k else n_in),
            "weight_hh": (gates * m, m),
            "bias_ih": (gates * m,),
            "bias_hh": (gates * m,),
        }.items()
    }


@pytest.mark.parametrize(
    ("cell", "gates", "layers"),
    [
        (C.Guo(), 1, 1),
        (C.IRNN(), 1, 1),
        (C.LSTM(), 4, 1),
        (C.GRU(), 3, 1),
        (C.Stacked(C.LSTM(), C.LSTM()), 4, 2),
        (C.Stacked(C.GRU(), C.GRU(), C.GRU()), 3, 3),
    ],
)
def test_to_torch_and_back(cell, gates, layers):
    rnn, linear = torch_like(gates, layers), {"weight": np.ones((O, M)), "bias": np.arange(O * 1.0)}
    params = cell.from_torch(rnn, linear)
    assert {name: w.shape for name, w in params.items()} == {n: w.shape for n, w in cell.init(L, M, O).items()}
    again, head = cell.to_torch(params)
    assert list(again) == list(rnn)
    for name, w in cell.from_torch(again, head).items():
        np.testing.assert_array_equal(w, params[name])
    for k in range(layers):
        total = rnn[f"bias_ih_l{k}"] + rnn[f"bias_hh_l{k}"]
        if gates == 3:
            total = np.concatenate([total[: 2 * M], rnn[f"bias_ih_l{k}"][2 * M :]])
            np.testing.assert_array_equal(again[f"bias_hh_l{k}"][2 * M :], rnn[f"bias_hh_l{k}"][2 * M :])
        np.testing.assert_array_equal(again[f"bias_ih_l{k}"], total)
        assert not again[f"bias_hh_l{k}"][: 2 * M].any()
    assert set(cell.from_torch(rnn)) == {n for n in params if not n.startswith(("W", "b_k"))}
    assert cell.to_torch(cell.from_torch(rnn))[1] == {}
    for w in params.values():
        w[...] = 0  # the arrays are copies
    assert rnn["weight_ih_l0"].all()


@pytest.mark.parametrize(
    ("cell", "change", "said"),
    [
        (C.LSTM(peepholes=True), {}, "PyTorch has no such layer; torch.nn.LSTM has a forget gate and no peepholes"),
        (C.GRU(reset="before"), {}, "torch.nn.GRU resets after the product"),
        (C.Elman(), {}, "torch.nn.RNN has hidden units of tanh or relu, not sigmoid"),
        (C.LSTM(), {"bias_hh_l0": None}, "bias_hh_l0: missing. Given are .* For a module without bias pass zeros"),
        (C.LSTM(), {"weight_hh_l0": None}, "weight_hh_l0: missing. Given are [^.]*.$"),
        (C.LSTM(), {"weight_ih_l1": np.ones((16, 4))}, "weight_ih_l1: unknown. .* 1 layer, one direction"),
        (C.GRU(), {}, r"weight_ih \(16, 2\), .* a layer has weight_ih \(3 m, l\)"),
        (C.LSTM(), {"bias_ih_l0": np.ones(15)}, r"bias_ih \(15,\), bias_hh \(16,\): with m units"),
        (C.LSTM(), {"weight_ih_l0": np.ones(16)}, r"weight_ih \(16,\), "),
        (C.Stacked(C.LSTM(), C.GRU()), {}, "layers of one kind"),
        (C.Stacked(C.LSTM(), own), {}, "layers of one kind"),
        (C.Stacked(C.LSTM(), C.LSTM()), {}, "weight_ih_l1, .*: missing|bias_hh_l1, .*: missing"),
    ],
)
def test_what_torch_does_not_have(cell, change, said):
    rnn = {name: w for name, w in (torch_like(4) | change).items() if w is not None}
    with pytest.raises(ValueError, match=said):
        cell.from_torch(rnn)


def test_more_that_torch_does_not_have():
    linear = {"weight": np.ones((O, M + 1)), "bias": np.ones(O)}
    with pytest.raises(ValueError, match=r"the linear layer's weight is \(3, 5\) and its bias \(3,\): they must be"):
        C.LSTM().from_torch(torch_like(4), linear)
    with pytest.raises(ValueError, match="it must have weight and bias"):
        C.LSTM().from_torch(torch_like(4), {"weight": np.ones((O, M))})
    with pytest.raises(ValueError, match="params has no b_j; it has V, U, W, b_k"):
        C.LSTM().to_torch({n: w for n, w in C.LSTM().init(L, M, O).items() if n != "b_j"})
    with pytest.raises(ValueError, match="a layer has as many inputs as the one below has units"):
        C.Stacked(C.LSTM(), C.LSTM()).from_torch(torch_like(4, 2) | {"weight_ih_l1": np.ones((16, 9))})


# ---- bad input


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: C.LSTM(g="relu"), ValueError, r"LSTM\(g='relu'\): g is one of softmax, sigmoid, identity, tanh"),
        (lambda: C.GRU(reset="never"), ValueError, r"GRU\(reset='never'\): reset is one of after, before"),
        (lambda: C.Elman(g="cube"), ValueError, r"Elman\(g='cube'\)"),
        (C.Stacked, TypeError, "pass one cell or more"),
        (lambda: C.Stacked(C.LSTM), TypeError, r"pass one cell or more, such as LSTM\(\), LSTM\(\)"),
        (lambda: C.LSTM().init(3, 2.5, 2), ValueError, "n_hidden is 2.5"),
        (lambda: C.Stacked(C.LSTM(), C.GRU()).init(3, (2, 3, 4), 2), ValueError, "one for each of 2 layers"),
        (lambda: C.Stacked(C.LSTM(), C.GRU()).init(3, (2, 0), 2), ValueError, "n_hidden of layer 2 is 0"),
        (lambda: C.Stacked(C.LSTM(), C.GRU()).init(3, None, 2), ValueError, "n_hidden of layer 1 is None"),
        (lambda: C.Stacked(own, C.GRU()).init(3, 4, 2), ValueError, "layer 1 is a function: draw its parameters"),
        (lambda: C.LSTM().initial_state({"V": np.ones((4, 1))}, 2), KeyError, "params has no 'U'"),
    ],
)
def test_bad_settings_are_refused_in_words(make, error, said):
    with pytest.raises(error, match=said):
        make()


@pytest.mark.parametrize(
    ("name", "change", "error", "said"),
    [
        ("lstm", {"s0": np.ones((B, M))}, tg.ShapeError, r"s0 is one array: the state is \(one array, one array\)"),
        ("own above", {"s0": None}, ValueError, r"this cell has no initial_state\(\): pass s0"),
        (
            "own above",
            {"s0": (np.ones((B, M)),)},
            tg.ShapeError,
            "the state is a tuple of 1: 2 layers have a tuple of 2",
        ),
        ("own above", {"s0": np.ones((B, M))}, tg.ShapeError, "the state is one Node: 2 layers have a tuple of 2"),
    ],
)
def test_bad_states_are_refused_in_words(name, change, error, said):
    with pytest.raises(error, match=said):
        Case(CELLS[name]).unfold(**change)


def test_a_layer_must_return_two_things():
    cell = C.Stacked(C.GRU(), lambda P, x, s: s)
    case = Case(CELLS["own above"])
    with pytest.raises(TypeError, match="layer 2 returned Node: it must return its new state and output"):
        tg.unfold(cell, case.params, case.x, case.d, s0=(case.s0[0], case.s0[0]))


def test_a_missing_weight_of_a_layer_is_named():
    case = Case(CELLS["two lstms"])
    del case.params["b_j_2"]
    with pytest.raises(KeyError, match="the cell reads the parameter 'b_j_2' at t=1; params has V_1, U_1, b_j_1"):
        case.unfold()


def test_looking_into_a_layers_parameters_makes_no_copy():
    seen = []

    def looks(P, x, s):
        seen.append((sorted(P), len(P), "A" in P, "Q" in P, 3 in P))
        return s, o.linear(s, P["A"])

    params = {"A_1": np.ones((O, M)), "unread_1": np.ones(2)}
    net = tg.unfold(C.Stacked(looks), params, np.ones((2, B, L)), np.ones((2, B, O)), loss="squared_error",
                    s0=(np.ones((B, M)),))  # fmt: skip
    assert seen[0] == (["A", "unread"], 2, True, False, False)
    assert {n.name for n in net.tape if n.op is o.copy} == {"A_1"}
