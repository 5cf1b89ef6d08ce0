# %% [markdown]
# # Vanishing and exploding gradients
#
# * **Goal**: say when a gradient must vanish, and what each way of clipping does
# * **Needs**: lessons 6 and 10; singular values help
# * **Words**: vanishing, exploding, Jacobian, singular value, gradient clipping, initialisation
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $J$ | the Jacobian of a step: what it makes of a push to the state | | |
# | $\sigma$ | singular values: by how much a matrix stretches a push | | the logistic function, in lesson 14 |
# | $\gamma$ | the steepest slope of $f$ | | γ in Pascanu and others |
# | $\rho$ | the spectral radius: what a matrix does in the long run | | |
# | $z$ | counts steps back, the lag | z | |
#
# In lesson 10 each step back multiplied the influence by about the same factor, and the factor was below one. Do that
# forty times and nothing is left. If it were above one, forty times would be a catastrophe of the other kind.
#
# Where does the factor come from? And can one choose it?
#
# ## The picture
#
# Here is what one step does. A small push to the state before it becomes a push to the state after it, longer or
# shorter, and turned. By how much it is stretched depends on its direction. The most and the least are called the
# largest and the smallest **singular value** of the step; they stand in the state, behind the $\sigma$. The line that
# leads there has the colour of the largest: blue if even that is below 1, orange if it is above.

# %%
import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import pathology

np.set_printoptions(precision=4, suppress=True)

T, n, l, m, o = 5, 1, 4, 3, 2
rng = np.random.default_rng(13)
x, s0 = rng.normal(size=(T, n, l)), rng.normal(size=(n, m))
d = np.eye(o)[rng.integers(o, size=(T, n))]
cell = tg.cells.Guo(f="tanh", g="softmax")
params = {
    name: 0.7 * rng.normal(size=w.shape) for name, w in cell.init(l, m, o, rng=rng).items()
}
net = tg.unfold(cell, params, x, d, s0=s0)
net.backward()
tg.draw(net, overlay="jacobian")

# %% [markdown]
# ## The formula
#
# The state is $s(t) = f(\mathrm{net}(t))$, and $\mathrm{net}(t)$ has $U s(t-1)$ in it. So a push to $s(t-1)$ goes
# through $U$, and then through the slope of $f$. As a matrix, which is called the **Jacobian** of the step,
#
# $$
# J(t) = \frac{\partial s(t)}{\partial s(t-1)} = \mathrm{diag}(f'(\mathrm{net}(t)))\, U
# $$
#
# and over many steps these are multiplied. It is equation (19) again, and nothing else: there the error went from net
# to net, times $U$, times the slope. Here we go from state to state. The same factors, only that we begin to count at
# another one.

# %%
J = pathology.jacobians(net)[:, 0]
for t in range(1, T + 1):
    slopes = 1 - net.states[t].value[0] ** 2
    assert np.allclose(J[t - 1], np.diag(slopes) @ params["U"], rtol=0, atol=1e-15)
print("J(2) =")
print(J[1])
print("the slopes of tanh at t = 2:", 1 - net.states[2].value[0] ** 2)

singular = np.linalg.svd(J[1], compute_uv=False)  # from the largest to the smallest
pushes = np.random.default_rng(0).normal(size=(10_000, m))
stretched = np.linalg.norm(pushes @ J[1].T, axis=1) / np.linalg.norm(pushes, axis=1)
print(f"its singular values: from {singular[0]:.2f} to {singular[-1]:.2f}")
print(
    f"ten thousand pushes are stretched by {stretched.max():.2f} at most and "
    f"{stretched.min():.2f} at least"
)
assert singular[-1] <= stretched.min()
assert 0.99 * singular[0] < stretched.max() <= singular[0]

# %% [markdown]
# In the picture of the whole network, choose $C(5)$ at the top: its error alone is drawn, back through every step,
# and each line is as strong as the error on it is long, over five powers of ten.

# %%
tg.player(net, title="The error of one cost fades", start=("U", 2), ops=False)

# %% [markdown]
# By the **error** at a state we mean $\partial C(5) / \partial s(t)$ here, without Guo's minus. The error at $s(5)$,
# times $J(5)$, times $J(4)$, and so on, must be the error that the tape finds at the earlier states. The number of
# steps back is the lag of lesson 10.

# %%
by_tape = pathology.state_errors(net)[:, 0]
error = by_tape[0]
for lag in range(T + 1):
    print(f"lag {lag}: {error}   length {np.linalg.norm(error):.5f}")
    assert np.allclose(error, by_tape[lag], rtol=0, atol=1e-15)
    if lag < T:
        error = error @ J[T - lag - 1]

# %% [markdown]
# ## When it must vanish
#
# $U$ stretches nothing by more than its largest singular value $\sigma_{\max}$, and no slope of $f$ is more than
# $\gamma$, which is 1 for $\tanh$ and 1/4 for the logistic function. One step does no more than both together. So after
# $z$ steps, at most
#
# $$
# (\gamma\, \sigma_{\max}(U))^z
# $$
#
# is left. If $\gamma\, \sigma_{\max} < 1$, the gradient **must** vanish, whatever the network reads and whatever it
# should say. If it is above 1, the gradient **may** explode. It need not: real slopes are smaller than $\gamma$.
#
# We try it with 16 units and four pairs of an $f$ and a $U$. Each $U$ is a rotation, times a number; a rotation
# stretches nothing, so that number is $\sigma_{\max}$. *What is left* is the most that the forty steps together do to
# any push: the largest singular value of the product of their Jacobians.

# %%
m, T = 16, 40
turn = tg.train.orthogonal(m, rng=5)
start = cell.init(3, m, 2, rng=6)
x, d = rng.normal(size=(T, 1, 3)), np.eye(2)[rng.integers(2, size=(T, 1))]
steepest = {"tanh": 1, "sigmoid": 1 / 4, "identity": 1}
print(f"{'f':>10}{'sigma_max':>11}{'bound, 40 steps':>17}{'what is left':>14}")
left = {}
for f, gain in (("tanh", 0.8), ("sigmoid", 1.5), ("tanh", 1.2), ("identity", 1.2)):
    assert np.isclose(np.linalg.norm(gain * turn, 2), gain)
    simple = tg.cells.Guo(f=f)
    weights = start | {"U": gain * turn}
    bound = (steepest[f] * gain) ** T
    product = pathology.products(pathology.jacobians(tg.unfold(simple, weights, x, d)))[
        0, 0
    ]  # J(40) ... J(1)
    left[f, gain] = np.linalg.norm(product, 2)  # its largest singular value
    print(f"{f:>10}{gain:11.1f}{bound:17.1e}{left[f, gain]:14.1e}")
    assert np.isclose(bound, float(pathology.vanishing_bound(simple, weights, T)))
    assert left[f, gain] <= bound * (1 + 1e-9)
assert left["tanh", 1.2] < 1 < left["identity", 1.2]

# %% [markdown]
# Look at the last two. The same $U$, and a bound far above 1. Without $\tanh$ (the identity has the slope 1 everywhere)
# the error grows just as the bound says. With it, the error *shrinks*: the slopes have eaten the growth.
#
# ## One step, and the long run
#
# Leave the slopes away, and let the same $U$ act again and again. Its largest singular value says what one step can do.
# What happens in the long run is said by another number, the **spectral radius** $\rho$: the largest size of an
# eigenvalue. The two can be far apart.

# %%
U = np.array([[0.5, 4.0], [0.0, 0.5]])
sigma, radius = np.linalg.norm(U, 2), tg.train.spectral_radius(U)
print(f"sigma_max = {sigma:.2f}, spectral radius = {radius:.2f}")
powers = [np.linalg.norm(np.linalg.matrix_power(U, z), 2) for z in range(31)]
for z in (0, 1, 2, 4, 8, 16, 30):
    print(f"after {z:>2} steps at most {powers[z]:.2e} times as long")
assert powers[1] > 4
assert powers[30] < 1e-6
assert sigma > 1 > radius

# %% [markdown]
# It explodes, and then it vanishes. If you want to know whether one step can hurt, look at $\sigma_{\max}$. If you
# want to know what $U$ leaves after a hundred steps, look at $\rho$.
#
# ## Exploding: the cliff
#
# What does an exploding gradient look like from the point of view of a weight? We take the smallest network there is,
# one unit, one weight $u$,
#
# $$
# s(t) = u\, g(s(t-1)) + b, \qquad C = \frac{1}{2} \big( g(s(50)) - 0.7 \big)^2,
# $$
#
# with the logistic function $g$, $s(0) = 0.5$ and $b = -2.9$. After fifty steps, and only then, its output should be
# 0.7. We draw the cost against $u$; each bar is as long as the cost. Pascanu, Mikolov and Bengio (2013) have a picture
# of one like it.


# %%
def one_unit(params, x, s):
    """s(t) = u g(s(t-1)) + b; the output is g(s). The bias is the input, which does
    not change."""
    s = tg.ops.add(params["u"] * tg.ops.sigmoid(s), x, name="s")
    return s, tg.ops.sigmoid(s, name="y")


steps, b = 50, -2.9
u = {"u": np.array([[5.0]])}
unit = tg.unfold(
    one_unit,
    u,
    np.full((steps, 1, 1), b),
    np.full((steps, 1, 1), 0.7),
    loss="squared_error",
    losses=[steps],
    s0=np.array([[0.5]]),
)


def look(grid):
    """Cost and slope at each of these weights."""
    costs, slopes = [], []
    for value in grid:
        u["u"][...] = value
        costs.append(unit.replay())
        unit.backward()
        slopes.append(unit.grads["u"][0, 0])
    return np.array(costs), np.array(slopes)


def show(grid, costs, slopes):
    for row in zip(grid, costs, slopes, strict=True):
        print(
            "u = {:.6f}   cost {:.4f}   slope {:12.4f}   ".format(*row)
            + "█" * round(120 * row[1])
        )


grid = np.linspace(4.5, 7.5, 13)
costs, slopes = look(grid)
show(grid, costs, slopes)
plain = np.median(np.abs(slopes))

# %%
try:
    fine = np.linspace(4.5, 7.5, 301)
    ax = tg.plot_axes()
    ax.plot(fine, look(fine)[0])
    ax.set(xlabel="the weight w", ylabel="the cost C", title="The cliff")
except ImportError as missing:
    print(missing)

# %% [markdown]
# Between two of these lines the cost falls down. We look closer at the place where it falls most, and closer again,
# until it is no longer a jump.

# %%
while np.abs(np.diff(costs)).max() > 0.1:
    wall = np.abs(np.diff(costs)).argmax()
    grid = np.linspace(grid[wall], grid[wall + 1], 13)
    costs, slopes = look(grid)
show(grid, costs, slopes)
steepest = np.abs(slopes).argmax()
print(f"the steepest slope is {abs(slopes[steepest]) / plain:.0f} times the median one above")
assert abs(slopes[steepest]) > 1000 * plain

# %% [markdown]
# A plain, and in it a wall. On the plain a step of gradient descent moves $u$ by next to nothing. What does it do at
# the wall? A step is $\eta$ times the slope. So we stand at the steepest place, take one step with $\eta = 0.5$, and
# see how far $u$ is moved. All of the first picture is 3 wide. Then we do it once more with the gradient *clipped*: if
# it is longer than 0.5, it is made 0.5 long.

# %%
u["u"][...] = grid[steepest]
unit.replay()
unit.backward()
eta = 0.5
jump = eta * abs(unit.grads["u"][0, 0])
short = eta * abs(tg.clip_by_norm(unit.grads, 0.5)["u"][0, 0])
print(f"one step at the wall moves u by    {jump:12.2f}")
print(f"with a gradient that is clipped by {short:12.2f}")
assert jump > 1
assert np.isclose(short, 0.25)

# %% [markdown]
# Without clipping, $u$ is thrown far away from everything that it has learned, by one step that was meant to be small.
#
# ## Clipping, in three places
#
# A gradient that is too long is made shorter. That sounds like one idea. There are three, and they do not give the
# same.
#
# * **By norm.** All gradients together are one long vector. If it is longer than a threshold, it is shortened. Its
#   direction stays. (Pascanu, Mikolov and Bengio, 2013)
# * **By value.** Each number beyond a bound is put at the bound. The direction changes.
# * **Inside.** The error is clipped on the way back, at each step, before it goes on. (Mikolov, 2012) What comes out is
#   not the gradient made shorter. Held against measured slopes, as in lesson 1, it fails.
#
# To have something to clip, we take a wild network: 24 steps with a $U$ that stretches everything four times.

# %%
wild = start | {"U": 4 * turn}
x, d = rng.normal(size=(24, 1, 3)), np.eye(2)[rng.integers(2, size=(24, 1))]
net = tg.unfold(tg.cells.Guo(), wild, x, d)
net.backward()
inside = tg.unfold(tg.cells.ErrorClipped(tg.cells.Guo(), 0.1), wild, x, d)
inside.backward()


def flat(grads):
    return np.concatenate([grads[name].ravel() for name in sorted(grads)])


def angle(grads):
    a, b = flat(grads), flat(net.grads)
    return np.degrees(np.arccos(min(1.0, a @ b / np.linalg.norm(a) / np.linalg.norm(b))))


ways = {
    "not at all": net.grads,
    "by norm": tg.clip_by_norm(net.grads, 1.0),
    "by value": tg.clip_by_value(net.grads, 0.1),
    "inside": inside.grads,
}
print(f"{'clipped':>10}{'length':>10}{'angle to the gradient':>24}")
for name, grads in ways.items():
    print(f"{name:>10}{np.linalg.norm(flat(grads)):10.3f}{angle(grads):21.2f} deg")
print(
    "does it agree with measured slopes?   not clipped:",
    net.check().ok,
    "  clipped inside:",
    inside.check().ok,
)
assert np.isclose(np.linalg.norm(flat(ways["by norm"])), 1.0)
assert angle(ways["by norm"]) < 1e-4
assert angle(ways["by value"]) > 5
assert angle(ways["inside"]) > 5
assert net.loss == inside.loss
assert net.check().ok
assert not inside.check().ok

# %% [markdown]
# Clipping is a seat belt. It does not make the wall go away, and it does nothing at all against vanishing: what is zero
# cannot be clipped to be longer.
#
# ## How to begin
#
# What we *can* choose is the $U$ that we begin with. Small random numbers, as one takes them in other networks, are the
# worst of the five choices below.
#
# A state that is handed on by a rotation gets neither longer nor shorter. An **orthogonal** $U$ is such a rotation
# (or a reflection): all its singular values are 1. The **identity** hands on the state as it is; with units that are
# zero below zero and linear above it (*ReLU*), this is the IRNN of Le, Jaitly and Hinton (2015). Random numbers can be
# larger, too: with the standard deviation $1/\sqrt{m}$ (here called gain 1) the spectral radius is near 1, and any
# matrix can be scaled to a radius of just 1.
#
# The inputs are small this time, so that the slopes of $\tanh$ stay near 1 and we see what $U$ does. The last column is
# the factor of one step back, on average over all forty.

# %%
starts = {
    "normal, std 0.1": 0.1 * np.random.default_rng(7).normal(size=(m, m)),
    "normal, gain 1": tg.train.scaled_normal(m, gain=1.0, rng=7),
    "radius 1": tg.train.scale_to_radius(tg.train.scaled_normal(m, rng=7), 1.0),
    "orthogonal": turn,
    "identity": tg.train.identity(m),
}
x, d = 0.1 * rng.normal(size=(T, 1, 3)), np.eye(2)[rng.integers(2, size=(T, 1))]
lengths = {}
print(
    f"{'U starts as':>16}{'radius':>8}"
    + "".join(f"{f'lag {lag}':>10}" for lag in (0, 10, 20, 40))
    + f"{'a step':>10}"
)
for name, U in starts.items():
    net = tg.unfold(tg.cells.Guo(f="tanh"), start | {"U": U}, x, d)
    lengths[name] = np.linalg.norm(pathology.state_errors(net)[:, 0], axis=1)
    factor = (lengths[name][T] / lengths[name][0]) ** (1 / T)
    radius = tg.train.spectral_radius(U)
    print(
        f"{name:>16}{radius:8.2f}"
        + "".join(f"{lengths[name][lag]:10.1e}" for lag in (0, 10, 20, 40))
        + f"{factor:10.3f}"
    )
assert lengths["orthogonal"][T] > 1e6 * lengths["normal, std 0.1"][T]
assert lengths["normal, std 0.1"][T] < 1e-10
assert np.allclose(np.linalg.svd(turn, compute_uv=False), 1)
assert abs(tg.train.spectral_radius(starts["normal, gain 1"]) - 1) < 0.1
assert min(lengths, key=lambda name: lengths[name][T]) == "normal, std 0.1"
assert lengths["normal, std 0.1"][10] < 1e-3 * min(
    lengths[name][T] for name in lengths if name != "normal, std 0.1"
)

# %% [markdown]
# With small random numbers less is left after ten steps than with any of the others after forty. As a plot:

# %%
try:
    tg.plot_lags(lengths).set(
        xlabel="steps back from the cost", ylabel="length of the error at the state"
    )
except ImportError as missing:
    print(missing)

# %% [markdown]
# ## Does it matter?
#
# A task that is nothing but memory: at the first step the network is told one of two things. Then comes noise, up to
# the fortieth step. There it is asked what it was told. Who does not know pays $\ln 2$.
#
# Two things help it to learn, whatever it begins with: the gradient is clipped by norm, and **Adam** makes the steps.
# Adam is gradient descent that divides each number's gradient by the size that it has had lately, so that each weight
# moves by about $\eta$ per update. Here are three numbers with very different gradients, and the first update:

# %%
numbers, slopes = {"w": np.zeros(3)}, {"w": np.array([0.001, 1.0, -50.0])}
tg.train.Adam(0.005).step(numbers, slopes)
print("gradients", slopes["w"], "move the numbers by", numbers["w"])
assert np.allclose(numbers["w"], -0.005 * np.sign(slopes["w"]), rtol=1e-4)


# %%
def told(rng, steps, samples=32):
    """What is read, and what is to be said at the end."""
    which = rng.integers(2, size=samples)
    x, d = np.zeros((steps, samples, 3)), np.zeros((steps, samples, 2))
    x[0, np.arange(samples), which] = 1
    x[1:, :, 2] = 0.3 * rng.normal(size=(steps - 1, samples))
    d[-1] = np.eye(2)[which]
    return x, d


def train(U, updates=300):
    """The cost of one sample, update by update."""
    rng = np.random.default_rng(0)
    weights = {name: w.copy() for name, w in (start | {"U": U}).items()}
    net = tg.unfold(cell, weights, *told(rng, T), losses=[T])
    descent, history = tg.train.Adam(0.005), []
    for _ in range(updates):
        x, d = told(rng, T)
        history.append(net.replay(x, d) / x.shape[1])
        net.backward()
        descent.step(weights, tg.clip_by_norm(net.grads, 1.0))
    return np.array(history), weights


chance = np.log(2)
print(f"knowing nothing costs {chance:.3f}")
last = {}
for name in ("normal, std 0.1", "orthogonal"):
    history, trained = train(starts[name])
    last[name] = history[-20:].mean()
    shown = "  ".join(f"{history[k]:.3f}" for k in (0, 50, 100, 200, 299))
    print(f"{name:>16}: {shown}")
assert last["normal, std 0.1"] > 0.9 * chance
assert last["orthogonal"] < 0.1 * chance

# %% [markdown]
# The same network, the same task, the same updates. One has learned it and the other has learned nothing: as the table
# has it, next to no error reaches the step at which it was told.
#
# But a beginning is all that this is. Each update moves $U$, and nothing keeps it a rotation. And as soon as units are
# driven far, their slopes are small, and no $U$ makes up for that.

# %%
after = np.linalg.svd(trained["U"], compute_uv=False)
print(
    "singular values of U: all 1 at the start, "
    f"after training from {after.min():.2f} to {after.max():.2f}"
)
assert after.max() - after.min() > 0.1

# %% [markdown]
# Could a network be **built** such that the factor is one, and stays one?
