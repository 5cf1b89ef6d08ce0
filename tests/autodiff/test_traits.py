"""What ops say of themselves to those who plan, write and draw: a trait can lie, so each is held against the value."""

import numpy as np
import pytest

from op_examples import EACH, EXAMPLES, bound
from tinygrad_rnn.autodiff import OPS
from tinygrad_rnn.autodiff.form import Joins, Puts, Takes
from tinygrad_rnn.autodiff.kernels import in_turn

each = pytest.mark.parametrize(("name", "example"), [pytest.param(name, e, id=at) for at, name, e in EACH])


def made(name, example):
    operation, args = bound(name, example), example.complete(example.args)
    return operation, args, np.asarray(operation.value(*args))


def term_value(term, args, like):
    both = zip([args[k] for k in term.slots], term.turned, strict=False)
    factors = [a.swapaxes(-1, -2) if turned else a for a, turned in both]
    if term.product:
        return factors[0] @ factors[1]
    if term.summed:
        return factors[0].sum(axis=-2)
    return np.broadcast_to(factors[0], like.shape) if term.repeated else factors[0]


@each
def test_the_terms_add_up_to_the_value(name, example):
    operation, args, y = made(name, example)
    terms = operation.terms(len(args)) if operation.terms else []
    if terms:
        np.testing.assert_allclose(sum(term_value(term, args, y) for term in terms), y, rtol=1e-13, atol=1e-14)
    for term in terms:
        assert [term.beside(k) for k in term.slots] == list(term.slots[::-1]) or not term.product


@each
def test_a_view_is_the_memory_of_its_argument(name, example):
    operation, args, _ = made(name, example)
    looks = np.shares_memory(operation.value(*args), args[0])
    assert looks or not operation.view
    if operation.ties:
        assert operation.view
        np.testing.assert_array_equal(operation.value(*args), args[0])


@each
def test_the_numpy_functions_compute_the_value(name, example):
    operation, args, y = made(name, example)
    if operation.ufuncs:
        np.testing.assert_allclose(in_turn(operation.ufuncs, args, None), y, rtol=1e-15)


@each
def test_a_block_takes_puts_or_joins_what_it_says(name, example):
    operation, args, y = made(name, example)
    block = operation.block() if operation.block else None
    if isinstance(block, Takes):
        np.testing.assert_array_equal(y, args[0][..., block.start : block.stop])
    if isinstance(block, Puts):
        columns = slice(block.start, block.start + args[0].shape[-1])
        np.testing.assert_array_equal(y[..., columns], args[0])
        assert np.count_nonzero(y) == np.count_nonzero(args[0])
    if isinstance(block, Joins):
        ends = np.cumsum([a.shape[block.axis] for a in args])
        for a, part in zip(args, np.split(y, ends[:-1], axis=block.axis), strict=True):
            np.testing.assert_array_equal(a, part)


@each
def test_what_is_prepared_once_computes_again_and_again(name, example):
    operation, args, y = made(name, example)
    if operation.prepared:
        args = [np.array(a) for a in args]
        out = np.full_like(y, np.nan)
        call = operation.prepared(out, *args)
        for scale in (1.0, 0.5):
            args[-1] *= scale
            call()
            np.testing.assert_allclose(out, operation.value(*args), rtol=1e-15)


def test_what_is_prepared_with_an_argument_computes_both():
    for name, examples in EXAMPLES.items():
        for inner, prepare in OPS[name].prepared_with.items():
            for example in examples:
                args = [np.array(a) for a in example.complete(example.args)]
                for scale in (1.0, 2.0, 500.0):  # the last one underflows
                    args[0] *= scale
                    y, slot = inner.value(args[0]), next(k for k, tie in example.tied.items() if tie is inner)
                    args[slot][...], out = np.nan, np.empty_like(OPS[name].value(args[0], y, args[2]))
                    prepare(out, *args)()
                    np.testing.assert_allclose(args[slot], y, rtol=1e-14)
                    np.testing.assert_allclose(out, OPS[name].value(args[0], y, args[2]), rtol=1e-13)


@each
def test_an_op_is_linear_in_what_it_says_and_says_so_of_no_more(name, example):
    operation, args, y = made(name, example)
    for slot in operation.linear:
        other = np.random.default_rng(0).normal(size=args[slot].shape)
        more = operation.value(*args[:slot], 2 * args[slot] + other, *args[slot + 1 :])
        parts = 2 * y + operation.value(*args[:slot], other, *args[slot + 1 :])
        np.testing.assert_allclose(more, parts, rtol=1e-12, atol=1e-13)


@each
def test_an_argument_that_all_copies_share_is_the_same_in_each(name, example):
    """Of any op: NumPy's joins repeat nothing, and others might not either."""
    operation, args, _ = made(name, example)
    for shared in range(len(args)) if len(args) > 1 else []:
        # Whole numbers may be rows of a table, and what is tied to another argument follows it.
        free = [k != shared and k not in example.tied and np.any(a % 1) for k, a in enumerate(args)]
        copies = [[a * scale if free[k] else a for k, a in enumerate(args)] for scale in (1.0, 0.75)]
        stacked = [a if k == shared else np.stack([c[k] for c in copies]) for k, a in enumerate(args)]
        found = operation.value(*stacked)
        np.testing.assert_allclose(found, np.stack([operation.value(*c) for c in copies]), rtol=1e-13, atol=1e-14)
