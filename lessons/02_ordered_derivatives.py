# %% [markdown]
# # Three or twenty-three? Ordered derivatives
#
# * **Goal**: say why 3 and 23 are both right
# * **Needs**: the chain rule
# * **Words**: chain rule, ordered derivative, direct derivative, total derivative
#
# Lesson 1 added up shares and called the sum a derivative. Is it one? The smallest case in which you can go wrong
# has two lines. It is an example in the manner of Paul Werbos (1990):
#
# $$
# \begin{aligned}
# z_2 &= 4\, z_1, \\
# z_3 &= 3\, z_1 + 5\, z_2.
# \end{aligned}
# $$
#
# If $z_1$ grows by a little, how many times as much does $z_3$ grow?
#
# The second line says 3. Decide for yourself before you read on.
#
# ## Measure it

# %%
import networkx as nx
import numpy as np

import tinygrad_rnn as tg


def z_3_from(z_1):
    z_2 = 4 * z_1
    return 3 * z_1 + 5 * z_2


h = 1e-6
measured = (z_3_from(1 + h) - z_3_from(1 - h)) / (2 * h)
print(f"z_3 grows {measured:.6f} times as much as z_1")
assert abs(measured - 23) < 1e-6

# %% [markdown]
# Where do the other 20 come from? Look at the two lines again: $z_1$ is used **twice**. It moves $z_3$ directly, and
# it moves $z_2$, which moves $z_3$ as well.
#
# Both numbers are right. They answer different questions:
#
# * **3** is the *direct* derivative $\partial z_3 / \partial z_1$: only the line that computes $z_3$ is looked at, and
#   $z_2$ is held where it is. It is the ordinary partial derivative of that line.
# * **23** is the *ordered* derivative $\partial^+ z_3 / \partial z_1$: $z_1$ is moved, and everything that is computed
#   after it may follow.
#
# Training needs the second one. When a weight is changed, nobody holds the hidden units where they are.
#
# ## The picture
#
# A **tape** is a list. Each line of it is one small computation, written down at the moment it is made. Here are the
# two lines on a tape, drawn from left to right in the order they were recorded. An arc leads from each number
# to every place where it is read, so all arcs lead to the right. The constants stand below.

# %%
tape = tg.Tape()
z_1 = tape.leaf(1.0, "z_1")
z_2 = tg.ops.multiply(4.0, z_1, name="z_2")
z_3 = tg.ops.add(3.0 * z_1, 5.0 * z_2, name="z_3")
tape.backward(z_3)
tg.draw(tape)

# %% [markdown]
# Two arcs leave $z_1$: it is read twice. What we gave no name is called $v$ and the number of its line: $v_4$ and
# $v_6$ are the two products in $z_3$. The red numbers are what we are after, and the one in $z_1$ is 23. Here is the
# same tape as the list that it is. A constant such as the 4 has a line of its own, so the two equations make eight
# lines.

# %%
for node in tape:
    reads = ", ".join(str(p) for p in node.parents) or "nothing"
    print(f"line {node.index}:  {node!s:>3} = {float(node.value):<4g}  reads {reads}")
assert all(p.index < node.index for node in tape for p in node.parents)

# %% [markdown]
# The `assert` says the one thing that everything rests on: **a line reads only lines above it**. It has to, because a
# number can only be used after it was computed.
#
# ## The formula
#
# Call the numbers $z_1, \ldots, z_n$ in the order of the tape. Werbos' chain rule for ordered derivatives says
#
# $$
# \frac{\partial^+ z_n}{\partial z_i} = \sum_{j > i} \frac{\partial^+ z_n}{\partial z_j}
# \frac{\partial z_j}{\partial z_i} \quad (i < n),
# \qquad \frac{\partial^+ z_n}{\partial z_n} = 1.
# $$
#
# (He writes the term $j = n$, which is the direct derivative, by itself in front of the sum.)
#
# Read it as a sentence about blame. Every line that read $z_i$ knows how much the end depends on that line, and hands
# $z_i$ its **share**: that number, times the direct derivative of the line. $z_i$ adds the shares. That is all. In code
# the sum is called the **cotangent** of $z_i$.
#
# Now the order pays. To know its own number, $z_i$ needs the numbers of those who read it, and they all stand
# *below* it. So we start at the last line and go up. When we arrive at a line, all its shares have come.
#
# ## The number

# %%
for share in tape.pullback(z_3):
    before = "nothing yet" if share.before is None else f"{share.before:g}"
    print(
        f"{share.node!s:>3} hands {share.parent} its share {share.value:>2g}:  "
        f"{before} -> {share.after:g}"
    )
assert z_1.cotangent == 23

# %% [markdown]
# Look at the last line. There was a 3, there comes a 20, and now it is 23. This is the `+=` that you saw in lesson 1,
# and it is the sum in the formula.
#
# The rule is short enough to write down without any library. `direct[j, i]` is the direct derivative of $z_j$
# with respect to $z_i$, and Python counts from 0.

# %%
direct = np.zeros((3, 3))
direct[1, 0] = 4  # z_2 = 4 z_1
direct[2, 0] = 3  # z_3 = 3 z_1
direct[2, 1] = 5  #       + 5 z_2

ordered = np.zeros(3)
ordered[2] = 1
for j in reversed(range(3)):
    for i in range(j):
        ordered[i] += ordered[j] * direct[j, i]
print("ordered derivatives:", ordered)
assert list(ordered) == [23, 5, 1]

# %% [markdown]
# The 23 is a fact about $z_1$ and $z_3$. The 3 is also a fact about *how we wrote it down*. Put the first line into the
# second, $z_3 = 3 z_1 + 5 \cdot 4 z_1$, and the direct derivative is 23. Cut the second line into the pieces that stand
# on the tape, and it is 0: the line of $z_3$ reads two products and no $z_1$. `tg.ordered` is told which numbers count
# as lines, and gives the direct term first.

# %%
two_lines = tg.ordered(z_3, [z_1, z_2])[0]
one_line = tg.ordered(z_3, [z_1])[0]
all_lines = tg.ordered(z_3, list(tape)[:-1])[0]
for lines, found in (
    ("two lines", two_lines),
    ("one line", one_line),
    ("the tape's own", all_lines),
):
    print(f"{lines:>14}: {found}")
assert [float(found.ordinary) for found in (two_lines, one_line, all_lines)] == [3, 23, 0]
assert all(found.total == 23 for found in (two_lines, one_line, all_lines))

# %% [markdown]
# ## All the ways
#
# There is another way to see the 23. Follow the arcs from $z_1$ to $z_3$ along every way there is, multiply the
# derivatives along each way, and add up the ways: $3 + 4 \cdot 5$.

# %%
g = nx.DiGraph()
g.add_weighted_edges_from([("z1", "z2", 4), ("z1", "z3", 3), ("z2", "z3", 5)])
ways = list(nx.all_simple_paths(g, "z1", "z3"))
products = [
    np.prod([g.edges[a, b]["weight"] for a, b in nx.utils.pairwise(way)]) for way in ways
]
for way, product in zip(ways, products, strict=True):
    print(" -> ".join(way), "contributes", product)
assert sum(products) == 23

# %% [markdown]
# Both are the same sum, in another order. But the ways can be many, while the arcs are few. Lesson 3 shows what happens
# to a program that walks the ways.
#
# ## The same in a recurrent network
#
# Nothing new is needed for a recurrent network: it is a longer list. Where is a number read twice? The state `s(t)` is:
# by its own output, and by the next state. And each weight is, once in every time step.

# %%
rng = np.random.default_rng(2)
cell = tg.cells.Guo(f="tanh", g="softmax")
params = cell.init(n_in=2, n_hidden=3, n_out=4, rng=rng)
x, d = rng.normal(size=(3, 1, 2)), np.eye(4)[rng.integers(4, size=(3, 1))]
net = tg.unfold(cell, params, x, d, s0=rng.normal(size=(1, 3)))
net.backward()
readers = {}
for node in net.tape:
    for parent in node.parents:
        readers.setdefault(str(parent), []).append(str(node))
for name in ("s(1)", "s(2)", "s(3)", "U"):
    print(f"{name:>4} is read by", ", ".join(readers[name]))
assert len(readers["s(2)"]) == 2
assert len(readers["s(3)"]) == 1
assert len(readers["U"]) == net.T

# %% [markdown]
# The last state is read once, because nobody comes after it. `U` is read in every step. Its sum over all who
# read it is the last row of the ledger in lesson 1, so that row is an ordered derivative. Here is the check: we move
# `U` a little in some direction, and let everything follow.

# %%
direction = rng.normal(size=params["U"].shape)
U, costs = params["U"].copy(), []
for sign in (+1, -1):
    params["U"][:] = U + sign * h * direction
    costs.append(net.replay())
params["U"][:] = U
net.replay()
net.backward()
measured = (costs[0] - costs[1]) / (2 * h)
from_ledger = (net.copies["U"].sum(axis=0) * direction).sum()
print(f"measured {measured:.8f}, from the ledger {from_ledger:.8f}")
assert abs(measured - from_ledger) < 1e-7

# %% [markdown]
# A word on how it is written. Guo, and nearly everybody, writes $\partial C / \partial z$ for the ordered derivative
# and leaves the plus away. So do we from here on: **the derivative of a cost is always the ordered one**, everything
# after $z$ follows. For what is inside a single line both are the same, and here the copies help. Each copy $U(t)$ is
# read by one line only, so for $\partial \mathrm{net}_j(t) / \partial U(t)$ there is nothing to confuse.

# %%
copies = [node for node in net.tape if node.name == "U" and node.parents]
assert len(copies) == net.T
assert all(len(readers[str(copy)]) == 1 for copy in copies)
print(", ".join(f"{copy} is read by {readers[str(copy)][0]}" for copy in copies))

# %% [markdown]
# ## How good is a measurement?
#
# Measured and computed never agree in all digits. Is it the derivative that is wrong, or the measurement? A measurement
# has two faults. If the step is large, the cost bends on the way. If it is small, two costs are subtracted that
# are nearly the same, and what is left of their sixteen digits is the last few. Let us see.

# %%
faults = {}
for step in (1e-1, 1e-3, 1e-5, 1e-7, 1e-9, 1e-11):
    costs = []
    for sign in (+1, -1):
        params["U"][:] = U + sign * step * direction
        costs.append(net.replay())
    faults[step] = abs((costs[0] - costs[1]) / (2 * step) - from_ledger)
    print(f"step {step:.0e}: measured and computed differ by {faults[step]:.0e}")
params["U"][:] = U
net.replay()
assert faults[1e-1] > 1e3 * faults[1e-3] > 1e5 * faults[1e-5]
assert faults[1e-11] > 1e3 * faults[1e-5]

# %% [markdown]
# Divide the step by a hundred, and the first fault is divided by ten thousand: it goes with the *square* of the step,
# because we measure on both sides. The second one grows as the step shrinks. The best is in between, at about a
# hundred-thousandth, with ten digits. So where a lesson says `< 1e-8` of a measured number, that is as much as a
# measurement can promise; two *computed* numbers are held against each other to fourteen digits or so.
#
# So: three **and** twenty-three. Three is what one line knows. Twenty-three is what you get when every line hands its
# share to those it has read, from the last line to the first, and shares are added.
#
# The library's program for this is short: the loop is one function, `pullback` in `autodiff/chain.py`. The site has a
# page, *The tape, read line by line*, that goes through it and runs every piece.
#
# It looks hard to get wrong. The next lesson gets it wrong in four ways.
