# %% [markdown]
# # The carousel: LSTM and GRU
#
# * **Goal**: say what a gate does about a vanishing gradient
# * **Needs**: lesson 13
# * **Words**: LSTM, GRU, gate, forget gate, memory cell
#
# Letters that only this lesson has. For gates everybody takes the same ones, so here they are no index, no size and no
# function of Guo's:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $c$ | memory of an LSTM, the second part of its state | | |
# | $i$, $o$ | input gate, output gate: what gets in, what is shown | counts inputs; how many outputs | |
# | $f$ | forget gate: what stays | function of the hidden units | |
# | $g$ | new content, what there is to be written | function of the outputs | a in some texts |
# | $r$, $z$ | reset gate and update gate of a GRU | | in some papers $1 - z$ is called z |
# | $n$ | proposal of a GRU for the new state | | |
# | $\sigma$ | function: the logistic one, between 0 and 1 | (13) | singular values, in lesson 13 |
#
# An error that goes back one step is multiplied by $U$ and by the slopes. Lesson 13 began with a $U$ that made this
# nearly one. But $U$ learns, slopes get small, and nothing keeps the product where it was.
#
# Hochreiter and Schmidhuber asked in 1997: which unit hands its error on *unchanged*, by construction? The answer is
# the simplest recurrence there is. A unit that is linear, reads itself with the weight 1, and to which things are
# only added:
#
# $$
# c(t) = c(t-1) + \text{something new}
# $$
#
# The derivative of $c(t)$ by $c(t-1)$ is 1, today, tomorrow and after a thousand updates, for there is no weight in
# it that could change. They called it the **constant error carousel**. All the rest of the *long short-term memory*
# is there to let things get on the carousel and off it.
#
# ## The picture
#
# One step of an LSTM, folded. The two boxes `z⁻¹` on the left are delays: each hands on what it got one step
# earlier. The upper one is for the state $s$, which goes through $U$ into everything. The lower one is for the memory
# $c$. Follow it: $c(t-1)$ meets a product ×, then a sum, and is $c(t)$. No matrix, no $\tanh$. What the boxes $o$, $f$,
# $i$ and $g$ are comes below; for now look only at that line.

# %%
import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import pathology

np.set_printoptions(precision=4, suppress=True)

T, n, l, m, o = 6, 1, 4, 3, 2
rng = np.random.default_rng(14)
x, d = rng.normal(size=(T, n, l)), np.eye(o)[rng.integers(o, size=(T, n))]
start = rng.normal(size=(n, m)), rng.normal(size=(n, m))
cell = tg.cells.LSTM()
params = {name: rng.normal(size=w.shape) for name, w in cell.init(l, m, o, rng=rng).items()}
net = tg.unfold(cell, params, x, d, s0=start)
net.backward()
tg.draw(net, view="folded", overlay=None)

# %% [markdown]
# ## The carousel alone
#
# The first LSTM, that of 1997, had no product there, only the sum. We take it, hold everything still but the memory,
# push $c(0)$, and see what arrives at $c(6)$: the product of the six Jacobians, as in lesson 13.

# %%
first = tg.cells.LSTM(forget=False)
first_params = {
    name: rng.normal(size=w.shape) for name, w in first.init(l, m, o, rng=rng).items()
}
of_1997 = tg.unfold(first, first_params, x, d, s0=start)
arrives = pathology.products(pathology.jacobians(of_1997, part=1))[
    0, 0
]  # part 0 is s, part 1 is c
print("dc(6) / dc(0), all else held:")
print(arrives)
assert np.array_equal(arrives, np.eye(m))

# %% [markdown]
# Not nearly one. One. The weights were drawn at random and it does not matter what they are.
#
# The LSTM of today, its first three steps unfolded: the line from $c(t-1)$ to $c(t)$ passes no matrix, while $U$
# stands on the line from $s(t-1)$. Choose $C(3)$ and see on which of the two its error comes back.

# %%
three = tg.unfold(cell, params, x[:3], d[:3], s0=start)
tg.player(three, title="An LSTM, copy by copy", start=("U", 2), ops=False)

# %% [markdown]
# ## Why there are gates
#
# Then why not simply add everything up, forever? Because the memory would drown. One thing is told at the first step,
# and noise is added at each of the next two hundred: as it is, or multiplied by a hundredth. The noise that has piled
# up in the end differs from run to run; we take the standard deviation over a thousand runs.

# %%
told, noise = 1.0, 0.3 * np.random.default_rng(0).normal(size=(1000, 200))
for name, gate in (("everything gets in", 1.0), ("a hundredth gets in", 0.01)):
    drowned = (gate * noise).sum(axis=1).std()
    print(f"{name}: told {told:.2f}, and on top of it a noise of {drowned:.2f}")
    assert (drowned > told) == (gate == 1.0)

# %% [markdown]
# So something must decide what gets in, and something when it is shown. A **gate** is a number between 0 and 1, a
# logistic unit, that multiplies:
#
# $$
# \begin{aligned}
# i &= \sigma(\mathrm{net}_\mathrm{i}) && \text{input gate: what gets in} \\
# f &= \sigma(\mathrm{net}_\mathrm{f}) && \text{forget gate: what stays} \\
# g &= \tanh(\mathrm{net}_\mathrm{g}) && \text{what there is to be written} \\
# o &= \sigma(\mathrm{net}_\mathrm{o}) && \text{output gate: what is shown} \\
# c(t) &= f \odot c(t-1) + i \odot g \\
# s(t) &= o \odot \tanh(c(t))
# \end{aligned}
# $$
#
# There is one $i$, $f$, $g$ and $o$ for each hidden unit. Of these $g$ is no gate: it may be negative.
#
# All four sums come at once, in the box $\mathrm{net}_j$ of the picture: $x(t)\,V^\top + s(t-1)\,U^\top + b_j$, with a
# `V`, `U` and `b_j` that are four times as high: the rows for $i$ come first, then those for $f$, $g$, $o$. The forget
# gate is younger than the rest (Gers, Schmidhuber and Cummins, 2000): a carousel that never forgets is full one day.


# %%
def sigma(net):
    return 1 / (1 + np.exp(-net))


s, c = start
gates = []
for t in range(1, T + 1):
    net_i, net_f, net_g, net_o = np.split(
        x[t - 1] @ params["V"].T + s @ params["U"].T + params["b_j"], 4, axis=1
    )
    c = sigma(net_f) * c + sigma(net_i) * np.tanh(net_g)
    s = sigma(net_o) * np.tanh(c)
    gates.append(sigma(net_f)[0])
    assert np.allclose(s, net.states[t][0].value, rtol=0, atol=1e-15)
    assert np.allclose(c, net.states[t][1].value, rtol=0, atol=1e-15)
print("six steps by hand, and the tape has the same memory:", c[0])

# %% [markdown]
# ## A product of gates
#
# Now the factor is not one but $f$. Over many steps it is the product of the forget gates, unit by unit:
#
# $$
# \frac{\partial c(T)}{\partial c(0)} = \mathrm{diag}\big( f(1) \odot f(2) \odot \ldots \odot f(T) \big)
# $$
#
# with everything else held. An open gate is a carousel, a closed one forgets, and the network itself decides, anew at
# each step and for each unit.

# %%
arrives = pathology.products(pathology.jacobians(net, part=1))[0, 0]
print("dc(6) / dc(0), all else held:", np.diag(arrives))
print("product of the forget gates: ", np.prod(gates, axis=0))
assert np.allclose(arrives, np.diag(np.prod(gates, axis=0)), rtol=0, atol=1e-15)

# %% [markdown]
# *All else held* is an important word. The memory also shows itself: $c(t)$ becomes $s(t)$, and this goes through $U$
# into all gates of the next step. These are other roads back from $c(6)$ to $c(0)$, with all the trouble of lesson
# 13. The 1997 paper cut them off. Today one goes back along all of them. With $U = 0$ there is the carousel alone.
#
# Below, `whole` is what arrives at $c(0)$ along all roads, `direct` what arrives along the carousel. We print by how
# much each can stretch a push at most, as in lesson 13.

# %%
for name, weights in (("U as it is", params), ("U = 0", params | {"U": np.zeros((4 * m, m))})):
    shown = tg.unfold(cell, weights, x, d, s0=start)
    whole = pathology.products(pathology.jacobians(shown))[0, 0][
        m:, m:
    ]  # of s and c the part from c to c
    direct = pathology.products(pathology.jacobians(shown, part=1))[0, 0]
    others, carousel = np.linalg.norm(whole - direct, 2), np.linalg.norm(direct, 2)
    print(f"{name}: the other roads add {others:.4f}, the carousel {carousel:.4f}")
    assert np.allclose(whole, direct, rtol=0, atol=1e-15) == (name == "U = 0")

# %% [markdown]
# ## The gated recurrent unit
#
# Cho and others (2014) got on with one state and two gates. The sums $\mathrm{net}_\mathrm{r}$ and
# $\mathrm{net}_\mathrm{z}$ are made as in the LSTM. Look at the last line:
#
# $$
# \begin{aligned}
# r &= \sigma(\mathrm{net}_\mathrm{r}) && \text{reset gate} \\
# z &= \sigma(\mathrm{net}_\mathrm{z}) && \text{update gate} \\
# n &= \tanh\big(x V_\mathrm{n}^\top + b
# + r \odot (s(t-1)\, U_\mathrm{n}^\top + b_\mathrm{n})\big) && \text{a proposal} \\
# s(t) &= (1 - z) \odot n + z \odot s(t-1)
# \end{aligned}
# $$
#
# The new state is a mean of the old one and a proposal. There is the carousel again: the direct road from $s(t-1)$ to
# $s(t)$ is $z$, and what $z$ keeps it does not take from the proposal. We check it with $U = 0$, so that there is no
# other road.
#
# (The letters are those of PyTorch. And in the paper as it was printed, $r$ multiplies the state *before*
# $U_\mathrm{n}$ does; that is `GRU(reset="before")`. A formula from one text and weights from another do not fit.)

# %%
gru = tg.cells.GRU()
gru_params = {name: rng.normal(size=w.shape) for name, w in gru.init(l, m, o, rng=rng).items()}
gru_params["U"] = np.zeros((3 * m, m))
alone = tg.unfold(gru, gru_params, x, d, s0=start[0])
arrives = pathology.products(pathology.jacobians(alone))[0, 0]
z = np.prod([node.value[0] for node in alone.tape if node.name == "z"], axis=0)
print("with U = 0, ds(6) / ds(0):  ", np.diag(arrives))
print("product of the update gates:", z)
assert np.allclose(arrives, np.diag(z), rtol=0, atol=1e-15)

# %% [markdown]
# ## How long is the memory at the start?
#
# At the start a gate knows nothing yet, and is about what its bias makes it: with a bias of 0 it is half open. What do
# a hundred and twenty such gates let through, one after the other?

# %%
m, T = 12, 120
through = {bias: sigma(bias) ** T for bias in (0.0, 1.0, 3.0, 5.0)}
for bias, left in through.items():
    print(f"bias {bias:.0f}: a gate of {sigma(bias):.3f}; {T} of them let {left:.0e} through")
assert through[0.0] < 1e-30
assert through[5.0] > 0.1

# %% [markdown]
# So the bias of the forget gate should start high. That was the carousel alone. Now along all roads: how much of the
# error of the last cost arrives a hundred and twenty steps earlier?

# %%
simple = tg.cells.Guo(f="tanh")
rotation = simple.init(3, m, 2, rng=6) | {"U": tg.train.orthogonal(m, rng=5)}


def gated(cell, bias):
    """The start of an LSTM or a GRU whose forget gate, or update gate, has this bias."""
    weights = cell.init(3, m, 2, rng=6)
    weights["b_j"][m : 2 * m] = bias  # the second gate from above: f in an LSTM, z in a GRU
    return weights


starts = {
    "simple, U a rotation": (simple, rotation),
    "LSTM, bias 0": (cell, gated(cell, 0.0)),
    "LSTM, bias 1": (cell, gated(cell, 1.0)),
    "LSTM, bias 3": (cell, gated(cell, 3.0)),
    "GRU, bias 0": (gru, gated(gru, 0.0)),
    "GRU, bias 5": (gru, gated(gru, 5.0)),
}
x, d = 0.3 * rng.normal(size=(T, 1, 3)), np.eye(2)[rng.integers(2, size=(T, 1))]
lengths = {}
for name, (kind, weights) in starts.items():
    errors = pathology.state_errors(tg.unfold(kind, weights, x, d))[:, 0]
    lengths[name] = np.linalg.norm(errors, axis=1)
    print(
        f"{name:>21}"
        + "".join(f"   lag {lag}: {lengths[name][lag]:.1e}" for lag in (0, 50, 120))
    )
assert lengths["LSTM, bias 3"][T] > 1e20 * lengths["LSTM, bias 0"][T]
assert lengths["GRU, bias 5"][T] > 1e20 * lengths["GRU, bias 0"][T]
for bias in (0.0, 1.0, 3.0):
    assert lengths[f"LSTM, bias {bias:.0f}"][T] > 10 * through[bias]
assert lengths["LSTM, bias 3"][T] > 2 * lengths["LSTM, bias 3"][T - 20]

# %% [markdown]
# In the LSTMs more arrives than the gates alone let through: the rest has come along the other roads, through $s$ and
# $U$. There errors can even grow, as they do on the last steps back with the bias 3. The rotation loses by its slopes.

# %%
try:
    ax = tg.plot_lags({name: row[::10] for name, row in lengths.items()})
    ax.set(
        xlabel="tens of steps back from the cost", ylabel="length of the error at the state"
    )
except ImportError as missing:
    print(missing)

# %% [markdown]
# ## Does it learn?
#
# The task of lesson 13, three times as long. One thing is told at the first step, the question comes at the last.
# Every network gets the same number of updates, clipped by norm and made by Adam, as there.


# %%
def told_once(rng, samples=16):
    """What is read, and what is to be said at the end."""
    which = rng.integers(2, size=samples)
    x, d = np.zeros((T, samples, 3)), np.zeros((T, samples, 2))
    x[0, np.arange(samples), which] = 1
    x[1:, :, 2] = 0.3 * rng.normal(size=(T - 1, samples))
    d[-1] = np.eye(2)[which]
    return x, d


def train(kind, weights, updates=100):
    rng = np.random.default_rng(0)
    weights = {name: w.copy() for name, w in weights.items()}
    net = tg.unfold(kind, weights, *told_once(rng), losses=[T])
    descent, history = tg.train.Adam(0.01), []
    for _ in range(updates):
        x, d = told_once(rng)
        history.append(net.replay(x, d) / x.shape[1])
        net.backward()
        descent.step(weights, tg.clip_by_norm(net.grads, 1.0))
    return np.array(history)


chance = np.log(2)
print(f"knowing nothing costs {chance:.3f}")
histories = {}
for name in ("simple, U a rotation", "LSTM, bias 1", "LSTM, bias 3", "GRU, bias 5"):
    history = histories[name] = train(*starts[name])
    print(f"{name:>21}: " + "  ".join(f"{history[k]:.3f}" for k in (0, 25, 50, 75, 99)))
last = {name: history[-10:].mean() for name, history in histories.items()}
assert last["LSTM, bias 3"] < 0.1 * chance
assert last["GRU, bias 5"] < 0.1 * chance
assert last["LSTM, bias 1"] > 0.8 * chance
assert last["simple, U a rotation"] < 0.1 * chance

# %% [markdown]
# The same cell, the LSTM, learns it or learns nothing, according to where its gates begin. And the simple network
# learns it, too, when it begins with a rotation. So it is not the name that helps. It is the factor. What gates add
# is that a network can choose its factor, at each step and for each unit, and that nobody has to hope that $U$ stays
# a rotation.
#
# ## And the shares?
#
# Nothing has changed about them. An LSTM has more lines on the tape in a step, but its weights are used once at each
# step, each use is a copy, and the shares are added. Backpropagation through time does not know what kind of cell it
# goes through. Here is the ledger of the LSTM at the top of this lesson; its biases are twelve numbers, so it gives the
# lengths.

# %%
report = net.check()
print(tg.ledger(net, "b_j"))
print("\nevery copy against measured slopes:", "ok" if report.ok else report)
assert report.ok
assert np.allclose(net.copies["U"].sum(axis=0), net.grads["U"], rtol=0, atol=1e-14)

# %% [markdown]
# So networks can look far back, if they are built for it. All we have done so far goes **back**, though: it keeps every
# state, waits for the end, and returns. What about a network that lives on, and wants to know its gradient *now*?
