"""Every op: its value, its shares and tangents, in every layout, and its formula against its numbers.

An op is tested by standing in EXAMPLES: all tests below take it from there. Its derivatives are held
against the complex step, which reads a derivative off an imaginary part of 1e-30 without subtracting
anything, so that it is exact to rounding.
"""

import copy
import inspect
import math
import os
import re

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from op_examples import CUBE, EACH, EXAMPLES, UNTRAINED, A, B, bound, receivers, rng
from recomputed import closes
from tinygrad_rnn.autodiff import OPS, ShapeError, Tape, check_tape, kernels, op, ops, writing
from tinygrad_rnn.autodiff.notation import plain
from tinygrad_rnn.autodiff.worked import worked
from tinygrad_rnn.unfold.recording import Recording

each = pytest.mark.parametrize(("name", "example"), [pytest.param(name, e, id=at) for at, name, e in EACH])
each_slot = pytest.mark.parametrize(
    ("name", "example", "slot"),
    [pytest.param(name, e, slot, id=f"{at}-{slot}") for at, name, e in EACH for slot in receivers(OPS[name], e.args)],
)


def prepared(name, example, dtype=float):
    """The op with its settings, its arguments and its value."""
    operation = bound(name, example)
    args = example.complete([a.astype(dtype) for a in example.args])
    return operation, args, np.asarray(operation.value(*args))


def test_every_op_has_an_example():
    assert set(EXAMPLES) == set(OPS)


def test_every_op_is_handed_on_by_the_package_of_its_family():
    assert {name for name, operation in OPS.items() if getattr(ops, name, None) is not operation} == set()


@each
def test_every_argument_has_its_rules_or_a_reason_for_none(name, example):
    operation = bound(name, example)
    for slot in range(len(example.args)):
        has_rule = operation.rule(slot) is not None
        assert has_rule != (slot in operation.only_read or (name, slot) in UNTRAINED)
        assert operation.can_push(slot) == has_rule


# ---- first derivatives

# np.absolute of a complex number is its length, which has no complex derivative; this is |x| that has.
COMPLEX_VALUE = {"absolute": lambda x: np.maximum(x, -x)}


def jacobian(name, example, slot):
    """The derivative of every entry of the value in every entry of one argument: y.shape + argument.shape."""
    operation = bound(name, example)
    value = COMPLEX_VALUE.get(name, operation.value)
    columns = []
    for index in np.ndindex(example.args[slot].shape):
        args = [a.astype(complex) if operation.rule(k) else a for k, a in enumerate(example.args)]
        args[slot][index] += 1e-30j
        columns.append(np.imag(value(*example.complete(args))) / 1e-30)
    columns = np.stack(columns, axis=-1)
    return columns.reshape(columns.shape[:-1] + example.args[slot].shape)


@each_slot
def test_share_and_tangent_are_the_derivative(name, example, slot):
    operation, args, y = prepared(name, example)
    slopes = jacobian(name, example, slot)
    g, u = rng.normal(size=y.shape), rng.normal(size=args[slot].shape)
    share = np.asarray(operation.share(slot, g, y, args))
    tangent = np.asarray(operation.push(slot, u, y, args))
    assert (share.shape, tangent.shape) == (u.shape, g.shape)
    np.testing.assert_allclose(share, np.tensordot(g, slopes, y.ndim), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(tangent, np.tensordot(slopes, u, u.ndim), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", ["sign", "is_positive", "detach", "one_hot"])
def test_no_error_goes_through(name):
    tape = Tape()
    x = tape.leaf(np.array([1.0]), "x")
    y = OPS[name](x, **EXAMPLES[name][0].settings)
    assert not y.active
    tape.backward((y.sum() * x).sum())
    np.testing.assert_allclose(x.cotangent, [y.value.sum()])


def test_slopes_at_the_kinks():
    tape = Tape()
    x, z = tape.leaf(np.array([-1.0, 0.0, 1.0]), "x"), tape.leaf(np.zeros(3), "z")
    for y, of_x, of_z in [
        (ops.relu(x), [0, 0, 1], None),
        (ops.absolute(x), [-1, 0, 1], None),
        (ops.clip(x, low=-1.0, high=1.0), [0, 1, 0], None),
        (ops.maximum(x, z), [0, 0.5, 1], [1, 0.5, 0]),
        (ops.power(x, exponent=0), [0, 0, 0], None),
        (ops.power(x, exponent=1), [1, 1, 1], None),
        (ops.power(x, exponent=2), [-2, 0, 2], None),
    ]:
        tape.backward(y, seed=np.ones(3))
        for leaf, slopes in (x, of_x), (z, of_z):
            if slopes:
                np.testing.assert_array_equal(leaf.cotangent, slopes)
                np.testing.assert_array_equal(tape.tangents({leaf: np.ones(3)})[y], slopes)


def test_no_error_beyond_the_bound_goes_back():
    tape = Tape()
    x = tape.leaf(np.array([1.0, -2.0, 3.0, 4.0]), "x")
    y = ops.clip_error(x, bound=1.5)
    np.testing.assert_array_equal(y.value, x.value)
    tape.backward(y, seed=np.array([1.0, -7.0, 1.5, 9.0]))
    np.testing.assert_array_equal(x.cotangent, [1, -1.5, 1.5, 1.5])
    np.testing.assert_array_equal(tape.tangents({x: np.full(4, 9.0)})[y], np.full(4, 9.0))
    report = check_tape(tape, (y * tape.leaf(np.full(4, 9.0), active=False)).sum())
    assert (report.first.kind, report.first.node) == ("cotangent", x)  # what comes back to x is no slope


# ---- second derivatives: the rules themselves, recorded and differentiated


def difference(f, h=2e-3):
    """df(0), from central differences at two distances, so that what is left is of fourth order."""
    wide, near = (f(h) - f(-h)) / (2 * h), (f(h / 2) - f(-h / 2)) / h
    return (4 * near - wide) / 3


def arrays_of(operation, rule, slot, e, args):
    y = np.asarray(operation.value(*args))
    return np.asarray(operation.share(slot, e, y, args) if rule == "vjp" else operation.push(slot, e, y, args))


@pytest.mark.parametrize("rule", ["vjp", "jvp"])
@each_slot
def test_rules_can_be_taped_and_differentiated_again(name, example, slot, rule):
    operation, args, y = prepared(name, example)
    own = np.random.default_rng(7)
    e = own.normal(size=y.shape if rule == "vjp" else args[slot].shape)
    tape = Tape()
    moving = [*receivers(operation, args)]
    nodes = []
    for k, a in enumerate(args):
        tied = example.tied.get(k)
        nodes.append(tied(nodes[0]) if tied else tape.leaf(a, f"a_{k}", active=k in moving))
    value = operation(*nodes)
    seed = tape.leaf(e, "g")
    taped = operation.share(slot, seed, value, nodes) if rule == "vjp" else operation.push(slot, seed, value, nodes)
    np.testing.assert_allclose(taped.value, arrays_of(operation, rule, slot, e, args), rtol=1e-13, atol=1e-15)

    weight = own.normal(size=taped.shape)
    tape.backward(taped, seed=weight)
    for leaf, k in [(seed, None), *((nodes[k], k) for k in moving)]:
        u = own.normal(size=leaf.shape)

        def moved(h, k=k, u=u):
            some = example.complete([a + h * u if j == k else a for j, a in enumerate(args)])
            return (weight * arrays_of(operation, rule, slot, e + h * u if k is None else e, some)).sum()

        found = 0.0 if leaf.cotangent is None else (np.asarray(leaf.cotangent) * u).sum()
        assert found == pytest.approx(difference(moved), rel=1e-8, abs=1e-9), k


# ---- the check that users run, on the same examples


def checked(operation, example):
    """The check of one op, its arguments being leaves."""
    tape = Tape()
    moving = receivers(operation, example.args)
    nodes = []
    for k, a in enumerate(example.args):
        tied = example.tied.get(k)
        nodes.append(tied(nodes[0]) if tied else tape.leaf(a, f"a_{k}", active=k in moving))
    return check_tape(tape, operation(*nodes))


@each
def test_the_check_finds_every_op_right(name, example):
    operation = bound(name, example)
    if receivers(operation, example.args):
        report = checked(operation, example)
        assert report.ok, report
        assert report.largest < 1e-9


@pytest.mark.parametrize("rule", ["share", "push"])
@each_slot
def test_the_check_finds_every_rule_that_is_wrong_and_names_it(name, example, slot, rule):
    operation, args, y = prepared(name, example)
    mutant, right = copy.copy(operation), getattr(operation, rule)

    def wrong(k, g, y, args):
        return np.asarray(right(k, g, y, args)) * (1.0 if k != slot else 1.001)

    setattr(mutant, rule, wrong)
    report = checked(mutant, example)
    if not np.any(np.asarray(operation.share(slot, rng.normal(size=y.shape), y, args))):
        assert report.ok  # x^0: zero times anything
        return
    first = report.first
    assert (first.kind, first.node.op, first.slot) == ({"share": "vjp", "push": "jvp"}[rule], mutant, slot), report
    assert str(first).startswith(f"the {first.kind} of {name} ({first.node})")


# ---- layouts, dtypes, buffers, copies

LAYOUTS = {
    "reversed": lambda a: np.flip(np.flip(a).copy()),
    "transposed": lambda a: a.T.copy().T,
    "every other entry": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
    "read-only": lambda a: np.broadcast_to(a, a.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@each
def test_numbers_do_not_depend_on_where_they_lie(name, example, layout):
    operation, args, y = prepared(name, example)
    moved = [LAYOUTS[layout](a) for a in args]
    np.testing.assert_allclose(operation.value(*moved), y, rtol=1e-13, atol=1e-15)
    for slot in receivers(operation, args):
        g, u = rng.normal(size=y.shape), rng.normal(size=args[slot].shape)
        for rule, e in ("vjp", g), ("jvp", u):
            found = arrays_of(operation, rule, slot, LAYOUTS[layout](e), moved)
            np.testing.assert_allclose(found, arrays_of(operation, rule, slot, e, args), rtol=1e-13, atol=1e-14)


@each
def test_float32_stays_float32(name, example):
    operation, args, y = prepared(name, example, np.float32)
    exact, exact_args, exact_y = prepared(name, example)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, exact_y, rtol=1e-5, atol=1e-6)
    tape = Tape()
    nodes = [tape.leaf(a, f"a_{k}", active=operation.rule(k) is not None) for k, a in enumerate(args)]
    y_node = tape.leaf(y, "y")
    for slot in receivers(operation, args):
        for rule, shape in ("vjp", y.shape), ("jvp", args[slot].shape):
            e = rng.normal(size=shape).astype(np.float32)
            found = arrays_of(operation, rule, slot, e, args)
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, arrays_of(exact, rule, slot, e, exact_args), rtol=1e-4, atol=1e-5)
            (operation.share if rule == "vjp" else operation.push)(slot, tape.leaf(e, "e"), y_node, nodes)
    assert {node.value.dtype for node in tape} == {np.dtype(np.float32)}


@each
def test_arguments_are_left_alone(name, example):
    operation, args, y = prepared(name, example)
    before = [a.copy() for a in args]
    operation.value(*args, out=np.empty_like(y))
    for slot in receivers(operation, args):
        arrays_of(operation, "vjp", slot, np.ones_like(y), args)
        arrays_of(operation, "jvp", slot, np.ones_like(args[slot]), args)
    for a, b in zip(args, before, strict=True):
        np.testing.assert_array_equal(a, b)


# These hand on their argument, seen in another way, and never fill a buffer.
VIEWS = {"copy", "broadcast", "reshape", "transpose", "part"}


@pytest.mark.parametrize("copies", [False, True], ids=["one", "stacked"])
@each
def test_out_receives_the_value(name, example, copies):
    operation, args, y = prepared(name, example)
    if copies:
        args, y = [np.stack([a, a]) for a in args], np.stack([y, y])
    out = np.full(y.shape, np.nan)
    given_back = operation.value(*args, out=out)
    np.testing.assert_allclose(given_back, y, rtol=1e-13, atol=1e-15)
    if name in VIEWS:
        assert np.shares_memory(given_back, args[0])
    else:
        np.testing.assert_array_equal(out, given_back)


@each
def test_copies_in_front_are_played_at_once(name, example):
    operation = bound(name, example)
    copies = [example.complete([np.roll(a, t) for a in example.args]) for t in range(3)]
    stacked = operation.value(*(np.stack(a) for a in zip(*copies, strict=True)))
    np.testing.assert_allclose(stacked, np.stack([operation.value(*a) for a in copies]), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("name", "shared"), [("linear", {1, 3, 4}), ("matmul", {1}), ("embedding", {1})])
def test_copies_may_share_one_weight(name, shared):
    example = EXAMPLES[name][0]
    copies = [[a if k in shared else np.roll(a, t) for k, a in enumerate(example.args)] for t in range(3)]
    at_once = [a if k in shared else np.stack([c[k] for c in copies]) for k, a in enumerate(example.args)]
    expected = np.stack([OPS[name].value(*a) for a in copies])
    np.testing.assert_allclose(OPS[name].value(*at_once), expected, rtol=1e-13)


@pytest.mark.parametrize("name", OPS)
def test_a_call_made_once_computes_the_value_again_and_again(name):
    for example in EXAMPLES[name]:
        op = OPS[name].bind(**example.settings) if example.settings else OPS[name]
        args = [np.array(a, float) for a in example.args]
        out = np.full_like(op.value(*args), np.nan)
        call = kernels.into(op, out, *args)
        for _ in range(2):
            call()
            np.testing.assert_array_equal(out, op.value(*args))
            np.copyto(args[0], np.roll(args[0], 1))  # other numbers, in the same places


# ---- random graphs

PICK = np.array([1.0, 0.0])
LEAVES = {"x": (2, 3), "y": (2, 3), "w": (3, 3), "b": (3,)}


# Steps of a random graph, each from arrays (2, 3) to an array (2, 3), w being (3, 3) and b (3,).
STEPS = {
    "tanh": lambda x: -ops.tanh(x),
    "softmax": lambda x: 2.0 * ops.softmax(x),
    "log_softmax": lambda x: -ops.log_softmax(x),
    "relu": lambda x, b: ops.relu(x) + b,
    "copy": lambda w, x: x @ ops.copy(w),
    "detach": lambda x, y: x * ops.tanh(ops.detach(y)),
    "add": lambda x, y, b: x + y + b,
    "subtract": lambda x, y: x - 2.0 * y,
    "multiply": lambda x, y: ops.tanh(x) * y,
    "divide": lambda x, y: ops.divide(x, ops.exp(ops.tanh(y))),
    "negative": lambda x: -x,
    "power": lambda x: ops.power(ops.tanh(x), exponent=3),
    "sqrt of exp": lambda x: ops.sqrt(ops.exp(ops.tanh(x))),
    "log": lambda x: ops.log(1.0 + ops.exp(ops.tanh(x))),
    "maximum": lambda x, y: ops.maximum(x, ops.tanh(y)),
    "where": lambda x, y: ops.where(ops.is_positive(x), x, y),
    "clip": lambda x: ops.clip(x, low=-0.5, high=0.5),
    "linear": lambda x, y, w, b: ops.linear(x, w, y, w, b),
    "matmul": lambda x, w: x @ w,
    "turned": lambda x, w: (w @ x.T).T,
    "outer": lambda x, y: ops.tanh(y) @ ops.outer(ops.tanh(x), ops.tanh(y)),
    "row sums": lambda x, y: x.sum(axis=-1, keepdims=True) + y,
    "mean": lambda x, y: x - ops.mean(y, axis=(-2, -1)),
    "logsumexp": lambda x, y: (y.T - ops.logsumexp(x)).T,
    "join": lambda x, y: ops.getitem(ops.concatenate(x, y, axis=-1), key=((5, 0, 5),)),
    "stack": lambda x, y: ops.stack(x, y, x, axis=-3).sum(axis=0),
    "rows": lambda x, y: ops.getitem(ops.stack(x, y, axis=-2), key=(":", 1, "::-1")),
    "part": lambda x, y: ops.place(ops.part(x, start=1, stop=3), start=0, width=3) + y,
    "scatter": lambda x: ops.scatter(x, key=((1, 1, 0),), sizes=(3,)),
    "embedding": lambda x: ops.embedding(PICK, x),
    "cost": lambda x, y: ops.squared_error(ops.tanh(x), ops.tanh(y)) * y,
}


def taken(name, **given):
    """A step of a graph, given what it asks for."""
    return STEPS[name](*(given[k] for k in inspect.signature(STEPS[name]).parameters))


def from_example(name, example):
    """A step that any op can be: its example, moved a little by x, and what comes of it moves y."""

    def step(x, y):
        little = 0.1 * ops.tanh(x.sum())
        args = [a * (1.0 + little) if OPS[name].rule(k) else a for k, a in enumerate(example.args)]
        args = [example.tied[k](args[0]) if k in example.tied else a for k, a in enumerate(args)]
        return y + ops.tanh(bound(name, example)(*args).sum())

    return step


STEPS |= {f"{name} {i}": from_example(name, e) for name, es in EXAMPLES.items() for i, e in enumerate(es)}


@pytest.mark.parametrize("name", STEPS)
def test_steps_of_random_graphs_fit_together(name):
    tape = Tape()
    x, y, w, b = (tape.leaf(rng.normal(size=s), n) for n, s in LEAVES.items())
    assert taken(name, x=x, y=y, w=w, b=b).shape == x.shape


@settings(max_examples=200, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 20), st.integers(0, 20)), max_size=12),
    seed=st.integers(0, 2**16),
)
def test_error_backwards_is_the_adjoint_of_tangents_forwards(steps, seed):
    own = np.random.default_rng(seed)
    tape = Tape()
    leaves = [tape.leaf(own.normal(size=s), n) for n, s in LEAVES.items()]
    made, (w, b) = leaves[:2], leaves[2:]
    for name, i, j in steps:
        made.append(taken(name, x=made[-1 - i % len(made)], y=made[-1 - j % len(made)], w=w, b=b))
    root = ops.add(*made)
    u = {leaf: own.normal(size=leaf.shape) for leaf in leaves}
    v = own.normal(size=root.shape)
    forwards = (v * tape.tangents(u)[root]).sum()
    tape.backward(root, seed=v)
    terms = [(np.asarray(leaf.cotangent) * u[leaf]).sum() for leaf in leaves if leaf.cotangent is not None]
    backwards = math.fsum(terms)
    assert backwards == pytest.approx(forwards, rel=1e-9, abs=1e-10 * (1 + max(map(abs, terms))))


# What has no complex derivative, or is not computed on complex numbers, or stands for another one backwards.
BENT = {"relu", "detach", "maximum", "where", "clip"}
# The same as NumPy's users write it: indexing, views, and what NumPy repeats in silence.
WRITTEN = {
    "row": lambda x, y: x[1] + y,
    "column": lambda x, y: x[:, :1] * y,
    "last column, turned": lambda x, y: (x.T - y[:, -1]).T,
    "backwards": lambda x: x[::-1, ::-1],
    "rows twice": lambda x, y: x[[1, 1]] * y[[0, 1]],
    "new axis": lambda x, y: (x.reshape(2, 1, 3) * y.reshape(1, 2, 3))[:, 0],
    "every other": lambda x, y: x[:, ::2].sum(axis=1, keepdims=True) + y,
    "reshaped": lambda x, w: x.reshape(3, 2).T @ w,
    "flattened": lambda x: x.reshape(-1)[[5, 4, 3, 2, 1, 0]].reshape(2, 3),
    "one number": lambda x, y: x[0, 2] * y,
    "mean of rows": lambda x, y: x.mean(axis=0) - y,
    "outer sum": lambda x, y: x.sum(axis=-1, keepdims=True) + y.sum(axis=0),
    "quotient of a row": lambda x, y: x / (1.5 + y[0] * y[0]),
    "two of three": lambda x, b: x[..., [0, 2, 2]] * b,
    "power of a row": lambda x, y: (1.5 + x * x) ** y[0],
}
SMOOTH = {name: step for name, step in STEPS.items() if name not in BENT and " " not in name} | WRITTEN
GRAPHS = int(os.environ.get("TINYGRAD_RNN_EXAMPLES", "100"))


def value_of(steps, leaves):
    """A random graph, on nodes or on arrays: each step reads what was made before it, some of it several times."""
    made, (w, b) = list(leaves[:2]), leaves[2:]
    for name, i, j in steps:
        given = {"x": made[-1 - i % len(made)], "y": made[-1 - j % len(made)], "w": w, "b": b}
        made.append(SMOOTH[name](*(given[k] for k in inspect.signature(SMOOTH[name]).parameters)))
    total = made[0]
    for each in made[1:]:
        total = total + each
    return total


@settings(max_examples=GRAPHS, derandomize="TINYGRAD_RNN_EXAMPLES" not in os.environ, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(sorted(SMOOTH)), st.integers(0, 20), st.integers(0, 20)), max_size=8),
    seed=st.integers(0, 2**16),
)
def test_gradients_of_random_graphs_against_the_complex_step(steps, seed):
    own = np.random.default_rng(seed)
    arrays = [own.normal(size=s) for s in LEAVES.values()]
    tape = Tape()
    leaves = [tape.leaf(a, name) for a, name in zip(arrays, LEAVES, strict=True)]
    root = value_of(steps, leaves)
    v = own.normal(size=root.shape)
    with np.errstate(all="ignore"):
        plain = value_of(steps, arrays)
        assume(np.isfinite(plain).all() and np.abs(plain).max() < 1e6)
        np.testing.assert_allclose(root.value, plain, rtol=1e-12, atol=1e-12 * np.abs(plain).max())
        tape.backward(root, seed=v)
        for k, leaf in enumerate(leaves):
            g = np.zeros(leaf.shape) if leaf.cotangent is None else np.asarray(leaf.cotangent)
            assume(np.abs(g).max() < 1e6)
            way = own.choice([-1.0, 1.0], leaf.shape)
            moved = [a + 1e-40j * way if i == k else a.astype(complex) for i, a in enumerate(arrays)]
            slope = (v * value_of(steps, moved).imag).sum() / 1e-40
            scale = max(np.abs(g).sum(), np.abs(v).sum() * 1e-3)
            assert abs((g * way).sum() - slope) <= 1e-11 * scale, leaf


# ---- the ends of floating point, against 1000 digits


def mp_each(f):
    return lambda *args: [f(*entry) for entry in zip(*args, strict=True)]


def mp_logsumexp(net):
    return mpmath.log(mpmath.fsum(mpmath.exp(v) for v in net))


def mp_cross_entropy(net, d):
    return [mpmath.fsum(q * (mp_logsumexp(net) - v) for v, q in zip(net, d, strict=True))]


def mp_bernoulli(net, d):
    return [
        mpmath.fsum(
            q * mpmath.log1p(mpmath.exp(-v)) + (1 - q) * mpmath.log1p(mpmath.exp(v))
            for v, q in zip(net, d, strict=True)
        )
    ]


ROWS = [
    [800, -800, 0],
    [-1e5, 1e5, 3],
    [1e5, 1e5, 1e5],
    [-745.2, -746, -744],
    [30, 0, -30],
    [1e-300, -1e-300, 0],
    [5e-324, 1e300, -1e300],
]
TARGETS = [[1, 0, 0], [0, 1, 0], [0.2, 0.3, 0.5]]
MP = {
    "tanh": (mp_each(mpmath.tanh), [[r] for r in ROWS]),
    "sigmoid": (mp_each(lambda v: 1 / (1 + mpmath.exp(-v))), [[r] for r in ROWS]),
    "softmax": (lambda net: [mpmath.exp(v - mp_logsumexp(net)) for v in net], [[r] for r in ROWS]),
    "log_softmax": (lambda net: [v - mp_logsumexp(net) for v in net], [[r] for r in ROWS]),
    "logsumexp": (lambda net: [mp_logsumexp(net)], [[r] for r in ROWS]),
    "cross_entropy": (mp_cross_entropy, [[r, d] for r in ROWS for d in TARGETS]),
    "bernoulli_cross_entropy": (mp_bernoulli, [[r, d] for r in ROWS for d in TARGETS]),
    "exp": (mp_each(mpmath.exp), [[[-700, 700, 1e-300]], [[-1e4, 0, 709]]]),
    "log": (mp_each(mpmath.log), [[[1e-300, 1e300, 1 + 2e-16]]]),
    "sqrt": (mp_each(mpmath.sqrt), [[[1e-300, 1e300, 1]]]),
    "absolute": (mp_each(abs), [[[-1e300, 1e300, 1e-300]]]),
    "maximum": (mp_each(max), [[[-1e307, 1e-300, 1], [1e307, -1e-300, 1e300]]]),
    "divide": (mp_each(lambda a, b: a / b), [[[1e200, 1e-200, -3], [1e200, 1e-100, 1e100]]]),
}


# How close each comes: some to 12 digits whatever the size, a cost to the rounding of its net input (nothing
# computed from net can be closer), and the rest to the rounding of 1.
RELATIVE = {"exp", "log", "sqrt", "absolute", "maximum", "divide"}
TIED_TO_SIZE = {"log_softmax", "logsumexp", "cross_entropy"}
EXTREMES = [
    pytest.param(name, args, id=f"{name}-{i}") for name, (_, cases) in MP.items() for i, args in enumerate(cases)
]


@pytest.mark.parametrize(("name", "args"), EXTREMES)
def test_extreme_values_and_their_slopes(name, args):
    exact = MP[name][0]
    arrays = [np.array([a], dtype=float) for a in args]
    tied = EXAMPLES[name][0].tied
    if tied:
        arrays.insert(1, tied[1].value(arrays[0]))
    y = np.asarray(OPS[name].value(*arrays))
    g = np.random.default_rng(3).uniform(0.5, 1.5, size=y.shape)
    near = 0 if name in RELATIVE else 4e-16
    size = max(1.0, *map(abs, args[0])) if name in TIED_TO_SIZE else 1.0
    with mpmath.workdps(1000):
        numbers = [[mpmath.mpf(float(v)) for v in a] for a in args]
        np.testing.assert_allclose(y.ravel(), [float(v) for v in exact(*numbers)], rtol=1e-12, atol=near * size)
        for slot in receivers(OPS[name], args)[: 1 if tied else None]:
            share = np.asarray(OPS[name].share(slot, g, y, arrays)).ravel()
            for k in range(3):
                slope = mp_slope(exact, numbers, slot, k, g.ravel())
                assert share[k] == pytest.approx(slope, rel=1e-12, abs=near), (slot, k)


def mp_sigmoid(v):
    return 1 / (1 + mpmath.exp(-v))


FAR = {  # the value, its slope, and beyond which net inputs that slope is lost, in float64 and float32
    "tanh": (mpmath.tanh, lambda v: 1 - mpmath.tanh(v) ** 2, (19, 10)),
    "sigmoid": (mp_sigmoid, lambda v: mp_sigmoid(v) * mp_sigmoid(-v), (38, 20)),
    "softplus": (lambda v: mpmath.log1p(mpmath.exp(v)), mp_sigmoid, (np.inf, np.inf)),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", FAR)
def test_values_and_slopes_far_from_0_have_the_digits_that_are_said(name, dtype):
    exact, slope, lost = FAR[name]
    lost = lost[dtype == np.float32]
    net = np.linspace(-60, 60, 481).astype(dtype)
    y = OPS[name](net)
    slopes = OPS[name].share(0, np.ones_like(net), y, [net])
    rounding = float(np.finfo(dtype).eps) / 2  # of 1
    with mpmath.workdps(80):
        numbers = [mpmath.mpf(float(v)) for v in net]
        off = [abs(mpmath.mpf(float(a)) - exact(v)) for a, v in zip(y, numbers, strict=True)]
        relative = [float(e / abs(exact(v))) if v else float(e) for e, v in zip(off, numbers, strict=True)]
        off_slopes = [float(abs(mpmath.mpf(float(a)) - slope(v))) for a, v in zip(slopes, numbers, strict=True)]
    assert max(off_slopes) <= (60 if name == "softplus" else 3) * rounding
    assert (slopes[np.abs(net) > lost] == 0).all()
    assert (slopes[np.abs(net) < lost - 3] > 0).all()
    if name == "sigmoid":
        assert float(max(off)) <= 2 * rounding
        assert max(np.array(relative)[net > -1]) <= 4 * rounding
        assert (y[net < -lost] == 0).all()
        assert (y[net > 2 - lost] > 0).all()
    else:
        assert max(relative) <= 4 * rounding


def test_a_sigmoid_of_minus_20_has_eight_digits_and_its_logarithm_all():
    assert float(ops.sigmoid(np.array(-20.0))) == pytest.approx(2.061153618190204e-09, rel=2e-8)
    for net in (-700.0, -40.0, -20.0, 20.0, 40.0, 700.0):
        with mpmath.workdps(700):
            right = float(-mpmath.log1p(mpmath.exp(-mpmath.mpf(net))))
        assert float(-ops.softplus(np.array(-net))) == pytest.approx(right, rel=1e-15, abs=0)


def mp_slope(exact, numbers, slot, k, g):
    """The central difference of g . exact in one number, at a distance of 1e-340: of 1000 digits, enough are left."""
    h, ends = mpmath.mpf(10) ** -340, []
    for step in (h, -h):
        moved = [[v + step * ((i, j) == (slot, k)) for j, v in enumerate(a)] for i, a in enumerate(numbers)]
        ends.append(mpmath.fsum(float(w) * v for w, v in zip(g, exact(*moved), strict=True)))
    return float((ends[0] - ends[1]) / (2 * h))


def test_a_cost_of_almost_nothing_keeps_its_digits():
    net = np.array([[30.0, -40.0, 300.0]])
    cost = ops.bernoulli_cross_entropy(net, ops.sigmoid(net), np.array([[1.0, 0.0, 1.0]]))
    assert cost == pytest.approx(math.log1p(math.exp(-30)) + math.log1p(math.exp(-40)), rel=1e-12)


def test_saturated_costs_stay_finite_and_exact():
    net = np.array([[800.0, -800.0]])
    d = np.array([[0.0, 1.0]])
    assert ops.cross_entropy(net, ops.softmax(net), d) == pytest.approx(1600)
    assert ops.bernoulli_cross_entropy(net, ops.sigmoid(net), d) == pytest.approx(1600)
    assert np.isfinite(ops.sigmoid(net)).all()


# ---- formulas


@each
def test_formulas_read_as_plain_text(name, example):
    operation, args, _ = prepared(name, example)
    names = [f"a_{k}" for k in range(len(args))]
    formulas = [writing.value(operation, names)]
    formulas += [writing.share(operation, slot, "g", "y", names) for slot in receivers(operation, args)]
    for formula in formulas:
        assert "\\" not in plain(formula)
        assert not set("{}") & set(plain(formula))
    assert operation.label


@each
def test_numbers_in_the_formula_give_the_value(name, example):
    operation, args, y = prepared(name, example)
    for index in np.ndindex(*y.shape):
        written = str(worked(writing.value_entry(operation, index, args), y[index]))
        assert closes(written, y[index]), (index, written)


@each_slot
def test_numbers_in_the_formula_give_the_share(name, example, slot):
    operation, args, y = prepared(name, example)
    g = rng.normal(size=y.shape)
    share = np.asarray(operation.share(slot, g, y, args))
    for index in np.ndindex(*share.shape):
        written = str(worked(writing.share_entry(operation, slot, index, g, y, args), share[index]))
        assert closes(written, share[index]), (index, written)


# ---- what does not fit


def test_ops_compute_on_plain_arrays():
    np.testing.assert_allclose(ops.linear(A, B), A @ B.T)


def test_unknown_shapes_are_refused_in_words():
    tape = Recording()
    with tape.step(3):
        x, v = tape.leaf(np.ones((4, 3)), "x"), tape.leaf(np.ones((3, 2)), "V")
        with pytest.raises(ShapeError) as error:
            ops.linear(x, v, name="net_j")
    assert str(error.value) == (
        "linear at t=3: x(3) is (4, 3) and V(3) is (3, 2): x(3)[p, i] and V(3)[j, i] must agree on i, "
        "3 is not 2. Did you pass V(3).T?"
    )


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([np.ones((2, 3))], "it takes pairs"),
        ([np.ones(3), np.ones((4, 3))], "both must have two axes"),
        ([np.ones((2, 3)), np.ones((4, 3)), np.ones(3)], "it must be (4,)"),
        (
            [np.ones((2, 3)), np.ones((4, 3)), np.ones((5, 3)), np.ones((4, 3))],
            "they must give (2, 4), not (5, 4)",
        ),
    ],
)
def test_linear_says_what_does_not_fit(args, said):
    with pytest.raises(ShapeError, match=re.escape(said)):
        ops.linear(*args)


@pytest.mark.parametrize("name", [n for n in OPS if n != "linear" and len(EXAMPLES[n][-1].args) > 1])
def test_nothing_is_broadcast_in_silence(name):
    example = EXAMPLES[name][0 if name != "add" else 1]
    for slot, a in enumerate(example.args):
        args = [a[None] if k == slot else b for k, b in enumerate(example.args)]
        with pytest.raises(ShapeError):
            bound(name, example)(*args)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: ops.squared_error(np.ones((2, 1)), np.ones((2, 2))), "both must have one shape"),
        (lambda: ops.squared_error(np.ones(2), np.ones(2)), "One sample is (1, 2)"),
        (lambda: ops.clip(A, low=2.0, high=1.0), "low must be below high"),
        (lambda: ops.clip_error(A, bound=0.0), "bound must be above 0"),
        (lambda: ops.mean(A, axis=(-3,)), "axis -3: an array (2, 3) has 2 axes, -2 to 1"),
        (lambda: ops.concatenate(A, B.T, axis=-1), "may differ along axis -1 only"),
        (lambda: ops.broadcast(A, source=(2, 3), to=(2, 4)), "cannot be repeated to (2, 4)"),
        (lambda: ops.broadcast(A, source=(3,), to=(5, 3)), "as (3,) it cannot"),
        (lambda: ops.reshape(A, source=(2, 3), to=(2, 2)), "cannot take the shape (2, 2)"),
        (lambda: ops.transpose(CUBE), "only a matrix"),
        (lambda: ops.part(A, start=1, stop=4), "no entries 1:4"),
        (lambda: ops.place(A, start=2, width=4), "no room in a last axis of 4"),
        (lambda: ops.getitem(A, key=(2, ":")), "an axis of 2 entries has no entry 2"),
        (lambda: ops.getitem(A, key=((0, -4),)), "has no entry -4"),
        (lambda: ops.getitem(A, key=(0, (1, 2))), "stands alone among slices"),
        (lambda: ops.getitem(A, key=(0, 0, 0)), "more entries than axes"),
        (lambda: ops.scatter(A, key=("1:",), sizes=(3,)), "has room for (2,)"),
        (lambda: ops.embedding(np.array([0.0, 2.0]), A), "a holds 2: it must be a whole number from 0 to 1"),
        (lambda: ops.embedding(np.array([-1.0]), A), "holds -1"),
        (lambda: ops.embedding(np.array([0.5]), A), "holds 0.5"),
        (lambda: ops.embedding(np.array([np.nan]), A), "holds nan"),
        (lambda: ops.embedding(np.array([[0.0]]), A), "they must be [p] and [row, i]"),
        (lambda: ops.one_hot(np.array([3]), width=3), "holds 3"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(wrong, said):
    said = said.replace("a holds", "argument 0 holds")
    with pytest.raises(ShapeError, match=re.escape(said)):
        wrong()


def test_a_padding_of_minus_one_is_no_last_row():
    with pytest.raises(IndexError, match="-1 is the number of no row"):
        ops.embedding.value(np.array([0.0, -1.0]), A)


def test_indices_may_be_integers():
    np.testing.assert_array_equal(ops.embedding(np.array([1, 0]), A), A[::-1])


@pytest.mark.parametrize(
    "index",
    [
        0,
        -1,
        slice(1, None),
        ...,
        (..., 0),
        (0, ..., -1),
        (slice(None, None, -2), 1),
        [1, 0, 0],
        (slice(None), np.array([2, 2])),
    ],
    ids=str,
)
def test_an_index_means_what_it_means_to_numpy(index):
    key = ops.index_key(index, CUBE.ndim)
    hash(key)
    np.testing.assert_array_equal(ops.getitem(CUBE, key=key), CUBE[index])


@pytest.mark.parametrize("index", [None, CUBE[:, 0, 0] > 0, 1.0, (0, 0, 0, 0), (..., ...), [[0]], "1:2"], ids=str)
def test_an_index_that_means_something_else_is_refused(index):
    with pytest.raises(ShapeError, match="index"):
        ops.index_key(index, CUBE.ndim)


def test_two_ops_of_one_name_are_refused():
    with pytest.raises(ValueError, match="an op called tanh exists already"):

        @op(label="tanh", latex="{0}")
        def tanh(x, out=None):
            return x


def test_softplus_at_its_ends():
    tape = Tape()
    x = tape.leaf([[-np.inf, -800.0, 0.0, 800.0, np.inf]])
    cost = ops.sum(ops.softplus(x))
    np.testing.assert_array_equal(ops.softplus(x).value, [[0, 0, np.log(2), 800, np.inf]])
    tape.backward(cost)
    np.testing.assert_array_equal(x.cotangent, [[0, 0, 0.5, 1, 1]])
