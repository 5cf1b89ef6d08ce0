# %% [markdown]
# # Four equations and their letters: one time step
#
# * **Goal**: write (1) to (4) from memory, with the right transposes
# * **Needs**: matrix products
# * **Words**: hidden state, initial state, activation function, weight matrix, transpose
#
# So far the tape did the work. From here on we follow a person. Jiang Guo's report *BackPropagation Through Time*
# (2013) derives everything by hand, in 28 numbered equations on six pages. This lesson is its section 1: what
# the network is, before anybody speaks of errors.
#
# Four equations, and one question that has to be settled once: **which way round is a weight matrix?**
#
# ## The picture
#
# Guo's Figure 1 is one time step: the input and the previous state come in, the output leaves, and on the lines
# between them stand the weights. Here it is, drawn from a network that reads five steps. We choose sizes that all
# differ, so that no letter can hide behind another: $l = 3$ inputs, $m = 4$ hidden units, $o = 2$ outputs, $T = 5$
# time steps. There is $n = 1$ sample.

# %%
import numpy as np

import tinygrad_rnn as tg

np.set_printoptions(precision=4, suppress=True)

T, n, l, m, o = 5, 1, 3, 4, 2  # time steps, samples, inputs, hidden units, outputs
rng = np.random.default_rng(4)
x = rng.normal(size=(T, n, l))
d = np.eye(o)[rng.integers(o, size=(T, n))]
s0 = rng.normal(size=(n, m))

cell = tg.cells.Guo(f="tanh", g="softmax")
sizes = cell.init(l, m, o, rng=rng)
params = {name: rng.normal(size=w.shape) for name, w in sizes.items()}
net = tg.unfold(cell, params, x, d, s0=s0)
tg.draw(net, view="folded", level="layers", overlay=None)

# %% [markdown]
# Along the dashed arrow nothing is computed: what is the state now will be the previous state in the next step. The
# library finds that arrow by itself. It takes the five steps as they were recorded, lays them on top of one another,
# and keeps on each edge how many steps it bridges.

# %%
folded = net.fold()
late = [
    (folded.nodes[a]["name"], folded.nodes[b]["name"], delay)
    for a, b, delay in folded.edges(data="delay")
    if delay
]
for a, b, delay in late:
    print(f"{a}(t-{delay}) is read by {b}(t)")
assert late == [("s", "net_j", 1)]

# %% [markdown]
# One arrow. It is the only thing that makes this network recurrent, and everything that is hard about it comes from
# there.
#
# ## Table 1: the letters
#
# The report gives each layer a letter and each layer's units a letter to count them with. Two letters count
# the same units: $j$ counts the hidden units now, $h$ counts them one step earlier. They are kept apart because a
# recurrent weight joins a unit to a unit, and we have to say which end is which.

# %%
table = [
    ("x(t)", "input", "i", net.inputs[0].shape),
    ("s(t-1)", "previous hidden", "h", net.states[0].shape),
    ("s(t)", "hidden", "j", net.states[1].shape),
    ("y(t)", "output", "k", net.outputs[0].shape),
    ("V", "input to hidden", "j, i", params["V"].shape),
    ("U", "previous hidden to hidden", "j, h", params["U"].shape),
    ("W", "hidden to output", "k, j", params["W"].shape),
    ("b_j", "bias of the hidden units", "j", params["b_j"].shape),
    ("b_k", "bias of the output units", "k", params["b_k"].shape),
]
for letter, meaning, index, shape in table:
    print(f"{letter:>7}  {meaning:<26} {index:<5} {shape}")
assert params["V"].shape == (m, l)
assert params["U"].shape == (m, m)
assert params["W"].shape == (o, m)

# %% [markdown]
# The rule of the indices: **first where a weight leads to, then where it comes from**. So $v_{ji}$ leads to hidden unit
# $j$ from input $i$. That is how the equations of the report write it, so it is our order; its own table names the two
# ends the other way round, $(i, j)$, from and to. What has a sample index $p$ in front, such as `x[t, p, i]`, holds $n$
# samples side by side.
#
# ## Equation (2): what arrives at a hidden unit
#
# $$
# \mathrm{net}_j(t) = \sum_i^l x_i(t)\, v_{ji} + \sum_h^m s_h(t-1)\, u_{jh} + b_j
# $$
#
# Every hidden unit adds up what comes from the inputs, what comes from the hidden units one step earlier, and its
# bias. Word for word, that is three loops.

# %%
V, U, W, b_j, b_k = (params[name] for name in ("V", "U", "W", "b_j", "b_k"))

net_j = np.zeros(m)
for j in range(m):
    for i in range(l):
        net_j[j] += x[0, 0, i] * V[j, i]
    for h in range(m):
        net_j[j] += s0[0, h] * U[j, h]
    net_j[j] += b_j[j]
print("net_j(1), loop by loop:  ", net_j)

# %% [markdown]
# Nobody writes it like that. As matrices it is one line, and here is where it goes wrong. The sum over $i$ runs over
# the **second** index of $v_{ji}$. A matrix product `x @ M` sums over the **first** index of `M`. So the matrix has to
# be turned over.

# %%
as_matrices = x[0] @ V.T + s0 @ U.T + b_j
print("net_j(1), as matrices:   ", as_matrices[0])
print("net_j(1), on the tape:   ", net.states[1].parents[0].value[0])
assert np.allclose(as_matrices[0], net_j)
assert np.allclose(net.states[1].parents[0].value[0], net_j)

# %% [markdown]
# If you forget it for `V`, you are told: three inputs do not fit four hidden units.

# %%
try:
    x[0] @ V
except ValueError:
    print(f"x(1) is {x[0].shape} and V is {V.shape}: they do not fit")
else:
    raise AssertionError("x @ V should not fit")

# %% [markdown]
# If you forget it for `U`, **nobody tells you**. `U` is square. It fits either way, and gives numbers that look like
# any others.

# %%
turned = x[0] @ V.T + s0 @ U + b_j
print("with U the wrong way:    ", turned[0])
assert turned.shape == as_matrices.shape
assert not np.allclose(turned, as_matrices)

# %% [markdown]
# Keep this in mind. On the way back, `U` will be needed the other way round, and the report itself slips there.
#
# ## Equations (1), (4), (3)
#
# $$
# s_j(t) = f(\mathrm{net}_j(t)), \qquad
# \mathrm{net}_k(t) = \sum_j^m s_j(t)\, w_{kj} + b_k, \qquad
# y_k(t) = g(\mathrm{net}_k(t))
# $$
#
# A hidden unit squashes what has arrived, here with $f = \tanh$. The output units read the new state: the output at
# time $t$ comes from $s(t)$, not from $s(t-1)$. Our $g$ is the softmax, which makes the outputs positive and lets them
# add up to one.
#
# (1) means it as it stands: $s_j$ depends on its own $\mathrm{net}_j$ alone. (3) looks just the same, but with a
# softmax each output depends on the sums of *all* outputs. Keep an eye on it; lesson 5 pays for it.
#
# Now the whole sequence, in five lines. Time runs in a loop, because each step needs the state of the one before.

# %%
s, y = [s0], []
for t in range(1, T + 1):
    net_j = x[t - 1] @ V.T + s[t - 1] @ U.T + b_j  # (2)
    s.append(np.tanh(net_j))  # (1)
    net_k = s[t] @ W.T + b_k  # (4)
    y.append(np.exp(net_k) / np.exp(net_k).sum(axis=-1, keepdims=True))  # (3)

for t in range(1, T + 1):
    print(f"t = {t}   s = {s[t][0]}   y = {y[t - 1][0]}")
assert all(np.allclose(s[t], net.states[t].value) for t in range(T + 1))
assert all(np.allclose(y[t - 1], net.outputs[t - 1].value) for t in range(1, T + 1))
assert np.allclose(np.sum(y, axis=-1), 1)
pushed = net_k + np.eye(o)[0]  # the first sum alone
assert np.all(tg.guo.activation("softmax", pushed) != y[-1])

# %% [markdown]
# Time is counted from 1 and Python counts from 0. So $x(1)$ is `x[0]`, but the list of states has one entry more,
# because there is a state before the first input: $s(0)$ is `s[0]`. None of the 28 equations says what it is. Here it
# is given, and stays as it is; who gives none gets zeros.
#
# A second witness: the equations as they stand in `tinygrad_rnn.guo`, which knows no tape.

# %%
by_hand = tg.guo.forward(params, x, s0, f="tanh", g="softmax")
assert np.allclose(by_hand.s, np.array(s))
assert np.allclose(by_hand.y, np.array(y))
print("s has shape", by_hand.s.shape, "and y has shape", by_hand.y.shape)
assert by_hand.s.shape == (T + 1, n, m)
assert not np.any(tg.unfold(cell, params, x, d).states[0].value)

# %% [markdown]
# ## What the state is for
#
# Change the first input only. How far does the change reach?

# %%
x_other = x.copy()
x_other[0] += 1
other = tg.guo.forward(params, x_other, s0, f="tanh", g="softmax")
forgetful = params | {"U": np.zeros((m, m))}
with_u = [np.abs(other.y[t] - by_hand.y[t]).max() for t in range(T)]
without_u = [
    np.abs(
        tg.guo.forward(forgetful, x_other, s0, f="tanh").y[t]
        - tg.guo.forward(forgetful, x, s0, f="tanh").y[t]
    ).max()
    for t in range(T)
]
for t in range(1, T + 1):
    print(
        f"t = {t}   y moves by {with_u[t - 1]:.5f}, and with U = 0 by {without_u[t - 1]:.5f}"
    )
assert all(moved > 0 for moved in with_u)
assert without_u[0] > 0
assert not any(without_u[1:])

# %% [markdown]
# With $U = 0$ each output sees its own input and nothing else. With $U$ the first input is felt in every later
# output. The memory is in $s$, but it is $U$ that carries it. The two columns differ at $t = 1$ already, because
# $s(0)$ reaches the sums through $U$ as well.
#
# The network is complete. It answers, and its answers are bad, because its weights are random. To make them better, we
# need to say what *bad* means, and who is to blame. That is section 2.
