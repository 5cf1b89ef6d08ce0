# %% [markdown]
# # Back through time: unfolding
#
# * **Goal**: write backpropagation through time for a whole sequence
# * **Needs**: lesson 5
# * **Words**: backpropagation through time, BPTT, unfolding, unrolling
#
# Letters that only this lesson has, or that the report uses for two things:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | depth | copies that are added to the newest one | τ in his text, T in his sums | $k_2 - 1$ in lesson 11 |
# | $q$ | counts units of the upper layer | | |
#
# Lesson 5 gave every weight its change. Equation (12) did it for `U`:
#
# $$
# \Delta u_{jh}(t) = \eta\, \delta_j(t)\, s_h(t-1)
# $$
#
# The previous state stands there as if it had fallen from the sky. But it was computed one step earlier, with the
# same `U`. If `U` changes, that state changes too. It is lesson 2 again: $s_h(t-1)$ is the *direct* derivative of
# $\mathrm{net}_j(t)$ with respect to $u_{jh}$, the 3 and not the 23. How much do we lose if we look away?
#
# ## What it costs to look away
#
# A network of five steps, with a cost at the last one only. We take the changes of lesson 5 at the last step and hold
# them against the truth, measured by moving the weights and letting everything follow.

# %%
import numpy as np

import tinygrad_rnn as tg

np.set_printoptions(precision=4, suppress=True)

T, n, l, m, o = 5, 1, 4, 3, 2
rng = np.random.default_rng(4)
x, s0 = rng.normal(size=(T, n, l)), rng.normal(size=(n, m))
d = np.eye(o)[rng.integers(o, size=(T, n))]
cell = tg.cells.Guo(f="tanh", g="softmax")
sizes = cell.init(l, m, o, rng=rng)
params = {name: 0.7 * rng.normal(size=w.shape) for name, w in sizes.items()}


def last_cost():
    """C(T), the cost at the last time step, from the equations of lesson 4."""
    played = tg.guo.forward(params, x, s0, f="tanh")
    return tg.guo.cost(played.y, d)[-1]


def measured(name, push=1e-5):
    """Its gradient, by moving each entry of a weight up and down."""
    slopes = np.zeros_like(params[name])
    for at in np.ndindex(slopes.shape):
        old = params[name][at]
        params[name][at] = old + push
        up = last_cost()
        params[name][at] = old - push
        slopes[at] = (up - last_cost()) / (2 * push)
        params[name][at] = old
    return slopes


truth = {name: measured(name) for name in ("W", "V", "U")}
one_step = tg.guo.gradients_of_one_cost(params, x, d, s0, t=T, depth=0, f="tanh")
off = {}
for name, slopes in truth.items():
    off[name] = np.linalg.norm(one_step.grads[name] - slopes) / np.linalg.norm(slopes)
    print(f"{name}: the change of lesson 5 is off by {100 * off[name]:5.1f} %")
assert off["W"] < 1e-8
assert off["V"] > 0.1
assert off["U"] > 0.1

# %% [markdown]
# `W` is right: it made the earlier outputs too, but nothing of them comes into the last cost. `V` and `U` are wrong.
# What they did earlier is still there, in the state.
#
# ## The picture
#
# So write the earlier steps down as well. This is Guo's Figure 2, **unfolding**: the network copied once for each
# time step, back to as early as you like. Every copy has weights of its own, all with the same numbers. What you get
# is a deep network without any loop, and lesson 5 holds for it.
#
# The report's figure has one output, at the newest step. So has this picture. The error starts from its cost $C(5)$,
# and runs back down the thick line; in red stands what arrives at each state, $\partial C(5) / \partial s(t)$. Lesson
# 2 called it the cotangent. In each copy of a weight stands the length of its share.

# %%
net = tg.unfold(cell, params, x, d, s0=s0)
net.backward(of=T)
tg.draw(net, view="staircase", level="layers", overlay="cotangents")

# %% [markdown]
# ## Equation (19): the error one step earlier
#
# At the newest step a hidden unit's error comes from the outputs, by (9). Now go one step back and ask a hidden unit
# $j$ there. Who has read its state? The hidden units of the next step; call them $h$. Each of them sends its error back
# along the weight by which it was fed, and that is an entry of `U`:
#
# $$
# \delta_{pj}(t-1) = \sum_h^m \delta_{ph}(t)\, u_{hj}\, f'(\mathrm{net}_{pj}(t-1)) \tag{19}
# $$
#
# Lay (9) beside it. There the readers were the outputs $k$, and the weights were $w_{kj}$. Here the readers are the
# hidden units $h$ one step later, and the weights are $u_{hj}$. Nothing else is new: time is just one more layer.
#
# Two places to watch when you program it.
#
# **Which way round is `U`?** As in lesson 4, $j$ is the unit that the formula is about, $h$ a unit at the other end of
# `U`, and the first index is where the weight leads to. In (2) unit $j$ *reads* $h$, one step earlier: the weight leads
# to $j$, it is $u_{jh}$, and the sum over $h$ runs over the second index, `s @ U.T`. In (19) unit $j$ *is read by* $h$,
# one step later: the weight leads to $h$, it is $u_{hj}$, and the sum over $h$ runs over the first index, `delta @ U`.
# The table of lesson 4, read the other way.
#
# **Where is the slope taken?** $f'$ is taken at $t-1$, where the error **arrives**, and not at $t$, where it comes
# from. The report prints $f'(s_{pj}(t-1))$ there. It means the slope at the unit's $\mathrm{net}$; lesson 8 measures
# what the misprint does.

# %%
played = tg.guo.forward(params, x, s0, f="tanh")
U, W = params["U"], params["W"]


def slope(net_j):
    return 1 - np.tanh(net_j) ** 2


delta_k = d[-1] - played.y[-1]  # (17)
delta_j = {T: (delta_k @ W) * slope(played.net_j[T - 1])}  # (9)
for t in range(T, 1, -1):
    delta_j[t - 1] = (delta_j[t] @ U) * slope(played.net_j[t - 2])  # (19)

for t in range(T, 0, -1):
    on_tape = tg.delta(net.states[t].parents[0])
    print(f"t = {t}   delta_j = {delta_j[t][0]}   length {np.linalg.norm(delta_j[t]):.5f}")
    assert np.allclose(delta_j[t], on_tape, rtol=0, atol=1e-14)

# %% [markdown]
# Each line is one step of (19), and each is what the tape says.
#
# ## Folded back
#
# The copies have errors now, so each copy of `U` has its change by (12): its own error times the state before it.
# For a copy (12) is right: the state before it was made by other copies. But there are not five matrices. There is
# one, and it was used five times. So the changes of its copies are added and the network is **folded back**. Here are
# the copies again, and the one set of weights that they are tied to: follow a dashed line.
#
# The ledger holds slopes, $\partial C(5) / \partial U(t)$: with $\eta = 1$ they are the changes with the sign turned.

# %%
tg.draw(net, overlay="cotangents")

# %%
s = played.s
copies = {t: delta_j[t].T @ s[t - 1] for t in range(1, T + 1)}
folded_back = sum(copies.values())
print(tg.ledger(net, "U"))
difference = np.abs(-folded_back - truth["U"]).max()
print(f"\nthe sum differs from the measured gradient by at most {difference:.1e}")
assert all(np.allclose(-copies[t], net.copies["U"][t - 1]) for t in copies)
assert difference < 1e-8

# %% [markdown]
# This is the ledger of lesson 1 again, with one cost instead of five. Its last row holds against the measured gradient:
# the errors of lesson 5 are gone.
#
# ## How far back?
#
# Nothing forces you to go back to the first step. How many copies are added to the newest one is called the *depth*
# here. Depth 0 is lesson 5. Let us see what each depth makes of the gradient of $C(5)$.

# %%
print("depth   copies   off by")
errors = []
for depth in range(T):
    shallow = tg.guo.gradients_of_one_cost(params, x, d, s0, t=T, depth=depth, f="tanh")
    errors.append(np.linalg.norm(shallow.grads["U"] - truth["U"]) / np.linalg.norm(truth["U"]))
    reached = sum(np.any(shallow.copies["U"], axis=(1, 2)))
    print(f"{depth:5}   {reached:6}   {100 * errors[-1]:6.2f} %")
    assert reached == depth + 1
assert errors == sorted(errors, reverse=True)
assert errors[0] > 0.1
assert errors[-1] < 1e-8

# %% [markdown]
# Mind the count: depth 2 reaches **three** copies, the newest and two more. So it is in the report's Figure 2, which
# draws three.
#
# Here every further copy brings us closer. That is so in this network; it is no law. Shares can have opposite signs,
# and lesson 12 has a network in which more of them is worse, for a while. Only the last row is sure to be right.
#
# ## A cost at every step
#
# The sentence of lesson 1 had a cost at every character. There are two ways to get its gradient. You can go back from
# each cost by itself and add up everything you find. Or you can go back once, and let the errors of the outputs join
# on the way:
#
# $$
# \delta_j(t) = \Big( \sum_k \delta_k(t)\, w_{kj} + \sum_h \delta_h(t+1)\, u_{hj} \Big) f'(\mathrm{net}_j(t)),
# \qquad \delta_h(T+1) = 0
# $$
#
# There is the `+=` at the state again: one share from its own output, one from the next step. And $\delta$ has got
# another meaning: not the error of one $C(t)$, but of all of them together, $C = \sum_t C(t)$. The report has the first
# way only; the second is the sweep of Werbos (1990).

# %%
one_by_one = sum(
    tg.guo.gradients_of_one_cost(params, x, d, s0, t=t, depth=t - 1, f="tanh").grads["U"]
    for t in range(1, T + 1)
)

delta_k, later, at_once, steps_back = d - played.y, np.zeros((n, m)), np.zeros_like(U), 0
for t in range(T, 0, -1):
    later = (delta_k[t - 1] @ W + later @ U) * slope(played.net_j[t - 1])
    at_once -= later.T @ s[t - 1]
    steps_back += 1

net.backward()
print("cost by cost, all at once and the tape agree:", np.allclose(one_by_one, at_once))
assert np.allclose(one_by_one, at_once, rtol=0, atol=1e-14)
assert np.allclose(net.grads["U"], at_once, rtol=0, atol=1e-14)
print(f"cost by cost: {sum(range(1, T + 1))} steps back; all at once: {steps_back}")

# %% [markdown]
# The same gradient, and the second way takes one step back for each time step, however many costs there are. It
# is what `net.backward()` does.
#
# Both ways can be seen in one picture. The last row below the columns takes a copy's share apart, cost by cost: this
# is the first way. Choose $C(5)$ in the picture, and only its own error is drawn. The road that is lit otherwise is
# the second way: all errors together.

# %%
tg.player(net, title="A cost at every step", start=("U", 2), ops=False)

# %% [markdown]
# ## One layer more
#
# In (9) and (19) a state has two sorts of readers: outputs, and hidden units one step later. That is so because this
# network has one hidden layer. Put a second one on top, which reads the states of the first as its inputs. Who reads
# the lower state now?

# %%
deep_cell = tg.cells.Stacked(tg.cells.Guo(f="tanh"), tg.cells.Guo(f="tanh", g="softmax"))
deep_sizes = deep_cell.init(l, m, o, rng=rng)
deep_params = {name: 0.7 * rng.normal(size=w.shape) for name, w in deep_sizes.items()}
deep = tg.unfold(deep_cell, deep_params, x, d)
deep.backward()
sums = {(node.name, node.t): node for node in deep.tape}
for name in ("s_1", "s_2"):
    readers = [str(node) for node in deep.tape if sums[name, 3] in node.parents]
    print(f"{sums[name, 3]} is read by", " and ".join(readers))
    assert len(readers) == 2

# %% [markdown]
# The lower state has no output of its own. Its other share comes from the layer above, *at the same time step*, through
# the input weights $V_2$ of that layer, whose units $q$ counts. The upper layer is as before, and the rule is the old
# one: whoever has read you sends you a share.
#
# $$
# \delta_{j,1}(t) = \Big( \sum_q \delta_{q,2}(t)\, v_{qj,2} + \sum_h \delta_{h,1}(t+1)\, u_{hj,1} \Big)
# f'(\mathrm{net}_{j,1}(t))
# $$

# %%
below, later = {t: tg.delta(sums["net_j_1", t]) for t in range(1, T + 1)}, np.zeros((n, m))
for t in range(T, 0, -1):
    above = tg.delta(sums["net_j_2", t])
    later = (above @ deep_params["V_2"] + later @ deep_params["U_1"]) * slope(
        sums["net_j_1", t].value
    )
    assert np.allclose(later, below[t], rtol=0, atol=1e-14)
print("the errors of the lower layer, by the formula and on the tape, agree at every t")

# %% [markdown]
# Now everything is there: forwards, backwards, and folded back. Lesson 7 writes it with matrices and lets it learn.
