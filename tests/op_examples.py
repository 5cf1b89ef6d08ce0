"""Examples of arguments and settings for every op: what tests of ops and of their traits run through."""

from dataclasses import dataclass, field

import numpy as np

from tinygrad_rnn.autodiff import OPS, ops

rng = np.random.default_rng(1)
A, B, C = rng.normal(size=(3, 2, 3))
POSITIVE = rng.uniform(1, 2, size=(2, 3))
PROBABILITIES = rng.dirichlet(np.ones(3), size=2)
CUBE = rng.normal(size=(2, 3, 4))


@dataclass
class Example:
    """Arguments and settings of an op; an argument that is computed from argument 0 says by which op."""

    args: list
    settings: dict
    tied: dict = field(default_factory=dict)

    def complete(self, args):
        """The arguments, those that depend on argument 0 computed again."""
        return [self.tied[k].value(args[0]) if k in self.tied else a for k, a in enumerate(args)]


def ex(*args, tied=None, **set_to):
    return Example([np.asarray(a, dtype=float) for a in args], set_to, tied or {})


def linear_args(b, l, m, h, pairs, bias):
    args = [rng.normal(size=s) for s in ((b, l), (m, l), (b, h), (m, h))][: 2 * pairs]
    return ex(*args, *[rng.normal(size=m)] * bias)


# Examples of its arguments and settings for every op.
EXAMPLES = {
    "copy": [ex(A)],
    "detach": [ex(A), ex(CUBE)],
    "clip_error": [ex(A, bound=15.0), ex(CUBE, bound=1e3)],  # beyond the bound it is no derivative: below
    "add": [ex(A), ex(A, B), ex(A, B, A + 1), ex(A[0], B[0]), ex(0.3, 0.4)],
    "subtract": [ex(A, B), ex(0.3, 0.4)],
    "multiply": [ex(A, B), ex(CUBE, CUBE[::-1]), ex(0.3, 0.4)],
    "negative": [ex(A)],
    "divide": [ex(A, POSITIVE), ex(A, -POSITIVE), ex(0.3, -1.4)],
    "power": [ex(A, exponent=n) for n in (0, 1, 2, 3)] + [ex(POSITIVE, exponent=n) for n in (-2, -1, 0.5, -1.5)],
    "raised": [ex(POSITIVE, A), ex(1.3, -0.7)],
    "exp": [ex(A), ex(0.3)],
    "log": [ex(POSITIVE)],
    "softplus": [ex(A), ex(0.3)],
    "sqrt": [ex(POSITIVE)],
    "sign": [ex(A), ex([[-2.0, 0.0, 3.0]])],
    "absolute": [ex(A)],
    "maximum": [ex(A, B), ex(0.3, -0.4)],
    "where": [ex(A > 0, A, B), ex([[0, 2, -1], [0, 0, 1]], A, B)],
    "clip": [ex(A, low=-0.5, high=0.6), ex(A, low=-np.inf, high=0.1)],
    "linear": [
        linear_args(2, 3, 4, 5, 2, True),
        linear_args(2, 3, 4, 5, 2, False),
        linear_args(1, 3, 4, 5, 1, True),
        linear_args(5, 1, 1, 1, 1, False),
    ],
    "matmul": [ex(A, rng.normal(size=(3, 4))), ex(A[:1], B.T)],
    "outer": [ex(A, rng.normal(size=(2, 4))), ex(A[:1], B[:1])],
    "broadcast": [
        ex(A, source=(2, 3), to=(4, 2, 3)),
        ex(A[:, :1], source=(2, 1), to=(2, 3)),
        ex(A[:1], source=(1, 3), to=(4, 2, 3)),
        ex(0.3, source=(), to=(2, 3)),
        ex([0.3], source=(1,), to=(1,)),
    ],
    "sum": [ex(CUBE, axis=k, keepdims=kept) for kept in (False, True) for k in ((-1,), (-2,), (-3, -1), (-3, -2, -1))],
    "mean": [ex(CUBE, axis=k, keepdims=kept) for kept in (False, True) for k in ((-1,), (-2,), (-3, -1), (-3, -2, -1))],
    "reshape": [ex(A, source=(2, 3), to=(3, 2)), ex(A, source=(2, 3), to=(6,)), ex([0.3], source=(1,), to=())],
    "transpose": [ex(A), ex(A[:1])],
    "part": [ex(A, start=0, stop=1), ex(A, start=1, stop=3), ex(A[0], start=1, stop=2)],
    "place": [ex(A, start=0, width=3), ex(A, start=2, width=7), ex(A[0], start=1, width=5)],
    "getitem": [
        ex(CUBE, key=key)
        for key in [
            (1,),
            ("1:",),
            ("::-1", 0),
            (-1, "0:3:2", "::-2"),
            (":", 2, ":"),
            (0, 0, 0),
            ((3, 0, 0),),
            ((1, 0), ":"),
        ]
    ],
    "scatter": [
        ex(A, key=(1, ":", ":"), sizes=(2, 2, 3)),
        ex(A, key=("::2", "::-1"), sizes=(4, 3)),
        ex(A, key=((4, 0, 4),), sizes=(5,)),
        ex(0.3, key=(1, 2), sizes=(2, 3)),
    ],
    "concatenate": [ex(A, B, A[:, :1], axis=-1), ex(A, B[:1], axis=-2), ex(A[0], axis=-1)],
    "stack": [ex(A, B, C, axis=k) for k in (-1, -2, -3)] + [ex(0.3, 0.4, axis=-1)],
    "embedding": [ex([2, 0, 2, 1], A.T), ex([0], A)],
    "one_hot": [ex([2, 0, 2], width=4)],
    "identity": [ex(A)],
    "tanh": [ex(A)],
    "sigmoid": [ex(A)],
    "relu": [ex(A)],
    "is_positive": [ex(A)],
    "softmax": [ex(A), ex(CUBE), ex(A[0])],
    "logsumexp": [ex(A), ex(CUBE), ex(A[0])],
    "log_softmax": [ex(A), ex(CUBE), ex(A[0])],
    "squared_error": [ex(A, B), ex(A[:1], B[:1])],
    "cross_entropy": [ex(A, A, d, tied={1: ops.softmax}) for d in (PROBABILITIES, 1.7 * PROBABILITIES, np.eye(3)[:2])],
    "softmax_error": [ex(PROBABILITIES, np.eye(3)[:2])],
    "bernoulli_cross_entropy": [ex(A, A, PROBABILITIES, tied={1: ops.sigmoid})],
}

# Arguments that get no share though nobody else counts it: the tape refuses to train them.
UNTRAINED = {("cross_entropy", 2), ("softmax_error", 1), ("bernoulli_cross_entropy", 2)}


def bound(name, example):
    return OPS[name].bind(**example.settings) if example.settings else OPS[name]


def receivers(operation, args):
    return [k for k in range(len(args)) if operation.rule(k) and k not in operation.only_read]


EACH = [(f"{name}-{i}", name, e) for name, examples in EXAMPLES.items() for i, e in enumerate(examples)]
