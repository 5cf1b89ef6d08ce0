"""Every op's line of NumPy, run; and the names that a file gives."""

import ast
import keyword
from string import printable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from op_examples import EACH, bound
from tinygrad_rnn.autodiff import TapeError, op
from tinygrad_rnn.autodiff.identifiers import Identifiers
from tinygrad_rnn.autodiff.lines import line, read
from tinygrad_rnn.autodiff.op import OPS


def run(operation, args):
    """What its line computes, the functions that it calls defined before it."""
    names, defined = {"np": np}, []
    expression = line(operation, [read(f"a[{k}]") for k in range(len(args))], lambda f: defined.append(f) or f.name)
    exec("\n".join(map(ast.unparse, defined)), names)
    return eval(ast.unparse(expression), names | {"a": args})


@pytest.mark.parametrize(("name", "example"), [pytest.param(name, e, id=at) for at, name, e in EACH])
def test_the_line_computes_the_value(name, example):
    operation, args = bound(name, example), example.complete(example.args)
    y = np.asarray(operation.value(*args))
    found = run(operation, args)
    assert np.shape(found) == y.shape
    np.testing.assert_allclose(found, y, rtol=1e-13, atol=1e-14)


def test_an_op_without_a_line_is_refused_and_told_how_to_have_one():
    @op(label="?", latex="?({0})")
    def unheard_of(x, out=None):
        return np.positive(x, out=out)

    try:
        with pytest.raises(
            TapeError, match=r'unheard_of says no line of NumPy: .*@op\(\.\.\., numpy="np\.exp\(\{0\}\)"\)'
        ):
            line(unheard_of, [read("x")], lambda f: f.name)
    finally:
        del OPS["unheard_of"]


@pytest.mark.parametrize(
    ("name", "args", "text"),
    [
        ("multiply", ["a + b", "c"], "(a + b) * c"),
        ("multiply", ["1", "c"], "c"),
        ("add", ["a", "-b * c", "d"], "a - b * c + d"),
        ("subtract", ["a", "-b"], "a + b"),
        ("subtract", ["a", "b - c"], "a - (b - c)"),
        ("negative", ["a + b"], "-(a + b)"),
        ("transpose", ["a @ b"], "(a @ b).T"),
        ("add", ["a", "(-b) ** c"], "a + (-b) ** c"),
    ],
)
def test_parentheses_and_signs_stand_where_python_needs_them(name, args, text):
    assert ast.unparse(line(OPS[name], [read(a) for a in args], str)) == text


@given(st.lists(st.text() | st.text(printable, max_size=3) | st.sampled_from([*keyword.kwlist, "sum", "T", "T_"])))
def test_every_name_is_an_identifier_and_given_once(wanted):
    names = Identifiers(["T"])
    given_names = [names.new(each) for each in wanted]
    assert len(set(given_names)) == len(given_names)
    assert not {*given_names} & {*keyword.kwlist, "T", "sum", "print"}
    for name in given_names:
        assert ast.parse(name).body[0].value.id == name


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("net_j", "net_j"),
        ("lambda", "lambda_"),
        ("s − n", "s_minus_n"),
        ("∂s", "d_s"),
        ("1 − z", "one_minus_z"),
        ("37x", "v_37x"),
        ("", "unnamed"),
    ],
)
def test_a_name_stays_as_near_as_can_be(wanted, name):
    assert Identifiers().new(wanted) == name
