"""The same network in five other notations: which letter is which, which way round it stands, where the bias is.

The page "Notation" shows the tables; `test_notation.py` gives each system our weights as its row says, lets it compute
by its own formula, in its own names, and holds what comes out against our net.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from canonical import problem
from tinygrad_rnn.guo import activation

Array = np.ndarray
Step = Callable[..., tuple[Array, Array]]

NAMES = ("V", "U", "W", "b_j", "b_k")


class System(NamedTuple):
    """A notation: its formulas, for each weight of ours what stands for it there, and one time step, computed."""

    name: str
    hidden: str
    output: str
    of_one: tuple[int, ...]  # the shape in which one sample's vector is written
    weights: Mapping[str, Mapping[str, str]]
    step: Step


# What can be done to a weight of ours. "{}" stands for its name.
FORMS: dict[str, Callable[[Array], Array]] = {
    "{}": lambda w: w,
    "{}.T": lambda w: w.T,
    "{}[:, None]": lambda w: w[:, None],
    "0": np.zeros_like,
}


def softmax(row: Array) -> Array:
    return activation("softmax", row)


def pytorch(x, h, rnn_weight_ih_l0, rnn_weight_hh_l0, rnn_bias_ih_l0, rnn_bias_hh_l0, linear_weight, linear_bias):
    h = np.tanh(x @ rnn_weight_ih_l0.T + rnn_bias_ih_l0 + h @ rnn_weight_hh_l0.T + rnn_bias_hh_l0)
    return h, softmax(h @ linear_weight.T + linear_bias)


def flax(x, h, dense_i_kernel, dense_i_bias, dense_h_kernel, out_kernel, out_bias):
    h = np.tanh(x @ dense_i_kernel + dense_i_bias + h @ dense_h_kernel)
    return h, softmax(h @ out_kernel + out_bias)


def d2l(X, H, W_xh, W_hh, b_h, W_hq, b_q):
    H = np.tanh(X @ W_xh + H @ W_hh + b_h)
    return H, softmax(H @ W_hq + b_q)


def goodfellow(x, h, b, W, U, c, V):
    a = b + W @ h + U @ x
    h = np.tanh(a)
    o = c + V @ h
    return h, softmax(o)


def min_char_rnn(x, h, Wxh, Whh, Why, bh, by):
    h = np.tanh(np.dot(Wxh, x) + np.dot(Whh, h) + bh)
    y = np.dot(Why, h) + by
    return h, np.exp(y) / np.sum(np.exp(y))


SYSTEMS = {
    "PyTorch": System(
        "`torch.nn.RNN` and a `Linear`",
        r"h_t = \tanh(x_t W_{ih}^\top + b_{ih} + h_{t-1} W_{hh}^\top + b_{hh})",
        r"\mathrm{softmax}(h_t A^\top + b)",
        (1, -1),
        {
            "V": {"rnn.weight_ih_l0": "{}"},
            "U": {"rnn.weight_hh_l0": "{}"},
            "W": {"linear.weight": "{}"},
            "b_j": {"rnn.bias_ih_l0": "{}", "rnn.bias_hh_l0": "0"},
            "b_k": {"linear.bias": "{}"},
        },
        pytorch,
    ),
    "JAX with Flax": System(
        "`nnx.SimpleCell` and a `Linear` called `out`",
        r"h' = \tanh(x W_i + b_i + h W_h)",
        r"\mathrm{softmax}(h' W + b)",
        (1, -1),
        {
            "V": {"dense_i.kernel": "{}.T"},
            "U": {"dense_h.kernel": "{}.T"},
            "W": {"out.kernel": "{}.T"},
            "b_j": {"dense_i.bias": "{}"},
            "b_k": {"out.bias": "{}"},
        },
        flax,
    ),
    "d2l": System(
        "*Dive into Deep Learning* {cite:p}`zhang2023`",
        r"H_t = \phi(X_t W_{xh} + H_{t-1} W_{hh} + b_h)",
        r"O_t = H_t W_{hq} + b_q",
        (1, -1),
        {
            "V": {"W_xh": "{}.T"},
            "U": {"W_hh": "{}.T"},
            "W": {"W_hq": "{}.T"},
            "b_j": {"b_h": "{}"},
            "b_k": {"b_q": "{}"},
        },
        d2l,
    ),
    "Goodfellow et al.": System(
        "*Deep Learning* {cite:p}`goodfellow2016`",
        r"a^{(t)} = b + W h^{(t-1)} + U x^{(t)},\quad h^{(t)} = \tanh(a^{(t)})",
        r"o^{(t)} = c + V h^{(t)},\quad \hat y^{(t)} = \mathrm{softmax}(o^{(t)})",
        (-1,),
        {"V": {"U": "{}"}, "U": {"W": "{}"}, "W": {"V": "{}"}, "b_j": {"b": "{}"}, "b_k": {"c": "{}"}},
        goodfellow,
    ),
    "min-char-rnn": System(
        "Karpathy's program {cite:p}`karpathy2015`",
        r"h_t = \tanh(W_{xh} x_t + W_{hh} h_{t-1} + b_h)",
        r"y_t = W_{hy} h_t + b_y,\quad p_t = \mathrm{softmax}(y_t)",
        (-1, 1),
        {
            "V": {"Wxh": "{}"},
            "U": {"Whh": "{}"},
            "W": {"Why": "{}"},
            "b_j": {"bh": "{}[:, None]"},
            "b_k": {"by": "{}[:, None]"},
        },
        min_char_rnn,
    ),
}


def translated(system: System, params: Mapping[str, Array]) -> dict[str, Array]:
    """Our weights under that system's names, in its shapes."""
    return {theirs: FORMS[form](params[ours]) for ours, row in system.weights.items() for theirs, form in row.items()}


def play(system: System, weights: Mapping[str, Array], x: Array, s0: Array) -> tuple[Array, Array]:
    """Its hidden units and outputs over time, sample by sample, in the shapes (T, n, m) and (T, n, o) of ours."""
    named = {name.replace(".", "_"): w for name, w in weights.items()}
    samples = []
    for p in range(len(s0)):
        h, played = s0[p].reshape(system.of_one), []
        for x_t in x[:, p]:
            h, y = system.step(x_t.reshape(system.of_one), h, **named)
            played.append((h.ravel(), y.ravel()))
        samples.append(played)
    hidden, outputs = (np.stack([[at[k] for at in played] for played in samples], axis=1) for k in (0, 1))
    return hidden, outputs


def table() -> list[list[str]]:
    """A row for each weight of ours: what it is called in each system, what that is made of, and its shape."""
    p = problem()
    l, m, o = p.params["V"].shape[1], p.params["U"].shape[0], p.params["W"].shape[0]
    letters = {1: "1", l: "l", m: "m", o: "o"}
    rows = [["here", *SYSTEMS]]
    for ours in NAMES:
        cells = [f"`{ours}`<br>{shape(p.params[ours], letters)}"]
        for system in SYSTEMS.values():
            found = translated(system, p.params)
            cells.append(
                "<br>".join(
                    f"`{theirs}` = `{form.format(ours)}`<br>{shape(found[theirs], letters)}"
                    for theirs, form in system.weights[ours].items()
                )
            )
        rows.append(cells)
    of_one = {(1, -1): "rows, `(n, l)`", (-1,): "vector, `(l,)`", (-1, 1): "column, `(l, 1)`"}
    rows.append(["`x[t]`: rows, `(n, l)`", *(of_one[system.of_one] for system in SYSTEMS.values())])
    return rows


def formulas() -> list[list[str]]:
    """A row for each system: whose it is, and its hidden units and output in its own letters."""
    said = [[f"{key}: {s.name}", f"${s.hidden}$<br>${s.output}$"] for key, s in SYSTEMS.items()]
    return [["system", "hidden units and output"], *said]


def shape(w: Array, letters: Mapping[int, str]) -> str:
    named = ", ".join(letters[size] for size in w.shape)
    return f"`({named}{',' * (w.ndim == 1)})`"
