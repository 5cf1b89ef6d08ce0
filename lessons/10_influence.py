# %% [markdown]
# # Who did it, and to whom? The influence matrix
#
# * **Goal**: say which copy owes how much to which cost
# * **Needs**: lessons 6 and 9
# * **Words**: influence matrix, lag, credit assignment
#
# The ledger of lesson 1 has a row for each copy of `U`. Take the row of `U(2)`. It says how much the whole cost
# changes when this copy is moved. But the whole cost is a sum, and the copy at step 2 has a hand in every cost that
# comes after it. How much of its share does it owe to $C(2)$, and how much to $C(6)$?
#
# A ledger with one row for each copy cannot answer that. We need a table with two sides: the copies on one, the costs
# on the other. Everything that can be said about going back through time, and about *not* going back all the way, can
# be read off this table.
#
# ## The picture
#
# Six steps, each with a cost. Go to the right until you are at $C(4)$. The lines on which its error comes back are red
# (the arrows show the way forwards; the error goes against them), and what it does not reach is grey. It reaches four
# copies of $U$. Each of the other costs has a picture of its own: write its number after `of=`.

# %%
import numpy as np

import tinygrad_rnn as tg

np.set_printoptions(precision=4, suppress=True)

T, n, l, m, o = 6, 1, 4, 3, 2
rng = np.random.default_rng(16)
x, s0 = rng.normal(size=(T, n, l)), rng.normal(size=(n, m))
d = np.eye(o)[rng.integers(o, size=(T, n))]
cell = tg.cells.Guo(f="tanh", g="softmax")
params = {
    name: 0.7 * rng.normal(size=w.shape) for name, w in cell.init(l, m, o, rng=rng).items()
}
net = tg.unfold(cell, params, x, d, s0=s0)
net.backward()
tg.draw(net, overlay="path", of=4)

# %% [markdown]
# ## The table
#
# The **influence** of the copy at $\tau$ on the cost at $t$ is
#
# $$
# G[t, \tau] = \frac{\partial C(t)}{\partial U(\tau)}
# $$
#
# The copy $U(\tau)$ is moved, the other copies are held, and whatever is computed from it may follow. A row belongs to
# a cost, a column to a copy. Each entry is a whole matrix, as large as $U$; to look at the table we write down its
# length only.

# %%
G = tg.influence(net, "U")
print("G[t, tau, j, h] has shape", G.shape)


def table(norms):
    """Lengths, a row for each cost and a column for each copy; nothing where no copy can
    reach."""
    print("        " + "".join(f"{f'U({tau})':>9}" for tau in range(1, len(norms) + 1)))
    for t, row in enumerate(norms, start=1):
        print(f"{f'C({t})':>7} " + "".join(f"{value:9.4f}" for value in row[:t]))


norms = tg.influence_norms(net, "U")
table(norms)
assert np.allclose(norms, np.linalg.norm(G, axis=(2, 3)))
assert not np.triu(norms, 1).any()  # nothing stands above the diagonal

# %% [markdown]
# It is a triangle. What is used at step 5 cannot change what was paid at step 3.
#
# ## One entry, measured
#
# Is that what it says it is? We untie the copies, as in lesson 9, move one number of $U(2)$ and look at one cost only.

# %%
t, tau, j, h, step = 5, 2, 0, 1, 1e-5
free = tg.unfold(cell, tg.untie(params, T), x, d, s0=s0, untied=True)
costs = []
for sign in (+1, -1):
    free.params["U"][tau - 1, j, h] += sign * step
    free.replay()
    costs.append(float(free.losses[t - 1].value))
    free.params["U"][tau - 1, j, h] -= sign * step
measured = (costs[0] - costs[1]) / (2 * step)
print(f"u_jh moved in U({tau}) alone: C({t}) changes {measured:.8f} times as much")
print(f"the table says:                     {G[t - 1, tau - 1, j, h]:.8f}")
assert abs(measured - G[t - 1, tau - 1, j, h]) < 1e-8

# %% [markdown]
# ## A row: one cost
#
# Add up a row, and you have everything the copies do to one cost. That is the gradient of $C(t)$ alone.
#
# Guo's (28) is such a sum along a row, but it need not go to the row's end. Take the row of $C(5)$ and a depth of 2.
# The sum begins at the diagonal, with the copy $U(5)$. Then it goes to the left, to $U(4)$ and $U(3)$, and there it
# stops: the newest copy and two more. What is left out stands further to the left. (27) does the same with `V`. (Their
# sums are *changes* of a weight, so they have the other sign.)
#
# We try it for every row, and in each row for every depth that there is room for.

# %%
G_V, checked = tg.influence(net, "V"), 0
for t in range(1, T + 1):
    net.backward(of=t)
    assert np.allclose(G[t - 1].sum(axis=0), net.grads["U"], rtol=0, atol=1e-15)
    for depth in range(t):
        by_28 = tg.guo.gradients_of_one_cost(params, x, d, s0, t=t, depth=depth, f="tanh")
        assert np.allclose(
            by_28.grads["U"], G[t - 1, t - 1 - depth : t].sum(axis=0), rtol=0, atol=1e-15
        )
        assert np.allclose(
            by_28.grads["V"], G_V[t - 1, t - 1 - depth : t].sum(axis=0), rtol=0, atol=1e-14
        )
        checked += 1
print(f"{checked} pairs of a cost and a depth: (28) is the row, cut off on the left")
assert checked == T * (T + 1) // 2

# %% [markdown]
# ## A column: one copy
#
# Add up a column, and you have everything that one copy does, to all costs. That is the row of the ledger. (The
# table lies on its side, compared with the ledger: there a row is a copy.)

# %%
net.backward()
for tau in range(1, T + 1):
    assert np.allclose(G[:, tau - 1].sum(axis=0), net.copies["U"][tau - 1], rtol=0, atol=1e-15)
print("every column adds up to its copy's share")

# %% [markdown]
# So the question at the beginning has an answer. This is where the share of $U(2)$ comes from; we look at its largest
# number.

# %%
j, h = np.unravel_index(np.abs(net.copies["U"][1]).argmax(), (m, m))  # where it stands
for t in range(2, T + 1):
    print(f"from C({t}): {G[t - 1, 1, j, h]:9.5f}")
print(f"    share: {net.copies['U'][1][j, h]:9.5f}, the sum of these")
assert np.isclose(G[:, 1, j, h].sum(), net.copies["U"][1][j, h])

# %% [markdown]
# ## The two are easily confused
#
# "The gradient of step 2" may be the row of $C(2)$ or the column of $U(2)$. Both are matrices of the same shape, both
# are called $\partial C_2 / \partial U$ somewhere, and if you add up either of them over the six steps, you get the
# same gradient. But step by step they are different things.

# %%
rows, columns = G.sum(axis=1), G.sum(axis=0)
print(f"{'t':>3}{'row of C(t)':>14}{'column of U(t)':>17}")
for t in range(1, T + 1):
    print(f"{t:>3}{np.linalg.norm(rows[t - 1]):14.4f}{np.linalg.norm(columns[t - 1]):17.4f}")
gaps = np.linalg.norm(rows - columns, axis=(1, 2))
assert (gaps > 0.01 * np.linalg.norm(rows, axis=(1, 2))).all()
assert np.allclose(rows.sum(axis=0), columns.sum(axis=0), rtol=0, atol=1e-14)

# %% [markdown]
# ## Everything: backpropagation through time
#
# The gradient is the sum of the whole triangle. That is all that backpropagation through time computes:
#
# $$
# \frac{\partial C}{\partial U} = \sum_{t=1}^{T} \sum_{\tau=1}^{t} G[t, \tau]
# $$
#
# It does not fill in the table and then add it up. Lesson 6 has shown how it gets the sums of all columns in one way
# back, because errors that arrive at the same state can be added at once.

# %%
assert np.allclose(G.sum(axis=(0, 1)), net.grads["U"], rtol=0, atol=1e-14)
print(f"the table has {T * (T + 1) // 2} entries; the way back has {T} steps")

# %% [markdown]
# ## Away from the diagonal
#
# In a longer sequence something shows that six steps hide. Here are forty, of which every fourth is printed. A number
# stands for a power of ten: $-3$ means that the length of the entry is about $10^{-3}$, a thousandth.

# %%
T = 40
x, d = rng.normal(size=(T, n, l)), np.eye(o)[rng.integers(o, size=(T, n))]
long = tg.unfold(cell, params, x, d, s0=s0)
norms = tg.influence_norms(long, "U")
shown = range(4, T + 1, 4)
print("          " + "".join(f"{f'U({tau})':>6}" for tau in shown))
for t in shown:
    powers = (round(np.log10(norms[t - 1, tau - 1])) for tau in shown if tau <= t)
    print(f"{f'C({t})':>9} " + "".join(f"{power:6d}" for power in powers))

# %% [markdown]
# The same as a map, all forty rows and columns of it: the more it stands out, the longer. (It is on the site's page of
# this lesson; in a program, `tg.plot_influence(norms).figure.savefig("map.png")` writes it. It needs matplotlib;
# without it the line says what to install, and the table above has to do.)

# %%
try:
    tg.plot_influence(norms)
except ImportError as missing:
    print(missing)

# %% [markdown]
# The influence dies away from the diagonal to the left. The number of steps between a cost and a copy, $t - \tau$, is
# called the **lag**. Each step more of it costs about the same factor. To see that, we take the mean of each diagonal,
# that is, of all pairs with the same lag.

# %%
lags = np.array([np.diagonal(norms, -lag).mean() for lag in range(T)])
for lag in (0, 1, 2, 4, 8, 16, 32):
    print(f"lag {lag:>2}: {lags[lag]:.1e}, the mean of {T - lag} pairs")
factor = (lags[24] / lags[4]) ** (1 / 20)
print(
    f"over the 20 steps from lag 4 to lag 24 each step multiplies it by {factor:.2f} on "
    "average"
)
assert factor < 0.9
assert lags[32] < 1e-3 * lags[0]

# %% [markdown]
# Where each step multiplies by the same factor, a logarithmic scale shows a straight line. This is nearly one. (To the
# right, where few pairs are left, it is whatever these few happen to be.)

# %%
try:
    tg.plot_lags(lags)
except ImportError as missing:
    print(missing)

# %% [markdown]
# Why it is so, and that it need not be so, is the matter of lesson 13. First comes the question that everybody asks who
# sees this map. If the lower left corner is practically zero: why do we go all the way back?
