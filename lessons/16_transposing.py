# %% [markdown]
# # Turn the graph round: transposition
#
# * **Goal**: prove that forwards and backwards give one number
# * **Needs**: lesson 15; sums with two indices
# * **Words**: transposition, flow graph, signal-flow graph
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $a$, $r$ | counts boxes of a flow graph | | k, l in the exercises |
# | $\gamma$ | the gain of a line | | A, a in the exercises |
# | $P$, $Q$ | what is put into the boxes: of the graph, of the turned graph | | p, q in the exercises |
# | $X$, $Z$ | what the boxes hold: of the graph, of the turned graph | | x in the exercises |
#
# Lesson 15 drew two graphs above each other, one with its arrows turned round, and said: the same number arrives, that
# is a theorem. So it was there to be believed. In this lesson it is taken apart and proved, in three lines, and then we
# try to break it.
#
# There is something to wonder about. Real-time recurrent learning goes **with** a weight: move it a little, see how the
# state moves, how the next state moves with that one, and so on up to the cost. Backpropagation through time goes
# **against** it: start with the error at the cost and carry it back. As programs they have nothing in common. One runs
# forwards and carries a number for each weight and each unit, the other runs backwards and carries one for each unit.
# And yet:

# %%
from collections import Counter

import networkx as nx
import numpy as np

import tinygrad_rnn as tg

T, n, l, m, o = 3, 1, 3, 2, 2
rng = np.random.default_rng(16)
x, s0 = rng.normal(size=(T, n, l)), rng.normal(size=(n, m))
d = np.eye(o)[rng.integers(o, size=(T, n))]
cell = tg.cells.Guo(f="tanh", g="softmax")
params = {name: rng.normal(size=w.shape) for name, w in cell.init(l, m, o, rng=rng).items()}
net = tg.unfold(cell, params, x, d, s0=s0)
net.backward()

forwards = sum(window.grads["U"] for window in tg.rtrl(cell, params, x, d, s0=s0))
print("with the weight:   ", forwards.ravel())
print("against the weight:", net.grads["U"].ravel())
assert np.allclose(forwards, net.grads["U"], rtol=0, atol=1e-14)

# %% [markdown]
# The same numbers, to the last digits. Françoise Beaufays and Eric Wan explained it in 1994, with a drawing and three
# lines of algebra.
#
# ## The picture
#
# Take one entry of `U`, $u_{12}$. In the upper half, every number that can depend on it is a box: `s[2](1)` is unit 2
# at time 1. A small change flows along the lines; each line multiplies it by its **gain**, and each box adds up what
# flows in. Put a 1 in at the lower left, and each box shows what has become of it, down to the last one at the upper
# right, the cost. (Move the picture sideways to see it.) Two boxes hold 0: at the first step $u_{12}$ leads to unit 1
# alone, unit 2 hears of it one step later.
#
# In the lower half the same boxes stand at the same places, and the lines have the same gains. Only the arrows are
# turned round: the 1 goes in at the cost, and flows to the weight.

# %%
j, h = 0, 1
graph = tg.flow_graph(net, "U", (j, h))
turned = tg.transposed(graph)
tg.draw_flow(graph)

# %%
held = tg.flow(graph, {graph.graph["source"]: 1.0})  # by line of the tape and entry
at_1 = [held[net.states[1].index, (0, unit)] for unit in range(m)]
print(f"what a 1 at the weight is in the units of step 1: {at_1[0]:.4f} and {at_1[1]:g}")
assert at_1[0] != 0
assert at_1[1] == 0

# %% [markdown]
# ## What the gains are
#
# There is nothing mysterious about a gain: it is the slope of one op at the values that the network has now. Follow a
# change of $u_{jh}$ through the upper half:
#
# $$
# \begin{aligned}
# \text{from } u_{jh} \text{ to } \mathrm{net}_j(t): &\quad s_h(t-1) \\
# \text{from } \mathrm{net}_j(t) \text{ to } s_j(t): &\quad f'(\mathrm{net}_j(t)) \\
# \text{from } s_j(t) \text{ to } \mathrm{net}_h(t+1): &\quad u_{hj} \\
# \text{from } s_j(t) \text{ to } \mathrm{net}_k(t): &\quad w_{kj} \\
# \text{from } \mathrm{net}_k(t) \text{ to } C(t): &\quad y_k(t) - d_k(t)
# \end{aligned}
# $$
#
# Into the sum of unit $j$ it gets through the state that $u_{jh}$ multiplies. Through $f$ it gets with the slope $f'$.
# Into the next time step it gets through the weights $u_{hj}$ of equation (19), one line to each hidden unit: that line
# has a **delay** of one step. From there on the same holds for every unit in place of $j$. Into the cost it gets
# through $W$ and the slope of the cost, equation (17) with its sign turned. The lines with the gain 1 lead to the
# copies and from the costs $C(t)$ to their sum.

# %%
checked = Counter()
for a, b, branch in graph.edges(data=True):
    start, end = graph.nodes[a], graph.nodes[b]
    kinds = start["name"].partition("(")[0], end["name"].partition("(")[0]
    if kinds == ("U", "netⱼ"):
        expected = net.states[end["t"] - 1].value[0, h]
    elif kinds == ("netⱼ", "s"):
        expected = 1 - net.states[end["t"]].value[0, end["entry"][1]] ** 2
    elif kinds == ("s", "netⱼ"):
        expected = params["U"][end["entry"][1], start["entry"][1]]
        assert branch["delay"] == 1
    elif kinds == ("s", "netₖ"):
        expected = params["W"][end["entry"][1], start["entry"][1]]
    elif kinds == ("netₖ", "C"):
        t, k = end["t"], start["entry"][1]
        expected = net.outputs[t - 1].value[0, k] - d[t - 1, 0, k]
    else:
        assert kinds in (("U", "U"), ("C", "C"))
        expected = 1
    assert np.isclose(branch["gain"], expected, rtol=0, atol=1e-14)
    checked[" to ".join(kinds)] += 1
for kinds, count in checked.items():
    print(f"{count:>3} lines from {kinds}: the gain is what is said above")
assert checked.total() == len(graph.edges)

# %% [markdown]
# ## Turning it round
#
# To transpose a flow graph, do one thing: turn every arrow round and leave its gain alone. Three other things happen by
# themselves:
#
# * A box that several lines left, a **branching**, becomes a box where several arrive, a **sum**. And the other way
#   round.
# * The place where the 1 went in becomes the place where you read.
# * A delay becomes an **advance**, a delay of $-1$: time runs backwards.

# %%
gains = [Counter(branch["gain"] for *_, branch in g.edges(data=True)) for g in (graph, turned)]
sums = [sum(degree > 1 for _, degree in g.in_degree()) for g in (graph, turned)]
branchings = [sum(degree > 1 for _, degree in g.out_degree()) for g in (graph, turned)]
delays = [
    sorted({branch["delay"] for *_, branch in g.edges(data=True)}) for g in (graph, turned)
]
print(f"{'':14}{'boxes':>7}{'lines':>7}{'sums':>7}{'branchings':>12}   delays")
for k, (name, g) in enumerate((("the graph", graph), ("turned round", turned))):
    print(f"{name:14}{len(g):7}{len(g.edges):7}{sums[k]:7}{branchings[k]:12}   {delays[k]}")
assert gains[0] == gains[1]
assert sums == branchings[::-1]
assert sums[0] != sums[1]
assert delays == [[0, 1], [-1, 0]]

# %% [markdown]
# ## Both arrive at the same number
#
# Put a 1 into the graph at the weight and read at the cost: that is its **transfer**. Put a 1 into the turned graph at
# the cost and read at the weight.

# %%
there, back = tg.transfer(graph), tg.transfer(turned)
print(f"from the weight to the cost:  {there:.12f}")
print(f"from the cost to the weight:  {back:.12f}")
print(f"dC/du on the tape:            {net.grads['U'][j, h]:.12f}")
assert np.isclose(there, back, rtol=0, atol=1e-14)
assert np.isclose(there, net.grads["U"][j, h], rtol=0, atol=1e-14)

# %% [markdown]
# ## And on the way: Guo's delta
#
# Now look at what passes by inside the turned graph. Put in $-1$ instead of $1$, because Guo's error is the negative:
# $\delta = -\partial C / \partial \mathrm{net}$. Then every box called $\mathrm{net}_j$ holds a delta.

# %%
flowing = tg.flow(turned, {turned.graph["source"]: -1.0})
for t in range(1, T + 1):
    net_j = net.states[t].parents[0]
    boxes = [flowing[net_j.index, (0, unit)] for unit in range(m)]
    guo = tg.delta(net_j)[0]
    print(f"t = {t}   in the graph {np.round(boxes, 6)}   Guo's delta_j {guo.round(6)}")
    assert np.allclose(boxes, guo, rtol=0, atol=1e-14)

# %% [markdown]
# At every time step and every unit the turned graph *is* backpropagation through time. Nobody had to derive it: it was
# read off a drawing.
#
# ## Why it must be so
#
# We prove a little more than we need: we let something flow into *every* box, and not only a 1 into one of them.
#
# Number the boxes. $a$ and $r$ are such numbers, and $\gamma_{ar}$ is the gain of the line *to* box $a$ *from* box $r$,
# in the order that weights have here. It is zero if there is no such line. In the turned graph that line leads from $a$
# to $r$, with the same gain.
#
# Now put something into every box of both graphs: $P_a$ into box $a$ of the graph, $Q_a$ into box $a$ of the turned
# one. A box holds what was put in and what flows in. Call that $X_a$ in the graph and $Z_a$ in the turned one:
#
# $$
# X_a = P_a + \sum_r \gamma_{ar}\, X_r, \qquad Z_a = Q_a + \sum_r \gamma_{ra}\, Z_r.
# $$
#
# The two differ in the gain: into box $a$ of the turned graph flows what box $r$ got from $a$ in the graph, so it is
# $\gamma_{ra}$. Now three steps.
#
# **One.** Multiply the first equation by $Z_a$ and the second by $X_a$. Add up each over all boxes $a$:
#
# $$
# \begin{aligned}
# \sum_a Z_a X_a &= \sum_a Z_a\, P_a + \sum_{a,r} Z_a\, \gamma_{ar}\, X_r, \\
# \sum_a X_a Z_a &= \sum_a X_a\, Q_a + \sum_{a,r} X_a\, \gamma_{ra}\, Z_r.
# \end{aligned}
# $$
#
# **Two.** Compare. The left sides are the same. The double sums are the same, too: both have one term for each line of
# the graph, *what $Z$ is at its head, times its gain, times what $X$ is at its tail*. Only the letters $a$ and $r$ are
# exchanged.
#
# **Three.** So what is left must agree:
#
# $$
# \sum_a Z_a\, P_a = \sum_a X_a\, Q_a.
# $$
#
# Back to what we need. Let $P$ be a 1 at the weight and nothing else, and $Q$ a 1 at the cost and nothing else. Then
# one term is left on each side: $Z$ at the weight is $X$ at the cost. What arrives in one graph is what arrives in the
# other. That is the whole proof. Engineers call it *interreciprocity*.
#
# It holds for any $P$ and $Q$, so we try it with random ones.


# %%
def left_over(one, other, seed):
    """The difference of the two sums, for random P and Q, as a part of what was added up."""
    random = np.random.default_rng(seed)
    P, Q = ({box: random.normal() for box in g} for g in (one, other))
    X, Z = tg.flow(one, P), tg.flow(other, Q)
    terms = [X[a] * Q[a] - Z[a] * P[a] for a in one]
    return abs(sum(terms)) / sum(map(abs, terms))


same = [left_over(graph, turned, seed) for seed in range(20)]
print(f"20 random choices of P and Q: at most {max(same):.0e} is left over")
assert max(same) < 1e-13

# %% [markdown]
# Would we notice if it were wrong? Change the gain of **one** line by one per cent, in the turned graph only. We do
# that to each line in turn.

# %%
noticed = []
for a, r in turned.edges:
    wrong = nx.DiGraph(turned)
    wrong.edges[a, r]["gain"] *= 1.01
    noticed.append(left_over(graph, wrong, seed=0))
print(
    f"{len(noticed)} lines, changed one at a time: at least {min(noticed):.0e} is left over,"
)
print(f"{min(noticed) / max(same):.0e} times as much as rounding ever leaves")
assert min(noticed) > 1000 * max(same)

# %% [markdown]
# It breaks at every line. One wrong gain, by one per cent, anywhere. (Where little flows, little is left over.)
#
# ## Then why does everybody go backwards?
#
# Lesson 15 gave the reason: the upper graph belongs to **one** entry of one weight, the lower one serves them all. Let
# us count, and let the deltas of this one turned graph prove it: each times what the weight reads, equations (10) to
# (12), and for a bias the delta itself.

# %%
graphs = [
    tg.flow_graph(net, name, entry)
    for name, w in net.weights.items()
    for entry in np.ndindex(*w.shape)
]
print(f"forwards:  {len(graphs)} graphs, {sum(len(g.edges) for g in graphs)} lines in all")
print(f"backwards: one graph, {len(turned.edges)} lines")


def held_by(sums):
    """What the turned graph holds in these boxes: (T, units)."""
    return np.array(
        [[flowing[node.index, at] for at in np.ndindex(node.value.shape)] for node in sums]
    )


delta_j = held_by([state.parents[0] for state in net.states[1:]])
delta_k = held_by([output.parents[0] for output in net.outputs])
s = np.array([state.value[0] for state in net.states])
found = {"V": delta_j.T @ x[:, 0], "U": delta_j.T @ s[:-1], "W": delta_k.T @ s[1:]}
found |= {"b_j": delta_j.sum(axis=0), "b_k": delta_k.sum(axis=0)}
for name in net.weights:
    assert np.allclose(-found[name], net.grads[name], rtol=0, atol=1e-14)
print("its deltas, times what each weight reads, are the gradients of", ", ".join(net.weights))

# %% [markdown]
# That is what going backwards buys. But look at the third point above once more: a delay has become an **advance**. The
# turned graph needs the future. It can only be played when the sequence is over, from the last step to the first, and
# until then somebody has to keep every gain, at every time step. The upper graphs can be played as the sequence comes
# in, all at once, and nothing of the past has to be kept: together they are the table $M(t)$ of lesson 15.
#
# So memory is the price. How much is it, and can it be less? That is the next lesson.
