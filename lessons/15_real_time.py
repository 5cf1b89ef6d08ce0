# %% [markdown]
# # In real time: RTRL, the gradient forwards
#
# * **Goal**: carry a gradient forwards, and say why one goes backwards
# * **Needs**: lesson 10; lesson 12 for its end
# * **Words**: RTRL, real-time recurrent learning, UORO, forward mode, online learning
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $a$ | counts hidden units: the one that feels a push | | k in Williams and Zipser |
# | $r$ | counts hidden units: those that it reads | | l in Williams and Zipser |
# | $P$ | how many weights move the state | | |
# | $N$ | how many runs | | |
# | $\theta$ | the one weight of the five units of lesson 12 | | |
#
# All that we have done goes back. It keeps every state until the end, and then it returns. A network that lives on
# has no end. It reads, answers, pays, reads; and it would like to know *now*, at step $t$, how its weights should
# change. Lesson 11 let it look back over a window and be blind for the rest.
#
# There is another way. Do not ask where an error came from. Ask, while you go forwards: **if this weight had been a
# little larger from the very beginning, how would my state be now?** If you know that for every weight, you need no
# past. When a cost comes, you can say at once what each weight had to do with it.
#
# ## The picture
#
# Two hidden units, two steps, and one entry of $U$. Above is that question: a small push to $u_{12}$ enters at each
# copy and flows forwards, along the arrows, to the cost. The number on a line is a slope: the direct derivative of what
# stands at its head by what stands at its tail. What arrives at a box is written in it: each tail's number times the
# slope, added up. Below are the same boxes and the same slopes. Only the arrows are turned round: the error flows from
# the cost back to the weight. (`U[1,2](1)` is the entry $u_{12}$ of the copy of step 1, `s[2](1)` the second unit.)

# %%
from itertools import islice

import numpy as np

import tinygrad_rnn as tg

np.set_printoptions(precision=4, suppress=True)

rng = np.random.default_rng(15)
cell = tg.cells.Guo(f="tanh", g="identity")
tiny = {name: rng.normal(size=w.shape) for name, w in cell.init(1, 2, 1, rng=rng).items()}
read, wanted = rng.normal(size=(2, 2, 1, 1))
two = tg.unfold(cell, tiny, read, wanted, loss="squared_error", s0=rng.normal(size=(1, 2)))
two.backward()
graph = tg.flow_graph(two, "U", (0, 1))
tg.draw_flow(graph)

# %% [markdown]
# What arrives is the same. That is a theorem on flow graphs (Beaufays and Wan, 1994, used it for just this; lesson 16
# proves it), and a number here. The upper picture is **real-time recurrent learning**, RTRL (Robinson and Fallside
# 1987, Williams and Zipser 1989). The lower one is backpropagation through time.

# %%
forwards, backwards = tg.transfer(graph), tg.transfer(tg.transposed(graph))
print(
    f"forwards {forwards:.9f}, backwards {backwards:.9f}, "
    f"on the tape {two.grads['U'][0, 1]:.9f}"
)
assert np.isclose(forwards, two.grads["U"][0, 1], rtol=0, atol=1e-14)
assert np.isclose(backwards, two.grads["U"][0, 1], rtol=0, atol=1e-14)

# %% [markdown]
# ## The formula
#
# Call the answer to the question $M(t)$. It has a number for each weight $u_{jh}$ that can be pushed and each unit $a$
# that can feel it: how much has that unit's state moved by time $t$, for each bit that the weight was moved?
#
# $$
# M_{jh,a}(t) = \frac{\partial s_a(t)}{\partial u_{jh}}
# $$
#
# One number of it will do. Which sum reaches unit $a$ at time $t$, and what has moved in it? Two things.
#
# * **The states that it reads.** Unit $r$ has been moved before, by $M_{jh,r}(t-1)$, and unit $a$ reads it with the
#   weight $u_{ar}$. All of them together move the sum by $\sum_r u_{ar}\, M_{jh,r}(t-1)$.
# * **The weight itself**, in the copy of this very step. If it leads to unit $a$, that is, if $a = j$, it multiplies
#   $s_h(t-1)$, so the sum moves by $s_h(t-1)$. If it leads to another unit, by 0. Both cases in one formula are
#   $[a = j]\, s_h(t-1)$, where $[a = j]$ is 1 if $a$ is $j$ and 0 if it is not.
#
# Then the sum goes through $f$, and a small move is multiplied by the slope:
#
# $$
# M_{jh,a}(t) = f'(\mathrm{net}_a(t)) \Big( \sum_r u_{ar}\, M_{jh,r}(t-1) + [a = j]\, s_h(t-1) \Big)
# $$
#
# It begins with $M(0) = 0$: no weight had a hand in $s(0)$. When a cost comes, it asks every unit: how much do you
# matter to me, and how much has this weight moved you?
#
# $$
# \frac{\partial C(t)}{\partial u_{jh}} = \sum_a \frac{\partial C(t)}{\partial s_a(t)}\, M_{jh,a}(t)
# $$
#
# We write it by hand, step by step, and never look back.

# %%
T, l, m, o = 6, 4, 3, 2
cell = tg.cells.Guo(f="tanh", g="softmax")
params = {
    name: 0.8 * rng.normal(size=w.shape) for name, w in cell.init(l, m, o, rng=rng).items()
}
x, d, s0 = (
    rng.normal(size=(T, 1, l)),
    np.eye(o)[rng.integers(o, size=(T, 1))],
    rng.normal(size=(1, m)),
)
U, W = params["U"], params["W"]

M, s, by_hand = np.zeros((m, m, m)), s0[0], []
for t in range(1, T + 1):
    before, s = s, np.tanh(params["V"] @ x[t - 1, 0] + U @ s + params["b_j"])
    own = np.zeros((m, m, m))
    for j in range(m):
        own[j, :, j] = before  # [a = j] s_h(t-1)
    M = (1 - s**2) * (M @ U.T + own)  # M @ U.T is the sum over r
    y = tg.guo.activation("softmax", (W @ s + params["b_k"])[None])[0]
    by_hand.append(M @ (W.T @ (y - d[t - 1, 0])))  # dC(t)/ds(t) by (17) and (9)
    print(
        f"t = {t}: the gradient of C({t}) is known, its length is "
        f"{np.linalg.norm(by_hand[-1]):.5f}"
    )

# %% [markdown]
# ## The rows of the table
#
# In lesson 10 the gradient of one cost was a row of the table of influences. RTRL gives that row's **sum**, whole, at
# the moment when the cost is there. The library does it for any cell and all weights. Its tape can do what the upper
# picture does: send a push forwards, line by line. What has arrived at a node is called its **tangent**, as what comes
# back to it is called its cotangent.

# %%
net = tg.unfold(cell, params, x, d, s0=s0)
net.backward()
rows = tg.influence(net, "U").sum(axis=1)
windows = list(tg.rtrl(cell, params, x, d, s0=s0))
for t, window in enumerate(windows, start=1):
    assert np.allclose(by_hand[t - 1], rows[t - 1], rtol=0, atol=1e-14)
    assert np.allclose(window.grads["U"], rows[t - 1], rtol=0, atol=1e-14)
assert np.allclose(windows[-1].carried["U"][:, :, 0], M, rtol=0, atol=1e-14)
for name in params:
    total = sum(window.grads[name] for window in windows)
    difference = np.abs(total - net.grads[name]).max()
    print(f"{name:>3}: the sum over all steps is the gradient of BPTT, up to {difference:.0e}")
    assert difference < 1e-13

# %% [markdown]
# Two derivations that have nothing in common but the network, one forwards and one backwards. They agree to the last
# digits. Whenever you doubt a backward pass, this is the witness to call.
#
# ## What it does not need, and what it does
#
# It needs no past. The stream below has no end; we take two thousand steps of it, and what is carried along from step
# to step does not grow.


# %%
def endless():
    """Noise, and whether the last two numbers had one sign: a stream that never ends."""
    source = np.random.default_rng(1)
    last = 0.0
    while True:
        now = source.normal()
        yield np.array([[now]]), np.array([[1.0, 0.0] if now * last > 0 else [0.0, 1.0]])
        last = now


first = cell.init(1, 4, 2, rng=3)
# the same numbers, made twice, stored nowhere
inputs, targets = (
    (a for a, _ in endless()),
    (b for _, b in endless()),
)
sizes = [w.carried_bytes for w in islice(tg.rtrl(cell, first, inputs, targets), 2000)]
print(f"carried after 10 steps: {sizes[9]} bytes; after {len(sizes)}: {sizes[-1]} bytes")
assert len(set(sizes)) == 1

# %% [markdown]
# But look at what is carried: a number for each weight **and** each unit. If $m$ units have $P$ weights, that is $m P$
# numbers of 8 bytes. (Here $P$ counts `V`, `U` and `b_j`. For `W` and `b_k` nothing is carried, they move no state.)
# And $P$ itself grows as $m^2$.
#
# One step has to multiply all of it by $U$. Each of the $m P$ new numbers is a sum over $m$ units, which makes $m^2 P$
# products. Backpropagation needs $m^2$ or so for a step, and keeps $m$ numbers. The networks in the table have half as
# many inputs as units.

# %%
P = sum(first[name].size for name in ("V", "U", "b_j"))
print(
    f"the stream above: {len(first['U'])} units, {P} weights, {8 * len(first['U']) * P} bytes"
)
assert sizes[-1] == 8 * len(first["U"]) * P
assert set(windows[-1].carried) == {"V", "U", "b_j"}

print(
    f"{'m':>4}{'carried by RTRL':>18}{'kept by BPTT, 1000 steps':>27}"
    f"{'products a step, RTRL : BPTT':>31}"
)
carried = []
for m in (4, 8, 16, 32, 64):
    weights = cell.init(m // 2, m, 2, rng=0)
    P = sum(weights[name].size for name in ("V", "U", "b_j"))
    carried.append(m * P)
    kept, ratio = 1000 * m, m * m * P // (m * m)
    print(f"{m:4}{m * P:18,}{kept:27,}{ratio:24,} : 1")
    if m <= 16:
        *_, window = tg.rtrl(cell, weights, np.ones((2, 1, m // 2)), np.ones((2, 1, 2)) / 2)
        assert window.carried_bytes == 8 * m * P
assert 7.9 < carried[-1] / carried[-2] < 8

# %% [markdown]
# Twice as many units: nearly eight times as much to carry. So RTRL is for small networks, or for checking others. Why
# is it so much dearer, when the two pictures above are mirror images?
#
# Because of what the mirror does to *many* questions. The upper graph starts at **one** weight; for another weight
# you need another graph. The lower one starts at the cost, and there is only one cost. On its way it passes every
# $\mathrm{net}$, and what it leaves there is Guo's $\delta$, for all weights at once.

# %%
sums = [state.parents[0] for state in two.states[1:]]
for j, h in np.ndindex(2, 2):
    one = tg.flow_graph(two, "U", (j, h))
    arrived = tg.flow(
        tg.transposed(one), {one.graph["sink"]: -1.0}
    )  # delta is minus the cotangent
    found = {(node, i): arrived[node.index, (0, i)] for node in sums for i in (0, 1)}
    for (node, i), error in found.items():
        assert np.isclose(error, tg.delta(node)[0, i], rtol=0, atol=1e-14)
    print(
        f"from the graph of u_{j + 1}{h + 1}, at net_1 and net_2 of both steps:",
        np.array(list(found.values())),
    )
print("one graph for each entry forwards; backwards they all say the same, and it is delta")

# %% [markdown]
# Many weights, one cost: go backwards. It is why lesson 2 went backwards in the first place.
#
# ## Learning while it runs
#
# With a gradient at every step the weights can be changed at every step. Then $M(t)$ is not quite right any more: it
# was carried along with the old weights. For small steps that does little, as in lesson 7. The five units of lesson
# 12, whose truncated gradient pointed uphill, learn in this way without any window: $\theta$ should come to $-0.5$.

# %%
A = 0.5 * (np.eye(5) + np.eye(5, k=1))
v = np.array([1.0, 1.0, -1.0, -1.0, -1.0])


def balance(params, _, s):
    """The network of lesson 12."""
    s = tg.ops.linear(s, A, params["theta"] * v, name="s")
    return s, tg.ops.part(s, start=0, stop=1, name="y")


theta = {"theta": np.array([0.5])}
nothing, ones = np.zeros((600, 1, 1)), np.ones((600, 1, 1))
for window in tg.rtrl(balance, theta, nothing, ones, loss="squared_error", s0=np.ones((1, 5))):
    theta["theta"] = theta["theta"] - 0.01 * window.grads["theta"]
    if window.last in (1, 10, 50, 100, 200, 600):
        print(
            f"after {window.last:>3} steps: theta = {theta['theta'][0]:8.4f}, "
            f"cost {window.loss:.2e}"
        )
assert abs(theta["theta"][0] + 0.5) < 1e-3

# %% [markdown]
# ## Cheaper, at a price
#
# Can one carry less than $m P$ numbers? Yes, if one gives something up. It is the choice of lesson 12 again: bias, or
# noise.
#
# **UORO** (*unbiased online recurrent optimization*, Tallec and Ollivier, 2018) replaces $M$ by the product of two
# vectors, one with $m$ numbers, one with $P$. With random signs in it, it is right **on average**. We run it three
# hundred times. The mean of $N$ runs differs from the true value by chance, by about the spread of one run divided by
# $\sqrt{N}$; if it differs by no more than that, we see no bias.

# %%
truth = net.grads["U"]
length = np.linalg.norm(truth)


def one_draw(seed):
    return sum(window.grads["U"] for window in tg.uoro(cell, params, x, d, s0=s0, rng=seed))


draws = np.array([one_draw(seed) for seed in range(300)])
spread = np.sqrt(((draws - draws.mean(axis=0)) ** 2).sum(axis=(1, 2)).mean()) / length
bias = np.linalg.norm(draws.mean(axis=0) - truth) / length
chance = spread / np.sqrt(len(draws))
print(f"UORO: a single run is off by {spread:.2f} of the gradient's length,")
print(
    f"the mean of {len(draws)} runs by {bias:.2f}; "
    f"by chance alone that would be about {chance:.2f}"
)
assert bias < 2 * chance
assert spread > 3 * bias

# %% [markdown]
# **E-prop** (from *eligibility propagation*, Bellec and others, 2020) throws away what goes from one unit to *another*
# in time, and carries a single number for each weight. There is no noise in it, but a bias; unless no unit reads
# another one, that is, unless $U$ is diagonal.

# %%
off = {}
for name, recurrent in (("U as it is", U), ("U diagonal", np.diag(np.diag(U)))):
    given = params | {"U": recurrent}
    whole = tg.unfold(cell, given, x, d, s0=s0)
    whole.backward()
    found = sum(window.grads["U"] for window in tg.eprop(cell, given, x, d, s0=s0))
    off[name] = np.linalg.norm(found - whole.grads["U"]) / np.linalg.norm(whole.grads["U"])
    print(f"e-prop, {name}: off by {off[name]:.1e}, every time the same")
assert off["U as it is"] > 0.01
assert off["U diagonal"] < 1e-14

# %% [markdown]
# The site's page on methods measures all of these, their time, their memory, their bias and their spread, in one table.
#
# ## The whole of it, once more
#
# One matrix, used at each time step. Each use is a copy; each copy has a share in each cost. That is a table, and:
#
# - **backpropagation through time** adds up all of it, by columns, going backwards;
# - **real-time recurrent learning** adds up all of it, by rows, going forwards;
# - **truncation** leaves out what is far from the diagonal, and does not know what it loses;
# - **random truncation** and **UORO** lose something else each time, and nothing on average;
# - whether there is anything far from the diagonal at all is up to $U$, to the slopes, and to the **gates**.
#
# And whatever is added up: the shares are added.
