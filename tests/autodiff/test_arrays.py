"""Nodes in the hands of those who write NumPy: each expression is right, or refused in our words.

Every expression is computed twice, by NumPy on arrays and by us on nodes. What comes of nodes is a node with NumPy's
numbers and with the slopes that are measured; or one of our errors, raised by our own code.
"""

import inspect
import itertools
import math
import traceback
import warnings

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import ops
from tinygrad_rnn.autodiff import OPS, Node, ShapeError, Tape
from tinygrad_rnn.autodiff.errors import UsageError
from tinygrad_rnn.unfold.recording import Recording

rng = np.random.default_rng(4)
ARRAYS = {
    "a": rng.uniform(0.5, 1.5, (2, 3)),
    "b": rng.uniform(0.5, 1.5, (2, 3)),
    "w": rng.uniform(0.5, 1.5, (3, 2)),
    "v": rng.uniform(0.5, 1.5, 3),
    "s": np.asarray(0.7),
    "c": rng.uniform(0.5, 1.5, (2, 2, 3)),
    "n": rng.normal(size=(2, 3)),
}
PLAIN = {
    "A": rng.uniform(0.5, 1.5, (2, 3)),
    "R": rng.uniform(0.5, 1.5, 3),
    "K": np.array([1, 2, 3]),
    "M": np.array([[True, False, True], [False, True, True]]),
    "Z": np.ones((2, 3), complex),
    "O": np.array([[None, 1, 2]]),
    "np": np,
    "math": math,
}

OPERATORS = ["+", "-", "*", "/", "**", "//", "%", "@", "<", "<=", ">", ">=", "&", "|", "^", "<<", ">>"]
PAIRS = [
    *(("a", other) for other in ("b", "v", "s", "w", "n", "2", "2.5", "-1", "A", "R", "K", "M", "Z", "O")),
    *(("a", other) for other in ("[1.0, 2.0, 3.0]", "[[1.0], [2.0]]", "[[1], [2, 3]]", "'x'", "None", "1j", "True")),
    *((other, "a") for other in ("2", "2.5", "-1", "A", "R", "K", "np.float64(3)", "np.float32(3)", "[1.0, 2.0, 3.0]")),
    *(("s", "s"), ("v", "v"), ("c", "a"), ("n", "2"), ("n", "a"), ("c", "w"), ("v", "w"), ("w", "a")),
]
AXES = [
    "",
    "0",
    "1",
    "-1",
    "-2",
    "(0, 1)",
    "(0, 0)",
    "2",
    "-3",
    "axis=None",
    "axis=(0,)",
    "axis='x'",
    "axis=1.5",
]
INDICES = [
    *("0", "-1", "1", "2", ":", "...", "::-1", "0, 1", "0, ...", "..., 0", "1:, :2", "[1, 0]", ":, [2, 0, 2]", "None"),
    *(
        "[0, 1], [1, 2]",
        "M",
        "1.0",
        "'x'",
        "-3",
        "0, 0, 0",
        "K > 1",
        "a",
        "0:100",
        "np.array([1, 0])",
        "(0, 1)",
        "True",
    ),
]
SHAPES = [
    "3, 2",
    "(3, 2)",
    "[3, 2]",
    "-1",
    "6",
    "(6,)",
    "2, -1",
    "(1, 2, 3)",
    "4",
    "-1, -1",
    "",
    "2.0, 3",
    "'x'",
    "0",
    "-2, -3",
]
METHODS = [
    *(
        "T",
        "shape",
        "ndim",
        "size",
        "dtype",
        "flatten()",
        "ravel()",
        "transpose()",
        "transpose(1, 0)",
        "copy()",
        "max()",
    ),
    *(
        "transpose((1, 0))",
        "transpose(0, 1)",
        "transpose(0)",
        "dot(w)",
        "dot(b)",
        "dot(2)",
        "clip(0.7, 1.2)",
        "clip(0.7)",
    ),
    *("clip(max=1.2)", "clip(None, 1.2)", "clip()", "clip(2, 1)", "clip('x', 1)", "astype(float)", "min()", "argmax()"),
    *(
        "std()",
        "var()",
        "prod()",
        "cumsum()",
        "round()",
        "item()",
        "tolist()",
        "fill(0)",
        "sort()",
        "take([0])",
        "any()",
    ),
    *(
        "all()",
        "trace()",
        "diagonal()",
        "squeeze()",
        "swapaxes(0, 1)",
        "repeat(2)",
        "nonzero()",
        "conj()",
        "real",
        "imag",
    ),
    *(
        "view()",
        "flat",
        "nbytes",
        "strides",
        "base",
        "data",
        "itemsize",
        "put(0, 1)",
        "resize(3)",
        "dumps()",
        "tobytes()",
    ),
]
CALLS = [
    *(
        "abs(a)",
        "abs(n)",
        "-a",
        "+a",
        "~a",
        "len(a)",
        "len(s)",
        "float(a)",
        "float(s)",
        "int(s)",
        "complex(s)",
        "bool(s)",
    ),
    *("round(s)", "math.sin(s)", "math.floor(s)", "range(s)", "[1, 2][s]", "list(a)", "sum(a)", "max(a)", "sorted(v)"),
    *(
        "1.0 in v",
        "not a",
        "a and b",
        "a or b",
        "divmod(a, 2)",
        "divmod(2, a)",
        "f'{s:.3f}'",
        "[x for x in a]",
        "max(s, s)",
    ),
    *(
        "A.dot(w)",
        "A @ w",
        "A[s]",
        "A.clip(s, 1)",
        "np.array([a, b])",
        "np.asarray(a)",
        "np.float64(s)",
        "np.full(3, s)",
    ),
    *(
        "np.arange(s)",
        "1 if s > 0 else 2",
        "min(s, 1)",
        "pow(a, 2)",
        "pow(a, 2, 3)",
        "reversed(a)",
        "tuple(v)",
        "zip(*[a])",
    ),
    *("np.r_[v, v]", "np.c_[v, v]", "np.random.default_rng(0).choice(v)", "np.einsum('ij->i', a)", "A.sum(where=a)"),
    *(
        "np.linalg.norm(a)",
        "np.linalg.inv(a)",
        "np.fft.fft(a)",
        "np.add.reduce(a)",
        "np.add.outer(a, a)",
        "np.add.at(a, 0, 1)",
    ),
    *(
        "isinstance(a, float)",
        "math.sqrt(s)",
        "math.isnan(s)",
        "a.sum().sum()",
        "a.mean() * a",
        "(a @ w).T @ a",
        "a.T.T",
    ),
]
EXPRESSIONS = [
    *(f"{x} {operator} {y}" for operator, (x, y) in itertools.product(OPERATORS, PAIRS)),
    *(
        f"a.{name}({axis}{kept})"
        for name in ("sum", "mean")
        for axis in AXES
        for kept in ("", ", keepdims=True")[: 1 + bool(axis)]
    ),
    *(f"c.{name}({axis})" for name in ("sum", "mean") for axis in ("2", "(0, 2)", "(-1, 0)", "3", "(0, -3)")),
    *(f"a[{index}]" for index in INDICES),
    *(f"a.reshape({shape})" for shape in SHAPES),
    *(f"a.{method}" for method in METHODS),
    *CALLS,
]


def ours(error):
    """Whether an error was raised by our own code."""
    return "tinygrad_rnn" in traceback.extract_tb(error.__traceback__)[-1].filename


def outcome(expression, names):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return eval(expression, {}, {**PLAIN, **names})
        except Exception as error:
            return error


def nodes(tape):
    return {name: tape.leaf(value, name) for name, value in ARRAYS.items()}


def same(found, expected):
    with np.errstate(all="ignore"):
        return np.shape(found) == np.shape(expected) and np.allclose(found, expected, rtol=1e-14, atol=0)


REFUSED = (UsageError, ShapeError, AttributeError)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_of_nodes_is_right_or_refused_in_our_words(expression):
    tape = Tape()
    copies = {name: value.copy() for name, value in ARRAYS.items()}  # some of what is tried would change them
    found, expected = outcome(expression, nodes(tape)), outcome(expression, copies)
    if isinstance(found, Exception):
        assert isinstance(found, REFUSED), found
        assert ours(found), found
        return
    assert not isinstance(expected, Exception), expected
    if not isinstance(found, Node):
        assert not isinstance(found, np.ndarray)
        assert same(found, expected)
        return
    with np.errstate(all="ignore"):
        assert same(found.value, expected)
    if not np.isfinite(expected).all():
        return  # where there are no slopes to be measured
    read = [name for name in ARRAYS if name in compile(expression, "", "eval").co_names]
    report = tg.check(lambda *some: outcome(expression, dict(zip(read, some, strict=True))), *map(ARRAYS.get, read))
    assert report.ok, report


def test_they_are_many():
    assert len(set(EXPRESSIONS)) >= 380


@pytest.mark.parametrize("operator", ["+=", "-=", "*=", "/=", "**=", "@="])
def test_what_is_written_in_place_is_a_new_node_and_the_old_one_stays(operator):
    tape = Tape()
    a = tape.leaf(ARRAYS["a"] if operator != "@=" else np.ones((3, 3)), "a")
    names = {"a": a, "b": a}
    exec(f"a {operator} {'b' if operator == '@=' else 2}", {}, names)
    assert names["a"] is not a
    np.testing.assert_array_equal(names["b"].value, a.value)


def test_nodes_are_told_apart_by_what_they_are():
    tape = Tape()
    a, b = tape.leaf(np.ones(2), "a"), tape.leaf(np.ones(2), "b")
    assert a == a
    assert a != b
    assert {a: 1, b: 2}[b] == 2
    assert [b, a].index(a) == 1
    assert a in [b, a]


# ---- NumPy's functions

READS_FILES = {"fromfile", "genfromtxt", "load", "loadtxt", "memmap", "save", "savetxt", "savez", "savez_compressed"}
SETS = {
    "setbufsize",
    "seterr",
    "seterrcall",
    "set_printoptions",
    "printoptions",
    "errstate",
    "test",
    "show_config",
    "info",
}
# Not read: an option. And a tuple times a node is what a tuple times an array is.
UNREAD = {"real_if_close", "bmat", "diag_indices"}
FUNCTIONS = sorted(
    name
    for name in np.__all__
    if callable(getattr(np, name))
    and not inspect.isclass(getattr(np, name))
    and name not in READS_FILES | SETS | UNREAD
)
CALLED = [
    "f(a)",
    "f(a, b)",
    "f([a, b])",
    "f(A, a)",
    "f(a, A)",
    "f(a, 1)",
    "f(1, a)",
    "f(M, a, b)",
    "f(a, 0, 1)",
    "f(0, s)",
]
RECORDS = {"add", "subtract", "multiply", "divide", "true_divide", "power", "pow", "matmul"}  # an operator of an array
TELLS = {"shape", "ndim", "size", "iterable", "isscalar", "equal", "not_equal"}  # the last two: a node is no array


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_of_numpy_is_never_another_one_on_nodes(function):
    tape = Tape()
    for called in CALLED:
        made = len(tape)
        names = nodes(tape)
        found = outcome(called, {**names, "f": getattr(np, function)})
        if isinstance(found, Exception):
            # NumPy may refuse first, in its own words, what it does not take from anybody.
            assert isinstance(found, REFUSED) or not ours(found)
        elif isinstance(found, Node):
            assert function in RECORDS
            expected = outcome(called, {**ARRAYS, "f": getattr(np, function)})
            with np.errstate(all="ignore"):
                assert same(found.value, expected)
        else:
            assert found is None or function in TELLS, (called, found)
            assert len(tape) == made + len(ARRAYS)


def test_all_of_them_were_tried():
    assert len(FUNCTIONS) > 53


@pytest.mark.parametrize(
    ("wrong", "instead"),
    [
        (lambda a: np.dot(a, a), r"np.dot of a\(3\) at t=3: .* use tinygrad_rnn.ops.matmul, or a @ b"),
        (np.tanh, r"np.tanh of a\(3\) at t=3: .* use tinygrad_rnn.ops.tanh"),
        (lambda a: np.where(a.value > 0, a, 0), r"np.where of a\(3\) at t=3: .* use tinygrad_rnn.ops.where"),
        (lambda a: np.ones((2, 2)).dot(a), r"a\(3\) is a node of the tape and no array at t=3: .* a @ b or"),
        (lambda a: a or 0, "no truth value, as `if`"),
        (lambda a: a[0] > 0, "no order"),
        (lambda a: a.sum(axis=2), r"sum at t=3: axis 2: an array \(2, 2\) has 2 axes, -2 to 1"),
        (lambda a: ops.multiply(a, a, a), r"multiply at t=3: it is called as multiply\(a, b\); given 3 arguments"),
    ],
)
def test_who_is_refused_is_told_what_to_write_and_at_which_step(wrong, instead):
    tape = Recording()
    with tape.step(3), pytest.raises((UsageError, ShapeError), match=instead):
        wrong(tape.leaf(np.ones((2, 2)), "a"))


def test_a_cell_that_multiplies_by_numpy_is_refused_and_not_trained():
    def cell(params, x, s):
        s = ops.tanh(np.dot(x, params["V"]) + np.dot(s, params["U"]))
        return s, s

    params = {name: np.eye(3) for name in "VU"}
    with pytest.raises(UsageError, match=r"np.dot of x\(1\) at t=1"):
        tg.unfold(cell, params, np.ones((2, 3, 3)), np.ones((2, 3, 3)), s0=np.ones((3, 3)), loss="squared_error")


ANSWERED = [
    *(
        f"{x} {operator} {y}"
        for operator in ("+", "-", "*", "/", "**")
        for x, y in [
            *(("a", y) for y in ("b", "v", "2", "2.5", "A", "R", "[1.0, 2.0, 3.0]")),
            *((x, "a") for x in ("2", "2.5", "A", "R", "[1.0, 2.0, 3.0]")),
        ]
    ),
    *("a @ w", "a.T @ b", "A @ w", "w @ A", "abs(n)", "-a", "+a"),
    *("a.transpose()", "a.transpose(1, 0)", "a.transpose((1, 0))", "a.T"),
]


@pytest.mark.parametrize("expression", ANSWERED)
def test_what_is_answered_is_not_refused_one_day(expression):
    tape = Tape()
    found = outcome(expression, nodes(tape))
    assert isinstance(found, Node), found
    np.testing.assert_allclose(found.value, outcome(expression, ARRAYS), rtol=1e-13)


# ---- calls of ops

SPELLED = [
    ("ops.sum(a)", "a.sum()"),
    ("ops.sum(a, 0)", "a.sum(0)"),
    ("ops.sum(a, axis=(0, -1), keepdims=True)", "a.sum((0, 1), keepdims=True)"),
    ("ops.mean(a, -1, True)", "a.mean(-1, keepdims=True)"),
    ("ops.mean(a, axis=1)", "a.mean(1)"),
    ("ops.clip(a, 0.7, 1)", "a.clip(0.7, 1)"),
    ("ops.clip(a, low=-np.inf, high=1)", "a.clip(max=1)"),
    ("ops.reshape(a, (6,))", "a.reshape(6)"),
    ("ops.reshape(a, 3, -1)", "a.reshape(3, 2)"),
    ("ops.broadcast(v, (2, 3))", "np.broadcast_to(v, (2, 3))"),
    ("ops.transpose(a, (1, 0))", "a.T"),
    ("ops.concatenate([a, b])", "np.concatenate([a, b])"),
    ("ops.concatenate((a, b), 1)", "np.concatenate((a, b), 1)"),
    ("ops.concatenate([a, b], axis=-1)", "np.concatenate((a, b), 1)"),
    ("ops.concatenate(a, b, axis=0)", "np.concatenate((a, b))"),
    ("ops.concatenate([0.3, 0.4], v, axis=0)", "np.concatenate(([0.3, 0.4], v))"),
    ("ops.stack([a, b])", "np.stack([a, b])"),
    ("ops.stack([a, b], 2)", "np.stack([a, b], 2)"),
    ("ops.stack([a, b], axis=-2)", "np.stack([a, b], -2)"),
    ("ops.softmax(a, axis=1)", "np.exp(a) / np.exp(a).sum(1, keepdims=True)"),
    ("ops.log_softmax(a, -1)", "a - np.log(np.exp(a).sum(1, keepdims=True))"),
    ("ops.logsumexp(a, 1)", "np.log(np.exp(a).sum(1))"),
    ("ops.part(a, 1, 3)", "a[:, 1:3]"),
    ("ops.part(a, 1, stop=3)", "a[:, 1:3]"),
    ("ops.place(a, 1, 4)", "np.pad(a, [(0, 0), (1, 0)])"),
    ("ops.power(a, 3)", "a ** 3"),
    ("ops.raised(a, b)", "a ** b"),
    ("ops.embedding(table=w, indices=[2, 0])", "w[[2, 0]]"),
    ("ops.where(M, a, b)", "np.where(M, a, b)"),
    ("ops.multiply(b=b, a=a)", "a * b"),
    ("ops.scatter(v, ('::2',), (5,))", "np.array([v[0], 0, v[1], 0, v[2]])"),
]


@pytest.mark.parametrize(("called", "meant"), SPELLED)
def test_an_op_is_called_as_numpy_calls_it(called, meant):
    expected = outcome(meant, ARRAYS)
    on_arrays = outcome(called, {**ARRAYS, "ops": ops})
    np.testing.assert_allclose(on_arrays, expected, rtol=1e-13)
    read = [name for name in ARRAYS if name in compile(called, "", "eval").co_names]
    tape = Tape()
    names = nodes(tape)
    assert same(outcome(called, {**names, "ops": ops}).value, on_arrays)
    report = tg.check(
        lambda *some: outcome(called, {**dict(zip(read, some, strict=True)), "ops": ops}), *map(ARRAYS.get, read)
    )
    assert report.ok, report


WRONG = [
    ("ops.multiply(A, A, A.copy())", "multiply(a, b); given 3 arguments: too many"),
    ("ops.multiply(A)", "multiply(a, b); given 1 argument: missing a required argument: 'b'"),
    ("ops.tanh(A, out=A)", "tanh(net); given 1 argument and out"),
    ("ops.tanh()", "tanh(net); given 0 arguments"),
    ("ops.add()", "add(*terms); given 0 arguments"),
    ("ops.sum(A, axis=2)", "axis 2: an array (2, 3) has 2 axes, -2 to 1"),
    ("ops.sum(A, axis=(1, -1))", "names an axis twice"),
    ("ops.sum(A, axis=1.0)", "axis=1.0: it must be a whole number"),
    ("ops.sum(A, axis=True)", "axis=True: it must be a whole number"),
    ("ops.sum(A, keepdims='yes')", "keepdims='yes': it must be True or False"),
    ("ops.mean(np.ones((0, 3)))", "there is no mean of no entries"),
    ("ops.clip(A, 0)", "missing a required argument: 'high'"),
    ("ops.clip(A, 0, np.nan)", "high=nan: it must be a number"),
    ("ops.clip(A, [0], 1)", "low=[0]: it must be a number"),
    ("ops.power(A, np.nan)", "exponent=nan"),
    ("ops.power(A, R)", "exponent="),
    ("ops.reshape(A, 4)", "it cannot take the shape (4,)"),
    ("ops.reshape(A)", "say the shape once"),
    ("ops.reshape(A, -2, -3)", "it cannot take the shape (-2, -3)"),
    ("ops.broadcast(A, (4, 4))", "cannot be repeated to (4, 4)"),
    ("ops.transpose(A, (0, 1))", "its two axes exchanged"),
    ("ops.concatenate([])", "the list of arrays is empty"),
    ("ops.concatenate(A, A)", "give the arrays in one list, and the axis"),
    ("ops.concatenate([A, A], 2)", "axis 2"),
    ("ops.concatenate([A, A], axis=None)", ""),
    ("ops.concatenate([A, A], axis='x')", "axis='x'"),
    ("ops.concatenate([A, A], 0, axis=0)", "the axis is given twice"),
    ("ops.stack([A, R])", "both must have one shape"),
    ("ops.softmax(A, axis=0)", "it goes along the last axis only"),
    ("ops.softmax(A, axis=5)", "axis 5"),
    ("ops.getitem(A, key=1)", "it must be a tuple that says something about the last axes"),
    ("ops.getitem(A, key=('x',))", "it must be a tuple"),
    ("ops.scatter(A, (5, ':', ':'), (2, 2, 3))", "an axis of 2 entries has no entry 5"),
    ("ops.scatter(A, (0, ':', ':'), (2, -2, 3))", "no size is below 0"),
    ("ops.part(A, 0)", "missing a required argument: 'stop'"),
    ("ops.part(A, '0', 2)", "start='0': it must be a whole number"),
    ("ops.part(A, 0, 2, step=2)", "unexpected keyword argument 'step'"),
    ("ops.one_hot([0, 1], 1.5)", "width=1.5"),
    ("ops.tanh(O)", "argument 0 holds object"),
    ("ops.tanh('x')", "argument 0 holds <U1"),
    ("ops.tanh([[1], [2, 3]])", "that is no array of numbers"),
    ("ops.is_positive(Z)", "is_positive takes no complex numbers"),
    ("ops.tanh.bind(axis=3)", "tanh has no setting 'axis'"),
    ("ops.raised(-A, A)", "must be above 0"),
]


@pytest.mark.parametrize(("called", "said"), WRONG)
def test_a_wrong_call_is_refused_in_our_words(called, said):
    found = outcome(called, {"ops": ops})
    if not said:
        assert not isinstance(found, Exception)
        return
    assert isinstance(found, UsageError | ShapeError), found
    assert said in str(found)
    assert ours(found)


def test_an_argument_too_many_changes_nothing():
    z = np.full(2, 7.0)
    with pytest.raises(UsageError):
        ops.multiply(np.ones(2), np.ones(2), z)
    assert z.tolist() == [7, 7]


def test_whole_numbers_are_what_floats_would_be():
    np.testing.assert_array_equal(ops.power(np.array([2, 4]), exponent=-1), [0.5, 0.25])
    assert ops.negative(np.array([True])).tolist() == [-1.0]
    tape = Tape()
    assert (tape.leaf(np.ones(3, np.float32)) * np.array([1, 2, 3])).value.dtype == np.float32


@pytest.mark.parametrize("name", OPS)
def test_help_shows_how_an_op_is_called(name):
    signature = inspect.signature(OPS[name])
    assert "out" not in signature.parameters
    assert OPS[name].__doc__.startswith(f"{name}{signature}\n\n")


def test_an_op_of_ones_own_is_called_by_its_own_signature():
    def made(name, value):
        value.__name__ = name
        return tg.autodiff.op(label=name, latex="{0}")(value)

    try:
        scaled = made("scaled", lambda x, by, out=None: np.multiply(x, by, out=out))
        assert scaled(np.ones(2), by=3.0).tolist() == [3, 3]
        assert scaled(np.ones(2), np.full(2, 3.0)).tolist() == [3, 3]
        with pytest.raises(UsageError, match=r"scaled: it is called as scaled\(x, by\); given 1 argument"):
            scaled(np.ones(2))
        with pytest.raises(UsageError, match="a setting must not change"):
            scaled(np.ones(2), by=[1, 2])
    finally:
        OPS.pop("scaled", None)
