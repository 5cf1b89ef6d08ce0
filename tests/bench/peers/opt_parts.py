"""What the hand-optimised programs share. Each habit below was measured, and kept where it paid.

*   Every array is made once; every call writes into its place (`out` given by position, `a.dot` bound once).
*   With one sample, rows are vectors: a product of vector and matrix is dispatched faster than a 1-row matrix.
*   A constant is an array without axes: NumPy takes twice as long over a call with a Python float in it.
*   One view object per place: in-place calls on two views of the same memory leave NumPy's fast path.
"""

import numpy as np

add, subtract, multiply, divide, tanh = np.add, np.subtract, np.multiply, np.divide, np.tanh

HIGH, LOW = 80.0, 1e-30  # exp of what lies between them is a normal number, in float32 too


def chunks(problem):
    """Ranges of time steps whose temporaries fit the cache together: longer is slower, shorter is more calls."""
    length = max(16, 16384 // (problem.B * problem.H))
    return [range(t, min(t + length, problem.T)) for t in range(0, problem.T, length)]


def row(a):
    """What one call works on: the matrix (B, n), or its vector if there is one sample."""
    return a[0] if len(a) == 1 else a


def rows(a):
    """The entries a[t] for one call each."""
    return [row(a_t) for a_t in a]


def slots(k, problem, steps):
    """Room for k quantities (B, H) at each step, indexed [slot, t]. One step's slots are adjacent where B = 1."""
    B, H, dtype = problem.B, problem.H, problem.x.dtype
    if B == 1:
        return np.zeros((steps, k, 1, H), dtype).transpose(1, 0, 2, 3)
    return np.zeros((k, steps, B, H), dtype)


def cut(a, t, first, last=None):
    """Slots first..last-1 of step t, for one call: a vector if there is one sample. Without `last`: the one slot."""
    part = a[first : first + 1 if last is None else last, t]
    if part.shape[1] == 1:
        part.shape = (-1,)  # an error if it were not one block: a copy here would lose what is written
        return part
    return part[0] if last is None else part


def through(problem, k):
    """``dot = through(problem, k)(to_j)``; ``dot(U, out)``: out = to_j U, to_j being k adjacent slots of a step."""
    B, H = problem.B, problem.H
    by_sample = np.empty((B, k * H), problem.x.dtype)
    by_gate = by_sample.reshape(B, k, H).transpose(1, 0, 2)

    def of(to_j):
        def dot(U, out):
            np.copyto(by_gate, to_j)  # the gates of a sample side by side: one product, not k and their sum
            by_sample.dot(U, out)

        return to_j.dot if B == 1 else dot

    return of


def head(problem, S, G=None):
    """Softmax head and cost for all time steps at once.

    S is (T*B, H), or (T*B, H+1) with a last column of ones: then b_k rides along in both products. Returns the
    function, dC/dnet_k (written into G where given), and the gradients of W and b_k.
    """
    W, b_k = problem.params["W"], problem.params["b_k"]
    (O, H), n, dtype = W.shape, len(S), W.dtype
    d = problem.d.reshape(n, O)
    net = np.empty((n, O), dtype)
    G = np.empty((n, O), dtype) if G is None else G
    column = np.empty((n, 1), dtype)
    sums, logs, one = column[:, 0], np.empty(n, dtype), np.array(1, dtype)
    flat, flat_d, ones_O, ones_n = net.reshape(-1), d.reshape(-1), np.ones(O, dtype), np.ones(n, dtype)
    biggest, smallest = np.maximum.reduce, np.minimum.reduce
    with_one = S.shape[1] > H
    joined, d_joined = np.empty((2, O, S.shape[1]), dtype)
    d_W, d_b = (d_joined[:, :H], d_joined[:, H]) if with_one else (d_joined, np.empty(O, dtype))

    def exponentials():
        np.exp(net, G)
        G.dot(ones_O, sums)  # a product with ones is six times as fast as sum(axis=1)

    def run():
        if with_one:
            joined[:, :H] = W
            joined[:, H] = b_k
            S.dot(joined.T, net)
        else:
            S.dot(W.T, net)
            add(net, b_k, net)
        # The maximum of each row costs more than the exponentials. One number for all guards against overflow,
        # the least sum against underflow; the rows are looked at only if one of them strikes.
        safe = biggest(flat) < HIGH
        if safe:
            exponentials()
        if not safe or smallest(sums) < LOW:
            subtract(net, net.max(axis=1, keepdims=True), net)
            exponentials()
        np.log(sums, logs)
        cost = ones_n.dot(logs) - flat_d.dot(flat)  # the targets of a row add up to one
        divide(one, column, column)
        multiply(G, column, G)
        subtract(G, d, G)
        G.T.dot(S, d_joined)
        if not with_one:
            ones_n.dot(G, d_b)
        return cost

    return run, G, {"W": d_W, "b_k": d_b}
