# %% [markdown]
# # When truncation lies: biased gradients
#
# * **Goal**: say when a truncated gradient points uphill, and what it costs to be right on average
# * **Needs**: lessons 10 and 11; what a mean is
# * **Words**: biased gradient, randomised truncation, influence balancing
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $\theta$ | the one weight that learns | | |
# | $A$, $I$ | constant matrices: what a step does to the units, and what leaves them as they are | | |
# | $\sigma$ | the five signs with which the weight feeds the units | | v in the exercises |
# | $z$ | counts steps from a cost back to a copy, the lag | z | |
# | $k_2$ | how many copies are kept, as in lesson 11 | | K in Tallec and Ollivier |
# | $c$ | the probability of a cut | | |
#
# Truncation leaves out the far corner of the table because next to nothing stands there. But a gradient is a **sum**.
# Many small entries can add up to something, and they can all point the same way: against the near ones. Then the
# truncated gradient is not a shorter version of the truth. It points uphill.
#
# Can that be? Here is a network of five units and one weight in which it happens. It is a small version of the
# *influence balancing* problem of Tallec and Ollivier (2018); the one with 23 units is on the site's page about
# truncation.
#
# ## The picture
#
# Five units in a row. In each step a unit keeps half of what it has, and gets half of what its right neighbour has. One
# weight, $\theta$, feeds all of them: with a plus the first two, with a minus the other three.
#
#     unit      1  <-  2  <-  3  <-  4  <-  5
#     theta    +1     +1     -1     -1     -1
#
# Only the first unit is looked at. It should stay at 1. Push $\theta$ up a little, and the first unit goes up, at
# once. But from the right something is under way.
#
# As a formula, $s(t) = A\, s(t-1) + \theta\, \sigma$: in $A$ stand the halves, in $\sigma$ the five signs. Only
# $\theta$ can learn; $A$ and $\sigma$ are constants. In the drawing *repeat* writes $\theta$ five times, and × gives
# each its sign; the two *const* are $\sigma$, beside the ×, and $A$, beside the state.

# %%
import itertools

import numpy as np

import tinygrad_rnn as tg

units = 5
A = 0.5 * (np.eye(units) + np.eye(units, k=1))
sigma = np.array([1.0, 1.0, -1.0, -1.0, -1.0])


def balance(params, _, s):
    """One step: s(t) = A s(t-1) + theta sigma; the output is the first unit. There is an
    input, and it is not read."""
    s = tg.ops.linear(s, A, params["theta"] * sigma, name="s")
    return s, tg.ops.part(s, start=0, stop=1, name="y")


def sequence(T):
    """Nothing to read, and a target of 1 at every step."""
    return np.zeros((T, 1, 1)), np.ones((T, 1, 1))


given = {"loss": "squared_error", "s0": np.ones((1, units))}
short = tg.unfold(balance, {"theta": np.array([0.5])}, *sequence(3), **given)
short.backward()
tg.draw(short)

# %% [markdown]
# ## The formula
#
# What the copy of $\theta$ at time $\tau$ gives to the units is $\sigma$ times $\theta$. One step later it has been
# through $A$ once, and is $A\,\sigma$ times $\theta$. At the lag $z = t - \tau$ it has been through $A$ so many times,
# and is $A^z \sigma$ times $\theta$. Only what has arrived at the first unit counts, the first entry. The cost is
# $C(t) = \frac{1}{2} (s_1(t) - 1)^2$, its derivative by $s_1(t)$ is $s_1(t) - 1$, so
#
# $$
# G[t, t-z] = (s_1(t) - 1)\, (A^z \sigma)_1
# $$
#
# A sign that starts at unit 3 needs two steps to unit 1, from unit 5 it needs four; and each step halves and mixes. We
# look at one row of the table, that of the last of sixty costs, from the diagonal to the left. With $k_2$ copies the
# truncated gradient is the sum of the first $k_2$ entries.

# %%
T = 60
net = tg.unfold(balance, {"theta": np.array([0.5])}, *sequence(T), **given)
net.backward(of=T)
truth = net.grads["theta"][0]
row = tg.influence(net, "theta")[-1, ::-1, 0]
by_formula = [
    (net.states[-1].value[0, 0] - 1) * (np.linalg.matrix_power(A, z) @ sigma)[0]
    for z in range(T)
]
assert np.allclose(row, by_formula, rtol=0, atol=1e-14)

sums = row.cumsum()
print("copies   newest adds   sum so far")
for k2 in (*range(1, 13), 20, 40, 60):
    bar = "█" * round(3 * abs(sums[k2 - 1]))
    sign = "-" if sums[k2 - 1] < 0 else "+"
    print(f"{k2:6}{row[k2 - 1]:14.4f}{sums[k2 - 1]:13.4f}   {sign} {bar}")
wrong = [k2 for k2 in range(1, T + 1) if np.sign(sums[k2 - 1]) != np.sign(truth)]
print(f"\nthe gradient is {truth:.4f}; its sign is wrong with up to {wrong[-1]} copies")
assert np.isclose(sums[-1], truth)
assert wrong == list(range(1, wrong[-1] + 1))
assert wrong[-1] > units
assert abs(row[20]) < 0.01 * abs(row[0])

# %% [markdown]
# Look at the column in the middle. The entries do become small, just as in lesson 10: twenty steps back, less than a
# hundredth of the first is left. And still the near past is wrong about the direction. Even five copies, as many as the
# chain has units, are not enough.
#
# ## Learning uphill
#
# With $\theta = \frac{1}{2}$ the first unit is too low. The plus signs are near, and they say: raise $\theta$. The
# minus signs arrive later, and they are three against two. When nothing moves any more (*at rest*), the state before
# is the state after: $s = A s + \theta\, \sigma$, that is, $(I - A)\, s = \theta\, \sigma$. That settles it.

# %%
at_rest = np.linalg.solve(np.eye(units) - A, sigma)[0]
goal = 1 / at_rest
print(f"with theta = 0.5 the first unit comes to {net.states[-1].value[0, 0]:.2f}")
print(f"at rest it is {at_rest:.2f} theta, so it is 1 for theta = {goal:.2f}")
assert np.isclose(goal, -0.5)
assert net.states[-1].value[0, 0] < 0


def learn(method, rate, steps=600, **options):
    """Where theta gets to, one step of descent after each window; it stops when theta has run
    away."""
    params = {"theta": np.array([0.5])}
    for window in method(balance, params, *sequence(steps), **given, **options):
        params["theta"] = params["theta"] - rate * window.grads["theta"]
        if abs(params["theta"][0]) > 1000:
            break
    return params["theta"][0]


ends = {}
for k2 in (1, 3, 5, 10, 20):
    ends[k2] = learn(tg.truncated, 0.01, k1=1, k2=k2)
    print(
        f"TBPTT(1, {k2:>2}): theta = {ends[k2]:12.4f}",
        "  runs away" if abs(ends[k2]) > 1000 else "",
    )
assert all(ends[k2] > 1000 for k2 in (1, 3, 5))
assert all(abs(ends[k2] - goal) < 1e-3 for k2 in (10, 20))

# %% [markdown]
# With few copies it is not slow, and it is not inexact. It goes the wrong way, for as long as you let it. Nor would you
# be warned: every number that the program prints is finite, and every cut gradient is computed correctly.
#
# Take more copies, then! Ten are enough here. But in a network that you do not know, how would you know? The
# truncated gradient does not tell you what it has not seen.
#
# ## Cut at random
#
# Tallec and Ollivier (2017) found a way out. Do not cut at fixed places; throw dice. From each step to the next there
# is one link, the line of the state. Throw the dice for each link, and cut it with probability $c$. Now no entry of the
# table is *always* lost. An entry at lag $z$ survives if none of the $z$ links between is cut, and this happens with
# probability
#
# $$
# (1 - c)^z
# $$
#
# So on average the random cut counts far entries too little. But we know exactly how much too little. So let each link
# that is **not** cut multiply the error that passes by $\frac{1}{1-c}$. After $z$ links that is $(1-c)^{-z}$, which
# makes up for all the times when it did not get through. They call it *anticipated reweighted truncated
# backpropagation*, ARTBP.
#
# A claim about an average over dice can be checked without dice, when there are few links. We take a network like those
# of the last lessons, with six steps. That makes five links and 32 ways to cut them. We go through all.

# %%
T = 6
rng = np.random.default_rng(12)
cell = tg.cells.Guo(f="tanh", g="softmax")
params = {
    name: 0.8 * rng.normal(size=w.shape) for name, w in cell.init(4, 3, 2, rng=rng).items()
}
x, d = rng.normal(size=(T, 1, 4)), np.eye(2)[rng.integers(2, size=(T, 1))]
small = tg.unfold(cell, params, x, d, s0=rng.normal(size=(1, 3)))
small.backward()
full = small.grads["U"].copy()
length = np.linalg.norm(full)
c = 0.3

ways = [np.array(way) for way in itertools.product([False, True], repeat=T - 1)]
chances = [np.prod(np.where(way, c, 1 - c)) for way in ways]
plain, reweighted = [], []
for way in ways:
    tg.cut(small)  # mend it
    tg.cut(small, *(np.flatnonzero(way) + 2))  # the first link leads to step 2
    small.backward()
    plain.append(small.grads["U"].copy())
    reweighted.append(tg.artbp_gradient(small, c=c, cuts=way)["U"])
tg.cut(small)


def mean(gradients):
    return sum(chance * g for chance, g in zip(chances, gradients, strict=True))


bias = {"cut at random": mean(plain) - full, "and reweighted": mean(reweighted) - full}
print(f"{len(ways)} ways to cut, whose chances add up to {sum(chances):.3f}")
for name, difference in bias.items():
    print(
        f"{name:>15}: the mean is off by "
        f"{np.linalg.norm(difference) / length:.1e} of the gradient"
    )
assert np.linalg.norm(bias["cut at random"]) > 0.05 * length
assert np.linalg.norm(bias["and reweighted"]) < 1e-14 * max(1, length)

# %% [markdown]
# And the mean of the plain random cut is what we said: the table, each entry times $(1-c)^z$.

# %%
lag = np.subtract.outer(np.arange(T), np.arange(T))  # [t, tau]: t - tau
faded = np.tensordot(
    np.where(lag >= 0, (1 - c) ** np.abs(lag), 0.0), tg.influence(small, "U"), axes=2
)
assert np.allclose(mean(plain), faded, rtol=0, atol=1e-14)
print(f"the plain random cut fades the table by {1 - c:.1f} to the power of the lag")

# %% [markdown]
# ## What it costs: noise
#
# There is no free lunch. Right **on average** does not mean right each time. The more often it cuts, the shorter the
# windows are, $1/c$ steps on average in a stream without an end, and the more one draw differs from the next. The
# *spread* says how far one draw typically is from the gradient: the root of the mean squared distance, as a part of the
# gradient's length. The 32 ways give it exactly, too.

# %%
print("    c   steps in a window   spread of one draw")
spreads = []
for c in (0.05, 0.1, 0.2, 0.4, 0.6):
    chances = [np.prod(np.where(way, c, 1 - c)) for way in ways]
    draws = [tg.artbp_gradient(small, c=c, cuts=way)["U"] for way in ways]
    spreads.append(np.sqrt(mean([((g - full) ** 2).sum() for g in draws])) / length)
    print(f"{c:5}{1 / c:20.1f}{100 * spreads[-1]:19.1f} %")
    assert np.isclose(
        1 / c, sum(steps * (1 - c) ** (steps - 1) * c for steps in range(1, 1000))
    )
assert spreads == sorted(spreads)
assert spreads[1] < 1 < spreads[2]

# %% [markdown]
# Over 100 % the noise is longer than the gradient itself. So there is a choice between two evils. Truncation is wrong
# in the same way each time: that is **bias**, and no patience helps against it. ARTBP is wrong in another way each
# time: that is **noise**, and noise is averaged away by the many small steps of learning.
#
# ## The same five units
#
# We give both the same number of steps per window, five: chunks of five to the one, a cut every five steps on average
# to the other. Three times, with other dice.

# %%
chunks = learn(tg.epochwise, 0.001, steps=3000, h=5)
print(f"chunks of 5:          theta = {chunks:10.4f}")
found = [learn(tg.artbp, 0.001, steps=3000, c=1 / 5, rng=seed) for seed in range(3)]
for seed, theta in enumerate(found):
    print(f"cut by dice, seed {seed}:  theta = {theta:10.4f}")
assert chunks > 1
assert all(abs(theta - goal) < 0.05 for theta in found)

# %% [markdown]
# The chunks run away; the dice find $-0.5$. No window of theirs could see the whole sequence either, but what one of
# them missed, another one had counted more. On average it was right.
#
# Lesson 10 left us with a question: why do influences die away, by about the same factor with each step? And must they?
# For the five units you can now say it. An influence goes through $A$ at every step, and $A$ halves. A network like
# Guo's has no such $A$. Its state goes through $U$, and then through $\tanh$. What do these two do to an influence, in
# one step?
