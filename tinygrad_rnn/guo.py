r"""Guo's hand derivation of backpropagation through time: an oracle, never an engine.

Jiang Guo, "BackPropagation Through Time" (2013), equations (1)-(28), in plain NumPy. Nothing here knows the
tape, so agreement between the two is evidence. The report has misprints: an id such as ``"G26"`` always means
the corrected equation and ``"G26-printed"`` the printed one; a function that computes a wrong printed form is
called ``..._as_printed``.

Indices are Guo's: i input, h previous hidden, j hidden, k output, p sample, and time comes first:
``x[t, p, i]``, ``s[t, p, j]``, ``d[t, p, k]``, ``V[j, i]``, ``U[j, h]``, ``W[k, j]``, ``b_j``, ``b_k``.
The sizes are T, n, l, m, o for t, p, i, j (and h), k. Guo's error is ``delta = -dC/dnet``, with the minus.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


# ---------------------------------------------------------------------------------------- the 28 equations


@dataclass(frozen=True)
class Equation:
    """One numbered equation in both readings; ``erratum`` is a key of `ERRATA` or empty."""

    number: int
    section: str
    gives: str
    printed: str
    corrected: str
    erratum: str
    note: str


ERRATA: Mapping[str, str] = MappingProxyType(
    {
        "E1": "(12) names the change of U with the index i of an input; it is h, the previous hidden unit.",
        "E2": "The text after (15) claims (14) for the softmax too; it is only the diagonal of its Jacobian.",
        "E3": "(17) does not follow from (16) with a softmax: it takes the cost -sum d ln y, and sum d = 1.",
        "E4": "(8) has one term; under a softmax every y_q depends on net_k, so there is a sum over q.",
        "E5": "(19) takes f' at s(t-1); it belongs at net(t-1), unless f' is meant as a function of s.",
        "E6": "(22) carries the error back through V, which begins at the input; it came through W.",
        "E7": "(26) lacks its transposes: with U stored as (28) needs it, the error runs the wrong way.",
        "E8": "The sentence before (25) calls the recurrent weight W; it is U.",
        "E9": "The depth is tau in (19), T in (27): z = 0..T are T + 1 copies, so T counts the EXTRA ones.",
        "E10": "Section 4 spells BPTS with 'Through Time'; it is BackPropagation Through Structure.",
    }
)


def _table() -> Mapping[str, Equation]:
    table: dict[str, Equation] = {}

    def eq(
        number: int,
        section: str,
        gives: str,
        note: str,
        printed: str,
        *,
        corrected: str = "",
        erratum: str = "",
    ) -> None:
        printed, corrected = (tex.replace(r"\net", r"\mathrm{net}") for tex in (printed, corrected or printed))
        table[f"G{number}"] = Equation(number, section, gives, printed, corrected, erratum, note)

    # An equation is a paragraph here; one argument to a line would bury it, so the formatter stays out.
    # fmt: off
    eq(1, "1", "hidden state", "A hidden unit squashes its net input.",
       r"s_j(t) = f(\net_j(t))")
    eq(2, "1", "hidden net input", "The input and the previous state meet in one sum.",
       r"\net_j(t) = \sum_i^l x_i(t) v_{ji} + \sum_h^m s_h(t-1) u_{jh} + b_j")
    eq(3, "1", "output", "An output unit squashes its net input.",
       r"y_k(t) = g(\net_k(t))")
    eq(4, "1", "output net input", "The output sees the present state only.",
       r"\net_k(t) = \sum_j^m s_j(t) w_{kj} + b_k")
    eq(5, "2.1", "squared error", "The cost adds over samples and outputs.",
       r"C = \frac{1}{2} \sum_p^n \sum_k^o (d_{pk} - y_{pk})^2")
    eq(6, "2.1", "weight change", "Gradient descent with step eta.",
       r"\Delta(w) = -\eta \frac{\partial C}{\partial w}")
    eq(7, "2.1", "weight change", "The chain rule splits at net, and delta = -dC/dnet is called the error.",
       r"\Delta(w) = -\eta \frac{\partial C}{\partial \net} \frac{\partial \net}{\partial w}")
    eq(8, "2.1", "output error", "Printed for a y_k that depends on net_k alone; in general a sum over q.",
       r"\delta_{pk} = -\frac{\partial C}{\partial y_{pk}} \frac{\partial y_{pk}}{\partial \net_{pk}}"
       r" = (d_{pk} - y_{pk}) g'(\net_{pk})",
       corrected=r"\delta_{pk} = -\sum_q^o \frac{\partial C}{\partial y_{pq}}"
       r" \frac{\partial y_{pq}}{\partial \net_{pk}}"
       r" = \sum_q^o (d_{pq} - y_{pq}) \frac{\partial y_{pq}}{\partial \net_{pk}}", erratum="E4")
    eq(9, "2.1", "hidden error", "A hidden unit answers for every output it feeds.",
       r"\delta_{pj} = -\left(\sum_k^o \frac{\partial C}{\partial y_{pk}}"
       r" \frac{\partial y_{pk}}{\partial \net_{pk}} \frac{\partial \net_{pk}}{\partial s_{pj}}\right)"
       r" \frac{\partial s_{pj}}{\partial \net_{pj}} = \sum_k^o \delta_{pk} w_{kj} f'(\net_{pj})")
    eq(10, "2.1", "change of W", "Error at the head of the weight times value at its tail.",
       r"\Delta w_{kj} = \eta \sum_p^n \delta_{pk} s_{pj}")
    eq(11, "2.1", "change of V", "The same product for the input weights.",
       r"\Delta v_{ji} = \eta \sum_p^n \delta_{pj} x_{pi}")
    eq(12, "2.1", "change of U", "The same product; the tail of a recurrent weight is the previous state.",
       r"\Delta u_{ji} = \eta \sum_p^n \delta_{pj} s_{ph}(t-1)",
       corrected=r"\Delta u_{jh} = \eta \sum_p^n \delta_{pj} s_{ph}(t-1)", erratum="E1")
    eq(13, "2.2", "output", "The logistic sigmoid.",
       r"y = g(\net) = \frac{1}{1 + e^{-\net}}")
    eq(14, "2.2", "output derivative", "Written with y alone; a softmax has a full Jacobian instead.",
       r"g'(\net) = y(1 - y)",
       corrected=r"g'(\net) = y(1 - y) \text{ (sigmoid)}, \quad"
       r" \frac{\partial y_q}{\partial \net_k} = y_q ([q = k] - y_k) \text{ (softmax)}", erratum="E2")
    eq(15, "2.2", "output", "The softmax: outputs are positive and add up to one.",
       r"g(\net_k) = \frac{e^{\net_k}}{\sum_q^o e^{\net_q}}")
    eq(16, "2.2", "cross-entropy", "Printed without the bracket; the sums cover both terms.",
       r"C = -\sum_p^n \sum_k^o d_{pk} \ln y_{pk} + (1 - d_{pk}) \ln(1 - y_{pk})",
       corrected=r"C = -\sum_p^n \sum_k^o \left[ d_{pk} \ln y_{pk} + (1 - d_{pk}) \ln(1 - y_{pk}) \right]")
    eq(17, "2.2", "output error", "The cost is matched to g so that g' cancels.",
       r"\delta_{pk} = -\frac{\partial C}{\partial y_{pk}} \frac{\partial y_{pk}}{\partial \net_{pk}}"
       r" = d_{pk} - y_{pk}",
       corrected=r"\delta_{pk} = d_{pk} - y_{pk} \text{ (sigmoid, (16))}, \quad"
       r" \delta_{pk} = d_{pk} - y_{pk} \sum_q^o d_{pq}"
       r" \text{ (softmax, } C = -\sum_p^n \sum_k^o d_{pk} \ln y_{pk} \text{)}", erratum="E3")
    eq(18, "2.2", "change of W", "(10) with (17) put in, so under the conditions of (17).",
       r"\Delta w_{kj} = \eta \sum_p^n \delta_{pk} s_{pj} = \eta \sum_p^n (d_{pk} - y_{pk}) s_{pj}")
    eq(19, "3", "hidden error one step earlier", "h counts the units at t, j those at t-1.",
       r"\delta_{pj}(t-1) = \sum_h^m \delta_{ph}(t) u_{hj} f'(s_{pj}(t-1))",
       corrected=r"\delta_{pj}(t-1) = \sum_h^m \delta_{ph}(t) u_{hj} f'(\net_{pj}(t-1))", erratum="E5")
    # Section 3.1 stores every matrix [from, to], the transpose of sections 1-3: V l x m, U m x m, W m x o.
    eq(20, "3.1", "output error", "(17) as a vector, under the conditions of (17).",
       r"e_o(t) = d(t) - y(t)")
    eq(21, "3.1", "change of W", "(10) as an outer product; from here on matrices are stored [from, to].",
       r"W(t+1) = W(t) + \eta s(t) e_o(t)^\top")
    eq(22, "3.1", "hidden error", "(9) as a vector.",
       r"e_h(t) = d_h\left(e_o(t)^\top V, t\right)",
       corrected=r"e_h(t) = d_h\left(e_o(t)^\top W^\top, t\right)", erratum="E6")
    eq(23, "3.1", "error through f", "Applied element by element.",
       r"d_{hj}(x, t) = x f'(\net_j)")
    eq(24, "3.1", "change of V", "(11) as an outer product.",
       r"V(t+1) = V(t) + \eta x(t) e_h(t)^\top")
    eq(25, "3.1", "change of U", "(12) as an outer product.",
       r"U(t+1) = U(t) + \eta s(t-1) e_h(t)^\top", erratum="E8")
    eq(26, "3.1", "hidden error one step earlier", "(19) as a vector, repeated down to the oldest copy.",
       r"e_h(t-\tau-1) = d_h\left(e_h(t-\tau) U, t-\tau-1\right)",
       corrected=r"e_h(t-\tau-1) = d_h\left(e_h(t-\tau)^\top U^\top, t-\tau-1\right)", erratum="E7")
    eq(27, "3.1", "change of V, folded", "The T + 1 copies of V are one weight, so their changes add.",
       r"V(t+1) = V(t) + \eta \sum_{z=0}^{T} x(t-z) e_h(t-z)^\top", erratum="E9")
    eq(28, "3.1", "change of U, folded", "The T + 1 copies of U are one weight, so their changes add.",
       r"U(t+1) = U(t) + \eta \sum_{z=0}^{T} s(t-z-1) e_h(t-z)^\top", erratum="E9")
    # fmt: on
    return MappingProxyType(table)


EQUATIONS: Mapping[str, Equation] = _table()


def latex(equation_id: str) -> str:
    """Return the LaTeX of ``"G26"`` (corrected) or of ``"G26-printed"`` (as Guo printed it)."""
    key, dash, reading = equation_id.partition("-")
    if key not in EQUATIONS or (dash and reading != "printed"):
        raise ValueError(
            f"{equation_id!r} is no equation: ask for 'G1' ... 'G28' (the corrected readings) "
            "or for 'G1-printed' ... 'G28-printed'."
        )
    return EQUATIONS[key].printed if dash else EQUATIONS[key].corrected


# ------------------------------------------------------------------------------------ activations f and g


def _sigmoid(net: Array) -> Array:
    z = np.exp(-np.abs(net))  # never overflows, unlike exp(-net)
    return np.asarray(np.where(net >= 0, 1 / (1 + z), z / (1 + z)))


def _softmax(net: Array) -> Array:
    z = np.exp(net - net.max(axis=-1, keepdims=True))  # the shift cancels and keeps exp finite
    return np.asarray(z / z.sum(axis=-1, keepdims=True))


_FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "identity": np.array,
    "softmax": _softmax,
}
_DERIVATIVES: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y * y,
    "identity": np.ones_like,
}


def _one_of(what: str, given: str, allowed: Mapping[str, object] | tuple[str, ...]) -> None:
    if given not in allowed:
        raise ValueError(f"{what} is {given!r}; it must be one of {', '.join(map(repr, allowed))}.")


def activation(name: str, net: Array) -> Array:
    """Apply f or g to a net input (softmax: along the last axis).

    Source: Guo (2013), eqs. (1), (3), (13), (15).
    """
    _one_of("activation", name, _FUNCTIONS)
    return _FUNCTIONS[name](net)


def derivative(name: str, net: Array) -> Array:
    """f'(net), any shape; the softmax has a Jacobian instead. Source: Guo (2013), eq. (14)."""
    _one_of("element-wise activation", name, _DERIVATIVES)
    return _DERIVATIVES[name](_FUNCTIONS[name](net))


def derivative_from_value(name: str, y: Array) -> Array:
    """f'(net) written with y = f(net): y(1 - y), 1 - y^2 or 1. Source: Guo (2013), eq. (14)."""
    _one_of("element-wise activation", name, _DERIVATIVES)
    return _DERIVATIVES[name](y)


def softmax_jacobian(y: Array) -> Array:
    """dy_q/dnet_k of the softmax, (..., o) -> (..., o, o). Corrects E2: Guo (2013), eq. (14) after (15)."""
    return np.asarray(y[..., :, None] * (np.eye(y.shape[-1]) - y[..., None, :]))


def softmax_jacobian_as_printed(y: Array) -> Array:
    """WRONG (E2): eq. (14) taken for the softmax, the diagonal alone, (..., o) -> (..., o, o)."""
    return np.asarray(np.eye(y.shape[-1]) * (y * (1 - y))[..., None, :])


# -------------------------------------------------------------------------------------------- forward pass


def net_hidden(x: Array, s_before: Array, V: Array, U: Array, b_j: Array) -> Array:
    """net_j(t), (..., n, m), from x(t) and s(t-1). Source: Guo (2013), eq. (2)."""
    return np.asarray(x @ V.T + s_before @ U.T + b_j)


def net_output(s: Array, W: Array, b_k: Array) -> Array:
    """net_k(t), (..., n, o), from s(t). Source: Guo (2013), eq. (4)."""
    return np.asarray(s @ W.T + b_k)


# ------------------------------------------------------------- costs, summed over samples and outputs


def _same_shape(y: Array, d: Array) -> None:
    if y.shape != d.shape:
        raise ValueError(
            f"y is {y.shape} and d is {d.shape}: every output needs its desired value, so the "
            "shapes must be equal. Is d one-hot, with time first?"
        )


def _times_log(a: Array, y: Array) -> Array:
    return np.asarray(a * np.log(np.where(a == 0, 1.0, y)))  # 0 ln 0 = 0, the limit


def squared_error(y: Array, d: Array) -> Array:
    """Half the squared error, (..., n, o) -> (...). Source: Guo (2013), eq. (5)."""
    return np.asarray(0.5 * ((d - y) ** 2).sum(axis=(-2, -1)))


def two_term_cross_entropy(y: Array, d: Array) -> Array:
    """Cross-entropy of independent yes-or-no outputs, (..., n, o) -> (...). Source: Guo (2013), eq. (16)."""
    return np.asarray(-(_times_log(d, y) + _times_log(1 - d, 1 - y)).sum(axis=(-2, -1)))


def categorical_cross_entropy(y: Array, d: Array) -> Array:
    """-sum d ln y, the cost that (17) needs with a softmax (E3), (..., n, o) -> (...)."""
    return np.asarray(-_times_log(d, y).sum(axis=(-2, -1)))


# ------------------------------------------------------------------ errors, delta = -dC/dnet (section 2.1)


def output_error_squared(y: Array, d: Array, g: str) -> Array:
    """delta_k of the squared error, (..., n, o). Source: Guo (2013), eq. (8); for the softmax corrects E4."""
    if g == "softmax":
        return np.asarray(y * ((d - y) - (y * (d - y)).sum(axis=-1, keepdims=True)))
    return np.asarray((d - y) * derivative_from_value(g, y))


def output_error_squared_softmax_as_printed(y: Array, d: Array) -> Array:
    """WRONG (E4): eq. (8) with g' = y(1 - y) for a softmax, (..., n, o)."""
    return np.asarray((d - y) * (y * (1 - y)))


def output_error_cross_entropy(y: Array, d: Array, g: str) -> Array:
    """delta_k of the matching cross-entropy, (..., n, o): d - y for a sigmoid, d - y sum_k d for a softmax.

    Source: Guo (2013), eqs. (17), (20); for the softmax corrects E3 (sum_k d = 1 gives d - y back).
    """
    _one_of("g with a cross-entropy", g, ("sigmoid", "softmax"))
    return np.asarray(d - (d.sum(axis=-1, keepdims=True) * y if g == "softmax" else y))


def output_error_two_term_softmax(y: Array, d: Array) -> Array:
    """delta_k of the two-term cost (16) under a softmax, which is not d - y, (..., n, o). Corrects E3."""
    r = (d - y) / (y * (1 - y))  # -dC/dy
    return np.asarray(y * (r - (y * r).sum(axis=-1, keepdims=True)))


def output_error_two_term_softmax_as_printed(y: Array, d: Array) -> Array:
    """WRONG (E3): eq. (17) for the two-term cost (16) under a softmax, (..., n, o)."""
    return np.asarray(d - y)


def d_h(error: Array, net: Array, f: str) -> Array:
    """Take an error from s back to net, element by element, (..., m). Source: Guo (2013), eq. (23)."""
    return np.asarray(error * derivative(f, net))


def hidden_error(delta_k: Array, W: Array, net_j: Array, f: str) -> Array:
    """delta_j(t) from the outputs at t, (..., n, o) -> (..., n, m). Source: Guo (2013), eqs. (9), (22)."""
    return d_h(delta_k @ W, net_j, f)


def hidden_error_as_printed(delta_k: Array, V: Array, net_j: Array, f: str) -> Array:
    """WRONG (E6): eq. (22) with V, which section 3.1 stores as (l, m), the transpose of this V[j, i]."""
    if delta_k.shape[-1] != V.shape[1]:
        raise ValueError(
            f"e_o is {delta_k.shape} and V[j, i] is {V.shape}: (22) as printed multiplies e_o(t) "
            f"by V stored [from, to], so o = {delta_k.shape[-1]} and l = {V.shape[1]} would have to "
            "coincide. This is erratum E6: use hidden_error, which takes W."
        )
    return d_h(delta_k @ V.T, net_j, f)


def hidden_error_before(delta_j: Array, U: Array, net_j_before: Array, f: str) -> Array:
    """delta_j(t-1) from delta_j(t), (..., n, m) -> (..., n, m). Source: Guo (2013), eqs. (19), (26)."""
    return d_h(delta_j @ U, net_j_before, f)


def hidden_error_before_eq19_as_printed(delta_j: Array, U: Array, s_before: Array, f: str) -> Array:
    """WRONG (E5): eq. (19) with f' taken at the state s(t-1), (..., n, m) -> (..., n, m)."""
    return np.asarray((delta_j @ U) * derivative(f, s_before))


def hidden_error_before_eq26_as_printed(delta_j: Array, U: Array, net_j_before: Array, f: str) -> Array:
    """WRONG (E7): eq. (26) with U stored [from, to], as (28) needs it, so ``U.T`` in the indices of (2)."""
    return d_h(delta_j @ U.T, net_j_before, f)


# ------------------------------------------------------------------------------------------ weight changes


def descent(gradient: Array, eta: float) -> Array:
    """Change of a weight whose gradient is known, in the weight's shape. Source: Guo (2013), eq. (6)."""
    return np.asarray(-eta * gradient)


def weight_change(delta: Array, source: Array, eta: float = 1.0) -> Array:
    """Error at the head times value at the tail, summed over p: (..., n, j), (..., n, i) -> (..., j, i).

    With a leading t it gives the change of every copy. Source: Guo (2013), eqs. (7), (10)-(12), (18), (21),
    (24), (25).
    """
    return np.asarray(eta * np.swapaxes(delta, -1, -2) @ source)


def bias_change(delta: Array, eta: float = 1.0) -> Array:
    """Change of a bias, which Guo omits: its tail is the constant 1. (..., n, j) -> (..., j), by eq. (7)."""
    return np.asarray(eta * delta.sum(axis=-2))


def folded_weight_change(delta: Array, source: Array, eta: float = 1.0) -> Array:
    """Add the changes of all copies, (t, n, j), (t, n, i) -> (j, i). Source: Guo (2013), eqs. (27), (28)."""
    return np.asarray(weight_change(delta, source, eta).sum(axis=0))


# -------------------------------------------------------------------------------------- the whole network


@dataclass(frozen=True)
class Forward:
    """A played sequence: net_j (T, n, m), s (T+1, n, m) with s(0) first, net_k and y (T, n, o)."""

    net_j: Array
    s: Array
    net_k: Array
    y: Array


@dataclass(frozen=True)
class Gradients:
    """Gradients (+dC/dw) and errors (-dC/dnet) of one cost.

    ``copies["U"][t-1]`` is dC/dU(t), ``grads["U"]`` the sum of the copies, ``s0`` is dC/ds(0), (n, m);
    ``deltas_k`` is (T, n, o), ``deltas_j`` (T, n, m).
    """

    cost: float
    deltas_k: Array
    deltas_j: Array
    copies: Mapping[str, Array]
    grads: Mapping[str, Array]
    s0: Array


_INDICES = {"V": "ji", "U": "jh", "W": "kj", "b_j": "j", "b_k": "k", "x": "tpi", "s0": "pj", "d": "tpk"}
PARAMETERS = ("V", "U", "W", "b_j", "b_k")


def _checked(params: Mapping[str, Array], **data: Array) -> tuple[Array, ...]:
    """Return all arrays as float64, in the order of `_INDICES`, or say which index does not fit."""
    if set(params) != set(PARAMETERS):
        raise ValueError(f"params has the keys {sorted(params)}; it must have just {', '.join(PARAMETERS)}.")
    arrays = {**{name: params[name] for name in PARAMETERS}, **data}
    sizes: dict[str, tuple[int, str]] = {}
    for name, given in arrays.items():
        array = arrays[name] = np.asarray(given, dtype=np.float64)
        indices = _INDICES[name]
        shown = f"{name} is {array.shape} but is read as {name}[{', '.join(indices)}]"
        if array.ndim != len(indices):
            raise ValueError(
                f"{shown}: it must have {len(indices)} axes, not {array.ndim}. Time comes "
                "first, then the sample, then the unit; a single sample keeps its axis p."
            )
        for index, size in zip(indices.replace("h", "j"), array.shape, strict=True):
            known, where = sizes.setdefault(index, (size, name))
            if size != known:
                raise ValueError(
                    f"{shown}: index {index} has {size} values here and {known} in {where}. "
                    "Make them agree; did you pass the transpose of a weight, or time not first?"
                )
    if "t" in sizes and sizes["t"][0] == 0:
        raise ValueError(f"x is {arrays['x'].shape}: a sequence needs at least one time step.")
    return tuple(arrays.values())


def forward(params: Mapping[str, Array], x: Array, s0: Array, *, f: str = "sigmoid", g: str = "softmax") -> Forward:
    """Play x (T, n, l) from s(0) = s0 (n, m). Source: Guo (2013), eqs. (1)-(4)."""
    _one_of("f", f, _DERIVATIVES)
    _one_of("g", g, _FUNCTIONS)
    V, U, W, b_j, b_k, x, s0 = _checked(params, x=x, s0=s0)
    net_j = np.empty((len(x), *s0.shape))
    s = np.concatenate([s0[None], net_j])
    for t in range(1, len(x) + 1):
        net_j[t - 1] = net_hidden(x[t - 1], s[t - 1], V, U, b_j)
        s[t] = activation(f, net_j[t - 1])
    net_k = net_output(s[1:], W, b_k)
    return Forward(net_j, s, net_k, activation(g, net_k))


def cost(y: Array, d: Array, loss: str = "cross_entropy", g: str = "softmax") -> Array:
    """C(t) for every t, (T, n, o) -> (T,), summed over samples and outputs.

    ``"cross_entropy"`` is the two-term cost for a sigmoid and the categorical one for a softmax. Like the
    report it takes y, so an output that has rounded to exactly 0 or 1 costs infinity (and NumPy warns).
    Source: Guo (2013), eqs. (5), (16).
    """
    _one_of("loss", loss, ("squared_error", "cross_entropy"))
    _same_shape(y, d)
    if loss == "squared_error":
        _one_of("g", g, _FUNCTIONS)
        return squared_error(y, d)
    _one_of("g with a cross-entropy", g, ("sigmoid", "softmax"))
    return two_term_cross_entropy(y, d) if g == "sigmoid" else categorical_cross_entropy(y, d)


def output_error(y: Array, d: Array, loss: str = "cross_entropy", g: str = "softmax") -> Array:
    """delta_k of the cost of the same name, (..., n, o). Source: Guo (2013), eqs. (8), (17), (20)."""
    _one_of("loss", loss, ("squared_error", "cross_entropy"))
    _same_shape(y, d)
    return output_error_squared(y, d, g) if loss == "squared_error" else output_error_cross_entropy(y, d, g)


def _gradients(delta_k: Array, delta_j: Array, x: Array, s: Array, U: Array, *, total: float) -> Gradients:
    # For eta = 1 Guo's changes are -dC/dw (6): the sign is turned here and nowhere else. Subtracting from 0.0
    # keeps a copy that no error reached at 0.0, where a bare minus would show -0.0.
    copies = {
        "V": 0.0 - weight_change(delta_j, x),
        "U": 0.0 - weight_change(delta_j, s[:-1]),
        "W": 0.0 - weight_change(delta_k, s[1:]),
        "b_j": 0.0 - bias_change(delta_j),
        "b_k": 0.0 - bias_change(delta_k),
    }
    grads = {name: np.asarray(copy.sum(axis=0)) for name, copy in copies.items()}
    return Gradients(total, delta_k, delta_j, copies, grads, 0.0 - delta_j[0] @ U)


def gradients(
    params: Mapping[str, Array],
    x: Array,
    d: Array,
    s0: Array,
    *,
    f: str = "sigmoid",
    g: str = "softmax",
    loss: str = "cross_entropy",
    reduction: str = "sum",
) -> Gradients:
    r"""Gradient of the sum (or mean) of C(t) over all t, in one sweep from t = T down to 1.

    :math:`e_h(t) = (W^\top e_o(t) + U^\top e_h(t+1)) \odot f'(net_h(t))`, with :math:`e_h(T+1) = 0`.

    Source: Guo (2013), eqs. (9) and (19) added; equal to eqs. (27), (28) added over all t.
    """
    _one_of("reduction", reduction, ("sum", "mean"))
    played = forward(params, x, s0, f=f, g=g)
    _, U, W, _, _, x, s0, d = _checked(params, x=x, s0=s0, d=d)
    share = 1.0 if reduction == "sum" else 1.0 / len(x)
    delta_k = share * output_error(played.y, d, loss, g)
    delta_j = np.zeros((len(x) + 1, *s0.shape))  # one row more than there are copies: e_h(T+1) = 0
    for t in reversed(range(len(x))):
        delta_j[t] = d_h(delta_k[t] @ W + delta_j[t + 1] @ U, played.net_j[t], f)
    total = share * float(cost(played.y, d, loss, g).sum())
    return _gradients(delta_k, delta_j[:-1], x, played.s, U, total=total)


def gradients_of_one_cost(
    params: Mapping[str, Array],
    x: Array,
    d: Array,
    s0: Array,
    t: int,
    depth: int,
    *,
    f: str = "sigmoid",
    g: str = "softmax",
    loss: str = "cross_entropy",
) -> Gradients:
    """Gradient of C(t) alone, t = 1..T, carried back over ``depth`` EXTRA copies: depth + 1 copies in all.

    ``depth`` is Guo's T in (27), (28), and k2 - 1 of truncated BPTT; copies not reached stay zero, and there
    are none before t = 1. Source: Guo (2013), eqs. (20)-(28).
    """
    played = forward(params, x, s0, f=f, g=g)
    _, U, W, _, _, x, s0, d = _checked(params, x=x, s0=s0, d=d)
    if not 1 <= t <= len(x):
        raise ValueError(f"t is {t}; copies are counted from 1 to T = {len(x)}, s(0) is the initial state.")
    if depth < 0:
        raise ValueError(f"depth is {depth}; it counts the copies beyond the newest one, so it must be >= 0.")
    now = t - 1  # the row of copy t
    delta_k, delta_j = np.zeros_like(played.net_k), np.zeros_like(played.net_j)
    delta_k[now] = output_error(played.y[now], d[now], loss, g)
    delta_j[now] = hidden_error(delta_k[now], W, played.net_j[now], f)
    for row in range(now - 1, max(now - depth, 0) - 1, -1):
        delta_j[row] = hidden_error_before(delta_j[row + 1], U, played.net_j[row], f)
    return _gradients(delta_k, delta_j, x, played.s, U, total=float(cost(played.y, d, loss, g)[now]))
