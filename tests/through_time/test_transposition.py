"""Flow graphs: forwards real-time recurrent learning, transposed backpropagation through time, and one transfer."""

from collections import Counter

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import KINDS, problem
from cell_cases import CELLS, Case


def network(*kind, **options):
    p = problem(*kind, **options)
    return tg.unfold(p.cell, p.params, p.x, p.d, loss=p.loss, s0=p.s0)


def injections(graph, seed):
    rng = np.random.default_rng(seed)
    return {node: float(rng.normal()) for node in graph}


def bilinear(graph, other):
    """sum_k (x_k q_k - x^_k p_k) for arbitrary numbers p put into one graph and q into the other."""
    p, q = injections(graph, 1), injections(other, 2)
    x, y = tg.flow(graph, p), tg.flow(other, q)
    scale = sum(abs(x[k] * q[k]) for k in graph)
    return sum(x[k] * q[k] - y[k] * p[k] for k in graph) / scale


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_both_transfers_are_the_gradient(kind):
    net = network(*kind)
    net.backward()
    for name, w in net.weights.items():
        for entry in [(0,) * len(w.shape), tuple(n - 1 for n in w.shape)]:
            graph = tg.flow_graph(net, name, entry)
            forwards, backwards = tg.transfer(graph), tg.transfer(tg.transposed(graph))
            assert forwards == pytest.approx(net.grads[name][entry], rel=1e-11, abs=1e-13)
            assert backwards == pytest.approx(forwards, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", ["lstm, peepholes", "gru", "gru, before", "two lstms", "own above", "mozer"])
def test_for_other_cells_too(name):
    case = Case(CELLS[name], (3, 2, 2, 3, 2))
    net = case.unfold()
    net.backward()
    for weight, w in net.weights.items():
        entry = tuple(n - 1 for n in w.shape)
        graph = tg.flow_graph(net, weight, entry)
        assert tg.transfer(graph) == pytest.approx(net.grads[weight][entry], rel=1e-11, abs=1e-13)
        assert tg.transfer(tg.transposed(graph)) == pytest.approx(net.grads[weight][entry], rel=1e-11, abs=1e-13)


@settings(max_examples=10, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
    data=st.data(),
)
def test_at_all_sizes(sizes, data):
    net = network(sizes=sizes)
    net.backward()
    entry = tuple(data.draw(st.integers(0, n - 1)) for n in net.weights["U"].shape)
    graph = tg.flow_graph(net, "U", entry)
    assert tg.transfer(graph) == pytest.approx(net.grads["U"][entry], rel=1e-10, abs=1e-12)
    assert abs(bilinear(graph, tg.transposed(graph))) < 1e-12


def test_the_branches_are_those_of_beaufays_and_wan():
    """source -> net_p(t): s_q(t-1); net -> s: f'; s_j(t) -> net_i(t+1): u_ij, with a delay."""
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    j, h = 1, 2
    graph = tg.flow_graph(net, "U", (j, h))
    kinds = {}
    for a, b, branch in graph.edges(data=True):
        start, end = graph.nodes[a], graph.nodes[b]
        pair = start["name"].partition("(")[0], end["name"].partition("(")[0]
        kinds.setdefault(pair, []).append((start, end, branch))
    for _, copy, branch in kinds["U", "U"]:
        assert (copy["entry"], branch["gain"]) == ((j, h), 1)
    for copy, unit, branch in kinds["U", "netⱼ"]:
        assert copy["t"] == unit["t"]
        assert unit["entry"][1] == j
        assert branch["gain"] == net.states[unit["t"] - 1].value[unit["entry"][0], h]
    for unit, state, branch in kinds["netⱼ", "s"]:
        assert unit["entry"] == state["entry"]
        assert branch["gain"] == pytest.approx(1 - net.states[state["t"]].value[state["entry"]] ** 2)
    for state, unit, branch in kinds["s", "netⱼ"]:
        assert (unit["t"] - state["t"], branch["delay"]) == (1, 1)
        assert branch["gain"] == p.params["U"][unit["entry"][1], state["entry"][1]]
    assert len(kinds["s", "netⱼ"]) == (net.T - 1) * 2 * 4 * 4  # for each step and sample: every unit to every unit
    assert set(kinds) == {
        ("U", "U"), ("U", "netⱼ"), ("netⱼ", "s"), ("s", "netⱼ"), ("s", "netₖ"), ("netₖ", "C"), ("C", "C"),
    }  # fmt: skip


def test_transposing_turns_branches_and_keeps_gains():
    graph = tg.flow_graph(network(), "U", (1, 2))
    turned = tg.transposed(graph)
    assert Counter(nx.get_edge_attributes(graph, "gain").values()) == Counter(
        nx.get_edge_attributes(turned, "gain").values()
    )
    assert set(graph.edges) == {(b, a) for a, b in turned.edges}
    branching = [sum(d > 1 for _, d in g.out_degree()) for g in (graph, turned)]
    summing = [sum(d > 1 for _, d in g.in_degree()) for g in (graph, turned)]
    assert branching == summing[::-1]
    assert branching[0] != summing[0]  # the two graphs are not the same, so this says something
    assert {e["delay"] for *_, e in turned.edges(data=True)} == {0, -1}
    assert (turned.graph["source"], turned.graph["sink"]) == (graph.graph["sink"], graph.graph["source"])
    assert nx.utils.graphs_equal(tg.transposed(turned), graph)


@pytest.mark.parametrize("weight", ["U", "V", "b_j"])
def test_the_transposed_graph_carries_guos_delta_for_all_weights_at_once(weight):
    net = network()
    net.backward()
    turned = tg.transposed(tg.flow_graph(net, weight, (0,) * len(net.weights[weight].shape)))
    values = tg.flow(turned, {turned.graph["source"]: -1.0})
    seen = Counter()
    for node in net.tape:
        if node.name in ("net_j", "net_k", "s") and node.t:
            for entry in np.ndindex(*node.shape):
                assert values[node.index, entry] == pytest.approx(tg.delta(node)[entry], rel=1e-11, abs=1e-14)
                seen[node.name] += 1
    assert seen == {"net_j": 40, "s": 40, "net_k": 60}


def test_the_bilinear_identity_breaks_when_one_gain_is_changed():
    graph = tg.flow_graph(network(), "U", (1, 2))
    turned = tg.transposed(graph)
    assert abs(bilinear(graph, turned)) < 1e-13
    for a, b in list(turned.edges)[:: len(turned.edges) // 25]:
        wrong = nx.DiGraph(turned)
        wrong.edges[a, b]["gain"] *= 1.01
        assert abs(bilinear(graph, wrong)) > 1e-9, (a, b)


def test_after_new_data_the_gains_are_new():
    net = network()
    before = tg.transfer(tg.flow_graph(net, "V", (0, 0)))
    net.replay(net.inputs[0].value + np.zeros((5, 1, 1)), np.stack([d.value for d in net.targets]))
    net.backward()
    after = tg.transfer(tg.flow_graph(net, "V", (0, 0)))
    assert after == pytest.approx(net.grads["V"][0, 0], rel=1e-11)
    assert abs(after - before) > 1e-6


def test_what_cannot_be_asked():
    net = network()
    with pytest.raises(KeyError, match="there is no parameter 'Q'; there are V, U, b_j, W, b_k"):
        tg.flow_graph(net, "Q", (0, 0))
    for entry in [(4, 0), (0,), (0, 0, 0), (-1, 0), 3, (0.0, 0)]:
        with pytest.raises(tg.ShapeError, match=r"U is \(4, 4\) and has no entry"):
            tg.flow_graph(net, "U", entry)
    with pytest.raises(KeyError, match="the flow graph has no node 'C'"):
        tg.flow(tg.flow_graph(net, "U", (0, 0)), {"C": 1.0})


def test_a_number_that_is_read_twice_by_one_op_is_one_branch_of_both_gains():
    p = problem()

    def cell(P, x, s):
        net = tg.ops.linear(x, P["V"], s, P["U"], name="net_j")
        s = tg.ops.tanh(net * net, name="s")
        return s, tg.ops.softmax(tg.ops.linear(s, P["W"]))

    net = tg.unfold(cell, p.params, p.x, p.d, s0=p.s0)
    net.backward()
    graph = tg.flow_graph(net, "U", (1, 2))
    assert tg.transfer(graph) == pytest.approx(net.grads["U"][1, 2], rel=1e-11)
    assert tg.transfer(tg.transposed(graph)) == pytest.approx(net.grads["U"][1, 2], rel=1e-11)
