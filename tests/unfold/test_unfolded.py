"""What an unfolded network answers, on new data, step by step, and when it is asked for the impossible."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem


@pytest.fixture
def p():
    return problem()


@pytest.fixture
def net(p):
    return tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)


def test_replay_on_new_data_equals_a_fresh_unfolding(p, net):
    other = problem(seed=9)
    fresh = tg.unfold(p.cell, p.params, other.x, other.d, s0=p.s0)
    fresh.backward()
    assert net.replay(other.x, other.d) == pytest.approx(fresh.loss, rel=1e-14)
    net.backward()
    for name in p.params:
        np.testing.assert_allclose(net.grads[name], fresh.grads[name], rtol=1e-12, atol=1e-13)


def test_replay_reads_the_parameters_as_they_are_now(p, net):
    before = net.loss
    p.params["U"] *= 0.5
    assert net.loss == before  # the forward pass that was done is not touched
    assert net.replay() != before
    fresh = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    assert net.loss == pytest.approx(fresh.loss, rel=1e-14)


def test_a_parameter_changed_between_the_passes_does_not_spoil_the_gradient(p, net):
    expected = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    expected.backward()
    p.params["U"][:] = np.nan
    net.backward()
    np.testing.assert_array_equal(net.grads["U"], expected.grads["U"])


def test_replay_refuses_another_shape_and_keeps_what_it_had(p, net):
    before = net.loss
    with pytest.raises(tg.ShapeError, match=r"replay: x is \(4, 2, 3\) float64, and the network was unfolded over"):
        net.replay(p.x[1:])
    with pytest.raises(tg.ShapeError, match="float32"):
        net.replay(p.x, p.d.astype("float32"))
    assert net.loss == before
    net.backward()


def test_gradients_before_backward(net):
    with pytest.raises(tg.TapeError, match=r"call backward\(\) first"):
        _ = net.grads
    net.backward()
    net.replay()
    with pytest.raises(tg.TapeError, match=r"call backward\(\) after replay\(\)"):
        _ = net.copies


def test_unknown_names_are_answered_with_the_known_ones(net):
    net.backward()
    with pytest.raises(KeyError, match="there are V, U, b_j, W, b_k"):
        net.grads["Q"]
    assert list(net.copies) == list(net.grads) == ["V", "U", "b_j", "W", "b_k"]
    assert len(net.grads) == 5


def test_steps_are_the_passes_themselves(p, net):
    steps = list(net.steps())
    assert [s.number for s in steps] == list(range(1, len(steps) + 1))
    phases = [s.phase for s in steps]
    assert phases == sorted(phases, reverse=True)  # forward comes first
    assert sum(phase == "forward" for phase in phases) == sum(node.op is not None for node in net.tape)
    for_u = [s for s in steps if s.share and s.share.parent is net.weights["U"]]
    assert [s.t for s in for_u] == [5, 4, 3, 2, 1]
    assert for_u[0].before is None
    for earlier, later in pairwise(for_u):
        np.testing.assert_array_equal(earlier.after, later.before)
        np.testing.assert_allclose(later.after, later.before + later.value)
    np.testing.assert_array_equal(for_u[-1].after, net.grads["U"])


def test_a_step_says_what_it_did(net):
    by_text = {s.text: s for s in net.steps()}
    net_j = by_text["netⱼ(2) = x(2) V(2)ᵀ + s(1) U(2)ᵀ + bⱼ(2)"]
    assert (net_j.phase, net_j.op, net_j.t, net_j.equation) == ("forward", "linear", 2, "G2")
    assert [name for name, _ in net_j.operands] == ["x(2)", "V(2)", "s(1)", "U(2)", "bⱼ(2)"]
    through_time = by_text["∂C/∂s(1) = ∂C/∂netⱼ(2) U(2)"]
    assert (through_time.phase, through_time.t, through_time.equation) == ("backward", 2, "G26")
    assert [name for name, _ in through_time.operands] == ["∂C/∂netⱼ(2)", "U(2)"]
    assert by_text["∂C/∂netₖ(5) = ∂C/∂C(5) · (y(5) ⊙ Σₖ d(5) − d(5))"].equation == "G17"
    assert by_text["∂C/∂U += ∂C/∂U(3)"].equation == "G28"


def test_stopping_in_the_middle_is_noticed(net):
    steps = net.steps()
    next(steps)
    del steps
    with pytest.raises(tg.TapeError, match="backward before forward"):
        net.backward()
    net.replay()
    net.backward()


def test_graph_is_the_tape(net):
    g = net.graph()
    assert nx.is_frozen(g)
    assert nx.is_directed_acyclic_graph(g)
    assert list(g) == list(range(len(net.tape)))
    assert {(a, b, k) for a, b, k in g.edges(keys=True)} == {
        (parent.index, node.index, slot) for node in net.tape for slot, parent in enumerate(node.parents)
    }
    assert g.nodes[net.states[2].index] | {"role": 0} == {"name": "s", "t": 2, "op": "tanh", "role": 0}


def test_copies_of_one_op_have_one_role(net):
    roles = {}
    for node in net.tape:
        if node.t:
            roles.setdefault(node.role, set()).add((node.op, node.name))
    assert all(len(members) == 1 for members in roles.values())
    assert len({s.role for s in net.states[1:]}) == 1


def test_a_users_own_cell_unfolds(p):
    def cell(params, x, s):
        s = tg.ops.sigmoid(tg.ops.linear(x, params["A"], s, params["B"])) * s
        return s, s

    rng = np.random.default_rng(0)
    params = {"A": rng.normal(size=(4, 3)), "B": rng.normal(size=(4, 4)), "unused": np.ones(2)}
    d = rng.normal(size=(5, 2, 4))
    net = tg.unfold(cell, params, p.x, d, loss="squared_error", s0=p.s0)
    net.backward()
    for name, entry in (("A", (1, 2)), ("B", (3, 0))):
        costs = []
        for sign in (+1, -1):
            params[name][entry] += sign * 1e-6
            costs.append(net.replay())
            params[name][entry] -= sign * 1e-6
        net.replay()
        net.backward()
        assert net.grads[name][entry] == pytest.approx((costs[0] - costs[1]) / 2e-6, rel=1e-7)
    assert not net.grads["unused"].any()
    assert net.copies["unused"].shape == (5, 2)


def test_a_weight_read_twice_in_a_step_is_one_copy(p):
    def cell(params, x, s):
        once = tg.ops.linear(s, params["U"])
        return tg.ops.tanh(tg.ops.linear(once, params["U"])), s

    net = tg.unfold(cell, {"U": p.params["U"]}, p.x, np.zeros((5, 2, 4)), loss="squared_error", s0=p.s0)
    assert sum(node.op is tg.ops.copy for node in net.tape) == 5
    net.backward()
    assert net.copies["U"].shape == (5, 4, 4)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"x": np.ones((5, 3))}, tg.ShapeError, r"pass x\[:, None, :\]"),
        (
            {"x": np.ones((5, 2, 9))},
            tg.ShapeError,
            r"linear at t=1 \(G2\): x\(1\) is \(2, 9\) and V\(1\) is \(4, 3\)",
        ),
        ({"d": np.ones((4, 2, 6))}, tg.ShapeError, "must agree on t and p"),
        ({"d": np.ones((5, 2, 7))}, tg.ShapeError, r"cross_entropy at t=1"),
        ({"x": np.ones((0, 2, 3)), "d": np.ones((0, 2, 6))}, tg.ShapeError, "at least one time step"),
        ({"x": np.ones((5, 2, 3), int)}, tg.ShapeError, "one dtype"),
        ({"s0": np.ones((3, 4))}, tg.ShapeError, r"s0 is \(3, 4\), and the state of 2 samples is \(2, 4\)"),
        ({"loss": "mse"}, ValueError, "it is one of cross_entropy, squared_error"),
        ({"reduction": "average"}, ValueError, "by 'sum' or by 'mean'"),
        ({"cell": tg.cells.Guo(g="identity")}, ValueError, "needs an output that is a softmax or a sigmoid"),
    ],
)
def test_bad_input_is_refused_in_words(p, change, error, said):
    given = {"cell": p.cell, "params": p.params, "x": p.x, "d": p.d, "s0": p.s0} | change
    with pytest.raises(error, match=said):
        tg.unfold(**given)


def test_missing_parameter_and_unknown_activation(p):
    without = {name: w for name, w in p.params.items() if name != "W"}
    with pytest.raises(KeyError, match="the cell reads the parameter 'W' at t=1; params has V, U, b_j, b_k"):
        tg.unfold(p.cell, without, p.x, p.d)
    with pytest.raises(ValueError, match=r"Guo\(f='cube'\): f is one of"):
        tg.cells.Guo(f="cube")
    with pytest.raises(ValueError, match="n_hidden is 0"):
        p.cell.init(3, 0, 2)


def test_of_is_counted_from_one(net):
    with pytest.raises(ValueError, match="an integer from 1 to 5"):
        net.backward(of=0)


def test_the_mean_has_its_own_node(p):
    net = tg.unfold(p.cell, p.params, p.x, p.d, reduction="mean", s0=p.s0)
    assert net.cost.parents[1].value == 1 / 5
    total = tg.unfold(p.cell, p.params, p.x, p.d, reduction="sum", s0=p.s0)
    assert net.loss == pytest.approx(total.loss / 5)


def test_initial_weights_are_reproducible():
    first, second = (tg.cells.Guo().init(3, 4, 2, rng=7) for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    assert {name: w.shape for name, w in first.items()} == {
        "V": (4, 3), "U": (4, 4), "b_j": (4,), "W": (2, 4), "b_k": (2,),
    }  # fmt: skip


def test_an_interrupted_pass_cannot_be_taken_up_after_another(net):
    going_back = net.tape.pullback(net.cost)
    for _ in range(10):
        next(going_back)
    net.backward()
    with pytest.raises(tg.TapeError, match="another pass over this tape was begun"):
        list(going_back)
    steps = net.steps()
    next(steps)
    net.replay()
    with pytest.raises(tg.TapeError, match="another pass over this tape was begun"):
        list(steps)


def test_the_cost_of_a_half_played_network_is_not_told(net):
    steps = net.steps()
    next(steps)
    with pytest.raises(tg.TapeError, match="left before its end"):
        _ = net.loss


def test_replaying_forgets_what_came_back(net):
    net.backward()
    net.replay()
    assert all(node.cotangent is None for node in net.tape)
    with pytest.raises(tg.TapeError, match="has no error yet"):
        tg.delta(net.states[1])


def test_gradients_follow_the_last_backward_pass(p, net):
    net.backward()
    first = net.grads
    before = {"U": first["U"].copy(), "V": np.array(net.weights["V"].cotangent)}
    p.params["U"] *= 0.5
    net.replay()
    net.backward()
    fresh = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    fresh.backward()
    np.testing.assert_allclose(net.grads["U"], fresh.grads["U"], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(net.copies["U"], fresh.copies["U"], rtol=1e-12, atol=1e-13)
    # Those of an earlier pass stay what they are, read in its time or not, by the tape or replayed.
    np.testing.assert_array_equal(first["U"], before["U"])
    np.testing.assert_array_equal(first["V"], before["V"])
    second, expected = net.grads, fresh.grads["V"].copy()
    p.params["V"] *= 0.5
    net.replay()
    net.backward()
    np.testing.assert_allclose(second["V"], expected, rtol=1e-12, atol=1e-13)


def test_gradients_are_arrays_of_their_own(p):
    one = problem(sizes=(1, 2, 3, 4, 6))
    net = tg.unfold(one.cell, one.params, one.x, one.d, s0=one.s0)
    net.backward()
    copies = net.copies["b_j"].copy()
    net.grads["b_j"][:] = 0
    np.testing.assert_array_equal(net.copies["b_j"], copies)
    for share in net.tape.pullback(net.cost):
        if isinstance(share.value, np.ndarray):
            assert not share.value.flags.writeable


def test_a_step_keeps_what_it_saw(p, net):
    steps = list(net.steps())
    shown = [(s.text, [(n, v.copy()) for n, v in s.operands], s.unit()) for s in steps]
    net.replay(p.x + 1, p.d)
    net.backward(of=1)
    for step, (text, operands, unit) in zip(steps, shown, strict=True):
        assert (step.text, step.unit()) == (text, unit)
        for (name, value), (old_name, old) in zip(step.operands, operands, strict=True):
            assert name == old_name
            np.testing.assert_array_equal(value, old)


def test_steps_outlive_their_network(p):
    steps = list(tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0).steps())
    assert steps[-1].equation == "G27"
    assert steps[3].text.startswith("netⱼ(1) =")


def test_steps_of_one_cost_name_it(net):
    last = [s for s in net.steps(of=3) if s.share][-1]
    assert last.text == "∂C(3)/∂V += ∂C(3)/∂V(1)"


def test_the_equation_of_every_step(net):
    """Which of Guo's equations each op and each share is, once for the whole cell."""
    told = {}
    for s in net.steps():
        if s.t == 3:
            pair = (s.node.name, s.share.parent.name) if s.share else s.node.name
            told[pair] = s.equation
    assert told == {
        "V": "", "U": "", "b_j": "", "W": "", "b_k": "",
        "net_j": "G2", "s": "G1", "net_k": "G4", "y": "G3", "C": "",
        ("C", "net_k"): "G17", ("net_k", "s"): "G22", ("net_k", "W"): "G18", ("net_k", "b_k"): "",
        ("s", "net_j"): "G9", ("net_j", "V"): "G11", ("net_j", "U"): "G12", ("net_j", "s"): "G26", ("net_j", "b_j"): "",
        ("V", "V"): "G27", ("U", "U"): "G28", ("W", "W"): "", ("b_j", "b_j"): "", ("b_k", "b_k"): "",
    }  # fmt: skip


def test_replay_changes_nothing_when_a_parameter_does_not_fit(p, net):
    before = net.loss
    p.params["V"] *= 2
    p.params["W"] = np.ones((7, 4))
    with pytest.raises(
        tg.ShapeError, match=r"replay: W is \(7, 4\) float64, and the network was unfolded over \(6, 4\)"
    ):
        net.replay()
    del p.params["W"]
    with pytest.raises(KeyError, match="is gone from params"):
        net.replay()
    assert net.loss == before
    net.backward()


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (lambda P, x, s: s, "it must return two nodes"),
        (lambda P, x, s: None, "the cell returned NoneType"),
        (lambda P, x, s: (np.ones((2, 4)), s), "it must return two nodes"),
        (lambda P, x, s: (tg.ops.linear(x, P["V"]), s), None),
        (lambda P, x, s: (x, s), r"a state of shape \(2, 4\) into one of \(2, 3\)"),
    ],
)
def test_what_a_cell_must_return(p, cell, said):
    def run():
        return tg.unfold(cell, p.params, p.x, np.ones((5, 2, 4)), loss="squared_error", s0=p.s0)

    if said is None:
        assert run().T == 5
    else:
        with pytest.raises((TypeError, ValueError), match=said):
            run()


def test_what_a_loss_must_return(p):
    with pytest.raises(TypeError, match=r"a node of shape \(2, 6\): it must return one number"):
        tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, loss=lambda y, d: y)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"s0": np.ones((2, 4), "float32")}, "s0 float32"),
        ({"s0": (np.ones((2, 4)),)}, "the state is one array"),
        ({"x": np.ones((5, 0, 3)), "d": np.ones((5, 0, 6))}, "at least one time step, one sample"),
        ({"d": np.zeros((5, 2), int)}, r"numpy.eye\(number of classes\)\[d\]"),
    ],
)
def test_more_bad_input(p, change, said):
    given = {"cell": p.cell, "params": p.params, "x": p.x, "d": p.d, "s0": p.s0} | change
    with pytest.raises(tg.ShapeError, match=said):
        tg.unfold(**given)


@pytest.mark.parametrize("of", [True, 2.0, "3", 6])
def test_of_is_a_time_step(net, of):
    with pytest.raises(ValueError, match="an integer from 1 to 5"):
        net.backward(of=of)


def test_looking_for_a_weight_makes_no_copy(p):
    def cell(params, x, s):
        assert "V" in params
        assert "Q" not in params
        return s, tg.ops.linear(s, params["W"])

    net = tg.unfold(cell, p.params, p.x, p.d, loss="squared_error", s0=p.s0)
    assert {n.name for n in net.tape if n.op is tg.ops.copy} == {"W"}
