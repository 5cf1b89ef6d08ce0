# %% [markdown]
# # How the tape gets fast: folding
#
# * **Goal**: say what has to wait for what
# * **Needs**: lesson 6; lesson 7 helps
# * **Words**: folding, recurrence, compiler, speed
#
# The tape has a node for each op at each time step. That is what makes it possible to look at every copy. It is also
# what makes such tapes slow: for a small network, a multiplication takes less time than all that Python does around it.
#
# How slow is it? We record a sequence of fifty steps, go back, and read the gradients. Then we do the same with Guo's
# equations in plain NumPy: a loop that was written for this one network and does nothing else.

# %% tags=["measured"]
import time

import networkx as nx
import numpy as np
from threadpoolctl import threadpool_limits

import tinygrad_rnn as tg

threadpool_limits(1)  # so that times can be compared: one thread for everybody

T, n, l, m, o = 50, 4, 16, 32, 8
rng = np.random.default_rng(20)
x, s0 = rng.normal(size=(T, n, l)), rng.normal(size=(n, m))
d = np.eye(o)[rng.integers(o, size=(T, n))]
cell = tg.cells.Guo(f="tanh", g="softmax")
params = cell.init(l, m, o, rng=20)


def recorded():
    """Record everything anew, and go back node by node."""
    net = tg.unfold(cell, params, x, d, s0=s0)
    net.backward()
    return dict(net.grads)


def written_by_hand():
    """The same gradients, with no tape."""
    return tg.guo.gradients(params, x, d, s0, f="tanh").grads


def milliseconds(work, runs=7):
    """The processor time of one run: the median of several."""
    work()
    times = []
    for _ in range(runs):
        start, repeats = time.process_time(), 0
        while time.process_time() - start < 0.02:
            work()
            repeats += 1
        times.append((time.process_time() - start) / repeats)
    return 1000 * sorted(times)[runs // 2]


slow, by_hand = milliseconds(recorded), milliseconds(written_by_hand)
first, witness = recorded(), written_by_hand()
assert all(np.allclose(first[name], witness[name], rtol=0, atol=1e-12) for name in params)
print(f"recorded anew:   {slow:6.2f} ms")
print(f"written by hand: {by_hand:6.2f} ms, with the same gradients")

# %% [markdown]
# These are measured on whatever machine runs this lesson, so they are a little different each time, and nothing below
# depends on them.
#
# The time goes into recording, and it is the same recording every time. The fifty steps differ in their numbers and in
# nothing else. So fold them.
#
# ## The picture
#
# Unfolding made copies; folding merges them again. Nodes that play one role at different times become one node, and
# where a step reads the state of the step before, there is an arrow with a delay, the box `z⁻¹`. It is the cell, as one
# would draw it by hand.

# %%
net = tg.unfold(cell, params, x, d, s0=s0)
tg.draw(net, view="folded", overlay=None)

# %%
folded = net.fold()
names = {node: of["name"] for node, of in folded.nodes(data=True)}
delayed = [(names[a], names[b]) for a, b, of in folded.edges(data=True) if of["delay"]]
in_a_step = len(folded) - len(params)
print(f"unfolded, the network has {len(net.tape)} nodes: {in_a_step} in each of {T} steps,")
print(f"{len(params)} weights, s(0) and the sum of the costs; folded it has {len(folded)}")
print("arrows with a delay:", delayed)
assert delayed == [("s", "net_j")]
assert len(net.tape) == T * in_a_step + len(params) + 2

# %% [markdown]
# ## What has to wait
#
# Now ask of each node: must its copy at $t$ wait for its own copy at $t-1$? It must if there is a way along the arrows
# from the node round to itself. Such a ring must go through a delay, or nothing could ever be computed: find it in the
# picture. Nodes that lie on a common ring form a **strongly connected component**, and graph libraries find these in
# one call. (They count a node that lies on no ring as a component of its own.)


# %%
def rings(graph):
    """The components that have a ring in them, each a set of nodes."""
    found = nx.strongly_connected_components(graph)
    return [
        part
        for part in found
        if len(part) > 1 or any(graph.has_edge(node, node) for node in part)
    ]


for ring in rings(folded):
    print("on a ring:", sorted(names[node] for node in ring))
(ring,) = rings(folded)
assert len(ring) == 2

# %% [markdown]
# Two nodes, the sum of the hidden units and the state. That is the recurrence: all of it. Everything else does not have
# to wait for the step before. It can be computed for **all** time steps at once, as soon as what it reads is there.
#
# If each component is taken as one box, no ring is left, and the boxes can be put into an order in which each reads
# only earlier ones. That order is the schedule.

# %%
blocks = nx.condensation(nx.DiGraph(folded))
for block in nx.topological_sort(blocks):
    members = sorted(blocks.nodes[block]["members"])
    computed = [node for node in members if folded.nodes[node]["op"] not in ("leaf", "copy")]
    if computed:
        how = f"copy by copy, {T} times" if set(computed) <= ring else "all copies at once"
        print(f"{' and '.join(names[node] for node in computed):12} {how}")

# %% [markdown]
# ## What leaves the ring
#
# One thing more can be taken out. Look inside the sum:
#
# $$
# \mathrm{net}_j(t) = \sum_i x_i(t)\, v_{ji} + b_j + \sum_h s_h(t-1)\, u_{jh}.
# $$
#
# Only the last term reads the state. The first one knows everything it needs before the sequence begins. So lay the
# inputs of all time steps below each other and multiply **once**. The product is large, and large products are what
# processors are good at. (The bias, which is the same at each step, is added there as well.)

# %% tags=["measured"]
one_by_one = np.array([x[t] @ params["V"].T for t in range(T)])
stacked = (x.reshape(T * n, l) @ params["V"].T).reshape(T, n, m)
assert np.allclose(one_by_one, stacked, rtol=0, atol=1e-14)

many = milliseconds(lambda: [x[t] @ params["V"].T for t in range(T)])
once = milliseconds(lambda: x.reshape(T * n, l) @ params["V"].T)
print(
    f"{T} products of {x[0].shape} and {params['V'].T.shape}: {1000 * many:6.1f} microseconds"
)
print(
    f"one product of {(T * n, l)} and {params['V'].T.shape}:  {1000 * once:6.1f} microseconds"
)

# %% [markdown]
# What is left in the loop is what the library plays. `net.schedule` shows it, after the first replay: the forward loop,
# and below it the one that goes back. Each line is one call into NumPy that writes to a place made beforehand. What it
# computes stands behind the `#`; `∂s` is short for $\partial C / \partial s$, and a `v` with a number is a node without
# a name, as in lesson 2. An `r` is a row that is another one at each time step, a `w` is the same at all of them.

# %%
net.replay()
net.backward()
print(net.schedule)
loops = net.schedule.split("\n\n")
in_loop = [sum("#" in line for line in loop.split("\n")) for loop in loops]
print(f"\ncalls for each time step: {in_loop[0]} forwards, {in_loop[1]} backwards")
assert len(loops) == 2
assert [sum(name in line for line in loops[1].split("\n")) for name in (" v", "∂net_k W")] == [
    1,
    1,
]

# %% [markdown]
# Backwards there is a ring too: to what comes from the later step, the share of the step's own output is added; that
# goes through $f'$, and through `U` to the state before. It is the sum at the end of lesson 6. The shares of the
# outputs and the slopes of $f$ are not on the ring: they are known from the forward pass, so they are computed for all
# steps before the first error moves. The slopes are the node without a name. The shares of the outputs have none, too;
# they are written as the product that they are, `∂net_k W`.
#
# ## One product for each weight
#
# And the gradients? On the tape, each copy of `U` gets a matrix, its share, and the shares are added: $T$ products and
# $T$ sums. But a sum of products of rows **is** a matrix product, if the rows of all steps are laid below each other:
#
# $$
# \frac{\partial C}{\partial u_{jh}} = -\sum_t \sum_p \delta_{pj}(t)\, s_{ph}(t-1).
# $$
#
# Time and sample are summed over in the same way. So $\delta$ with $T n$ rows, turned over, times the states with $T n$
# rows.

# %%
delta_j = np.array([tg.delta(net.states[t].parents[0]) for t in range(1, T + 1)])
before = np.array([net.states[t - 1].value for t in range(1, T + 1)])
by_copies = sum(-delta_j[t].T @ before[t] for t in range(T))
in_one = -delta_j.reshape(T * n, m).T @ before.reshape(T * n, m)
print(f"one product of {(m, T * n)} and {(T * n, m)} gives dC/dU, {in_one.shape}")
assert np.allclose(in_one, net.grads["U"], rtol=0, atol=1e-12)
assert np.allclose(by_copies, net.grads["U"], rtol=0, atol=1e-12)

# %% [markdown]
# For this to be one product, the rows must *be* below each other. They are: the states of all times lie in one piece of
# memory, a *buffer*, time first, and what you see as the state of step 3 is a row of it. Nothing is copied together.
# From one row to the next it is as many bytes as a state has: eight for each of $n\, m$ numbers. (A number that no
# gradient needs, such as a net input, has no row: if you ask for it, it is computed again from those that have one.)

# %%
rows = [net.states[t].value for t in (3, 4, 5)]
address = [row.__array_interface__["data"][0] for row in rows]
print(
    "from s(3) to s(4) to s(5):",
    np.diff(address).tolist(),
    "bytes; one state has",
    rows[0].nbytes,
)
assert np.diff(address).tolist() == [rows[0].nbytes] * 2 == [8 * n * m] * 2

# %% [markdown]
# ## What it gains


# %% tags=["measured"]
def replayed():
    """New numbers through the same recording."""
    net.replay(x, d, s0=s0)
    net.backward()
    return dict(net.grads)


again = replayed()
assert all(np.allclose(again[name], witness[name], rtol=0, atol=1e-12) for name in params)
fast = milliseconds(replayed)
print(f"recorded anew:   {slow:6.2f} ms   {slow / fast:6.1f} times as long as a replay")
print(f"written by hand: {by_hand:6.2f} ms   {by_hand / fast:6.1f} times as long")
print(f"replayed:        {fast:6.2f} ms")

# %% [markdown]
# And it depends on how large the network is. Where the products themselves take long, there is less to gain.

# %% tags=["measured"]
print(f"{'T':>5}{'samples':>9}{'units':>7}{'recorded':>12}{'replayed':>12}{'ratio':>8}")
for T_, n_, m_ in ((20, 1, 8), (50, 4, 32), (50, 16, 128)):
    weights = cell.init(l, m_, o, rng=1)
    inputs, targets = rng.normal(size=(T_, n_, l)), np.eye(o)[rng.integers(o, size=(T_, n_))]
    played = tg.unfold(cell, weights, inputs, targets)

    def anew(weights=weights, inputs=inputs, targets=targets):
        fresh = tg.unfold(cell, weights, inputs, targets)
        fresh.backward()
        return dict(fresh.grads)

    def again(played=played):
        played.replay()
        played.backward()
        return dict(played.grads)

    times = milliseconds(anew, runs=3), milliseconds(again, runs=3)
    print(f"{T_:5}{n_:9}{m_:7}{times[0]:9.2f} ms{times[1]:9.3f} ms{times[0] / times[1]:8.1f}")

# %% [markdown]
# `tg.Network` does the bookkeeping: call it with data of any shape, and each shape is recorded once. How a replay
# compares with a program that was optimised by hand as far as NumPy goes, the site's page of benchmarks says.
#
# ## Nothing was lost
#
# Is this still the tape where every copy can be seen? It is. The shares, the errors on the way and the states are the
# same as on a tape that was recorded and swept node by node.

# %%
plain = tg.unfold(cell, params, x, d, s0=s0)
plain.backward()
assert not plain.schedule
for name in params:
    assert np.allclose(net.copies[name], plain.copies[name], rtol=0, atol=1e-12)
compared = 0
for a, b in zip(net.tape, plain.tape, strict=True):
    assert np.allclose(a.value, b.value, rtol=0, atol=1e-12)
    compared += 1
print(f"{compared} nodes and all copies of {len(params)} weights: the same")

# %% [markdown]
# ## Other cells, and one that cannot be folded
#
# Nobody has written any of this for Guo's network. It was read off its graph, so it works for any cell. Mozer's ring
# has no matrix in it; the gates of lesson 14 all read the state, so most of their ops are on a ring:

# %%
for other in (tg.cells.Mozer(), tg.cells.GRU(), tg.cells.LSTM()):
    small = tg.unfold(
        other,
        other.init(3, 4, 2, rng=0),
        x[:4, :, :3],
        np.eye(2)[rng.integers(2, size=(4, n))],
    )
    graph = small.fold()
    on_ring = set().union(*rings(graph))
    work = [node for node, of in graph.nodes(data=True) if of["op"] not in ("leaf", "copy")]
    print(f"{type(other).__name__:6} {len(work):3} ops, {len(on_ring):3} of them on a ring")
    assert 0 < len(on_ring) < len(work)
assert len(on_ring) > len(work) / 2

# %% [markdown]
# But folding rests on one thing: that all steps are alike. Here is a cell whose steps are not. It squares its input at
# every other step. The library notices, plays it node by node, and says why. It is slow, and it is right.

# %%
calls = []


def moody(P, x, s):
    """Guo's hidden layer, in a mood that changes."""
    calls.append(1)
    if len(calls) % 2:
        x = x * x
    s = tg.ops.tanh(tg.ops.linear(x, P["V"], s, P["U"], P["b_j"]), name="s")
    return s, tg.ops.softmax(tg.ops.linear(s, P["W"], P["b_k"]))


odd = tg.unfold(moody, params, x[:4], d[:4], s0=s0)
odd.replay()
print(odd.schedule)
assert odd.schedule.startswith("no plan")
odd.backward()
assert odd.check().ok

# %% [markdown]
# So the slow tape and the fast program are one thing, seen twice. Unfold it and you see every copy. Fold it and you see
# what has to wait for what; and what has to wait for nothing is done at once. The site's page *The tape, read line by
# line* reads the slow one; how the fast one is compiled, in steps under their usual names, says the page *Architecture*
# beside it.
#
# Fast enough to learn something real? Let us see.
