# %% [markdown]
# # The error surface
#
# * **Goal**: say when training a recurrent network meets poor optima, and when it only looks so
# * **Needs**: lessons 10 and 13
# * **Words**: error surface, loss landscape, local minimum, local optima, cliff, chaos, bifurcation, Lyapunov exponent
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $J$ | the Jacobian of a step: what it makes of a push to the state | | |
# | $\rho$ | the spectral radius: what a matrix does in the long run | | |
# | $\lambda$ | the Lyapunov exponent: how fast a push grows, per step | | |
#
#
# Of backpropagation through time one reads that the feedback of a recurrent network makes "chaotic responses in the
# error surface", and that these cause local optima, often, and "in poor locations". Wikipedia says so and cites
# Cuéllar, Delgado and Pegalajar (2006). It is the reason given for training by something else than gradients.
#
# Is it true? Of which networks? It can be measured: the error surface is the cost over the weights, and a picture of it
# is a picture of many networks.
#
# ## The picture
#
# Four tanh units read ten sequences and should say a number at the end. We take two random directions in the space of
# all 29 weights, go along both from where the weights are, and draw the cost: where it is low, the map is like the
# page, and the higher it is, the stronger the colour. Each row is a matrix $U$ with another spectral radius $\rho$,
# each column another number of steps $T$. All points of a map are computed at once.

# %% seconds=3 quick=2
import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import experiments

np.set_printoptions(precision=3, suppress=True)
points = 71  # quick: 61
cell = tg.cells.Guo(f="tanh", g="identity")


def weights(radius, rng):
    params = cell.init(1, 4, 1, rng=rng)
    params["U"] = tg.train.scale_to_radius(rng.normal(size=(4, 4)), radius)
    return params


def network(radius, T, seed=0):
    """Ten sequences of noise, and for each a number to be said at the end."""
    rng = np.random.default_rng(seed)
    params = weights(radius, rng)
    x, d = rng.normal(size=(50, 10, 1))[-T:], rng.normal(size=(50, 10, 1))[-T:]
    options = {"loss": "squared_error", "losses": "last", "batch_first": False}
    return tg.unfold(cell, params, x, d, **options)


surfaces = {
    (radius, T): tg.surface(network(radius, T), radius=2, points=points, rng=7)
    for radius in (0.5, 1.5, 3.0)
    for T in (1, 5, 20, 50)
}
assert sum(w.size for w in network(0.5, 1).params.values()) == 29

# %%
try:
    axes = tg.plot_surfaces(
        {f"ρ = {radius}, T = {T}": s for (radius, T), s in surfaces.items()}
    )
    assert len(axes) == 12
except ImportError as missing:
    print(missing)

# %% [markdown]
# With one step $U$ has only $s(0) = 0$ to multiply, and the three maps are one. Below $\rho = 1$ they stay smooth,
# however many steps there are. Above, more steps make a mountain range.
#
# ## How many minima?
#
# We count. A point of the map that is lower than its eight neighbours looks like a minimum. Let us try that where we
# know the answer: one tanh unit, $s(1) = \tanh(u\,s(0) + b)$, which should be 0.7. Everything on one line in the plane
# of $u$ and $b$ is right, so there is one valley, and nothing else.


# %%
def one_unit(params, _, s):
    s = tg.ops.tanh(s * params["u"] + params["b"], name="s")
    return s, s


def unit(u=1.0, b=-0.5, T=1):
    params = {"u": np.array([[u]]), "b": np.array([[b]])}
    data = np.zeros((T, 1, 1)), np.full((T, 1, 1), 0.7)
    start = np.array([[0.5]])
    return tg.unfold(one_unit, params, *data, s0=start, loss="squared_error", losses="last")


for n in (51, 101, 201):
    valley = tg.surface(unit(), ("u", "b"), radius=(7, 2.5), points=n)
    naive, told = len(valley.minima(prominence=0)), valley.minima()
    print(f"{n} points a side: {naive:3d} lower than their neighbours; by prominence: {told}")
    assert naive > n / 4
    assert len(told) == 1

# %% [markdown]
# The valley runs obliquely through the grid, and wherever it passes close by a point, that one is lower than its
# neighbours. So the number only says how fine the grid is. What tells a real minimum is how far one has to climb to
# leave it for lower ground: its **prominence**. We count a minimum if that is more than a hundredth of all heights on
# the map, and count again on a grid half as fine. If the two numbers differ, the count is not a number of the surface.

# %%
print(f"{'ρ':>4}{'T':>4}   {'this grid':>9}{'half as fine':>14}")
counted = {key: s.minima() for key, s in surfaces.items()}
for (radius, T), found in counted.items():
    print(f"{radius:4}{T:4}   {len(found):9}{found.coarser:14}")
assert all(len(counted[radius, 1]) == 1 for radius in (0.5, 1.5, 3.0))
assert len(counted[0.5, 20]) <= 6
assert counted[0.5, 20].converged
assert len(counted[3.0, 50]) > 10 * len(counted[3.0, 1])
assert all(len(counted[3.0, T]) > 2 * counted[3.0, T].coarser for T in (20, 50))
print("ρ = 3, T = 50:", counted[3.0, 50])

# %% [markdown]
# Below $\rho = 1$ there are a few minima, and a finer grid finds the same ones. With $\rho = 3$ and twenty steps or
# more, the finer grid finds more than twice as many: there is more to be found at every scale. "The number of minima"
# has no value there. What can be said is that it grows with the grid.
#
# ## The formula
#
# Where does the roughness come from? A push to a weight at an early step is a push to the state, and each later step
# multiplies it by its Jacobian, as in lesson 13,
#
# $$
# \frac{\partial s(t)}{\partial s(\tau)} = J(t)\, J(t-1) \ldots J(\tau+1)
# $$
#
# which is about $e^{\lambda (t-\tau)}$ long. The number $\lambda$ is the **Lyapunov exponent** of the network. If it
# is below 0, what was long ago is forgotten, and the cost at the end is a smooth function of the weights. If it is
# above 0, the two ends of a tiny change of a weight come apart step by step until they are as far apart as the state
# allows. Then neighbours on the map have nothing to do with each other. That is **chaos**, and it needs more than one
# unit.
#
# **One tanh unit cannot be chaotic.** As $s$ grows, $\tanh(u s + b)$ only grows, or it only falls. If it grows,
# states one after another go only one way, and come to rest. If it falls, two steps together grow, so every second
# state comes to rest: there are two values at most. We turn $u$ and look at what the state comes to.

# %%
turned = np.linspace(-6, 6, 400)
long_run = experiments.attractor(unit(b=0.3), {"u": turned[:, None, None]}, skip=5000)
values = [experiments.different_values(states) for states in long_run]
print("one unit: different values in the long run, for 400 weights:", sorted(set(values)))
assert set(values) == {1, 2}

# %% [markdown]
# **Two units can.** Both are logistic; the first one turns itself off and is turned on by the second, which it turns
# off too. We turn the bias of the first one.

# %%
two = tg.cells.Guo(f="sigmoid", g="identity")
pair = {
    "V": np.zeros((2, 1)),
    "U": np.array([[-16.0, 6.0], [-6.0, 0.0]]),
    "b_j": np.array([-2.0, 3.0]),
    "W": np.ones((1, 2)),
    "b_k": np.zeros(1),
}


def two_units(T):
    zeros = np.zeros((T, 1, 1))
    return tg.unfold(two, pair, zeros, zeros, loss="squared_error", losses="last")


biases = np.linspace(-6, 2, 401)
states = experiments.attractor(
    two_units(1), {"b_j": np.stack([biases, np.full(401, 3.0)], axis=1)}, keep=200
)
J = tg.pathology.jacobians(two_units(300))[100:]
exponents = experiments.lyapunov(J)[0]
print("with the bias -2, the exponents are", exponents, "per step")
assert exponents[0] > 0.1
assert experiments.different_values(states[200], 1e-4) > 100  # biases[200] is -2

# %%
try:
    ax = tg.plot_bifurcation(biases, states[:, :, 0], name="the bias of the first unit")
    ax.set_ylabel("the state of the first unit")
except ImportError as missing:
    print(missing)

# %% [markdown]
# One value becomes two, two become four, and then all order is gone, and comes back. Where a branch splits, a small
# change of a weight changes what the network does for good.
#
# ## The cliff
#
# Already one unit has a wall in its surface, without any chaos: where it changes from one rest to another. In lesson 13
# we saw it over one weight; here it is over two. The unit has to come to 0.7 after 50 steps, as in a figure of Pascanu,
# Mikolov and Bengio (2013), and four optimisers start at the same place. Clipped is the whole gradient, to the length
# 0.1.

# %% seconds=2
start = experiments.cliff(w=5.2, b=-2.6)
ways = {
    "SGD": experiments.descend(start, tg.train.SGD(0.05)),
    "SGD, clipped": experiments.descend(start, tg.train.SGD(0.05), clip=0.1),
    "Adam": experiments.descend(start, tg.train.Adam(0.02)),
    "Adam, clipped": experiments.descend(start, tg.train.Adam(0.02), clip=0.1),
}
wall = tg.surface(experiments.cliff(w=5.0, b=-2.5), ("w", "b"), radius=(2, 0.7), points=points)
steep = wall.gradient.max() / np.median(wall.gradient)
print(f"the longest gradient on the map is {steep:.0f} times the median one")
print(f"{'':>14}{'longest step':>13}{'worst of the last 100':>23}{'the last cost':>15}")
for name, way in ways.items():
    step = np.hypot(*(np.diff(way.params[w].ravel()) for w in "wb")).max()
    print(f"{name:>14}{step:13.3f}{way.cost[-100:].max():23.1e}{way.cost[-1]:15.1e}")
assert steep > 300
assert ways["Adam, clipped"].cost[-1] < 1e-9
assert min(ways[name].cost[-1] for name in ("SGD", "SGD, clipped", "Adam")) > 1e-3

# %%
try:
    tg.plot_surface(wall, ways)
except ImportError as missing:
    print(missing)

# %% [markdown]
# SGD is thrown away by one step. Clipping stops that, and nothing more: the clipped SGD comes to the edge, is sent back
# by a small step, and comes again. The valley that it wants lies along the edge. Is it a matter of the step size?

# %%
for eta in (0.02, 0.1, 0.2):
    way = experiments.descend(start, tg.train.SGD(eta), clip=0.1)
    print(
        f"SGD, eta {eta:4}, clipped: the worst of the last hundred costs is {way.cost[-100:].max():.2f}"
    )
    assert way.cost[-100:].max() > 0.1
slow = experiments.descend(start, tg.train.Adam(0.005), clip=0.1)
print(f"and Adam with eta 0.005, clipped: {slow.cost[-100:].max():.2f}")
assert slow.cost[-100:].max() > 0.1

# %% [markdown]
# Not one of three step sizes settles down. Adam, clipped, does with 0.02, and with 0.005 it does not. "Clipping cures
# the cliff" is false here.
#
# Each point of a map is a network. Here is one whose error meets the wall, to be stepped through: a unit with six
# steps, at the steepest point of its map.

# %%
short = tg.surface(
    experiments.cliff(5.0, -2.5, T=6), ("w", "b"), radius=(2, 0.7), points=points
)
there = short.net_at(short.steepest)
there.backward()
assert np.isclose(
    np.hypot(there.grads["w"], there.grads["b"]).item(), short.gradient[short.steepest]
)
tg.player(there, title="At the steepest point of the map")

# %% [markdown]
# ## A slice is not the surface
#
# Is a minimum on a map a place where training gets stuck? The map shows 2 directions of 29. We go to each minimum of
# the smooth map, $\rho = 0.5$ and $T = 20$, and compare: the slope that one sees in the map, and the length of the
# gradient in all weights. Then we let Adam go on from there in all 29, from every minimum at once: `tg.at_weights`
# computes the cost and the gradients at many sets of weights.


# %%
def walk(net, params, steps, eta=0.02):
    """The lowest cost that Adam comes to, from many sets of weights at once."""
    adam, lowest = tg.train.Adam(eta), np.inf
    for _ in range(steps):
        found = tg.at_weights(net, params)
        lowest = np.fmin(lowest, found.cost)
        adam.step(params, found.grads)
    return lowest


for radius in (0.5, 3.0):
    smooth, found = surfaces[radius, 20], counted[radius, 20]
    at = found.at[:20]
    seen = np.median([smooth.gradient[point] for point in at])
    whole = np.array([smooth.whole_gradient[point] for point in at])
    each = [smooth.params(point) for point in at]
    left = walk(
        network(radius, 20), {name: np.stack([p[name] for p in each]) for name in each[0]}, 100
    ) / np.array([smooth.cost[point] for point in at])
    print(
        f"ρ = {radius}, {len(at)} minima: gradient in the map {seen:.2f}, in all weights "
        f"{np.median(whole):.2f};\n  a hundred steps leave {np.median(left):.3f} of the cost"
    )
    assert whole.min() > 1  # at none of them is the gradient zero
    assert np.median(left) < 0.7

# %% [markdown]
# None of them is a minimum. A count of minima on a slice says that the surface is rough along a plane. It does not say
# that training is trapped.
#
# ## Poor optima
#
# So we ask the question itself: where does training end? To know what could be reached, we let another network of the
# same kind make the targets. Then there are weights with the cost 0, whatever $T$ and $\rho$ are. Twelve networks of
# that kind start somewhere else, and go down in all weights. Here each step has a target. A cost of 1 is what saying
# the mean would cost.


# %% seconds=4 quick=3
starts = 12
updates = 150  # quick: 120


def ends(radius, T, seed=0):
    rng = np.random.default_rng(seed)
    teacher, x = weights(radius, rng), rng.normal(size=(T, 10, 1))
    options = {"loss": "squared_error", "batch_first": False}
    taught = tg.unfold(cell, teacher, x, np.zeros((T, 10, 1)), **options)
    d = np.stack([y.value for y in taught.outputs])
    net = tg.unfold(cell, teacher, x, d, **options)
    assert net.loss == 0  # there are weights that say it all
    net.replay()  # its plan is made once, and serves every call of at_weights
    many = [weights(radius, rng) for _ in range(starts)]
    params = {name: np.stack([each[name] for each in many]) for name in teacher}
    return walk(net, params, updates) / (0.5 * 10 * d.var(axis=(1, 2)).sum())


costs = {
    (radius, T): ends(radius, T) for radius, T in ((0.5, 1), (0.5, 50), (3.0, 1), (3.0, 50))
}
print(f"{'ρ':>4}{'T':>4}{'median end':>12}{'ends above 0.1':>16}")
for (radius, T), end in costs.items():
    print(f"{radius:4}{T:4}{np.median(end):12.1e}{np.mean(end > 0.1):16.2f}")
assert np.mean(costs[0.5, 50] > 0.1) == 0
assert np.mean(costs[3.0, 1] > 0.1) == 0
assert np.mean(costs[3.0, 50] > 0.1) > 0.5

# %% [markdown]
# * **Depth alone does not do it.** Where each step shrinks what comes, no start ends high, be it with fifty steps.
# * **A large $U$ alone does not do it.** With one step it has only $s(0) = 0$ to multiply: the two rows with $T = 1$
#   are the same.
# * **Both together do.** Where the steps stretch, many starts end far above what could be reached. There the sentence
#   holds.
#
# "Ends" are where these updates have come to, not proven minima.
#
# ## What remains of the sentence
#
# Chaotic responses: of networks whose steps stretch, with two units or more. Local optima: on a slice, many, and with
# no number of their own. In poor locations: there too. A network that shrinks has nothing of it. It has the other
# problem instead: its gradient vanishes, and what is long ago cannot be learned at all (lesson 13).
