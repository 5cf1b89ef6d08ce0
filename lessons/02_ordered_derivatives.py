# %% [markdown]
# # Three or twenty-three? Ordered derivatives
#
# * **Goal**: say why 3 and 23 are both right
# * **Needs**: the chain rule
# * **Words**: chain rule, ordered derivative, direct derivative, total derivative
#
# Letters that only this lesson has:
#
# | here | what it is | Guo | elsewhere |
# |---|---|---|---|
# | $a$ | counts lines: the one that is asked | | i in Werbos (1990) |
# | $r$ | counts lines: the later ones, which may have read it | | j in Werbos (1990) |
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


push = 1e-6
measured = (z_3_from(1 + push) - z_3_from(1 - push)) / (2 * push)
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
# Take the two lines once more and ask $z_1$. Who has read it? The line of $z_3$, with a factor of 3, and the line of
# $z_2$, with a factor of 4. What $z_3$ does to the end is easy: it is the end, so the number is 1. And $z_2$ does
# 5 times as much to the end as to itself. So
#
# $$
# 23 = 1 \cdot 3 + 5 \cdot 4.
# $$
#
# Each product is the ordinary chain rule, for one reader: *what the reader does to the end*, times *what I do to the
# reader*. Such a product is called a **share**. The sum of the shares is the ordered derivative. That is the whole
# rule.
#
# In letters: $z_a$ is the number that is asked, $z_r$ goes through the numbers that come after it, and
# $z_\mathrm{end}$ is the last one. If a line has not read $z_a$, its direct derivative is 0.
#
# $$
# \frac{\partial^+ z_\mathrm{end}}{\partial z_a} = \sum_{r > a} \frac{\partial^+ z_\mathrm{end}}{\partial z_r}
# \cdot \frac{\partial z_r}{\partial z_a},
# \qquad \frac{\partial^+ z_\mathrm{end}}{\partial z_\mathrm{end}} = 1.
# $$
#
# This is Werbos' chain rule for ordered derivatives. In code the number on the left is called the **cotangent** of
# $z_a$.
#
# Now the order pays. To know its own number, $z_a$ needs the numbers of those who read it, and they all stand
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
# The rule is short enough to write down without any library. `direct[r, a]` is the direct derivative of $z_r$
# with respect to $z_a$, and Python counts from 0.

# %%
direct = np.zeros((3, 3))
direct[1, 0] = 4  # z_2 = 4 z_1
direct[2, 0] = 3  # z_3 = 3 z_1
direct[2, 1] = 5  #       + 5 z_2

ordered = np.zeros(3)
ordered[2] = 1
for r in reversed(range(3)):
    for a in range(r):
        ordered[a] += ordered[r] * direct[r, a]
print("ordered derivatives:", ordered)
assert list(ordered) == [23, 5, 1]

# %% [markdown]
# The 23 is a fact about $z_1$ and $z_3$. The 3 is not: it is a fact about *how we wrote it down*. Here is the same
# computation, written in three ways. Each time, look at the line of $z_3$ and at nothing else: how often is $z_1$ in
# it?
#
# * **Two lines**, as above. The line is $z_3 = 3\, z_1 + 5\, z_2$: three times.
# * **One line**, with $z_2$ put in. The line is $z_3 = 3\, z_1 + 5 \cdot 4\, z_1$: 23 times.
# * **Eight lines**, as on the tape. The line adds two products that stand above it, $v_4 + v_6$: not at all.
#
# So the direct derivative is 3, 23 or 0. The ordered one is 23 in all three. `tg.ordered` takes a list of the numbers
# that are to have a line of their own, and prints the sum: first the direct derivative, then the share of each later
# line.

# %%
two_lines = tg.ordered(z_3, [z_1, z_2])[0]
one_line = tg.ordered(z_3, [z_1])[0]
all_lines = tg.ordered(z_3, list(tape)[:-1])[0]
for lines, found in (
    ("two lines", two_lines),
    ("one line", one_line),
    ("the tape's eight", all_lines),
):
    print(f"{lines:>16}: {found}")
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
    params["U"][:] = U + sign * push * direction
    costs.append(net.replay())
params["U"][:] = U
net.replay()
net.backward()
measured = (costs[0] - costs[1]) / (2 * push)
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
# are nearly the same, and what is left of their sixteen digits is the last few. Those are rounded: the last digit of
# each cost may be wrong, and the difference is divided by twice the step. The last column is what that alone can do.

# %%
faults, rounding = {}, {}
for step in (1e-1, 1e-3, 1e-5, 1e-7, 1e-9, 1e-11):
    costs = []
    for sign in (+1, -1):
        params["U"][:] = U + sign * step * direction
        costs.append(net.replay())
    faults[step] = abs((costs[0] - costs[1]) / (2 * step) - from_ledger)
    rounding[step] = np.spacing(costs[0]) / step
    print(
        f"step {step:.0e}: measured and computed differ by {faults[step]:.0e}, "
        f"and rounding can do {rounding[step]:.0e}"
    )
params["U"][:] = U
net.replay()
assert faults[1e-1] > 1e3 * faults[1e-3] > 1e5 * faults[1e-5]
assert all(faults[step] < 10 * rounding[step] for step in faults if step < 1e-4)
assert faults[1e-11] > 1e3 * faults[1e-5]

# %% [markdown]
# In the first three rows the bend counts. Divide the step by a hundred, and the difference is divided by ten thousand:
# it goes with the *square* of the step, because we measure on both sides. In the last three rows rounding counts. It
# *can* do a hundred times as much in each row as in the one before; how much it does is chance, and in one of the rows
# it did less than it could. The best step is in between, at about a hundred-thousandth. There about ten digits are
# right.
#
# So where a lesson says `< 1e-8` of a measured number, that is about as much as a measurement can promise; two
# *computed* numbers are held against each other to fourteen digits or so.
#
# So: three **and** twenty-three. Three is what one line knows. Twenty-three is what you get when every line hands its
# share to those it has read, from the last line to the first, and shares are added.
#
# The library's program for this is short: the loop is one function, `pullback` in `autodiff/chain.py`. The site has a
# page, *The tape, read line by line*, that goes through it and runs every piece.
#
# It looks hard to get wrong. The next lesson gets it wrong in four ways.
