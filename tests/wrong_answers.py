"""Wrong answers as students write them, and what a verdict on each must name.

They were written before anybody looked at what the verdicts know, and are not to be fitted to it.
"""

from typing import NamedTuple


class Wrong(NamedTuple):
    """A wrong answer: the code, the term or the kind that the verdict must name, and the first time step.

    Where ``names`` is empty, the mistake is beyond the verdicts, and they must say so.
    """

    lesson: int
    name: str
    code: str
    names: str
    t: int | None = None


WRONG = [
    # ---- lesson 1
    Wrong(1, "ROWS", "5", "number of copies"),
    Wrong(1, "share", "def share(error, state):\n    return np.outer(state, error)", "rows|transpose"),
    Wrong(1, "share", "def share(error, state):\n    return error * state", "shape"),
    Wrong(1, "share", "def share(error, state):\n    return -np.outer(error, state)", "sign"),
    Wrong(1, "share", "def share(error, state):\n    s = np.outer(error, state)", "return"),
    Wrong(1, "share", "def share(error, state):\n    return error @ state", "shape"),
    Wrong(1, "share", "def share(error, state):\n    return [[e + s for s in state] for e in error]", ""),
    Wrong(1, "gradient", "def gradient(ledger):\n    return ledger.sum(axis=0).T", "transpose"),
    Wrong(1, "gradient", "def gradient(ledger):\n    return ledger.sum()", "summed over j and h"),
    Wrong(1, "gradient", "def gradient(ledger):\n    return ledger[0]", "sum over"),
    Wrong(
        1,
        "gradient",
        """
def gradient(ledger):
    total = np.zeros(ledger.shape[1:])
    for t in range(1, len(ledger)):
        total += ledger[t]
    return total
""",
        "first|t = 1|left out",
    ),
    # ---- lesson 2
    Wrong(
        2,
        "ordered",
        """
def ordered(direct):
    result = direct[-1].copy()
    result[-1] = 1
    return result
""",
        "lines in between",
    ),
    Wrong(
        2,
        "ordered",
        """
def ordered(direct):
    n = len(direct)
    g = np.zeros(n)
    g[-1] = 1
    for j in range(n):
        for i in range(j):
            g[i] += g[j] * direct[j, i]
    return g
""",
        "order|backwards|in between",
    ),
    Wrong(2, "DERIVATIVE", "27", "product"),
    Wrong(
        2,
        "backward",
        """
def backward(reads, direct):
    g = np.zeros(len(reads))
    g[-1] = 1
    for j in range(len(reads) - 1, -1, -1):
        for k in range(len(reads[j])):
            g[reads[j][k]] = g[j] * direct[j][k]
    return g
""",
        "sum over the readers",
    ),
    # ---- lesson 3
    Wrong(
        3,
        "waits_for",
        """
def waits_for(reads):
    return np.array([len(r) for r in reads])
""",
        "who hands shares to whom",
    ),
    Wrong(
        3,
        "waits_for",
        """
def waits_for(reads):
    return [sum(i in r for r in reads) for i in range(len(reads))]
""",
        "twice",
    ),
    Wrong(3, "WAYS", "20", "ways"),
    Wrong(
        3,
        "slope",
        """
def slope(s):
    g = 1.0
    for t in range(len(s) - 1, 0, -1):
        g = g * np.tanh(s[t - 1])
    return g
""",
        "gate",
    ),
    Wrong(
        3,
        "slope",
        """
def slope(s):
    g = 1.0
    for t in range(len(s) - 1, 0, -1):
        z = np.tanh(s[t - 1])
        g = g * z + g * s[t - 1] * z * (1 - z)
    return g
""",
        "f'|slope",
    ),
    # ---- lesson 4
    Wrong(4, "net_hidden", "def net_hidden(x, s_before, V, U, b_j):\n    return x @ V.T + s_before @ U.T", "b_j"),
    Wrong(
        4,
        "net_hidden",
        """
def net_hidden(x, s_before, V, U, b_j):
    return x @ V.T + s_before @ U + b_j
""",
        "sum over h",
    ),
    Wrong(
        4,
        "net_hidden",
        """
def net_hidden(x, s_before, V, U, b_j):
    return np.tanh(x @ V.T + s_before @ U.T + b_j)
""",
        "tanh",
    ),
    Wrong(
        4,
        "states",
        """
def states(x, s0, V, U, b_j):
    s = []
    state = s0
    for t in range(len(x)):
        state = np.tanh(x[t] @ V.T + state @ U.T + b_j)
        s.append(state)
    return np.array(s)
""",
        "s\\(0\\)|first|initial",
    ),
    Wrong(
        4,
        "states",
        """
def states(x, s0, V, U, b_j):
    s = np.zeros((len(x) + 1,) + s0.shape)
    s[0] = s0
    for t in range(len(x)):
        s[t + 1] = np.tanh(x[t] @ V.T + s0 @ U.T + b_j)
    return s
""",
        "previous state",
        2,
    ),
    Wrong(
        4,
        "states",
        """
def states(x, s0, V, U, b_j):
    s = [s0]
    for x_t in x:
        s.append(x_t @ V.T + s[-1] @ U.T + b_j)
    return np.stack(s)
""",
        "function f",
        1,
    ),
    Wrong(
        4,
        "outputs",
        """
def outputs(s, W, b_k):
    net_k = s[1:] @ W.T + b_k
    e = np.exp(net_k)
    return e / e.sum(axis=-1, keepdims=True)
""",
        "softmax",
        1,
    ),
    Wrong(4, "outputs", "def outputs(s, W, b_k):\n    return 1 / (1 + np.exp(-s[1:] @ W.T))", "b_k", 1),
    Wrong(4, "SHAPE_OF_V", "(5, 7)", "order of the indices"),
    # ---- lesson 5
    Wrong(5, "output_error", "def output_error(y, d):\n    return (y - d) * y * (1 - y)", "sign"),
    Wrong(5, "output_error", "def output_error(y, d):\n    return d - y", "g'|slope"),
    Wrong(5, "hidden_error", "def hidden_error(delta_k, W, net_j):\n    return delta_k @ W * (1 - net_j ** 2)", "f'"),
    Wrong(5, "hidden_error", "def hidden_error(delta_k, W, net_j):\n    return np.dot(delta_k, W)", "f'"),
    Wrong(5, "change_of_u", "def change_of_u(delta_j, s_before, eta):\n    return delta_j.T @ s_before", "eta"),
    Wrong(
        5,
        "change_of_u",
        """
def change_of_u(delta_j, s_before, eta):
    return eta * np.dot(s_before.T, delta_j)
""",
        "transpose|order of the indices",
    ),
    Wrong(
        5,
        "change_of_u",
        """
def change_of_u(delta_j, s_before, eta):
    n = len(delta_j)
    return eta * sum(np.outer(delta_j[p], s_before[p]) for p in range(n)) / n
""",
        "samples|mean",
    ),
    Wrong(5, "softmax_error", "def softmax_error(y, d):\n    return d - y", "the cost"),
    Wrong(5, "DELTA", "(0.5, 0.75, -0.25)", "factor S"),
    # ---- lesson 6
    Wrong(
        6,
        "error_before",
        """
def error_before(delta_j, net_j_before, U):
    return (U @ delta_j.T).T * (1 - np.tanh(net_j_before) ** 2)
""",
        "U",
    ),
    Wrong(
        6,
        "error_before",
        """
def error_before(delta_j, net_j_before, U):
    return (delta_j @ U) * (1 - net_j_before**2)
""",
        "f'",
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    T = len(net_j)
    s = np.tanh(net_j)
    delta_j = np.zeros_like(net_j)
    delta_j[T - 1] = (delta_k[T - 1] @ W) * (1 - s[T - 1] ** 2)
    for t in range(T - 2, -1, -1):
        delta_j[t] = (delta_k[t] @ W + delta_j[t + 1] @ U) * (1 - np.tanh(s[t]) ** 2)
    return delta_j
""",
        "f'",
        4,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    s = np.tanh(net_j)
    out = [None] * len(net_j)
    later = 0 * net_j[0]
    for t in range(len(net_j) - 1, -1, -1):
        later = (delta_k[t] @ W + later @ U) * (1 - np.tanh(s[t]) ** 2)
        out[t] = later
    return np.array(out)
""",
        "f'",
        5,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    delta_j = np.zeros_like(net_j)
    later = np.zeros_like(net_j[0])
    for t in reversed(range(len(net_j))):
        later = (delta_k[t] @ W + later @ U) * (1 - np.tanh(net_j[t]) ** 2)
        later = np.clip(later, -1, 1)
        delta_j[t] = later
    return delta_j
""",
        "clip",
        5,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    return (delta_k @ W) * (1 - np.tanh(net_j) ** 2)
""",
        "share from t\\+1",
        4,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    delta_j = np.zeros_like(net_j)
    later = np.zeros_like(net_j[0])
    for t in range(len(net_j)):
        later = (delta_k[t] @ W + later @ U) * (1 - np.tanh(net_j[t]) ** 2)
        delta_j[t] = later
    return delta_j
""",
        "order|backwards|forwards|time",
        5,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    T = len(net_j)
    delta_j = np.zeros_like(net_j)
    delta_j[-1] = delta_k[-1] @ W * (1 - np.tanh(net_j[-1]) ** 2)
    for t in range(T - 2, -1, -1):
        delta_j[t] = delta_j[t + 1] @ U * (1 - np.tanh(net_j[t]) ** 2)
    return delta_j
""",
        "share from the output",
        4,
    ),
    Wrong(
        6,
        "gradient_of_u",
        """
def gradient_of_u(delta_j, s):
    return -sum(delta_j[t].T @ s[t + 1] for t in range(len(delta_j)))
""",
        "s\\(t-1\\)|time step|state",
    ),
    Wrong(
        6,
        "gradient_of_u",
        """
def gradient_of_u(delta_j, s):
    return np.einsum("tpj,tph->jh", delta_j, s[:-1])
""",
        "sign",
    ),
    Wrong(
        6,
        "gradient_of_u",
        """
def gradient_of_u(delta_j, s):
    return -np.mean([delta_j[t].T @ s[t] for t in range(len(delta_j))], axis=0)
""",
        "mean|average|sum over the copies",
    ),
    Wrong(
        6,
        "gradient_of_u",
        """
def gradient_of_u(delta_j, s):
    return -np.einsum("tpj,tph->hj", delta_j, s[:-1])
""",
        "transpose|ind(ex|ices)",
    ),
    Wrong(6, "OLDEST_COPY", "2", "oldest copy"),
    # ---- lesson 7
    Wrong(
        7,
        "error_before",
        """
def error_before(e_h, net_before, U):
    return (e_h @ U) * (1 - np.tanh(net_before) ** 2)
""",
        "U",
    ),
    Wrong(
        7,
        "updated_u",
        """
def updated_u(U, s, e_h, t, T, eta):
    for z in range(T):
        U = U + eta * np.outer(s[t - z - 1], e_h[z])
    return U
""",
        "term z = T",
    ),
    Wrong(
        7,
        "updated_u",
        """
def updated_u(U, s, e_h, t, T, eta):
    dU = sum(np.outer(s[t - 1 - z], e_h[z]) for z in range(T + 1))
    return U - eta * dU
""",
        "sign",
    ),
    Wrong(
        7,
        "updated_u",
        """
def updated_u(U, s, e_h, t, T, eta):
    dU = sum(np.outer(s[t - z], e_h[z]) for z in range(T + 1))
    return U + eta * dU
""",
        "s\\(|state|time step",
    ),
    Wrong(
        7,
        "learn",
        """
def learn(w, gradient, eta, updates):
    for i in range(updates):
        w += eta * gradient(w)
    return w
""",
        "sign",
    ),
    Wrong(7, "TERMS", "21", "first|beginning"),
    # ---- lesson 8
    Wrong(
        8,
        "error_before",
        """
def error_before(delta_j, s_before, net_before, U):
    return (delta_j @ U) * s_before * (1 - s_before)
""",
        "f'",
    ),
    Wrong(
        8,
        "two_term_error",
        """
def two_term_error(y, d):
    r = (d - y) / (y * (1 - y))
    return y * (1 - y) * r
""",
        "sum over|softmax|other outputs",
    ),
    Wrong(
        8,
        "folded_v",
        """
def folded_v(x, e_h, t, T):
    return sum(np.outer(x[t - 1 - z], e_h[z]) for z in range(1, T + 1))
""",
        "z = 0|newest|number of|range of z|first",
    ),
    Wrong(
        8,
        "folded_v",
        """
def folded_v(x, e_h, t, T):
    return sum(np.outer(e_h[z], x[t - 1 - z]) for z in range(T + 1))
""",
        "transpose",
    ),
    Wrong(8, "HIDDEN_BY_SYMMETRY", '"E5"', "f'|E5"),
    # ---- lesson 9
    Wrong(
        9,
        "share",
        """
def share(cost, copies, t, j, h):
    eps = 1e-5
    up = copies.copy()
    up[t - 1, j, h] += eps
    down = copies.copy()
    down[t - 1, j, h] -= eps
    return (cost(up) - cost(down)) / eps
""",
        "factor.*2|step",
    ),
    Wrong(
        9,
        "share",
        """
def share(cost, copies, t, j, h):
    up, down = copies.copy(), copies.copy()
    up[t, j, h] += 1e-5
    down[t, j, h] -= 1e-5
    return (cost(up) - cost(down)) / 2e-5
""",
        "time step",
    ),
    Wrong(
        9,
        "tied",
        """
def tied(cost, U, T, j, h):
    def at(e):
        copies = np.array([U] * T)
        copies[-1, j, h] += e
        return cost(copies)
    return (at(1e-5) - at(-1e-5)) / 2e-5
""",
        "copies",
    ),
    Wrong(
        9,
        "gradient",
        """
def gradient(ledgers):
    return np.mean([l.sum(axis=0) for l in ledgers], axis=0)
""",
        "mean|average|sequences",
    ),
    Wrong(9, "MORE_NUMBERS", "160", "more"),
    # ---- lesson 10
    Wrong(10, "of_one_cost", "def of_one_cost(G, t):\n    return G[t].sum(axis=0)", "time step"),
    Wrong(
        10,
        "by_28",
        """
def by_28(G, t, depth):
    return sum(G[t - 1, t - 1 - z] for z in range(depth))
""",
        "number of copies",
    ),
    Wrong(
        10,
        "row_of_the_table",
        """
def row_of_the_table(delta_j, net_j, s, U):
    T = len(net_j)
    row = [None] * T
    for k in range(T - 1, -1, -1):
        row[k] = delta_j.T @ s[k]
        if k:
            delta_j = (delta_j @ U) * (1 - np.tanh(net_j[k - 1]) ** 2)
    return np.array(row)
""",
        "sign",
        5,
    ),
    Wrong(
        10,
        "row_of_the_table",
        """
def row_of_the_table(delta_j, net_j, s, U):
    T = len(net_j)
    row = np.zeros((T, len(U), len(U)))
    for k in range(T - 1, -1, -1):
        row[k] = -delta_j.T @ s[k + 1]
        if k > 0:
            delta_j = (delta_j @ U) * (1 - np.tanh(net_j[k - 1]) ** 2)
    return row
""",
        "state|s\\(",
        5,
    ),
    Wrong(10, "ENTRIES", "190", "diagonal"),
    Wrong(10, "ENTRIES", "400", "above the diagonal"),
    # ---- lesson 11
    Wrong(
        11,
        "mask",
        """
def mask(T, k1, k2):
    m = np.zeros((T, T))
    for end in range(k1, T + 1, k1):
        m[end - k1:end, max(0, end - k2):end] = 1
    return m
""",
        "τ > t|later than t|future",
    ),
    Wrong(
        11,
        "mask",
        """
def mask(T, k1, k2):
    m = np.zeros((T, T))
    for t in range(T):
        for tau in range(max(0, t - k2 + 1), t + 1):
            m[t, tau] = 1
    return m
""",
        "oldest copy",
    ),
    Wrong(
        11,
        "errors_in_chunks",
        """
def errors_in_chunks(delta_k, net_j, U, W, k):
    d = np.zeros_like(net_j)
    carry = np.zeros_like(net_j[0])
    for t in range(len(net_j) - 1, -1, -1):
        d[t] = (delta_k[t] @ W + carry @ U) * (1 - np.tanh(net_j[t]) ** 2)
        carry = d[t]
        if t % k == 0 and t > 0:
            d[t] = 0
    return d
""",
        "",
    ),
    Wrong(
        11,
        "errors_in_chunks",
        """
def errors_in_chunks(delta_k, net_j, U, W, k):
    d = np.zeros_like(net_j)
    carry = np.zeros_like(net_j[0])
    for t in reversed(range(len(net_j))):
        if t % k == 0:
            carry = 0 * carry
        carry = (delta_k[t] @ W + carry @ U) * (1 - np.tanh(net_j[t]) ** 2)
        d[t] = carry
    return d
""",
        "cut|border|chunk",
    ),
    Wrong(11, "FEWEST", "20", "place of the cost"),
    # ---- lesson 12
    Wrong(
        12,
        "influences",
        """
def influences(A, v, T):
    result = []
    for t in range(T):
        v = A @ v
        result.append(v[0])
    return np.array(result)
""",
        "the lag",
        1,
    ),
    Wrong(
        12,
        "expected",
        """
def expected(G, c):
    T = len(G)
    out = 0
    for t in range(T):
        for tau in range(t + 1):
            out = out + c ** (t - tau) * G[t, tau]
    return out
""",
        "probability|1 - c|survive|cut",
    ),
    Wrong(
        12,
        "errors",
        """
def errors(delta_k, net_j, U, W, cuts, c):
    delta_j = np.zeros_like(net_j)
    later = np.zeros_like(net_j[0])
    for row in reversed(range(len(net_j))):
        arrived = delta_k[row] @ W
        if row + 1 < len(net_j) and not cuts[row]:
            arrived = arrived + later @ U
        later = arrived * (1 - np.tanh(net_j[row]) ** 2)
        delta_j[row] = later
    return delta_j
""",
        "1 - c|weight|division|factor",
    ),
    Wrong(12, "FACTOR", "1 / 8", "the weight"),
    # ---- lesson 13
    Wrong(13, "jacobian", "def jacobian(s, U):\n    return U * (1 - s**2)", "unit|slope|row|f'"),
    Wrong(13, "jacobian", "def jacobian(s, U):\n    return U", "f'|slope"),
    Wrong(
        13,
        "errors",
        """
def errors(g, s, U):
    T = len(s) - 1
    e = np.zeros((T + 1, len(g)))
    e[T] = g
    for t in range(T, 0, -1):
        e[t - 1] = (e[t] @ U) * (1 - s[t - 1] ** 2)
    return e
""",
        "f'|slope|dC/dnet",
    ),
    Wrong(
        13,
        "bound",
        """
def bound(U, f, lag):
    rho = max(abs(np.linalg.eigvals(U)))
    return (rho * (0.25 if f == "sigmoid" else 1)) ** lag
""",
        "eigenvalue|spectral radius|singular value",
    ),
    Wrong(
        13,
        "clipped",
        """
def clipped(grads, threshold):
    return np.clip(grads, -threshold, threshold)
""",
        "direction",
    ),
    Wrong(13, "STEPS", "65", "number of steps"),
    # ---- lesson 14
    Wrong(
        14,
        "lstm",
        """
def lstm(x, s, c, V, U, b_j):
    net = x @ V.T + s @ U.T + b_j
    m = s.shape[1]
    i, f, o, g = net[:, :m], net[:, m:2*m], net[:, 2*m:3*m], net[:, 3*m:]
    c = sigma(f) * c + sigma(i) * np.tanh(g)
    return np.array([sigma(o) * np.tanh(c), c])
""",
        "order",
    ),
    Wrong(
        14,
        "lstm",
        """
def lstm(x, s, c, V, U, b_j):
    i, f, g, o = np.split(x @ V.T + s @ U.T + b_j, 4, axis=1)
    c = sigma(f) * c + sigma(i) * np.tanh(g)
    return np.array([sigma(o) * c, c])
""",
        "what is shown",
    ),
    Wrong(
        14,
        "kept",
        """
def kept(f):
    out = [np.ones(f.shape[1])]
    for t in range(len(f)):
        out.append(out[-1] * f[t])
    return np.array(out)
""",
        "direction",
        5,
    ),
    Wrong(
        14,
        "error_of_memory",
        """
def error_of_memory(g_s, g_c, c, o):
    return g_s * o * (1 - np.tanh(c) ** 2)
""",
        "carousel|g_c",
    ),
    Wrong(14, "NUMBERS", "2400", "b_j|bias"),
    # ---- lesson 15
    Wrong(
        15,
        "carried",
        """
def carried(M, s_before, s, U):
    new = M @ U.T
    return new * (1 - s**2)
""",
        "copy|s_before|direct|immediate",
    ),
    Wrong(15, "gradient", "def gradient(M, g):\n    return np.einsum('jhi,j->hi', M, g)", "index|sum over|axis"),
    Wrong(15, "MEGABYTES", "0.08", "units"),
    # ---- lesson 16
    Wrong(16, "flow", "def flow(A, p):\n    return p + A @ p", "what flows along a line"),
    Wrong(
        16,
        "turn",
        """
def turn(lines):
    return np.array([(end, start, gain, delay) for start, end, gain, delay in lines])
""",
        "delay",
    ),
    Wrong(16, "GRAPHS", "20", "U|weights|entries"),
    # ---- lesson 17
    Wrong(17, "best_segment", "def best_segment(T):\n    return int(np.sqrt(T))", "round|root"),
    Wrong(
        17,
        "push",
        """
def push(taps, signal, mu):
    new = np.zeros(len(taps))
    new[0] = signal
    for k in range(1, len(taps)):
        new[k] = (1 - mu) * taps[k] + mu * new[k - 1]
    return new
""",
        "time of tap k-1",
    ),
    Wrong(17, "STEPS_PLAYED", "200", "last"),
    # ---- lesson 18
    Wrong(
        18,
        "beta_traces",
        """
def beta_traces(x, net_j, u_j):
    T = len(x)
    beta = np.zeros((T, len(u_j), x.shape[1]))
    for t in range(T):
        beta[t] = np.outer(1 - np.tanh(net_j[t]) ** 2, x[t])
        if t > 0:
            beta[t] += beta[t - 1]
    return beta
""",
        "u_j",
        2,
    ),
    Wrong(
        18,
        "alpha_traces",
        """
def alpha_traces(s, u_j):
    a = np.zeros((len(s), len(u_j)))
    for t in range(1, len(s)):
        a[t] = u_j * a[t - 1] + s[t]
    return a[1:]
""",
        "state|s\\(",
        1,
    ),
    # ---- lesson 19
    Wrong(
        19,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    slope = 1 - np.tanh(net_j) ** 2
    own = (delta_k @ W) * slope
    delta_j = own.copy()
    for row in reversed(range(len(net_j) - 1)):
        delta_j[row] = own[row] + delta_j[row + 1] @ U
    return delta_j
""",
        "f'|slope",
        4,
    ),
    Wrong(
        19,
        "gradient_of_u",
        """
def gradient_of_u(delta_j, s):
    total = 0
    for t in range(len(delta_j), 0, -1):
        total += -delta_j[t - 1].T @ s[t]
    return total
""",
        "state|s\\(",
    ),
    Wrong(19, "MISTAKE", '"B"', "diagonal|f'|lag"),
    # ---- lesson 20
    Wrong(20, "inputs_at_once", "def inputs_at_once(x, V):\n    return x.reshape(-1, x.shape[-1]) @ V.T", "shape"),
    Wrong(
        20,
        "gradient_in_one_product",
        """
def gradient_in_one_product(delta_j, before):
    m = delta_j.shape[-1]
    return delta_j.reshape(-1, m).T @ before.reshape(-1, m)
""",
        "sign",
    ),
    Wrong(20, "on_a_ring", "def on_a_ring(reads):\n    return np.diag(reads)", "one arrow|longer|itself|way"),
    Wrong(20, "AT_ONCE", '"no"', "net_1|layer|first|order|s_1"),
    # ---- lesson 21
    Wrong(
        21,
        "price_of_counting",
        """
def price_of_counting(train, held_out, K):
    counts = np.array([(train == c).sum() + 1 for c in range(K)])
    p = counts / counts.sum()
    return -np.log2(p[held_out]).mean()
""",
        "logarithm",
    ),
    Wrong(
        21,
        "price_of_counting",
        """
def price_of_counting(train, held_out, K):
    p = (np.bincount(train, minlength=K) + 1) / (len(train) + K)
    return sum(-np.log(p[c]) for c in held_out)
""",
        "mean",
    ),
    Wrong(
        21,
        "clipped",
        """
def clipped(g, threshold):
    return g / np.linalg.norm(g) * threshold
""",
        "short|longer|lengthen|only if|small",
    ),
    Wrong(
        21,
        "adam",
        """
def adam(gs, eta):
    m = v = np.zeros(gs.shape[1])
    out = []
    for g in gs:
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        out.append(-eta * m / (np.sqrt(v) + 1e-8))
    return np.array(out)
""",
        "m_hat|bias|correct|1 - 0.9",
        1,
    ),
    Wrong(21, "COST_AT_THE_START", "3", "one (step|character)|sum"),
    # ---- lesson 22
    Wrong(
        22,
        "unit",
        """
def unit(x, s, V_f, U_f, b_f, V_n, U_n, b_n):
    gate = sigma(np.dot(x, V_f.T) + np.dot(s, U_f.T) + b_f)
    new = np.tanh(np.dot(x, V_n.T) + np.dot(gate * s, U_n.T) + b_n)
    return gate * s + (1 - gate) * new
""",
        "mean",
    ),
    Wrong(
        22,
        "unit",
        """
def unit(x, s, V_f, U_f, b_f, V_n, U_n, b_n):
    f = sigma(x @ V_f.T + s @ U_f.T + b_f)
    n = np.tanh(x @ V_n.T + (f * s) @ U_n.T)
    s = (1 - f) * s + f * n
    return s
""",
        "b_n",
    ),
    Wrong(
        22,
        "unit",
        """
def unit(x, s, V_f, U_f, b_f, V_n, U_n, b_n):
    f = sigma(x @ V_f.T + s @ U_f.T + b_f)
    n = sigma(x @ V_n.T + (f * s) @ U_n.T + b_n)
    return s + f * (n - s)
""",
        "tanh",
    ),
    Wrong(
        22,
        "to_the_state_before",
        """
def to_the_state_before(g_s, g_net_f, g_net_n, f, U_f, U_n):
    return (1 - f) * g_s + f * np.dot(g_net_n, U_n)
""",
        "g_net_f",
    ),
    Wrong(
        22,
        "to_the_state_before",
        """
def to_the_state_before(g_s, g_net_f, g_net_n, f, U_f, U_n):
    return g_s - g_s * f + g_net_f @ U_f + g_net_n @ U_n
""",
        "f",
    ),
    Wrong(
        22,
        "error_of_the_gate",
        """
def error_of_the_gate(g_s, g_net_n, s, n, U_n):
    through_matrix = g_net_n @ U_n.T
    return g_s * (n - s) + through_matrix * s
""",
        "transpose|other index",
    ),
    Wrong(
        22,
        "error_of_the_gate",
        """
def error_of_the_gate(g_s, g_net_n, s, n, U_n):
    return (n - s) * g_s
""",
        "proposal",
    ),
    Wrong(
        22,
        "shares",
        """
def shares(g_net_n, f, before):
    return np.einsum("tpj,tph->tjh", g_net_n, before)
""",
        "multiplied",
        1,
    ),
    Wrong(
        22,
        "shares",
        """
def shares(g_net_n, f, before):
    total = 0
    for g, gate, s in zip(g_net_n, f, before):
        total = total + g.T @ (gate * s)
    return total
""",
        "shape|sum",
    ),
    Wrong(22, "TERMS", "4", "readers"),
    Wrong(22, "LEFT", "(1 / 4) ** 3", "gate"),
    # ---- more, written when the first ones were known
    Wrong(1, "gradient", "def gradient(ledger):\n    return np.cumsum(ledger, axis=0)", "sum|shape"),
    Wrong(
        2,
        "ordered",
        """
def ordered(direct):
    n = len(direct)
    g = np.zeros(n)
    g[n-1] = 1
    for j in range(n-1, 0, -1):
        for i in range(j):
            g[i] += direct[j, i]
    return g
""",
        "reader",
    ),
    Wrong(
        3,
        "waits_for",
        """
def waits_for(reads):
    n = np.ones(len(reads))
    for r in reads:
        for i in r:
            n[i] += 1
    return n
""",
        "one|1|too (large|many)",
    ),
    Wrong(
        3,
        "slope",
        """
def slope(s):
    g = 1.0
    for t in range(1, len(s)):
        z = np.tanh(s[t])
        g = g * (z + s[t] * (1 - z**2))
    return g
""",
        "s|time|place",
    ),
    Wrong(
        4,
        "net_hidden",
        """
def net_hidden(x, s_before, V, U, b_j):
    return x @ V.T + s_before @ U.T - b_j
""",
        "b_j",
    ),
    Wrong(4, "net_hidden", "def net_hidden(x, s_before, V, U, b_j):\n    return x @ V.T + b_j", "sum over h|U"),
    Wrong(
        4,
        "states",
        """
def states(x, s0, V, U, b_j):
    s = [s0]
    for row in x:
        s.append(np.tanh(row @ V.T + s[-1] @ U.T))
    return np.array(s)
""",
        "b_j",
        1,
    ),
    Wrong(
        4,
        "states",
        """
def states(x, s0, V, U, b_j):
    s = [s0]
    for row in x:
        s.append(1 / (1 + np.exp(-(row @ V.T + s[-1] @ U.T + b_j))))
    return np.array(s)
""",
        "logistic",
        1,
    ),
    Wrong(4, "outputs", "def outputs(s, W, b_k):\n    return np.tanh(s[1:] @ W.T + b_k)", "tanh", 1),
    Wrong(5, "output_error", "def output_error(y, d):\n    return (d - y) * (1 - y)", "y|g'"),
    Wrong(5, "output_error", "def output_error(y, d):\n    return (d - y) * (1 - y**2)", "g'|slope"),
    Wrong(
        5,
        "hidden_error",
        """
def hidden_error(delta_k, W, net_j):
    s = np.tanh(net_j)
    return delta_k @ W * s * (1 - s)
""",
        "f'",
    ),
    Wrong(
        5,
        "hidden_error",
        """
def hidden_error(delta_k, W, net_j):
    return -(delta_k @ W) * (1 - np.tanh(net_j) ** 2)
""",
        "sign",
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    d = np.zeros_like(net_j)
    d[-1] = delta_k[-1] @ W * (1 - np.tanh(net_j[-1])**2)
    for t in range(len(net_j) - 2, -1, -1):
        d[t] = (delta_k[t] @ W + d[t+1] @ U) * (1 - np.tanh(net_j[t+1])**2)
    return d
""",
        "f'|net_j",
        4,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    d = np.zeros_like(net_j)
    d[-1] = delta_k[-1] @ W
    for t in range(len(net_j) - 2, -1, -1):
        d[t] = (delta_k[t] @ W + d[t+1] @ U) * (1 - np.tanh(net_j[t])**2)
    return d
""",
        "f'",
        5,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    d = np.zeros_like(net_j)
    for t in range(len(net_j) - 1, -1, -1):
        a = delta_k[t] @ W
        if t + 1 < len(net_j):
            a -= d[t+1] @ U
        d[t] = a * (1 - np.tanh(net_j[t])**2)
    return d
""",
        "sign",
        4,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    d = np.zeros_like(net_j)
    later = 0
    for t in range(len(net_j) - 1, -1, -1):
        e = delta_k[t] @ W + (later @ U if t + 1 < len(net_j) else 0)
        n = np.linalg.norm(e)
        if n > 1:
            e = e / n
        later = e * (1 - np.tanh(net_j[t])**2)
        d[t] = later
    return d
""",
        "clip",
        5,
    ),
    Wrong(
        6,
        "error_before",
        """
def error_before(delta_j, net_j_before, U):
    return (delta_j @ U) * np.tanh(net_j_before)
""",
        "f'",
    ),
    Wrong(6, "gradient_of_u", "def gradient_of_u(delta_j, s):\n    return -delta_j[-1].T @ s[-2]", "copies|last"),
    Wrong(
        6,
        "gradient_of_u",
        """
def gradient_of_u(delta_j, s):
    T, n, m = delta_j.shape
    return -sum(delta_j[t].T @ s[t] for t in range(T)) / n
""",
        "divided|mean|sample",
    ),
    Wrong(
        6,
        "gradient_of_u",
        """
def gradient_of_u(delta_j, s):
    return -sum(delta_j[t].T @ s[t] for t in range(1, len(delta_j)))
""",
        "t = 1|first",
    ),
    Wrong(7, "error_before", "def error_before(e_h, net_before, U):\n    return U @ e_h * (1 - net_before**2)", "f'"),
    Wrong(
        7,
        "updated_u",
        """
def updated_u(U, s, e_h, t, T, eta):
    return eta * sum(np.outer(s[t-1-z], e_h[z]) for z in range(T+1))
""",
        "U",
    ),
    Wrong(
        7,
        "learn",
        """
def learn(w, gradient, eta, updates):
    for _ in range(updates - 1):
        w = w - eta * gradient(w)
    return w
""",
        "loop|updates|step",
    ),
    Wrong(
        8,
        "folded_v",
        """
def folded_v(x, e_h, t, T):
    return np.mean([np.outer(x[t-1-z], e_h[z]) for z in range(T+1)], axis=0)
""",
        "mean",
    ),
    Wrong(
        9,
        "share",
        """
def share(cost, copies, t, j, h):
    a = copies.copy(); a[t-1, j, h] += 1e-5
    return cost(a) - cost(copies)
""",
        "step|divi",
    ),
    Wrong(10, "of_one_copy", "def of_one_copy(G, tau):\n    return G[:, tau - 1].mean(axis=0)", "mean"),
    Wrong(
        10,
        "row_of_the_table",
        """
def row_of_the_table(delta_j, net_j, s, U):
    T = len(net_j)
    row = np.zeros((T,) + U.shape)
    for k in range(T - 1, -1, -1):
        row[k] = -delta_j.T @ s[k]
        delta_j = (delta_j @ U) * (1 - np.tanh(net_j[k]) ** 2)
    return row
""",
        "f'|net_j",
        4,
    ),
    Wrong(11, "mask", "def mask(T, k1, k2):\n    return np.tril(np.ones((T, T)))", "cut|oldest|window|k2"),
    Wrong(11, "target", "def target(t, k):\n    return t + k", "index of the target"),
    Wrong(
        12,
        "influences",
        """
def influences(A, v, T):
    return np.array([(np.linalg.matrix_power(A, z) @ v) for z in range(T)])[:, -1]
""",
        "unit|first|last",
    ),
    Wrong(12, "expected", "def expected(G, c):\n    return G.sum(axis=(0, 1))", "weight|\\(1|exponent|c"),
    Wrong(
        13,
        "bound",
        """
def bound(U, f, lag):
    return np.linalg.norm(U, 2) ** lag * (1 if f == 'tanh' else 0.25)
""",
        "slope|exponent|f",
    ),
    Wrong(
        13,
        "clipped",
        """
def clipped(grads, threshold):
    norm = np.abs(grads).max()
    return grads * min(1, threshold / norm)
""",
        "norm|factor",
    ),
    Wrong(14, "kept", "def kept(f):\n    return np.cumprod(f[::-1], axis=0)[::-1]", "shape|last|end|left out"),
    Wrong(
        14,
        "error_of_memory",
        """
def error_of_memory(g_s, g_c, c, o):
    return g_c + g_s * (1 - np.tanh(c) ** 2)
""",
        "o\\b|gate",
    ),
    Wrong(
        15,
        "carried",
        """
def carried(M, s_before, s, U):
    a = M @ U.T
    for j in range(len(U)):
        a[j, :, j] = s_before
    return (1 - s**2) * a
""",
        "written over|not added|state before",
    ),
    Wrong(15, "gradient", "def gradient(M, g):\n    return (M * g).mean(axis=-1)", "mean"),
    Wrong(
        16,
        "flow_back",
        """
def flow_back(A, q):
    x = q.copy()
    for k in range(len(q) - 1, -1, -1):
        x[k] = q[k] + A[k, k+1:] @ x[k+1:]
    return x
""",
        "direction|indices|A",
    ),
    Wrong(
        17,
        "plays",
        """
def plays(t, places):
    if t == 1: return 1
    if places == 1: return t * (t + 1) // 2
    return min(y + plays(t - y, places - 1) for y in range(1, t))
""",
        "left out|first y|places",
    ),
    Wrong(
        18,
        "beta_traces",
        """
def beta_traces(x, net_j, u_j):
    b = np.zeros((len(x), len(u_j), x.shape[1]))
    for t in range(len(x)):
        b[t] = np.outer(1 - np.tanh(net_j[t])**2, x[t])
    return b
""",
        "step before|u_j",
        2,
    ),
    Wrong(
        18,
        "gradient_of_v",
        """
def gradient_of_v(errors, beta):
    return np.mean(errors[:, :, None] * beta, axis=0)
""",
        "mean",
    ),
    Wrong(
        19,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    slope = 1 - np.tanh(net_j) ** 2
    d = (delta_k @ W) * slope
    for r in range(len(net_j) - 2, -1, -1):
        d[r] = (d[r + 1] @ U) * slope[r]
    return d
""",
        "output at t|own",
        4,
    ),
    Wrong(
        20,
        "inputs_at_once",
        """
def inputs_at_once(x, V):
    T, n, l = x.shape
    return (x.reshape(T * n, l) @ V.T).reshape(n, T, len(V))
""",
        "order of the rows|shape|axes",
    ),
    Wrong(
        20,
        "gradient_in_one_product",
        """
def gradient_in_one_product(delta_j, before):
    return -np.einsum('tpj,tph->tjh', delta_j, before)
""",
        "sum",
    ),
    Wrong(
        21,
        "price_of_counting",
        """
def price_of_counting(train, held_out, K):
    p = np.bincount(train, minlength=K) + 1
    p = p / len(train)
    return -np.log(p[held_out]).mean()
""",
        "sum of the shares|divi",
    ),
    Wrong(
        21,
        "adam",
        """
def adam(gs, eta):
    m = v = 0
    out = []
    for t, g in enumerate(gs):
        m = .9*m + .1*g; v = .999*v + .001*g
        mh = m / (1 - .9**(t+1)); vh = v / (1 - .999**(t+1))
        out.append(-eta * mh / (np.sqrt(abs(vh)) + 1e-8))
    return np.array(out)
""",
        "",
    ),
    Wrong(
        21,
        "states",
        """
def states(step, x, s0, k):
    found, s = [], s0
    for t in range(len(x)):
        found.append(s)
        s = step(x[t], s)
    return np.array(found)
""",
        "which state|one too late",
        1,
    ),
    Wrong(
        6,
        "error_before",
        """
def error_before(delta_j, net_j_before, U):
    print((delta_j @ U) * (1 - np.tanh(net_j_before) ** 2))
""",
        "print",
    ),
    Wrong(6, "hidden_errors", "def hidden_errors(delta_k, net_j):\n    return net_j", "arguments|called"),
    Wrong(
        6,
        "gradient_of_u",
        """
def gradient_of_u(delta_j, s):
    return [d.T @ x for d, x in zip(delta_j, s)]
""",
        "sum|shape",
    ),
    Wrong(
        4,
        "states",
        """
def states(x, s0, V, U, b_j):
    s = np.zeros((len(x) + 1,) + s0.shape, dtype=int)
    for t in range(len(x)):
        s[t + 1] = np.tanh(x[t] @ V.T + s[t] @ U.T + b_j)
    return s
""",
        "whole numbers",
    ),
    Wrong(4, "outputs", "def outputs(s, W, b_k):\n    return np.log(-np.abs(s[1:] @ W.T))", "no number"),
    Wrong(10, "ENTRIES", '"210"', "text|quotes"),
    Wrong(13, "VANISHES", "True", "word"),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    d = np.zeros_like(net_j)
    later = 0 * net_j[0]
    for t in range(len(net_j)-1, -1, -1):
        later = delta_k[t] @ W + later @ U
        d[t] = later * (1 - np.tanh(net_j[t])**2)
    return d
""",
        "f'|handed",
        4,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    d = np.zeros_like(net_j)
    later = 0 * net_j[0]
    for t in range(len(net_j)-1, -1, -1):
        s = np.tanh(net_j[t])
        later = (delta_k[t] @ W + later @ U) * s * (1 - s)
        d[t] = later
    return d
""",
        "f'",
        5,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    d = np.zeros_like(net_j)
    later = 0 * net_j[0]
    for t in range(len(net_j)-1, -1, -1):
        later = (delta_k[t] @ W + later @ U) * (1 - net_j[t]**2)
        d[t] = later
    return d
""",
        "f'",
        5,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    d = np.zeros_like(net_j)
    later = 0 * net_j[0]
    for t in range(len(net_j)-1, -1, -1):
        later = (delta_k[t] @ W + later @ U.T) * (1 - np.tanh(np.tanh(net_j[t]))**2)
        d[t] = later
    return d
""",
        "f'.*U|U.*f'|share from t.1.*f'|f'.*share",
        5,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    d = np.zeros_like(net_j)
    later = 0 * net_j[0]
    for t in range(len(net_j)-1, -1, -1):
        later = np.clip((delta_k[t] @ W + later @ U) * (1 - np.tanh(net_j[t])**2), -0.7, 0.7)
        d[t] = later
    return d
""",
        "clip",
        5,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    d = np.zeros_like(net_j)
    later = 0 * net_j[0]
    for t in range(len(net_j)-1, -1, -1):
        later = (delta_k[t] @ W + later @ U) * (1 - np.tanh(net_j[t])**2)
        d[t] = later
    return d[::-1]
""",
        "order",
        5,
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    d = np.zeros(net_j.shape, dtype=int)
    for t in range(len(net_j)-1, -1, -1):
        later = d[t+1] @ U if t + 1 < len(net_j) else 0
        d[t] = (delta_k[t] @ W + later) * (1 - np.tanh(net_j[t])**2)
    return d
""",
        "whole numbers",
    ),
    Wrong(
        6,
        "hidden_errors",
        """
def hidden_errors(delta_k, net_j, U, W):
    d = []
    later = 0 * net_j[0]
    for t in range(len(net_j)-1, -1, -1):
        later = (delta_k[t] @ W + later @ U) * (1 - np.tanh(net_j[t])**2)
        d.append(later)
    return np.array(d)
""",
        "order",
        5,
    ),
    Wrong(
        6,
        "gradient_of_u",
        """
def gradient_of_u(delta_j, s):
    return -np.einsum('tpj,tph->jh', delta_j, s[1:])
""",
        "state|place in s",
    ),
    Wrong(
        6,
        "gradient_of_u",
        """
def gradient_of_u(delta_j, s):
    return -np.einsum('tpj,tpk->jk', delta_j, s[1:]) / len(delta_j)
""",
        "mean|sum over",
    ),
    Wrong(
        6,
        "gradient_of_u",
        """
def gradient_of_u(delta_j, s):
    return -np.einsum('tj,th->jh', delta_j[:, 0], s[:-1, 0])
""",
        "sample|axis 1",
    ),
    Wrong(
        11,
        "mask",
        """
def mask(T, k1, k2):
    a = np.tril(np.ones((T, T)))
    return a - np.tril(a, -k2)
""",
        "oldest copy",
    ),
    Wrong(
        11,
        "mask",
        """
def mask(T, k1, k2):
    m = np.zeros((T, T))
    for end in range(k1, T + 1, k1):
        for t in range(end - k1 + 1, end + 1):
            for tau in range(max(1, end - k2 + 1), t + 1):
                m[tau - 1, t - 1] = 1
    return m
""",
        "transpose",
    ),
    Wrong(
        11,
        "mask",
        """
def mask(T, k1, k2):
    m = np.zeros((T, T))
    for end in range(k1, T, k1):
        for t in range(end - k1 + 1, end + 1):
            m[t - 1, max(0, end - k2):t] = 1
    return m
""",
        "last",
    ),
    Wrong(
        11,
        "errors_in_chunks",
        """
def errors_in_chunks(delta_k, net_j, U, W, k):
    d = np.zeros_like(net_j)
    for a in range(0, len(net_j), k):
        later = 0 * net_j[0]
        for t in range(a + k - 1, a - 1, -1):
            later = (delta_k[t] @ W + later @ U) * (1 - np.tanh(np.tanh(net_j[t]))**2)
            d[t] = later
    return d
""",
        "f'",
        6,
    ),
    Wrong(
        11,
        "errors_in_chunks",
        """
def errors_in_chunks(delta_k, net_j, U, W, k):
    d = np.zeros_like(net_j)
    for a in range(0, len(net_j), k):
        for t in range(a + k - 1, a - 1, -1):
            d[t] = (delta_k[t] @ W) * (1 - np.tanh(net_j[t])**2)
    return d
""",
        "share from t.1",
        5,
    ),
    Wrong(
        11,
        "in_pieces",
        """
def in_pieces(step, x, s0, k):
    out = []
    s = s0
    for t in range(len(x)):
        if t % k == 0:
            s = np.zeros_like(s0)
        s = step(x[t], s)
        out.append(s)
    return np.array(out)
""",
        "state|border|zero|chunk",
    ),
    Wrong(11, "target", "def target(t, k):\n    return t + k + 1", "index|too large|sign"),
    Wrong(
        12,
        "errors",
        """
def errors(delta_k, net_j, U, W, cuts, c):
    delta_j = np.zeros_like(net_j)
    later = np.zeros_like(net_j[0])
    for row in reversed(range(len(net_j))):
        arrived = delta_k[row] @ W
        if row + 1 < len(net_j) and not cuts[row]:
            arrived = arrived + later @ U / c
        later = arrived * (1 - np.tanh(net_j[row]) ** 2)
        delta_j[row] = later
    return delta_j
""",
        "c\\b",
    ),
    Wrong(12, "copies_needed", "def copies_needed(row):\n    return len(row)", ""),
    Wrong(13, "jacobian", "def jacobian(s, U):\n    return (1 - s)[:, None] * U", "f'"),
    Wrong(13, "jacobian", "def jacobian(s, U):\n    return np.diag(1 - s**2) @ U.T", "U|transpose|index"),
    Wrong(
        13,
        "errors",
        """
def errors(g, s, U):
    e = np.zeros_like(s)
    e[-1] = g
    for t in range(len(s) - 1, 0, -1):
        e[t-1] = U @ (e[t] * (1 - s[t]**2))
    return e
""",
        "U",
        4,
    ),
    Wrong(
        14,
        "lstm",
        """
def lstm(x, s, c, V, U, b_j):
    i, f, g, o = np.split(x @ V.T + s @ U.T, 4, axis=1)
    c = sigma(f) * c + sigma(i) * np.tanh(g)
    return np.array([sigma(o) * np.tanh(c), c])
""",
        "b_j",
    ),
    Wrong(
        15,
        "gradients",
        """
def gradients(g, s, U):
    m = len(U)
    M, found = np.zeros((m, m, m)), []
    for t in range(1, len(s)):
        M = M @ U.T
        for j in range(m):
            M[j, :, j] += s[t]
        M = (1 - s[t] ** 2) * M
        found.append(M @ g[t - 1])
    return np.array(found)
""",
        "place in s|state",
        1,
    ),
    Wrong(17, "best_segment", "def best_segment(T):\n    return int(np.ceil(np.sqrt(T)))", "rounding"),
    Wrong(
        18,
        "alpha_traces",
        """
def alpha_traces(s, u_j):
    a = np.zeros((len(s) - 1, len(u_j)))
    for t in range(1, len(s) - 1):
        a[t] = u_j * a[t-1] + s[t]
    return a
""",
        "first|s\\(0\\)|state",
        1,
    ),
    Wrong(
        19,
        "signature",
        """
def signature(got, right):
    codes = np.zeros(got.shape[:2], int)
    for t, tau in np.ndindex(codes.shape):
        if np.allclose(got[t, tau], right[t, tau]):
            codes[t, tau] = 0
        elif not got[t, tau].any():
            codes[t, tau] = 2
        else:
            codes[t, tau] = 1
    return codes
""",
        "1|2|exchang|code",
    ),
    Wrong(20, "on_a_ring", "def on_a_ring(reads):\n    return np.diag(reads @ reads)", "ways|way"),
    Wrong(
        21,
        "clipped",
        """
def clipped(g, threshold):
    return g * max(1.0, threshold / np.linalg.norm(g))
""",
        "max|min",
    ),
    Wrong(
        21,
        "adam",
        """
def adam(gs, eta):
    m = v = np.zeros(gs.shape[1])
    out = []
    for t, g in enumerate(gs):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        out.append(-eta * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8))
    return np.array(out)
""",
        "no number|end",
        1,
    ),
    # ---- lesson 23
    Wrong(23, "nmse", "def nmse(d, y):\n    return np.sum((d - y) ** 2) / np.sum(d**2)", "mean"),
    Wrong(23, "nmse", "def nmse(d, y):\n    return np.sqrt(np.mean((d - y) ** 2) / np.var(d))", "square"),
    Wrong(
        23,
        "scaled",
        """
def scaled(values, known):
    mean, std = np.mean(values[:known]), np.std(values)
    return [(v - mean) / std for v in values]
""",
        "to be told",
        1,
    ),
    Wrong(
        23,
        "scaled",
        "def scaled(values, known):\n    return (values - np.mean(values)) / np.std(values)",
        "to be told",
        1,
    ),
    Wrong(
        23,
        "season_before",
        "def season_before(known, season, steps):\n    return np.full(steps, known[-1])",
        "season",
        1,
    ),
    Wrong(
        23,
        "autoregression",
        """
def autoregression(x, order):
    rows = []
    for t in range(order, len(x)):
        rows.append([1.0] + [x[t - order + i] for i in range(order)])
    return np.linalg.lstsq(np.array(rows), x[order:], rcond=None)[0]
""",
        "order of the weights",
    ),
    Wrong(
        23,
        "free_run",
        """
def free_run(step, s, x, steps):
    out = np.zeros(steps)
    for k in range(steps):
        out[k], s = step(x, s)
    return out
""",
        "what is read",
        2,
    ),
    Wrong(
        23,
        "free_run",
        """
def free_run(step, s, x, steps):
    out = []
    while len(out) < steps:
        out.append(step(out[-1] if out else x, s)[0])
    return np.array(out)
""",
        "state",
        2,
    ),
    Wrong(23, "ECHO", "1", "variance"),
    Wrong(23, "ECHO", "0", "shift"),
    # ---- lesson 24
    Wrong(
        24,
        "best_so_far",
        """
def best_so_far(costs):
    best = []
    for k in range(len(costs)):
        best.append(min(costs[k:]))
    return np.array(best)
""",
        "order|before|direction",
    ),
    Wrong(
        24,
        "best_so_far",
        """
def best_so_far(costs):
    best = [np.inf]
    for c in costs[:-1]:
        best.append(min(best[-1], c))
    return np.array(best)
""",
        "end|before|look|step",
    ),
    Wrong(
        24, "best_so_far", "def best_so_far(costs):\n    return np.full(len(costs), costs.min())", "before|order|so far"
    ),
    Wrong(24, "best_so_far", "def best_so_far(costs):\n    return min(costs)", "shape"),
    Wrong(
        24,
        "squared_cosines",
        """
def squared_cosines(directions, gradient):
    out = []
    for d in directions:
        out.append(np.dot(d, gradient) ** 2 / (np.linalg.norm(d) * np.linalg.norm(gradient)))
    return out
""",
        "square|length",
    ),
    Wrong(
        24,
        "squared_cosines",
        """
def squared_cosines(directions, gradient):
    d = directions / np.linalg.norm(directions)
    g = gradient / np.linalg.norm(gradient)
    return (d @ g) ** 2
""",
        "over everything|length",
    ),
    Wrong(
        24,
        "squared_cosines",
        """
def squared_cosines(directions, gradient):
    cos = directions @ gradient / (np.linalg.norm(directions, axis=1) * np.linalg.norm(gradient))
    return 1 - cos**2
""",
        "cos|sin|1 -|square|share",
    ),
    Wrong(
        24,
        "new_middle",
        """
def new_middle(mean, spread, z, costs, utility):
    best = z[np.argsort(costs)[::-1]]
    step = np.zeros_like(mean)
    for u, row in zip(utility, best):
        step = step + u * row
    return mean + spread * step
""",
        "best",
    ),
    Wrong(
        24,
        "new_middle",
        """
def new_middle(mean, spread, z, costs, utility):
    order = np.argsort(costs)
    tried = mean + spread * z[order]
    return mean + utility @ tried * spread
""",
        "",
    ),
    Wrong(
        24,
        "new_middle",
        """
def new_middle(mean, spread, z, costs, utility):
    order = np.argsort(costs)
    return mean - spread * (utility @ z[order])
""",
        "sign",
    ),
    Wrong(
        24,
        "new_middle",
        """
def new_middle(mean, spread, z, costs, utility):
    order = np.argsort(costs)
    return spread * np.sum(utility[:, None] * z[order], axis=0)
""",
        "mean",
    ),
    Wrong(24, "BY_MEASURING", "10 * 2 * 55", "side"),
    Wrong(24, "BY_BPTT", "10", "way back"),
    # ---- lesson 25
    Wrong(
        25,
        "prominence",
        """
def prominence(cost, i):
    left, right = cost[:i], cost[i + 1:]
    walls = [side.max() for side in (left, right) if len(side)]
    return min(walls) - cost[i]
""",
        "lower ground",
    ),
    Wrong(
        25,
        "prominence",
        """
def prominence(cost, i):
    return min(cost[i - 1], cost[i + 1]) - cost[i]
""",
        "lower ground|neighbour",
    ),
    Wrong(
        25,
        "prominence",
        """
def prominence(cost, i):
    passes = []
    for step in (-1, 1):
        k, top = i, cost[i]
        while 0 <= k < len(cost) and cost[k] >= cost[i]:
            top = max(top, cost[k])
            k += step
        passes.append(top)
    return min(passes) - cost[i]
""",
        "lower|pass|range|edge",
    ),
    Wrong(
        25,
        "scaled",
        """
def scaled(w, z):
    out = np.zeros_like(z)
    for j in range(len(w)):
        out[j] = z[j] / np.linalg.norm(z[j])
    return out
""",
        "factor with w|length",
    ),
    Wrong(
        25,
        "scaled",
        """
def scaled(w, z):
    return z * np.linalg.norm(z, axis=1, keepdims=True) / np.linalg.norm(w, axis=1, keepdims=True)
""",
        "ratio|exchang",
    ),
    Wrong(
        25,
        "scaled",
        """
def scaled(w, z):
    rows = []
    for a, b in zip(w, z):
        rows.append(b * np.sum(a**2) / np.sum(b**2))
    return np.array(rows)
""",
        "square|root|length",
    ),
    Wrong(
        25,
        "growth",
        """
def growth(J, v):
    total = 0
    for A in J:
        new = A @ v
        total += np.log(np.linalg.norm(new) / np.linalg.norm(v))
    return total / len(J)
""",
        "push|v|before",
    ),
    Wrong(
        25,
        "growth",
        """
def growth(J, v):
    x = v.copy()
    for t in range(1, len(J)):
        x = J[t] @ x
    return np.log(np.linalg.norm(x) / np.linalg.norm(v)) / len(J)
""",
        "first|left out",
    ),
    Wrong(
        25,
        "growth",
        """
def growth(J, v):
    x = v
    for t in range(len(J)):
        x = J[t] @ x
    return (np.linalg.norm(x) / np.linalg.norm(v)) ** (1 / len(J))
""",
        "log",
    ),
    Wrong(
        25,
        "growth",
        """
def growth(J, v):
    P = np.eye(len(v))
    for A in J:
        P = P @ A
    return np.log(np.linalg.norm(P @ v) / np.linalg.norm(v)) / len(J)
""",
        "order",
    ),
    Wrong(25, "VALUES", "1", "period"),
    Wrong(25, "COUNT", "'80'", "grid"),
    # ---- lesson 26
    Wrong(
        26,
        "share_diverged",
        """
def share_diverged(start, cost):
    bad = 0
    for s, c in zip(start, cost):
        if np.isnan(c) or np.isinf(c):
            bad += 1
    return bad / len(cost)
""",
        "ten times",
    ),
    Wrong(
        26,
        "share_diverged",
        """
def share_diverged(start, cost):
    bad = [c for s, c in zip(start, cost) if not c <= 10 * s]
    return len(bad)
""",
        "mean|sum",
    ),
    Wrong(
        26,
        "share_diverged",
        """
def share_diverged(start, cost):
    ok = np.isfinite(cost)
    return np.mean(cost[ok] > 10 * start[ok])
""",
        "NaN|number|isfinite|finite",
    ),
    Wrong(
        26,
        "share_diverged",
        """
def share_diverged(start, cost):
    return np.mean(np.isnan(cost) | np.isinf(cost) | (cost > start))
""",
        "ten times|10",
    ),
    Wrong(
        26,
        "clipped_step",
        """
def clipped_step(g, threshold, eta):
    norm = np.linalg.norm(g)
    if norm > threshold:
        g = g / norm
    return -eta * g
""",
        "threshold",
    ),
    Wrong(
        26,
        "clipped_step",
        """
def clipped_step(g, threshold, eta):
    step = -eta * g
    norm = np.linalg.norm(step)
    if norm > threshold:
        step = step * threshold / norm
    return step
""",
        "shortened",
    ),
    Wrong(
        26,
        "clipped_step",
        """
def clipped_step(g, threshold, eta):
    if np.sum(g**2) > threshold:
        g = g * threshold / np.sum(g**2)
    return -eta * g
""",
        "root|length|square",
    ),
    Wrong(
        26,
        "clipped_step",
        """
def clipped_step(g, threshold, eta):
    return -eta * np.minimum(g, threshold)
""",
        "",
    ),
    Wrong(
        26,
        "middles",
        """
def middles(cost, cell, count):
    out = []
    for k in range(1, count + 1):
        out.append(np.median(cost[cell == k]) if (cell == k).any() else 0)
    return np.array(out)
""",
        "cell|count|first|place",
    ),
    Wrong(
        26,
        "middles",
        """
def middles(cost, cell, count):
    out = np.zeros(count)
    for k in range(count):
        those = np.sort(cost[cell == k])
        out[k] = those[len(those) // 2]
    return out
""",
        "median|middle",
    ),
    Wrong(
        26,
        "middles",
        "def middles(cost, cell, count):\n    return [sum(cost[cell == k]) / sum(cell == k) for k in range(count)]",
        "median",
    ),
    Wrong(26, "POINTS", "7 * 7 * 2", "seed"),
    Wrong(26, "CALLS_LEFT", "392", "done"),
]
