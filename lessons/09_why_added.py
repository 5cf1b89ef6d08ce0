# %% [markdown]
# # Why are the shares added? Tied weights
#
# * **Goal**: answer why the shares are added, and not averaged
# * **Needs**: lesson 6
# * **Words**: tied weights, shared weights, weight sharing
#
# One question comes up wherever backpropagation through time is taught. The code says `dU += ...` in the loop that goes
# backwards. Why `+=`? Why not the average, if they are all copies of the same thing? Why not the last one, which is
# the newest? And does changing `U` in five places, as in lesson 1, not move it five times too far?
#
# This lesson answers with one line of algebra, and then with numbers.
#
# ## The picture
#
# The smallest network with copies: three steps, two hidden units. Look at $U$. Below it stands as one box; above, there
# are three. Whoever turns the knob at the one box turns all three.

# %%
import numpy as np

import tinygrad_rnn as tg

T, n, l, m, o = 3, 1, 2, 2, 3
rng = np.random.default_rng(9)
x, s0 = rng.normal(size=(T, n, l)), rng.normal(size=(n, m))
d = np.eye(o)[rng.integers(o, size=(T, n))]
cell = tg.cells.Guo(f="tanh", g="softmax")
sizes = cell.init(l, m, o, rng=rng)
params = {name: rng.normal(size=w.shape) for name, w in sizes.items()}
net = tg.unfold(cell, params, x, d, s0=s0)
net.backward()
tg.draw(net)

# %% [markdown]
# ## One line of algebra
#
# What is the derivative of $u^2$? It is $2u$. Now write it with copies. Let $u_1$ and $u_2$ be two numbers that are
# free, and $C(u_1, u_2) = u_1 u_2$. Then
#
# $$
# \frac{\partial C}{\partial u_1} = u_2, \qquad \frac{\partial C}{\partial u_2} = u_1.
# $$
#
# Tie them, $u_1 = u_2 = u$. If $u$ grows by $\varepsilon$, both of them grow by $\varepsilon$, and the cost grows by
# $u\,\varepsilon + u\,\varepsilon$ (and by $\varepsilon^2$, which does not count when $\varepsilon$ is small). The
# shares are $u$ and $u$. Their **sum** is $2u$, which is right. Their average would be $u$, and so would be the last
# one alone.

# %%
tape = tg.Tape()
u = tape.leaf(1.7, "u")
u_1, u_2 = (tg.ops.copy(u, name=f"u_{k}") for k in (1, 2))
C = tg.ops.multiply(u_1, u_2, name="C")
tape.backward(C)
print(
    f"shares {float(u_1.cotangent):g} and {float(u_2.cotangent):g}, "
    f"gradient {float(u.cotangent):g}"
)
assert u.cotangent == u_1.cotangent + u_2.cotangent == 2 * 1.7
tg.draw(tape)

# %% [markdown]
# You have always known this rule: it is the product rule. And it is the whole story. In formulas, for $T$
# copies of a matrix, each of them equal to $U$:
#
# $$
# \frac{\partial C}{\partial U} = \sum_{t=1}^{T}
# \frac{\partial C}{\partial U(t)} \cdot \frac{\partial U(t)}{\partial U},
# $$
#
# $$
# \frac{\partial U(t)}{\partial U} = 1.
# $$
#
# In $\partial C / \partial U(t)$ the *other copies* are held still, and nothing else: the states after $t$ follow, as
# in lesson 2. The 1 says that a copy moves as far as $U$ does: entry by entry, and no further. The copies do not push
# $U$ $T$ times too far. They report what *one* small change of $U$ does in $T$ places.
#
# ## Each share by itself
#
# Untie the copies in thought. Move one entry of $U$ in the copy of a single time step, keep the others where they are,
# and measure. Then move it in all of them.


# %%
def cost(copies_of_U):
    """The cost of the network, each time step with a U of its own."""
    s, total = s0, 0.0
    for t in range(T):
        s = np.tanh(x[t] @ params["V"].T + s @ copies_of_U[t].T + params["b_j"])
        y = tg.guo.activation("softmax", s @ params["W"].T + params["b_k"])
        total -= (d[t] * np.log(y)).sum()
    return total


def measured(times, j=0, h=1, step=1e-5):
    """How the cost changes when u_jh is moved in the copies of these time steps."""
    costs = []
    for sign in (+1, -1):
        copies = np.repeat(params["U"][None], T, axis=0)
        for t in times:
            copies[t - 1, j, h] += sign * step
        costs.append(cost(copies))
    return (costs[0] - costs[1]) / (2 * step)


alone = [measured([t]) for t in range(1, T + 1)]
together = measured(range(1, T + 1))
for t in range(1, T + 1):
    share = net.copies["U"][t - 1][0, 1]
    print(f"U moved at t = {t} alone: {alone[t - 1]:9.6f}     its copy's share: {share:9.6f}")
    assert abs(alone[t - 1] - share) < 1e-8
print(
    f"U moved everywhere:      {together:9.6f}     sum of the shares: "
    f"{net.grads['U'][0, 1]:9.6f}"
)
print(f"                                       their average:     {np.mean(alone):9.6f}")
assert abs(together - sum(alone)) < 1e-8
assert abs(together - np.mean(alone)) > 0.01

# %% [markdown]
# Moving everything is the sum of moving each, because the moves are small. With large moves it is not so:

# %%
for step in (1.0, 0.1, 0.01):
    apart = abs(
        measured(range(1, T + 1), step=step)
        - sum(measured([t], step=step) for t in range(1, T + 1))
    )
    print(f"moved by {step:<4}: all together and the sum of each differ by {apart:.6f}")
assert apart < 1e-4

# %% [markdown]
# A gradient is about small moves. So there is no choice to be made here: the sum is what happens.
#
# With a single step there is one copy, and the sum, the average and the last share are one number. Whoever tests a
# program on one step cannot tell which of the three it computes.

# %%
single = tg.unfold(cell, params, x[:1], d[:1], s0=s0)
single.backward()
shares = single.copies["U"]
assert np.array_equal(shares.sum(axis=0), shares.mean(axis=0))
assert np.array_equal(shares.sum(axis=0), shares[-1])

# %% [markdown]
# The average is not a mistake that we made up. An older version of Wikipedia's article told its readers to let each
# copy take a step of its own, and then to average the *weights*, so that all copies are the same again. That is the
# average of the shares, a step $T$ times too short:

# %%
eta = 0.1
each_by_itself = params["U"] - eta * net.copies["U"]
assert each_by_itself.shape == (T, m, m)
assert np.allclose(
    each_by_itself.mean(axis=0), params["U"] - eta / T * net.grads["U"], rtol=0, atol=1e-14
)
print("averaged weights: a step of eta /", T)

# %% [markdown]
# ## But the average points in the same direction?
#
# It does, for **one** sequence. The average is the sum divided by $T$, and a smaller step in the
# same direction could be made up for with a larger $\eta$. With sequences of different lengths that is over: each is
# divided by another number, and the long ones count for less.

# %%
short, long = slice(0, 2), slice(0, 9)
x_long, d_long = rng.normal(size=(9, n, l)), np.eye(o)[rng.integers(o, size=(9, n))]
gradients = [
    tg.guo.gradients(params, x_long[part], d_long[part], s0, f="tanh")
    for part in (short, long)
]
summed = sum(g.grads["U"] for g in gradients)
averaged = sum(g.copies["U"].mean(axis=0) for g in gradients)
cosine = (summed * averaged).sum() / (np.linalg.norm(summed) * np.linalg.norm(averaged))
print(f"angle between the two: {np.degrees(np.arccos(cosine)):.1f} degrees")
assert cosine < 0.999

# %% [markdown]
# So the average of the shares is not the gradient of the cost we had. It is the gradient of *another* cost: the average
# over time, $\frac{1}{T} \sum_t C(t)$, of each sequence. That is a cost like any other. If you want it, say so in the
# **cost**, and leave the sum alone: its gradient is again the *sum* of its copies' shares, and every share has the
# $1/T$ in it already. The library makes you say which you mean, with `reduction=`, and the $1/T$ is a node of its own.

# %%
of_means = 0
for part in (short, long):
    mean = tg.unfold(cell, params, x_long[part], d_long[part], reduction="mean", s0=s0)
    mean.backward()
    assert np.allclose(mean.copies["U"].sum(axis=0), mean.grads["U"], rtol=0, atol=1e-14)
    of_means += mean.copies["U"].sum(axis=0)
difference = np.abs(of_means - averaged).max()
print(
    "the summed shares of the averaged cost and the averaged shares of the cost differ by "
    f"{difference:.1e}"
)
assert difference < 1e-14

# %% [markdown]
# Other programs average differently. One that divides by the number of *all* steps of all sequences, as PyTorch's
# `CrossEntropyLoss` does unless it is told otherwise, divides everything by one number, and keeps the direction of the
# sum.

# %%
all_steps = sum(part.stop for part in (short, long))
over_all = sum(g.copies["U"].sum(axis=0) / all_steps for g in gradients)
cosine = (summed * over_all).sum() / (np.linalg.norm(summed) * np.linalg.norm(over_all))
print(
    f"divided by all {all_steps} steps: an angle of "
    f"{np.degrees(np.arccos(min(cosine, 1))):.1f} degrees to the sum"
)
assert np.isclose(cosine, 1)

# %% [markdown]
# And for one sequence the direction is kept only as long as everything is used equally often. The start $s(0)$ can be
# learned too, and it is used once: its average is its share.

# %%
at_start = net.states[0].cotangent.ravel()
summed = np.concatenate([net.copies["U"].sum(axis=0).ravel(), at_start])
averaged = np.concatenate([net.copies["U"].mean(axis=0).ravel(), at_start])
cosine = (summed @ averaged) / (np.linalg.norm(summed) * np.linalg.norm(averaged))
print(f"U and s(0) together, one sequence: {np.degrees(np.arccos(cosine)):.1f} degrees")
assert cosine < 0.999

# %% [markdown]
# ## What if the copies were really free?
#
# Section 4 of Guo's report asks this. An unfolded network is a deep network whose layers have the same weights. They
# are **tied**. Nobody forbids to untie them. We train both on the same sequence, with the same steps: one network
# with one set of weights, and one with a set for each time step, all of which start with the same numbers.

# %%
tied_params = {name: w.copy() for name, w in params.items()}
free_params = tg.untie(params, T)
tied = tg.unfold(cell, tied_params, x, d, s0=s0)
free = tg.unfold(cell, free_params, x, d, s0=s0, untied=True)
tied.backward()
free.backward()
for name in params:
    assert np.allclose(free.grads[name], tied.copies[name], rtol=0, atol=1e-14)
print("dC/dU tied is", tied.grads["U"].shape, "and free it is", free.grads["U"].shape)
print("the gradient of each free matrix is the share of the tied one's copy")

# %% [markdown]
# That is what a share *is*: the gradient that the copy would have if it were free. Now let both learn.

# %%
history = {"tied": [], "free": []}
for name, unfolded in (("tied", tied), ("free", free)):
    descent = tg.train.SGD(0.1)
    for _ in range(60):
        history[name].append(unfolded.replay())
        unfolded.backward()
        descent.step(unfolded.params, unfolded.grads)
for update in (0, 1, 5, 20, 59):
    print(
        f"{update:>3}   tied {history['tied'][update]:.4f}   free "
        f"{history['free'][update]:.4f}"
    )
weights = {
    "tied": sum(w.size for w in tied_params.values()),
    "free": sum(w.size for w in free_params.values()),
}
print("numbers to learn:", weights)
apart = [np.linalg.norm(free_params["U"][0] - later) for later in free_params["U"][1:]]
print("the free U of step 1 and those of the later steps are now apart by", np.round(apart, 3))
assert history["tied"][-1] < history["tied"][0]
assert history["free"][-1] < history["free"][0]
assert min(apart) > 0.01
assert weights["free"] == T * weights["tied"]

# %% [markdown]
# Both learn. But the free one has bought something with its numbers that it cannot use: it knows what to do
# at step 1, step 2 and step 3. What should it do at step 4? It has no weights for that. The tied one reads on.

# %%
longer = tg.unfold(cell, tied_params, x_long, d_long, s0=s0)
print(f"the tied network reads {longer.T} steps with the same {weights['tied']} numbers")
assert longer.T == 9

# %% [markdown]
# That is why copies are tied: what was learned at one place in a sequence is known at all places. And because they
# are tied, one small change happens in all places at once. And because it happens in all places at once, the shares are
# **added**.
#
# You have now seen all the equations of Guo's report, and measured what they say. Its last remark we only pass on: what
# time does to a sequence, structure does to a tree. There a network is copied for each branch, the copies are tied,
# and the shares are added.
