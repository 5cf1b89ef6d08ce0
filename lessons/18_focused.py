# %% [markdown]
# # No past at all: focused networks
#
# * **Goal**: say when a trace for each weight replaces the past
# * **Needs**: lesson 15
# * **Words**: focused backpropagation, eligibility trace, e-prop
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $\alpha$ | trace of a weight $u_j$: what it has done to its unit so far | | α in Mozer |
# | $\beta$ | trace of a weight $v_{ji}$ | | β in Mozer |
#
# One method needs no past: real-time recurrent learning (RTRL), lesson 15. It carries a table along: for every weight,
# what it has done to each unit of the state so far. With $m$ hidden units, `U` has $m^2$ entries, so its part of the
# table has $m^3$ numbers. That is why hardly anybody uses it.
#
# Where does the third $m$ come from? A weight into unit 1 changes unit 1. One step later, unit 2 reads unit 1 through
# `U`, then unit 3 reads unit 2, and soon everything has moved. In 1989 Michael Mozer asked: what if no unit read
# another one?
#
# ## The picture
#
# Mozer's cell. Each unit keeps a part $u_j$ of its **own** memory and adds what it reads from the input. Follow the
# thick line from $s(t)$ through the delay, `z⁻¹`: it meets a product, entry by entry, and a sum. (`repeat` lays the row
# of the $u_j$ out once for each sample.) There is no matrix in the recurrence, only $m$ numbers.

# %%
import textwrap

import numpy as np

import tinygrad_rnn as tg

T, n, l, m, o = 6, 1, 3, 4, 2
rng = np.random.default_rng(18)
x, s0 = rng.normal(size=(T, n, l)), rng.normal(size=(n, m))
d = np.eye(o)[rng.integers(o, size=(T, n))]
cell = tg.cells.Mozer(f="tanh", g="softmax")
params = cell.init(l, m, o, rng=18)
params["u_j"] = rng.uniform(0.5, 0.95, size=m)
net = tg.unfold(cell, params, x, d, s0=s0)
net.backward()
tg.draw(net, view="folded")

# %% [markdown]
# $$
# \mathrm{net}_j(t) = \sum_i x_i(t)\, v_{ji} + b_j, \qquad s_j(t) = u_j\, s_j(t-1) + f(\mathrm{net}_j(t))
# $$
#
# ## What happens to the table
#
# Let RTRL run over the sequence, with this cell and with Guo's, and look at its table $M(6)$ for `V` at the end: how
# every entry $v_{ji}$ has moved every unit $s_h$. How many of the numbers are not zero?

# %%
tables = {}
guo = tg.cells.Guo(f="tanh")
for name, c, weights in (("Guo", guo, guo.init(l, m, o, rng=18)), ("Mozer", cell, params)):
    *_, last = tg.rtrl(c, weights, x, d, s0=s0)
    tables[name] = last.carried["V"][:, :, 0, :]  # [j, i, h], of the one sample
    print(
        f"{name:6} a table of {tables[name].size} numbers, "
        f"{np.count_nonzero(tables[name])} of them not zero"
    )
own = np.arange(m)[:, None, None] == np.arange(m)
assert np.count_nonzero(tables["Guo"]) == m * l * m
assert np.count_nonzero(tables["Mozer"]) == m * l
assert not np.any(np.where(own, 0, tables["Mozer"]))

# %% [markdown]
# With Mozer's cell, $v_{ji}$ moves $s_j$ and no other unit, however long the sequence. The table has lost an axis:
# there is one number for each weight. It is called a **trace**.
#
# ## Two traces
#
# Give them letters: $\beta_{ji}(t) = \partial s_j(t)/\partial v_{ji}$ and $\alpha_j(t) = \partial s_j(t)/\partial u_j$.
# Take the derivative of the right side of the cell's equation. By $v_{ji}$: the first term gives $u_j$ times the trace
# of the step before, the second one what comes in through $f$. By $u_j$, there is a product $u_j\, s_j(t-1)$, and both
# factors move:
#
# $$
# \beta_{ji}(t) = u_j\, \beta_{ji}(t-1) + f'(\mathrm{net}_j(t))\, x_i(t), \qquad
# \alpha_j(t) = u_j\, \alpha_j(t-1) + s_j(t-1).
# $$
#
# Both start at zero, because $s(0)$ depends on no weight. (The bias $b_j$ has a trace like $\beta$, with 1 in the place
# of $x_i$.) And when a cost comes, the trace is all that is needed:
#
# $$
# \frac{\partial C(t)}{\partial v_{ji}} = \frac{\partial C(t)}{\partial s_j(t)}\, \beta_{ji}(t), \qquad
# \frac{\partial C(t)}{\partial u_j} = \frac{\partial C(t)}{\partial s_j(t)}\, \alpha_j(t), \qquad
# \frac{\partial C(t)}{\partial s_j(t)} = -\sum_k \delta_k(t)\, w_{kj}.
# $$
#
# The error goes down from the output to the state, by Guo's equation (9) without its $f'$, and there it stops. It never
# goes back in time. Mozer called that *focused* backpropagation. (`W` and $b_k$ have acted on no earlier state; for
# them lesson 5 is enough.)

# %%
V, u, W = params["V"], params["u_j"], params["W"]
s, beta, beta_of_bias, alpha = s0[0], np.zeros((m, l)), np.zeros(m), np.zeros(m)
by_hand = {"V": np.zeros((m, l)), "b_j": np.zeros(m), "u_j": np.zeros(m)}
for t in range(T):
    net_j = V @ x[t, 0] + params["b_j"]
    slope = 1 - np.tanh(net_j) ** 2
    beta = u[:, None] * beta + np.outer(slope, x[t, 0])
    beta_of_bias = u * beta_of_bias + slope
    alpha = u * alpha + s  # s is still that of the step before
    s = u * s + np.tanh(net_j)
    y = tg.guo.activation("softmax", W @ s + params["b_k"])
    # dC(t)/ds(t): from the output of this very step, and from nowhere else
    error = W.T @ (y - d[t, 0])
    by_hand["V"] += error[:, None] * beta
    by_hand["b_j"] += error * beta_of_bias
    by_hand["u_j"] += error * alpha
    print(
        f"t = {t + 1}   beta_11 = {beta[0, 0]:7.4f}   alpha_1 = {alpha[0]:7.4f}   dC(t)/ds = "
        f"{error.round(3)}"
    )

own_entries = np.einsum("jij->ji", tables["Mozer"])  # what v_ji has done to its own unit j
assert np.allclose(beta, own_entries, rtol=0, atol=1e-14)
for name, found in by_hand.items():
    difference = np.abs(found - net.grads[name]).max()
    print(f"dC/d{name}: traces and backpropagation through time differ by {difference:.0e}")
    assert difference < 1e-13

# %% [markdown]
# Not a copy was kept, nothing went back, and it is the gradient, up to rounding; and $\beta$ is what RTRL's table has
# in the places that are not zero. `tg.focused` does this for every cell whose units remember themselves alone. Such a
# method can run for as long as the world does: here it follows a stream that is never stored, and we look at what it
# carries.


# %%
def stream(length, seed=3):
    """Inputs and targets, made one at a time."""
    source = np.random.default_rng(seed)
    for _ in range(length):
        yield source.normal(size=(1, l)), np.eye(o)[source.integers(o, size=1)]


carried = {}
for length in (10, 400):
    inputs, targets = (a for a, _ in stream(length)), (b for _, b in stream(length))
    for window in tg.focused(cell, params, inputs, targets):
        carried[length] = window.carried_bytes
    print(
        f"after {length:3} steps it carries {carried[length]} bytes: {sorted(window.carried)}"
    )
assert carried[10] == carried[400] == 8 * (m * l + m + m)

# %% [markdown]
# Each entry of `V`, $b_j$ and $u_j$ has one number of eight bytes, and that is all, after ten steps or after four
# hundred. Compare the three ways to an exact gradient. How many numbers must be held, if there are $m$ units and as
# many inputs? For backpropagation through time (BPTT) these are the states of a thousand steps; for RTRL it is the
# table with a full `U`; for the traces the network is Mozer's.

# %%
print(f"{'m':>5}{'BPTT, 1000 steps':>20}{'RTRL':>14}{'traces':>10}")
held = {}
for units in (10, 100, 1000):
    weights_in = units * units + 2 * units
    held[units] = (1000 * units, (2 * units * units + units) * units, weights_in)
    print(f"{units:5}{held[units][0]:20,}{held[units][1]:14,}{held[units][2]:10,}")
assert all(traces < rtrl for _, rtrl, traces in held.values())
assert held[1000][2] > held[1000][0]

# %% [markdown]
# Only the first column grows with the length of the sequence. With a thousand units and a thousand steps the traces
# hold about as much as BPTT; for ten thousand steps BPTT needs ten times as much, and they do not.
#
# ## What it costs
#
# There is a price, and it is not memory. What can a network do whose units cannot read each other? Write Mozer's state
# out, from the first step on:
#
# $$
# s_j(t) = u_j^t\, s_j(0) + \sum_{\tau=1}^{t} u_j^{t-\tau} f(\mathrm{net}_j(\tau)).
# $$
#
# It is a sum. Each input adds a part of its own, whatever the others were. Now ask: is the number of ones so far odd or
# even? There a one has to turn the answer over, so what it does depends on all that came before. A sum cannot do that.
# $U$ under an $f$ can: there the past and the present meet *inside* of $f$.

# %%
powers = params["u_j"] ** np.arange(T, -1, -1)[:, None]  # u^T, ..., u, 1
came_in = np.tanh(x[:, 0] @ params["V"].T + params["b_j"])
assert np.allclose(
    (powers * np.vstack([s0, came_in])).sum(axis=0), net.states[T].value[0], rtol=0, atol=1e-14
)
print("the state after six steps is that sum:", net.states[T].value[0].round(4))

# %% [markdown]
# We let both learn it, with the same number of units and the same steps, from all sequences of six bits.

# %%
length, units = 6, 6
every = np.array(np.meshgrid(*[[0.0, 1.0]] * length)).reshape(length, -1)
bits = every[:, :, None]
odd = np.cumsum(every, axis=0) % 2
wanted = np.stack([1 - odd, odd], axis=-1)
right = {}
for name, c in (
    ("Mozer", tg.cells.Mozer(f="tanh", g="softmax")),
    ("Guo", tg.cells.Guo(f="tanh", g="softmax")),
):
    weights = c.init(1, units, 2, rng=5)
    learner, adam = tg.unfold(c, weights, bits, wanted, reduction="mean"), tg.train.Adam(0.02)
    for _ in range(1500):
        learner.replay()
        learner.backward()
        adam.step(weights, tg.clip_by_norm(learner.grads, 1.0))
    learner.replay()
    said = np.array([y.value.argmax(axis=-1) for y in learner.outputs])
    right[name] = (said[-1] == odd[-1]).mean()
    print(
        f"{name:6} is right at bit {length} in {100 * right[name]:5.1f} % of all "
        f"{every.shape[1]} sequences"
    )
assert right["Guo"] > 0.95
assert right["Mozer"] < 0.9

# %% [markdown]
# Half of the answers are right by guessing. So the traces are not a better algorithm. They are the same algorithm for a
# smaller family of networks.
#
# ## And with a full U?
#
# What if the traces are used where units do read each other? The library refuses, and says at which step it saw it. (A
# state may have several parts, as that of an LSTM has; here it has one, part 0.)

# %%
full = guo.init(l, m, o, rng=18)
try:
    list(tg.focused(guo, full, x, d, s0=s0))
except ValueError as refused:
    print(textwrap.fill(str(refused), 76))
else:
    raise AssertionError("focused should not take a full U")

# %% [markdown]
# One *can* leave out what goes from unit to unit and see what is left. Then it is no longer the gradient. It is e-prop,
# which lesson 15 has met, and how far off it is depends on how much the units read each other. So turn it up: a `U`
# with a fixed diagonal, and more and more beside it. We compare the gradients of `U`.

# %%
off = []
beside = rng.normal(size=(m, m)) * (1 - np.eye(m))
for much in (0.0, 0.1, 0.3, 1.0):
    weights = full | {"U": np.diag(u) + much * beside}
    exact = tg.unfold(guo, weights, x, d, s0=s0)
    exact.backward()
    estimate = sum(window.grads["U"] for window in tg.eprop(guo, weights, x, d, s0=s0))
    off.append(np.linalg.norm(estimate - exact.grads["U"]) / np.linalg.norm(exact.grads["U"]))
    print(f"{much:3.1f} times the part beside the diagonal: off by {100 * off[-1]:6.2f} %")
assert off[0] < 1e-13
assert 0 < off[1] < off[2] < off[3]

# %% [markdown]
# With nothing beside the diagonal nothing is lost: no unit reads another one, as in Mozer's cell. Everything here is
# one table seen in different ways, and each method is a different way not to hold all of it.
#
# You now have many ways to a gradient. Each of them can be written wrongly, and a wrong one often still learns. The
# next lesson is a museum of what goes wrong.
